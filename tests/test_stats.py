"""Ranks, deviation scores and distances in people, each recomputed from its definition."""

from __future__ import annotations

import statistics
from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kenpo_lib.stats import competition_rank, deviation_score, people_needed

values = st.lists(st.none() | st.integers(-20, 20).map(lambda tenths: tenths / 10), min_size=1, max_size=47)
signs = st.sampled_from([1, -1, 0])


def rank(numbers, sign):
    frame = pl.DataFrame(
        {"value": numbers, "sign": [sign] * len(numbers)}, schema={"value": pl.Float64, "sign": pl.Int32}
    )
    return frame.select(competition_rank(pl.col("value"), sign=pl.col("sign"))).to_series().to_list()


def score(numbers):
    frame = pl.DataFrame({"group": ["g"] * len(numbers), "value": numbers}, schema_overrides={"value": pl.Float64})
    return frame.select(deviation_score(pl.col("value"), over=["group"])).to_series().to_list()


def published_rate(count, base, decimals):
    """The rate in percent as a table prints it."""
    rate = Decimal(100) * Decimal(count) / Decimal(base)
    return rate.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


# --- ranks ----------------------------------------------------------------------------------------------------------


@given(numbers=values, sign=signs)
def test_competition_rank_counts_those_who_are_better(numbers, sign):
    # given any values, with ties and gaps; 0 ranks from high to low
    # when
    ranks = rank(numbers, sign)
    # then a rank is one more than the number of better ones, and null for no value
    for number, place in zip(numbers, ranks, strict=True):
        if number is None:
            assert place is None
            continue
        better = [n for n in numbers if n is not None and (n < number if sign < 0 else n > number)]
        assert place == len(better) + 1


@given(numbers=values, sign=signs, data=st.data())
def test_competition_rank_does_not_depend_on_the_order_of_rows(numbers, sign, data):
    # given the same values in two orders
    order = data.draw(st.permutations(range(len(numbers))))
    # when
    ranks, shuffled = rank(numbers, sign), rank([numbers[i] for i in order], sign)
    # then
    assert shuffled == [ranks[i] for i in order]


@pytest.mark.parametrize(("sign", "ranks"), [(1, [1, 1, 3, None]), (-1, [2, 2, 1, None])])
def test_competition_rank_shares_the_better_rank_among_ties(sign, ranks):
    # given two equal values, a third and a missing one
    # when, then the rank after a tie is skipped
    assert rank([9.5, 9.5, 1.0, None], sign) == ranks


# --- deviation scores -----------------------------------------------------------------------------------------------


@given(values)
def test_deviation_score_is_fifty_plus_ten_standard_deviations(numbers):
    # given any values with some spread
    known = [number for number in numbers if number is not None]
    assume(len(set(known)) > 1)
    # when
    scores = score(numbers)
    # then it follows its definition, with the population SD
    mean, spread = statistics.fmean(known), statistics.pstdev(known)
    for number, result in zip(numbers, scores, strict=True):
        expected = None if number is None else pytest.approx(50 + 10 * (number - mean) / spread)
        assert result == expected


@given(value=st.floats(-1000, 1000), count=st.integers(1, 47))
@example(value=60.1, count=47)
def test_deviation_score_is_null_without_spread(value, count):
    # given one value, or all equal: no division by zero, and no score out of rounding errors
    # when, then
    assert score([value] * count) == [None] * count


@given(numbers=values, shift=st.integers(-50, 50))
def test_deviation_score_ignores_where_the_scale_begins(numbers, shift):
    # given the same values moved by a constant
    # when
    scores, moved = score(numbers), score([None if n is None else n + shift for n in numbers])
    # then
    assert moved == [None if s is None else pytest.approx(s, abs=1e-6) for s in scores]


# --- distances in people --------------------------------------------------------------------------------------------

counts = st.integers(1, 50_000).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base)))


@given(counts=counts, thousandths=st.integers(0, 120_000), decimals=st.integers(0, 3), wants_at_least=st.booleans())
@example(counts=(29_304, 29_305), thousandths=100_000, decimals=2, wants_at_least=True)
@example(counts=(300, 2_000), thousandths=12_500, decimals=1, wants_at_least=False)  # 251 of 2,000 is 12.55, so 12.6
@example(counts=(1, 8), thousandths=12_500, decimals=1, wants_at_least=False)
def test_people_needed_is_the_smallest_number_that_reaches_the_goal(counts, thousandths, decimals, wants_at_least):
    # given any counts, and a goal that may have more decimals than the rate
    (count, base), goal = counts, Decimal(thousandths) / 1000

    def reaches(people):
        rate = published_rate(count + people if wants_at_least else count - people, base, decimals)
        return rate >= goal if wants_at_least else rate <= goal

    # when
    needed = people_needed(count, base, float(goal), decimals=decimals, wants_at_least=wants_at_least)
    # then k reaches it and k − 1 does not; where nothing within the denominator does, there is no number
    room = base - count if wants_at_least else count
    if needed is None:
        assert not reaches(room)
        return
    assert 0 <= needed <= room
    assert reaches(needed)
    assert needed == 0 or not reaches(needed - 1)


@pytest.mark.parametrize(("count", "base"), [(1, 0), (0, 0), (5, 4), (-1, 10), (1, -1)])
def test_people_needed_is_null_for_counts_that_are_no_share(count, base):
    # given a denominator of nothing, or a part larger than the whole
    # when, then
    assert people_needed(count, base, 50.0, decimals=1) is None


def test_people_needed_counts_check_ups_as_a_planner_would():
    # given 15,010 of 64,777 dependents (23.2 %) and a goal of 26.0 %: 25.95 % is published as 26.0
    # when
    needed = people_needed(15_010, 64_777, 26.0, decimals=1)
    # then 16,810 check-ups are 25.9506 %, one fewer is 25.9490 %
    assert published_rate(15_010 + needed, 64_777, 4) == Decimal("25.9506")
    assert published_rate(15_010 + needed - 1, 64_777, 4) == Decimal("25.9490")
