"""Worked examples of the literature in ``reference/``, and whether a number agrees with one that was printed."""

from __future__ import annotations

from decimal import Decimal

import builders
import numpy as np
import polars as pl


def read_reference(name: str) -> pl.DataFrame:
    """A worked example as it was printed: all columns are texts, an empty one is null."""
    path = builders.ROOT / "tests" / "reference" / f"{name}.csv"
    return pl.read_csv(path, comment_prefix="#", infer_schema=False)


def as_numbers(column: pl.Series) -> np.ndarray:
    return column.cast(pl.Float64).to_numpy()


def assert_prints_as(numbers, column: pl.Series, *, ulps: float = 0.5, digits: int | None = None) -> None:
    """Every number rounds to what was printed (half a unit of the last digit, or as many units as the source is off).

    Args:
        digits: Significant digits that the source has right, if it prints more.
    """
    numbers = np.broadcast_to(np.asarray(numbers, dtype=float), (len(column),))
    for number, text in zip(numbers, column, strict=True):
        if text is None:
            continue
        printed = Decimal(text)
        unit = Decimal(1).scaleb(printed.as_tuple().exponent)
        if digits is not None and printed:
            unit = max(unit, Decimal(1).scaleb(printed.adjusted() - digits + 1))
        error = abs(Decimal(float(number)) - printed)
        assert error <= unit * Decimal(ulps) * Decimal("1.000001"), f"{number!r} is not {text}"
