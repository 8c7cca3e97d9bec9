"""All branches of one year by name with the interval of each, best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from kenpo_lib.catalogue import Branch, Direction, Kpi
from kenpo_lib.charts import shape
from kenpo_lib.charts.layers import (
    TONES,
    compose,
    draw_nation,
    draw_no_data,
    draw_words,
    find_own,
    format_value,
    inline,
    known_rows,
    list_flags,
    name_branch,
    strip_ends,
    value_axis,
)
from kenpo_lib.charts.shape import is_number
from kenpo_lib.charts.theme import (
    GRID,
    INK,
    MUTED,
    SMALL_TEXT_SIZE,
    STRONG,
    TEXT_SIZE,
)
from kenpo_lib.language import Lang, Text

WIDTH = 440
ROW = 20
TOP, BOTTOM = 44, 46
_SHRUNK_SHIFT = 6  # below the value: the two often lie at one place

_INTERVAL = Text("実績と95%区間", "value and 95% interval")
_SHRUNK = Text("全国値へ引き寄せた値", "shrunken value")
_NO_INTERVAL = Text("線のない支部は件数が未公表", "no line: counts unpublished")


def draw_caterpillar(
    values: pl.DataFrame,
    kpi: Kpi,
    *,
    lang: Lang | str,
    branches: Mapping[str, Branch] | None = None,
    branch_code: str | None = None,
) -> alt.LayerChart:
    """Draw the values of one year with their 95 % intervals, best first (largest first where neither way is better).

    Args:
        values: Rows of the comparison of one KPI, definition and year; uses ``value``, ``lower_95``, ``upper_95``,
            ``shrunk_value``, the national figure and the branches' names.
        kpi: The entry of the catalogue.
        lang: Language of words.
        branches: The branch master, for names in English.
        branch_code: The branch that is strong, if any.

    Returns:
        A chart 440 px wide with a row of 20 px for every branch that has a value. A value without published counts has neither
        interval nor shrunken value (a small hollow triangle below the value).
    """
    own = find_own(values, branch_code, branches=branches)
    rising = 1 if kpi.direction is Direction.LOWER else -1
    rows = sorted(known_rows(values), key=lambda row: (rising * row["value"], row["branch_code"]))
    if not rows:
        return draw_no_data(width=WIDTH, height=100, lang=lang)
    nation = next((flag for flag in list_flags(rows, None, kpi, branches=branches, lang=lang)), None)
    lines = [
        {
            **{name: row[name] for name in ("value", "lower_95", "upper_95", "shrunk_value")},
            "y": ROW * (place + 0.5),
            "name": name_branch(row, branches=branches, lang=lang),
            "text": format_value(row["value"], kpi, lang=lang, with_unit=False),
            "tone": "strong" if own and row["branch_code"] == own["branch_code"] else "others",
        }
        for place, row in enumerate(rows)
    ]
    seen = [line[name] for line in lines for name in ("value", "lower_95", "upper_95", "shrunk_value")]
    start, end = strip_ends([*filter(is_number, seen), *([nation.value] if nation else [])], kpi)
    left = min(16 + max(shape.text_width(line["name"], TEXT_SIZE) for line in lines), 0.35 * WIDTH)
    right = min(12 + max(shape.text_width(line["text"], TEXT_SIZE) for line in lines), 0.35 * WIDTH)
    width, height = round(WIDTH - left - right), ROW * len(lines)

    axis = value_axis(start, end, kpi, lang, orient="top", domain=False)
    x = alt.X("x:Q", scale=alt.Scale(domain=[start, end], nice=False, zero=False), axis=axis)
    y = alt.Y("y:Q", scale=None, axis=None)
    layers = [
        inline([{"y": line["y"]} for line in lines]).mark_rule(color=GRID, x=0, x2=width).encode(y=y),
        *draw_nation(nation, x, start=start, end=end, width=width, height=height, label_y=-28),
        *_draw_intervals(lines, x, y),
        *_draw_values(lines, x, y),
        *_draw_shrunken(lines, x, y),
        *_draw_texts(lines, y, width=width, right=right),
        *_draw_key(lines, lang=lang, left=left, y=height + 20),
    ]
    frame = {"left": left, "right": right, "top": TOP, "bottom": BOTTOM}
    return compose(layers, width=WIDTH, height=height + TOP + BOTTOM, **frame)


def _draw_intervals(lines: Sequence[Mapping[str, Any]], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    layers = []
    for tone, colour in (("others", MUTED), ("strong", STRONG)):
        spans = [
            {"x": line["lower_95"], "x2": line["upper_95"], "y": line["y"]}
            for line in lines
            if line["tone"] == tone and is_number(line["lower_95"]) and is_number(line["upper_95"])
        ]
        if spans:
            layers.append(inline(spans).mark_rule(color=colour, strokeWidth=2).encode(x=x, x2=alt.X2("x2:Q"), y=y))
    return layers


def _draw_values(lines: Sequence[Mapping[str, Any]], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    layers = []
    for tone in ("others", "strong"):
        colour, size = TONES[tone]
        points = [{"x": line["value"], "y": line["y"]} for line in lines if line["tone"] == tone]
        if points:
            mark = inline(points).mark_point(shape="circle", filled=True, color=colour, size=0.7 * size, opacity=1)
            layers.append(mark.encode(x=x, y=y))
    return layers


def _draw_shrunken(lines: Sequence[Mapping[str, Any]], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    points = [
        {"x": line["shrunk_value"], "y": line["y"] + _SHRUNK_SHIFT}
        for line in lines
        if is_number(line["lower_95"]) and is_number(line["shrunk_value"])
    ]
    if not points:
        return []
    style = {"shape": "triangle-up", "filled": False, "size": 18, "strokeWidth": 1, "opacity": 1}
    return [inline(points).mark_point(color=INK, **style).encode(x=x, y=y)]


def _draw_texts(lines: Sequence[Mapping[str, Any]], y: alt.Y, *, width: float, right: float) -> list[alt.Chart]:
    layers: list[alt.Chart] = []
    for tone, look in (("others", {}), ("strong", {"fontWeight": "bold", "color": STRONG})):
        chosen = [{key: line[key] for key in ("y", "name", "text")} for line in lines if line["tone"] == tone]
        if chosen:
            style = {"align": "right", "baseline": "middle"}
            base = inline(chosen)
            layers += [
                base.mark_text(x=-8, **style, **look).encode(y=y, text=alt.Text("name:N")),
                base.mark_text(x=width + right - 3, **style, **look).encode(y=y, text=alt.Text("text:N")),
            ]
    return layers


def _draw_key(lines: Sequence[Mapping[str, Any]], *, lang: Lang | str, left: float, y: float) -> list[alt.Chart]:
    """What the marks mean, and why a branch may have no interval."""
    at = 4 - left
    style = {"fontSize": SMALL_TEXT_SIZE, "color": MUTED}
    layers: list[alt.Chart] = []
    with_interval = sum(is_number(line["lower_95"]) for line in lines)
    if with_interval:
        colour, size = TONES["others"]
        layers += [
            inline([{}])
            .mark_rule(color=MUTED, strokeWidth=2)
            .encode(x=alt.XValue(at), x2=alt.X2Value(at + 22), y=alt.YValue(y - 4)),
            inline([{}])
            .mark_point(shape="circle", filled=True, color=colour, size=0.7 * size, opacity=1)
            .encode(x=alt.XValue(at + 11), y=alt.YValue(y - 4)),
            draw_words(_INTERVAL(lang), x=at + 28, y=y, **style),
        ]
        at += 28 + shape.text_width(_INTERVAL(lang), SMALL_TEXT_SIZE) + 18
    if any(is_number(line["lower_95"]) and is_number(line["shrunk_value"]) for line in lines):
        mark = inline([{}]).mark_point(shape="triangle-up", filled=False, size=18, strokeWidth=1, color=INK, opacity=1)
        layers += [
            mark.encode(x=alt.XValue(at + 4), y=alt.YValue(y - 4)),
            draw_words(_SHRUNK(lang), x=at + 12, y=y, **style),
        ]
    if with_interval < len(lines):
        layers.append(draw_words(_NO_INTERVAL(lang), x=4 - left, y=y + 18, **style))
    return layers
