"""The recent trend over five years within one definition, up to the year of the cell; and the run of like changes."""

from __future__ import annotations

import numpy as np
import polars as pl

from kenpo_lib.grain import SERIES
from kenpo_lib.stats.recent_trend import POINTS, compute_proportion_trend, judge_trend
from kenpo_lib.uncertainty.arrays import to_numbers, to_series

_KEY = ["branch_code", *SERIES]


def describe_trend(cells: pl.DataFrame) -> pl.DataFrame:
    """``trend_…`` and ``run_years`` of each cell with a value; without counts there is no trend, and the reason says so."""
    indexed = cells.select(
        *_KEY, "fiscal_year", "value", "sign", "numerator", "denominator", "is_counted"
    ).with_row_index("_row")
    known = indexed.filter(pl.col("value").is_not_null()).sort(*_KEY, "fiscal_year")
    trends = _compute_trends(known.filter("is_counted"))
    unknown = pl.lit("cannot_tell")
    return (
        indexed.select("_row")
        .join(_count_runs(known), on="_row", how="left", maintain_order="left")
        .join(trends, on="_row", how="left", maintain_order="left")
        .with_columns(
            pl.when("_has_value").then(pl.col("trend_direction", "trend_word").fill_null(unknown)),
            pl.when("_has_value", pl.col("trend_points").is_null())
            .then(pl.lit("no_counts"))
            .otherwise("trend_reason")
            .alias("trend_reason"),
        )
        .select(
            *("trend_direction", "trend_word", "trend_reason", "trend_statistic", "trend_points"),
            "run_years",
        )
    )


def _compute_trends(counted: pl.DataFrame) -> pl.DataFrame:
    """The trend up to each counted cell, all at once: nothing older than its last five points has a part in it."""
    series = counted.select(pl.struct(_KEY).rle_id()).to_series().to_numpy()
    columns = [to_numbers(counted, name) for name in ("fiscal_year", "numerator", "denominator")]
    places = np.arange(len(series))[:, np.newaxis] - np.arange(POINTS)[::-1]
    is_there = (places >= 0) & (series[places.clip(0)] == series[:, np.newaxis])
    years, numerators, denominators = (np.where(is_there, column[places.clip(0)], np.nan) for column in columns)
    # A place without a point still needs a year of its own; without counts it has no part.
    years = np.where(is_there, years, columns[0][:, np.newaxis] - 1000 - np.arange(POINTS)[::-1])
    trend = compute_proportion_trend(years, numerators, denominators)
    return counted.select(
        "_row",
        pl.Series("trend_direction", trend.direction.astype(str), dtype=pl.String),
        pl.Series("trend_word", judge_trend(trend.direction, counted["sign"].to_numpy()).astype(str), dtype=pl.String),
        pl.Series("trend_reason", trend.reason.astype(str), dtype=pl.String),
        to_series("trend_statistic", trend.statistic),
        pl.Series("trend_points", trend.points, dtype=pl.Int32),
    )


def _count_runs(known: pl.DataFrame) -> pl.DataFrame:
    """How many yearly changes in a row went a cell's way: 3 for a third rise, −2 for a second fall, 0 for none or a gap."""
    follows = pl.col("fiscal_year") == pl.col("fiscal_year").shift(1).over(_KEY) + 1
    change = (pl.col("value") - pl.col("value").shift(1).over(_KEY)).sign()
    step = pl.when(follows).then(change).otherwise(0.0).fill_null(0.0).cast(pl.Int32)
    return (
        known.with_columns(step.alias("_step"))
        .with_columns(pl.struct(*_KEY, "_step").rle_id().alias("_run"))
        .select(
            "_row",
            (pl.col("_step") * (1 + pl.int_range(pl.len(), dtype=pl.Int32).over("_run"))).alias("run_years"),
            pl.lit(True).alias("_has_value"),
        )
    )
