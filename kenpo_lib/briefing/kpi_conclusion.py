"""The conclusion of the page of one KPI: sentences by rules from the rows of the comparison."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.briefing.kpi_data import KpiDetail, Row
from kenpo_lib.briefing.kpi_level import say_nation, say_nothing_known, say_own
from kenpo_lib.briefing.kpi_words import branches_words, describe_branches, gap_words, year_words
from kenpo_lib.briefing.words import DIFFERENT, list_few, name_of
from kenpo_lib.catalogue import Kpi, period_words
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.normalise import round_half_up

MIN_YEARS_APART = 2  # between two years whose spread is compared


def conclude_kpi(detail: KpiDetail) -> list[str]:
    """The conclusion: the nation, the branches, their change, their targets, how sure it is, what breaks the course."""
    if detail.kpi.branch_code is not None:
        return say_own(detail, detail.kpi.branch_code)
    if detail.years.is_empty() and not _open_rows(detail.rows):
        return [*say_nothing_known(detail), *_say_definition(detail)]
    return [
        *say_nation(detail),
        *_say_branches(detail),
        *_say_changes(detail),
        *_say_width(detail),
        *_say_branch_targets(detail),
        *_say_certainty(detail),
        *_say_definition(detail),
    ]


# --- the branches -----------------------------------------------------------------------------------------------------


def _say_branches(detail: KpiDetail) -> list[str]:
    kpi, lang = detail.kpi, detail.lang
    known = [row for row in detail.rows if row["value"] is not None]
    if known:
        return [describe_branches(known, kpi, branches=detail.branches, lang=lang)]
    opened = _open_rows(detail.rows)
    if detail.latest is None and not opened:
        return [Text("支部の値は手元に1つもありません。", "No value of any branch is at hand.")(lang)]
    year = year_words(detail.briefing.fiscal_year, lang)
    text = Text(f"{year}の支部の値は手元にありません。", f"No branch has a value of {year}.")(lang)
    if detail.latest and detail.latest[1] == detail.briefing.fiscal_year:  # restated under a later definition
        text = Text(
            f"当時の定義による{year}の支部の値は手元にありません。", f"No branch has a value of {year} as defined then."
        )(lang)
    if opened:
        listed = list_few(
            [f"{name_of(row, detail.branches, lang)} {_open_words(row, kpi, lang)}" for row in opened], lang
        )
        text += Text(f"年度途中の値か、公表待ちです: {listed}。", f" Part-way or pending: {listed}.")(lang)
    if detail.latest:
        definition, last = detail.latest
        rows = [row for row in detail.rows_in(definition, last) if row["value"] is not None]
        said = describe_branches(rows, kpi, branches=detail.branches, lang=lang)
        when = year_words(last, lang)
        head = Text(f"最も新しいのは{when}です。", f" The newest are of {when}. ")
        if last == detail.briefing.fiscal_year:
            period = period_words(kpi.definitions[definition], lang)
            head = Text(
                f"別の定義（{period}）では、公表し直された値があります。",
                f" Restated under another definition ({period}): ",
            )
        text += head(lang) + said
    return [text]


def _open_words(row: Row, kpi: Kpi, lang: str) -> str:
    return (
        sentences.interim_words(row, kpi, lang)
        if row["status"] == "interim"
        else sentences.STATUS_WORDS["pending"](lang)
    )


def _open_rows(rows: Sequence[Row]) -> list[Row]:
    """Values that are there in part or announced."""
    return [row for row in rows if row["status"] in ("interim", "pending")]


_WAYS = {
    "better": Text("改善したのは", "improved"),
    "worse": Text("悪化したのは", "worsened"),
    "higher": Text("上がったのは", "rose"),
    "lower": Text("下がったのは", "fell"),
    "same": Text("同じは", "stayed"),
}


def count_changes(detail: KpiDetail) -> dict[str, int]:
    """How many branches went which way since the year before; empty where fewer than ten can be compared."""
    judged = [row["prior_judgement"] for row in detail.rows if row["prior_judgement"]]
    if len(judged) < MIN_POSITION_BRANCHES:
        return {}
    return {way: judged.count(way) for way in _WAYS if way in judged}


def _say_changes(detail: KpiDetail) -> list[str]:
    """How many branches went which way since the year before; said of ten or more."""
    counted = count_changes(detail)
    if not counted:
        return []
    listed_ja = "、".join(f"{_WAYS[way].ja}{many}支部" for way, many in counted.items())
    listed_en = ", ".join(f"{many} {_WAYS[way].en}" for way, many in counted.items())
    judged = sum(counted.values())
    part = judged < detail.branch_count
    return [
        Text(
            f"前年度から{listed_ja}です{f'（比べられる{judged}支部のうち）' if part else ''}。",
            f"Branches since the year before: {listed_en}{f' (of {judged} that can be compared)' if part else ''}.",
        )(detail.lang)
    ]


def _say_width(detail: KpiDetail) -> list[str]:
    """Whether the branches drew together or apart, over the years of one definition in which all are known."""
    kpi, lang = detail.kpi, detail.lang
    if detail.latest is None or kpi.unit.is_total:
        return []
    is_full = (pl.col("definition") == detail.latest[0]) & pl.col("is_full")
    rows = detail.years.filter(is_full).to_dicts()
    if not rows or rows[-1]["fiscal_year"] - rows[0]["fiscal_year"] < MIN_YEARS_APART:
        return []
    first, last = (
        round_half_up(round(row["upper_quartile"] - row["lower_quartile"], 9), kpi.decimals)
        for row in (rows[0], rows[-1])
    )
    before, after = (gap_words(width, kpi, lang) for width in (first, last))
    start, end = (year_words(row["fiscal_year"], lang) for row in (rows[0], rows[-1]))
    if first == last:
        course = Text(f"{start}も{end}も{after}です", f"{after} in {start} and in {end}")
    else:
        word = Text("広がりました", "grew") if last > first else Text("縮まりました", "shrank")
        course = Text(
            f"{start}の{before}から{end}の{after}へ{word.ja}", f"{word.en} from {before} in {start} to {after} in {end}"
        )
    return [
        Text(
            f"支部のばらつき（真ん中の半分の支部が入る幅）は、{course.ja}。",
            f"The spread (the width that holds the middle half of the branches): {course.en}.",
        )(lang)
    ]


def _say_branch_targets(detail: KpiDetail) -> list[str]:
    aimed = [row for row in detail.rows if row["target_result"]]
    if not aimed:
        return []
    lang = detail.lang
    parts = []
    for result in ("met", "not_met", "cannot_tell"):
        names = [name_of(row, detail.branches, lang) for row in aimed if row["target_result"] == result]
        if names:
            word = sentences.RESULT_WORDS[result](lang)
            parts.append(
                Text(
                    f"{word}{len(names)}（{list_few(names, 'ja', most=4)}）",
                    f"{word} {len(names)} ({list_few(names, 'en', most=4)})",
                )(lang)
            )
    listed = Text("、", ", ")(lang).join(parts)
    text = Text(
        f"支部の目標が分かるのは{len(aimed)}支部で、{listed}です。",
        f"Targets known of {branches_words(len(aimed))}: {listed}.",
    )
    return [text(lang)]


def _say_certainty(detail: KpiDetail) -> list[str]:
    """Whether a difference from the nation is more than chance, and for whom; that it cannot be told, where counts are unpublished."""
    compared = [row for row in detail.rows if row["national_judgement"]]
    if not compared:
        return []
    lang = detail.lang
    tested = [row for row in compared if row["statistical_method"]]
    if not tested and not detail.kpi.proportion:
        return [
            Text(
                "人や件数の割合として扱えないため、支部と全国の差が偶然かどうかは判定しません。",
                "It cannot be treated as a share of persons or cases, so differences from the nation are not tested for chance.",
            )(lang)
        ]
    if not tested:
        return [
            Text(
                "件数（分子と分母）が公表されていないため、支部と全国の差が偶然かどうかは判定できません。",
                "Counts are unpublished, so whether a difference from the nation is chance cannot be told.",
            )(lang)
        ]
    sure = [row for row in tested if row["statistical"] in DIFFERENT]
    named = [
        Text("{}（{}）", "{} ({})")(lang).format(
            name_of(row, detail.branches, lang), sentences.JUDGEMENT_WORDS[row["statistical"]](lang)
        )
        for row in sure
    ]
    if not sure:
        text = Text(
            f"件数が分かる{len(tested)}支部に、全国との差が偶然とはいえない支部はありません。",
            f"Branches with counts that differ from the nation by more than chance: none of {len(tested)}.",
        )
    else:
        text = Text(
            f"件数が分かる{len(tested)}支部のうち、全国との差が偶然とはいえないのは{list_few(named, 'ja')}です。",
            f"Branches with counts ({len(tested)}) that differ from the nation by more than chance: {list_few(named, 'en')}.",
        )
    return [text(lang)]


# --- the definition ---------------------------------------------------------------------------------------------------


def list_changes(detail: KpiDetail) -> list[int]:
    """The years up to the page's in which a new definition came into force."""
    starts = [definition.first_year for definition in detail.definitions[1:]]
    return [year for year in starts if year is not None and year <= detail.briefing.fiscal_year]


def _say_definition(detail: KpiDetail) -> list[str]:
    changes, lang = list_changes(detail), detail.lang
    if not changes:
        return []
    years = Text("と", " and ")(lang).join(year_words(year, lang) for year in changes)
    known = detail.years["definition"].n_unique()
    tail = (
        Text("前後の値は比べず、線も結びません。", " Values before and after are neither compared nor joined.")(lang)
        if known > 1
        else ""
    )
    return [Text(f"定義は{years}に変わりました。{tail}", f"The definition changed in {years}.{tail}")(lang)]
