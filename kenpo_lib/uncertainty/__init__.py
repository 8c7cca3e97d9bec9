"""How sure the comparison is: adds columns to it, never rows, and one verdict per cell.

What needs counts is computed where counts are published and is null, with a reason, everywhere else: no interval without counts.
Statistical difference (is it more than chance?) and practical difference (does it matter?) are two columns. With denominators
of 10⁵ nearly everything is significant and little of it matters.
"""

from __future__ import annotations

import polars as pl

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.uncertainty.cells import describe_change, describe_intervals, describe_pace
from kenpo_lib.uncertainty.groups import describe_groups
from kenpo_lib.uncertainty.trend import describe_trend
from kenpo_lib.uncertainty.verdict import describe_verdict
from kenpo_lib.uncertainty.years import describe_rank_movement

__all__ = ["add_uncertainty"]

# What the parts need of the comparison; the rest of its columns, texts mostly, is not carried through the joins.
_USED = (
    *("branch_code", "kpi_id", "definition", "fiscal_year", "unit", "value", "numerator", "denominator"),
    *("national", "national_kind", "national_difference", "national_judgement", "prior_difference", "prior_judgement"),
    *("rank", "ranked_count", "interim_value", "interim_as_of", "target_rule", "target_threshold"),
)


def add_uncertainty(frame: pl.DataFrame, catalogue: Catalogue, *, weights: pl.DataFrame) -> pl.DataFrame:
    """Add intervals, changes, trends, rank intervals, funnel positions, shrunken values and the verdicts.

    Args:
        frame: The comparison of the branches without the nation.
        catalogue: Proportions, directions and the differences that matter.
        weights: ``kpi_id``, ``branch_code``, ``fiscal_year``, ``weight``: the stated proxy of the denominators.

    Returns:
        The same rows in the same order with the columns described in ``docs/data_dictionary.md``. Nothing here is computed for
        a value without published counts but its rank movement, its quantile group and the nation without it.
    """
    branches = len(catalogue.branch_codes)
    cells = _pick_cells(frame, catalogue, weights)
    parts = [
        describe_intervals(cells),
        describe_change(cells),
        describe_trend(cells),
        describe_groups(cells, branches=branches),
        describe_rank_movement(cells, branches=branches),
        describe_pace(cells, catalogue),
    ]
    verdict = describe_verdict(pl.concat([cells, *parts], how="horizontal"), catalogue)
    return pl.concat([frame, *parts, verdict], how="horizontal")


def _pick_cells(frame: pl.DataFrame, catalogue: Catalogue, weights: pl.DataFrame) -> pl.DataFrame:
    """What the parts need, in the order of the frame, with ``sign``, ``is_proportion``, ``is_counted`` and ``weight``."""
    proportions = [kpi.kpi_id for kpi in catalogue.kpis.values() if kpi.proportion]
    sign = pl.col("direction").replace_strict(
        {"higher_is_better": 1, "lower_is_better": -1, "neither": 0}, return_dtype=pl.Int8
    )
    is_proportion = pl.col("kpi_id").is_in(proportions)
    is_counted = (
        is_proportion
        & pl.col("value").is_not_null()
        & pl.col("numerator").is_between(0, pl.col("denominator"))
        & (pl.col("denominator") > 0)
    )
    return frame.select(
        *_USED,
        sign.alias("sign"),
        is_proportion.alias("is_proportion"),
        is_counted.fill_null(False).alias("is_counted"),
    ).join(weights, on=["kpi_id", "branch_code", "fiscal_year"], how="left", maintain_order="left")
