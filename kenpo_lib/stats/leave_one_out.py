"""The nation without the branch: a large branch is compared with itself where the national value contains it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kenpo_lib.stats._arrays import Floats, check_not_negative, check_proportion, divide, to_floats
from kenpo_lib.stats._showing import Shown


@dataclass(frozen=True, slots=True)
class LeaveOneOut(Shown):
    """National values beside each other; arrays of the shape (…, branches)."""

    nation: Floats  # with the branch, the same for all
    without: Floats  # of all other branches
    shift: Floats  # nation − without: how far the branch pulls the national value


def rate_without(
    numerator: ArrayLike,
    denominator: ArrayLike,
    *,
    scale: float = 100.0,
    is_proportion: bool = True,
    total_numerator: ArrayLike | None = None,
    total_denominator: ArrayLike | None = None,
) -> LeaveOneOut:
    """The national rate of all other branches, from counts.

    Args:
        numerator, denominator: Shape (…, branches), counts or yen; NaN where unpublished.
        scale: 100 for percent, 1 for an amount per case.
        is_proportion: Whether a numerator is part of its denominator.
        total_numerator, total_denominator: The published national counts, shape (…), where not all branches have theirs. If
            given, the branches are subtracted from these and need not be complete.

    Returns:
        Without national counts, a branch has a value only where all other branches are known (its own may be missing), and
        ``nation`` only where all are. With them, where its own counts are known. NaN too where nothing is left to divide by.

    Raises:
        ValueError: A negative count, a numerator above its denominator for a proportion, a branch larger than the nation, or
            only one of the national counts.

    Source: Σ(others' numerators) ÷ Σ(others' denominators), the definition.
    """
    part, whole = _read(numerator=numerator, denominator=denominator)
    _check_counts(part, whole, is_proportion=is_proportion)
    if (total_numerator is None) != (total_denominator is None):
        raise ValueError("give both national counts or none")
    if total_numerator is None or total_denominator is None:
        return _leave_out(scale * part, whole)
    totals = to_floats(total_numerator=total_numerator, total_denominator=total_denominator)
    all_part, all_whole = (total[..., np.newaxis] for total in totals)
    _check_counts(all_part, all_whole, is_proportion=is_proportion)
    if ((part > all_part) | (whole > all_whole)).any():
        raise ValueError("a branch has larger counts than the nation")
    return _build(divide(scale * all_part, all_whole), divide(scale * (all_part - part), all_whole - whole))


def mean_without(values: ArrayLike, weights: ArrayLike | None = None) -> LeaveOneOut:
    """The mean of all other branches, weighted by a proxy (subscribers, remuneration) or plain.

    Args:
        values: Shape (…, branches), rates or amounts; NaN where missing.
        weights: The same shape, not negative; None for the plain mean.

    Returns:
        As ``rate_without`` without national counts: other branches must be complete, in value and weight.

    Raises:
        ValueError: A negative weight.

    Source: Σ w x ÷ Σ w over the others, the definition.
    """
    array, weight = _read(values=values, weights=1.0 if weights is None else weights)
    check_not_negative(weights=weight)
    return _leave_out(array * weight, np.where(np.isnan(array), np.nan, weight))


def published_without(published: ArrayLike, values: ArrayLike, weights: ArrayLike) -> LeaveOneOut:
    """The published national value with the branch taken out, by its share in a proxy.

    Where the nation is published but counts are not, the mean by the proxy differs from the published value; this keeps the
    latter as it is printed, and only estimates what the branch contributes.

    Args:
        published: National value, shape (…).
        values: Shape (…, branches); NaN where missing.
        weights: The proxy for the denominator, all branches complete; shape (…, branches).

    Returns:
        (published − share × value) ÷ (1 − share), with ``share`` of the branch in Σ weights; an estimate. NaN where the value
        or any weight is missing, or where the branch is the whole nation.

    Raises:
        ValueError: A negative weight.

    Source: The published value solved for the others, the definition.
    """
    array, weight = _read(values=values, weights=weights)
    check_not_negative(weights=weight)
    (nation,) = to_floats(published=published)
    share = divide(weight, weight.sum(axis=-1, keepdims=True))  # NaN where any weight is missing
    return _build(nation[..., np.newaxis], divide(nation[..., np.newaxis] - share * array, 1 - share))


def _leave_out(part: Floats, whole: Floats) -> LeaveOneOut:
    """Σ of the others' parts ÷ Σ of their wholes, where none of the others is missing."""
    known = ~np.isnan(part) & ~np.isnan(whole)
    part, whole = np.where(known, part, 0.0), np.where(known, whole, 0.0)
    all_part, all_whole = part.sum(axis=-1, keepdims=True), whole.sum(axis=-1, keepdims=True)
    others_missing = (~known).sum(axis=-1, keepdims=True) - ~known
    nation = np.where(known.all(axis=-1, keepdims=True), divide(all_part, all_whole), np.nan)
    rest = np.where(others_missing == 0, divide(all_part - part, all_whole - whole), np.nan)
    return _build(nation, rest)


def _read(**named: ArrayLike) -> list[Floats]:
    """Numbers of at least one branch, of one shape."""
    return np.broadcast_arrays(*(np.atleast_1d(array) for array in to_floats(**named)))


def _check_counts(part: Floats, whole: Floats, *, is_proportion: bool) -> None:
    if is_proportion:
        check_proportion(part, whole)
    else:
        check_not_negative(numerator=part, denominator=whole)


def _build(nation: Floats, without: Floats) -> LeaveOneOut:
    nation, without = np.broadcast_arrays(nation, without)
    return LeaveOneOut(nation=nation, without=without, shift=nation - without)
