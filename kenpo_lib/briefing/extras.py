"""What only some branches have: values part-way through the year, budgets, their own marks."""

from __future__ import annotations

import polars as pl

from kenpo_lib import sentences, verdict_words
from kenpo_lib.briefing.data import Briefing, interim_rows
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number
from kenpo_lib.tables import Html, data_details, heading, table


def show_interim(briefing: Briefing) -> Html:
    """Values part-way through the year beside the target; shown apart, never compared with whole years."""
    lang, catalogue = briefing.lang, briefing.catalogue
    rows = interim_rows(briefing)
    if not rows:
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
    for row in rows:
        kpi = catalogue.kpis[row["kpi_id"]]
        pending = row["pending_note"] if row["status"] == "pending" else None
        body.append(
            [
                kpi.name(lang),
                sentences.value_words(row["interim_value"], kpi, lang)
                if pending is None
                else Text(f"未公表（{pending}）", "pending")(lang),
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
        heading(2, title, anchor="interim"), note, table(title, headings, body, css="cards")
    )


def show_budgets(briefing: Briefing) -> Html:
    """What was budgeted and spent, beside the KPI it was meant to move."""
    lang, catalogue = briefing.lang, briefing.catalogue
    budgets = briefing.page.budgets
    if budgets.is_empty():
        return Html("")
    results = {row["kpi_id"]: row for row in briefing.rows}
    headings = [
        word(lang)
        for word in (
            Text("取組", "Programme"),
            Text("予算（千円）", "Budget (thousand yen)"),
            Text("執行額（千円）", "Spent (thousand yen)"),
            Text("執行率", "Spent"),
            Text("ねらう指標と結果", "KPI it aims at, and its result"),
        )
    ]
    body = []
    for row in budgets.sort("theme", "programme").to_dicts():
        rate = None
        if row["budget_thousand_yen"] and row["executed_thousand_yen"] is not None:
            rate = 100 * row["executed_thousand_yen"] / row["budget_thousand_yen"]
        aimed = results.get(row["kpi_id"])
        kpi = catalogue.kpis[row["kpi_id"]] if row["kpi_id"] else None
        outcome = "–"
        if kpi and aimed:
            outcome = f"{kpi.short_name(lang)} {sentences.value_words(aimed['value'], kpi, lang)} {sentences.result_words(aimed, lang)}"
        body.append(
            [
                row["programme"],
                format_number(row["budget_thousand_yen"], 0),
                format_number(row["executed_thousand_yen"], 0),
                f"{format_number(rate, 1)}%" if rate is not None else "–",
                outcome,
            ]
        )
    title = Text("予算の執行", "Budget")(lang)
    return Html("<section>{}{}</section>").format(
        heading(2, title, anchor="budget"), table(title, headings, body, css="cards budget")
    )


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
