"""The proxies that stand for unpublished denominators: who is weighted by what."""

from __future__ import annotations

import polars as pl

from kenpo_lib.catalogue import NATIONAL_PROXIES, Catalogue

WORKING_AGE_BANDS = ("40-44", "45-49", "50-54", "55-59", "60-64", "65-69", "70+")  # 70+ ends at 74, where cover ends


def proxy_weights(statistics: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """The stated proxy weight of each branch, KPI and year, for KPIs whose entry names one.

    A branch of which a part (an age band) is missing, or given twice, has no weight: it would be too small, or too large.
    """
    weights = {
        "subscribers_40_74": (pl.col("statistic") == "subscribers") & pl.col("component").is_in(WORKING_AGE_BANDS),
        "total_remuneration": (pl.col("statistic") == "total_remuneration") & (pl.col("component") == "total"),
    }
    parts = {"subscribers_40_74": len(WORKING_AGE_BANDS), "total_remuneration": 1}
    assert weights.keys() == parts.keys() == NATIONAL_PROXIES.keys()
    kpis = pl.DataFrame(
        [(kpi.kpi_id, kpi.national_proxy) for kpi in catalogue.kpis.values() if kpi.national_proxy],
        schema={"kpi_id": pl.String, "proxy": pl.String},
        orient="row",
    )
    by_proxy = pl.concat(
        statistics.filter(condition)
        .group_by("branch_code", "fiscal_year")
        .agg(pl.col("value").sum().alias("weight"), pl.col("value").count().alias("parts"))
        .filter(pl.col("parts") == parts[name])
        .with_columns(pl.lit(name).alias("proxy"))
        for name, condition in weights.items()
    )
    return kpis.join(by_proxy, on="proxy").drop("proxy", "parts")
