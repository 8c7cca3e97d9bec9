"""Contribution: how much each branch moved the national rate between two years, by its rate and by its size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kenpo_lib.stats._arrays import Floats, check_not_negative, check_proportion, divide, to_floats
from kenpo_lib.stats._showing import Shown


@dataclass(frozen=True, slots=True)
class Contribution(Shown):
    """Parts of one national change. Per branch (…, branches): ``rate_effect``, ``volume_effect``, ``total``; else (…)."""

    rate_effect: Floats  # its own rate changed
    volume_effect: Floats  # its share changed, and its rate differs from the nation's
    total: Floats  # their sum; over all branches it is the national change
    before: Floats
    after: Floats
    change: Floats  # after − before


def contribution_of_counts(
    numerator_before: ArrayLike,
    denominator_before: ArrayLike,
    numerator_after: ArrayLike,
    denominator_after: ArrayLike,
    *,
    scale: float = 100.0,
    is_proportion: bool = True,
) -> Contribution:
    """Split the change of the national rate, Σ numerators ÷ Σ denominators, over the branches.

    Args:
        numerator_before, denominator_before, numerator_after, denominator_after: Shape (…, branches), counts or yen; a
            denominator of 0 says that the branch was not there in that year.
        scale: 100 for percentage points, 1 for an amount per case.
        is_proportion: Whether a numerator is part of its denominator.

    Returns:
        As ``contribution_of_rates``.

    Raises:
        ValueError: A negative count, or a numerator above its denominator for a proportion.
    """
    rates, weights = [], []
    for numerator, denominator in (
        (numerator_before, denominator_before),
        (numerator_after, denominator_after),
    ):
        part, whole = to_floats(numerator=numerator, denominator=denominator)
        if is_proportion:
            check_proportion(part, whole)
        else:
            check_not_negative(numerator=part, denominator=whole)
        rates.append(divide(scale * part, whole))
        weights.append(np.where(np.isnan(part), np.nan, whole))
    return contribution_of_rates(rates[0], weights[0], rates[1], weights[1])


def contribution_of_rates(
    rate_before: ArrayLike, weight_before: ArrayLike, rate_after: ArrayLike, weight_after: ArrayLike
) -> Contribution:
    """Split the change of a weighted mean over the branches.

    With r the rate and s the share in Σ weights, a bar for the mean of both years, and R for the nation:

    - rate effect: s̄ (r₁ − r₀)
    - volume effect: (s₁ − s₀) (r̄ − R̄), so that a branch that grows helps only if its rate is above the nation's

    Both years are treated alike, nothing is left over, and the parts add up exactly: Σ(s₁ − s₀) = 0, so taking R̄ off changes
    no sum. A branch that appears or disappears has a rate in one year only; that rate stands for r̄, its rate effect is 0, and
    all of what it did is a volume effect.

    Args:
        rate_before, rate_after: Shape (…, branches); may be NaN where the weight is 0.
        weight_before, weight_after: The same shape, not negative: denominators, or a proxy for them.

    Returns:
        Effects in the unit of the rate. All NaN where a rate or a weight that is needed is missing, or a year has no weight at
        all: the national change is not known then.

    Raises:
        ValueError: A negative weight.

    Source: Kitagawa (1955), JASA 50:1168–1194; Das Gupta (1993), Census P23-186, two factors; matches the ``rate`` effects of
    each subpopulation and the totals of R's DasGuptR. There the volume effect is (s₁ − s₀) r̄, not centred on the nation.
    """
    named = {
        "rate_before": rate_before,
        "weight_before": weight_before,
        "rate_after": rate_after,
        "weight_after": weight_after,
    }
    arrays = np.broadcast_arrays(*(np.atleast_1d(array) for array in to_floats(**named)))
    rate0, weight0, rate1, weight1 = arrays
    check_not_negative(weight_before=weight0, weight_after=weight1)
    share0, share1 = (divide(weight, weight.sum(axis=-1, keepdims=True)) for weight in (weight0, weight1))
    was, is_there = weight0 != 0, weight1 != 0  # NaN counts as there, and makes everything NaN
    rate0, rate1 = np.where(was, rate0, 0.0), np.where(is_there, rate1, 0.0)
    before, after = (share0 * rate0).sum(axis=-1), (share1 * rate1).sum(axis=-1)
    middle = np.where(was & is_there, (rate0 + rate1) / 2, rate0 + rate1)  # the only rate there is
    nation = ((before + after) / 2)[..., np.newaxis]
    in_both = np.where(was & is_there, rate1 - rate0, 0.0)
    # An unknown anywhere leaves the national change unknown, and with it all of its parts.
    unknown = np.where(np.isnan(nation), np.nan, 0.0)
    rate_effect = (share0 + share1) / 2 * in_both + unknown
    volume_effect = np.where(was | is_there, (share1 - share0) * (middle - nation), 0.0) + unknown
    return Contribution(
        rate_effect=rate_effect,
        volume_effect=volume_effect,
        total=rate_effect + volume_effect,
        before=before,
        after=after,
        change=after - before,
    )
