"""The reward of the incentive scheme, as it changes the premium rates two years later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kenpo_lib.stats._arrays import Floats, check_not_negative, divide, to_floats
from kenpo_lib.stats._showing import Shown
from kenpo_lib.stats.incentive import TIE_DECIMALS, find_scheme

# Percent of all remuneration, by year of performance; it enters the premium rate two years later.
FUND_RATES = {2018: 0.004, 2019: 0.007, 2020: 0.007}
FUND_RATE_SINCE_2021 = 0.01


@dataclass(frozen=True, slots=True)
class Reward(Shown):
    """Of each branch, in percentage points of its premium rate, both of shape (…, branches)."""

    reduction: Floats  # what the reward takes off; 0 without reward
    net: Floats  # fund rate − reduction: what the scheme does to the premium rate, below 0 where it lowers it


def find_fund_rate(fiscal_year: int) -> float:
    """The fund for a year of performance, in percent of all remuneration.

    Raises:
        ValueError: Before FY2018 there was none.

    Source: The association's pages on the scheme (kyoukaikenpo.or.jp), which list the steps.
    """
    find_scheme(fiscal_year)
    return FUND_RATES.get(fiscal_year, FUND_RATE_SINCE_2021)


def share_reward(total: ArrayLike, remuneration: ArrayLike, *, fiscal_year: int) -> Reward:
    """Share the fund out among the rewarded branches and state it as a change of their premium rates.

    Each branch gets the part of the fund that its max(0, T − T_min) × remuneration is of all of these, T_min being the total of
    the first branch without reward: rank 24 of 47, the median, before FY2022, and rank 16 since. In its premium rate, this is
    max(0, T − T_min) × fund rate × Σ remuneration ÷ Σ(max(0, T − T_min) × remuneration).

    Args:
        total: Shape (…, branches).
        remuneration: Total remuneration of each branch, (branches,); budget projections make the result approximate.
        fiscal_year: The year of performance.

    Returns:
        Percentage points; all NaN where any total or remuneration is missing, there are too few branches for a threshold, or
        nobody is above it.

    Raises:
        ValueError: Negative remuneration, or a year before the scheme.

    Source: Ordinance for Enforcement of the Health Insurance Act (健康保険法施行規則), article 135-5-2, as added in March 2018; the
    threshold from FY2022 is inferred from the number of rewarded branches.
    """
    rewarded, fund_rate = find_scheme(fiscal_year).rewarded, find_fund_rate(fiscal_year)
    totals, money = to_floats(total=total, remuneration=remuneration)
    totals, money = np.atleast_1d(totals, money)
    check_not_negative(remuneration=money)
    if totals.shape[-1] <= rewarded:
        nothing = np.full(totals.shape, np.nan)
        return Reward(reduction=nothing, net=nothing)
    threshold = np.sort(totals, axis=-1)[..., [-1 - rewarded]]  # NaN sorts last, but makes the sum below NaN anyway
    excess = np.maximum(np.round(totals - threshold, TIE_DECIMALS), 0)
    shared = divide(fund_rate * money.sum(), (excess * money).sum(axis=-1, keepdims=True))
    reduction = excess * shared
    return Reward(reduction=reduction, net=fund_rate - reduction)
