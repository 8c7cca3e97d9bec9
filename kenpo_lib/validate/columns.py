"""What the curated tables can be asked: pure polars, one column per question, so that suites stay plain."""

from __future__ import annotations

import polars as pl

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.curated import SCHEMAS, Tables, empty_table
from kenpo_lib.validate.completeness import COMPLETENESS, IS_WHOLE, compute_completeness
from kenpo_lib.validate.observation_columns import check_observations
from kenpo_lib.validate.questions import ROW, are_finite, could_print, surely
from kenpo_lib.validate.target_columns import check_superseded_targets, check_targets

CHECKED_TABLES = (*SCHEMAS, COMPLETENESS)


def add_check_columns(tables: Tables, catalogue: Catalogue) -> dict[str, pl.DataFrame]:
    """Each table with its row number and the columns that its suite asks about.

    A column ``check_is_…``, ``check_has_…``, ``check_agrees_…`` is true or false and never null (true where it does not
    apply); others are figures or texts, null where they do not apply.

    Args:
        tables: The curated tables; they are not changed.
        catalogue: Definitions, units, plausible ranges and jumps.

    Returns:
        The same rows in the same order under the same names, plus ``completeness`` (one row per series and fiscal year that
        must be known for all 47 branches). A table that lacks a column gets its row number only, so that every question
        about it ends as an error and not as a pass.
    """
    usable = {name: tables[name] if has_schema(name, tables[name]) else empty_table(name) for name in SCHEMAS}
    derive = {
        "observations": check_observations,
        "targets": check_targets,
        "superseded_targets": check_superseded_targets,
        "budgets": _check_budgets,
        "statistics": _check_statistics,
    }
    frames: dict[str, pl.DataFrame] = {}
    for name in SCHEMAS:
        frame = tables[name].with_row_index(ROW)
        if has_schema(name, tables[name]):
            if name in derive:
                frame = derive[name](frame, usable, catalogue).sort(ROW)
            if "source_id" in frame.columns and name != "sources":
                frame = frame.with_columns(_is_known_source(usable["sources"]))
        frames[name] = frame
    frames[COMPLETENESS] = compute_completeness(usable, catalogue).with_row_index(ROW)
    return frames


def has_schema(name: str, frame: pl.DataFrame) -> bool:
    """True if the frame has every column of the curated table, in its type."""
    return all(frame.schema.get(column) == kind for column, kind in SCHEMAS[name].columns.items())


def _is_known_source(sources: pl.DataFrame) -> pl.Expr:
    return surely(pl.col("source_id").is_in(sources["source_id"].to_list())).alias("check_is_known_source")


def _check_budgets(frame: pl.DataFrame, tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    budget, executed, printed = (
        pl.col(column) for column in ("budget_thousand_yen", "executed_thousand_yen", "printed_rate_pct")
    )
    # The table does not keep how the rate was printed; its shortest spelling tells (70.82 has two decimals).
    decimals = printed.map_elements(lambda rate: len(repr(rate).partition(".")[2]), return_dtype=pl.Int32)
    low = 100 * (executed - 0.5) / (budget + 0.5)
    high = 100 * (executed + 0.5) / (budget - 0.5)
    has_all = printed.is_finite() & executed.is_finite() & (budget > 0.5)
    follows = could_print(printed, pl.lit(10.0) ** -decimals, low=low, high=high)
    return frame.with_columns(
        are_finite("budget_thousand_yen", "executed_thousand_yen", "printed_rate_pct"),
        (~surely(has_all) | surely(follows)).alias("check_agrees_with_amounts"),
        pl.when(has_all).then((100 * executed / budget).round(2)).alias("check_ratio"),
        (pl.col("kpi_id").is_null() | surely(pl.col("kpi_id").is_in(list(catalogue.kpis)))).alias("check_is_known_kpi"),
    )


def _check_statistics(frame: pl.DataFrame, tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    """Add, on the row of the total, how the subscribers split by age and by insured and dependents."""
    key = ["branch_code", "fiscal_year", "as_of", "source_id"]
    is_band = (pl.col("statistic") == "subscribers") & ~IS_WHOLE
    bands = (
        frame.filter(is_band)
        .group_by(key)
        .agg(pl.col("value").sum().alias("_sum_of_bands"), pl.len().cast(pl.Int32).alias("check_age_bands"))
        .with_columns(pl.lit("subscribers").alias("statistic"), pl.lit("total").alias("component"))
    )
    kinds = ["insured_persons", "dependents"]
    both = (
        frame.filter(pl.col("statistic").is_in(kinds) & IS_WHOLE)
        .group_by(key)
        .agg(pl.col("value").sum().alias("_sum_of_kinds"), pl.col("statistic").n_unique().alias("_kinds"))
        .filter(pl.col("_kinds") == len(kinds))
        .with_columns(pl.lit("subscribers").alias("statistic"), pl.lit("total").alias("component"))
        .drop("_kinds")
    )
    on = [*key, "statistic", "component"]
    return (
        frame.join(bands, on=on, how="left", nulls_equal=True)
        .join(both, on=on, how="left", nulls_equal=True)
        .with_columns(
            are_finite("value"),
            (pl.col("value") - pl.col("_sum_of_bands")).round(3).alias("check_age_band_gap"),
            (pl.col("value") - pl.col("_sum_of_kinds")).round(3).alias("check_insured_and_dependents_gap"),
        )
        .select(~pl.selectors.starts_with("_"))
    )
