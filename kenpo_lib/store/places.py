"""The branches beside a page's own: all of a series, or, where they are thousands, how they are spread and those of its block.

A page of one unit among thousands neither reads nor shows thousands. What it gets is bounded, whatever their number: one row on
the spread of each series, and the units of its block, where these are no large group themselves.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from kenpo_lib.grain import GROUP, LARGE_GROUP

MOST_CODES = 5  # named at either end
BARS = 40  # of equal width, from the lowest to the highest value
QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
SPREAD_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    **{"kpi_id": pl.String, "definition": pl.String, "fiscal_year": pl.Int32},
    "known": pl.Int64,  # branches with a value
    **{"low": pl.Float64, "high": pl.Float64},
    **dict.fromkeys(QUANTILES, pl.Float64),  # interpolated between the nearest two values (type 7 of Hyndman and Fan)
    **{"low_count": pl.Int64, "high_count": pl.Int64},  # how many are there
    **{"low_codes": pl.List(pl.String), "high_codes": pl.List(pl.String)},  # the first of them
    "bars": pl.List(pl.Int64),  # how many have a value in each
}
_SIZE = pl.len().over(GROUP)
_BLOCK_SIZE = pl.len().over(*GROUP, "block")


def pick_listed(places: pl.DataFrame) -> pl.DataFrame:
    """Of the branches with a value those in groups that are listed whole."""
    return places.filter(_SIZE <= LARGE_GROUP)


def pick_neighbours(places: pl.DataFrame) -> pl.DataFrame:
    """Those in large groups, by block; none of blocks that are large groups themselves."""
    return places.filter((_SIZE > LARGE_GROUP) & (_BLOCK_SIZE <= LARGE_GROUP)).sort("block", maintain_order=True)


def describe_spread(quantiles: Iterable[str], *, most_codes: int | None = None) -> list[pl.Expr]:
    """How the branches of a group are spread: ``known``, ``low``, ``high``, quantiles, how many stand at either end, and who.

    Args:
        quantiles: Names out of ``QUANTILES``.
        most_codes: Of those at either end only the first so many are named.
    """
    value = pl.col("value")
    ends = {"low": value.min(), "high": value.max()}
    codes = {name: pl.col("branch_code").filter(value == end).sort() for name, end in ends.items()}
    return [
        pl.len().alias("known"),
        *(end.alias(name) for name, end in ends.items()),
        *(value.quantile(QUANTILES[name], interpolation="linear").alias(name) for name in quantiles),
        *(there.len().alias(f"{name}_count") for name, there in codes.items()),
        *(there.slice(0, most_codes).implode().alias(f"{name}_codes") for name, there in codes.items()),
    ]


def summarise_spread(places: pl.DataFrame) -> pl.DataFrame:
    """``SPREAD_SCHEMA``: a row for each large group, in their order."""
    rows = (
        places.filter(_SIZE > LARGE_GROUP)
        .group_by(GROUP, maintain_order=True)
        .agg(*describe_spread(QUANTILES, most_codes=MOST_CODES), pl.col("value").alias("bars"))
    )
    bars = [np.histogram(values, bins=BARS)[0].tolist() for values in rows["bars"].to_list()]
    rows = rows.with_columns(pl.Series("bars", bars, dtype=pl.List(pl.Int64)))
    return rows.select(pl.col(name).cast(kind) for name, kind in SPREAD_SCHEMA.items())
