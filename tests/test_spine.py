"""The spine chart: who stands where between worst and best, computed, drawn and shown."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import builders
import polars as pl
import pytest
from comparison_rows import JAPANESE, kpi
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib import briefing as show
from kenpo_lib import charts
from kenpo_lib.briefing.spine import list_spines
from kenpo_lib.catalogue import Direction, Unit
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.spine import compute_spine

HIGHER, LOWER = kpi(), kpi(direction=Direction.LOWER)


def over_branches(*values: float | None, national: float | None = 50.0) -> pl.DataFrame:
    codes = [f"{code:02d}" for code in range(1, len(values) + 1)]
    return pl.DataFrame(
        {"branch_code": codes, "value": list(values), "national": [national] * len(values)},
        schema={"branch_code": pl.String, "value": pl.Float64, "national": pl.Float64},
    )


TEN = over_branches(*(40.0 + 2 * step for step in range(10)), national=50.0)  # 40, 42 … 58


def test_spine_has_the_nation_in_the_middle_and_fills_the_longer_side():
    spine = compute_spine(TEN, HIGHER, branch_code="03")

    assert (spine.worst, spine.best) == (40.0, 58.0)
    assert spine.places == {
        "worst": 0.0,
        "lower": pytest.approx(0.5 + 0.5 * (44.5 - 50) / 10),
        "value": pytest.approx(0.2),
        "upper": pytest.approx(0.5 + 0.5 * (53.5 - 50) / 10),
        "best": pytest.approx(0.9),
    }


def test_spine_runs_to_the_right_for_the_better_also_where_lower_is_better():
    spine = compute_spine(TEN, LOWER, branch_code="01")

    assert (spine.worst, spine.best) == (58.0, 40.0)
    assert (spine.lower, spine.upper) == (53.5, 44.5)
    assert spine.places["value"] == spine.places["best"] == 1.0
    assert spine.places["worst"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("values", "entry", "why"),
    [
        (TEN.filter(pl.col("branch_code") != "03"), HIGHER, "the branch is not known"),
        (TEN.head(MIN_POSITION_BRANCHES - 1), HIGHER, "too few branches"),
        (TEN, kpi(direction=Direction.NEITHER), "neither way is better"),
        (TEN, kpi(unit=Unit.OFFICES, decimals=0), "a total grows with the branch"),
        (TEN.with_columns(national=pl.lit(None, pl.Float64)), HIGHER, "no national figure"),
        (TEN.with_columns(value=pl.lit(50.0)), HIGHER, "all have the national value"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_spine_is_left_out_where_it_would_say_nothing(values, entry, why):
    assert compute_spine(values, entry, branch_code="03") is None, why


def test_spine_counts_known_values_only_and_a_value_of_zero_is_one():
    nine_known = over_branches(*[50.0 + step for step in range(9)], None, None)
    with_zero = over_branches(0.0, *[50.0 + step for step in range(9)])

    assert compute_spine(nine_known, HIGHER, branch_code="01") is None
    assert compute_spine(with_zero, HIGHER, branch_code="01").worst == 0.0


def test_spine_names_all_that_tie_at_an_end():
    spine = compute_spine(over_branches(40.0, 40.0, *[50.0 + step for step in range(8)]), HIGHER, branch_code="02")

    assert spine.worst_codes == ("01", "02")
    assert spine.best_codes == ("10",)


@given(
    st.lists(st.integers(0, 1000), min_size=10, max_size=47),
    st.integers(0, 1000),
    st.sampled_from([HIGHER, LOWER]),
)
def test_spine_keeps_its_order_within_its_ends(values, national, entry):
    spine = compute_spine(over_branches(*map(float, values), national=float(national)), entry, branch_code="01")
    if spine is None:
        assert set(values) == {national}
        return
    at = spine.places
    assert at["worst"] <= at["lower"] <= at["upper"] <= at["best"]
    assert at["worst"] <= at["value"] <= at["best"]
    assert at["worst"] >= -1e-9
    assert at["best"] <= 1 + 1e-9
    assert max(0.5 - at["worst"], at["best"] - 0.5, abs(at["worst"] - 0.5)) == pytest.approx(0.5)


# --- the drawing ------------------------------------------------------------------------------------------------------


def test_line_draws_range_middle_half_nation_and_marker_in_different_greys():
    places = {"worst": 0.0, "lower": 0.3, "value": 0.2, "upper": 0.6, "best": 0.9}

    root = ET.fromstring(charts.spine_line(places, label='a "label" & more'))

    tags = [element.tag.partition("}")[2] for element in root]
    assert tags == ["rect", "rect", "path", "circle"]
    light, dark, nation, marker = root
    assert float(light.get("x")) < float(marker.get("cx")) < float(dark.get("x")) < 150
    assert nation.get("d").startswith("M150,")
    assert len({light.get("fill"), dark.get("fill"), nation.get("stroke"), marker.get("fill")}) == 4
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'a "label" & more'


# --- the section ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def brief(tables, catalogue, comparison, nation):
    def make(code="04", lang="ja", year=2024):
        return builders.briefing(tables, catalogue, comparison, nation, branch_code=code, fiscal_year=year, lang=lang)

    return make


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_section_has_a_line_with_its_numbers_for_every_kpi_that_ten_branches_have(brief, lang):
    briefing = brief(lang=lang)
    wanted = [
        row["kpi_id"]
        for row in briefing.rows
        if (row["ranked_count"] or 0) >= 10 and briefing.catalogue.kpis[row["kpi_id"]].direction.sign
    ]

    page = builders.parse_html(show.show_spine(briefing))

    assert len(wanted) == len(page.select("tbody tr")) == len(page.select("svg.kenpo-spine"))
    assert sorted(entry.kpi_id for entry, _ in list_spines(briefing)) == sorted(wanted)
    for row in page.select("tbody tr"):
        value = row.select_one(".value").text
        assert value in row.svg["aria-label"]
        assert {"ja": "宮城", "en": "Miyagi"}[lang] in row.svg["aria-label"]
    assert page.find("a", download="kenpo_04_FY2024_spine.csv")
    assert lang == "ja" or not JAPANESE.search(
        page.get_text() + "".join(svg["aria-label"] for svg in page.select("svg"))
    )


def test_section_is_empty_for_the_nation_and_in_years_without_values(brief):
    assert show.show_spine(brief(code="00")) == ""
    assert show.show_spine(brief(year=2015)) == ""
    assert "#spine" not in show.show_contents(brief(code="00"))
    assert show.show_contents(brief()).count('href="#spine"') == 1
