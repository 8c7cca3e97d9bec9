"""The charts of one KPI over the years: bands only of all 47, a panel for each definition, dots for the few."""

from __future__ import annotations

import builders
import pytest
from bs4 import BeautifulSoup

from kenpo_lib import charts
from kenpo_lib.catalogue import NATION, Unit, load_catalogue
from kenpo_lib.charts import pen, theme
from kenpo_lib.compare import compute_comparison, compute_nation
from kenpo_lib.page import sanitise
from kenpo_lib.yearly import summarise_years

BRANCHES = load_catalogue().branches
CODES = [code for code in BRANCHES if code != NATION]
TWO = {"old": builders.definition("old", last=2021), "new": builders.definition("new", first=2022)}


# --- given ------------------------------------------------------------------------------------------------------------


def all_branches(year, *, definition="v1", base=50.0):
    """47 values half a point apart."""
    return [
        {"branch_code": code, "fiscal_year": year, "definition": definition, "value": base + place / 2}
        for place, code in enumerate(CODES)
    ]


def draw(rows, *, kpi=None, targets=(), branch_code=None, lang="ja", which="branch"):
    kpi = kpi or builders.kpi()
    tables, catalogue = builders.tables(rows, targets), builders.catalogue(kpi)
    values, nation = compute_comparison(tables, catalogue), compute_nation(tables, catalogue)
    years = summarise_years(values, nation, branches=len(CODES))
    shared = {"lang": lang, "branches": BRANCHES, "branch_code": branch_code, "label": "文"}
    if which == "block":
        svg = charts.draw_block_years(years, values, kpi, **shared)
    else:
        titles = {name: f"定義{name}" for name in kpi.definitions}
        svg = charts.draw_branch_years(years, values, nation, kpi, titles=titles, **shared)
    assert sanitise(svg).count("<path") == svg.count("<path")  # nothing in it is refused by the page
    return BeautifulSoup(svg, "html.parser").svg


def bands(svg):
    return svg.select(f'path[fill="{theme.OTHERS}"]')


def texts(svg):
    return [text.text for text in svg.select("text")]


def diamonds(svg, *, hollow):
    return svg.select(f'path[stroke="{theme.NATION_COLOUR}"][fill="{theme.PAPER if hollow else theme.NATION_COLOUR}"]')


# --- branches over the years ------------------------------------------------------------------------------------------


def test_full_years_are_bands_with_the_median_and_the_ends_named():
    svg = draw([*all_branches(2023), *all_branches(2024)])

    assert len(bands(svg)) == 1
    assert not svg.select("circle")
    assert {"最大 沖縄 73.0", "中央値 61.5", "最小 北海道 50.0", "四分位 67.3", "四分位 55.8"} <= set(texts(svg))
    assert "支部数" not in texts(svg)  # all are known in every year
    assert svg["role"] == "img"


def test_band_breaks_where_a_year_is_missing():
    svg = draw([*all_branches(2021), *all_branches(2023), *all_branches(2024)])

    assert len(bands(svg)) == 2


def test_definitions_have_panels_and_scales_of_their_own():
    # given values of 10 under the old definition and of 50 under the new one
    kpi = builders.kpi(definitions=TWO)
    rows = [*all_branches(2021, definition="old", base=10.0), *all_branches(2022, definition="new")]
    # when
    svg = draw(rows, kpi=kpi)
    # then no band reaches from one to the other, and the scale of the new one does not go down to the old values
    assert len(bands(svg)) == 2
    assert {"定義old", "定義new"} <= set(texts(svg))
    assert texts(svg).count("%") == 2
    ends = [max(float(point.split(",")[0]) for point in band["d"].strip("MZ").split("L")) for band in bands(svg)]
    starts = [min(float(point.split(",")[0]) for point in band["d"].strip("MZ").split("L")) for band in bands(svg)]
    assert ends[0] < starts[1]


def test_one_definition_needs_no_title():
    assert "定義v1" not in texts(draw(all_branches(2024) + all_branches(2023)))


def test_few_branches_are_dots_that_are_named_and_counted():
    # given two branches, one of them in two years
    rows = [
        {"branch_code": "04", "fiscal_year": 2023, "value": 30.0},
        {"branch_code": "04", "fiscal_year": 2024, "value": 31.0},
        {"branch_code": "13", "fiscal_year": 2024, "value": 40.0},
    ]
    # when
    svg = draw(rows)
    # then
    assert not bands(svg)
    assert len(svg.select("circle")) == 3
    assert len(svg.select(f'path[stroke="{theme.OTHERS}"]')) == 1
    assert {"宮城 31.0", "東京 40.0", "支部数", "1", "2"} <= set(texts(svg))
    assert "中央値" not in " ".join(texts(svg))


def test_dots_are_not_joined_across_a_missing_year():
    rows = [{"fiscal_year": year, "value": 30.0} for year in (2021, 2024)]

    assert not draw(rows).select(f'path[stroke="{theme.OTHERS}"]')


def test_published_nation_is_filled_and_an_estimate_is_hollow():
    # given a nation that is published in two of three years
    rows = [row for year in (2022, 2023, 2024) for row in all_branches(year)]
    rows += [{"branch_code": NATION, "fiscal_year": year, "value": 60.0} for year in (2022, 2023)]
    # when
    svg = draw(rows)
    # then
    assert len(diamonds(svg, hollow=False)) == 2
    assert len(diamonds(svg, hollow=True)) == 1
    assert len(svg.select("path[stroke-dasharray]")) == 1
    assert "単純平均 61.5" in texts(svg)


def test_nation_after_the_last_branch_is_still_shown():
    rows = [{"fiscal_year": 2023, "value": 30.0}]
    rows += [{"branch_code": NATION, "fiscal_year": year, "value": 60.0} for year in (2020, 2023, 2024)]

    svg = draw(rows)

    assert len(diamonds(svg, hollow=False)) == 2  # not 2020: before the first branch it tells another story
    assert {"宮城 30.0（R5）", "全国 60.0", "R6"} <= set(texts(svg))


def test_total_of_the_nation_has_no_place_among_branches():
    offices = builders.kpi(unit=Unit.OFFICES, decimals=0, proportion=False)
    rows = [{"fiscal_year": year, "value": 100.0} for year in (2023, 2024)]
    nation = [{"branch_code": NATION, "fiscal_year": year, "value": 9000.0} for year in (2023, 2024)]

    assert not diamonds(draw(rows + nation, kpi=offices), hollow=False)
    assert len(diamonds(draw(nation, kpi=offices), hollow=False)) == 2


def test_target_of_the_nation_is_a_bar():
    target = {"branch_code": NATION, "value": 65.0, "rule": "at_least"}
    rows = all_branches(2024) + all_branches(2023)

    svg = draw(rows, targets=[target])

    assert len(svg.select(f'line[stroke="{theme.TARGET_COLOUR}"]')) == 1
    assert "目標 65.0" in texts(svg)


def test_chosen_branch_has_a_line_of_its_own():
    svg = draw([*all_branches(2023), *all_branches(2024)], branch_code="04")

    assert len(svg.select(f'path[stroke="{theme.STRONG}"]')) == 1
    assert svg.find("text", string="宮城 51.5")["font-weight"] == "bold"


def test_names_and_years_are_english_when_asked():
    found = texts(draw([*all_branches(2023), *all_branches(2024)], lang="en"))

    assert {"FY24", "Median 61.5", "Highest Okinawa 73.0"} <= set(found)


@pytest.mark.parametrize("value", [0.0, 100.0, 50.0])
def test_equal_values_and_the_ends_of_the_scale_are_drawn(value):
    rows = [{"branch_code": code, "fiscal_year": year, "value": value} for code in CODES for year in (2023, 2024)]

    svg = draw(rows)

    assert len(bands(svg)) == 1
    assert "nan" not in str(svg)


def test_without_values_the_chart_says_so():
    assert texts(draw([{"branch_code": "13", "status": "pending"}])) == ["データなし"]


# --- regional blocks --------------------------------------------------------------------------------------------------


def test_every_block_has_a_picture_with_all_its_branches():
    svg = draw([*all_branches(2023), *all_branches(2024)], which="block")

    assert len(svg.select("g")) == len({BRANCHES[code].block.ja for code in CODES})
    assert len(svg.select(f'path[stroke="{theme.BLOCK}"]')) == len(CODES)
    assert {"東北", "九州沖縄", "R5", "R6"} <= set(texts(svg))


def test_chosen_branch_is_strong_in_its_block():
    svg = draw([*all_branches(2023), *all_branches(2024)], which="block", branch_code="04")

    (own,) = svg.select(f'path[stroke="{theme.STRONG}"]')
    assert "東北" in own.parent.text


# --- the pen ----------------------------------------------------------------------------------------------------------


def test_pen_escapes_text_and_attributes():
    svg = pen.picture([pen.words("<b>&", 1, 2)], width=10, height=10, label='"><script>')

    assert "<script>" not in svg
    assert "<b>" not in svg
    assert BeautifulSoup(svg, "html.parser").svg["aria-label"] == '"><script>'


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (1.25, "1.2"), (-0.04, "0"), (-1.26, "-1.3"), (10, "10")])
def test_number_is_short(value, text):
    assert pen.number(value) == text


def test_picture_needs_words():
    with pytest.raises(AssertionError):
        pen.picture([], width=1, height=1, label=" ")
