"""The conclusion of a page: at most six points, what to act on first. Rules only, from rows of the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kenpo_lib import points
from kenpo_lib.actions import list_actions
from kenpo_lib.catalogue import Catalogue
from kenpo_lib.language import Text
from kenpo_lib.points import Point
from kenpo_lib.sentences import RESULT_WORDS, TARGET_REASON_WORDS

Row = dict[str, Any]

MOST_POINTS = 6

NO_TARGETS = Text(
    "この支部の年度目標は手元の公表資料にないため、達成・未達は判定していません。",
    "The targets of this branch are not in the documents at hand, so none is judged.",
)
_NOTHING_YET = Text("この年度の実績はまだありません。", "There are no results for this year yet.")
_NOTHING_TO_JUDGE = Text(
    "達成や良し悪しを判定できる実績はありません。",
    "There is no result that could be judged by a target, the nation or the year before.",
)


def conclude_branch(
    rows: Sequence[Row], catalogue: Catalogue, lang: str, *, incentive: Row | None = None
) -> list[Point]:
    """The conclusion of a branch report, most important first. Facts that are not known are left out, never guessed.

    Args:
        rows: One branch and year, each KPI once, in reading order.
        catalogue: Names, directions and the differences that matter.
        lang: Language of words.
        incentive: The branch's row of ``compute_incentive``, where the year can be scored.

    Returns:
        One to six points. What is judged by targets stands in the tally beside them and is not repeated.
    """
    actions = list_actions(rows, catalogue)
    said = [
        *points.say_actions(actions, rows, lang),
        *points.say_missed(rows, actions, catalogue, lang),
        *points.say_pace(rows, catalogue, lang),
        *points.say_movement(rows, catalogue, lang),
        *points.say_ranks(rows, catalogue, lang),
        *points.say_incentive(incentive, catalogue, lang),
        *points.say_nation(rows, catalogue, lang),
    ]
    return said[:MOST_POINTS] or _say_nothing(rows, lang)


def conclude_nation(rows: Sequence[Row], branches: Sequence[Row], catalogue: Catalogue, lang: str) -> list[Point]:
    """The conclusion of the national overview: targets and movement of the nation, then how the branches moved and differ.

    Args:
        rows: The nation in one year, each KPI once, in reading order.
        branches: All branches' rows of the KPIs that all are known for, in reading order.
        catalogue: Names, directions and the differences that matter.
        lang: Language of words.
    """
    actions = list_actions(rows, catalogue)
    said = [
        *points.say_actions(actions, rows, lang),
        *points.say_missed(rows, actions, catalogue, lang),
        *points.say_movement(rows, catalogue, lang),
        *points.say_branches_moved(branches, catalogue, lang),
        *points.say_branches_apart(branches, catalogue, lang),
    ]
    return said[:MOST_POINTS] or _say_nothing(rows, lang)


def _say_nothing(rows: Sequence[Row], lang: str) -> list[Point]:
    is_known = any(row["value"] is not None for row in rows)
    text = _NOTHING_TO_JUDGE if is_known else _NOTHING_YET
    return [Point(Text("実績", "Results")(lang), (text(lang),))]


def count_targets(rows: Sequence[Row]) -> dict[str, int]:
    """How many targets are ``met``, ``not_met`` and ``cannot_tell``; empty without any target."""
    results = [row["target_result"] for row in rows if row["target_result"]]
    return {result: results.count(result) for result in RESULT_WORDS} if results else {}


def explain_open_targets(rows: Sequence[Row], lang: str) -> str:
    """Why targets could not be judged, with how many of each: ``実績が未公表・検証中 1、年度途中の値しかない 1``."""
    reasons = [row["target_reason"] for row in rows if row["target_result"] == "cannot_tell"]
    counted = [f"{TARGET_REASON_WORDS[reason](lang)} {reasons.count(reason)}" for reason in dict.fromkeys(reasons)]
    return Text("、", ", ")(lang).join(counted)


def explain_certainty(rows: Sequence[Row], lang: str) -> str:
    """For how many KPIs chance could be tested at all; empty where nothing was compared, or everything tested."""
    compared = [row for row in rows if row["national_judgement"] in ("better", "worse", "same")]
    tested = [row for row in compared if row.get("statistical_method")]
    if len(tested) == len(compared):
        return ""
    if not tested:
        return Text(
            "全国との差が偶然かどうかは判定できません（件数の公表されている指標がありません）。",
            "Whether differences from the nation are chance cannot be told: no counts are published.",
        )(lang)
    return Text(
        f"全国との差が偶然かどうかは、件数が公表されている{len(tested)}指標だけで判定しています（比較した{len(compared)}指標のうち）。",
        f"Whether a difference from the nation is chance is judged for {len(tested)} of {len(compared)} KPIs: only those with "
        "published counts.",
    )(lang)
