"""The national overview: all branches at once."""

from __future__ import annotations

import polars as pl
from markupsafe import Markup

from kenpo_lib import charts, sentences
from kenpo_lib.briefing.data import Briefing, list_full_kpis
from kenpo_lib.briefing.themes import values_details
from kenpo_lib.catalogue import NATION, Kpi
from kenpo_lib.grain import BRANCH_COUNT
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number
from kenpo_lib.tables import Html, cell, figure, heading, table


def show_branch_matrix(briefing: Briefing) -> Html:
    """Branches × the KPIs that all 47 have: value and rank, in the order of the codes."""
    lang, kpis = briefing.lang, list_full_kpis(briefing)
    year_rows = briefing.comparison.filter(pl.col("fiscal_year") == briefing.fiscal_year)
    cells = {
        (row["branch_code"], row["kpi_id"]): row
        for row in year_rows.filter(pl.col("ranked_count") == BRANCH_COUNT).to_dicts()
    }
    body = []
    for code in briefing.catalogue.branch_codes:
        columns = []
        for kpi in kpis:
            row = cells[code, kpi.kpi_id]
            rank = Text(f"{row['rank']}位", f"{row['rank']}")(lang)
            third = "top" if row["rank"] <= 15 else "bottom" if row["rank"] > 32 else ""
            css = f"num {third}" if kpi.direction.sign else "num"
            content = Html("{} <small>{}</small>").format(format_number(row["value"], kpi.decimals), rank)
            columns.append(cell(content, css=css.strip(), label=kpi.short_name(lang)))
        body.append([f"{code} {briefing.catalogue.branches[code].name(lang)}", *columns])
    headings = [Text("支部", "Branch")(lang), *(f"{kpi.short_name(lang)}（{kpi.unit_word(lang)}）" for kpi in kpis)]
    title = Text("支部と指標の一覧", "Branches and KPIs")(lang)
    note = Text(
        "47支部すべての値がある指標だけを載せています。太字は上位15位、下線は下位15位です（方向のない指標を除く）。",
        "Only KPIs with values for all 47 branches. Bold: best 15; underlined: last 15 (not for KPIs without a direction).",
    )(lang)
    return Html('<section>{}<p class="note">{}</p>{}</section>').format(
        heading(2, title, anchor="matrix"), note, table(title, headings, body, css="matrix")
    )


def show_kpi_overview(briefing: Briefing, kpi: Kpi) -> Html:
    """One KPI over all branches: tile map and ranking."""
    lang = briefing.lang
    rows = briefing.comparison.filter(
        (pl.col("fiscal_year") == briefing.fiscal_year)
        & (pl.col("kpi_id") == kpi.kpi_id)
        & (pl.col("ranked_count") == BRANCH_COUNT)
    )
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
    name = sentences.national_name(first["national_kind"], kpi, lang)
    map_word, rank_word = Text("地図", "Map")(lang), Text("順位", "Ranking")(lang)
    details = values_details(
        rows, kpi, lang, name=f"kenpo_FY{briefing.fiscal_year}_{kpi.kpi_id}.csv", caption=kpi.name(lang)
    )
    return Html('<section class="theme">{}<p>{}: {}</p><div class="figures">{}{}</div></section>').format(
        heading(2, kpi.name(lang), anchor=f"kpi-{kpi.kpi_id}"),
        name,
        national,
        figure(tiles, caption=map_word, sentence=sentence),
        figure(Markup(ranking), caption=rank_word, sentence="", details=details),
    )
