"""What a page concludes: every rule on its edge cases, in both languages, and on the real figures."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import builders
import polars as pl
import pytest
from comparison_rows import (
    JAPANESE,
    KINDS,
    NUMBER,
    PROPERTY_CATALOGUE,
    PROPERTY_KPIS,
    a_year,
    against_nation,
    aimed,
    kpi,
    numbers_of,
    row,
)
from hypothesis import given

from kenpo_lib.actions import find_reasons, list_actions
from kenpo_lib.catalogue import Direction, Unit
from kenpo_lib.conclusion import MOST_POINTS, conclude_branch, conclude_nation, explain_certainty, explain_open_targets
from kenpo_lib.incentive import compute_incentive
from kenpo_lib.language import Lang
from kenpo_lib.points import MOST_ACTIONS
from kenpo_lib.sentences import TARGET_REASON_WORDS
from kenpo_lib.stats.incentive import INDICATORS

HEADS = {
    "act": ("対応を要する", "Act on"),
    "missed": ("ほかの未達", "Also not met"),
    "targets": ("目標", "Targets"),
    "pace": ("進み具合", "Pace"),
    "movement": ("動き", "Movement"),
    "rank": ("順位", "Rank"),
    "incentive": ("インセンティブ", "Incentive"),
    "nation": ("全国との差", "Nation"),
    "results": ("実績", "Results"),
    "branches": ("支部の動き", "Branches"),
    "spread": ("支部の差", "Spread"),
}


def conclude(*rows: dict[str, Any], kpis: tuple = (), lang: str = "ja", **options: Any) -> dict[str, tuple[str, ...]]:
    """The sentences by the (English) key of their head."""
    keys = {words[lang == "en"]: key for key, words in HEADS.items()}
    said = conclude_branch(rows, builders.catalogue(*kpis), lang, **options)
    return {keys[point.head]: point.sentences for point in said}


def act_on(*rows: dict[str, Any], kpis: tuple = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return conclude(*rows, kpis=kpis)["act"], conclude(*rows, kpis=kpis, lang="en")["act"]


def named(*letters: str, **changes: Any) -> tuple:
    return tuple(kpi(f"k{letter.lower()}", name=letter, **changes) for letter in letters)


# --- nothing to conclude ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (row(value=None, status="missing"),),
        (row(value=None, status="pending"),),
        (row(value=None, status="interim", interim_value=41.7, interim_as_of=dt.date(2024, 9, 30)),),
        (aimed("cannot_tell", target_reason="no_value", value=None, status="missing"),),
    ],
    ids=["no rows", "missing", "pending", "interim only", "target without result"],
)
def test_no_result_yet_is_said(rows):
    assert conclude(*rows) == {"results": ("この年度の実績はまだありません。",)}
    assert conclude(*rows, lang="en") == {"results": ("There are no results for this year yet.",)}


def test_result_that_nothing_can_be_held_against_is_said():
    for alone in (row(), row(prior_reason="definition_changed")):
        assert conclude(alone)["results"][0].endswith("判定できる実績はありません。")
        assert conclude(alone).keys() == {"results"}


# --- what to act on ---------------------------------------------------------------------------------------------------


def test_missed_target_is_acted_on_with_every_reason_and_its_number():
    missed = against_nation("worse") | aimed("not_met", target_distance=1.4) | {"prior_judgement": "worse"}
    missed |= {name: against_nation("worse")[name] for name in ("national", "national_kind", "national_difference")}
    missed |= {"national_judgement": "worse", "prior_difference": -0.1, "prior_value": 68.7}

    ja, en = act_on(missed)

    assert ja == ("率（目標に1.4ポイント不足、全国より1.2ポイント悪い、前年度より0.1ポイント悪化）。",)
    assert en == (
        "rate (1.4 points short of the target, 1.2 points worse than the national value, 0.1 points worse than the year before).",
    )


@pytest.mark.parametrize(
    ("rule", "ja", "en"),
    [
        ("at_least", "目標に1.4ポイント不足＝1,234件の増", "1.4 points short of the target = 1,234 more cases"),
        ("at_most", "目標を1.4ポイント超過＝1,234件の減", "1.4 points above the target = 1,234 fewer cases"),
    ],
)
def test_shortfall_stands_in_cases_in_the_direction_of_the_rule(rule, ja, en):
    said = act_on(aimed("not_met", rule=rule, target_distance=1.4, target_people=1234))

    assert said == ((f"率（{ja}）。",), (f"rate ({en}).",))


def test_shortfall_stands_in_the_unit_of_the_kpi():
    yen = kpi(unit=Unit.YEN, decimals=0)

    ja, en = act_on(aimed("not_met", goal=8000.0, value=7228.0, target_distance=772.0), kpis=(yen,))

    assert ja == ("率（目標に772円不足）。",)
    assert en == ("rate (772 yen short of the target).",)


def test_missed_target_of_unknown_distance_is_named():
    assert act_on(aimed("not_met")) == (("率（目標未達）。",), ("rate (target missed).",))


def test_fall_below_a_target_of_the_prior_year_is_told_once():
    fell = aimed("not_met", rule="at_least_prior", target_distance=0.4, prior_judgement="worse", prior_difference=-0.4)

    assert act_on(fell)[0] == ("率（目標に0.4ポイント不足）。",)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, {"behind"}),
        ({"practical": "small"}, set()),
        ({"statistical": "no_difference"}, set()),
        ({"prior_judgement": "worse"}, {"behind", "falling"}),
        ({"quantile_group": 5}, {"behind", "last_fifth"}),
        ({"quantile_group": 4}, {"behind"}),
        ({"alert": True}, {"behind", "alert"}),
        ({"value": None}, set()),
    ],
)
def test_reasons_follow_the_verdicts(changes, reasons):
    assert find_reasons(against_nation("worse") | changes, kpi()) == reasons


def test_no_reason_exists_where_neither_way_is_better():
    assert find_reasons(against_nation("lower", quantile_group=5), kpi(direction=Direction.NEITHER)) == set()


@pytest.mark.parametrize(
    ("changes", "is_named"),
    [({}, False), ({"prior_judgement": "worse", "prior_difference": -0.1}, True), ({"quantile_group": 5}, True)],
)
def test_without_a_target_being_behind_alone_asks_for_nothing(changes, is_named):
    behind = against_nation("worse", rank=43, ranked_count=47) | changes

    assert bool(list_actions([behind], builders.catalogue())) is is_named


def test_people_to_the_nation_stand_beside_the_difference():
    ja, en = act_on(against_nation("worse", quantile_group=5, rank=43, ranked_count=47, national_people=104))

    assert ja == ("率（全国より1.2ポイント悪い＝104件の増で全国並み、47支部中43位）。",)
    assert en == ("rate (1.2 points worse than the national value = 104 more cases reach the nation, rank 43 of 47).",)


@pytest.mark.parametrize("kind", ["weighted", "mean"])
def test_estimated_nation_is_called_an_estimate(kind):
    ja, en = act_on(against_nation("worse", kind=kind, prior_judgement="worse", prior_difference=-1.0))

    assert "全国推計より1.2ポイント悪い" in ja[0]
    assert "worse than the national estimate" in en[0]


def test_actions_come_by_urgency_and_no_more_than_three_are_named():
    kpis = named("A", "B", "C", "D", "E", "F")
    rows = [
        against_nation("worse", kpi_id="ka", quantile_group=5, rank=47, ranked_count=47),
        aimed("not_met", kpi_id="kb", target_distance=0.5),
        aimed("not_met", kpi_id="kc", target_distance=3.0),
        aimed("not_met", kpi_id="kd", target_distance=0.1, prior_judgement="worse", prior_difference=-1.0),
        aimed("met", kpi_id="ke", target_distance=0.0),
        against_nation("worse", kpi_id="kf", alert=True),
    ]

    ordered = [action.kpi.short_name.ja for action in list_actions(rows, builders.catalogue(*kpis))]

    assert ordered == ["F", "D", "C", "B", "A"]
    said = conclude(*rows, kpis=kpis)
    assert [sentence[0] for sentence in said["act"]] == ["F", "D", "C"]
    assert said["missed"] == ("B（0.5ポイント不足）。",)


def test_distances_of_amounts_are_weighed_in_percent():
    kpis = (kpi("ka", name="A"), kpi("kb", name="B", unit=Unit.OFFICES, decimals=0, relevant_difference=None))
    rows = [
        aimed("not_met", kpi_id="kb", goal=10_000.0, value=9_990.0, target_distance=10.0),
        aimed("not_met", kpi_id="ka", target_distance=2.0),
    ]

    assert [action.kpi.kpi_id for action in list_actions(rows, builders.catalogue(*kpis))] == ["ka", "kb"]


def test_nothing_to_act_on_is_said_of_what_was_judged_only():
    met = aimed("met", target_distance=0.0)
    better = against_nation("better")

    assert conclude(met)["act"] == ("目標に届かない指標はありません。",)
    assert conclude(better)["act"] == ("全国より悪く、悪化か下位1/5にある指標はありません。",)
    both = met | {name: value for name, value in better.items() if name.startswith("national")}
    assert conclude(both)["act"] == ("目標に届かない指標も、全国より悪く、悪化か下位1/5にある指標もありません。",)
    assert conclude(both, lang="en")["act"] == (
        "No target is missed and nothing is worse than the nation and worsened or in the last fifth.",
    )
    assert "act" not in conclude(row(prior_judgement="better", prior_difference=1.0, prior_value=67.6))


# --- targets ----------------------------------------------------------------------------------------------------------


def test_other_missed_targets_are_listed_six_at_most_and_the_rest_counted():
    kpis = named(*"ABCDEFGHIJK")
    rows = [aimed("not_met", kpi_id=entry.kpi_id, target_distance=1.0) for entry in kpis]

    said = conclude(*rows, kpis=kpis)

    assert len(said["act"]) == MOST_ACTIONS
    assert said["missed"][0].startswith("D（1.0ポイント不足）、E（")
    assert said["missed"][0].endswith("I（1.0ポイント不足） ほか2指標。")


def test_all_met_is_said_of_the_judged_ones():
    open_ = aimed("cannot_tell", kpi_id="kb", target_reason="pending", value=None, status="pending")

    said = conclude(aimed("met", kpi_id="ka", target_distance=0.0), open_, kpis=named("A", "B"))

    assert said["targets"] == ("判定できた1指標はすべて達成。",)


@pytest.mark.parametrize("reason", TARGET_REASON_WORDS)
def test_target_without_result_is_never_met_or_missed(reason):
    open_ = aimed("cannot_tell", target_reason=reason, value=None, status="pending")

    assert conclude(open_).keys() == {"results"}
    assert explain_open_targets([open_, open_], "ja") == f"{TARGET_REASON_WORDS[reason].ja} 2"
    assert explain_open_targets([row(), aimed("met")], "en") == ""


def test_value_of_zero_is_a_value():
    zero = aimed(
        "not_met", value=0.0, target_distance=70.0, prior_value=0.0, prior_difference=0.0, prior_judgement="same"
    )

    said = conclude(zero)

    assert said["act"] == ("率（目標に70.0ポイント不足）。",)
    assert said["movement"] == ("前年度から改善0、悪化0、同じ1。",)


# --- pace -------------------------------------------------------------------------------------------------------------


def interim(is_on: bool | None, kpi_id: str = "rate") -> dict[str, Any]:
    return row(kpi_id=kpi_id, value=None, status="interim", interim_value=14.8, pace_is_on=is_on)


def test_pace_names_what_is_behind():
    said = conclude(interim(False, "ka"), interim(True, "kb"), interim(None, "kc"), kpis=named("A", "B", "C"))

    assert said["pace"] == ("目標へのペースが分かる2指標のうち、届いていないのは1: A 14.8%。",)


def test_pace_is_silent_where_it_is_good_and_targets_are_judged_already():
    met = aimed("met", kpi_id="kb", target_distance=0.0)

    assert "すべて届いています" in conclude(interim(True))["pace"][0]
    assert "pace" not in conclude(interim(True, "ka"), met, kpis=named("A", "B"))
    assert "pace" not in conclude(interim(None, "ka"), met, kpis=named("A", "B"))


# --- movement ---------------------------------------------------------------------------------------------------------


def moved(kpi_id: str, difference: float, **changes: Any) -> dict[str, Any]:
    word = "better" if difference > 0 else "worse" if difference < 0 else "same"
    return row(
        kpi_id=kpi_id, prior_value=68.6 - difference, prior_difference=difference, prior_judgement=word, **changes
    )


def test_movement_counts_and_names_the_two_largest_each_way():
    kpis = named("A", "B", "C", "D", "E")
    rows = [moved(f"k{k}", step) for k, step in zip("abcde", (0.1, 3.0, 1.0, -2.0, 0.0), strict=True)]

    assert conclude(*rows, kpis=kpis)["movement"] == (
        "前年度から改善3、悪化1、同じ1。改善が大きいのはB（+3.0ポイント）、C（+1.0ポイント）、悪化が大きいのはD（−2.0ポイント）。",
    )
    assert conclude(*rows, kpis=kpis, lang="en")["movement"] == (
        "Since the prior year 3 improved, 1 worsened, 1 the same. Most improved: b (+3.0 points), c (+1.0 points). Most worsened: "
        "d (−2.0 points).",
    )


def test_movement_does_not_name_what_may_be_chance():
    tested = moved("ka", -7.0, prior_change_lower=-15.0, prior_change_upper=1.0)
    by_interval = moved("ka", -7.0, lower_95=60.0, upper_95=80.0)

    for chance in (tested, by_interval):
        assert conclude(chance, kpis=named("A"))["movement"] == ("前年度から改善0、悪化1。",)
    sure = moved("ka", -7.0, prior_change_lower=-8.0, prior_change_upper=-6.0)
    assert "A（−7.0ポイント）" in conclude(sure, kpis=named("A"))["movement"][0]


def test_movement_across_a_change_of_definition_is_none():
    assert "movement" not in conclude(aimed("met", target_distance=0.0, prior_reason="definition_changed"))


# --- rank, nation, incentive ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ranked", [None, 2, 46])
def test_rank_is_told_only_where_all_47_are_ranked(ranked):
    rank = None if ranked is None else 1

    assert "rank" not in conclude(row(rank=rank, ranked_count=ranked))


def test_ranks_come_best_first_and_ties_in_reading_order():
    rows = [row(kpi_id=k, rank=rank, ranked_count=47) for k, rank in (("ka", 43), ("kb", 6), ("kc", 43))]

    assert conclude(*rows, kpis=named("A", "B", "C"))["rank"] == ("47支部中、B 6位、A 43位、C 43位。",)
    english = conclude(*rows, kpis=named("A", "B", "C"), lang="en")
    assert english["rank"] == ("Among the 47 branches: b 6; a 43; c 43.",)


def test_unusual_movement_of_a_rank_stands_beside_it():
    fell = row(rank=30, ranked_count=47, prior_rank=23, rank_change=-7, rank_change_usual=6.0)
    usual = fell | {"rank_change_usual": 7.0}

    assert conclude(fell)["rank"] == ("47支部中、率 30位（前年度23位、例年より大きな動き）。",)
    assert conclude(usual)["rank"] == ("47支部中、率 30位。",)


def test_nothing_is_judged_where_neither_way_is_better():
    neutral = kpi(direction=Direction.NEITHER)
    higher = against_nation("higher", rank=3, ranked_count=47, prior_judgement="lower", prior_difference=-0.1)

    assert conclude(higher, kpis=(neutral,)).keys() == {"results"}


def test_nation_counts_better_and_names_worse_each_kind_in_its_own_sentence():
    kpis = tuple(kpi(kind, name=letter) for kind, letter in zip(KINDS, "ABCD", strict=True))
    rows = [against_nation("worse", kpi_id=kind, kind=kind) for kind in KINDS]

    assert conclude(*rows, kpis=kpis)["nation"] == (
        "全国の公表値より良い0、悪い1（A）。",
        "47支部の件数から計算した全国値より良い0、悪い1（B）。",
        "全国の推計より良い0、悪い1（C）。",
        "47支部の単純平均より良い0、悪い1（D）。",
    )
    assert conclude(against_nation("same"))["nation"] == ("全国の公表値と同じ。",)
    assert conclude(against_nation("better"))["nation"] == ("全国の公表値より良い1、悪い0。",)


def score(**changes: Any) -> dict[str, Any]:
    needs = {f"{kpi_id}_increase_needed": None for kpi_id in INDICATORS}
    plain = {"rank": 21, "total": 319.3, "rewarded_ranks": 15, "is_rewarded": False, "points_to_reward": 10.7}
    return plain | {"points_ahead": None} | needs | changes


def test_incentive_names_the_shortest_way_to_a_reward():
    kpis = tuple(kpi(kpi_id, name=letter) for kpi_id, letter in zip(INDICATORS, "ABCDE", strict=True))
    ways = score(**{f"{INDICATORS[0]}_increase_needed": 1.7, f"{INDICATORS[4]}_increase_needed": 0.5})
    any_row = row(kpi_id=INDICATORS[0])

    said = conclude(any_row, kpis=kpis, incentive=ways)["incentive"]

    assert said == ("概算21位（319.3点）で報奨の対象外、15位まで10.7点。1指標だけで届くには、最少でE +0.5ポイント。",)
    none = conclude(any_row, kpis=kpis, incentive=score())["incentive"]
    assert none == ("概算21位（319.3点）で報奨の対象外、15位まで10.7点。",)
    rewarded = score(rank=7, is_rewarded=True, points_ahead=14.0, points_to_reward=0.0)
    assert (
        "報奨の対象。対象外の最上位を14.0点上回る" in conclude(any_row, kpis=kpis, incentive=rewarded)["incentive"][0]
    )


@pytest.mark.parametrize("unknown", [None, score(rank=None), score(is_rewarded=None)])
def test_incentive_is_silent_where_it_is_not_known(unknown):
    assert "incentive" not in conclude(row(), incentive=unknown)


# --- how sure ---------------------------------------------------------------------------------------------------------


def test_certainty_is_told_where_not_everything_could_be_tested():
    tested = against_nation("worse", statistical="worse", statistical_method="funnel")
    untested = against_nation("better")

    assert "1指標だけで判定しています（比較した2指標のうち）" in explain_certainty([tested, untested], "ja")
    assert explain_certainty([untested], "ja").endswith("（件数の公表されている指標がありません）。")
    assert explain_certainty([against_nation("higher")], "ja") == ""  # of which neither way is better
    assert explain_certainty([tested], "ja") == explain_certainty([row()], "en") == ""


# --- the nation -------------------------------------------------------------------------------------------------------


def test_nation_tells_how_many_branches_improved_and_where_they_differ_most(catalogue):
    codes = catalogue.branch_codes
    rows = [
        moved("ka", 1.0 if int(code) > 10 else -1.0, branch_code=code, ranked_count=47) | {"value": 50.0 + int(code)}
        for code in codes
    ]
    rows += [row(kpi_id="kb", branch_code=code, value=70.0, ranked_count=47) for code in codes]

    said = {
        point.head: point.sentences for point in conclude_nation([], rows, builders.catalogue(*named("A", "B")), "ja")
    }

    assert said == {
        "支部の動き": ("47支部のうち前年度より改善した支部の数: A 37。",),
        "支部の差": ("支部間の差が大きいのはA（北海道51.0%～沖縄97.0%）。",),
    }


def test_nation_without_anything_says_so():
    (point,) = conclude_nation([], [], builders.catalogue(), "en")

    assert point.sentences == ("There are no results for this year yet.",)


# --- properties -------------------------------------------------------------------------------------------------------


@given(a_year)
def test_no_number_is_printed_that_is_not_in_the_rows(rows):
    counts = {str(count) for count in range(len(rows) + 1)}
    allowed = {"47", "1", "5"} | counts | {number for found in rows for number in numbers_of(found)}

    for lang in Lang:
        for point in conclude_branch(rows, PROPERTY_CATALOGUE, lang):
            for sentence in point.sentences:
                assert set(NUMBER.findall(sentence)) <= allowed, sentence


@given(a_year)
def test_conclusion_has_one_to_six_points_and_says_as_much_in_english(rows):
    ja, en = (conclude_branch(rows, PROPERTY_CATALOGUE, lang) for lang in Lang)

    assert 1 <= len(ja) == len(en) <= MOST_POINTS
    for point_ja, point_en in zip(ja, en, strict=True):
        assert len(point_ja.sentences) == len(point_en.sentences) > 0
        assert not JAPANESE.search(point_en.head)
        for sentence_ja, sentence_en in zip(point_ja.sentences, point_en.sentences, strict=True):
            assert sentence_ja.endswith("。")
            assert sentence_en.endswith(".")
            assert not JAPANESE.search(sentence_en)
            names = {"47", "1", "5"}  # of words: 47支部, 下位1/5
            assert set(NUMBER.findall(sentence_ja)) - names == set(NUMBER.findall(sentence_en)) - names


@given(a_year)
def test_kinds_of_national_figures_are_never_mixed_in_a_sentence(rows):
    kind_of = {PROPERTY_KPIS[found["kpi_id"]].short_name.ja: found["national_kind"] for found in rows}
    opening = {"公表値より": "published", "件数から計算": "summed", "全国の推計": "weighted", "単純平均": "mean"}

    for point in conclude_branch(rows, PROPERTY_CATALOGUE, "ja"):
        for sentence in point.sentences:
            assert "全国平均" not in sentence
            kinds = {kind for words, kind in opening.items() if words in sentence}
            if kinds:
                assert {kind_of[name] for name in re.findall("[A-H]", sentence)} <= kinds
                assert len(kinds) == 1


@given(a_year)
def test_every_missed_target_is_named_or_counted(rows):
    missed = [found for found in rows if found["target_result"] == "not_met"]

    said = {p.head: p.sentences for p in conclude_branch(rows, PROPERTY_CATALOGUE, "ja")}

    names = set(re.findall("[A-H](?=（)", "".join(said.get("対応を要する", ()) + said.get("ほかの未達", ()))))
    wanted = {PROPERTY_KPIS[found["kpi_id"]].short_name.ja for found in missed}
    assert wanted <= names or "ほか" in "".join(said["ほかの未達"])


# --- the real figures -------------------------------------------------------------------------------------------------


def test_real_conclusions_are_whole_sentences_in_both_languages(comparison, tables, catalogue):
    scores = {
        (row["branch_code"], year): row
        for year in (2022, 2024)
        for row in compute_incentive(tables, catalogue, fiscal_year=year).to_dicts()
    }
    pairs = comparison.select("branch_code", "fiscal_year").unique().sort("branch_code", "fiscal_year")
    assert pairs.height > 300
    for code, year in pairs.iter_rows():
        rows = builders.select_branch_year(
            comparison, branch_code=code, fiscal_year=year, catalogue=catalogue
        ).to_dicts()
        own = scores.get((code, year))
        ja, en = (conclude_branch(rows, catalogue, lang, incentive=own) for lang in Lang)
        assert 0 < len(ja) == len(en) <= MOST_POINTS
        sentences_ja, sentences_en = ([s for point in said for s in point.sentences] for said in (ja, en))
        for sentence in (*sentences_ja, *sentences_en):
            assert not re.search(r"None|\bnan\b|[{}]|、、|（）|\(\)", sentence), sentence
        assert not any(JAPANESE.search(sentence) for sentence in sentences_en)
        assert all(sentence.endswith("。") for sentence in sentences_ja)


def test_real_overview_is_whole_sentences_in_both_languages(comparison, nation, catalogue):
    for year in comparison["fiscal_year"].unique().sort():
        rows = builders.select_branch_year(nation, branch_code="00", fiscal_year=year, catalogue=catalogue).to_dicts()
        branches = comparison.filter((pl.col("fiscal_year") == year) & (pl.col("ranked_count") == 47)).to_dicts()
        ja, en = (conclude_nation(rows, branches, catalogue, lang) for lang in Lang)
        assert 0 < len(ja) == len(en) <= MOST_POINTS
        for sentence in [s for point in (*ja, *en) for s in point.sentences]:
            assert not re.search(r"None|\bnan\b|[{}]|、、|（）|\(\)", sentence), sentence
