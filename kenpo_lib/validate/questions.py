"""Parts of questions that several tables are asked: what is surely true, what could be printed so, what the catalogue says."""

from __future__ import annotations

import polars as pl

from kenpo_lib.catalogue import NATION, Catalogue
from kenpo_lib.grain import GROUP

ROW = "check_row"  # the number of a row, by which the suites name it
TINY = 1e-9  # binary fractions: 58.449999… is 58.45


def surely(condition: pl.Expr) -> pl.Expr:
    """True only where it is known to be true: a question that cannot be answered is not passed."""
    return condition.fill_null(False)


def are_finite(*columns: str) -> pl.Expr:
    """``check_is_finite``: each of these figures is null or a number."""
    finite = pl.all_horizontal(pl.col(column).is_finite().fill_null(True) for column in columns)
    return finite.alias("check_is_finite")


def place_words() -> pl.Expr:
    """The source of a row and the place in it."""
    return pl.concat_str("source_id", "locator", separator=" / ", ignore_nulls=True)


def add_kpi_columns(frame: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """What the catalogue says of each row's KPI, and whether it knows the row's definition in the row's year."""
    kpis = pl.DataFrame(
        [
            {
                "kpi_id": kpi.kpi_id,
                "check_unit": kpi.unit.value,
                "check_plausible_range": f"{kpi.plausible_min:g}～{kpi.plausible_max:g}",
                "_decimals": kpi.decimals,
                "_is_total": kpi.unit.is_total,
                "_is_proportion": kpi.proportion,
                "_plausible_min": kpi.plausible_min,
                "_plausible_max": kpi.plausible_max,
                "_jump": kpi.jump,
                "_jump_is_percent": kpi.jump_is_percent,
                "_own_branch": kpi.branch_code,
                "_sign": kpi.direction.sign,
            }
            for kpi in catalogue.kpis.values()
        ],
        infer_schema_length=None,
    )
    series = frame.select(GROUP).unique().drop_nulls()
    known = series.filter([_holds(catalogue, *group) for group in series.iter_rows()])
    return (
        frame.join(kpis, on="kpi_id", how="left")
        .join(known.with_columns(pl.lit(True).alias("_known")), on=GROUP, how="left")
        .with_columns(
            surely(pl.col("_known")).alias("check_is_known_definition"),
            surely(pl.col("_own_branch").is_null() | (pl.col("_own_branch") == pl.col("branch_code"))).alias(
                "check_is_of_own_branch"
            ),
        )
    )


def _holds(catalogue: Catalogue, kpi_id: str, definition: str, fiscal_year: int) -> bool:
    kpi = catalogue.kpis.get(kpi_id)
    return kpi is not None and definition in kpi.definitions and kpi.definitions[definition].holds_in(fiscal_year)


def is_plausible(column: str) -> pl.Expr:
    """Null, or within the catalogue's range; the nation's sum of counts has no upper bound."""
    value = pl.col(column)
    is_sum = (pl.col("branch_code") == NATION) & pl.col("_is_total")
    inside = (value >= pl.col("_plausible_min")) & (is_sum | (value <= pl.col("_plausible_max")))
    return value.is_null() | surely(inside)


def could_print(printed: pl.Expr, unit: pl.Expr, *, low: pl.Expr, high: pl.Expr) -> pl.Expr:
    """True if some number from low to high is printed so, rounded half up or cut off: sources do both (99.997 → 99.99)."""
    return (high >= printed - unit / 2 - TINY) & (low < printed + unit - TINY)


def in_units(value: pl.Expr, decimals: pl.Expr) -> pl.Expr:
    """The value rounded half up, counted in units of its last decimal: 29.35 with one decimal is 294."""
    scaled = value * pl.lit(10.0) ** decimals
    return scaled.sign() * (scaled.abs() + 0.5 + TINY).floor()
