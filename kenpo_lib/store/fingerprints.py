"""Whether a page made earlier would come out the same: digests of what ``page_data.read_page`` gives each page.

The frames are not read page by page, which would take longer than computing them: each row is put into text once, and the
digest of a page is that of the texts of its rows.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
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
_TEXT = "_text"
_TEXTS = 1_000  # put into a digest at a time
_KEYS = ("branch_code", "kpi_id", "definition", "fiscal_year", "ranked_count", *SOURCE_COLUMNS)


class Fingerprints:
    """The fingerprints of the pages of some computed data; the parts that pages share are put into text once."""

    def __init__(self, computed: Computed):
        self._computed = computed
        self._years = computed.years
        nation = computed.list_nation_rows()
        self._nation_rows = _list_rows(nation)
        self._nation = _gather(nation.select(NATION_COLUMNS), ("kpi_id", "fiscal_year"))
        self._nation_years = sorted({year for _, year in self._nation})
        self._own = {name: _gather(computed.tables[name], ("branch_code", "fiscal_year")) for name in OWN_TABLES}
        self._sources = _gather(computed.tables["sources"], ("source_id",))
        self._places: dict[tuple[str | int, ...], str] = {}  # by series and year; of large groups also by block
        self._scores: dict[tuple[str, int], list[str]] = {}
        for year in self._years:
            places = computed.list_places(year)
            for kind, frame, keys in (
                ("places", pick_listed(places), ("kpi_id", "definition", "fiscal_year")),
                ("spread", summarise_spread(places), ("kpi_id", "definition", "fiscal_year")),
                ("neighbours", pick_neighbours(places), ("kpi_id", "definition", "fiscal_year", "block")),
            ):
                self._places |= {key: _digest([(kind, texts)]) for key, texts in _gather(frame, keys).items()}
            scores = computed.read_incentive(year)
            if scores is not None:
                for frame in (scores, list_indicators(scores)):
                    for (code,), texts in _gather(frame, ("branch_code",)).items():
                        self._scores.setdefault((code, year), []).extend(texts)

    def list_branch_pages(self, rows: pl.DataFrame) -> dict[str, dict[int, str]]:
        """By branch and year.

        Args:
            rows: All rows of some branches in ``PAGE_COLUMNS``, in reading order within each branch.
        """
        by_branch = defaultdict(list)
        for row in _list_rows(rows):
            by_branch[row["branch_code"]].append(row)
        return {code: self.list_pages(code, own) for code, own in by_branch.items()}

    def list_pages(self, branch_code: str, rows: Sequence[Row] = ()) -> dict[int, str]:
        """By year, of one branch; without rows that of a branch of which nothing is known."""
        return {year: _digest(self._list_parts(branch_code, rows, year)) for year in self._years}

    def list_overviews(self) -> dict[int, str]:
        """By year, of the national overview."""
        found = {}
        for year in self._years:
            parts = self._list_parts(NATION, self._nation_rows, year)
            scores, rows = self._computed.read_incentive(year), self._computed.read_year(year)
            documents = [t for name in sorted(list_year_sources(rows)) for t in self._sources.get((name,), ())]
            frames = {
                "year": rows,
                "contribution": self._computed.read_contribution(year),
                "scores": pl.DataFrame() if scores is None else scores,
            }
            texts = ((name, _put_in_text(frame)) for name, frame in frames.items())
            found[year] = _digest([*parts, ("documents", documents), *texts])
        return found

    def list_kpis(self) -> dict[str, dict[int, str]]:
        """By KPI and year, of the pages of KPIs; what ``wide_data.read_kpi`` gives each of them."""
        frames = {"values": self._computed.comparison, "nation": self._computed.list_nation_rows()}
        found = {}
        for (
            kpi
        ) in self._computed.catalogue.kpis.values():  # one at a time: the texts take far more memory than the rows
            own = {name: frame.filter(pl.col("kpi_id") == kpi.kpi_id) for name, frame in frames.items()}
            texts = {name: _gather(frame, ("fiscal_year",)) for name, frame in own.items()}
            documents: dict[tuple, list[Row]] = defaultdict(list)
            for frame in own.values():
                for row in frame.select("fiscal_year", *KPI_SOURCE_COLUMNS).unique().iter_rows(named=True):
                    documents[(row["fiscal_year"],)].append(row)
            parts = {year: self._list_kpi_parts(kpi, texts, documents, year) for year in self._years}
            found[kpi.kpi_id] = {year: _digest(listed) for year, listed in parts.items()}
        return found

    def _list_kpi_parts(
        self,
        kpi: Kpi,
        texts: Mapping[str, Mapping[tuple, list[str]]],
        documents: Mapping[tuple, list[Row]],
        year: int,
    ) -> Iterator[tuple[str, Iterable[str]]]:
        """The parts of ``KpiData`` as texts, each under its name; texts and documents of the KPI by year."""
        known = sorted(documents)
        until = [cell for cell in known if cell <= (year,)]
        for name, cells in texts.items():
            yield name, (text for cell in until for text in cells.get(cell, ()))
        shown = list_kpi_sources((row for cell in until for row in documents[cell]), kpi)
        yield "sources", (text for name in sorted(shown) for text in self._sources.get((name,), ()))
        listed = pick_kpi_warnings(self._computed.verdict["warnings"], kpi, fiscal_year=year)
        yield "warnings", [json.dumps(warning, sort_keys=True) for warning in listed]
        yield "later", [str(len(until) < len(known))]

    def _list_parts(self, branch_code: str, rows: Sequence[Row], year: int) -> Iterator[tuple[str, Iterable[str]]]:
        """The parts of ``PageData`` as texts, each under its name."""
        until = [row for row in rows if row["fiscal_year"] <= year]
        shown = find_shown(until, self._computed.catalogue, fiscal_year=year)
        documents = set(shown.source_ids)
        yield "own", [row[_TEXT] for row in until if branch_code == NATION or row["kpi_id"] in shown.kpi_ids]
        if branch_code != NATION:
            years = [known for known in self._nation_years if known <= year]
            cells = ((kpi_id, known) for kpi_id in shown.kpi_ids for known in years)
            yield "nation", (text for cell in cells for text in self._nation.get(cell, ()))
            block = self._computed.catalogue.branches[branch_code].block.ja
            cells = [(*series, year, *beside) for series in sorted(shown.placed) for beside in ((), (block,))]
            yield "places", [self._places[cell] for cell in cells if cell in self._places]
        yield "incentive", self._scores.get((branch_code, year), ())
        for name in OWN_TABLES:
            texts = self._own[name].get((branch_code, year), ())
            documents.update(json.loads(text)["source_id"] for text in texts)
            yield name, texts
        yield "sources", (text for name in sorted(documents) for text in self._sources.get((name,), ()))
        warnings = self._computed.list_warnings(branch_code)
        listed = list_shown_warnings(warnings, shown, branch_code=branch_code, fiscal_year=year)
        yield "warnings", [json.dumps(warning, sort_keys=True) for warning in listed]


def _put_in_text(frame: pl.DataFrame) -> list[str]:
    """Each row as JSON: one text for equal rows, whatever the file they come from."""
    if frame.is_empty():
        return []
    return frame.select(pl.struct(pl.all()).struct.json_encode()).to_series().to_list()


def _list_rows(frame: pl.DataFrame) -> list[Row]:
    """What decides on which pages a row stands, and its text."""
    texts = pl.Series(_TEXT, _put_in_text(frame), dtype=pl.String)
    return frame.select(_KEYS).with_columns(texts).to_dicts()


def _gather(frame: pl.DataFrame, keys: tuple[str, ...]) -> dict[tuple, list[str]]:
    """The texts of a frame's rows by key, in their order."""
    found = defaultdict(list)
    for *key, text in zip(*(frame[name].to_list() for name in keys), _put_in_text(frame), strict=True):
        found[tuple(key)].append(text)
    return dict(found)


def _digest(parts: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Texts hold no line end, so that no two lists of parts run into the same lines."""
    digest = hashlib.sha256()
    for name, texts in parts:
        lines = chain((f"{name}:",), texts)
        while some := list(islice(lines, _TEXTS)):
            digest.update("".join(f"{line}\n" for line in some).encode())
    return digest.hexdigest()
