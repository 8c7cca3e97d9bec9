"""What is known of each cell: the value that counts, what other sources say instead, and what is still open.

A cell is a branch, KPI, definition and fiscal year. The newest source counts; nothing is compared here.
"""

from __future__ import annotations

import polars as pl

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.curated import Tables
from kenpo_lib.grain import CELL


def list_known(tables: Tables, catalogue: Catalogue) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All cells of which anything is known, and the final values alone.

    Args:
        tables: The curated tables.
        catalogue: Units, decimals and directions of the KPIs, names of the branches.

    Returns:
        One row per cell, the nation among them: what the catalogue says of its KPI and branch, ``value`` with its counts and source,
        ``conflicts``, ``interim_…``, ``pending_…`` and ``status`` (final, interim, pending, missing). And one row per cell that has
        a final value, with ``value``, ``printed_decimals``, counts, source and ``conflicts``.
    """
    observations = _order_sources(tables["observations"], tables["sources"])
    finals = _pick_finals(observations)
    cells = (
        _list_cells(observations, tables["targets"])
        .join(_catalogue_columns(catalogue), on="kpi_id", how="inner")
        .join(_branch_columns(catalogue), on="branch_code", how="inner")
        .join(finals, on=CELL, how="left")
        .join(_pick_open_values(observations), on=CELL, how="left")
        .pipe(_add_status)
    )
    return cells, finals


def _order_sources(observations: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Whole-KPI observations, those of the newest source first within each key."""
    return (
        observations.filter(pl.col("component") == "total")
        .join(sources.select("source_id", "order_date"), on="source_id", how="left")
        .sort("order_date", "source_id", descending=True)
    )


def _pick_finals(observations: pl.DataFrame) -> pl.DataFrame:
    """One final value per cell, the newest source's; values of other sources that differ are listed beside it."""
    finals = observations.filter(
        (pl.col("status") == "final") & (pl.col("period") == "FY") & pl.col("value").is_not_null()
    )
    differing = pl.col("value") != pl.col("value").first()
    # Counts may stand in another document than the value; they belong to it only if the value is the same, and to each
    # other only if they come from one document.
    has_counts = ~differing & pl.col("numerator").is_not_null() & pl.col("denominator").is_not_null()
    counts = (
        pl.coalesce(pl.col(name).filter(has_counts).first(), pl.col(name).first()).alias(name)
        for name in ("numerator", "denominator")
    )
    return (
        finals.group_by(CELL, maintain_order=True)
        .agg(
            pl.col("value", "decimals", "source_id", "locator", "note").first(),
            *counts,
            pl.struct("value", "source_id", "locator").filter(differing).alias("conflicts"),
        )
        .rename({"decimals": "printed_decimals"})
    )


def _pick_open_values(observations: pl.DataFrame) -> pl.DataFrame:
    """The latest interim value per cell, and why a value is still pending."""
    is_interim = (pl.col("status") == "interim") & pl.col("value").is_not_null()
    return (
        observations.filter(is_interim | (pl.col("status") == "pending"))
        .with_columns((pl.col("period") == "YTD").alias("_cumulative"))  # says more than its last month alone
        .sort("as_of", "_cumulative", descending=True, nulls_last=True, maintain_order=True)
        .group_by(CELL, maintain_order=True)
        .agg(
            *(
                pl.col(column).filter(pl.col("status") == "interim").first().alias(f"interim_{column}")
                for column in ("value", "as_of", "period", "source_id", "locator")
            ),
            pl.col("note").filter(pl.col("status") == "pending").first().alias("pending_note"),
            pl.col("source_id").filter(pl.col("status") == "pending").first().alias("pending_source_id"),
            (pl.col("status") == "pending").any().alias("is_pending"),
        )
    )


def _list_cells(observations: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    known = observations.filter(pl.col("value").is_not_null() | (pl.col("status") == "pending"))
    return pl.concat([known.select(CELL), targets.select(CELL)]).unique(maintain_order=True)


def _catalogue_columns(catalogue: Catalogue) -> pl.DataFrame:
    kpis = catalogue.kpis.values()
    return pl.DataFrame(
        {
            "kpi_id": [kpi.kpi_id for kpi in kpis],
            "order": [kpi.order for kpi in kpis],
            "unit": [kpi.unit.value for kpi in kpis],
            "decimals": [kpi.decimals for kpi in kpis],
            "sign": [kpi.direction.sign for kpi in kpis],
            "direction": [kpi.direction.value for kpi in kpis],
            "proportion": [kpi.proportion for kpi in kpis],
        },
        schema_overrides={"proportion": pl.Boolean, "decimals": pl.Int32, "order": pl.Int32, "sign": pl.Int32},
    )


def _branch_columns(catalogue: Catalogue) -> pl.DataFrame:
    return pl.DataFrame(
        [(b.branch_code, b.name.ja, b.block.ja) for b in catalogue.branches.values()],
        schema=["branch_code", "branch_name", "block"],
        orient="row",
    )


def _add_status(frame: pl.DataFrame) -> pl.DataFrame:
    status = (
        pl.when(pl.col("value").is_not_null())
        .then(pl.lit("final"))
        .when(pl.col("interim_value").is_not_null())
        .then(pl.lit("interim"))
        .when(pl.col("is_pending").fill_null(False))
        .then(pl.lit("pending"))
        .otherwise(pl.lit("missing"))
    )
    return frame.with_columns(status.alias("status")).drop("is_pending")
