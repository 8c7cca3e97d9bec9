"""What the modules of intervals share: numbers are checked and widened on the way in, scalars come out where scalars went in.

The modules of this package import scipy where they compute: it takes a second, which pages that compute nothing need not wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kenpo_lib.stats._showing import Shown

Floats = NDArray[np.float64]


class Reason(StrEnum):
    """Why there is no value or no interval; an empty text where nothing is missing."""

    MISSING_COUNT = "missing_count"
    MISSING_DENOMINATOR = "missing_denominator"
    ZERO_DENOMINATOR = "zero_denominator"
    FEW_EVENTS = "few_events"  # too few for a standardised figure
    NO_VALUES = "no_values"
    SINGLE_VALUE = "single_value"  # one value has no spread
    NO_SPREAD = "no_spread"  # branches differ no more than by chance, so none has limits of its own
    PRIOR_IS_ZERO = "prior_is_zero"  # no ratio to nothing


@dataclass(frozen=True, slots=True)
class Interval(Shown):
    """A value with its limits, scalars or arrays of one shape.

    Attributes:
        value, lower, upper: NaN where ``reason`` says why; ``reason`` names the value's trouble or, where there is a value, that
            of its limits.
        reason: A ``Reason``, or "" where nothing is missing.
    """

    value: float | Floats
    lower: float | Floats
    upper: float | Floats
    reason: str | NDArray[np.str_]


def to_floats(**named: ArrayLike) -> list[Floats]:
    """Floats with NaN for missing (None, null, NaN).

    Raises:
        ValueError: An infinite number, or no number at all.
    """
    arrays = []
    for name, given in named.items():
        try:
            array = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}: expected numbers, found {given!r}") from error
        if np.isinf(array).any():
            raise ValueError(f"{name}: found an infinite number")
        arrays.append(array)
    return arrays


def check_not_negative(**named: Floats) -> None:
    """Refuse negative numbers, naming one of them."""
    for name, array in named.items():
        if (array < 0).any():
            raise ValueError(f"{name}: must not be negative, found {np.nanmin(array):g}")


def check_proportion(numerator: Floats, denominator: Floats, *, what: str = "") -> None:
    """Refuse counts that make no proportion."""
    check_not_negative(**{f"{what}numerator": numerator, f"{what}denominator": denominator})
    above = np.asarray(numerator > denominator)
    if above.any():
        pairs = np.broadcast_arrays(numerator, denominator)
        x, n = (float(pair[above][0]) for pair in pairs)
        raise ValueError(f"{what}numerator {x:g} is above its denominator {n:g}: not a proportion")


def check_positive(**named: Floats) -> None:
    """Refuse zero, negative and missing numbers."""
    for name, array in named.items():
        if not (array > 0).all():
            raise ValueError(f"{name}: must be above 0")


def upper_tail(confidence: ArrayLike) -> Floats:
    """The probability left out at each end: 0.025 for 0.95.

    Raises:
        ValueError: A level that is not between 0 and 1; 95 is not one.
    """
    (level,) = to_floats(confidence=confidence)
    if not ((level > 0) & (level < 1)).all():
        raise ValueError("confidence: expected a level between 0 and 1, such as 0.95 or 0.998")
    return (1 - level) / 2


def critical_value(confidence: ArrayLike) -> Floats:
    """Standard normal quantile of a two-sided level: 1.96 for 0.95, 3.09 for 0.998."""
    from scipy import special

    return -special.ndtri(upper_tail(confidence))


def rank_upwards(values: Floats, *, ties: Literal["min", "average"]) -> Floats:
    """Ranks from the smallest value on along the last axis; equal values share the first, or the middle, of their places.

    Returns:
        The same shape; NaN where the value is NaN, and those are not counted. As ``scipy.stats.rankdata``.
    """
    if not values.size:
        return values.copy()
    order = np.argsort(values, axis=-1, kind="stable")  # NaN comes last
    in_order = np.take_along_axis(values, order, axis=-1)
    place = np.broadcast_to(np.arange(1.0, values.shape[-1] + 1), values.shape)
    is_new = np.ones(values.shape, dtype=bool)
    is_new[..., 1:] = in_order[..., 1:] != in_order[..., :-1]
    ranks = np.maximum.accumulate(np.where(is_new, place, 0.0), axis=-1)
    if ties == "average":
        ends = np.roll(is_new, -1, axis=-1)  # a run ends before the next one begins; the last one at the end
        last = np.minimum.accumulate(np.where(ends, place, np.inf)[..., ::-1], axis=-1)[..., ::-1]
        ranks = (ranks + last) / 2
    found = np.empty_like(ranks)
    np.put_along_axis(found, order, ranks, axis=-1)
    return np.where(np.isnan(values), np.nan, found)


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient; NaN where the denominator is 0 or missing."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    quotient = np.full(numerator.shape, np.nan)
    return np.divide(numerator, denominator, out=quotient, where=denominator != 0)


def find_reason(*cases: tuple[NDArray[np.bool_], Reason]) -> NDArray[np.str_]:
    """The first reason that holds in each place, "" where none does."""
    masks = np.broadcast_arrays(*(mask for mask, _ in cases))
    return np.select(masks, [np.str_(reason.value) for _, reason in cases], default=np.str_(""))


def count_reason(count: Floats, denominator: Floats, *further: tuple[NDArray[np.bool_], Reason]) -> NDArray[np.str_]:
    """Why a count over a denominator gives no value."""
    return find_reason(
        (np.isnan(count), Reason.MISSING_COUNT),
        (np.isnan(denominator), Reason.MISSING_DENOMINATOR),
        (denominator == 0, Reason.ZERO_DENOMINATOR),
        *further,
    )


def make_interval(
    value: Floats, lower: Floats, upper: Floats, reason: NDArray[np.str_], *, factor: ArrayLike = 1
) -> Interval:
    """All four of one shape, blanked where there is a reason, times a factor."""
    (multiplier,) = to_floats(multiplier=factor)
    check_positive(multiplier=multiplier)
    *numbers, why = np.broadcast_arrays(value * multiplier, lower * multiplier, upper * multiplier, reason)
    return Interval(*(unwrap(np.where(why == "", number, np.nan)) for number in numbers), reason=unwrap(why.copy()))


def unwrap(array: NDArray) -> float | str | NDArray:
    """A Python scalar instead of an array without dimensions."""
    return array.item() if np.ndim(array) == 0 else array


def check_choice(name: str, given: str, allowed: Sequence[str]) -> None:
    """Refuse a word that is not one of a few."""
    if given not in allowed:
        raise ValueError(f"{name}: expected one of {', '.join(allowed)}, found {given!r}")
