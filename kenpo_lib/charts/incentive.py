"""The points of one branch in the incentive scheme, indicator by indicator, beside those of an average branch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from kenpo_lib.charts import shape
from kenpo_lib.charts.layers import compose, draw_no_data, draw_words, inline
from kenpo_lib.charts.theme import INK, MUTED, OTHERS, PAPER, SMALL_TEXT_SIZE, STRONG, TEXT_SIZE
from kenpo_lib.language import Lang, Text
from kenpo_lib.normalise import format_number

WIDTH = 560
ROW = 50
TOP, BOTTOM, RIGHT = 30, 8, 96
OWN_BAR, MEAN_BAR = 16, 9
OWN_PLACE, MEAN_PLACE = -8, 11  # of the middles of the bars, from the middle of the row

_LEVEL, _GROWTH = Text("水準の点", "level"), Text("伸びの点", "growth")
_MEAN = Text("平均 {}", "mean {}")
_LEGEND_MEAN = Text("細い棒は支部の単純平均", "thin bars: plain mean of the branches")


def draw_incentive_points(points: pl.DataFrame, *, lang: Lang | str) -> alt.LayerChart:
    """Draw the points of each indicator as two bars: the branch's thick, the mean of the branches thin.

    Args:
        points: One row per indicator of one branch, in reading order; uses ``name`` (in the language), ``level_points``,
            ``growth_points``, ``mean_level_points`` and ``mean_growth_points``.
        lang: Language of words.

    Returns:
        A chart 560 px wide with 50 px for each indicator. In every bar the points for level are filled and those for growth
        are an empty frame; each carries its number where there is room. Negative points lie left of a line at zero. Indicators
        without points are named and left empty.
    """
    rows = points.to_dicts()
    parts = [part for row, data in enumerate(rows) for part in _list_parts(row, data)]
    if not parts:
        return draw_no_data(width=WIDTH, height=100, lang=lang)
    names = [f"{number} {row['name']}" for number, row in enumerate(rows, start=1)]
    left = min(12 + max(shape.text_width(name, TEXT_SIZE) for name in names), 0.4 * WIDTH)
    width, height = round(WIDTH - left - RIGHT), ROW * len(rows)
    start, end = min(0.0, *(part["from"] for part in parts)), max(part["to"] for part in parts)
    x = alt.X("from:Q", scale=alt.Scale(domain=[start, end], nice=False, zero=False), axis=None)
    per_point = width / (end - start)
    labels = [{"text": name, "y": ROW * (row + 0.5) - 4} for row, name in enumerate(names)]
    layers = [
        *_draw_zero(start, x, height=height),
        *_draw_bars(parts, x),
        *_draw_numbers(parts, x, per_point=per_point),
        *_draw_totals(rows, x, lang=lang),
        inline(labels)
        .mark_text(x=-10, align="right", baseline="middle", color=INK, fontSize=TEXT_SIZE)
        .encode(y=alt.Y("y:Q", scale=None, axis=None), text=alt.Text("text:N")),
        *_draw_legend(left=left, lang=lang),
    ]
    frame = {"left": left, "right": RIGHT, "top": TOP, "bottom": BOTTOM}
    return compose(layers, width=WIDTH, height=height + TOP + BOTTOM, **frame)


def _list_parts(row: int, data: dict[str, Any]) -> list[dict[str, Any]]:
    """The pieces of both bars of a row from left to right; negative points, rare as they are, lie left of zero."""
    parts = []
    for prefix, size, place in (("", OWN_BAR, 0.5 * ROW + OWN_PLACE), ("mean_", MEAN_BAR, 0.5 * ROW + MEAN_PLACE)):
        reached = {True: 0.0, False: 0.0}
        for kind in ("level", "growth"):
            points = data[f"{prefix}{kind}_points"]
            if not shape.is_number(points) or abs(points) < 1e-9:  # a component that the indicator does not have
                continue
            begin = reached[points > 0]
            reached[points > 0] = begin + points
            ends = sorted((begin, begin + points))
            y = ROW * row + place
            parts.append(
                {
                    **{"from": ends[0], "to": ends[1], "top": y - size / 2, "bottom": y + size / 2, "y": y},
                    **{"is_own": not prefix, "kind": kind, "points": points},
                }
            )
    return parts


def _draw_zero(start: float, x: alt.X, *, height: float) -> list[alt.Chart]:
    """Where the bars begin, if some points lie left of it."""
    if start == 0:
        return []
    rule = inline([{"from": 0}]).mark_rule(color=MUTED, strokeWidth=1, y=0, y2=height)
    return [rule.encode(x=x)]


def _draw_bars(parts: Sequence[dict[str, Any]], x: alt.X) -> list[alt.Chart]:
    layers = []
    for is_own, colour in ((True, STRONG), (False, OTHERS)):
        for kind, fill in (("level", colour), ("growth", PAPER)):
            chosen = [
                {name: part[name] for name in ("from", "to", "top", "bottom")}
                for part in parts
                if (part["is_own"], part["kind"]) == (is_own, kind)
            ]
            if chosen:
                y = alt.Y("top:Q", scale=None, axis=None)
                layers.append(
                    inline(chosen)
                    .mark_rect(fill=fill, stroke=colour, strokeWidth=1.4)
                    .encode(x=x, x2=alt.X2("to:Q"), y=y, y2=alt.Y2("bottom:Q"))
                )
    return layers


def _draw_numbers(parts: Sequence[dict[str, Any]], x: alt.X, *, per_point: float) -> list[alt.Chart]:
    """The points of the branch's own bars, where they fit into them."""
    layers = []
    for kind, colour in (("level", PAPER), ("growth", INK)):
        chosen = [
            {"from": (part["from"] + part["to"]) / 2, "y": part["y"] + 0.5, "text": format_number(part["points"], 1)}
            for part in parts
            if part["is_own"] and part["kind"] == kind and (part["to"] - part["from"]) * per_point > 34
        ]
        if chosen:
            style = {"align": "center", "baseline": "middle", "fontSize": SMALL_TEXT_SIZE, "color": colour}
            y = alt.Y("y:Q", scale=None, axis=None)
            layers.append(inline(chosen).mark_text(**style).encode(x=x, y=y, text=alt.Text("text:N")))
    return layers


def _draw_totals(rows: Sequence[dict[str, Any]], x: alt.X, *, lang: Lang | str) -> list[alt.Chart]:
    """Each bar's total at its right end, which lies beyond the total where a component is negative."""
    layers = []
    for prefix, place, style in (
        ("", 0.5 * ROW + OWN_PLACE, {"fontWeight": "bold", "color": STRONG, "fontSize": TEXT_SIZE}),
        ("mean_", 0.5 * ROW + MEAN_PLACE, {"color": MUTED, "fontSize": SMALL_TEXT_SIZE}),
    ):
        chosen = []
        for row, data in enumerate(rows):
            pieces = [data[f"{prefix}level_points"], data[f"{prefix}growth_points"]]
            known = [piece for piece in pieces if shape.is_number(piece)]
            if not known:
                continue
            number = format_number(sum(known), 1)
            text = _MEAN(lang).format(number) if prefix else number
            chosen.append({"from": sum(piece for piece in known if piece > 0), "y": ROW * row + place, "text": text})
        if chosen:
            y = alt.Y("y:Q", scale=None, axis=None)
            base = inline(chosen).mark_text(align="left", baseline="middle", dx=6, **style)
            layers.append(base.encode(x=x, y=y, text=alt.Text("text:N")))
    return layers


def _draw_legend(*, left: float, lang: Lang | str) -> list[alt.Chart]:
    layers: list[alt.Chart] = []
    at = 6 - left
    for words, fill in ((_LEVEL(lang), STRONG), (_GROWTH(lang), PAPER)):
        layers += [
            inline([{}]).mark_rect(fill=fill, stroke=STRONG, strokeWidth=1.4, x=at, x2=at + 18, y=-23, y2=-12),
            draw_words(words, x=at + 24, y=-13, color=INK, fontSize=SMALL_TEXT_SIZE),
        ]
        at += 40 + shape.text_width(words, SMALL_TEXT_SIZE)
    layers.append(draw_words(_LEGEND_MEAN(lang), x=at, y=-13, color=MUTED, fontSize=SMALL_TEXT_SIZE))
    return layers
