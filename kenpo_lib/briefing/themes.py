"""One block per theme: trend and position of the KPIs for which they say something, and what was spent on them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from kenpo_lib import charts, sentences
from kenpo_lib.briefing.budgets import list_budgets, show_theme_budgets
from kenpo_lib.briefing.cells import name_kpi
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.extras import OPEN_STATES, describe_interim
from kenpo_lib.briefing.reading import rows_by_theme
from kenpo_lib.catalogue import THEMES, Branch, Kpi
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year, format_number
from kenpo_lib.store.places import QUANTILES
from kenpo_lib.tables import Html, bullet_list, data_details, heading, join

Row = dict[str, Any]

MOST_NEIGHBOURS = 40  # of its block beside a branch of a large group
MIN_TREND_YEARS = 3  # two points are in the table already


def list_themes(briefing: Briefing) -> list[str]:
    """The themes that have a chart or a budget on this page, in reading order."""
    rows = rows_by_theme(briefing)
    return [
        theme
        for theme in THEMES
        if any(_has_chart(briefing, row) for row in rows.get(theme, ())) or list_budgets(briefing, theme)
    ]


def show_theme(briefing: Briefing, theme: str) -> Html:
    """Trend and position of the KPIs of one theme, and its budget; KPIs without enough values stay in the table only."""
    rows = [row for row in rows_by_theme(briefing).get(theme, ()) if _has_chart(briefing, row)]
    lone = (
        sum(_count_charts(briefing, row) == 1 for row in rows) == 1
    )  # one alone would leave two thirds of a line empty
    blocks = [_kpi_block(briefing, row, is_wide=lone or _count_charts(briefing, row) > 1) for row in rows]
    grid = Html('<div class="grid">{}</div>').format(join(blocks)) if blocks else ""
    return Html('<section class="theme">{}{}{}</section>').format(
        heading(2, THEMES[theme](briefing.lang), anchor=f"theme-{theme}"), grid, show_theme_budgets(briefing, theme)
    )


def _has_trend(briefing: Briefing, kpi_id: str) -> bool:
    return briefing.count_years(kpi_id) >= MIN_TREND_YEARS


def _has_position(row: Row) -> bool:
    return (row["ranked_count"] or 0) >= MIN_POSITION_BRANCHES


def _count_charts(briefing: Briefing, row: Row) -> int:
    return _has_trend(briefing, row["kpi_id"]) + _has_position(row)


def _has_chart(briefing: Briefing, row: Row) -> bool:
    return _has_position(row) or _has_trend(briefing, row["kpi_id"])


def _kpi_block(briefing: Briefing, row: Row, *, is_wide: bool) -> Html:
    """What is said, the charts, and what can be unfolded; side by side where there is room."""
    kpi, lang = briefing.catalogue.kpis[row["kpi_id"]], briefing.lang
    said, figures, folded = [], [], []
    if _has_trend(briefing, kpi.kpi_id):
        figures.append(_trend_figure(briefing, kpi))
        history = briefing.history(kpi.kpi_id).to_dicts()
        said.append(
            sentences.describe_trend(history, kpi, branch_name=briefing.branch_name, lang=lang, with_names=False)
        )
        folded.append(_trend_details(briefing, kpi))
    if row["status"] in OPEN_STATES:
        said.append(describe_interim(row, kpi, lang))
    if _has_position(row):
        place = _Place.of(briefing, row)
        figures.append(_position_figure(briefing, place, kpi))
        said.append(_describe_position(briefing, place, kpi, with_names=False))
        folded.append(_position_details(briefing, place, kpi))
    folded.append(_definition_details(briefing, row, kpi))
    return Html(
        '<div class="kpi{}"><div class="say"><h3 id="kpi-{}">{}</h3>{}</div>{}<div class="more">{}</div></div>'
    ).format(
        " wide" if is_wide else "",
        kpi.kpi_id,
        name_kpi(kpi, lang),
        join(Html("<p>{}</p>").format(sentence) for sentence in said if sentence),
        join(figures),
        join(folded),
    )


def _trend_figure(briefing: Briefing, kpi: Kpi) -> Html:
    lang, history = briefing.lang, briefing.history(kpi.kpi_id)
    label = sentences.describe_trend(
        history.to_dicts(), kpi, branch_name=briefing.branch_name, lang=lang, branches=briefing.branch_count
    )
    chart = charts.draw_trend(
        history, briefing.nation_history(kpi.kpi_id), kpi, lang=lang, branches=briefing.catalogue.branches
    )
    return _figure(charts.render_svg(chart, id_prefix=f"trend-{kpi.kpi_id}", label=label), css="trend")


@dataclass(frozen=True)
class _Place:
    """The branch among the others: all of them; of a large group those of its block, and how all are spread."""

    values: pl.DataFrame
    spread: dict[str, Any] | None

    @classmethod
    def of(cls, briefing: Briefing, row: Row) -> _Place:
        series = row["kpi_id"], row["definition"]
        return cls(briefing.branch_values(*series), briefing.spread(*series))

    @property
    def known(self) -> int:
        return self.spread["known"] if self.spread else self.values["value"].count()

    @functools.cached_property
    def rows(self) -> list[Row]:
        return self.values.to_dicts()


def _describe_position(briefing: Briefing, place: _Place, kpi: Kpi, *, with_names: bool = True) -> str:
    ends = None
    if place.spread:
        ends = tuple(
            {
                "value": place.spread[end],
                "branch_name": briefing.catalogue.branches[place.spread[f"{end}_codes"][0]].name.ja,
            }
            for end in ("low", "high")
        )
    return sentences.describe_position(
        place.rows,
        kpi,
        branch_code=briefing.branch_code,
        lang=briefing.lang,
        with_names=with_names,
        ends=ends,
    )


def _position_figure(briefing: Briefing, place: _Place, kpi: Kpi) -> Html:
    code, words = briefing.branch_code, {"lang": briefing.lang, "branches": briefing.catalogue.branches}
    if place.spread:
        own = place.values.row(by_predicate=pl.col("branch_code") == code, named=True)
        chart = charts.draw_distribution(place.spread, own, kpi, **words)
    else:
        chart = charts.draw_position(place.values, kpi, branch_code=code, **words)
    label = _describe_position(briefing, place, kpi)
    svg = charts.render_svg(chart, id_prefix=f"position-{kpi.kpi_id}", label=label)
    return _figure(svg, css="strip", caption=_name_position(briefing, place))


def _figure(svg: str, *, css: str, caption: str = "") -> Html:
    """A chart whose sentence stands beside it."""
    named = Html("<figcaption>{}</figcaption>").format(caption) if caption else ""
    return Html('<figure class="{}">{}{}</figure>').format(css, named, Markup(svg))


def _name_position(briefing: Briefing, place: _Place) -> str:
    known = place.known
    if known < briefing.branch_count:
        return Text(f"値の分かる{known}支部の中の位置", f"Position among the {known} branches known")(briefing.lang)
    return Text(f"{known}支部の中の位置", f"Position among the {known} branches")(briefing.lang)


def _name_nation(briefing: Briefing, row: Row, kpi: Kpi) -> str | None:
    kind = row["national_kind"]
    return sentences.national_name(kind, kpi, briefing.lang, branches=briefing.branch_count) if kind else None


def _trend_details(briefing: Briefing, kpi: Kpi) -> Html:
    lang, history = briefing.lang, briefing.history(kpi.kpi_id)
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
    return data_details(
        headings,
        rows,
        file_name=f"kenpo_{briefing.branch_code}_{kpi.kpi_id}_trend.csv",
        caption=Text(f"{kpi.short_name.ja}の推移", f"{kpi.short_name.en} over the years")(lang),
        lang=lang,
        summary=Text("推移のデータ", "Data over the years")(lang),
    )


def _position_details(briefing: Briefing, place: _Place, kpi: Kpi) -> Html:
    lang = briefing.lang
    position = f"{kpi.short_name(lang)}: {_name_position(briefing, place)}"
    if not place.spread:
        return values_details(
            place.values,
            kpi,
            lang,
            name=f"kenpo_FY{briefing.fiscal_year}_{kpi.kpi_id}.csv",
            caption=position,
            summary=Text("支部のデータ", "Data of the branches")(lang),
        )
    own = place.values.row(by_predicate=pl.col("branch_code") == briefing.branch_code, named=True)
    away = (pl.col("rank").cast(pl.Int64) - own["rank"]).abs()
    nearest = place.values.sort(away, "branch_code").head(MOST_NEIGHBOURS)
    beside = Text(
        f"{own['block']}のうち順位の近い{nearest.height}支部（値のある{place.values.height}支部から）",
        f"The {nearest.height} branches of its block with the nearest ranks (of {place.values.height} with a value)",
    )(lang)
    return join(
        (
            _spread_details(briefing, place.spread, kpi, caption=position),
            values_details(
                nearest,
                kpi,
                lang,
                name=f"kenpo_{briefing.branch_code}_FY{briefing.fiscal_year}_{kpi.kpi_id}.csv",
                caption=f"{kpi.short_name(lang)}: {beside}",
                summary=Text("近い支部のデータ", "Data of the branches nearby")(lang),
                branches=briefing.catalogue.branches,
            ),
        )
    )


def _spread_details(briefing: Briefing, spread: Mapping[str, Any], kpi: Kpi, *, caption: str) -> Html:
    """What stands for the values of a large group."""
    lang = briefing.lang
    words = {"low": Text("最小", "lowest"), "high": Text("最大", "highest")}
    words |= {name: Text(f"{share:.0%}点", f"{share:.0%} quantile") for name, share in QUANTILES.items()}
    names = ("low", *QUANTILES, "high")
    return data_details(
        [Text("分布", "Distribution")(lang), Text("実績", "Result")(lang)],
        [[words[name](lang), plain_number(spread[name], kpi)] for name in names],
        file_name=f"kenpo_FY{briefing.fiscal_year}_{kpi.kpi_id}_spread.csv",
        caption=caption,
        lang=lang,
        summary=Text("分布のデータ", "Data of the distribution")(lang),
    )


def _definition_details(briefing: Briefing, row: Row, kpi: Kpi) -> Html:
    """The definition, what the nation's figure is where it is not published, caveats, and what the KPI is not."""
    lang = briefing.lang
    notes = [kpi.definitions[row["definition"]].text(lang)]
    if row["national_kind"] not in (None, "published"):
        name = _name_nation(briefing, row, kpi)
        notes.append(
            Text(f"全国の値は公表されていないため、{name}。", f"No national figure is published: {name}.")(lang)
        )
    notes += [briefing.catalogue.caveats[caveat](lang) for caveat in kpi.caveats]
    notes += [difference(lang) for _, difference in kpi.resembles]
    summary = Text("定義と注意", "Definition and caveats")(lang)
    return Html('<details class="note"><summary>{}</summary>{}</details>').format(summary, bullet_list(notes))


def values_details(
    values: pl.DataFrame,
    kpi: Kpi,
    lang: str,
    *,
    name: str,
    caption: str,
    summary: str = "",
    branches: Mapping[str, Branch] | None = None,
) -> Html:
    """The values of all branches of one KPI and year, folded, by rank."""
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
            branches[row["branch_code"]].name(lang) if branches else row["branch_name"],
            plain_number(row["value"], kpi),
            row["rank"],
            None if row["deviation_score"] is None else format_number(row["deviation_score"], 1),
            plain_number(row["national_without_branch"], kpi),
            row["source_id"],
        ]
        for row in known.to_dicts()
    ]
    return data_details(headings, rows, file_name=name, caption=caption, lang=lang, summary=summary)


def plain_number(value: float | None, kpi: Kpi) -> str | None:
    return None if value is None else format_number(value, kpi.decimals)
