"""Where one branch stands among all of them in one year: a strip of dots."""

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
    DOT,
    TONES,
    Flag,
    compose,
    draw_no_data,
    draw_words,
    find_own,
    inline,
    known_rows,
    list_flags,
    name_block,
    name_branch,
    strip_ends,
    tone_of,
    value_axis,
)
from kenpo_lib.charts.theme import BLOCK, INK, MUTED, OTHERS, SMALL_TEXT_SIZE, TEXT_SIZE
from kenpo_lib.grain import BRANCH_COUNT
from kenpo_lib.language import Lang, Text

STRIP_WIDTH = 480
STRIP_MARGIN = 18
STRIP_BOTTOM = 46
TALLEST_PILE = 150
FLAG_ROW = 17

_SAME_BLOCK = Text("{}の支部", "{}")
_NO_VALUE = Text("{}: 値なし", "{}: no value")
_OTHERS = Text("ほかの支部", "others")


def draw_position(
    values: pl.DataFrame,
    kpi: Kpi,
    *,
    branch_code: str,
    lang: Lang | str,
    branches: Mapping[str, Branch] | None = None,
) -> alt.LayerChart:
    """Draw the branches of one year as dots along one axis, piled where they meet, the chosen one strong.

    Args:
        values: Rows of the comparison of one KPI, definition and year; uses ``branch_code``, ``branch_name``, ``block``,
            ``value``, ``national``, ``national_kind`` and ``target_threshold`` (the chosen branch's).
        kpi: The entry of the catalogue.
        branch_code: The branch that is strong; its regional block has the second tone.
        lang: Language of words.
        branches: The branch master, for names in English.

    Returns:
        A chart 480 px wide and as high as its highest pile needs. Branches without a value are not drawn but counted.
    """
    rows = known_rows(values)
    if not rows:
        return draw_no_data(width=STRIP_WIDTH, height=100, lang=lang)
    own = find_own(values, branch_code, branches=branches)
    flags = list_flags(rows, own, kpi, branches=branches, lang=lang)
    start, end = strip_ends([row["value"] for row in rows] + [flag.value for flag in flags], kpi)
    width = STRIP_WIDTH - 2 * STRIP_MARGIN

    dots = _pile_up(rows, own, start=start, end=end, width=width)
    levels = 1 + max(dot["level"] for dot in dots)
    spacing = min(DOT + 0.5, TALLEST_PILE / levels)
    height = round(max(36.0, levels * spacing + 4))
    for dot in dots:
        dot["y"] = height - 2 - DOT / 2 - spacing * dot.pop("level")

    anchors, places, flag_rows = place_flags(flags, start, end, width=width)
    chosen_foot = next((dot["y"] for dot in dots if dot["tone"] == "strong"), height) - DOT / 2
    x = alt.X(
        "x:Q", scale=alt.Scale(domain=[start, end], nice=False, zero=False), axis=value_axis(start, end, kpi, lang)
    )
    layers = [
        *_draw_dots(dots, x, ("others", "block")),
        # The chosen branch is the first flag and lies above all others.
        *reversed(draw_flags(flags, places, anchors, x, height=height, flag_rows=flag_rows, foot=chosen_foot)),
        *_draw_dots(dots, x, ("strong",)),
        *draw_key(_list_key_words(dots, own, branches=branches, lang=lang), kpi, lang=lang, width=width, y=height + 38),
    ]
    frame = {"left": STRIP_MARGIN, "right": STRIP_MARGIN, "top": 6 + FLAG_ROW * flag_rows, "bottom": STRIP_BOTTOM}
    return compose(layers, width=STRIP_WIDTH, height=height + frame["top"] + frame["bottom"], **frame)


def _pile_up(
    rows: Sequence[Mapping[str, Any]], own: Mapping[str, Any] | None, *, start: float, end: float, width: float
) -> list[dict[str, Any]]:
    """A dot per branch with its level; the chosen one is laid last, so that it lies on top of its pile."""
    code = own["branch_code"] if own else None
    ordered = sorted(rows, key=lambda row: (row["branch_code"] == code, row["value"], row["branch_code"]))
    levels = shape.stack_dots([width * (row["value"] - start) / (end - start) for row in ordered], diameter=DOT + 0.5)
    return [
        {
            "x": row["value"],
            "level": level,
            "tone": tone_of(row, own),
        }
        for row, level in zip(ordered, levels, strict=True)
    ]


def _draw_dots(dots: Sequence[Mapping[str, Any]], x: alt.X, tones: Sequence[str]) -> list[alt.Chart]:
    layers = []
    for tone in tones:
        colour, size = TONES[tone]
        rows = [{"x": dot["x"], "y": dot["y"]} for dot in dots if dot["tone"] == tone]
        if rows:
            marks = inline(rows).mark_point(shape="circle", filled=True, color=colour, size=size, opacity=1)
            layers.append(marks.encode(x=x, y=alt.Y("y:Q", scale=None, axis=None)))
    return layers


def place_flags(
    flags: Sequence[Flag], start: float, end: float, *, width: float
) -> tuple[list[float], Sequence[tuple[int, int]], int]:
    """Where the poles of flags over a strip from ``start`` to ``end`` stand, the row and side of each word, and how many rows that takes."""
    anchors = [width * (flag.value - start) / (end - start) for flag in flags]
    text_widths = [shape.text_width(flag.text, TEXT_SIZE) for flag in flags]
    places = shape.place_flags(anchors, text_widths, low=4 - STRIP_MARGIN, high=width + STRIP_MARGIN - 4)
    return anchors, places, 1 + max((row for row, _ in places), default=-1)


def draw_flags(
    flags: Sequence[Flag],
    places: Sequence[tuple[int, int]],
    anchors: Sequence[float],
    x: alt.X,
    *,
    height: float,
    flag_rows: int,
    foot: float | None = None,
) -> list[alt.Chart]:
    """The flags over a strip, each with its pole; that of the chosen branch ends at ``foot``, the others at the axis."""
    layers: list[alt.Chart] = []
    for flag, (row, side), anchor in zip(flags, places, anchors, strict=True):
        text_y = FLAG_ROW * (row - flag_rows) + 11
        end = foot if foot is not None and flag.kind == "branch" else height
        style: dict[str, Any] = {
            "branch": {"strokeWidth": 1.5},
            "nation": {"strokeWidth": 1.4, "strokeDash": [4, 3]},
            "target": {"strokeWidth": 1.4},
        }[flag.kind]
        rule = inline([{"x": flag.value}]).mark_rule(color=flag.colour, y=text_y - 9, y2=end, **style)
        layers.append(rule.encode(x=x))
        end_mark = {
            "nation": {"shape": "diamond", "size": 60},
            "target": {"shape": "M-0.2,-1L0.2,-1L0.2,0L-0.2,0Z", "size": 200},
        }.get(flag.kind)
        if end_mark:
            mark = inline([{"x": flag.value}]).mark_point(
                filled=True, color=flag.colour, opacity=1, y=height, **end_mark
            )
            layers.append(mark.encode(x=x))
        layers.append(
            draw_words(
                flag.text,
                x=anchor + 5 * side,
                y=text_y,
                align="left" if side > 0 else "right",
                color=flag.colour,
                fontWeight=flag.weight,
            )
        )
    return layers


def _list_key_words(
    dots: Sequence[Mapping[str, Any]],
    own: Mapping[str, Any] | None,
    *,
    branches: Mapping[str, Branch] | None,
    lang: Lang | str,
) -> list[tuple[str, str | None]]:
    """What the tones mean, and how many branches have a value; each with the colour that it explains."""
    words: list[tuple[str, str | None]] = []
    tones = {dot["tone"] for dot in dots}
    if own and "block" in tones:
        words.append((_SAME_BLOCK(lang).format(name_block(own, branches=branches, lang=lang)), BLOCK))
    if "others" in tones:
        words.append((_OTHERS(lang), OTHERS))
    if own and "strong" not in tones:
        words.append((_NO_VALUE(lang).format(name_branch(own, branches=branches, lang=lang)), None))
    if len(dots) < BRANCH_COUNT:
        words.append((COUNT(lang).format(len(dots)), None))
    return words


def draw_key(
    words: Sequence[tuple[str, str | Mapping[str, Any] | None]], kpi: Kpi, *, lang: Lang | str, width: float, y: float
) -> list[alt.Chart]:
    """Words below a strip, with dots of the colours (squares of the looks) that they explain, and which way is better."""
    layers: list[alt.Chart] = []
    style = {"fontSize": SMALL_TEXT_SIZE, "color": MUTED, "y": y}
    is_lower = kpi.direction is Direction.LOWER
    lengths = [shape.text_width(word, SMALL_TEXT_SIZE) + (12 if look else 0) + 14 for word, look in words]
    at = width + STRIP_MARGIN - 4 - sum(lengths) + 14 if is_lower else 4.0 - STRIP_MARGIN
    for (word, look), length in zip(words, lengths, strict=True):
        if look:
            drawn = {"shape": "circle", "color": look} if isinstance(look, str) else {"shape": "square", **look}
            mark = inline([{}]).mark_point(**{"filled": True, "size": DOT**2, "opacity": 1, **drawn})
            layers.append(mark.encode(x=alt.XValue(at + DOT / 2), y=alt.YValue(y - 4)))
        layers.append(draw_words(word, x=at + (12 if look else 0), **style))
        at += length
    if kpi.direction in BETTER:
        word = BETTER[kpi.direction](lang)
        place = {"x": 4 - STRIP_MARGIN} if is_lower else {"x": width + STRIP_MARGIN - 4, "align": "right"}
        layers.append(draw_words(word, **place, **{**style, "color": INK}))
    return layers
