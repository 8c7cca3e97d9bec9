"""All comparisons of 47 branches × 30 KPIs × 10 years × 13 periods in one run, beside two other ways of computing them.

Intervals (95 and 99.8 %), the change since the prior year with its interval and p, the national rate, ranks, deviation scores, funnel
scores with overdispersion, false discovery control and the recent trend: (a) by ``kenpo_lib.stats``, (b) by pandas as an analyst would
write it (columns where that is natural, ``groupby().apply`` elsewhere), (c) by statsmodels called per row, on a sample, extrapolated and
labelled so. The three must agree. Counts are made up (fixed seed). Run it with ``make bench``.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pandas as pd
import polars as pl
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    test_proportions_2indep,
)

from kenpo_lib.stats import competition_rank, deviation_score
from kenpo_lib.stats.funnel import proportion_funnel
from kenpo_lib.stats.intervals import LEVELS, proportion_interval
from kenpo_lib.stats.leave_one_out import rate_without
from kenpo_lib.stats.multiplicity import adjust_p_values, two_sided_p
from kenpo_lib.stats.recent_trend import CHI_SQUARED_998, compute_proportion_trend
from kenpo_lib.stats.two_years import difference_interval, difference_p_value

SEED = 20_240_401
BRANCHES, KPIS, YEARS, PERIODS = 47, 30, 10, 13
AXES = ["kpi", "period", "year", "branch"]
GROUP = ["kpi", "period", "year"]
TRIM = 0.1
ROUND_UP = 0.5 + 1e-9  # half up at one decimal, also for 58.449999… that stands for 58.45
TIGHT = 1e-9  # of what is compared


def make_counts(branches: int, kpis: int, years: int, periods: int) -> pl.DataFrame:
    """One row per KPI, period, year and branch, in this order, with made-up ``numerator`` and ``denominator``."""
    random = np.random.default_rng(SEED)
    size = np.exp(random.normal(9.5, 0.8, (1, 1, 1, branches)))
    level = random.normal(0.2, 0.8, (kpis, 1, 1, 1)) + random.normal(0, 0.15, (kpis, 1, 1, branches))
    drift = random.normal(0, 0.03, (kpis, 1, 1, branches)) * np.arange(years)[:, np.newaxis]
    odds = np.exp(level + drift + random.normal(0, 0.03, (kpis, periods, years, branches)))
    denominator = random.poisson(np.broadcast_to(size, odds.shape)) + 50
    numerator = random.binomial(denominator, odds / (1 + odds))
    places = np.indices(odds.shape)
    columns = {name: place.ravel().astype(np.int32) for name, place in zip(AXES, places, strict=True)}
    return pl.DataFrame(columns | {"numerator": numerator.ravel() * 1.0, "denominator": denominator.ravel() * 1.0})


# --- (a) kenpo_lib.stats ----------------------------------------------------------------------------------------------


def compare_with_stats(counts: pl.DataFrame) -> pl.DataFrame:
    """All comparisons from arrays of the shape (KPI, period, year, branch); same rows, in the same order."""
    shape = tuple(counts[name].max() + 1 for name in AXES)
    x, n = (counts[name].to_numpy().reshape(shape) for name in ("numerator", "denominator"))
    found = compare_cells_with_stats(x, n)
    found["national"] = rate_without(x, n).nation
    z = np.empty(shape)
    for place in np.ndindex(shape[:-1]):
        z[place] = proportion_funnel(x[place], n[place]).adjusted_z
    p = two_sided_p(z)
    adjusted = np.empty(shape)
    for place in np.ndindex(shape[1:3]):  # all branches and KPIs of a period and year together
        adjusted[:, *place] = adjust_p_values(p[:, *place])
    found |= {"funnel_z": z, "p_adjusted": adjusted}
    trend = np.zeros(shape, dtype=np.int8)
    by_branch = [array.swapaxes(2, 3) for array in (x, n)]
    years = np.arange(shape[2])
    for last in range(shape[2]):  # the trend up to each year
        until = slice(0, last + 1)
        trends = compute_proportion_trend(years[until], *(array[..., until] for array in by_branch))
        trend[:, :, last] = (trends.direction == "up").astype(np.int8) - (trends.direction == "down")
    found["trend"] = trend
    frame = counts.with_columns(pl.Series(name, np.ascontiguousarray(array).ravel()) for name, array in found.items())
    printed = (pl.col("value") * 10 + ROUND_UP).floor() / 10
    return frame.with_columns(
        competition_rank(printed, sign=pl.lit(1)).over(GROUP).alias("rank"),
        deviation_score(printed, over=GROUP).alias("deviation_score"),
    )


def compare_cells_with_stats(x: np.ndarray, n: np.ndarray) -> dict[str, np.ndarray]:
    """Intervals, changes and their p: the part for which statsmodels has functions."""
    found: dict[str, np.ndarray] = {}
    for level, name in zip(LEVELS, ("95", "998"), strict=True):
        interval = proportion_interval(x, n, confidence=level, multiplier=100)
        found |= {"value": interval.value, f"lower_{name}": interval.lower, f"upper_{name}": interval.upper}
    before_x, before_n = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    before_x[:, :, 1:], before_n[:, :, 1:] = x[:, :, :-1], n[:, :, :-1]
    change = difference_interval(x, n, before_x, before_n, multiplier=100)
    found |= {"change": change.value, "change_lower": change.lower, "change_upper": change.upper}
    found["change_p"] = difference_p_value(x, n, before_x, before_n)
    return found


# --- (b) pandas -------------------------------------------------------------------------------------------------------


def compare_with_pandas(counts: pd.DataFrame) -> pd.DataFrame:
    """The same by columns, ``groupby().transform`` and ``groupby().apply``."""
    frame = counts.copy()
    for level, name in zip(LEVELS, ("95", "998"), strict=True):
        lower, upper = _wilson(frame["numerator"], frame["denominator"], level)
        frame[f"lower_{name}"], frame[f"upper_{name}"] = 100 * lower, 100 * upper
    frame["value"] = 100 * frame["numerator"] / frame["denominator"]
    before = frame[[*AXES, "numerator", "denominator"]].assign(year=frame["year"] + 1)
    frame = frame.merge(before, on=AXES, how="left", suffixes=("", "_before"))
    _add_change(frame)
    groups = frame.groupby(GROUP)
    frame["national"] = 100 * groups["numerator"].transform("sum") / groups["denominator"].transform("sum")
    printed = np.floor(frame["value"] * 10 + ROUND_UP) / 10
    by_group = printed.groupby([frame[name] for name in GROUP])
    frame["rank"] = by_group.rank(method="min", ascending=False)
    spread = by_group.transform("std", ddof=0)
    frame["deviation_score"] = 50 + 10 * (printed - by_group.transform("mean")) / spread
    frame["funnel_z"] = groups[["numerator", "denominator"]].apply(_score_funnel).to_numpy().ravel()
    frame["p"] = 2 * scipy_stats.norm.sf(frame["funnel_z"].abs())
    frame["p_adjusted"] = frame.groupby(["period", "year"])["p"].transform(scipy_stats.false_discovery_control)
    by_series = frame.sort_values("year").groupby(["kpi", "period", "branch"])
    trends = by_series[["year", "numerator", "denominator"]].apply(_find_trends)
    long = trends.stack().rename("trend").rename_axis(["kpi", "period", "branch", "year"]).reset_index()
    return frame.merge(long, on=AXES, how="left")


def _wilson(x: pd.Series, n: pd.Series, level: float) -> tuple[pd.Series, pd.Series]:
    z = scipy_stats.norm.isf((1 - level) / 2)
    p = x / n
    margin = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return tuple((p + z**2 / (2 * n) + side * margin) / (1 + z**2 / n) for side in (-1, 1))


def _add_change(frame: pd.DataFrame) -> None:
    x, n, x0, n0 = (frame[c] for c in ("numerator", "denominator", "numerator_before", "denominator_before"))
    p, p0 = x / n, x0 / n0
    (low, high), (low0, high0) = _wilson(x, n, 0.95), _wilson(x0, n0, 0.95)
    frame["change"] = 100 * (p - p0)
    frame["change_lower"] = 100 * (p - p0 - np.sqrt((p - low) ** 2 + (high0 - p0) ** 2))
    frame["change_upper"] = 100 * (p - p0 + np.sqrt((high - p) ** 2 + (p0 - low0) ** 2))
    pooled = (x + x0) / (n + n0)  # where no change is supposed, the score test has a closed form
    variance = pooled * (1 - pooled) * (1 / n + 1 / n0) * (n + n0) / (n + n0 - 1)
    frame["change_p"] = 2 * scipy_stats.norm.sf((p - p0).abs() / np.sqrt(variance))


def _score_funnel(group: pd.DataFrame) -> pd.Series:
    x, n = group["numerator"], group["denominator"]
    effect, error = np.arcsin(np.sqrt(x / n)), 1 / (2 * np.sqrt(n))
    centre = np.arcsin(np.sqrt(x.sum() / n.sum()))
    z = (effect - centre) / error
    pulled_in = z.clip(z.quantile(TRIM), z.quantile(1 - TRIM))
    weights, number = 1 / error**2, len(group)
    spread = number * (pulled_in**2).mean() - (number - 1)
    tau2 = max(0.0, spread / (weights.sum() - (weights**2).sum() / weights.sum()))
    scores = (effect - centre) / np.sqrt(error**2 + tau2)
    return pd.Series(scores.to_numpy(), index=range(number))


def _find_trends(series: pd.DataFrame) -> pd.Series:
    year, x, n = (series[name].to_numpy(float) for name in ("year", "numerator", "denominator"))
    return pd.Series(
        {int(year[i]): _find_trend(year[i - 4 : i + 1], x[i - 4 : i + 1], n[i - 4 : i + 1]) for i in range(len(year))}
    )


def _find_trend(year: np.ndarray, x: np.ndarray, n: np.ndarray) -> int:
    if len(year) < 5:
        return 0
    pooled, centred = x.sum() / n.sum(), year - (n * year).sum() / n.sum()
    score = (centred * (x - n * pooled)).sum()
    if not score**2 / (pooled * (1 - pooled) * (n * centred**2).sum()) > CHI_SQUARED_998:
        return 0
    half = 0.5 if ((x == 0) | (x == n)).any() else 0.0
    odds = np.log((x + half) / (n - x + half))
    signs = {np.sign(score), np.sign(_slope(year, odds))}
    signs |= {np.sign(_slope(np.delete(year, i), np.delete(odds, i))) for i in range(5)}
    return int(signs.pop()) if len(signs) == 1 else 0


def _slope(year: np.ndarray, value: np.ndarray) -> float:
    centred = year - year.mean()
    return (centred * value).sum() / (centred**2).sum()


# --- (c) statsmodels per row --------------------------------------------------------------------------------------------


def compare_with_statsmodels(rows: pd.DataFrame) -> pd.DataFrame:
    """Intervals, changes and their p, one row a call: what statsmodels has of the comparison."""
    found = []
    for row in rows.itertuples():
        record = {}
        for level, name in zip(LEVELS, ("95", "998"), strict=True):
            limits = proportion_confint(row.numerator, row.denominator, alpha=1 - level, method="wilson")
            record |= {f"lower_{name}": 100 * limits[0], f"upper_{name}": 100 * limits[1]}
        years = (row.numerator, row.denominator, row.numerator_before, row.denominator_before)
        if not np.isnan(row.numerator_before):
            limits = confint_proportions_2indep(*years, method="newcomb", compare="diff")
            tested = test_proportions_2indep(*years, method="score", compare="diff")
            record |= {"change_lower": 100 * limits[0], "change_upper": 100 * limits[1], "change_p": tested.pvalue}
        found.append(record)
    return pd.DataFrame(found, index=rows.index)


def adjust_with_statsmodels(frame: pd.DataFrame) -> pd.Series:
    """Benjamini–Hochberg for each period and year, one call each."""
    return frame.groupby(["period", "year"])["p"].transform(lambda p: multipletests(p, method="fdr_bh")[1])


# --- measuring --------------------------------------------------------------------------------------------------------

NUMBERS = (
    *("value", "lower_95", "upper_95", "lower_998", "upper_998", "change", "change_lower", "change_upper", "change_p"),
    *("national", "rank", "deviation_score", "funnel_z", "p_adjusted"),
)
EXACT = ("trend",)
T = TypeVar("T")


def largest_difference(ours: pd.DataFrame, theirs: pd.DataFrame) -> float:
    """The largest difference of any number, relative to its size where that is above 1.

    Raises:
        AssertionError: A number is missing on one side only, a number differs, or a trend does.
    """
    largest = 0.0
    for name in theirs.columns.intersection([*NUMBERS, *EXACT]):
        a, b = (frame[name].to_numpy(float) for frame in (ours, theirs))
        assert (np.isnan(a) == np.isnan(b)).all(), f"{name}: not missing in the same places"
        difference = np.nanmax(np.abs(a - b) / np.maximum(1, np.abs(b)))
        assert difference <= (0 if name in EXACT else TIGHT), f"{name} differs by {difference:g}"
        largest = max(largest, float(difference))
    return largest


def measure(work: Callable[[], T], *, repeat: int = 1) -> tuple[T, float]:
    """What came out, and the wall seconds of the fastest run: the one that other work on the machine disturbed least."""
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return result, min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kpis", type=int, default=KPIS)
    parser.add_argument("--periods", type=int, default=PERIODS)
    parser.add_argument("--sample", type=int, default=3000, help="rows given to statsmodels")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    counts = make_counts(BRANCHES, options.kpis, YEARS, options.periods)
    made_up = counts.to_pandas()
    ours, seconds = measure(lambda: compare_with_stats(counts), repeat=options.repeat)
    ours = ours.to_pandas()
    shape = tuple(counts[name].max() + 1 for name in AXES)
    arrays = [counts[name].to_numpy().reshape(shape) for name in ("numerator", "denominator")]
    _, cell_seconds = measure(lambda: compare_cells_with_stats(*arrays), repeat=options.repeat)
    by_pandas, pandas_seconds = measure(lambda: compare_with_pandas(made_up), repeat=options.repeat)
    by_pandas = by_pandas.sort_values(AXES, ignore_index=True)
    difference = largest_difference(ours, by_pandas)
    sample = by_pandas.sample(min(options.sample, len(by_pandas)), random_state=SEED)
    by_row, row_seconds = measure(lambda: compare_with_statsmodels(sample), repeat=options.repeat)
    sample_difference = largest_difference(ours.loc[sample.index], by_row)
    largest_difference(ours, adjust_with_statsmodels(by_pandas).to_frame("p_adjusted"))
    extrapolated = row_seconds * len(ours) / len(sample)
    print(
        f"rows: {len(ours):,} ({BRANCHES} branches × {options.kpis} KPIs × {YEARS} years × {options.periods} periods)"
    )
    print(f"cores: {os.cpu_count()}; seconds are those of the fastest of {options.repeat} runs")
    print(f"all comparisons, kenpo_lib.stats: {seconds:.1f} s")
    print(f"all comparisons, pandas: {pandas_seconds:.1f} s; ratio {pandas_seconds / seconds:.1f}")
    print(f"intervals, changes and p only, kenpo_lib.stats: {cell_seconds:.2f} s")
    print(
        f"intervals, changes and p only, statsmodels per row: {row_seconds:.2f} s for {len(sample):,} rows, "
        f"extrapolated to all rows {extrapolated:.0f} s; ratio {extrapolated / cell_seconds:.0f}"
    )
    print(
        f"largest difference: {difference:.1e} from pandas, {sample_difference:.1e} from statsmodels; trends all equal"
    )


if __name__ == "__main__":
    main()
