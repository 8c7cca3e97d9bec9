"""The incentive scheme of the association (インセンティブ制度): components, points, total and rank of all branches.

What is computed is a reading of the public formula, and not the association's own calculation; see ``READING_NOTE``. What is
public and followed here: the five indicators and their points, the shares of level and growth, growth measured against the
room to improve, deviation scores over the 47 branches, and how many branches are rewarded. What is read into it:

- deviation scores are scaled by points ÷ 50, so that an average branch has 250 points up to FY2021 and 320 from FY2022;
- the shares of level and growth of indicators 4 and 5 up to FY2021 are taken to be those of today, 50 and 50;
- the room to improve is that of the year before, 100 − last year's rate (``Room.PRIOR``). The documents at hand say "own rate"
  without the year. Both were tried against the rewards that were paid: this one names more of the rewarded branches;
- the growth of counts is unpublished. Growth of the rate stands for it, or, if a proxy for the eligible (subscribers aged
  40–74) is given, the growth of rate × proxy, which comes closer to the rewards paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kenpo_lib.stats._arrays import Floats, check_not_negative, divide, to_floats
from kenpo_lib.stats._showing import Shown
from kenpo_lib.stats.groups import competition_ranks, deviation_scores

INDICATORS = (
    "specific_checkup_rate",
    "specific_guidance_rate",
    "guidance_decrease_rate",
    "urgent_visit_rate",
    "generic_share_annual",
)
COMPONENTS = ("level", "rate_growth", "count_growth")
READING_NOTE = {
    "ja": "公表されている算定方法を読み解いて計算した概算であり、協会の公式の得点・順位・報奨金ではありません。"
    "配点による換算(偏差値×配点÷50)、伸びの分母(100%－前年度の率)、件数の伸びの代用は推定です。",
    "en": "An approximation from a reading of the public formula, not the association's official points, ranks or rewards. "
    "The scaling by points (deviation score × points ÷ 50), the room to improve (100 % − last year's rate) and the stand-in for "
    "the growth of counts are assumptions.",
}
TIE_DECIMALS = 9  # totals that agree to so many decimals are equal: they are sums of floats


class Room(StrEnum):
    """Whose rate the room to improve is measured from."""

    PRIOR = "prior"  # last year's
    CURRENT = "current"  # this year's


@dataclass(frozen=True, slots=True)
class Scheme:
    """The rules of some years; ``weights`` are percent of each indicator for its level, rate growth, count growth."""

    points: tuple[int, ...]
    weights: tuple[tuple[int, int, int], ...]
    rewarded: int  # how many branches share the fund


OLD_SCHEME = Scheme(
    points=(50, 50, 50, 50, 50),
    weights=((60, 20, 20), (60, 20, 20), (100, 0, 0), (50, 50, 0), (50, 50, 0)),
    rewarded=23,
)
NEW_SCHEME = Scheme(
    points=(70, 70, 80, 50, 50),
    weights=((50, 25, 25), (50, 25, 25), (100, 0, 0), (50, 50, 0), (50, 50, 0)),
    rewarded=15,
)
FIRST_YEAR, FIRST_NEW_YEAR = 2018, 2022
# Indicator 4 counts other people from FY2022 on, so that its growth in that year cannot be had from published figures.
BREAKS = {FIRST_NEW_YEAR: (3,)}


@dataclass(frozen=True, slots=True)
class IncentiveScore(Shown):
    """One year's scores. b branches, 5 indicators, 3 components; leading axes (…) hold scenarios.

    Attributes:
        deviation: (…, b, 5, 3) deviation scores; NaN where not part of the scheme, or not to be had.
        weights: (5, 3) shares as applied, adding up to 1 per indicator; what was left out has 0, its share went to the others.
        points: (…, b, 5), and what they consist of: ``level_points`` + ``growth_points``.
        total, rank: (…, b); NaN where any indicator is missing.
        is_rewarded: (…, b) rank within the number rewarded; False without a rank.
        left_out: (indicator, component) pairs of the scheme that no branch has, so that the score is further off than usual.
        is_complete: Whether every branch has a total; without that, ranks are among those known and rewards cannot be had.
    """

    fiscal_year: int
    scheme: Scheme
    deviation: Floats
    weights: Floats
    points: Floats
    level_points: Floats
    growth_points: Floats
    total: Floats
    rank: Floats
    is_rewarded: NDArray[np.bool_]
    left_out: tuple[tuple[str, str], ...]
    is_complete: bool


def find_scheme(fiscal_year: int) -> Scheme:
    """The rules by which a year of performance is judged.

    Raises:
        ValueError: Before FY2018 there was none.
    """
    if fiscal_year < FIRST_YEAR:
        raise ValueError(f"the incentive scheme began in FY{FIRST_YEAR}, there is none in FY{fiscal_year}")
    return OLD_SCHEME if fiscal_year < FIRST_NEW_YEAR else NEW_SCHEME


def score_year(
    current: ArrayLike,
    prior: ArrayLike | None,
    *,
    fiscal_year: int,
    eligible: ArrayLike | None = None,
    prior_eligible: ArrayLike | None = None,
    room: Room = Room.PRIOR,
) -> IncentiveScore:
    """Points, total and rank of every branch in one year.

    Args:
        current: Rates of the year in percent, shape (…, branches, 5), in the order of ``INDICATORS``; NaN where missing.
        prior: Rates of the year before, (branches, 5); None where nothing is known of it.
        fiscal_year: The year of performance; decides the scheme.
        eligible, prior_eligible: A proxy for the number of eligible persons in both years, (branches,), both or none. With it,
            the growth of counts of indicators 1 and 2 is that of rate × proxy; else the growth of the rate.
        room: The year whose rate leaves the room to improve.

    Returns:
        A component that no branch has (growth in the first year, or where the definition changed) is left out, its share goes
        to the indicator's other components, and ``left_out`` names it. A branch that lacks what others have gets no total. A
        branch whose rate was 100 has no room to improve, hence no growth and no total.

    Raises:
        ValueError: A rate outside 0–100, a negative number of eligible, only one of the two proxies, shapes that do not fit, or
            a year before the scheme.
    """
    scheme = find_scheme(fiscal_year)
    rates, before, growth_of_eligible = _check_input(current, prior, eligible, prior_eligible, scheme)
    broken = BREAKS.get(fiscal_year, ())
    parts = [
        score_indicator(
            rates[..., k],
            np.full(before.shape[:-1], np.nan) if k in broken else before[..., k],
            weights=scheme.weights[k],
            points=scheme.points[k],
            growth_of_eligible=growth_of_eligible,
            room=room,
        )
        for k in range(len(INDICATORS))
    ]
    points = np.stack([part.points for part in parts], axis=-1)
    total = points.sum(axis=-1)
    rank = competition_ranks(np.round(total, TIE_DECIMALS))
    left_out = tuple(
        (INDICATORS[k], COMPONENTS[c])
        for k, part in enumerate(parts)
        for c in range(len(COMPONENTS))
        if scheme.weights[k][c] and not part.weights[c]
    )
    level = np.stack([part.level_points for part in parts], axis=-1)
    return IncentiveScore(
        fiscal_year=fiscal_year,
        scheme=scheme,
        deviation=np.stack([part.deviation for part in parts], axis=-2),
        weights=np.stack([part.weights for part in parts]),
        points=points,
        level_points=level,
        growth_points=points - level,
        total=total,
        rank=rank,
        is_rewarded=rank <= scheme.rewarded,
        left_out=left_out,
        is_complete=not np.isnan(total).any(),
    )


def score_years(
    rates: ArrayLike,
    fiscal_years: Sequence[int],
    *,
    eligible: ArrayLike | None = None,
    room: Room = Room.PRIOR,
) -> dict[int, IncentiveScore]:
    """``score_year`` for a series of years, each against the year before where that is among them.

    Args:
        rates: Percent, shape (years, branches, 5); NaN where missing.
        fiscal_years: The year of each, all different, in any order; years may be missing.
        eligible: A proxy for the eligible, (years, branches), or None.
        room: As in ``score_year``.

    Returns:
        By fiscal year. Where the year before is not among them, growth is in ``left_out`` and the score holds levels only.

    Raises:
        ValueError: A year given twice, or shapes that do not fit; otherwise as ``score_year``.
    """
    (series,) = to_floats(rates=rates)
    if len(set(fiscal_years)) != len(fiscal_years) or series.ndim != 3 or len(series) != len(fiscal_years):
        raise ValueError(
            f"expected rates (years, branches, 5) and a year for each, found {series.shape} for {fiscal_years}"
        )
    by_year = dict(zip(fiscal_years, series, strict=True))
    proxy = {} if eligible is None else dict(zip(fiscal_years, *to_floats(eligible=eligible), strict=True))
    return {
        year: score_year(
            current,
            by_year.get(year - 1),
            fiscal_year=year,
            eligible=proxy.get(year) if year - 1 in proxy else None,
            prior_eligible=proxy.get(year - 1) if year in proxy else None,
            room=room,
        )
        for year, current in by_year.items()
    }


@dataclass(frozen=True, slots=True)
class IndicatorScore:
    """One indicator: ``deviation`` (…, b, 3), ``weights`` (3,) as applied, ``points`` and ``level_points`` (…, b)."""

    deviation: Floats
    weights: Floats
    points: Floats
    level_points: Floats


def score_indicator(
    current: Floats,
    prior: Floats,
    *,
    weights: tuple[int, int, int],
    points: int,
    growth_of_eligible: Floats | None,
    room: Room,
) -> IndicatorScore:
    """The points of one indicator; arguments as in ``score_year``, for its own column (…, branches).

    Args:
        growth_of_eligible: This year's proxy over last year's, or None.
    """
    change = current - prior
    growth = divide(change, np.broadcast_to(100 - (prior if room is Room.PRIOR else current), change.shape))
    counts = growth if growth_of_eligible is None else divide(current, prior) * growth_of_eligible
    in_scheme = np.array(weights, dtype=np.float64)
    deviation = np.full((*change.shape, len(weights)), np.nan)
    for place in np.flatnonzero(in_scheme > 0):
        # Rounded, so that growth that is the same for all has no spread out of rounding errors.
        deviation[..., place] = deviation_scores(np.round((current, growth, counts)[place], 12))
    to_be_had = ~np.isnan(deviation).all(axis=tuple(range(deviation.ndim - 1)))
    applied = divide(in_scheme * to_be_had, (in_scheme * to_be_had).sum())  # NaN where nothing is to be had
    shares = np.nan_to_num(applied)
    parts = points / 50 * np.where(shares > 0, deviation, 0.0) * shares
    unknown = np.where(np.isnan(applied).any(), np.nan, 0.0)
    return IndicatorScore(
        deviation=deviation,
        weights=shares,
        points=parts.sum(axis=-1) + unknown,
        level_points=parts[..., 0] + unknown,
    )


def _check_input(
    current: ArrayLike,
    prior: ArrayLike | None,
    eligible: ArrayLike | None,
    prior_eligible: ArrayLike | None,
    scheme: Scheme,
) -> tuple[Floats, Floats, Floats | None]:
    (rates,) = to_floats(current=current)
    if rates.ndim < 2 or rates.shape[-1] != len(scheme.points):
        raise ValueError(f"current: expected (…, branches, {len(scheme.points)}), found {rates.shape}")
    (before,) = to_floats(prior=np.full(rates.shape[-2:], np.nan) if prior is None else prior)
    if before.shape != rates.shape[-2:]:
        raise ValueError(f"prior: expected {rates.shape[-2:]}, found {before.shape}")
    for name, array in (("current", rates), ("prior", before)):
        if ((array < 0) | (array > 100)).any():
            raise ValueError(f"{name}: rates must lie between 0 and 100 %")
    if (eligible is None) != (prior_eligible is None):
        raise ValueError("give the eligible of both years or of none")
    if eligible is None or prior_eligible is None:
        return rates, before, None
    this_year, last_year = to_floats(eligible=eligible, prior_eligible=prior_eligible)
    check_not_negative(eligible=this_year, prior_eligible=last_year)
    return rates, before, divide(this_year, last_year)
