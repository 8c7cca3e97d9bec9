"""The overview's table of flags and its figures on spread: marks only where the verdict says so, and a page that holds."""

from __future__ import annotations

import base64
import re

import builders
import polars as pl
import pytest

from kenpo_lib import briefing as show
from kenpo_lib.briefing.flags import find_flag, list_flag_rows
from kenpo_lib.briefing.words import DIFFERENT
from kenpo_lib.grain import BRANCH_COUNT

CELL = {"statistical": "cannot_tell", "practical": "relevant", "alert": False, "quantile_group": None} | {
    "direction": "higher_is_better"
}


def download(html):
    """The rows of the first CSV in a page."""
    encoded = re.search(r"base64,([A-Za-z0-9+/=]+)", str(html))[1]
    return [line.split(",") for line in base64.b64decode(encoded).decode("utf-8-sig").split("\r\n") if line]


# --- one cell ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "kind", "text"),
    [
        ({"statistical": "better"}, "better", "◆良い"),
        ({"statistical": "worse"}, "worse", "◇悪い"),
        ({"statistical": "worse", "alert": True}, "worse", "◇悪い・悪化中"),
        ({"statistical": "better", "practical": "small"}, "better", "◆良い（小さな差）"),
        ({"statistical": "higher", "direction": "neither"}, "higher", "◆高い"),
        ({"statistical": "no_difference", "quantile_group": 1}, "no_difference", "範囲内"),
        ({"statistical": "same"}, "no_difference", "範囲内"),
        ({"quantile_group": 1}, "group", "①上位1/5"),
        ({"quantile_group": 3}, "group", "中ほど"),
        ({"quantile_group": 5}, "group", "⑤下位1/5"),
        ({"quantile_group": 1, "direction": "neither"}, "group", "①高い1/5"),
        ({}, "", ""),
    ],
)
def test_flag_follows_the_one_verdict(cells, kind, text):
    flag = find_flag(CELL | cells, "ja")

    assert (flag.kind, flag.text) == (kind, text)


def test_every_kind_of_flag_differs_by_shape_or_word_in_both_languages():
    cases = [{"statistical": verdict} for verdict in (*DIFFERENT, "no_difference")]
    cases += [{"quantile_group": group} for group in range(1, 6)]
    for lang in ("ja", "en"):
        texts = [find_flag(CELL | case, lang).text for case in cases]

        assert len(set(texts)) == len(texts)


# --- the table --------------------------------------------------------------------------------------------------------


def test_table_marks_only_cells_that_the_verdict_calls_different(overview):
    # given
    briefing = overview()
    rows = list_flag_rows(briefing)
    different = rows.filter(pl.col("statistical").is_in(list(DIFFERENT)))
    # when
    page = builders.parse_html(show.show_flags(briefing))
    # then as many marks as verdicts, each in its branch's row
    table = page.select_one("table.matrix")
    assert different.height
    marked = [cell for cell in table.select("td") if re.search("[◆◇]", cell.text)]
    names = [cell.find_parent("tr").th.text.split()[0] for cell in marked]
    assert sorted(names) == sorted(different["branch_code"])
    assert page.select_one("#matrix").name == "h2"


def test_table_never_marks_a_value_without_counts(overview):
    # given, when
    page, rows = show.show_flags(overview()), list_flag_rows(overview())
    counted = {kpi for (kpi,) in rows.filter(pl.col("funnel_z").is_not_null()).select("kpi_id").iter_rows()}
    uncounted = rows.filter(~pl.col("kpi_id").is_in(list(counted)))
    # then
    assert uncounted.height > 5 * BRANCH_COUNT
    assert {find_flag(row, "ja").kind for row in uncounted.to_dicts()} <= {"group", ""}
    assert "上位1/5" in page
    assert "件数が未公表" in page


def test_table_holds_every_kpi_that_ten_branches_have_and_all_branches(overview):
    # given
    briefing = overview()
    rows = list_flag_rows(briefing)
    # when
    table = builders.parse_html(show.show_flags(briefing)).select_one("table.matrix")
    # then
    assert rows["branches_known"].min() >= 10
    assert len(table.select("tbody tr")) == BRANCH_COUNT
    assert len(table.select("thead th")) == 1 + rows["kpi_id"].n_unique()
    assert rows.select("kpi_id", "branch_code").is_duplicated().sum() == 0
    assert "13支部" in table.thead.text


def test_table_says_first_which_cells_are_marked_and_how_much_was_tested(overview):
    first, second = (item.text for item in builders.parse_html(show.show_flags(overview())).select("ul.conclusion li"))

    assert "奈良の医療機関受診率（良い）" in first
    assert "8指標のうち1指標" in second
    english = builders.parse_html(show.show_flags(overview("en"))).select("ul.conclusion li")
    assert "Nara" in english[0].text


def test_table_names_alerts(overview, comparison):
    # given one value that is surely worse and worsening
    is_one = (pl.col("kpi_id") == "visit_rate") & (pl.col("branch_code") == "26") & (pl.col("fiscal_year") == 2024)
    frame = comparison.with_columns(
        pl.when(is_one).then(pl.lit("worse")).otherwise("statistical").alias("statistical"),
        pl.when(is_one).then(True).otherwise("alert").alias("alert"),
    )
    # when
    page = builders.parse_html(show.show_flags(overview(frame=frame)))
    # then
    assert "さらに悪化している: 京都 医療機関受診率" in page.select("ul.conclusion li")[1].text
    assert "◇悪い・悪化中" in page.table.text


def test_table_download_has_one_line_for_each_value(overview):
    briefing = overview()

    lines = download(show.show_flags(briefing))

    assert len(lines) == 1 + list_flag_rows(briefing).filter(pl.col("value").is_not_null()).height
    assert sum("◆" in line[7] or "◇" in line[7] for line in lines) == 1


def test_table_of_a_year_with_little_is_a_sentence(overview, comparison):
    page = show.show_flags(overview(frame=comparison.clear()))

    assert 'id="matrix"' in page
    assert "10支部以上の値がある指標はありません" in page
    assert "<table" not in page


def test_old_name_of_the_table_is_the_same_table():
    assert show.show_branch_matrix is show.show_flags


# --- funnel and intervals ---------------------------------------------------------------------------------------------


def test_spread_is_shown_for_kpis_with_a_funnel_only(overview, catalogue):
    briefing = overview()

    assert [kpi.kpi_id for kpi in show.list_spread_kpis(briefing)] == ["visit_rate"]
    assert show.show_spread(briefing, catalogue.kpis["premium_rate"]) == ""
    assert show.list_spread_kpis(overview(year=2019)) == []


def test_spread_says_what_its_figures_show(overview, catalogue, comparison):
    # given
    briefing = overview()
    rows = list_flag_rows(briefing).filter(pl.col("funnel_z").is_not_null())
    # when
    page = builders.parse_html(show.show_spread(briefing, catalogue.kpis["visit_rate"]))
    # then
    funnel, intervals = (figure.figcaption.text for figure in page.select("figure"))
    plain = rows.filter(pl.col("funnel_position") != "within").height
    assert f"{rows.height}支部のうち、偶然だけの95%の限界の外にあるのは{plain}支部" in funnel
    assert "2支部（秋田、奈良）" in funnel
    assert "奈良（良い）" in funnel
    missed = rows.filter(~pl.col("national").is_between(pl.col("lower_95"), pl.col("upper_95"))).height
    assert f"95%区間が全国（公表値）33.9%を含まないのは{missed}支部" in intervals
    assert page.select_one("#spread-visit_rate").name == "h2"
    assert all(svg["aria-label"] for svg in page.select("svg"))
    assert len(page.select("details tbody tr")) == rows.height


# --- contribution -----------------------------------------------------------------------------------------------------


def test_contribution_is_called_an_estimate_and_names_its_proxy(overview, catalogue):
    # given
    briefing = overview()
    kpi = catalogue.kpis["specific_checkup_rate"]
    # when
    page = builders.parse_html(show.show_contribution(briefing, kpi))
    # then the figure that is published for one of the years stands beside the estimate
    text = page.figcaption.text
    assert "推計" in page.h3.text
    assert "全国平均" not in page.text
    assert "40～74歳加入者数（見込み）で加重した推計" in text
    assert "令和5年度の公表値は58.7%" in text
    assert page.h3["id"] == "contribution-specific_checkup_rate"


def test_contribution_download_adds_up(overview, catalogue):
    for kpi in show.list_contribution_kpis(overview()):
        lines = download(show.show_contribution(overview(), kpi))[1:]

        assert len(lines) == BRANCH_COUNT
        for line in lines:
            rate, volume, total = (float(text) for text in line[6:9])
            assert rate + volume == pytest.approx(total, abs=1.5 * 10.0 ** -(kpi.decimals + 4))


def test_contribution_is_empty_where_nothing_can_be_split(overview, catalogue):
    assert show.show_contribution(overview(), catalogue.kpis["visit_rate"]) == ""
    assert show.show_contributions(overview(year=2010)) == ""


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_contents_lead_to_every_section_and_ids_are_unique(overview, lang):
    # given
    briefing = overview(lang)
    parts = [show.show_flags(briefing), show.show_contributions(briefing)]
    parts += [show.show_spread(briefing, kpi) for kpi in show.list_spread_kpis(briefing)]
    # when
    page, contents = builders.parse_html("".join(parts)), builders.parse_html(show.show_contents(briefing))
    # then
    ids = [element["id"] for element in page.select("[id]")]
    assert len(set(ids)) == len(ids)
    links = {link["href"][1:] for link in contents.select("a")}
    assert {"matrix", "spread-visit_rate", "contribution"} <= links & set(ids)
