"""What is a branch's figure likely to be beneath the noise? Small branches are drawn towards the national value, large ones hardly.

Empirical Bayes: each figure is its branch's own true value plus chance, and the true values spread around a centre with a variance
tau² that is estimated from all branches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kenpo_lib.stats._arrays import (
    Floats,
    Interval,
    Reason,
    check_choice,
    check_positive,
    check_proportion,
    count_reason,
    critical_value,
    divide,
    find_reason,
    make_interval,
    to_floats,
)
from kenpo_lib.stats._showing import Shown
from kenpo_lib.stats.overdispersion import pool

Method = Literal["paule_mandel", "reml"]
_GRID = 60  # places at which the likelihood is looked at
_CLOSER = 4  # times that it is looked at more closely


@dataclass(frozen=True, slots=True)
class Shrunk(Shown):
    """Figures drawn towards their centre, one entry per branch.

    Attributes:
        interval: Posterior means and limits. NaN with a reason where the figure is missing, or where tau² cannot be had
            (single_value). A mean without limits where there is nothing to tell branches apart and the centre is taken as known
            (no_spread): an interval without width would pretend to certainty.
        weight: How much of the posterior mean is the branch's own figure (1) and not the centre (0).
        tau2: Variance between branches, never negative; NaN with fewer than two of them.
        centre: What figures are drawn towards.
        centre_error: Its standard error; 0 where it was given.
    """

    interval: Interval
    weight: Floats
    tau2: float
    centre: float
    centre_error: float


def estimate_tau2(
    values: ArrayLike, standard_errors: ArrayLike, *, centre: float | None = None, method: Method = "paule_mandel"
) -> float:
    """Variance between branches beyond that of chance.

    Args:
        values: Figures, one per branch; NaN is left out.
        standard_errors: What chance does to each, above 0 (NaN is left out).
        centre: A centre known beforehand (the national value); estimated along by default.
        method: "paule_mandel" (makes the weighted squares what they should be) or "reml" (most likely, with the centre's
            estimation allowed for).

    Returns:
        tau², 0 where branches differ no more than by chance or are all equal. NaN with fewer than two branches.

    Raises:
        ValueError: A standard error of 0 or less, an infinite number, an unknown method.

    Source: Paule & Mandel (1982), J Res NBS 87:377–385; Viechtbauer (2005), J Educ Behav Stat 30:261–293 (REML). Same as metafor
    ``rma(method="PM")`` and ``rma(method="REML")``. statsmodels has the first only, and its search (0.15.0) may end too early.
    """
    y, v = _read_figures(values, standard_errors)
    to_floats(centre=centre)
    check_choice("method", method, ("paule_mandel", "reml"))
    if y.size < 2:
        return np.nan
    return (_paule_mandel if method == "paule_mandel" else _reml)(y, v, centre)


def shrink(
    values: ArrayLike,
    standard_errors: ArrayLike,
    *,
    centre: float | None = None,
    tau2: float | None = None,
    method: Method = "paule_mandel",
    confidence: float = 0.95,
) -> Shrunk:
    """Draw figures towards the national value, the more the less is known about them.

    Args:
        values, standard_errors, centre, method: As in ``estimate_tau2``.
        tau2: The variance between branches, if it is known beforehand.
        confidence: Two-sided level between 0 and 1.

    Returns:
        A ``Shrunk``. With tau² of 0 every branch gets the centre. Limits allow for the estimation of the centre, not for that of
        tau², and so are a little narrow where there are few branches.

    Raises:
        ValueError: As ``estimate_tau2``; a negative tau².

    Source: Raudenbush & Bryk (1985), J Educ Stat 10:75–98; Morris (1983), JASA 78:47–55. Same as metafor ``blup``.
    """
    y, v = np.broadcast_arrays(*to_floats(values=values, standard_errors=standard_errors))
    known = ~np.isnan(y) & ~np.isnan(v)
    figures, variances = _read_figures(y, v)
    to_floats(centre=centre, tau2=tau2)
    spread = estimate_tau2(y, v, centre=centre, method=method) if tau2 is None else float(tau2)
    if spread < 0:
        raise ValueError(f"tau2: must not be negative, found {spread:g}")
    middle, error = (float(centre), 0.0) if centre is not None else _weigh(figures, variances, spread)
    own = divide(np.full(y.shape, spread), spread + v**2)
    mean = own * y + (1 - own) * middle
    margin = critical_value(confidence) * np.sqrt(own * v**2 + ((1 - own) * error) ** 2)
    reason = find_reason((~known, Reason.MISSING_COUNT), (np.full(y.shape, np.isnan(spread)), Reason.SINGLE_VALUE))
    found = make_interval(mean, mean - margin, mean + margin, reason)
    has_no_limits = known & (margin == 0)
    lower, upper = (np.where(has_no_limits, np.nan, limit) for limit in (found.lower, found.upper))
    interval = Interval(found.value, lower, upper, np.where(has_no_limits, Reason.NO_SPREAD.value, reason))
    return Shrunk(interval, np.where(known, own, np.nan), spread, middle, error)


def shrink_proportions(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    centre: float | None = None,
    method: Method = "paule_mandel",
    confidence: float = 0.95,
    multiplier: float = 1.0,
) -> Shrunk:
    """Draw proportions towards the national one.

    Args:
        numerators, denominators: Counts of at least 0, one entry per branch.
        centre: The national proportion, between 0 and 1 (before the multiplier); the pooled one by default.
        method, confidence: As in ``shrink``.
        multiplier: 100 for percent; also for centre and its error, and squared for tau².

    Returns:
        A ``Shrunk`` whose limits stay within 0 and the multiplier. What chance does is judged by the centre, so that a branch with
        nobody (or everybody) counted is not taken as certain. NaN with a reason where a count is missing or a denominator is 0; for
        all where the centre is 0 or 1, which leaves nothing to chance (no_spread).

    Raises:
        ValueError: Negative counts, a numerator above its denominator, a centre outside 0 to 1.

    Source: Marshall (1991), Appl Stat 40:283–294 (global empirical Bayes with the pooled variance).
    """
    x, n = np.broadcast_arrays(*to_floats(numerators=numerators, denominators=denominators))
    check_proportion(x, n)
    target = pool(x, n) if centre is None else float(centre)
    if target < 0 or target > 1:
        raise ValueError(f"centre: expected a proportion between 0 and 1, found {target:g}")
    error = np.sqrt(divide(np.full(n.shape, target * (1 - target)), n))
    shrunk = shrink(
        divide(x, n), np.where(error > 0, error, np.nan), centre=target, method=method, confidence=confidence
    )
    found = shrunk.interval
    nothing_to_chance = np.full(n.shape, target in (0, 1))
    missing = count_reason(x, n, (nothing_to_chance, Reason.NO_SPREAD))
    limits = make_interval(
        found.value, np.maximum(found.lower, 0), np.minimum(found.upper, 1), missing, factor=multiplier
    )
    interval = Interval(limits.value, limits.lower, limits.upper, np.where(missing == "", found.reason, missing))
    return Shrunk(interval, shrunk.weight, shrunk.tau2 * multiplier**2, target * multiplier, 0.0)


def _read_figures(values: ArrayLike, standard_errors: ArrayLike) -> tuple[Floats, Floats]:
    """Known figures and their variances."""
    y, error = np.broadcast_arrays(*to_floats(values=values, standard_errors=standard_errors))
    known = ~np.isnan(y) & ~np.isnan(error)
    check_positive(standard_errors=error[~np.isnan(error)])
    return y[known], error[known] ** 2


def _weigh(y: Floats, v: Floats, tau2: float) -> tuple[float, float]:
    """Mean weighted by precision, and its standard error."""
    if not y.size or np.isnan(tau2):
        return np.nan, np.nan
    weights = 1 / (v + tau2)
    return float((weights * y).sum() / weights.sum()), float(np.sqrt(1 / weights.sum()))


def _largest_tau2(y: Floats, centre: float | None) -> float:
    """No estimate lies above this: with it, no weighted sum of squares would be too large."""
    middle = y.mean() if centre is None else centre
    return float(((y - middle) ** 2).sum())


def _paule_mandel(y: Floats, v: Floats, centre: float | None) -> float:
    """The variance with which the weighted squares are as many as their degrees of freedom; 0 where they are fewer without any.

    Newton's steps from 0, as Paule and Mandel took them: the excess falls and is convex, so that none goes too far.
    """
    degrees = y.size - (centre is None)
    tau2 = 0.0
    while True:
        weights = 1 / (v + tau2)
        middle = _weigh(y, v, tau2)[0] if centre is None else centre
        squares = weights * (y - middle) ** 2
        excess = squares.sum() - degrees
        largest = weights.max()  # divided by apart: weights have squares beyond the range of floats
        step = excess / (squares * (weights / largest)).sum() / largest if excess > 0 else 0.0
        if tau2 + step == tau2:
            return tau2
        tau2 += float(step)


def _reml(y: Floats, v: Floats, centre: float | None) -> float:
    def slope(tau2: float) -> float:
        """Twice the slope of the (restricted) log likelihood."""
        weights = 1 / (v + tau2)
        middle = _weigh(y, v, tau2)[0] if centre is None else centre
        own = (weights**2).sum() / weights.sum() if centre is None else 0.0
        return float((weights**2 * (y - middle) ** 2).sum() - weights.sum() + own)

    def likelihood(tau2: float) -> float:
        weights = 1 / (v + tau2)
        middle = _weigh(y, v, tau2)[0] if centre is None else centre
        penalty = np.log(weights.sum()) if centre is None else 0.0
        return float((np.log(weights) - weights * (y - middle) ** 2).sum() - penalty) / 2

    largest = _largest_tau2(y, centre)
    if largest == 0:
        return 0.0
    # The likelihood may have more than one peak: look along a grid, then closer around the best place.
    grid = np.concatenate([[0.0], np.geomspace(min(v.min(), largest) * 1e-6, largest * 10, _GRID)])
    for _ in range(_CLOSER):
        best = int(np.argmax([likelihood(place) for place in grid]))
        if best == 0 and slope(grid[0]) <= 0:
            break
        left, right = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
        if slope(left) > 0 > slope(right):
            return _find_zero(slope, left, right)
        grid = np.linspace(left, right, _GRID)
    return float(grid[best])


def _find_zero(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy import optimize

    return float(optimize.brentq(function, low, high, xtol=1e-300, rtol=4 * np.finfo(float).eps, maxiter=1000))
