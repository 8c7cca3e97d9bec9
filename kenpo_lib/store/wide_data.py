"""Everything in the tables that a page about one KPI, or about the data themselves, can show; from a store or from memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from kenpo_lib.catalogue import Kpi
from kenpo_lib.curated import Tables
from kenpo_lib.store.page_data import NATION_COLUMNS, PLACE_COLUMNS, PageData
from kenpo_lib.store.places import SPREAD_SCHEMA

Row = Mapping[str, Any]

# The documents behind the figures of a KPI's page: of results, part-way values and targets.
KPI_SOURCE_COLUMNS = ("source_id", "interim_source_id", "target_source_id")
# What the page on the data looks at in every row of branches and nation.
LIGHT_COLUMNS = (
    *("branch_code", "kpi_id", "definition", "fiscal_year", "status", "value", "numerator", "denominator"),
    *("source_id", "locator", "conflicts", "target_rule", "national_kind"),
    *("interim_value", "interim_as_of", "interim_source_id", "interim_locator", "pending_note"),
)
WHOLE_TABLES = ("sources", "targets", "superseded_targets")  # curated tables that are shown whole
COUNTED_TABLES = ("observations", "targets", "statistics", "budgets", "self_assessments")  # whose rows name a source


class WideReader(Protocol):
    """Where these data come from: a store, or memory."""

    def read_series(self, kpi_id: str) -> pl.DataFrame:
        """All rows and columns of the comparison of one KPI."""

    def read_light(self) -> pl.DataFrame:
        """``LIGHT_COLUMNS`` of all rows of the comparison."""

    def read_nation(self, until: int) -> pl.DataFrame:
        """The nation's rows in reading order, up to a year."""

    def read_table(self, table_name: str) -> pl.DataFrame:
        """One of ``WHOLE_TABLES``."""

    def read_facts(self) -> Mapping[str, Any]:
        """``collect_facts`` of the tables."""


@dataclass(frozen=True)
class KpiData:
    """The data of the page of one KPI.

    Attributes:
        values: All columns of the comparison, the branches' rows up to the page's year.
        nation: The nation's own rows, likewise, in the columns of a page.
        sources: The documents behind the figures, and those that define the KPI.
        warnings: What the checks noted about these figures.
        has_later: True if something is known about years after the page's.
    """

    values: pl.DataFrame
    nation: pl.DataFrame
    sources: pl.DataFrame
    warnings: tuple[Row, ...]
    has_later: bool

    def as_page(self, fiscal_year: int) -> PageData:
        """The same as an overview that knows of this KPI alone."""
        return PageData(
            own=self.nation,
            nation=self.nation.clear().select(NATION_COLUMNS),
            places=self.nation.clear().select(PLACE_COLUMNS),
            spread=pl.DataFrame(schema=SPREAD_SCHEMA),
            year=self.values.filter(pl.col("fiscal_year") == fiscal_year),
            contribution=pl.DataFrame(schema={"kpi_id": pl.String}),
            incentive=None,
            indicators=pl.DataFrame(),
            budgets=pl.DataFrame(),
            self_assessments=pl.DataFrame(),
            sources=self.sources,
            warnings=self.warnings,
        )


@dataclass(frozen=True)
class DataQuality:
    """The data of the page on the data: light rows of branches and nation, whole tables, and the facts about all of them."""

    comparison: pl.DataFrame
    nation: pl.DataFrame
    tables: Mapping[str, pl.DataFrame]
    facts: Mapping[str, Any]

    def as_page(self) -> PageData:
        """An overview that shows nothing but the sources."""
        empty = pl.DataFrame()
        return PageData(
            own=self.nation.clear(),
            nation=empty,
            places=empty,
            spread=empty,
            year=self.comparison.clear(),
            contribution=pl.DataFrame(schema={"kpi_id": pl.String}),
            incentive=None,
            indicators=empty,
            budgets=empty,
            self_assessments=empty,
            sources=self.tables["sources"],
            warnings=(),
        )


def read_kpi(reader: WideReader, kpi: Kpi, *, fiscal_year: int) -> KpiData:
    """Read the data of the page of one KPI and year."""
    is_up_to = pl.col("fiscal_year") <= fiscal_year
    series = reader.read_series(kpi.kpi_id)
    national = reader.read_nation(MAX_YEAR).filter(pl.col("kpi_id") == kpi.kpi_id)
    values, nation = series.filter(is_up_to), national.filter(is_up_to)
    shown = list_kpi_sources([*values.to_dicts(), *nation.to_dicts()], kpi)
    warnings = reader.read_facts()["verdict"]["warnings"]
    return KpiData(
        values=values,
        nation=nation,
        sources=reader.read_table("sources").filter(pl.col("source_id").is_in(sorted(shown))),
        warnings=tuple(pick_kpi_warnings(warnings, kpi, fiscal_year=fiscal_year)),
        has_later=values.height < series.height or nation.height < national.height,
    )


MAX_YEAR = 9999


def list_kpi_sources(rows: Iterable[Row], kpi: Kpi) -> set[str]:
    """The documents that the page of a KPI names, given the rows that it shows."""
    found = {row[column] for row in rows for column in KPI_SOURCE_COLUMNS} - {None}
    return found.union(source for definition in kpi.definitions.values() for source in definition.sources)


def pick_kpi_warnings(warnings: Iterable[Row], kpi: Kpi, *, fiscal_year: int) -> list[Row]:
    """Those about a KPI, up to a year."""
    return [
        warning
        for warning in warnings
        if warning["kpi_id"] == kpi.kpi_id and (warning["fiscal_year"] or 0) <= fiscal_year
    ]


def read_quality(reader: WideReader) -> DataQuality:
    """Read the data of the page on the data."""
    return DataQuality(
        comparison=reader.read_light(),
        nation=reader.read_nation(MAX_YEAR).select(LIGHT_COLUMNS),
        tables={name: reader.read_table(name) for name in WHOLE_TABLES},
        facts=reader.read_facts(),
    )


def collect_facts(
    tables: Tables, verdict: Mapping[str, Any], *, observations: pl.LazyFrame | None = None
) -> dict[str, Any]:
    """What can be said of the tables as a whole.

    Args:
        tables: The curated tables.
        verdict: The kept result of the checks on them.
        observations: All of them, where ``tables`` hold only what is compared.

    Returns:
        What JSON can hold: ``verdict``, as given; ``rows`` by table; ``figures`` by source: how many rows name it and the
        ``first`` and ``last`` fiscal year that they are about.
    """
    whole = {name: table.lazy() for name, table in tables.items()}
    if observations is not None:
        whole["observations"] = observations
    named = pl.concat(whole[name].select("source_id", "fiscal_year") for name in COUNTED_TABLES)
    figures = (
        named.group_by("source_id")
        .agg(
            pl.len().alias("figures"),
            pl.col("fiscal_year").min().alias("first"),
            pl.col("fiscal_year").max().alias("last"),
        )
        .sort("source_id")
        .collect(engine="streaming")
    )
    return {
        "verdict": dict(verdict),
        "rows": {name: table.select(pl.len()).collect().item() for name, table in whole.items()},
        "figures": {row.pop("source_id"): row for row in figures.to_dicts()},
    }
