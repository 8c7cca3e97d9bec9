"""Contributions add up exactly, agree with fractions, and match Das Gupta's example 5.3."""

from __future__ import annotations

import csv
import math
from fractions import Fraction

import builders
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kenpo_lib.stats.contribution import contribution_of_counts, contribution_of_rates

REFERENCE = builders.ROOT / "tests" / "reference" / "das_gupta_1993_example_5_3.csv"
count = st.integers(0, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
branches = st.lists(st.tuples(count, count), min_size=1, max_size=47)


def split_in_fractions(rows):
    """Rate effects, volume effects and the national change, in fractions of whole numbers."""
    before, after = (sum(row[year][1] for row in rows) for year in (0, 1))
    nation0 = Fraction(sum(row[0][0] for row in rows), before)
    nation1 = Fraction(sum(row[1][0] for row in rows), after)
    middle_nation = (nation0 + nation1) / 2
    rate_effects, volume_effects = [], []
    for (x0, n0), (x1, n1) in rows:
        share0, share1 = Fraction(n0, before), Fraction(n1, after)
        rates = [Fraction(x, n) for x, n in ((x0, n0), (x1, n1)) if n]
        middle = sum(rates) / len(rates) if rates else 0
        rate_effects.append((share0 + share1) / 2 * (rates[1] - rates[0]) if len(rates) == 2 else Fraction(0))
        volume_effects.append((share1 - share0) * (middle - middle_nation))
    return rate_effects, volume_effects, nation1 - nation0


@given(branches)
@example([((1, 2), (0, 0)), ((0, 0), (3, 4)), ((5, 10), (5, 10))])
def test_contribution_of_counts_agrees_with_fractions_that_add_up_exactly(rows):
    # given counts of two years, with branches that appear or disappear
    assume(sum(before[1] for before, _ in rows) and sum(after[1] for _, after in rows))
    rate_effects, volume_effects, change = split_in_fractions(rows)
    assert sum(rate_effects) + sum(volume_effects) == change  # exactly
    # when
    result = contribution_of_counts(*np.array(rows, dtype=float).reshape(-1, 4).T)
    # then
    np.testing.assert_allclose(result.rate_effect, [float(100 * e) for e in rate_effects], atol=1e-10)
    np.testing.assert_allclose(result.volume_effect, [float(100 * e) for e in volume_effects], atol=1e-10)
    assert math.fsum(result.total) == pytest.approx(result.change, abs=1e-10)
    assert result.change == pytest.approx(float(100 * change), abs=1e-10)


def test_contribution_of_rates_matches_das_gupta():
    # given deaths in the US by race and age
    rows = list(csv.DictReader(REFERENCE.read_text(encoding="utf-8").splitlines()))
    column = {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}
    # when
    result = contribution_of_rates(column["rate_1970"], column["size_1970"], column["rate_1985"], column["size_1985"])
    # then
    assert result.before == pytest.approx(9.421833, abs=5e-7)
    assert result.after == pytest.approx(8.735618, abs=5e-7)
    assert result.change == pytest.approx(-0.6862158, abs=5e-8)
    assert result.rate_effect.sum() == pytest.approx(-2.2277254, abs=5e-8)
    assert result.volume_effect.sum() == pytest.approx(1.5217347 + 0.0197749, abs=1e-7)
    printed = ~np.isnan(column["rate_effect"])
    np.testing.assert_allclose(result.rate_effect[printed], column["rate_effect"][printed], atol=1.01e-7)


def test_contribution_counts_growth_of_a_low_branch_as_a_loss():
    # given two branches whose rates stay, of which the low one grows
    # when
    result = contribution_of_counts([90, 40], [100, 100], [90, 80], [100, 200])
    # then nothing is due to rates, and both lower the nation: the high one shrank, the low one grew
    np.testing.assert_allclose(result.rate_effect, [0, 0])
    assert (result.volume_effect < 0).all()
    assert result.change == pytest.approx(100 * 170 / 300 - 65)


def test_contribution_gives_a_branch_that_appears_a_volume_effect_only():
    # given
    result = contribution_of_counts([50, 0], [100, 0], [50, 90], [100, 100])
    # when, then
    assert result.rate_effect[1] == 0
    assert result.total.sum() == pytest.approx(result.change) == pytest.approx(20)
    # and a rate that does not exist may be given as missing
    rates = contribution_of_rates([50, math.nan], [100, 0], [50, 90], [100, 100])
    np.testing.assert_allclose(rates.total, result.total)


@pytest.mark.parametrize(
    "years",
    [
        ([1, math.nan], [2, 2], [1, 1], [2, 2]),
        ([1, 1], [2, 2], [1, 1], [2, math.nan]),
        ([0, 0], [0, 0], [1, 1], [2, 2]),
    ],
)
def test_contribution_is_missing_where_the_national_change_is(years):
    # given a count unknown, or a year without anything
    # when
    result = contribution_of_counts(*years)
    # then
    assert np.isnan(result.total).all()
    assert np.isnan(result.change)


def test_contribution_of_one_branch_is_all_rate():
    # given, when
    result = contribution_of_counts([1], [2], [3], [4])
    # then
    np.testing.assert_allclose([result.rate_effect[0], result.volume_effect[0]], [25, 0])


def test_contribution_serves_several_kpis_at_once():
    # given two KPIs of two branches
    before, after = (
        np.array([[[1, 2], [3, 4]], [[10, 10], [10, 10]]]),
        np.array([[[2, 2], [3, 3]], [[10, 20], [10, 20]]]),
    )
    # when
    both = contribution_of_counts(before[0], before[1], after[0], after[1])
    # then
    for k in range(2):
        one = contribution_of_counts(before[0, k], before[1, k], after[0, k], after[1, k])
        np.testing.assert_allclose(both.total[k], one.total)


@pytest.mark.parametrize(
    ("years", "message"),
    [(([-1], [2], [1], [2]), "negative"), (([3], [2], [1], [2]), "not a proportion")],
)
def test_contribution_refuses_what_makes_no_sense(years, message):
    with pytest.raises(ValueError, match=message):
        contribution_of_counts(*years)
    with pytest.raises(ValueError, match="negative"):
        contribution_of_rates([1.0], [-1.0], [1.0], [1.0])
