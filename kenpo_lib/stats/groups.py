"""Places within a group of branches: deviation scores, quantile groups, percentiles. Arrays in, arrays out; NaN is missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kenpo_lib.stats._arrays import Floats, rank_upwards, to_floats


def competition_ranks(values: ArrayLike, *, sign: int = 1) -> Floats:
    """Rank branches from best to worst (1, 1, 3): ties share the better rank.

    Args:
        values: Shape (…, branches), at the precision at which ties count as ties; NaN where missing.
        sign: +1 where more is better, −1 where less is better; 0 ranks from high to low.

    Returns:
        The same shape; NaN where the value is missing, and those branches are not counted.

    Raises:
        ValueError: An infinite value, or a sign that is none of +1, 0, −1.

    Source: Standard competition ranking; ``scipy.stats.rankdata(method="min")``.
    """
    return rank_upwards(-_read(values) * _direction(sign), ties="min")


def deviation_scores(values: ArrayLike, *, axis: int = -1) -> Floats:
    """Deviation scores (偏差値) 50 + 10 (x − mean) / SD, with unweighted mean and population SD of the branches.

    Args:
        values: Any shape; NaN where missing.
        axis: The axis along which the branches lie.

    Returns:
        The same shape. NaN where the value is missing, and for a whole group without spread (all equal, one branch,
        nothing known): a score would be made up.

    Raises:
        ValueError: An infinite value.

    Source: Population standard deviation as in ``kenpo_lib.stats.deviation_score``, its twin for polars.
    """
    array = _read(values)
    known = ~np.isnan(array)
    count = np.maximum(known.sum(axis=axis, keepdims=True), 1)
    filled = np.where(known, array, 0.0)
    distance = np.where(known, array - filled.sum(axis=axis, keepdims=True) / count, 0.0)
    spread = np.sqrt((distance**2).sum(axis=axis, keepdims=True) / count)
    highest = np.where(known, array, -np.inf).max(axis=axis, keepdims=True, initial=-np.inf)
    lowest = np.where(known, array, np.inf).min(axis=axis, keepdims=True, initial=np.inf)
    is_scored = known & (highest > lowest) & (spread > 0)  # equal values can leave a spread of rounding errors
    scores = np.full(array.shape, np.nan)
    np.divide(10 * distance, spread, out=scores, where=is_scored)
    return scores + 50


def quantile_groups(values: ArrayLike, *, groups: int, sign: int = 1) -> Floats:
    """Divide branches into groups of about equal size, the best in group 1; equal values always share a group.

    The group follows from the competition rank: with n branches and q groups, rank r falls into group
    q + 1 − ⌈q (n + 1 − r) / n⌉. Ties across a boundary therefore all go to the better of the two groups, so that groups can
    differ in size or stay empty.

    Args:
        values: Shape (…, branches); NaN where missing.
        groups: How many (4 for quarters, 10 for tenths), at least 1.
        sign: +1 puts the highest values into group 1, −1 the lowest; 0 as +1.

    Returns:
        The same shape. NaN where the value is missing, and for all where fewer values than groups are known.

    Raises:
        ValueError: Fewer than one group, an infinite value, or an unknown sign.

    Source: OHID technical guide "Assigning deprivation categories"; PHEindicatormethods ``phe_quantile`` (``invert=TRUE``
    for sign +1), but in whole numbers where that divides floats.
    """
    if groups < 1:
        raise ValueError(f"groups must be at least 1, not {groups}")
    ranks = competition_ranks(values, sign=sign)
    known = ~np.isnan(ranks)
    count = np.broadcast_to(known.sum(axis=-1, keepdims=True), ranks.shape)
    is_grouped = known & (count >= groups)
    places = np.where(is_grouped, ranks, 1).astype(np.int64)
    assigned = groups + 1 + (-groups * (count + 1 - places)) // np.maximum(count, 1)  # −⌈x⌉ is ⌊−x⌋
    return np.where(is_grouped, assigned, np.nan)


def percentile_ranks(values: ArrayLike, *, sign: int = 1) -> Floats:
    """The share of branches that each one is better than, in percent; ties count half, the branch itself too.

    Args:
        values: Shape (…, branches); NaN where missing.
        sign: +1 where more is better, −1 where less is better; 0 as +1.

    Returns:
        The same shape, above 0 and below 100; 50 for a single branch or where all are equal, NaN where missing.

    Raises:
        ValueError: An infinite value, or an unknown sign.

    Source: ``scipy.stats.percentileofscore(kind="mean")``, for all branches at once.
    """
    array = _read(values) * _direction(sign)
    count = np.maximum((~np.isnan(array)).sum(axis=-1, keepdims=True), 1)
    return 100 * (rank_upwards(array, ties="average") - 0.5) / count


def percentiles(values: ArrayLike, percents: ArrayLike) -> Floats:
    """The values below which given shares of the branches lie, interpolated between neighbours.

    Args:
        values: Shape (…, branches); NaN where missing.
        percents: Shape (k,), between 0 and 100.

    Returns:
        Shape (…, k); NaN where nothing is known.

    Raises:
        ValueError: A percent outside 0–100, or an infinite value.

    Source: Hyndman and Fan (1996), type 7, the default of numpy and R.
    """
    array, wanted = _read(values), _read(percents)
    if not ((wanted >= 0) & (wanted <= 100)).all():
        raise ValueError("percents must lie between 0 and 100")

    def interpolate(row: Floats) -> Floats:
        known = row[~np.isnan(row)]
        return np.percentile(known, wanted) if known.size else np.full(wanted.shape, np.nan)

    return np.apply_along_axis(interpolate, -1, array)


def _read(values: ArrayLike) -> Floats:
    """Values of at least one branch as floats, NaN for missing ones."""
    return np.atleast_1d(*to_floats(values=values))


def _direction(sign: int) -> int:
    if sign not in (-1, 0, 1):
        raise ValueError(f"sign must be +1, 0 or −1, not {sign}")
    return -1 if sign < 0 else 1
