"""One verdict per cell: ``statistical``, ``practical`` and ``alert``, which tables, charts and sentences use."""

from __future__ import annotations

import numpy as np
import polars as pl

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.stats.multiplicity import adjust_p_values
from kenpo_lib.uncertainty.arrays import list_groups, to_numbers, to_series

SIGNIFICANCE = 0.05


def describe_verdict(cells: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """The verdict, and the corrected p and the difference that matters that it rests on.

    Statistical: where at least ten branches have counts, the funnel with overdispersion after false discovery control over all
    branches and KPIs of the year; else whether the national value lies outside the 95 % interval; without counts nobody can tell.
    """
    p = to_numbers(cells, "p_value")
    adjusted = np.full(p.shape, np.nan)
    for rows in list_groups(cells, ["fiscal_year"]):
        adjusted[rows] = adjust_p_values(p[rows])
    relevant = {kpi.kpi_id: kpi.relevant_difference for kpi in catalogue.kpis.values()}
    cells = cells.with_columns(
        to_series("p_adjusted", adjusted),
        pl.col("kpi_id").replace_strict(relevant, return_dtype=pl.Float64).alias("relevant_difference"),
    )
    by_funnel = pl.col("p_adjusted").is_not_null()
    by_interval = pl.col("lower_95").is_not_null() & pl.col("national_difference").is_not_null()
    outside = (pl.col("national") < pl.col("lower_95")) | (pl.col("national") > pl.col("upper_95"))
    is_different = pl.when(by_funnel).then(pl.col("p_adjusted") <= SIGNIFICANCE).when(by_interval).then(outside)
    statistical = (
        pl.when(is_different.is_null())
        .then(pl.lit("cannot_tell"))
        .when(is_different)
        .then(pl.col("national_judgement"))
        .otherwise(pl.lit("no_difference"))
    )
    practical = (
        pl.when(pl.col("national_difference").is_null() | pl.col("relevant_difference").is_null())
        .then(pl.lit("cannot_tell"))
        .when(pl.col("national_difference").abs() + 1e-9 >= pl.col("relevant_difference"))
        .then(pl.lit("relevant"))
        .otherwise(pl.lit("small"))
    )
    getting_worse = (pl.col("trend_word") == "worse") | (
        (pl.col("prior_change_p") <= SIGNIFICANCE) & (pl.col("prior_judgement") == "worse")
    )
    return cells.select(
        "p_adjusted",
        "relevant_difference",
        statistical.alias("statistical"),
        pl.when(by_funnel)
        .then(pl.lit("funnel"))
        .when(by_interval)
        .then(pl.lit("interval"))
        .alias("statistical_method"),
        practical.alias("practical"),
        ((statistical == "worse") & getting_worse).fill_null(False).alias("alert"),
    )
