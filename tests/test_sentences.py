"""What readers read: every rule of the sentences on its edge cases, in both languages."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import polars as pl
import pytest
from comparison_rows import (
    JAPANESE,
    KINDS,
    NUMBER,
    PROPERTY_KPIS,
    against_nation,
    aimed,
    kpi,
    numbers_of,
    row,
    rows_of_one_year,
)
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib import sentences
from kenpo_lib.catalogue import NATIONAL_PROXIES, Unit, load_catalogue
from kenpo_lib.language import Lang
from kenpo_lib.normalise import TargetRule
from kenpo_lib.sentences import describe_position, describe_trend
from kenpo_lib.targets import Reason, Result

# --- every state that a row can have has its words ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "states"),
    [
        (sentences.STATUS_WORDS, {"final", "interim", "pending", "missing"}),
        (sentences.RESULT_WORDS, set(Result)),
        (sentences.TARGET_REASON_WORDS, set(Reason) - {Reason.NO_TARGET}),
        (sentences.PRIOR_REASON_WORDS, {"definition_changed", "no_prior_value"}),
        (sentences.JUDGEMENT_WORDS, {"better", "worse", "same", "higher", "lower"}),
        (sentences.NATIONAL_WORDS, set(KINDS)),
        (sentences.NATIONAL_MARKS, set(KINDS)),
    ],
    ids=["status", "result", "target reason", "prior reason", "judgement", "national", "national mark"],
)
def test_every_state_has_words_in_both_languages(words, states):
    assert words.keys() == states
    for text in words.values():
        assert bool(text.ja) == bool(text.en)
        assert not JAPANESE.search(text.en)


def test_every_state_of_the_real_comparison_has_words(comparison):
    worded = {
        "status": sentences.STATUS_WORDS,
        "target_result": sentences.RESULT_WORDS,
        "target_reason": sentences.TARGET_REASON_WORDS,
        "prior_reason": sentences.PRIOR_REASON_WORDS,
        "prior_judgement": sentences.JUDGEMENT_WORDS,
        "national_judgement": sentences.JUDGEMENT_WORDS,
        "national_kind": sentences.NATIONAL_WORDS,
    }
    for column, words in worded.items():
        assert set(comparison[column].drop_nulls()) <= words.keys()


# --- single words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("kind", KINDS)
def test_national_name_of_an_estimate_is_never_just_the_national_average(kind, lang):
    name = sentences.national_name(kind, kpi(national_proxy="subscribers_40_74"), lang)

    assert "全国平均" not in name
    assert "national average" not in name.lower()
    assert not re.fullmatch(r"全国|nation", name)
    if kind == "weighted":
        assert {"ja": "推計", "en": "estimate"}[lang] in name
        assert NATIONAL_PROXIES["subscribers_40_74"](lang) in name
    if kind == "mean":
        assert name == {"ja": "47支部の単純平均", "en": "plain mean of the 47 branches"}[lang]


def test_national_names_tell_the_four_kinds_apart():
    for lang in Lang:
        assert len({sentences.national_name(kind, kpi(), lang) for kind in (*KINDS, None)}) == 5
        assert len({sentences.NATIONAL_MARKS[kind](lang) for kind in KINDS}) == 4


@pytest.mark.parametrize(
    ("value", "changes", "ja", "en"),
    [
        (None, {}, "–", "–"),
        (68.6, {}, "68.6%", "68.6%"),
        (0.0, {}, "0.0%", "0.0%"),
        (-0.04, {}, "0.0%", "0.0%"),
        (7228, {"unit": Unit.YEN, "decimals": 0}, "7,228円", "7,228 yen"),
        (2680, {"unit": Unit.OFFICES, "decimals": 0}, "2,680事業所", "2,680 offices"),
        (5.25, {"unit": Unit.DAYS, "decimals": 2}, "5.25日", "5.25 days"),
        (12, {"unit": Unit.COUNT, "decimals": 0}, "12件", "12"),
    ],
)
def test_value_words(value, changes, ja, en):
    entry = kpi(**changes)
    assert (sentences.value_words(value, entry, "ja"), sentences.value_words(value, entry, "en")) == (ja, en)


@pytest.mark.parametrize(
    ("difference", "changes", "ja", "en"),
    [
        (None, {}, "–", "–"),
        (3.5, {}, "+3.5ポイント", "+3.5 points"),
        (-3.5, {}, "−3.5ポイント", "−3.5 points"),
        (0.0, {}, "±0.0ポイント", "±0.0 points"),
        (-0.0, {}, "±0.0ポイント", "±0.0 points"),
        (28.94, {"unit": Unit.YEN, "decimals": 0}, "+28.9%", "+28.9%"),
        (-1.0, {"unit": Unit.OFFICES, "decimals": 0}, "−1.0%", "−1.0%"),
        (0.25, {"unit": Unit.DAYS, "decimals": 2}, "+0.25日", "+0.25 days"),
    ],
)
def test_difference_words_are_points_for_rates_and_percent_for_amounts(difference, changes, ja, en):
    entry = kpi(**changes)
    assert sentences.difference_words(difference, entry, "ja") == ja
    assert sentences.difference_words(difference, entry, "en") == en


def test_target_words_name_the_number_behind_a_prior_year_rule_where_it_is_known():
    known = row(target_rule="at_least_prior", target_threshold=98.4)
    unknown = row(target_rule="at_least_prior")

    assert sentences.target_words(known, kpi(), "ja") == "対前年度以上（98.4%）"
    assert sentences.target_words(known, kpi(), "en") == "at least the prior year (98.4%)"
    assert sentences.target_words(unknown, kpi(), "ja") == "対前年度以上"
    assert sentences.target_words(row(), kpi(), "ja") == "–"


@pytest.mark.parametrize("rule", TargetRule)
def test_target_words_exist_for_every_rule(rule):
    goal = row(target_rule=rule.value, target_value=70.0, target_floor=80.0)

    ja, en = (sentences.target_words(goal, kpi(), lang) for lang in Lang)

    assert JAPANESE.search(ja)
    assert en
    assert not JAPANESE.search(en)


def test_result_words_give_the_reason_only_where_nobody_can_tell():
    assert sentences.result_words(row(), "ja") == "目標なし"
    assert sentences.result_words(row(), "en") == "no target"
    assert sentences.result_words(aimed("met"), "ja") == "達成"
    open_ = aimed("cannot_tell", target_reason="pending", value=None, status="pending")
    assert sentences.result_words(open_, "ja") == "判定できない（実績が未公表・検証中）"
    assert sentences.result_words(open_, "en") == "cannot tell (value pending)"


def test_rank_words_always_tell_how_many_were_ranked_also_for_a_tie():
    first, second = row(rank=12, ranked_count=47), row(rank=12, ranked_count=47, branch_code="05")

    assert sentences.rank_words(first, "ja") == sentences.rank_words(second, "ja") == "12位／47"
    assert sentences.rank_words(row(rank=2, ranked_count=5), "en") == "2 of 5"
    assert sentences.rank_words(row(), "ja") == "–"


def test_interim_words_say_as_of_when():
    dated = row(status="interim", value=None, interim_value=91.1, interim_as_of=dt.date(2025, 2, 28))
    undated = row(status="interim", value=None, interim_value=91.1)

    assert sentences.interim_words(dated, kpi(), "ja") == "91.1%（令和7年2月時点の中間値）"
    assert sentences.interim_words(dated, kpi(), "en") == "91.1% (interim, as of Feb 2025)"
    assert sentences.interim_words(undated, kpi(), "ja") == "91.1%（中間値）"
    assert sentences.interim_words(undated, kpi(), "en") == "91.1% (interim)"


@pytest.mark.parametrize(
    ("date", "ja", "en"),
    [
        (None, "", ""),
        (dt.date(2019, 4, 30), "平成31年4月", "Apr 2019"),
        (dt.date(2019, 5, 1), "令和元年5月", "May 2019"),
        (dt.date(2020, 1, 31), "令和2年1月", "Jan 2020"),
        (dt.date(1989, 12, 31), "平成元年12月", "Dec 1989"),
    ],
)
def test_date_words_change_era_on_the_day(date, ja, en):
    assert (sentences.date_words(date, "ja"), sentences.date_words(date, "en")) == (ja, en)


@pytest.mark.parametrize(
    ("count", "ja", "en"),
    [(0, "", ""), (1, "A", "A"), (4, "A、B、C、D", "A; B; C; D"), (6, "A、B、C、D ほか2指標", "A; B; C; D and 2 more")],
)
def test_name_list_counts_what_it_leaves_out(count, ja, en):
    names = list("ABCDEF")[:count]
    assert (sentences.name_list(names, "ja"), sentences.name_list(names, "en")) == (ja, en)


# --- properties -----------------------------------------------------------------------------------------------------


@given(st.sampled_from(tuple(PROPERTY_KPIS)).flatmap(lambda kpi_id: st.lists(rows_of_one_year(kpi_id), max_size=5)))
def test_describe_trend_prints_no_number_that_is_not_in_its_last_row(history):
    entry = PROPERTY_KPIS[history[0]["kpi_id"] if history else "ka"]
    history = [found | {"fiscal_year": 2019 + index} for index, found in enumerate(history)]
    known = [found for found in history if found["value"] is not None]
    # 40–74 and 47 stand in the name of the national figure.
    allowed = {"40", "74", "47"} | (numbers_of(known[-1]) if known else set())

    for lang in Lang:
        sentence = describe_trend(history, entry, branch_name="宮城" if lang == "ja" else "Miyagi", lang=lang)
        assert set(NUMBER.findall(sentence)) <= allowed
        assert "全国平均" not in sentence
        assert lang == "ja" or not JAPANESE.search(sentence)


@given(st.lists(rows_of_one_year("ka"), max_size=47))
def test_describe_position_prints_no_number_that_is_not_in_the_rows(rows):
    rows = [found | {"branch_code": f"{index:02d}"} for index, found in enumerate(rows, 1)]
    allowed = {str(len([r for r in rows if r["value"] is not None]))} | {n for r in rows for n in numbers_of(r)}

    for lang in Lang:
        sentence = describe_position(rows, PROPERTY_KPIS["ka"], branch_code="04", lang=lang)
        assert set(NUMBER.findall(sentence)) <= allowed
        assert lang == "ja" or not JAPANESE.search(sentence)


# --- trend ----------------------------------------------------------------------------------------------------------


def trend(*history: dict[str, Any], entry: Any = None, lang: str = "ja") -> str:
    return describe_trend(history, entry or kpi(), branch_name="宮城" if lang == "ja" else "Miyagi", lang=lang)


def test_describe_trend_says_that_there_is_no_value():
    for history in ((), (row(value=None, status="pending"),)):
        assert trend(*history) == "宮城の率は値がありません。"
        assert trend(*history, lang="en") == "Miyagi: no value of rate."


def test_describe_trend_tells_value_change_nation_and_target_of_the_last_year():
    before = row(fiscal_year=2023, value=67.0)
    last = row(
        **{"prior_value": 67.0, "prior_reason": None, "prior_difference": 1.6, "prior_judgement": "better"},
        **{"national": 67.4, "national_kind": "published", "national_difference": 1.2, "national_judgement": "better"},
        **{"target_rule": "at_least", "target_value": 70.0, "target_threshold": 70.0, "target_result": "not_met"},
    )

    assert trend(before, last) == (
        "宮城の率は令和6年度に68.6%（前年度から+1.6ポイント、全国（公表値）は67.4%、目標70.0%以上は未達）。"
    )
    assert trend(before, last, lang="en") == (
        "Miyagi, rate: 68.6% in FY2024 (+1.6 points on the year before; nation (published) 67.4%; "
        "target at least 70.0%: not met)."
    )


def test_describe_trend_without_comparison_is_the_value_alone():
    assert trend(row()) == "宮城の率は令和6年度に68.6%。"
    assert trend(row(), lang="en") == "Miyagi, rate: 68.6% in FY2024."


def test_describe_trend_speaks_of_the_last_year_with_a_final_value():
    pending = row(fiscal_year=2025, value=None, status="interim", interim_value=41.7)

    assert trend(row(), pending) == "宮城の率は令和6年度に68.6%。"


def test_describe_trend_says_where_the_line_breaks():
    changed = row(definition="new", prior_reason="definition_changed")
    history = (row(fiscal_year=2023, value=60.0, definition="old"), changed)

    assert trend(*history) == "宮城の率は令和6年度に68.6%（途中で定義が変わったため線を切っています）。"
    assert trend(*history, lang="en").endswith("(the line breaks where the definition changed).")
    assert "前年度" not in trend(*history)


def test_describe_trend_says_nothing_of_a_definition_without_values():
    history = (row(fiscal_year=2023, value=None, status="pending", definition="old"), row(definition="new"))

    assert "定義" not in trend(*history)


def test_describe_trend_leaves_out_a_nation_that_is_a_sum():
    total = row(national=130_000.0, national_kind="published")

    assert "全国" not in trend(total)


def test_describe_trend_calls_an_unchanged_value_unchanged():
    same = row(prior_value=68.6, prior_reason=None, prior_difference=0.0, prior_judgement="same")

    assert "前年度から±0.0ポイント" in trend(same)


@pytest.mark.parametrize("kind", ["weighted", "mean"])
def test_describe_trend_calls_an_estimate_what_it_is(kind):
    entry = kpi(national_proxy="subscribers_40_74")
    last = against_nation("better", kind=kind)

    assert sentences.national_name(kind, entry, "ja") in trend(last, entry=entry)
    assert sentences.national_name(kind, entry, "en") in trend(last, entry=entry, lang="en")


# --- position -------------------------------------------------------------------------------------------------------


def position(*rows: dict[str, Any], branch_code: str = "04", entry: Any = None, lang: str = "ja") -> str:
    return describe_position(rows, entry or kpi(), branch_code=branch_code, lang=lang)


def test_describe_position_says_that_there_are_no_values():
    for rows in ((), (row(value=None, status="pending"),)):
        assert position(*rows) == "率は値がありません。"
        assert position(*rows, lang="en") == "rate: no values."


def test_describe_position_of_one_branch_has_no_rank():
    assert position(row()) == "率: 1支部の分布。最小は宮城 68.6%、最大は宮城 68.6%。"
    assert position(row(), lang="en") == "rate: 1 branches; lowest 68.6%, highest 68.6%."


def test_describe_position_tells_rank_lowest_and_highest_of_all_47():
    names = {code: branch.name.ja for code, branch in load_catalogue().branches.items() if code != "00"}
    rows = [
        row(branch_code=code, branch_name=name, value=50.0 + int(code), rank=48 - int(code), ranked_count=47)
        for code, name in names.items()
    ]

    assert position(*rows) == "率は54.0%で47支部中44位。最小は北海道 51.0%、最大は沖縄 97.0%。"
    assert position(*rows, lang="en") == "rate: 54.0%, rank 44 of 47; lowest 51.0%, highest 97.0%."


def test_describe_position_of_a_branch_that_is_not_known_describes_the_others():
    others = [row(branch_code="01", branch_name="北海道", value=50.0), row(branch_code="13", branch_name="東京")]
    own = row(value=None, status="pending")

    for rows in (others, [*others, own]):
        assert position(*rows) == "率: 2支部の分布。最小は北海道 50.0%、最大は東京 68.6%。"


def test_describe_position_shares_the_rank_of_a_tie():
    tied = [row(branch_code=code, rank=1, ranked_count=2) for code in ("04", "05")]

    assert position(*tied).startswith("率は68.6%で2支部中1位。")
    assert position(*tied, branch_code="05") == position(*tied)


# --- the real figures -----------------------------------------------------------------------------------------------


def test_real_trends_and_positions_are_whole_sentences_in_both_languages(comparison, catalogue):
    series = comparison.filter(pl.col("branch_code").is_in(("01", "04", "13"))).partition_by("branch_code", "kpi_id")
    for history in series:
        first = history.row(0, named=True)
        entry, branch = catalogue.kpis[first["kpi_id"]], catalogue.branches[first["branch_code"]]
        same = pl.col("kpi_id") == entry.kpi_id
        rows = comparison.filter(same & (pl.col("fiscal_year") == first["fiscal_year"])).to_dicts()
        for lang in Lang:
            for sentence in (
                describe_trend(history.to_dicts(), entry, branch_name=branch.name(lang), lang=lang),
                describe_position(rows, entry, branch_code=branch.branch_code, lang=lang),
            ):
                assert not re.search(r"None|\bnan\b|[{}]|、、|（）|\(\)", sentence), sentence
                assert "全国平均" not in sentence
                assert lang == "ja" or not JAPANESE.search(sentence)
