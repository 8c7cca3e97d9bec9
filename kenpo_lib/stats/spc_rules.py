"""What the points of a control chart say: four rules, and two verdicts (is it changing? will it meet its target?).

The rules and their parameters are those of NHS Making Data Count. A verdict is given from 13 points on; before that, limits are
too uncertain to hang an icon on.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from kenpo_lib.stats._showing import Shown
from kenpo_lib.stats.spc import ControlChart

SHIFT_POINTS = 7  # in a row on the same side of the centre line
TREND_STEPS = 6  # in a row in the same direction, so seven points
VERDICT_POINTS = 13  # fewer points in the current segment get no verdict
_NOISE = 1e-12  # differences smaller than this, relative to the values, are rounding


class Variation(StrEnum):
    COMMON_CAUSE = "common_cause"
    IMPROVEMENT = "improvement"
    CONCERN = "concern"
    NEITHER = "neither"  # something changed, but neither way is better
    TOO_FEW_POINTS = "too_few_points"
    CANNOT_TELL = "cannot_tell"  # no limits: no two neighbouring points


class Assurance(StrEnum):
    CONSISTENTLY_HITS = "consistently_hits"
    CONSISTENTLY_MISSES = "consistently_misses"
    HIT_OR_MISS = "hit_or_miss"
    TOO_FEW_POINTS = "too_few_points"
    CANNOT_TELL = "cannot_tell"  # no target, no limits, or a KPI of which neither way is better


@dataclass(frozen=True, slots=True)
class Signals(Shown):
    """Per point and rule +1 (high, rising), −1 (low, falling) or 0 (nothing); all of the chart's length.

    Attributes:
        beyond_limits: Outside the limits.
        trend: Part of six or more steps in one direction.
        two_in_three: One of two in three neighbours between warning limit and limit, all three on that side.
        shift: Part of seven or more points on one side of the centre line.
        combined: The first of these, in this order, that says something.
    """

    beyond_limits: NDArray[np.int64]
    trend: NDArray[np.int64]
    two_in_three: NDArray[np.int64]
    shift: NDArray[np.int64]
    combined: NDArray[np.int64]


def find_signals(chart: ControlChart, *, shift_points: int = SHIFT_POINTS, trend_steps: int = TREND_STEPS) -> Signals:
    """Mark the points of a chart that common cause variation does not explain.

    Args:
        chart: From ``spc``.
        shift_points: Length of a run on one side. A point on the centre line ends a run.
        trend_steps: Steps in one direction; two equal neighbours end them.

    Returns:
        One ``Signals`` for the chart. Missing points and rebases end every run; a point on a line is not beyond it.

    Raises:
        ValueError: A run of fewer than 2.

    Source: NHS England, Making Data Count; same rules as NHSRplotthedots ``ptd_spc``, including which points of a pattern
    are marked and which rule goes first.
    """
    if shift_points < 2 or trend_steps < 2:
        raise ValueError(f"runs need at least 2, found shift_points={shift_points}, trend_steps={trend_steps}")
    side = _compare(chart.value, chart.centre)
    beyond = _beyond(chart.value, chart.lower, chart.upper)
    near = np.where(beyond == 0, _beyond(chart.value, chart.warning_lower, chart.warning_upper), 0)
    trend, two, shift = (np.zeros(side.size, dtype=np.int64) for _ in range(3))
    for part in _segments(chart):
        trend[part] = _mark_trends(chart.value[part], trend_steps)
        two[part] = _mark_two_in_three(near[part], side[part])
        shift[part] = _mark_runs(side[part], shift_points)
    first = np.select([beyond != 0, trend != 0, two != 0], [beyond, trend, two], shift)
    return Signals(beyond_limits=beyond, trend=trend, two_in_three=two, shift=shift, combined=first)


def judge_variation(chart: ControlChart, *, sign: int, signals: Signals | None = None) -> Variation:
    """Say whether the latest point is part of a change, and whether that is for the better.

    Args:
        chart: From ``spc``.
        sign: +1 where more is better, −1 where less is better, 0 where neither.
        signals: Where found already, with parameters other than the usual.

    Returns:
        The verdict on the latest point that is known. ``too_few_points`` with fewer than 13 in its segment.

    Raises:
        ValueError: A sign other than these.

    Source: NHS England, Making Data Count, variation icons; same as ``variation_type`` in NHSRplotthedots' summary.
    """
    _check_sign(sign)
    last = _latest(chart)
    if last is None or _known_points(chart, last) < VERDICT_POINTS:
        return Variation.TOO_FEW_POINTS
    if np.isnan(chart.upper[last]):
        return Variation.CANNOT_TELL
    change = (signals or find_signals(chart)).combined[last]
    if change == 0:
        return Variation.COMMON_CAUSE
    if sign == 0:
        return Variation.NEITHER
    return Variation.IMPROVEMENT if change == sign else Variation.CONCERN


def judge_assurance(chart: ControlChart, *, target: float | None, sign: int) -> Assurance:
    """Say whether the process, left as it is, will meet its target always, never, or by chance.

    Args:
        chart: From ``spc``.
        target: In the unit of the chart; None or NaN where there is none.
        sign: +1 where the target is to be reached or exceeded, −1 where it is a ceiling, 0 where neither.

    Returns:
        By the limits at the latest known point: all between them meets the target, none does, or some. A target on a limit is
        hit or miss, except where limits have no width: then the value meets it or does not. ``too_few_points`` with
        fewer than 13 in the segment.

    Raises:
        ValueError: A sign other than these.

    Source: NHS England, Making Data Count, assurance icons; same as NHSRplotthedots ``assurance_type``.
    """
    _check_sign(sign)
    last = _latest(chart)
    if last is None or _known_points(chart, last) < VERDICT_POINTS:
        return Assurance.TOO_FEW_POINTS
    lower, upper = chart.lower[last], chart.upper[last]
    if target is None or np.isnan(target) or np.isnan(upper) or sign == 0:
        return Assurance.CANNOT_TELL
    worst, best = (lower, upper) if sign > 0 else (upper, lower)
    scale = _NOISE * max(abs(target), abs(lower), abs(upper))
    if sign * (best - target) < -scale:
        return Assurance.CONSISTENTLY_MISSES
    has_width = upper - lower > scale
    if sign * (worst - target) > scale or not has_width:
        return Assurance.CONSISTENTLY_HITS
    return Assurance.HIT_OR_MISS


# --- the rules ------------------------------------------------------------------------------------------------------


def _mark_runs(side: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """All points of runs of one sign that are long enough."""
    marks = np.zeros_like(side)
    start = 0
    for end in range(1, side.size + 1):
        if end == side.size or side[end] != side[start]:
            if end - start >= length:
                marks[start:end] = side[start]
            start = end
    return marks


def _mark_trends(value: NDArray[np.float64], steps: int) -> NDArray[np.int64]:
    """All points of rises and falls that are long enough; the turning point of two belongs to the later one."""
    marks = np.zeros(value.size, dtype=np.int64)
    runs = _mark_runs(_compare(value[1:], value[:-1]), steps)
    marks[1:] = runs
    starts = np.flatnonzero(runs)
    marks[starts] = runs[starts]
    return marks


def _mark_two_in_three(near: NDArray[np.int64], side: NDArray[np.int64]) -> NDArray[np.int64]:
    marks = np.zeros_like(near)
    for start in range(near.size - 2):
        window = slice(start, start + 3)
        if abs(side[window].sum()) == 3 and np.count_nonzero(near[window]) >= 2:
            marks[window] = np.where(near[window] != 0, near[window], marks[window])
    return marks


# --- points and segments --------------------------------------------------------------------------------------------


def _compare(value: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.int64]:
    """+1 above, −1 below, 0 where equal up to rounding or unknown."""
    difference = value - other
    noise = _NOISE * np.maximum(np.abs(value), np.abs(other))
    return (difference > noise).astype(np.int64) - (difference < -noise).astype(np.int64)


def _beyond(value: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.int64]:
    above, below = _compare(value, upper) > 0, _compare(value, lower) < 0
    return above.astype(np.int64) - below.astype(np.int64)


def _segments(chart: ControlChart) -> list[slice]:
    edges = [0, *(np.flatnonzero(np.diff(chart.segment)) + 1).tolist(), chart.segment.size]
    return [slice(start, end) for start, end in itertools.pairwise(edges)]


def _latest(chart: ControlChart) -> int | None:
    known = np.flatnonzero(~np.isnan(chart.value))
    return int(known[-1]) if known.size else None


def _known_points(chart: ControlChart, index: int) -> int:
    return int(np.count_nonzero(~np.isnan(chart.value) & (chart.segment == chart.segment[index])))


def _check_sign(sign: int) -> None:
    if sign not in (-1, 0, 1):
        raise ValueError(f"sign: expected +1, 0 or -1, found {sign}")
