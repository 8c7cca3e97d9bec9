"""The chart that only the pages on methods have: a control chart."""

from __future__ import annotations

import altair as alt
import numpy as np

from kenpo_lib.charts.layers import DOT, compose, draw_words, inline, text_axis
from kenpo_lib.charts.shape import format_ticks, nice_ticks
from kenpo_lib.charts.theme import (
    GRID,
    INK,
    MUTED,
    SMALL_TEXT_SIZE,
    STRONG,
    TARGET_COLOUR,
)
from kenpo_lib.language import Text
from kenpo_lib.stats.spc import ControlChart
from kenpo_lib.stats.spc_rules import Signals

WIDTH, HEIGHT = 560, 340
_FRAME = {"width": WIDTH, "height": HEIGHT, "left": 52, "right": 92, "top": 14, "bottom": 46}
_FULL, _DASHED = [1, 0], [5, 4]


def draw_control_chart(chart: ControlChart, signals: Signals, *, target: float, lang: str) -> alt.LayerChart:
    """Draw a monthly series in percent with centre line, limits and target; marked points are diamonds."""
    value = chart.value
    months = np.arange(1, value.size + 1)
    ends = [*value, *chart.lower, *chart.upper, target]
    x, y = _scales(value.size, (min(ends) - 0.3, max(ends) + 0.3), lang=lang)
    layers = [inline([{"y": target}]).mark_rule(color=TARGET_COLOUR, strokeWidth=1.4).encode(y=y)]
    for line, dash in ((chart.centre, _FULL), (chart.lower, _DASHED), (chart.upper, _DASHED)):
        points = [{"x": int(month), "y": float(height)} for month, height in zip(months, line, strict=True)]
        layers.append(inline(points).mark_line(color=MUTED, strokeWidth=1.2, strokeDash=dash).encode(x=x, y=y))
    points = [{"x": int(month), "y": float(height)} for month, height in zip(months, value, strict=True)]
    layers.append(inline(points).mark_line(color=STRONG, strokeWidth=1.5).encode(x=x, y=y))
    for is_marked, style in ((False, {"shape": "circle", "size": DOT**2}), (True, {"shape": "diamond", "size": 110})):
        chosen = [point for point, signal in zip(points, signals.combined, strict=True) if bool(signal) is is_marked]
        if chosen:
            colour = INK if is_marked else STRONG
            layers.append(inline(chosen).mark_point(filled=True, color=colour, opacity=1, **style).encode(x=x, y=y))
    words = {
        "upper": Text("上の限界", "upper limit"),
        "centre": Text("中心線", "centre"),
        "lower": Text("下の限界", "lower limit"),
    }
    for name, word in words.items():
        layers.append(_label(word(lang), value.size + 0.5, float(getattr(chart, name)[-1]), x, y, color=MUTED))
    goal = Text("目標", "target")(lang)
    layers.append(_label(f"{goal} {target:g}%", value.size + 0.5, target, x, y, color=TARGET_COLOUR))
    key = Text("横軸: 月（架空の系列）　ひし形: 印の付いた月", "across: month (made up); diamonds: marked months")
    place = HEIGHT - _FRAME["top"] - _FRAME["bottom"] + 38
    layers.append(draw_words(key(lang), x=-44, y=place, color=MUTED, fontSize=SMALL_TEXT_SIZE))
    return compose(layers, **_FRAME)


def _scales(months: int, upright: tuple[float, float], *, lang: str) -> tuple[alt.X, alt.Y]:
    names = {float(month): f"{month}" for month in range(1, months + 1, 2)}
    levels = {tick: f"{text}%" for tick, text in format_ticks(nice_ticks(*upright, about=6), lang=lang).items()}
    x = alt.X("x:Q", scale=alt.Scale(domain=[0.5, months + 0.5], nice=False, zero=False), axis=text_axis(names))
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=list(upright), nice=False, zero=False),
        axis=text_axis(levels, grid=True, gridColor=GRID),
    )
    return x, y


def _label(text: str, at: float, height: float, x: alt.X, y: alt.Y, *, color: str) -> alt.Chart:
    style = {"align": "left", "baseline": "middle", "dx": 8, "fontSize": SMALL_TEXT_SIZE}
    return inline([{"x": at, "y": height}]).mark_text(text=text, color=color, **style).encode(x=x, y=y)
