"""How a page opens: title, contents, conclusion."""

from __future__ import annotations

from kenpo_lib import sentences, verdict_words
from kenpo_lib.briefing.data import Briefing, interim_rows, list_full_kpis
from kenpo_lib.briefing.incentive import INCENTIVE_TITLE, has_incentive
from kenpo_lib.briefing.spread import list_spread_anchors
from kenpo_lib.briefing.themes import list_themes
from kenpo_lib.catalogue import NATION, THEMES
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.tables import Html, bullet_list, heading, join


def show_header(briefing: Briefing) -> Html:
    """Title, what the page is, and the state of the data."""
    lang = briefing.lang
    year = format_fiscal_year(briefing.fiscal_year, lang=lang, western=True)
    if briefing.branch_code == NATION:
        title = Text(f"全国概況　{year}", f"National overview, {year}")(lang)
    else:
        title = Text(f"{briefing.branch_name}支部　KPI比較　{year}", f"{briefing.branch_name}: KPI comparison, {year}")(
            lang
        )
    own = len(briefing.page.warnings)
    checked = Text("データ検証に合格。", "The data passed validation.")(lang)
    noted = Text(
        f"この頁に関わる注意{own}件は「データの注意」にあります。", f" {own} notes on this page's data are at its end."
    )(lang)
    return Html('<header><h1>{}</h1><p class="lead">{}{}</p></header>').format(title, checked, noted if own else "")


def show_contents(briefing: Briefing) -> Html:
    """The table of contents: static links to the sections that this page has."""
    lang = briefing.lang
    anchors = [("conclusion", Text("結論", "Conclusion")), ("kpis", Text("指標の一覧", "All KPIs"))]
    incentive = [("incentive", INCENTIVE_TITLE)] if has_incentive(briefing) else []
    if briefing.branch_code == NATION:
        anchors.append(("matrix", Text("支部と指標の一覧", "Branches and KPIs")))
        anchors += [(f"kpi-{kpi.kpi_id}", kpi.short_name) for kpi in list_full_kpis(briefing)]
        anchors += list_spread_anchors(briefing)
        anchors += incentive
    else:
        optional = {
            "interim": (interim_rows(briefing), Text("年度途中の値", "Part-way values")),
            "budget": (not briefing.page.budgets.is_empty(), Text("予算の執行", "Budget")),
            "marks": (not briefing.page.self_assessments.is_empty(), Text("自己評価", "Own marks")),
        }
        themes = [(f"theme-{theme}", THEMES[theme]) for theme in list_themes(briefing)]
        shown = {name: [(name, text)] for name, (is_there, text) in optional.items() if is_there}
        anchors += [*shown.get("interim", []), *themes, *incentive, *shown.get("budget", []), *shown.get("marks", [])]
    anchors.append(("sources", Text("データの注意と出典", "Data notes and sources")))
    links = [Html('<a href="#{}">{}</a>').format(anchor, text(lang)) for anchor, text in anchors]
    return Html('<nav aria-label="{}">{}</nav>').format(Text("目次", "Contents")(lang), bullet_list(links))


def show_conclusion(briefing: Briefing) -> Html:
    """The conclusion in sentences, with the count of target verdicts beside it."""
    lang, rows = briefing.lang, briefing.rows
    said = sentences.conclude_branch(rows, briefing.catalogue, lang)
    said += verdict_words.conclude_certainty(rows, briefing.catalogue, lang)
    counts = [
        (sentences.RESULT_WORDS[result](lang), sum(row["target_result"] == result for row in rows), result)
        for result in ("met", "not_met", "cannot_tell")
    ]
    tally = join(
        Html('<div class="count {}"><dt>{}</dt><dd>{}</dd></div>').format(css, word, number)
        for word, number, css in counts
    )
    has_targets = any(number for _, number, _ in counts)
    label = Text("目標の判定", "Targets")(lang)
    tally_block = Html('<dl class="tally" aria-label="{}">{}</dl>').format(label, tally) if has_targets else Html("")
    return Html("<section>{}{}{}</section>").format(
        heading(2, Text("結論", "Conclusion")(lang), anchor="conclusion"),
        tally_block,
        bullet_list(said, css="conclusion"),
    )
