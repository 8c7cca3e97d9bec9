"""What is known of branches, KPIs and years: states as they are, and a picture that shows each by shape."""

from __future__ import annotations

import builders
import polars as pl
import pytest
from bs4 import BeautifulSoup

from kenpo_lib import charts
from kenpo_lib.catalogue import NATION, load_catalogue
from kenpo_lib.charts import shape, theme
from kenpo_lib.charts.coverage import draw_mark
from kenpo_lib.compare import compute_comparison, compute_nation
from kenpo_lib.coverage import CELL_SCHEMA, count_by_kpi, count_by_year, list_cells
from kenpo_lib.page import sanitise

BRANCHES = load_catalogue().branches
TWO = {"old": builders.definition("old", last=2023), "new": builders.definition("new", first=2024, restated=(2023,))}
ROWS = [
    {"branch_code": "01", "value": 40.0, "numerator": 4, "denominator": 10},
    {"branch_code": "02", "value": 0.0},
    {"branch_code": "03", "value": 5.0, "status": "interim", "period": "YTD"},
    {"branch_code": "04", "status": "pending"},
]


def compare(rows, *, targets=(), kpi=None):
    tables, catalogue = builders.tables(rows, targets), builders.catalogue(kpi or builders.kpi())
    return compute_comparison(tables, catalogue), compute_nation(tables, catalogue), catalogue.kpis


def cells_of(rows, *, year=2024, **more):
    comparison, _, kpis = compare(rows, **more)
    return list_cells(comparison, kpis, fiscal_year=year)


# --- cells ------------------------------------------------------------------------------------------------------------


def test_cells_tell_final_part_way_pending_and_a_target_alone():
    # given one branch of each kind, and one with a target only
    cells = cells_of(ROWS, targets=[{"branch_code": "05", "value": 50.0}])
    # then
    found = {row["branch_code"]: (row["state"], row["has_counts"], row["has_target"]) for row in cells.to_dicts()}
    assert found == {
        "01": ("final", True, False),
        "02": ("final", False, False),
        "03": ("interim", False, False),
        "04": ("pending", False, False),
        "05": ("missing", False, True),
    }


def test_cells_are_of_the_definition_in_force():
    kpi = builders.kpi(definitions=TWO)
    rows = [{"definition": name, "fiscal_year": 2023, "value": 1.0} for name in TWO]

    assert cells_of(rows, kpi=kpi, year=2023)["definition"].to_list() == ["old"]


def test_counts_of_a_kpi_add_up_its_cells():
    counts = count_by_kpi(cells_of(ROWS, targets=[{"branch_code": "02", "value": 50.0}]))

    assert counts == {"rate": {"final": 2, "interim": 1, "pending": 1, "counts": 1, "targets": 1}}


def test_years_count_a_branch_once_and_know_of_the_nation():
    # given a year under two definitions, one in which the nation alone is known, one with a part-way value
    kpi = builders.kpi(definitions=TWO)
    rows = [{"definition": name, "fiscal_year": 2023, "value": 1.0} for name in TWO]
    rows += [{"branch_code": NATION, "definition": "old", "fiscal_year": 2022, "value": 1.0}]
    rows += [{"definition": "new", "status": "interim", "period": "YTD", "value": 1.0}]
    comparison, nation, _ = compare(rows, kpi=kpi)
    # when
    found = count_by_year(comparison, nation).to_dicts()
    # then
    assert [(row["fiscal_year"], row["branches"], row["has_nation"]) for row in found] == [
        (2022, 0, True),
        (2023, 1, False),
    ]


def test_without_data_nothing_is_counted():
    comparison, nation, kpis = compare([])

    assert list_cells(comparison, kpis, fiscal_year=2024).is_empty()
    assert count_by_kpi(list_cells(comparison, kpis, fiscal_year=2024)) == {}
    assert count_by_year(comparison, nation).is_empty()


# --- the picture ------------------------------------------------------------------------------------------------------


def draw(rows, *, lang="ja", **more):
    comparison, nation, kpis = compare(rows, **more)
    cells, own = (list_cells(frame, kpis, fiscal_year=2024) for frame in (comparison, nation))
    svg = charts.draw_coverage(
        cells, own, list(kpis.values()), count_by_kpi(cells), lang=lang, branches=BRANCHES, label="文"
    )
    assert sanitise(svg).count("<path") == svg.count("<path")
    return BeautifulSoup(svg, "html.parser").svg


def marks(svg, colour, *, attribute="fill"):
    """How many marks of a kind the picture has, without those of its key (the last path of the colour)."""
    paths = svg.select(f'path[{attribute}="{colour}"]')
    return sum(path["d"].count("M") for path in paths) - (1 if paths else 0)


def test_every_state_has_a_mark_of_its_own():
    svg = draw(ROWS, targets=[{"branch_code": "02", "value": 50.0}])

    assert marks(svg, theme.STRONG) == 1  # value with counts
    assert marks(svg, theme.BLOCK) == 1  # value alone
    assert marks(svg, theme.STRONG, attribute="stroke") == 1  # part-way
    assert marks(svg, theme.MUTED, attribute="stroke") == 1  # pending
    assert marks(svg, theme.TARGET_COLOUR, attribute="stroke") == 1


def test_marks_differ_by_shape_not_only_by_colour():
    kinds = ("counts", "value", "interim", "pending", "target", "published")

    assert len({BeautifulSoup(draw_mark(kind, [(50, 50)]), "html.parser").path["d"] for kind in kinds}) == len(kinds)


def test_key_explains_only_marks_that_occur():
    words = {text.text for text in draw(ROWS[:1]).select("text")}

    assert "値と件数" in words
    assert not {"値だけ", "年度途中の値", "公表待ち", "全国の推計"} & words


@pytest.mark.parametrize(("rows", "hollow"), [([{"branch_code": NATION, "value": 3.0}], 0), ([], 1)])
def test_nation_is_filled_if_published_and_hollow_if_estimated(rows, hollow):
    everyone = [{"branch_code": code, "value": 1.0} for code in BRANCHES if code != NATION]

    svg = draw(everyone + rows)

    assert marks(svg, theme.NATION_COLOUR) == 1 - hollow
    assert marks(svg, theme.PAPER) == hollow


def test_estimates_stand_in_the_order_of_the_rows():
    # given six KPIs whose branches are compared with an estimate; a set of their ids has another order in every process
    kpis = [builders.kpi(f"rate{number}", order=number) for number in range(6)]
    cells = pl.DataFrame(
        [
            {"branch_code": "01", "kpi_id": kpi.kpi_id, "definition": "v1", "state": "final"}
            | {"has_counts": False, "has_target": False, "national_kind": "weighted"}
            for kpi in kpis
        ],
        schema=CELL_SCHEMA,
    )
    # when
    svg = charts.draw_coverage(cells, cells.clear(), kpis, {}, lang="ja", branches=BRANCHES, label="文")
    # then their diamonds go down the page
    (drawn, _) = BeautifulSoup(svg, "html.parser").select(f'path[fill="{theme.PAPER}"]')
    heights = [float(mark.split("l")[0].split(",")[1]) for mark in drawn["d"].split("M")[1:]]
    assert len(heights) == 6
    assert heights == sorted(heights)


def test_counts_stand_at_the_end_of_the_row_and_names_at_the_head():
    texts = [text.text for text in draw(ROWS).select("text")]

    assert texts[texts.index("値") + 1] == "2"
    assert texts[texts.index("件数") + 1] == "1"
    assert texts.count("鹿") == 1  # names are written upright, letter by letter
    assert "Kagoshima" in [text.text for text in draw(ROWS, lang="en").select("text")]


def test_english_names_have_room_above_the_rows():
    svg = draw(ROWS, lang="en")

    name = next(text for text in svg.select("text") if text.text == "Kagoshima")
    foot = float(name["transform"].partition(",")[2].partition(")")[0])
    assert foot >= 4 + shape.text_width("Kagoshima", theme.SMALL_TEXT_SIZE)
