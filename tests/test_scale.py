"""Thousands of units: a page reads and shows a bounded part of them, from the store as from memory; 47 branches are all shown."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import builders
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_store import CHANGES, compute_world, equal, list_fingerprints, list_pages, make_world, set_cell
from test_unmeasured import compile_chart

from kenpo_lib import briefing as show
from kenpo_lib import charts, incentive
from kenpo_lib.catalogue import Catalogue
from kenpo_lib.charts.unmeasured import hide_text
from kenpo_lib.compare import compare_all
from kenpo_lib.curated import Tables
from kenpo_lib.spine import compute_spine
from kenpo_lib.store import Store, build_store, observations, places
from kenpo_lib.store.build import GROUP_ROWS
from kenpo_lib.store.computed import compute, compute_folder
from kenpo_lib.store.observations import pick_compared
from kenpo_lib.store.page_data import read_page

# A made-up project of so many units, with fewer years and KPIs than the benchmark's; and what a page of it reads.
MAKE = """
import sys
from pathlib import Path
import scale_data
scale_data.YEARS, scale_data.KPI_COUNT, scale_data.BLOCK = range(2023, 2025), 2, 30
scale_data.make_project(Path(sys.argv[1]), int(sys.argv[2]))
"""
MEASURE = """
import json, sys
from pathlib import Path
folder, units = Path(sys.argv[1]), int(sys.argv[2])
from kenpo_lib.briefing import open_briefing, list_themes, show_spine, show_theme
from kenpo_lib.store import build_store
store = build_store(folder / "data" / "curated")
code = f"{units:04d}"
page = open_briefing(store.curated_dir, branch=code, fiscal_year=2024)
shown = "".join(str(show_theme(page, theme)) for theme in list_themes(page)) + str(show_spine(page))
frames = {name: frame for name, frame in vars(page.page).items() if hasattr(frame, "height")}
print(json.dumps({
    "rows": {name: frame.height for name, frame in frames.items()},
    "spread": page.page.spread["known"].to_list(),
    "files": sorted(store.files(code, 2024)),
    "shown": len(shown),
}))
"""


def measure(folder: Path, units: int) -> dict:
    paths = os.pathsep.join(map(str, (builders.ROOT, builders.ROOT / "benchmarks")))
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONUTF8": "1", "POLARS_MAX_THREADS": "1"}
    for script, definitions in ((MAKE, ""), (MEASURE, str(folder / "definitions"))):
        command = [sys.executable, "-c", script, str(folder), str(units)]
        environment["KENPO_DEFINITIONS"] = definitions
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def count_read(path: Path, column: str, value: str) -> int:
    """Rows of the row groups that their statistics do not rule out."""
    metadata = pq.read_metadata(path)
    place = metadata.schema.to_arrow_schema().get_field_index(column)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    bounds = [(group.column(place).statistics, group.num_rows) for group in groups]
    return sum(rows for statistics, rows in bounds if statistics.min <= value <= statistics.max)


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a group of more than five branches a large one."""
    monkeypatch.setattr(places, "LARGE_GROUP", 5)


# --- bounded, whatever the number -----------------------------------------------------------------------------------


def test_page_reads_as_much_of_many_units_as_of_twice_as_many(tmp_path: Path):
    # given
    few, many = (measure(tmp_path / str(units), units) for units in (210, 420))
    # when, then: the same rows reach the page, which says how many units there are
    assert many["rows"] == few["rows"]
    assert few["rows"]["places"] == 30 * len(few["spread"])
    assert (set(few["spread"]), set(many["spread"])) == ({210}, {420})
    assert abs(many["shown"] - few["shown"]) < 0.01 * few["shown"]
    # and the files that grow with the units are read by no more than two row groups
    curated = tmp_path / "420" / "data" / "curated"
    wanted = {"rows_": ("branch_code", "0420"), "neighbours_": ("block", "第14区"), "budgets_": ("branch_code", "0420")}
    names = {re.match(r"[a-z_]+_", Path(name).name)[0]: curated / name for name in many["files"] if "_" in name}
    for prefix, (column, value) in wanted.items():
        assert 0 < count_read(names[prefix], column, value) <= 2 * GROUP_ROWS, prefix
    assert pq.read_metadata(names["places_"]).num_rows == 0


# --- the same as computing ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("crowded")
def test_store_gives_large_groups_as_computing_does(tmp_path: Path, catalogue: Catalogue):
    # given all branches, one KPI of a few, and months before the year's value
    tables, codes = make_branches(catalogue)
    curated_dir = builders.write_curated(tmp_path, tables)
    # when
    store = build_store(curated_dir)
    computed = compute(tables, catalogue)
    # then
    for code in codes:
        page = store.read_page(code, 2024)
        assert equal(page, read_page(computed, catalogue, branch_code=code, fiscal_year=2024)), code
        block = catalogue.branches[code].block.ja
        beside = {other for other in codes if catalogue.branches[other].block.ja == block}
        assert page.spread["known"].to_list() == [47]
        assert set(page.places["branch_code"]) == (beside if len(beside) <= 5 else {code})
    assert store.read_facts()["rows"]["observations"] == tables["observations"].height
    assert store.read_facts()["figures"]["doc"]["figures"] == tables["observations"].height


def make_branches(catalogue: Catalogue) -> tuple[Tables, list[str]]:
    codes = list(catalogue.branch_codes)
    series = {"kpi_id": "visit_rate", "definition": "10m"}
    rows = [
        series | {"branch_code": code, "fiscal_year": year, "value": 20.0 + (int(code) * 7 + year) % 30}
        for code in codes
        for year in (2023, 2024)
    ]
    months = [
        series
        | {"branch_code": code, "fiscal_year": 2024, "value": float(month), "status": "interim", "period": "YTD"}
        | {"as_of": dt.date(2024, month, 28)}
        for code in codes[:10]
        for month in (5, 6, 7)
    ]
    return builders.tables([*rows, *months]), codes


@settings(max_examples=5)
@given(change=st.sampled_from(CHANGES), place=st.integers(0, 200))
def test_fingerprint_of_large_groups_changes_exactly_when_the_page_does(change, place):
    # given one cell changed
    tables, warnings = make_world()
    name, column, value = change
    changed = set_cell(tables, name, place % tables[name].height, column, value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "LARGE_GROUP", 5)
        # when
        before, after = (compute_world(each, warnings) for each in (tables, changed))
        pages = [list_pages(computed) for computed in (before, after)]
        prints = [list_fingerprints(computed) for computed in (before, after)]
    # then
    assert any(page.spread.height for page in pages[0].values())
    for page in pages[0]:
        assert (prints[0][page] == prints[1][page]) == equal(pages[0][page], pages[1][page]), page


part_way = st.tuples(
    st.sampled_from(["04", "13"]),
    st.sampled_from(["final", "interim", "pending"]),
    st.sampled_from(["FY", "YTD", "M06"]),
    st.sampled_from([None, dt.date(2024, 6, 30), dt.date(2024, 9, 30)]),
    st.sampled_from([None, 1.0, 2.0]),
    st.sampled_from(["total", "part"]),
    st.sampled_from(["doc", "older"]),
)


@settings(max_examples=30)
@given(st.lists(part_way, max_size=8, unique_by=lambda row: (row[0], row[2], row[3], row[5], row[6])))
def test_observations_left_out_change_no_comparison(rows):
    # given
    names = ("branch_code", "status", "period", "as_of", "value", "component", "source_id")
    tables = builders.tables([dict(zip(names, row, strict=True)) for row in rows], sources={"older": "2024-01"})
    # when
    picked = pick_compared(tables["observations"].lazy()).collect()
    # then
    whole, part = (
        compare_all(tables | {"observations": each}, builders.catalogue()) for each in (tables["observations"], picked)
    )
    assert all(one.equals(other, null_equal=True) for one, other in zip(whole, part, strict=True))
    kept = picked.filter((pl.col("status") == "interim") & (pl.col("component") == "total"))
    assert kept.filter(pl.col("value").is_not_null())["as_of"].drop_nulls().n_unique() <= 2


def test_few_observations_are_loaded_whole_and_many_are_not(tmp_path: Path, catalogue: Catalogue, monkeypatch):
    # given three months of ten branches
    tables, codes = make_branches(catalogue)
    curated_dir = builders.write_curated(tmp_path, tables)
    # when
    few = observations.read_compared(curated_dir)
    monkeypatch.setattr(observations, "MOST_LOADED", 100)
    many = observations.read_compared(curated_dir)
    # then only the last month is left
    assert few["observations"].equals(tables["observations"].select(few["observations"].columns))
    assert many["observations"].height == 2 * len(codes) + 10
    assert many["observations"].filter(status="interim")["as_of"].unique().to_list() == [dt.date(2024, 7, 28)]
    assert (
        compute_folder(curated_dir, catalogue, verdict={}).read_facts()["rows"]["observations"]
        == few["observations"].height
    )


# --- what is shown --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.usefixtures("crowded")
def test_page_of_a_large_group_shows_the_spread_and_the_block(tmp_path: Path, catalogue: Catalogue, lang: str):
    # given
    tables, _ = make_branches(catalogue)
    store = build_store(builders.write_curated(tmp_path, tables))
    # when
    page = show.open_briefing(store.curated_dir, branch="36", fiscal_year=2024, lang=lang)
    shown = builders.parse_html(show.show_theme(page, "visits"))
    # then all are counted, the quantiles listed, and of the branches only those of the block
    assert "47" in shown.figcaption.text
    tables_shown = [[cell.text for cell in table.select("tbody th")] for table in shown.select("table")]
    assert {"36", "37", "38", "39"} in map(set, tables_shown)
    ends = {"最小", "最大", "50%点"} if lang == "ja" else {"lowest", "highest", "50% quantile"}
    assert any(ends <= set(listed) for listed in tables_shown)
    values = [row["value"] for row in tables["observations"].filter(fiscal_year=2024, period="FY").to_dicts()]
    quantile = pl.Series(values).quantile(0.5, interpolation="linear")
    assert any(f"{quantile:.1f}" in table.text for table in shown.select("table"))


def test_distribution_is_drawn_without_measuring_and_holds_nothing_but_shapes(catalogue: Catalogue):
    # given half of the values at one end, and a name that is markup
    name = "<b>&</b>"
    own = {"branch_code": "x", "branch_name": name, "value": 2.0, "national": 1.5, "national_kind": "mean"}
    rows = [{"branch_code": f"{n}", "block": "b", "value": float(min(n, 300))} for n in range(600)]
    series = {"kpi_id": "visit_rate", "definition": "10m", "fiscal_year": 2024}
    spread = places.summarise_spread(pl.DataFrame([series | row for row in rows])).row(0, named=True)
    # when
    chart = charts.draw_distribution(spread, own | {"target_threshold": None}, catalogue.kpis["visit_rate"], lang="ja")
    drawn = ET.fromstring(charts.render_svg(chart, id_prefix="d", label="図"))
    # then all are counted, and most in the last bar
    assert (spread["known"], sum(spread["bars"]), spread["bars"][-1]) == (600, 600, max(spread["bars"]))
    assert (spread["high_count"], len(spread["high_codes"])) == (300, places.MOST_CODES)
    assert hide_text(compile_chart(chart))
    assert any(name in (element.text or "") for element in drawn.iter())
    assert {element.tag.rpartition("}")[2] for element in drawn.iter()} <= {
        "svg",
        "g",
        "path",
        "line",
        "text",
        "circle",
    }


def test_values_that_are_all_the_same_are_one_bar(catalogue: Catalogue):
    # given
    series = {"kpi_id": "visit_rate", "definition": "10m", "fiscal_year": 2024, "block": "b", "value": 100.0}
    spread = places.summarise_spread(pl.DataFrame([series | {"branch_code": f"{n}"} for n in range(300)]))
    own = {"branch_code": "1", "branch_name": "甲", "value": 100.0, "national": None, "national_kind": None}
    # when
    chart = charts.draw_distribution(
        spread.row(0, named=True), own | {"target_threshold": None}, catalogue.kpis["visit_rate"], lang="ja"
    )
    # then
    assert [count for count in spread["bars"][0] if count] == [300]
    (bar,) = (layer.data.values for layer in chart.layer if layer.mark.type == "area")
    assert bar[0]["x"] < 100 < bar[-1]["x"]
    assert "path" in charts.render_svg(chart, id_prefix="d", label="図")


@pytest.mark.usefixtures("crowded")
def test_spine_of_a_summary_is_the_one_of_all(tmp_path: Path, catalogue: Catalogue):
    # given
    tables, _ = make_branches(catalogue)
    rows = compute(tables, catalogue).list_places(2024)
    kpi = catalogue.kpis["visit_rate"]
    # when
    spread = places.summarise_spread(rows).row(0, named=True)
    own = rows.filter(branch_code="36")
    part, whole = (compute_spine(own, kpi, branch_code="36", spread=spread), compute_spine(rows, kpi, branch_code="36"))
    # then
    assert part.places == whole.places
    assert (part.worst_count, part.best_count) == (len(whole.worst_codes), len(whole.best_codes))
    assert part.worst_codes == whole.worst_codes[: places.MOST_CODES]


def test_all_47_branches_are_listed(tmp_path: Path, catalogue: Catalogue):
    # given
    tables, codes = make_branches(catalogue)
    # when
    store: Store = build_store(builders.write_curated(tmp_path, tables))
    page = store.read_page("04", 2024)
    # then
    assert page.places["branch_code"].to_list() == codes
    assert page.spread.is_empty()
    assert not [name for name in store.manifest["files"] if name.startswith(("neighbours", "spread"))]


def test_incentive_scheme_is_not_scored_among_thousands(tables: Tables, catalogue: Catalogue, monkeypatch):
    assert incentive.list_incentive_years(tables, catalogue)
    monkeypatch.setattr(incentive, "LARGE_GROUP", 40)

    assert incentive.list_incentive_years(tables, catalogue) == []
