"""The page on the data: the verdict as it is, both places of a conflict, what is known and what is not."""

from __future__ import annotations

import base64
import csv
import io
import re

import builders
import pytest
from bs4 import BeautifulSoup

from kenpo_lib import briefing as show
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.quality_checks import SUITE_WORDS
from kenpo_lib.briefing.quality_data import (
    list_conflicts,
    list_open,
    list_replaced_targets,
    list_warnings,
    make_quality,
)
from kenpo_lib.briefing.quality_sources import age_words, span_words
from kenpo_lib.briefing.quality_words import conclude_quality, say_verdict
from kenpo_lib.catalogue import NATION, load_catalogue
from kenpo_lib.errors import InputError
from kenpo_lib.page import sanitise
from kenpo_lib.store.computed import Computed, compute
from kenpo_lib.store.wide_data import read_quality
from kenpo_lib.validate import CHECKED_TABLES, validate

CODES = load_catalogue().branch_codes
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
SECTIONS = (
    *("header", "contents", "conclusion", "conflicts", "coverage", "years", "targets", "open_values", "checks"),
    "sources",
)
PASSED = {
    "passed": True,
    "summary": {"observations": {"checks": 3, "ok": 3, "critical": 0, "warning": 0, "error": 0}},
    **{"checks": [], "critical": [], "warnings": [], "pending": []},
}
FINDING = {
    **{"table": "observations", "column": "check_jump", "branch_code": "04", "kpi_id": "rate", "definition": "v1"},
    **{"fiscal_year": 2024, "source_id": "doc", "locator": "p.9"},
    "words": {"ja": "前年度から大きく動いていない", "en": "no jump"},
    "found": {"ja": "値 90、前年度 10", "en": "value 90, year before 10"},
}
CONFLICT = [
    {"branch_code": NATION, "value": 29.4, "source_id": "new", "locator": "p.204"},
    {"branch_code": NATION, "value": 29.3, "source_id": "old", "locator": "p.8"},
]
ISSUED = {"new": "2025-08", "old": "2025-04"}


# --- given ------------------------------------------------------------------------------------------------------------


def open_page(rows=(), *, targets=(), replaced=(), verdict=None, kpis=None, year=2024, lang="ja", sources=None):
    """The page's data from rows of observations."""
    tables = builders.tables(rows, targets, sources=sources)
    tables["superseded_targets"] = builders.frame("superseded_targets", replaced)
    computed = compute(tables, builders.catalogue(*(kpis or ())), verdict=verdict or PASSED)
    return page_of(computed, year=year, lang=lang)


def page_of(computed, *, year=2024, lang="ja"):
    data = read_quality(computed)
    return make_quality(Briefing(data.as_page(), computed.catalogue, NATION, year, lang, ""), data)


def render(quality, sections=SECTIONS):
    return sanitise("".join(getattr(show, f"show_quality_{name}")(quality) for name in sections))


def parse(html):
    return BeautifulSoup(html, "html.parser")


# --- the verdict ------------------------------------------------------------------------------------------------------


def test_verdict_is_one_sentence_on_how_many_checks():
    assert say_verdict(PASSED, "ja") == (
        "データは検証に合格しています。1種類の表を3の検査で確かめ、公表を止める不適合は0です。"
    )


def test_verdict_that_failed_says_so_and_shows_what_stops():
    # given one critical finding and one check that could not be made
    counts = {"checks": 3, "ok": 1, "critical": 1, "warning": 0, "error": 1}
    verdict = PASSED | {"passed": False, "summary": {"observations": counts}, "critical": [FINDING]}
    # when
    page = parse(render(open_page(verdict=verdict), ("conclusion", "conflicts")))
    # then
    assert "データは検証に合格していません。3の検査のうち2が公表を止める不適合です。" in page.text
    assert [count.text for count in page.select(".tally dd")] == ["1", "2", "0"]
    row = page.find("table").select_one("tbody tr")
    assert [cell.text for cell in row] == [
        "宮城 令和6年度 率",
        "前年度から大きく動いていない",
        "値 90、前年度 10",
        "doc p.9",
    ]


@pytest.mark.parametrize(
    ("count", "warnings", "words"),
    [
        (0, [], "注意に当たる検査もありません。"),
        (1, [FINDING], "注意に当たる検査は1で、出典の食い違いのほかに1件の注意があります。"),
    ],
)
def test_warnings_are_told_beside_the_verdict(count, warnings, words):
    summary = {"observations": {"checks": 3, "ok": 3 - count, "critical": 0, "warning": count, "error": 0}}

    quality = open_page(verdict=PASSED | {"summary": summary, "warnings": warnings})

    assert conclude_quality(quality)[0].endswith(words)
    assert len(list_warnings(quality)) == len(warnings)


def test_finding_about_a_whole_table_has_a_row_too():
    keys = dict.fromkeys(("branch_code", "kpi_id", "definition", "fiscal_year", "source_id", "locator"))
    verdict = PASSED | {"warnings": [FINDING | keys | {"table": "statistics"}]}

    row = parse(render(open_page(verdict=verdict), ("conflicts",))).select_one("tbody tr")

    assert [cell.text for cell in row][::3] == ["加入者数などの統計", "–"]


def test_page_cannot_be_opened_without_tables_and_verdict(tmp_path):
    with pytest.raises(InputError, match="kenpo curate"):
        show.open_quality(tmp_path, fiscal_year=2024)


# --- conflicts --------------------------------------------------------------------------------------------------------


def test_conflict_shows_both_values_with_source_place_and_month():
    # given a newer and an older source that differ
    page = parse(render(open_page(CONFLICT, sources=ISSUED), ("conflicts",)))
    # then
    name, used, used_place, other, other_place = (cell.text for cell in page.select_one("table.conflicts tbody tr"))
    assert (name, used, other) == ("全国 令和6年度 率", "29.4%", "29.3%")
    assert ("2025年8月" in used_place, "new: p.204" in used_place) == (True, True)
    assert ("2025年4月" in other_place, "old: p.8" in other_place) == (True, True)


def test_conflict_is_named_in_the_conclusion_and_not_warned_of_twice():
    warning = FINDING | {"column": "check_source_values", "branch_code": NATION}
    quality = open_page(CONFLICT, sources=ISSUED, verdict=PASSED | {"warnings": [warning, warning]})

    assert (
        "出典によって値が異なるのは1件です: 全国 令和6年度 率（採用29.4%、不採用29.3%）。"
        in conclude_quality(quality)[1]
    )
    assert list_warnings(quality) == []


def test_conflict_of_a_part_of_a_kpi_stays_among_the_warnings():
    # given a warning of sources that differ on a value that the comparison does not use
    warning = FINDING | {"column": "check_source_values"}

    assert list_warnings(open_page(verdict=PASSED | {"warnings": [warning]})) == [warning]


def test_sources_that_agree_are_no_conflict():
    same = [row | {"value": 29.4} for row in CONFLICT]

    assert list_conflicts(open_page(same, sources=ISSUED)) == []
    assert conclude_quality(open_page(same, sources=ISSUED))[1] == "出典によって値が異なるものはありません。"


def test_replaced_target_that_is_worded_alike_is_counted_only():
    # given two replaced targets, one with another rule
    targets = [{"value": 70.0}, {"branch_code": "13", "value": 80.0}]
    replaced = [{"value": 70.0}, {"branch_code": "13", "rule": "at_least_prior"}]
    # when
    quality = open_page(targets=targets, replaced=replaced)
    page = parse(render(quality, ("conflicts",)))
    # then
    assert [row["is_other"] for row in list_replaced_targets(quality)] == [False, True]
    assert "2件の目標を、新しい出典のものに置き換えています。このうち規則の書き方が変わったのは1件です。" in page.text
    assert [cell.text for cell in page.select_one("details tbody tr")][:3] == [
        "東京 令和6年度 率",
        "80.0%以上",
        "対前年度以上",
    ]


def test_replaced_targets_whose_numbers_differ_are_not_said_to_agree():
    quality = open_page(
        targets=[{"value": 70.0}],
        replaced=[{"value": 60.0}],
        verdict=PASSED | {"warnings": [FINDING | {"table": "superseded_targets"}]},
    )

    text = parse(render(quality, ("conflicts",))).text

    assert "数値が一致しないのは1件です。" in text
    assert "一致しています" not in text


# --- what is known ----------------------------------------------------------------------------------------------------


def test_coverage_counts_kpis_with_all_some_and_no_branches():
    # given four KPIs: of all branches, of two, of none, of head office alone; and one that a branch keeps for itself
    kpis = [builders.kpi(name, order=place) for place, name in enumerate(("full", "some", "none"))]
    kpis += [builders.kpi("office", caveats=("national_only",)), builders.kpi("own", branch_code="04")]
    rows = [{"kpi_id": "full", "branch_code": code, "value": 1.0} for code in CODES]
    rows += [{"kpi_id": "some", "branch_code": code, "value": 0.0} for code in ("01", "02")]
    rows += [{"kpi_id": "own", "value": 1.0}]
    # when
    said = conclude_quality(open_page(rows, kpis=kpis))
    # then
    assert said[2] == (
        "令和6年度は、全支部に共通の4指標のうち、47支部すべての値が分かるのは1、一部の支部だけ分かるのは1（2支部）、"
        "支部の値が1つもないのは2です（うち1は本部だけの指標）。"
    )


@pytest.mark.parametrize(
    ("counted", "known", "words"),
    [(0, 4, "0（0%）"), (1, 47, "1（2%）"), (0, 1, "0（0%）"), (4, 4, "4（100%）")],
)
def test_share_of_values_with_counts(counted, known, words):
    counts = {"numerator": 1, "denominator": 100}
    rows = [
        {"branch_code": code, "value": 1.0, **(counts if place < counted else {})}
        for place, code in enumerate(CODES[:known])
    ]

    said = conclude_quality(open_page(rows))

    assert f"令和6年度の支部の値{known}のうち、件数（分子と分母）も公表されているのは{words}です。" in said[3]


def test_small_share_is_never_rounded_to_nothing():
    kpis = [builders.kpi(f"k{place}") for place in range(5)]
    rows = [{"kpi_id": kpi.kpi_id, "branch_code": code, "value": 1.0} for kpi in kpis for code in CODES]
    rows[0] |= {"numerator": 1, "denominator": 100}

    assert "1（1%未満）です" in conclude_quality(open_page(rows, kpis=kpis))[3]


def test_part_way_and_pending_values_are_listed_as_what_they_are():
    # given
    rows = [
        {"value": 91.1, "status": "interim", "period": "YTD", "locator": "p.16"},
        {"branch_code": "13", "status": "pending", "note": "検証中"},
        {"branch_code": "14", "value": 80.0},
    ]
    pending = {"branch_code": "13", "kpi_id": "rate", "definition": "v1", "fiscal_year": 2024}
    pending |= {"source_id": "doc", "locator": "p.7"}
    quality = open_page(rows, verdict=PASSED | {"pending": [pending]})
    # when
    found = [[cell.text for cell in row] for row in parse(render(quality, ("open_values",))).select("tbody tr")]
    # then
    assert found == [
        ["宮城", "令和6年度", "率", "91.1%（中間値）", "doc: p.16"],
        ["東京", "令和6年度", "率", "未公表（注記: 検証中）", "doc: p.7"],
    ]
    assert "公表待ちは1件、年度途中の値しかないのは1件です。" in conclude_quality(quality)[-2]


def test_open_values_after_the_page_s_year_are_left_out():
    rows = [{"status": "pending", "fiscal_year": year} for year in (2023, 2024, 2025)]

    assert [row["fiscal_year"] for row in list_open(open_page(rows))] == [2024, 2023]


def test_picture_of_coverage_has_a_sentence_with_its_numbers_and_two_downloads():
    rows = [{"branch_code": code, "value": 1.0} for code in CODES[:10]]

    html = render(open_page(rows), ("coverage",))

    assert parse(html).svg["aria-label"].endswith("値が分かる支部の数: 率 10。")
    by_kpi, by_cell = (
        list(csv.DictReader(io.StringIO(base64.b64decode(encoded).decode("utf-8-sig"))))
        for encoded in re.findall(r"base64,([A-Za-z0-9+/=]+)", html)
    )
    assert by_kpi[0]["値が分かる支部"] == "10"
    assert [row["branch_code"] for row in by_cell] == list(CODES[:10])


def test_kpis_of_which_nothing_is_known_are_named_in_words():
    kpis = [builders.kpi("rate"), builders.kpi("other", short_name=builders.Text("別の率", "other"))]

    text = parse(render(open_page([{"value": 1.0}], kpis=kpis), ("coverage",))).text

    assert "令和6年度の値も目標もない指標: 別の率。" in text


def test_heat_map_of_years_tells_all_many_and_few_apart_and_breaks_at_definitions():
    # given 47 branches, then 10, then 1 and the published nation under a new definition
    kpi = builders.kpi(
        definitions={"old": builders.definition("old", last=2023), "new": builders.definition("new", first=2024)}
    )
    rows = [{"branch_code": code, "fiscal_year": 2022, "definition": "old", "value": 1.0} for code in CODES]
    rows += [{"branch_code": code, "fiscal_year": 2023, "definition": "old", "value": 1.0} for code in CODES[:10]]
    rows += [{"branch_code": code, "definition": "new", "value": 1.0} for code in ("04", NATION)]
    # when
    page = parse(render(open_page(rows, kpis=[kpi]), ("years",)))
    # then
    full, many, few = page.select("tbody td")
    assert [cell.text.split() for cell in (full, many, few)] == [["47"], ["10"], ["1", "◆"]]
    assert [cell["class"] for cell in (full, many, few)] == [["num", "all"], ["num", "many"], ["num", "break"]]
    assert few.span["aria-label"] == "全国の公表値あり"


def test_targets_are_counted_by_branch_and_year():
    kpis = [builders.kpi("a"), builders.kpi("b")]
    targets = [
        {"kpi_id": "a", "value": 1.0},
        {"kpi_id": "b", "value": 1.0},
        {"kpi_id": "a", "branch_code": NATION, "value": 1.0},
    ]

    page = parse(render(open_page(targets=targets, kpis=kpis), ("targets",)))

    assert {row.th.text: row.td.text for row in page.select("tbody tr")} == {"全国": "1", "宮城": "2"}
    assert "目標が1つでも分かるのは1支部で、ほかの46支部の目標は手元の公表資料にありません。" in page.text


# --- sources ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "words"),
    [("2026-02", "–"), ("2026-01", "1か月"), ("2025-09-25", "5か月"), ("2025-02", "1年"), ("2016-04", "9年10か月")],
)
def test_age_of_a_source_is_told_from_the_newest_one(date, words):
    assert age_words(date, "2026-02", "ja") == words


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (2024, 2024, "令和6年度"),
        (2020, 2024, "令和2～6年度"),
        (2019, 2020, "令和元～2年度"),
        (2018, 2019, "平成30年度～令和元年度"),
    ],
)
def test_span_of_years_says_the_era_once(first, last, words):
    assert span_words(first, last, "ja") == words


def test_sources_are_listed_newest_first_with_their_figures():
    page = parse(render(open_page(CONFLICT, sources=ISSUED), ("sources",)))

    rows = [[cell.text for cell in row] for row in page.select("tbody tr")]
    assert [row[0] for row in rows] == ["a documentnew", "a documentdoc", "a documentold"]
    assert [row[4] for row in rows] == ["1", "0", "1"]


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def computed(tables, catalogue, comparison, nation):
    """The real figures, with the result of the real checks on them."""
    verdict = validate(tables, catalogue, builders.ROOT / "expectations").to_dict()
    return Computed(tables, catalogue, comparison, nation, verdict)


def test_every_suite_has_a_name_in_words():
    assert set(SUITE_WORDS) >= set(CHECKED_TABLES)


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_real_page_is_sound(computed, lang):
    # given
    quality = page_of(computed, lang=lang)
    # when
    html = render(quality)
    page = parse(html)
    # then it opens with the verdict, every link leads somewhere, figures and tables have words, and it is small
    assert page.select_one("ul.conclusion li").text == conclude_quality(quality)[0]
    ids = [element["id"] for element in page.select("[id]")]
    assert len(set(ids)) == len(ids)
    assert {link["href"][1:] for link in page.select('a[href^="#"]')} <= set(ids)
    assert all(svg["aria-label"] for svg in page.select("svg"))
    assert all(table.caption.text and table.select("tbody tr") for table in page.select("table"))
    assert len(html.encode()) < 300_000
    total = sum(counts["checks"] for counts in computed.verdict["summary"].values())
    assert len(page.select("#checks ~ details tbody tr")) == total
    assert "29.4%" in page.select_one("table.conflicts").text
    assert "29.3%" in page.select_one("table.conflicts").text


def test_english_page_keeps_japanese_to_what_documents_say(computed):
    quality = page_of(computed, lang="en")

    page = parse(render(quality, ("header", "contents", "conclusion", "coverage", "years", "targets", "checks")))

    assert not JAPANESE.search(page.text)
    assert not any(JAPANESE.search(svg["aria-label"]) for svg in page.select("svg"))


def test_page_of_data_without_values_says_so():
    page = parse(render(open_page()))

    assert "令和6年度の値や目標は手元にありません。" in page.text
    assert "支部の値は手元にありません。" in page.text
    assert "目標は手元にありません。" in page.text
    assert "公表待ちの値や、年度途中の値だけのものはありません。" in page.text
    assert not page.select("svg")
