"""The comparison frame: one row per branch × KPI × definition × fiscal year, and everything that is said about it.

Every table, chart, sentence and export is made from this one frame, so that they cannot disagree. Joins run on
``(kpi_id, definition)``: a changed definition gives no prior year by itself, a restated one joins by itself.
"""

from __future__ import annotations

import polars as pl

from kenpo_lib.catalogue import NATION, Catalogue, Unit
from kenpo_lib.curated import Tables
from kenpo_lib.grain import CELL, GROUP, SERIES
from kenpo_lib.known import list_known
from kenpo_lib.normalise import TargetRule, round_half_up
from kenpo_lib.proxies import proxy_weights
from kenpo_lib.stats import competition_rank, deviation_score, people_needed
from kenpo_lib.targets import Reason, Target
from kenpo_lib.uncertainty import add_uncertainty


def compute_comparison(tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    """Compare every branch in every year for which anything is known.

    Args:
        tables: The curated tables.
        catalogue: Directions, decimals and definitions.

    Returns:
        One row per branch (47, without the nation) × KPI × definition × fiscal year, in reading order. The columns are
        described in ``docs/data_dictionary.md``. Differences are null wherever one side is missing, under another
        definition, or of another kind (an interim value is never compared).
    """
    return compare_all(tables, catalogue)[0]


def compute_nation(tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    """The same for the whole association: its value, prior year and targets; no rank, no national difference, no uncertainty."""
    cells = _compare_cells(tables, catalogue, weights=proxy_weights(tables["statistics"], catalogue))
    return cells.filter(pl.col("branch_code") == NATION)


def compare_all(tables: Tables, catalogue: Catalogue) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both at once: ``compute_comparison`` and ``compute_nation``."""
    weights = proxy_weights(tables["statistics"], catalogue)
    cells = _compare_cells(tables, catalogue, weights=weights)
    is_nation = pl.col("branch_code") == NATION
    return add_uncertainty(cells.filter(~is_nation), catalogue, weights=weights), cells.filter(is_nation)


def _compare_cells(tables: Tables, catalogue: Catalogue, *, weights: pl.DataFrame) -> pl.DataFrame:
    cells, finals = list_known(tables, catalogue)
    branches = len(catalogue.branch_codes)
    frame = (
        cells.pipe(_add_nation, finals=finals, weights=weights, branches=branches)
        .pipe(_add_prior_year, finals=finals)
        .pipe(_add_targets, targets=tables["targets"])
        .pipe(_add_position, branches=branches)
        .pipe(_add_distances)
    )
    return frame.sort("order", "kpi_id", "definition", "fiscal_year", "branch_code").drop("order", "sign", "proportion")


# --- the nation -----------------------------------------------------------------------------------------------------


def _add_nation(frame: pl.DataFrame, *, finals: pl.DataFrame, weights: pl.DataFrame, branches: int) -> pl.DataFrame:
    """Add the national figure in the order of preference of the design, and which one it is.

    ``national_kind``: published · summed (Σ numerators ÷ Σ denominators) · weighted (mean weighted by a proxy, an estimate) ·
    mean (plain mean of the rates of all branches). None where not all branches are known and nothing is published.
    """
    published = finals.filter(pl.col("branch_code") == NATION).select(
        *GROUP,
        pl.col("value").alias("_published"),
        pl.col("source_id").alias("national_source_id"),
        pl.col("locator").alias("national_locator"),
        pl.col("conflicts").alias("national_conflicts"),
    )
    derived = (
        finals.filter(pl.col("branch_code") != NATION)
        .join(weights, on=["kpi_id", "branch_code", "fiscal_year"], how="left")
        .group_by(GROUP)
        .agg(
            pl.len().alias("branches_known"),
            pl.when((pl.col("numerator").count() == branches) & (pl.col("denominator").count() == branches))
            .then(100 * pl.col("numerator").sum() / pl.col("denominator").sum())
            .first()
            .alias("_summed"),
            pl.when(pl.col("weight").count() == branches)
            .then((pl.col("value") * pl.col("weight")).sum() / pl.col("weight").sum())
            .first()
            .alias("_weighted"),
            pl.when(pl.len() == branches).then(pl.col("value").mean()).first().alias("_mean"),
        )
    )
    is_total = pl.col("unit").is_in([unit.value for unit in Unit if unit.is_total])
    derived_only_for_rates = pl.when(~is_total)
    joined = frame.join(published, on=GROUP, how="left").join(derived, on=GROUP, how="left")
    candidates = {
        "published": pl.col("_published"),
        "summed": derived_only_for_rates.then(pl.when(pl.col("unit") == Unit.PERCENT.value).then(pl.col("_summed"))),
        "weighted": derived_only_for_rates.then(pl.col("_weighted")),
        "mean": derived_only_for_rates.then(pl.col("_mean")),
    }
    is_nation = pl.col("branch_code") == NATION
    national = pl.coalesce(*candidates.values())
    kind = pl.coalesce(*(pl.when(value.is_not_null()).then(pl.lit(name)) for name, value in candidates.items()))
    joined = joined.with_columns(
        pl.when(~is_nation).then(national).alias("national"),
        pl.when(~is_nation).then(kind).alias("national_kind"),
        pl.col("branches_known").fill_null(0).cast(pl.Int32),
    ).drop("_published", "_summed", "_weighted", "_mean")
    compared = pl.when(~is_total & ~is_nation).then(pl.col("national"))
    return joined.pipe(_add_difference, reference=compared, name="national")


def _add_difference(frame: pl.DataFrame, *, reference: pl.Expr, name: str) -> pl.DataFrame:
    """Add the difference from a reference (points, or % for amounts) and whether that is better by the direction.

    The difference is taken between values at published precision, as a reader would who sees both.
    """
    rounded = _round_to_decimals(pl.col("value"))
    reference = _round_to_decimals(reference)
    in_percent = pl.col("unit").is_in([unit.value for unit in Unit if unit.differs_in_percent])
    difference = pl.when(in_percent & (reference != 0)).then(100 * (rounded - reference) / reference)
    difference = difference.when(~in_percent).then(rounded - reference)
    step = (rounded - reference).sign()
    judged = step * pl.col("sign")
    word = (
        pl.when(step == 0)
        .then(pl.lit("same"))
        .when(judged > 0)
        .then(pl.lit("better"))
        .when(judged < 0)
        .then(pl.lit("worse"))
        .when(step > 0)
        .then(pl.lit("higher"))
        .when(step < 0)
        .then(pl.lit("lower"))
    )
    return frame.with_columns(
        difference.round(6).alias(f"{name}_difference"),
        pl.when(difference.is_not_null()).then(word).alias(f"{name}_judgement"),
    )


def _round_to_decimals(value: pl.Expr) -> pl.Expr:
    """Round half up to the column ``decimals``; published values are unchanged by it.

    The tiny addition undoes binary fractions such as 58.449999… for 58.45, where a table would round up.
    """
    factor = pl.lit(10.0) ** pl.col("decimals")
    scaled = value * factor
    return (scaled.sign() * (scaled.abs() + 0.5 + 1e-9).floor()) / factor


# --- the year before ------------------------------------------------------------------------------------------------


def _add_prior_year(frame: pl.DataFrame, *, finals: pl.DataFrame) -> pl.DataFrame:
    prior = finals.select(
        "branch_code",
        *SERIES,
        (pl.col("fiscal_year") + 1).alias("fiscal_year"),
        pl.col("value").alias("prior_value"),
        pl.col("source_id").alias("prior_source_id"),
        pl.col("locator").alias("prior_locator"),
    )
    other_definition = finals.select(
        "branch_code", "kpi_id", (pl.col("fiscal_year") + 1).alias("fiscal_year"), pl.lit(True).alias("_other")
    ).unique()
    reason = (
        pl.when(pl.col("prior_value").is_not_null())
        .then(None)
        .when(pl.col("_other").fill_null(False))
        .then(pl.lit("definition_changed"))
        .otherwise(pl.lit("no_prior_value"))
    )
    return (
        frame.join(prior, on=CELL, how="left")
        .join(other_definition, on=["branch_code", "kpi_id", "fiscal_year"], how="left")
        .with_columns(reason.alias("prior_reason"))
        .drop("_other")
        .pipe(_add_difference, reference=pl.col("prior_value"), name="prior")
    )


# --- the target -----------------------------------------------------------------------------------------------------

_WHY_NO_VALUE = {"interim": Reason.ONLY_INTERIM, "pending": Reason.PENDING, "missing": Reason.NO_VALUE}


_MEASURED = ("value", "decimals", "proportion", "numerator", "denominator")  # what ``_measure`` needs of a row


def _add_targets(frame: pl.DataFrame, *, targets: pl.DataFrame) -> pl.DataFrame:
    joined = frame.join(
        targets.select(
            *CELL,
            pl.col("rule").alias("target_rule"),
            pl.col("value").alias("target_value"),
            pl.col("floor").alias("target_floor"),
            pl.col("source_id").alias("target_source_id"),
            pl.col("locator").alias("target_locator"),
        ),
        on=CELL,
        how="left",
    )
    aimed = joined.with_row_index("_row").filter(pl.col("target_rule").is_not_null())
    used = ("_row", "status", "prior_value", "target_rule", "target_value", "target_floor", *_MEASURED)
    judged = pl.DataFrame(
        [(row["_row"], *_judge(row)) for row in aimed.select(used).iter_rows(named=True)],
        schema={
            "_row": pl.UInt32,
            "target_result": pl.String,
            "target_reason": pl.String,
            "target_threshold": pl.Float64,
            "target_distance": pl.Float64,
            "target_people": pl.Int64,
        },
        orient="row",
    )
    rows = (
        joined.select("branch_code").with_row_index("_row").join(judged, on="_row", how="left", maintain_order="left")
    )
    return joined.hstack(rows.drop("_row", "branch_code"))


def _judge(row: dict) -> tuple[str, str | None, float | None, float | None, int | None]:
    target = Target(TargetRule(row["target_rule"]), row["target_value"], row["target_floor"])
    why = _WHY_NO_VALUE.get(row["status"], Reason.NO_VALUE)
    verdict = target.judge(row["value"], prior=row["prior_value"], decimals=row["decimals"], why_no_value=why)
    distance = people = None
    if row["value"] is not None and verdict.threshold is not None:
        counts = [row[name] for name in _MEASURED]
        distance, people = _measure(*counts, goal=verdict.threshold, wants_at_least=target.wants_at_least)
    reason = verdict.reason.value if verdict.reason else None
    return verdict.result.value, reason, verdict.threshold, distance, people


def _measure(
    value: float,
    decimals: int,
    proportion: bool,
    numerator: float | None,
    denominator: float | None,
    *,
    goal: float,
    wants_at_least: bool,
) -> tuple[float, int | None]:
    """What is still missing to a goal in the unit of the KPI and in people; both are 0 where it is reached."""
    gap = goal - round_half_up(value, decimals)
    distance = max(0.0, round(gap if wants_at_least else -gap, 9))
    if not proportion or numerator is None or denominator is None:
        return distance, None
    people = people_needed(numerator, denominator, goal, decimals=decimals, wants_at_least=wants_at_least)
    if people is not None and distance == 0:
        return distance, 0
    # Counts that reach the goal although the printed value does not (99.997 cut off to 99.99) cannot say how many it takes.
    return distance, people or None


# --- position among the branches ------------------------------------------------------------------------------------


def _add_position(frame: pl.DataFrame, *, branches: int) -> pl.DataFrame:
    """Add rank, number ranked, deviation score (where all branches are ranked) and the next better branch.

    Counts that grow with the size of a branch (offices, persons) are not ranked.
    """
    is_total = pl.col("unit").is_in([unit.value for unit in Unit if unit.is_total])
    is_rated = (pl.col("branch_code") != NATION) & ~is_total & pl.col("value").is_not_null()
    rated = pl.when(is_rated).then(_round_to_decimals(pl.col("value")))
    ranked_count = rated.count().over(GROUP)
    frame = frame.with_columns(
        rated.alias("_rated"),
        pl.when(is_rated & (ranked_count > 1)).then(ranked_count).cast(pl.Int32).alias("ranked_count"),
    )
    has_rank = pl.col("ranked_count").is_not_null()
    all_there = pl.col("ranked_count") == branches
    frame = frame.with_columns(
        pl.when(has_rank).then(competition_rank(pl.col("_rated"), sign=pl.col("sign")).over(GROUP)).alias("rank"),
        pl.when(all_there).then(deviation_score(pl.col("_rated"), over=GROUP)).alias("deviation_score"),
        pl.when(all_there).then(pl.col("_rated").mean().over(GROUP)).alias("branch_mean"),
    )
    steps = (
        frame.filter(has_rank)
        .group_by(*GROUP, "rank")
        .agg(
            pl.col("_rated").first().alias("next_rank_value"),
            pl.col("branch_name").sort_by("branch_code").alias("next_rank_branches"),
        )
        .sort(*GROUP, "rank")
        .with_columns(pl.col("next_rank_value", "next_rank_branches").shift(1).over(GROUP))
    )
    return frame.join(steps, on=[*GROUP, "rank"], how="left").drop("_rated")


def _add_distances(frame: pl.DataFrame) -> pl.DataFrame:
    """Add how far it is to the nation and to the next rank, in the KPI's unit and in people where counts exist."""

    def measure(counts: tuple, sign: int, goal: float | None) -> tuple[float | None, int | None]:
        value, decimals, *_ = counts
        if goal is None or value is None or sign == 0:
            return None, None
        return _measure(*counts, goal=round_half_up(goal, decimals), wants_at_least=sign > 0)

    is_total = pl.col("unit").is_in([unit.value for unit in Unit if unit.is_total])
    national = pl.when(~is_total).then(pl.col("national")).alias("national")
    used = frame.select(*_MEASURED, "sign", national, "next_rank_value")
    rows = [
        (*measure(counts, sign, national), *measure(counts, sign, next_rank))
        for *counts, sign, national, next_rank in used.iter_rows()
    ]
    schema = {
        "national_distance": pl.Float64,
        "national_people": pl.Int64,
        "next_rank_distance": pl.Float64,
        "next_rank_people": pl.Int64,
    }
    return frame.hstack(pl.DataFrame(rows, schema=schema, orient="row"))
