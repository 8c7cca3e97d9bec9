"""The national overview: one KPI over all branches."""

from __future__ import annotations

import polars as pl
from markupsafe import Markup

from kenpo_lib import charts, sentences
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.movement import show_movement
from kenpo_lib.briefing.themes import values_details
from kenpo_lib.catalogue import NATION, Kpi
from kenpo_lib.language import Text
from kenpo_lib.tables import Html, figure, heading, scrolling


def show_kpi_overview(briefing: Briefing, kpi: Kpi) -> Html:
    """One KPI over all branches: tile map, who moved since the year before, and ranking."""
    lang = briefing.lang
    is_full = pl.col("ranked_count") == briefing.branch_count
    rows = briefing.page.year.filter((pl.col("kpi_id") == kpi.kpi_id) & is_full)
    sentence = sentences.describe_position(rows.to_dicts(), kpi, branch_code=NATION, lang=lang)
    tiles = charts.render_svg(
        charts.draw_tile_map(rows, kpi, branches=briefing.catalogue.branches, lang=lang),
        id_prefix=f"map-{kpi.kpi_id}",
        label=sentence,
    )
    ranking = charts.render_svg(
        charts.draw_ranking(rows, kpi, lang=lang, branches=briefing.catalogue.branches),
        id_prefix=f"ranking-{kpi.kpi_id}",
        label=sentence,
    )
    first = rows.to_dicts()[0]
    national = sentences.value_words(first["national"], kpi, lang)
    name = sentences.national_name(first["national_kind"], kpi, lang, branches=briefing.branch_count)
    nation_word = sentences.short_national_name(first, lang)
    order = Text("良い順", "best first") if kpi.direction.sign else Text("高い順", "highest first")
    ranking_sentence = Text(
        f"{order.ja}に{rows.height}支部、破線は{nation_word}{national}。",
        f"{rows.height} branches, {order.en}; dashed: {nation_word} {national}.",
    )(lang)
    map_word, rank_word = Text("地図", "Map")(lang), Text("順位", "Ranking")(lang)
    details = values_details(
        rows, kpi, lang, name=f"kenpo_FY{briefing.fiscal_year}_{kpi.kpi_id}.csv", caption=kpi.name(lang)
    )
    return Html(
        '<section class="theme">{}<p>{}: {}</p><div class="figures pair"><div class="aside">{}{}</div>{}</div></section>'
    ).format(
        heading(2, kpi.name(lang), anchor=f"kpi-{kpi.kpi_id}"),
        name,
        national,
        figure(scrolling(tiles, label=map_word, css="map"), caption=map_word, sentence=sentence),
        show_movement(briefing, rows.to_dicts(), kpi),
        figure(Markup(ranking), caption=rank_word, sentence=ranking_sentence, details=details),
    )
