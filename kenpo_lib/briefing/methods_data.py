"""What the pages on methods share: the figures that serve as examples, and the shape of an example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kenpo_lib.catalogue import Catalogue, Kpi, load_catalogue
from kenpo_lib.compare import compute_comparison
from kenpo_lib.curated import Tables, read_tables
from kenpo_lib.errors import InputError
from kenpo_lib.language import Text, say
from kenpo_lib.normalise import format_number
from kenpo_lib.tables import Html, join, table

BRANCH, YEAR = "04", 2024  # the branch and year of most examples
VISITS = ("visit_rate", "10m")  # the KPI with counts of 13 branches
CHECKUPS = ("specific_checkup_rate", "v1")  # a KPI of all 47 branches without counts


@dataclass(frozen=True)
class Lesson:
    """The figures that the methods are shown on."""

    tables: Tables
    catalogue: Catalogue
    comparison: pl.DataFrame
    lang: str

    def word(self, ja: str, en: str) -> str:
        return Text(ja, en)(self.lang)

    def kpi(self, series: tuple[str, str]) -> Kpi:
        return self.catalogue.kpis[series[0]]

    def name(self, branch_code: str) -> str:
        return self.catalogue.branches[branch_code].name(self.lang)

    def caption(self, series: tuple[str, str], fiscal_year: int) -> str:
        name = self.kpi(series).name(self.lang)
        return self.word(f"{name}（{fiscal_year}年度）", f"{name}, FY{fiscal_year}")

    def centre(self, series: tuple[str, str], fiscal_year: int) -> float | None:
        """The published national proportion; None makes the methods pool the branches that they are given."""
        row = self.rows(series, fiscal_year).to_dicts()[0]
        return row["national"] / 100 if row["national_kind"] == "published" else None

    def rows(self, series: tuple[str, str], fiscal_year: int, *, with_counts: bool = False) -> pl.DataFrame:
        """The branches with a value of a KPI, definition and year, in the order of their codes.

        Args:
            series: KPI and definition.
            fiscal_year: Western year of its April.
            with_counts: Only branches whose counts are published.

        Raises:
            InputError: The curated tables at hand have none.
        """
        found = self.comparison.filter(
            (pl.col("kpi_id") == series[0])
            & (pl.col("definition") == series[1])
            & (pl.col("fiscal_year") == fiscal_year)
            & pl.col("value").is_not_null()
        ).sort("branch_code")
        found = found.filter(pl.col("numerator").is_not_null() & (pl.col("denominator") > 0)) if with_counts else found
        if found.is_empty():
            raise InputError(
                say(
                    f"例に使う値がありません: {'・'.join(series)} {fiscal_year}年度。",
                    f"The figures of the example are missing: {', '.join(series)}, FY{fiscal_year}.",
                )
            )
        return found

    def row(self, series: tuple[str, str], fiscal_year: int, branch_code: str, **choice: Any) -> dict[str, Any]:
        """The row of one branch, found as in ``rows``."""
        found = {row["branch_code"]: row for row in self.rows(series, fiscal_year, **choice).to_dicts()}
        if branch_code not in found:
            raise InputError(
                say(
                    f"例に使う値がありません: {self.name(branch_code)} {'・'.join(series)} {fiscal_year}年度。",
                    f"The figure of the example is missing: {self.name(branch_code)}, {', '.join(series)}, "
                    f"FY{fiscal_year}.",
                )
            )
        return found[branch_code]


def open_methods(curated_dir: str | Path, *, lang: str = "ja") -> Lesson:
    """Read the curated tables and compare.

    Args:
        curated_dir: Folder with the curated tables.
        lang: ``ja`` or ``en``.

    Raises:
        InputError: No curated tables.
    """
    catalogue, tables = load_catalogue(), read_tables(curated_dir)
    return Lesson(tables, catalogue, compute_comparison(tables, catalogue), lang)


def present(
    lesson: Lesson,
    caption: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    reading: str,
    chart: str = "",
) -> Html:
    """An example: chart if any, table, and one sentence of reading."""
    label = lesson.word("読み方: ", "Reading: ")
    said = Html('<p class="reading"><strong>{}</strong>{}</p>').format(label, reading)
    parts = [Html("<div>{}</div>").format(Html(chart))] if chart else []
    return join([*parts, table(caption, headings, rows, css="data"), said])


def percent(value: float | None, decimals: int = 1) -> str:
    """``33.4%``; an en dash for null and NaN."""
    return "–" if value is None or np.isnan(value) else f"{format_number(float(value), decimals)}%"


def number(value: float | None, decimals: int = 0, *, signed: bool = False) -> str:
    """``21,954``; an en dash for null and NaN."""
    missing = value is None or np.isnan(value)
    return "–" if missing else format_number(float(value), decimals, signed=signed)


def span(low: float | None, high: float | None, decimals: int, lang: str, *, signed: bool = False) -> str:
    """``32.8～34.0``; an en dash where a limit is missing."""
    ends = [number(end, decimals, signed=signed) for end in (low, high)]
    return "–" if "–" in ends else Text("～", " to ")(lang).join(ends)


def chance(p: float) -> str:
    """A probability for readers: ``0.02``, ``0.001未満`` as ``< 0.001``."""
    return "–" if np.isnan(p) else "< 0.001" if p < 0.001 else format_number(float(p), 3)


def counts(frame: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Numerators and denominators as arrays."""
    return frame["numerator"].to_numpy(), frame["denominator"].to_numpy()
