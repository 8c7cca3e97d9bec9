"""The data behind the page on the data themselves: the verdict of the checks, conflicts, open values, what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from kenpo_lib.briefing.data import Briefing, open_reader, require_branch
from kenpo_lib.catalogue import NATION, Branch, Kpi, load_catalogue
from kenpo_lib.coverage import count_by_kpi, count_by_year, list_cells
from kenpo_lib.grain import check_year
from kenpo_lib.store.wide_data import DataQuality, read_quality

Row = dict[str, Any]

CONFLICT_COLUMN = "check_source_values"  # of the check that compares what sources print


@dataclass(frozen=True)
class Quality:
    """What the page shows.

    Attributes:
        briefing: An overview that shows nothing but the sources.
        data: Light rows of all branches and of the nation, whole tables, and the facts about them.
        kpis: The KPIs that all branches have in common, in reading order.
        cells: What is known of every branch and KPI in the page's year.
        nation_cells: The same of the nation.
        counts: Branches per KPI by what is known of them; a KPI without any is left out.
        by_year: Branches with a value per KPI and year, up to the page's year.
    """

    briefing: Briefing
    data: DataQuality
    kpis: Mapping[str, Kpi]
    cells: pl.DataFrame
    nation_cells: pl.DataFrame
    counts: Mapping[str, Mapping[str, int]]
    by_year: pl.DataFrame

    @property
    def lang(self) -> str:
        return self.briefing.lang

    @property
    def verdict(self) -> Mapping[str, Any]:
        """The kept result of the checks."""
        return self.data.facts["verdict"]

    @property
    def branch_count(self) -> int:
        return self.briefing.branch_count

    @property
    def branches(self) -> Mapping[str, Branch]:
        return self.briefing.catalogue.branches

    def known(self, kpi_id: str, name: str = "final") -> int:
        """How many branches have what ``name`` says of a KPI in the page's year."""
        return self.counts.get(kpi_id, {}).get(name, 0)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value that two sources print differently: the one that is used, and another."""

    branch_code: str
    kpi_id: str
    definition: str
    fiscal_year: int
    used: float
    used_source_id: str
    used_locator: str
    other: float
    other_source_id: str
    other_locator: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.branch_code, self.kpi_id, self.definition, self.fiscal_year


def open_quality(curated_dir: str | Path, *, branch: str = NATION, fiscal_year: int, lang: str = "ja") -> Quality:
    """Read the data of the page on the data.

    Args:
        curated_dir: Folder with the curated tables and their verdict.
        branch: As the page was asked for; it is about all branches.
        fiscal_year: Western year of its April.
        lang: ``ja`` or ``en``.

    Raises:
        InputError: No curated tables, no verdict on them as they are, or a year without data.
    """
    catalogue = load_catalogue()
    require_branch(branch, catalogue)
    reader, inputs = open_reader(Path(curated_dir), catalogue)
    check_year(fiscal_year, reader.years)
    data = read_quality(reader)
    briefing = Briefing(data.as_page(), catalogue, branch, fiscal_year, lang, inputs)
    return make_quality(briefing, data)


def make_quality(briefing: Briefing, data: DataQuality) -> Quality:
    """A page from its data."""
    catalogue, fiscal_year = briefing.catalogue, briefing.fiscal_year
    kpis = {kpi_id: kpi for kpi_id, kpi in catalogue.kpis.items() if kpi.branch_code is None}
    cells = list_cells(data.comparison, kpis, fiscal_year=fiscal_year)
    return Quality(
        briefing=briefing,
        data=data,
        kpis=kpis,
        cells=cells,
        nation_cells=list_cells(data.nation, kpis, fiscal_year=fiscal_year),
        counts=count_by_kpi(cells),
        by_year=count_by_year(data.comparison, data.nation).filter(
            (pl.col("fiscal_year") <= fiscal_year) & pl.col("kpi_id").is_in(list(kpis))
        ),
    )


def list_conflicts(quality: Quality) -> list[Conflict]:
    """Final values of which sources print different ones, in any year; newest year first."""
    data = quality.data
    found = [
        Conflict(
            row["branch_code"],
            row["kpi_id"],
            row["definition"],
            row["fiscal_year"],
            row["value"],
            row["source_id"],
            row["locator"],
            other["value"],
            other["source_id"],
            other["locator"],
        )
        for frame in (data.nation, data.comparison)
        for row in frame.filter(pl.col("conflicts").list.len() > 0).to_dicts()
        for other in row["conflicts"]
    ]
    return sorted(found, key=lambda conflict: (-conflict.fiscal_year, *conflict.key))


def list_warnings(quality: Quality) -> list[Row]:
    """What the checks warned of, but for the conflicts that ``list_conflicts`` shows with both values."""
    shown = {conflict.key for conflict in list_conflicts(quality)}
    return [
        warning
        for warning in quality.verdict["warnings"]
        if warning["column"] != CONFLICT_COLUMN
        or tuple(warning[name] for name in ("branch_code", "kpi_id", "definition", "fiscal_year")) not in shown
    ]


def list_open(quality: Quality) -> list[Row]:
    """Rows that have no final value but a part-way one or an announced one, up to the page's year; newest year first."""
    is_open = pl.col("status").is_in(["interim", "pending"]) & (pl.col("fiscal_year") <= quality.briefing.fiscal_year)
    data = quality.data
    rows = [row for frame in (data.nation, data.comparison) for row in frame.filter(is_open).to_dicts()]
    order = {kpi_id: place for place, kpi_id in enumerate(quality.briefing.catalogue.kpis)}
    return sorted(rows, key=lambda row: (-row["fiscal_year"], row["branch_code"], order[row["kpi_id"]]))


def list_replaced_targets(quality: Quality) -> list[Row]:
    """Targets that a newer source replaced, beside the one in use (columns ``new_…``); ``is_other`` where rule or number differ."""
    key = ["branch_code", "kpi_id", "definition", "fiscal_year"]
    said = ["rule", "value", "floor"]
    newer = quality.data.tables["targets"].select(
        *key, *(pl.col(name).alias(f"new_{name}") for name in (*said, "source_id", "locator"))
    )
    joined = quality.data.tables["superseded_targets"].join(newer, on=key, how="inner")
    is_other = pl.any_horizontal(~pl.col(name).eq_missing(pl.col(f"new_{name}")) for name in said)
    ordered = joined.with_columns(is_other.alias("is_other")).sort(
        "fiscal_year", *key[:2], descending=[True, False, False]
    )
    return ordered.to_dicts()
