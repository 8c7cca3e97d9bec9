"""How much each branch moved the national figure since the year before: by its rate, and by its size."""

from __future__ import annotations

import numpy as np
import polars as pl

from kenpo_lib.catalogue import Catalogue, Kpi, Unit
from kenpo_lib.curated import Tables
from kenpo_lib.proxies import proxy_weights
from kenpo_lib.stats.contribution import Contribution, contribution_of_counts, contribution_of_rates

MOST_MOVERS = 10
OTHERS = "others"

SCHEMA = {
    **dict.fromkeys(("branch_code", "branch_name", "kpi_id", "definition"), pl.String),
    "fiscal_year": pl.Int32,
    "kind": pl.String,
    **dict.fromkeys(("rate_before", "rate_after", "share_before", "share_after"), pl.Float64),
    **dict.fromkeys(("rate_effect", "volume_effect", "total"), pl.Float64),
    **dict.fromkeys(("national_before", "national_after", "national_change"), pl.Float64),
}


def compute_contribution(
    comparison: pl.DataFrame, tables: Tables, catalogue: Catalogue, *, kpi_id: str, fiscal_year: int
) -> pl.DataFrame:
    """Split the change of one national figure since the year before over the 47 branches.

    Args:
        comparison: The comparison of the branches.
        tables: The curated tables; ``statistics`` holds the proxies.
        catalogue: The definition in force, and the proxy that stands for the denominators.
        kpi_id: The KPI.
        fiscal_year: The later of the two years; the year before counts only under the same definition.

    Returns:
        One row per branch, by code. ``kind`` is "counts" where all 47 have both counts in both years, else "estimated": the
        values of all 47 weighted by the proxy. ``rate_before``, ``rate_after`` in the unit of the KPI; ``share_before``,
        ``share_after`` of the nation's denominator, 0 to 1; ``rate_effect`` + ``volume_effect`` = ``total``, and the totals sum
        to ``national_change`` = ``national_after`` − ``national_before``, which stand in every row. These are the figures that
        the parts add up to; a published national figure may differ from them. No rows where neither way is open: a branch or
        the year before is missing, the definition changed, nothing states a proxy, or the KPI is a total.

    Raises:
        ValueError: A negative count, or a numerator above its denominator for a proportion.

    Source: ``kenpo_lib.stats.contribution``.
    """
    weights = proxy_weights(tables["statistics"], catalogue)
    branches = len(catalogue.branch_codes)
    return _split_change(comparison, weights, catalogue.kpis[kpi_id], fiscal_year=fiscal_year, branches=branches)


def compute_contributions(
    comparison: pl.DataFrame, tables: Tables, catalogue: Catalogue, *, fiscal_year: int
) -> pl.DataFrame:
    """The rows of ``compute_contribution`` of every KPI for which there are some, in reading order."""
    weights = proxy_weights(tables["statistics"], catalogue)
    branches = len(catalogue.branch_codes)
    pair = comparison.filter(pl.col("fiscal_year").is_in([fiscal_year - 1, fiscal_year]))
    known = dict(pair.group_by("kpi_id").len().iter_rows())
    parts = [
        _split_change(pair, weights, kpi, fiscal_year=fiscal_year, branches=branches)
        for kpi in catalogue.kpis.values()
        if known.get(kpi.kpi_id, 0) >= 2 * branches  # else some branch lacks a year
    ]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts])


def _split_change(
    comparison: pl.DataFrame, weights: pl.DataFrame, kpi: Kpi, *, fiscal_year: int, branches: int
) -> pl.DataFrame:
    rows = _pair_years(comparison, kpi, fiscal_year)
    if rows.height != branches or kpi.unit.is_total:
        return pl.DataFrame(schema=SCHEMA)
    counts = ("numerator_before", "denominator_before", "numerator", "denominator")
    if kpi.unit is Unit.PERCENT and _is_complete(rows, counts):
        parts = contribution_of_counts(*(_numbers(rows, name) for name in counts), is_proportion=kpi.proportion)
        kind, sizes = "counts", (_numbers(rows, "denominator_before"), _numbers(rows, "denominator"))
        rates = tuple(
            100 * np.divide(_numbers(rows, part), whole, out=np.full(whole.size, np.nan), where=whole > 0)
            for part, whole in zip(("numerator_before", "numerator"), sizes, strict=True)
        )
    else:
        rows = _add_weights(rows, weights, kpi_id=kpi.kpi_id)
        if not _is_complete(rows, ("value_before", "weight_before", "value", "weight")):
            return pl.DataFrame(schema=SCHEMA)
        rates = (_numbers(rows, "value_before"), _numbers(rows, "value"))
        kind, sizes = "estimated", (_numbers(rows, "weight_before"), _numbers(rows, "weight"))
        parts = contribution_of_rates(rates[0], sizes[0], rates[1], sizes[1])
    if np.isnan(parts.change):  # a year in which all denominators are 0
        return pl.DataFrame(schema=SCHEMA)
    return _to_frame(rows, parts, kind=kind, rates=rates, sizes=sizes)


def pick_movers(contribution: pl.DataFrame, *, most: int = MOST_MOVERS) -> pl.DataFrame:
    """The branches that moved the nation most, up or down, and all others as one row.

    Args:
        contribution: From ``compute_contribution``.
        most: How many branches stand alone.

    Returns:
        ``branch_code``, ``branch_name``, ``branches`` (how many the row stands for), ``rate_effect``, ``volume_effect``,
        ``total``: upwards first, the row of the others last with the code "others" and no name. Sums are those of the whole
        frame. No rows for an empty frame.
    """
    effects = ("rate_effect", "volume_effect", "total")
    ordered = contribution.sort(pl.col("total").abs(), "branch_code", descending=[True, False])
    alone = ordered.head(most).sort("total", "branch_code", descending=[True, False])
    others = ordered.slice(most)
    columns = ("branch_code", "branch_name", "branches", *effects)
    named = alone.with_columns(pl.lit(1, dtype=pl.UInt32).alias("branches")).select(columns)
    if others.is_empty():
        return named
    rest = others.select(
        pl.lit(OTHERS).alias("branch_code"),
        pl.lit(None, dtype=pl.String).alias("branch_name"),
        pl.len().alias("branches"),
        *(pl.col(effect).sum() for effect in effects),
    )
    return pl.concat([named, rest.select(columns)])


def _pair_years(comparison: pl.DataFrame, kpi: Kpi, fiscal_year: int) -> pl.DataFrame:
    """The branches of the year beside themselves a year before, under the definition in force; by code."""
    definition = kpi.definition_in_force(fiscal_year)
    series = comparison.filter(
        (pl.col("kpi_id") == kpi.kpi_id) & pl.col("definition").is_in([definition.definition] if definition else [])
    )
    figures = ("value", "numerator", "denominator")
    before = series.filter(pl.col("fiscal_year") == fiscal_year - 1).select(
        "branch_code", *(pl.col(name).alias(f"{name}_before") for name in figures)
    )
    return (
        series.filter(pl.col("fiscal_year") == fiscal_year)
        .select("branch_code", "branch_name", "kpi_id", "definition", "fiscal_year", *figures)
        .join(before, on="branch_code", how="inner")
        .sort("branch_code")
    )


def _add_weights(rows: pl.DataFrame, weights: pl.DataFrame, *, kpi_id: str) -> pl.DataFrame:
    own = weights.filter(pl.col("kpi_id") == kpi_id).select("branch_code", "fiscal_year", "weight")
    before = own.select("branch_code", pl.col("fiscal_year") + 1, pl.col("weight").alias("weight_before"))
    key = ["branch_code", "fiscal_year"]
    return rows.join(own, on=key, how="left").join(before, on=key, how="left").sort("branch_code")


def _is_complete(rows: pl.DataFrame, columns: tuple[str, ...]) -> bool:
    return all(rows[column].null_count() == 0 for column in columns)


def _numbers(rows: pl.DataFrame, column: str) -> np.ndarray:
    return rows[column].cast(pl.Float64).to_numpy().astype(float)


def _to_frame(
    rows: pl.DataFrame,
    parts: Contribution,
    *,
    kind: str,
    rates: tuple[np.ndarray, ...],
    sizes: tuple[np.ndarray, np.ndarray],
) -> pl.DataFrame:
    columns = {
        "rate_before": rates[0],
        "rate_after": rates[1],
        "share_before": sizes[0] / sizes[0].sum(),
        "share_after": sizes[1] / sizes[1].sum(),
        "rate_effect": parts.rate_effect,
        "volume_effect": parts.volume_effect,
        "total": parts.total,
    }
    return rows.with_columns(
        pl.lit(kind).alias("kind"),
        *(pl.Series(name, values, dtype=pl.Float64).fill_nan(None) for name, values in columns.items()),
        pl.lit(float(parts.before)).alias("national_before"),
        pl.lit(float(parts.after)).alias("national_after"),
        pl.lit(float(parts.change)).alias("national_change"),
    ).select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
