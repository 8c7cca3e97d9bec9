"""Control limits: how far from a common value can chance alone bring a figure with so small a denominator?

Limits stand at any level, usually at 95 % and 99.8 %. Labels say high or low; whether that is better is for the KPI's direction
to say.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kenpo_lib.stats._arrays import (
    Floats,
    check_choice,
    check_not_negative,
    check_positive,
    critical_value,
    divide,
    to_floats,
    unwrap,
    upper_tail,
)
from kenpo_lib.stats.intervals import LEVELS, wilson_limits
from kenpo_lib.stats.overdispersion import Scale

INNER = LEVELS[0]

ProportionMethod = Literal["normal", "wilson"]
PoissonMethod = Literal["test", "interval"]


class Position(StrEnum):
    """Where a figure lies; an empty text where that cannot be said."""

    LOW_998 = "low_99.8"
    LOW_95 = "low_95"
    WITHIN = "within"
    HIGH_95 = "high_95"
    HIGH_998 = "high_99.8"


class Limits(NamedTuple):
    """Control limits, scalars or arrays; NaN where there is no denominator."""

    lower: float | Floats
    upper: float | Floats


# --- limits ---------------------------------------------------------------------------------------------------------


def proportion_limits(
    denominator: ArrayLike,
    centre: ArrayLike,
    *,
    confidence: ArrayLike = INNER,
    method: ProportionMethod = "normal",
    multiplier: float = 1.0,
) -> Limits:
    """Control limits around a common proportion.

    Args:
        denominator: People, at least 0.
        centre: The common proportion, between 0 and 1 (``pool``).
        confidence: Two-sided level between 0 and 1.
        method: "normal" (centre ± z standard errors, cut off at 0 and 1) or "wilson" (Wilson interval of the centre).
        multiplier: 100 for percent.

    Returns:
        Lower and upper limit, NaN where the denominator is 0 or anything is missing.

    Raises:
        ValueError: A negative denominator, a centre outside 0 to 1, a level outside 0 to 1, an unknown method.

    Source: Spiegelhalter (2005), Stat Med 24:1185–1202. "normal" draws what PHEindicatormethods ``calculate_funnel_limits``
    does, whose quadratic in z² has just this solution.
    """
    n, target = _check_centre(denominator, centre)
    check_choice("method", method, ("normal", "wilson"))
    z = critical_value(confidence)
    if method == "wilson":
        lower, upper = wilson_limits(target * n, n, z)
    else:
        margin = z * np.sqrt(divide(target * (1 - target), n))
        lower, upper = np.maximum(target - margin, 0), np.minimum(target + margin, 1)
    return _scale_limits(lower, upper, multiplier)


def ratio_limits(
    expected: ArrayLike, *, confidence: ArrayLike = INNER, method: PoissonMethod = "test", multiplier: float = 1.0
) -> Limits:
    """Exact Poisson control limits for observed over expected counts, around 1.

    Args:
        expected: Expected events, at least 0.
        confidence: Two-sided level between 0 and 1.
        method: "test": a branch lies outside just when the exact interval of its observed count leaves the expected one out, as
            PHEindicatormethods draws it. "interval": the exact interval of a count equal to the expected one, as FunnelPlotR.
        multiplier: 100 where the reference is called 100.

    Returns:
        Lower and upper limit, NaN where nothing is expected or it is missing. The lower limit is 0 where even no event would not
        be unusual.

    Raises:
        ValueError: A negative number, a level outside 0 to 1, an unknown method.

    Source: Spiegelhalter (2005), Stat Med 24:1185–1202; PHEindicatormethods ``calculate_funnel_limits`` (ratio, rate).
    """
    from scipy import special

    (e,) = to_floats(expected=expected)
    check_not_negative(expected=e)
    check_choice("method", method, ("test", "interval"))
    tail = upper_tail(confidence)
    count = np.where(e > 0, e, np.nan)
    if method == "test":  # counts between whole numbers, so that the line is smooth
        lower, upper = special.pdtrik(tail, count), special.pdtrik(1 - tail, count) + 1
    else:
        lower, upper = special.gammaincinv(count, tail), special.gammainccinv(count + 1, tail)
    return _scale_limits(lower / count, upper / count, multiplier)


def rate_limits(
    denominator: ArrayLike,
    centre: ArrayLike,
    *,
    confidence: ArrayLike = INNER,
    method: PoissonMethod = "test",
    multiplier: float = 1.0,
) -> Limits:
    """Exact Poisson control limits around a common rate.

    Args:
        denominator: What events are counted per, at least 0.
        centre: The common rate per one of it, at least 0 (``pool``).
        confidence, method: As in ``ratio_limits``.
        multiplier: 100000 for a rate per 100,000.

    Returns:
        Lower and upper limit, NaN where no event is expected or anything is missing.

    Raises:
        ValueError: As ``ratio_limits``.

    Source: as ``ratio_limits``.
    """
    n, target = to_floats(denominator=denominator, centre=centre)
    check_not_negative(denominator=n, centre=target)
    limits = ratio_limits(n * target, confidence=confidence, method=method)
    return _scale_limits(limits.lower * target, limits.upper * target, multiplier)


def adjusted_proportion_limits(
    denominator: ArrayLike, centre: ArrayLike, tau2: float, *, confidence: ArrayLike = INNER, multiplier: float = 1.0
) -> Limits:
    """Control limits around a common proportion with tau² (arcsine scale) added to the variance of chance.

    Returns:
        Lower and upper limit between 0 and 1 (FunnelPlotR's fold back from there), NaN where the denominator is 0 or missing.

    Source: Spiegelhalter et al. (2012), J R Stat Soc A 175:1–47; FunnelPlotR ``OD_limits`` for ``data_type="PR"``.
    """
    n, target = _check_centre(denominator, centre)
    angle = np.arcsin(np.sqrt(target))
    margin = critical_value(confidence) * np.sqrt(divide(np.ones_like(n), 4 * n) + tau2)
    lower, upper = (np.sin(np.clip(angle + side * margin, 0, np.pi / 2)) ** 2 for side in (-1, 1))
    return _scale_limits(lower, upper, multiplier)


def adjusted_ratio_limits(
    expected: ArrayLike, tau2: float, *, scale: Scale = "sqrt", confidence: ArrayLike = INNER, multiplier: float = 1.0
) -> Limits:
    """Control limits for observed over expected counts with tau² (on that scale) added to the variance of chance.

    Returns:
        Lower and upper limit, NaN where nothing is expected or it is missing.

    Source: as ``adjusted_proportion_limits``; log scale as FunnelPlotR ``sr_method="SHMI"``. On the square root scale limits are
    squared back to ratios, which FunnelPlotR's ``OD_limits`` leaves out.
    """
    (e,) = to_floats(expected=expected)
    check_not_negative(expected=e)
    check_choice("scale", scale, ("sqrt", "log"))
    error = divide(np.ones_like(e), np.sqrt(e)) / (2 if scale == "sqrt" else 1)
    margin = critical_value(confidence) * np.sqrt(error**2 + tau2)
    if scale == "log":
        return _scale_limits(np.exp(-margin), np.exp(margin), multiplier)
    return _scale_limits(np.maximum(1 - margin, 0) ** 2, (1 + margin) ** 2, multiplier)


def _check_centre(denominator: ArrayLike, centre: ArrayLike) -> tuple[Floats, Floats]:
    n, target = to_floats(denominator=denominator, centre=centre)
    check_not_negative(denominator=n, centre=target)
    if (target > 1).any():
        raise ValueError(f"centre: expected a proportion between 0 and 1, found {np.nanmax(target):g}")
    return n, target


def _scale_limits(lower: Floats, upper: Floats, multiplier: float) -> Limits:
    (factor,) = to_floats(multiplier=multiplier)
    check_positive(multiplier=factor)
    return Limits(unwrap(np.asarray(lower * factor)), unwrap(np.asarray(upper * factor)))


# --- labels ---------------------------------------------------------------------------------------------------------


def find_position(value: ArrayLike, *, inner: Limits, outer: Limits) -> str | NDArray[np.str_]:
    """Say where figures lie between their limits at 95 % and 99.8 %.

    Returns:
        A ``Position`` each; a figure on a limit is within it. "" where the figure or a limit is missing.

    Source: PHEindicatormethods ``assign_funnel_significance``, whose labels are Low and High (0.025, 0.001).
    """
    (figure,) = to_floats(value=value)
    cases = {
        Position.LOW_998: figure < outer.lower,
        Position.LOW_95: figure < inner.lower,
        Position.HIGH_998: figure > outer.upper,
        Position.HIGH_95: figure > inner.upper,
    }
    known = ~np.isnan(figure + inner.lower + inner.upper + outer.lower + outer.upper)
    labels = [np.str_(position.value) for position in (*cases, Position.WITHIN)]
    return unwrap(np.select([known & case for case in (*cases.values(), True)], labels, default=np.str_("")))
