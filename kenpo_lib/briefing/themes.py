"""One block per theme: trend and position charts of the KPIs for which they say something."""

from __future__ import annotations

from typing import Any

import polars as pl

from kenpo_lib import charts, sentences
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.catalogue import THEMES, Kpi
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year, format_number
from kenpo_lib.tables import Html, bullet_list, data_details, figure, heading, join

MIN_TREND_YEARS = 3  # two points are in the table already


def list_themes(briefing: Briefing) -> list[str]:
    """The themes that have at least one chart for this page, in reading order."""
    rows = briefing.rows
    with_charts = [
        briefing.catalogue.kpis[row["kpi_id"]].theme
        for row in rows
        if _has_trend(briefing, row["kpi_id"]) or _has_position(briefing, row)
    ]
    return list(dict.fromkeys(with_charts))


def show_theme(briefing: Briefing, theme: str) -> Html:
    """Trend and position charts of the KPIs of one theme; KPIs without enough values stay in the table only."""
    blocks = [
        _kpi_block(briefing, row)
        for row in briefing.rows
        if briefing.catalogue.kpis[row["kpi_id"]].theme == theme
        and (_has_trend(briefing, row["kpi_id"]) or _has_position(briefing, row))
    ]
    title = heading(2, THEMES[theme](briefing.lang), anchor=f"theme-{theme}")
    return Html('<section class="theme">{}<div class="grid">{}</div></section>').format(title, join(blocks))


def _has_trend(briefing: Briefing, kpi_id: str) -> bool:
    history = briefing.history(kpi_id).filter(pl.col("value").is_not_null())
    return history["fiscal_year"].n_unique() >= MIN_TREND_YEARS


def _has_position(briefing: Briefing, row: dict[str, Any]) -> bool:
    return (row["ranked_count"] or 0) >= MIN_POSITION_BRANCHES


def _kpi_block(briefing: Briefing, row: dict[str, Any]) -> Html:
    kpi, lang = briefing.catalogue.kpis[row["kpi_id"]], briefing.lang
    parts = [heading(3, kpi.name(lang), anchor=f"kpi-{kpi.kpi_id}")]
    figures = []
    if _has_trend(briefing, kpi.kpi_id):
        figures.append(_trend_figure(briefing, kpi))
    if _has_position(briefing, row):
        figures.append(_position_figure(briefing, row, kpi))
    parts.append(Html('<div class="figures">{}</div>').format(join(figures)))
    definition = kpi.definitions[row["definition"]]
    notes = [definition.text(lang), *(briefing.catalogue.caveats[caveat](lang) for caveat in kpi.caveats)]
    notes += [difference(lang) for _, difference in kpi.resembles]
    label = Text("定義と注意", "Definition and caveats")(lang)
    parts.append(Html('<details class="note"><summary>{}</summary>{}</details>').format(label, bullet_list(notes)))
    css = "kpi wide" if len(figures) > 1 else "kpi"
    return Html('<div class="{}">{}</div>').format(css, join(parts))


def _trend_figure(briefing: Briefing, kpi: Kpi) -> Html:
    lang, history = briefing.lang, briefing.history(kpi.kpi_id)
    sentence = sentences.describe_trend(
        history.to_dicts(), kpi, branch_name=briefing.branch_name, lang=lang, branches=briefing.branch_count
    )
    svg = charts.render_svg(
        charts.draw_trend(
            history, briefing.nation_history(kpi.kpi_id), kpi, lang=lang, branches=briefing.catalogue.branches
        ),
        id_prefix=f"trend-{kpi.kpi_id}",
        label=sentence,
    )
    headings = [
        word(lang)
        for word in (
            Text("年度", "Year"),
            Text("定義", "Definition"),
            Text("実績", "Result"),
            Text("全国", "Nation"),
            Text("全国の種類", "Kind"),
            Text("目標", "Target"),
            Text("出典", "Source"),
        )
    ]
    rows = [
        [
            format_fiscal_year(row["fiscal_year"], lang=lang),
            row["definition"],
            plain_number(row["value"], kpi),
            plain_number(row["national"], kpi),
            _name_nation(briefing, row, kpi),
            plain_number(row["target_threshold"], kpi),
            row["source_id"],
        ]
        for row in history.to_dicts()
    ]
    caption = Text(f"{kpi.short_name.ja}の推移", f"{kpi.short_name.en} over the years")(lang)
    name = f"kenpo_{briefing.branch_code}_{kpi.kpi_id}_trend.csv"
    return figure(
        svg,
        caption=caption,
        sentence=sentence,
        details=data_details(headings, rows, file_name=name, caption=caption, lang=lang),
    )


def _name_nation(briefing: Briefing, row: dict[str, Any], kpi: Kpi) -> str | None:
    kind = row["national_kind"]
    return sentences.national_name(kind, kpi, briefing.lang, branches=briefing.branch_count) if kind else None


def _position_figure(briefing: Briefing, row: dict[str, Any], kpi: Kpi) -> Html:
    lang = briefing.lang
    values = briefing.branch_values(kpi.kpi_id, row["definition"])
    sentence = sentences.describe_position(values.to_dicts(), kpi, branch_code=briefing.branch_code, lang=lang)
    chart = charts.draw_position(
        values, kpi, branch_code=briefing.branch_code, lang=lang, branches=briefing.catalogue.branches
    )
    svg = charts.render_svg(chart, id_prefix=f"position-{kpi.kpi_id}", label=sentence)
    known = row["ranked_count"]
    where = Text(f"{known}支部の中の位置", f"Position among the {known} branches")(lang)
    if known < briefing.branch_count:
        where = Text(f"値の分かる{known}支部の中の位置", f"Position among the {known} branches known")(lang)
    details = values_details(values, kpi, lang, name=f"kenpo_FY{briefing.fiscal_year}_{kpi.kpi_id}.csv", caption=where)
    return figure(svg, caption=where, sentence=sentence, details=details)


def values_details(values: pl.DataFrame, kpi: Kpi, lang: str, *, name: str, caption: str) -> Html:
    headings = [
        word(lang)
        for word in (
            Text("支部コード", "Code"),
            Text("支部", "Branch"),
            Text("実績", "Result"),
            Text("順位", "Rank"),
            Text("偏差値", "Deviation score"),
            Text("自支部を除く全国", "Nation without it"),
            Text("出典", "Source"),
        )
    ]
    known = values.filter(pl.col("value").is_not_null()).sort("rank", "branch_code", nulls_last=True)
    rows = [
        [
            row["branch_code"],
            row["branch_name"],
            plain_number(row["value"], kpi),
            row["rank"],
            None if row["deviation_score"] is None else format_number(row["deviation_score"], 1),
            plain_number(row["national_without_branch"], kpi),
            row["source_id"],
        ]
        for row in known.to_dicts()
    ]
    return data_details(headings, rows, file_name=name, caption=caption, lang=lang)


def plain_number(value: float | None, kpi: Kpi) -> str | None:
    return None if value is None else format_number(value, kpi.decimals)
