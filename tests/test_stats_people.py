"""Distances in people and yen, each proved by recomputing what would be published with it."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib.stats.people import people_for_points, people_needed, people_needed_each, yen_needed

counts = st.integers(1, 50_000).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base)))


def publish(part, whole, decimals, *, scale=100):
    """The figure as a table prints it."""
    with localcontext(prec=60):
        quotient = Decimal(scale) * Decimal(part) / Decimal(whole)
        return quotient.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


# --- people ---------------------------------------------------------------------------------------------------------


@given(counts=counts, tenths=st.integers(-300, 300))
def test_people_for_points_move_the_published_rate_by_them(counts, tenths):
    # given a published rate, and points to gain or to lose
    (count, base), points = counts, Decimal(tenths) / 10
    goal = publish(count, base, 1) + points
    # when
    needed = people_for_points(count, base, float(points), decimals=1)
    # then k reach it and k − 1 do not; null where 0 or 100 % lies before it
    step = 1 if points >= 0 else -1

    def reaches(k):
        rate = publish(count + step * k, base, 1)
        return rate >= goal if points >= 0 else rate <= goal

    if needed is None:
        assert not 0 <= goal <= 100
        return
    assert 0 <= count + step * needed <= base
    assert reaches(needed)
    assert needed == 0 or not reaches(needed - 1)


def test_people_for_points_counts_the_way_to_rank_15():
    # given 60.0 % of 200,000, and 1.1 points missing: 61.05 % is published as 61.1
    assert people_for_points(120_000, 200_000, 1.1, decimals=1) == 2_100
    assert people_for_points(120_000, 200_000, 0.0, decimals=1) == 0


@pytest.mark.parametrize("hole", [None, math.nan])
def test_distances_are_null_where_something_is_missing(hole):
    # given
    assert people_needed(hole, 10, 50.0, decimals=1) is None
    assert people_needed(5, hole, 50.0, decimals=1) is None
    assert people_needed(5, 10, hole, decimals=1) is None
    assert people_for_points(hole, 10, 1.0, decimals=1) is None
    assert yen_needed(1, 10, hole) is None


def test_people_needed_each_serves_arrays():
    # given
    parts, wholes = [15_010, math.nan, 5, 9_999], [64_777, 100, 0, 10_000]
    # when
    needed = people_needed_each(parts, wholes, [26.0, 50.0, 50.0, 99.0], decimals=1)
    # then
    np.testing.assert_allclose(needed, [1_800, math.nan, math.nan, 0])
    assert people_needed_each(parts[0], wholes[0], 26.0, decimals=1) == 1_800


@given(
    counts=st.integers(1, 10**10).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base))),
    thousandths=st.integers(0, 100_000),
)
def test_people_needed_serves_yen_in_yen(counts, thousandths):
    # given amounts as of an assessment rate, published with three decimals
    (amount, billed), goal = counts, Decimal(thousandths) / 1000
    # when
    needed = people_needed(amount, billed, float(goal), decimals=3)
    # then
    if needed is None:
        assert publish(billed, billed, 3) < goal
        return
    assert publish(amount + needed, billed, 3) >= goal
    assert needed == 0 or publish(amount + needed - 1, billed, 3) < goal


# --- yen per case ---------------------------------------------------------------------------------------------------


@given(
    total=st.integers(0, 10**11),
    cases=st.integers(1, 10**7),
    goal=st.integers(0, 10**5),
    decimals=st.integers(0, 2),
    wants_at_least=st.booleans(),
)
def test_yen_needed_is_the_smallest_amount_that_reaches_the_average(total, cases, goal, decimals, wants_at_least):
    # given
    def reaches(yen):
        average = publish(total + yen if wants_at_least else total - yen, cases, decimals, scale=1)
        return average >= goal if wants_at_least else average <= goal

    # when
    needed = yen_needed(total, cases, goal, decimals=decimals, wants_at_least=wants_at_least)
    # then 0 yen reach every goal from above, so that there always is an amount
    assert needed is not None
    assert reaches(needed)
    assert needed == 0 or not reaches(needed - 1)


def test_yen_needed_stops_at_the_half_that_rounds_up():
    # given 1,000 claims of 6,000 yen on average, and a goal of 6,100: 6,099.5 is published as 6,100
    assert yen_needed(6_000_000, 1_000, 6_100) == 99_500
    assert yen_needed(6_000_000, 1_000, 5_900, wants_at_least=False) == 99_501


@pytest.mark.parametrize(("total", "cases"), [(-1, 10), (1, 0), (1, -1)])
def test_yen_needed_is_null_without_an_average(total, cases):
    assert yen_needed(total, cases, 5) is None


def test_yen_needed_is_null_where_nothing_is_left_to_take_off():
    assert yen_needed(5, 10, -1, wants_at_least=False) is None
