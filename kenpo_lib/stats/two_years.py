"""Has a proportion changed between two years, and differently from the nation's?

Both years must stand under one definition; the caller sees to that. Different people are counted in the two years, so the
proportions are taken as independent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kenpo_lib.stats._arrays import (
    Floats,
    Interval,
    Reason,
    check_choice,
    check_proportion,
    count_reason,
    critical_value,
    divide,
    find_reason,
    make_interval,
    to_floats,
    unwrap,
)
from kenpo_lib.stats.intervals import wilson_limits

Method = Literal["newcombe", "miettinen_nurminen"]
METHODS = ("newcombe", "miettinen_nurminen")
_FAR = 1e9  # standard errors; the search for a limit wants no infinite score
_ROUNDING = 1e-15  # a smaller difference, relative to what is subtracted, is none
_POLISH = 3  # steps
_MOST_STEPS = 200  # about 10 to 20 are needed

Pair = tuple[Floats, Floats]
Score = Callable[[Floats, Pair, Pair], Floats]


def difference_interval(
    numerator: ArrayLike,
    denominator: ArrayLike,
    prior_numerator: ArrayLike,
    prior_denominator: ArrayLike,
    *,
    confidence: ArrayLike = 0.95,
    method: Method = "newcombe",
    multiplier: ArrayLike = 1.0,
) -> Interval:
    """Change of a proportion from the prior year to this year, with an interval.

    Args:
        numerator, denominator: This year's counts, at least 0, fractions allowed.
        prior_numerator, prior_denominator: The prior year's.
        confidence: Two-sided level between 0 and 1.
        method: "newcombe" (hybrid of the two Wilson intervals) or "miettinen_nurminen" (score).
        multiplier: 100 for percentage points.

    Returns:
        This year's proportion minus the prior year's, with limits between −1 and 1 times the multiplier. NaN with a reason where
        a count is missing or a denominator is 0 in either year, and for the score method with one person or less in both years
        together (few_events). Score limits are right to 10⁻⁶, usually to 10⁻¹².

    Raises:
        ValueError: Negative or infinite counts, a numerator above its denominator, a level outside 0 to 1, an unknown method.

    Source: Newcombe (1998), Stat Med 17:873–890, methods 10 and 6; Miettinen & Nurminen (1985), Stat Med 4:213–226. Same as ratesci
    ``moverci`` and ``scoreci(skew=FALSE)``. statsmodels has the first too; the limits of its score method (0.15.0) are off, or not
    found, where one year is much larger than the other.
    """
    check_choice("method", method, METHODS)
    now, prior = _read_years(numerator, denominator, prior_numerator, prior_denominator)
    too_few = [_too_few(now, prior)] if method == "miettinen_nurminen" else []
    p, prior_p = divide(*now), divide(*prior)
    z = critical_value(confidence)
    if method == "newcombe":
        lower, upper = _combine([(1, *now), (-1, *prior)], z)
    else:
        lower, upper = _invert_score(_difference_score, now, prior, z, -1.0, 1.0, p - prior_p)
    return make_interval(p - prior_p, lower, upper, _years_reason(now, prior, *too_few), factor=multiplier)


def ratio_interval(
    numerator: ArrayLike,
    denominator: ArrayLike,
    prior_numerator: ArrayLike,
    prior_denominator: ArrayLike,
    *,
    confidence: ArrayLike = 0.95,
    method: Method = "miettinen_nurminen",
) -> Interval:
    """This year's proportion as a multiple of the prior year's, with an interval.

    Args:
        numerator, denominator, prior_numerator, prior_denominator, confidence: As in ``difference_interval``.
        method: "miettinen_nurminen" (score) or "newcombe" (hybrid of the two Wilson intervals).

    Returns:
        Ratio and limits of at least 0. NaN with a reason where a count is missing or a denominator is 0 in either year, and where
        the prior proportion is 0 (prior_is_zero); few_events as in ``difference_interval``. Score limits are right to 10⁻⁵ of
        themselves.

    Raises:
        ValueError: As ``difference_interval``.

    Source: Miettinen & Nurminen (1985), Stat Med 4:213–226; Donner & Zou (2012), Stat Methods Med Res 21:347–359 (hybrid). Same as
    ratesci ``scoreci(contrast="RR", skew=FALSE)`` and ``moverci``.
    """
    check_choice("method", method, METHODS)
    now, prior = _read_years(numerator, denominator, prior_numerator, prior_denominator)
    too_few = [_too_few(now, prior)] if method == "miettinen_nurminen" else []
    z = critical_value(confidence)
    ratio = divide(divide(*now), divide(*prior))
    if method == "newcombe":
        lower, upper = _combine_ratio(now, prior, z)
    else:
        limits = _invert_score(_ratio_score, now, prior, z, 0.0, np.pi / 2, np.arctan(ratio))
        lower, upper = (np.tan(limit) for limit in limits)
    reason = _years_reason(now, prior, (prior[0] == 0, Reason.PRIOR_IS_ZERO), *too_few)
    return make_interval(ratio, lower, upper, reason)


def difference_p_value(
    numerator: ArrayLike, denominator: ArrayLike, prior_numerator: ArrayLike, prior_denominator: ArrayLike
) -> float | Floats:
    """How often chance alone would bring about a change at least as large: p of the score test of no change, two-sided.

    Args:
        numerator, denominator, prior_numerator, prior_denominator: As in ``difference_interval``.

    Returns:
        p between 0 and 1, below 1 − confidence just where the Miettinen–Nurminen interval leaves 0 out; 1 where nobody, or
        everybody, counts in both years. NaN where a count is missing, a denominator is 0, or both together are 1 or less.

    Raises:
        ValueError: Negative or infinite counts, a numerator above its denominator.

    Source: Miettinen & Nurminen (1985), Stat Med 4:213–226; same as statsmodels ``test_proportions_2indep(method="score")``.
    """
    from scipy import special

    now, prior = _read_years(numerator, denominator, prior_numerator, prior_denominator)
    score = _difference_score(np.zeros(np.broadcast_shapes(now[0].shape, prior[0].shape)), now, prior)
    return unwrap(np.where(_too_few(now, prior)[0], np.nan, 2 * special.ndtr(-np.abs(score))))


def change_against_nation(
    branch: tuple[ArrayLike, ArrayLike],
    prior_branch: tuple[ArrayLike, ArrayLike],
    nation: tuple[ArrayLike, ArrayLike],
    prior_nation: tuple[ArrayLike, ArrayLike],
    *,
    confidence: ArrayLike = 0.95,
    includes_branch: bool = True,
    multiplier: ArrayLike = 1.0,
) -> Interval:
    """How much more a branch's proportion changed than the nation's, with an interval.

    Args:
        branch, prior_branch: Numerator and denominator of the branch, this year and the prior year.
        nation, prior_nation: Those of the nation.
        confidence: Two-sided level between 0 and 1.
        includes_branch: Whether the branch is part of the nation's counts. The branch is then not compared with itself: the
            interval rests on the branch and the rest of the nation, which are independent.
        multiplier: 100 for percentage points.

    Returns:
        Change of the branch minus change of the nation, with limits. NaN with a reason where a count is missing or a denominator
        is 0. Exactly 0 for a branch that is the whole nation.

    Raises:
        ValueError: As ``difference_interval``; a branch with more people, or more who count or do not count, than its nation.

    Source: Zou & Donner (2008), Stat Med 27:1693–1702: Newcombe's hybrid for a sum of independent proportions.
    """
    now, prior = _read_years(*branch, *prior_branch)
    whole, prior_whole = _read_years(*nation, *prior_nation)
    terms, change, reasons = [], 0.0, []
    for sign, (x, n), (all_x, all_n) in ((1, now, whole), (-1, prior, prior_whole)):
        rest_x, rest_n, share = all_x, all_n, np.zeros_like(all_n)
        if includes_branch:
            rest_x, rest_n, share = all_x - x, all_n - n, divide(n, all_n)
            if ((rest_x < 0) | (rest_n < 0) | (rest_x > rest_n)).any():
                raise ValueError(
                    "nation: its counts leave less than nobody beside the branch; is the branch part of them?"
                )
        weight = sign * (1 - share)  # branch − nation = (1 − share) · (branch − rest)
        alone = rest_n == 0
        terms += [(weight, x, n), (-weight, np.where(alone, 0.0, rest_x), np.where(alone, 1.0, rest_n))]
        change = change + sign * (divide(x, n) - divide(all_x, all_n))
        reasons += [count_reason(x, n), count_reason(all_x, all_n)]
    lower, upper = _combine(terms, critical_value(confidence), value=change)
    return make_interval(change, lower, upper, _first(*reasons), factor=multiplier)


# --- counts ---------------------------------------------------------------------------------------------------------


def _read_years(x: ArrayLike, n: ArrayLike, prior_x: ArrayLike, prior_n: ArrayLike) -> tuple[Pair, Pair]:
    names = ("numerator", "denominator", "prior_numerator", "prior_denominator")
    x, n, prior_x, prior_n = to_floats(**dict(zip(names, (x, n, prior_x, prior_n), strict=True)))
    check_proportion(x, n)
    check_proportion(prior_x, prior_n, what="prior_")
    return np.broadcast_arrays(x, n), np.broadcast_arrays(prior_x, prior_n)


def _years_reason(now: Pair, prior: Pair, *further: tuple[NDArray[np.bool_], Reason]) -> NDArray[np.str_]:
    further_reasons = [find_reason(*further)] if further else []
    return _first(count_reason(*now), count_reason(*prior), *further_reasons)


def _too_few(now: Pair, prior: Pair) -> tuple[NDArray[np.bool_], Reason]:
    """The score method divides by one person less than there are in both years."""
    return now[1] + prior[1] <= 1, Reason.FEW_EVENTS


def _first(*reasons: NDArray[np.str_]) -> NDArray[np.str_]:
    reasons = np.broadcast_arrays(*reasons)
    return np.select([reason != "" for reason in reasons], reasons, default=np.str_(""))


def _leave_out(x: Floats, n: Floats, all_x: Floats, all_n: Floats) -> tuple[Floats, Floats, Floats]:
    """The rest of the nation, and the branch's share of its people."""
    rest_x, rest_n = all_x - x, all_n - n
    rounding = 1e-9 * all_n  # sums of fractions do not come out even
    if ((rest_x < -rounding) | (rest_n < -rounding) | (rest_x > rest_n + rounding)).any():
        raise ValueError("nation: its counts leave less than nobody beside the branch; is the branch part of them?")
    rest_n = np.maximum(rest_n, 0)
    return np.clip(rest_x, 0, rest_n), rest_n, divide(n, all_n)


# --- hybrid score ---------------------------------------------------------------------------------------------------


def _combine(terms: list[tuple], z: Floats, *, value: Floats | None = None) -> Pair:
    """Limits of a weighted sum of independent proportions from their Wilson limits (weight, numerator, denominator)."""
    total, below, above = 0.0, 0.0, 0.0
    for weight, x, n in terms:
        p = divide(x, n)
        lower, upper = wilson_limits(x, n, z)
        down, up = np.where(np.asarray(weight) > 0, (p - lower, upper - p), (upper - p, p - lower))
        total, below, above = total + weight * p, below + (weight * down) ** 2, above + (weight * up) ** 2
    centre = total if value is None else value
    return centre - np.sqrt(below), centre + np.sqrt(above)


def _combine_ratio(now: Pair, prior: Pair, z: Floats) -> Pair:
    p, q = divide(*now), divide(*prior)
    (p_lower, p_upper), (q_lower, q_upper) = wilson_limits(*now, z), wilson_limits(*prior, z)

    def solve(p_limit: Floats, q_limit: Floats, side: int) -> Floats:
        # Root of (p − limit·q)² = (p − p_limit)² + limit²·(q − q_limit)². Rounding may bring the root below 0 where it is 0.
        inside = (p * q) ** 2 - p_limit * (2 * p - p_limit) * q_limit * (2 * q - q_limit)
        return divide(p * q + side * np.sqrt(np.maximum(inside, 0)), q_limit * (2 * q - q_limit))

    return np.maximum(solve(p_lower, q_upper, -1), 0), solve(p_upper, q_lower, 1)


# --- score ----------------------------------------------------------------------------------------------------------


def _invert_score(score: Score, now: Pair, prior: Pair, z: Floats, low: float, high: float, estimate: Floats) -> Pair:
    """The two places at which a falling score passes z and −z; an end where it never does. NaN where the estimate is NaN."""
    from scipy.optimize import elementwise

    estimate, z, *counts = np.broadcast_arrays(estimate, z, *now, *prior)
    limits = []
    for end, goal, side in ((low, z, 1), (high, -z, -1)):

        def exceed(place: Floats, goal: Floats, *counts: Floats) -> Floats:
            return np.clip(score(place, counts[:2], counts[2:]) - goal, -_FAR, _FAR)

        # At the estimate the score is 0, so there is a place between it and the end unless the end falls short too.
        has_place = side * exceed(np.full(estimate.shape, end), goal, *counts) > 0
        limit = np.where(np.isnan(estimate), np.nan, end)
        bracket = (np.full(has_place.sum(), end), estimate[has_place])[::side]
        args = tuple(array[has_place] for array in (goal, *counts))
        limit[has_place] = elementwise.find_root(exceed, bracket, args=args, maxiter=_MOST_STEPS).x
        limits.append(limit)
    return limits[0], limits[1]


def _difference_score(delta: Floats, now: Pair, prior: Pair) -> Floats:
    """Distance of the observed difference from ``delta`` in standard errors, estimated as if ``delta`` were true."""
    (x, n), (prior_x, prior_n) = now, prior
    n, prior_n = (np.where(size > 0, size, np.nan) for size in (n, prior_n))
    total = n + prior_n
    # Of a proportion near 1 the few who are not counted are looked at: 0.0001 has more digits than 0.9999.
    is_high = 2 * (x + prior_x) > total
    x, prior_x = np.where(is_high, n - x, x), np.where(is_high, prior_n - prior_x, prior_x)
    side = np.where(is_high, -1.0, 1.0)
    delta = side * delta
    # Likelihood equation of the prior proportion q, given that this year's is q + delta: a cubic with one root in range.
    cubic = total
    square = (n + 2 * prior_n) * delta - total - x - prior_x
    linear = (prior_n * delta - total - 2 * prior_x) * delta + x + prior_x
    constant = prior_x * delta * (1 - delta)
    shift = square / (3 * cubic)
    v = shift**3 - square * linear / (6 * cubic**2) + constant / (2 * cubic)
    u = np.where(v > 0, 1, -1) * np.sqrt(np.maximum(shift**2 - linear / (3 * cubic), 0))
    cosine = np.clip(divide(v, u**3), -1, 1)
    angle = (np.pi + np.arccos(np.where(np.isnan(cosine) & (u == 0), 1, cosine))) / 3
    lowest, highest = np.maximum(0, -delta), np.minimum(1, 1 - delta)
    q = np.clip(2 * u * np.cos(angle) - shift, lowest, highest)
    for _ in range(_POLISH):  # the closed form loses digits where a few are counted among very many
        step = divide(((cubic * q + square) * q + linear) * q + constant, (3 * cubic * q + 2 * square) * q + linear)
        q = np.clip(q - np.where(np.isnan(step), 0, step), lowest, highest)
    p = np.clip(q + delta, 0, 1)
    variance = (p * (1 - p) / n + q * (1 - q) / prior_n) * divide(total, total - 1)
    return side * _standardise(x / n, prior_x / prior_n + delta, variance)


def _ratio_score(angle: Floats, now: Pair, prior: Pair) -> Floats:
    """The same for a ratio, given as the angle whose tangent it is, so that 0 and infinity are like any other."""
    (x, n), (prior_x, prior_n) = now, prior
    n, prior_n = (np.where(size > 0, size, np.nan) for size in (n, prior_n))
    sine, cosine, total = np.sin(angle), np.cos(angle), n + prior_n
    # Likelihood equation: total·ratio·q² − (n·ratio + x + prior_n + prior_x·ratio)·q + x + prior_x = 0, times the cosine.
    middle = (n + prior_x) * sine + (x + prior_n) * cosine
    events = x + prior_x
    root = np.sqrt(np.maximum(middle**2 - 4 * total * sine * events * cosine, 0))
    q = np.clip(2 * events * cosine / (middle + root), 0, 1)
    p = np.clip(2 * events * sine / (middle + root), 0, 1)
    variance = (cosine**2 * p * (1 - p) / n + sine**2 * q * (1 - q) / prior_n) * divide(total, total - 1)
    return _standardise(cosine * x / n, sine * prior_x / prior_n, variance)


def _standardise(observed: Floats, supposed: Floats, variance: Floats) -> Floats:
    """Difference in standard errors: 0 for no difference, infinite where chance cannot make any."""
    difference = observed - supposed
    difference = np.where(np.abs(difference) <= _ROUNDING * (np.abs(observed) + np.abs(supposed)), 0.0, difference)
    sure = np.where(difference > 0, np.inf, np.where(difference < 0, -np.inf, 0.0))
    scaled = np.divide(difference, np.sqrt(np.maximum(variance, 0)), out=sure, where=variance > 0)
    return np.where(np.isnan(difference) | np.isnan(variance), np.nan, scaled)
