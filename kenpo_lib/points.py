"""The points that a conclusion is put together from: one function a point, empty where there is nothing to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kenpo_lib.actions import PLAIN_STEP, Action, describe_action, missing_words
from kenpo_lib.catalogue import Catalogue, Kpi, Unit
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number
from kenpo_lib.sentences import difference_words, name_list, value_words
from kenpo_lib.stats.incentive import INDICATORS
from kenpo_lib.verdict_words import is_unusual_movement

Row = dict[str, Any]

MOST_ACTIONS = 3
MOST_NAMED = 6

_NATIONS = {
    "published": Text("全国の公表値", "the published national value"),
    "summed": Text("{}支部の件数から計算した全国値", "the national value from the counts of all {} branches"),
    "weighted": Text("全国の推計", "the national estimate"),
    "mean": Text("{}支部の単純平均", "the plain mean of the {} branches"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that a page concludes: the word by which the eye finds it, and its sentences."""

    head: str
    sentences: tuple[str, ...]


def say_actions(actions: Sequence[Action], rows: Sequence[Row], lang: str) -> list[Point]:
    """What to act on, or that nothing asks for it; silent where nothing could be held against target or nation."""
    head = Text("対応を要する", "Act on")(lang)
    named = [describe_action(action, lang) + Text("。", ".")(lang) for action in actions[:MOST_ACTIONS]]
    if named:
        return [Point(head, tuple(named))]
    known = [row for row in rows if row["value"] is not None]
    held = []
    if any(row["target_result"] in ("met", "not_met") for row in known):
        held.append(Text("目標に届かない指標", "no target is missed"))
    if any(row["national_judgement"] in ("better", "worse", "same") for row in known):
        held.append(
            Text(
                "全国より悪く、悪化か下位1/5にある指標",
                "nothing is worse than the nation and worsened or in the last fifth",
            )
        )
    if not held:
        return []
    en = " and ".join(text.en for text in held)
    none = Text(
        "も、".join(text.ja for text in held) + ("も" if len(held) > 1 else "は") + "ありません。",
        f"{en[0].upper()}{en[1:]}.",
    )
    return [Point(head, (none(lang),))]


def say_missed(rows: Sequence[Row], actions: Sequence[Action], catalogue: Catalogue, lang: str) -> list[Point]:
    """The missed targets that are not named above; and that all are met, where they are."""
    judged = [row for row in rows if row["target_result"] in ("met", "not_met")]
    named = {action.kpi.kpi_id for action in actions[:MOST_ACTIONS]}
    missed = [row for row in judged if row["target_result"] == "not_met"]
    rest = [row for row in missed if row["kpi_id"] not in named]
    if judged and not missed:
        text = Text(f"判定できた{len(judged)}指標はすべて達成。", f"Met wherever it could be judged ({len(judged)}).")
        return [Point(Text("目標", "Targets")(lang), (text(lang),))]
    if not rest:
        return []
    parts = []
    for row in rest:
        kpi = catalogue.kpis[row["kpi_id"]]
        inner = missing_words(row, kpi, lang, names_target=False)
        parts.append(Text(f"{kpi.short_name.ja}（{inner}）", f"{kpi.short_name.en} ({inner})")(lang))
    listed = name_list(parts, lang, most=MOST_NAMED)
    return [Point(Text("ほかの未達", "Also not met")(lang), (listed + Text("。", ".")(lang),))]


def say_pace(rows: Sequence[Row], catalogue: Catalogue, lang: str) -> list[Point]:
    """Interim values behind the pace to their target; that none is, only where no target could be judged yet."""
    paced = [row for row in rows if row.get("pace_is_on") is not None]
    behind = [row for row in paced if not row["pace_is_on"]]
    if not paced or (not behind and any(row["target_result"] in ("met", "not_met") for row in rows)):
        return []
    parts = [
        f"{kpi.short_name(lang)} {value_words(row['interim_value'], kpi, lang)}"
        for row in behind
        for kpi in (catalogue.kpis[row["kpi_id"]],)
    ]
    listed = name_list(parts, lang, most=MOST_NAMED)
    text = Text(
        f"目標へのペースが分かる{len(paced)}指標のうち、届いていないのは{len(parts)}: {listed}。",
        f"Behind the pace to their target: {len(parts)} of {len(paced)} KPIs whose pace is known: {listed}.",
    )
    if not parts:
        text = Text(
            f"目標へのペースが分かる{len(paced)}指標は、すべて届いています。",
            f"On course for the target wherever the pace is known ({len(paced)}).",
        )
    return [Point(Text("進み具合", "Pace")(lang), (text(lang),))]


def count_movement(rows: Sequence[Row]) -> dict[str, int]:
    """How many KPIs got ``better``, ``worse`` and stayed the ``same`` since the prior year; empty where none can be compared."""
    return _count_judgements(row["prior_judgement"] for row in rows)


def count_nation(rows: Sequence[Row]) -> dict[str, int]:
    """How many KPIs are ``better``, ``worse`` and the ``same`` against the nation, of whatever kind its figures are."""
    return _count_judgements(row["national_judgement"] for row in rows)


def _count_judgements(judgements: Iterable[str | None]) -> dict[str, int]:
    judged = list(judgements)
    counts = {word: judged.count(word) for word in ("better", "worse", "same")}
    return counts if any(counts.values()) else {}


def say_movement(rows: Sequence[Row], catalogue: Catalogue, lang: str) -> list[Point]:
    """How many KPIs improved and worsened, and the largest movement each way."""
    counts = count_movement(rows)
    if not counts:
        return []
    better, worse = ([row for row in rows if row["prior_judgement"] == word] for word in ("better", "worse"))
    many_better, many_worse, same = counts.values()
    counts_ja = "、".join([f"改善{many_better}、悪化{many_worse}", *([f"同じ{same}"] if same else [])])
    counts_en = ", ".join([f"{many_better} improved, {many_worse} worsened", *([f"{same} the same"] if same else [])])
    pieces = []
    for word, group in (
        (Text("改善が大きいのは", "most improved: "), better),
        (Text("悪化が大きいのは", "most worsened: "), worse),
    ):
        named = [row for row in group if not _may_be_chance(row)]
        if not named:
            continue
        largest = sorted(named, key=lambda row: -_measure_change(row, catalogue.kpis[row["kpi_id"]]))[:2]
        listed = [_changed_words(row, catalogue.kpis[row["kpi_id"]], lang) for row in largest]
        pieces.append(word(lang) + Text("、", ", ")(lang).join(listed))
    tail_ja = f"{'、'.join(pieces)}。" if pieces else ""
    tail_en = "".join(f" {piece[0].upper()}{piece[1:]}." for piece in pieces)
    text = Text(f"前年度から{counts_ja}。{tail_ja}", f"Since the prior year {counts_en}.{tail_en}")
    return [Point(Text("動き", "Movement")(lang), (text(lang),))]


def _may_be_chance(row: Row) -> bool:
    """Whether counts tell that a change may be chance; without counts nothing is said against it."""
    if row.get("prior_change_lower") is not None:
        return row["prior_change_lower"] <= 0 <= row["prior_change_upper"]
    return row.get("lower_95") is not None and row["lower_95"] <= row["prior_value"] <= row["upper_95"]


def _measure_change(row: Row, kpi: Kpi) -> float:
    return abs(row["prior_difference"] or 0.0) / (kpi.relevant_difference or PLAIN_STEP)


def _changed_words(row: Row, kpi: Kpi, lang: str) -> str:
    if row["prior_difference"] is None:
        return kpi.short_name(lang)
    change = difference_words(row["prior_difference"], kpi, lang)
    return Text(f"{kpi.short_name.ja}（{change}）", f"{kpi.short_name.en} ({change})")(lang)


def say_ranks(rows: Sequence[Row], catalogue: Catalogue, lang: str) -> list[Point]:
    """Ranks among all branches, best first, with the year before where the rank moved further than usual."""
    count = len(catalogue.branch_codes)
    ranked = [row for row in rows if row["ranked_count"] == count and catalogue.kpis[row["kpi_id"]].direction.sign != 0]
    if not ranked:
        return []
    parts = []
    for row in sorted(ranked, key=lambda row: row["rank"]):
        name = catalogue.kpis[row["kpi_id"]].short_name(lang)
        words = Text(f"{name} {row['rank']}位", f"{name} {row['rank']}")(lang)
        if is_unusual_movement(row):
            prior = row["prior_rank"]
            words += Text(f"（前年度{prior}位、例年より大きな動き）", f" (from {prior}, more than usual)")(lang)
        parts.append(words)
    listed = name_list(parts, lang, most=MOST_NAMED)
    text = Text(f"{count}支部中、{listed}。", f"Among the {count} branches: {listed}.")
    return [Point(Text("順位", "Rank")(lang), (text(lang),))]


def say_incentive(own: Row | None, catalogue: Catalogue, lang: str) -> list[Point]:
    """Rank, reward and the shortest way to it in the incentive scheme."""
    if own is None or own["rank"] is None or own["is_rewarded"] is None:
        return []
    total, last = format_number(own["total"], 1), own["rewarded_ranks"]
    if own["is_rewarded"]:
        lead = format_number(own["points_ahead"], 1)
        text = Text(
            f"概算{own['rank']}位（{total}点）で報奨の対象。対象外の最上位を{lead}点上回る。",
            f"Approximately rank {own['rank']} ({total} points), rewarded; {lead} points above the first without a reward.",
        )
        return [Point(Text("インセンティブ", "Incentive")(lang), (text(lang),))]
    missing = format_number(own["points_to_reward"], 1)
    said = Text(
        f"概算{own['rank']}位（{total}点）で報奨の対象外、{last}位まで{missing}点。",
        f"Approximately rank {own['rank']} ({total} points), not rewarded; {missing} points to rank {last}.",
    )(lang)
    ways = {kpi_id: own[f"{kpi_id}_increase_needed"] for kpi_id in INDICATORS}
    known = {kpi_id: needed for kpi_id, needed in ways.items() if needed is not None}
    if known:
        kpi_id = min(known, key=lambda name: known[name])
        name, more = catalogue.kpis[kpi_id].short_name(lang), format_number(known[kpi_id], 1)
        said += Text(
            f"1指標だけで届くには、最少で{name} +{more}ポイント。",
            f" The shortest way by one indicator: {name} +{more} points.",
        )(lang)
    return [Point(Text("インセンティブ", "Incentive")(lang), (said,))]


def say_nation(rows: Sequence[Row], catalogue: Catalogue, lang: str) -> list[Point]:
    """Better and worse than the nation; each kind of national figure in a sentence of its own."""
    said = []
    for kind, words in _NATIONS.items():
        what = Text(*(text.format(len(catalogue.branch_codes)) for text in (words.ja, words.en)))
        group = [row for row in rows if row["national_kind"] == kind]
        better = [row for row in group if row["national_judgement"] == "better"]
        worse = [row for row in group if row["national_judgement"] == "worse"]
        if not (better or worse):
            if any(row["national_judgement"] == "same" for row in group):
                said.append(Text(f"{what.ja}と同じ。", f"The same as {what.en}.")(lang))
            continue
        listed = name_list(_names(worse, catalogue, lang), lang)
        tail_ja, tail_en = (f"（{listed}）", f" ({listed})") if worse else ("", "")
        said.append(
            Text(
                f"{what.ja}より良い{len(better)}、悪い{len(worse)}{tail_ja}。",
                f"Against {what.en}: {len(better)} better, {len(worse)} worse{tail_en}.",
            )(lang)
        )
    return [Point(Text("全国との差", "Nation")(lang), tuple(said))] if said else []


# --- all branches ---------------------------------------------------------------------------------------------------


def _by_kpi(branches: Sequence[Row], catalogue: Catalogue) -> list[tuple[Kpi, list[Row]]]:
    ids = dict.fromkeys(row["kpi_id"] for row in branches if catalogue.kpis[row["kpi_id"]].direction.sign)
    return [
        (catalogue.kpis[kpi_id], [row for row in branches if row["kpi_id"] == kpi_id and row["value"] is not None])
        for kpi_id in ids
    ]


def say_branches_moved(branches: Sequence[Row], catalogue: Catalogue, lang: str) -> list[Point]:
    count, parts = len(catalogue.branch_codes), []
    for kpi, rows in _by_kpi(branches, catalogue):
        judged = [row["prior_judgement"] for row in rows if row["prior_judgement"]]
        if len(judged) == count:
            parts.append(f"{kpi.short_name(lang)} {judged.count('better')}")
    if not parts:
        return []
    listed = name_list(parts, lang, most=MOST_NAMED)
    text = Text(
        f"{count}支部のうち前年度より改善した支部の数: {listed}。",
        f"Branches of {count} that improved on the year before: {listed}.",
    )
    return [Point(Text("支部の動き", "Branches")(lang), (text(lang),))]


def say_branches_apart(branches: Sequence[Row], catalogue: Catalogue, lang: str) -> list[Point]:
    """The two KPIs in which best and worst lie furthest apart."""
    apart = []
    for kpi, rows in _by_kpi(branches, catalogue):
        if kpi.unit is not Unit.PERCENT or not rows:
            continue
        low, high = min(rows, key=lambda row: row["value"]), max(rows, key=lambda row: row["value"])
        span = high["value"] - low["value"]
        if span:
            apart.append((span / (kpi.relevant_difference or PLAIN_STEP), kpi, low, high))
    if not apart:
        return []
    parts = []
    for _, kpi, low, high in sorted(apart, key=lambda entry: -entry[0])[:2]:
        names = [catalogue.branches[row["branch_code"]].name(lang) for row in (low, high)]
        ends = [value_words(row["value"], kpi, lang) for row in (low, high)]
        parts.append(
            Text(
                f"{kpi.short_name.ja}（{names[0]}{ends[0]}～{names[1]}{ends[1]}）",
                f"{kpi.short_name.en} ({names[0]} {ends[0]} to {names[1]} {ends[1]})",
            )(lang)
        )
    listed = Text("、", "; ")(lang).join(parts)
    text = Text(f"支部間の差が大きいのは{listed}。", f"Branches differ most in {listed}.")
    return [Point(Text("支部の差", "Spread")(lang), (text(lang),))]


def _names(rows: Iterable[Row], catalogue: Catalogue, lang: str) -> list[str]:
    return [catalogue.kpis[row["kpi_id"]].short_name(lang) for row in rows]
