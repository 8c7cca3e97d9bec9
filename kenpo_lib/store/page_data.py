"""Everything in the tables that one page can show. A page gets nothing else, so that its fingerprint can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import polars as pl

from kenpo_lib.catalogue import NATION, Catalogue
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.incentive import list_indicators
from kenpo_lib.store.places import SPREAD_SCHEMA

Row = Mapping[str, Any]
AnyRow = TypeVar("AnyRow", bound=Row)
Series = tuple[str, str]  # kpi_id and definition

# Of the rows of the page's branch. What no branch's page shows stays out: else every page would seem to change whenever
# anything does, since the corrected p of one branch depends on the counts of all.
PAGE_COLUMNS = (
    *("branch_code", "branch_name", "block", "kpi_id", "definition", "fiscal_year", "unit", "status"),
    *("value", "numerator", "denominator", "source_id", "locator", "note", "conflicts"),
    *("interim_value", "interim_as_of", "interim_source_id", "interim_locator", "pending_note"),
    *("national", "national_kind", "national_difference", "national_judgement", "national_without_branch"),
    *("national_source_id", "national_locator", "national_conflicts"),
    *("prior_value", "prior_reason", "prior_difference", "prior_judgement", "prior_source_id", "prior_locator"),
    *("target_rule", "target_value", "target_floor", "target_result", "target_reason", "target_threshold"),
    *("target_distance", "target_people", "target_source_id", "target_locator"),
    *("national_people", "prior_change_lower", "prior_change_upper", "quantile_group"),
    *("rank", "ranked_count", "rank_lower", "rank_upper", "prior_rank", "rank_change", "rank_change_usual"),
    *("deviation_score", "lower_95", "upper_95", "statistical", "statistical_method", "practical", "alert"),
    *("trend_word", "run_years", "pace_basis", "pace_expected", "pace_is_on", "pace_needed_per_month"),
)
# Of the rows of all branches, where a page shows one branch among them.
PLACE_COLUMNS = (
    *(
        "branch_code",
        "branch_name",
        "block",
        "kpi_id",
        "definition",
        "fiscal_year",
        "value",
        "national",
        "national_kind",
    ),
    *("rank", "ranked_count", "deviation_score", "national_without_branch", "source_id"),
)
# Of the nation's rows, where a page shows them beside a branch's.
NATION_COLUMNS = ("kpi_id", "definition", "fiscal_year", "value")
SOURCE_COLUMNS = ("source_id", "national_source_id", "prior_source_id", "target_source_id", "interim_source_id")
OWN_TABLES = ("budgets", "self_assessments")  # curated tables of which a page shows the rows of its branch and year


@dataclass(frozen=True)
class PageData:
    """The data of one page; frames hold the columns that are named above and are empty where the page has none.

    Attributes:
        own: Rows of the branch of the KPIs shown, for the overview all rows of the nation; all years up to the page's, in
            reading order.
        nation: Rows of the nation of the same KPIs and years; none for the overview.
        places: Rows of the year of all branches with a value, of each KPI and definition in which the branch stands among ten or
            more, by branch code; none for the overview. Of groups too large to be listed only those of the branch's block.
        spread: How the values of those large groups are spread (``places.SPREAD_SCHEMA``).
        year: All rows and columns of the comparison of the year; for the overview only.
        contribution: Who moved the nation, of all KPIs for which that can be said; for the overview only.
        incentive: The branch's row of the incentive scores, for the overview all of them; None in years without scores.
        indicators: The same by indicator, with the means of all branches; for the overview without rows.
        budgets, self_assessments: The curated rows of branch and year.
        sources: The documents behind all this.
        warnings: What the checks noted about the values shown.
    """

    own: pl.DataFrame
    nation: pl.DataFrame
    places: pl.DataFrame
    spread: pl.DataFrame
    year: pl.DataFrame
    contribution: pl.DataFrame
    incentive: pl.DataFrame | None
    indicators: pl.DataFrame
    budgets: pl.DataFrame
    self_assessments: pl.DataFrame
    sources: pl.DataFrame
    warnings: tuple[Row, ...]


class Reader(Protocol):
    """Where the data of pages come from: a store, or memory. Columns of the rows of branches and nation: ``PAGE_COLUMNS``."""

    def read_branch(self, branch_code: str, until: int) -> pl.DataFrame:
        """Rows of a branch in reading order, up to a year."""

    def read_nation(self, until: int) -> pl.DataFrame:
        """The nation's rows in reading order, up to a year."""

    def read_places(self, fiscal_year: int, kpi_ids: Iterable[str], block: str) -> pl.DataFrame:
        """``PLACE_COLUMNS`` of the branches with a value in a year, by branch code within each KPI; of large groups a block."""

    def read_spread(self, fiscal_year: int, kpi_ids: Iterable[str]) -> pl.DataFrame:
        """``summarise_spread`` of the year."""

    def read_year(self, fiscal_year: int) -> pl.DataFrame:
        """All rows and columns of the comparison of a year."""

    def read_own(self, table_name: str, branch_code: str, fiscal_year: int) -> pl.DataFrame:
        """Rows of one of ``OWN_TABLES`` in the order of the curated table."""

    def read_sources(self, source_ids: Iterable[str]) -> pl.DataFrame:
        """The curated rows of these documents."""

    def read_incentive(self, fiscal_year: int) -> pl.DataFrame | None:
        """All branches' incentive scores of a year; None where it cannot be scored."""

    def read_contribution(self, fiscal_year: int) -> pl.DataFrame:
        """``compute_contributions`` of a year."""

    def list_warnings(self, branch_code: str) -> list[dict[str, Any]]:
        """What the checks noted about a branch and about the nation."""


@dataclass(frozen=True)
class Shown:
    """What a page shows of its branch's rows: KPIs in reading order, those with a place among the branches, and documents."""

    kpi_ids: tuple[str, ...]
    series: frozenset[Series]
    placed: frozenset[Series]
    source_ids: frozenset[str]


def pick_in_force(rows: Iterable[AnyRow], catalogue: Catalogue, *, fiscal_year: int) -> list[AnyRow]:
    """The rows of one branch and year as a report shows them: each KPI once, under the definition in force."""
    return [
        row for row in rows if catalogue.kpis[row["kpi_id"]].definitions[row["definition"]].is_in_force(fiscal_year)
    ]


def find_shown(rows: Iterable[Row], catalogue: Catalogue, *, fiscal_year: int) -> Shown:
    """What the page of a year shows.

    Args:
        rows: Of the page's branch, up to the year; use ``kpi_id``, ``definition``, ``fiscal_year``, ``ranked_count`` and
            ``SOURCE_COLUMNS``.
        catalogue: Says which definition is in force.
        fiscal_year: The year.
    """
    rows = list(rows)
    year = (row for row in rows if row["fiscal_year"] == fiscal_year)
    current = pick_in_force(year, catalogue, fiscal_year=fiscal_year)
    kpi_ids = dict.fromkeys(row["kpi_id"] for row in current)
    used = {row[column] for row in current for column in SOURCE_COLUMNS}
    used.update(row["source_id"] for row in rows if row["kpi_id"] in kpi_ids)
    return Shown(
        kpi_ids=tuple(kpi_ids),
        series=frozenset((row["kpi_id"], row["definition"]) for row in current),
        placed=frozenset(
            (row["kpi_id"], row["definition"]) for row in current if (row["ranked_count"] or 0) >= MIN_POSITION_BRANCHES
        ),
        source_ids=frozenset(used - {None}),
    )


def list_year_sources(year: pl.DataFrame) -> set[str]:
    """The documents behind all branches of a year and the values that they are compared with, as the overview shows them."""
    return {name for column in ("source_id", "prior_source_id") for name in year[column].drop_nulls()}


def list_shown_warnings(warnings: Iterable[Row], shown: Shown, *, branch_code: str, fiscal_year: int) -> list[Row]:
    """Those about the series of the page, in its year and the one before, of its branch or the nation."""
    return [
        warning
        for warning in warnings
        if warning["branch_code"] in (branch_code, NATION)
        and (warning["kpi_id"], warning["definition"]) in shown.series
        and warning["fiscal_year"] in (fiscal_year, fiscal_year - 1)
    ]


def read_page(reader: Reader, catalogue: Catalogue, *, branch_code: str, fiscal_year: int) -> PageData:
    """Read the data of one page.

    Args:
        reader: A store, or ``Computed``.
        catalogue: Says which definition is in force.
        branch_code: Two-digit code, or "00" for the overview.
        fiscal_year: A year with data.
    """
    is_overview = branch_code == NATION
    nation = reader.read_nation(fiscal_year)
    own = nation if is_overview else reader.read_branch(branch_code, fiscal_year)
    light = ("kpi_id", "definition", "fiscal_year", "ranked_count", *SOURCE_COLUMNS)
    shown = find_shown(own.select(light).iter_rows(named=True), catalogue, fiscal_year=fiscal_year)
    is_shown = pl.col("kpi_id").is_in(shown.kpi_ids)
    own = own if is_overview else own.filter(is_shown)
    budgets, marks = (reader.read_own(name, branch_code, fiscal_year) for name in OWN_TABLES)
    year = reader.read_year(fiscal_year) if is_overview else own.clear()
    documents = shown.source_ids.union(budgets["source_id"], marks["source_id"], list_year_sources(year))
    placed = shown.placed if not is_overview else frozenset()
    scores = reader.read_incentive(fiscal_year)
    incentive, indicators = _pick_incentive(scores, branch_code)
    return PageData(
        own=own,
        nation=nation.filter(is_shown & (not is_overview)).select(NATION_COLUMNS),
        places=_read_places(reader, placed, own, fiscal_year),
        spread=_read_spread(reader, placed, fiscal_year),
        year=year,
        contribution=reader.read_contribution(fiscal_year) if is_overview else pl.DataFrame(),
        incentive=incentive,
        indicators=indicators,
        budgets=budgets,
        self_assessments=marks,
        sources=reader.read_sources(documents),
        warnings=tuple(
            list_shown_warnings(
                reader.list_warnings(branch_code), shown, branch_code=branch_code, fiscal_year=fiscal_year
            )
        ),
    )


def _read_places(reader: Reader, placed: AbstractSet[Series], own: pl.DataFrame, fiscal_year: int) -> pl.DataFrame:
    """Of each placed series the branches of the year, the page's own always among them."""
    if not placed:
        return own.clear().select(PLACE_COLUMNS)
    key, series = ["kpi_id", "definition"], _to_frame(placed)
    mine = own.filter(pl.col("fiscal_year") == fiscal_year).select(PLACE_COLUMNS).join(series, on=key, how="semi")
    branch_code, block = mine.select("branch_code", "block").row(0)
    others = reader.read_places(fiscal_year, {kpi_id for kpi_id, _ in placed}, block).join(series, on=key, how="semi")
    return pl.concat([others.filter(pl.col("branch_code") != branch_code), mine]).sort(*key, "branch_code")


def _read_spread(reader: Reader, placed: AbstractSet[Series], fiscal_year: int) -> pl.DataFrame:
    """Of each placed series that is a large group, by key."""
    if not placed:
        return pl.DataFrame(schema=SPREAD_SCHEMA)
    key = ["kpi_id", "definition"]
    found = reader.read_spread(fiscal_year, {kpi_id for kpi_id, _ in placed})
    return found.join(_to_frame(placed), on=key, how="semi").sort(key)


def _to_frame(series: AbstractSet[Series]) -> pl.DataFrame:
    return pl.DataFrame(sorted(series), schema={"kpi_id": pl.String, "definition": pl.String}, orient="row")


def _pick_incentive(scores: pl.DataFrame | None, branch_code: str) -> tuple[pl.DataFrame | None, pl.DataFrame]:
    """All scores for the overview; else those of the branch, and its indicators beside the means of all."""
    if scores is None:
        return None, pl.DataFrame()
    if branch_code == NATION:
        return scores, list_indicators(scores).clear()
    mine = pl.col("branch_code") == branch_code
    return scores.filter(mine), list_indicators(scores).filter(mine)
