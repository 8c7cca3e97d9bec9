"""How much is known: branches × KPIs × years, with counts, targets and the national figure."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from kenpo_lib.catalogue import Kpi

CELL_SCHEMA = {
    "branch_code": pl.String,
    "kpi_id": pl.String,
    "definition": pl.String,
    "state": pl.String,
    "has_counts": pl.Boolean,
    "has_target": pl.Boolean,
    "national_kind": pl.String,
}


def list_cells(frame: pl.DataFrame, kpis: Mapping[str, Kpi], *, fiscal_year: int) -> pl.DataFrame:
    """What is known of every branch and KPI in one year, under the definition in force.

    Args:
        frame: The comparison of the branches, or the nation's own rows.
        kpis: The KPIs to look at.
        fiscal_year: Western year of its April.

    Returns:
        One row per ``branch_code`` × ``kpi_id`` of which anything is known: ``state`` (``final`` · ``interim`` · ``pending`` ·
        ``missing``, where there is a target only), ``has_counts`` (numerator and denominator of a final value), ``has_target``,
        ``national_kind`` of the figure that the branch is compared with. A branch and KPI without a row has nothing.
    """
    in_force = [
        (kpi.kpi_id, definition.definition)
        for kpi in kpis.values()
        if (definition := kpi.definition_in_force(fiscal_year))
    ]
    keys = pl.DataFrame(in_force, schema={"kpi_id": pl.String, "definition": pl.String}, orient="row")
    has_counts = pl.col("value").is_not_null() & pl.col("numerator").is_not_null() & pl.col("denominator").is_not_null()
    return (
        frame.filter(pl.col("fiscal_year") == fiscal_year)
        .join(keys, on=["kpi_id", "definition"], how="semi")
        .with_columns(
            pl.col("status").alias("state"),
            has_counts.alias("has_counts"),
            pl.col("target_rule").is_not_null().alias("has_target"),
        )
        .select(*CELL_SCHEMA)
        .sort("kpi_id", "branch_code")
    )


def count_by_kpi(cells: pl.DataFrame) -> dict[str, dict[str, int]]:
    """How many branches of each KPI are in each state, have counts and have a target; a KPI without cells is left out.

    Args:
        cells: From ``list_cells``.

    Returns:
        By ``kpi_id``: ``final``, ``interim``, ``pending``, ``counts``, ``targets``.
    """
    counted = cells.group_by("kpi_id").agg(
        *((pl.col("state") == state).sum().alias(state) for state in ("final", "interim", "pending")),
        pl.col("has_counts").sum().alias("counts"),
        pl.col("has_target").sum().alias("targets"),
    )
    return {row.pop("kpi_id"): row for row in counted.to_dicts()}


def count_by_year(comparison: pl.DataFrame, nation: pl.DataFrame) -> pl.DataFrame:
    """How many branches have a final value of each KPI in each year, under whichever definition.

    Returns:
        One row per ``kpi_id`` × ``fiscal_year`` of which a branch or the nation has a final value: ``branches``,
        ``has_nation`` (a published figure).
    """
    key = ["kpi_id", "fiscal_year"]
    is_known = pl.col("value").is_not_null()
    branches = comparison.filter(is_known).group_by(key).agg(pl.col("branch_code").n_unique().alias("branches"))
    published = nation.filter(is_known).select(*key, pl.lit(True).alias("has_nation")).unique()
    joined = branches.join(published, on=key, how="full", coalesce=True)
    return joined.with_columns(pl.col("branches").fill_null(0), pl.col("has_nation").fill_null(False)).sort(key)
