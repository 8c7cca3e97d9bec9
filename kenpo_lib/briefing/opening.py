"""How a page opens: title, contents, conclusion."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.actions import ACTION_RULE, list_actions
from kenpo_lib.briefing.data import Briefing, interim_rows
from kenpo_lib.briefing.incentive import INCENTIVE_TITLE, find_own_score, has_incentive
from kenpo_lib.briefing.reading import list_overview_kpis
from kenpo_lib.briefing.spine import SPINE_TITLE, list_spines
from kenpo_lib.briefing.spread import list_spread_anchors
from kenpo_lib.briefing.themes import list_themes
from kenpo_lib.catalogue import NATION, THEMES
from kenpo_lib.conclusion import (
    NO_TARGETS,
    conclude_branch,
    conclude_nation,
    count_targets,
    explain_certainty,
    explain_open_targets,
)
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.tables import Html, bullet_list, heading, join

Row = dict[str, Any]


def show_header(briefing: Briefing) -> Html:
    """Title, up to when documents were read, and the state of the data."""
    lang = briefing.lang
    year = format_fiscal_year(briefing.fiscal_year, lang=lang, western=True)
    if briefing.branch_code == NATION:
        title = Text(f"全国概況　{year}", f"National overview, {year}")(lang)
    else:
        title = Text(f"{briefing.branch_name}支部　KPI比較　{year}", f"{briefing.branch_name}: KPI comparison, {year}")(
            lang
        )
    last = briefing.page.sources["order_date"].max()
    until = sentences.date_words(dt.date(int(last[:4]), int(last[5:7]), 1), lang) if last else ""
    read = Text(f"{until}までの公表資料による。", f"From documents published up to {until}. ")(lang) if until else ""
    checked = Text("データ検証に合格", "The data passed validation")(lang)
    own = len(briefing.page.warnings)
    noted = Text(f"（注意{own}件）", f" ({own} notes)")(lang)
    link = Html('<a href="#sources">{}</a>').format(noted) if own else ""
    end = Text("。", ".")(lang)
    return Html('<header><h1>{}</h1><p class="lead">{}{}{}{}</p></header>').format(title, read, checked, link, end)


def show_contents(briefing: Briefing) -> Html:
    """The table of contents: static links to the sections that this page has."""
    lang = briefing.lang
    anchors = [("conclusion", Text("結論", "Conclusion")), ("kpis", Text("指標の一覧", "All KPIs"))]
    incentive = [("incentive", INCENTIVE_TITLE)] if has_incentive(briefing) else []
    if briefing.branch_code == NATION:
        anchors.append(("matrix", Text("支部と指標の一覧", "Branches and KPIs")))
        anchors += [(f"kpi-{kpi.kpi_id}", kpi.short_name) for kpi in list_overview_kpis(briefing)]
        anchors += list_spread_anchors(briefing)
        anchors += incentive
    else:
        optional = {
            "interim": (interim_rows(briefing), Text("年度途中の値", "Part-way values")),
            "budget": (not briefing.page.budgets.is_empty(), Text("予算の執行", "Budget")),
            "marks": (not briefing.page.self_assessments.is_empty(), Text("自己評価", "Own marks")),
        }
        themes = [(f"theme-{theme}", THEMES[theme]) for theme in list_themes(briefing)]
        anchors += [("spine", SPINE_TITLE)] if list_spines(briefing) else []
        shown = {name: [(name, text)] for name, (is_there, text) in optional.items() if is_there}
        anchors += [*shown.get("interim", []), *themes, *incentive, *shown.get("budget", []), *shown.get("marks", [])]
    anchors.append(("sources", Text("データの注意と出典", "Data notes and sources")))
    links = [Html('<a href="#{}">{}</a>').format(anchor, text(lang)) for anchor, text in anchors]
    return Html('<nav aria-label="{}">{}</nav>').format(Text("目次", "Contents")(lang), bullet_list(links))


def show_conclusion(briefing: Briefing) -> Html:
    """One screen: how many targets are met, then what to act on, what moved and where the page stands."""
    lang, rows, catalogue = briefing.lang, briefing.rows, briefing.catalogue
    if briefing.branch_code == NATION:
        said = conclude_nation(rows, _list_full_rows(briefing), catalogue, lang)
    else:
        said = conclude_branch(rows, catalogue, lang, incentive=find_own_score(briefing))
    entries = [
        Html("<dt>{}</dt><dd>{}</dd>").format(
            point.head, join(Html("<p>{}</p>").format(sentence) for sentence in point.sentences)
        )
        for point in said
    ]
    is_branch = briefing.branch_code != NATION
    notes = [
        NO_TARGETS(lang) if is_branch and not any(row["target_result"] for row in rows) else "",
        explain_certainty(rows, lang),
        ACTION_RULE(lang) if is_branch and list_actions(rows, catalogue) else "",
    ]
    note = Text("", " ")(lang).join(text for text in notes if text)
    return Html('<section>{}{}<dl class="conclusion">{}</dl>{}</section>').format(
        heading(2, Text("結論", "Conclusion")(lang), anchor="conclusion"),
        _show_tally(rows, lang),
        join(entries),
        Html('<p class="note">{}</p>').format(note) if note else "",
    )


def _show_tally(rows: Sequence[Row], lang: str) -> Html:
    """How many targets are met, not met, and cannot be told, with the reasons; empty without any target."""
    counts = count_targets(rows)
    if not counts:
        return Html("")
    boxes = [
        Html('<div class="count {}"><dt>{}</dt><dd>{}</dd></div>').format(
            result, sentences.RESULT_WORDS[result](lang), number
        )
        for result, number in counts.items()
    ]
    why = explain_open_targets(rows, lang)
    reasons = Text(f"判定できない理由: {why}", f"Why not: {why}")(lang) if why else ""
    total = sum(counts.values())
    label = Text(f"目標のある{total}指標", f"{total} KPIs with a target")(lang)
    return Html('<div class="tally"><p>{0}</p><dl aria-label="{0}">{1}</dl><p class="muted">{2}</p></div>').format(
        label, join(boxes), reasons
    )


def _list_full_rows(briefing: Briefing) -> list[Row]:
    """The page's year of all KPIs that all branches are known for, in reading order."""
    return [
        row
        for kpi in list_overview_kpis(briefing)
        for row in briefing.page.year.filter(
            (pl.col("kpi_id") == kpi.kpi_id) & (pl.col("ranked_count") == briefing.branch_count)
        ).to_dicts()
    ]
