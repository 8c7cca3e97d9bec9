"""The grain of the comparison: what a row, a series and a group of branches is, how many make a group, and which years there are."""

from __future__ import annotations

from collections.abc import Iterable

from kenpo_lib.errors import InputError
from kenpo_lib.language import say

SERIES = ["kpi_id", "definition"]
GROUP = [*SERIES, "fiscal_year"]
CELL = ["branch_code", *GROUP]
BRANCH_COUNT = 47
LARGE_GROUP = 200  # more branches than this are not listed, drawn or compared one by one
MIN_POSITION_BRANCHES = 10  # a place among fewer says little: they may be the extremes only


def check_year(fiscal_year: int, years: Iterable[int]) -> None:
    """Refuse a year without data, naming the years that have some.

    Raises:
        InputError: ``fiscal_year`` is none of ``years``.
    """
    known = sorted(set(years))
    if fiscal_year not in known:
        listed = ", ".join(map(str, known))
        raise InputError(
            say(
                f"{fiscal_year}年度のデータはありません。データのある年度: {listed}",
                f"There are no data for fiscal year {fiscal_year}. Years with data: {listed}",
            )
        )
