"""Charts as specifications and as text: what is joined, what is strong, what never gets into a page."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import json
import math
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
import zlib
from itertools import pairwise

import altair as alt
import builders
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from specifications import assert_drawn_as_checked

from kenpo_lib import charts
from kenpo_lib.catalogue import NATION, Direction, Unit
from kenpo_lib.charts import explore, explore_parts, shape, theme
from kenpo_lib.charts import layers as layers_module
from kenpo_lib.charts.tiles import text_colour
from kenpo_lib.charts.trend_marks import name_year
from kenpo_lib.language import Text

RATE = builders.kpi()
CHANGED = builders.kpi(
    definitions={"old": builders.definition("old", None, 2023), "new": builders.definition("new", 2024)}
)
NASTY = "\"><script>alert(1)</script>&'<img src=x onerror=alert(1)>"
TEXTS = {"branch_code", "branch_name", "block", "definition", "status", "pending_note", "national_kind"}
COLUMNS = {
    **{"branch_code": "04", "branch_name": "宮城", "block": "東北", "definition": "v1", "fiscal_year": 2024},
    **{"status": "final", "value": None, "interim_value": None, "pending_note": None, "rank": None},
    **{"national": None, "national_kind": None, "target_threshold": None},
}


# --- given ------------------------------------------------------------------------------------------------------------


def frame(*rows):
    """Rows of the comparison; a row names only what its test is about."""
    schema = {
        name: pl.String if name in TEXTS else pl.Int32 if name in ("fiscal_year", "rank") else pl.Float64
        for name in COLUMNS
    }
    return pl.DataFrame([{**COLUMNS, **row} for row in rows], schema=schema, orient="row")


def years(values, **cells):
    """A row per year from 2019 on; None for a year that has a row but no value."""
    return [{"fiscal_year": 2019 + place, "value": value, **cells} for place, value in enumerate(values)]


def strip(values, **cells):
    """A row per branch from 01 on; blocks of seven."""
    return frame(
        *(
            {
                "branch_code": f"{code:02d}",
                "branch_name": f"支部{code}",
                "block": f"地域{code // 8}",
                "value": value,
                **cells,
            }
            for code, value in enumerate(values, start=1)
        )
    )


def draw_trend(history, kpi=RATE, *, nation=None, lang="ja"):
    return charts.draw_trend(history, nation, kpi, lang=lang)


def draw_position(values, kpi=RATE, *, branch_code="04", lang="ja"):
    return charts.draw_position(values, kpi, branch_code=branch_code, lang=lang)


def svg(chart, prefix="t", label="図"):
    return charts.render_svg(chart, id_prefix=prefix, label=label)


def test_frame_with_a_configuration_of_its_own_keeps_it_and_the_theme():
    chart = layers_module.draw_no_data(width=100, height=50, lang="ja").configure_axis(grid=True)
    for spec in (chart.to_dict(), chart.to_dict(validate=False)):
        assert spec["config"]["axis"]["grid"] is True
        assert spec["config"]["font"] == theme.FONT_STACK


# --- when: reading a specification ------------------------------------------------------------------------------------


def layers(chart, kind=None, **mark):
    """Layers of the (schema-checked) specification with their rows, by type and properties of their mark."""
    spec = chart.to_dict()
    assert_drawn_as_checked(chart, spec)
    found = []
    for layer in spec.get("layer", [spec]):
        if (kind is None or layer["mark"]["type"] == kind) and mark.items() <= layer["mark"].items():
            data = layer.get("data", spec.get("data"))
            values = data["values"] if "values" in data else spec["datasets"][data["name"]]
            found.append({**layer, "rows": values})
    return found


def rows(found):
    return [row for layer in found for row in layer["rows"]]


def words(chart):
    """Every text of a chart, from marks with a fixed text and from those with a column of texts."""
    fixed = [layer["mark"]["text"] for layer in layers(chart, "text") if "text" in layer["mark"]]
    named = [
        row[layer["encoding"]["text"]["field"]]
        for layer in layers(chart, "text")
        if "text" in layer.get("encoding", {})
        for row in layer["rows"]
    ]
    return [*fixed, *named]


def lines(chart, colour=theme.STRONG):
    """The stretches that one line joins, each as a list of (definition, year)."""
    stretches = {}
    for row in rows(layers(chart, "line", color=colour)):
        stretches.setdefault(row["run"], []).append((row["definition"], row["fiscal_year"]))
    return [stretches[run] for run in sorted(stretches)]


# --- the line and its breaks ------------------------------------------------------------------------------------------


def test_trend_line_never_joins_two_definitions():
    # given four years, two under each definition
    history = frame(
        *({"fiscal_year": year, "value": 10.0, "definition": "old"} for year in (2022, 2023)),
        *({"fiscal_year": year, "value": 30.0, "definition": "new"} for year in (2024, 2025)),
    )
    # when
    chart = draw_trend(history, CHANGED)
    # then two lines, a rule half-way between them, and a word for it
    assert lines(chart) == [[("new", 2024), ("new", 2025)], [("old", 2022), ("old", 2023)]]
    assert [row["x"] for row in rows(layers(chart, "rule"))] == [2023.5]
    assert "定義変更" in words(chart)
    drawn = [element.get("d", "") for element in ET.fromstring(svg(chart)).findall(".//{*}path")]
    assert [path.count("L") for path in drawn] == [1, 1]


def test_trend_line_leaves_a_gap_for_a_year_without_value():
    # given a year with a row but no value, and a year without a row
    history = frame(*years([10.0, 11.0, None, 13.0, 14.0]), {"fiscal_year": 2026, "value": 15.0})
    # when
    chart = draw_trend(history)
    # then
    assert [[year for _, year in line] for line in lines(chart)] == [[2019, 2020], [2022, 2023], [2026]]


def test_trend_puts_a_restated_year_on_its_side_of_the_rule():
    # given 2023 under both definitions
    history = frame(
        {"fiscal_year": 2022, "value": 10.0, "definition": "old"},
        {"fiscal_year": 2023, "value": None, "target_threshold": 13.0, "definition": "old"},
        {"fiscal_year": 2023, "value": 33.0, "definition": "new"},
        {"fiscal_year": 2024, "value": 34.0, "definition": "new"},
    )
    # when
    chart = draw_trend(history, CHANGED)
    # then the old target stands left of the rule, the restated value right of it
    (rule,) = rows(layers(chart, "rule"))
    (target,) = rows(layers(chart, "tick"))
    restated = next(row for row in rows(layers(chart, "line")) if row["fiscal_year"] == 2023)
    assert target["x"] < rule["x"] == 2023 < restated["x"]


def test_trend_names_the_old_line_when_definitions_overlap_for_years():
    # given two years under both definitions
    history = frame(
        *({"fiscal_year": year, "value": 10.0, "definition": "old"} for year in (2022, 2023, 2024)),
        *({"fiscal_year": year, "value": 30.0, "definition": "new"} for year in (2023, 2024)),
    )
    # when, then
    assert "旧定義" in words(draw_trend(history, CHANGED))


def test_trend_names_each_of_several_changes_only_where_there_is_room():
    # given a new definition every year
    names = ["a", "b", "c", "d", "e", "f"]
    kpi = builders.kpi(
        definitions={name: builders.definition(name, 2019 + n, 2019 + n) for n, name in enumerate(names)}
    )
    history = frame(*({"fiscal_year": 2019 + n, "value": 10.0, "definition": name} for n, name in enumerate(names)))
    # when
    chart = draw_trend(history, kpi)
    # then every change has its rule; not every one has the words
    assert len(rows(layers(chart, "rule"))) == 5
    assert 1 <= words(chart).count("定義変更") < 5


def test_trend_shows_an_interim_value_hollow_and_joined_to_nothing():
    # given
    history = frame(
        {"fiscal_year": 2023, "value": 86.5},
        {"fiscal_year": 2024, "interim_value": 91.1, "status": "interim"},
    )
    # when
    chart = draw_trend(history)
    # then
    assert lines(chart) == [[("v1", 2023)]]
    (hollow,) = layers(chart, "point", fill=theme.PAPER, stroke=theme.STRONG)
    assert [row["y"] for row in hollow["rows"]] == [91.1]
    assert "中間 91.1" in words(chart)
    assert "宮城" in words(chart)  # without a value: the axis ends with a year that has none


def test_trend_draws_no_interim_value_beside_the_final_one():
    # given
    chart = draw_trend(frame({"value": 50.0, "interim_value": 20.0}))
    # when, then
    assert layers(chart, "point", fill=theme.PAPER) == []


def test_trend_says_pending_where_a_value_is_announced():
    # given
    history = frame(
        {"fiscal_year": 2023, "value": 30.0}, {"fiscal_year": 2024, "status": "pending", "pending_note": "検証中；注"}
    )
    # when, then
    assert "検証中" in words(draw_trend(history))
    assert "pending" in words(draw_trend(history, lang="en"))
    assert words(draw_trend(history.filter(pl.col("value").is_null()))) == ["検証中"]


@pytest.mark.parametrize("kind", ["summed", "weighted", "mean"])
def test_trend_joins_published_national_figures_only(kind):
    # given two published years, then two of another kind
    history = frame(
        *years([10.0, 11.0], national=12.0, national_kind="published"),
        *({"fiscal_year": year, "value": 13.0, "national": 14.0, "national_kind": kind} for year in (2021, 2022)),
    )
    # when
    chart = draw_trend(history)
    # then
    assert [[year for _, year in line] for line in lines(chart, theme.NATION_COLOUR)] == [[2019, 2020]]
    (line,) = layers(chart, "line", color=theme.NATION_COLOUR)
    assert line["mark"]["strokeDash"]
    (hollow,) = layers(chart, "point", shape="diamond", fill=theme.PAPER)
    assert [row["fiscal_year"] for row in hollow["rows"]] == [2021, 2022]
    # the name tells that the last one is not published
    assert not any(word.startswith("全国 ") for word in words(chart))


def test_trend_takes_published_years_from_the_nation_itself():
    # given a year for which the branch has only a target, and years before its first
    history = frame({"fiscal_year": 2022, "value": 10.0}, {"fiscal_year": 2023, "target_threshold": 12.0})
    nation = frame(*({"branch_code": "00", "fiscal_year": year, "value": 20.0} for year in (2010, 2022, 2023, 2030)))
    # when
    chart = draw_trend(history, nation=nation)
    # then the nation does not widen the axis
    assert lines(chart, theme.NATION_COLOUR) == [[("v1", 2022), ("v1", 2023)]]


def test_trend_of_a_sum_has_no_nation():
    # given a count that grows with the branch
    kpi = builders.kpi(unit=Unit.OFFICES, decimals=0)
    history = frame({"value": 2885.0, "national": 105343.0, "national_kind": "published"})
    # when, then
    assert layers(draw_trend(history, kpi), "point", shape="diamond") == []


def test_trend_of_the_nation_is_its_own_and_only_line():
    # given
    history = frame(*years([10.0, 11.0], branch_code="00", branch_name="全国"))
    # when
    chart = draw_trend(history, nation=history)
    # then
    assert len(lines(chart)) == 1
    assert layers(chart, "line", color=theme.NATION_COLOUR) == []
    assert "全国 11.0" in words(chart)


def test_trend_has_a_target_bar_per_year():
    # given
    history = frame(
        {"fiscal_year": 2023, "value": 10.0, "target_threshold": 12.0}, {"fiscal_year": 2025, "target_threshold": 14.0}
    )
    # when
    chart = draw_trend(history)
    # then
    (ticks,) = layers(chart, "tick", color=theme.TARGET_COLOUR)
    assert [(row["fiscal_year"], row["y"]) for row in ticks["rows"]] == [(2023, 12.0), (2025, 14.0)]
    assert {"目標 14.0", "宮城", "10.0"} <= set(words(chart))


def test_trend_labels_stand_apart():
    # given three equal values
    history = frame({"value": 100.0, "national": 100.0, "national_kind": "published", "target_threshold": 100.0})
    # when
    places = sorted(
        layer["mark"]["y"] for layer in layers(draw_trend(history), "text") if layer["mark"].get("baseline") == "middle"
    )
    # then
    assert len(places) == 3
    assert all(after - before >= 14 for before, after in pairwise(places))


@pytest.mark.parametrize(("year", "ja", "en"), [(2024, "R6", "FY24"), (2019, "R元", "FY19"), (2018, "H30", "FY18")])
def test_name_year_is_short(year, ja, en):
    assert (name_year(year, lang="ja"), name_year(year, lang="en")) == (ja, en)


def test_trend_leaves_out_names_of_years_without_room():
    # given nineteen years
    chart = draw_trend(frame(*({"fiscal_year": year, "value": 10.0} for year in range(2008, 2027))))
    # when
    shown = layers(chart, "line")[0]["encoding"]["x"]["axis"]["values"]
    # then the last year is among those shown
    assert shown[-1] == 2026
    assert 4 <= len(shown) <= 12


# --- position and ranking ---------------------------------------------------------------------------------------------


def tone(chart, colour):
    return [
        row for layer in layers(chart, "point", shape="circle", color=colour) for row in layer["rows"] if "x" in row
    ]


def test_position_has_every_branch_once_and_the_chosen_one_strong():
    # given
    chart = draw_position(strip([float(code) for code in range(1, 48)]))
    # when, then
    assert [row["x"] for row in tone(chart, theme.STRONG)] == [4.0]
    assert sorted(row["x"] for row in tone(chart, theme.BLOCK)) == [1.0, 2.0, 3.0, 5.0, 6.0, 7.0]
    assert len(tone(chart, theme.OTHERS)) == 40
    assert f"支部4 4.0{RATE.unit_word('ja')}" in words(chart)


def test_position_counts_branches_without_value():
    # given 13 of 47, among them not the chosen one
    values = strip([None] * 34 + [30.0 + code for code in range(13)])
    # when
    texts = words(draw_position(values))
    # then
    assert "値のある13支部" in texts
    assert "支部4: 値なし" in texts
    assert tone(draw_position(values), theme.STRONG) == []


def test_position_piles_equal_values_without_touching():
    # given
    chart = draw_position(strip([50.0] * 10 + [60.0] * 3))
    # when
    dots = [(row["x"], row["y"]) for colour in (theme.STRONG, theme.BLOCK, theme.OTHERS) for row in tone(chart, colour)]
    # then
    assert len(set(dots)) == 13
    heights = sorted(y for x, y in dots if x == 50.0)
    assert all(after - before >= 9 for before, after in pairwise(heights))


def test_position_of_47_equal_values_stays_low():
    # given, when
    chart = draw_position(strip([100.0] * 47))
    # then
    assert chart.to_dict()["height"] <= 160
    assert len(rows(layers(chart, "point", color=theme.OTHERS))) >= 40


@pytest.mark.parametrize(
    ("direction", "word"), [(Direction.HIGHER, "良い →"), (Direction.LOWER, "← 良い"), (Direction.NEITHER, None)]
)
def test_better_end_is_named(direction, word):
    # given
    kpi = builders.kpi(direction=direction)
    for chart in (
        draw_position(strip([1.0, 2.0, 3.0]), kpi),
        charts.draw_ranking(strip([1.0, 2.0, 3.0]), kpi, lang="ja"),
    ):
        # when, then
        assert [text for text in words(chart) if "良い" in text] == ([word] if word else [])


def test_position_shows_nation_and_target_of_the_chosen_branch():
    # given
    values = strip([10.0, 20.0, 30.0, 40.0], national=25.0, national_kind="weighted", target_threshold=45.0)
    # when
    chart = draw_position(values)
    # then
    unit = RATE.unit_word("ja")
    assert {f"全国推計 25.0{unit}", f"目標 45.0{unit}"} <= set(words(chart))
    assert layers(chart, "rule", color=theme.NATION_COLOUR)[0]["mark"]["strokeDash"]
    assert rows(layers(chart, "rule", color=theme.TARGET_COLOUR)) == [{"x": 45.0}]


def test_ranking_lists_best_first_with_shared_ranks():
    # given lower is better, a tie, and a branch without value
    values = frame(
        *(
            {"branch_code": code, "branch_name": name, "value": value, "rank": rank}
            for code, name, value, rank in (
                ("01", "甲", 3.0, 3),
                ("02", "乙", 1.0, 1),
                ("03", "丙", 1.0, 1),
                ("04", "丁", None, None),
            )
        )
    )
    # when
    chart = charts.draw_ranking(values, builders.kpi(direction=Direction.LOWER), lang="ja")
    # then
    ordered = sorted(rows(layers(chart, "point", shape="circle")), key=lambda row: row["y"])
    assert [(row["rank"], row["name"], row["text"]) for row in ordered] == [
        ("1", "乙", "1.0"),
        ("1", "丙", "1.0"),
        ("3", "甲", "3.0"),
    ]
    assert "値のある3支部" in words(chart)


def test_ranking_without_direction_shows_no_ranks():
    # given
    values = strip([1.0, 2.0]).with_columns(pl.Series("rank", [2, 1], dtype=pl.Int32))
    # when
    chart = charts.draw_ranking(values, builders.kpi(direction=Direction.NEITHER), lang="ja")
    # then
    assert [row["rank"] for row in rows(layers(chart, "point", shape="circle"))] == ["", ""]


def test_names_follow_the_language(catalogue):
    # given the branch master
    values = frame({"value": 30.0}, {"branch_code": "13", "branch_name": "東京", "value": 40.0, "block": "関東"})
    # when
    texts = words(charts.draw_position(values, RATE, branch_code="04", lang="en", branches=catalogue.branches))
    # then
    assert {"Miyagi 30.0%", "better →"} <= set(texts)
    assert not any(re.search(r"[ぁ-んァ-ヶ一-龠]", text) for text in texts)


# --- tile map ---------------------------------------------------------------------------------------------------------


def draw_tiles(values, catalogue, **options):
    return charts.draw_tile_map(values, RATE, branches=catalogue.branches, lang="ja", **options)


def test_tile_map_has_a_tile_with_name_and_value_for_each_branch(catalogue):
    # given
    chart = draw_tiles(strip([float(code) for code in range(1, 48)]), catalogue)
    # when
    tiles = [row for row in rows(layers(chart, "rect")) if "name" in row]
    # then
    assert len({(row["x"], row["y"]) for row in tiles}) == 47
    assert {row["name"] for row in tiles} == {catalogue.branches[code].name.ja for code in catalogue.branch_codes}
    assert {row["text"] for row in tiles} == {f"{code}.0" for code in range(1, 48)}


def test_tile_map_legend_bounds_hold_the_values_of_their_class(catalogue):
    # given values with ties
    values = [round(40 + (code * 7919 % 23) / 2, 1) for code in range(1, 48)]
    chart = draw_tiles(strip(values), catalogue)
    # when
    bounds = sorted(tuple(map(float, re.findall(r"[\d.]+", text))) for text in words(chart) if "～" in text)
    # then classes do not overlap and hold about equally many
    assert len(bounds) == 5
    assert all(before[1] < after[0] for before, after in pairwise(bounds))
    assert all(5 <= sum(low <= value <= high for value in values) <= 14 for low, high in bounds)


def test_tile_map_shows_a_missing_value_as_dash(catalogue):
    # given 13 of 47
    chart = draw_tiles(strip([30.0 + code for code in range(13)]), catalogue)
    # when
    (missing,) = [layer for layer in layers(chart, "rect", filled=False) if len(layer["rows"]) > 1]
    # then
    assert {row["text"] for row in missing["rows"]} == {"–"}
    assert len(missing["rows"]) == 34
    assert missing["mark"]["strokeDash"]
    assert "値なし" in words(chart)


def test_tile_map_frames_the_chosen_branch(catalogue):
    # given
    values = strip([1.0, 2.0, 3.0, 4.0, 5.0])
    # when
    plain, framed = draw_tiles(values, catalogue), draw_tiles(values, catalogue, branch_code="04")
    # then
    assert len(layers(framed, "rect", stroke=theme.INK)) == 1
    assert layers(plain, "rect", stroke=theme.INK) == []


def test_text_on_tiles_can_be_read():
    assert all(shape.contrast(text_colour(colour), colour) >= 4.5 for colour in theme.TILE_COLOURS)
    # and the steps stay apart on grey paper
    greys = [shape.luminance(colour) for colour in theme.TILE_COLOURS]
    assert all(shape.contrast(before, after) >= 1.3 for before, after in pairwise(theme.TILE_COLOURS))
    assert greys == sorted(greys, reverse=True)


# --- whatever the values ----------------------------------------------------------------------------------------------

ODD_VALUES = {
    "none": [],
    "nulls": [None, None],
    "not a number": [math.nan, math.inf, -math.inf],
    "one": [33.3],
    "zeros": [0.0, 0.0, 0.0],
    "ties": [50.0] * 47,
    "negative": [-5.0, -2.5, 0.0, 3.0],
    "huge": [1e12, 2.5e12, 9.9e14],
    "tiny": [1e-9, 2e-9],
    "far apart": [0.001, 1e9],
    "47": [20 + code * 1.37 % 17 for code in range(47)],
}


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("values", ODD_VALUES.values(), ids=ODD_VALUES)
def test_every_chart_is_drawn_or_says_that_there_are_no_data(values, lang, catalogue):
    # given
    over_branches, over_years = strip(values), frame(*years(values[:12]))
    has_data = any(shape.is_number(value) for value in values)
    kpi = builders.kpi(unit=Unit.YEN)
    drawn = [
        charts.draw_trend(over_years, None, kpi, lang=lang),
        charts.draw_position(over_branches, kpi, branch_code="01", lang=lang),
        charts.draw_ranking(over_branches, kpi, branch_code="01", lang=lang),
        charts.draw_tile_map(over_branches, kpi, branches=catalogue.branches, lang=lang),
    ]
    for chart in drawn:
        # when
        text = svg(chart)
        # then
        root = ET.fromstring(text)
        shown = "".join(root.itertext())
        assert ("データなし" in shown or "No data" in shown) is not has_data
        assert not re.search(r"NaN|Infinity|undefined|null", text)
        view = [float(part) for part in root.get("viewBox").split()]
        assert 0 < view[2] <= 900
        assert 0 < view[3] <= 900


def test_real_figures_are_drawn_within_the_size_that_a_page_can_bear(comparison, nation, catalogue):
    # given every KPI of Miyagi, and every KPI that all branches have
    sizes = {}
    options = {"lang": "ja", "branches": catalogue.branches}
    for kpi_id in comparison.filter(pl.col("branch_code") == "04")["kpi_id"].unique().sort():
        kpi, of_kpi = catalogue.kpis[kpi_id], comparison.filter(pl.col("kpi_id") == kpi_id)
        history = of_kpi.filter(pl.col("branch_code") == "04")
        chart = charts.draw_trend(history, nation.filter(pl.col("kpi_id") == kpi_id), kpi, **options)
        sizes["trend", kpi_id] = len(svg(chart).encode())
        # then no line joins what cannot be compared
        for line in lines(chart):
            assert len({definition for definition, _ in line}) == 1
            assert [year for _, year in line] == list(range(line[0][1], line[-1][1] + 1))
        values = of_kpi.filter((pl.col("fiscal_year") == 2024) & (pl.col("ranked_count") == 47))
        if values.height:
            sizes["position", kpi_id] = len(
                svg(charts.draw_position(values, kpi, branch_code="04", **options)).encode()
            )
            sizes["ranking", kpi_id] = len(svg(charts.draw_ranking(values, kpi, branch_code="04", **options)).encode())
            sizes["tiles", kpi_id] = len(svg(charts.draw_tile_map(values, kpi, **options)).encode())
    # then
    assert len(sizes) > 30
    limits = {"trend": 5_000, "position": 6_000, "ranking": 15_000, "tiles": 10_000}
    assert {key: size for key, size in sizes.items() if size > limits[key[0]]} == {}


# --- the SVG ----------------------------------------------------------------------------------------------------------


def nasty_charts(catalogue):
    branch = dataclasses.replace(catalogue.branches["04"], name=Text(NASTY, NASTY))
    branches = {**catalogue.branches, "04": branch}
    values = strip([1.0, 2.0, 3.0, 4.0], pending_note=NASTY)
    history = frame({"value": 1.0, "branch_name": NASTY})
    options = {"lang": "ja", "branches": branches}
    return {
        "trend": charts.draw_trend(history, None, RATE, **options),
        "position": charts.draw_position(values, RATE, branch_code="04", **options),
        "ranking": charts.draw_ranking(values, RATE, branch_code="04", **options),
        "tiles": charts.draw_tile_map(values, RATE, **options),
    }


@pytest.mark.parametrize("name", ["trend", "position", "ranking", "tiles"])
def test_svg_shows_nasty_names_as_text(name, catalogue):
    # given names that are markup
    chart = nasty_charts(catalogue)[name]
    # when
    text = svg(chart, label=NASTY)
    # then they are there, as text
    root = ET.fromstring(text)
    assert any(NASTY in (element.text or "") for element in root.iter())
    assert root.get("aria-label") == NASTY
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {"svg", "g", "path", "line", "circle", "text"}
    for element in root.iter():
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name or name == "src"]


def test_svg_is_one_image_with_one_sentence():
    # given
    chart = draw_position(strip([1.0, 2.0, 3.0, 4.0, 5.0], national=2.5, national_kind="published"))
    # when
    root = ET.fromstring(charts.render_svg(chart, id_prefix="a", label="宮城は3位", description="詳しくは\x00表"))
    # then
    assert (root.get("role"), root.get("aria-label"), root.get("width")) == ("img", "宮城は3位", "100%")
    assert root.get("style") == "max-width:480px"
    assert root.get("viewBox").startswith("0 0 480 ")
    assert root.get("height") is None
    assert root.find("{*}desc").text == "詳しくは表"
    inner = [name for element in list(root.iter())[1:] for name in element.attrib]
    assert not [name for name in inner if name.startswith("aria") or name in ("role", "class", "style", "font-family")]


def test_svg_text_is_large_enough_and_colours_have_roles(catalogue):
    # given every kind of chart
    values = strip(
        [float(code) for code in range(1, 40)], national=20.0, national_kind="published", target_threshold=30.0
    )
    history = frame(*years([10.0, 12.0], national=11.0, national_kind="mean", target_threshold=13.0))
    drawn = [
        draw_trend(history),
        draw_position(values),
        charts.draw_ranking(values, RATE, branch_code="04", lang="ja"),
        draw_tiles(values, catalogue, branch_code="04"),
    ]
    known = {light for light, _ in theme.ROLES.values()} | {
        *theme.TILE_COLOURS,
        theme.TILE_TEXT_DARK,
        theme.TILE_TEXT_LIGHT,
    }
    for text in map(svg, drawn):
        # when
        sizes = {float(size) for size in re.findall(r'font-size="([\d.]+)"', text)}
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', text))
        # then
        assert sizes
        assert min(sizes) >= 11
        assert colours - {"none", "transparent"} <= known


def clipped():
    """A chart that needs ids: a clip and a gradient."""
    values = alt.InlineData(values=[{"x": n, "y": n * 1.23456789, "c": n} for n in range(5)])
    return alt.Chart(values).mark_point(clip=True).encode(x="x:Q", y="y:Q", color=alt.Color("c:Q"))


def test_svg_ids_are_prefixed_and_unique_on_a_page():
    # given the same chart twice
    one, two = svg(clipped(), prefix="one"), svg(clipped(), prefix="two")
    # when
    ids = re.findall(r'\bid="([^"]+)"', one + two)
    references = re.findall(r"url\(#([^)]+)\)", one + two)
    # then
    assert ids
    assert len(ids) == len(set(ids))
    assert {name.split("-")[0] for name in ids} == {"one", "two"}
    assert set(references) <= set(ids)


@pytest.mark.parametrize("sign", ["\x00", "\x08", "\x0c", "\x1b", "\x1f", "\ufffe", "\uffff"])
def test_signs_that_xml_cannot_hold_are_left_out(sign):
    # given a text with a sign at which the renderer would end the process, beside one that only looks like it
    values = alt.InlineData(values=[{"x": 1, "t": f"宮{sign}城 \\u001b \\b"}])
    chart = alt.Chart(values).mark_text().encode(x="x:Q", text="t:N").properties(title=f"図{sign}")
    # when
    root = ET.fromstring(svg(chart, label=f"点{sign}"))
    # then
    assert {"宮城 \\u001b \\b", "図"} <= set(root.itertext())
    assert root.get("aria-label") == "点"
    assert charts.render_png(chart)


def test_svg_numbers_are_short_and_texts_untouched():
    # given a text that looks like a coordinate
    chart = alt.Chart(alt.InlineData(values=[{"x": 1 / 3, "t": "1.23456789"}])).mark_text().encode(x="x:Q", text="t:N")
    # when
    text = svg(chart)
    # then
    assert ">1.23456789<" in text
    assert not re.search(r"\.\d{3,}", re.sub(r"<text[^>]*>[^<]*", "", text))


def test_svg_has_no_address_but_its_namespace(catalogue):
    # given, when
    text = "".join(svg(chart) for chart in nasty_charts(catalogue).values()).replace(
        html.escape(NASTY, quote=False), ""
    )
    # then
    assert set(re.findall(r"[a-z]+://[^\s\"<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<\?xml|<!|xlink|@import|url\((?!#)", text)


def test_render_refuses_what_would_be_fetched_or_followed():
    # given
    remote = alt.Chart("https://example.org/a.csv").mark_point().encode(x="x:Q")
    local = alt.Chart("file:///etc/passwd").mark_point().encode(x="x:Q")
    values = alt.InlineData(values=[{"x": 1, "url": "https://example.org"}])
    linked = alt.Chart(values).mark_point().encode(x="x:Q", href="url:N")
    image = alt.Chart(values).mark_image().encode(x="x:Q", url="url:N")
    for chart in (remote, local, linked, image):
        # when, then
        with pytest.raises(charts.UnsafeChartError):
            svg(chart)
        with pytest.raises(charts.UnsafeChartError):
            charts.render_png(chart)
    # a column of that name is only a name
    assert svg(alt.Chart(values).mark_point().encode(x="x:Q"))


@pytest.mark.parametrize("prefix", ["", "1a", "a b", 'a"', "a#b", "図"])
def test_render_refuses_a_prefix_that_is_no_identifier(prefix):
    with pytest.raises(ValueError, match="id_prefix"):
        svg(clipped(), prefix=prefix)


def test_render_refuses_a_chart_without_label():
    with pytest.raises(ValueError, match="label"):
        svg(clipped(), label=" ")


def test_svg_bytes_are_the_same_in_another_process():
    # given
    code = (
        "import sys, hashlib; sys.path.insert(0, 'tests'); import test_charts as t\n"
        "text = t.svg(t.draw_position(t.strip([1.5, 2.5, 2.5, 40.0]))) + t.svg(t.clipped())\n"
        "png = t.charts.render_png(t.draw_trend(t.frame(*t.years([1.0, 2.0, 3.0]))))\n"
        "print(hashlib.sha256(text.encode() + png).hexdigest())"
    )
    # when
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=builders.ROOT, encoding="utf-8"
    )
    # then
    here = svg(draw_position(strip([1.5, 2.5, 2.5, 40.0]))) + svg(clipped())
    png = charts.render_png(draw_trend(frame(*years([1.0, 2.0, 3.0]))))
    assert shown.stdout.strip() == hashlib.sha256(here.encode() + png).hexdigest()


# --- fonts and colours ------------------------------------------------------------------------------------------------


def ink(text, weight="normal"):
    """The pixels of a text, decoded from its PNG: what a person would see of it."""
    mark = {"fontSize": 24, "x": 5, "y": 20, "align": "left", "baseline": "middle", "fontWeight": weight}
    chart = alt.Chart(alt.InlineData(values=[{}])).mark_text(text=text, **mark).properties(width=120, height=40)
    data, place, packed = charts.render_png(chart, scale=1.0), 8, b""
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        packed += data[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += 12 + length
    return zlib.decompress(packed)


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_japanese_glyphs_are_drawn(weight):
    # given a blank, a sign that no font has, and names of branches
    blank, unknown = ink(" ", weight), ink("\U0010fffd", weight)
    # when
    drawn = [ink(sign, weight) for sign in "北海道宮城東京沖縄鹿児島全国推計目標％元良→←▲–～"]
    # then each has ink, none is the box for a missing glyph, and no two are alike
    assert blank not in drawn
    assert unknown not in drawn
    assert len(set(drawn)) == len(drawn)


def test_bold_differs_from_regular():
    assert ink("宮城", "bold") != ink("宮城")


def test_theme_is_on_and_names_the_vendored_font_first():
    assert alt.theme.active == "kenpo"
    assert theme.kenpo_theme()["config"]["font"].startswith('"BIZ UDPGothic"')
    assert len(list(charts.drawing.FONT_DIR.glob("*.ttf"))) == 2


def test_css_gives_every_role_a_colour_on_dark_screens_only():
    # given
    screen, _, dark = charts.CHART_CSS.partition("@media screen and (prefers-color-scheme:dark)")
    # when, then
    for role, (light, on_dark) in theme.ROLES.items():
        assert f'[fill="{light}"]{{fill:var(--chart-{role},{light})}}' in screen
        assert f'[stroke="{light}"]{{stroke:var(--chart-{role},{light})}}' in screen
        assert f"--chart-{role}:{on_dark}" in dark
    assert "</" not in charts.CHART_CSS
    assert "url(" not in charts.CHART_CSS


@pytest.mark.parametrize("role", ["ink", "muted", "strong", "nation", "target"])
def test_text_colours_contrast_on_light_and_on_dark(role):
    light, dark = theme.ROLES[role]
    assert shape.contrast(light, theme.ROLES["paper"][0]) >= 4.5
    assert shape.contrast(dark, theme.ROLES["paper"][1]) >= 4.5


def test_tones_stay_apart_on_grey_paper():
    greys = [shape.luminance(colour) for colour in (theme.STRONG, theme.BLOCK, theme.OTHERS, theme.PAPER)]
    assert greys == sorted(greys)
    assert shape.contrast(theme.STRONG, theme.BLOCK) > 2
    assert shape.contrast(theme.BLOCK, theme.OTHERS) > 1.6


# --- sparkline --------------------------------------------------------------------------------------------------------


def test_sparkline_breaks_at_gaps_and_at_a_new_definition():
    # given two years, a gap, two years, a new definition
    points = [
        (2018, 1.0, "a"),
        (2019, 2.0, "a"),
        (2020, None, "a"),
        (2021, 3.0, "a"),
        (2022, 4.0, "a"),
        (2023, 9.0, "b"),
        (2024, 8.0, "b"),
    ]
    # when
    text = charts.sparkline(points, label="推移")
    # then three lines and the last dot
    (path,) = re.findall(r' d="([^"]+)"', text)
    assert path.count("M") == 3
    assert text.count("<circle") == 1
    assert ET.fromstring(text).get("aria-label") == "推移"


def test_sparkline_shows_lone_points_and_the_last_value():
    # given
    text = charts.sparkline([(2019, 1.0, "a"), (2020, None, "a"), (2021, 3.0, "a"), (2022, None, "a")], label="x")
    # when, then
    assert "<path" not in text
    assert text.count("<circle") == 3


@pytest.mark.parametrize("values", ODD_VALUES.values(), ids=ODD_VALUES)
def test_sparkline_stays_in_its_frame(values):
    # given
    text = charts.sparkline(
        [(1980 + n, value, "a") for n, value in enumerate(values)], width=84, height=20, label=NASTY
    )
    # when
    root = ET.fromstring(text)
    places = re.findall(r"(-?[\d.]+),(-?[\d.]+)", " ".join(e.get("d", "") for e in root.iter()))
    # then
    assert root.get("aria-label") == NASTY
    assert all(0 <= float(x) <= 84 and 0 <= float(y) <= 20 for x, y in places)
    assert not re.search("nan|inf", text)


# --- where marks go ---------------------------------------------------------------------------------------------------

numbers = st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 3))


@given(st.lists(numbers, min_size=1, max_size=50), st.integers(0, 3))
def test_padded_domain_holds_all_values(values, decimals):
    start, end = shape.padded_domain(values, decimals=decimals, ceiling=100.0)
    assert start <= min(values)
    assert max(values) <= end
    assert end - start >= 10 * 10.0**-decimals * 0.6
    assert start >= 0 or min(values) < 0


def test_padded_domain_does_not_blow_up_a_small_difference():
    # given 80.1 and 80.2
    start, end = shape.padded_domain([80.1, 80.2], decimals=1)
    # when, then a tenth of a point is a small step on it
    assert end - start > 4


@given(numbers, st.floats(0.01, 1e9), st.integers(2, 8))
def test_nice_ticks_are_round_and_inside(start, span, about):
    end = start + span
    ticks = shape.nice_ticks(start, end, about=about)
    slack = 1e-6 * max(abs(start), abs(end), span)
    assert ticks == sorted(set(ticks))
    assert all(start - slack <= tick <= end + slack for tick in ticks)
    assert 1 <= len(ticks) <= 2 * about + 1


@pytest.mark.parametrize(
    ("ticks", "lang", "shown"),
    [
        ([0.0, 2.5, 5.0], "ja", ["0.0", "2.5", "5.0"]),
        ([-10.0, 0.0, 10.0], "ja", ["−10", "0", "10"]),
        ([0.0, 50000.0, 100000.0], "ja", ["0", "5万", "10万"]),
        ([0.0, 500.0, 1000.0], "ja", ["0", "500", "1,000"]),
        ([1e9, 1.5e9], "ja", ["10億", "15億"]),
        ([0.0, 2e6, 1e7], "en", ["0", "2M", "10M"]),
    ],
)
def test_format_ticks(ticks, lang, shown):
    assert list(shape.format_ticks(ticks, lang=lang).values()) == shown


def place_names(dots, widths, *, needed=0):
    room = {"width": 300, "height": 200, "row": 14, "gap": 8}
    return shape.place_names(dots, widths, others=dots, lines=[], needed=needed, **room)


@given(
    dots=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 200)), min_size=1, max_size=12, unique=True),
    width=st.integers(10, 70),
)
def test_names_of_dots_stay_inside_and_touch_neither_each_other_nor_a_dot(dots, width):
    placed = [place for place in place_names(dots, [width] * len(dots)) if place]

    for number, (x, y) in enumerate(placed):
        assert 0 <= x - width / 2 <= x + width / 2 <= 300
        assert 7 <= y <= 193
        assert all(abs(x - other) >= width or abs(y - row) >= 14 for other, row in placed[:number])
        assert all(abs(x - other) >= width / 2 or abs(y - row) >= 7 for other, row in dots)


def test_first_names_are_placed_in_any_case_and_others_left_out_where_there_is_no_room():
    crowd = [(x, y) for y in range(90, 111, 5) for x in range(120, 181, 5)]
    middle = crowd.index((150, 100))
    dots = [crowd.pop(middle), *crowd]

    assert place_names(dots, [40] * len(dots))[0] is None
    assert place_names(dots, [40] * len(dots), needed=1)[0] is not None


def test_name_alone_stands_right_of_its_dot():
    assert place_names([(100, 100)], [40]) == [(128, 100)]
    assert place_names([(290, 100)], [40]) == [(262, 100)]


@given(st.lists(st.floats(-50, 300), min_size=1, max_size=4))
def test_spread_apart_keeps_order_and_distance(places):
    moved = shape.spread_apart(places, gap=15, low=4, high=150)
    order = sorted(range(len(places)), key=lambda index: (places[index], index))
    assert all(moved[after] - moved[before] >= 15 - 1e-6 for before, after in pairwise(order))


@given(st.lists(st.floats(0, 400), max_size=47))
def test_stacked_dots_do_not_touch(places):
    levels = shape.stack_dots(places, diameter=9)
    spots = list(zip(places, levels, strict=True))
    assert all(
        abs(one[0] - other[0]) >= 9 - 1e-5 for n, one in enumerate(spots) for other in spots[:n] if one[1] == other[1]
    )


@given(st.lists(st.integers(0, 30).map(float), min_size=1, max_size=47))
def test_quantile_classes_follow_the_values(values):
    classes = shape.quantile_classes(values, count=5)
    pairs = sorted(zip(values, classes, strict=True))
    assert all(0 <= level <= 4 for level in classes)
    assert all(a[1] <= b[1] and (a[0] < b[0] or a[1] == b[1]) for a, b in pairwise(pairs))


def flag_boxes(anchors, widths, places):
    for anchor, width, (row, side) in zip(anchors, widths, places, strict=True):
        yield row, *((anchor + 5, anchor + 5 + width) if side > 0 else (anchor - 5 - width, anchor - 5))


@given(st.lists(st.floats(0, 444), min_size=1, max_size=3))
def test_flags_stay_inside_and_apart(anchors):
    # given three texts as long as they get
    widths = [90.0, 100.0, 85.0][: len(anchors)]
    # when
    places = shape.place_flags(anchors, widths, low=-14, high=458)
    # then
    boxes = list(flag_boxes(anchors, widths, places))
    assert all(left >= -14 and right <= 458 for _, left, right in boxes)
    assert all(
        one[0] != other[0] or one[2] <= other[1] or other[2] <= one[1]
        for n, one in enumerate(boxes)
        for other in boxes[:n]
    )


# --- JupyterLab -------------------------------------------------------------------------------------------------------


@pytest.fixture
def renderer():
    active, options = alt.renderers.active, dict(alt.renderers.options)
    yield
    alt.renderers.enable(active, **options)


@pytest.mark.parametrize(
    ("session", "wish", "interactive", "expected"),
    [
        ("a.ipynb", None, None, "jupyter"),
        (None, None, None, "svg"),
        ("a.ipynb", "svg", None, "svg"),
        (None, "jupyter", None, "jupyter"),
        ("a.ipynb", None, False, "svg"),
        (None, None, True, "jupyter"),
    ],
)
def test_use_renderer_is_live_only_where_someone_looks(session, wish, interactive, expected, monkeypatch, renderer):
    # given
    for name, value in (("JPY_SESSION_NAME", session), (explore.RENDERER_VARIABLE, wish)):
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    # when
    chosen = charts.use_renderer(interactive=interactive)
    # then
    assert chosen == alt.renderers.active == expected
    if chosen == "jupyter":
        assert alt.renderers.options["offline"] is True
        assert alt.renderers.options["embed_options"]["actions"]["editor"] is False


@pytest.mark.parametrize("explore_chart", [charts.explore_trend, charts.explore_position])
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_explore_carries_its_data_and_lets_choose(explore_chart, lang, comparison, catalogue):
    # given
    chart = explore_chart(comparison, catalogue, lang=lang, kpi_id="visit_rate", branch_code="04")
    # when
    spec = chart.to_dict()
    # then
    text = json.dumps(spec, ensure_ascii=False)
    assert '"url"' not in text
    params = {param["name"]: param for param in spec["params"]}
    assert params["kpi"]["value"] == "visit_rate"
    assert params["branch"]["value"] == "04"
    assert len(params["branch"]["bind"]["options"]) == len(params["branch"]["bind"]["labels"]) == 47
    assert NATION not in params["branch"]["bind"]["options"]
    assert {"source", "value_text", "branch"} <= {
        tip["field"] for layer in spec["layer"] for tip in layer.get("encoding", {}).get("tooltip", [])
    }


def test_explore_trend_never_joins_two_definitions(comparison, catalogue):
    # given
    spec = charts.explore_trend(comparison, catalogue).to_dict()
    every = {
        **spec.get("datasets", {}),
        **{n: layer.get("data", {}).get("values", []) for n, layer in enumerate(spec["layer"])},
    }
    # when
    runs = {}
    for row in (row for values in every.values() for row in values if "run" in row):
        runs.setdefault(row["run"], set()).add((row["kpi_id"], row["branch_code"], row["definition"]))
    # then
    assert len(runs) > 300
    assert all(len(series) == 1 for series in runs.values())


def test_explore_position_shows_one_definition_per_year(comparison, catalogue):
    # given
    rows_ = explore_parts.add_places(explore_parts.list_rows(comparison, catalogue, lang="ja"), catalogue)
    # when
    series = {}
    for row in rows_:
        series.setdefault((row["kpi_id"], row["fiscal_year"]), set()).add(row["definition"])
    # then
    assert all(len(definitions) == 1 for definitions in series.values())
    latest = {(row["kpi_id"], row["fiscal_year"]) for row in rows_ if row["is_latest"]}
    assert len(latest) == len({kpi_id for kpi_id, _ in latest})


@pytest.mark.parametrize("explore_chart", [charts.explore_trend, charts.explore_position])
def test_explore_of_nothing_is_an_empty_chart(explore_chart, comparison, catalogue):
    assert explore_chart(comparison.clear(), catalogue).to_dict()["layer"]
