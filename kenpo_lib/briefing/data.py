"""The data behind a page: one branch and year, or the nation."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from kenpo_lib.catalogue import Catalogue, Kpi, load_catalogue
from kenpo_lib.errors import InputError
from kenpo_lib.files import MANIFEST, sha256_of
from kenpo_lib.grain import check_year
from kenpo_lib.language import console_language, say
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.store import Store, open_store
from kenpo_lib.store.page_data import PLACE_COLUMNS, PageData, pick_in_force, read_page
from kenpo_lib.tables import fact_table

if TYPE_CHECKING:
    from kenpo_lib.store.computed import Computed


@dataclass(frozen=True)
class Briefing:
    """One page and the data that it can show: a branch and year, or (branch_code "00") the national overview."""

    page: PageData
    catalogue: Catalogue
    branch_code: str
    fiscal_year: int
    lang: str
    inputs: str  # sha256 of the curated manifest: what exactly was read

    def _repr_html_(self) -> str:
        states = Counter(row["status"] for row in self.rows)
        lang = console_language()
        names = [self.catalogue.kpis[row["kpi_id"]].short_name(lang) for row in self.rows]
        year = format_fiscal_year(self.fiscal_year, lang=lang, western=True)
        return fact_table(
            f"{self.catalogue.branches[self.branch_code].name(lang)} {year}",
            [
                ("branch_code", self.branch_code),
                (say("指標", "KPIs"), len(self.rows)),
                (say("うち確定値あり", "With a final value"), states["final"]),
                (say("年度途中・公表待ち", "Part-way or pending"), states["interim"] + states["pending"]),
                (say("指標の名前", "Their names"), say("、", "; ").join(names) or None),
                (say("元の表（sha256）", "Made from (sha256)"), self.inputs),
            ],
        )

    @property
    def branch_name(self) -> str:
        return self.catalogue.branches[self.branch_code].name(self.lang)

    @functools.cached_property
    def branch_count(self) -> int:
        """How many branches there are, without the nation."""
        return len(self.catalogue.branch_codes)

    @functools.cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The page's KPIs in reading order, each once, under the definition in force."""
        year = self.page.own.filter(pl.col("fiscal_year") == self.fiscal_year)
        return pick_in_force(year.to_dicts(), self.catalogue, fiscal_year=self.fiscal_year)

    @functools.cached_property
    def budgets(self) -> list[dict[str, Any]]:
        """The programmes of the page's branch and year."""
        return self.page.budgets.to_dicts()

    @functools.cached_property
    def _histories(self) -> dict[str, pl.DataFrame]:
        return _by_kpi(self.page.own.sort("fiscal_year", "definition"))

    def history(self, kpi_id: str) -> pl.DataFrame:
        """All years of one of the page's KPIs up to the page's year, for the page's branch, under every definition."""
        return self._histories[kpi_id]

    def count_years(self, kpi_id: str) -> int:
        """The years for which the page's branch has a final value of the KPI, under whatever definition."""
        return self._year_counts.get(kpi_id, 0)

    @functools.cached_property
    def _year_counts(self) -> dict[str, int]:
        known = self.page.own.filter(pl.col("value").is_not_null())
        return dict(known.group_by("kpi_id").agg(pl.col("fiscal_year").n_unique()).iter_rows())

    def nation_history(self, kpi_id: str) -> pl.DataFrame:
        """Year, definition and value of one of the page's KPIs for the nation; no rows where the page is the nation's."""
        return self._nations.get(kpi_id, self.page.nation.clear())

    @functools.cached_property
    def _nations(self) -> dict[str, pl.DataFrame]:
        return _by_kpi(self.page.nation)

    def branch_values(self, kpi_id: str, definition: str) -> pl.DataFrame:
        """The branches with a value of one KPI in the page's year, by code; ``target_threshold`` is that of the page's branch.

        Of a large group only those of the branch's block; ``spread`` tells how all of them are spread.
        """
        rows = self._places.get((kpi_id, definition), self.page.places.clear())
        own = next(row for row in self.rows if row["kpi_id"] == kpi_id)
        goal = pl.when(pl.col("branch_code") == self.branch_code).then(pl.lit(own["target_threshold"], pl.Float64))
        return rows.select(*PLACE_COLUMNS, goal.alias("target_threshold"))

    @functools.cached_property
    def _places(self) -> dict[tuple[Any, ...], pl.DataFrame]:
        return self.page.places.partition_by("kpi_id", "definition", as_dict=True)

    def spread(self, kpi_id: str, definition: str) -> dict[str, Any] | None:
        """How the branches of one KPI are spread in the page's year, where they are a large group; else None."""
        found = (row for row in self._spreads if (row["kpi_id"], row["definition"]) == (kpi_id, definition))
        return next(found, None)

    @functools.cached_property
    def _spreads(self) -> list[dict[str, Any]]:
        return self.page.spread.to_dicts()


def _by_kpi(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {kpi_id: rows for (kpi_id,), rows in frame.partition_by("kpi_id", as_dict=True).items()}


def open_briefing(curated_dir: str | Path, *, branch: str, fiscal_year: int, lang: str = "ja") -> Briefing:
    """Read the data of one page: from the store that ``kenpo report`` writes while it is current, else compared here and now.

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
    require_branch(branch, catalogue)
    reader, inputs = open_reader(directory, catalogue)
    check_year(fiscal_year, reader.years)
    page = read_page(reader, catalogue, branch_code=branch, fiscal_year=fiscal_year)
    return Briefing(page, catalogue, branch, fiscal_year, lang, inputs)


def require_branch(branch: str, catalogue: Catalogue) -> None:
    """Refuse a code that no branch has.

    Raises:
        InputError: There is none.
    """
    if branch not in catalogue.branches:
        raise InputError(say(f"支部コード {branch!r} はありません。", f"There is no branch code {branch!r}."))


def open_reader(directory: Path, catalogue: Catalogue) -> tuple[Store | Computed, str]:
    """Where the data of pages come from, and the sha256 of the curated manifest: the store while it is current, else memory.

    Raises:
        InputError: No curated tables, or no verdict on them.
    """
    store = open_store(directory)
    if store:
        return store, store.inputs
    return _compute(directory, catalogue), sha256_of(directory / MANIFEST)


def _compute(directory: Path, catalogue: Catalogue) -> Computed:
    # With all that computing needs; a page from the store does without.
    from kenpo_lib.curated import read_manifest
    from kenpo_lib.kept_verdict import read_verdict
    from kenpo_lib.store.computed import compute_folder

    read_manifest(directory)  # where tables are missing, that is said, and not that nobody has checked them
    return compute_folder(directory, catalogue, verdict=read_verdict(directory))


def interim_rows(briefing: Briefing) -> list[dict[str, Any]]:
    return [row for row in briefing.rows if row["status"] in ("interim", "pending")]


def list_full_kpis(briefing: Briefing) -> list[Kpi]:
    """KPIs for which all branches are known in the page's year, in reading order."""
    full = set(briefing.page.year.filter(pl.col("ranked_count") == briefing.branch_count)["kpi_id"])
    return [kpi for kpi in briefing.catalogue.kpis.values() if kpi.kpi_id in full]
