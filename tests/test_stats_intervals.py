"""Intervals of proportions, counts, rates and means: published examples, a second implementation, rules, and bad input."""

from __future__ import annotations

import math
import statistics
from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printed import as_numbers, assert_prints_as, read_reference
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from kenpo_lib.stats.intervals import LEVELS, count_interval, mean_interval, proportion_interval, rate_interval

INTERVALS = {"proportion": proportion_interval, "rate": rate_interval}
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99, 0.998, 0.9999])


@st.composite
def proportions(draw, largest=10**10):
    denominator = draw(st.integers(1, largest))
    return draw(st.integers(0, denominator)), denominator


# --- published examples ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", INTERVALS)
def test_intervals_match_published_examples(statistic):
    # given the printed output of PHEindicatormethods and its Python twin, and Newcombe's table
    rows = read_reference("intervals").filter(statistic=statistic)
    count, denominator, confidence, multiplier = (
        as_numbers(rows[name]) for name in ("count", "denominator", "confidence", "multiplier")
    )
    # when
    found = INTERVALS[statistic](count, denominator, confidence=confidence, multiplier=multiplier)
    # then every digit agrees, up to the fourteenth
    for name in ("value", "lower", "upper"):
        assert_prints_as(getattr(found, name), rows[name], digits=14)


def test_mean_interval_matches_phe_mean():
    # given the numbers of the introduction to PHEindicatormethods
    values = [24, 6, 68, 95, 46, 56, 76, 18]
    # when
    overall, by_year = mean_interval(values), mean_interval([values[:4], values[4:]], confidence=0.998)
    # then
    assert (overall.value, round(overall.lower, 5), round(overall.upper, 5)) == (48.625, 22.76452, 74.48548)
    assert by_year.value.tolist() == [48.25, 49]
    assert [f"{limit:.3g}" for limit in (*by_year.lower, *by_year.upper)] == ["-159", "-74.3", "256", "172"]


# --- a second implementation ----------------------------------------------------------------------------------------


def solve_wilson(count, denominator, z):
    """Roots of (p − x/n)² = z² p (1 − p) / n with 60 digits."""
    getcontext().prec = 60
    x, n, square = Decimal(count), Decimal(denominator), Decimal(z) ** 2
    a, b, c = 1 + square / n, -(2 * x / n + square / n), (x / n) ** 2
    root = max(b * b - 4 * a * c, Decimal(0)).sqrt()
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def bisect(is_left, left, right):
    for _ in range(200):
        middle = (left + right) / 2
        left, right = (middle, right) if is_left(middle) else (left, middle)
    return (left + right) / 2


def solve_poisson(count, tail):
    """Means under which ``count`` or more, or ``count`` or fewer, events have just the tail probability."""

    def at_most(most, mean):
        return math.fsum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(most + 1))

    lower = bisect(lambda mean: 1 - at_most(count - 1, mean) < tail, 1e-12, 100) if count else 0
    return lower, bisect(lambda mean: at_most(count, mean) > tail, 1e-12, 100)


def approximate_byar(count, z):
    return (
        count * (1 - 1 / (9 * count) - z / (3 * math.sqrt(count))) ** 3,
        (count + 1) * (1 - 1 / (9 * (count + 1)) + z / (3 * math.sqrt(count + 1))) ** 3,
    )


@given(pair=proportions(), level=levels)
@settings(max_examples=60)
def test_proportion_interval_agrees_with_exact_arithmetic_and_statsmodels(pair, level):
    # given counts up to 10¹⁰
    z = statistics.NormalDist().inv_cdf((1 + level) / 2)
    # when
    found = proportion_interval(*pair, confidence=level)
    # then twelve digits of either limit are right, also of one near 0 or 1
    lower, upper = solve_wilson(*pair, z)
    assert found.lower == pytest.approx(float(lower), rel=1e-12, abs=1e-50)
    assert found.upper == pytest.approx(float(upper), rel=1e-12)
    assert 1 - found.upper == pytest.approx(float(1 - upper), abs=1e-15)
    assert (found.lower, found.upper) == pytest.approx(
        proportion_confint(*pair, alpha=1 - level, method="wilson"), abs=1e-12
    )


@given(count=st.integers(0, 30), level=levels)
@settings(max_examples=40)
def test_count_interval_agrees_with_summed_poisson_probabilities_and_byar(count, level):
    # given
    tail = (1 - level) / 2
    # when
    exact = count_interval(count, confidence=level, method="exact")
    usual = count_interval(count, confidence=level)
    # then
    assert (exact.lower, exact.upper) == pytest.approx(solve_poisson(count, tail), rel=1e-9)
    byar = (
        approximate_byar(count, statistics.NormalDist().inv_cdf(1 - tail))
        if count >= 10
        else (exact.lower, exact.upper)
    )
    assert (usual.lower, usual.upper) == pytest.approx(byar, rel=1e-12)


@given(values=st.lists(st.integers(-1000, 1000), min_size=2, max_size=20), level=levels)
@settings(max_examples=40)
def test_mean_interval_agrees_with_the_textbook_and_statsmodels(values, level):
    # when
    found = mean_interval(values, confidence=level)
    # then
    mean, error = Fraction(sum(values), len(values)), statistics.stdev(values) / math.sqrt(len(values))
    margin = stats.t.ppf((1 + level) / 2, len(values) - 1) * error
    assert (found.lower, found.upper) == pytest.approx((float(mean) - margin, float(mean) + margin), abs=1e-9)
    if error:
        assert (found.lower, found.upper) == pytest.approx(DescrStatsW(values).tconfint_mean(alpha=1 - level), abs=1e-9)


# --- rules ----------------------------------------------------------------------------------------------------------


@given(pair=proportions(), level=levels)
def test_proportion_interval_holds_its_value_and_mirrors(pair, level):
    # given the people counted, and those not counted
    count, denominator = pair
    # when
    found = proportion_interval(count, denominator, confidence=level)
    mirrored = proportion_interval(denominator - count, denominator, confidence=level)
    # then
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert (found.lower == 0) == (count == 0)
    assert (found.upper == 1) == (count == denominator) or found.upper > 1 - 1e-9
    assert (1 - mirrored.upper, 1 - mirrored.lower) == pytest.approx((found.lower, found.upper), abs=1e-15)


@given(pair=proportions(10**6), times=st.integers(2, 1000))
def test_proportion_interval_narrows_with_more_people_and_a_lower_level(pair, times):
    # given the same proportion of more people
    count, denominator = pair
    # when
    few = proportion_interval(count, denominator, confidence=np.array(LEVELS))
    many = proportion_interval(count * times, denominator * times)
    # then
    assert many.upper - many.lower < few.upper[0] - few.lower[0]
    assert few.lower[1] <= few.lower[0]
    assert few.upper[0] <= few.upper[1]


@given(count=st.floats(0, 1e10), level=levels)
def test_count_interval_holds_its_count(count, level):
    # when
    found = count_interval(count, confidence=level)
    # then
    assert 0 <= found.lower <= count <= found.upper
    assert found.reason == ""


# --- what is missing, and what is refused ---------------------------------------------------------------------------


def test_intervals_are_missing_with_a_reason():
    # given missing counts and empty denominators
    count, denominator = [None, 1, 0, 5], [10, np.nan, 0, 10]
    # when
    for interval in (proportion_interval, rate_interval):
        found = interval(count, denominator)
        # then
        assert found.reason.tolist() == ["missing_count", "missing_denominator", "zero_denominator", ""]
        for numbers in (found.value, found.lower, found.upper):
            assert np.isnan(numbers).tolist() == [True, True, True, False]


def test_scalars_come_back_as_scalars():
    # when
    found = proportion_interval(1, 4, multiplier=100)
    # then
    assert [type(part) for part in (found.value, found.lower, found.upper, found.reason)] == [float, float, float, str]
    assert found.value == 25


def test_both_levels_come_from_one_call():
    # when
    both = proportion_interval([10, 20], [50, 60], confidence=np.array(LEVELS)[:, None])
    # then
    for level, lower, upper in zip(LEVELS, both.lower, both.upper, strict=True):
        alone = proportion_interval([10, 20], [50, 60], confidence=level)
        assert lower.tolist() == alone.lower.tolist()
        assert upper.tolist() == alone.upper.tolist()
    assert both.value.shape == both.reason.shape == (2, 2)


def test_rate_may_be_above_one():
    assert rate_interval(30, 10).value == 3


def test_mean_interval_of_one_value_of_none_and_of_equal_ones():
    # given
    one, none, equal = mean_interval([3, np.nan]), mean_interval([np.nan]), mean_interval([2, 2, 2])
    # then
    assert (one.value, one.reason) == (3, "single_value")
    assert math.isnan(one.lower)
    assert math.isnan(none.value)
    assert none.reason == "no_values"
    assert (equal.lower, equal.value, equal.upper, equal.reason) == (2, 2, 2, "")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: proportion_interval(-1, 10), "numerator: must not be negative, found -1"),
        (lambda: proportion_interval(1, -10), "denominator: must not be negative"),
        (lambda: proportion_interval([1, 11], 10), "numerator 11 is above its denominator 10"),
        (lambda: proportion_interval(1, 0), "numerator 1 is above its denominator 0"),
        (lambda: proportion_interval(1, np.inf), "denominator: found an infinite number"),
        (lambda: proportion_interval("many", 10), "numerator: expected numbers, found 'many'"),
        (lambda: proportion_interval(1, 10, confidence=95), "confidence: expected a level between 0 and 1"),
        (lambda: proportion_interval(1, 10, confidence=np.nan), "confidence: expected a level between 0 and 1"),
        (lambda: proportion_interval(1, 10, multiplier=0), "multiplier: must be above 0"),
        (lambda: rate_interval(-1, 10), "count: must not be negative"),
        (lambda: count_interval(-1), "count: must not be negative"),
        (lambda: count_interval(1, method="guess"), "method: expected one of auto, byar, exact, found 'guess'"),
        (lambda: mean_interval([1, np.inf]), "values: found an infinite number"),
    ],
)
def test_intervals_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()
