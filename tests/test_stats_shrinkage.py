"""Shrinkage: published examples, a second implementation, rules, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printed import as_numbers, assert_prints_as, read_reference
from statsmodels.stats.meta_analysis import combine_effects

from kenpo_lib.stats.shrinkage import estimate_tau2, shrink, shrink_proportions

METHODS = ("paule_mandel", "reml")

figures = st.lists(
    st.tuples(st.integers(-1000, 1000).map(lambda n: n / 100), st.integers(1, 300).map(lambda n: n / 100)),
    min_size=2,
    max_size=20,
)
branches = st.lists(
    st.integers(1, 10**5).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=20
)


def split(pairs):
    values, errors = zip(*pairs, strict=True)
    return np.array(values), np.array(errors)


# --- published examples ---------------------------------------------------------------------------------------------


def test_paule_mandel_matches_metafor():
    # given Kacker's example
    rows = read_reference("shrinkage_kacker")
    values, errors = as_numbers(rows["value"]), np.sqrt(as_numbers(rows["variance"]))
    # when
    found = shrink(values, errors)
    # then: metafor was asked for nine digits
    assert found.tau2 == pytest.approx(0.705395309224248, rel=1e-9)
    assert found.centre == pytest.approx(62.4076199113286, rel=1e-12)
    assert found.centre_error == pytest.approx(0.338030602684471, rel=1e-9)


def test_reml_and_empirical_bayes_estimates_match_raudenbush_and_bryk():
    # given the effects of teacher expectancy
    rows = read_reference("shrinkage_raudenbush")
    # when
    found = shrink(as_numbers(rows["effect"]), np.sqrt(as_numbers(rows["variance"])), method="reml")
    # then
    centre, error = found.centre, found.centre_error
    assert (f"{found.tau2:.4f}", f"{centre:.4f}", f"{centre / error:.4f}") == ("0.0188", "0.0837", "1.6208")
    assert_prints_as(found.interval.value, rows["mean"], ulps=1.5)
    assert_prints_as(found.interval.lower, rows["lower"], ulps=1.5)
    assert_prints_as(found.interval.upper, rows["upper"], ulps=1.5)


# --- a second implementation ----------------------------------------------------------------------------------------


def plain_likelihood(tau2, values, errors, centre):
    """Log likelihood of tau², restricted where the centre is estimated along, up to a constant."""
    weights = [1 / (error**2 + tau2) for error in errors]
    middle = centre
    if centre is None:
        middle = sum(w * y for w, y in zip(weights, values, strict=True)) / sum(weights)
    total = sum(math.log(w) - w * (y - middle) ** 2 for w, y in zip(weights, values, strict=True))
    return (total - (math.log(sum(weights)) if centre is None else 0)) / 2


def plain_squares(tau2, values, errors, centre):
    """Weighted sum of squares."""
    weights = [1 / (error**2 + tau2) for error in errors]
    middle = centre
    if centre is None:
        middle = sum(w * y for w, y in zip(weights, values, strict=True)) / sum(weights)
    return sum(w * (y - middle) ** 2 for w, y in zip(weights, values, strict=True))


@given(pairs=figures, centre=st.none() | st.integers(-10, 10))
@settings(max_examples=60)
def test_paule_mandel_makes_the_squares_what_they_should_be(pairs, centre):
    # given
    values, errors = split(pairs)
    # when
    tau2 = estimate_tau2(values, errors, centre=centre)
    # then
    degrees = len(pairs) - (centre is None)
    squares = plain_squares(tau2, values, errors, centre)
    assert tau2 >= 0
    assert squares == pytest.approx(degrees, rel=1e-9) if tau2 > 0 else squares <= degrees * (1 + 1e-12)


@given(pairs=figures, centre=st.none() | st.integers(-10, 10))
@settings(max_examples=60)
def test_reml_is_the_most_likely(pairs, centre):
    # given
    values, errors = split(pairs)
    # when
    tau2 = estimate_tau2(values, errors, centre=centre, method="reml")
    # then nothing on a fine grid, or right beside it, is more likely
    best = plain_likelihood(tau2, values, errors, centre)
    others = [0.0, *np.geomspace(1e-8, 1e4, 300), tau2 * 0.999, tau2 * 1.001]
    assert tau2 >= 0
    assert all(plain_likelihood(other, values, errors, centre) <= best + 1e-9 for other in others)


@pytest.mark.parametrize(("example", "value"), [("shrinkage_kacker", "value"), ("shrinkage_raudenbush", "effect")])
def test_tau2_and_centre_agree_with_statsmodels(example, value):
    # given
    rows = read_reference(example)
    values, variances = as_numbers(rows[value]), as_numbers(rows["variance"])
    # when
    found = shrink(values, np.sqrt(variances))
    # then
    other = combine_effects(values, variances, method_re="iterated", atol=1e-12)
    assert found.tau2 == pytest.approx(other.tau2, rel=1e-6)
    assert found.centre == pytest.approx(other.mean_effect_re, rel=1e-6)


@given(pairs=figures, centre=st.none() | st.integers(-10, 10), method=st.sampled_from(METHODS))
@settings(max_examples=60)
def test_shrink_agrees_with_a_loop(pairs, centre, method):
    # given
    values, errors = split(pairs)
    # when
    found = shrink(values, errors, centre=centre, method=method, confidence=0.998)
    # then
    weights = [1 / (error**2 + found.tau2) for error in errors]
    middle = centre
    if centre is None:
        middle = sum(w * y for w, y in zip(weights, values, strict=True)) / sum(weights)
    uncertain = 0 if centre is not None else 1 / sum(weights)
    for place, (value, error) in enumerate(pairs):
        own = found.tau2 / (found.tau2 + error**2)
        margin = 3.090232306167813 * math.sqrt(own * error**2 + (1 - own) ** 2 * uncertain)
        mean = own * value + (1 - own) * middle
        assert found.weight[place] == pytest.approx(own)
        assert found.interval.value[place] == pytest.approx(mean, abs=1e-9)
        if margin:
            assert found.interval.lower[place] == pytest.approx(mean - margin, abs=1e-9)
            assert found.interval.upper[place] == pytest.approx(mean + margin, abs=1e-9)


# --- rules ----------------------------------------------------------------------------------------------------------


@given(
    pairs=figures,
    shift=st.integers(-100, 100),
    scale=st.integers(1, 100),
    method=st.sampled_from(METHODS),
)
@settings(max_examples=60)
def test_shrink_does_not_depend_on_unit_or_origin(pairs, shift, scale, method):
    # given
    values, errors = split(pairs)
    # when
    found = shrink(values, errors, method=method)
    moved = shrink(values * scale + shift, errors * scale, method=method)
    # then
    assert moved.tau2 == pytest.approx(found.tau2 * scale**2, rel=1e-5, abs=1e-7 * scale**2)
    assert moved.interval.value == pytest.approx(found.interval.value * scale + shift, abs=1e-4 * scale)


@given(pairs=figures, centre=st.none() | st.integers(-10, 10), method=st.sampled_from(METHODS))
@settings(max_examples=60)
def test_shrink_moves_towards_the_centre_and_never_past_it(pairs, centre, method):
    # given
    values, errors = split(pairs)
    # when
    found = shrink(values, errors, centre=centre, method=method)
    # then
    before, after = values - found.centre, found.interval.value - found.centre
    assert (np.abs(after) <= np.abs(before) + 1e-9).all()
    assert (before * after >= -1e-9).all()
    assert ((found.weight >= 0) & (found.weight < 1)).all()


@given(pairs=branches, method=st.sampled_from(METHODS))
@settings(max_examples=60)
def test_shrunk_proportions_stay_proportions_and_larger_branches_keep_more(pairs, method):
    # given
    numerators, denominators = split(pairs)
    # when
    found = shrink_proportions(numerators, denominators, method=method, multiplier=100)
    # then
    interval = found.interval
    known = ~np.isnan(interval.value)
    assert ((interval.value[known] >= 0) & (interval.value[known] <= 100)).all()
    limited = ~np.isnan(interval.lower)
    assert (interval.lower[limited] >= 0).all()
    assert (interval.upper[limited] <= 100).all()
    assert (interval.lower[limited] <= interval.value[limited] + 1e-9).all()
    order = np.argsort(denominators, kind="stable")
    assert (np.diff(found.weight[order][known[order]]) >= -1e-12).all()


def test_branches_without_a_figure_take_no_part():
    # given
    with_gap = shrink([1.0, np.nan, 3.0, 9.0], [0.5, 0.5, np.nan, 0.5])
    without = shrink([1.0, 9.0], [0.5, 0.5])
    # then
    assert with_gap.tau2 == without.tau2
    assert with_gap.interval.reason.tolist() == ["", "missing_count", "missing_count", ""]
    assert np.isnan(with_gap.interval.value).tolist() == [False, True, True, False]
    assert np.isnan(with_gap.weight).tolist() == [False, True, True, False]


# --- what is missing, and what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_equal_branches_do_not_differ(method):
    # when
    found = shrink([5.0, 5.0, 5.0], [1.0, 2.0, 3.0], method=method)
    # then each gets the centre, with the uncertainty of the centre
    assert found.tau2 == 0
    assert found.interval.value.tolist() == [5, 5, 5]
    assert found.interval.upper == pytest.approx(np.full(3, 5 + 1.959963984540054 * found.centre_error))


def test_no_limits_where_nothing_tells_branches_apart_from_a_known_centre():
    # when
    found = shrink([5.1, 4.9], [1.0, 2.0], centre=5)
    # then
    assert found.interval.value.tolist() == [5, 5]
    assert found.interval.reason.tolist() == ["no_spread", "no_spread"]
    assert np.isnan(found.interval.lower).all()


@pytest.mark.parametrize("method", METHODS)
def test_one_branch_has_no_spread_to_learn_from(method):
    # when
    found = shrink([5.0], [1.0], centre=4, method=method)
    # then
    assert math.isnan(found.tau2)
    assert found.interval.reason.tolist() == ["single_value"]
    assert np.isnan([*found.interval.value, *found.weight]).all()


def test_no_branch_at_all_and_nothing_known():
    assert shrink([], []).interval.value.size == 0
    assert shrink([np.nan, np.nan], [1, 1]).interval.reason.tolist() == ["missing_count", "missing_count"]
    assert math.isnan(estimate_tau2([np.nan], [1]))


def test_known_tau2_is_used():
    # given equal chance and spread; when
    found = shrink([4.0, 8.0], [1.0, 1.0], centre=5, tau2=1.0)
    # then half of each is its own
    assert found.interval.value.tolist() == [4.5, 6.5]
    assert found.interval.upper - found.interval.value == pytest.approx(np.full(2, 1.959963984540054 / math.sqrt(2)))


def test_shrunk_proportions_are_missing_with_a_reason():
    # when
    found = shrink_proportions([None, 1, 0, 90, 10], [10, None, 0, 100, 100])
    nobody = shrink_proportions([0, 0], [10, 20])
    # then
    reasons = ["missing_count", "missing_denominator", "zero_denominator", "", ""]
    assert found.interval.reason.tolist() == reasons
    assert np.isnan(found.interval.value).tolist() == [True, True, True, False, False]
    assert nobody.interval.reason.tolist() == ["no_spread", "no_spread"]
    assert np.isnan(nobody.interval.value).all()


def test_branch_without_anybody_counted_is_not_taken_as_certain():
    # given a small branch where nobody counted, among large ones at about half
    found = shrink_proportions([0, 5000, 5500, 4500], [3, 10000, 10000, 10000])
    # then it is drawn nearly all the way
    assert found.interval.value[0] > 0.45


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shrink([1, 2], [1, 0]), "standard_errors: must be above 0"),
        (lambda: shrink([1, 2], [1, -1]), "standard_errors: must be above 0"),
        (lambda: shrink([1, np.inf], [1, 1]), "values: found an infinite number"),
        (lambda: shrink([1, 2], [1, 1], tau2=-1), "tau2: must not be negative"),
        (lambda: shrink([1, 2], [1, 1], centre=np.inf), "centre: found an infinite number"),
        (lambda: shrink([1, 2], [1, 1], confidence=95), "confidence: expected a level between 0 and 1"),
        (lambda: estimate_tau2([1, 2], [1, 1], method="dl"), "method: expected one of paule_mandel, reml"),
        (lambda: shrink_proportions([11], [10]), "numerator 11 is above its denominator 10"),
        (lambda: shrink_proportions([1], [10], centre=60), "centre: expected a proportion between 0 and 1"),
    ],
)
def test_shrinkage_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
