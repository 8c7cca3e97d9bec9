"""What can be said of the branches of one KPI, definition and year together: quantile groups, the nation without each of them,
funnel, shrinkage and rank sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kenpo_lib.grain import GROUP
from kenpo_lib.spread import MIN_FUNNEL_BRANCHES, funnel_centre
from kenpo_lib.stats.funnel import proportion_funnel
from kenpo_lib.stats.groups import percentile_ranks, quantile_groups
from kenpo_lib.stats.leave_one_out import mean_without, published_without, rate_without
from kenpo_lib.stats.multiplicity import two_sided_p
from kenpo_lib.stats.rank_sets import rank_confidence_sets
from kenpo_lib.stats.shrinkage import shrink_proportions
from kenpo_lib.uncertainty.arrays import Floats, list_groups, to_numbers, to_series

QUANTILE_GROUPS = 5

_INTEGERS = ("quantile_group", "rank_lower", "rank_upper", "rank_lower_all", "rank_upper_all")
_NUMBERS = (
    *("national_without_branch", "quantile_group", "percentile"),
    *("rank_lower", "rank_upper", "rank_lower_all", "rank_upper_all"),
    *("funnel_z", "funnel_adjusted_z", "p_value", "shrunk_value", "shrunk_lower", "shrunk_upper", "shrunk_weight"),
)
_TEXTS = ("national_without_kind", "funnel_position", "funnel_adjusted_position")

Columns = dict[str, NDArray]


@dataclass(frozen=True, slots=True)
class Group:
    """The branches of one KPI, definition and year; arrays hold NaN for missing.

    Attributes:
        sign: +1 where more is better, −1 where less is, 0 where neither.
        national, national_kind: The national figure and which one it is; None where there is none.
        columns: ``value``, ``rated`` (the value where it has a rank), ``numerator``, ``denominator``, ``x`` and ``n`` (counts where
            they make a proportion), ``weight``.
    """

    sign: int
    national: float | None
    national_kind: str | None
    columns: Mapping[str, Floats]


def describe_groups(cells: pl.DataFrame, *, branches: int) -> pl.DataFrame:
    """Each group described; null where it has too few branches or no counts.

    Args:
        cells: Of the comparison.
        branches: How many there are; what needs all of them is left out where one is missing.
    """
    values = to_numbers(cells, "value")
    columns = {
        **{name: to_numbers(cells, name) for name in ("numerator", "denominator", "weight")},
        "value": values,
        "rated": np.where(cells["rank"].is_not_null().to_numpy(), values, np.nan),
        "x": to_numbers(cells, "numerator", where="is_counted"),
        "n": to_numbers(cells, "denominator", where="is_counted"),
    }
    signs, nationals, kinds = (cells[name] for name in ("sign", "national", "national_kind"))
    numbers = {name: np.full(cells.height, np.nan) for name in _NUMBERS}
    texts = {name: np.full(cells.height, "", dtype="<U16") for name in _TEXTS}
    for rows in list_groups(cells, GROUP):
        first = int(rows[0])
        group = Group(
            signs[first], nationals[first], kinds[first], {name: column[rows] for name, column in columns.items()}
        )
        for name, found in _describe_group(group, branches=branches).items():
            (numbers if name in numbers else texts)[name][rows] = found
    return pl.DataFrame(
        [
            *(to_series(name, numbers[name], pl.Int32 if name in _INTEGERS else pl.Float64) for name in _NUMBERS),
            *(pl.Series(name, texts[name], dtype=pl.String).replace("", None) for name in _TEXTS),
        ]
    )


def _describe_group(group: Group, *, branches: int) -> Columns:
    columns: Columns = {}
    rated, counted = group.columns["rated"], ~np.isnan(group.columns["x"])
    ranked = np.isfinite(rated).sum()
    if ranked == branches:
        columns["quantile_group"] = quantile_groups(rated, groups=QUANTILE_GROUPS, sign=group.sign)
        columns["percentile"] = percentile_ranks(rated, sign=group.sign)
    columns |= _describe_nation_without(group, branches=branches)
    if counted.sum() >= MIN_FUNNEL_BRANCHES and counted.sum() == ranked:
        columns |= _describe_spread(group)
    return columns


def _describe_nation_without(group: Group, *, branches: int) -> Columns:
    """The nation without each branch, by the same kind of figure as the national one beside it."""
    kind, values, weight = group.national_kind, group.columns["value"], group.columns["weight"]
    is_complete = np.isfinite(values).sum() == branches
    if kind == "summed":
        found = rate_without(group.columns["numerator"], group.columns["denominator"], is_proportion=False)
        name = "summed"
    elif kind in ("weighted", "mean") and is_complete:
        found = mean_without(values, weight if kind == "weighted" else None)
        name = kind
    elif kind == "published" and is_complete and np.isfinite(weight).sum() == branches:
        found = published_without(group.national, values, weight)
        name = "estimated"
    else:
        return {}
    without = np.broadcast_to(found.without, values.shape)
    return {
        "national_without_branch": without,
        "national_without_kind": np.where(np.isfinite(without), name, ""),
    }


def _describe_spread(group: Group) -> Columns:
    """Funnel, shrinkage and rank sets of a group whose ranked branches all have counts."""
    numerator, denominator = group.columns["x"], group.columns["n"]
    centre = funnel_centre(group.national, group.national_kind)
    funnel = proportion_funnel(numerator, denominator, centre=centre, multiplier=100)
    shrunk = shrink_proportions(numerator, denominator, centre=centre, multiplier=100)
    share = numerator / denominator
    error = 100 * np.sqrt(share * (1 - share) / denominator)
    one, every = (
        rank_confidence_sets(100 * share, error, sign=group.sign, simultaneous=simultaneous)
        for simultaneous in (False, True)
    )
    return {
        "funnel_z": funnel.z,
        "funnel_position": funnel.position,
        "funnel_adjusted_z": funnel.adjusted_z,
        "funnel_adjusted_position": funnel.adjusted_position,
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
