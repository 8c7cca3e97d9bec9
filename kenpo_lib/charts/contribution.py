"""Which branches moved the national figure since the year before: by their rate (filled bars), by their size (framed bars)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from kenpo_lib.catalogue import Branch, Kpi, Unit
from kenpo_lib.charts import shape
from kenpo_lib.charts.layers import compose, draw_no_data, draw_words, inline, text_axis
from kenpo_lib.charts.theme import GRID, INK, MUTED, PAPER, SMALL_TEXT_SIZE, STRONG, TEXT_SIZE
from kenpo_lib.contribution import OTHERS, pick_movers
from kenpo_lib.language import Lang, Text
from kenpo_lib.normalise import format_number

WIDTH = 480
ROW = 26
RATE_BAR, VOLUME_BAR = 10, 6
TOP, BOTTOM = 62, 12
MORE_DECIMALS = 2  # one branch moves the nation by little

_RATE = Text("率が変わった分", "its rate changed")
_VOLUME = Text("規模が変わった分", "its size changed")
_SUM = Text("計", "sum")
_REST = Text("ほかの{}支部", "{} others")


def draw_contribution(
    contribution: pl.DataFrame, kpi: Kpi, *, lang: Lang | str, branches: Mapping[str, Branch] | None = None
) -> alt.LayerChart:
    """Draw the ten branches that moved the nation most, upwards first, and all others together.

    Args:
        contribution: From ``compute_contribution``.
        kpi: The entry of the catalogue.
        lang: Language of words.
        branches: The branch master, for names in English.

    Returns:
        A chart 480 px wide with a row of 26 px for each; both bars begin at 0, their sum stands at the right. All rows together
        are the national change.
    """
    movers = pick_movers(contribution).to_dicts()
    if not movers:
        return draw_no_data(width=WIDTH, height=100, lang=lang)
    decimals = kpi.decimals + MORE_DECIMALS
    lines = [
        {
            "rate": row["rate_effect"],
            "volume": row["volume_effect"],
            "y": ROW * (place + 0.5) + (8 if row["branch_code"] == OTHERS else 0),
            "name": _name(row, branches=branches, lang=lang),
            "text": format_number(row["total"], decimals, signed=True),
        }
        for place, row in enumerate(movers)
    ]
    ends = [0.0, *(line[effect] for line in lines for effect in ("rate", "volume"))]
    start, end = min(ends), max(ends)
    if start == end:  # nothing moved
        start, end = -(10.0**-decimals), 10.0**-decimals
    left = min(16 + max(shape.text_width(line["name"], TEXT_SIZE) for line in lines), 0.35 * WIDTH)
    right = min(16 + max(shape.text_width(line["text"], TEXT_SIZE) for line in lines), 0.35 * WIDTH)
    width, height = round(WIDTH - left - right), ROW * len(lines) + 8
    x = alt.X("x:Q", scale=alt.Scale(domain=[start, end], nice=False, zero=False), axis=_axis(start, end, kpi, lang))
    y = alt.Y("y:Q", scale=None, axis=None)
    layers = [
        *_draw_bars(lines, "rate", x, y, shift=-4, size=RATE_BAR, style={"color": STRONG}),
        *_draw_bars(
            lines,
            "volume",
            x,
            y,
            shift=6,
            size=VOLUME_BAR,
            style={"color": PAPER, "stroke": INK, "strokeWidth": 1},
        ),
        inline([{"x": 0}]).mark_rule(color=INK, strokeWidth=1, y=0, y2=height).encode(x=x),
        *_draw_texts(lines, y, width=width, right=right, lang=lang),
        *_draw_key(lang=lang, left=left),
    ]
    if movers[-1]["branch_code"] == OTHERS and len(movers) > 1:
        at = ROW * (len(lines) - 1) + 4
        rule = inline([{}]).mark_rule(color=GRID)
        ends_at = {"x": alt.XValue(8 - left), "x2": alt.X2Value(width + right - 4)}
        layers.insert(0, rule.encode(y=alt.YValue(at), **ends_at))
    frame = {"left": left, "right": right, "top": TOP, "bottom": BOTTOM}
    return compose(layers, width=WIDTH, height=height + TOP + BOTTOM, **frame)


def _name(row: Mapping[str, Any], *, branches: Mapping[str, Branch] | None, lang: Lang | str) -> str:
    if row["branch_code"] == OTHERS:
        return _REST(lang).format(row["branches"])
    branch = (branches or {}).get(row["branch_code"])
    return branch.name(lang) if branch else row["branch_name"]


def _axis(start: float, end: float, kpi: Kpi, lang: Lang | str) -> alt.Axis:
    """Ticks in points for percentages, else in the unit; the sign always shown."""
    ticks = shape.format_ticks(shape.nice_ticks(start, end, about=4), lang=lang)
    unit = "" if kpi.unit is Unit.PERCENT else kpi.unit_word(lang)
    return text_axis({tick: ("+" if tick > 0 else "") + text + unit for tick, text in ticks.items()}, orient="top")


def _draw_bars(
    lines: Sequence[Mapping[str, Any]],
    effect: str,
    x: alt.X,
    y: alt.Y,
    *,
    shift: float,
    size: float,
    style: Mapping[str, Any],
) -> list[alt.Chart]:
    bars = [{"x": 0, "x2": line[effect], "y": line["y"] + shift} for line in lines if line[effect]]
    if not bars:
        return []
    return [
        inline(bars).mark_bar(orient="horizontal", height=size, opacity=1, **style).encode(x=x, x2=alt.X2("x2:Q"), y=y)
    ]


def _draw_texts(
    lines: Sequence[Mapping[str, Any]], y: alt.Y, *, width: float, right: float, lang: Lang | str
) -> list[alt.Chart]:
    style = {"align": "right", "baseline": "middle"}
    base = inline([{key: line[key] for key in ("y", "name", "text")} for line in lines])
    head = {"align": "right", "fontSize": SMALL_TEXT_SIZE, "color": MUTED}
    return [
        base.mark_text(x=-8, **style).encode(y=y, text=alt.Text("name:N")),
        base.mark_text(x=width + right - 4, **style).encode(y=y, text=alt.Text("text:N")),
        draw_words(_SUM(lang), x=width + right - 4, y=-9, **head),
    ]


def _draw_key(*, lang: Lang | str, left: float) -> list[alt.Chart]:
    at, top = 4.0 - left, 16 - TOP
    layers: list[alt.Chart] = []
    looks = (
        (_RATE(lang), RATE_BAR, {"color": STRONG}),
        (_VOLUME(lang), VOLUME_BAR, {"color": PAPER, "stroke": INK, "strokeWidth": 1}),
    )
    for word, size, look in looks:
        sample = (
            inline([{}])
            .mark_rect(opacity=1, **look)
            .encode(
                x=alt.XValue(at),
                x2=alt.X2Value(at + 22),
                y=alt.YValue(top - 4 - size / 2),
                y2=alt.Y2Value(top - 4 + size / 2),
            )
        )
        layers += [sample, draw_words(word, x=at + 28, y=top, fontSize=SMALL_TEXT_SIZE, color=MUTED)]
        at += 28 + shape.text_width(word, SMALL_TEXT_SIZE) + 18
    return layers
