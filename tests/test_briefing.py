"""The parts of a page on the real figures: what stands where, and what is left out because it would say nothing."""

from __future__ import annotations

import datetime as dt
import re

import builders
import polars as pl
import pytest
from bs4 import BeautifulSoup
from comparison_rows import JAPANESE

from kenpo_lib import briefing as show
from kenpo_lib.briefing.budgets import list_budgets
from kenpo_lib.briefing.cells import name_kpi
from kenpo_lib.briefing.reading import rows_by_theme
from kenpo_lib.catalogue import THEMES
from kenpo_lib.page import sanitise


@pytest.fixture(scope="module")
def brief(tables, catalogue, comparison, nation):
    def make(code="04", lang="ja", year=2024, frame=comparison):
        return builders.briefing(tables, catalogue, frame, nation, branch_code=code, fiscal_year=year, lang=lang)

    return make


def parse(*parts):
    return BeautifulSoup(sanitise("".join(map(str, parts))), "html.parser")


# --- the conclusion ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("code", ["00", "04", "13", "47"])
def test_conclusion_has_no_more_than_six_points_under_distinct_heads(brief, code, lang):
    page = parse(show.show_conclusion(brief(code, lang)))

    heads = [head.text for head in page.select("dl.conclusion > dt")]
    assert 1 <= len(heads) <= 6
    assert len(set(heads)) == len(heads)
    assert len(page.select("dl.conclusion > dd")) == len(heads)
    assert lang == "ja" or not JAPANESE.search(page.get_text())


def test_tally_adds_up_and_says_why_targets_are_open(brief):
    page = parse(show.show_conclusion(brief()))

    met, missed, open_ = (int(box.dd.text) for box in page.select(".tally .count"))
    assert f"目標のある{met + missed + open_}指標" in page.select_one(".tally p").text
    reasons = page.select_one(".tally .muted").text
    assert sum(map(int, re.findall(r"(\d+)(?:、|$)", reasons))) == open_


def test_branch_without_targets_has_no_tally_but_the_reason(brief):
    page = parse(show.show_conclusion(brief("47")))

    assert page.select(".tally") == []
    assert "年度目標は手元の公表資料にない" in page.select_one("p.note").text


def test_header_says_up_to_when_documents_were_read(brief):
    assert "令和7年12月までの公表資料による" in parse(show.show_header(brief())).text
    assert "Dec 2025" in parse(show.show_header(brief(lang="en"))).text


# --- the table of KPIs ------------------------------------------------------------------------------------------------


def test_kpi_table_has_only_columns_that_say_something(brief):
    columns = {
        code: [th.text for th in parse(show.show_kpi_table(brief(code))).select("thead th")]
        for code in ("04", "47", "00")
    }

    assert columns["04"] == ["指標", "実績", "全国", "前年度", "目標", "順位", "推移"]
    assert columns["47"] == ["指標", "実績", "全国", "前年度", "順位", "推移"]
    assert columns["00"] == ["指標", "実績", "前年度", "目標", "推移"]


def test_kpi_table_is_grouped_by_theme_in_reading_order_where_it_is_long(brief):
    long, short = (parse(show.show_kpi_table(brief(code))) for code in ("04", "47"))

    groups = [row.text for row in long.select("tr.group")]
    order = [name.ja for name in THEMES.values()]
    assert groups == sorted(groups, key=order.index)
    assert groups[0] == "健診"
    assert short.select("tr.group") == []
    assert len(long.select("tbody tr:not(.group)")) == len(brief().rows)


def test_kpi_table_tells_people_to_the_nation_where_counts_are_known(brief):
    row = next(row for row in parse(show.show_kpi_table(brief())).select("tbody tr") if "未治療者" in row.th.text)

    assert "104件の増で全国並み" in row.text


def test_rank_of_a_kpi_without_a_better_way_says_which_way_it_counts(brief):
    table = parse(show.show_kpi_table(brief("47")))

    ranked = {row.th.text: row.find("td", attrs={"data-label": "順位"}).text for row in table.select("tbody tr")}
    assert "高い順" in ranked["都道府県単位保険料率"]
    assert sum("高い順" in text for text in ranked.values()) == 1


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_brackets_at_the_end_of_a_name_never_break(catalogue, lang):
    for kpi in catalogue.kpis.values():
        shown = parse(name_kpi(kpi, lang))

        assert re.sub(r"\s", "", shown.text) == re.sub(r"\s", "", kpi.name(lang))
        part = shown.select_one(".part")
        assert part is None or part.text[0] in "（("


# --- the themes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["04", "13", "43", "47"])
def test_themes_come_in_reading_order_and_none_is_empty(brief, code):
    briefing = brief(code)

    themes = show.list_themes(briefing)

    assert themes == [theme for theme in THEMES if theme in themes]
    for theme in themes:
        page = parse(show.show_theme(briefing, theme))
        assert page.select(".kpi, .budgets")
        for block in page.select(".kpi"):
            assert block.select_one(".say p").text.endswith("。")
            assert block.select("figure svg")
            assert block.select(".more details")


def test_rows_by_theme_keep_every_row_once(brief):
    briefing = brief()

    rows = [row for members in rows_by_theme(briefing).values() for row in members]

    assert sorted(row["kpi_id"] for row in rows) == sorted(row["kpi_id"] for row in briefing.rows)


def test_block_of_one_chart_stands_alone_or_beside_others_but_never_leaves_a_gap(brief):
    checks = parse(show.show_theme(brief(), "health_checks"))
    outreach = parse(show.show_theme(brief(), "outreach"))

    assert [len(block.select("svg")) for block in checks.select(".kpi:not(.wide)")] == [1, 1, 1]
    assert [len(block.select("svg")) for block in outreach.select(".kpi.wide")] == [1]
    assert outreach.select(".kpi:not(.wide)") == []


def test_interim_value_and_its_pace_stand_beside_the_charts(brief, comparison):
    is_one = (
        (pl.col("branch_code") == "04") & (pl.col("kpi_id") == "checkup_rate_insured") & (pl.col("fiscal_year") == 2024)
    )
    open_year = {
        "value": None,
        "status": "interim",
        "interim_value": 14.8,
        "interim_as_of": dt.date(2024, 7, 31),
        "pace_is_on": False,
        "pace_expected": 23.6,
        "pace_basis": "even_months",
        "pace_needed_per_month": 7.0,
    }
    frame = comparison.with_columns(
        pl.when(is_one).then(pl.lit(value, comparison.schema[name])).otherwise(pl.col(name)).alias(name)
        for name, value in open_year.items()
    )
    block = (
        parse(show.show_theme(brief(frame=frame), "health_checks"))
        .select_one("#kpi-checkup_rate_insured")
        .find_parent("div")
    )

    assert "14.8%（令和6年7月時点の中間値）" in block.text
    assert "目標のペース未満" in block.text


# --- budgets ----------------------------------------------------------------------------------------------------------


def test_budget_stands_in_its_theme_beside_the_kpi_it_aims_at(brief):
    page = parse(show.show_theme(brief(), "health_checks"))

    rows = page.select(".budgets tbody tr")
    assert len(rows) == len(list_budgets(brief(), "health_checks")) == 4
    assert "被保険者健診 68.6%未達" in rows[0].text
    assert parse(show.show_theme(brief("13"), "health_checks")).select(".budgets") == []


def test_budget_without_any_aim_has_no_column_for_it(brief):
    page = parse(show.show_theme(brief(), "guidance"))

    assert len(page.select(".budgets thead th")) == 4


def test_budget_in_total_adds_up_over_the_themes(brief):
    rows = [
        [cell.text for cell in row.select("th, td")] for row in parse(show.show_budgets(brief())).select("tbody tr")
    ]

    *parts, total = [[int(text.replace(",", "")) for text in row[1:4]] for row in rows]
    assert [sum(column) for column in zip(*parts, strict=True)] == total
    assert rows[-1][4] == f"{100 * total[2] / total[1]:.1f}%"
    assert show.show_budgets(brief("47")) == ""


# --- sources ----------------------------------------------------------------------------------------------------------


def test_same_remark_on_several_kpis_stands_once(brief):
    items = [item.text for item in parse(show.show_sources(brief("00"))).select("ul.note li")]

    remarks = [item.partition(": ")[2] for item in items]
    assert len(set(remarks)) == len(remarks)
    assert any("、" in item.partition(": ")[0] for item in items)


def test_remark_that_the_name_of_the_kpi_says_already_is_left_out(brief):
    items = [item.text for item in parse(show.show_sources(brief())).select("ul.note li")]

    assert "特定健診実施率（被扶養者）: 被扶養者" not in items
    assert any(item.endswith("前年度健診の受診者を翌年度のKPIとして評価") for item in items)


# --- the whole page ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("code", ["04", "13", "47"])
def test_contents_lead_to_every_section_of_a_branch_page(brief, code, lang):
    briefing = brief(code, lang)
    parts = [
        *(show.show_conclusion(briefing), show.show_kpi_table(briefing), show.show_spine(briefing)),
        *(show.show_interim(briefing), show.show_incentive(briefing), show.show_budgets(briefing)),
        *(show.show_theme(briefing, theme) for theme in show.list_themes(briefing)),
        *(show.show_self_assessment(briefing), show.show_sources(briefing)),
    ]

    page, contents = parse(*parts), parse(show.show_contents(briefing))

    ids = [element["id"] for element in page.select("[id]")]
    assert len(set(ids)) == len(ids)
    sections = {heading["id"] for heading in page.select("h2")}
    assert {link["href"][1:] for link in contents.select("a")} == sections
