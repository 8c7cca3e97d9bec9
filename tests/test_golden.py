"""Every kind of chart as a file, byte for byte, from made-up figures: what changes a picture is seen in its review.

After an intended change, look at the pictures that this renews, and commit them:

    KENPO_RENEW_GOLDEN=1 .venv/bin/python -m pytest tests/test_golden.py
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import NamedTuple

import altair as alt
import builders
import polars as pl
import pytest

from kenpo_lib import charts
from kenpo_lib.catalogue import NATION, load_catalogue
from kenpo_lib.compare import compute_comparison, compute_nation
from kenpo_lib.contribution import compute_contribution
from kenpo_lib.coverage import count_by_kpi, list_cells
from kenpo_lib.curated import Tables
from kenpo_lib.files import write_atomically
from kenpo_lib.yearly import summarise_years

GOLDEN = builders.ROOT / "tests" / "golden"
MAX_BYTES = 400_000
BRANCHES = load_catalogue().branches
CODES = [code for code in BRANCHES if code != NATION]
OLD, NEW = "old", "new"
KPI = builders.kpi(
    definitions={OLD: builders.definition(OLD, last=2020), NEW: builders.definition(NEW, first=2021)},
)
FEW = builders.kpi("few", order=20)


def _rows() -> list[builders.Row]:
    """A rate of all 47 branches with counts, under two definitions; a KPI of a few branches in every state."""
    rows = []
    for year in range(2019, 2025):
        for place, code in enumerate(CODES):
            size = 4000 + 900 * (place * 29 % 47)
            share = 0.30 + 0.002 * (place * 17 % 47 - 23) + 0.006 * (year - 2019) + 0.003 * (place * year % 5)
            share += 0.2 * (year < 2021) - 0.14 * (code == "47")
            counts = {"numerator": round(share * size), "denominator": size, "value": round(100 * share, 1)}
            rows.append({"branch_code": code, "fiscal_year": year, "definition": OLD if year < 2021 else NEW, **counts})
        value = 32.4 + 0.6 * (year - 2019) + 20 * (year < 2021)
        rows.append(
            {"branch_code": NATION, "fiscal_year": year, "definition": OLD if year < 2021 else NEW, "value": value}
        )
    few = {"kpi_id": "few", "fiscal_year": 2024}
    return [
        *rows,
        {**few, "branch_code": "01", "value": 10.0, "numerator": 100, "denominator": 1000},
        {**few, "branch_code": "04", "value": 12.0},
        {**few, "branch_code": "13", "value": 5.0, "status": "interim", "period": "YTD"},
        {**few, "branch_code": "16", "status": "pending"},
    ]


CATALOGUE = builders.catalogue(KPI, FEW)
DRAWN = {"label": "made-up figures"}
WORDS = {"lang": "ja", "branches": BRANCHES}


class Figures(NamedTuple):
    tables: Tables
    comparison: pl.DataFrame
    own: pl.DataFrame  # of the nation

    @property
    def values(self) -> pl.DataFrame:
        return self.comparison.filter(kpi_id=KPI.kpi_id)

    @property
    def nation(self) -> pl.DataFrame:
        return self.own.filter(kpi_id=KPI.kpi_id)

    @property
    def latest(self) -> pl.DataFrame:
        return self.values.filter(fiscal_year=2024)

    @property
    def years(self) -> pl.DataFrame:
        return summarise_years(self.values, self.nation, branches=len(CODES))


@pytest.fixture(scope="module")
def figures() -> Figures:
    targets = [
        *({"definition": NEW, "fiscal_year": year, "value": 30.0 + year - 2021} for year in (2022, 2023, 2024)),
        {"kpi_id": "few", "value": 11.0, "branch_code": "05"},
    ]
    tables = builders.tables(_rows(), targets)
    return Figures(tables, compute_comparison(tables, CATALOGUE), compute_nation(tables, CATALOGUE))


def _points() -> pl.DataFrame:
    names = ["健診", "保健指導", "減少率", "受診勧奨", "後発医薬品"]
    own = {"level_points": [40.0, 21.5, 33.0, 5.0, None], "growth_points": [12.0, 0.0, 25.5, -9.5, None]}
    mean = {"mean_level_points": [35.0, 25.0, 30.0, 25.0, 25.0], "mean_growth_points": [15.0, 10.0, 15.0, 10.0, 5.0]}
    return pl.DataFrame({"name": names, **own, **mean})


def _coverage(figures: Figures) -> str:
    cells, own = (list_cells(frame, CATALOGUE.kpis, fiscal_year=2024) for frame in (figures.comparison, figures.own))
    return charts.draw_coverage(cells, own, [KPI, FEW], count_by_kpi(cells), **WORDS, **DRAWN)


def _block_years(figures: Figures) -> str:
    years, values = (frame.filter(definition=NEW) for frame in (figures.years, figures.values))
    return charts.draw_block_years(years, values, KPI, **WORDS, branch_code="04", **DRAWN)


def _branch_years(figures: Figures) -> str:
    titles = {OLD: "定義: 令和2年度まで", NEW: "定義: 令和3年度から"}
    return charts.draw_branch_years(
        figures.years, figures.values, figures.nation, KPI, titles=titles, **WORDS, branch_code="04", **DRAWN
    )


def _trend(figures: Figures, lang: str = "ja") -> alt.LayerChart:
    own = figures.values.filter(branch_code="04")
    return charts.draw_trend(own, figures.nation, KPI, lang=lang, branches=BRANCHES)


def _contribution(figures: Figures) -> alt.LayerChart:
    parts = compute_contribution(figures.comparison, figures.tables, CATALOGUE, kpi_id=KPI.kpi_id, fiscal_year=2024)
    return charts.draw_contribution(parts, KPI, **WORDS)


def _distribution(figures: Figures) -> alt.LayerChart:
    bars = [round(300 * math.exp(-(((place - 17) / 8) ** 2))) for place in range(40)]
    spread = {"low": 24.0, "high": 48.0, "known": sum(bars), "bars": bars}
    return charts.draw_distribution(spread, figures.latest.filter(branch_code="04").to_dicts()[0], KPI, **WORDS)


SPARK = [(2021, 30.0, NEW), (2022, 31.0, NEW), (2023, None, NEW), (2024, 33.0, NEW)]
SPINE = {"worst": 0.05, "lower": 0.35, "value": 0.8, "upper": 0.62, "best": 0.95}
KINDS: dict[str, Callable[[Figures], alt.TopLevelMixin | str]] = {
    "block_years": _block_years,
    "branch_years": _branch_years,
    "caterpillar": lambda figures: charts.draw_caterpillar(figures.latest, KPI, **WORDS, branch_code="04"),
    "contribution": _contribution,
    "coverage": _coverage,
    "distribution": _distribution,
    "funnel": lambda figures: charts.draw_funnel(figures.latest, KPI, **WORDS),
    "incentive_points": lambda _: charts.draw_incentive_points(_points(), lang="ja"),
    "position": lambda figures: charts.draw_position(figures.latest, KPI, branch_code="04", **WORDS),
    "ranking": lambda figures: charts.draw_ranking(figures.latest, KPI, **WORDS, branch_code="04"),
    "sparkline": lambda _: charts.sparkline(SPARK, **DRAWN),
    "spine_line": lambda _: charts.spine_line(SPINE, **DRAWN),
    "tile_map": lambda figures: charts.draw_tile_map(figures.latest, KPI, **WORDS, branch_code="04"),
    "trend": _trend,
}
ENGLISH = {"trend_en": lambda figures: _trend(figures, "en")}


@pytest.mark.parametrize("name", [*KINDS, *ENGLISH])
def test_chart_is_the_one_that_was_looked_at(figures: Figures, name: str):
    chart = (KINDS | ENGLISH)[name](figures)
    svg = chart if isinstance(chart, str) else charts.render_svg(chart, id_prefix=name, **DRAWN)
    drawn = f"{svg}\n".encode()
    path = GOLDEN / f"{name}.svg"
    if os.environ.get("KENPO_RENEW_GOLDEN") and not os.environ.get("CI"):
        write_atomically(path, drawn)

    assert path.is_file(), "see above how to make it"
    assert drawn == path.read_bytes()


def test_every_kind_of_chart_has_a_golden_file_and_they_are_small():
    kinds = {name.removeprefix("draw_") for name in charts.__all__ if name.startswith("draw_")}
    files = {path.stem: path.stat().st_size for path in GOLDEN.iterdir()}

    assert KINDS.keys() == kinds | {"sparkline", "spine_line"}
    assert files.keys() == KINDS.keys() | ENGLISH.keys()
    assert sum(files.values()) <= MAX_BYTES
