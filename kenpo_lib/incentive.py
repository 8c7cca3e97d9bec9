"""The incentive score: one row per branch, with everything that is said about the scheme of a year.

A reading of the public formula, not the association's own calculation; ``READING_NOTE`` says so and stands wherever the figures
are shown. The methods, and what is read into the formula, are in ``kenpo_lib.stats.incentive``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from kenpo_lib.catalogue import NATION, Catalogue
from kenpo_lib.curated import Tables
from kenpo_lib.errors import InputError
from kenpo_lib.grain import LARGE_GROUP
from kenpo_lib.language import Text, say
from kenpo_lib.proxies import WORKING_AGE_BANDS
from kenpo_lib.stats import incentive as scoring
from kenpo_lib.stats.incentive import FIRST_NEW_YEAR, FIRST_YEAR, INDICATORS, IncentiveScore
from kenpo_lib.stats.incentive_reward import find_fund_rate, share_reward
from kenpo_lib.stats.incentive_steps import find_way_to_reward, try_one_more

READING_NOTE = Text(scoring.READING_NOTE["ja"], scoring.READING_NOTE["en"])
REWARD_DELAY = 2  # years until the reward enters the premium rate
PUBLISHED_EFFECT = "インセンティブ分(前々年度実績)"  # the part of the published premium rate that is due to the scheme
# What there is of each indicator; as columns of the wide frame, after the KPI's id and an underscore.
PARTS = (
    *("value", "prior_value", "level_score", "rate_growth_score", "count_growth_score"),
    *("level_points", "growth_points", "points", "plus_one_points", "plus_one_ranks", "increase_needed"),
)
_WHOLE = {"plus_one_ranks"}
_SCHEMES = {False: f"FY{FIRST_YEAR}-{FIRST_NEW_YEAR - 1}", True: f"FY{FIRST_NEW_YEAR}-"}


def list_incentive_years(tables: Tables, catalogue: Catalogue) -> list[int]:
    """The years that can be scored: all five indicators known in the year and in the one before, which growth needs.

    None for more units than a large group: the scheme is one among the association's branches, and what each could still do is
    tried out against all others.
    """
    if len(catalogue.branch_codes) > LARGE_GROUP:
        return []
    finals = _pick_finals(tables).filter(pl.col("branch_code") != NATION)
    known: dict[int, set[str]] = {}
    for kpi_id, definition, year in finals.select("kpi_id", "definition", "fiscal_year").unique().iter_rows():
        if kpi_id in catalogue.kpis and catalogue.kpis[kpi_id].definitions[definition].is_in_force(year):
            known.setdefault(year, set()).add(kpi_id)
    full = {year for year, indicators in known.items() if len(indicators) == len(INDICATORS)}
    return sorted(year for year in full if year - 1 in full and year >= FIRST_YEAR)


def compute_incentive(tables: Tables, catalogue: Catalogue, *, fiscal_year: int) -> pl.DataFrame:
    """Score every branch under the scheme of the year.

    Growth of counts is that of rate × projected subscribers aged 40–74, where both years have these for all branches; else
    growth of the rate stands for it (``count_growth_by``). The reward is shared out by the total remuneration projected for the
    year in which it enters the premium rate, two years later.

    Args:
        tables: The curated tables; uses ``observations``, ``statistics`` and ``sources``.
        catalogue: Branches, and the definition of each indicator in force in the year.
        fiscal_year: The year of performance.

    Returns:
        One row per branch (47), by code; the columns are described in ``docs/data_dictionary.md``. Where a branch lacks an
        indicator, its score and rank are null, the others are ranked among themselves (``ranked_count``), and who is rewarded,
        with how much and how far it is to there is null for everybody.

    Raises:
        InputError: A year that cannot be scored; those that can are named.
    """
    years = list_incentive_years(tables, catalogue)
    if fiscal_year not in years:
        listed = ", ".join(map(str, years)) or say("なし", "none")
        raise InputError(
            say(
                f"{fiscal_year}年度のインセンティブ得点は計算できません。計算できる年度: {listed}",
                f"There is no incentive score for fiscal year {fiscal_year}. Years that can be scored: {listed}",
            )
        )
    inputs = _read_inputs(tables, catalogue, fiscal_year)
    score, step, way = scoring.score_year(**inputs), try_one_more(**inputs), find_way_to_reward(**inputs)
    remuneration = _read_statistic(tables, catalogue, "total_remuneration", ("total",), year=fiscal_year + REWARD_DELAY)
    is_known = ~np.isnan(score.total)
    scores = {
        **{"value": inputs["current"], "prior_value": inputs["prior"], "level_score": score.deviation[..., 0]},
        **{"rate_growth_score": score.deviation[..., 1], "count_growth_score": score.deviation[..., 2]},
        **{"level_points": score.level_points, "growth_points": score.growth_points, "points": score.points},
        **{"plus_one_points": step.total_gain, "plus_one_ranks": step.rank_gain},
        "increase_needed": _if_complete(score, way.increase),
    }
    left_out = [f"{kpi_id}:{component}" for kpi_id, component in score.left_out]
    columns = [
        *_describe_branches(catalogue, fiscal_year),
        *_numbers(
            level_points=np.where(is_known, score.level_points.sum(axis=1), np.nan),
            growth_points=np.where(is_known, score.growth_points.sum(axis=1), np.nan),
            total=score.total,
        ),
        _whole("rank", score.rank),
        pl.Series("is_rewarded", [bool(r) if score.is_complete else None for r in score.is_rewarded], dtype=pl.Boolean),
        *_numbers(points_to_reward=_if_complete(score, way.points), points_ahead=_measure_lead(score)),
        *_compute_reward(score, remuneration),
        *_read_published(tables, catalogue, year=fiscal_year + REWARD_DELAY),
        *_split_by_indicator(scores),
        pl.Series("left_out", [left_out] * len(is_known), dtype=pl.List(pl.String)),
    ]
    return pl.DataFrame(columns).with_columns(
        pl.lit(score.scheme.rewarded, pl.Int32).alias("rewarded_ranks"),
        pl.lit(int(is_known.sum()), pl.Int32).alias("ranked_count"),
        pl.lit(float(sum(score.scheme.points))).alias("mean_total"),
        pl.lit("rate" if inputs["eligible"] is None else "subscribers_40_74").alias("count_growth_by"),
        pl.lit(fiscal_year == years[0]).alias("is_first_with_growth"),
        pl.lit(True).alias("is_approximate"),
    )


def list_indicators(incentive: pl.DataFrame) -> pl.DataFrame:
    """The same figures by indicator: one row per branch × indicator, in the order of the scheme.

    Args:
        incentive: From ``compute_incentive``.

    Returns:
        ``branch_code``, ``kpi_id``, the parts as columns (``value``, ``level_score``, … see ``PARTS``), and the means of
        ``level_points`` and ``growth_points`` over the branches that have them (``mean_level_points``,
        ``mean_growth_points``).
    """
    long = pl.concat(
        incentive.select(
            "branch_code",
            pl.lit(kpi_id).alias("kpi_id"),
            *(pl.col(f"{kpi_id}_{part}").alias(part) for part in PARTS),
        )
        for kpi_id in INDICATORS
    )
    means = (pl.col(part).mean().over("kpi_id").alias(f"mean_{part}") for part in ("level_points", "growth_points"))
    return long.with_columns(means)


# --- reading --------------------------------------------------------------------------------------------------------


def _read_inputs(tables: Tables, catalogue: Catalogue, fiscal_year: int) -> dict[str, Any]:
    """What the methods are called with; the proxy for counts is None unless all branches have it in both years."""
    current, prior = (
        _read_rates(tables, catalogue, year=year, rules_of=fiscal_year) for year in (fiscal_year, fiscal_year - 1)
    )
    eligible, before = (
        _read_statistic(tables, catalogue, "subscribers", WORKING_AGE_BANDS, year=year)
        for year in (fiscal_year, fiscal_year - 1)
    )
    has_proxy = bool((eligible > 0).all() and (before > 0).all())
    return {
        **{"current": current, "prior": prior, "fiscal_year": fiscal_year},
        **{"eligible": eligible if has_proxy else None, "prior_eligible": before if has_proxy else None},
    }


def _pick_finals(tables: Tables) -> pl.DataFrame:
    """Final whole-year values of the five indicators, of the newest source where there are several."""
    return (
        tables["observations"]
        .filter(
            pl.col("kpi_id").is_in(INDICATORS)
            & (pl.col("component") == "total")
            & (pl.col("status") == "final")
            & (pl.col("period") == "FY")
            & pl.col("value").is_not_null()
        )
        .pipe(_pick_newest, tables["sources"], on=["branch_code", "kpi_id", "definition", "fiscal_year"])
    )


def _pick_newest(frame: pl.DataFrame, sources: pl.DataFrame, *, on: list[str]) -> pl.DataFrame:
    return (
        frame.join(sources.select("source_id", "order_date"), on="source_id", how="left")
        .sort("order_date", "source_id", descending=True, maintain_order=True)
        .unique(on, keep="first", maintain_order=True)
        .drop("order_date")
    )


def _read_rates(tables: Tables, catalogue: Catalogue, *, year: int, rules_of: int) -> np.ndarray:
    """Rates of a year under the definitions in force in ``rules_of``, (47, 5); NaN where missing or under another one."""
    values = {
        (row["branch_code"], row["kpi_id"]): row["value"]
        for row in _pick_finals(tables).filter(pl.col("fiscal_year") == year).iter_rows(named=True)
        if catalogue.kpis[row["kpi_id"]].definition_in_force(rules_of).definition == row["definition"]
    }
    return np.array(
        [[values.get((code, kpi_id), np.nan) for kpi_id in INDICATORS] for code in catalogue.branch_codes], dtype=float
    )


def _read_statistic(
    tables: Tables, catalogue: Catalogue, statistic: str, components: tuple[str, ...], *, year: int
) -> np.ndarray:
    """The sum of a statistic's components by branch, (47,); NaN where one is missing."""
    found = tables["statistics"].filter(
        (pl.col("statistic") == statistic)
        & pl.col("component").is_in(components)
        & (pl.col("fiscal_year") == year)
        & pl.col("value").is_not_null()
    )
    sums = (
        _pick_newest(found, tables["sources"], on=["branch_code", "component"])
        .group_by("branch_code")
        .agg(pl.col("value").sum(), pl.len().alias("parts"))
        .filter(pl.col("parts") == len(components))
    )
    by_code = dict(sums.select("branch_code", "value").iter_rows())
    return np.array([by_code.get(code, np.nan) for code in catalogue.branch_codes], dtype=float)


def _read_published(tables: Tables, catalogue: Catalogue, *, year: int) -> list[pl.Series]:
    """What the published premium rates of the year contain as the effect of the scheme, and its printed decimals."""
    found = tables["observations"].filter(
        (pl.col("kpi_id") == "premium_rate")
        & (pl.col("component") == PUBLISHED_EFFECT)
        & (pl.col("fiscal_year") == year)
        & (pl.col("status") == "final")
        & pl.col("value").is_not_null()
    )
    rows = _pick_newest(found, tables["sources"], on=["branch_code"]).iter_rows(named=True)
    by_code = {row["branch_code"]: row["value"] for row in rows}
    # One table prints one precision, and some cells of it without their last zeros.
    decimals = found["decimals"].max()
    return [
        pl.Series("published_net_pct", [by_code.get(code) for code in catalogue.branch_codes], dtype=pl.Float64),
        pl.Series("published_net_decimals", [decimals] * len(catalogue.branch_codes), dtype=pl.Int32),
    ]


# --- columns --------------------------------------------------------------------------------------------------------


def _describe_branches(catalogue: Catalogue, fiscal_year: int) -> list[pl.Series]:
    branches = [catalogue.branches[code] for code in catalogue.branch_codes]
    return [
        pl.Series("branch_code", [branch.branch_code for branch in branches]),
        pl.Series("branch_name", [branch.name.ja for branch in branches]),
        pl.Series("block", [branch.block.ja for branch in branches]),
        pl.Series("fiscal_year", [fiscal_year] * len(branches), dtype=pl.Int32),
        pl.Series("scheme", [_SCHEMES[fiscal_year >= FIRST_NEW_YEAR]] * len(branches)),
    ]


def _numbers(**columns: np.ndarray) -> list[pl.Series]:
    return [pl.Series(name, values).fill_nan(None) for name, values in columns.items()]


def _whole(name: str, values: np.ndarray) -> pl.Series:
    return pl.Series(name, values).fill_nan(None).cast(pl.Int32)


def _if_complete(score: IncentiveScore, values: np.ndarray) -> np.ndarray:
    """NaN throughout where a branch has no total: it could be anywhere."""
    return values if score.is_complete else np.full_like(values, np.nan)


def _measure_lead(score: IncentiveScore) -> np.ndarray:
    """Points above the first branch without reward, for those rewarded; NaN for the others."""
    threshold = np.max(score.total, where=~score.is_rewarded, initial=-np.inf)
    lead = np.round(score.total - threshold, scoring.TIE_DECIMALS) if np.isfinite(threshold) else np.nan
    return _if_complete(score, np.where(score.is_rewarded, lead, np.nan))


def _compute_reward(score: IncentiveScore, remuneration: np.ndarray) -> list[pl.Series]:
    """The reward as a change of the premium rate (percentage points) and in money (million yen)."""
    reward = share_reward(score.total, remuneration, fiscal_year=score.fiscal_year)
    fund = np.full(score.total.shape, find_fund_rate(score.fiscal_year))
    entering = [score.fiscal_year + REWARD_DELAY] * score.total.size
    return [
        pl.Series("reward_year", entering, dtype=pl.Int32),
        *_numbers(
            remuneration_million_yen=remuneration,
            fund_pct=fund,
            reward_pct=reward.reduction,
            net_pct=reward.net,
            reward_million_yen=reward.reduction / 100 * remuneration,
        ),
    ]


def _split_by_indicator(scores: Mapping[str, np.ndarray]) -> list[pl.Series]:
    return [
        _whole(f"{kpi_id}_{part}", scores[part][:, k])
        if part in _WHOLE
        else pl.Series(f"{kpi_id}_{part}", scores[part][:, k]).fill_nan(None)
        for k, kpi_id in enumerate(INDICATORS)
        for part in PARTS
    ]
