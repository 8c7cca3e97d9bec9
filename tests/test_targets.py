"""What a target says about a value: met, not met, or cannot tell and why. The rules of the design, section 5."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib.normalise import TargetRule
from kenpo_lib.targets import Reason, Result, Target

AT_LEAST = Target(TargetRule.AT_LEAST, value=27.5)
AT_MOST = Target(TargetRule.AT_MOST, value=15.0)
AT_LEAST_PRIOR = Target(TargetRule.AT_LEAST_PRIOR)
AT_MOST_PRIOR = Target(TargetRule.AT_MOST_PRIOR)
FLOOR = Target(TargetRule.FLOOR_OR_PRIOR, floor=80.0)

rates = st.integers(0, 1000).map(lambda tenths: tenths / 10)


def judge(target, value, *, prior=None, decimals=1, why_no_value=Reason.NO_VALUE):
    return target.judge(value, prior=prior, decimals=decimals, why_no_value=why_no_value)


@pytest.mark.parametrize(
    ("target", "value", "prior", "result"),
    [
        (AT_LEAST, 27.5, None, Result.MET),
        (AT_LEAST, 27.4, None, Result.NOT_MET),
        (AT_MOST, 15.0, None, Result.MET),
        (AT_MOST, 15.1, None, Result.NOT_MET),
        (AT_LEAST_PRIOR, 33.2, 33.2, Result.MET),
        (AT_LEAST_PRIOR, 33.1, 33.2, Result.NOT_MET),
        (AT_MOST_PRIOR, 0.9, 0.9, Result.MET),
        (AT_MOST_PRIOR, 1.0, 0.9, Result.NOT_MET),
        (FLOOR, 80.0, 79.9, Result.MET),  # below the floor last year: the floor counts
        (FLOOR, 79.9, 75.0, Result.NOT_MET),
        (FLOOR, 82.0, 82.0, Result.MET),  # at or above it last year: last year counts
        (FLOOR, 81.9, 82.0, Result.NOT_MET),
        (FLOOR, 80.0, 80.0, Result.MET),
    ],
)
def test_judge_applies_each_rule_at_its_edge(target, value, prior, result):
    # given a rule and a value at, or one step off, the number to reach
    # when
    verdict = judge(target, value, prior=prior)
    # then
    assert verdict.result is result
    assert verdict.reason is None


@pytest.mark.parametrize(
    ("value", "decimals", "result"), [(27.46, 1, Result.MET), (27.44, 1, Result.NOT_MET), (27.46, 2, Result.NOT_MET)]
)
def test_judge_compares_at_published_precision(value, decimals, result):
    # given a value computed from counts, with more decimals than are published
    # when
    verdict = judge(AT_LEAST, value, decimals=decimals)
    # then it is judged as a reader sees it: 27.46 is published as 27.5
    assert verdict.result is result


@pytest.mark.parametrize(
    ("target", "prior", "threshold"),
    [
        (AT_LEAST, 20.0, 27.5),
        (AT_MOST_PRIOR, 0.96, 1.0),
        (FLOOR, 79.9, 80.0),
        (FLOOR, 82.0, 82.0),
    ],
)
def test_judge_names_the_number_to_reach(target, prior, threshold):
    # given a rule, and a prior-year value where it needs one
    # when
    verdict = judge(target, 50.0, prior=prior)
    # then it is the printed one, the floor, or last year's as published
    assert verdict.threshold == threshold


@pytest.mark.parametrize("target", [AT_LEAST_PRIOR, AT_MOST_PRIOR])
def test_judge_prior_rule_without_prior_cannot_tell(target):
    # given a rule that needs the year before, under a definition that is new this year
    # when
    verdict = judge(target, 33.4, prior=None)
    # then
    assert (verdict.result, verdict.threshold, verdict.reason) == (Result.CANNOT_TELL, None, Reason.NO_PRIOR)


@pytest.mark.parametrize(("value", "result"), [(79.9, Result.NOT_MET), (80.0, Result.CANNOT_TELL)])
def test_judge_floor_rule_without_prior_tells_only_below_the_floor(value, result):
    # given no value for the year before; below the floor neither half of the rule can be met
    # when
    verdict = judge(FLOOR, value, prior=None)
    # then
    assert verdict.result is result


@pytest.mark.parametrize("reason", [Reason.NO_VALUE, Reason.PENDING, Reason.ONLY_INTERIM])
def test_judge_without_value_says_why(reason):
    # given no final value
    # when
    verdict = judge(AT_LEAST, None, why_no_value=reason)
    # then nothing is judged, and the number to reach is still told
    assert (verdict.result, verdict.threshold, verdict.reason) == (Result.CANNOT_TELL, 27.5, reason)


@given(
    rule=st.sampled_from(TargetRule),
    goal=rates,
    value=st.none() | st.floats(0, 100),
    prior=st.none() | st.floats(0, 100),
    decimals=st.integers(0, 2),
)
def test_judge_follows_the_printed_wording(rule, goal, value, prior, decimals):
    # given any rule, value and prior
    target = Target(
        rule,
        value=goal if rule in (TargetRule.AT_LEAST, TargetRule.AT_MOST) else None,
        floor=goal if rule is TargetRule.FLOOR_OR_PRIOR else None,
    )
    quantum = Decimal(1).scaleb(-decimals)
    shown, before = (
        None if number is None else Decimal(repr(number)).quantize(quantum, rounding=ROUND_HALF_UP)
        for number in (value, prior)
    )
    bound = Decimal(repr(goal))
    # when
    verdict = judge(target, value, prior=prior, decimals=decimals)
    # then it is what the design's table says, in decimals
    if shown is None:
        expected = None
    elif rule is TargetRule.AT_LEAST:
        expected = shown >= bound
    elif rule is TargetRule.AT_MOST:
        expected = shown <= bound
    elif rule is TargetRule.FLOOR_OR_PRIOR and shown < bound:
        expected = False
    elif before is None:
        expected = None
    elif rule is TargetRule.AT_LEAST_PRIOR:
        expected = shown >= before
    elif rule is TargetRule.AT_MOST_PRIOR:
        expected = shown <= before
    else:
        expected = shown >= (bound if before < bound else before)
    answers = {True: Result.MET, False: Result.NOT_MET, None: Result.CANNOT_TELL}
    assert verdict.result is answers[expected]
    assert (verdict.reason is None) == (verdict.result is not Result.CANNOT_TELL)


@given(goal=rates, value=rates, better=st.floats(0, 50))
def test_judge_never_turns_against_a_better_value(goal, value, better):
    # given a value that meets its target
    upward, downward = Target(TargetRule.AT_LEAST, value=goal), Target(TargetRule.AT_MOST, value=goal)
    # when the value gets better
    # then it still meets it
    if judge(upward, value).result is Result.MET:
        assert judge(upward, value + better).result is Result.MET
    if judge(downward, value).result is Result.MET:
        assert judge(downward, value - better).result is Result.MET


@pytest.mark.parametrize(
    ("target", "ja", "en"),
    [
        (AT_LEAST, "27.5%以上", "at least 27.5%"),
        (AT_MOST, "15.0%以下", "at most 15.0%"),
        (AT_LEAST_PRIOR, "対前年度以上", "at least the prior year"),
        (AT_MOST_PRIOR, "対前年度以下", "at most the prior year"),
    ],
)
def test_words_say_the_rule_in_both_languages(target, ja, en):
    # given a target
    # when, then
    assert target.words(decimals=1, unit="%", lang="ja") == ja
    assert target.words(decimals=1, unit="%", lang="en") == en


def test_words_of_the_floor_rule_name_floor_and_prior_year():
    # given the rule with two halves
    # when
    words = FLOOR.words(decimals=0, unit="%")
    # then both are said
    assert words.count("80%以上") == 2
    assert "対前年度以上" in words


@pytest.mark.parametrize(
    ("target", "wants_at_least", "needs_prior"),
    [
        (AT_LEAST, True, False),
        (AT_MOST, False, False),
        (AT_LEAST_PRIOR, True, True),
        (AT_MOST_PRIOR, False, True),
        (FLOOR, True, True),
    ],
)
def test_target_knows_its_side_and_needs(target, wants_at_least, needs_prior):
    # given each rule
    # when, then
    assert (target.wants_at_least, target.needs_prior) == (wants_at_least, needs_prior)
