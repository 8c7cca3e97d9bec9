"""Whether a page made earlier would come out the same: digests of what ``page_data.read_page`` gives each page.

The frames are not read page by page, which would take longer than computing them: each row is put into text and digested once,
and the digest of a page is that of the digests of its rows.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from kenpo_lib.catalogue import NATION, Kpi
from kenpo_lib.incentive import list_indicators
from kenpo_lib.store.computed import Computed
from kenpo_lib.store.page_data import (
    NATION_COLUMNS,
    OWN_TABLES,
    SOURCE_COLUMNS,
    find_shown,
    list_shown_warnings,
    list_year_sources,
)
from kenpo_lib.store.places import pick_listed, pick_neighbours, summarise_spread
from kenpo_lib.store.wide_data import KPI_SOURCE_COLUMNS, list_kpi_sources, pick_kpi_warnings

Row = Mapping[str, Any]
_DIGEST = "_digest"
_KEYS = ("branch_code", "kpi_id", "definition", "fiscal_year", "ranked_count", *SOURCE_COLUMNS)


class Fingerprints:
    """The fingerprints of the pages of some computed data; what pages share is digested once."""

    def __init__(self, computed: Computed):
        self._computed = computed
        self._years = computed.years
        nation = computed.list_nation_rows()
        self._nation_rows = _list_rows(nation)
        self._nation = _gather(nation.select(NATION_COLUMNS), ("kpi_id", "fiscal_year"))
        self._nation_years = sorted({year for _, year in self._nation})
        self._own = {name: _gather(computed.tables[name], ("branch_code", "fiscal_year")) for name in OWN_TABLES}
        self._own_sources: dict[tuple[str, int], set[str]] = defaultdict(set)
        named = ("branch_code", "fiscal_year", "source_id")
        for code, year, source in pl.concat(computed.tables[name].select(named) for name in OWN_TABLES).iter_rows():
            self._own_sources[code, year].add(source)
        self._sources = _gather(computed.tables["sources"], ("source_id",))
        self._places: dict[tuple[str | int, ...], bytes] = {}  # by series and year; of large groups also by block
        self._scores: dict[tuple[str, int], list[bytes]] = {}
        for year in self._years:
            places = computed.list_places(year)
            for kind, frame, keys in (
                ("places", pick_listed(places), ("kpi_id", "definition", "fiscal_year")),
                ("spread", summarise_spread(places), ("kpi_id", "definition", "fiscal_year")),
                ("neighbours", pick_neighbours(places), ("kpi_id", "definition", "fiscal_year", "block")),
            ):
                self._places |= {key: _digest([(kind, rows)]) for key, rows in _gather(frame, keys).items()}
            scores = computed.read_incentive(year)
            if scores is not None:
                for frame in (scores, list_indicators(scores)):
                    for (code,), rows in _gather(frame, ("branch_code",)).items():
                        self._scores.setdefault((code, year), []).extend(rows)

    def list_branch_pages(self, branch_codes: Iterable[str], rows: pl.DataFrame) -> dict[str, dict[int, str]]:
        """By branch and year.

        Args:
            branch_codes: Some branches; of some of them nothing may be known.
            rows: All their rows in ``PAGE_COLUMNS``, in reading order within each branch.
        """
        by_branch = defaultdict(list)
        for row in _list_rows(rows):
            by_branch[row["branch_code"]].append(row)
        return {code: self.list_pages(code, by_branch[code]) for code in branch_codes}

    def list_pages(self, branch_code: str, rows: Sequence[Row]) -> dict[int, str]:
        """By year, of one branch; no rows where nothing is known of it."""
        return {year: _digest(self._list_parts(branch_code, rows, year)).hex() for year in self._years}

    def list_overviews(self) -> dict[int, str]:
        """By year, of the national overview."""
        found = {}
        for year in self._years:
            parts = self._list_parts(NATION, self._nation_rows, year)
            scores, rows = self._computed.read_incentive(year), self._computed.read_year(year)
            documents = [row for name in sorted(list_year_sources(rows)) for row in self._sources.get((name,), ())]
            frames = {
                "year": rows,
                "contribution": self._computed.read_contribution(year),
                "scores": pl.DataFrame() if scores is None else scores,
            }
            whole = ((name, _digest_rows(frame)) for name, frame in frames.items())
            found[year] = _digest([*parts, ("documents", documents), *whole]).hex()
        return found

    def list_kpis(self) -> dict[str, dict[int, str]]:
        """By KPI and year, of the pages of KPIs; what ``wide_data.read_kpi`` gives each of them."""
        frames = {"values": self._computed.comparison, "nation": self._computed.list_nation_rows()}
        found = {}
        # One at a time: the texts take far more memory than the rows.
        for kpi in self._computed.catalogue.kpis.values():
            own = {name: frame.filter(pl.col("kpi_id") == kpi.kpi_id) for name, frame in frames.items()}
            rows = {name: _gather(frame, ("fiscal_year",)) for name, frame in own.items()}
            documents: dict[tuple, list[Row]] = defaultdict(list)
            for frame in own.values():
                for row in frame.select("fiscal_year", *KPI_SOURCE_COLUMNS).unique().iter_rows(named=True):
                    documents[(row["fiscal_year"],)].append(row)
            parts = {year: self._list_kpi_parts(kpi, rows, documents, year) for year in self._years}
            found[kpi.kpi_id] = {year: _digest(listed).hex() for year, listed in parts.items()}
        return found

    def _list_kpi_parts(
        self,
        kpi: Kpi,
        rows: Mapping[str, Mapping[tuple, list[bytes]]],
        documents: Mapping[tuple, list[Row]],
        year: int,
    ) -> Iterator[tuple[str, Iterable[bytes]]]:
        """The parts of ``KpiData`` as digests, each under its name; rows and documents of the KPI by year."""
        known = sorted(documents)
        until = [cell for cell in known if cell <= (year,)]
        for name, cells in rows.items():
            yield name, (row for cell in until for row in cells.get(cell, ()))
        shown = list_kpi_sources((row for cell in until for row in documents[cell]), kpi)
        yield "sources", (row for name in sorted(shown) for row in self._sources.get((name,), ()))
        listed = pick_kpi_warnings(self._computed.verdict["warnings"], kpi, fiscal_year=year)
        yield "warnings", map(_digest_warning, listed)
        yield "later", [bytes([len(until) < len(known)])]

    def _list_parts(self, branch_code: str, rows: Sequence[Row], year: int) -> Iterator[tuple[str, Iterable[bytes]]]:
        """The parts of ``PageData`` as digests, each under its name."""
        until = [row for row in rows if row["fiscal_year"] <= year]
        shown = find_shown(until, self._computed.catalogue, fiscal_year=year)
        documents = set(shown.source_ids)
        yield "own", [row[_DIGEST] for row in until if branch_code == NATION or row["kpi_id"] in shown.kpi_ids]
        if branch_code != NATION:
            years = [known for known in self._nation_years if known <= year]
            cells = ((kpi_id, known) for kpi_id in shown.kpi_ids for known in years)
            yield "nation", (row for cell in cells for row in self._nation.get(cell, ()))
            block = self._computed.catalogue.branches[branch_code].block.ja
            cells = [(*series, year, *beside) for series in sorted(shown.placed) for beside in ((), (block,))]
            yield "places", [self._places[cell] for cell in cells if cell in self._places]
        yield "incentive", self._scores.get((branch_code, year), ())
        for name in OWN_TABLES:
            yield name, self._own[name].get((branch_code, year), ())
        documents |= self._own_sources[branch_code, year]
        yield "sources", (row for name in sorted(documents) for row in self._sources.get((name,), ()))
        warnings = self._computed.list_warnings(branch_code)
        listed = list_shown_warnings(warnings, shown, branch_code=branch_code, fiscal_year=year)
        yield "warnings", map(_digest_warning, listed)


def _digest_rows(frame: pl.DataFrame) -> list[bytes]:
    """One digest for equal rows, whatever the file they come from."""
    if frame.is_empty():
        return []
    texts = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    return [hashlib.sha256(text.encode()).digest() for text in texts]


def _digest_warning(warning: Row) -> bytes:
    return hashlib.sha256(json.dumps(warning, sort_keys=True).encode()).digest()


def _list_rows(frame: pl.DataFrame) -> list[Row]:
    """What decides on which pages a row stands, and its digest."""
    digests = pl.Series(_DIGEST, _digest_rows(frame), dtype=pl.Binary)
    return frame.select(_KEYS).with_columns(digests).to_dicts()


def _gather(frame: pl.DataFrame, keys: tuple[str, ...]) -> dict[tuple, list[bytes]]:
    """The digests of a frame's rows by key, in their order."""
    found = defaultdict(list)
    for *key, digest in zip(*(frame[name].to_list() for name in keys), _digest_rows(frame), strict=True):
        found[tuple(key)].append(digest)
    return dict(found)


def _digest(parts: Iterable[tuple[str, Iterable[bytes]]]) -> bytes:
    """Each part begins with its name and size, so that no two lists of parts run into the same bytes."""
    digest = hashlib.sha256()
    for name, rows in parts:
        content = b"".join(rows)
        digest.update(f"{name}:{len(content)}:".encode() + content)
    return digest.digest()
