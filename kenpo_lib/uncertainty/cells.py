"""What can be said of one cell: its interval, its change since the year before, and its pace towards the target."""

from __future__ import annotations

import numpy as np
import polars as pl

from kenpo_lib.catalogue import Catalogue, Unit
from kenpo_lib.grain import CELL, SERIES
from kenpo_lib.stats.intervals import LEVELS, proportion_interval
from kenpo_lib.stats.pace import compute_pace
from kenpo_lib.stats.two_years import difference_interval, difference_p_value
from kenpo_lib.uncertainty.arrays import to_numbers, to_series


def describe_intervals(cells: pl.DataFrame) -> pl.DataFrame:
    """Wilson intervals at 95 and 99.8 %, and why a cell has none."""
    counts = [to_numbers(cells, name, where="is_counted") for name in ("numerator", "denominator")]
    inner, outer = (proportion_interval(*counts, confidence=level, multiplier=100) for level in LEVELS)
    reason = (
        pl.when(pl.col("is_counted"))
        .then(None)
        .when(pl.col("value").is_null())
        .then(pl.lit("no_value"))
        .when(~pl.col("is_proportion"))
        .then(pl.lit("not_a_proportion"))
        .when(pl.col("numerator").is_null() | pl.col("denominator").is_null())
        .then(pl.lit("no_counts"))
        .otherwise(
            pl.lit("impossible_counts")
        )  # validation stops these; a comparison without it must not fall over them
    )
    return cells.select(
        to_series("lower_95", inner.lower),
        to_series("upper_95", inner.upper),
        to_series("lower_998", outer.lower),
        to_series("upper_998", outer.upper),
        pl.when(pl.col("is_counted")).then(pl.lit("wilson")).alias("interval_method"),
        reason.alias("interval_reason"),
    )


def describe_change(cells: pl.DataFrame) -> pl.DataFrame:
    """The change since the prior year with Newcombe's interval and its p; and the change beside the nation's."""
    key = ("branch_code", *SERIES, (pl.col("fiscal_year") + 1).alias("fiscal_year"))
    counts = ("numerator", "denominator")
    prior = cells.filter("is_counted").select(*key, *(pl.col(name).alias(f"_prior_{name}") for name in counts))
    nation = ("national", "national_kind")
    prior_nation = cells.select(*key, *(pl.col(name).alias(f"_prior_{name}") for name in nation))
    pairs = (
        cells.select(*CELL, *counts, *nation, "is_counted", "unit", "prior_difference")
        .join(prior, on=CELL, how="left", maintain_order="left")
        .join(prior_nation, on=CELL, how="left", maintain_order="left")
    )
    both = [to_numbers(pairs, name, where="is_counted") for name in counts]
    both += [to_numbers(pairs, f"_prior_{name}") for name in counts]
    interval = difference_interval(*both, multiplier=100)
    # Only figures of one kind are compared: a published nation last year and an estimate this year make no change.
    same_kind = pl.col("national_kind") == pl.col("_prior_national_kind")
    in_points = pl.col("unit").is_in([unit.value for unit in Unit if not unit.differs_in_percent])
    national_change = pl.when(same_kind & in_points).then(pl.col("national") - pl.col("_prior_national"))
    return pairs.select(
        to_series("prior_change_lower", interval.lower),
        to_series("prior_change_upper", interval.upper),
        to_series("prior_change_p", difference_p_value(*both)),
        national_change.alias("national_change"),
        (pl.col("prior_difference") - national_change).alias("change_against_nation"),
    )


_PACE = {
    "pace_basis": pl.String,
    "pace_expected": pl.Float64,
    "pace_difference": pl.Float64,
    "pace_is_on": pl.Boolean,
    "pace_needed_per_month": pl.Float64,
}


def describe_pace(cells: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """An interim value beside what would be on course for the target; no interval and no verdict on the target."""
    kinds = {kpi.kpi_id: kpi.within_year for kpi in catalogue.kpis.values() if kpi.within_year}
    aimed = cells.with_row_index("_row").filter(
        pl.col("kpi_id").is_in(list(kinds))
        & pl.col("interim_value").is_not_null()
        & pl.col("target_threshold").is_not_null()
        & pl.col("interim_as_of").is_not_null()
        & pl.col("value").is_null()
    )
    used = ("_row", "kpi_id", "interim_value", "interim_as_of", "target_threshold", "target_rule")
    records = []
    for row in aimed.select(used).iter_rows(named=True):
        wants_at_most = row["target_rule"] in ("at_most", "at_most_prior")
        pace = compute_pace(
            row["interim_value"],
            (row["interim_as_of"].month - 4) % 12 + 1,
            row["target_threshold"],
            sign=-1 if wants_at_most else 1,
            accumulates=kinds[row["kpi_id"]] == "accumulates",
        )
        needed = None if np.isnan(pace.needed_per_month) else pace.needed_per_month
        said = (str(pace.basis), pace.expected, pace.difference, bool(pace.is_on_pace), needed)
        records.append((row["_row"], *said))
    found = pl.DataFrame(records, schema={"_row": pl.UInt32, **_PACE}, orient="row")
    return (
        cells.select("value")
        .with_row_index("_row")
        .join(found, on="_row", how="left", maintain_order="left")
        .select(_PACE.keys())
    )
