"""Where the branches stand in the newest year of one KPI: map and ranking, or a table of the few that are known."""

from __future__ import annotations

from collections import Counter

import polars as pl

from kenpo_lib import charts, sentences
from kenpo_lib.briefing.kpi_data import KpiDetail, Row
from kenpo_lib.briefing.kpi_words import year_words
from kenpo_lib.briefing.spread import list_spread_kpis
from kenpo_lib.briefing.themes import values_details
from kenpo_lib.briefing.words import name_of
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.tables import Html, figure, heading, join, scrolling, table


def position_title(detail: KpiDetail) -> Text:
    """The section's title: of positions where there are enough branches for them."""
    known = sum(row["value"] is not None for row in detail.rows_in(*detail.latest)) if detail.latest else 0
    if known < MIN_POSITION_BRANCHES:
        return Text("支部の値", "Values of branches")
    return Text("支部の位置", "Positions")


def show_kpi_position(detail: KpiDetail) -> Html:
    """The branches of the newest year; empty where no branch is known."""
    if detail.latest is None:
        return Html("")
    lang = detail.lang
    definition, year = detail.latest
    rows = [row for row in detail.rows_in(definition, year) if row["value"] is not None]
    what = position_title(detail)
    title = Text(f"{year_words(year, 'ja')}の{what.ja}", f"{what.en}, {year_words(year, 'en')}")(lang)
    inner = _few(detail, rows) if len(rows) < MIN_POSITION_BRANCHES else _many(detail, rows, definition, year)
    return Html('<section class="theme">{}{}</section>').format(heading(2, title, anchor="position"), inner)


def _many(detail: KpiDetail, rows: list[Row], definition: str, year: int) -> Html:
    lang, kpi, branches = detail.lang, detail.kpi, detail.branches
    chosen = {"lang": lang, "branches": branches, "branch_code": detail.briefing.branch_code}
    values = detail.values.filter((pl.col("definition") == definition) & (pl.col("fiscal_year") == year))
    sentence = sentences.describe_position(rows, kpi, branch_code=detail.briefing.branch_code, lang=lang)
    if beside := describe_beside_nation(rows, detail):
        sentence = Text(f"{sentence}{beside}", f"{sentence} {beside}")(lang)
    drawn = []
    if len(rows) == detail.branch_count:  # a map with holes says less than a list
        drawn.append((Text("地図", "Map"), "map", charts.draw_tile_map(values, kpi, **chosen)))
    # Where there are intervals, the section on them lists the same branches in the same order, and says more.
    has_intervals = year == detail.briefing.fiscal_year and kpi in list_spread_kpis(detail.briefing)
    if not has_intervals and not kpi.unit.is_total:
        drawn.append((Text("順位", "Ranking"), "ranking", charts.draw_ranking(values, kpi, **chosen)))
    details = values_details(
        values, kpi, lang, name=f"kenpo_FY{year}_{kpi.kpi_id}.csv", caption=kpi.name(lang), branches=branches
    )
    if not drawn:
        return Html("<p>{}</p>{}").format(sentence, details)
    figures = []
    for place, (caption, name, chart) in enumerate(drawn):
        svg = charts.render_svg(chart, id_prefix=f"{name}-{kpi.kpi_id}", label=sentence)
        figures.append(
            figure(
                scrolling(svg, label=caption(lang), css="map") if name == "map" else svg,
                caption=caption(lang),
                sentence=sentence if place == 0 else "",
                details=details if place == 0 else None,
            )
        )
    return Html('<div class="{}">{}</div>').format("figures pair" if len(drawn) == 2 else "figures", join(figures))


def describe_beside_nation(rows: list[Row], detail: KpiDetail) -> str:
    """How many branches are better than the national figure and how many worse, and which figure that is."""
    judged = Counter(row["national_judgement"] for row in rows if row["national_judgement"])
    if not judged:
        return ""
    kpi, lang = detail.kpi, detail.lang
    kind, national = next((row["national_kind"], row["national"]) for row in rows if row["national_judgement"])
    name, value = (
        sentences.national_name(kind, kpi, lang, branches=detail.branch_count),
        sentences.value_words(national, kpi, lang),
    )
    counted = [(word, judged[word]) for word in ("better", "higher", "same", "worse", "lower") if judged[word]]
    listed_ja = "、".join(
        f"{sentences.JUDGEMENT_WORDS[word].ja}のは{many}支部" if word != "same" else f"同じは{many}支部"
        for word, many in counted
    )
    listed_en = ", ".join(f"{sentences.JUDGEMENT_WORDS[word].en} {many}" for word, many in counted)
    return Text(f"{name}{value}より{listed_ja}。", f"Against the {name}, {value}: {listed_en}.")(lang)


def _few(detail: KpiDetail, rows: list[Row]) -> Html:
    """The branches known, each with nation, prior year and target beside it."""
    lang, kpi = detail.lang, detail.kpi
    headings = [
        word(lang)
        for word in (
            Text("支部", "Branch"),
            Text("実績", "Result"),
            Text("全国", "Nation"),
            Text("前年度", "Prior year"),
            Text("目標", "Target"),
        )
    ]
    body = [
        [
            name_of(row, detail.branches, lang),
            sentences.value_words(row["value"], kpi, lang),
            _reference(row, "national", detail),
            _reference(row, "prior", detail),
            _target(row, detail),
        ]
        for row in rows
    ]
    note = Text(
        f"値が分かるのは{len(rows)}支部だけなので、順位や地図は示しません。",
        f"Only {len(rows)} known: too few for ranks or a map.",
    )(lang)
    if kpi.branch_code is not None:
        note = Text("1支部だけの指標です。", "A KPI of one branch alone.")(lang)
    return Html('<p class="note">{}</p>{}').format(
        note, table(Text("値の分かる支部", "Branches known")(lang), headings, body, css="cards")
    )


def _reference(row: Row, name: str, detail: KpiDetail) -> str:
    """A reference value with its difference and judgement; why there is none, or a dash."""
    lang, kpi = detail.lang, detail.kpi
    value = row["national"] if name == "national" else row["prior_value"]
    if value is None:
        reason = row["prior_reason"] if name == "prior" else None
        return sentences.PRIOR_REASON_WORDS[reason](lang) if reason else "–"
    words = sentences.value_words(value, kpi, lang)
    mark = sentences.NATIONAL_MARKS[row["national_kind"]](lang) if name == "national" and not kpi.unit.is_total else ""
    words += f" {mark}" if mark else ""
    if name == "national" and kpi.unit.is_total:
        words += Text("（全国計）", " (total)")(lang)
    if row[f"{name}_difference"] is None:
        return words
    difference = sentences.difference_words(row[f"{name}_difference"], kpi, lang)
    judged = sentences.JUDGEMENT_WORDS[row[f"{name}_judgement"]](lang)
    return Text(f"{words}（{difference}、{judged}）", f"{words} ({difference}, {judged})")(lang)


def _target(row: Row, detail: KpiDetail) -> str:
    if row["target_result"] is None:
        return "–"
    return Text("{}　{}", "{}: {}")(detail.lang).format(
        sentences.target_words(row, detail.kpi, detail.lang), sentences.result_words(row, detail.lang)
    )
