"""Which KPIs ask for action, and why: reasons that stand in the comparison, counted and weighed by rule.

A KPI asks for action where its target is missed, or where it is surely worse than the nation and worsening (an alert); without
these where it is worse than the nation and also worsening, or among the last fifth. More reasons come first, then the larger
distance, in steps of what the catalogue calls a difference that matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kenpo_lib.catalogue import Catalogue, Kpi, Unit
from kenpo_lib.language import Text
from kenpo_lib.normalise import TargetRule, format_number
from kenpo_lib.sentences import difference_words
from kenpo_lib.targets import Target
from kenpo_lib.verdict_words import nation_people_words

Row = dict[str, Any]

LAST_FIFTH = 5
PLAIN_STEP = 5.0  # percent, for amounts whose KPI states no difference that matters

ACTION_RULE = Text(
    "「対応を要する」は、目標に届かなかった指標と、全国より悪く、かつ前年度より悪化したか下位1/5にある指標です。理由の多い順、差の大きい順に"
    "3つまで挙げます。",
    "Action is asked for where a target is missed, and where a KPI is worse than the nation and worsened or is in the last fifth. Up "
    "to three are named: those with most reasons first, then the largest distance.",
)


@dataclass(frozen=True, slots=True)
class Action:
    """A KPI that asks for action.

    Attributes:
        row: Its row of the comparison.
        kpi: Its entry of the catalogue.
        reasons: Of ``alert`` (surely worse than the nation, and worsening), ``missed`` (its target), ``behind`` (worse than the
            nation by what matters and is not known to be chance), ``falling`` (since the year before), ``last_fifth``.
    """

    row: Row
    kpi: Kpi
    reasons: frozenset[str]


def list_actions(rows: Sequence[Row], catalogue: Catalogue) -> list[Action]:
    """The KPIs that ask for action, most urgent first.

    Args:
        rows: One branch (or the nation) and year, each KPI once, in reading order, which ties keep.
        catalogue: Directions and the differences that matter.
    """
    found = [
        Action(row, catalogue.kpis[row["kpi_id"]], find_reasons(row, catalogue.kpis[row["kpi_id"]])) for row in rows
    ]
    urgent = [
        action
        for action in found
        if action.reasons & {"alert", "missed"} or {"behind"} < action.reasons  # behind and something else
    ]
    return sorted(
        urgent,
        key=lambda a: (
            "alert" not in a.reasons,
            "missed" not in a.reasons,
            -len(a.reasons),
            -_measure_distance(a),
        ),
    )


def find_reasons(row: Row, kpi: Kpi) -> frozenset[str]:
    """See ``Action``; none without a final value, and none for KPIs of which neither way is better."""
    if row["value"] is None or not kpi.direction.sign:
        return frozenset()
    matters = row.get("practical") != "small" and row.get("statistical") != "no_difference"
    reasons = {
        "alert": bool(row.get("alert")),
        "missed": row["target_result"] == "not_met",
        "behind": row["national_judgement"] == "worse" and matters,
        "falling": row["prior_judgement"] == "worse",
        "last_fifth": row.get("quantile_group") == LAST_FIFTH,
    }
    return frozenset(reason for reason, holds in reasons.items() if holds)


def _measure_distance(action: Action) -> float:
    """How far a KPI is off its target, or else the nation, in steps that matter."""
    row, kpi = action.row, action.kpi
    if "missed" in action.reasons:
        gap, goal = row["target_distance"] or 0.0, row["target_threshold"]
        gap = 100 * gap / goal if kpi.unit.differs_in_percent and goal else gap
    else:
        gap = abs(row["national_difference"] or 0.0)
    return gap / (kpi.relevant_difference or PLAIN_STEP)


def describe_action(action: Action, lang: str) -> str:
    """``事業者健診データ（目標に3.3ポイント不足、全国より2.1ポイント悪い、…）``: each reason with its number."""
    row, kpi = action.row, action.kpi
    parts = []
    if "alert" in action.reasons:
        parts.append(Text("全国より確かに悪く悪化中", "surely worse than the nation, and worsening")(lang))
    if "missed" in action.reasons:
        parts.append(missing_words(row, kpi, lang))
    if "behind" in action.reasons and "alert" not in action.reasons:
        parts.append(_behind_words(row, kpi, lang))
    # Against a target of the prior year's value the shortfall is that same fall.
    if "falling" in action.reasons and not _needs_prior(row):
        size = _size_words(row["prior_difference"], kpi, lang)
        parts.append(Text(f"前年度より{size}悪化", f"{size} worse than the year before")(lang))
    if "last_fifth" in action.reasons:
        parts.append(
            Text(f"{row['ranked_count']}支部中{row['rank']}位", f"rank {row['rank']} of {row['ranked_count']}")(lang)
        )
    inner = Text("、", ", ")(lang).join(parts)
    return Text(f"{kpi.short_name.ja}（{inner}）", f"{kpi.short_name.en} ({inner})")(lang)


def missing_words(row: Row, kpi: Kpi, lang: str, *, names_target: bool = True) -> str:
    """``目標に3.3ポイント不足`` (or without 目標に), in cases too where counts are published."""
    if not row["target_distance"]:
        return Text("目標未達", "target missed")(lang)
    up = Target(TargetRule(row["target_rule"]), row["target_value"], row["target_floor"]).wants_at_least
    gap = _gap_words(row["target_distance"], kpi, lang)
    words = Text(f"{gap}{'不足' if up else '超過'}", f"{gap} {'short' if up else 'above'}")(lang)
    if names_target:
        words = Text(f"目標{'に' if up else 'を'}{words}", f"{words}{' of' if up else ''} the target")(lang)
    if not row["target_people"]:
        return words
    count = f"{row['target_people']:,}"
    return words + Text(f"＝{count}件の{'増' if up else '減'}", f" = {count} {'more' if up else 'fewer'} cases")(lang)


def _behind_words(row: Row, kpi: Kpi, lang: str) -> str:
    size = _size_words(row["national_difference"], kpi, lang)
    estimate = "" if row["national_kind"] in ("published", "summed") else Text("推計", " estimate")(lang)
    words = Text(f"全国{estimate}より{size}悪い", f"{size} worse than the national{estimate or ' value'}")(lang)
    people = nation_people_words(row, kpi, lang)
    return words + (Text(f"＝{people}", f" = {people}")(lang) if people else "")


def _needs_prior(row: Row) -> bool:
    return row["target_result"] == "not_met" and str(row["target_rule"]).endswith("_prior")


def _gap_words(gap: float, kpi: Kpi, lang: str) -> str:
    """A distance in the unit of the KPI: ``3.3ポイント``, ``772円``."""
    unit = Text("ポイント", " points")(lang) if kpi.unit is Unit.PERCENT else kpi.unit_word(lang)
    return f"{format_number(gap, kpi.decimals)}{unit}"


def _size_words(difference: float | None, kpi: Kpi, lang: str) -> str:
    """A difference without its sign: ``2.1ポイント``, ``27.0%``."""
    return difference_words(abs(difference or 0.0), kpi, lang).lstrip("+±")
