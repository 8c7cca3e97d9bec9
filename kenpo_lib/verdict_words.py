"""How sure, in a reader's words: intervals, verdicts, rank intervals, courses and alerts. Rules only, from the comparison."""

from __future__ import annotations

from typing import Any

from kenpo_lib.catalogue import Kpi
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number

Row = dict[str, Any]
MIN_RUN = 3  # yearly changes in a row that are worth a word

STATISTICAL_WORDS = {
    "better": Text("偶然とはいえない差", "more than chance"),
    "worse": Text("偶然とはいえない差", "more than chance"),
    "higher": Text("偶然とはいえない差", "more than chance"),
    "lower": Text("偶然とはいえない差", "more than chance"),
    "same": Text("差なし", "no difference"),
    "no_difference": Text("支部間のばらつきの範囲", "within the usual spread"),
}
PRACTICAL_WORDS = {"relevant": Text("", ""), "small": Text("小さな差", "small")}
TREND_WORDS = {
    "better": Text("5年の傾向: 改善", "five-year trend: improving"),
    "worse": Text("5年の傾向: 悪化", "five-year trend: worsening"),
    "higher": Text("5年の傾向: 上昇", "five-year trend: rising"),
    "lower": Text("5年の傾向: 低下", "five-year trend: falling"),
    "unchanged": Text("5年の傾向: 変化なし", "five-year trend: no change"),
}


def interval_words(row: Row, kpi: Kpi, lang: str) -> str:
    """``95%区間 32.8～34.0``; empty where counts are unpublished."""
    if row.get("lower_95") is None:
        return ""
    low, high = (format_number(row[name], kpi.decimals) for name in ("lower_95", "upper_95"))
    return Text(f"95%区間 {low}～{high}", f"95 % interval {low}–{high}")(lang)


def verdict_words(row: Row, lang: str) -> str:
    """Statistical and practical verdict, told apart: ``支部間のばらつきの範囲``, ``小さな差``; empty where neither says anything."""
    parts = []
    statistical = row.get("statistical")
    if statistical in STATISTICAL_WORDS:
        # The interval alone knows chance only; the funnel knows the usual spread between branches too.
        if statistical == "no_difference" and row.get("statistical_method") == "interval":
            parts.append(Text("偶然の範囲", "within chance")(lang))
        else:
            parts.append(STATISTICAL_WORDS[statistical](lang))
    if row.get("national_judgement") not in (None, "same") and row.get("practical") == "small":
        parts.append(PRACTICAL_WORDS["small"](lang))
    return Text("・", ", ")(lang).join(parts)


def rank_interval_words(row: Row, lang: str) -> str:
    """``95%で5～10位``; where counts are unpublished the movement since last year instead, without pretending an interval."""
    if row.get("rank_lower") is not None:
        low, high = row["rank_lower"], row["rank_upper"]
        span = f"{low}" if low == high else Text(f"{low}～{high}", f"{low}–{high}")(lang)
        return Text(f"95%で{span}位", f"95 %: {span}")(lang)
    if row.get("rank") is None or row.get("prior_rank") is None:
        return ""
    return Text(f"前年度{row['prior_rank']}位", f"{row['prior_rank']} the year before")(lang)


def is_unusual_movement(row: Row) -> bool:
    """True if the rank moved further than nine in ten yearly movements of this KPI."""
    change, usual = row.get("rank_change"), row.get("rank_change_usual")
    return change is not None and usual is not None and abs(change) > usual


def course_words(row: Row, lang: str) -> str:
    """The tested trend where there is one, else the run of like changes from three years on."""
    if row.get("trend_word") in TREND_WORDS:
        return TREND_WORDS[row["trend_word"]](lang)
    run = row.get("run_years") or 0
    if abs(run) < MIN_RUN:
        return ""
    return Text(
        f"{abs(run)}年続けて{'上昇' if run > 0 else '低下'}", f"{'up' if run > 0 else 'down'} {abs(run)} years in a row"
    )(lang)


def people_words(row: Row, lang: str) -> str:
    """``あと16件``: the smallest number of cases that reaches the target; empty where unknown or reached."""
    if not row.get("target_people"):
        return ""
    count = f"{row['target_people']:,}"
    fewer = row["target_rule"] in ("at_most", "at_most_prior")
    return Text(
        f"{count}件の{'減' if fewer else '増'}で達成", f"{count} {'fewer' if fewer else 'more'} cases reach it"
    )(lang)


def nation_people_words(row: Row, kpi: Kpi, lang: str) -> str:
    """``104件の増で全国並み``: the smallest number of cases that reaches the nation; empty where unknown or not behind."""
    if row.get("national_judgement") != "worse" or not row.get("national_people"):
        return ""
    count, more = f"{row['national_people']:,}", kpi.direction.sign > 0
    return Text(
        f"{count}件の{'増' if more else '減'}で全国並み",
        f"{count} {'more' if more else 'fewer'} cases reach the nation",
    )(lang)


def pace_words(row: Row, kpi: Kpi, lang: str) -> str:
    """Whether an interim value is on course for its target, and the pace needed; empty where that cannot be said."""
    if row.get("pace_expected") is None:
        return ""
    on_course = (
        Text("目標のペース以上", "on course")(lang) if row["pace_is_on"] else Text("目標のペース未満", "behind")(lang)
    )
    if row["pace_basis"] == "level":
        return (
            Text("目標の水準に達している", "at the target's level")(lang)
            if row["pace_is_on"]
            else Text("目標の水準に届いていない", "below the target's level")(lang)
        )
    expected = f"{format_number(row['pace_expected'], kpi.decimals)}{kpi.unit_word(lang)}"
    words = Text(f"{on_course}（均等なら{expected}）", f"{on_course} (even months: {expected})")(lang)
    if row["pace_needed_per_month"]:
        needed = format_number(row["pace_needed_per_month"], kpi.decimals)
        words += Text(f"、残りは月{needed}ポイント必要", f"; {needed} points a month needed")(lang)
    return words
