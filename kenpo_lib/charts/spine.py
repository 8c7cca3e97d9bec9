"""One line of a spine chart, written by hand like a sparkline: a table has one in every row."""

from __future__ import annotations

import html
from collections.abc import Mapping

from kenpo_lib.charts.theme import GRID, NATION_COLOUR, OTHERS, PAPER, STRONG

WIDTH, HEIGHT = 300, 26
_MARGIN = 8.0  # the marker of the best branch stays inside
_RANGE, _MIDDLE, _DOT = 14.0, 14.0, 5.5  # heights of the bars, radius of the marker


def spine_line(places: Mapping[str, float], *, label: str) -> str:
    """Draw the range of all branches, their middle half, the nation's line and the branch's marker.

    Args:
        places: ``worst``, ``lower``, ``value``, ``upper`` and ``best`` from 0 (left) to 1 (right), with the nation at 0.5; as
            ``Spine.places``.
        label: The sentence that a screen reader says.

    Returns:
        The element ``<svg class="kenpo-chart kenpo-spine" …>``, 300 × 26 px and as wide as its cell. The bar of the range is
        light, that of the middle half darker, the marker dark with a light rim: grey paper keeps them apart.
    """
    middle = HEIGHT / 2

    def x(place: float) -> float:
        return round(_MARGIN + (WIDTH - 2 * _MARGIN) * min(max(place, 0.0), 1.0), 1)

    def bar(start: float, end: float, height: float, colour: str) -> str:
        left, right = sorted((x(start), x(end)))
        width = max(round(right - left, 1), 1)
        return f'<rect x="{left:g}" y="{middle - height / 2:g}" width="{width:g}" height="{height:g}" fill="{colour}"/>'

    parts = [
        bar(places["worst"], places["best"], _RANGE, GRID),
        bar(places["lower"], places["upper"], _MIDDLE, OTHERS),
        f'<path d="M{x(0.5):g},1V{HEIGHT - 1}" stroke="{NATION_COLOUR}" stroke-width="2"/>',
        f'<circle cx="{x(places["value"]):g}" cy="{middle:g}" r="{_DOT}" fill="{STRONG}" stroke="{PAPER}" stroke-width="1.5"/>',
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="kenpo-chart kenpo-spine" viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" '
        f'role="img" aria-label="{html.escape(label)}">{"".join(parts)}</svg>'
    )
