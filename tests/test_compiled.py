"""Vega-Lite compiled once per shape of chart: the same Vega as compiling each, whatever the figures, and seldom compiled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import altair as alt
import pytest
from drawings import run_cells_here
from hypothesis import example, given, settings
from hypothesis import strategies as st
from published import Paths

from kenpo_lib.charts import compiled
from kenpo_lib.charts.compiled import _are_same, _compile, compile_spec
from kenpo_lib.charts.drawing import Drawing
from kenpo_lib.charts.layers import compose, draw_words, inline, text_axis
from kenpo_lib.charts.svg import _read_spec

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3))
WORDS = st.text(max_size=12)
ASKED = {
    "20_branch_profile": [{"branch": code} for code in ("04", "13", "20", "47")],
    "30_kpi_detail": [{"kpi": kpi_id} for kpi_id in ("visit_rate", "generic_share_annual")],
}


@pytest.fixture(autouse=True)
def _no_patterns(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compiled, "_patterns", {})


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was compiled."""
    seen: list[Any] = []

    def note(spec: Any) -> dict[str, Any]:
        seen.append(spec)
        return _compile(spec)

    monkeypatch.setattr(compiled, "_compile", note)
    return seen


def make_spec(
    start: float, end: float, place: float, word: str, rows: list[dict[str, Any]], kind: str = "point"
) -> dict[str, Any]:
    """A chart like those of the pages, of any figures."""
    scale = alt.Scale(domain=[start, end], nice=False, zero=False)
    x = alt.X("x:Q", scale=scale, axis=text_axis({start: str(start), end: word}))
    y = alt.Y("y:Q", scale=None, axis=None)
    marks = {"point": alt.Chart.mark_point, "bar": alt.Chart.mark_bar, "line": alt.Chart.mark_line}[kind]
    layers = [
        marks(inline(rows)).encode(x=x, y=y),
        inline(rows[:1]).mark_rule(y=place, y2=place + 1).encode(x=x),
        draw_words(word, x=place, y=end),
    ]
    return _read_spec(compose(layers, width=200, height=80, left=20, right=20, top=10, bottom=20))


def rows_of(*numbers: float) -> list[dict[str, Any]]:
    return [{"x": number, "y": 3 * place} for place, number in enumerate(numbers)]


def test_a_shape_is_compiled_once(compilations: list[Any]):
    # given two charts that differ in figures and words
    first = make_spec(1, 2, 30, "健診", rows_of(1.2, 1.5))
    second = make_spec(50.5, 99, 31.5, "保健指導", rows_of(60, 70, 80))

    # when both are compiled
    compile_spec(first)
    before = len(compilations)
    made = compile_spec(second)

    # then the second needs no compiling, and is what compiling would give
    assert (before, len(compilations)) == (2, 2)
    assert _are_same(made, _compile(second))
    assert "保健指導" in json.dumps(made, ensure_ascii=False)


@settings(max_examples=30, deadline=None)
@given(
    ends=st.lists(st.tuples(NUMBERS, NUMBERS).map(sorted), min_size=2, max_size=2),
    places=st.tuples(NUMBERS, NUMBERS),
    words=st.tuples(WORDS, WORDS),
    rows=st.lists(st.lists(NUMBERS, min_size=1, max_size=5), min_size=2, max_size=2),
    kind=st.sampled_from(["point", "bar", "line"]),
)
@example(ends=[[1, 2], [-1, 2]], places=(1, 1), words=("a", "b"), rows=[[1], [2]], kind="bar")
@example(ends=[[0, 2], [1, 2]], places=(0, 1), words=("", "b"), rows=[[0], [2]], kind="bar")
@example(ends=[[2, 2], [1, 2]], places=(2, 2), words=("2", "\uf8ff0\uf8ff"), rows=[[2, 2], [2]], kind="line")
def test_what_is_filled_in_is_what_compiling_gives(ends: Any, places: Any, words: Any, rows: Any, kind: str):
    for (start, end), place, word, numbers in zip(ends, places, words, rows, strict=True):
        spec = make_spec(start, end, place, word, rows_of(*numbers), kind)

        assert _are_same(compile_spec(spec), _compile(spec))


def test_a_shape_whose_figures_become_others_is_compiled_each_time(compilations: list[Any]):
    for year in (2020, 2024):
        # given a chart whose ticks are points in time, which Vega-Lite writes as terms
        x = alt.X("x:T", axis=alt.Axis(values=[year, year + 1]))
        dots = inline(rows_of(year)).mark_point().encode(x=x)
        spec = _read_spec(compose([dots], width=200, height=80, left=20, right=20, top=10, bottom=20))

        # when
        made = compile_spec(spec)

        # then
        assert list(compiled._patterns.values()) == [None]
        assert compilations[-1] == spec
        assert _are_same(made, _compile(spec))


@pytest.mark.slow
@pytest.mark.parametrize("notebook", ASKED)
def test_charts_of_all_pages_are_filled_in_as_if_each_was_compiled(
    notebook: str,
    published: Paths,
    tmp_path: Path,
    deferred: list[Drawing],
    compilations: list[Any],
):
    # given the charts of several pages, made by the cells of the notebook
    for parameters in ASKED[notebook]:
        run_cells_here(published, notebook, tmp_path, **parameters)

    # when they are compiled
    made = [compile_spec(drawing.spec) for drawing in deferred]

    # then each is as if compiled alone, and few were
    assert made
    for drawing, vega in zip(deferred, made, strict=True):
        assert _are_same(vega, _compile(drawing.spec)), drawing.id_prefix
    assert all(pattern is not None for pattern in compiled._patterns.values())
    assert len(compilations) == 2 * len(compiled._patterns)
