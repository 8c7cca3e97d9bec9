"""The real figures of the incentive scheme as arrays, for tests of methods that know no tables."""

from __future__ import annotations

import numpy as np
import polars as pl

from kenpo_lib.curated import Tables
from kenpo_lib.stats.incentive import INDICATORS

YEARS = tuple(range(2019, 2025))
_WORKING_AGE = ("40-44", "45-49", "50-54", "55-59", "60-64", "65-69", "70+")


def read_rates(tables: Tables) -> np.ndarray:
    """Rates of the five indicators, (years, 47, 5)."""
    rates = np.full((len(YEARS), 47, len(INDICATORS)), np.nan)
    rows = tables["observations"].filter(
        pl.col("kpi_id").is_in(INDICATORS) & pl.col("fiscal_year").is_in(YEARS) & (pl.col("branch_code") != "00")
    )
    for row in rows.iter_rows(named=True):
        rates[(*_place(row, row["fiscal_year"]), INDICATORS.index(row["kpi_id"]))] = row["value"]
    return rates


def read_paid(tables: Tables) -> np.ndarray:
    """What the scheme did to the premium rates, by year of performance (two years before), (years, 47)."""
    paid = np.full((len(YEARS), 47), np.nan)
    rows = tables["observations"].filter(
        (pl.col("kpi_id") == "premium_rate") & pl.col("component").str.starts_with("インセンティブ分")
    )
    for row in rows.filter(pl.col("fiscal_year") - 2 >= YEARS[0]).iter_rows(named=True):
        paid[_place(row, row["fiscal_year"] - 2)] = row["value"]
    return paid


def read_statistic(tables: Tables, statistic: str, *, later: int = 0) -> np.ndarray:
    """Subscribers aged 40–74 or total remuneration, (years, 47); of ``later`` years later, NaN where there are none."""
    parts = _WORKING_AGE if statistic == "subscribers" else ("total",)
    rows = (
        tables["statistics"]
        .filter((pl.col("statistic") == statistic) & pl.col("component").is_in(parts))
        .group_by("branch_code", "fiscal_year")
        .agg(pl.col("value").sum(), pl.len())
        .filter((pl.col("len") == len(parts)) & (pl.col("fiscal_year") - later).is_in(YEARS))
    )
    values = np.full((len(YEARS), 47), np.nan)
    for row in rows.iter_rows(named=True):
        values[_place(row, row["fiscal_year"] - later)] = row["value"]
    return values


def _place(row: dict, fiscal_year: int) -> tuple[int, int]:
    return YEARS.index(fiscal_year), int(row["branch_code"]) - 1
