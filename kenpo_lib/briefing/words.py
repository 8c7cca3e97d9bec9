"""What the overview says about the spread of the branches: flags, funnels, intervals and contributions in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.catalogue import NATIONAL_PROXIES, Branch, Kpi, Unit
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year, format_number
from kenpo_lib.sentences import Row

MORE_DECIMALS = 2  # one branch moves the nation by little
MOST_NAMED = 6
DIFFERENT = ("better", "worse", "higher", "lower")

POSITION_WORDS = {
    "low_99.8": Text("99.8%の限界より低い", "below the 99.8% limit"),
    "low_95": Text("95%の限界より低い", "below the 95% limit"),
    "within": Text("限界の内", "within"),
    "high_95": Text("95%の限界より高い", "above the 95% limit"),
    "high_99.8": Text("99.8%の限界より高い", "above the 99.8% limit"),
}
KIND_WORDS = {
    "counts": Text("{}支部の件数から計算した全国値", "national value from the counts of all {} branches"),
    "estimated": Text("全国推計（支部の値の加重平均）", "national estimate (weighted mean of the branches)"),
}


def name_of(row: Row, branches: Mapping[str, Branch], lang: str) -> str:
    return branches[row["branch_code"]].name(lang)


def remark_words(remark: str, lang: str) -> str:
    """A remark from a transcription with its English grades of trust put into Japanese."""
    if lang == "en":
        return remark
    return remark.replace("medium-high", "確度はやや高い").replace("medium", "確度は中くらい")


def list_few(names: Sequence[str], lang: str, *, most: int = MOST_NAMED) -> str:
    """``A、B、C ほか2件``: the first few of a list of branches or cells."""
    rest = len(names) - most
    text = ("、" if lang == "ja" else "; ").join(names[:most])  # English names hold commas
    return text + (Text(f" ほか{rest}件", f" and {rest} more")(lang) if rest > 0 else "")


def describe_flags(
    flagged: Sequence[tuple[str, str, str]], *, tested: int, shown: int, branches: int, lang: str
) -> list[str]:
    """Which cells carry a mark, and how much of the table could be tested at all.

    Args:
        flagged: Branch, KPI and verdict in words of every marked cell.
        tested, shown: KPIs that could be tested, and KPIs in the table.
        branches: How many branches there are.
        lang: Language of words.
    """
    cells = [Text(f"{branch}の{kpi}（{word}）", f"{branch}, {kpi} ({word})")(lang) for branch, kpi, word in flagged]
    listed = list_few(cells, lang)
    if not tested:
        first = Text(
            "件数が公表されている指標がないため、全国との差が偶然かどうかは判定できません。",
            "No KPI has published counts, so whether a difference from the nation is chance cannot be told.",
        )
        return [first(lang)]
    scope = Text(
        f"判定できたのは{shown}指標のうち{tested}指標です（件数が公表されているもの）。ほかは{branches}支部の中の位置だけを示します。",
        f"{tested} of {shown} KPIs could be tested (those with published counts); the others show the place among the {branches} only.",
    )
    if flagged:
        first = Text(
            f"全国との差が偶然とはいえないのは{len(flagged)}件: {listed}。",
            f"Different from the nation by more than chance ({len(flagged)}): {listed}.",
        )
    else:
        first = Text(
            "全国との差が偶然とはいえない支部はありません。", "No difference from the nation is more than chance."
        )
    return [first(lang), scope(lang)]


def describe_spread(rows: Sequence[Row], *, branches: Mapping[str, Branch], lang: str) -> str:
    """How many branches lie outside the limits of chance, outside those with the usual differences, and for whom it is sure."""
    placed = [row for row in rows if row["funnel_z"] is not None]
    plain = [row for row in placed if row["funnel_position"] != "within"]
    usual = [row for row in placed if row["funnel_adjusted_position"] != "within"]
    sure = [row for row in placed if row["statistical"] in DIFFERENT]
    names = [name_of(row, branches, lang) for row in usual]
    verdicts = [
        Text("{}（{}）", "{} ({})")(lang).format(
            name_of(row, branches, lang), sentences.JUDGEMENT_WORDS[row["statistical"]](lang)
        )
        for row in sure
    ]
    many = len(names)
    usual_ja = f"{many}支部（{list_few(names, 'ja')}）" if names else "ありません"
    usual_en = f"{many} ({list_few(names, 'en')})" if names else "none"
    sure_ja = f"{list_few(verdicts, 'ja')}です" if sure else "ありません"
    sure_en = list_few(verdicts, "en") if sure else "none"
    return Text(
        f"件数の分かる{len(placed)}支部のうち、偶然だけの95%の限界の外にあるのは{len(plain)}支部。支部間のふだんの差も見込むと、"
        f"限界の外は{usual_ja}。多くの比較を同時に行うことを補正しても差があるといえる支部は、{sure_ja}。",
        f"Of {len(placed)} branches with counts, {len(plain)} lie outside the 95% limits of chance; with the usual differences "
        f"between branches: {usual_en}. Different also after correction for many comparisons: {sure_en}.",
    )(lang)


def describe_intervals(rows: Sequence[Row], kpi: Kpi, *, branches: int, lang: str) -> str:
    """How many of the 95 % intervals leave the national figure out."""
    judged = [row for row in rows if row["lower_95"] is not None and row["national"] is not None]
    if not judged:
        return Text("比べる全国の値がありません。", "There is no national figure to compare with.")(lang)
    outside = sum(not row["lower_95"] <= row["national"] <= row["upper_95"] for row in judged)
    name = sentences.national_name(judged[0]["national_kind"], kpi, lang, branches=branches)
    national = sentences.value_words(judged[0]["national"], kpi, lang)
    return Text(
        f"{len(judged)}支部のうち、95%区間が{name}{national}を含まないのは{outside}支部。"
        "件数が多いと小さな差でも区間は全国値を外れるため、これだけでは支部間のふだんの差と区別できません。",
        f"{outside} of {len(judged)} intervals leave out the {name}, {national}. Large counts make small differences show, so this alone "
        "does not tell them from the usual differences between branches.",
    )(lang)


def points_words(value: float, kpi: Kpi, lang: str) -> str:
    """``+0.362ポイント``: a part of the national change, finer than the KPI is published."""
    unit = Text("ポイント", " points")(lang) if kpi.unit is Unit.PERCENT else kpi.unit_word(lang)
    return format_number(value, kpi.decimals + MORE_DECIMALS, signed=True) + unit


def describe_contribution(
    contribution: pl.DataFrame,
    kpi: Kpi,
    *,
    published: Mapping[int, float],
    branches: Mapping[str, Branch],
    lang: str,
) -> str:
    """The national change, by how much rates and sizes made it, and the branches that moved it most either way.

    Args:
        contribution: From ``compute_contribution``, with rows.
        kpi: The entry of the catalogue.
        published: What is published for the nation in the two years, by fiscal year; said where the parts add up to an estimate.
        branches: The branch master.
        lang: Language of words.
    """
    ordered = contribution.sort("total", "branch_code", descending=[True, False]).to_dicts()
    first = ordered[0]
    change = points_words(first["national_change"], kpi, lang)
    before, after = (sentences.value_words(first[f"national_{when}"], kpi, lang) for when in ("before", "after"))
    rate, volume = (points_words(contribution[name].sum(), kpi, lang) for name in ("rate_effect", "volume_effect"))
    moved = []
    for row, word in (
        (ordered[0], Text("最も押し上げたのは", "most upwards: ")),
        (ordered[-1], Text("最も押し下げたのは", "most downwards: ")),
    ):
        is_upward = row is ordered[0]
        if (row["total"] > 0) if is_upward else (row["total"] < 0):
            part = points_words(row["total"], kpi, lang)
            name = name_of(row, branches, lang)
            moved.append(word(lang) + Text(f"{name}（{part}）", f"{name} ({part})")(lang))
    basis = ""
    if first["kind"] == "estimated":
        proxy = NATIONAL_PROXIES[kpi.national_proxy](lang)
        basis = Text(
            f"件数が公表されていないため、支部の値を{proxy}で加重した推計です。",
            f" An estimate: branch values weighted by {proxy}, since counts are unpublished.",
        )(lang)
        for year, value in sorted(published.items()):
            when, known = format_fiscal_year(year, lang=lang), sentences.value_words(value, kpi, lang)
            basis += Text(f"{when}の公表値は{known}。", f" Published for {when}: {known}.")(lang)
    kind = KIND_WORDS[first["kind"]](lang).format(contribution.height)
    head = Text(
        f"{kind}は前年度から{change}（{before}→{after}）。率が変わった分が{rate}、規模が変わった分が{volume}。",
        f"The {kind} changed by {change} ({before} → {after}): {rate} by rates, {volume} by sizes. ",
    )(lang)
    english = "; ".join(moved)
    tail = Text("、".join(moved) + "。", english[:1].upper() + english[1:] + ".")(lang) if moved else ""
    return head + tail + basis
