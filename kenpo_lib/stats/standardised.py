"""Rates that allow for age: what a branch's figure would be with another age structure, or against the nation's rates by age.

Strata (age bands) lie along the last axis, in one order throughout. Few events give no figure: it would be noise with decimals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kenpo_lib.stats._arrays import (
    Floats,
    Interval,
    Reason,
    check_not_negative,
    check_positive,
    count_reason,
    divide,
    find_reason,
    make_interval,
    to_floats,
)
from kenpo_lib.stats.intervals import FEW_EVENTS, count_limits

PER_100_000 = 100_000


def directly_standardised_rate(
    counts: ArrayLike,
    populations: ArrayLike,
    weights: ArrayLike,
    *,
    confidence: ArrayLike = 0.95,
    multiplier: ArrayLike = PER_100_000,
) -> Interval:
    """The rate a branch would have with the age structure of a standard population, by Dobson's method.

    Args:
        counts, populations: Events and people, strata (age bands) along the last axis.
        weights: People of the standard population per stratum, in the same order.
        confidence: Two-sided level between 0 and 1.
        multiplier: 100000 for a rate per 100,000.

    Returns:
        Rate and limits, without the last axis. NaN with a reason where any stratum has no count (PHEindicatormethods counts it
        as 0; here it is unknown) or no people, and below 10 events in all (few_events).

    Raises:
        ValueError: Negative numbers, weights that are missing or all 0, a level outside 0 to 1.

    Source: Dobson et al. (1991), Stat Med 10:457–462; same method as PHEindicatormethods ``calculate_dsr``.
    """
    x, n, w = to_floats(counts=counts, populations=populations, weights=weights)
    check_not_negative(counts=x, populations=n, weights=w)
    check_positive(**{"sum of weights": w.sum(axis=-1)})
    share = divide(w / w.sum(axis=-1, keepdims=True), n)
    rate, variance, events = (x * share).sum(axis=-1), (x * share**2).sum(axis=-1), x.sum(axis=-1)
    scale = np.sqrt(divide(variance, events))
    lower, upper = count_limits(events, confidence)
    reason = _strata_reason(x, n, (events < FEW_EVENTS, Reason.FEW_EVENTS))
    return make_interval(
        rate, rate + scale * (lower - events), rate + scale * (upper - events), reason, factor=multiplier
    )


def standardised_ratio(
    observed: ArrayLike,
    expected: ArrayLike,
    *,
    confidence: ArrayLike = 0.95,
    multiplier: ArrayLike = 1.0,
    minimum_events: float = FEW_EVENTS,
) -> Interval:
    """Observed over expected events with an interval for the observed ones.

    Args:
        observed: Events, at least 0.
        expected: Events that reference rates would give, taken as known exactly.
        confidence: Two-sided level between 0 and 1.
        multiplier: 100 where the reference is called 100.
        minimum_events: Below so many observed events nothing is shown; 0 shows all, with exact limits below 10.

    Returns:
        Ratio and limits. NaN with a reason where a number is missing, nothing is expected, or there are too few events.

    Raises:
        ValueError: Negative or infinite numbers, a level outside 0 to 1.

    Source: Breslow & Day (1987) II, p. 69; same method as PHEindicatormethods ``calculate_ISRatio`` with ``minimum_events=0``.
    """
    o, e = to_floats(observed=observed, expected=expected)
    check_not_negative(observed=o, expected=e)
    lower, upper = count_limits(o, confidence)
    reason = count_reason(o, e, (o < minimum_events, Reason.FEW_EVENTS))
    return make_interval(divide(o, e), divide(lower, e), divide(upper, e), reason, factor=multiplier)


def indirectly_standardised_ratio(
    counts: ArrayLike,
    populations: ArrayLike,
    reference_counts: ArrayLike,
    reference_populations: ArrayLike,
    *,
    confidence: ArrayLike = 0.95,
    multiplier: ArrayLike = 1.0,
    minimum_events: float = FEW_EVENTS,
) -> Interval:
    """Events over those that the reference's rates per stratum would give (a standardised mortality ratio, say).

    Args:
        counts, populations: Events and people of the branch, strata along the last axis.
        reference_counts, reference_populations: Those of the reference (the nation), in the same order.
        confidence, multiplier, minimum_events: As in ``standardised_ratio``.

    Returns:
        Ratio and limits, without the last axis. NaN with a reason where a stratum lacks a number, the reference has nobody in a
        stratum or expects nothing, or there are too few events. A stratum without people of the branch expects nothing.

    Raises:
        ValueError: Negative or infinite numbers, a level outside 0 to 1.

    Source: as ``standardised_ratio``.
    """
    observed, expected, _ = _expect(counts, populations, reference_counts, reference_populations)
    return standardised_ratio(
        observed, expected, confidence=confidence, multiplier=multiplier, minimum_events=minimum_events
    )


def indirectly_standardised_rate(
    counts: ArrayLike,
    populations: ArrayLike,
    reference_counts: ArrayLike,
    reference_populations: ArrayLike,
    *,
    confidence: ArrayLike = 0.95,
    multiplier: ArrayLike = PER_100_000,
    minimum_events: float = FEW_EVENTS,
) -> Interval:
    """The indirectly standardised ratio times the reference's crude rate; else as ``indirectly_standardised_ratio``.

    Source: as ``standardised_ratio``; same method as PHEindicatormethods ``calculate_ISRate``.
    """
    observed, expected, crude = _expect(counts, populations, reference_counts, reference_populations)
    per_rate = divide(expected, crude)  # dividing by expected ÷ crude rate multiplies the ratio by the crude rate
    return standardised_ratio(
        observed, per_rate, confidence=confidence, multiplier=multiplier, minimum_events=minimum_events
    )


def _expect(*given: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Observed events, expected events, crude rate of the reference."""
    names = ("counts", "populations", "reference_counts", "reference_populations")
    x, n, reference_x, reference_n = to_floats(**dict(zip(names, given, strict=True)))
    check_not_negative(**dict(zip(names, (x, n, reference_x, reference_n), strict=True)))
    expected = (n * divide(reference_x, reference_n)).sum(axis=-1)
    return x.sum(axis=-1), expected, divide(reference_x.sum(axis=-1), reference_n.sum(axis=-1))


def _strata_reason(x: Floats, n: Floats, *further: tuple[NDArray[np.bool_], Reason]) -> NDArray[np.str_]:
    x, n = np.broadcast_arrays(x, n)
    return find_reason(
        (np.isnan(x).any(axis=-1), Reason.MISSING_COUNT),
        (np.isnan(n).any(axis=-1), Reason.MISSING_DENOMINATOR),
        ((n == 0).any(axis=-1), Reason.ZERO_DENOMINATOR),
        *further,
    )
