"""What readers read: every rule of the sentences on its edge cases, in both languages."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import builders
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib import sentences
from kenpo_lib.catalogue import NATIONAL_PROXIES, Direction, Unit, load_catalogue
from kenpo_lib.language import Lang, Text
from kenpo_lib.normalise import TargetRule, format_fiscal_year, format_number
from kenpo_lib.sentences import conclude_branch, describe_position, describe_trend
from kenpo_lib.targets import Reason, Result

KINDS = ("published", "summed", "weighted", "mean")
JAPANESE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")
NUMBER = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?")

_ROW: dict[str, Any] = {
    **{"branch_code": "04", "branch_name": "宮城", "kpi_id": "rate", "definition": "v1", "fiscal_year": 2024},
    **{"status": "final", "value": 68.6, "interim_value": None, "interim_as_of": None},
    **{"national": None, "national_kind": None, "national_difference": None, "national_judgement": None},
    **{"prior_value": None, "prior_reason": "no_prior_value", "prior_difference": None, "prior_judgement": None},
    **{"target_rule": None, "target_value": None, "target_floor": None, "target_result": None, "target_reason": None},
    **{"target_threshold": None, "target_distance": None, "target_people": None},
    **{"rank": None, "ranked_count": None},
}


def row(**changes: Any) -> dict[str, Any]:
    """A row of the comparison frame in which only the value is known."""
    unknown = changes.keys() - _ROW.keys()
    assert not unknown, unknown
    return _ROW | changes


def against_nation(judgement: str, *, kind: str = "published", **changes: Any) -> dict[str, Any]:
    difference = {"better": 1.2, "higher": 1.2, "same": 0.0}.get(judgement, -1.2)
    known = {"national": 67.4, "national_kind": kind, "national_difference": difference}
    return row(**known, national_judgement=judgement, **changes)


def aimed(result: str, *, rule: str = "at_least", goal: float = 70.0, **changes: Any) -> dict[str, Any]:
    """A row with a target of ``goal``."""
    return row(target_rule=rule, target_value=goal, target_threshold=goal, target_result=result, **changes)


def kpi(kpi_id: str = "rate", name: str | None = None, **changes: Any) -> Any:
    if name:
        changes |= {"name": Text(name, name.lower()), "short_name": Text(name, name.lower())}
    return builders.kpi(kpi_id, **changes)


def conclude(*rows: dict[str, Any], kpis: tuple = (), lang: str = "ja") -> list[str]:
    return conclude_branch(rows, builders.catalogue(*kpis), lang)


def both(*rows: dict[str, Any], kpis: tuple = ()) -> tuple[list[str], list[str]]:
    return conclude(*rows, kpis=kpis), conclude(*rows, kpis=kpis, lang="en")


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


# --- the conclusion -------------------------------------------------------------------------------------------------

NOTHING_YET = (["この年度の実績はまだありません。"], ["There are no results for this year yet."])
NO_TARGETS = "この支部の年度目標は、手元の公表資料にありません。"


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (row(value=None, status="missing"),),
        (row(value=None, status="pending"),),
        (row(value=None, status="interim", interim_value=41.7, interim_as_of=dt.date(2024, 9, 30)),),
    ],
    ids=["no rows", "missing", "pending", "interim only"],
)
def test_conclude_branch_says_so_when_there_is_no_result_yet(rows):
    assert both(*rows) == NOTHING_YET


def test_conclude_branch_says_that_targets_are_not_at_hand():
    assert conclude(row()) == [NO_TARGETS]


def test_conclude_branch_counts_met_not_met_and_cannot_tell():
    reached = aimed("met", target_distance=0.0)
    missed = aimed("not_met", target_distance=1.4)
    open_ = aimed("cannot_tell", target_reason="only_interim", value=None, status="interim", interim_value=41.7)

    ja, en = both(reached, missed, open_)

    assert ja == [
        "目標のある3指標のうち、達成1、未達1、判定できない1です。",
        "判定できない理由: 年度途中の値しかない 1。",
        "未達の指標と不足: 率（1.4ポイント）。",
    ]
    assert en == [
        "Of 3 KPIs with a target, 1 are met, 1 not met, 1 cannot be told.",
        "Why it cannot be told: only an interim value 1.",
        "Not met, and by how much: rate (1.4 points).",
    ]


@pytest.mark.parametrize("reason", sentences.TARGET_REASON_WORDS)
def test_conclude_branch_never_counts_a_target_without_result_as_met_or_missed(reason):
    ja = conclude(aimed("cannot_tell", target_reason=reason, value=None, status="pending"))

    assert ja[0] == "目標のある1指標のうち、達成0、未達0、判定できない1です。"
    assert ja[1] == f"判定できない理由: {sentences.TARGET_REASON_WORDS[reason].ja} 1。"
    assert len(ja) == 2


def test_conclude_branch_leaves_out_cannot_tell_when_all_targets_are_judged():
    ja, en = both(aimed("met", target_distance=0.0))

    assert ja == ["目標のある1指標のうち、達成1、未達0です。"]
    assert en == ["Of 1 KPIs with a target, 1 are met, 0 not met."]


@pytest.mark.parametrize(
    ("rule", "ja", "en"),
    [
        ("at_least", "率（1.4ポイント＝1,234件の増）", "rate (1.4 points = 1,234 more cases)"),
        ("at_most", "率（1.4ポイント＝1,234件の減）", "rate (1.4 points = 1,234 fewer cases)"),
    ],
)
def test_conclude_branch_tells_the_shortfall_in_people_in_the_direction_of_the_rule(rule, ja, en):
    missed = aimed("not_met", rule=rule, target_distance=1.4, target_people=1234)

    said = both(missed)

    assert said[0][1] == f"未達の指標と不足: {ja}。"
    assert said[1][1] == f"Not met, and by how much: {en}."


def test_conclude_branch_tells_the_shortfall_in_the_unit_of_the_kpi():
    yen = kpi(unit=Unit.YEN, decimals=0)
    missed = aimed("not_met", goal=8000.0, value=7228.0, target_distance=772.0)

    ja, en = both(missed, kpis=(yen,))

    assert ja[1] == "未達の指標と不足: 率（772円）。"
    assert en[1] == "Not met, and by how much: rate (772 yen)."


def test_conclude_branch_names_a_missed_target_also_where_the_distance_is_unknown():
    assert conclude(aimed("not_met"))[1] == "未達の指標と不足: 率。"


def test_conclude_branch_lists_six_shortfalls_and_counts_the_rest():
    ids = [f"k{letter}" for letter in "abcdefgh"]
    rows = [aimed("not_met", kpi_id=kpi_id, target_distance=1.0) for kpi_id in ids]

    listed = conclude(*rows, kpis=tuple(kpi(kpi_id, name=kpi_id[1].upper()) for kpi_id in ids))[1]

    assert listed.startswith("未達の指標と不足: A（1.0ポイント）、B（")
    assert listed.endswith("F（1.0ポイント） ほか2指標。")


@pytest.mark.parametrize("ranked", [None, 2, 46])
def test_conclude_branch_gives_no_rank_unless_all_47_are_ranked(ranked):
    rank = None if ranked is None else 1

    assert conclude(row(rank=rank, ranked_count=ranked)) == [NO_TARGETS]


def test_conclude_branch_lists_ranks_best_first():
    kpis = (kpi("a", name="A"), kpi("b", name="B"), kpi("c", name="C"))
    rows = [row(kpi_id=k, rank=rank, ranked_count=47) for k, rank in (("a", 43), ("b", 6), ("c", 43))]

    ja, en = both(*rows, kpis=kpis)

    assert ja[1] == "47支部中の順位: B 6位、A 43位、C 43位。"
    assert en[1] == "Rank among the 47 branches: b 6; a 43; c 43."


def test_conclude_branch_judges_nothing_that_is_neither_better_nor_worse():
    neutral = kpi(direction=Direction.NEITHER)
    higher = against_nation("higher", rank=3, ranked_count=47, prior_judgement="lower", prior_difference=-0.1)

    said = conclude(higher, kpis=(neutral,))

    assert said == [NO_TARGETS]


def test_conclude_branch_names_better_and_worse_than_the_published_nation():
    kpis = (kpi("a", name="A"), kpi("b", name="B"), kpi("c", name="C"))
    rows = [against_nation(word, kpi_id=k) for k, word in (("a", "better"), ("b", "worse"), ("c", "same"))]

    ja, en = both(*rows, kpis=kpis)

    assert ja[1] == "全国の公表値より良いのはA、悪いのはBです。"
    assert re.fullmatch(r"Against the published national value: better in a\W+worse in b\.", en[1], re.IGNORECASE)


def test_conclude_branch_says_the_same_when_nothing_differs_from_the_nation():
    ja, en = both(against_nation("same"))

    assert ja[1:] == ["全国の公表値と同じ水準です。"]
    assert en[1:] == ["The same as the published national value."]


def test_conclude_branch_speaks_of_each_kind_of_national_figure_apart():
    kpis = tuple(kpi(kind, name=letter) for kind, letter in zip(KINDS, "ABCD", strict=True))
    rows = [against_nation("better", kpi_id=kind, kind=kind) for kind in KINDS]

    ja, en = both(*rows, kpis=kpis)

    assert ja[1:] == [
        "全国の公表値より良いのはAです。",
        "47支部の件数から計算した全国値より良いのはBです。",
        "全国の推計（公表値なし）より良いのはCです。",
        "47支部の単純平均より良いのはDです。",
    ]
    assert len(en) == 5
    assert "published national value: better in a." in en[1]
    assert "estimate" in en[3]
    assert "plain mean" in en[4]


def test_conclude_branch_counts_improved_and_worsened_and_leaves_out_the_unchanged():
    ids = {"a": "better", "b": "better", "c": "worse", "d": "same", "e": None}
    rows = [row(kpi_id=k, prior_judgement=word) for k, word in ids.items()]

    ja, en = both(*rows, kpis=tuple(kpi(k, name=k.upper()) for k in ids))

    assert ja[1] == "前年度から、改善したのはA、B（計2）、悪化したのはC（計1）です。"
    assert re.fullmatch(r"Since the prior year, improved: a; b \(2\)\W+worsened: c \(1\)\.", en[1], re.IGNORECASE)


def test_conclude_branch_speaks_of_no_change_across_a_change_of_definition():
    assert conclude(row(prior_reason="definition_changed")) == [NO_TARGETS]


# --- properties -----------------------------------------------------------------------------------------------------

NAMES = "ABCDEFGH"
PROPERTY_KPIS = {
    "ka": kpi("ka", name="A"),
    "kb": kpi("kb", name="B", direction=Direction.LOWER),
    "kc": kpi("kc", name="C", direction=Direction.NEITHER),
    "kd": kpi("kd", name="D", decimals=2, national_proxy="subscribers_40_74"),
    "ke": kpi("ke", name="E", unit=Unit.YEN, decimals=0, proportion=False),
    "kf": kpi("kf", name="F", unit=Unit.OFFICES, decimals=0, proportion=False),
    "kg": kpi("kg", name="G", unit=Unit.DAYS, decimals=2, direction=Direction.LOWER, proportion=False),
    "kh": kpi("kh", name="H", national_proxy="total_remuneration"),
}
PROPERTY_CATALOGUE = builders.catalogue(*PROPERTY_KPIS.values())
_amount = st.integers(10_000, 99_999).map(lambda cents: cents / 100)
_signed = st.integers(-99_999, 99_999).map(lambda cents: cents / 100)


def _judge(difference: float | None, sign: int) -> str | None:
    if difference is None:
        return None
    step = (difference > 0) - (difference < 0)
    if step == 0:
        return "same"
    return ("better" if step * sign > 0 else "worse") if sign else ("higher" if step > 0 else "lower")


@st.composite
def rows_of_one_year(draw: st.DrawFn, kpi_id: str) -> dict[str, Any]:
    """A row as the comparison could make it: every part there or missing."""
    entry, found = PROPERTY_KPIS[kpi_id], row(kpi_id=kpi_id)
    found["status"] = draw(st.sampled_from(("final", "interim", "pending", "missing")))
    is_final = found["status"] == "final"
    found["value"] = draw(_amount) if is_final else None
    if found["status"] == "interim":
        found |= {"interim_value": draw(_amount), "interim_as_of": draw(st.dates(dt.date(2019, 4, 1)))}
    if draw(st.booleans()):
        found |= {"national": draw(_amount), "national_kind": draw(st.sampled_from(KINDS))}
        found["national_difference"] = draw(st.one_of(st.just(0.0), _signed)) if is_final else None
        found["national_judgement"] = _judge(found["national_difference"], entry.direction.sign)
    if is_final and draw(st.booleans()):
        found |= {"prior_value": draw(_amount), "prior_reason": None}
        found["prior_difference"] = draw(st.one_of(st.just(0.0), _signed))
        found["prior_judgement"] = _judge(found["prior_difference"], entry.direction.sign)
    if draw(st.booleans()):
        rule = draw(st.sampled_from(TargetRule))
        found |= {"target_rule": rule.value, "target_value": draw(_amount), "target_floor": draw(_amount)}
        results = ("met", "not_met", "cannot_tell") if is_final else ("cannot_tell",)
        found["target_result"] = draw(st.sampled_from(results))
        if found["target_result"] == "cannot_tell":
            found["target_reason"] = draw(st.sampled_from(tuple(sentences.TARGET_REASON_WORDS)))
        else:
            found |= {"target_threshold": draw(_amount), "target_distance": draw(_amount)}
            found["target_people"] = draw(st.none() | st.integers(1, 99_999))
    if is_final and draw(st.booleans()):
        found["ranked_count"] = draw(st.sampled_from((2, 46, 47)))
        found["rank"] = draw(st.integers(1, found["ranked_count"]))
    return found


a_year = st.lists(st.sampled_from(tuple(PROPERTY_KPIS)), unique=True).flatmap(
    lambda ids: st.tuples(*map(rows_of_one_year, ids))
)


def _numbers_of(found: dict[str, Any]) -> set[str]:
    """Every number of a row in every form in which a sentence may print it."""
    entry = PROPERTY_KPIS[found["kpi_id"]]
    numbers = {str(found["rank"]), str(found["ranked_count"]), str(found["fiscal_year"])}
    for value in found.values():
        if isinstance(value, int | float):
            numbers |= {format_number(abs(value), decimals) for decimals in (entry.decimals, 1, 0)}
    return numbers | set(NUMBER.findall(format_fiscal_year(found["fiscal_year"])))


@given(a_year)
def test_conclude_branch_prints_no_number_that_is_not_in_the_rows(rows):
    counts = {str(count) for count in range(len(rows) + 1)}
    allowed = {"47"} | counts | {number for found in rows for number in _numbers_of(found)}

    for lang in Lang:
        for sentence in conclude_branch(rows, PROPERTY_CATALOGUE, lang):
            assert set(NUMBER.findall(sentence)) <= allowed, sentence


@given(a_year)
def test_conclude_branch_counts_add_up_to_the_targets(rows):
    have_target = [found for found in rows if found["target_result"]]

    sentence = conclude_branch(rows, PROPERTY_CATALOGUE, "ja")[0]

    if have_target:
        total, *parts = map(int, NUMBER.findall(sentence))
        assert total == sum(parts) == len(have_target)


@given(a_year)
def test_conclude_branch_never_mixes_kinds_of_national_figures_in_a_sentence(rows):
    kind_of = {PROPERTY_KPIS[found["kpi_id"]].short_name.ja: found["national_kind"] for found in rows}
    opening = {"公表値より": "published", "件数から計算": "summed", "推計": "weighted", "単純平均": "mean"}

    for sentence in conclude_branch(rows, PROPERTY_CATALOGUE, "ja"):
        assert "全国平均" not in sentence
        kinds = {kind for words, kind in opening.items() if words in sentence}
        if kinds:
            assert {kind_of[name] for name in re.findall("[A-H]", sentence)} <= kinds
            assert len(kinds) == 1


@given(a_year)
def test_conclude_branch_says_as_much_in_english_as_in_japanese(rows):
    ja, en = (conclude_branch(rows, PROPERTY_CATALOGUE, lang) for lang in Lang)

    assert len(ja) == len(en) > 0
    for sentence_ja, sentence_en in zip(ja, en, strict=True):
        assert sentence_ja.endswith("。")
        assert sentence_en.endswith(".")
        assert not JAPANESE.search(sentence_en)
        assert set(NUMBER.findall(sentence_ja)) - {"47"} == set(NUMBER.findall(sentence_en)) - {"47"}


@given(st.sampled_from(tuple(PROPERTY_KPIS)).flatmap(lambda kpi_id: st.lists(rows_of_one_year(kpi_id), max_size=5)))
def test_describe_trend_prints_no_number_that_is_not_in_its_last_row(history):
    entry = PROPERTY_KPIS[history[0]["kpi_id"] if history else "ka"]
    history = [found | {"fiscal_year": 2019 + index} for index, found in enumerate(history)]
    known = [found for found in history if found["value"] is not None]
    # 40–74 and 47 stand in the name of the national figure.
    allowed = {"40", "74", "47"} | (_numbers_of(known[-1]) if known else set())

    for lang in Lang:
        sentence = describe_trend(history, entry, branch_name="宮城" if lang == "ja" else "Miyagi", lang=lang)
        assert set(NUMBER.findall(sentence)) <= allowed
        assert "全国平均" not in sentence
        assert lang == "ja" or not JAPANESE.search(sentence)


@given(st.lists(rows_of_one_year("ka"), max_size=47))
def test_describe_position_prints_no_number_that_is_not_in_the_rows(rows):
    rows = [found | {"branch_code": f"{index:02d}"} for index, found in enumerate(rows, 1)]
    allowed = {str(len([r for r in rows if r["value"] is not None]))} | {n for r in rows for n in _numbers_of(r)}

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


@pytest.fixture(scope="module")
def by_branch_year(comparison, catalogue) -> list[list[dict[str, Any]]]:
    pairs = comparison.select("branch_code", "fiscal_year").unique().sort("branch_code", "fiscal_year")
    return [
        builders.select_branch_year(comparison, branch_code=code, fiscal_year=year, catalogue=catalogue).to_dicts()
        for code, year in pairs.iter_rows()
    ]


def test_real_conclusions_are_whole_sentences_in_both_languages(by_branch_year, catalogue):
    assert len(by_branch_year) > 300
    for rows in by_branch_year:
        ja, en = (conclude_branch(rows, catalogue, lang) for lang in Lang)
        assert len(ja) == len(en) > 0
        for sentence in (*ja, *en):
            assert not re.search(r"None|\bnan\b|[{}]|、、|（）|\(\)", sentence), sentence
        assert not any(JAPANESE.search(sentence) for sentence in en)
        assert all(sentence.endswith("。") for sentence in ja)


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
