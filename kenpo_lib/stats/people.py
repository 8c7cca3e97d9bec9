"""Distances in people: exact at the precision that is published."""

from __future__ import annotations

import math
from fractions import Fraction


def people_needed(
    numerator: float, denominator: float, goal: float, *, decimals: int, wants_at_least: bool = True
) -> int | None:
    """The smallest whole number of further (or fewer) people with which a rate reaches a goal at published precision.

    Args:
        numerator, denominator: Counts behind the rate.
        goal: In percent, with at most ``decimals`` decimals.
        decimals: The rate is rounded half up to these before it is compared.
        wants_at_least: True if the rate has to rise to the goal, False if it has to fall to it.

    Returns:
        0 where the goal is reached already; null where no number of people within the denominator reaches it.
    """
    count, base = Fraction(str(numerator)), Fraction(str(denominator))
    if base <= 0 or not 0 <= count <= base:
        return None
    step = Fraction(1, 10**decimals)
    goal_exact = Fraction(str(goal))
    if wants_at_least:
        lowest = math.ceil(goal_exact / step) * step - step / 2  # rounds up to the goal
        needed = max(0, math.ceil(base * lowest / 100 - count))
        return needed if count + needed <= base else None
    highest = math.floor(goal_exact / step) * step + step / 2  # the first value that no longer rounds down to the goal
    needed = max(0, math.floor(count - base * highest / 100) + 1)
    return needed if needed <= count else None
