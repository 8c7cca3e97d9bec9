"""Control charts: which month or year differs from the others by more than they differ among themselves?

XmR for values, p and p′ for proportions, u and u′ for rates. Limits stand three, warning limits two standard deviations from the
centre line. A chart starts anew (rebases) where the caller says so, which is where a definition changes; moving ranges, limits
and rules never reach across. What the points then say is in ``spc_rules``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kenpo_lib.stats._arrays import check_not_negative, check_proportion, divide, to_floats
from kenpo_lib.stats._showing import Shown

XMR_FACTOR = 2.66  # 3 ÷ d2 with d2 = 1.128, as Making Data Count rounds it
D2 = 1.128  # mean range of two draws from the standard normal, as Laney rounds it
SCREEN_FACTOR = 3.267  # D4 for ranges of two: upper limit of moving ranges (Nelson 1982)
LIMIT_SIGMA, WARNING_SIGMA = 3.0, 2.0


class ChartKind(StrEnum):
    XMR = "xmr"
    P = "p"
    P_PRIME = "p_prime"
    U = "u"
    U_PRIME = "u_prime"


@dataclass(frozen=True, slots=True)
class ControlChart(Shown):
    """A series with its lines, all of one length; NaN where a value is missing or a line cannot be had.

    Attributes:
        kind: Which chart.
        value: The points (numerator ÷ denominator × multiplier for p and u charts).
        centre, lower, upper: Centre line and limits.
        warning_lower, warning_upper: Two thirds of the way to the limits.
        segment: 0, 1, 2 … up to each rebase.
        sigma_z: Laney's factor per segment, by which the binomial or Poisson standard deviation was multiplied: above 1
            is overdispersion. NaN in XmR, 1 in p and u charts.
    """

    kind: ChartKind
    value: NDArray[np.float64]
    centre: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    warning_lower: NDArray[np.float64]
    warning_upper: NDArray[np.float64]
    segment: NDArray[np.int64]
    sigma_z: NDArray[np.float64]


def compute_xmr_chart(
    values: ArrayLike, *, rebase_at: Sequence[int] = (), freeze: int | None = None, screen: bool = True
) -> ControlChart:
    """Chart single values by their moving ranges: mean ± 2.66 × mean moving range.

    Args:
        values: The series in order of time, any unit; NaN where missing. A range needs both neighbours.
        rebase_at: Indices at which new limits begin (a changed definition).
        freeze: Limits come from the first so many points of each segment, and hold for its later ones.
        screen: Moving ranges of 3.267 × their mean and more are left out, once, before the mean is taken again.

    Returns:
        The chart. Limits are NaN in a segment without any moving range; they are not clipped, so below 0 is possible.
        All values equal gives limits without width.

    Raises:
        ValueError: Infinite values, not one series, a rebase outside the series, freeze below 2.

    Source: Nelson (1982), Journal of Quality Technology 14:172–173; Wheeler, Understanding Variation; same method as
    NHSRplotthedots ``ptd_spc`` and, with 3 ÷ 1.128 instead of 2.66, qicharts2 ``qic(chart = "i")``.
    """
    (value,) = _series(values=values)

    def draw(part: slice, base: slice) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        centre = _mean(value[base])
        sigma = _mean_range(value[base], screen=screen) * XMR_FACTOR / LIMIT_SIGMA
        size = value[part].size
        return np.full(size, centre), np.full(size, sigma), np.nan

    return _assemble(ChartKind.XMR, value, draw, rebase_at, freeze, floor=-np.inf, ceiling=np.inf)


def compute_p_chart(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    prime: bool = False,
    rebase_at: Sequence[int] = (),
    freeze: int | None = None,
    screen: bool = False,
    multiplier: float = 1.0,
) -> ControlChart:
    """Chart proportions by their counts: Σ numerators ÷ Σ denominators ± 3 binomial standard deviations.

    With denominators of 10⁵ a p chart calls everything unusual. The p′ chart (``prime``) multiplies the standard deviation
    by the spread of the standardised points from one to the next, which is what months do differ by.

    Args:
        numerators, denominators: Counts in order of time (fractions allowed). NaN or a denominator of 0: missing.
        prime: Laney's p′ chart.
        rebase_at: Indices at which new limits begin (a changed definition).
        freeze: Limits come from the first so many points of each segment.
        screen: Leave large moving ranges out of Laney's factor, as in ``compute_xmr_chart``; only with ``prime``.
        multiplier: 100 for percent.

    Returns:
        The chart, limits clipped to 0 and ``multiplier``. Limits of p′ are NaN in a segment without two neighbours.

    Raises:
        ValueError: Negative or infinite counts, a numerator above its denominator, not one series, a rebase outside the
            series, freeze below 2.

    Source: Montgomery, Statistical Quality Control, ch. 7; Laney (2002), Quality Engineering 14:531–537; same method as
    qicharts2 ``qic(chart = "p")`` and ``"pp"``.
    """
    count, base = _counts(numerators, denominators)
    check_proportion(count, base)

    def spread(centre: float) -> float:
        return centre * (1 - centre)

    kind = ChartKind.P_PRIME if prime else ChartKind.P
    return _compute_count_chart(kind, count, base, spread, prime, rebase_at, freeze, screen, multiplier, multiplier)


def compute_u_chart(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    prime: bool = False,
    rebase_at: Sequence[int] = (),
    freeze: int | None = None,
    screen: bool = False,
    multiplier: float = 1.0,
) -> ControlChart:
    """Chart rates by their counts: Σ numerators ÷ Σ denominators ± 3 Poisson standard deviations.

    Args:
        numerators: Counts of events, in order of time. NaN: missing.
        denominators: What they happened in (receipts, person-years); events may outnumber it. NaN or 0: missing.
        prime: Laney's u′ chart, as in ``compute_p_chart``.
        rebase_at, freeze, screen: As in ``compute_p_chart``.
        multiplier: 1000 for a rate per thousand.

    Returns:
        The chart, lower limits clipped to 0. Limits of u′ are NaN in a segment without two neighbours.

    Raises:
        ValueError: Negative or infinite counts, not one series, a rebase outside the series, freeze below 2.

    Source: Montgomery, Statistical Quality Control, ch. 7; Laney (2002), Quality Engineering 14:531–537; same method as
    qicharts2 ``qic(chart = "u")`` and ``"up"``.
    """
    count, base = _counts(numerators, denominators)
    kind = ChartKind.U_PRIME if prime else ChartKind.U
    return _compute_count_chart(
        kind, count, base, lambda centre: centre, prime, rebase_at, freeze, screen, multiplier, np.inf
    )


# --- shared ---------------------------------------------------------------------------------------------------------

_Draw = Callable[[slice, slice], tuple[NDArray[np.float64], NDArray[np.float64], float]]


def _compute_count_chart(
    kind: ChartKind,
    count: NDArray[np.float64],
    base: NDArray[np.float64],
    spread: Callable[[float], float],
    prime: bool,
    rebase_at: Sequence[int],
    freeze: int | None,
    screen: bool,
    multiplier: float,
    ceiling: float,
) -> ControlChart:
    known = ~np.isnan(count)
    value = divide(count, base)

    def draw(part: slice, frozen: slice) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        total = np.nansum(base[frozen])
        centre = np.nansum(count[frozen]) / total if total else np.nan
        sigma = np.sqrt(divide(np.full(base.shape, spread(centre)), base))
        factor = 1.0
        if prime:
            z = np.divide(value - centre, sigma, out=np.zeros_like(value), where=sigma > 0)
            z[~known] = np.nan
            factor = _mean_range(z[frozen], screen=screen) / D2
        return np.full(value[part].size, centre), sigma[part] * factor, factor

    chart = _assemble(kind, value, draw, rebase_at, freeze, floor=0.0, ceiling=ceiling / multiplier)
    if multiplier == 1:
        return chart
    lines = ("value", "centre", "lower", "upper", "warning_lower", "warning_upper")
    return replace(chart, **{name: getattr(chart, name) * multiplier for name in lines})


def _assemble(
    kind: ChartKind,
    value: NDArray[np.float64],
    draw: _Draw,
    rebase_at: Sequence[int],
    freeze: int | None,
    *,
    floor: float,
    ceiling: float,
) -> ControlChart:
    """Draw each segment for itself and put them in a row."""
    if freeze is not None and freeze < 2:
        raise ValueError(f"freeze: limits need at least 2 points, found {freeze}")
    if any(not 0 < index < value.size for index in rebase_at):
        raise ValueError(f"rebase_at: expected indices from 1 to {value.size - 1}, found {list(rebase_at)}")
    starts = [0, *sorted(set(rebase_at)), value.size]
    centres, sigmas, factors = [], [], []
    for start, end in itertools.pairwise(starts):
        base = slice(start, end if freeze is None else min(end, start + freeze))
        centre, sigma, factor = draw(slice(start, end), base)
        centres.append(centre)
        sigmas.append(sigma)
        factors.append(factor)
    centre, sigma = np.concatenate(centres), np.concatenate(sigmas)

    def line(multiple: float) -> NDArray[np.float64]:
        return np.clip(centre + multiple * sigma, floor, ceiling)

    return ControlChart(
        kind=kind,
        value=value,
        centre=centre,
        lower=line(-LIMIT_SIGMA),
        upper=line(LIMIT_SIGMA),
        warning_lower=line(-WARNING_SIGMA),
        warning_upper=line(WARNING_SIGMA),
        segment=np.repeat(np.arange(len(factors)), np.diff(starts)),
        sigma_z=np.array(factors),
    )


def _series(**named: ArrayLike) -> list[NDArray[np.float64]]:
    arrays = to_floats(**named)
    for name, array in zip(named, arrays, strict=True):
        if array.ndim != 1 or array.size == 0:
            raise ValueError(f"{name}: expected one series with at least one point, found shape {array.shape}")
    if len({array.size for array in arrays}) > 1:
        raise ValueError(f"expected equal lengths, found {', '.join(str(array.size) for array in arrays)}")
    return arrays


def _counts(numerators: ArrayLike, denominators: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count, base = _series(numerators=numerators, denominators=denominators)
    check_not_negative(numerators=count, denominators=base)
    missing = np.isnan(count) | np.isnan(base) | (base == 0)
    return np.where(missing, np.nan, count), np.where(missing, np.nan, base)


def _mean(numbers: NDArray[np.float64]) -> float:
    known = numbers[~np.isnan(numbers)]
    return float(known.mean()) if known.size else np.nan


def _mean_range(numbers: NDArray[np.float64], *, screen: bool) -> float:
    """Mean of the moving ranges, the outlying ones left out once if asked for."""
    ranges = np.abs(np.diff(numbers))
    mean = _mean(ranges)
    return _mean(ranges[ranges < SCREEN_FACTOR * mean]) if screen and mean > 0 else mean
