"""What was budgeted and spent: in each theme beside the KPI it was meant to move, and in total."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kenpo_lib import sentences
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.catalogue import THEMES, Kpi
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number
from kenpo_lib.tables import Html, badge, cell, heading, table

Row = dict[str, Any]

BUDGET_TITLE = Text("予算の執行", "Budget")
_OTHER_THEMES = {"analysis": Text("調査・分析", "Analysis")}
_MONEY = (
    Text("予算（千円）", "Budget (thousand yen)"),
    Text("執行額（千円）", "Spent (thousand yen)"),
    Text("執行率", "Spent"),
)


def list_budgets(briefing: Briefing, theme: str) -> list[Row]:
    """The programmes of one theme, those that aim at a KPI first."""
    rows = [row for row in briefing.budgets if row["theme"] == theme]
    order = {row["kpi_id"]: place for place, row in enumerate(briefing.rows)}
    return sorted(rows, key=lambda row: (order.get(row["kpi_id"], len(order)), row["programme"]))


def show_theme_budgets(briefing: Briefing, theme: str) -> Html:
    """The programmes of one theme with the KPI each aims at and its result; empty without any."""
    lang, catalogue = briefing.lang, briefing.catalogue
    rows = list_budgets(briefing, theme)
    if not rows:
        return Html("")
    results = {row["kpi_id"]: row for row in briefing.rows}
    has_aims = any(row["kpi_id"] in results for row in rows)
    aims = Text("ねらう指標と結果", "KPI it aims at, and its result")
    headings = [word(lang) for word in (Text("取組", "Programme"), *_MONEY, *([aims] if has_aims else []))]
    body = []
    for row in rows:
        cells = [
            cell(word, label=label, css="num") for word, label in zip(_money_words([row]), headings[1:4], strict=True)
        ]
        if has_aims:
            aimed = results.get(row["kpi_id"])
            outcome = _describe_outcome(aimed, catalogue.kpis[row["kpi_id"]], lang) if aimed else "–"
            cells.append(cell(outcome, label=headings[4]))
        body.append([row["programme"], *cells])
    title = Text(f"{THEMES[theme].ja}の予算の執行", f"{THEMES[theme].en}: budget")(lang)
    return Html('<div class="budgets">{}{}</div>').format(
        heading(3, BUDGET_TITLE(lang)), table(title, headings, body, css="cards budget")
    )


def _describe_outcome(row: Row, kpi: Kpi, lang: str) -> Html:
    """The KPI, its value (or the interim one, called so) and the verdict on its target."""
    value = sentences.value_words(row["value"], kpi, lang)
    if row["value"] is None:
        is_interim = row["interim_value"] is not None
        value = sentences.interim_words(row, kpi, lang) if is_interim else sentences.STATUS_WORDS[row["status"]](lang)
    result = row["target_result"]
    verdict = badge(sentences.RESULT_WORDS[result](lang), css=result) if result else ""
    return Html('<span class="outcome">{} {}{}</span>').format(kpi.short_name(lang), value, verdict)


def show_budgets(briefing: Briefing) -> Html:
    """The budget by theme and in total; the programmes stand in the themes. Empty for a branch without published budgets."""
    lang = briefing.lang
    budgets = briefing.budgets
    if not budgets:
        return Html("")
    headings = [word(lang) for word in (Text("分野", "Theme"), Text("取組の数", "Programmes"), *_MONEY)]
    names = THEMES | _OTHER_THEMES
    groups = {theme: [row for row in budgets if row["theme"] == theme] for theme in names}
    body = [
        [_link_theme(theme, names[theme](lang)), *_sum_cells(rows, headings)] for theme, rows in groups.items() if rows
    ]
    total = Text("計", "Total")(lang)
    body.append([Html("<strong>{}</strong>").format(total), *_sum_cells(budgets, headings)])
    return Html("<section>{}{}</section>").format(
        heading(2, BUDGET_TITLE(lang), anchor="budget"),
        table(BUDGET_TITLE(lang), headings, body, css="cards budget sums"),
    )


def _link_theme(theme: str, name: str) -> Html | str:
    return Html('<a href="#theme-{}">{}</a>').format(theme, name) if theme in THEMES else name


def _sum_cells(rows: Sequence[Row], headings: Sequence[str]) -> list[Html]:
    words = [format_number(len(rows), 0), *_money_words(rows)]
    return [cell(word, label=label, css="num") for word, label in zip(words, headings[1:], strict=True)]


def _money_words(rows: Sequence[Row]) -> list[str]:
    """Budget, spent and the share spent; a sum of which a part is unknown is unknown."""
    planned, spent = (
        None if any(row[name] is None for row in rows) else sum(row[name] for row in rows)
        for name in ("budget_thousand_yen", "executed_thousand_yen")
    )
    share = 100 * spent / planned if planned and spent is not None else None
    return [
        format_number(planned, 0),
        format_number(spent, 0),
        "–" if share is None else f"{format_number(share, 1)}%",
    ]
