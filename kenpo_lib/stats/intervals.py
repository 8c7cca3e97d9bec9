"""How sure is one figure? Intervals for proportions, counts, rates and means; standardised rates are in ``standardised``.

Arguments are scalars or arrays that broadcast; so does ``confidence``, so both usual levels come from one call with
``confidence=np.array(LEVELS)[:, None]``. Missing counts and zero denominators give NaN and a ``Reason``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kenpo_lib.stats._arrays import (
    Floats,
    Interval,
    Reason,
    check_choice,
    check_not_negative,
    check_proportion,
    count_reason,
    critical_value,
    divide,
    find_reason,
    make_interval,
    to_floats,
    upper_tail,
)

__all__ = [
    "FEW_EVENTS",
    "LEVELS",
    "Interval",
    "Reason",
    "count_interval",
    "count_limits",
    "mean_interval",
    "proportion_interval",
    "rate_interval",
    "wilson_limits",
]

LEVELS = (0.95, 0.998)  # two and three standard deviations, as in Fingertips and NHS funnel plots
FEW_EVENTS = 10  # Byar's approximation is used from here on, and standardised figures are shown from here on
_ALMOST_NONE = 1e-9  # of an event: the lower limit is 0 to the last digit, and nothing is divided by 0

CountMethod = Literal["auto", "byar", "exact"]


def proportion_interval(
    numerator: ArrayLike, denominator: ArrayLike, *, confidence: ArrayLike = 0.95, multiplier: ArrayLike = 1.0
) -> Interval:
    """Wilson score interval of a proportion, which stays within 0 and 1 and holds for few people too.

    Args:
        numerator, denominator: Counts of at least 0, fractions allowed, up to 10¹⁰ and beyond.
        confidence: Two-sided level between 0 and 1.
        multiplier: 100 for percent.

    Returns:
        Proportion and limits. NaN with a reason where a count is missing or the denominator is 0.

    Raises:
        ValueError: A negative or infinite count, a numerator above its denominator, a level outside 0 to 1, a multiplier of 0.

    Source: Wilson (1927), JASA 22:209–212; same method as PHEindicatormethods ``phe_proportion`` and statsmodels
    ``proportion_confint(method="wilson")``, written so that neither limit is a difference of nearly equal numbers.
    """
    x, n = to_floats(numerator=numerator, denominator=denominator)
    check_proportion(x, n)
    lower, upper = wilson_limits(x, n, critical_value(confidence))
    return make_interval(divide(x, n), lower, upper, count_reason(x, n), factor=multiplier)


def wilson_limits(numerator: Floats, denominator: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Wilson limits for checked counts; NaN where the denominator is 0 or anything is missing."""
    x = np.asarray(numerator)
    n = np.where(denominator == 0, np.nan, denominator)
    larger_root = 2 * x + z**2 + z * np.sqrt(z**2 + 4 * x * (n - x) / n)
    # The roots multiply to x²/n · 1/(n + z²): dividing by the larger one gives the smaller one without loss.
    return 2 * x * (x / n) / larger_root, np.where(x == n, 1.0, larger_root / (2 * (n + z**2)))


def count_interval(count: ArrayLike, *, confidence: ArrayLike = 0.95, method: CountMethod = "auto") -> Interval:
    """Interval of a count of independent events: Byar's approximation from 10 events on, exact Poisson below.

    Args:
        count: Events, at least 0, fractions allowed.
        confidence: Two-sided level between 0 and 1.
        method: "auto", or one of "byar" and "exact" throughout.

    Returns:
        The count and its limits; the lower limit of 0 events is 0. NaN with a reason where the count is missing.

    Raises:
        ValueError: A negative or infinite count, a level outside 0 to 1, an unknown method.

    Source: Breslow & Day (1987), Statistical Methods in Cancer Research II, p. 69 (Byar); Garwood (1936), Biometrika
    28:437–442 (exact); same rule as PHEindicatormethods ``phe_rate``.
    """
    (x,) = to_floats(count=count)
    check_not_negative(count=x)
    lower, upper = count_limits(x, confidence, method)
    return make_interval(x, lower, upper, find_reason((np.isnan(x), Reason.MISSING_COUNT)))


def count_limits(x: Floats, confidence: ArrayLike, method: CountMethod = "auto") -> tuple[Floats, Floats]:
    """Limits for checked counts; NaN where a count is missing."""
    from scipy import special

    check_choice("method", method, ("auto", "byar", "exact"))
    tail = upper_tail(confidence)
    is_exact = {"auto": x < FEW_EVENTS, "byar": np.zeros_like(x, bool), "exact": np.ones_like(x, bool)}[method]
    z = critical_value(confidence)
    events = np.maximum(x, _ALMOST_NONE)
    byar_lower = events * np.maximum(1 - 1 / (9 * events) - z / (3 * np.sqrt(events)), 0) ** 3
    byar_upper = (x + 1) * (1 - 1 / (9 * (x + 1)) + z / (3 * np.sqrt(x + 1))) ** 3
    lower = np.where(is_exact, special.gammaincinv(events, tail), byar_lower)
    upper = np.where(is_exact, special.gammainccinv(x + 1, tail), byar_upper)
    return np.where(x > 0, lower, np.where(x == 0, 0.0, np.nan)), upper


def rate_interval(
    count: ArrayLike,
    denominator: ArrayLike,
    *,
    confidence: ArrayLike = 0.95,
    multiplier: ArrayLike = 1.0,
    method: CountMethod = "auto",
) -> Interval:
    """Interval of a rate (events per person, claim or day), whose count may be above its denominator.

    Args:
        count: Events, at least 0, fractions allowed.
        denominator: What they are counted per, taken as known exactly.
        confidence: Two-sided level between 0 and 1.
        multiplier: 100000 for a rate per 100,000.
        method: As in ``count_interval``.

    Returns:
        Rate and limits. NaN with a reason where a count is missing or the denominator is 0.

    Raises:
        ValueError: As ``count_interval``; a negative denominator.

    Source: as ``count_interval``; same method as PHEindicatormethods ``phe_rate``.
    """
    x, n = to_floats(count=count, denominator=denominator)
    check_not_negative(count=x, denominator=n)
    lower, upper = count_limits(x, confidence, method)
    return make_interval(divide(x, n), divide(lower, n), divide(upper, n), count_reason(x, n), factor=multiplier)


def mean_interval(values: ArrayLike, *, confidence: ArrayLike = 0.95) -> Interval:
    """Interval of a mean by Student's t distribution.

    Args:
        values: One sample, or samples along the last axis; NaN is left out.
        confidence: Two-sided level between 0 and 1.

    Returns:
        Mean and limits, without the last axis. Equal values give an interval without width. One value gives itself as the mean
        without limits (single_value); no value gives NaN (no_values).

    Raises:
        ValueError: An infinite number, a level outside 0 to 1.

    Source: Altman et al. (2000), Statistics with Confidence, 2nd ed.; same method as PHEindicatormethods ``phe_mean``.
    """
    from scipy import special

    sample = np.atleast_1d(*to_floats(values=values))
    known = ~np.isnan(sample)
    number = known.sum(axis=-1)
    mean = divide(np.where(known, sample, 0).sum(axis=-1), number)
    squares = np.where(known, sample - mean[..., None], 0) ** 2
    spread = np.sqrt(divide(squares.sum(axis=-1), np.maximum(number - 1, 0) * number))
    margin = special.stdtrit(np.maximum(number - 1, 1), 1 - upper_tail(confidence)) * spread
    result = make_interval(mean, mean - margin, mean + margin, find_reason((number == 0, Reason.NO_VALUES)))
    reason = find_reason((number == 0, Reason.NO_VALUES), (number == 1, Reason.SINGLE_VALUE))
    reason = np.broadcast_to(reason, np.shape(result.value)).copy()
    return Interval(result.value, result.lower, result.upper, reason if reason.ndim else reason.item())
