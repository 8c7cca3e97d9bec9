"""The data behind a page: one branch and year, or the nation, read and compared."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from kenpo_lib.catalogue import NATION, Catalogue, Kpi, load_catalogue
from kenpo_lib.compare import check_year, compute_comparison, compute_nation, select_branch_year
from kenpo_lib.curated import Tables, read_tables
from kenpo_lib.errors import InputError
from kenpo_lib.files import MANIFEST, write_atomically
from kenpo_lib.grain import BRANCH_COUNT
from kenpo_lib.language import say
from kenpo_lib.validate import read_verdict


@dataclass(frozen=True)
class Briefing:
    """The data behind one page: a branch and year, or (branch_code "00") the national overview."""

    tables: Tables
    catalogue: Catalogue
    comparison: pl.DataFrame
    nation: pl.DataFrame
    branch_code: str
    fiscal_year: int
    lang: str
    inputs: str  # sha256 of the curated manifest: what exactly was read
    warnings: tuple[dict[str, Any], ...]

    @property
    def branch_name(self) -> str:
        return self.catalogue.branches[self.branch_code].name(self.lang)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The page's KPIs in reading order, each once, under the definition in force."""
        frame = self.nation if self.branch_code == NATION else self.comparison
        return select_branch_year(
            frame, branch_code=self.branch_code, fiscal_year=self.fiscal_year, catalogue=self.catalogue
        ).to_dicts()

    def history(self, kpi_id: str) -> pl.DataFrame:
        """All years of one KPI up to the page's year, for the page's branch, under every definition."""
        frame = self.nation if self.branch_code == NATION else self.comparison
        return frame.filter(
            (pl.col("branch_code") == self.branch_code)
            & (pl.col("kpi_id") == kpi_id)
            & (pl.col("fiscal_year") <= self.fiscal_year)
        ).sort("fiscal_year", "definition")

    def branch_values(self, kpi_id: str, definition: str) -> pl.DataFrame:
        """All branches' rows of one KPI in the page's year."""
        return self.comparison.filter(
            (pl.col("kpi_id") == kpi_id)
            & (pl.col("definition") == definition)
            & (pl.col("fiscal_year") == self.fiscal_year)
        )


def open_briefing(curated_dir: str | Path, *, branch: str, fiscal_year: int, lang: str = "ja") -> Briefing:
    """Read the curated tables and compare.

    Args:
        curated_dir: Folder with the curated tables and their verdict.
        branch: Two-digit code, or "00" for the national overview.
        fiscal_year: Western year of its April.
        lang: ``ja`` or ``en``.

    Raises:
        InputError: No curated tables, no verdict, unknown branch, or a year without data (the years present are named).
    """
    directory = Path(curated_dir)
    catalogue = load_catalogue()
    if branch not in catalogue.branches:
        raise InputError(say(f"支部コード {branch!r} はありません。", f"There is no branch code {branch!r}."))
    tables = read_tables(directory)
    verdict = read_verdict(directory)
    comparison = compute_comparison(tables, catalogue)
    check_year(comparison, fiscal_year)
    return Briefing(
        tables=tables,
        catalogue=catalogue,
        comparison=comparison,
        nation=compute_nation(tables, catalogue),
        branch_code=branch,
        fiscal_year=fiscal_year,
        lang=lang,
        inputs=hashlib.sha256((directory / MANIFEST).read_bytes()).hexdigest(),
        warnings=tuple(verdict["warnings"]),
    )


def write_sentinel(briefing: Briefing, path: str) -> None:
    """Say that the notebook ran to its end, and on what; the runner reads it back. Without a path nothing is written."""
    if path:
        content = {"branch": briefing.branch_code, "fiscal_year": briefing.fiscal_year, "inputs": briefing.inputs}
        write_atomically(Path(path), json.dumps(content, sort_keys=True).encode())


def interim_rows(briefing: Briefing) -> list[dict[str, Any]]:
    return [row for row in briefing.rows if row["status"] in ("interim", "pending")]


def rows_of_page(briefing: Briefing, table_name: str) -> pl.DataFrame:
    """The rows of a curated table that belong to the page's branch and year."""
    return briefing.tables[table_name].filter(
        (pl.col("branch_code") == briefing.branch_code) & (pl.col("fiscal_year") == briefing.fiscal_year)
    )


def own_warnings(briefing: Briefing) -> list[dict[str, Any]]:
    shown = {(row["kpi_id"], row["definition"]) for row in briefing.rows}
    return [
        warning
        for warning in briefing.warnings
        if warning.get("branch_code") in (briefing.branch_code, NATION)
        and (warning.get("kpi_id"), warning.get("definition")) in shown
        and warning.get("fiscal_year") in (briefing.fiscal_year, briefing.fiscal_year - 1)
    ]


def list_full_kpis(briefing: Briefing) -> list[Kpi]:
    """KPIs for which all 47 branches are known in the page's year, in reading order."""
    full = briefing.comparison.filter(
        (pl.col("fiscal_year") == briefing.fiscal_year) & (pl.col("ranked_count") == BRANCH_COUNT)
    )
    return [kpi for kpi in briefing.catalogue.kpis.values() if kpi.kpi_id in set(full["kpi_id"])]
