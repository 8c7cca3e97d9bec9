"""What the curated tables can be asked: pure polars, one column per question, so that suites stay plain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from kenpo_lib.catalogue import NATION, Catalogue, Unit
from kenpo_lib.curated import SCHEMAS, Tables, empty_table
from kenpo_lib.normalise import TargetRule
from kenpo_lib.validate.completeness import COMPLETENESS, IS_FINAL, IS_WHOLE, compute_completeness

CHECKED_TABLES = (*SCHEMAS, COMPLETENESS)
ROW = "check_row"

# (KPI, parts, the component that is their sum). Components that overlap or leave something out are not listed.
SUMS_OF_PARTS = (
    ("premium_rate", ("医療給付費分(調整前)", "年齢調整", "所得調整"), "医療給付費分(調整後)"),
    ("receipt_assessment_rate", ("協会", "基金"), "total"),
)
# Values computed from counts are not rounded; this many decimals are compared.
_UNROUNDED_DECIMALS = 6
_TINY = 1e-9  # binary fractions: 58.449999… is 58.45

_CELL = ["branch_code", "kpi_id", "definition", "fiscal_year"]
_GROUP = ["kpi_id", "definition", "fiscal_year"]


def add_check_columns(tables: Tables, catalogue: Catalogue) -> dict[str, pl.DataFrame]:
    """Each table with its row number and the columns that its suite asks about.

    A column ``check_is_…``, ``check_has_…``, ``check_agrees_…`` is true or false and never null (true where it does not
    apply); others are figures or texts, null where they do not apply.

    Args:
        tables: The curated tables; they are not changed.
        catalogue: Definitions, units, plausible ranges and jumps.

    Returns:
        The same rows in the same order under the same names, plus ``completeness`` (one row per series and fiscal year that
        must be known for all 47 branches). A table that lacks a column gets its row number only, so that every question
        about it ends as an error and not as a pass.
    """
    usable = {name: tables[name] if has_schema(name, tables[name]) else empty_table(name) for name in SCHEMAS}
    derive = {
        "observations": _check_observations,
        "targets": _check_targets,
        "superseded_targets": _check_superseded_targets,
        "budgets": _check_budgets,
        "statistics": _check_statistics,
    }
    frames: dict[str, pl.DataFrame] = {}
    for name in SCHEMAS:
        frame = tables[name].with_row_index(ROW)
        if has_schema(name, tables[name]):
            if name in derive:
                frame = derive[name](frame, usable, catalogue).sort(ROW)
            if "source_id" in frame.columns and name != "sources":
                frame = frame.with_columns(_is_known_source(usable["sources"]))
        frames[name] = frame
    frames[COMPLETENESS] = compute_completeness(usable, catalogue).with_row_index(ROW)
    return frames


def has_schema(name: str, frame: pl.DataFrame) -> bool:
    """True if the frame has every column of the curated table, in its type."""
    return all(frame.schema.get(column) == kind for column, kind in SCHEMAS[name].columns.items())


def _surely(condition: pl.Expr) -> pl.Expr:
    """True only where it is known to be true: a question that cannot be answered is not passed."""
    return condition.fill_null(False)


def _is_known_source(sources: pl.DataFrame) -> pl.Expr:
    return _surely(pl.col("source_id").is_in(sources["source_id"].to_list())).alias("check_is_known_source")


def _are_finite(*columns: str) -> pl.Expr:
    finite = pl.all_horizontal(pl.col(column).is_finite().fill_null(True) for column in columns)
    return finite.alias("check_is_finite")


def _place() -> pl.Expr:
    return pl.concat_str("source_id", "locator", separator=" / ", ignore_nulls=True)


def _add_kpi_columns(frame: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """What the catalogue says of each row's KPI, and whether it knows the row's definition in the row's year."""
    kpis = pl.DataFrame(
        [
            {
                "kpi_id": kpi.kpi_id,
                "check_unit": kpi.unit.value,
                "check_plausible_range": f"{kpi.plausible_min:g}～{kpi.plausible_max:g}",
                "_decimals": kpi.decimals,
                "_is_total": kpi.unit.is_total,
                "_is_proportion": kpi.proportion,
                "_plausible_min": kpi.plausible_min,
                "_plausible_max": kpi.plausible_max,
                "_jump": kpi.jump,
                "_jump_is_percent": kpi.jump_is_percent,
                "_own_branch": kpi.branch_code,
                "_sign": kpi.direction.sign,
            }
            for kpi in catalogue.kpis.values()
        ],
        infer_schema_length=None,
    )
    series = frame.select(_GROUP).unique().drop_nulls()
    known = series.filter([_holds(catalogue, *group) for group in series.iter_rows()])
    return (
        frame.join(kpis, on="kpi_id", how="left")
        .join(known.with_columns(pl.lit(True).alias("_known")), on=_GROUP, how="left")
        .with_columns(
            _surely(pl.col("_known")).alias("check_is_known_definition"),
            _surely(pl.col("_own_branch").is_null() | (pl.col("_own_branch") == pl.col("branch_code"))).alias(
                "check_is_of_own_branch"
            ),
        )
    )


def _holds(catalogue: Catalogue, kpi_id: str, definition: str, fiscal_year: int) -> bool:
    kpi = catalogue.kpis.get(kpi_id)
    return kpi is not None and definition in kpi.definitions and kpi.definitions[definition].holds_in(fiscal_year)


def _is_plausible(column: str) -> pl.Expr:
    """Null, or within the catalogue's range; the nation's sum of counts has no upper bound."""
    value = pl.col(column)
    is_sum = (pl.col("branch_code") == NATION) & pl.col("_is_total")
    inside = (value >= pl.col("_plausible_min")) & (is_sum | (value <= pl.col("_plausible_max")))
    return value.is_null() | _surely(inside)


def _could_print(printed: pl.Expr, unit: pl.Expr, *, low: pl.Expr, high: pl.Expr) -> pl.Expr:
    """True if some number from low to high is printed so, rounded half up or cut off: sources do both (99.997 → 99.99)."""
    return (high >= printed - unit / 2 - _TINY) & (low < printed + unit - _TINY)


def _in_units(value: pl.Expr, decimals: pl.Expr) -> pl.Expr:
    """The value rounded half up, counted in units of its last decimal: 29.35 with one decimal is 294."""
    scaled = value * pl.lit(10.0) ** decimals
    return scaled.sign() * (scaled.abs() + 0.5 + _TINY).floor()


def _check_observations(frame: pl.DataFrame, tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    finals = frame.filter(IS_FINAL)
    return (
        frame.pipe(_add_kpi_columns, catalogue)
        .with_columns(
            _are_finite("value", "numerator", "denominator"),
            (_surely(~IS_WHOLE) | _is_plausible("value")).alias("check_is_plausible"),
            _has_figures().alias("check_has_figures"),
            _is_within_year().alias("check_is_within_year"),
        )
        .pipe(_add_counts_checks)
        .pipe(_add_source_conflicts)
        .pipe(_add_nation_between_branches, finals)
        .pipe(_add_jumps, finals, tables["sources"])
        .pipe(_add_sums_of_parts)
        .select(~pl.selectors.starts_with("_"))
    )


def _has_figures() -> pl.Expr:
    """A value or a count is there, unless the source says that it is still to come."""
    has_any = pl.any_horizontal(pl.col("value", "numerator", "denominator").is_not_null())
    return _surely(pl.col("status") == "pending") | has_any


def _is_within_year() -> pl.Expr:
    """The last day covered lies between April and March of the fiscal year."""
    first = pl.date(pl.col("fiscal_year"), 4, 1)
    last = pl.date(pl.col("fiscal_year") + 1, 3, 31)
    return pl.col("as_of").is_null() | _surely(pl.col("as_of").is_between(first, last))


def _add_counts_checks(frame: pl.DataFrame) -> pl.DataFrame:
    numerator, denominator = pl.col("numerator"), pl.col("denominator")
    has_both = numerator.is_not_null() & denominator.is_not_null()
    percent = pl.when(pl.col("check_unit") == Unit.PERCENT.value).then(100.0).otherwise(1.0)
    ratio = percent * numerator / denominator
    unit = pl.lit(10.0) ** -pl.col("decimals").fill_null(_UNROUNDED_DECIMALS)
    can_divide = has_both & (denominator != 0) & pl.col("value").is_not_null()
    follows = _could_print(pl.col("value"), unit, low=ratio, high=ratio)
    return frame.with_columns(
        (~has_both | _surely(~pl.col("_is_proportion") | (numerator <= denominator))).alias("check_is_part_of_whole"),
        (~_surely(can_divide) | _surely(follows)).alias("check_agrees_with_counts"),
        pl.when(can_divide).then(ratio.round(4)).alias("check_ratio"),
    )


def _add_source_conflicts(frame: pl.DataFrame) -> pl.DataFrame:
    """Add how many different figures the sources give for the same key, and what the others say and where.

    Figures printed with different precision are compared at the coarser one.
    """
    # A year's value is the same whether or not a source adds "as of 31 March".
    as_of = pl.when(pl.col("period") != "FY").then(pl.col("as_of")).alias("_as_of")
    key = [*_CELL, "component", "period", "status", "_as_of"]
    known = frame.with_columns(as_of).filter(pl.col("value").is_finite())
    several = known.filter(pl.col("source_id").n_unique().over(key) > 1)
    decimals = pl.col("decimals").fill_null(_UNROUNDED_DECIMALS)
    several = several.with_columns(_in_units(pl.col("value"), decimals.min().over(key)).alias("_comparable"))
    figures = ["_comparable", "numerator", "denominator"]
    several = several.with_columns(
        pl.max_horizontal(pl.col(figure).drop_nulls().n_unique().over(key) for figure in figures).alias(
            "check_source_values"
        )
    )
    said = pl.concat_str(pl.col("value").cast(pl.String).str.strip_suffix(".0"), pl.lit(": "), _place())
    others = several.select(*key, *figures, "source_id", said.alias("_said"))
    differs = pl.any_horizontal((pl.col(figure) != pl.col(f"{figure}_right")).fill_null(False) for figure in figures)
    disputed = (
        several.filter(pl.col("check_source_values") > 1)
        .join(others, on=key, how="inner", nulls_equal=True)
        .filter(differs & (pl.col("source_id") != pl.col("source_id_right")))
        .group_by(ROW)
        .agg(pl.col("_said").sort().str.join("; ").alias("check_other_sources"))
    )
    return (
        frame.join(several.select(ROW, pl.col("check_source_values").cast(pl.Int32)), on=ROW, how="left")
        .join(disputed, on=ROW, how="left")
        .with_columns(pl.col("check_source_values").fill_null(1))
    )


def _add_nation_between_branches(frame: pl.DataFrame, finals: pl.DataFrame) -> pl.DataFrame:
    """Add whether a national rate lies between the smallest and the largest of the 47, where all are known."""
    extremes = (
        finals.filter(pl.col("branch_code") != NATION)
        .group_by(_GROUP)
        .agg(
            pl.col("value").min().alias("check_smallest_branch"),
            pl.col("value").max().alias("check_largest_branch"),
            pl.col("branch_code").n_unique().alias("_branches"),
        )
        .filter(pl.col("_branches") == 47)
        .drop("_branches")
    )
    is_judged = IS_FINAL & (pl.col("branch_code") == NATION) & ~pl.col("_is_total")
    is_judged &= pl.col("check_smallest_branch").is_not_null()
    between = pl.col("value").is_between("check_smallest_branch", "check_largest_branch")
    return frame.join(extremes, on=_GROUP, how="left").with_columns(
        (~_surely(is_judged) | _surely(between)).alias("check_is_between_branches")
    )


def _add_jumps(frame: pl.DataFrame, finals: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Add the prior year's value of the same definition, and the change as a share of what the catalogue calls a jump."""
    prior = (
        finals.join(sources.select("source_id", "order_date"), on="source_id", how="left")
        .sort("order_date", "source_id", descending=True, nulls_last=True)
        .group_by(_CELL, maintain_order=True)
        .agg(pl.col("value").first().alias("check_prior_value"), _place().first().alias("check_prior_place"))
        .with_columns(pl.col("fiscal_year") + 1)
    )
    change = (pl.col("value") - pl.col("check_prior_value")).abs()
    in_percent = pl.when(change == 0).then(0.0).otherwise(100 * change / pl.col("check_prior_value").abs())
    share = pl.when(pl.col("_jump_is_percent")).then(in_percent).otherwise(change) / pl.col("_jump")
    is_judged = IS_FINAL & pl.col("check_prior_value").is_not_null() & (pl.col("_jump") > 0)
    return frame.join(prior, on=_CELL, how="left").with_columns(
        pl.when(is_judged).then(share.round(6)).alias("check_jump_share")
    )


def _add_sums_of_parts(frame: pl.DataFrame) -> pl.DataFrame:
    """Add whether a component that is the sum of others equals it, as far as rounding allows."""
    key = ["branch_code", "kpi_id", "definition", "fiscal_year", "period", "as_of", "source_id"]
    sums = pl.concat(
        frame.filter((pl.col("kpi_id") == kpi_id) & pl.col("component").is_in(parts) & pl.col("value").is_finite())
        .group_by(key)
        .agg(pl.col("value").sum().round(_UNROUNDED_DECIMALS).alias("check_sum_of_parts"), pl.len().alias("_parts"))
        .filter(pl.col("_parts") == len(parts))
        .with_columns(pl.lit(whole).alias("component"))
        for kpi_id, parts, whole in SUMS_OF_PARTS
    )
    unit = pl.lit(10.0) ** -pl.col("decimals").fill_null(pl.col("_decimals"))
    rounding = (pl.col("_parts") + 1) * unit / 2 + _TINY
    fits = (pl.col("value") - pl.col("check_sum_of_parts")).abs() <= rounding
    return frame.join(sums, on=[*key, "component"], how="left", nulls_equal=True).with_columns(
        (pl.col("check_sum_of_parts").is_null() | pl.col("value").is_null() | _surely(fits)).alias(
            "check_is_sum_of_parts"
        )
    )


def _check_targets(frame: pl.DataFrame, tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    wants_more = pl.col("rule").is_in([TargetRule.AT_LEAST, TargetRule.AT_LEAST_PRIOR, TargetRule.FLOOR_OR_PRIOR])
    fits = (pl.col("_sign") == 0) | ((pl.col("_sign") > 0) == wants_more)
    return (
        frame.pipe(_add_kpi_columns, catalogue)
        .with_columns(
            _are_finite("value", "floor"),
            (_is_plausible("value") & _is_plausible("floor")).alias("check_is_plausible"),
            _surely(fits).alias("check_is_in_direction"),
        )
        .select(~pl.selectors.starts_with("_"))
    )


def _check_superseded_targets(frame: pl.DataFrame, tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    """Add the target that replaced each, and whether both mean the same number.

    "No less than last year" and "33.2 or more" agree where last year was 33.2, or is not known.
    """
    newer = tables["targets"].select(
        *_CELL,
        *(pl.col(column).alias(f"check_newer_{column}") for column in ("rule", "value", "floor")),
        _place().alias("check_newer_place"),
    )
    finals = tables["observations"].filter(IS_FINAL)
    prior = finals.group_by(_CELL).agg(pl.col("value").alias("_prior")).with_columns(pl.col("fiscal_year") + 1)
    frame = frame.join(newer, on=_CELL, how="left").join(prior, on=_CELL, how="left")
    agrees = pl.Series(
        "check_agrees_with_newer", [_means_the_same(row) for row in frame.iter_rows(named=True)], dtype=pl.Boolean
    )
    return frame.with_columns(agrees).select(~pl.selectors.starts_with("_"))


def _means_the_same(row: Mapping[str, Any]) -> bool:
    wants_more = {TargetRule.AT_LEAST, TargetRule.AT_LEAST_PRIOR, TargetRule.FLOOR_OR_PRIOR}
    if (row["rule"] in wants_more) != (row["check_newer_rule"] in wants_more):
        return False
    # Two sources may give two prior values; the targets agree if they do by one of them.
    priors = row["_prior"] or [None]
    return any(
        None in pair or abs(pair[0] - pair[1]) <= _TINY
        for prior in priors
        for pair in [
            (
                _threshold(row["rule"], row["value"], row["floor"], prior),
                _threshold(row["check_newer_rule"], row["check_newer_value"], row["check_newer_floor"], prior),
            )
        ]
    )


def _threshold(rule: str, value: float | None, floor: float | None, prior: float | None) -> float | None:
    """The number that a rule comes down to, None where the prior year is needed and not known."""
    if rule in (TargetRule.AT_LEAST, TargetRule.AT_MOST):
        return value
    if rule == TargetRule.FLOOR_OR_PRIOR and floor is not None and prior is not None:
        return max(floor, prior)
    return prior


def _check_budgets(frame: pl.DataFrame, tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    budget, executed, printed = (
        pl.col(column) for column in ("budget_thousand_yen", "executed_thousand_yen", "printed_rate_pct")
    )
    # The table does not keep how the rate was printed; its shortest spelling tells (70.82 has two decimals).
    decimals = printed.map_elements(lambda rate: len(repr(rate).partition(".")[2]), return_dtype=pl.Int32)
    low = 100 * (executed - 0.5) / (budget + 0.5)
    high = 100 * (executed + 0.5) / (budget - 0.5)
    has_all = printed.is_finite() & executed.is_finite() & (budget > 0.5)
    follows = _could_print(printed, pl.lit(10.0) ** -decimals, low=low, high=high)
    return frame.with_columns(
        _are_finite("budget_thousand_yen", "executed_thousand_yen", "printed_rate_pct"),
        (~_surely(has_all) | _surely(follows)).alias("check_agrees_with_amounts"),
        pl.when(has_all).then((100 * executed / budget).round(2)).alias("check_ratio"),
        (pl.col("kpi_id").is_null() | _surely(pl.col("kpi_id").is_in(list(catalogue.kpis)))).alias(
            "check_is_known_kpi"
        ),
    )


def _check_statistics(frame: pl.DataFrame, tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    """Add, on the row of the total, how the subscribers split by age and by insured and dependents."""
    key = ["branch_code", "fiscal_year", "as_of", "source_id"]
    is_band = (pl.col("statistic") == "subscribers") & ~IS_WHOLE
    bands = (
        frame.filter(is_band)
        .group_by(key)
        .agg(pl.col("value").sum().alias("_sum_of_bands"), pl.len().cast(pl.Int32).alias("check_age_bands"))
        .with_columns(pl.lit("subscribers").alias("statistic"), pl.lit("total").alias("component"))
    )
    kinds = ["insured_persons", "dependents"]
    both = (
        frame.filter(pl.col("statistic").is_in(kinds) & IS_WHOLE)
        .group_by(key)
        .agg(pl.col("value").sum().alias("_sum_of_kinds"), pl.col("statistic").n_unique().alias("_kinds"))
        .filter(pl.col("_kinds") == len(kinds))
        .with_columns(pl.lit("subscribers").alias("statistic"), pl.lit("total").alias("component"))
        .drop("_kinds")
    )
    on = [*key, "statistic", "component"]
    return (
        frame.join(bands, on=on, how="left", nulls_equal=True)
        .join(both, on=on, how="left", nulls_equal=True)
        .with_columns(
            _are_finite("value"),
            (pl.col("value") - pl.col("_sum_of_bands")).round(3).alias("check_age_band_gap"),
            (pl.col("value") - pl.col("_sum_of_kinds")).round(3).alias("check_insured_and_dependents_gap"),
        )
        .select(~pl.selectors.starts_with("_"))
    )
