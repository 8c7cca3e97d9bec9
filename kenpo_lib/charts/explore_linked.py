"""Drag over the branches in one chart and see them in the others: two KPIs against each other, the years, the ranks in all KPIs.

All by parameters of Vega-Lite: a brush (an interval of two KPIs), a pin (one branch, by click or dropdown) and the pointer. A
branch in the brush is large and filled where others are small and hollow, and a pinned one has its name beside it: nothing
hangs on colour.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.charts.explore_parts import (
    OF_YEAR,
    PUBLISHED,
    add_places,
    choose_kpi,
    choose_year,
    count_years,
    list_breaks,
    list_rows,
    mark_nation,
    point_at_branch,
    tooltip,
)
from kenpo_lib.charts.layers import inline, nation_word
from kenpo_lib.charts.theme import BLOCK, GRID, INK, MUTED, NATION_COLOUR, OTHERS, PAPER, STRONG
from kenpo_lib.language import Lang, Text

ENOUGH = 10  # branches with a value in one year; a KPI of fewer has no spread to drag over

_ACROSS, _UP = Text("横の指標: ", "KPI across: "), Text("縦の指標: ", "KPI up: ")
_PIN, _NO_PIN = Text("留める支部: ", "Pinned: "), Text("なし", "none")
_HINT = Text("図をドラッグして支部を選ぶ", "Drag over the chart to select branches")
_COUNT = Text(
    "'選択 '+datum.picked+' / '+datum.known+' 支部'", "'Selected '+datum.picked+' of '+datum.known+' branches'"
)
_COLUMNS = {
    "picked_text": Text("選択の中央値", "Median, selected"),
    "all_text": Text("全支部の中央値", "Median, all"),
    "national_text": Text("全国（◆）", "Nation (◆)"),
}
_RANKS = Text("順位（左ほど良い）", "Ranks (better to the left)")
_ENDS = Text(
    "datum.value==0?'最上位':datum.value==1?'最下位':'中央'", "datum.value==0?'first':datum.value==1?'last':'middle'"
)
_UP_TOOLTIP = {"up_text": Text("値（縦）", "Value, up"), "up_source": Text("出典（縦）", "Source, up")}

# Every row knows the place of its branch in the chart of two KPIs, by which the brush finds it in the other charts.
_SHOWN = f"datum.is_placed&&{OF_YEAR}"
_IN_BRUSH = "isDefined(brush.across)&&inrange(datum.across,brush.across)&&inrange(datum.up,brush.up)"
_ON_BRANCH = "event.item&&event.item.datum&&event.item.datum.branch_code"
_DIAMOND = 50
_WIDTH, _HEIGHT = 350, 300
_GAP = 60
_WHOLE = 2 * _WIDTH + _GAP
_STEP = 24
_LINE = 20
_MEMBERS, _FIRST_COLUMN, _COLUMN = 200, 330, 150  # where the readout has its columns
_UNIT, _COMMA = Text("（{}）", " ({})"), Text("、", ", ")


def explore_linked(
    comparison: pl.DataFrame,
    catalogue: Catalogue,
    *,
    lang: Lang | str = Lang.JA,
    kpi_id: str | None = None,
    other_kpi_id: str | None = None,
    branch_code: str | None = "13",
) -> alt.VConcatChart:
    """Branches by two KPIs; those dragged over are summed up above, and strong in the years and ranks beside and below.

    Args:
        comparison: The comparison of all branches.
        catalogue: Names, units and definitions.
        lang: Language of words.
        kpi_id: The KPI across, whose years are shown; else the first with enough branches.
        other_kpi_id: The KPI up; else the next.
        branch_code: The branch that is pinned at first; None for none.
    """
    rows = _choose_rows(list_rows(comparison, catalogue, lang=lang), catalogue)
    kpi = choose_kpi(rows, catalogue, lang=lang, first=kpi_id, title=_ACROSS)
    second = other_kpi_id or next((known for known in kpi.param.bind.options if known != kpi.param.value), None)
    other = choose_kpi(rows, catalogue, lang=lang, first=second, title=_UP, name="other")
    links = _Links(_drag_over_branches(), _pin_branch(rows, lang=lang, first=branch_code), point_at_branch())
    names = _list_names(rows, catalogue, lang=lang)
    readout, ranks = _draw_readout(links, names, lang=lang), _draw_ranks(links, names, lang=lang)
    middle = [_draw_pair(links, names, lang=lang), _draw_years(links, names, list_breaks(rows, catalogue), lang=lang)]
    with warnings.catch_warnings():
        # That charts share a parameter is what is wanted.
        warnings.filterwarnings("ignore", "Automatically deduplicated")
        data = alt.InlineData(values=rows)
        whole = alt.vconcat(readout, alt.hconcat(*middle, spacing=_GAP), ranks, data=data, spacing=30)
    return whole.add_params(kpi, other, choose_year(rows, lang=lang))


@dataclass(frozen=True, slots=True)
class _Links:
    """What connects the charts."""

    brush: alt.Parameter
    pinned: alt.Parameter
    pointed: alt.Parameter


# --- rows and parameters ----------------------------------------------------------------------------------------------


def _choose_rows(rows: Sequence[dict[str, Any]], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Rows of KPIs with enough branches (or all, where none has), with places in the order of each KPI and year."""
    known = Counter((row["kpi_id"], row["definition"], row["fiscal_year"]) for row in rows)
    enough = {kpi_id for (kpi_id, _, _), count in known.items() if count >= ENOUGH}
    chosen = [row for row in rows if row["kpi_id"] in enough] if enough else list(rows)
    placed = {(row["run"], row["fiscal_year"]): row for row in add_places(chosen, catalogue)}
    counts = Counter((row["kpi_id"], row["fiscal_year"]) for row in placed.values())
    return [_place_row(row, placed.get((row["run"], row["fiscal_year"])), catalogue, counts=counts) for row in chosen]


def _place_row(
    row: dict[str, Any],
    placed: dict[str, Any] | None,
    catalogue: Catalogue,
    *,
    counts: Mapping[tuple[str, int], int],
) -> dict[str, Any]:
    """``share``: 0 for the best of its KPI and year, 1 for the worst; none where there is no better, or another definition counts."""
    if placed is None:
        return {**row, "is_placed": False, "is_latest": False, "share": None}
    others = counts[row["kpi_id"], row["fiscal_year"]] - 1
    share = (placed["place"] - 1) / max(1, others) if catalogue.kpis[row["kpi_id"]].direction.sign else None
    return {**row, "is_placed": True, "is_latest": placed["is_latest"], "share": share}


def _pin_branch(rows: Sequence[dict[str, Any]], *, lang: Lang | str, first: str | None) -> alt.Parameter:
    names = {row["branch_code"]: row["branch"] for row in sorted(rows, key=lambda row: row["branch_code"])}
    options = alt.binding_select(options=[None, *names], labels=[_NO_PIN(lang), *names.values()], name=_PIN(lang))
    return alt.selection_point(
        name="pinned",
        fields=["branch_code"],
        # Only on a branch: the end of a drag is a click too, and would take the pin away.
        on=f"click[{_ON_BRANCH}]",
        clear=False,
        empty=False,
        bind=options,
        value=[{"branch_code": first}] if first in names else None,
    )


def _drag_over_branches() -> alt.Parameter:
    frame = alt.BrushConfig(fill=BLOCK, fillOpacity=0.08, stroke=MUTED, strokeDash=[3, 2])
    # Not from a branch: a click that pins it would clear the brush.
    drag = f"[pointerdown[!({_ON_BRANCH})], window:pointerup] > window:pointermove!"
    return alt.selection_interval(name="brush", on=drag, encodings=["x", "y"], empty=False, mark=frame)


def _list_names(rows: Sequence[dict[str, Any]], catalogue: Catalogue, *, lang: Lang | str) -> alt.InlineData:
    """What each KPI is called and how its values are written."""
    present = {row["kpi_id"] for row in rows}
    kpis = [kpi for kpi in catalogue.kpis.values() if kpi.kpi_id in present]
    return alt.InlineData(
        values=[
            {
                "kpi_id": kpi.kpi_id,
                "name": kpi.short_name(lang),
                "label": f"{kpi.short_name(lang)}{_UNIT(lang).format(kpi.unit_word(lang).strip())}",
                "format": f",.{kpi.decimals}f",
                "unit": kpi.unit_word(lang),
            }
            for kpi in kpis
        ]
    )


def _locate(chart: alt.Chart) -> alt.Chart:
    """Rows that know where their branch is in the chart of two KPIs, and what it has as the KPI up."""
    of_branch = [
        alt.JoinAggregateFieldDef(op="max", field="as_across", **{"as": "across"}),
        alt.JoinAggregateFieldDef(op="max", field="as_up", **{"as": "up"}),
        alt.JoinAggregateFieldDef(op="argmax", field="as_up", **{"as": "up_row"}),
    ]
    return chart.transform_calculate(
        as_across=f"datum.kpi_id==kpi&&{_SHOWN}?datum.value:null",
        as_up=f"datum.kpi_id==other&&{_SHOWN}?datum.value:null",
    ).transform_joinaggregate(of_branch, groupby=["branch_code"])


def _name_rows(chart: alt.Chart, names: alt.InlineData) -> alt.Chart:
    found = alt.LookupData(data=names, key="kpi_id", fields=["name", "label", "format", "unit"])
    return chart.transform_lookup(lookup="kpi_id", from_=found)


def _name_kpi(which: str, names: alt.InlineData, *, with_year: bool = True, **style: Any) -> alt.Chart:
    """The KPI chosen across or up, and the year that its values are of."""
    shown = (
        alt.Chart()
        .transform_filter(f"datum.kpi_id=={which}&&{_SHOWN}")
        .transform_aggregate(year="min(year)", groupby=["kpi_id"])
    )
    words = _name_rows(shown, names).transform_calculate(words="datum.label" + ("+' '+datum.year" if with_year else ""))
    return words.mark_text(baseline="alphabetic", color=INK, **style).encode(text="words:N")


# --- charts -----------------------------------------------------------------------------------------------------------


def _draw_pair(links: _Links, names: alt.InlineData, *, lang: Lang | str) -> alt.LayerChart:
    """Where one drags: a dot per branch, the KPI across by the KPI up, and the nation."""
    shown = _locate(alt.Chart()).transform_filter(
        f"datum.kpi_id==kpi&&{_SHOWN}&&isValid(datum.across)&&isValid(datum.up)"
    )
    shown = shown.transform_calculate(up_text="datum.up_row.value_text", up_source="datum.up_row.source")
    scale = alt.Scale(zero=False, padding=14)
    x = alt.X("across:Q", title=None, scale=scale, axis=alt.Axis(grid=True, tickCount=5))
    y = alt.Y("up:Q", title=None, scale=scale, axis=alt.Axis(tickCount=5))
    up = [alt.Tooltip(f"{field}:N", title=title(lang)) for field, title in _UP_TOOLTIP.items()]
    dots = shown.mark_point().encode(x=x, y=y, tooltip=tooltip(lang) + up, **_style_dots(links, small=34, large=90))
    # The brush lies above all of its layer. In one of its own it is below the dots, so that those in it can be pointed at.
    ground = alt.layer(shown.mark_point(opacity=0, aria=False).encode(x=x, y=y))
    pinned = shown.transform_filter(links.pinned)
    return alt.layer(
        *_draw_nation("kpi", "x", y=_HEIGHT),
        *_draw_nation("other", "y", x=0),
        ground.add_params(links.brush, links.pinned, links.pointed),
        dots,
        pinned.mark_point(size=170, filled=False, stroke=STRONG, strokeWidth=2).encode(x=x, y=y),
        *_name_pinned(pinned, dx=8, dy=-12, x=x, y=y),
        _name_kpi("other", names, x=0, y=-8, align="left"),
        _name_kpi("kpi", names, x=_WIDTH, y=_HEIGHT + 34, align="right"),
    ).properties(width=_WIDTH, height=_HEIGHT)


def _draw_nation(which: str, channel: str, **edge: float) -> list[alt.Chart]:
    """The nation as a diamond at an edge, with a line across if it is published; an estimate is hollow and has none."""
    nation = (
        alt.Chart()
        .transform_filter(f"datum.kpi_id=={which}&&{_SHOWN}&&isValid(datum.national)")
        .transform_aggregate(national="max(national)", groupby=["national_published"])
    )
    at = {channel: "national:Q"}
    rule = nation.transform_filter(PUBLISHED).mark_rule(color=NATION_COLOUR, strokeDash=[4, 3], strokeWidth=1)
    return [rule.encode(**at), *mark_nation(nation, size=_DIAMOND, at=at, **edge)]


def _style_dots(links: _Links, *, small: int, large: int) -> dict[str, Any]:
    strong = alt.when(links.pinned).then(alt.value(STRONG)).when(links.brush).then(alt.value(BLOCK))
    return {
        "fill": strong.when(links.pointed).then(alt.value(MUTED)).otherwise(alt.value(PAPER)),
        "stroke": strong.otherwise(alt.value(MUTED)),
        "size": alt.when(links.brush).then(alt.value(large)).otherwise(alt.value(small)),
        "strokeWidth": alt.value(1),
    }


def _name_pinned(pinned: alt.Chart, *, dx: float, dy: float = 0, **place: Any) -> list[alt.Chart]:
    """The name beside a mark, readable also over others."""
    style = {"align": "left", "dx": dx, "dy": dy, "fontWeight": "bold"}
    halo = pinned.mark_text(stroke=PAPER, strokeWidth=4, **style)
    return [layer.encode(text="branch:N", **place) for layer in (halo, pinned.mark_text(color=STRONG, **style))]


def _draw_years(
    links: _Links, names: alt.InlineData, breaks: Sequence[dict[str, Any]], *, lang: Lang | str
) -> alt.LayerChart:
    """The years of the KPI across: a line for each branch and definition."""
    shown = _locate(alt.Chart()).transform_filter("datum.kpi_id==kpi")
    x = alt.X("fiscal_year:Q", axis=count_years(lang), scale=alt.Scale(zero=False, padding=14))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
    line = {"x": x, "y": y, "detail": ["branch_code:N", "run:N"]}
    changed = inline(breaks).transform_filter("datum.kpi_id==kpi")
    nation = shown.transform_filter("isValid(datum.national)").transform_aggregate(
        national="max(national)", groupby=["fiscal_year", "definition", "national_published"]
    )
    pinned = shown.transform_filter(links.pinned)
    last = pinned.transform_joinaggregate(last="max(fiscal_year)", groupby=["branch_code"])
    at_nation = {"x": x, "y": alt.Y("national:Q"), "detail": "definition:N"}
    dashed = {"color": NATION_COLOUR, "strokeDash": [4, 3], "strokeWidth": 1.4}
    return alt.layer(
        changed.mark_rule(color=MUTED, strokeDash=[2, 3]).encode(x=x),
        shown.mark_line(color=OTHERS, strokeWidth=0.7).encode(**line),
        shown.transform_filter(links.brush).mark_line(color=BLOCK, strokeWidth=2).encode(**line),
        shown.transform_filter(links.pointed).mark_line(color=MUTED, strokeWidth=2).encode(**line),
        nation.transform_filter(PUBLISHED).mark_line(**dashed).encode(**at_nation),
        *mark_nation(nation, size=_DIAMOND, at=at_nation),
        pinned.mark_line(color=STRONG, strokeWidth=3).encode(**line),
        *_name_pinned(last.transform_filter("datum.fiscal_year==datum.last"), dx=6, x=x, y=y),
        # Invisible: something to point at.
        shown.mark_point(size=120, color="transparent")
        .encode(x=x, y=y, tooltip=tooltip(lang))
        .add_params(links.pinned, links.pointed),
        _name_kpi("kpi", names, with_year=False, x=0, y=-8, align="left"),
    ).properties(width=_WIDTH, height=_HEIGHT)


def _draw_ranks(links: _Links, names: alt.InlineData, *, lang: Lang | str) -> alt.LayerChart:
    """A row per KPI that has better and worse, its branches from the best to the worst."""
    shown = _name_rows(_locate(alt.Chart()).transform_filter(f"{_SHOWN}&&datum.share!=null"), names)
    axis = alt.Axis(title=None, values=[0, 0.5, 1], labelExpr=_ENDS(lang), domain=False, grid=False)
    x = alt.X("share:Q", axis=axis, scale=alt.Scale(domain=[0, 1], padding=8))
    order = [row["name"] for row in names.values]
    y = alt.Y("name:N", title=None, sort=order, axis=alt.Axis(grid=True, gridColor=GRID, labelLimit=180))
    pinned = shown.transform_filter(links.pinned)
    return alt.layer(
        shown.mark_point()
        .encode(x=x, y=y, tooltip=tooltip(lang), **_style_dots(links, small=16, large=64))
        .add_params(links.pinned, links.pointed),
        pinned.mark_point(size=120, filled=False, stroke=STRONG, strokeWidth=2).encode(x=x, y=y),
        inline([{}]).mark_text(text=_RANKS(lang), x=0, y=-8, align="left", baseline="alphabetic", color=INK),
    ).properties(width=_WHOLE, height=alt.Step(_STEP))


def _draw_readout(links: _Links, names: alt.InlineData, *, lang: Lang | str) -> alt.LayerChart:
    """How many branches are in the brush, who they are, and their median beside that of all and the nation."""
    shown = _locate(alt.Chart()).transform_filter(f"{_SHOWN}&&(datum.kpi_id==kpi||datum.kpi_id==other)")
    shown = shown.transform_calculate(picked_value=f"{_IN_BRUSH}?datum.value:null")
    across = shown.transform_filter("datum.kpi_id==kpi").transform_calculate(
        picked_name=f"isValid(datum.picked_value)?'{_COMMA(lang)}'+datum.branch:''"
    )
    all_rows = alt.AggregatedFieldDef(op="values", **{"as": "all"})
    count = across.transform_aggregate([all_rows], picked="valid(picked_value)", known="valid(up)").transform_calculate(
        words=f"datum.picked>0?{_COUNT(lang)}:'{_HINT(lang)}'",
        members=f"slice(join(pluck(datum.all,'picked_name'),''),{len(_COMMA(lang))})",
    )
    numbers = _name_rows(
        shown.transform_aggregate(
            picked="median(picked_value)",
            all="median(value)",
            national="max(national)",
            groupby=["kpi_id", "nation_word"],
        ),
        names,
    ).transform_calculate(
        line="datum.kpi_id==kpi?0:1",
        **{f"{name}_text": _format(name) for name in ("picked", "all")},
        # An estimate says so.
        national_text=f"(datum.nation_word=='{nation_word('published', lang)}'?'':datum.nation_word+' ')+({_format('national')})",
    )
    y = alt.Y("line:O", axis=None, scale=alt.Scale(domain=[0, 1]))
    style = {"baseline": "middle"}
    layers = [
        count.mark_text(x=0, y=-2 * _LINE - 4, fontWeight="bold", fontSize=14, align="left").encode(text="words:N"),
        count.mark_text(x=_MEMBERS, y=-2 * _LINE - 4, align="left", limit=_WHOLE - _MEMBERS, color=MUTED).encode(
            text="members:N"
        ),
        numbers.mark_text(x=0, align="left", **style).encode(y=y, text="label:N"),
    ]
    for place, (field, title) in enumerate(_COLUMNS.items()):
        at = {"x": _FIRST_COLUMN + _COLUMN * place, "align": "right"}
        weight = "bold" if place == 0 else "normal"
        layers += [
            inline([{}]).mark_text(text=title(lang), y=-10, color=MUTED, **at),
            numbers.mark_text(fontWeight=weight, **style, **at).encode(y=y, text=f"{field}:N"),
        ]
    return alt.layer(*layers).properties(width=_WHOLE, height=alt.Step(_LINE))


def _format(field: str) -> str:
    return f"isValid(datum.{field})?format(datum.{field},datum.format)+datum.unit:'–'"
