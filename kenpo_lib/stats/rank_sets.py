"""How sure is a rank? Confidence sets where standard errors are known, movement from year to year where they are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from kenpo_lib.stats._arrays import Floats, check_not_negative, to_floats
from kenpo_lib.stats._showing import Shown
from kenpo_lib.stats.groups import competition_ranks

DRAWS = 4_000  # of the parametric bootstrap; csranks draws 1,000 unless told otherwise
SEED = 20_230_719  # fixed, so that a report made twice says the same
MOST_DRAWN = 50  # branches; drawing all pairs of thousands would take days
_ROWS = 8  # of the table of all pairs, held at a time: they stay in the cache of the processor


@dataclass(frozen=True, slots=True)
class RankSets(Shown):
    """Ranks with the lowest and highest rank that the data allow; whole numbers as floats, NaN where not ranked."""

    rank: Floats
    lower: Floats  # the best rank possible
    upper: Floats  # the worst


@dataclass(frozen=True, slots=True)
class RankMovement(Shown):
    """Ranks of two years. Arrays have the shape (…, branches); numbers sum up all branches with a rank in both years."""

    prior: Floats
    current: Floats
    change: Floats  # prior − current: above 0 where the branch climbed
    branches: int  # how many movements there are
    median: float  # of the absolute movements
    within: float  # the fewest places that the stated share of the movements stay within
    coverage: float


def rank_confidence_sets(
    values: ArrayLike,
    standard_errors: ArrayLike,
    *,
    sign: int = 1,
    coverage: float = 0.95,
    simultaneous: bool = False,
    stepwise: bool = True,
    draws: int = DRAWS,
    seed: int = SEED,
) -> RankSets:
    """Say between which ranks each branch may lie, given how precisely its value is known.

    Every branch is compared with every other by the difference of their values over its standard error. The critical value is
    the quantile of the largest such difference among branches without any difference, drawn from the normal distribution. A
    branch that is significantly better counts against the lower bound, one that is worse against the upper. Stepwise, pairs
    that are decided leave, and the rest is judged again by a smaller critical value. Among more than ``MOST_DRAWN`` branches the
    critical value is Holm's, which needs no draws and holds whatever the dependence: the sets are somewhat wider, never too sure.

    Args:
        values: Shape (branches,); independent of each other. NaN where missing.
        standard_errors: The same shape, in the same unit; NaN where unknown, 0 for a value without error.
        sign: +1 where more is better, −1 where less is better; 0 ranks from high to low.
        coverage: 0.95 for 95 %.
        simultaneous: False: each set covers the rank of its branch (to be read by one branch). True: all sets cover all ranks at
            once (to compare branches).
        stepwise: False stops after the first step; wider, for comparison.
        draws, seed: Of the bootstrap.

    Returns:
        Competition ranks (ties share the better rank) and bounds. NaN where value or standard error is missing; those branches
        are left out, so that ranks run to the number of the others. A branch alone has rank 1, sure. All equal: 1 to n.

    Raises:
        ValueError: A negative standard error, a coverage outside (0, 1), shapes that differ, fewer than one draw.

    Source: Mogstad, Romano, Shaikh and Wilhelm (2024), Rev. Econ. Stud. 91:476–518; R's csranks with a diagonal covariance
    matrix (``csranks(simul=…, stepdown=…)``). Random numbers differ from R's, so that a bound can differ by one. Holm (1979),
    Scand. J. Stat. 6:65–70, for many branches.
    """
    estimate, error = to_floats(values=values, standard_errors=standard_errors)
    if estimate.shape != error.shape or estimate.ndim != 1:
        raise ValueError(
            f"values and standard errors must be lists of one length, found {estimate.shape} and {error.shape}"
        )
    check_not_negative(standard_errors=error)
    if not 0 < coverage < 1:
        raise ValueError(f"coverage: expected a level between 0 and 1, such as 0.95, found {coverage:g}")
    if draws < 1:
        raise ValueError(f"draws: expected at least 1, found {draws}")
    known = ~np.isnan(estimate) & ~np.isnan(error)
    rank = competition_ranks(np.where(known, estimate, np.nan), sign=sign)
    score, spread = np.where(sign < 0, -1, 1) * estimate[known], error[known]
    if score.size > MOST_DRAWN:
        better, worse = _compare_many(score, spread, coverage=coverage, simultaneous=simultaneous, stepwise=stepwise)
    else:
        noise = np.random.default_rng(seed).standard_normal((score.size, draws)) * spread[:, np.newaxis]
        compare = _compare_all if simultaneous else _compare_each
        better, worse = compare(score, spread, noise, coverage=coverage, stepwise=stepwise)
    lower, upper = np.full(rank.shape, np.nan), np.full(rank.shape, np.nan)
    lower[known], upper[known] = 1 + better, score.size - worse
    return RankSets(rank=rank, lower=lower, upper=upper)


def may_be_among_best(sets: RankSets, places: int) -> NDArray[np.bool_]:
    """Which branches cannot be excluded from the best few, with the confidence of the (simultaneous) sets.

    Args:
        sets: From ``rank_confidence_sets(simultaneous=True)``.
        places: How many places count, such as 15.

    Returns:
        False too where there is no rank.

    Source: csranks ``cstaubest``, the projection of the simultaneous set.
    """
    return sets.lower <= places


def rank_movement(
    prior_values: ArrayLike, current_values: ArrayLike, *, sign: int = 1, coverage: float = 0.9
) -> RankMovement:
    """How far ranks move from one year to the next: the yardstick for a rank whose counts are unpublished.

    The movements hold what chance and what real change did, unseparated. They are no confidence set and must not be called
    one; a movement within the usual span is simply nothing unusual.

    Args:
        prior_values, current_values: Shape (…, branches), under one definition and at published precision; NaN where missing.
            Several pairs of years may lie along further axes and are summed up together.
        sign: +1 where more is better, −1 where less is better; 0 ranks from high to low.
        coverage: The share of movements for ``within``.

    Returns:
        Ranks are competition ranks among all that are known in their own year. Changes are NaN, and not summed up, where a
        branch is missing in either. The median and ``within`` are NaN without any movement.

    Raises:
        ValueError: Shapes that differ, or a coverage outside (0, 1].

    Source: Quantiles of the observed absolute changes (``within``: inverse of the empirical distribution); no reference
    implementation.
    """
    prior, current = (competition_ranks(values, sign=sign) for values in (prior_values, current_values))
    if prior.shape != current.shape:
        raise ValueError(f"both years must have one shape, found {prior.shape} and {current.shape}")
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage: expected a share above 0 and up to 1, found {coverage:g}")
    change = prior - current
    moved = np.abs(change[~np.isnan(change)])
    return RankMovement(
        prior=prior,
        current=current,
        change=change,
        branches=moved.size,
        median=float(np.median(moved)) if moved.size else np.nan,
        within=float(np.quantile(moved, coverage, method="inverted_cdf")) if moved.size else np.nan,
        coverage=coverage,
    )


def _compare_each(
    score: Floats, spread: Floats, noise: Floats, *, coverage: float, stepwise: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each branch, how many are better and worse, if its comparisons alone have to hold."""
    counts = np.zeros((2, score.size), dtype=np.int64)
    for i in range(score.size):
        others = np.delete(np.arange(score.size), i)
        difference, error = score[i] - score[others], np.hypot(spread[i], spread[others])
        above, below = _decide(difference, error, noise[i] - noise[others], coverage=coverage, stepwise=stepwise)
        counts[:, i] = below.sum(), above.sum()
    return counts[0], counts[1]


def _compare_all(
    score: Floats, spread: Floats, noise: Floats, *, coverage: float, stepwise: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each branch, how many are better and worse, if all comparisons have to hold at once."""
    i, j = np.triu_indices(score.size, k=1)
    above, below = _decide(
        score[i] - score[j],
        np.hypot(spread[i], spread[j]),
        noise[i] - noise[j],
        coverage=coverage,
        stepwise=stepwise,
    )
    up, down = (
        np.concatenate(pairs) for pairs in ((i[above], j[below]), (j[above], i[below]))
    )  # the better, the worse one
    return np.bincount(down, minlength=score.size), np.bincount(up, minlength=score.size)


def _decide(
    difference: Floats, error: Floats, noise: Floats, *, coverage: float, stepwise: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which differences are surely above 0, and which below.

    Each pair is two one-sided questions. A question that is decided leaves; its opposite stays, as in csranks.
    """
    is_exact = error == 0  # two values without error differ or they do not
    above, below = is_exact & (difference > 0), is_exact & (difference < 0)
    up = down = ~is_exact
    scaled = noise / np.where(is_exact, 1.0, error)[:, np.newaxis]
    while up.any() or down.any():
        largest = np.maximum(scaled[up].max(axis=0, initial=-np.inf), -scaled[down].min(axis=0, initial=np.inf))
        margin = np.quantile(largest, coverage) * error
        newly_above, newly_below = up & (difference > margin), down & (-difference > margin)
        above, below = above | newly_above, below | newly_below
        up, down = up & ~newly_above, down & ~newly_below
        if not stepwise or not (newly_above | newly_below).any():
            break
    return above, below


def _compare_many(
    score: Floats, spread: Floats, *, coverage: float, simultaneous: bool, stepwise: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """As ``_compare_each`` or ``_compare_all``, with Holm's critical value.

    All pairs are looked at, but only some rows of their table are held at a time; squares are compared, which spares the roots.
    """
    variance = spread**2
    is_exact = spread == 0
    # Of each branch: is it above each other one, and is it below? Two values without error leave no question.
    questions = 2 * (score.size - np.where(is_exact, is_exact.sum(), 1))
    certain = np.where(is_exact, (score[:, np.newaxis] != score[is_exact]).sum(axis=1), 0)

    def decide(limits: Floats) -> NDArray[np.int64]:
        """How many are surely better, and worse, than each."""
        counts = np.empty((2, score.size), dtype=np.int64)
        for start in range(0, score.size, _ROWS):
            rows = slice(start, start + _ROWS)
            difference = score[rows, np.newaxis] - score
            signed = difference * np.abs(difference)
            margin = limits[rows, np.newaxis] ** 2 * (variance[rows, np.newaxis] + variance)
            counts[:, rows] = (signed < -margin).sum(axis=1), (signed > margin).sum(axis=1)
        return counts

    decided, settled = None, certain
    while True:
        still_open = questions + certain - settled
        if simultaneous:  # each question stands with both of its branches
            still_open = np.full(score.size, still_open.sum() // 2)
        found = decide(np.maximum(-ndtri((1 - coverage) / np.maximum(still_open, 1)), 0))
        if not stepwise or (decided is not None and (found == decided).all()):
            return found[0], found[1]
        decided, settled = found, found.sum(axis=0)
