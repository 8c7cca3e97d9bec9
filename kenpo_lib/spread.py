"""The funnel behind the comparison's columns: where its centre and its limits lie, for those who draw it."""

from __future__ import annotations

import numpy as np
import polars as pl

from kenpo_lib.stats.funnel import Funnel, adjusted_proportion_limits, proportion_funnel, proportion_limits
from kenpo_lib.stats.intervals import LEVELS

MIN_FUNNEL_BRANCHES = 10  # fewer say nothing about how much branches usually differ
STEPS = 60
_MARGIN = 1.15  # of the smallest and largest denominator, beyond which the curves end

CURVE_SCHEMA = {
    "denominator": pl.Float64,
    "level": pl.Float64,
    "is_adjusted": pl.Boolean,
    "lower": pl.Float64,
    "upper": pl.Float64,
}


def funnel_centre(national: float | None, national_kind: str | None) -> float | None:
    """The published nation as a share, which the branches of a group are compared with: those known may not be like the others.

    None where nothing is published: then the pooled share of the branches known.
    """
    return national / 100 if national_kind == "published" else None


def list_funnel_rows(values: pl.DataFrame) -> pl.DataFrame:
    """The rows that the comparison has placed in a funnel, by code; none where they are too few for one."""
    placed = values.filter(pl.col("funnel_z").is_not_null()).sort("branch_code")
    return placed if placed.height >= MIN_FUNNEL_BRANCHES else placed.clear()


def find_funnel(values: pl.DataFrame) -> Funnel | None:
    """Rebuild the funnel that the columns ``funnel_…`` come from, with its centre, limits and overdispersion (phi, tau²).

    Args:
        values: All rows of the comparison of one KPI, definition and year.

    Returns:
        One entry for each of ``list_funnel_rows``, in percent; None where there is no funnel (fewer than ten branches, or counts
        missing). A part of the group would give other limits.
    """
    rows = list_funnel_rows(values)
    if rows.is_empty():
        return None
    numerator, denominator = (rows[name].to_numpy().astype(float) for name in ("numerator", "denominator"))
    return proportion_funnel(
        numerator, denominator, centre=funnel_centre(rows["national"][0], rows["national_kind"][0]), multiplier=100
    )


def compute_funnel_curves(values: pl.DataFrame, *, steps: int = STEPS) -> pl.DataFrame:
    """The limits of a funnel over denominators from a little below the smallest branch to a little above the largest.

    Args:
        values: As for ``find_funnel``.
        steps: Points of each curve, in equal ratios.

    Returns:
        One row per ``denominator`` × ``level`` (0.95, 0.998) × ``is_adjusted`` (with the usual differences between branches
        added): ``lower``, ``upper`` in percent. Adjusted limits equal the others where there are no further differences.
        Without a funnel no rows.
    """
    funnel = find_funnel(values)
    if funnel is None:
        return pl.DataFrame(schema=CURVE_SCHEMA)
    sizes = list_funnel_rows(values)["denominator"]
    grid = np.geomspace(sizes.min() / _MARGIN, sizes.max() * _MARGIN, steps)
    centre, tau2 = funnel.centre / 100, funnel.overdispersion.tau2
    parts = []
    for level in LEVELS:
        plain = proportion_limits(grid, centre, confidence=level, multiplier=100)
        usual = plain
        if tau2 > 0:
            usual = adjusted_proportion_limits(grid, centre, tau2, confidence=level, multiplier=100)
        parts += [
            pl.DataFrame({"denominator": grid, "lower": limits.lower, "upper": limits.upper}).with_columns(
                pl.lit(level).alias("level"), pl.lit(is_adjusted).alias("is_adjusted")
            )
            for limits, is_adjusted in ((plain, False), (usual, True))
        ]
    return pl.concat(parts).select(*CURVE_SCHEMA)
