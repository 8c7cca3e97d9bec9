"""What all pages share, computed in memory: what a store is written from, and what pages are made of where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from kenpo_lib.catalogue import NATION, Catalogue
from kenpo_lib.compare import compare_all
from kenpo_lib.contribution import compute_contributions
from kenpo_lib.curated import Tables
from kenpo_lib.incentive import compute_incentive, list_incentive_years
from kenpo_lib.store.observations import read_compared, scan_observations
from kenpo_lib.store.page_data import PAGE_COLUMNS, PLACE_COLUMNS
from kenpo_lib.store.places import pick_listed, pick_neighbours, summarise_spread
from kenpo_lib.store.wide_data import LIGHT_COLUMNS, collect_facts


@dataclass(frozen=True)
class Computed:
    """Comparison and nation of some tables; incentive scores and contributions are computed when asked for.

    Attributes:
        tables: The curated tables.
        catalogue: KPIs and branches.
        comparison, nation: From ``compare_all``.
        verdict: The kept result of the checks; its warnings are what they noted.
        observations: All of them, where ``tables`` hold only what is compared.
    """

    tables: Tables
    catalogue: Catalogue
    comparison: pl.DataFrame
    nation: pl.DataFrame
    verdict: Mapping[str, Any] = field(default_factory=lambda: {"warnings": []})
    observations: pl.LazyFrame | None = None
    _scores: dict[int, pl.DataFrame | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    _movers: dict[int, pl.DataFrame] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def years(self) -> tuple[int, ...]:
        """The fiscal years with data."""
        return tuple(self.comparison["fiscal_year"].unique().sort())

    def list_incentive_years(self) -> list[int]:
        """The years that can be scored."""
        return list_incentive_years(self.tables, self.catalogue)

    def list_kpi_years(self) -> dict[str, list[int]]:
        """By KPI the years of which something is known of a branch or the nation: a value, a part-way one, a target."""
        keys = ("kpi_id", "fiscal_year")
        known = pl.concat([self.comparison.select(keys), self.nation.select(keys)]).unique().sort(keys)
        return {kpi_id: known.filter(kpi_id=kpi_id)["fiscal_year"].to_list() for kpi_id in self.catalogue.kpis}

    # --- what ``page_data.Reader`` asks for ---

    def read_branch(self, branch_code: str, until: int) -> pl.DataFrame:
        wanted = (pl.col("branch_code") == branch_code) & (pl.col("fiscal_year") <= until)
        return self.comparison.filter(wanted).select(PAGE_COLUMNS)

    def read_nation(self, until: int) -> pl.DataFrame:
        return self.list_nation_rows().filter(pl.col("fiscal_year") <= until)

    def list_nation_rows(self) -> pl.DataFrame:
        """The nation's rows in the columns of a branch's; null where the comparison says nothing of the nation."""
        unsaid = [name for name in PAGE_COLUMNS if name not in self.nation.columns]
        types = self.comparison.schema
        return self.nation.with_columns(pl.lit(None, types[name]).alias(name) for name in unsaid).select(PAGE_COLUMNS)

    def read_places(self, fiscal_year: int, kpi_ids: Iterable[str], block: str) -> pl.DataFrame:
        places = self.list_places(fiscal_year).filter(pl.col("kpi_id").is_in(sorted(kpi_ids)))
        return pl.concat([pick_listed(places), pick_neighbours(places).filter(pl.col("block") == block)])

    def read_spread(self, fiscal_year: int, kpi_ids: Iterable[str]) -> pl.DataFrame:
        return summarise_spread(self.list_places(fiscal_year).filter(pl.col("kpi_id").is_in(sorted(kpi_ids))))

    def list_places(self, fiscal_year: int) -> pl.DataFrame:
        """The branches with a value in a year."""
        is_known = (pl.col("fiscal_year") == fiscal_year) & pl.col("value").is_not_null()
        return self.comparison.filter(is_known).select(PLACE_COLUMNS)

    def read_year(self, fiscal_year: int) -> pl.DataFrame:
        return self.comparison.filter(pl.col("fiscal_year") == fiscal_year)

    def read_own(self, table_name: str, branch_code: str, fiscal_year: int) -> pl.DataFrame:
        wanted = (pl.col("branch_code") == branch_code) & (pl.col("fiscal_year") == fiscal_year)
        return self.tables[table_name].filter(wanted)

    def read_sources(self, source_ids: Iterable[str]) -> pl.DataFrame:
        return self.tables["sources"].filter(pl.col("source_id").is_in(sorted(source_ids)))

    def read_incentive(self, fiscal_year: int) -> pl.DataFrame | None:
        if fiscal_year not in self._scores:
            is_scored = fiscal_year in self.list_incentive_years()
            self._scores[fiscal_year] = (
                compute_incentive(self.tables, self.catalogue, fiscal_year=fiscal_year) if is_scored else None
            )
        return self._scores[fiscal_year]

    def read_contribution(self, fiscal_year: int) -> pl.DataFrame:
        if fiscal_year not in self._movers:
            self._movers[fiscal_year] = compute_contributions(
                self.comparison, self.tables, self.catalogue, fiscal_year=fiscal_year
            )
        return self._movers[fiscal_year]

    def list_warnings(self, branch_code: str) -> list[Mapping[str, Any]]:
        return [warning for warning in self.verdict["warnings"] if warning["branch_code"] in (branch_code, NATION)]

    # --- what ``wide_data.WideReader`` asks for ---

    def read_series(self, kpi_id: str) -> pl.DataFrame:
        return self.comparison.filter(pl.col("kpi_id") == kpi_id)

    def read_light(self) -> pl.DataFrame:
        return self.comparison.select(LIGHT_COLUMNS)

    def read_table(self, table_name: str) -> pl.DataFrame:
        return self.tables[table_name]

    def read_facts(self) -> Mapping[str, Any]:
        return collect_facts(self.tables, self.verdict, observations=self.observations)


def compute(
    tables: Tables,
    catalogue: Catalogue,
    *,
    verdict: Mapping[str, Any] | None = None,
    observations: pl.LazyFrame | None = None,
) -> Computed:
    """Compute what all pages share from curated tables.

    Args:
        tables: The curated tables.
        catalogue: KPIs and branches.
        verdict: On the tables; without one nothing was noted.
        observations: All of them, where ``tables`` hold only what is compared.
    """
    comparison, nation = compare_all(tables, catalogue)
    return Computed(tables, catalogue, comparison, nation, verdict or {"warnings": []}, observations)


def compute_folder(directory: Path, catalogue: Catalogue, *, verdict: Mapping[str, Any]) -> Computed:
    """``compute`` from the curated tables of a folder, of which only what is compared is read.

    Raises:
        InputError: Missing, incomplete or changed tables; the remedy is named.
    """
    tables = read_compared(directory)
    return compute(tables, catalogue, verdict=verdict, observations=scan_observations(directory))
