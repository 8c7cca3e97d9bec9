"""What the observations can be asked: of their counts, other sources, the branches, the year before, their parts."""

from __future__ import annotations

import polars as pl

from kenpo_lib.catalogue import NATION, Catalogue, Unit
from kenpo_lib.curated import Tables
from kenpo_lib.grain import CELL, GROUP
from kenpo_lib.validate.completeness import IS_FINAL, IS_WHOLE
from kenpo_lib.validate.questions import (
    ROW,
    TINY,
    add_kpi_columns,
    are_finite,
    could_print,
    in_units,
    is_plausible,
    place_words,
    surely,
)

# (KPI, parts, the component that is their sum). Components that overlap or leave something out are not listed.
SUMS_OF_PARTS = (
    ("premium_rate", ("医療給付費分(調整前)", "年齢調整", "所得調整"), "医療給付費分(調整後)"),
    ("receipt_assessment_rate", ("協会", "基金"), "total"),
)
# Values computed from counts are not rounded; this many decimals are compared.
_UNROUNDED_DECIMALS = 6


def check_observations(frame: pl.DataFrame, tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    """Add what the suite of the observations asks about; ``frame`` has the number of each row."""
    finals = frame.filter(IS_FINAL)
    return (
        frame.pipe(add_kpi_columns, catalogue)
        .with_columns(
            are_finite("value", "numerator", "denominator"),
            (surely(~IS_WHOLE) | is_plausible("value")).alias("check_is_plausible"),
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
    return surely(pl.col("status") == "pending") | has_any


def _is_within_year() -> pl.Expr:
    """The last day covered lies between April and March of the fiscal year."""
    first = pl.date(pl.col("fiscal_year"), 4, 1)
    last = pl.date(pl.col("fiscal_year") + 1, 3, 31)
    return pl.col("as_of").is_null() | surely(pl.col("as_of").is_between(first, last))


def _add_counts_checks(frame: pl.DataFrame) -> pl.DataFrame:
    numerator, denominator = pl.col("numerator"), pl.col("denominator")
    has_both = numerator.is_not_null() & denominator.is_not_null()
    percent = pl.when(pl.col("check_unit") == Unit.PERCENT.value).then(100.0).otherwise(1.0)
    ratio = percent * numerator / denominator
    unit = pl.lit(10.0) ** -pl.col("decimals").fill_null(_UNROUNDED_DECIMALS)
    can_divide = has_both & (denominator != 0) & pl.col("value").is_not_null()
    follows = could_print(pl.col("value"), unit, low=ratio, high=ratio)
    return frame.with_columns(
        (~has_both | surely(~pl.col("_is_proportion") | (numerator <= denominator))).alias("check_is_part_of_whole"),
        (~surely(can_divide) | surely(follows)).alias("check_agrees_with_counts"),
        pl.when(can_divide).then(ratio.round(4)).alias("check_ratio"),
    )


def _add_source_conflicts(frame: pl.DataFrame) -> pl.DataFrame:
    """Add how many different figures the sources give for the same key, and what the others say and where.

    Figures printed with different precision are compared at the coarser one.
    """
    # A year's value is the same whether or not a source adds "as of 31 March".
    as_of = pl.when(pl.col("period") != "FY").then(pl.col("as_of")).alias("_as_of")
    key = [*CELL, "component", "period", "status", "_as_of"]
    known = frame.with_columns(as_of).filter(pl.col("value").is_finite())
    several = known.filter(pl.col("source_id").n_unique().over(key) > 1)
    decimals = pl.col("decimals").fill_null(_UNROUNDED_DECIMALS)
    several = several.with_columns(in_units(pl.col("value"), decimals.min().over(key)).alias("_comparable"))
    figures = ["_comparable", "numerator", "denominator"]
    several = several.with_columns(
        pl.max_horizontal(pl.col(figure).drop_nulls().n_unique().over(key) for figure in figures).alias(
            "check_source_values"
        )
    )
    said = pl.concat_str(pl.col("value").cast(pl.String).str.strip_suffix(".0"), pl.lit(": "), place_words())
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
        .group_by(GROUP)
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
    return frame.join(extremes, on=GROUP, how="left").with_columns(
        (~surely(is_judged) | surely(between)).alias("check_is_between_branches")
    )


def _add_jumps(frame: pl.DataFrame, finals: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Add the prior year's value of the same definition, and the change as a share of what the catalogue calls a jump."""
    prior = (
        finals.join(sources.select("source_id", "order_date"), on="source_id", how="left")
        .sort("order_date", "source_id", descending=True, nulls_last=True)
        .group_by(CELL, maintain_order=True)
        .agg(pl.col("value").first().alias("check_prior_value"), place_words().first().alias("check_prior_place"))
        .with_columns(pl.col("fiscal_year") + 1)
    )
    change = (pl.col("value") - pl.col("check_prior_value")).abs()
    in_percent = pl.when(change == 0).then(0.0).otherwise(100 * change / pl.col("check_prior_value").abs())
    share = pl.when(pl.col("_jump_is_percent")).then(in_percent).otherwise(change) / pl.col("_jump")
    is_judged = IS_FINAL & pl.col("check_prior_value").is_not_null() & (pl.col("_jump") > 0)
    return frame.join(prior, on=CELL, how="left").with_columns(
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
    rounding = (pl.col("_parts") + 1) * unit / 2 + TINY
    fits = (pl.col("value") - pl.col("check_sum_of_parts")).abs() <= rounding
    return frame.join(sums, on=[*key, "component"], how="left", nulls_equal=True).with_columns(
        (pl.col("check_sum_of_parts").is_null() | pl.col("value").is_null() | surely(fits)).alias(
            "check_is_sum_of_parts"
        )
    )
