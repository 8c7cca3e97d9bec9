"""Where every number came from, and what the checks noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.words import remark_words
from kenpo_lib.catalogue import Kpi
from kenpo_lib.language import Text
from kenpo_lib.tables import Html, bullet_list, heading, table

TRUST_WORDS = {
    "high": Text("高い", "high"),
    "medium_high": Text("やや高い", "fairly high"),
    "medium": Text("中くらい", "medium"),
}


def show_sources(briefing: Briefing) -> Html:
    """Where every number came from, what the sources say of themselves, and what the checks noted."""
    lang = briefing.lang
    return Html("<section>{}{}{}{}</section>").format(
        heading(2, Text("データの注意と出典", "Data notes and sources")(lang), anchor="sources"),
        _notes(briefing),
        _places(briefing),
        _source_list(briefing),
    )


def _notes(briefing: Briefing) -> Html:
    """What sources and checks say against the figures; the same remark on several KPIs stands once."""
    lang = briefing.lang
    notes: dict[str, list[str]] = {}
    for row in briefing.rows:
        kpi = briefing.catalogue.kpis[row["kpi_id"]]
        for remark in (*_list_conflicts(row, kpi, lang), *_list_remarks(row, kpi, lang)):
            notes.setdefault(remark, []).append(kpi.name(lang))
    for warning in briefing.page.warnings:
        if warning["column"] != "check_source_values":  # worded above, with the value that is used
            remark = f"{warning['words'][lang]} – {warning['found'][lang]}"
            notes.setdefault(remark, []).append(briefing.catalogue.kpis[warning["kpi_id"]].name(lang))
    if not notes:
        return Html("")
    items = [f"{Text('、', '; ')(lang).join(dict.fromkeys(names))}: {remark}" for remark, names in notes.items()]
    return Html("{}{}").format(
        heading(3, Text("データの注意", "Notes on the data")(lang)), bullet_list(items, css="note")
    )


def _list_conflicts(row: dict[str, Any], kpi: Kpi, lang: str) -> list[str]:
    """Where sources differ: the value that is used, and the other with its place."""
    found = []
    for others, used, whose in (
        (row["conflicts"], row["value"], Text("値", "value")),
        (row["national_conflicts"], row["national"], Text("全国の値", "national value")),
    ):
        for other in others or ():
            mine, theirs = (sentences.value_words(value, kpi, lang) for value in (used, other["value"]))
            place = f"{other['source_id']}, {other['locator']}"
            text = Text(
                f"{whose.ja}は出典で異なります: {mine}（採用、新しい出典）と{theirs}（{place}）。",
                f"sources differ on the {whose.en}: {mine} (used, newer) and {theirs} ({place}).",
            )
            found.append(text(lang))
    return found


def _list_remarks(row: dict[str, Any], kpi: Kpi, lang: str) -> list[str]:
    """The source's remark on the value, unless the KPI's name says as much."""
    return [remark_words(row["note"], lang)] if row["note"] and row["note"] not in kpi.name.ja else []


def _places(briefing: Briefing) -> Html:
    lang = briefing.lang
    headings = [
        word(lang)
        for word in (
            Text("指標", "KPI"),
            Text("実績", "Result"),
            Text("全国", "Nation"),
            Text("前年度", "Prior year"),
            Text("目標", "Target"),
        )
    ]

    def place(source: str | None, locator: str | None) -> str:
        return f"{source}: {locator}" if source else "–"

    rows = []
    for row in briefing.rows:
        kpi = briefing.catalogue.kpis[row["kpi_id"]]
        own = place(row["source_id"] or row["interim_source_id"], row["locator"] or row["interim_locator"])
        national = place(row["national_source_id"], row["national_locator"])
        if row["national_kind"] and row["national_kind"] != "published":
            national = sentences.national_name(row["national_kind"], kpi, lang, branches=briefing.branch_count)
        rows.append(
            [
                kpi.name(lang),
                own,
                national,
                place(row["prior_source_id"], row["prior_locator"]),
                place(row["target_source_id"], row["target_locator"]),
            ]
        )
    title = Text("数値ごとの出典と箇所", "Source and place of each number")(lang)
    return Html("<details><summary>{0}</summary>{1}</details>").format(
        title, table(title, headings, rows, css="places")
    )


def _source_list(briefing: Briefing) -> Html:
    return source_table(briefing.page.sources, briefing.lang)


def source_table(sources: pl.DataFrame, lang: str) -> Html:
    """The documents with issuer, date of issue and how far they can be trusted, oldest first."""
    headings = [
        word(lang)
        for word in (
            Text("文書", "Document"),
            Text("発行", "Issuer"),
            Text("公表", "Issued"),
            Text("確からしさ", "Trust"),
        )
    ]
    rows = [
        [
            Html('{} <span class="diff">{}</span>').format(row["title"], row["source_id"]),
            row["issuer"],
            issued_words(row, lang),
            trust_words(row, lang),
        ]
        for row in sources.sort("order_date", "source_id").to_dicts()
    ]
    title = Text("使った文書", "Documents used")(lang)
    return Html("{}{}").format(heading(3, title), table(title, headings, rows, css="sources"))


def issued_words(source: Mapping[str, Any], lang: str) -> str:
    """The date of issue, or the month by which the newest source wins where the document does not say."""
    if source["date"]:
        return source["date"].isoformat()
    return Text(f"{source['order_date']}以降（推定）", f"{source['order_date']} or later (assumed)")(lang)


def trust_words(source: Mapping[str, Any], lang: str) -> str:
    """How far a source can be trusted, and why not fully."""
    grade = TRUST_WORDS[source["trust"]](lang)
    if not source["trust_note"] or source["trust"] == "high":
        return grade
    return f"{grade}。{remark_words(source['trust_note'], lang)}"
