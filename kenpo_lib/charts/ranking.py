"""All branches of one year by name, in the order of their rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from kenpo_lib.catalogue import Branch, Direction, Kpi
from kenpo_lib.charts import shape
from kenpo_lib.charts.layers import (
    BETTER,
    COUNT,
    TONES,
    Flag,
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
    tone_of,
    value_axis,
)
from kenpo_lib.charts.theme import (
    GRID,
    INK,
    MUTED,
    SMALL_TEXT_SIZE,
    STRONG,
    TARGET_COLOUR,
    TEXT_SIZE,
)
from kenpo_lib.grain import BRANCH_COUNT
from kenpo_lib.language import Lang

WIDTH = 360
ROW = 16
TOP, BOTTOM = 40, 26


def draw_ranking(
    values: pl.DataFrame,
    kpi: Kpi,
    *,
    lang: Lang | str,
    branch_code: str | None = None,
    branches: Mapping[str, Branch] | None = None,
) -> alt.LayerChart:
    """Draw all branches of one year by name, best first (largest first where neither way is better).

    Args:
        values: As for ``draw_position``, and ``rank``.
        kpi: The entry of the catalogue.
        lang: Language of words.
        branch_code: The branch that is strong, if any.
        branches: The branch master, for names in English.

    Returns:
        A chart 360 px wide with a row of 16 px for every branch that has a value; how many these are stands below.
    """
    own = find_own(values, branch_code, branches=branches)
    rising = 1 if kpi.direction is Direction.LOWER else -1
    rows = sorted(known_rows(values), key=lambda row: (rising * row["value"], row["branch_code"]))
    if not rows:
        return draw_no_data(width=WIDTH, height=100, lang=lang)
    flags = {flag.kind: flag for flag in list_flags(rows, own, kpi, branches=branches, lang=lang)}
    start, end = strip_ends([row["value"] for row in rows] + [flag.value for flag in flags.values()], kpi)
    lines = [
        {
            "x": row["value"],
            "y": ROW * (place + 0.5),
            "rank": str(row["rank"] or "") if kpi.direction is not Direction.NEITHER else "",
            "name": name_branch(row, branches=branches, lang=lang),
            "text": format_value(row["value"], kpi, lang=lang, with_unit=False),
            "tone": tone_of(row, own),
        }
        for place, row in enumerate(rows)
    ]
    name_room = 16 + max(shape.text_width(line["name"], TEXT_SIZE) for line in lines)
    left = name_room + max(shape.text_width(line["rank"], SMALL_TEXT_SIZE) for line in lines) + 8
    right = 12 + max(shape.text_width(line["text"], TEXT_SIZE) for line in lines)
    left, right = min(left, 0.35 * WIDTH), min(right, 0.35 * WIDTH)
    width, height = round(WIDTH - left - right), ROW * len(lines)

    axis = value_axis(start, end, kpi, lang, orient="top", domain=False)
    x = alt.X("x:Q", scale=alt.Scale(domain=[start, end], nice=False, zero=False), axis=axis)
    y = alt.Y("y:Q", scale=None, axis=None)
    layers = [
        inline([{"y": line["y"]} for line in lines]).mark_rule(color=GRID, x=0, x2=width).encode(y=y),
        *draw_nation(flags.get("nation"), x, start=start, end=end, width=width, height=height, label_y=-26),
        *_draw_lines(lines, x, y, width=width, name_room=name_room, right=right),
        *_draw_target(flags.get("target"), lines, x, y),
        *_draw_foot(kpi, flags.get("target"), count=len(lines), lang=lang, left=left, width=width, y=height + 18),
    ]
    frame = {"left": left, "right": right, "top": TOP, "bottom": BOTTOM}
    return compose(layers, width=WIDTH, height=height + TOP + BOTTOM, **frame)


def _draw_lines(
    lines: Sequence[Mapping[str, Any]], x: alt.X, y: alt.Y, *, width: float, name_room: float, right: float
) -> list[alt.Chart]:
    layers: list[alt.Chart] = []
    for tone, (colour, size) in TONES.items():
        chosen = [
            {key: value for key, value in line.items() if key != "tone"} for line in lines if line["tone"] == tone
        ]
        if not chosen:
            continue
        base = inline(chosen)
        style = {"align": "right", "baseline": "middle"}
        words = {**style, "fontWeight": "bold", "color": STRONG} if tone == "strong" else style
        layers += [
            base.mark_point(shape="circle", filled=True, color=colour, size=size, opacity=1).encode(x=x, y=y),
            base.mark_text(x=-8, **words).encode(y=y, text=alt.Text("name:N")),
            base.mark_text(x=width + right - 3, **words).encode(y=y, text=alt.Text("text:N")),
            base.mark_text(x=-name_room, color=MUTED, fontSize=SMALL_TEXT_SIZE, **style).encode(
                y=y, text=alt.Text("rank:N")
            ),
        ]
    return layers


def _draw_target(target: Flag | None, lines: Sequence[Mapping[str, Any]], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    own = next((line for line in lines if line["tone"] == "strong"), None)
    if target is None or own is None:
        return []
    style = {"orient": "vertical", "color": TARGET_COLOUR, "size": 14, "thickness": 3, "opacity": 1}
    return [inline([{"x": target.value, "y": own["y"]}]).mark_tick(**style).encode(x=x, y=y)]


def _draw_foot(
    kpi: Kpi, target: Flag | None, *, count: int, lang: Lang | str, left: float, width: float, y: float
) -> list[alt.Chart]:
    """The target in words, how many branches have a value, and which way is better."""
    layers = []
    style = {"y": y, "fontSize": SMALL_TEXT_SIZE}
    at = 4 - left
    if target:
        layers += [
            inline([{}])
            .mark_tick(orient="vertical", color=TARGET_COLOUR, size=14, thickness=3, opacity=1)
            .encode(x=alt.XValue(at + 2), y=alt.YValue(y - 4)),
            draw_words(target.text, x=at + 10, color=TARGET_COLOUR, **style),
        ]
        at += 26 + shape.text_width(target.text, SMALL_TEXT_SIZE)
    if count < BRANCH_COUNT:
        layers.append(draw_words(COUNT(lang).format(count), x=at, color=MUTED, **style))
    if kpi.direction in BETTER:
        align = "right" if kpi.direction is Direction.HIGHER else "left"
        place = width if align == "right" else 0
        layers.append(draw_words(BETTER[kpi.direction](lang), x=place, align=align, color=INK, **style))
    return layers
