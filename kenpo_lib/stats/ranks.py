"""Ranks and deviation scores, as polars expressions."""

from __future__ import annotations

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
