"""The linked charts of JupyterLab: what depends on the brush and the pin, and what they say when something is selected."""

from __future__ import annotations

import dataclasses
import json
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import polars as pl
import pytest

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.charts import explore_linked, register_fonts, theme
from kenpo_lib.charts.layers import nation_word
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number

NASTY = "</text><script>alert(1)</script>\\'\"+`${1}`"
ACROSS, UP = "specific_checkup_rate", "specific_guidance_rate"
BRUSH = {"x": [66.8, 80.0], "y": [25.4, 43.0]}


@pytest.fixture(scope="module")
def spec(comparison: pl.DataFrame, catalogue: Catalogue) -> dict:
    return explore_linked(comparison, catalogue, kpi_id=ACROSS, other_kpi_id=UP, branch_code="04").to_dict()


def find(node: object, key: str) -> Iterator[object]:
    """Every value that a key has anywhere within."""
    if isinstance(node, dict):
        if key in node:
            yield node[key]
        for value in node.values():
            yield from find(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from find(value, key)


def views_of(spec: dict) -> tuple[dict, dict, dict, dict]:
    """The readout, the chart of two KPIs, the years, the ranks."""
    readout, middle, ranks = spec["vconcat"]
    return readout, *middle["hconcat"], ranks


def draw(spec: dict, *, brush: dict | None = None, **params: object) -> list[str]:
    """The texts of the picture, with something in the brush from the start and other choices."""
    import vl_convert

    register_fonts()
    values = params | ({"brush": brush} if brush else {})
    changed = [
        param | ({"value": values[param["name"]]} if param["name"] in values else {}) for param in spec["params"]
    ]
    svg = vl_convert.vegalite_to_svg(json.dumps(spec | {"params": changed}), allowed_base_urls=[])
    return [text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text") if (text := element.text)]


# --- structure --------------------------------------------------------------------------------------------------------


def test_brush_is_dragged_in_one_chart_and_the_others_depend_on_it(spec: dict):
    params = {param["name"]: param for param in spec["params"]}
    readout, pair, years, ranks = views_of(spec)

    assert params["brush"]["select"]["type"] == "interval"
    assert params["brush"]["select"]["encodings"] == ["x", "y"]
    (ground,) = params["brush"]["views"]
    assert ground in list(find(pair, "name"))
    # A layer of its own, below the dots: what is pointed at inside the brush is a dot.
    place = next(place for place, layer in enumerate(pair["layer"]) if ground in list(find(layer, "name")))
    assert "layer" in pair["layer"][place]
    assert any("tooltip" in layer.get("encoding", {}) for layer in pair["layer"][place + 1 :])
    assert {"param": "brush", "empty": False} in list(find(years, "filter"))
    for view in (pair, ranks):
        assert "brush" in [
            test.get("param") for tests in find(view, "condition") if isinstance(tests, list) for test in tests
        ]
    assert any("brush" in str(text) for text in find(readout, "calculate"))


def test_pin_and_pointer_belong_to_every_chart_with_branches(spec: dict):
    params = {param["name"]: param for param in spec["params"]}
    _, pair, years, ranks = views_of(spec)

    for name in ("pinned", "pointed"):
        assert params[name]["select"]["fields"] == ["branch_code"]
        for view in (pair, years, ranks):
            assert set(params[name]["views"]) & set(find(view, "name"))
    assert params["pinned"]["value"] == [{"branch_code": "04"}]
    assert len(params["pinned"]["bind"]["options"]) == 48


def test_only_kpis_with_a_spread_can_be_chosen(spec: dict):
    params = {param["name"]: param for param in spec["params"]}

    assert params["kpi"]["bind"]["options"] == params["other"]["bind"]["options"]
    assert {ACROSS, UP, "premium_rate"} <= set(params["kpi"]["bind"]["options"])
    assert "service_standard_rate" not in params["kpi"]["bind"]["options"]


def test_colours_are_those_of_the_theme_and_nothing_is_fetched(spec: dict):
    text = json.dumps({key: value for key, value in spec.items() if key != "datasets"})

    known = {light for light, _ in theme.ROLES.values()} | set(theme.TILE_COLOURS)
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", text)) <= known
    assert '"url"' not in text


def test_shared_parameters_raise_no_warning(comparison: pl.DataFrame, catalogue: Catalogue):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explore_linked(comparison, catalogue).to_dict()


# --- what it says -----------------------------------------------------------------------------------------------------


def test_without_a_brush_it_says_what_to_do(spec: dict):
    texts = draw(spec)

    assert "図をドラッグして支部を選ぶ" in texts
    assert texts.count("宮城") == 4  # the name and what is behind it, in the chart of two KPIs and in the years


def test_readout_is_about_the_branches_in_the_brush(spec: dict, comparison: pl.DataFrame):
    texts = draw(spec, brush=BRUSH)

    year = comparison.filter(
        pl.col("fiscal_year") == 2024, pl.col("value").is_not_null(), pl.col("branch_code") != "00"
    )
    across, up = (year.filter(pl.col("kpi_id") == kpi_id).sort("branch_code") for kpi_id in (ACROSS, UP))
    pair = across.select("branch_code", "branch_name", x="value").join(
        up.select("branch_code", y="value"), on="branch_code"
    )
    inside = pair.filter(pl.col("x").is_between(*BRUSH["x"]), pl.col("y").is_between(*BRUSH["y"])).sort("branch_code")
    assert 3 < inside.height < 20
    assert f"選択 {inside.height} / 47 支部" in texts
    assert "、".join(inside["branch_name"]) in texts
    for picked, every in ((inside["x"], across["value"]), (inside["y"], up["value"])):
        assert {f"{format_number(values.median(), 1)}%" for values in (picked, every)} <= set(texts)
    for kpi in (across, up):
        assert f"{nation_word(kpi['national_kind'][0], 'ja')} {format_number(kpi['national'][0], 1)}%" in texts


def test_brush_over_nothing_is_no_selection(spec: dict):
    assert "図をドラッグして支部を選ぶ" in draw(spec, brush={"x": [0.0, 1.0], "y": [0.0, 1.0]})


def test_nation_that_is_an_estimate_is_called_so_and_not_drawn_as_published(spec: dict):
    texts = draw(spec, kpi="urgent_visit_rate")

    assert any(re.fullmatch(r"全国推計 \d+\.\d%", text) for text in texts)
    assert any(re.fullmatch(r"\d+\.\d%", text) for text in texts)


def test_another_year_is_named(spec: dict):
    assert {"特定健診等実施率（%） R3", "保健指導実施率（%） R3"} <= set(draw(spec, year=2021))


def test_english(comparison: pl.DataFrame, catalogue: Catalogue):
    spec = explore_linked(comparison, catalogue, lang="en", kpi_id=ACROSS, other_kpi_id=UP).to_dict()

    texts = draw(spec, brush=BRUSH)

    assert "Selected 6 of 47 branches" in texts
    assert not [text for text in texts if re.search(r"[\u3040-\u9fff]", text)]


def test_nothing_is_an_empty_chart(comparison: pl.DataFrame, catalogue: Catalogue):
    assert "順位（左ほど良い）" in draw(explore_linked(comparison.clear(), catalogue).to_dict())


def test_hostile_names_are_text(comparison: pl.DataFrame, catalogue: Catalogue):
    text = Text(NASTY, NASTY)
    kpi = dataclasses.replace(catalogue.kpis[ACROSS], name=text, short_name=text)
    branch = dataclasses.replace(catalogue.branches["04"], name=text)
    spoilt = dataclasses.replace(
        catalogue, kpis={**catalogue.kpis, ACROSS: kpi}, branches={**catalogue.branches, "04": branch}
    )
    everywhere = {"x": [0.0, 100.0], "y": [0.0, 100.0]}

    texts = draw(explore_linked(comparison, spoilt, kpi_id=ACROSS, branch_code="04").to_dict(), brush=everywhere)

    assert NASTY in texts
    assert any(text.startswith(NASTY) and text.endswith("R6") for text in texts)
