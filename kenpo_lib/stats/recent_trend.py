"""Recent trend: is the KPI rising or falling over its last five years, or is that noise?

Fingertips' method. The caller hands over one series under one definition; years stand on the axis as they are, so a missing
year is a gap and not a shorter step. The same five points decide everything; nothing older is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kenpo_lib.stats._arrays import check_proportion, critical_value, divide, to_floats
from kenpo_lib.stats._showing import Shown

POINTS = 5
CHI_SQUARED_998 = 9.5495  # 99.8 % point of chi-squared with one degree of freedom, as Fingertips prints it
MINIMUM_POINTS = 3  # two points always lie on a line, and one of them left out leaves none
_NOISE = 1e-12  # slopes smaller than this, relative to the values, are rounding and not a direction


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"
    NONE = "none"
    CANNOT_TELL = "cannot_tell"


class TrendReason(StrEnum):
    """Why a direction was given, or none."""

    SIGNIFICANT = "significant"  # above the threshold, and so whichever point is left out
    NOT_SIGNIFICANT = "not_significant"
    ALL_EQUAL = "all_equal"
    ONE_POINT_DECIDES = "one_point_decides"  # the sign changes without one point, or hangs on the weight of one
    TOO_FEW_POINTS = "too_few_points"
    NO_INTERVAL = "no_interval"  # a value among the last five has no interval, or one without width


class TrendWord(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    HIGHER = "higher"
    LOWER = "lower"
    UNCHANGED = "unchanged"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Trend(Shown):
    """One trend, or arrays of them (one entry per series).

    Attributes:
        direction: up, down, none, cannot_tell.
        reason: A ``TrendReason``.
        statistic: Chi-squared with one degree of freedom; NaN where it cannot be had.
        slope: Per year: log odds for proportions, the value's own unit otherwise; NaN where it cannot be had.
        points: How many points were there to use, at most those asked for.
        first_year, last_year: First and last year used; NaN without any point.
    """

    direction: Direction | NDArray[np.str_]
    reason: TrendReason | NDArray[np.str_]
    statistic: float | NDArray[np.float64]
    slope: float | NDArray[np.float64]
    points: int | NDArray[np.int64]
    first_year: float | NDArray[np.float64]
    last_year: float | NDArray[np.float64]


def compute_proportion_trend(
    years: ArrayLike,
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    points: int = POINTS,
    threshold: float = CHI_SQUARED_998,
) -> Trend:
    """Tell a trend in proportions from noise, by their counts.

    Chi-squared test for trend (Cochran–Armitage) with the years as scores. The direction is that of the unweighted
    regression of the log odds on the years, and has to stay the same whichever point is left out. Where one of the
    proportions used is 0 or 1, half a case is added on both sides of all of them, since their log odds are infinite.

    Args:
        years: Fiscal years, shape ``(..., points in time)`` or one row for all series; any order, no year twice.
        numerators, denominators: Counts (fractions allowed), same shape. A point counts as missing where either is NaN
            or the denominator is 0.
        points: How many of the latest known points are used.
        threshold: The statistic has to exceed it.

    Returns:
        Scalars for one series, arrays of the leading shape for many. ``cannot_tell`` with fewer points than asked for.
        ``statistic`` is NaN where all proportions are 0 or all are 1: the test is not defined there.

    Raises:
        ValueError: Negative or infinite counts, a numerator above its denominator, a year twice or missing.

    Source: Armitage (1955), Biometrics 11:375–386; Fingertips public health technical guidance, "Fingertips trend
    markers"; same statistic as Fingertips' ``TrendMarkerCalculator`` and R's ``prop.trend.test``, same rules as PHEindicatormethods
    ``assign_trend_markers``. Ours: the half case, the years as they are, and no direction where the test and the slope disagree.
    """
    year, count, base = _arrange(years, numerators, denominators, points=points)
    check_proportion(count, base)
    known = np.isfinite(count) & np.isfinite(base) & (base > 0)
    kept = _last(known, points)
    count, base = np.where(kept, count, 0.0), np.where(kept, base, 0.0)

    total, cases = base.sum(-1, keepdims=True), count.sum(-1, keepdims=True)
    pooled = divide(cases, total)
    centred = np.where(kept, year - divide((base * year).sum(-1, keepdims=True), total), 0.0)
    score = (centred * (count - base * np.where(kept, pooled, 0.0))).sum(-1)
    variance = (pooled * (1 - pooled))[..., 0] * (base * centred**2).sum(-1)
    statistic = divide(score**2, variance)

    extreme = (kept & ((count == 0) | (count == base))).any(-1, keepdims=True)
    half = np.where(extreme, 0.5, 0.0)
    odds = divide(np.where(kept, count + half, np.nan), base - count + half)
    log_odds = np.log(odds, out=np.zeros_like(odds), where=kept)
    weights = kept.astype(float)
    equal = np.ptp(np.where(kept, divide(count, base), pooled), axis=-1) <= _NOISE
    return _conclude(
        year, log_odds, weights, kept, statistic, points, threshold, equal=equal, second_sign=_sign(score, base.sum(-1))
    )


def compute_value_trend(
    years: ArrayLike,
    values: ArrayLike,
    lowers: ArrayLike,
    uppers: ArrayLike,
    *,
    confidence: float = 0.95,
    points: int = POINTS,
    threshold: float = CHI_SQUARED_998,
) -> Trend:
    """Tell a trend in rates, means or amounts from noise, by their confidence intervals.

    Linear regression on the years, each value weighted by the inverse square of its standard error (width of the interval
    ÷ twice the normal quantile). The direction has to stay the same whichever point is left out.

    Args:
        years: Fiscal years, shape ``(..., points in time)`` or one row for all series; any order, no year twice.
        values, lowers, uppers: Values and their interval, same shape and unit. A NaN value is a missing point.
        confidence: Level of the intervals.
        points: How many of the latest known points are used.
        threshold: The statistic has to exceed it.

    Returns:
        Scalars for one series, arrays of the leading shape for many. ``cannot_tell`` with fewer points than asked for,
        and where one of the points used has no interval or one without width (rounded away): it has no weight then.

    Raises:
        ValueError: An interval that does not contain its value, infinite values, a year twice or missing, confidence
            outside (0, 1).

    Source: Fingertips public health technical guidance, "Fingertips trend markers"; same method as PHEindicatormethods
    ``assign_trend_markers`` (``other``).
    """
    normal = float(critical_value(confidence))
    year, value, lower, upper = _arrange(years, values, lowers, uppers, points=points)
    if ((lower > value) | (value > upper) | (lower > upper)).any():
        raise ValueError("an interval does not contain its value")
    kept = _last(np.isfinite(value), points)
    width = np.where(kept, upper - lower, np.nan)
    weighable = width > 0
    weights = np.where(weighable, divide(np.ones_like(width), (width / (2 * normal)) ** 2), 0.0)
    value = np.where(kept, value, 0.0)
    slope, spread = _fit(year, value, weights)
    middle = divide((weights * value).sum(-1, keepdims=True), weights.sum(-1, keepdims=True))
    equal = np.ptp(np.where(kept, value, middle), axis=-1) <= _NOISE * np.abs(value).max(-1)
    return _conclude(
        year, value, weights, kept, slope**2 * spread, points, threshold, equal=equal, unweighable=kept & ~weighable
    )


def judge_trend(direction: ArrayLike, sign: ArrayLike) -> TrendWord | NDArray[np.str_]:
    """Put a direction into the word that the KPI's direction calls for.

    Args:
        direction: ``Direction`` or an array of them.
        sign: +1 where more is better, −1 where less is better, 0 where neither; broadcast against ``direction``.

    Returns:
        better or worse; higher or lower where the sign is 0; unchanged; cannot_tell.

    Raises:
        ValueError: Another direction or sign.

    Source: polarity as in Fingertips' trend markers ("increasing and getting better").
    """
    way, good = np.broadcast_arrays(np.asarray(direction, dtype=str), np.asarray(sign, dtype=float))
    steps = np.select([way == Direction.UP, way == Direction.DOWN], [1, -1], 0)
    if not np.isin(way, list(Direction)).all() or not np.isin(good, (-1, 0, 1)).all():
        raise ValueError(f"expected a direction ({', '.join(Direction)}) and a sign of +1, 0 or -1")
    words = np.select(
        [way == Direction.CANNOT_TELL, steps == 0, steps * good > 0, steps * good < 0, steps > 0],
        [TrendWord.CANNOT_TELL, TrendWord.UNCHANGED, TrendWord.BETTER, TrendWord.WORSE, TrendWord.HIGHER],
        TrendWord.LOWER,
    )
    return TrendWord(str(words)) if words.ndim == 0 else words


# --- shared by both -------------------------------------------------------------------------------------------------


def _arrange(years: ArrayLike, *columns: ArrayLike, points: int) -> tuple[NDArray[np.float64], ...]:
    """Broadcast years and columns, in order of the years."""
    if points < MINIMUM_POINTS:
        raise ValueError(f"points: at least {MINIMUM_POINTS} are needed for a trend, found {points}")
    named = {f"column {place}": column for place, column in enumerate(columns, start=1)}
    arrays = np.broadcast_arrays(*to_floats(years=years, **named))
    if arrays[0].ndim == 0 or arrays[0].shape[-1] == 0:
        raise ValueError("expected at least one year in each series")
    order = np.argsort(arrays[0], axis=-1, kind="stable")
    year, *in_order = (np.take_along_axis(array, order, axis=-1) for array in arrays)
    if np.isnan(year).any() or (np.diff(year, axis=-1) == 0).any():
        raise ValueError("years: each has to be a number and may stand only once in a series")
    return year, *in_order


def _last(known: NDArray[np.bool_], points: int) -> NDArray[np.bool_]:
    """The latest known points, at most so many."""
    from_the_end = np.cumsum(known[..., ::-1], axis=-1)[..., ::-1]
    return known & (from_the_end <= points)


def _fit(
    year: NDArray[np.float64], value: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope of the weighted regression line, and the weighted sum of squares of the years around their mean."""
    total = weights.sum(-1, keepdims=True)
    used = weights > 0
    x = np.where(used, year - divide((weights * year).sum(-1, keepdims=True), total), 0.0)
    y = np.where(used, value - divide((weights * value).sum(-1, keepdims=True), total), 0.0)
    spread = (weights * x**2).sum(-1)
    return divide((weights * x * y).sum(-1), spread), spread


def _sign(number: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(number) <= _NOISE * np.abs(size), 0.0, np.sign(number))


def _conclude(
    year: NDArray[np.float64],
    value: NDArray[np.float64],
    weights: NDArray[np.float64],
    kept: NDArray[np.bool_],
    statistic: NDArray[np.float64],
    points: int,
    threshold: float,
    *,
    equal: NDArray[np.bool_],
    second_sign: NDArray[np.float64] | None = None,
    unweighable: NDArray[np.bool_] | None = None,
) -> Trend:
    """Threshold, leave-one-out sign check, and the reason in words."""
    slope, _ = _fit(year, value, weights)
    size = np.abs(value).max(-1)
    sign = _sign(slope, size)
    agrees = sign != 0 if second_sign is None else (sign != 0) & (second_sign == sign)
    for left_out in range(year.shape[-1]):
        others = weights.copy()
        others[..., left_out] = 0.0
        agrees &= ~kept[..., left_out] | (_sign(_fit(year, value, others)[0], size) == sign)

    found = kept.sum(-1)
    no_interval = np.zeros_like(equal) if unweighable is None else unweighable.any(-1)
    reason = np.select(
        [found < points, no_interval, equal, ~(statistic > threshold), ~agrees],
        [
            TrendReason.TOO_FEW_POINTS,
            TrendReason.NO_INTERVAL,
            TrendReason.ALL_EQUAL,
            TrendReason.NOT_SIGNIFICANT,
            TrendReason.ONE_POINT_DECIDES,
        ],
        TrendReason.SIGNIFICANT,
    )
    unknown = np.isin(reason, (TrendReason.TOO_FEW_POINTS, TrendReason.NO_INTERVAL))
    direction = np.select(
        [unknown, reason != TrendReason.SIGNIFICANT, sign > 0],
        [Direction.CANNOT_TELL, Direction.NONE, Direction.UP],
        Direction.DOWN,
    )
    first = np.where(found > 0, np.where(kept, year, np.inf).min(-1), np.nan)
    last = np.where(found > 0, np.where(kept, year, -np.inf).max(-1), np.nan)
    statistic = np.where(unknown, np.nan, statistic)
    slope = np.where(unknown, np.nan, np.where(equal, 0.0, slope))
    if reason.ndim:
        return Trend(direction, reason, statistic, slope, found, first, last)
    return Trend(
        Direction(str(direction)),
        TrendReason(str(reason)),
        float(statistic),
        float(slope),
        int(found),
        float(first),
        float(last),
    )
