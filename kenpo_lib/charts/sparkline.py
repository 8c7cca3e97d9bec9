"""A line as small as a word, written by hand: a table has hundreds of them."""

from __future__ import annotations

import html
from collections.abc import Sequence

from kenpo_lib.charts.shape import is_number, number_runs
from kenpo_lib.charts.theme import MUTED, STRONG

_MARGIN = 3.0
_FLATTEST = 0.02  # a spread below 2 % of the values stays a nearly flat line


def sparkline(values: Sequence[tuple[int, float | None, str]], *, width: int = 84, height: int = 20, label: str) -> str:
    """Draw a series of years as a tiny inline SVG.

    Args:
        values: Fiscal year, value and definition. The line breaks at years without a value and where the definition changes.
        width: In pixels.
        height: In pixels.
        label: The sentence that a screen reader says.

    Returns:
        The element ``<svg class="kenpo-chart kenpo-spark" …>``; the last value has a dot, a lone one a smaller dot. Without any
        value a dash.
    """
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="kenpo-chart kenpo-spark" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(label)}">'
    )
    known = sorted((year, definition, value) for year, value, definition in values if is_number(value))
    if not known:
        dash = f'<path d="M{width / 2 - 4:g},{height / 2:g}h8" stroke="{MUTED}"/>'
        return f"{head}{dash}</svg>"
    # Runs are counted within a definition; where two share a year each has its own line.
    known.sort(key=lambda point: (point[1], point[0]))
    years = [year for year, _, _ in values]
    numbers = [value for _, _, value in known]
    first, span = min(years), max(max(years) - min(years), 1)
    spread = max(max(numbers) - min(numbers), _FLATTEST * max(map(abs, numbers)), 1e-9)
    middle = (max(numbers) + min(numbers)) / 2

    def place(year: int, value: float) -> str:
        x = _MARGIN + (width - 2 * _MARGIN) * ((year - first) / span if len(set(years)) > 1 else 0.5)
        y = height / 2 - (height - 2 * _MARGIN) * (value - middle) / spread
        return f"{_short(x)},{_short(y)}"

    runs = number_runs([(definition, year) for year, definition, _ in known])
    stretches: dict[int, list[str]] = {}
    for run, (year, _, value) in zip(runs, known, strict=True):
        stretches.setdefault(run, []).append(place(year, value))
    lines = "".join("M" + "L".join(stretch) for stretch in stretches.values() if len(stretch) > 1)
    last_year, _, last_value = max(known, key=lambda point: point[0])
    parts = [f'<path d="{lines}" fill="none" stroke="{STRONG}" stroke-width="1.5"/>'] if lines else []
    parts += [_dot(stretch[0], radius=1.3) for stretch in stretches.values() if len(stretch) == 1]
    parts.append(_dot(place(last_year, last_value), radius=2.4))
    return f"{head}{''.join(parts)}</svg>"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _dot(place: str, *, radius: float) -> str:
    x, y = place.split(",")
    return f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{STRONG}"/>'
