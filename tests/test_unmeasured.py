"""Text that the renderer draws without measuring it: the same pictures, and only where no place depends on a width."""

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

from kenpo_lib.charts import drawing
from kenpo_lib.charts.clean import clean_svg
from kenpo_lib.charts.drawing import Drawing
from kenpo_lib.charts.layers import compose, draw_words, text_axis
from kenpo_lib.charts.svg import _read_spec
from kenpo_lib.charts.unmeasured import hide_text

FRAME = {"width": 120, "height": 40, "left": 30, "right": 30, "top": 20, "bottom": 20}
PAGES = {
    "overview": ("10_national_overview", {}),
    "branch with much": ("20_branch_profile", {"branch": "04"}),
    "branch with little": ("20_branch_profile", {"branch": "47"}),
    "KPI": ("30_kpi_detail", {"kpi": "visit_rate"}),
}


def compile_chart(chart: alt.TopLevelMixin) -> dict[str, Any]:
    import vl_convert

    return vl_convert.vegalite_to_vega(_read_spec(chart), config={"aria": False})


def draw_measured(spec: dict[str, Any]) -> str:
    """As the renderer draws when nobody interferes."""
    import vl_convert

    drawing.register_fonts()
    drawn = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[], config={"aria": False})
    return clean_svg(drawn, id_prefix="t", label="図", description="", scale_up=1.0)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_chart_of_the_pages_is_drawn_without_measuring_and_comes_out_the_same(
    page: str, published: Paths, tmp_path: Path, deferred: list[Drawing]
):
    # given the charts that the cells of a notebook make
    import vl_convert

    name, own = PAGES[page]
    run_cells_here(published, name, tmp_path, **own)
    assert deferred
    for each in deferred:
        # when
        spec = json.loads(json.dumps(each.spec))
        drawn = drawing.draw(Drawing(spec, "t", "図"))
        # then
        assert hide_text(vl_convert.vegalite_to_vega(spec, config={"aria": False})), each.id_prefix
        assert drawn == draw_measured(spec), each.id_prefix


@settings(max_examples=20, deadline=None)
@example(text="0 ")
@example(text="\u3000\ufeff健診\xa0")
@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12))
def test_any_text_comes_back_as_it_was(text: str):
    # given a text of a mark, and the same at an axis
    rows = alt.Chart(alt.Data(values=[{"x": 1.0, "t": text}])).mark_text().encode(text="t:N")
    axis = rows.encode(x=alt.X("x:Q", axis=text_axis({1.0: text}), scale=alt.Scale(domain=[0, 2])))
    chart = compose([axis, draw_words(text, x=5, y=20)], **FRAME)
    # when, then
    assert hide_text(compile_chart(chart))
    assert drawing.draw(Drawing(_read_spec(chart), "t", "図")) == draw_measured(_read_spec(chart))


DOTS = (
    alt.Chart(alt.Data(values=[{"x": 1.0, "t": "a"}, {"x": 2.0, "t": "b"}]))
    .mark_point()
    .encode(y=alt.Y("x:Q", axis=None))
)
PLACED = DOTS.encode(x=alt.X("x:Q", axis=text_axis({1.0: "a"})))


@pytest.mark.parametrize(
    "chart",
    [
        pytest.param(PLACED.properties(autosize="pad"), id="frame that grows"),
        pytest.param(PLACED.properties(title="図", autosize="none"), id="title"),
        pytest.param(PLACED.encode(color="t:N").properties(autosize="none"), id="legend"),
        pytest.param(DOTS.encode(x=alt.X("x:Q", title="軸")).properties(autosize="none"), id="title of an axis"),
        pytest.param(DOTS.encode(x=alt.X("x:Q", title=None)).properties(autosize="none"), id="labels that give way"),
        pytest.param(DOTS.mark_text(limit=5).encode(text="t:N").properties(autosize="none"), id="text that is cut"),
    ],
)
def test_chart_in_which_widths_decide_is_left_as_it_is(chart: alt.Chart):
    # given
    compiled = compile_chart(chart)
    before = json.dumps(compiled)
    # when, then
    assert not hide_text(compiled)
    assert json.dumps(compiled) == before
    assert drawing.draw(Drawing(_read_spec(chart), "t", "図")) == draw_measured(_read_spec(chart))
