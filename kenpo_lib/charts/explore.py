"""Charts to play with in JupyterLab: dropdowns, highlight under the pointer, tooltips with the source. Never in reports.

An interactive chart puts its library (about 1 MB) into the notebook; ``use_renderer`` shows it where someone sits in front of
it and falls back to still pictures in a batch. Nothing is fetched from a network either way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.charts.drawing import register_fonts
from kenpo_lib.charts.explore_parts import (
    OF_YEAR,
    PUBLISHED,
    add_places,
    choose_branch,
    choose_kpi,
    choose_year,
    count_years,
    list_breaks,
    list_rows,
    mark_nation,
    point_at_branch,
    tooltip,
)
from kenpo_lib.charts.layers import inline
from kenpo_lib.charts.theme import GRID, MUTED, NATION_COLOUR, OTHERS, STRONG, TARGET_COLOUR
from kenpo_lib.language import Lang, Text

RENDERER_VARIABLE = "KENPO_CHARTS"  # "jupyter" or "svg", for who knows better than the guess below

_CHANGED = Text("定義変更", "new definition")


def use_renderer(*, interactive: bool | None = None) -> str:
    """Choose how Altair shows charts in this process: live in JupyterLab, still elsewhere; never from a network.

    Args:
        interactive: Overrides the guess: live if a Jupyter server started this kernel for a notebook that someone has open.

    Returns:
        ``"jupyter"`` or ``"svg"``.
    """
    register_fonts()
    if interactive is None:
        wish = os.environ.get(RENDERER_VARIABLE, "")
        # The server tells its kernels which notebook they serve; kernels that papermill or nbclient start lack this.
        interactive = wish == "jupyter" or (
            wish != "svg" and "JPY_SESSION_NAME" in os.environ and "ipykernel" in sys.modules
        )
    if interactive:
        # The menu keeps "save as" and loses the entries that would send the data to an editor on the web.
        actions = {"export": True, "source": False, "compiled": False, "editor": False}
        # As SVG, in which text stays sharp and can be found.
        embed_options = {"actions": actions, "renderer": "svg"}
        alt.renderers.enable("jupyter", offline=True, embed_options=embed_options)
        return "jupyter"
    alt.renderers.enable("svg")
    return "svg"


def explore_trend(
    comparison: pl.DataFrame,
    catalogue: Catalogue,
    *,
    lang: Lang | str = Lang.JA,
    kpi_id: str | None = None,
    branch_code: str = "13",
) -> alt.LayerChart:
    """All branches over the years, one KPI at a time; choose KPI and branch, point at any line for its numbers.

    Args:
        comparison: The comparison of all branches.
        catalogue: Names, units and definitions.
        lang: Language of words.
        kpi_id: The KPI shown first; else the first that has values.
        branch_code: The branch shown first.
    """
    rows = list_rows(comparison, catalogue, lang=lang)
    kpi = choose_kpi(rows, catalogue, lang=lang, first=kpi_id)
    branch = choose_branch(catalogue, lang=lang, first=branch_code)
    pointed = point_at_branch()
    x = alt.X("fiscal_year:Q", axis=count_years(lang), scale=alt.Scale(zero=False, padding=16))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False))
    shown = alt.Chart().transform_filter("datum.kpi_id==kpi")
    own = shown.transform_filter("datum.branch_code==branch")
    nation = {"x": x, "y": alt.Y("national:Q")}
    line = ["branch_code:N", "run:N"]
    breaks = inline(list_breaks(rows, catalogue)).transform_filter("datum.kpi_id==kpi")
    layers = [
        breaks.mark_rule(color=MUTED, strokeDash=[2, 3]).encode(x=x),
        breaks.mark_text(text=_CHANGED(lang), y=-4, baseline="bottom", color=MUTED).encode(x=x),
        shown.mark_line(color=OTHERS, strokeWidth=0.9).encode(x=x, y=y, detail=line),
        shown.transform_filter(pointed).mark_line(color=MUTED, strokeWidth=2.6).encode(x=x, y=y, detail=line),
        own.transform_filter(PUBLISHED)
        .mark_line(color=NATION_COLOUR, strokeDash=[4, 3], strokeWidth=1.4)
        .encode(detail="run:N", **nation),
        *mark_nation(own.transform_filter("isValid(datum.national)"), size=60, at=nation),
        own.transform_filter("isValid(datum.target)")
        .mark_tick(orient="horizontal", color=TARGET_COLOUR, size=18, thickness=3, opacity=1)
        .encode(x=x, y=alt.Y("target:Q")),
        own.mark_line(color=STRONG, strokeWidth=2.6).encode(x=x, y=y, detail="run:N"),
        own.mark_point(color=STRONG, size=50, opacity=1).encode(x=x, y=y),
        # All but invisible: something to point at. (``nearest`` would lose the tooltips in Vega-Lite 6.)
        shown.mark_point(size=200, opacity=0.01).encode(x=x, y=y, tooltip=tooltip(lang)).add_params(pointed),
    ]
    return _compose(layers, rows, kpi, branch).properties(width=640, height=360)


def explore_position(
    comparison: pl.DataFrame,
    catalogue: Catalogue,
    *,
    lang: Lang | str = Lang.JA,
    kpi_id: str | None = None,
    branch_code: str = "13",
) -> alt.LayerChart:
    """All branches of one year in order; choose KPI, year and branch, point at any dot for its numbers. Arguments as above."""
    rows = add_places(list_rows(comparison, catalogue, lang=lang), catalogue)
    kpi = choose_kpi(rows, catalogue, lang=lang, first=kpi_id)
    branch = choose_branch(catalogue, lang=lang, first=branch_code)
    year = choose_year(rows, lang=lang)
    pointed = point_at_branch()
    shown = alt.Chart().transform_filter(f"datum.kpi_id==kpi&&{OF_YEAR}")
    x = alt.X("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(orient="top"))
    order = alt.EncodingSortField(field="place", op="min", order="ascending")
    y = alt.Y("branch:N", title=None, sort=order, axis=alt.Axis(grid=True, gridColor=GRID, labelLimit=120))
    colour = (
        alt.when("datum.branch_code==branch")
        .then(alt.value(STRONG))
        .when(pointed)
        .then(alt.value(MUTED))
        .otherwise(alt.value(OTHERS))
    )
    nation = shown.transform_filter("isValid(datum.national)").transform_aggregate(national="max(national)")
    layers = [
        nation.mark_rule(color=NATION_COLOUR, strokeDash=[4, 3], strokeWidth=1.4).encode(x=alt.X("national:Q")),
        shown.mark_point(size=90).encode(x=x, y=y, color=colour, tooltip=tooltip(lang)).add_params(pointed),
        shown.mark_text(align="left", dx=9, fontSize=11, color=MUTED).encode(x=x, y=y, text="value_text:N"),
    ]
    return _compose(layers, rows, kpi, year, branch).properties(width=520, height=alt.Step(16))


def _compose(layers: Sequence[alt.Chart], rows: Sequence[dict[str, Any]], *params: alt.Parameter) -> alt.LayerChart:
    """Layers over the same rows, which the chart carries once: Altair copies data with every step."""
    return alt.layer(*layers, data=alt.InlineData(values=list(rows))).add_params(*params)
