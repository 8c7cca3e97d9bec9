"""Comparison rows → what a reader reads: words for values, verdicts and reasons, and the sentences that stand for charts.

Rules only, no judgement of its own: each function takes rows of the comparison frame (as dicts) and says what stands there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from kenpo_lib.catalogue import NATIONAL_PROXIES, Kpi, Unit
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


def short_national_name(row: Row, lang: str) -> str:
    """全国, or 全国（推計） and the like where the figure is not published."""
    mark = NATIONAL_MARKS[row["national_kind"]](lang) if row["national_kind"] else ""
    nation = Text("全国", "nation")(lang)
    return nation + (Text(f"（{mark}）", f" ({mark})")(lang) if mark else "")


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


# --- what stands for a chart ----------------------------------------------------------------------------------------


def describe_trend(
    history: Sequence[Row],
    kpi: Kpi,
    *,
    branch_name: str,
    lang: str,
    branches: int = BRANCH_COUNT,
    with_names: bool = True,
) -> str:
    """The sentence that stands for a trend chart: the last value, its year, the change, the nation and the target.

    Args:
        history: One branch and KPI, oldest year first.
        kpi: Its entry of the catalogue.
        branch_name: In the language of ``lang``.
        lang: Language of words.
        branches: How many branches there are.
        with_names: False where the branch and the KPI stand above; the nation's estimate is then just called one.
    """
    known = [row for row in history if row["value"] is not None]
    if not known:
        return Text(f"{branch_name}の{kpi.name.ja}は値がありません。", f"{branch_name}: no value of {kpi.name.en}.")(
            lang
        )
    last = known[-1]
    nation = short_national_name(last, lang)
    if with_names:
        nation = national_name(last["national_kind"], kpi, lang, branches=branches)
    facts = Text("、", "; ")(lang).join(_list_facts(last, known, kpi, nation=nation, lang=lang))
    year = format_fiscal_year(last["fiscal_year"], lang=lang)
    value = value_words(last["value"], kpi, lang)
    if not with_names:
        tail = Text(f"{facts}。", f" {facts[:1].upper()}{facts[1:]}.")(lang) if facts else ""
        return Text(f"{year}は{value}。{tail}", f"{value} in {year}.{tail}")(lang)
    tail_ja, tail_en = (f"（{facts}）", f" ({facts})") if facts else ("", "")
    return Text(
        f"{branch_name}の{kpi.name.ja}は{year}に{value}{tail_ja}。",
        f"{branch_name}, {kpi.name.en}: {value} in {year}{tail_en}.",
    )(lang)


def _list_facts(last: Row, known: Sequence[Row], kpi: Kpi, *, nation: str, lang: str) -> list[str]:
    """What the last value is held against; ``nation`` is the name of the national figure."""
    facts = []
    if last["prior_difference"] is not None:
        change = difference_words(last["prior_difference"], kpi, lang)
        facts.append(Text(f"前年度から{change}", f"{change} on the year before")(lang))
    if last["national"] is not None and last["national_difference"] is not None:
        value = value_words(last["national"], kpi, lang)
        facts.append(Text(f"{nation}は{value}", f"{nation} {value}")(lang))
    if last["target_result"]:
        rule, result = target_words(last, kpi, lang), RESULT_WORDS[last["target_result"]](lang)
        facts.append(Text(f"目標{rule}は{result}", f"target {rule}: {result}")(lang))
    if len({row["definition"] for row in known}) > 1:
        facts.append(
            Text("途中で定義が変わったため線を切っています", "the line breaks where the definition changed")(lang)
        )
    return facts


def describe_position(
    rows: Sequence[Row],
    kpi: Kpi,
    *,
    branch_code: str,
    lang: str,
    with_names: bool = True,
    ends: tuple[Row, Row] | None = None,
) -> str:
    """The sentence that stands for a position chart: rank, lowest and highest of the branches known.

    Args:
        rows: All branches of one KPI, definition and year.
        kpi: Its entry of the catalogue.
        branch_code: The branch that is strong in the chart; "00" for none.
        lang: Language of words.
        with_names: False where the KPI and the branch's value stand above.
        ends: The lowest and the highest branch, where the rows are only some of a large group.
    """
    known = [row for row in rows if row["value"] is not None]
    if not known:
        return Text(f"{kpi.name.ja}は値がありません。", f"{kpi.name.en}: no values.")(lang)
    own = next((row for row in known if row["branch_code"] == branch_code), None)
    low, high = ends or (min(known, key=lambda r: r["value"]), max(known, key=lambda r: r["value"]))
    least, most = value_words(low["value"], kpi, lang), value_words(high["value"], kpi, lang)
    span_ja = f"最小は{low['branch_name']} {least}、最大は{high['branch_name']} {most}"
    span_en = f"lowest {least}, highest {most}"
    if own is None or own["rank"] is None:
        start = Text(f"{kpi.name.ja}: ", f"{kpi.name.en}: ")(lang) if with_names else ""
        return start + Text(f"{len(known)}支部の分布。{span_ja}。", f"{len(known)} branches; {span_en}.")(lang)
    # Ranks of a KPI of which neither way is better only say how high it is.
    order = "" if kpi.direction.sign else Text("高い順で", " from the highest")(lang)
    place = Text(
        f"{order}{own['ranked_count']}支部中{own['rank']}位。{span_ja}。",
        f"rank {own['rank']} of {own['ranked_count']}{order}; {span_en}.",
    )(lang)
    if not with_names:
        return place[0].upper() + place[1:]
    value = value_words(own["value"], kpi, lang)
    return Text(f"{kpi.name.ja}は{value}で{place}", f"{kpi.name.en}: {value}, {place}")(lang)
