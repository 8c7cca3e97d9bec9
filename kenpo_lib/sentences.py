"""Comparison rows → what a reader reads: words for values, verdicts and reasons, and the sentences of the conclusion.

Rules only, no judgement of its own: each function takes rows of the comparison frame (as dicts) and says what stands there.
A list of KPIs in a sentence is short; the table below it has them all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from kenpo_lib.catalogue import NATIONAL_PROXIES, Catalogue, Kpi, Unit
from kenpo_lib.grain import BRANCH_COUNT
from kenpo_lib.language import Text
from kenpo_lib.normalise import TargetRule, format_fiscal_year, format_number
from kenpo_lib.targets import Target

Row = dict[str, Any]
MOST_NAMED = 4

STATUS_WORDS = {
    "final": Text("確定値", "final"),
    "interim": Text("中間値", "interim"),
    "pending": Text("未公表", "pending"),
    "missing": Text("データなし", "no data"),
}
RESULT_WORDS = {
    "met": Text("達成", "met"),
    "not_met": Text("未達", "not met"),
    "cannot_tell": Text("判定できない", "cannot tell"),
}
TARGET_REASON_WORDS = {
    "no_value": Text("実績が手元にない", "no value yet"),
    "pending": Text("実績が未公表・検証中", "value pending"),
    "only_interim": Text("年度途中の値しかない", "only an interim value"),
    "no_prior": Text("同じ定義の前年度値がない", "no prior-year value under this definition"),
}
PRIOR_REASON_WORDS = {
    "definition_changed": Text("定義変更のため比較しない", "definition changed"),
    "no_prior_value": Text("前年度値なし", "no prior-year value"),
}
JUDGEMENT_WORDS = {
    "better": Text("良い", "better"),
    "worse": Text("悪い", "worse"),
    "same": Text("同じ", "same"),
    "higher": Text("高い", "higher"),
    "lower": Text("低い", "lower"),
}
NATIONAL_WORDS = {
    "published": Text("全国（公表値）", "nation (published)"),
    "summed": Text("全国（{branches}支部の件数の合計から計算）", "nation (from the counts of all {branches} branches)"),
    "weighted": Text("全国推計（{proxy}で加重した平均）", "national estimate (mean weighted by {proxy})"),
    "mean": Text("{branches}支部の単純平均", "plain mean of the {branches} branches"),
}
NATIONAL_MARKS = {
    "published": Text("", ""),
    "summed": Text("計算", "calc."),
    "weighted": Text("推計", "est."),
    "mean": Text("単純平均", "mean"),
}


def national_name(kind: str | None, kpi: Kpi, lang: str, *, branches: int = BRANCH_COUNT) -> str:
    """The national figure's name; one that is not published is never called just 全国平均."""
    if kind is None:
        return Text("全国（不明）", "nation (unknown)")(lang)
    proxy = NATIONAL_PROXIES[kpi.national_proxy](lang) if kpi.national_proxy else ""
    return NATIONAL_WORDS[kind](lang).format(proxy=proxy, branches=branches)


def value_words(value: float | None, kpi: Kpi, lang: str) -> str:
    """``68.6%``, ``7,228円``; an en dash for null."""
    return "–" if value is None else f"{format_number(value, kpi.decimals)}{kpi.unit_word(lang)}"


def difference_words(difference: float | None, kpi: Kpi, lang: str) -> str:
    """``+3.5ポイント`` for percentages, ``+28.9%`` for amounts and counts."""
    if difference is None:
        return "–"
    if kpi.unit is Unit.PERCENT:
        return format_number(difference, kpi.decimals, signed=True) + Text("ポイント", " points")(lang)
    if kpi.unit.differs_in_percent:
        return format_number(difference, 1, signed=True) + "%"
    return format_number(difference, kpi.decimals, signed=True) + kpi.unit_word(lang)


def target_words(row: Row, kpi: Kpi, lang: str) -> str:
    """The rule in words, and the number behind a prior-year rule where it is known."""
    if row["target_rule"] is None:
        return "–"
    target = Target(TargetRule(row["target_rule"]), row["target_value"], row["target_floor"])
    words = target.words(decimals=kpi.decimals, unit=kpi.unit_word(lang), lang=lang)
    if target.needs_prior and row["target_threshold"] is not None:
        number = value_words(row["target_threshold"], kpi, lang)
        words += Text(f"（{number}）", f" ({number})")(lang)
    return words


def result_words(row: Row, lang: str) -> str:
    """達成 / 未達 / 判定できない with the reason."""
    if row["target_result"] is None:
        return Text("目標なし", "no target")(lang)
    words = RESULT_WORDS[row["target_result"]](lang)
    if row["target_reason"]:
        reason = TARGET_REASON_WORDS[row["target_reason"]](lang)
        words += Text(f"（{reason}）", f" ({reason})")(lang)
    return words


def rank_words(row: Row, lang: str) -> str:
    """``12位／47`` ; the number ranked is always told."""
    if row["rank"] is None:
        return "–"
    return Text(f"{row['rank']}位／{row['ranked_count']}", f"{row['rank']} of {row['ranked_count']}")(lang)


def interim_words(row: Row, kpi: Kpi, lang: str) -> str:
    """``91.1%（令和7年2月時点の中間値）``."""
    when = date_words(row["interim_as_of"], lang)
    value = value_words(row["interim_value"], kpi, lang)
    at = Text(f"{when}時点の中間値" if when else "中間値", f"interim, as of {when}" if when else "interim")(lang)
    return Text(f"{value}（{at}）", f"{value} ({at})")(lang)


def date_words(date: dt.date | None, lang: str) -> str:
    """``令和7年2月`` / ``Feb 2025``; empty for null."""
    if date is None:
        return ""
    if lang == "en":
        return date.strftime("%b %Y")
    # 令和 began on 1 May 2019; January to April belong to the calendar year of 平成31年.
    era, number = ("令和", date.year - 2018) if date >= dt.date(2019, 5, 1) else ("平成", date.year - 1988)
    return f"{era}{'元' if number == 1 else number}年{date.month}月"


def name_list(names: Sequence[str], lang: str, *, most: int = MOST_NAMED) -> str:
    """``A、B、C ほか2``."""
    shown = list(names[:most])
    rest = len(names) - len(shown)
    text = "、".join(shown) if lang == "ja" else "; ".join(shown)  # English names hold commas
    return text + (Text(f" ほか{rest}指標", f" and {rest} more")(lang) if rest else "")


# --- the conclusion -------------------------------------------------------------------------------------------------


def conclude_branch(rows: Sequence[Row], catalogue: Catalogue, lang: str) -> list[str]:
    """The conclusion of a branch report: targets, position, movement, what is missing in people. Empty facts are left out.

    Args:
        rows: One branch and year, each KPI once, in reading order.
    """
    sentences = [
        *_conclude_targets(rows, catalogue, lang),
        *_conclude_position(rows, catalogue, lang),
        *_conclude_nation(rows, catalogue, lang),
        *_conclude_change(rows, catalogue, lang),
    ]
    if not sentences:
        sentences = [Text("この年度の実績はまだありません。", "There are no results for this year yet.")(lang)]
    return sentences


def _names(rows: Iterable[Row], catalogue: Catalogue, lang: str) -> list[str]:
    return [catalogue.kpis[row["kpi_id"]].short_name(lang) for row in rows]


def _conclude_targets(rows: Sequence[Row], catalogue: Catalogue, lang: str) -> list[str]:
    aimed = [row for row in rows if row["target_result"]]
    if not aimed:
        text = Text(
            "この支部の年度目標は、手元の公表資料にありません。",
            "The targets of this branch are not in the documents at hand.",
        )
        return [text(lang)] if any(row["value"] is not None for row in rows) else []
    by_result = {
        result: [row for row in aimed if row["target_result"] == result] for result in ("met", "not_met", "cannot_tell")
    }
    met, missed, open_ = (len(by_result[key]) for key in ("met", "not_met", "cannot_tell"))
    head = Text(
        f"目標のある{len(aimed)}指標のうち、達成{met}、未達{missed}"
        + (f"、判定できない{open_}" if open_ else "")
        + "です。",
        f"Of {len(aimed)} KPIs with a target, {met} are met, {missed} not met"
        + (f", {open_} cannot be told" if open_ else "")
        + ".",
    )(lang)
    sentences = [head]
    if by_result["cannot_tell"]:
        reasons = [row["target_reason"] for row in by_result["cannot_tell"]]
        counted = [f"{TARGET_REASON_WORDS[reason](lang)} {reasons.count(reason)}" for reason in dict.fromkeys(reasons)]
        text = Text(f"判定できない理由: {'、'.join(counted)}。", f"Why it cannot be told: {', '.join(counted)}.")
        sentences.append(text(lang))
    if by_result["not_met"]:
        parts = [_shortfall(row, catalogue, lang) for row in by_result["not_met"]]
        listed = name_list(parts, lang, most=6)
        sentences.append(Text(f"未達の指標と不足: {listed}。", f"Not met, and by how much: {listed}.")(lang))
    return sentences


def _shortfall(row: Row, catalogue: Catalogue, lang: str) -> str:
    kpi = catalogue.kpis[row["kpi_id"]]
    name = kpi.short_name(lang)
    if row["target_distance"] is None:
        return name
    unit = Text("ポイント", " points")(lang) if kpi.unit is Unit.PERCENT else kpi.unit_word(lang)
    gap = f"{format_number(row['target_distance'], kpi.decimals)}{unit}"
    if row["target_people"]:
        count = f"{row['target_people']:,}"
        up = Target(TargetRule(row["target_rule"]), row["target_value"], row["target_floor"]).wants_at_least
        gap += Text(f"＝{count}件の{'増' if up else '減'}", f" = {count} {'more' if up else 'fewer'} cases")(lang)
    return Text(f"{name}（{gap}）", f"{name} ({gap})")(lang)


def _conclude_position(rows: Sequence[Row], catalogue: Catalogue, lang: str) -> list[str]:
    branches = len(catalogue.branch_codes)
    ranked = [
        row for row in rows if row["ranked_count"] == branches and catalogue.kpis[row["kpi_id"]].direction.sign != 0
    ]
    if not ranked:
        return []
    ranked.sort(key=lambda row: row["rank"])
    parts = [
        Text(
            f"{catalogue.kpis[row['kpi_id']].short_name(lang)} {row['rank']}位",
            f"{catalogue.kpis[row['kpi_id']].short_name(lang)} {row['rank']}",
        )(lang)
        for row in ranked
    ]
    listed = name_list(parts, lang, most=6)
    return [Text(f"{branches}支部中の順位: {listed}。", f"Rank among the {branches} branches: {listed}.")(lang)]


_NATIONAL_REFERENCES = {
    "published": Text("全国の公表値", "the published national value"),
    "summed": Text("{}支部の件数から計算した全国値", "the national value from the counts of all {} branches"),
    "weighted": Text("全国の推計（公表値なし）", "the national estimate (none published)"),
    "mean": Text("{}支部の単純平均", "the plain mean of the {} branches"),
}


def _conclude_nation(rows: Sequence[Row], catalogue: Catalogue, lang: str) -> list[str]:
    judged = [row for row in rows if row["national_judgement"] in ("better", "worse", "same")]
    if not judged:
        return []
    # A published figure, a sum, an estimate and a plain mean are not the same thing, so each has its own sentence.
    sentences = []
    branches = len(catalogue.branch_codes)
    for kind, words in _NATIONAL_REFERENCES.items():
        what = Text(words.ja.format(branches), words.en.format(branches))
        group = [row for row in judged if row["national_kind"] == kind]
        if not group:
            continue
        better = _names((r for r in group if r["national_judgement"] == "better"), catalogue, lang)
        worse = _names((r for r in group if r["national_judgement"] == "worse"), catalogue, lang)
        pieces_ja = [
            *([f"良いのは{name_list(better, lang)}"] if better else []),
            *([f"悪いのは{name_list(worse, lang)}"] if worse else []),
        ]
        pieces_en = [
            *([f"better in {name_list(better, lang)}"] if better else []),
            *([f"worse in {name_list(worse, lang)}"] if worse else []),
        ]
        if pieces_ja:
            text = Text(f"{what.ja}より{'、'.join(pieces_ja)}です。", f"Against {what.en}: {_join_pieces(pieces_en)}.")
        else:
            text = Text(f"{what.ja}と同じ水準です。", f"The same as {what.en}.")
        sentences.append(text(lang))
    return sentences


def _conclude_change(rows: Sequence[Row], catalogue: Catalogue, lang: str) -> list[str]:
    better = _names((r for r in rows if r["prior_judgement"] == "better"), catalogue, lang)
    worse = _names((r for r in rows if r["prior_judgement"] == "worse"), catalogue, lang)
    if not better and not worse:
        return []
    pieces_ja = [
        *([f"改善したのは{name_list(better, lang)}（計{len(better)}）"] if better else []),
        *([f"悪化したのは{name_list(worse, lang)}（計{len(worse)}）"] if worse else []),
    ]
    pieces_en = [
        *([f"improved: {name_list(better, lang)} ({len(better)})"] if better else []),
        *([f"worsened: {name_list(worse, lang)} ({len(worse)})"] if worse else []),
    ]
    return [
        Text(f"前年度から、{'、'.join(pieces_ja)}です。", f"Since the prior year, {_join_pieces(pieces_en)}.")(lang)
    ]


def _join_pieces(pieces: Sequence[str]) -> str:
    """English pieces as sentences of their own: the names in them hold commas."""
    return ". ".join([*pieces[:1], *(piece[0].upper() + piece[1:] for piece in pieces[1:])])


def describe_trend(
    history: Sequence[Row], kpi: Kpi, *, branch_name: str, lang: str, branches: int = BRANCH_COUNT
) -> str:
    """The sentence that stands for a trend chart: the last value, its year, the change, the nation and the target."""
    known = [row for row in history if row["value"] is not None]
    if not known:
        return Text(f"{branch_name}の{kpi.name.ja}は値がありません。", f"{branch_name}: no value of {kpi.name.en}.")(
            lang
        )
    last = known[-1]
    year = format_fiscal_year(last["fiscal_year"], lang=lang)
    value = value_words(last["value"], kpi, lang)
    parts_ja, parts_en = [], []
    if last["prior_difference"] is not None:
        change = difference_words(last["prior_difference"], kpi, lang)
        parts_ja.append(f"前年度から{change}")
        parts_en.append(f"{change} on the year before")
    if last["national"] is not None and last["national_difference"] is not None:
        nation = value_words(last["national"], kpi, lang)
        parts_ja.append(f"{national_name(last['national_kind'], kpi, 'ja', branches=branches)}は{nation}")
        parts_en.append(f"{national_name(last['national_kind'], kpi, 'en', branches=branches)} {nation}")
    if last["target_result"]:
        rule, result = target_words(last, kpi, lang), RESULT_WORDS[last["target_result"]](lang)
        parts_ja.append(f"目標{rule}は{result}")
        parts_en.append(f"target {rule}: {result}")
    if len({row["definition"] for row in known}) > 1:
        parts_ja.append("途中で定義が変わったため線を切っています")
        parts_en.append("the line breaks where the definition changed")
    tail_ja = f"（{'、'.join(parts_ja)}）" if parts_ja else ""
    tail_en = f" ({'; '.join(parts_en)})" if parts_en else ""
    return Text(
        f"{branch_name}の{kpi.name.ja}は{year}に{value}{tail_ja}。",
        f"{branch_name}, {kpi.name.en}: {value} in {year}{tail_en}.",
    )(lang)


def describe_position(rows: Sequence[Row], kpi: Kpi, *, branch_code: str, lang: str) -> str:
    """The sentence that stands for a position chart: rank, lowest and highest of the branches known."""
    known = [row for row in rows if row["value"] is not None]
    if not known:
        return Text(f"{kpi.name.ja}は値がありません。", f"{kpi.name.en}: no values.")(lang)
    own = next((row for row in known if row["branch_code"] == branch_code), None)
    low, high = min(known, key=lambda r: r["value"]), max(known, key=lambda r: r["value"])
    least, most = value_words(low["value"], kpi, lang), value_words(high["value"], kpi, lang)
    span_ja = f"最小は{low['branch_name']} {least}、最大は{high['branch_name']} {most}"
    span_en = f"lowest {least}, highest {most}"
    if own is None or own["rank"] is None:
        return Text(
            f"{kpi.name.ja}: {len(known)}支部の分布。{span_ja}。", f"{kpi.name.en}: {len(known)} branches; {span_en}."
        )(lang)
    value = value_words(own["value"], kpi, lang)
    return Text(
        f"{kpi.name.ja}は{value}で{own['ranked_count']}支部中{own['rank']}位。{span_ja}。",
        f"{kpi.name.en}: {value}, rank {own['rank']} of {own['ranked_count']}; {span_en}.",
    )(lang)
