"""Directly and indirectly standardised rates: a published example, a second implementation, rules, and bad input."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printed import as_numbers, read_reference

from kenpo_lib.stats.intervals import count_interval, rate_interval
from kenpo_lib.stats.standardised import (
    directly_standardised_rate,
    indirectly_standardised_rate,
    indirectly_standardised_ratio,
    standardised_ratio,
)

strata = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 5000), st.integers(1, 9000), st.integers(1, 400)),
    min_size=1,
    max_size=8,
)


def test_directly_standardised_rate_matches_phe_dsr():
    # given the last example of the vignette
    rows = read_reference("directly_standardised_rate")
    deaths, people, standard = (as_numbers(rows[name]) for name in ("deaths", "population", "standard"))
    # when
    found = directly_standardised_rate(deaths, people, standard)
    # then
    assert (round(found.value, 3), round(found.lower, 3), round(found.upper, 2)) == (8283.016, 6570.819, 10289.65)


@given(strata=strata, level=st.sampled_from([0.95, 0.998]))
@settings(max_examples=50)
def test_directly_standardised_rate_agrees_with_loops(strata, level):
    # given
    counts, people, weights, _ = zip(*strata, strict=True)
    # when
    found = directly_standardised_rate(counts, people, weights, confidence=level, multiplier=1000)
    # then
    events = sum(counts)
    if events < 10:
        assert found.reason == "few_events"
        assert math.isnan(found.value)
        return
    rate = sum(Fraction(x * w, n) for x, n, w in zip(counts, people, weights, strict=True)) / sum(weights)
    squares = (
        sum(Fraction(x * w * w, n * n) for x, n, w in zip(counts, people, weights, strict=True)) / sum(weights) ** 2
    )
    around = count_interval(events, confidence=level)
    scale = math.sqrt(squares / events)
    assert found.value == pytest.approx(1000 * float(rate), rel=1e-12)
    assert found.lower == pytest.approx(1000 * (float(rate) + scale * (around.lower - events)), rel=1e-9, abs=1e-9)
    assert found.upper == pytest.approx(1000 * (float(rate) + scale * (around.upper - events)), rel=1e-9)


@given(strata=strata)
@settings(max_examples=50)
def test_indirectly_standardised_ratio_and_rate_agree_with_loops(strata):
    # given
    counts, people, reference_people, reference_counts = zip(*strata, strict=True)
    given_ = (counts, people, reference_counts, reference_people)
    # when
    ratio = indirectly_standardised_ratio(*given_, multiplier=100, minimum_events=0)
    rate = indirectly_standardised_rate(*given_, minimum_events=0)
    # then
    expected = sum(Fraction(n * x, m) for n, x, m in zip(people, reference_counts, reference_people, strict=True))
    crude = Fraction(sum(reference_counts), sum(reference_people))
    around = count_interval(sum(counts))
    for found, factor in ((ratio, 100), (rate, 100_000 * crude)):
        per_event = float(factor / expected)
        limits = tuple(per_event * number for number in (sum(counts), around.lower, around.upper))
        assert (found.value, found.lower, found.upper) == pytest.approx(limits, rel=1e-12)


@given(count=st.integers(10, 10**6), people=st.integers(1, 10**7), weight=st.integers(1, 10**6))
def test_one_stratum_is_not_standardised_at_all(count, people, weight):
    # given everybody of one age; when
    direct, plain = directly_standardised_rate([count], [people], [weight], multiplier=1), rate_interval(count, people)
    # then
    assert (direct.value, direct.lower, direct.upper) == pytest.approx(
        (plain.value, plain.lower, plain.upper), rel=1e-9
    )


def test_a_branch_like_the_reference_has_a_ratio_of_one():
    # given
    found = indirectly_standardised_ratio([20, 30], [1000, 2000], [200, 300], [10000, 20000])
    # then
    assert found.value == pytest.approx(1)
    assert found.lower < 1 < found.upper


def test_standardised_figures_are_missing_with_a_reason():
    # given, branch by branch: a count missing, a population missing, nobody in a stratum, 9 events, 10 events
    counts = [[np.nan, 9], [9, 9], [9, 9], [4, 5], [5, 5]]
    people = [[10, 10], [np.nan, 10], [0, 10], [10, 10], [10, 10]]
    # when
    direct = directly_standardised_rate(counts, people, [1, 1])
    indirect = indirectly_standardised_ratio(counts, people, [1, 1], [10, 10])
    # then a stratum without people matters only where its rate is asked for
    assert direct.reason.tolist() == ["missing_count", "missing_denominator", "zero_denominator", "few_events", ""]
    assert indirect.reason.tolist() == ["missing_count", "missing_denominator", "", "few_events", ""]
    assert np.isnan(direct.value).tolist() == [True, True, True, True, False]
    assert np.isnan(indirect.upper).tolist() == [True, True, False, True, False]


def test_reference_without_people_or_events_gives_no_ratio():
    assert indirectly_standardised_ratio([5, 5], [10, 10], [1, 0], [10, 0]).reason == "missing_denominator"
    assert indirectly_standardised_ratio([5, 5], [10, 10], [0, 0], [10, 10]).reason == "zero_denominator"


def test_few_events_are_shown_on_request():
    # given fewer than ten events
    hidden, shown = standardised_ratio(4, 2), standardised_ratio(4, 2, minimum_events=0)
    exact = count_interval(4, method="exact")
    # then
    assert hidden.reason == "few_events"
    assert (shown.value, shown.lower, shown.upper) == (2, exact.lower / 2, exact.upper / 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: directly_standardised_rate([-1, 20], [9, 9], [1, 1]), "counts: must not be negative"),
        (lambda: directly_standardised_rate([1, 20], [9, -9], [1, 1]), "populations: must not be negative"),
        (lambda: directly_standardised_rate([1, 20], [9, 9], [0, 0]), "sum of weights: must be above 0"),
        (lambda: directly_standardised_rate([1, 20], [9, 9], [1, np.nan]), "sum of weights: must be above 0"),
        (lambda: indirectly_standardised_ratio([1], [9], [-1], [9]), "reference_counts: must not be negative"),
        (lambda: standardised_ratio(1, -2), "expected: must not be negative"),
    ],
)
def test_standardised_figures_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()
