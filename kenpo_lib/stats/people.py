"""Distances in people, cases and yen: exact at the precision that is published.

All counting is done in whole numbers (or fractions of them, where a count is one), on the shortest decimal that is the given
float, so that a rate that is printed as 26.0 is reached by exactly the number that makes it so.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from kenpo_lib.stats._arrays import Floats


def people_needed(
    numerator: float, denominator: float, goal: float, *, decimals: int, wants_at_least: bool = True
) -> int | None:
    """The smallest whole number of further (or fewer) people with which a rate reaches a goal at published precision.

    It serves cases and yen as well: the denominator stays as it is, the numerator changes by whole units.

    Args:
        numerator, denominator: Counts behind the rate, or yen.
        goal: In percent; a target, the national value, or the value of the next rank. It may have more decimals than the rate.
        decimals: The rate is rounded half up to these before it is compared.
        wants_at_least: True if the rate has to rise to the goal, False if it has to fall to it.

    Returns:
        0 where the goal is reached already; null where no number of people within the denominator reaches it, where a count or
        the goal is missing (null or NaN), or where the counts are no share (nothing to divide by, negative, above the whole).
    """
    if _is_missing(numerator, denominator, goal):
        return None
    count, base = _exact(numerator), _exact(denominator)
    if base <= 0 or not 0 <= count <= base:
        return None
    needed = _count_units(count, base, goal, per=100, decimals=decimals, wants_at_least=wants_at_least)
    return needed if needed <= (base - count if wants_at_least else count) else None


def yen_needed(
    total: float, cases: float, goal: float, *, decimals: int = 0, wants_at_least: bool = True
) -> int | None:
    """The smallest whole number of further (or fewer) yen with which an average per case reaches a goal.

    For a rate of yen in yen (査定率, 回収率) see ``people_needed``.

    Args:
        total: Yen behind the average.
        cases: Cases that it is divided by; their number stays.
        goal: In yen per case.
        decimals: The average is rounded half up to these before it is compared.
        wants_at_least: True if the average has to rise to the goal, False if it has to fall to it.

    Returns:
        0 where the goal is reached already; null where even 0 yen is too much, where something is missing (null or NaN), where
        there are no cases, or the total is negative.
    """
    if _is_missing(total, cases, goal):
        return None
    amount, base = _exact(total), _exact(cases)
    if base <= 0 or amount < 0:
        return None
    needed = _count_units(amount, base, goal, per=1, decimals=decimals, wants_at_least=wants_at_least)
    return needed if wants_at_least or needed <= amount else None


def people_for_points(numerator: float, denominator: float, points: float, *, decimals: int) -> int | None:
    """People needed to move a published rate by a number of points, as the distance to rank 15 of the incentive score asks.

    Args:
        numerator, denominator: Counts behind the rate.
        points: Percentage points on top of the published rate; below 0 if it has to fall.
        decimals: Of the published rate.

    Returns:
        As ``people_needed``, towards the published rate plus ``points``.
    """
    if _is_missing(numerator, denominator, points) or denominator <= 0:
        return None
    rate = 100 * Fraction(_exact(numerator)) / Fraction(_exact(denominator))
    published = Fraction(math.floor(rate * 10**decimals + Fraction(1, 2)), 10**decimals)
    goal = published + Fraction(_exact(points))
    if not 0 <= goal <= 100:
        return None
    # As a decimal again: published rates and points have few digits, so nothing is lost.
    text = str((Decimal(goal.numerator) / Decimal(goal.denominator)).quantize(Decimal("1e-9"), ROUND_HALF_UP))
    return people_needed(numerator, denominator, float(text), decimals=decimals, wants_at_least=points >= 0)


def people_needed_each(
    numerator: ArrayLike,
    denominator: ArrayLike,
    goal: ArrayLike,
    *,
    decimals: int,
    wants_at_least: bool = True,
) -> Floats:
    """``people_needed`` for arrays of one shape (or broadcast to it), NaN for null.

    Returns:
        Whole numbers as floats, exact up to 2⁵³.
    """

    def count(x: float, n: float, g: float) -> float:
        needed = people_needed(x, n, g, decimals=decimals, wants_at_least=wants_at_least)
        return np.nan if needed is None else float(needed)

    arrays = (np.asarray(given, dtype=np.float64) for given in (numerator, denominator, goal))
    return np.asarray(np.frompyfunc(count, 3, 1)(*arrays), dtype=np.float64)


def _count_units(
    count: int | Fraction, base: int | Fraction, goal: float, *, per: int, decimals: int, wants_at_least: bool
) -> int:
    """Whole units that bring per × count ÷ base, rounded half up, to the goal; whether there are so many the caller asks."""
    steps = Decimal(str(goal)).scaleb(decimals)  # of the last published digit
    parts = 2 * per * 10**decimals  # half steps in the whole
    if wants_at_least:
        lowest = 2 * math.ceil(steps) - 1  # the first half step that rounds up to the goal
        return max(0, -((count * parts - base * lowest) // parts))
    highest = 2 * math.floor(steps) + 1  # the first one that no longer rounds down to the goal
    return max(0, (count * parts - base * highest) // parts + 1)


def _exact(number: float) -> int | Fraction:
    """The shortest decimal that is the number; as a whole number, which is counted with ten times faster, where it is one."""
    return int(number) if float(number).is_integer() else Fraction(str(number))


def _is_missing(*numbers: float | None) -> bool:
    return any(number is None or math.isnan(number) for number in numbers)
