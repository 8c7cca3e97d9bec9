"""What a comparison needs of the observations: of many values part-way through a year only the latest.

The table is scanned, not loaded: twelve in thirteen rows of a monthly series never reach memory. It is sorted by branch and KPI, as
``curate`` writes it, so that what belongs together lies together.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from kenpo_lib.curated import SCHEMAS, Tables, read_manifest
from kenpo_lib.grain import CELL

_IS_PART_WAY = (pl.col("component") == "total") & (pl.col("status") == "interim") & pl.col("value").is_not_null()
MOST_LOADED = (
    1_000_000  # rows; fewer are loaded whole, since leaving some out changes in which order the rest is summed up
)
_PLACE, _LATEST = "_place", "_latest"


def pick_compared(observations: pl.LazyFrame) -> pl.LazyFrame:
    """All but the part-way values of a cell that a later one of it replaces; in the order of the table."""
    latest = observations.filter(_IS_PART_WAY).group_by(CELL).agg(pl.col("as_of").max().alias(_LATEST))
    is_replaced = (_IS_PART_WAY & (pl.col("as_of") < pl.col(_LATEST))).fill_null(False)
    return (
        observations.with_row_index(_PLACE)
        .join(latest, on=CELL, how="left")
        .filter(~is_replaced)
        .sort(_PLACE)
        .drop(_PLACE, _LATEST)
    )


def scan_observations(directory: Path) -> pl.LazyFrame:
    """All of them, not read yet."""
    return pl.scan_parquet(directory / "observations.parquet", glob=False)


def read_compared(directory: Path) -> Tables:
    """All curated tables, checked to belong together; of many observations only what ``pick_compared`` leaves.

    Raises:
        InputError: Missing, incomplete or changed tables; the remedy is named.
    """
    rows = read_manifest(directory)["rows"]["observations.parquet"]
    observations = scan_observations(directory)
    compared = observations if rows <= MOST_LOADED else pick_compared(observations)
    rest = {
        name: pl.read_parquet(directory / f"{name}.parquet", glob=False) for name in SCHEMAS if name != "observations"
    }
    return {"observations": compared.collect(engine="streaming" if rows > MOST_LOADED else "auto"), **rest}
