"""The page of one KPI: what its sentences say at the edges, marks that follow the verdict, and a whole page for every KPI."""

from __future__ import annotations

import base64
import csv
import io
import re

import builders
import nbformat
import pytest
from bs4 import BeautifulSoup

from kenpo_lib import briefing as show
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.kpi_bands import find_band
from kenpo_lib.briefing.kpi_certainty import describe_certainty
from kenpo_lib.briefing.kpi_conclusion import conclude_kpi
from kenpo_lib.briefing.kpi_data import find_kpi, make_detail
from kenpo_lib.briefing.kpi_methods import METHODS, METHODS_NOTEBOOK, list_methods
from kenpo_lib.briefing.kpi_movement import describe_movement, list_moves, list_spans
from kenpo_lib.briefing.kpi_sources import list_notes
from kenpo_lib.briefing.kpi_words import describe_years
from kenpo_lib.briefing.kpi_years import list_branches, list_columns
from kenpo_lib.catalogue import NATION, Direction, Unit, load_catalogue, period_words
from kenpo_lib.errors import InputError
from kenpo_lib.page import sanitise
from kenpo_lib.store.computed import Computed, compute
from kenpo_lib.store.wide_data import read_kpi

CODES = load_catalogue().branch_codes
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
TWO = {"old": builders.definition("old", last=2023), "new": builders.definition("new", first=2024, restated=(2023,))}
SECTIONS = (
    *("header", "contents", "conclusion", "course", "definitions", "years", "position", "movement", "certainty"),
    *("methods", "sources"),
)


# --- given ------------------------------------------------------------------------------------------------------------


def open_detail(rows=(), *, targets=(), kpi=None, year=2024, lang="ja", branch=NATION, warnings=()):
    """The page's data from rows of observations."""
    kpi = kpi or builders.kpi()
    tables, catalogue = builders.tables(rows, targets), builders.catalogue(kpi)
    computed = compute(tables, catalogue, verdict={"warnings": list(warnings)})
    return detail_of(computed, kpi.kpi_id, year=year, lang=lang, branch=branch)


def detail_of(computed, kpi_id, *, year=2024, lang="ja", branch=NATION):
    kpi = computed.catalogue.kpis[kpi_id]
    data = read_kpi(computed, kpi, fiscal_year=year)
    return make_detail(Briefing(data.as_page(year), computed.catalogue, branch, year, lang, ""), kpi, data)


@pytest.fixture(scope="module")
def computed(tables, catalogue, comparison, nation):
    """The real figures."""
    return Computed(tables, catalogue, comparison, nation)


def values_of(numbers, **same):
    return [{"branch_code": code, "value": number, **same} for code, number in zip(CODES, numbers, strict=False)]


def nation_of(value, **same):
    return {"branch_code": NATION, "value": value, **same}


def render(detail, sections=SECTIONS):
    return sanitise("".join(getattr(show, f"show_kpi_{name}")(detail) for name in sections))


def parse(html):
    return BeautifulSoup(html, "html.parser")


# --- which KPI --------------------------------------------------------------------------------------------------------


def test_unknown_kpi_names_the_nearest(catalogue):
    with pytest.raises(InputError, match="visit_rate"):
        find_kpi("visits_rate", catalogue)


def test_later_years_are_left_out_and_said_to_exist():
    detail = open_detail([{"fiscal_year": year, "value": 30.0} for year in (2024, 2025)])

    assert detail.years["fiscal_year"].to_list() == [2024]
    assert "令和6年度より後の値や目標は、この頁に載せていません" in render(detail, ("years",))
    assert "載せていません" not in render(open_detail([{"value": 30.0}]), ("years",))


# --- the conclusion: the nation ---------------------------------------------------------------------------------------


def test_published_nation_stands_with_prior_year_and_target():
    # given 20.3 % after 19.8 %, and 21.5 % wanted
    rows = [nation_of(19.8, fiscal_year=2023), nation_of(20.3)]
    target = {"branch_code": NATION, "value": 21.5}
    # when
    first, *_ = conclude_kpi(open_detail(rows, targets=[target]))
    # then
    assert first == (
        "令和6年度の全国（公表値）は20.3%（前年度19.8%から+0.5ポイント、良い）です。目標「21.5%以上」は未達（あと1.2ポイント）です。"
    )


def test_target_that_is_met_has_no_distance():
    first, *_ = conclude_kpi(open_detail([nation_of(22.0)], targets=[{"branch_code": NATION, "value": 22.0}]))

    assert first == "令和6年度の全国（公表値）は22.0%です。目標「22.0%以上」は達成です。"


def test_estimate_is_never_compared_with_a_published_figure():
    # given a published figure last year, and all branches this year
    first, *_ = conclude_kpi(open_detail([nation_of(58.7, fiscal_year=2023), *values_of(range(10, 57))]))
    # then
    assert first == (
        "令和6年度の47支部の単純平均は33.0%です。公表値は令和5年度の58.7%が最も新しく、推計とは求め方が違うため差をとりません。"
    )


def test_estimates_of_two_years_are_compared_with_each_other():
    rows = [*values_of([10.0] * 47, fiscal_year=2023), *values_of([10.4] * 47)]

    assert "単純平均は10.4%（同じ求め方の前年度から+0.4ポイント）です" in conclude_kpi(open_detail(rows))[0]


def test_nation_under_the_former_definition_is_not_the_newest_figure():
    kpi = builders.kpi(definitions=TWO)
    rows = [nation_of(50.0, fiscal_year=2022, definition="old"), {"definition": "new", "value": 30.0}]

    first, *_, last = conclude_kpi(open_detail(rows, kpi=kpi))

    assert first == "令和6年度の全国の値は手元にありません。"
    assert last == "定義は令和6年度に変わりました。前後の値は比べず、線も結びません。"


def test_interim_nation_is_said_to_be_part_way():
    rows = [nation_of(83.6, status="interim", period="YTD"), {"value": 80.0}]

    assert conclude_kpi(open_detail(rows))[0] == "令和6年度の全国は年度途中の値だけです: 83.6%（中間値）。"


def test_total_of_the_nation_is_called_a_total():
    kpi = builders.kpi(unit=Unit.OFFICES, decimals=0, proportion=False)

    first, *rest = conclude_kpi(open_detail([nation_of(1000.0), {"value": 20.0}], kpi=kpi))

    assert first == "令和6年度の全国計（公表値）は1,000事業所です。"
    assert not any("偶然" in sentence for sentence in rest)  # a branch is not compared with a sum


# --- the conclusion: the branches -------------------------------------------------------------------------------------


def test_without_any_value_the_target_is_all_there_is():
    said = conclude_kpi(open_detail(targets=[{"branch_code": NATION, "value": 18.0}]))

    assert said == [
        "この指標の値は、支部も全国も手元の公表資料にありません。",
        "令和6年度の全国の目標は「18.0%以上」です。",
    ]


def test_pending_value_is_neither_zero_nor_nothing():
    said = conclude_kpi(open_detail([{"status": "pending", "note": "検証中"}]))

    assert said[1] == "令和6年度の支部の値は手元にありません。年度途中の値か、公表待ちです: 宮城 未公表。"


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (1, "値が分かるのは1支部だけです: 北海道 0.0%。"),
        (2, "値が分かるのは2支部だけです: 北海道 0.0%、青森 1.0%。"),
        (10, "値が分かる10支部は、最小0.0%（北海道）から最大9.0%（群馬）です。47支部の姿とは限りません。"),
        (47, "47支部は、最小0.0%（北海道）から最大46.0%（沖縄）、中央値は23.0%です。"),
    ],
)
def test_branches_are_named_counted_or_summed_up_by_how_many_there_are(count, sentence):
    assert sentence in conclude_kpi(open_detail(values_of(range(count))))


def test_branches_that_share_the_extreme_are_named_together():
    _, said, *_ = conclude_kpi(open_detail(values_of([100.0] * 5 + [90.0, 91.0] * 21)))

    assert "最大100.0%（北海道、青森、岩手 ほか2件）、中央値は91.0%です。" in said


def test_year_without_values_names_the_newest_one():
    said = conclude_kpi(open_detail([{"fiscal_year": 2019, "value": 92.4}]))

    assert said[1] == (
        "令和6年度の支部の値は手元にありません。最も新しいのは令和元年度です。値が分かるのは1支部だけです: 宮城 92.4%。"
    )


def test_changes_are_counted_by_direction_and_ties_are_told():
    # given 47 branches: 30 up, 7 as before, 10 down
    before = values_of([50.0] * 47, fiscal_year=2023)
    after = values_of([51.0] * 30 + [50.0] * 7 + [49.0] * 10)
    # when, then
    for direction, sentence in (
        (Direction.HIGHER, "前年度から改善したのは30支部、悪化したのは10支部、同じは7支部です。"),
        (Direction.LOWER, "前年度から改善したのは10支部、悪化したのは30支部、同じは7支部です。"),
        (Direction.NEITHER, "前年度から上がったのは30支部、下がったのは10支部、同じは7支部です。"),
    ):
        assert sentence in conclude_kpi(open_detail(before + after, kpi=builders.kpi(direction=direction)))


def test_nothing_is_said_of_changes_across_definitions():
    kpi = builders.kpi(definitions={"old": TWO["old"], "new": builders.definition("new", first=2024)})
    rows = [*values_of([50.0] * 47, fiscal_year=2023, definition="old"), *values_of([60.0] * 47, definition="new")]

    said = conclude_kpi(open_detail(rows, kpi=kpi))

    assert not any("前年度" in sentence or "ばらつき" in sentence for sentence in said)


@pytest.mark.parametrize(
    ("factor", "course"),
    [
        (2.0, "令和4年度の2.3ポイントから令和6年度の4.6ポイントへ広がりました"),
        (0.5, "令和4年度の2.3ポイントから令和6年度の1.2ポイントへ縮まりました"),
        (1.0, "令和4年度も令和6年度も2.3ポイントです"),
    ],
)
def test_spread_between_the_branches_widens_narrows_or_stays(factor, course):
    first = [50 + place / 10 for place in range(47)]
    last = [50 + factor * place / 10 for place in range(47)]

    said = conclude_kpi(open_detail([*values_of(first, fiscal_year=2022), *values_of(last)]))

    assert f"支部のばらつき（真ん中の半分の支部が入る幅）は、{course}。" in said


def test_targets_of_branches_are_counted_by_verdict():
    targets = [{"branch_code": code, "value": 50.0} for code in ("01", "02", "13")]

    said = conclude_kpi(open_detail(values_of([50.0, 40.0]), targets=targets))

    assert "支部の目標が分かるのは3支部で、達成1（北海道）、未達1（青森）、判定できない1（東京）です。" in said


def test_certainty_is_told_by_counts():
    # given a branch far above the nation, with counts and without
    counted = {"value": 40.0, "numerator": 4000, "denominator": 10000}
    # when, then
    assert "件数が分かる1支部のうち、全国との差が偶然とはいえないのは宮城（良い）です。" in conclude_kpi(
        open_detail([counted, nation_of(30.0)])
    )
    assert "件数が分かる1支部に、全国との差が偶然とはいえない支部はありません。" in conclude_kpi(
        open_detail([counted, nation_of(40.1)])
    )
    assert (
        "件数（分子と分母）が公表されていないため" in conclude_kpi(open_detail([{"value": 40.0}, nation_of(30.0)]))[-1]
    )
    assert (
        "人や件数の割合として扱えないため"
        in (conclude_kpi(open_detail([{"value": 40.0}, nation_of(30.0)], kpi=builders.kpi(proportion=False)))[-1])
    )


def test_own_kpi_of_one_branch_is_compared_with_nothing():
    # given
    kpi = builders.kpi(branch_code="04")
    # when, then
    first, second = conclude_kpi(open_detail([{"value": 51.3}], targets=[{"value": 52.9}], kpi=kpi))
    assert first == "宮城支部だけの指標で、ほかの支部や全国と比べる値はありません。"
    assert second == "令和6年度の値は51.3%です。目標「52.9%以上」は未達（あと1.6ポイント）です。"
    pending = conclude_kpi(open_detail([{"status": "pending"}], targets=[{"value": 34.4}], kpi=kpi))
    assert (
        pending[1] == "令和6年度の値はありません（未公表）。目標「34.4%以上」は判定できません（実績が未公表・検証中）。"
    )
    assert conclude_kpi(open_detail(kpi=kpi))[1] == "令和6年度の値はありません（データなし）。"


# --- the course -------------------------------------------------------------------------------------------------------


def test_sentence_of_the_course_carries_its_numbers():
    rows = [*values_of(range(20, 67), fiscal_year=2023), *values_of(range(21, 68)), nation_of(40.0, fiscal_year=2023)]

    assert describe_years(open_detail(rows)) == (
        "中央値は令和5年度の43.0%から令和6年度の44.0%。最小は令和5年度の20.0%から令和6年度の21.0%。"
        "最大は令和5年度の66.0%から令和6年度の67.0%。全国（公表値）は令和5年度に40.0%。"
    )


def test_course_needs_two_years():
    assert show.show_kpi_course(open_detail([{"value": 1.0}])) == ""
    assert "<svg" in show.show_kpi_course(open_detail([{"value": 1.0}, {"value": 2.0, "fiscal_year": 2023}]))


def test_blocks_are_drawn_only_where_all_branches_are_known_in_following_years():
    full = [*values_of(range(47), fiscal_year=2023), *values_of(range(47))]
    gap = [*values_of(range(47), fiscal_year=2022), *values_of(range(47))]

    assert len(parse(show.show_kpi_course(open_detail(full))).select("figure")) == 2
    for rows in (gap, full[:-1]):
        assert len(parse(show.show_kpi_course(open_detail(rows))).select("figure")) == 1


# --- definitions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (None, None, "すべての年度"),
        (None, 2023, "令和5年度まで"),
        (2024, None, "令和6年度から"),
        (2018, 2018, "平成30年度だけ"),
        (2018, 2019, "平成30年度から令和元年度まで"),
    ],
)
def test_period_of_a_definition_in_words(first, last, words):
    assert period_words(builders.definition("d", first=first, last=last), "ja") == words


def test_definitions_tell_what_was_restated_and_what_the_change_alone_does():
    # given a year in which the nation is known under both definitions
    rows = [nation_of(value, fiscal_year=2023, definition=name) for name, value in (("old", 53.3), ("new", 63.4))]
    # when
    text = parse(show.show_kpi_definitions(open_detail(rows, kpi=builders.kpi(definitions=TWO)))).text
    # then
    assert "令和5年度の値もこの定義で公表し直されている" in text
    assert (
        "令和5年度の全国の値は、前の定義では53.3%、新しい定義では63.4%。この違いは定義の違いで、改善でも悪化でもない。"
        in text
    )
    assert "令和5年度（全国だけ）" in text


def test_years_known_are_joined_while_the_number_of_branches_stays():
    rows = [*values_of([1.0, 2.0], fiscal_year=2021), *values_of([1.0, 2.0], fiscal_year=2022), *values_of([1.0])]

    text = parse(show.show_kpi_definitions(open_detail(rows))).text

    assert "令和3年度～令和4年度（2）、令和6年度（1）" in text


# --- the table --------------------------------------------------------------------------------------------------------

CELL = {"statistical": "cannot_tell", "quantile_group": None, "direction": "higher_is_better"}


@pytest.mark.parametrize(
    ("cells", "css", "mark"),
    [
        ({"statistical": "better"}, "band-1", "◆"),
        ({"statistical": "worse", "quantile_group": 1}, "band-5", "◇"),
        ({"statistical": "no_difference", "quantile_group": 5}, "", "≒"),
        ({"quantile_group": 1}, "band-1", "①"),
        ({"quantile_group": 3}, "", ""),
        ({"quantile_group": 5}, "band-5", "⑤"),
        ({"quantile_group": 1, "direction": "neither"}, "band-high", "①"),
        ({}, "", ""),
    ],
)
def test_mark_follows_the_verdict_then_the_fifth(cells, css, mark):
    band = find_band(CELL | cells)

    assert (band.css, band.mark) == (css, mark)


def test_every_shade_has_a_shape_of_its_own():
    bands = [find_band(CELL | {"quantile_group": group}) for group in range(1, 6)]
    bands += [find_band(CELL | {"statistical": verdict}) for verdict in ("better", "worse", "no_difference")]

    assert len({band.mark for band in bands}) == len(bands)
    assert all(band.words("ja") and band.words("en") for band in bands)


def test_table_shows_all_branches_only_where_all_are_known_once():
    few, full = open_detail(values_of(range(12))), open_detail(values_of(range(47)))

    assert len(list_branches(few, list_columns(few))) == 12
    assert "ほかの35支部の値は手元にありません" in render(few, ("years",))
    assert len(list_branches(full, list_columns(full))) == 47


def test_table_shows_interim_and_pending_as_what_they_are():
    rows = [
        {"branch_code": "13", "value": 14.8, "status": "interim", "period": "YTD"},
        {"branch_code": "14", "status": "pending"},
        {"branch_code": "15", "value": 0.0},
    ]

    cells = {
        row.th.text: row.td.text.strip() for row in parse(render(open_detail(rows), ("years",))).select("tbody tr")
    }

    assert cells == {"全国": "–", "13 東京": "中間 14.8", "14 神奈川": "未公表", "15 新潟": "0.0"}


def test_table_breaks_where_the_definition_changes():
    kpi = builders.kpi(definitions=TWO)
    rows = [
        {"definition": "old", "fiscal_year": 2022, "value": 10.0},
        {"definition": "new", "fiscal_year": 2023, "value": 30.0},
    ]
    # when
    page = parse(render(open_detail([*rows, {"definition": "new", "value": 31.0}], kpi=kpi), ("years",)))
    # then the group of the new definition and its first column are marked, in words too
    assert [group.text for group in page.select('th[scope="colgroup"]')] == [
        "定義: 令和5年度まで",
        "定義: 令和6年度から",
    ]
    assert [cell.text.strip() for cell in page.select("tbody tr:last-child td.break")] == ["30.0"]
    assert "太い縦線は定義が変わったところで、前後は比べません。" in page.text


def test_rank_stands_beside_the_movement_since_the_year_before():
    rows = [*values_of(range(47), fiscal_year=2023), *values_of([*range(46), -1])]
    # when the first of last year is last
    page = parse(render(open_detail(rows), ("years",)))
    # then
    last = page.select("tbody tr")[-1].select("td")[-1]
    assert last.text == "47位 ↓46"
    assert last.span["aria-label"] == "前年度1位"


def test_columns_begin_with_the_first_branch_unless_only_the_nation_is_known():
    rows = [nation_of(30.0, fiscal_year=year) for year in (2008, 2024)]

    assert list_columns(open_detail([*rows, {"value": 40.0, "fiscal_year": 2023}])) == [("v1", 2023), ("v1", 2024)]
    assert list_columns(open_detail(rows)) == [("v1", 2008), ("v1", 2024)]


def test_download_holds_every_value_with_its_counts_and_its_place():
    # given
    rows = [{"value": 40.0, "numerator": 4, "denominator": 10, "locator": "p.7"}, nation_of(30.0)]
    # when
    encoded = re.search(r"base64,([A-Za-z0-9+/=]+)", show.show_kpi_years(open_detail(rows)))[1]
    lines = list(csv.DictReader(io.StringIO(base64.b64decode(encoded).decode("utf-8-sig"))))
    # then
    assert [(line["branch_code"], line["value"], line["denominator"], line["locator"]) for line in lines] == [
        (NATION, "30.0", "", "p.1"),
        ("04", "40.0", "10.0", "p.7"),
    ]


def test_chosen_branch_is_marked():
    page = parse(render(open_detail(values_of(range(47)), branch="04"), ("years",)))

    assert [row.th.text for row in page.select("tr.own")] == ["04 宮城"]


# --- positions, ranks, certainty --------------------------------------------------------------------------------------


def test_few_branches_have_a_table_with_what_they_are_compared_with():
    rows = [{"value": 33.0}, {"value": 32.5, "fiscal_year": 2023}, nation_of(29.4)]

    page = parse(render(open_detail(rows, targets=[{"value": 35.8}]), ("position",)))

    assert page.h2.text == "令和6年度の支部の値"
    assert [cell.text for cell in page.select("tbody td")] == [
        "33.0%",
        "29.4%（+3.6ポイント、良い）",
        "32.5%（+0.5ポイント、良い）",
        "35.8%以上　未達",
    ]
    assert not page.select("svg")


def test_map_is_drawn_only_of_all_branches():
    part, full = (parse(render(open_detail(values_of(range(count))), ("position",))) for count in (46, 47))

    assert [figure.strong.text for figure in part.select("figure")] == ["順位"]
    assert [figure.strong.text for figure in full.select("figure")] == ["地図", "順位"]
    assert "47支部の単純平均23.0%より良いのは23支部、同じは1支部、悪いのは23支部。" in full.text


def test_moves_need_two_years_with_all_branches_ranked():
    rows = [*values_of(range(47), fiscal_year=2023), *values_of([46, *range(46)])]
    detail = open_detail(rows)

    assert list_spans(detail) == [2023]
    best, *_, worst = list_moves(detail, 2023)
    assert (best.branch_code, best.rank_before, best.rank_after, best.climbed) == ("01", 47, 1, 46)
    assert worst.climbed == -1
    assert list_spans(open_detail(rows[1:])) == []


def test_long_span_is_shown_beside_the_last_year():
    rows = [row for year in (2020, 2021, 2023, 2024) for row in values_of(range(47), fiscal_year=year)]

    assert list_spans(open_detail(rows)) == [2023, 2020]
    assert list_spans(open_detail([row for row in rows if row["fiscal_year"] > 2021])) == [2023]


def test_unusual_movement_is_named():
    # given a branch that falls from the top to the bottom, while the others keep their order
    rows = [*values_of(range(47), fiscal_year=2023), *values_of([*range(46), -1])]
    # when
    first, *_ = describe_movement(open_detail(rows))
    # then
    assert (
        first == "この指標では、1年の動きの9割が1位以内です。前年度からそれより大きく動いたのは沖縄（1位→47位）です。"
    )


def test_without_any_movement_no_table_is_drawn():
    rows = [*values_of(range(47), fiscal_year=2023), *values_of(range(47))]

    page = parse(render(open_detail(rows), ("movement",)))

    assert "前年度からそれより大きく動いたのはありません。" in page.text
    assert not page.select("table.climbs")


@pytest.mark.parametrize(
    ("counted", "sentence"),
    [
        (0, "令和6年度の値には、件数（分子と分母）が公表されていません。"),
        (1, "令和6年度の値が分かる3支部のうち、件数（分子と分母）も公表されているのは1支部です。"),
        (3, "令和6年度の値が分かる3支部のすべてで、件数（分子と分母）も公表されています。"),
    ],
)
def test_certainty_says_whose_counts_are_published(counted, sentence):
    rows = [
        {**row, **({"numerator": 50, "denominator": 100} if place < counted else {})}
        for place, row in enumerate(values_of([50.0] * 3))
    ]
    detail = open_detail(rows)

    assert describe_certainty(detail.rows, detail, 2024)[0] == sentence
    assert len(parse(render(detail, ("certainty",))).select("table.intervals tbody tr")) == counted


def test_no_interval_is_shown_without_counts():
    page = parse(render(open_detail([{"value": 50.0, "numerator": 50}, nation_of(40.0)]), ("certainty",)))

    assert "区間を付けず" in page.text
    assert not page.select("table")


# --- methods and sources ----------------------------------------------------------------------------------------------


def test_methods_point_to_sections_of_the_methods_notebook():
    notebook = nbformat.read(builders.ROOT / METHODS_NOTEBOOK, as_version=4)
    titles = {
        int(match[1]): match[2]
        for cell in notebook.cells
        for match in re.finditer(r"^## (\d+)\. (.+)$", cell.source, flags=re.MULTILINE)
    }

    words = {
        1: "ウィルソン",
        3: "ファンネル",
        4: "偽の発見",
        5: "順位",
        6: "偏差値",
        7: "縮小",
        11: "全国",
        12: "除いた全国",
    }
    for method in METHODS:
        if method.section is not None:
            assert words[method.section] in titles[method.section], method.name.ja


def test_only_methods_that_the_page_uses_are_listed():
    few, full = open_detail([{"value": 1.0}]), open_detail(values_of(range(47)))

    assert [method.name.ja for method in list_methods(few)] == ["公表の桁での比較"]
    assert {"中央値と四分位", "5等分した位置", "偏差値", "全国の推計"} <= {
        method.name.ja for method in list_methods(full)
    }
    assert list_methods(open_detail()) == []


def test_conflict_names_both_values_and_both_places(computed):
    detail = detail_of(computed, "checkup_rate_dependents")

    first = list_notes(detail)[0]

    assert first.startswith("全国 令和6年度: 出典で値が異なる。採用は29.4%（business_report_fy2024、p.204")
    assert "不採用は29.3%（miyagi_results_fy2024、p.8" in first


def test_remark_that_several_values_share_is_said_once_and_in_japanese():
    rows = values_of([1.0, 2.0], note="medium-high: 表の並び順による対応付け")

    assert list_notes(open_detail(rows)) == [
        "北海道 令和6年度、青森 令和6年度: 確度はやや高い: 表の並び順による対応付け"
    ]


def test_warning_of_the_checks_is_noted_for_its_kpi_and_up_to_the_year():
    warning = {"kpi_id": "rate", "fiscal_year": 2024, "column": "check_jump"} | {
        "words": {"ja": "前年度から大きく動いていない", "en": "no jump"},
        "found": {"ja": "値 9", "en": "value 9"},
    }
    others = [warning | {"kpi_id": "other"}, warning | {"fiscal_year": 2025}]

    assert list_notes(open_detail([{"value": 1.0}], warnings=[warning, *others])) == [
        "前年度から大きく動いていない – 値 9"
    ]


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kpi_id", load_catalogue().kpis)
def test_every_kpi_has_a_sound_page(catalogue, computed, kpi_id):
    # given, when
    html = render(detail_of(computed, kpi_id))
    page = parse(html)
    # then it opens with what can be said, links lead somewhere, figures and tables have words, and it is small
    assert page.h1.text.startswith(catalogue.kpis[kpi_id].name.ja)
    assert len(page.select("h1")) == 1
    assert page.select("ul.conclusion li")
    ids = [element["id"] for element in page.select("[id]")]
    assert len(set(ids)) == len(ids)
    assert {link["href"][1:] for link in page.select('a[href^="#"]')} <= set(ids)
    assert all(svg["aria-label"] for svg in page.select("svg"))
    assert all(table.caption.text for table in page.select("table"))
    assert all(table.select("tbody tr") for table in page.select("table"))
    assert len(html.encode()) < 300_000


@pytest.mark.parametrize("kpi_id", ["specific_checkup_rate", "visit_rate", "generic_share", "website_visits"])
def test_english_page_says_nothing_in_japanese_of_its_own(computed, kpi_id):
    page = parse(render(detail_of(computed, kpi_id, lang="en"), SECTIONS[:-1]))  # titles of documents stay as they are

    assert not JAPANESE.search(page.text)
    assert not any(JAPANESE.search(svg["aria-label"]) for svg in page.select("svg"))


def test_same_inputs_give_the_same_page(computed):
    one, two = (render(detail_of(computed, "visit_rate")) for _ in range(2))

    assert one == two
