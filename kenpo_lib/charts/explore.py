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

from kenpo_lib.catalogue import Catalogue, Direction, Kpi
from kenpo_lib.charts.drawing import register_fonts
from kenpo_lib.charts.layers import format_value, inline
from kenpo_lib.charts.shape import number_runs
from kenpo_lib.charts.theme import GRID, MUTED, NATION_COLOUR, OTHERS, PAPER, STRONG, TARGET_COLOUR
from kenpo_lib.charts.trend_marks import name_year
from kenpo_lib.language import Lang, Text

RENDERER_VARIABLE = "KENPO_CHARTS"  # "jupyter" or "svg", for who knows better than the guess below
LATEST = 0

_KPI, _BRANCH, _YEAR = Text("指標: ", "KPI: "), Text("支部: ", "Branch: "), Text("年度: ", "Year: ")
_LATEST = Text("最新", "latest")
_CHANGED = Text("定義変更", "new definition")
_TOOLTIP = {
    "branch": Text("支部", "Branch"),
    "year": Text("年度", "Year"),
    "value_text": Text("値", "Value"),
    "national_text": Text("全国", "Nation"),
    "prior_text": Text("前年度", "Year before"),
    "target_text": Text("目標", "Target"),
    "rank_text": Text("順位", "Rank"),
    "definition_text": Text("定義", "Definition"),
    "source": Text("出典", "Source"),
}


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
        alt.renderers.enable("jupyter", offline=True, embed_options={"actions": actions})
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
    rows = _list_rows(comparison, catalogue, lang=lang)
    kpi = _choose_kpi(rows, catalogue, lang=lang, first=kpi_id)
    branch = _choose_branch(catalogue, lang=lang, first=branch_code)
    pointed = _point_at_branch()
    years = "datum.value<2019?'H'+(datum.value-1988):datum.value==2019?'R元':'R'+(datum.value-2018)"
    axis = alt.Axis(title=None, tickMinStep=1, labelExpr=years if lang == Lang.JA else "'FY'+datum.value")
    x = alt.X("fiscal_year:Q", axis=axis, scale=alt.Scale(zero=False, padding=16))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False))
    shown = alt.Chart().transform_filter("datum.kpi_id==kpi")
    own = shown.transform_filter("datum.branch_code==branch")
    nation = {"x": x, "y": alt.Y("national:Q")}
    line = ["branch_code:N", "run:N"]
    breaks = inline(_list_breaks(rows, catalogue)).transform_filter("datum.kpi_id==kpi")
    diamond = {"shape": "diamond", "size": 60, "opacity": 1}
    layers = [
        breaks.mark_rule(color=MUTED, strokeDash=[2, 3]).encode(x=x),
        breaks.mark_text(text=_CHANGED(lang), y=-4, baseline="bottom", color=MUTED).encode(x=x),
        shown.mark_line(color=OTHERS, strokeWidth=0.9).encode(x=x, y=y, detail=line),
        shown.transform_filter(pointed).mark_line(color=MUTED, strokeWidth=2.6).encode(x=x, y=y, detail=line),
        own.transform_filter("datum.national_published")
        .mark_line(color=NATION_COLOUR, strokeDash=[4, 3], strokeWidth=1.4)
        .encode(detail="run:N", **nation),
        own.transform_filter("datum.national_published").mark_point(color=NATION_COLOUR, **diamond).encode(**nation),
        own.transform_filter("isValid(datum.national)&&!datum.national_published")
        .mark_point(filled=False, fill=PAPER, stroke=NATION_COLOUR, **diamond)
        .encode(**nation),
        own.transform_filter("isValid(datum.target)")
        .mark_tick(orient="horizontal", color=TARGET_COLOUR, size=18, thickness=3, opacity=1)
        .encode(x=x, y=alt.Y("target:Q")),
        own.mark_line(color=STRONG, strokeWidth=2.6).encode(x=x, y=y, detail="run:N"),
        own.mark_point(color=STRONG, size=50, opacity=1).encode(x=x, y=y),
        # All but invisible: something to point at. (``nearest`` would lose the tooltips in Vega-Lite 6.)
        shown.mark_point(size=200, opacity=0.01).encode(x=x, y=y, tooltip=_tooltip(lang)).add_params(pointed),
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
    rows = _add_places(_list_rows(comparison, catalogue, lang=lang), catalogue)
    kpi = _choose_kpi(rows, catalogue, lang=lang, first=kpi_id)
    branch = _choose_branch(catalogue, lang=lang, first=branch_code)
    years = sorted({row["fiscal_year"] for row in rows}, reverse=True)
    names = [_LATEST(lang), *(name_year(value, lang=lang) for value in years)]
    year = alt.param(
        name="year",
        value=LATEST,
        bind=alt.binding_select(options=[LATEST, *years], labels=names, name=_YEAR(lang)),
    )
    pointed = _point_at_branch()
    shown = alt.Chart().transform_filter(f"datum.kpi_id==kpi&&(year=={LATEST}?datum.is_latest:datum.fiscal_year==year)")
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
        shown.mark_point(size=90).encode(x=x, y=y, color=colour, tooltip=_tooltip(lang)).add_params(pointed),
        shown.mark_text(align="left", dx=9, fontSize=11, color=MUTED).encode(x=x, y=y, text="value_text:N"),
    ]
    return _compose(layers, rows, kpi, year, branch).properties(width=520, height=alt.Step(16))


# --- rows -------------------------------------------------------------------------------------------------------------


def _list_rows(comparison: pl.DataFrame, catalogue: Catalogue, *, lang: Lang | str) -> list[dict[str, Any]]:
    """What the charts need of each value, texts made ready; a chart carries its data, so nothing else."""
    known = comparison.filter(
        pl.col("value").is_not_null()
        & pl.col("kpi_id").is_in(list(catalogue.kpis))
        & pl.col("branch_code").is_in(list(catalogue.branch_codes))
    ).sort("kpi_id", "branch_code", "definition", "fiscal_year")
    source = known.to_dicts()
    runs = number_runs([((row["kpi_id"], row["branch_code"], row["definition"]), row["fiscal_year"]) for row in source])
    return [_shape_row(row, run, catalogue, lang=lang) for row, run in zip(source, runs, strict=True)]


def _shape_row(row: dict[str, Any], run: int, catalogue: Catalogue, *, lang: Lang | str) -> dict[str, Any]:
    kpi: Kpi = catalogue.kpis[row["kpi_id"]]
    national = None if kpi.unit.is_total else row["national"]
    definition = kpi.definitions.get(row["definition"])

    def text(value: float | None) -> str:
        return "–" if value is None else format_value(value, kpi, lang=lang)

    return {
        "kpi_id": row["kpi_id"],
        "branch_code": row["branch_code"],
        "definition": row["definition"],
        "fiscal_year": row["fiscal_year"],
        "run": run,
        "value": row["value"],
        "national": national,
        "national_published": national is not None and row["national_kind"] == "published",
        "target": row["target_threshold"],
        "branch": catalogue.branches[row["branch_code"]].name(lang),
        "year": name_year(row["fiscal_year"], lang=lang),
        "value_text": text(row["value"]),
        "national_text": text(national),
        "prior_text": text(row["prior_value"]),
        "target_text": text(row["target_threshold"]),
        "rank_text": f"{row['rank']} / {row['ranked_count']}" if row["rank"] and kpi.direction.sign else "–",
        "definition_text": definition.text(lang) if definition and len(kpi.definitions) > 1 else "–",
        "source": f"{row['source_id']} {row['locator'] or ''}".strip(),
    }


def _order(kpi: Kpi, definition: str) -> int:
    known = kpi.definitions.get(definition)
    return (known.first_year or 0) if known else 0


def _list_breaks(rows: Sequence[dict[str, Any]], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Half a year before the first value of each definition that followed another one."""
    firsts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["kpi_id"], row["definition"])
        firsts[key] = min(firsts.get(key, row["fiscal_year"]), row["fiscal_year"])
    return [
        {"kpi_id": kpi_id, "fiscal_year": first - 0.5}
        for (kpi_id, definition), first in sorted(firsts.items())
        if any(
            other == kpi_id and _order(catalogue.kpis[kpi_id], before) < _order(catalogue.kpis[kpi_id], definition)
            for other, before in firsts
        )
    ]


def _add_places(rows: Sequence[dict[str, Any]], catalogue: Catalogue) -> list[dict[str, Any]]:
    """One definition per KPI and year (the later one), each value's place in the order, and whether the year is the latest."""
    groups: dict[tuple[str, int], dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        groups.setdefault((row["kpi_id"], row["fiscal_year"]), {}).setdefault(row["definition"], []).append(row)
    latest: dict[str, int] = {}
    for kpi_id, year in groups:
        latest[kpi_id] = max(latest.get(kpi_id, year), year)
    result = []
    for (kpi_id, year), definitions in groups.items():
        kpi = catalogue.kpis[kpi_id]
        rising = 1 if kpi.direction is Direction.LOWER else -1
        chosen = definitions[max(definitions, key=lambda name: (_order(kpi, name), name))]
        ordered = sorted(chosen, key=lambda row: (rising * row["value"], row["branch_code"]))
        result += [
            {**row, "place": place, "is_latest": year == latest[kpi_id]} for place, row in enumerate(ordered, start=1)
        ]
    return result


def _compose(layers: Sequence[alt.Chart], rows: Sequence[dict[str, Any]], *params: alt.Parameter) -> alt.LayerChart:
    """Layers over the same rows, which the chart carries once: Altair copies data with every step."""
    return alt.layer(*layers, data=alt.InlineData(values=list(rows))).add_params(*params)


# --- controls ---------------------------------------------------------------------------------------------------------


def _choose_kpi(
    rows: Sequence[dict[str, Any]], catalogue: Catalogue, *, lang: Lang | str, first: str | None
) -> alt.Parameter:
    present = {row["kpi_id"] for row in rows}
    ids = [kpi_id for kpi_id in catalogue.kpis if kpi_id in present] or [""]
    names = [
        f"{catalogue.kpis[kpi_id].name(lang)} ({catalogue.kpis[kpi_id].unit_word(lang).strip()})" if kpi_id else ""
        for kpi_id in ids
    ]
    return alt.param(
        name="kpi",
        value=first if first in ids else ids[0],
        bind=alt.binding_select(options=ids, labels=names, name=_KPI(lang)),
    )


def _choose_branch(catalogue: Catalogue, *, lang: Lang | str, first: str) -> alt.Parameter:
    codes = list(catalogue.branch_codes)
    names = [catalogue.branches[code].name(lang) for code in codes]
    return alt.param(
        name="branch", value=first, bind=alt.binding_select(options=codes, labels=names, name=_BRANCH(lang))
    )


def _point_at_branch() -> alt.Parameter:
    return alt.selection_point(
        name="pointed", on="pointerover", clear="pointerout", fields=["branch_code"], empty=False
    )


def _tooltip(lang: Lang | str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{field}:N", title=title(lang)) for field, title in _TOOLTIP.items()]
