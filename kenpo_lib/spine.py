"""Where one branch stands in every KPI at once: from the worst branch over the nation to the best, one line a KPI.

Every line has the nation in its middle and runs to the right for the better, so that lines of different units can stand below each
other. Source of the form: the spine chart of the area profiles of Fingertips (Office for Health Improvement and Disparities).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from kenpo_lib.catalogue import Kpi
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.store.places import describe_spread

_SPREAD = describe_spread(("p25", "p75"))


@dataclass(frozen=True, slots=True)
class Spine:
    """One line of the chart. Places run from 0 (left end) over 0.5 (the nation) to 1 (right end); better lies right.

    Attributes:
        own: The branch's row of the comparison.
        worst, best: The ends of the branches known, in the KPI's unit.
        worst_codes, best_codes: Who is there; more than one where they tie, of a large group the first of them.
        worst_count, best_count: How many are there.
        lower, upper: Quartiles of the branches known, in the KPI's unit, the worse one first.
        places: Where ``worst``, ``lower``, ``value``, ``upper`` and ``best`` lie.
    """

    own: dict[str, Any]
    worst: float
    best: float
    worst_codes: tuple[str, ...]
    best_codes: tuple[str, ...]
    worst_count: int
    best_count: int
    lower: float
    upper: float
    places: dict[str, float]


def compute_spine(
    values: pl.DataFrame, kpi: Kpi, *, branch_code: str, spread: Mapping[str, Any] | None = None
) -> Spine | None:
    """Place one branch between the worst and the best.

    Args:
        values: All rows of the comparison of one KPI, definition and year; uses ``branch_code``, ``value``, ``national``.
        kpi: Its direction decides which end is which.
        branch_code: The branch to place.
        spread: How all are spread, where ``values`` has only some of them (``store.places.summarise_spread``).

    Returns:
        None where the branch has no value, neither way is better, there is no national figure to compare a branch with, fewer
        than ten branches are known, or all have the national value. The longer side of the nation fills its half; quartiles are
        interpolated between the nearest two values (type 7 of Hyndman and Fan).
    """
    known = values.filter(pl.col("value").is_not_null())
    own = known.filter(pl.col("branch_code") == branch_code).to_dicts()
    spread = spread or known.select(_SPREAD).row(0, named=True)
    if not own or not kpi.direction.sign or kpi.unit.is_total or spread["known"] < MIN_POSITION_BRANCHES:
        return None
    nation = own[0]["national"]
    if nation is None:
        return None
    names = ("low", "high"), ("p25", "p75"), ("low_codes", "high_codes"), ("low_count", "high_count")
    (worst, best), (lower, upper), codes, counts = (
        tuple(spread[name] for name in pair)[:: kpi.direction.sign] for pair in names
    )
    half = max(abs(worst - nation), abs(best - nation))
    if not half:
        return None

    def place(value: float) -> float:
        return 0.5 + 0.5 * kpi.direction.sign * (value - nation) / half

    named = {"worst": worst, "lower": lower, "value": own[0]["value"], "upper": upper, "best": best}
    return Spine(
        own=own[0],
        worst=worst,
        best=best,
        worst_codes=tuple(codes[0]),
        best_codes=tuple(codes[1]),
        worst_count=counts[0],
        best_count=counts[1],
        lower=lower,
        upper=upper,
        places={name: place(value) for name, value in named.items()},
    )
