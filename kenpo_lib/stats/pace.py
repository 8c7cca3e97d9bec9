"""Part-way through the year: against the same months of last year, and on course for the target or behind?

Plain arithmetic on what is known. Where only interim percentages are published, nothing says how uncertain they are, so nothing
here has an interval; ``mid_year`` has one where monthly counts exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kenpo_lib.stats._arrays import check_not_negative, divide, to_floats, unwrap
from kenpo_lib.stats._showing import Shown

MONTHS = 12  # April to March
_NOISE = 1e-9  # points; a twelfth of a percentage is rarely a round number


class PaceBasis(StrEnum):
    LAST_YEAR = "last_year"  # the share that last year had reached by the same month
    EVEN_MONTHS = "even_months"  # the same in every month
    LEVEL = "level"  # the value does not add up over the year


@dataclass(frozen=True, slots=True)
class ToDate(Shown):
    """This year's months against the same months of last year; scalars or arrays, NaN where one side is unknown."""

    this_year: float | NDArray[np.float64]
    last_year: float | NDArray[np.float64]
    difference: float | NDArray[np.float64]
    ratio: float | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pace(Shown):
    """An interim percentage against its target; scalars or arrays, without any statement on chance.

    Attributes:
        basis: A ``PaceBasis``.
        expected: What would be on course for the target by now, in percent.
        difference: Value − expected, in points.
        is_on_pace: 1 or 0; NaN where a figure is missing or the sign is 0.
        needed_per_month: Points a month from here to the target; NaN for levels and after the last month.
    """

    basis: PaceBasis | NDArray[np.str_]
    expected: float | NDArray[np.float64]
    difference: float | NDArray[np.float64]
    is_on_pace: float | NDArray[np.float64]
    needed_per_month: float | NDArray[np.float64]


def compare_to_date(this_year: ArrayLike, last_year: ArrayLike) -> ToDate:
    """Compare the months so far with the same months of last year, not with a twelfth of it.

    Args:
        this_year: Monthly counts from April, shape ``(..., months known)``.
        last_year: Monthly counts of last year from April, at least as many months; broadcast against ``this_year``.

    Returns:
        Sums over the months known this year. NaN where a month is missing; ``ratio`` also where last year had none.

    Raises:
        ValueError: Negative or infinite counts, no month, more than twelve, or fewer last year.
    """
    now, before = to_months(this_year), to_months(last_year)
    if before.shape[-1] < now.shape[-1]:
        raise ValueError(f"last year has {before.shape[-1]} months, this year {now.shape[-1]}")
    to_date, same = np.broadcast_arrays(now.sum(-1), before[..., : now.shape[-1]].sum(-1))
    parts = (to_date, same, to_date - same, divide(to_date, same))
    return ToDate(*(unwrap(np.array(part)) for part in parts))


def compute_pace(
    value: ArrayLike,
    months: ArrayLike,
    target: ArrayLike,
    *,
    sign: ArrayLike = 1,
    accumulates: bool = True,
    last_year_value: ArrayLike = np.nan,
    last_year_final: ArrayLike = np.nan,
) -> Pace:
    """Say whether an interim percentage is on course for its target, without claiming to know how surely.

    Args:
        value: Interim percentages, from April on.
        months: Months they cover, 1 to 12; NaN where unknown.
        target: In percent.
        sign: +1 where the target is to be reached or exceeded, −1 where it is a ceiling, 0 where neither.
        accumulates: True for shares that grow over the year (check-ups), False for levels (generic share).
        last_year_value, last_year_final: Last year's percentage after the same months, and its final one, same definition.
            Where both are known the year is expected to run as last year did, in even steps otherwise.

    Returns:
        See ``Pace``; all arguments are broadcast. NaN where value, target or (unless a level) months are missing.

    Raises:
        ValueError: Negative or infinite percentages, months outside 1 to 12, a sign other than +1, 0, −1.
    """
    named = {"value": value, "months": months, "target": target, "sign": sign}
    named |= {"last_year_value": last_year_value, "last_year_final": last_year_final}
    now, elapsed, goal, good, then, final = np.broadcast_arrays(*to_floats(**named))
    check_not_negative(value=now, target=goal, last_year_value=then, last_year_final=final)
    if not np.isin(good, (-1, 0, 1)).all():
        raise ValueError("sign: expected +1, 0 or -1")
    if not (np.isnan(elapsed) | np.isin(elapsed, np.arange(1, MONTHS + 1))).all():
        raise ValueError(f"months: expected whole numbers from 1 to {MONTHS}")
    share, basis = np.ones(now.shape), np.full(now.shape, PaceBasis.LEVEL.value)
    left = np.full(now.shape, np.nan)
    if accumulates:
        with_last_year = (final > 0) & (then <= final)
        share = np.where(with_last_year, divide(then, final), elapsed / MONTHS)
        basis = np.where(with_last_year, PaceBasis.LAST_YEAR.value, PaceBasis.EVEN_MONTHS.value)
        left = np.where(elapsed < MONTHS, MONTHS - elapsed, np.nan)
    expected = np.where(np.isnan(now), np.nan, goal * share)
    difference = now - expected
    on_pace = np.where(np.isnan(difference) | (good == 0), np.nan, good * difference >= -_NOISE)
    needed = (goal - now) / left
    needed = np.where(needed < 0, 0.0, needed)
    if now.ndim:
        return Pace(basis, expected, difference, on_pace, needed)
    return Pace(PaceBasis(str(basis)), float(expected), float(difference), float(on_pace), float(needed))


def to_months(counts: ArrayLike) -> NDArray[np.float64]:
    """Monthly counts from April along the last axis, NaN for missing; no more than a year of them."""
    (monthly,) = to_floats(counts=counts)
    if monthly.ndim == 0 or not 1 <= monthly.shape[-1] <= MONTHS:
        raise ValueError(f"expected 1 to {MONTHS} monthly counts, found shape {monthly.shape}")
    check_not_negative(counts=monthly)
    return monthly
