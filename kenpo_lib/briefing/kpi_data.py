"""The data behind the page of one KPI: all its branches and years up to the page's year."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from kenpo_lib.briefing.data import Briefing, open_reader, require_branch
from kenpo_lib.catalogue import Branch, Catalogue, Definition, Kpi, load_catalogue
from kenpo_lib.errors import InputError
from kenpo_lib.grain import check_year
from kenpo_lib.language import console_language, say
from kenpo_lib.store.wide_data import KpiData, read_kpi
from kenpo_lib.tables import table
from kenpo_lib.yearly import summarise_years

Row = dict[str, Any]


@dataclass(frozen=True)
class KpiDetail:
    """One KPI as a page shows it.

    Attributes:
        briefing: An overview that knows of this KPI alone; its branch, if any, is marked.
        kpi: The entry of the catalogue.
        values: The branches' rows of the comparison, every definition, up to the page's year.
        nation: The nation's own rows, likewise.
        years: ``summarise_years`` of the two.
        has_later: True if something is known about years after the page's.
    """

    briefing: Briefing
    kpi: Kpi
    values: pl.DataFrame
    nation: pl.DataFrame
    years: pl.DataFrame
    has_later: bool

    def _repr_html_(self) -> str:
        headings = ["fiscal_year", "definition", say("値のある支部", "Branches known"), say("全国", "Nation")]
        rows = self.years.select("fiscal_year", "definition", "branches_known", "national").iter_rows()
        return table(self.kpi.name(console_language()), headings, rows, css="data")

    @property
    def lang(self) -> str:
        return self.briefing.lang

    @property
    def branches(self) -> Mapping[str, Branch]:
        return self.briefing.catalogue.branches

    @property
    def branch_count(self) -> int:
        return self.briefing.branch_count

    @property
    def definitions(self) -> list[Definition]:
        """The definitions in the order in which they held."""
        return sorted(self.kpi.definitions.values(), key=lambda d: (d.first_year or 0, d.last_year or 9999))

    @property
    def definition_now(self) -> str | None:
        """The definition in force in the page's year."""
        found = self.kpi.definition_in_force(self.briefing.fiscal_year)
        return found.definition if found else None

    def rows_in(self, definition: str | None, fiscal_year: int) -> list[Row]:
        """The branches' rows of one definition and year, by code."""
        chosen = self.values.filter(_is_in(definition, fiscal_year))
        return chosen.sort("branch_code").to_dicts()

    def nation_in(self, definition: str | None, fiscal_year: int) -> Row | None:
        """The nation's own row, if there is one: its value where published, its target."""
        chosen = self.nation.filter(_is_in(definition, fiscal_year))
        return next(iter(chosen.to_dicts()), None)

    @property
    def rows(self) -> list[Row]:
        """The branches' rows of the page's year under the definition in force."""
        return self.rows_in(self.definition_now, self.briefing.fiscal_year)

    @property
    def latest(self) -> tuple[str, int] | None:
        """Definition and year of the newest values of branches; null where none is known."""
        known = self.years.filter(pl.col("branches_known") > 0).to_dicts()
        order = [definition.definition for definition in self.definitions]
        newest = max(known, key=lambda row: (row["fiscal_year"], order.index(row["definition"])), default=None)
        return (newest["definition"], newest["fiscal_year"]) if newest else None


def _is_in(definition: str | None, fiscal_year: int) -> pl.Expr:
    """Rows of a definition and year; none without a definition, in years in which no definition held."""
    return pl.col("definition").eq_missing(pl.lit(definition, dtype=pl.String)) & (pl.col("fiscal_year") == fiscal_year)


def open_kpi(curated_dir: str | Path, *, kpi: str, branch: str, fiscal_year: int, lang: str = "ja") -> KpiDetail:
    """Read the data of the page of one KPI.

    Args:
        curated_dir: Folder with the curated tables and their verdict.
        kpi: Its id.
        branch: Two-digit code of the branch that is marked, or "00" for none.
        fiscal_year: Western year of its April; later years are left out.
        lang: ``ja`` or ``en``.

    Raises:
        InputError: No curated tables, no verdict, no such KPI (the nearest are named) or branch, a year without data.
    """
    directory, catalogue = Path(curated_dir), load_catalogue()
    require_branch(branch, catalogue)
    entry = find_kpi(kpi, catalogue)
    reader, inputs = open_reader(directory, catalogue)
    check_year(fiscal_year, reader.years)
    data = read_kpi(reader, entry, fiscal_year=fiscal_year)
    briefing = Briefing(data.as_page(fiscal_year), catalogue, branch, fiscal_year, lang, inputs)
    return make_detail(briefing, entry, data)


def make_detail(briefing: Briefing, kpi: Kpi, data: KpiData) -> KpiDetail:
    """A page from its data."""
    years = summarise_years(data.values, data.nation, branches=briefing.branch_count)
    return KpiDetail(briefing, kpi, data.values, data.nation, years, data.has_later)


def find_kpi(kpi_id: str, catalogue: Catalogue) -> Kpi:
    """The entry of the catalogue.

    Raises:
        InputError: No such KPI; the nearest are named.
    """
    kpi = catalogue.kpis.get(kpi_id)
    if kpi is not None:
        return kpi
    near = difflib.get_close_matches(kpi_id, catalogue.kpis, 3)
    hint = say(f"近いもの: {', '.join(near)}。", f" Nearest: {', '.join(near)}.") if near else ""
    raise InputError(
        say(f"指標 {kpi_id!r} はカタログにありません。{hint}", f"There is no KPI {kpi_id!r} in the catalogue.{hint}")
    )
