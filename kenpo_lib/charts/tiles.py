"""All branches of one year as tiles in the order of the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from kenpo_lib.catalogue import NATION, Branch, Direction, Kpi
from kenpo_lib.charts import shape
from kenpo_lib.charts.layers import compose, draw_no_data, draw_words, format_value, inline
from kenpo_lib.charts.theme import (
    INK,
    MUTED,
    OTHERS,
    PAPER,
    SMALL_TEXT_SIZE,
    TILE_COLOURS,
    TILE_TEXT_DARK,
    TILE_TEXT_LIGHT,
)
from kenpo_lib.language import Lang, Text

GAP = 2
HEIGHT = 34
WIDTHS = {Lang.JA: 38, Lang.EN: 66}  # three characters; nine letters
MARGIN = 4
SWATCH = 16

_MISSING = Text("値なし", "no value")
_BETTER = Text("良い", "better")
_RANGE = Text("{}～{}", "{}–{}")


def draw_tile_map(
    values: pl.DataFrame,
    kpi: Kpi,
    *,
    branches: Mapping[str, Branch],
    lang: Lang | str,
    branch_code: str | None = None,
) -> alt.LayerChart:
    """Draw a tile with name and value for each of the 47 branches, darker for a larger value.

    Args:
        values: Rows of the comparison of one KPI, definition and year; uses ``branch_code`` and ``value``.
        kpi: The entry of the catalogue.
        branches: The branch master, with the places of the tiles.
        lang: Language of words.
        branch_code: A branch whose tile is framed, if any.

    Returns:
        A chart about 500 px wide (English 860). Five classes of about equally many branches; a class names the values that
        are in it. A branch without a value is a white tile with a dashed frame and a dash.
    """
    placed = [branch for code, branch in branches.items() if code != NATION and branch.tile_row and branch.tile_col]
    known = {row["branch_code"]: row["value"] for row in values.to_dicts() if shape.is_number(row["value"])}
    known = {branch.branch_code: known[branch.branch_code] for branch in placed if branch.branch_code in known}
    columns, rows = max(branch.tile_col for branch in placed), max(branch.tile_row for branch in placed)
    tile = WIDTHS[Lang(lang)]
    width, height = columns * tile - GAP, rows * HEIGHT - GAP
    if not known:
        return draw_no_data(width=width, height=100, lang=lang)
    classes = dict(zip(known, shape.quantile_classes(list(known.values()), count=len(TILE_COLOURS)), strict=True))
    tiles = [_lay_tile(branch, known, classes, kpi, tile=tile, lang=lang) for branch in placed]
    # The sea in the upper left is free for the legend.
    layers = [
        *_draw_tiles(tiles, tile=tile),
        *_draw_frame(tiles, branch_code, tile=tile),
        *_draw_legend(known, classes, kpi, has_missing=len(known) < len(placed), lang=lang),
    ]
    frame = {"left": MARGIN, "right": MARGIN, "top": MARGIN, "bottom": MARGIN}
    return compose(layers, width=width + 2 * MARGIN, height=height + 2 * MARGIN, **frame)


def _lay_tile(
    branch: Branch,
    known: Mapping[str, float],
    classes: Mapping[str, int],
    kpi: Kpi,
    *,
    tile: float,
    lang: Lang | str,
) -> dict[str, Any]:
    value = known.get(branch.branch_code)
    return {
        "code": branch.branch_code,
        "x": (branch.tile_col - 1) * tile,
        "y": (branch.tile_row - 1) * HEIGHT,
        "name": branch.name(lang),
        "text": "–" if value is None else format_value(value, kpi, lang=lang, with_unit=False),
        "class": classes.get(branch.branch_code),
    }


def text_colour(background: str) -> str:
    """Of the dark and the light text colour the one that contrasts more."""
    return max(TILE_TEXT_DARK, TILE_TEXT_LIGHT, key=lambda colour: shape.contrast(colour, background))


def _draw_tiles(tiles: Sequence[Mapping[str, Any]], *, tile: float) -> list[alt.Chart]:
    layers: list[alt.Chart] = []
    x, y = alt.X("x:Q", scale=None, axis=None), alt.Y("y:Q", scale=None, axis=None)
    for level in (None, *range(len(TILE_COLOURS))):
        chosen = [{key: row[key] for key in ("x", "y", "name", "text")} for row in tiles if row["class"] == level]
        if not chosen:
            continue
        if level is None:
            box = {"filled": False, "stroke": OTHERS, "strokeDash": [3, 2]}
            ink = MUTED
        else:
            box = {"color": TILE_COLOURS[level]}
            ink = text_colour(TILE_COLOURS[level])
        base = inline(chosen)
        words = {"color": ink, "fontSize": SMALL_TEXT_SIZE, "dx": (tile - GAP) / 2, "baseline": "alphabetic"}
        layers += [
            base.mark_rect(width=tile - GAP, height=HEIGHT - GAP, align="left", baseline="top", **box).encode(x=x, y=y),
            base.mark_text(dy=13, **words).encode(x=x, y=y, text=alt.Text("name:N")),
            base.mark_text(dy=27, **words).encode(x=x, y=y, text=alt.Text("text:N")),
        ]
    return layers


def _draw_frame(tiles: Sequence[Mapping[str, Any]], branch_code: str | None, *, tile: float) -> list[alt.Chart]:
    chosen = [{"x": row["x"] - GAP / 2, "y": row["y"] - GAP / 2} for row in tiles if row["code"] == branch_code]
    if not chosen:
        return []
    # A light line under the dark one, so that the frame shows on light and on dark tiles.
    return [
        inline(chosen)
        .mark_rect(
            width=tile, height=HEIGHT, align="left", baseline="top", filled=False, stroke=colour, strokeWidth=stroke
        )
        .encode(x=alt.X("x:Q", scale=None, axis=None), y=alt.Y("y:Q", scale=None, axis=None))
        for colour, stroke in ((PAPER, 6), (INK, 2.5))
    ]


def _draw_legend(
    known: Mapping[str, float], classes: Mapping[str, int], kpi: Kpi, *, has_missing: bool, lang: Lang | str
) -> list[alt.Chart]:
    entries: list[tuple[str | None, str]] = []
    for level in sorted(set(classes.values()), reverse=True):
        inside = [known[code] for code in known if classes[code] == level]
        low, high = (format_value(value, kpi, lang=lang, with_unit=False) for value in (min(inside), max(inside)))
        unit = kpi.unit_word(lang)
        entries.append((TILE_COLOURS[level], f"{low}{unit}" if low == high else _RANGE(lang).format(low, high) + unit))
    better = {Direction.HIGHER: 0, Direction.LOWER: len(entries) - 1}.get(kpi.direction) if len(entries) > 1 else None
    if better is not None:
        colour, words = entries[better]
        entries[better] = (colour, f"{words}　{_BETTER(lang)}" if lang == Lang.JA else f"{words}  {_BETTER(lang)}")
    if has_missing:
        entries.append((None, _MISSING(lang)))
    layers: list[alt.Chart] = []
    for place, (colour, words) in enumerate(entries):
        top = place * (SWATCH + 5)
        style = {"color": colour} if colour else {"filled": False, "stroke": OTHERS, "strokeDash": [3, 2]}
        swatch = inline([{}]).mark_rect(x=0, x2=SWATCH * 1.5, y=top, y2=top + SWATCH, **style)
        layers += [
            swatch,
            draw_words(
                words,
                x=SWATCH * 1.5 + 7,
                y=top + SWATCH / 2,
                baseline="middle",
                color=INK,
                fontSize=SMALL_TEXT_SIZE + 1,
            ),
        ]
    return layers
