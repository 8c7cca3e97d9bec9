"""What a branch could still do in the incentive scheme: one more point of an indicator, and the way to the rewarded ranks.

Everything is recomputed with the raised rate, so that it moves the means and standard deviations of all branches as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kenpo_lib.stats._arrays import Floats, divide, to_floats
from kenpo_lib.stats._showing import Shown
from kenpo_lib.stats.incentive import (
    BREAKS,
    INDICATORS,
    TIE_DECIMALS,
    IncentiveScore,
    Room,
    score_indicator,
    score_year,
)

_CHUNK = 20  # steps that are tried at once


@dataclass(frozen=True, slots=True)
class OneMoreStep(Shown):
    """What a step in one indicator alone would change for the branch; all of shape (branches, 5)."""

    total: Floats
    total_gain: Floats
    rank: Floats
    rank_gain: Floats  # ranks climbed


@dataclass(frozen=True, slots=True)
class WayToReward(Shown):
    """How far it is to the last rewarded rank.

    Attributes:
        points: (branches,) total points below the last rewarded total; 0 for rewarded branches.
        increase: (branches, 5) smallest increase of each indicator alone, in percentage points, that is rewarded; 0 for rewarded
            branches, NaN where even 100 % is not enough.
    """

    points: Floats
    increase: Floats


def try_one_more(
    current: ArrayLike,
    prior: ArrayLike | None,
    *,
    fiscal_year: int,
    step: float = 1.0,
    eligible: ArrayLike | None = None,
    prior_eligible: ArrayLike | None = None,
    room: Room = Room.PRIOR,
) -> OneMoreStep:
    """What one more point of each indicator would do to a branch's total and rank, all else as it was.

    Args:
        step: In percentage points, above 0; the others as in ``score_year``, ``current`` with shape (branches, 5).

    Returns:
        NaN where the branch has no total, or its rate would pass 100 %.

    Raises:
        ValueError: A step that is not above 0; otherwise as ``score_year``.
    """
    (rates,) = to_floats(current=current)
    reading = {"fiscal_year": fiscal_year, "eligible": eligible, "prior_eligible": prior_eligible, "room": room}
    base = score_year(_one_year(rates, step), prior, **reading)
    branches, indicators = rates.shape
    scenarios = np.broadcast_to(rates, (branches, indicators, branches, indicators)).copy()
    i, k = np.indices(rates.shape)
    raised = np.round(rates + step, TIE_DECIMALS)
    scenarios[i, k, i, k] = np.minimum(raised, 100)
    scores = score_year(scenarios, prior, **reading)
    is_possible = raised <= 100
    total = np.where(is_possible, scores.total[i, k, i], np.nan)
    rank = np.where(is_possible, scores.rank[i, k, i], np.nan)
    return OneMoreStep(
        total=total,
        total_gain=total - base.total[:, np.newaxis],
        rank=rank,
        rank_gain=base.rank[:, np.newaxis] - rank,
    )


def find_way_to_reward(
    current: ArrayLike,
    prior: ArrayLike | None,
    *,
    fiscal_year: int,
    step: float = 0.1,
    eligible: ArrayLike | None = None,
    prior_eligible: ArrayLike | None = None,
    room: Room = Room.PRIOR,
) -> WayToReward:
    """The smallest increase of each indicator alone with which a branch would be rewarded, all else as it was.

    Args:
        step: Increases are multiples of it, in percentage points; the others as in ``score_year``, ``current`` with shape
            (branches, 5).

    Returns:
        NaN for branches without a total. Every multiple is tried in turn: more is not always better for the rank, since it also
        moves what the others get.

    Raises:
        ValueError: A step that is not above 0; otherwise as ``score_year``.
    """
    (rates,) = to_floats(current=current)
    reading = {"fiscal_year": fiscal_year, "eligible": eligible, "prior_eligible": prior_eligible, "room": room}
    base = score_year(_one_year(rates, step), prior, **reading)
    known = np.sort(base.total[~np.isnan(base.total)])
    goal = known[-min(base.scheme.rewarded, known.size)] if known.size else np.nan
    increase = np.full(rates.shape, np.nan)
    increase[base.is_rewarded] = 0.0
    growth = None
    if eligible is not None and prior_eligible is not None:
        growth = divide(*to_floats(eligible=eligible, prior_eligible=prior_eligible))
    before = np.full(rates.shape, np.nan) if prior is None else to_floats(prior=prior)[0]
    waiting = np.flatnonzero(~np.isnan(base.total) & ~base.is_rewarded)
    for k in range(len(INDICATORS)):
        column = np.full(len(rates), np.nan) if k in BREAKS.get(fiscal_year, ()) else before[:, k]
        increase[waiting, k] = _find_increases(
            waiting, k, rates, column, base=base, step=step, growth_of_eligible=growth, room=room
        )
    return WayToReward(points=np.maximum(np.round(goal - base.total, TIE_DECIMALS), 0), increase=increase)


def _find_increases(
    branches: NDArray[np.int_],
    k: int,
    rates: Floats,
    prior: Floats,
    *,
    base: IncentiveScore,
    step: float,
    growth_of_eligible: Floats | None,
    room: Room,
) -> Floats:
    """Try one multiple of the step after the other in indicator k, some at a time, for each of the branches that has not got there."""
    others = base.total - base.points[:, k]
    possible = np.floor(np.round((100 - rates[branches, k]) / step, TIE_DECIMALS))
    found = np.full(branches.size, np.nan)
    left, first = np.flatnonzero(possible >= 1), 1
    while left.size:
        multiples = np.arange(first, first + _CHUNK)
        increases = np.round(step * multiples, TIE_DECIMALS)
        # One scenario per branch and multiple, in which that branch alone has another rate.
        own = np.arange(left.size)[:, np.newaxis], np.arange(_CHUNK), branches[left][:, np.newaxis]
        scenarios = np.tile(rates[:, k], (left.size, _CHUNK, 1))
        scenarios[own] = np.minimum(np.round(scenarios[own] + increases, TIE_DECIMALS), 100)
        score = score_indicator(
            scenarios,
            prior,
            weights=base.scheme.weights[k],
            points=base.scheme.points[k],
            growth_of_eligible=growth_of_eligible,
            room=room,
        )
        totals = np.round(others + score.points, TIE_DECIMALS)
        is_reached = 1 + (totals > totals[own][..., np.newaxis]).sum(axis=-1) <= base.scheme.rewarded
        is_reached &= ~np.isnan(totals[own]) & (multiples <= possible[left][:, np.newaxis])
        is_found = is_reached.any(axis=1)
        found[left[is_found]] = increases[is_reached[is_found].argmax(axis=1)]
        first += _CHUNK
        left = left[~is_found & (possible[left] >= first)]
    return found


def _one_year(rates: Floats, step: float) -> Floats:
    if rates.ndim != 2:
        raise ValueError(f"current: expected (branches, {len(INDICATORS)}), found {rates.shape}")
    if not step > 0:
        raise ValueError(f"step: must be above 0, found {step:g}")
    return rates
