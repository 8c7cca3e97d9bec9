"""Point rules and verdicts: examples of NHSRplotthedots, a second implementation by definition, and the edges."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kenpo_lib.stats.spc import ChartKind, ControlChart, compute_p_chart, compute_xmr_chart
from kenpo_lib.stats.spc_rules import Assurance, Variation, find_signals, judge_assurance, judge_variation


def make_chart(value, *, centre=0.0, lower=-3.0, upper=3.0, segment=None):
    """A chart with lines as given, so that a test names only what it is about."""
    value = np.array(value, dtype=float)
    lines = {"centre": centre, "lower": lower, "upper": upper}
    lines |= {"warning_lower": centre + (lower - centre) * 2 / 3, "warning_upper": centre + (upper - centre) * 2 / 3}
    return ControlChart(
        kind=ChartKind.XMR,
        value=value,
        segment=np.zeros(value.size, dtype=int) if segment is None else np.array(segment),
        sigma_z=np.array([np.nan]),
        **{name: np.full(value.size, line) for name, line in lines.items()},
    )


# --- examples of NHSRplotthedots ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "marked"),
    [
        ([1] * 6, []),
        ([1] * 6 + [-1], []),
        ([1] * 8 + [-1], range(8)),
        ([-1] * 8 + [1], range(8)),
        ([-1, *[1] * 8, -1], range(1, 9)),
        ([0] * 7, []),
    ],
)
def test_shift_is_seven_points_on_one_side(side, marked):
    # test-ptd_calculate_point_type.R, ptd_seven_point_one_side_mean; all points of the run are marked (part_of_seven_trend)
    signals = find_signals(make_chart(side))
    assert np.flatnonzero(signals.shift).tolist() == list(marked)


@pytest.mark.parametrize(
    ("value", "marked", "way"),
    [
        ([1, 2, 3, 4, 5, 6], [], 0),
        ([1, 2, 3, 3, 4, 5, 6], [], 0),
        ([1, 2, 3, 4, 5, 6, 7], range(7), 1),
        ([2, 1, 2, 3, 4, 5, 6, 7, 3], range(1, 8), 1),
        ([7, 6, 5, 4, 3, 2, 1], range(7), -1),
        ([2, 7, 6, 5, 4, 3, 2, 1, 3], range(1, 8), -1),
    ],
)
def test_trend_is_six_steps_in_one_direction(value, marked, way):
    # test-ptd_calculate_point_type.R, ptd_seven_point_trend
    signals = find_signals(make_chart(value, centre=4.0, lower=-20.0, upper=28.0))
    assert np.flatnonzero(signals.trend).tolist() == list(marked)
    assert set(signals.trend[list(marked)].tolist()) <= {way}


@pytest.mark.parametrize(
    ("near", "marked"),
    [
        ([1, 0, 1], [0, 2]),
        ([0, 1, 1], [1, 2]),
        ([1, 1, 0], [0, 1]),
        ([0, 0, 1, 0, 1, 0, 0], [2, 4]),
        ([0, 0, 1, 1, 0, 0, 0], [2, 3]),
        ([1, 0, 0, 1], []),
        ([1, 0, 0, 1, 1], [3, 4]),
    ],
)
def test_two_in_three_marks_the_points_near_the_limit(near, marked):
    # test-ptd_calculate_point_type.R, ptd_part_of_two_in_three; all points stand above the centre line
    value = np.where(np.array(near) == 1, 2.5, 1.0)
    assert np.flatnonzero(find_signals(make_chart(value)).two_in_three).tolist() == marked


def test_two_near_limits_on_opposite_sides_are_common_cause():
    # test-ptd_spc_standard.R
    chart = compute_xmr_chart([1, -1] * 7 + [5.5, -5.5])
    assert find_signals(chart).combined[-2:].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("lower", "upper", "increase", "decrease"),
    [
        (1, 3, Assurance.CONSISTENTLY_MISSES, Assurance.CONSISTENTLY_HITS),
        (5, 7, Assurance.CONSISTENTLY_HITS, Assurance.CONSISTENTLY_MISSES),
        (1, 5, Assurance.HIT_OR_MISS, Assurance.HIT_OR_MISS),
        (4, 7, Assurance.HIT_OR_MISS, Assurance.HIT_OR_MISS),  # on the limit: PowerBI-SPC, assuranceIconToDraw.test.ts
        (1, 4, Assurance.HIT_OR_MISS, Assurance.HIT_OR_MISS),
    ],
)
def test_assurance_compares_the_target_with_the_limits(lower, upper, increase, decrease):
    # test-ptd_calculate_assurance_type.R: target 4; neutral gives none
    chart = make_chart([(lower + upper) / 2] * 13, centre=(lower + upper) / 2, lower=lower, upper=upper)
    assert judge_assurance(chart, target=4, sign=1) == increase
    assert judge_assurance(chart, target=4, sign=-1) == decrease
    assert judge_assurance(chart, target=4, sign=0) == Assurance.CANNOT_TELL


# --- a second implementation ----------------------------------------------------------------------------------------


def plain_signals(values):
    """Each rule by its definition, window after window; centre 0, limits ±3, warning limits ±2."""
    size = len(values)
    side = [(v > 0) - (v < 0) for v in values]
    beyond = [(v > 3) - (v < -3) for v in values]
    near = [s if 2 < abs(v) <= 3 else 0 for v, s in zip(values, side, strict=True)]
    trend, two, shift = ([0] * size for _ in range(3))
    for start in range(size - 6):
        window = range(start, start + 7)
        if len({side[i] for i in window}) == 1 and side[start]:
            for i in window:
                shift[i] = side[i]
        steps = [values[i + 1] - values[i] for i in window[:-1]]
        for way in (1, -1):
            if all(way * step > 0 for step in steps):
                for i in window:
                    trend[i] = way
    for start in range(size - 2):
        window = range(start, start + 3)
        if len({side[i] for i in window}) == 1 and sum(near[i] != 0 for i in window) >= 2:
            for i in window:
                two[i] = near[i] or two[i]
    first = [a or b or c or d for a, b, c, d in zip(beyond, trend, two, shift, strict=True)]
    return beyond, trend, two, shift, first


# Few different values, so that runs, ties and points on the lines do occur.
walks = st.lists(st.sampled_from([-4, -3, -2.5, -1, -0.5, 0, 0.5, 1, 2, 2.5, 3, 4]), min_size=1, max_size=40)
climbs = st.tuples(st.sampled_from([0.2, -0.2]), st.integers(3, 12)).map(lambda p: [p[0] * i for i in range(p[1])])


@settings(deadline=None)
@given(st.lists(st.one_of(walks, climbs), min_size=1, max_size=4).map(lambda parts: [*itertools.chain(*parts)]))
def test_signals_agree_with_the_definitions(values):
    # when
    found = find_signals(make_chart(values))
    # then
    plain = plain_signals(values)
    rules = (found.beyond_limits, found.trend, found.two_in_three, found.shift, found.combined)
    assert [rule.tolist() for rule in rules] == [list(rule) for rule in plain]


@settings(deadline=None)
@given(walks)
def test_signals_turn_round_with_the_chart(values):
    there, back = find_signals(make_chart(values)), find_signals(make_chart([-value for value in values]))
    np.testing.assert_array_equal(back.combined, -there.combined)


# --- segments, gaps, rounding ---------------------------------------------------------------------------------------


def test_runs_end_at_a_rebase():
    # given seven points above the centre line, three of them under a new definition
    signals = find_signals(make_chart([1] * 7, segment=[0, 0, 0, 0, 1, 1, 1]))
    assert not signals.shift.any()


def test_runs_end_at_a_missing_point():
    signals = find_signals(make_chart([1, 1, 1, 1, None, 1, 1, 1]))
    assert not signals.combined.any()


def test_rounding_is_not_a_side():
    # given fifteen equal values, whose mean is not the same float
    for chart in (compute_xmr_chart([0.1] * 15), compute_p_chart([1] * 15, [10] * 15, prime=True, multiplier=100)):
        assert not find_signals(chart).combined.any()
        assert judge_variation(chart, sign=1) == Variation.COMMON_CAUSE


def test_other_lengths_of_runs_can_be_asked_for():
    assert find_signals(make_chart([1] * 5), shift_points=5).shift.all()
    with pytest.raises(ValueError, match="runs"):
        find_signals(make_chart([1] * 5), trend_steps=1)


# --- verdicts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "sign", "verdict"),
    [
        (0.5, 1, Variation.COMMON_CAUSE),
        (4, 1, Variation.IMPROVEMENT),
        (4, -1, Variation.CONCERN),
        (-4, 1, Variation.CONCERN),
        (-4, -1, Variation.IMPROVEMENT),
        (4, 0, Variation.NEITHER),
    ],
)
def test_variation_speaks_of_the_latest_point(last, sign, verdict):
    # given an old signal and a latest point
    chart = make_chart([4, *[0.5, -0.5] * 6, last, None])
    # then the latest known point decides
    assert judge_variation(chart, sign=sign) == verdict


def test_a_trend_below_the_centre_line_can_be_an_improvement():
    # given values that rise but are still below the mean
    chart = make_chart([0.5, -0.5] * 4 + [-2.9, -2.6, -2.3, -1.9, -1.5, -1.0, -0.2])
    assert judge_variation(chart, sign=1) == Variation.IMPROVEMENT


@pytest.mark.parametrize("points", [0, 1, 12])
def test_no_verdict_below_thirteen_points(points):
    # given twelve points, or twelve since the definition changed
    chart = make_chart([4.0] * points + [None])
    rebased = make_chart([4.0] * 30, segment=[0] * 18 + [1] * 12)
    # then
    for each in (chart, rebased):
        assert judge_variation(each, sign=1) == Variation.TOO_FEW_POINTS
        assert judge_assurance(each, target=1, sign=1) == Assurance.TOO_FEW_POINTS
    assert judge_variation(make_chart([4.0] * 13), sign=1) == Variation.IMPROVEMENT


def test_no_verdict_without_limits():
    # given thirteen points, no two of them neighbours
    chart = compute_xmr_chart([1, None] * 13)
    assert judge_variation(chart, sign=1) == Variation.CANNOT_TELL
    assert judge_assurance(chart, target=1, sign=1) == Assurance.CANNOT_TELL


@pytest.mark.parametrize("target", [None, float("nan")])
def test_no_assurance_without_target(target):
    assert judge_assurance(make_chart([0.0] * 13), target=target, sign=1) == Assurance.CANNOT_TELL


@pytest.mark.parametrize(
    ("target", "verdict"),
    [(100, Assurance.CONSISTENTLY_HITS), (99.9, Assurance.CONSISTENTLY_HITS), (100.1, Assurance.CONSISTENTLY_MISSES)],
)
def test_a_process_without_variation_meets_its_target_or_does_not(target, verdict):
    # given the service standard: every case within ten days, in every month
    chart = compute_p_chart([500] * 13, [500] * 13, multiplier=100)
    assert judge_assurance(chart, target=target, sign=1) == verdict


def test_another_sign_is_refused():
    with pytest.raises(ValueError, match="sign"):
        judge_variation(make_chart([0.0] * 13), sign=2)
    with pytest.raises(ValueError, match="sign"):
        judge_assurance(make_chart([0.0] * 13), target=1, sign=2)
