"""Marks of a chart that is written by hand, as SVG text: for pictures of many small marks, where a chart library writes ten times as much.

Colours are those of ``theme``, so that they follow the page into the dark; all lengths are pixels.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

from kenpo_lib.charts.clean import CHART_CLASS, SVG_NAMESPACE
from kenpo_lib.charts.theme import MUTED, SMALL_TEXT_SIZE


def number(value: float) -> str:
    """A tenth of a pixel is finer than any screen shows."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def element(name: str, content: str = "", **attributes: Any) -> str:
    """One element; ``stroke_width`` becomes ``stroke-width``, null attributes are left out. ``content`` is markup."""
    written = "".join(
        f' {key.replace("_", "-")}="{number(value) if isinstance(value, int | float) else html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def words(
    text: str,
    x: float,
    y: float,
    *,
    size: int = SMALL_TEXT_SIZE,
    fill: str = MUTED,
    anchor: str | None = None,
    weight: str | None = None,
    transform: str | None = None,
) -> str:
    """A text at its baseline; ``anchor`` is ``middle`` or ``end``, the start if null."""
    return element(
        "text",
        html.escape(text),
        x=float(x),
        y=float(y),
        font_size=size,
        fill=fill,
        text_anchor=anchor,
        font_weight=weight,
        transform=transform,
    )


def line(
    x1: float, y1: float, x2: float, y2: float, *, stroke: str, width: float = 1.0, dash: str | None = None
) -> str:
    places = {"x1": float(x1), "y1": float(y1), "x2": float(x2), "y2": float(y2)}
    return element("line", **places, stroke=stroke, stroke_width=float(width), stroke_dasharray=dash)


def polyline(points: Iterable[tuple[float, float]]) -> str:
    """The path data of a line through the points."""
    return "M" + "L".join(f"{number(x)},{number(y)}" for x, y in points)


def dot(x: float, y: float, radius: float, *, fill: str, stroke: str | None = None) -> str:
    return element("circle", cx=float(x), cy=float(y), r=float(radius), fill=fill, stroke=stroke)


def diamond(x: float, y: float, radius: float) -> str:
    """The path data of the nation's mark."""
    right, left = number(radius), number(-radius)
    return f"M{number(x)},{number(y - radius)}l{right},{right}l{left},{right}l{left},{left}Z"


def picture(parts: Iterable[str], *, width: float, height: float, label: str, scale_up: float = 1.0) -> str:
    """The element ``<svg>`` around the parts.

    Args:
        parts: Markup in the order of drawing.
        width: Natural width.
        height: Natural height.
        label: The one sentence that a screen reader says instead of the picture.
        scale_up: The picture shrinks with its page, and may grow to this multiple of its natural width.
    """
    assert label.strip(), "a picture without words is nothing to a screen reader"
    return element(
        "svg",
        "".join(parts),
        xmlns=SVG_NAMESPACE,
        **{"class": CHART_CLASS},
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width="100%",
        style=f"max-width:{width * scale_up:.0f}px",
        role="img",
        aria_label=label,
    )
