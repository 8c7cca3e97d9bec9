"""How sure the comparison is: adds columns to it, never rows, and one verdict per cell.

What needs counts is computed where counts are published and is null, with a reason, everywhere else: no interval without counts.
Statistical difference (is it more than chance?) and practical difference (does it matter?) are two columns. With denominators
of 10⁵ nearly everything is significant and little of it matters.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from kenpo_lib.catalogue import Catalogue, Unit
from kenpo_lib.grain import BRANCH_COUNT, GROUP, SERIES
from kenpo_lib.spread import MIN_FUNNEL_BRANCHES, funnel_centre
from kenpo_lib.stats.funnel import proportion_funnel
from kenpo_lib.stats.groups import percentile_ranks, quantile_groups
from kenpo_lib.stats.intervals import LEVELS, proportion_interval
from kenpo_lib.stats.leave_one_out import mean_without, published_without, rate_without
from kenpo_lib.stats.multiplicity import adjust_p_values, two_sided_p
from kenpo_lib.stats.pace import compute_pace
from kenpo_lib.stats.rank_sets import rank_confidence_sets, rank_movement
from kenpo_lib.stats.recent_trend import compute_proportion_trend, judge_trend
from kenpo_lib.stats.shrinkage import shrink_proportions
from kenpo_lib.stats.two_years import difference_interval, difference_p_value

QUANTILE_GROUPS = 5
SIGNIFICANCE = 0.05

Group = pl.DataFrame
Columns = dict[str, list]


def add_uncertainty(frame: pl.DataFrame, catalogue: Catalogue, *, weights: pl.DataFrame) -> pl.DataFrame:
    """Add intervals, changes, trends, rank intervals, funnel positions, shrunken values and the verdicts.

    Args:
        frame: The comparison of the branches without the nation.
        catalogue: Proportions, directions and the differences that matter.
        weights: ``kpi_id``, ``branch_code``, ``fiscal_year``, ``weight``: the stated proxy of the denominators.

    Returns:
        The same rows in the same order with the columns described in ``docs/data_dictionary.md``. Nothing here is computed for
        a value without published counts but its rank movement, its quantile group and the nation without it.
    """
    proportions = [kpi.kpi_id for kpi in catalogue.kpis.values() if kpi.proportion]
    sign = pl.col("direction").replace_strict(
        {"higher_is_better": 1, "lower_is_better": -1, "neither": 0}, return_dtype=pl.Int8
    )
    counted = (
        pl.col("kpi_id").is_in(proportions)
        & pl.col("value").is_not_null()
        & pl.col("numerator").is_between(0, pl.col("denominator"))
        & (pl.col("denominator") > 0)
    )
    ordered = frame.with_row_index("_row").with_columns(sign.alias("sign"), counted.fill_null(False).alias("_counted"))
    ordered = ordered.join(weights, on=["kpi_id", "branch_code", "fiscal_year"], how="left")
    return (
        ordered.pipe(_add_intervals, proportions=proportions)
        .pipe(_add_change)
        .pipe(_add_trend)
        .pipe(_add_by_group, _describe_group)
        .pipe(_add_rank_movement)
        .pipe(_add_pace, catalogue=catalogue)
        .pipe(_add_verdict, catalogue=catalogue)
        .sort("_row")
        .drop("_row", "_counted", "sign", "weight")
    )


def _numbers(frame: pl.DataFrame, column: str, *, where: str | None = None) -> np.ndarray:
    """A column as floats, NaN for null and, if ``where`` names a flag, for rows without it."""
    values = frame[column].cast(pl.Float64).to_numpy().astype(float)
    return values if where is None else np.where(frame[where].to_numpy(), values, np.nan)


def _series(name: str, values: np.ndarray | list) -> pl.Series:
    """Floats with null in place of NaN."""
    return pl.Series(name, np.asarray(values, dtype=float)).fill_nan(None)


# --- one cell -------------------------------------------------------------------------------------------------------


def _add_intervals(frame: pl.DataFrame, *, proportions: list[str]) -> pl.DataFrame:
    """Wilson intervals at 95 and 99.8 %, and why a cell has none."""
    numerator, denominator = (_numbers(frame, name, where="_counted") for name in ("numerator", "denominator"))
    inner, outer = (proportion_interval(numerator, denominator, confidence=level, multiplier=100) for level in LEVELS)
    reason = (
        pl.when(pl.col("_counted"))
        .then(None)
        .when(pl.col("value").is_null())
        .then(pl.lit("no_value"))
        .when(~pl.col("kpi_id").is_in(proportions))
        .then(pl.lit("not_a_proportion"))
        .when(pl.col("numerator").is_null() | pl.col("denominator").is_null())
        .then(pl.lit("no_counts"))
        .otherwise(
            pl.lit("impossible_counts")
        )  # validation stops these; a comparison without it must not fall over them
    )
    return frame.with_columns(
        _series("lower_95", inner.lower),
        _series("upper_95", inner.upper),
        _series("lower_998", outer.lower),
        _series("upper_998", outer.upper),
        pl.when(pl.col("_counted")).then(pl.lit("wilson")).alias("interval_method"),
        reason.alias("interval_reason"),
    )


def _add_change(frame: pl.DataFrame) -> pl.DataFrame:
    """The change since the prior year with Newcombe's interval and its p; and the change beside the nation's."""
    prior = frame.filter(pl.col("_counted")).select(
        "branch_code",
        *SERIES,
        (pl.col("fiscal_year") + 1).alias("fiscal_year"),
        pl.col("numerator").alias("_prior_numerator"),
        pl.col("denominator").alias("_prior_denominator"),
    )
    nation = frame.select(
        "branch_code",
        *SERIES,
        (pl.col("fiscal_year") + 1).alias("fiscal_year"),
        pl.col("national").alias("_prior_national"),
        pl.col("national_kind").alias("_prior_kind"),
    )
    key = ["branch_code", *GROUP]
    frame = frame.join(prior, on=key, how="left").join(nation, on=key, how="left").sort("_row")
    counts = [_numbers(frame, name, where="_counted") for name in ("numerator", "denominator")]
    counts += [_numbers(frame, name) for name in ("_prior_numerator", "_prior_denominator")]
    interval = difference_interval(*counts, multiplier=100)
    # Only figures of one kind are compared: a published nation last year and an estimate this year make no change.
    same_kind = pl.col("national_kind") == pl.col("_prior_kind")
    in_points = pl.col("unit").is_in([unit.value for unit in Unit if not unit.differs_in_percent])
    national_change = pl.when(same_kind & in_points).then(pl.col("national") - pl.col("_prior_national"))
    return frame.with_columns(
        _series("prior_change_lower", interval.lower),
        _series("prior_change_upper", interval.upper),
        _series("prior_change_p", np.asarray(difference_p_value(*counts), dtype=float)),
        national_change.alias("national_change"),
        (pl.col("prior_difference") - national_change).alias("change_against_nation"),
    ).drop("_prior_numerator", "_prior_denominator", "_prior_national", "_prior_kind")


def _add_trend(frame: pl.DataFrame) -> pl.DataFrame:
    """The recent trend over five years within one definition, up to the year of the row; and the run of like changes."""
    known = frame.filter(pl.col("value").is_not_null()).sort("branch_code", *SERIES, "fiscal_year")
    records: list[dict] = []
    for _, series in known.group_by("branch_code", *SERIES, maintain_order=True):
        years = _numbers(series, "fiscal_year")
        numerators, denominators = (_numbers(series, name, where="_counted") for name in ("numerator", "denominator"))
        runs = _count_runs(years, _numbers(series, "value"))
        for index, row in enumerate(series.select("_row", "sign").iter_rows(named=True)):
            records.append({"_row": row["_row"], **_trend_until(index, years, numerators, denominators, row["sign"])})
            records[-1]["run_years"] = runs[index]
    schema = {
        "_row": pl.UInt32,
        "trend_direction": pl.String,
        "trend_word": pl.String,
        "trend_reason": pl.String,
        "trend_statistic": pl.Float64,
        "trend_points": pl.Int32,
        "run_years": pl.Int32,
    }
    return frame.join(pl.DataFrame(records, schema=schema), on="_row", how="left").sort("_row")


def _trend_until(index: int, years: np.ndarray, numerators: np.ndarray, denominators: np.ndarray, sign: int) -> dict:
    until = slice(0, index + 1)
    if np.isnan(numerators[index]):
        return {"trend_direction": "cannot_tell", "trend_word": "cannot_tell", "trend_reason": "no_counts"}
    trend = compute_proportion_trend(years[until], numerators[until], denominators[until])
    return {
        "trend_direction": str(trend.direction),
        "trend_word": str(judge_trend(trend.direction, sign)),
        "trend_reason": str(trend.reason) or None,
        "trend_statistic": None if np.isnan(trend.statistic) else float(trend.statistic),
        "trend_points": int(trend.points),
    }


def _count_runs(years: np.ndarray, values: np.ndarray) -> list[int]:
    """For each year, how many yearly changes in a row went its way: 3 for a third rise, −2 for a second fall, 0 otherwise."""
    runs = [0]
    for index in range(1, len(values)):
        step = int(np.sign(values[index] - values[index - 1])) if years[index] == years[index - 1] + 1 else 0
        runs.append(runs[-1] + step if step and runs[-1] * step > 0 else step)
    return runs


# --- one group: the branches of one KPI, definition and year ---------------------------------------------------------

_GROUP_FLOATS = (
    *("national_without_branch", "quantile_group", "percentile"),
    *("rank_lower", "rank_upper", "rank_lower_all", "rank_upper_all"),
    *("funnel_z", "funnel_adjusted_z", "p_value", "shrunk_value", "shrunk_lower", "shrunk_upper", "shrunk_weight"),
)
_GROUP_TEXTS = ("national_without_kind", "funnel_position", "funnel_adjusted_position")


def _add_by_group(frame: pl.DataFrame, describe: Callable[[Group], Columns]) -> pl.DataFrame:
    parts = [
        group.select("_row").with_columns(
            *(_series(name, columns.get(name, np.full(group.height, np.nan))) for name in _GROUP_FLOATS),
            *(
                pl.Series(name, columns.get(name, [None] * group.height), dtype=pl.String).replace("", None)
                for name in _GROUP_TEXTS
            ),
        )
        for _, group in frame.group_by(GROUP, maintain_order=True)
        for columns in (describe(group),)
    ]
    empty = (
        frame.select("_row")
        .clear()
        .with_columns(
            *(pl.lit(None, dtype=pl.Float64).alias(name) for name in _GROUP_FLOATS),
            *(pl.lit(None, dtype=pl.String).alias(name) for name in _GROUP_TEXTS),
        )
    )
    whole = pl.concat([empty, *parts]).with_columns(
        pl.col("quantile_group", "rank_lower", "rank_upper", "rank_lower_all", "rank_upper_all").cast(pl.Int32)
    )
    return frame.join(whole, on="_row", how="left").sort("_row")


def _describe_group(group: Group) -> Columns:
    columns: Columns = {}
    sign = int(group["sign"][0])
    rated = np.where(group["rank"].is_not_null().to_numpy(), _numbers(group, "value"), np.nan)
    if np.isfinite(rated).sum() == BRANCH_COUNT:
        columns["quantile_group"] = quantile_groups(rated, groups=QUANTILE_GROUPS, sign=sign)
        columns["percentile"] = percentile_ranks(rated, sign=sign)
    columns |= _describe_nation_without(group)
    counted = group["_counted"].to_numpy()
    if counted.sum() >= MIN_FUNNEL_BRANCHES and counted.sum() == np.isfinite(rated).sum():
        columns |= _describe_spread(group, sign=sign)
    return columns


def _describe_nation_without(group: Group) -> Columns:
    """The nation without each branch, by the same kind of figure as the national one beside it."""
    kind = group["national_kind"][0]
    values, weight = _numbers(group, "value"), _numbers(group, "weight")
    is_complete = np.isfinite(values).sum() == BRANCH_COUNT
    if kind == "summed":
        found = rate_without(_numbers(group, "numerator"), _numbers(group, "denominator"), is_proportion=False)
        name = "summed"
    elif kind in ("weighted", "mean") and is_complete:
        found = mean_without(values, weight if kind == "weighted" else None)
        name = kind
    elif kind == "published" and is_complete and np.isfinite(weight).sum() == BRANCH_COUNT:
        found = published_without(group["national"][0], values, weight)
        name = "estimated"
    else:
        return {}
    without = np.broadcast_to(found.without, values.shape)
    return {
        "national_without_branch": without,
        "national_without_kind": [name if np.isfinite(value) else None for value in without],
    }


def _describe_spread(group: Group, *, sign: int) -> Columns:
    """Funnel, shrinkage and rank sets of a group whose ranked branches all have counts."""
    numerator, denominator = (_numbers(group, name, where="_counted") for name in ("numerator", "denominator"))
    centre = funnel_centre(group)
    funnel = proportion_funnel(numerator, denominator, centre=centre, multiplier=100)
    shrunk = shrink_proportions(numerator, denominator, centre=centre, multiplier=100)
    share = numerator / denominator
    error = 100 * np.sqrt(share * (1 - share) / denominator)
    one, every = (
        rank_confidence_sets(100 * share, error, sign=sign, simultaneous=simultaneous) for simultaneous in (False, True)
    )
    return {
        "funnel_z": funnel.z,
        "funnel_position": list(funnel.position),
        "funnel_adjusted_z": funnel.adjusted_z,
        "funnel_adjusted_position": list(funnel.adjusted_position),
        "p_value": np.asarray(two_sided_p(funnel.adjusted_z), dtype=float),
        "shrunk_value": shrunk.interval.value,
        "shrunk_lower": shrunk.interval.lower,
        "shrunk_upper": shrunk.interval.upper,
        "shrunk_weight": shrunk.weight,
        "rank_lower": one.lower,
        "rank_upper": one.upper,
        "rank_lower_all": every.lower,
        "rank_upper_all": every.upper,
    }


# --- between two years ----------------------------------------------------------------------------------------------


def _add_rank_movement(frame: pl.DataFrame) -> pl.DataFrame:
    """Last year's rank, the movement, and how far ranks of this KPI usually move in a year (no confidence set)."""
    prior = frame.select(
        "branch_code",
        *SERIES,
        (pl.col("fiscal_year") + 1).alias("fiscal_year"),
        pl.col("rank").alias("prior_rank"),
        pl.col("ranked_count").alias("_prior_count"),
    )
    frame = frame.join(prior, on=["branch_code", *GROUP], how="left").sort("_row")
    comparable = pl.col("ranked_count") == pl.col("_prior_count")
    frame = frame.with_columns(
        pl.when(comparable).then(pl.col("prior_rank")),
        pl.when(comparable).then(pl.col("prior_rank") - pl.col("rank")).alias("rank_change"),
    )
    usual = [(*key, _usual_movement(series)) for key, series in frame.group_by(SERIES, maintain_order=True)]
    spans = pl.DataFrame(
        usual, schema={**dict.fromkeys(SERIES, pl.String), "rank_change_usual": pl.Float64}, orient="row"
    )
    return frame.join(spans, on=SERIES, how="left").drop("_prior_count").sort("_row")


def _usual_movement(series: pl.DataFrame) -> float | None:
    """The places that nine in ten yearly movements stay within, over all pairs of years with all 47 branches."""
    full = series.filter(pl.col("ranked_count") == BRANCH_COUNT)
    table = full.pivot("fiscal_year", index="branch_code", values="value", sort_columns=True) if full.height else None
    years = sorted(full["fiscal_year"].unique().to_list())
    pairs = [(year - 1, year) for year in years if year - 1 in years]
    if table is None or not pairs:
        return None
    sign = int(series["sign"][0])
    prior, current = (np.array([table[str(pair[side])].to_numpy() for pair in pairs], dtype=float) for side in (0, 1))
    return rank_movement(prior, current, sign=sign).within


# --- part-way through the year --------------------------------------------------------------------------------------


def _add_pace(frame: pl.DataFrame, *, catalogue: Catalogue) -> pl.DataFrame:
    """An interim value beside what would be on course for the target; no interval and no verdict on the target."""
    kinds = {kpi.kpi_id: kpi.within_year for kpi in catalogue.kpis.values() if kpi.within_year}
    aimed = frame.filter(
        pl.col("interim_value").is_not_null()
        & pl.col("target_threshold").is_not_null()
        & pl.col("interim_as_of").is_not_null()
        & pl.col("value").is_null()
    )
    records = []
    for row in aimed.to_dicts():
        if row["kpi_id"] not in kinds:
            continue
        wants_at_most = row["target_rule"] in ("at_most", "at_most_prior")
        pace = compute_pace(
            row["interim_value"],
            (row["interim_as_of"].month - 4) % 12 + 1,
            row["target_threshold"],
            sign=-1 if wants_at_most else 1,
            accumulates=kinds[row["kpi_id"]] == "accumulates",
        )
        records.append(
            {
                "_row": row["_row"],
                "pace_basis": str(pace.basis),
                "pace_expected": pace.expected,
                "pace_difference": pace.difference,
                "pace_is_on": bool(pace.is_on_pace),
                "pace_needed_per_month": None if np.isnan(pace.needed_per_month) else pace.needed_per_month,
            }
        )
    schema = {
        "_row": pl.UInt32,
        "pace_basis": pl.String,
        "pace_expected": pl.Float64,
        "pace_difference": pl.Float64,
        "pace_is_on": pl.Boolean,
        "pace_needed_per_month": pl.Float64,
    }
    return frame.join(pl.DataFrame(records, schema=schema), on="_row", how="left").sort("_row")


# --- one verdict per cell -------------------------------------------------------------------------------------------


def _add_verdict(frame: pl.DataFrame, *, catalogue: Catalogue) -> pl.DataFrame:
    """Add ``statistical``, ``practical`` and ``alert``: the one verdict that tables, charts and sentences use.

    Statistical: where at least ten branches have counts, the funnel with overdispersion after false discovery control over all
    branches and KPIs of the year; else whether the national value lies outside the 95 % interval; without counts nobody can tell.
    """
    relevant = pl.DataFrame(
        {
            "kpi_id": list(catalogue.kpis),
            "relevant_difference": [kpi.relevant_difference for kpi in catalogue.kpis.values()],
        }
    )
    adjusted = [
        group.select("_row").with_columns(_series("p_adjusted", adjust_p_values(_numbers(group, "p_value"))))
        for _, group in frame.group_by("fiscal_year", maintain_order=True)
    ]
    empty = pl.DataFrame(schema={"_row": pl.UInt32, "p_adjusted": pl.Float64})
    frame = frame.join(pl.concat([empty, *adjusted]), on="_row", how="left").join(relevant, on="kpi_id", how="left")
    by_funnel = pl.col("p_adjusted").is_not_null()
    by_interval = pl.col("lower_95").is_not_null() & pl.col("national_difference").is_not_null()
    outside = (pl.col("national") < pl.col("lower_95")) | (pl.col("national") > pl.col("upper_95"))
    is_different = pl.when(by_funnel).then(pl.col("p_adjusted") <= SIGNIFICANCE).when(by_interval).then(outside)
    statistical = (
        pl.when(is_different.is_null())
        .then(pl.lit("cannot_tell"))
        .when(is_different)
        .then(pl.col("national_judgement"))
        .otherwise(pl.lit("no_difference"))
    )
    practical = (
        pl.when(pl.col("national_difference").is_null() | pl.col("relevant_difference").is_null())
        .then(pl.lit("cannot_tell"))
        .when(pl.col("national_difference").abs() + 1e-9 >= pl.col("relevant_difference"))
        .then(pl.lit("relevant"))
        .otherwise(pl.lit("small"))
    )
    getting_worse = (pl.col("trend_word") == "worse") | (
        (pl.col("prior_change_p") <= SIGNIFICANCE) & (pl.col("prior_judgement") == "worse")
    )
    frame = frame.with_columns(
        statistical.alias("statistical"),
        pl.when(by_funnel)
        .then(pl.lit("funnel"))
        .when(by_interval)
        .then(pl.lit("interval"))
        .alias("statistical_method"),
        practical.alias("practical"),
    )
    return frame.with_columns(((pl.col("statistical") == "worse") & getting_worse).fill_null(False).alias("alert"))
