"""What the page on the data says: its verdict and what it rests on, by rules from the checks and what is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.briefing.kpi_words import branches_words, year_words
from kenpo_lib.briefing.quality_data import Conflict, Quality, list_conflicts, list_open, list_warnings
from kenpo_lib.briefing.sources import TRUST_WORDS
from kenpo_lib.briefing.words import list_few
from kenpo_lib.kept_verdict import count_checks
from kenpo_lib.language import Text

NATIONAL_ONLY = "national_only"  # the caveat of KPIs of head office


def conclude_quality(quality: Quality) -> list[str]:
    """The conclusion: the verdict, conflicts, what is known and what is not, counts, open values, the sources."""
    return [
        say_verdict(quality.verdict, quality.lang) + _say_warnings(quality),
        _say_conflicts(quality),
        _say_coverage(quality),
        *_say_counts(quality),
        _say_open(quality),
        say_trust(quality),
    ]


def say_verdict(verdict: Mapping[str, Any], lang: str) -> str:
    """Passed or not, and on how many checks."""
    total, suites = count_checks(verdict), len(verdict["summary"])
    if verdict["passed"]:
        text = Text(
            f"データは検証に合格しています。{suites}種類の表を{total['checks']}の検査で確かめ、公表を止める不適合は0です。",
            f"The data passed validation: {total['checks']} checks of {suites} tables found nothing that stops publication.",
        )
    else:
        text = Text(
            f"データは検証に合格していません。{total['checks']}の検査のうち{total['stopping']}が公表を止める不適合です。",
            f"The data did not pass validation: {total['stopping']} of {total['checks']} checks stop publication.",
        )
    return text(lang)


def _say_warnings(quality: Quality) -> str:
    """How many checks warned, and whether anything but conflicts of sources is behind it."""
    warned, others, lang = count_checks(quality.verdict)["warning"], len(list_warnings(quality)), quality.lang
    if not warned:
        return Text("注意に当たる検査もありません。", " No check warned.")(lang)
    if not others:
        return Text(f"注意は{warned}で、出典の食い違いです。", f" {warned} warned: a conflict of sources.")(lang)
    return Text(
        f"注意に当たる検査は{warned}で、出典の食い違いのほかに{others}件の注意があります。",
        f" {warned} warned; {others} findings beside conflicts of sources.",
    )(lang)


def name_value(conflict: Conflict, quality: Quality) -> str:
    """``全国 令和6年度 被扶養者健診``: what a conflict is about."""
    lang, kpi = quality.lang, quality.briefing.catalogue.kpis[conflict.kpi_id]
    branch = quality.branches[conflict.branch_code].name(lang)
    return f"{branch} {year_words(conflict.fiscal_year, lang)} {kpi.short_name(lang)}"


def _say_conflicts(quality: Quality) -> str:
    conflicts, lang = list_conflicts(quality), quality.lang
    if not conflicts:
        return Text("出典によって値が異なるものはありません。", "No two sources print different values.")(lang)
    named = []
    for conflict in conflicts:
        kpi = quality.briefing.catalogue.kpis[conflict.kpi_id]
        used, other = (sentences.value_words(value, kpi, lang) for value in (conflict.used, conflict.other))
        named.append(
            name_value(conflict, quality)
            + Text(f"（採用{used}、不採用{other}）", f" (used {used}, not used {other})")(lang)
        )
    listed_ja, listed_en = list_few(named, "ja", most=4), list_few(named, "en", most=4)
    return Text(
        f"出典によって値が異なるのは{len(conflicts)}件です: {listed_ja}。新しい出典を採っています。",
        f"Sources print different values in {'1 case' if len(conflicts) == 1 else f'{len(conflicts)} cases'}: {listed_en}. "
        "The newer source is used.",
    )(lang)


# --- what is known ----------------------------------------------------------------------------------------------------


def _say_coverage(quality: Quality) -> str:
    """How many KPIs have all, some and no branches in the page's year."""
    lang, kpis = quality.lang, quality.kpis
    year = year_words(quality.briefing.fiscal_year, lang)
    known = {kpi_id: quality.known(kpi_id) for kpi_id in kpis}
    full = sum(count == quality.branch_count for count in known.values())
    some = [count for count in known.values() if 0 < count < quality.branch_count]
    none = [kpi_id for kpi_id, count in known.items() if count == 0]
    head_office = sum(NATIONAL_ONLY in kpis[kpi_id].caveats for kpi_id in none)
    span_ja, span_en = _span_words(some)
    own_ja, own_en = (
        (f"（うち{head_office}は本部だけの指標）", f" ({head_office} of these are head office's own)")
        if head_office
        else ("", "")
    )
    return Text(
        f"{year}は、全支部に共通の{len(kpis)}指標のうち、{quality.branch_count}支部すべての値が分かるのは{full}、一部の支部だけ分かるのは{len(some)}{span_ja}、"
        f"支部の値が1つもないのは{len(none)}です{own_ja}。",
        f"{year}: of {len(kpis)} KPIs common to all branches, {full} are known for all {quality.branch_count}, {len(some)} for some{span_en}, "
        f"{len(none)} for none{own_en}.",
    )(lang)


def _span_words(counts: list[int]) -> tuple[str, str]:
    """``（1～13支部）``: the fewest and the most branches, in both languages; empty without any."""
    if not counts:
        return "", ""
    low, high = min(counts), max(counts)
    if low == high:
        return f"（{low}支部）", f" ({branches_words(low)})"
    return f"（{low}～{high}支部）", f" ({low} to {branches_words(high)})"


def _say_counts(quality: Quality) -> list[str]:
    """For how many values counts are published: no others have intervals."""
    final = sum(quality.known(kpi_id) for kpi_id in quality.kpis)
    if not final:
        return []
    lang, counted = quality.lang, sum(quality.known(kpi_id, "counts") for kpi_id in quality.kpis)
    year = year_words(quality.briefing.fiscal_year, lang)
    share = 100 * counted / final
    share_ja = "1%未満" if 0 < share < 1 else f"{share:.0f}%"
    share_en = "below 1%" if 0 < share < 1 else f"{share:.0f}%"
    return [
        Text(
            f"{year}の支部の値{final:,}のうち、件数（分子と分母）も公表されているのは{counted:,}（{share_ja}）です。"
            "ほかの値には区間を付けられず、差が偶然かどうかも判定できません。",
            f"{year}: of {final:,} values of branches, {counted:,} ({share_en}) have published counts. The others have no interval, "
            "and no difference is tested.",
        )(lang)
    ]


def _say_open(quality: Quality) -> str:
    rows, lang = list_open(quality), quality.lang
    interim = sum(row["status"] == "interim" for row in rows)
    pending = len(rows) - interim
    if not rows:
        return Text(
            "公表待ちの値や、年度途中の値だけのものはありません。", "Nothing is pending or known part-way only."
        )(lang)
    return Text(
        f"公表待ちは{pending}件、年度途中の値しかないのは{interim}件です。どちらも0とはせず、年度の値とは比べません。",
        f"{pending} values are pending, {interim} known part-way only. Neither counts as 0 or is compared with whole years.",
    )(lang)


def say_trust(quality: Quality) -> str:
    """How many sources there are, by how far they can be trusted, and from when."""
    sources, lang = quality.data.tables["sources"].sort("order_date"), quality.lang
    if sources.is_empty():
        return Text("出典の一覧が空です。", "There are no sources.")(lang)
    grades = Counter(sources["trust"].to_list())
    parts = Text("、", ", ")(lang).join(
        Text(f"{word.ja}{grades[name]}", f"{word.en} {grades[name]}")(lang)
        for name, word in TRUST_WORDS.items()
        if grades[name]
    )
    first, last = (month_words(sources["order_date"][place], lang) for place in (0, -1))
    secondary = sources.filter(pl.col("kind") == "press").height
    press = Text(f"（うち{secondary}は報道）", f" ({secondary} from the press)")(lang) if secondary else ""
    return Text(
        f"出典は{sources.height}文書{press}で、確からしさは{parts}です。公表の時期は{first}から{last}です。",
        f"{sources.height} sources{press}, trust: {parts}; issued from {first} to {last}.",
    )(lang)


def month_words(date: str, lang: str) -> str:
    """``2025年8月`` of YYYY-MM or YYYY-MM-DD."""
    return Text(f"{date[:4]}年{int(date[5:7])}月", date[:7])(lang)
