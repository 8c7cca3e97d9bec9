"""The nation without the branch, against the same sums in fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib.stats.leave_one_out import mean_without, published_without, rate_without

counts = st.lists(
    st.integers(0, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=47
)


@given(counts)
def test_rate_without_is_the_rate_of_all_others(branches):
    # given
    parts, wholes = zip(*branches, strict=True)
    # when
    result = rate_without(parts, wholes)
    # then
    for i in range(len(branches)):
        part, whole = sum(parts) - parts[i], sum(wholes) - wholes[i]
        expected = float(Fraction(100 * part, whole)) if whole else math.nan
        assert result.without[i] == pytest.approx(expected, nan_ok=True, rel=1e-12)
        nation = float(Fraction(100 * sum(parts), sum(wholes))) if sum(wholes) else math.nan
        assert result.nation[i] == pytest.approx(nation, nan_ok=True, rel=1e-12)
        assert result.shift[i] == pytest.approx(nation - expected, nan_ok=True, abs=1e-9)


def test_rate_without_uses_the_published_national_counts():
    # given a nation of 100,000 with 30 %, of which two branches are known
    # when
    result = rate_without(
        [9_000, 500, math.nan], [20_000, 1_000, 500], total_numerator=30_000, total_denominator=100_000
    )
    # then 21,000 of 80,000 and 29,500 of 99,000 remain
    np.testing.assert_allclose(result.without, [26.25, 100 * 29_500 / 99_000, math.nan])
    np.testing.assert_allclose(result.nation, [30.0] * 3)


def test_rate_without_is_missing_where_another_branch_is():
    # given one of three branches unknown
    # when
    result = rate_without([1, math.nan, 3], [10, 20, 30])
    # then only that branch can be told what the others have; the nation is not known
    np.testing.assert_allclose(result.without, [math.nan, 10.0, math.nan])
    assert np.isnan(result.nation).all()
    # and with two unknown, nobody can
    assert np.isnan(rate_without([1, math.nan, math.nan], [10, 20, 30]).without).all()


def test_rate_without_of_one_branch_leaves_nothing():
    # given, when
    result = rate_without([3], [10])
    # then
    assert result.nation == [30.0]
    assert np.isnan(result.without).all()


def test_rate_without_serves_amounts_and_years():
    # given yen per case in two years
    result = rate_without([[100, 300], [50, 150]], [[1, 2], [1, 1]], scale=1.0, is_proportion=False)
    # when, then
    np.testing.assert_allclose(result.without, [[150, 100], [150, 50]])


numbers = st.lists(st.tuples(st.integers(-1000, 1000), st.integers(0, 10**6)), min_size=1, max_size=47)


@given(numbers)
def test_mean_without_is_the_weighted_mean_of_all_others(branches):
    # given
    tenths, weights = zip(*branches, strict=True)
    # when
    result = mean_without([t / 10 for t in tenths], weights)
    # then
    for i in range(len(branches)):
        others = [(Fraction(t, 10), w) for j, (t, w) in enumerate(branches) if j != i]
        whole = sum(w for _, w in others)
        expected = float(sum(t * w for t, w in others) / whole) if whole else math.nan
        assert result.without[i] == pytest.approx(expected, nan_ok=True, abs=1e-9)


def test_mean_without_weights_is_plain():
    np.testing.assert_allclose(mean_without([1.0, 2.0, 6.0]).without, [4.0, 3.5, 1.5])


@given(numbers.filter(lambda branches: sum(w for _, w in branches)))
def test_published_without_agrees_with_the_mean_where_both_are_known(branches):
    # given the weighted mean as the published value
    values, weights = ([t / 10 for t, _ in branches], [w for _, w in branches])
    mean = mean_without(values, weights)
    # when
    result = published_without(mean.nation[0], values, weights)
    # then nothing is different, but for branches that are nearly the whole nation
    share = np.array(weights) / sum(weights)
    is_small = share < 0.999
    np.testing.assert_allclose(result.without[is_small], mean.without[is_small], atol=1e-6)


def test_published_without_keeps_the_published_value():
    # given 58.7 % as published, and a branch of 70 % with a tenth of the proxy
    result = published_without(58.7, [70.0, math.nan], [1.0, 9.0])
    # when, then
    np.testing.assert_allclose(result.without, [(58.7 - 7.0) / 0.9, math.nan])
    np.testing.assert_allclose(result.nation, [58.7, 58.7])
    assert np.isnan(published_without(58.7, [70.0, 60.0], [1.0, math.nan]).without).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rate_without([-1], [10]), "negative"),
        (lambda: rate_without([11], [10]), "not a proportion"),
        (lambda: rate_without([1], [10], total_numerator=5), "both"),
        (lambda: rate_without([6], [10], total_numerator=5, total_denominator=100), "larger"),
        (lambda: mean_without([1.0], [-1.0]), "negative"),
        (lambda: published_without(1.0, [1.0], [-1.0]), "negative"),
    ],
)
def test_leave_one_out_refuses_what_makes_no_sense(call, message):
    with pytest.raises(ValueError, match=message):
        call()
