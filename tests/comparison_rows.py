"""Rows of the comparison frame, as dicts, for tests of what is said about them: one by one, or any that could be."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import builders
from hypothesis import strategies as st

from kenpo_lib import sentences
from kenpo_lib.catalogue import Direction, Unit
from kenpo_lib.language import Text
from kenpo_lib.normalise import TargetRule, format_fiscal_year, format_number

KINDS = ("published", "summed", "weighted", "mean")
JAPANESE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")
NUMBER = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?")

_ROW: dict[str, Any] = {
    **{"branch_code": "04", "branch_name": "宮城", "kpi_id": "rate", "definition": "v1", "fiscal_year": 2024},
    **{"status": "final", "value": 68.6, "interim_value": None, "interim_as_of": None},
    **{"national": None, "national_kind": None, "national_difference": None, "national_judgement": None},
    **{"prior_value": None, "prior_reason": "no_prior_value", "prior_difference": None, "prior_judgement": None},
    **{"target_rule": None, "target_value": None, "target_floor": None, "target_result": None, "target_reason": None},
    **{"target_threshold": None, "target_distance": None, "target_people": None},
    **{"rank": None, "ranked_count": None, "quantile_group": None, "prior_rank": None},
    **{"rank_change": None, "rank_change_usual": None, "alert": False},
    **{"statistical": "cannot_tell", "statistical_method": None, "practical": "cannot_tell"},
    **{
        "prior_change_upper": None,
        "national_people": None,
        "lower_95": None,
        "upper_95": None,
        "prior_change_lower": None,
        "pace_is_on": None,
    },
}


def row(**changes: Any) -> dict[str, Any]:
    """A row of the comparison frame in which only the value is known."""
    unknown = changes.keys() - _ROW.keys()
    assert not unknown, unknown
    return _ROW | changes


def against_nation(judgement: str, *, kind: str = "published", **changes: Any) -> dict[str, Any]:
    difference = {"better": 1.2, "higher": 1.2, "same": 0.0}.get(judgement, -1.2)
    known = {"national": 67.4, "national_kind": kind, "national_difference": difference}
    return row(**known, national_judgement=judgement, **changes)


def aimed(result: str, *, rule: str = "at_least", goal: float = 70.0, **changes: Any) -> dict[str, Any]:
    """A row with a target of ``goal``."""
    return row(target_rule=rule, target_value=goal, target_threshold=goal, target_result=result, **changes)


def kpi(kpi_id: str = "rate", name: str | None = None, **changes: Any) -> Any:
    if name:
        changes |= {"name": Text(name, name.lower()), "short_name": Text(name, name.lower())}
    return builders.kpi(kpi_id, **changes)


NAMES = "ABCDEFGH"
PROPERTY_KPIS = {
    "ka": kpi("ka", name="A"),
    "kb": kpi("kb", name="B", direction=Direction.LOWER),
    "kc": kpi("kc", name="C", direction=Direction.NEITHER),
    "kd": kpi("kd", name="D", decimals=2, national_proxy="subscribers_40_74"),
    "ke": kpi("ke", name="E", unit=Unit.YEN, decimals=0, proportion=False),
    "kf": kpi("kf", name="F", unit=Unit.OFFICES, decimals=0, proportion=False),
    "kg": kpi("kg", name="G", unit=Unit.DAYS, decimals=2, direction=Direction.LOWER, proportion=False),
    "kh": kpi("kh", name="H", national_proxy="total_remuneration"),
}
PROPERTY_CATALOGUE = builders.catalogue(*PROPERTY_KPIS.values())
_amount = st.integers(10_000, 99_999).map(lambda cents: cents / 100)
_signed = st.integers(-99_999, 99_999).map(lambda cents: cents / 100)


def _judge(difference: float | None, sign: int) -> str | None:
    if difference is None:
        return None
    step = (difference > 0) - (difference < 0)
    if step == 0:
        return "same"
    return ("better" if step * sign > 0 else "worse") if sign else ("higher" if step > 0 else "lower")


@st.composite
def rows_of_one_year(draw: st.DrawFn, kpi_id: str) -> dict[str, Any]:
    """A row as the comparison could make it: every part there or missing."""
    entry, found = PROPERTY_KPIS[kpi_id], row(kpi_id=kpi_id)
    found["status"] = draw(st.sampled_from(("final", "interim", "pending", "missing")))
    is_final = found["status"] == "final"
    found["value"] = draw(_amount) if is_final else None
    if found["status"] == "interim":
        found |= {"interim_value": draw(_amount), "interim_as_of": draw(st.dates(dt.date(2019, 4, 1)))}
    if draw(st.booleans()):
        found |= {"national": draw(_amount), "national_kind": draw(st.sampled_from(KINDS))}
        found["national_difference"] = draw(st.one_of(st.just(0.0), _signed)) if is_final else None
        found["national_judgement"] = _judge(found["national_difference"], entry.direction.sign)
        found["practical"] = draw(st.sampled_from(("relevant", "small", "cannot_tell")))
        found["statistical"] = draw(st.sampled_from(("cannot_tell", "no_difference", found["national_judgement"])))
        found["national_people"] = draw(st.none() | st.integers(1, 99_999))
    if is_final and draw(st.booleans()):
        found |= {"prior_value": draw(_amount), "prior_reason": None}
        found["prior_difference"] = draw(st.one_of(st.just(0.0), _signed))
        found["prior_judgement"] = _judge(found["prior_difference"], entry.direction.sign)
    if draw(st.booleans()):
        rule = draw(st.sampled_from(TargetRule))
        found |= {"target_rule": rule.value, "target_value": draw(_amount), "target_floor": draw(_amount)}
        results = ("met", "not_met", "cannot_tell") if is_final else ("cannot_tell",)
        found["target_result"] = draw(st.sampled_from(results))
        if found["target_result"] == "cannot_tell":
            found["target_reason"] = draw(st.sampled_from(tuple(sentences.TARGET_REASON_WORDS)))
        else:
            found |= {"target_threshold": draw(_amount), "target_distance": draw(_amount)}
            found["target_people"] = draw(st.none() | st.integers(1, 99_999))
    if is_final and draw(st.booleans()):
        found["ranked_count"] = draw(st.sampled_from((2, 46, 47)))
        found["rank"] = draw(st.integers(1, found["ranked_count"]))
        if found["ranked_count"] == 47:
            found["quantile_group"] = draw(st.integers(1, 5))
            found["prior_rank"] = draw(st.integers(1, 47))
            found |= {"rank_change": found["prior_rank"] - found["rank"], "rank_change_usual": 8.0}
    if found["status"] == "interim" and found["target_rule"]:
        found["pace_is_on"] = draw(st.sampled_from((None, True, False)))
    return found


a_year = st.lists(st.sampled_from(tuple(PROPERTY_KPIS)), unique=True).flatmap(
    lambda ids: st.tuples(*map(rows_of_one_year, ids))
)


def numbers_of(found: dict[str, Any]) -> set[str]:
    """Every number of a row in every form in which a sentence may print it."""
    entry = PROPERTY_KPIS[found["kpi_id"]]
    numbers = {str(found["rank"]), str(found["ranked_count"]), str(found["fiscal_year"])}
    for value in found.values():
        if isinstance(value, int | float):
            numbers |= {format_number(abs(value), decimals) for decimals in (entry.decimals, 1, 0)}
    return numbers | set(NUMBER.findall(format_fiscal_year(found["fiscal_year"])))
