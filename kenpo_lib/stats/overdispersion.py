"""Do branches differ more than chance alone would make them, and by how much?

With denominators of 10⁵ nearly every branch lies outside plain control limits, because branches do differ. The extra variance
between them (tau²) is estimated from the bulk of the branches and added to that of chance; who still stands out does so beyond
the usual differences. Method of Spiegelhalter, as in FunnelPlotR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kenpo_lib.stats._arrays import (
    Floats,
    check_choice,
    check_not_negative,
    check_proportion,
    divide,
    rank_upwards,
    to_floats,
)
from kenpo_lib.stats._showing import Shown

TRIM = 0.1  # at each end, as Spiegelhalter and FunnelPlotR

Scale = Literal["sqrt", "log"]
Treatment = Literal["winsorise", "truncate", "none"]


@dataclass(frozen=True, slots=True)
class Scores(Shown):
    """Figures on a scale on which chance has the same spread whatever the figure.

    Attributes:
        effect: The figures on that scale.
        standard_error: What chance does to them.
        centre: What they are compared with, on that scale.
        z: Distance from the centre in standard errors. NaN where a figure is missing.
    """

    effect: Floats
    standard_error: Floats
    centre: float
    z: Floats


@dataclass(frozen=True, slots=True)
class Overdispersion(Shown):
    """How much more branches differ than by chance.

    Attributes:
        phi: Mean squared z-score; about 1 where there is nothing but chance. NaN with fewer than two branches.
        tau2: Variance between branches on the scale of the scores, never negative. NaN with fewer than two branches.
        branches: How many the two were estimated from.
    """

    phi: float
    tau2: float
    branches: int


def pool(numerators: ArrayLike, denominators: ArrayLike) -> float:
    """Sum of numerators over sum of denominators of all that have both; NaN where none has."""
    x, n = np.broadcast_arrays(*to_floats(numerators=numerators, denominators=denominators))
    known = ~np.isnan(x) & ~np.isnan(n)
    return float(divide(x[known].sum(), n[known].sum()))


def proportion_scores(numerators: ArrayLike, denominators: ArrayLike, *, centre: float | None = None) -> Scores:
    """Put proportions on the arcsine scale, on which their variance does not depend on the proportion.

    Args:
        numerators, denominators: Counts of at least 0, one entry per branch.
        centre: The proportion to compare with, between 0 and 1; the pooled one by default.

    Returns:
        arcsin √p with standard error 1 ÷ 2√n. NaN where a count is missing or the denominator is 0.

    Raises:
        ValueError: Negative counts, a numerator above its denominator, a centre outside 0 to 1.

    Source: Spiegelhalter et al. (2012), J R Stat Soc A 175:1–47; same scale as FunnelPlotR ``data_type="PR"``.
    """
    x, n = np.broadcast_arrays(*to_floats(numerators=numerators, denominators=denominators))
    check_proportion(x, n)
    target = pool(x, n) if centre is None else float(centre)
    if target < 0 or target > 1:
        raise ValueError(f"centre: expected a proportion between 0 and 1, found {target:g}")
    return _score(
        np.arcsin(np.sqrt(divide(x, n))), divide(np.ones_like(n), 2 * np.sqrt(n)), float(np.arcsin(np.sqrt(target)))
    )


def ratio_scores(observed: ArrayLike, expected: ArrayLike, *, scale: Scale = "sqrt") -> Scores:
    """Put ratios of observed to expected counts on the square root scale, or on the log scale.

    Args:
        observed, expected: Counts of at least 0, one entry per branch.
        scale: "sqrt", or "log" as in England's hospital mortality indicator.

    Returns:
        √(O/E) with standard error 1 ÷ 2√E around 1, or log(O/E) with standard error 1 ÷ √E around 0. NaN where a count is missing
        or nothing is expected, and on the log scale also where nothing is observed.

    Raises:
        ValueError: Negative counts, an unknown scale.

    Source: Spiegelhalter (2005), Stat Med 24:1185–1202; same scales as FunnelPlotR ``sr_method="CQC"`` and ``"SHMI"``.
    """
    o, e = np.broadcast_arrays(*to_floats(observed=observed, expected=expected))
    check_not_negative(observed=o, expected=e)
    check_choice("scale", scale, ("sqrt", "log"))
    ratio, error = divide(o, e), divide(np.ones_like(e), np.sqrt(e))
    if scale == "sqrt":
        return _score(np.sqrt(ratio), error / 2, 1.0)
    return _score(np.log(np.where(ratio > 0, ratio, np.nan)), error, 0.0)


def _score(effect: Floats, error: Floats, centre: float) -> Scores:
    return Scores(effect, error, centre, divide(effect - centre, error))


def winsorise(z: ArrayLike, *, trim: float = TRIM) -> Floats:
    """Pull the outermost scores in to the quantiles at ``trim`` and ``1 − trim``, so that outliers do not excuse themselves.

    Returns:
        Scores in the same order; NaN stays NaN. All equal, or one only: unchanged.

    Raises:
        ValueError: A trim outside 0 to 0.5.

    Source: Spiegelhalter et al. (2012); same quantiles (R's type 7) as FunnelPlotR ``winsorisation``.
    """
    (scores,) = to_floats(z=z)
    _check_trim(trim)
    known = scores[~np.isnan(scores)]
    if not known.size:
        return scores.copy()
    return np.clip(scores, *np.quantile(known, [trim, 1 - trim]))


def truncate(z: ArrayLike, *, trim: float = TRIM) -> Floats:
    """Set the scores of the outermost groups to NaN, groups being cut by rank into 1 ÷ trim parts.

    Returns:
        Scores in the same order; NaN where left out or missing. With few branches a group may be empty.

    Raises:
        ValueError: A trim outside 0 to 0.5.

    Source: NHS Digital, SHMI specification; same cut as FunnelPlotR ``truncation``.
    """
    (scores,) = to_floats(z=z)
    _check_trim(trim)
    known = ~np.isnan(scores)
    groups = 1 / trim if trim else np.inf
    kept = np.full(scores.shape, np.nan)
    if known.any() and trim:
        group = np.floor(rank_upwards(scores[known], ties="average") * groups / (known.sum() + 1))
        kept[known] = np.where((group > 0) & (group < groups - 1), scores[known], np.nan)
        return kept
    return scores.copy()


def _check_trim(trim: float) -> None:
    if not 0 <= trim < 0.5:
        raise ValueError(f"trim: expected a share from 0 to below 0.5 at each end, found {trim:g}")


def estimate_overdispersion(
    scores: Scores, *, trim: float = TRIM, treatment: Treatment = "winsorise"
) -> Overdispersion:
    """Estimate how much more branches differ than by chance (phi, tau²).

    Args:
        scores: As from ``proportion_scores`` or ``ratio_scores``.
        trim: Share treated at each end.
        treatment: "winsorise", "truncate" or "none".

    Returns:
        phi and the DerSimonian–Laird tau², 0 where branches differ no more than by chance. NaN with fewer than two branches.

    Raises:
        ValueError: An unknown treatment, a trim outside 0 to 0.5.

    Source: DerSimonian & Laird (1986), Control Clin Trials 7:177–188; Spiegelhalter (2005), Qual Saf Health Care 14:347–351;
    same as FunnelPlotR ``phi_func`` and ``tau_func``.
    """
    check_choice("treatment", treatment, ("winsorise", "truncate", "none"))
    treat = {"winsorise": winsorise, "truncate": truncate, "none": lambda z, trim: np.asarray(z)}[treatment]
    z = treat(scores.z, trim=trim)
    known = ~np.isnan(z)
    number = int(known.sum())
    if number < 2:
        return Overdispersion(np.nan, np.nan, number)
    phi = float(np.mean(z[known] ** 2))
    weights = 1 / scores.standard_error[known] ** 2
    effective = weights.sum() - (weights**2).sum() / weights.sum()
    return Overdispersion(phi, max(0.0, float((number * phi - (number - 1)) / effective)), number)
