"""Funnel plots: which branches lie farther from the common value than their size explains?

Each funnel stands twice, side by side: with limits for chance alone, and with the differences that branches usually have
(``overdispersion``) allowed for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kenpo_lib.stats._arrays import Floats, check_not_negative, divide, to_floats
from kenpo_lib.stats._showing import Shown
from kenpo_lib.stats.funnel_limits import (
    Limits,
    PoissonMethod,
    Position,
    ProportionMethod,
    adjusted_proportion_limits,
    adjusted_ratio_limits,
    find_position,
    proportion_limits,
    rate_limits,
    ratio_limits,
)
from kenpo_lib.stats.intervals import LEVELS
from kenpo_lib.stats.overdispersion import (
    TRIM,
    Overdispersion,
    Scale,
    Scores,
    Treatment,
    estimate_overdispersion,
    pool,
    proportion_scores,
    ratio_scores,
)

__all__ = [
    "Funnel",
    "Limits",
    "Position",
    "adjusted_proportion_limits",
    "adjusted_ratio_limits",
    "find_position",
    "pool",
    "proportion_funnel",
    "proportion_limits",
    "rate_funnel",
    "rate_limits",
    "ratio_funnel",
    "ratio_limits",
]


@dataclass(frozen=True, slots=True)
class Funnel(Shown):
    """A funnel with one entry per branch, without and with overdispersion side by side.

    Attributes:
        value, centre: The figures and what they are compared with, times the multiplier.
        z: Distance from the centre in standard errors, on the scale of the scores.
        inner, outer: Limits at 95 % and 99.8 % for chance alone.
        position: A ``Position`` each, "" where a figure is missing.
        adjusted_z, adjusted_inner, adjusted_outer, adjusted_position: The same with the usual differences between branches
            added. Equal to those for chance alone where there are no further differences (tau² of 0); NaN and "" where tau²
            cannot be had (fewer than two branches).
        overdispersion: phi and tau².
    """

    value: Floats
    centre: float
    z: Floats
    inner: Limits
    outer: Limits
    position: NDArray[np.str_]
    adjusted_z: Floats
    adjusted_inner: Limits
    adjusted_outer: Limits
    adjusted_position: NDArray[np.str_]
    overdispersion: Overdispersion


def proportion_funnel(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    centre: float | None = None,
    method: ProportionMethod = "normal",
    trim: float = TRIM,
    multiplier: float = 1.0,
) -> Funnel:
    """Place branches in a funnel of proportions, overdispersion estimated on the arcsine scale.

    Args:
        numerators, denominators: Counts of at least 0, one entry per branch.
        centre: The proportion to compare with, between 0 and 1; the pooled one by default.
        method: As in ``proportion_limits``.
        trim: Share of scores winsorised at each end.
        multiplier: 100 for percent.

    Returns:
        A ``Funnel``. A branch without counts has NaN and "" and takes no part. All equal: all within.

    Raises:
        ValueError: As ``proportion_scores`` and ``proportion_limits``.

    Source: as those two; "with and without" as FunnelPlotR ``draw_adjusted`` and ``draw_unadjusted``.
    """
    x, n = np.broadcast_arrays(*to_floats(numerators=numerators, denominators=denominators))
    scores = proportion_scores(x, n, centre=centre)
    target = pool(x, n) if centre is None else float(centre)
    found = estimate_overdispersion(scores, trim=trim)
    plain = [proportion_limits(n, target, confidence=level, method=method, multiplier=multiplier) for level in LEVELS]
    adjusted = [
        adjusted_proportion_limits(n, target, found.tau2, confidence=level, multiplier=multiplier) for level in LEVELS
    ]
    return _make_funnel(divide(x, n) * multiplier, target * multiplier, scores, found, plain, adjusted)


def ratio_funnel(
    observed: ArrayLike,
    expected: ArrayLike,
    *,
    method: PoissonMethod = "test",
    scale: Scale = "sqrt",
    treatment: Treatment = "winsorise",
    trim: float = TRIM,
    multiplier: float = 1.0,
) -> Funnel:
    """Place branches in a funnel of observed over expected counts, around 1.

    Args:
        observed, expected: Counts of at least 0, one entry per branch.
        method: As in ``ratio_limits``.
        scale, treatment, trim: How overdispersion is estimated; scale "log" with treatment "truncate" is that of SHMI.
        multiplier: 100 where the reference is called 100.

    Returns:
        A ``Funnel``. A branch without counts has NaN and "" and takes no part.

    Raises:
        ValueError: As ``ratio_scores``, ``ratio_limits`` and ``estimate_overdispersion``.

    Source: as those.
    """
    o, e = np.broadcast_arrays(*to_floats(observed=observed, expected=expected))
    scores = ratio_scores(o, e, scale=scale)
    found = estimate_overdispersion(scores, trim=trim, treatment=treatment)
    plain = [ratio_limits(e, confidence=level, method=method, multiplier=multiplier) for level in LEVELS]
    adjusted = [
        adjusted_ratio_limits(e, found.tau2, scale=scale, confidence=level, multiplier=multiplier) for level in LEVELS
    ]
    return _make_funnel(divide(o, e) * multiplier, multiplier, scores, found, plain, adjusted)


def rate_funnel(
    counts: ArrayLike,
    denominators: ArrayLike,
    *,
    centre: float | None = None,
    method: PoissonMethod = "test",
    trim: float = TRIM,
    multiplier: float = 1.0,
) -> Funnel:
    """Place branches in a funnel of rates: each is compared with the events that the common rate makes expected.

    Args:
        counts, denominators: At least 0, one entry per branch; counts may be above their denominators.
        centre: The rate per one of the denominator to compare with; the pooled one by default.
        method: As in ``ratio_limits``.
        trim: Share of scores (square root scale) winsorised at each end.
        multiplier: 100000 for a rate per 100,000.

    Returns:
        A ``Funnel``. A branch without counts has NaN and "" and takes no part. Where no event happened anywhere the centre is 0, and
        there are neither limits nor positions.

    Raises:
        ValueError: As ``ratio_funnel``; a negative centre.

    Source: as ``ratio_funnel``.
    """
    x, n = np.broadcast_arrays(*to_floats(counts=counts, denominators=denominators))
    check_not_negative(counts=x, denominators=n)
    target = pool(x, n) if centre is None else float(centre)
    check_not_negative(centre=np.asarray(target))
    has_centre = target > 0
    funnel = ratio_funnel(
        x,
        n * (target if has_centre else np.nan),
        method=method,
        trim=trim,
        multiplier=target * multiplier if has_centre else multiplier,
    )
    return replace(funnel, value=divide(x, n) * multiplier, centre=target * multiplier)


def _make_funnel(
    value: Floats, centre: float, scores: Scores, found: Overdispersion, plain: list[Limits], adjusted: list[Limits]
) -> Funnel:
    if found.tau2 == 0:
        adjusted = plain
    variance = scores.standard_error**2 + found.tau2
    return Funnel(
        value=value,
        centre=centre,
        z=scores.z,
        inner=plain[0],
        outer=plain[1],
        position=find_position(value, inner=plain[0], outer=plain[1]),
        adjusted_z=divide(scores.effect - scores.centre, np.sqrt(variance)),
        adjusted_inner=adjusted[0],
        adjusted_outer=adjusted[1],
        adjusted_position=find_position(value, inner=adjusted[0], outer=adjusted[1]),
        overdispersion=found,
    )
