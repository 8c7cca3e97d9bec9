"""What only some branches have: values part-way through the year, and their own marks."""

from __future__ import annotations

from typing import Any

import polars as pl

from kenpo_lib import sentences, verdict_words
from kenpo_lib.briefing.cells import name_kpi
from kenpo_lib.briefing.data import Briefing, interim_rows
from kenpo_lib.briefing.reading import rows_by_theme
from kenpo_lib.catalogue import Kpi
from kenpo_lib.language import Text
from kenpo_lib.tables import Html, data_details, heading, table

Row = dict[str, Any]

OPEN_STATES = ("interim", "pending")


def show_interim(briefing: Briefing) -> Html:
    """Values part-way through the year beside the target; shown apart, never compared with whole years."""
    lang, catalogue = briefing.lang, briefing.catalogue
    if not interim_rows(briefing):
        return Html("")
    headings = [
        word(lang)
        for word in (
            Text("指標", "KPI"),
            Text("中間値", "Interim value"),
            Text("時点", "As of"),
            Text("年度の目標", "Target of the year"),
            Text("前年度（通年）", "Prior year (whole)"),
            Text("目標へのペース", "Pace to the target"),
        )
    ]
    body = []
    for row in (row for rows in rows_by_theme(briefing).values() for row in rows):
        if row["status"] not in OPEN_STATES:
            continue
        kpi = catalogue.kpis[row["kpi_id"]]
        is_pending = row["status"] == "pending"
        body.append(
            [
                name_kpi(kpi, lang),
                _pending_words(row, lang) if is_pending else sentences.value_words(row["interim_value"], kpi, lang),
                sentences.date_words(row["interim_as_of"], lang) or "–",
                sentences.target_words(row, kpi, lang),
                sentences.value_words(row["prior_value"], kpi, lang),
                verdict_words.pace_words(row, kpi, lang) or "–",
            ]
        )
    title = Text("年度途中の値", "Values part-way through the year")(lang)
    note = Text(
        "中間値は年度の実績とは比べません。達成・未達の判定もしません。ペースは、積み上がる指標では12か月均等に進むと仮定した目安です"
        "（件数が公表されていないため、誤差は付けられません）。",
        "Interim values are not compared with whole years, and no target is judged by them. The pace of KPIs that accumulate assumes "
        "twelve even months; without counts it has no interval.",
    )(lang)
    return Html('<section>{}<p class="note">{}</p>{}</section>').format(
        heading(2, title, anchor="interim"), note, table(title, headings, body, css="cards interim")
    )


def describe_interim(row: Row, kpi: Kpi, lang: str) -> str:
    """``年度途中の値は14.8%（令和6年7月時点）。目標のペース未満（…）。``; that it is pending where there is none yet."""
    if row["interim_value"] is None:
        return Text(f"{_pending_words(row, lang)}。", f"{_pending_words(row, lang).capitalize()}.")(lang)
    value = sentences.interim_words(row, kpi, lang)
    pace = verdict_words.pace_words(row, kpi, lang)
    return Text(f"年度の実績はまだなく、{value}。", f"No result of the year yet: {value}.")(lang) + (
        Text(f"{pace}。", f" {pace[0].upper()}{pace[1:]}.")(lang) if pace else ""
    )


def _pending_words(row: Row, lang: str) -> str:
    note = row["pending_note"]
    return Text(f"未公表（{note}）" if note else "未公表", "pending")(lang)


def show_self_assessment(briefing: Briefing) -> Html:
    """The branch's own marks, counted per section of its plan, with the items behind them."""
    lang = briefing.lang
    marks = briefing.page.self_assessments
    if marks.is_empty():
        return Html("")
    unread = Text("読み取れない", "not legible")(lang)
    symbols = ["◎", "○", "△", "×", "－", unread]
    counted = marks.with_columns(pl.col("mark").fill_null(unread))
    body = [
        [section[0], *(group.filter(pl.col("mark") == symbol).height or "" for symbol in symbols)]
        for section, group in counted.group_by("section", maintain_order=True)
    ]
    title = Text("支部の自己評価", "The branch's own marks")(lang)
    section_word = Text("計画の区分", "Section of the plan")(lang)
    items = [[row["section"], row["plan_item"], row["mark"], row["note"]] for row in counted.to_dicts()]
    item_headings = [section_word, Text("項目", "Item")(lang), Text("評価", "Mark")(lang), Text("注記", "Note")(lang)]
    name = f"kenpo_{briefing.branch_code}_FY{briefing.fiscal_year}_marks.csv"
    return Html("<section>{}{}{}</section>").format(
        heading(2, title, anchor="marks"),
        table(title, [section_word, *symbols], body, css="marks"),
        data_details(item_headings, items, file_name=name, caption=title, lang=lang),
    )
