"""Words that the sections of the page of one KPI share: years, gaps, the spread of the branches, and the sentence of the course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.briefing.kpi_data import KpiDetail, Row
from kenpo_lib.briefing.words import list_few, name_of
from kenpo_lib.catalogue import NATION, Branch, Kpi, Unit
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year, format_number

NAMED_WITH_VALUE = 9  # fewer branches than a distribution needs are named with their values


def gap_words(gap: float, kpi: Kpi, lang: str) -> str:
    """``4.5ポイント``: a distance between two values of a KPI, in its unit and without a sign."""
    unit = Text("ポイント", " points")(lang) if kpi.unit is Unit.PERCENT else kpi.unit_word(lang)
    return format_number(gap, kpi.decimals) + unit


def year_words(fiscal_year: int, lang: str) -> str:
    return format_fiscal_year(fiscal_year, lang=lang)


def branches_words(count: int) -> str:
    """``1 branch``, ``13 branches``."""
    return f"{count} branch" if count == 1 else f"{count} branches"


def nation_name(kind: str, kpi: Kpi, lang: str, *, branches: int) -> str:
    """The national figure's name; a KPI that counts has a total."""
    if kpi.unit.is_total:
        return Text("全国計（公表値）", "national total (published)")(lang)
    return sentences.national_name(kind, kpi, lang, branches=branches)


def describe_branches(known: Sequence[Row], kpi: Kpi, *, branches: Mapping[str, Branch], lang: str) -> str:
    """The spread of the branches of one year that have a value; fewer than ten are named one by one."""
    if len(known) <= NAMED_WITH_VALUE:
        listed = list_few(
            [f"{name_of(row, branches, lang)} {sentences.value_words(row['value'], kpi, lang)}" for row in known],
            lang,
            most=9,
        )
        return Text(f"値が分かるのは{len(known)}支部だけです: {listed}。", f"Only {len(known)} known: {listed}.")(lang)
    low, high = (_extreme(known, pick, kpi, branches=branches, lang=lang) for pick in (min, max))
    total = sum(code != NATION for code in branches)
    if len(known) < total:
        return Text(
            f"値が分かる{len(known)}支部は、最小{low}から最大{high}です。{total}支部の姿とは限りません。",
            f"The {len(known)} branches known lie between {low} and {high}; the others may differ.",
        )(lang)
    median = pl.Series([row["value"] for row in known]).median()
    middle = sentences.value_words(median, kpi, lang)
    return Text(
        f"{total}支部は、最小{low}から最大{high}、中央値は{middle}です。",
        f"The {total} branches lie between {low} and {high}; median {middle}.",
    )(lang)


def _extreme(rows: Sequence[Row], pick: type, kpi: Kpi, *, branches: Mapping[str, Branch], lang: str) -> str:
    value = pick(row["value"] for row in rows)
    names = [name_of(row, branches, lang) for row in rows if row["value"] == value]
    words = sentences.value_words(value, kpi, lang)
    return Text(f"{words}（{list_few(names, 'ja', most=3)}）", f"{words} ({list_few(names, 'en', most=3)})")(lang)


def describe_years(detail: KpiDetail) -> str:
    """The sentence that stands for the chart of the years: first and last under the newest definition, and the nation."""
    kpi, lang = detail.kpi, detail.lang
    newest = detail.latest[0] if detail.latest else detail.years["definition"][-1]
    rows = detail.years.filter(pl.col("definition") == newest).to_dicts()
    full = [row for row in rows if row["is_full"]]
    parts = []
    if full:
        first, last = full[0], full[-1]
        for name, word in (
            ("median", Text("中央値", "median")),
            ("lowest", Text("最小", "lowest")),
            ("highest", Text("最大", "highest")),
        ):
            parts.append(_from_to(word(lang), first, last, name, kpi, lang))
    else:
        counted = [row for row in rows if row["branches_known"]]
        for row in counted[-2:]:
            low, high = (sentences.value_words(row[name], kpi, lang) for name in ("lowest", "highest"))
            span = low if low == high else Text(f"{low}～{high}", f"{low} to {high}")(lang)
            year, many = year_words(row["fiscal_year"], lang), row["branches_known"]
            parts.append(Text(f"{year}は{many}支部で{span}", f"{year}: {many} known, {span}")(lang))
    published = [row for row in rows if row["national_kind"] == "published"]
    if published:
        parts.append(
            _from_to(
                nation_name("published", kpi, lang, branches=detail.branch_count),
                published[0],
                published[-1],
                "national",
                kpi,
                lang,
            )
        )
    listed = Text("。", "; ")(lang).join(parts)
    tail = (
        Text("定義ごとに図を分け、目盛りも別にしています。", " Each definition has a picture and a scale of its own.")(
            lang
        )
        if len(detail.years["definition"].unique()) > 1
        else ""
    )
    return Text(f"{listed}。{tail}", f"{listed[:1].upper()}{listed[1:]}.{tail}")(lang)


def _from_to(word: str, first: Row, last: Row, name: str, kpi: Kpi, lang: str) -> str:
    start, end = (year_words(row["fiscal_year"], lang) for row in (first, last))
    before, after = (sentences.value_words(row[name], kpi, lang) for row in (first, last))
    if start == end:
        return Text(f"{word}は{end}に{after}", f"{word} {after} in {end}")(lang)
    return Text(f"{word}は{start}の{before}から{end}の{after}", f"{word} {before} in {start}, {after} in {end}")(lang)
