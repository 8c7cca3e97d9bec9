"""False discoveries: published examples, a second implementation, rules, and bad input."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from printed import as_numbers, assert_prints_as, read_reference
from statsmodels.stats.multitest import multipletests

from kenpo_lib.stats.multiplicity import adjust_p_values, two_sided_p

p_values = st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=1, max_size=60)


def test_adjusted_p_matches_the_worked_example_of_scipy():
    # given
    rows = read_reference("multiplicity").filter(example="stats")
    # then
    assert_prints_as(adjust_p_values(as_numbers(rows["p"])), rows["adjusted"])


def test_discoveries_match_benjamini_and_hochberg():
    # given the 15 comparisons of the thrombolysis trial, in any order
    p = as_numbers(read_reference("multiplicity").filter(example="taps")["p"])
    # then: four at 0.05, where Bonferroni has three
    assert (adjust_p_values(p) <= 0.05).tolist() == [True] * 4 + [False] * 11
    assert (adjust_p_values(p[::-1]) <= 0.05).sum() == 4


def plain_adjust(p):
    """For each, the smallest share of false flags among those flagged with it."""
    m = len(p)
    return [min(1, *(m * q / sum(r <= q for r in p) for q in p if q >= own)) for own in p]


@given(p=p_values)
def test_adjusted_p_agrees_with_its_definition_and_statsmodels(p):
    # when
    adjusted = adjust_p_values(p)
    # then
    assert adjusted == pytest.approx(np.array(plain_adjust(p)), rel=1e-12)
    assert adjusted == pytest.approx(multipletests(p, method="fdr_bh")[1], rel=1e-12)


@given(p=p_values, level=st.sampled_from([0.01, 0.05, 0.2]))
def test_flags_are_those_of_the_step_up_rule(p, level):
    # given the largest p at or below its place on the line
    m = len(p)
    ordered = sorted(p)
    # a hair's breadth aside from the line, where rounding decides
    assume(all(abs(value - level * rank / m) > 1e-12 for rank, value in enumerate(ordered, start=1)))
    last = max((rank for rank, value in enumerate(ordered, start=1) if value <= level * rank / m), default=0)
    # then
    assert (adjust_p_values(p) <= level).sum() == last


@given(p=p_values, gaps=st.integers(0, 5), order=st.randoms(use_true_random=False))
def test_missing_comparisons_do_not_count(p, gaps, order):
    # given the same comparisons among gaps, shuffled
    mixed = [*p, *[math.nan] * gaps]
    order.shuffle(mixed)
    # when
    adjusted = adjust_p_values(mixed)
    # then
    assert np.isnan(adjusted).sum() == gaps
    assert sorted(adjusted[~np.isnan(adjusted)]) == pytest.approx(sorted(adjust_p_values(p)), rel=1e-12)


@given(p=p_values)
def test_adjusted_p_keeps_the_order_and_never_falls(p):
    adjusted = adjust_p_values(p)
    assert (adjusted >= np.array(p) - 1e-15).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


def test_branches_by_kpis_keep_their_places():
    # given
    table = np.array([[0.01, np.nan, 0.04], [0.03, 0.5, np.nan]])
    # when
    adjusted = adjust_p_values(table)
    # then all of the table is one family
    assert adjusted.shape == (2, 3)
    assert adjusted[0, 0] == pytest.approx(0.04)
    assert np.isnan(adjusted).tolist() == [[False, True, False], [False, False, True]]


def test_nothing_to_compare():
    assert adjust_p_values([]).size == 0
    assert np.isnan(adjust_p_values([np.nan, None])).all()
    assert adjust_p_values(0.03) == 0.03
    assert math.isnan(adjust_p_values(np.nan))
    assert adjust_p_values([0.2, 0.2, 0.2]).tolist() == pytest.approx([0.2] * 3)


@given(z=st.floats(-30, 30))
def test_two_sided_p_agrees_with_the_normal_distribution(z):
    # when
    p = two_sided_p(z)
    # then
    assert type(p) is float
    assert p == pytest.approx(2 * (1 - statistics.NormalDist().cdf(abs(z))), abs=1e-12)
    assert p == two_sided_p(-z)
    assert p > 0


def test_two_sided_p_of_the_usual_limits_and_of_nothing():
    assert two_sided_p([1.959963984540054, -3.090232306167813, 0]) == pytest.approx(np.array([0.05, 0.002, 1]))
    assert math.isnan(two_sided_p(np.nan))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: adjust_p_values([0.5, 1.2]), "p_values: expected numbers between 0 and 1"),
        (lambda: adjust_p_values([-0.1]), "p_values: expected numbers between 0 and 1"),
        (lambda: adjust_p_values(["low"]), "p_values: expected numbers"),
        (lambda: two_sided_p(np.inf), "z: found an infinite number"),
    ],
)
def test_multiplicity_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
