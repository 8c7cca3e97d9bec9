"""Between frames, where missing is null, and arrays, where it is NaN."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def to_numbers(cells: pl.DataFrame, column: str, *, where: str | None = None) -> Floats:
    """A column as floats, NaN for null and, if ``where`` names a flag, for rows without it."""
    values = cells[column].cast(pl.Float64).to_numpy().astype(float)
    return values if where is None else np.where(cells[where].to_numpy(), values, np.nan)


def to_series(name: str, values: Floats, dtype: type[pl.DataType] = pl.Float64) -> pl.Series:
    """Numbers with null in place of NaN."""
    return pl.Series(name, np.asarray(values, dtype=float)).fill_nan(None).cast(dtype)


def list_groups(cells: pl.DataFrame, keys: list[str]) -> list[NDArray[np.int64]]:
    """Where the rows of each group are, in the order in which groups and rows occur."""
    places = cells.select(keys).with_row_index("_row").group_by(keys, maintain_order=True).agg("_row")["_row"]
    return [rows.to_numpy().astype(np.int64) for rows in places]
