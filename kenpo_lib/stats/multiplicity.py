"""Who still stands out after so many comparisons? Among 47 branches × 30 KPIs chance alone would flag about 70 at 5 %."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kenpo_lib.stats._arrays import Floats, to_floats, unwrap


def two_sided_p(z: ArrayLike) -> float | Floats:
    """How often chance alone would bring a score at least as far from 0, by the normal distribution.

    Args:
        z: Distances in standard errors, such as those of a funnel.

    Returns:
        p between 0 and 1, NaN for NaN; scalar or array as given.

    Raises:
        ValueError: An infinite or non-numeric score.

    Source: standard normal distribution.
    """
    from scipy import special

    (score,) = to_floats(z=z)
    return unwrap(np.asarray(2 * special.ndtr(-np.abs(score))))


def adjust_p_values(p_values: ArrayLike) -> float | Floats:
    """Adjust p values so that flagging all up to 0.05 makes at most one flag in twenty a false one, on average.

    Args:
        p_values: All comparisons that are flagged together (branches × KPIs), an array of any shape; NaN where there was none.

    Returns:
        Adjusted p (Benjamini–Hochberg) in the same places, never below the p given. NaN stays NaN and does not count as a
        comparison; all NaN, or nothing at all: the same.

    Raises:
        ValueError: A p outside 0 to 1.

    Source: Benjamini & Hochberg (1995), J R Stat Soc B 57:289–300; same as scipy ``false_discovery_control``. Holds for
    comparisons that are independent or positively related.
    """
    (p,) = to_floats(p_values=p_values)
    if ((p < 0) | (p > 1)).any():
        raise ValueError("p_values: expected numbers between 0 and 1")
    known = ~np.isnan(p)
    adjusted = np.full(p.shape, np.nan)
    if known.any():
        order = np.argsort(p[known], kind="stable")
        scaled = p[known][order] * (order.size / np.arange(1, order.size + 1))
        # Never above the next larger one: what is flagged at a level takes all smaller p along.
        stepped = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
        adjusted[known] = stepped[np.argsort(order, kind="stable")]
    return unwrap(adjusted)
