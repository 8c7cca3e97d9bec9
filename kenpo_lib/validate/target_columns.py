"""What targets can be asked: whether they point the KPI's way, and whether one agrees with the target that replaced it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.curated import Tables
from kenpo_lib.grain import CELL
from kenpo_lib.normalise import TargetRule
from kenpo_lib.validate.completeness import IS_FINAL
from kenpo_lib.validate.questions import TINY, add_kpi_columns, are_finite, is_plausible, place_words, surely


def check_targets(frame: pl.DataFrame, tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    """Add whether a target is possible, and asks for more where more is better."""
    wants_more = pl.col("rule").is_in([TargetRule.AT_LEAST, TargetRule.AT_LEAST_PRIOR, TargetRule.FLOOR_OR_PRIOR])
    fits = (pl.col("_sign") == 0) | ((pl.col("_sign") > 0) == wants_more)
    return (
        frame.pipe(add_kpi_columns, catalogue)
        .with_columns(
            are_finite("value", "floor"),
            (is_plausible("value") & is_plausible("floor")).alias("check_is_plausible"),
            surely(fits).alias("check_is_in_direction"),
        )
        .select(~pl.selectors.starts_with("_"))
    )


def check_superseded_targets(frame: pl.DataFrame, tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    """Add the target that replaced each, and whether both mean the same number.

    "No less than last year" and "33.2 or more" agree where last year was 33.2, or is not known.
    """
    newer = tables["targets"].select(
        *CELL,
        *(pl.col(column).alias(f"check_newer_{column}") for column in ("rule", "value", "floor")),
        place_words().alias("check_newer_place"),
    )
    finals = tables["observations"].filter(IS_FINAL)
    prior = finals.group_by(CELL).agg(pl.col("value").alias("_prior")).with_columns(pl.col("fiscal_year") + 1)
    frame = frame.join(newer, on=CELL, how="left").join(prior, on=CELL, how="left")
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
        None in pair or abs(pair[0] - pair[1]) <= TINY
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
