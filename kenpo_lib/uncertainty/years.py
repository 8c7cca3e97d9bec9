"""Ranks of two years: last year's rank, the movement, and how far ranks of this KPI usually move (no confidence set)."""

from __future__ import annotations

import numpy as np
import polars as pl

from kenpo_lib.grain import CELL, SERIES
from kenpo_lib.stats.rank_sets import rank_movement


def describe_rank_movement(cells: pl.DataFrame, *, branches: int) -> pl.DataFrame:
    """Movements are told between years in which as many branches were ranked.

    Args:
        cells: Of the comparison.
        branches: How many there are.
    """
    prior = cells.select(
        "branch_code",
        *SERIES,
        (pl.col("fiscal_year") + 1).alias("fiscal_year"),
        pl.col("rank").alias("prior_rank"),
        pl.col("ranked_count").alias("_prior_count"),
    )
    full = cells.filter(pl.col("ranked_count") == branches).partition_by(SERIES, as_dict=True)
    usual = [(*series, _find_usual_movement(rows)) for series, rows in full.items()]
    schema = {**dict.fromkeys(SERIES, pl.String), "rank_change_usual": pl.Float64}
    comparable = pl.col("ranked_count") == pl.col("_prior_count")
    return (
        cells.select(*CELL, "rank", "ranked_count")
        .join(prior, on=CELL, how="left", maintain_order="left")
        .join(pl.DataFrame(usual, schema=schema, orient="row"), on=SERIES, how="left", maintain_order="left")
        .select(
            pl.when(comparable).then(pl.col("prior_rank")),
            pl.when(comparable).then(pl.col("prior_rank") - pl.col("rank")).alias("rank_change"),
            "rank_change_usual",
        )
    )


def _find_usual_movement(full: pl.DataFrame) -> float | None:
    """The places that nine in ten yearly movements stay within, over all pairs of years with all branches."""
    by_year = {
        year: rows.sort("branch_code")["value"].to_numpy()
        for (year,), rows in full.partition_by("fiscal_year", as_dict=True).items()
    }
    pairs = [(by_year[year - 1], by_year[year]) for year in sorted(by_year) if year - 1 in by_year]
    if not pairs:
        return None
    prior, current = (np.array([pair[side] for pair in pairs], dtype=float) for side in (0, 1))
    return rank_movement(prior, current, sign=int(full["sign"][0])).within
