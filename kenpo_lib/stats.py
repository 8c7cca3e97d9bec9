"""Ranks, deviation scores and distances in people. Pure: numbers and expressions in, numbers and expressions out."""

from __future__ import annotations

import math
from fractions import Fraction

import polars as pl


def competition_rank(value: pl.Expr, *, sign: pl.Expr) -> pl.Expr:
    """Competition rank (1, 1, 3): ties share the better rank, nulls get none.

    Args:
        value: What is ranked, already rounded to the precision at which ties count as ties.
        sign: +1 where more is better, −1 where less is better; 0 ranks from high to low.
    """
    better_first = pl.when(sign < 0).then(value).otherwise(-value)
    return better_first.rank(method="min").cast(pl.Int32)


def deviation_score(value: pl.Expr, *, over: list[str]) -> pl.Expr:
    """Deviation score 50 + 10 (x − mean) / SD, with the unweighted mean and the population SD of the group.

    Null where the group has no spread (all equal, or one value): a score would be made up.
    """
    spread = value.std(ddof=0).over(over)
    return pl.when(spread > 0).then(50 + 10 * (value - value.mean().over(over)) / spread)


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
