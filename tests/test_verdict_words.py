"""How sure, in words: said only where the frame says it, in both languages."""

from __future__ import annotations

import pytest

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.verdict_words import (
    course_words,
    interval_words,
    is_unusual_movement,
    people_words,
    rank_interval_words,
    verdict_words,
)


def _row(**columns: object) -> dict:
    return {"kpi_id": "visit_rate", "national_judgement": None, "statistical": "cannot_tell", **columns}


def test_interval_words_are_empty_without_an_interval(catalogue: Catalogue):
    kpi = catalogue.kpis["visit_rate"]

    assert interval_words(_row(lower_95=None), kpi, "ja") == ""
    assert interval_words(_row(lower_95=32.75, upper_95=34.01), kpi, "ja") == "95%区間 32.8～34.0"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"statistical": "cannot_tell"}, ""),
        ({"statistical": "no_difference", "statistical_method": "funnel"}, "支部間のばらつきの範囲"),
        ({"statistical": "no_difference", "statistical_method": "interval"}, "偶然の範囲"),
        ({"statistical": "worse", "statistical_method": "funnel"}, "偶然とはいえない差"),
        ({"statistical": "cannot_tell", "practical": "small", "national_judgement": "better"}, "小さな差"),
        ({"statistical": "cannot_tell", "practical": "small", "national_judgement": "same"}, ""),
        (
            {
                "statistical": "worse",
                "statistical_method": "funnel",
                "practical": "small",
                "national_judgement": "worse",
            },
            "偶然とはいえない差・小さな差",
        ),
    ],
)
def test_verdict_words_tell_statistical_and_practical_difference_apart(columns: dict, words: str):
    assert verdict_words(_row(**columns), "ja") == words
    assert bool(verdict_words(_row(**columns), "en")) == bool(words)


def test_rank_interval_words_give_the_movement_where_counts_are_unpublished():
    assert rank_interval_words(_row(rank=7, rank_lower=5, rank_upper=10), "ja") == "95%で5～10位"
    assert rank_interval_words(_row(rank=1, rank_lower=1, rank_upper=1), "ja") == "95%で1位"
    assert rank_interval_words(_row(rank=12, rank_lower=None, prior_rank=14), "ja") == "前年度14位"
    assert rank_interval_words(_row(rank=12, rank_lower=None, prior_rank=None), "ja") == ""


@pytest.mark.parametrize(("run", "words"), [(0, ""), (2, ""), (3, "3年続けて上昇"), (-4, "4年続けて低下"), (None, "")])
def test_course_words_name_runs_from_three_years_on(run: int | None, words: str):
    assert course_words(_row(run_years=run, trend_word="cannot_tell"), "ja") == words


def test_course_words_prefer_the_tested_trend():
    assert course_words(_row(run_years=4, trend_word="better"), "ja") == "5年の傾向: 改善"


@pytest.mark.parametrize(
    ("people", "rule", "words"),
    [
        (16, "at_least", "16件の増で達成"),
        (1200, "at_most", "1,200件の減で達成"),
        (0, "at_least", ""),
        (None, "at_least", ""),
    ],
)
def test_people_words_say_more_or_fewer(people: int | None, rule: str, words: str):
    assert people_words(_row(target_people=people, target_rule=rule), "ja") == words


@pytest.mark.parametrize(
    ("change", "usual", "unusual"), [(9, 8.0, True), (-9, 8.0, True), (8, 8.0, False), (None, 8.0, False)]
)
def test_movement_is_unusual_only_beyond_the_usual_span(change: int | None, usual: float, unusual: bool):
    assert is_unusual_movement(_row(rank_change=change, rank_change_usual=usual)) is unusual
