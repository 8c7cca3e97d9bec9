"""Recent trend: published directions and statistics, a second implementation in loops, and what has to hold for all inputs."""

from __future__ import annotations

import csv
import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kenpo_lib.stats.recent_trend import (
    CHI_SQUARED_998,
    Direction,
    TrendReason,
    TrendWord,
    compute_proportion_trend,
    compute_value_trend,
    judge_trend,
)

REFERENCE = Path(__file__).parent / "reference" / "recent_trend.csv"
YEARS = range(2020, 2025)


def read_cases():
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {case: list(group) for case, group in itertools.groupby(rows, key=lambda row: row["case"])}


CASES = read_cases()


def column(case, name):
    return [float(row[name]) for row in CASES[case]]


def trend_of_case(case, **options):
    years = column(case, "year")
    if CASES[case][0]["numerator"]:
        return compute_proportion_trend(years, column(case, "numerator"), column(case, "denominator"), **options)
    return compute_value_trend(years, *(column(case, name) for name in ("value", "lower", "upper")), **options)


# --- published ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case][0]["direction"]])
def test_trend_has_the_published_direction(case):
    assert trend_of_case(case).direction == CASES[case][0]["direction"]


def test_proportion_trend_has_the_statistic_of_r():
    # given the example of R's prop.trend.test, which has four points
    # when
    trend = trend_of_case("smokers", points=4)
    # then
    assert round(trend.statistic, 4) == 8.2249


def test_proportion_trend_has_the_statistic_of_mantel_but_for_its_divisor():
    # given a published value by the formula with N − 1 in place of N, and N = 90
    # when
    trend = trend_of_case("infected_by_dose", points=3)
    # then
    assert round(trend.statistic * 89 / 90, 2) == 11.51


def test_value_trend_of_the_example_in_pheindicatormethods_agrees_with_statsmodels():
    # given the example in its documentation (printed there without a result)
    value, lower, upper = (
        [30.6, 30.2, 28, 24.6, 24.67],
        [28.98, 28.63, 26.44, 23.15, 23.16],
        [32.25, 31.9, 29.64, 26.19, 26.25],
    )
    # when
    trend = compute_value_trend(range(1, 6), value, lower, upper)
    # then
    error = (np.array(upper) - np.array(lower)) / (2 * stats.norm.ppf(0.975))
    model = sm.WLS(value, sm.add_constant(np.arange(1, 6)), weights=1 / error**2).fit(cov_type="fixed scale")
    assert trend.direction == Direction.DOWN
    assert trend.slope == pytest.approx(model.params[1])
    assert trend.statistic == pytest.approx(model.tvalues[1] ** 2)


def test_slope_of_proportions_is_that_of_their_log_odds():
    # given proportions of a half to a quarter, none of them 0 or 1
    count, base = [500, 450, 400, 300, 250], [1000] * 5
    # when
    trend = compute_proportion_trend(YEARS, count, base)
    # then
    log_odds = np.log(np.array(count) / (1000 - np.array(count)))
    assert trend.slope == pytest.approx(np.polyfit(np.arange(5), log_odds, 1)[0])


def test_threshold_is_the_998_point_of_chi_squared():
    assert stats.chi2.ppf(0.998, 1) == pytest.approx(CHI_SQUARED_998, abs=5e-5)


# --- a second implementation ----------------------------------------------------------------------------------------


def plain_statistic(years, count, base):
    """Cochran–Armitage in fractions, by the formula of Fingertips' calculator."""
    t, x, n = ([Fraction(str(number)) for number in part] for part in (years, count, base))
    total, cases = sum(n), sum(x)
    nt, nt2 = sum(a * b for a, b in zip(n, t, strict=True)), sum(a * b * b for a, b in zip(n, t, strict=True))
    xt = sum(a * b for a, b in zip(x, t, strict=True))
    below = cases * (total - cases) * (total * nt2 - nt**2)
    return float(total * (total * xt - cases * nt) ** 2 / below) if below else math.nan


def plain_slope(years, values):
    middle = sum(years) / len(years)
    level = sum(values) / len(values)
    spread = sum((year - middle) ** 2 for year in years)
    return sum((year - middle) * (value - level) for year, value in zip(years, values, strict=True)) / spread


def plain_sign(number):
    return 0 if abs(number) < 1e-11 else int(math.copysign(1, number))


def plain_direction(years, count, base):
    """Fingertips' rules, one after the other."""
    points = sorted(zip(years, count, base, strict=True))[-5:]
    years, count, base = zip(*points, strict=True)
    statistic = plain_statistic(years, count, base)
    if not statistic > CHI_SQUARED_998:
        return "none"
    half = 0.5 if any(x in (0, n) for x, n in zip(count, base, strict=True)) else 0
    logs = [math.log((x + half) / (n - x + half)) for x, n in zip(count, base, strict=True)]
    signs = {plain_sign(plain_slope(years, logs))}
    for left_out in range(5):
        keep = [place for place in range(5) if place != left_out]
        signs.add(plain_sign(plain_slope([years[k] for k in keep], [logs[k] for k in keep])))
    middle = sum(n * t for t, n in zip(years, base, strict=True)) / sum(base)
    share = sum(count) / sum(base)
    score = sum((t - middle) * (x - n * share) for t, x, n in zip(years, count, base, strict=True))
    signs.add(plain_sign(score))
    return {(1,): "up", (-1,): "down"}.get(tuple(signs), "none")


proportions = st.lists(
    st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=5, max_size=8
)


@settings(deadline=None)
@given(proportions, st.randoms(use_true_random=False))
def test_proportion_trend_agrees_with_plain_loops(points, random):
    # given five to eight years out of twenty, with gaps
    years = sorted(random.sample(range(2005, 2025), len(points)))
    count, base = zip(*points, strict=True)
    # when
    trend = compute_proportion_trend(years, count, base)
    # then
    statistic = plain_statistic(years[-5:], count[-5:], base[-5:])
    assert trend.statistic == pytest.approx(statistic, rel=1e-6, abs=1e-9, nan_ok=True)
    if abs(statistic - CHI_SQUARED_998) > 1e-6 and trend.reason != TrendReason.ALL_EQUAL:
        assert trend.direction == plain_direction(years, count, base)


@settings(deadline=None)
@given(proportions)
def test_proportion_trend_turns_round_with_numerator_and_its_complement(points):
    # given
    count, base = (np.array(part) for part in zip(*points, strict=True))
    years = np.arange(2000, 2000 + len(points))
    # when those who did are exchanged for those who did not
    there = compute_proportion_trend(years, count, base)
    back = compute_proportion_trend(years, base - count, base)
    # then
    opposite = {Direction.UP: Direction.DOWN, Direction.DOWN: Direction.UP}
    assert back.direction == opposite.get(there.direction, there.direction)
    assert back.slope == pytest.approx(-there.slope, abs=1e-9, nan_ok=True)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1000, 1000), st.floats(0.01, 100)), min_size=5, max_size=5),
    st.floats(-50, 50),
)
def test_value_trend_does_not_depend_on_the_level(points, shift):
    # given
    value, error = (np.array(part) for part in zip(*points, strict=True))
    # when
    one, other = (compute_value_trend(YEARS, v, v - error, v + error) for v in (value, value + shift))
    # then
    assert other.statistic == pytest.approx(one.statistic, rel=1e-6, abs=1e-6)


# --- years, gaps, series --------------------------------------------------------------------------------------------


def test_years_stand_on_the_axis_as_they_are():
    # given the same counts without a gap and with one
    count, base = [500, 510, 520, 530, 590], [1000] * 5
    # when
    near = compute_proportion_trend([2020, 2021, 2022, 2023, 2024], count, base)
    far = compute_proportion_trend([2015, 2016, 2017, 2018, 2024], count, base)
    # then
    assert far.slope < near.slope / 1.5
    assert far.statistic == pytest.approx(plain_statistic([2015, 2016, 2017, 2018, 2024], count, base))
    assert (far.first_year, far.last_year) == (2015, 2024)


def test_only_the_latest_known_points_count():
    # given an older year that would decide otherwise, a missing one and one without a denominator
    years = [2016, 2018, 2019, 2020, 2021, 2022, 2023, 2024]
    count = [990, 500, 510, None, 530, 550, 0, 600]
    base = [1000, 1000, 1000, 1000, 1000, 1000, 0, 1000]
    # when
    trend = compute_proportion_trend(years, count, base)
    # then
    assert trend.direction == Direction.UP
    assert (trend.points, trend.first_year, trend.last_year) == (5, 2018, 2024)


def test_order_of_years_does_not_matter():
    case = "trend_data_1"
    order = [3, 0, 4, 1, 2]
    shuffled = ([column(case, name)[place] for place in order] for name in ("year", "numerator", "denominator"))
    assert compute_proportion_trend(*shuffled) == trend_of_case(case)


def test_many_series_give_what_each_gives():
    # given three series of one length, one with too few points
    count = np.array([[1, 2, 3, 4, 5], [50, 40, 30, 20, np.nan], [100, 200, 300, 400, 500]])
    # when
    trends = compute_proportion_trend(YEARS, count, 1000)
    # then
    singles = [compute_proportion_trend(YEARS, row, [1000] * 5) for row in count]
    assert trends.direction.tolist() == [trend.direction for trend in singles] == ["none", "cannot_tell", "up"]
    assert trends.reason.tolist() == [trend.reason for trend in singles]
    np.testing.assert_allclose(trends.statistic, [trend.statistic for trend in singles])
    np.testing.assert_allclose(trends.slope, [trend.slope for trend in singles])
    assert trends.points.tolist() == [5, 4, 5]


# --- what is said where there is little to say ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        ([1, 2], TrendReason.TOO_FEW_POINTS),
        ([None] * 5, TrendReason.TOO_FEW_POINTS),
        ([3] * 5, TrendReason.ALL_EQUAL),
        ([0] * 5, TrendReason.ALL_EQUAL),
        ([9] * 5, TrendReason.ALL_EQUAL),
        ([0, 0, 0, 0, 9], TrendReason.ONE_POINT_DECIDES),
        ([4, 5, 4, 5, 4], TrendReason.NOT_SIGNIFICANT),
    ],
)
def test_proportion_trend_says_why_there_is_none(count, reason):
    # when
    trend = compute_proportion_trend(range(2000, 2000 + len(count)), count, [9] * len(count))
    # then
    assert trend.reason == reason
    expected = Direction.CANNOT_TELL if reason == TrendReason.TOO_FEW_POINTS else Direction.NONE
    assert trend.direction == expected
    if set(count) in ({0}, {9}):
        assert math.isnan(trend.statistic)  # 0 ÷ 0: not a number, and none is made up


def test_trend_is_none_where_the_counts_rise_and_the_years_fall():
    # given two years with nearly all the people that rise, and three without many that fall
    count, base = [9, 6, 300_000, 320_000, 1], [10, 10, 1_000_000, 1_000_000, 10]
    # when
    trend = compute_proportion_trend(YEARS, count, base)
    # then chi-squared, which follows the counts, and the slope, which follows the years, do not contradict each other aloud
    assert trend.statistic > CHI_SQUARED_998
    assert trend.slope < 0
    assert (trend.direction, trend.reason) == (Direction.NONE, TrendReason.ONE_POINT_DECIDES)


@pytest.mark.parametrize("missing", [None, 14.8])
def test_value_without_a_usable_interval_gives_no_trend(missing):
    # given a last value whose interval is missing, or rounded to nothing as Fingertips' emergency readmissions are
    lower, upper = [14.2, 15.3, 14.2, 14.1, missing], [14.4, 15.5, 14.4, 14.3, missing]
    # when
    trend = compute_value_trend(YEARS, [14.3, 15.4, 14.3, 14.2, 14.8], lower, upper)
    # then
    assert (trend.direction, trend.reason) == (Direction.CANNOT_TELL, TrendReason.NO_INTERVAL)
    assert math.isnan(trend.statistic)


def test_equal_values_have_no_trend():
    trend = compute_value_trend(YEARS, [0.1] * 5, [0.05] * 5, [0.15] * 5)
    assert (trend.direction, trend.reason, trend.slope) == (Direction.NONE, TrendReason.ALL_EQUAL, 0)
    assert trend.statistic == pytest.approx(0)


@pytest.mark.parametrize(
    ("years", "count", "base", "message"),
    [
        (YEARS, [-1, 2, 3, 4, 5], [9] * 5, "negative"),
        (YEARS, [1, 2, 3, 4, 10], [9] * 5, "not a proportion"),
        (YEARS, [1, 2, 3, 4, math.inf], [9] * 5, "infinite"),
        ([2020, 2020, 2021, 2022, 2023], [1, 2, 3, 4, 5], [9] * 5, "only once"),
        ([2020, None, 2021, 2022, 2023], [1, 2, 3, 4, 5], [9] * 5, "years"),
        ([], [], [], "at least one year"),
        (2020, 1, 9, "at least one year"),
    ],
)
def test_bad_counts_are_refused(years, count, base, message):
    with pytest.raises(ValueError, match=message):
        compute_proportion_trend(years, count, base)


def test_bad_intervals_are_refused():
    with pytest.raises(ValueError, match="does not contain"):
        compute_value_trend(YEARS, [1, 2, 3, 4, 5], [0] * 5, [4] * 5)
    with pytest.raises(ValueError, match="confidence"):
        compute_value_trend(YEARS, [1] * 5, [0] * 5, [4] * 5, confidence=95)
    with pytest.raises(ValueError, match="points"):
        compute_proportion_trend(YEARS, [1] * 5, [4] * 5, points=2)


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "sign", "word"),
    [
        (Direction.UP, 1, TrendWord.BETTER),
        (Direction.UP, -1, TrendWord.WORSE),
        (Direction.UP, 0, TrendWord.HIGHER),
        (Direction.DOWN, 1, TrendWord.WORSE),
        (Direction.DOWN, -1, TrendWord.BETTER),
        (Direction.DOWN, 0, TrendWord.LOWER),
        (Direction.NONE, 1, TrendWord.UNCHANGED),
        (Direction.CANNOT_TELL, -1, TrendWord.CANNOT_TELL),
    ],
)
def test_judge_trend_uses_the_direction_of_the_kpi(direction, sign, word):
    # polarity as in FingertipsNext, TrendCalculatorTests: increasing and low is good is getting worse
    assert judge_trend(direction, sign) is word


def test_judge_trend_serves_arrays():
    assert judge_trend(["up", "down", "none"], [1, 1, -1]).tolist() == ["better", "worse", "unchanged"]
    with pytest.raises(ValueError, match="direction"):
        judge_trend("upwards", 1)
    with pytest.raises(ValueError, match="sign"):
        judge_trend("up", 2)
