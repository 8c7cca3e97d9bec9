"""The comparison frame: one row per branch × KPI × definition × fiscal year, and everything that is said about it.

Every table, chart, sentence and export is made from this one frame, so that they cannot disagree. Joins run on
``(kpi_id, definition)``: a changed definition gives no prior year by itself, a restated one joins by itself.
"""

from __future__ import annotations

import polars as pl

from kenpo_lib.catalogue import NATION, Catalogue, Unit
from kenpo_lib.curated import Tables
from kenpo_lib.grain import CELL, GROUP, SERIES
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
    observations = _order_sources(tables["observations"], tables["sources"])
    finals = _pick_finals(observations)
    branches = len(catalogue.branch_codes)
    frame = (
        _list_cells(observations, tables["targets"])
        .join(_catalogue_columns(catalogue), on="kpi_id", how="inner")
        .join(_branch_columns(catalogue), on="branch_code", how="inner")
        .join(finals, on=CELL, how="left")
        .join(_pick_open_values(observations), on=CELL, how="left")
        .pipe(_add_status)
        .pipe(_add_nation, finals=finals, weights=weights, branches=branches)
        .pipe(_add_prior_year, finals=finals)
        .pipe(_add_targets, targets=tables["targets"])
        .pipe(_add_position, branches=branches)
        .pipe(_add_distances)
    )
    return frame.sort("order", "kpi_id", "definition", "fiscal_year", "branch_code").drop("order", "sign", "proportion")


# --- what is known --------------------------------------------------------------------------------------------------


def _order_sources(observations: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Whole-KPI observations, those of the newest source first within each key."""
    return (
        observations.filter(pl.col("component") == "total")
        .join(sources.select("source_id", "order_date"), on="source_id", how="left")
        .sort("order_date", "source_id", descending=True)
    )


def _pick_finals(observations: pl.DataFrame) -> pl.DataFrame:
    """One final value per cell, the newest source's; values of other sources that differ are listed beside it."""
    finals = observations.filter(
        (pl.col("status") == "final") & (pl.col("period") == "FY") & pl.col("value").is_not_null()
    )
    differing = pl.col("value") != pl.col("value").first()
    # Counts may stand in another document than the value; they belong to it only if the value is the same, and to each
    # other only if they come from one document.
    has_counts = ~differing & pl.col("numerator").is_not_null() & pl.col("denominator").is_not_null()
    counts = (
        pl.coalesce(pl.col(name).filter(has_counts).first(), pl.col(name).first()).alias(name)
        for name in ("numerator", "denominator")
    )
    return (
        finals.group_by(CELL, maintain_order=True)
        .agg(
            pl.col("value", "decimals", "source_id", "locator", "note").first(),
            *counts,
            pl.struct("value", "source_id", "locator").filter(differing).alias("conflicts"),
        )
        .rename({"decimals": "printed_decimals"})
    )


def _pick_open_values(observations: pl.DataFrame) -> pl.DataFrame:
    """The latest interim value per cell, and why a value is still pending."""
    is_interim = (pl.col("status") == "interim") & pl.col("value").is_not_null()
    return (
        observations.filter(is_interim | (pl.col("status") == "pending"))
        .with_columns((pl.col("period") == "YTD").alias("_cumulative"))  # says more than its last month alone
        .sort("as_of", "_cumulative", descending=True, nulls_last=True, maintain_order=True)
        .group_by(CELL, maintain_order=True)
        .agg(
            *(
                pl.col(column).filter(pl.col("status") == "interim").first().alias(f"interim_{column}")
                for column in ("value", "as_of", "period", "source_id", "locator")
            ),
            pl.col("note").filter(pl.col("status") == "pending").first().alias("pending_note"),
            pl.col("source_id").filter(pl.col("status") == "pending").first().alias("pending_source_id"),
            (pl.col("status") == "pending").any().alias("is_pending"),
        )
    )


def _list_cells(observations: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    known = observations.filter(pl.col("value").is_not_null() | (pl.col("status") == "pending"))
    return pl.concat([known.select(CELL), targets.select(CELL)]).unique(maintain_order=True)


def _catalogue_columns(catalogue: Catalogue) -> pl.DataFrame:
    kpis = catalogue.kpis.values()
    return pl.DataFrame(
        {
            "kpi_id": [kpi.kpi_id for kpi in kpis],
            "order": [kpi.order for kpi in kpis],
            "unit": [kpi.unit.value for kpi in kpis],
            "decimals": [kpi.decimals for kpi in kpis],
            "sign": [kpi.direction.sign for kpi in kpis],
            "direction": [kpi.direction.value for kpi in kpis],
            "proportion": [kpi.proportion for kpi in kpis],
        },
        schema_overrides={"proportion": pl.Boolean, "decimals": pl.Int32, "order": pl.Int32, "sign": pl.Int32},
    )


def _branch_columns(catalogue: Catalogue) -> pl.DataFrame:
    return pl.DataFrame(
        [(b.branch_code, b.name.ja, b.block.ja) for b in catalogue.branches.values()],
        schema=["branch_code", "branch_name", "block"],
        orient="row",
    )


def _add_status(frame: pl.DataFrame) -> pl.DataFrame:
    status = (
        pl.when(pl.col("value").is_not_null())
        .then(pl.lit("final"))
        .when(pl.col("interim_value").is_not_null())
        .then(pl.lit("interim"))
        .when(pl.col("is_pending").fill_null(False))
        .then(pl.lit("pending"))
        .otherwise(pl.lit("missing"))
    )
    return frame.with_columns(status.alias("status")).drop("is_pending")


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
