"""How the page of one KPI opens: title, contents, conclusion."""

from __future__ import annotations

from kenpo_lib.briefing.kpi_conclusion import conclude_kpi
from kenpo_lib.briefing.kpi_course import has_course
from kenpo_lib.briefing.kpi_data import KpiDetail
from kenpo_lib.briefing.kpi_methods import list_methods
from kenpo_lib.briefing.kpi_movement import has_movement
from kenpo_lib.briefing.kpi_position import position_title
from kenpo_lib.briefing.kpi_sources import count_notes
from kenpo_lib.briefing.kpi_years import list_columns
from kenpo_lib.briefing.spread import list_spread_kpis, spread_title
from kenpo_lib.catalogue import DIRECTION_WORDS, THEMES
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.tables import Html, bullet_list, heading


def show_kpi_header(detail: KpiDetail) -> Html:
    """Title, what the KPI is, and the state of its data."""
    lang, kpi = detail.lang, detail.kpi
    year = format_fiscal_year(detail.briefing.fiscal_year, lang=lang, western=True)
    when = Text(f"{year}まで", f"up to {year}")(lang)
    facts = [THEMES[kpi.theme](lang), DIRECTION_WORDS[kpi.direction](lang)]
    checked = Text("データ検証に合格。", "The data passed validation.")(lang)
    notes = count_notes(detail)
    noted = Text(
        f"この指標に関わる注意{notes}件は「データの注意と出典」にあります。",
        f" {notes} notes on its data are at the end.",
    )(lang)
    return Html('<header><h1 class="parted">{} <span>{}</span></h1><p class="lead">{}{}{}</p></header>').format(
        kpi.name(lang),
        when,
        Text("・", ", ")(lang).join(facts) + Text("。", ". ")(lang),
        checked,
        noted if notes else "",
    )


def show_kpi_contents(detail: KpiDetail) -> Html:
    """The table of contents: static links to the sections that this page has."""
    lang = detail.lang
    is_there = {
        "course": has_course(detail),
        "years": bool(list_columns(detail)),
        "position": detail.latest is not None,
        "movement": has_movement(detail),
        "certainty": detail.latest is not None,
        "methods": bool(list_methods(detail)),
    }
    titles = {
        "conclusion": Text("結論", "Conclusion"),
        "course": Text("推移", "Course"),
        "definitions": Text("定義の移り変わり", "Definitions"),
        "years": Text("支部と年度の一覧", "Branches and years"),
        "position": position_title(detail),
        "movement": Text("順位の動き", "Ranks that moved"),
        "certainty": Text("どこまで確かか", "How sure"),
        "methods": Text("使った方法", "Methods"),
        "sources": Text("データの注意と出典", "Data notes and sources"),
    }
    anchors = []
    for anchor, title in titles.items():
        if is_there.get(anchor, True):
            anchors.append((anchor, title))
        if anchor == "certainty" and detail.kpi in list_spread_kpis(detail.briefing):
            anchors.append((f"spread-{detail.kpi.kpi_id}", spread_title(detail.kpi)))
    links = [Html('<a href="#{}">{}</a>').format(anchor, text(lang)) for anchor, text in anchors]
    return Html('<nav aria-label="{}">{}</nav>').format(Text("目次", "Contents")(lang), bullet_list(links))


def show_kpi_conclusion(detail: KpiDetail) -> Html:
    """The conclusion in sentences."""
    title = heading(2, Text("結論", "Conclusion")(detail.lang), anchor="conclusion")
    return Html("<section>{}{}</section>").format(title, bullet_list(conclude_kpi(detail), css="conclusion"))
