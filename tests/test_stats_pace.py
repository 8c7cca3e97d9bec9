"""Against last year's months, and against the target: plain arithmetic, so plain examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib.stats.pace import PaceBasis, compare_to_date, compute_pace


def test_compare_to_date_takes_the_same_months():
    # given three months of this year, and a last year that did most of its work in autumn
    last_year = [10, 20, 30, 40, 50, 200, 200, 200, 50, 40, 30, 20]
    # when
    to_date = compare_to_date([12, 18, 36], last_year)
    # then it is 66 against 60, not 66 against a quarter of the year
    assert (to_date.this_year, to_date.last_year, to_date.difference) == (66, 60, 6)
    assert to_date.ratio == pytest.approx(1.1)


def test_compare_to_date_serves_arrays_and_leaves_out_what_is_unknown():
    # given three branches: one with a month missing, one without cases last year
    to_date = compare_to_date([[1, 2], [1, None], [1, 2]], [[2, 2, 9], [2, 2, 9], [0, 0, 9]])
    np.testing.assert_array_equal(to_date.difference, [-1, np.nan, 3])
    np.testing.assert_array_equal(to_date.ratio, [0.75, np.nan, np.nan])


@pytest.mark.parametrize(
    ("now", "before", "message"),
    [([-1], [1], "negative"), ([], [1], "1 to 12"), ([1] * 13, [1] * 13, "1 to 12"), ([1, 2], [1], "last year has 1")],
)
def test_compare_to_date_refuses_bad_counts(now, before, message):
    with pytest.raises(ValueError, match=message):
        compare_to_date(now, before)


def test_pace_follows_last_year_where_it_is_known():
    # given a KPI that stood at 10 % after three months last year and ended at 50 %
    pace = compute_pace(11.5, 3, 55, last_year_value=10, last_year_final=50)
    # then a fifth of the target is expected by now
    assert pace.basis is PaceBasis.LAST_YEAR
    assert pace.expected == pytest.approx(11)
    assert pace.difference == pytest.approx(0.5)
    assert pace.is_on_pace == 1
    assert pace.needed_per_month == pytest.approx(43.5 / 9)


def test_pace_is_even_without_last_year():
    pace = compute_pace(11.5, 3, 55)
    assert (pace.basis, pace.expected, pace.is_on_pace) == (PaceBasis.EVEN_MONTHS, 13.75, 0)


@pytest.mark.parametrize(("value", "sign", "on_pace"), [(79.9, 1, 0), (80, 1, 1), (79.9, -1, 1), (80.1, -1, 0)])
def test_a_level_is_held_against_the_whole_target(value, sign, on_pace):
    pace = compute_pace(value, 6, 80, accumulates=False, sign=sign)
    assert (pace.basis, pace.expected, pace.is_on_pace) == (PaceBasis.LEVEL, 80, on_pace)
    assert math.isnan(pace.needed_per_month)


def test_pace_serves_arrays_and_leaves_out_what_is_unknown():
    # given values, a target and months of which some are missing, and a KPI without direction
    pace = compute_pace([10, None, 10, 10, 10], [3, 3, 3, None, 3], [40, 40, None, 40, 40], sign=[1, 1, 1, 1, 0])
    np.testing.assert_array_equal(pace.expected, [10, np.nan, np.nan, np.nan, 10])
    np.testing.assert_array_equal(pace.is_on_pace, [1, np.nan, np.nan, np.nan, np.nan])


def test_nothing_is_needed_once_the_target_is_reached_and_nothing_can_be_after_the_year():
    assert compute_pace(60, 6, 55).needed_per_month == 0
    assert math.isnan(compute_pace(50, 12, 55).needed_per_month)


def test_a_last_year_that_fell_back_is_not_a_share():
    # given a last year whose interim value is above its final one, or is 0
    assert compute_pace(10, 6, 55, last_year_value=60, last_year_final=50).basis is PaceBasis.EVEN_MONTHS
    assert compute_pace(10, 6, 55, last_year_value=0, last_year_final=0).basis is PaceBasis.EVEN_MONTHS


@given(st.floats(0, 100), st.integers(1, 11), st.floats(0, 100))
def test_the_pace_that_is_needed_reaches_the_target(value, months, target):
    pace = compute_pace(value, months, target)
    assert value + pace.needed_per_month * (12 - months) == pytest.approx(max(value, target))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((-1, 3, 50), {}, "negative"),
        ((1, 0, 50), {}, "months"),
        ((1, 2.5, 50), {}, "months"),
        ((1, 13, 50), {}, "months"),
        ((math.inf, 3, 50), {}, "infinite"),
        ((1, 3, 50), {"sign": 2}, "sign"),
    ],
)
def test_pace_refuses_bad_figures(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        compute_pace(*arguments, **options)
