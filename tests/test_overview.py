"""The overview: branches in the order asked for, who moved since the year before, and only what says something."""

from __future__ import annotations

import re

import builders
import polars as pl
import pytest
from comparison_rows import JAPANESE, kpi
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib import briefing as show
from kenpo_lib.briefing import matrix
from kenpo_lib.briefing.movement import MOST_MOVERS, describe_movement, pick_movers
from kenpo_lib.catalogue import THEMES, Direction
from kenpo_lib.errors import InputError
from kenpo_lib.parameters import READING_ORDERS


def codes_of(page):
    return [row.th.text.split()[0] for row in page.select("table.matrix tbody tr:not(.group)")]


# --- the order of branches --------------------------------------------------------------------------------------------


def test_branches_come_by_code_unless_asked_otherwise(overview, catalogue):
    assert codes_of(builders.parse_html(show.show_flags(overview()))) == list(catalogue.branch_codes)


def test_branches_by_region_stand_under_its_name(overview, catalogue):
    page = builders.parse_html(show.show_flags(overview(), order="block"))

    assert sorted(codes_of(page)) == list(catalogue.branch_codes)
    for body in page.select("table.matrix tbody"):
        name = body.select_one("tr.group th").text
        members = [row.th.text.split()[0] for row in body.select("tr:not(.group)")]
        assert members == sorted(members)
        assert {catalogue.branches[code].block.ja for code in members} == {name}


def test_branches_by_a_kpi_come_by_its_rank_and_unknown_ones_last(overview):
    full = builders.parse_html(show.show_flags(overview(), order="generic_share_annual"))
    partly = builders.parse_html(show.show_flags(overview(), order="visit_rate"))

    rows = {
        row["branch_code"]: row["rank"] for row in overview().page.year.filter(kpi_id="generic_share_annual").to_dicts()
    }
    ranks = [rows[code] for code in codes_of(full)]
    assert ranks == sorted(ranks)
    assert codes_of(full)[0] == "47"
    known = overview().page.year.filter(pl.col("value").is_not_null(), kpi_id="visit_rate", definition="10m")
    assert set(codes_of(partly)[: known.height]) == set(known["branch_code"])
    assert codes_of(partly)[known.height :] == sorted(codes_of(partly)[known.height :])
    assert [head.text for head in full.select("thead th") if "この指標の順" in head.text] == [
        "後発品割合年度平均（%・この指標の順）"
    ]


@pytest.mark.parametrize("order", ["rank", "", "CODE", "mail_application_rate", "no_such_kpi", 3])
def test_unknown_order_is_refused_with_those_that_there_are(overview, order):
    with pytest.raises(InputError) as caught:
        show.show_flags(overview(), order=order)

    message = str(caught.value)
    assert repr(order) in message
    for allowed in ("code", "block", "generic_share_annual", "visit_rate"):
        assert allowed in message


def test_only_verdicts_and_extremes_carry_a_mark(overview):
    briefing = overview()
    table = builders.parse_html(show.show_flags(briefing)).select_one("table.matrix")

    marks = [mark.text for mark in table.select(".flag") if mark.text]
    assert set(marks) == {"①", "⑤", "◆良い"}
    groups = briefing.page.year.filter(pl.col("statistical") == "cannot_tell")["quantile_group"]
    assert sum(mark in "①⑤" for mark in marks) == groups.is_in([1, 5]).sum()


# --- who moved --------------------------------------------------------------------------------------------------------


def moved(code, before, after, *, usual=6.0, **changes):
    change = None if before is None else before - after
    plain = {
        "branch_code": code,
        "rank": after,
        "prior_rank": before,
        "rank_change": change,
        "rank_change_usual": usual,
    }
    return plain | {"value": 50.0, "prior_value": 49.0, "prior_reason": None} | changes


def test_movers_are_five_each_way_furthest_outside_and_ties_by_code():
    rows = [moved(f"{code:02d}", 20 + code, 20) for code in range(1, 8)] + [moved("10", 20, 20), moved("11", None, 3)]
    rows += [moved(code, 20, 23) for code in ("13", "12")]

    assert [row["branch_code"] for row in pick_movers(rows)] == ["07", "06", "05", "04", "03", "13", "12"]
    assert [row["branch_code"] for row in pick_movers([moved("01", 5, 5)])] == []


@given(st.lists(st.tuples(st.integers(1, 47), st.integers(1, 47)), max_size=47))
def test_movers_never_hide_one_that_moved_further(pairs):
    rows = [moved(f"{place:02d}", before, after) for place, (before, after) in enumerate(pairs, 1)]

    for is_up in (True, False):
        shown = [row["rank_change"] for row in pick_movers(rows) if (row["rank_change"] > 0) is is_up]
        every = [row["rank_change"] for row in rows if row["rank_change"] and (row["rank_change"] > 0) is is_up]
        assert sorted(map(abs, shown), reverse=True) == sorted(map(abs, every), reverse=True)[:MOST_MOVERS]


def test_movement_counts_all_and_names_who_moved_more_than_usual(overview):
    rows = [moved("01", 20, 10), moved("04", 3, 4), moved("13", 5, 5)]

    said = describe_movement(rows, kpi(), overview())

    assert said == (
        "前年度から順位が上がった支部1、下がった支部1、同じ1。例年の範囲（10回に9回は6位以内）を超えて動いたのは1支部（北海道）。"
    )
    usual = describe_movement([moved("01", 20, 18)], kpi(direction=Direction.NEITHER), overview())
    assert "順位（高い順）が上がった支部1、下がった支部0、同じ0" in usual
    assert usual.endswith("例年の範囲（10回に9回は6位以内）です。")
    unknown = describe_movement([moved("01", 20, 10, usual=None)], kpi(), overview())
    assert unknown == "前年度から順位が上がった支部1、下がった支部0、同じ0。"


@pytest.mark.parametrize(
    ("reason", "words"), [("definition_changed", "定義が違うため"), ("no_prior_value", "前年度の値がそろわないため")]
)
def test_movement_says_why_ranks_cannot_be_compared(overview, reason, words):
    rows = [moved("01", None, 3, prior_reason=reason)]

    assert words in describe_movement(rows, kpi(), overview())
    assert pick_movers(rows) == []


def test_ranks_are_never_compared_across_a_change_of_definition(overview, catalogue):
    briefing = overview(year=2022)

    page = builders.parse_html(show.show_kpi_overview(briefing, catalogue.kpis["urgent_visit_rate"]))

    assert page.select("table.moves") == []
    assert "定義が違うため、順位の動きは示せません" in page.text


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_every_kpi_of_the_overview_shows_map_movement_and_ranking(overview, lang):
    briefing = overview(lang)
    kpis = show.list_overview_kpis(briefing)
    themes = list(THEMES)
    assert [themes.index(entry.theme) for entry in kpis] == sorted(themes.index(entry.theme) for entry in kpis)
    for entry in kpis:
        page = builders.parse_html(show.show_kpi_overview(briefing, entry))

        assert len(page.select("svg")) == 2
        assert len(page.select("table.moves tbody tr")) == 2 * MOST_MOVERS
        assert all(caption.text.strip() for caption in page.select("figcaption"))
        assert lang == "ja" or not JAPANESE.search(page.select_one("table.moves").text + page.select_one(".moves").text)


# --- what is left out -------------------------------------------------------------------------------------------------


def test_contribution_to_a_change_that_rounding_hides_is_left_out(overview):
    shown = {entry.kpi_id for entry in show.list_contribution_kpis(overview())}

    assert "premium_rate" not in shown
    assert "generic_share_annual" in shown


def test_documents_of_the_overview_are_those_of_all_branches(overview):
    briefing = overview()

    documents = set(briefing.page.sources["source_id"])
    assert set(briefing.page.year["source_id"].drop_nulls()) <= documents
    assert re.search("令和7年12月まで", builders.parse_html(show.show_header(briefing)).text)


def test_orders_are_those_that_a_user_may_ask_for():
    assert (matrix.CODE, matrix.BLOCK) == READING_ORDERS
