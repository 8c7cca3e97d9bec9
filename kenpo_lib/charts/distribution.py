"""Where one branch stands among thousands in one year: how many have which value, and the branch's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from kenpo_lib.catalogue import Branch, Kpi
from kenpo_lib.charts.layers import compose, inline, list_flags, strip_ends, value_axis
from kenpo_lib.charts.position import (
    FLAG_ROW,
    STRIP_BOTTOM,
    STRIP_MARGIN,
    STRIP_WIDTH,
    draw_flags,
    draw_key,
    place_flags,
)
from kenpo_lib.charts.theme import GRID, OTHERS
from kenpo_lib.language import Lang, Text

_HEIGHT = 60
_LOOK = {"color": GRID, "stroke": OTHERS, "strokeWidth": 1, "opacity": 1}  # pale, so that flags are seen before it
_NARROWEST = 6  # pixels
_ALL = Text("{}支部の分布", "{} branches")


def draw_distribution(
    spread: Mapping[str, Any],
    own: Mapping[str, Any],
    kpi: Kpi,
    *,
    lang: Lang | str,
    branches: Mapping[str, Branch] | None = None,
) -> alt.LayerChart:
    """Draw how many branches have which value as bars along one axis, with the chosen one, the nation and the target as flags.

    Args:
        spread: A row of ``store.places.summarise_spread``; uses ``low``, ``high``, ``known`` and ``bars``.
        own: The branch's row; uses ``branch_code``, ``branch_name``, ``value``, ``national``, ``national_kind`` and
            ``target_threshold``.
        kpi: The entry of the catalogue.
        lang: Language of words.
        branches: The branch master, for names in English.

    Returns:
        A chart as wide as that of ``draw_position``. The highest bar fills it; an empty one is not drawn.
    """
    flags = list_flags([own], own, kpi, branches=branches, lang=lang)
    start, end = strip_ends([spread["low"], spread["high"], *(flag.value for flag in flags)], kpi)
    width = STRIP_WIDTH - 2 * STRIP_MARGIN
    anchors, places, flag_rows = place_flags(flags, start, end, width=width)
    x = alt.X(
        "x:Q", scale=alt.Scale(domain=[start, end], nice=False, zero=False), axis=value_axis(start, end, kpi, lang)
    )
    layers = [
        _draw_bars(spread, x, narrowest=_NARROWEST * (end - start) / width),
        *reversed(draw_flags(flags, places, anchors, x, height=_HEIGHT, flag_rows=flag_rows)),
        *draw_key([(_ALL(lang).format(f"{spread['known']:,}"), _LOOK)], kpi, lang=lang, width=width, y=_HEIGHT + 38),
    ]
    frame = {"left": STRIP_MARGIN, "right": STRIP_MARGIN, "top": 6 + FLAG_ROW * flag_rows, "bottom": STRIP_BOTTOM}
    return compose(layers, width=STRIP_WIDTH, height=_HEIGHT + frame["top"] + frame["bottom"], **frame)


def _draw_bars(spread: Mapping[str, Any], x: alt.X, *, narrowest: float) -> alt.Chart:
    """The bars as one shape with steps: one mark, not forty. Where all values are the same, one narrow bar around them."""
    bars, low, high = spread["bars"], spread["low"], spread["high"]
    if low == high:
        bars, low, high = [sum(bars)], low - narrowest / 2, low + narrowest / 2
    step, highest = (high - low) / len(bars), max(bars)
    rows = [
        {"x": low + step * place, "y": _HEIGHT * (1 - count / highest)} for place, count in enumerate([*bars, bars[-1]])
    ]
    marks = inline(rows).mark_area(interpolate="step-after", y2=_HEIGHT, **_LOOK)
    return marks.encode(x=x, y=alt.Y("y:Q", scale=None, axis=None, stack=None))
