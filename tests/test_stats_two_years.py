"""Change between two years: published examples, a second implementation, rules, and bad input."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from printed import as_numbers, assert_prints_as, read_reference
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.proportion import test_proportions_2indep as compare_proportions

from kenpo_lib.stats.intervals import LEVELS, proportion_interval
from kenpo_lib.stats.two_years import (
    METHODS,
    change_against_nation,
    difference_interval,
    difference_p_value,
    ratio_interval,
)

COMPARISONS = {"difference": difference_interval, "ratio": ratio_interval}


@st.composite
def years(draw, largest=10**6, smallest=1):
    """This year's and the prior year's counts."""
    counts = []
    for _ in range(2):
        denominator = draw(st.integers(smallest, largest))
        counts += [draw(st.integers(0, denominator)), denominator]
    return tuple(counts)


def near(found):
    return (found.lower, found.upper)


# --- published examples ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("method", METHODS)
def test_intervals_match_published_examples(comparison, method):
    # given
    rows = read_reference("two_years").filter(comparison=comparison, method=method)
    counts = [as_numbers(rows[name]) for name in ("count", "denominator", "prior_count", "prior_denominator")]
    # when
    found = COMPARISONS[comparison](*counts, method=method)
    # then
    assert rows.height >= 3
    assert_prints_as(found.lower, rows["lower"])
    assert_prints_as(found.upper, rows["upper"])


# --- a second implementation ----------------------------------------------------------------------------------------


def plain_newcombe(x, n, prior_x, prior_n):
    now, prior = proportion_interval(x, n), proportion_interval(prior_x, prior_n)
    p, q = x / n, prior_x / prior_n
    below = math.hypot(p - now.lower, prior.upper - q)
    above = math.hypot(now.upper - p, q - prior.lower)
    return p - q - below, p - q + above


def find_peak(function, low, high):
    """Golden section: where a function with one peak is highest."""
    shrink = (math.sqrt(5) - 1) / 2
    for _ in range(120):
        left, right = high - shrink * (high - low), low + shrink * (high - low)
        low, high = (left, high) if function(left) < function(right) else (low, right)
    return (low + high) / 2


def plain_score(x, n, prior_x, prior_n, constrain, weight, low, high):
    """Score of a hypothesis that gives this year's proportion from the prior one, its likelihood climbed step by step."""

    def likelihood(q):
        pairs = ((constrain(q), x, n), (q, prior_x, prior_n))
        return sum(
            (count * math.log(max(share, 1e-300)) if count else 0)
            + ((size - count) * math.log(max(1 - share, 1e-300)) if size > count else 0)
            for share, count, size in pairs
        )

    q = find_peak(likelihood, low, high)
    p = constrain(q)
    bias = (n + prior_n) / (n + prior_n - 1)
    variance = (p * (1 - p) / n + weight**2 * q * (1 - q) / prior_n) * bias
    difference = x / n - constrain(prior_x / prior_n, within=False)
    return difference / math.sqrt(variance) if variance > 1e-300 else math.copysign(math.inf, difference)


def plain_difference_score(delta, x, n, prior_x, prior_n):
    def constrain(q, within=True):
        return min(max(q + delta, 0), 1) if within else q + delta

    return plain_score(x, n, prior_x, prior_n, constrain, 1, max(0, -delta), min(1, 1 - delta))


def plain_ratio_score(ratio, x, n, prior_x, prior_n):
    def constrain(q, within=True):
        return min(q * ratio, 1) if within else q * ratio

    return plain_score(x, n, prior_x, prior_n, constrain, ratio, 0, min(1, 1 / ratio))


@given(counts=years(largest=60, smallest=2))
@settings(max_examples=60)
def test_newcombe_agrees_with_its_formula_and_statsmodels(counts):
    # when
    found = difference_interval(*counts)
    # then
    assert near(found) == pytest.approx(plain_newcombe(*counts), abs=1e-12)
    assert near(found) == pytest.approx(confint_proportions_2indep(*counts, method="newcomb", compare="diff"), abs=1e-9)


@given(counts=years(largest=10**4, smallest=2))
@settings(max_examples=40)
def test_score_limits_of_the_difference_have_just_the_score_asked_for(counts):
    # given
    z = statistics.NormalDist().inv_cdf(0.975)
    # when
    found = difference_interval(*counts, method="miettinen_nurminen")
    # then
    for limit, score in ((found.lower, z), (found.upper, -z)):
        if abs(limit) < 1 - 1e-9:
            assert plain_difference_score(limit, *counts) == pytest.approx(score, abs=1e-5)


@given(counts=years(largest=10**4, smallest=2))
@settings(max_examples=40)
def test_score_limits_of_the_ratio_have_just_the_score_asked_for(counts):
    # given a prior year with somebody to compare with
    assume(counts[2] > 0)
    z = statistics.NormalDist().inv_cdf(0.975)
    # when
    found = ratio_interval(*counts)
    # then
    for limit, score in ((found.lower, z), (found.upper, -z)):
        if limit > 1e-9:
            assert plain_ratio_score(limit, *counts) == pytest.approx(score, abs=1e-5)


@given(counts=years(largest=10**6, smallest=2))
@settings(max_examples=60)
def test_p_value_agrees_with_statsmodels(counts):
    # given (its limits are not compared: see the docstring of ``difference_interval``)
    assume(0 < counts[0] < counts[1] and 0 < counts[2] < counts[3])
    # when
    p = difference_p_value(*counts)
    # then
    test = compare_proportions(*counts, compare="diff", method="score", correction=True)
    assert p == pytest.approx(test.pvalue, rel=1e-6, abs=1e-300)


def test_score_limits_hold_with_very_many_people():
    # given 10¹⁰ people, where the score is nearly normal
    counts = (5_000_000_000, 10**10, 4_999_900_000, 10**10)
    # when
    score, hybrid = (difference_interval(*counts, method=method) for method in METHODS[::-1])
    # then
    margin = 1.959963984540054 * math.sqrt(0.5 / 10**10)
    assert near(score) == pytest.approx((1e-5 - margin, 1e-5 + margin), abs=1e-12)
    assert near(hybrid) == pytest.approx(near(score), abs=1e-12)


@pytest.mark.parametrize(
    ("counts", "limits"),
    [  # from the likelihood equation and the score, both solved by halving with 50 digits
        ((3, 10**6, 7, 2 * 10**6), (-4.775132719664512e-06, 5.55328594502852e-06)),
        ((0, 1, 0, 46516), (-8.257855738560083e-05, 0.7934542087954267)),
        ((300, 10**6, 290, 10**6), (-3.772254492182441e-05, 5.778713733690895e-05)),
    ],
)
def test_score_limits_hold_with_few_among_many(counts, limits):
    assert near(difference_interval(*counts, method="miettinen_nurminen")) == pytest.approx(limits, rel=1e-9)


def plain_change(branch, prior_branch, nation, prior_nation):
    """Branch against the rest of the nation, each proportion with its Wilson interval, added up in a loop."""
    total, below, above = 0.0, 0.0, 0.0
    for sign, (x, n), (all_x, all_n) in ((1, branch, nation), (-1, prior_branch, prior_nation)):
        total += sign * (x / n - all_x / all_n)
        outside = 1 - n / all_n
        for weight, count, size in ((sign * outside, x, n), (-sign * outside, all_x - x, all_n - n)):
            interval = proportion_interval(count, size)
            down, up = interval.value - interval.lower, interval.upper - interval.value
            below += (weight * (down if weight > 0 else up)) ** 2
            above += (weight * (up if weight > 0 else down)) ** 2
    return total, total - math.sqrt(below), total + math.sqrt(above)


@given(branch=years(largest=10**5), rest=years(largest=10**7))
@settings(max_examples=60)
def test_change_against_nation_agrees_with_a_loop(branch, rest):
    # given a nation of the branch and the rest
    nation = [own + other for own, other in zip(branch, rest, strict=True)]
    args = (branch[:2], branch[2:], tuple(nation[:2]), tuple(nation[2:]))
    # when
    found = change_against_nation(*args)
    # then
    assert (found.value, *near(found)) == pytest.approx(plain_change(*args), abs=1e-12)


# --- rules ----------------------------------------------------------------------------------------------------------


@given(counts=years(), method=st.sampled_from(METHODS), level=st.sampled_from(LEVELS))
@settings(max_examples=60)
def test_difference_holds_its_value_and_turns_round_with_the_years(counts, method, level):
    # given the years swapped, and those not counted
    x, n, prior_x, prior_n = counts
    assume(n + prior_n > 2)
    options = {"confidence": level, "method": method}
    # when
    found = difference_interval(*counts, **options)
    swapped = difference_interval(prior_x, prior_n, x, n, **options)
    others = difference_interval(n - x, n, prior_n - prior_x, prior_n, **options)
    # then
    assert -1 - 1e-12 <= found.lower <= found.value + 1e-12
    assert found.value - 1e-12 <= found.upper <= 1 + 1e-12
    assert near(swapped) == pytest.approx((-found.upper, -found.lower), abs=1e-6)
    assert near(others) == pytest.approx((-found.upper, -found.lower), abs=1e-6)


@given(counts=years(), method=st.sampled_from(METHODS), level=st.sampled_from(LEVELS))
@settings(max_examples=60)
def test_ratio_holds_its_value_and_turns_over_with_the_years(counts, method, level):
    # given somebody in both years
    x, n, prior_x, prior_n = counts
    assume(x > 0 and prior_x > 0)
    options = {"confidence": level, "method": method}
    # when
    found, swapped = ratio_interval(*counts, **options), ratio_interval(prior_x, prior_n, x, n, **options)
    # then
    assert 0 <= found.lower <= found.value * (1 + 1e-9)
    assert found.value <= found.upper * (1 + 1e-9)
    assert 1 / swapped.upper == pytest.approx(found.lower, rel=1e-5, abs=1e-9)
    if swapped.lower > 1e-6:
        assert 1 / swapped.lower == pytest.approx(found.upper, rel=1e-5)


@given(counts=years(smallest=2))
@settings(max_examples=60)
def test_p_value_is_small_just_where_the_interval_leaves_zero_out(counts):
    # given
    p = difference_p_value(*counts)
    assume(abs(p - 0.05) > 1e-6)
    # when
    found = difference_interval(*counts, method="miettinen_nurminen")
    # then
    assert 0 <= p <= 1
    assert (p < 0.05) == (found.lower > 0 or found.upper < 0)


@given(branch=years(largest=10**5), rest=years(largest=10**5))
@settings(max_examples=40)
def test_change_against_nation_is_smaller_than_against_the_rest(branch, rest):
    # given
    nation = [own + other for own, other in zip(branch, rest, strict=True)]
    assume(branch[1] * nation[3] == branch[3] * nation[1] or branch[1] / nation[1] < 1)
    # when
    whole = change_against_nation(branch[:2], branch[2:], nation[:2], nation[2:])
    apart = change_against_nation(branch[:2], branch[2:], rest[:2], rest[2:], includes_branch=False)
    # then a nation that contains the branch moves along with it, and leaves less to be unsure of
    assert whole.upper - whole.lower <= apart.upper - apart.lower + 1e-12


def test_small_branch_is_nearly_compared_with_the_nation_as_such():
    # given a branch of one in ten thousand
    branch, prior = (60, 100), (50, 100)
    nation, prior_nation = (520_000, 1_000_000), (500_000, 1_000_000)
    # when
    found = change_against_nation(branch, prior, nation, prior_nation, multiplier=100)
    # then
    alone = difference_interval(*branch, *prior, multiplier=100)
    assert found.value == pytest.approx(8)
    assert near(found) == pytest.approx((alone.lower - 2, alone.upper - 2), abs=0.02)


# --- what is missing, and what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_intervals_are_missing_with_a_reason(method):
    # given one trouble a column
    x, n, prior_x, prior_n = (
        [None, 1, 0, 1, 1, 0, 1],
        [9, None, 0, 9, 9, 9, 9],
        [1, 1, 1, None, 1, 0, 1],
        [9, 9, 9, 9, None, 0, 9],
    )
    expected = [
        *("missing_count", "missing_denominator", "zero_denominator"),
        *("missing_count", "missing_denominator", "zero_denominator", ""),
    ]
    # when
    for comparison in COMPARISONS.values():
        found = comparison(x, n, prior_x, prior_n, method=method)
        # then
        assert found.reason.tolist() == expected
        assert np.isnan([found.value, found.lower, found.upper]).all(axis=0).tolist() == [True] * 6 + [False]
    assert np.isnan(difference_p_value(x, n, prior_x, prior_n)).tolist() == [True] * 6 + [False]


@pytest.mark.parametrize("method", METHODS)
def test_there_is_no_ratio_to_nothing(method):
    # when
    found = ratio_interval([3, 0], [10, 10], [0, 5], [10, 10], method=method)
    # then
    assert found.reason.tolist() == ["prior_is_zero", ""]
    assert math.isnan(found.upper[0])
    assert (found.value[1], found.lower[1]) == (0, 0)
    assert found.upper[1] > 0


def test_score_method_wants_more_than_one_person():
    found = difference_interval(0.2, 0.4, 0.1, 0.3, method="miettinen_nurminen")
    assert found.reason == "few_events"
    assert math.isnan(found.lower)
    assert math.isnan(difference_p_value(0.2, 0.4, 0.1, 0.3))


def test_nobody_and_everybody_in_both_years_is_no_change():
    assert difference_p_value([0, 10], 10, [0, 20], [10, 20]).tolist() == [1, 1]
    assert difference_interval(0, 10, 0, 10).value == 0


def test_both_levels_come_from_one_call():
    # when
    for method in METHODS:
        both = difference_interval([10, 20], 50, [5, 9], 40, confidence=np.array(LEVELS)[:, None], method=method)
        # then
        for level, lower in zip(LEVELS, both.lower, strict=True):
            alone = difference_interval([10, 20], 50, [5, 9], 40, confidence=level, method=method)
            assert lower == pytest.approx(alone.lower, abs=1e-15)


def test_branch_that_is_the_whole_nation_does_not_differ_from_it():
    found = change_against_nation((60, 100), (50, 100), (60, 100), (50, 100))
    assert (found.lower, found.value, found.upper) == (0, 0, 0)


def test_change_against_nation_is_missing_with_a_reason():
    found = change_against_nation(([1, 0], [9, 0]), (1, 9), ([None, 5], [99, 99]), (20, 99))
    assert found.reason.tolist() == ["missing_count", "zero_denominator"]
    assert np.isnan([found.value, found.lower, found.upper]).all()


def test_fractions_of_people_may_round_off():
    # given sums that do not come out even
    found = change_against_nation((0.1, 0.1), (0.1, 0.3), (0.1 + 0.2, 0.1 + 0.2), (0.3, 0.9))
    # then
    assert found.reason == ""


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: difference_interval(-1, 10, 1, 10), "numerator: must not be negative"),
        (lambda: difference_interval(1, 10, 1, -10), "prior_denominator: must not be negative"),
        (lambda: difference_interval(11, 10, 1, 10), "numerator 11 is above its denominator 10"),
        (lambda: ratio_interval(1, 10, 11, 10), "prior_numerator 11 is above its denominator 10"),
        (lambda: ratio_interval(1, 10, 1, 10, method="wald"), "method: expected one of newcombe, miettinen_nurminen"),
        (lambda: difference_interval(1, np.inf, 1, 10), "denominator: found an infinite number"),
        (lambda: difference_p_value(1, 10, 12, 10), "prior_numerator 12 is above its denominator 10"),
        (lambda: change_against_nation((9, 10), (1, 10), (5, 10), (5, 10)), "is the branch part of them"),
        (lambda: change_against_nation((1, 10), (1, 10), (0, 99), (5, 99)), "is the branch part of them"),
    ],
)
def test_comparisons_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()
