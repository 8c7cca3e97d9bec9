"""Tiny frames, KPIs and raw folders. A test names only what it is about; the rest is filled in here."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml
from bs4 import BeautifulSoup

from kenpo_lib.catalogue import Catalogue, Definition, Direction, Kpi, Unit, load_catalogue
from kenpo_lib.curated import SCHEMAS, Tables, read_manifest, write_tables
from kenpo_lib.files import sha256_of
from kenpo_lib.language import Text
from kenpo_lib.page import sanitise
from kenpo_lib.sources import LONG_LAYOUTS
from kenpo_lib.store.computed import Computed
from kenpo_lib.store.page_data import pick_in_force, read_page
from kenpo_lib.validate import write_verdict
from kenpo_lib.validate.results import ValidationReport

if TYPE_CHECKING:
    from kenpo_lib.briefing.data import Briefing

ROOT = Path(__file__).resolve().parents[1]
RAW = ROOT / "data" / "raw"

Row = Mapping[str, Any]

_SERIES = {"branch_code": "04", "kpi_id": "rate", "definition": "v1", "fiscal_year": 2024}
_PLACE = {"source_id": "doc", "locator": "p.1"}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "observations": {**_SERIES, **_PLACE, "component": "total", "period": "FY", "status": "final"},
    "targets": {**_SERIES, **_PLACE, "rule": "at_least"},
    "superseded_targets": {**_SERIES, **_PLACE, "rule": "at_least"},
    "statistics": {**_PLACE, "branch_code": "04", "component": "total", "fiscal_year": 2024, "is_projection": True},
    "sources": {"title": "a document", "issuer": "issuer", "order_date": "2025-06", "kind": "press", "trust": "high"},
    "budgets": {**_PLACE, "branch_code": "04", "fiscal_year": 2024, "programme": "p", "theme": "health_checks"},
}


# --- curated tables -------------------------------------------------------------------------------------------------


def frame(name: str, rows: Iterable[Row]) -> pl.DataFrame:
    """Rows of a curated table; what a row does not name has its default, or is null."""
    schema = SCHEMAS[name].columns
    complete = [_DEFAULTS.get(name, {}) | dict(row) for row in rows]
    unknown = {column for row in complete for column in row} - schema.keys()
    assert not unknown, unknown
    return pl.DataFrame([{c: row.get(c) for c in schema} for row in complete], schema=dict(schema), orient="row")


def tables(
    observations: Iterable[Row] = (),
    targets: Iterable[Row] = (),
    statistics: Iterable[Row] = (),
    sources: Mapping[str, str] | None = None,
) -> Tables:
    """All curated tables, most of them empty.

    Args:
        sources: Year-month of issue by source id; a source that is not named is of 2025-06.
    """
    rows = {"observations": list(observations), "targets": list(targets), "statistics": list(statistics)}
    named = {row.get("source_id", "doc") for table in rows.values() for row in table} | {"doc"}
    issued = dict.fromkeys(named, "2025-06") | dict(sources or {})
    rows["sources"] = [{"source_id": source_id, "order_date": date} for source_id, date in sorted(issued.items())]
    return {name: frame(name, rows.get(name, ())) for name in SCHEMAS}


def write_curated(project: Path, tables: Tables, *, warnings: Iterable[Row] = ()) -> Path:
    """Tables in ``data/curated`` of a project, with a verdict by the real suites that nothing stops them; no check is run."""
    curated_dir, suites = project / "data" / "curated", project / "expectations"
    shutil.copytree(ROOT / "expectations", suites, dirs_exist_ok=True)
    write_tables(tables, curated_dir, inputs={})
    digests = {path.name: sha256_of(path) for path in suites.glob("*.json")}
    report = ValidationReport((), pl.DataFrame(), suites, digests, load_catalogue())
    path = write_verdict(report, curated_dir, read_manifest(curated_dir))
    verdict = json.loads(path.read_text(encoding="utf-8"))
    verdict["report"]["warnings"] = [dict(warning) for warning in warnings]
    path.write_text(json.dumps(verdict, ensure_ascii=False), encoding="utf-8")
    return curated_dir


# --- catalogue ------------------------------------------------------------------------------------------------------


def definition(name: str = "v1", first: int | None = None, last: int | None = None, restated: tuple = ()) -> Definition:
    return Definition(name, first, last, tuple(restated), Text("定義", "definition"), ("doc",))


def kpi(kpi_id: str = "rate", **changes: Any) -> Kpi:
    """A rate in percent with one decimal, higher is better, one definition for all years."""
    plain = Kpi(
        kpi_id=kpi_id,
        name=Text("率", "rate"),
        short_name=Text("率", "rate"),
        pillar="strategic",
        theme="health_checks",
        order=10,
        unit=Unit.PERCENT,
        decimals=1,
        direction=Direction.HIGHER,
        proportion=True,
        numerator=None,
        denominator=None,
        definitions={"v1": definition()},
        caveats=(),
        resembles=(),
        plausible_min=0.0,
        plausible_max=100.0,
        jump=10.0,
        jump_is_percent=False,
        national_proxy=None,
        within_year=None,
        relevant_difference=1.0,
        branch_code=None,
    )
    return dataclasses.replace(plain, **changes)


def catalogue(*kpis: Kpi) -> Catalogue:
    """The real branches with these KPIs only (by default the one of ``kpi()``)."""
    return dataclasses.replace(load_catalogue(), kpis={entry.kpi_id: entry for entry in kpis or (kpi(),)})


# --- pages ----------------------------------------------------------------------------------------------------------


def select_branch_year(
    comparison: pl.DataFrame, *, branch_code: str, fiscal_year: int, catalogue: Catalogue
) -> pl.DataFrame:
    """One branch and year as a report shows it."""
    rows = comparison.filter(branch_code=branch_code, fiscal_year=fiscal_year)
    shown = pick_in_force(rows.select("kpi_id", "definition").to_dicts(), catalogue, fiscal_year=fiscal_year)
    keys = pl.DataFrame(shown, schema={"kpi_id": pl.String, "definition": pl.String})
    return rows.join(keys, on=["kpi_id", "definition"], how="semi", maintain_order="left")


def briefing(
    tables: Tables,
    catalogue: Catalogue,
    comparison: pl.DataFrame,
    nation: pl.DataFrame,
    *,
    branch_code: str,
    fiscal_year: int,
    lang: str = "ja",
) -> Briefing:
    """A page made from frames in memory, which need not fit each other."""
    from kenpo_lib.briefing.data import Briefing  # brings the charts, which few tests need

    computed = Computed(tables, catalogue, comparison, nation)
    page = read_page(computed, catalogue, branch_code=branch_code, fiscal_year=fiscal_year)
    return Briefing(page, catalogue, branch_code, fiscal_year, lang, inputs="")


# --- raw folders ----------------------------------------------------------------------------------------------------

_FIGURE = {
    **{"page": "1", "table": "表", "row": "行", "column": "実績", "printed": "33.4%", "kind": "observation"},
    **{"branch": "宮城", "kpi_id": "visit_rate", "definition": "10m", "component": "total", "year": "令和6年度"},
    **{"period": "FY", "measure": "value"},
}
_TARGET = {**_FIGURE, "column": "目標", "printed": "33.2%以上", "kind": "target", "measure": "target"}
_BUDGET = {"programme": "事業", "branch": "宮城", "year": "令和6年度", "theme": "visits", "budget_printed": "10千円"}
_MARK = {"section": "章", "item": "項目", "branch": "宮城", "year": "令和6年度", "mark_printed": "○", "mark": "○"}
_STATISTIC = {"printed": "1,000", "branch": "宮城", "statistic": "subscribers", "component": "total", "year": "2024"}


def figure(**cells: str) -> dict[str, str]:
    """One observation as a row of a raw file in the figures layout."""
    return _FIGURE | cells


def target(**cells: str) -> dict[str, str]:
    """One target as a row of a raw file in the figures layout."""
    return _TARGET | cells


def budget(**cells: str) -> dict[str, str]:
    return _BUDGET | cells


def mark(**cells: str) -> dict[str, str]:
    return _MARK | cells


def statistic(**cells: str) -> dict[str, str]:
    return _STATISTIC | cells


def write_csv(path: Path, headings: Iterable[str], rows: Iterable[Row]) -> Path:
    headings = list(headings)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, headings, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_source(
    directory: Path, rows: Iterable[Row], *, source_id: str = "doc", layout: str = "figures", **meta: Any
) -> Path:
    """A source of one file in a raw folder; returns the path of the file."""
    directory.mkdir(exist_ok=True)
    path = write_csv(directory / f"{source_id}.csv", LONG_LAYOUTS[layout], rows)
    entry = {
        **{
            "title": "資料",
            "issuer": "宮城支部",
            "published": None,
            "assumed_order": "2025-06",
            "kind": "branch_results",
        },
        **{"url": None, "trust": "high", "files": [{"name": path.name, "layout": layout}], "notes": "なし"},
    }
    text = yaml.safe_dump(entry | meta, allow_unicode=True)
    (directory / f"{source_id}.meta.yaml").write_text(text, encoding="utf-8")
    return path


def copy_sources(directory: Path, *source_ids: str) -> Path:
    """Copies of some of the real sources, without the checksums of the whole folder."""
    directory.mkdir(exist_ok=True)
    for source_id in source_ids:
        for path in RAW.glob(f"{source_id}.*"):
            shutil.copy(path, directory)
    return directory


def edit_line(path: Path, number: int, old: str, new: str) -> None:
    """Replace once in the given line (counted from 1) of a text file."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert old in lines[number - 1], lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new, 1)
    path.write_text("".join(lines), encoding="utf-8", newline="")


# --- pages ----------------------------------------------------------------------------------------------------------


def parse_html(html: object) -> BeautifulSoup:
    """What a page shows of some HTML: sanitised, and parsed."""
    return BeautifulSoup(sanitise(str(html)), "html.parser")
