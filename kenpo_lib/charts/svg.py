"""Chart → SVG text that can stand in a page: small, repeatable, without script, link or name that could clash."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import altair as alt

from kenpo_lib.charts.clean import UnsafeChartError, drop_controls
from kenpo_lib.charts.drawing import Drawing, draw_or_defer
from kenpo_lib.charts.glyphs import check_glyphs
from kenpo_lib.charts.theme import PAPER

_ID_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def render_svg(
    chart: alt.TopLevelMixin, *, id_prefix: str, label: str, description: str = "", scale_up: float = 1.0
) -> str:
    """Draw a chart as an inline SVG element.

    Args:
        chart: A chart whose data are part of its specification.
        id_prefix: Put before every id, so that several charts can stand in one page; letters, digits, ``-`` and ``_``.
        label: The one sentence that a screen reader says instead of the picture.
        description: More for those who ask for it, as the element ``desc``.
        scale_up: The chart shrinks with its page, and may grow to this multiple of its natural width.

    Returns:
        The element ``<svg class="kenpo-chart" role="img" …>``, the same bytes in every process. Text takes the font of the
        page; colours follow ``CHART_CSS``.

    Raises:
        UnsafeChartError: Data given by URL, a link, or an element that is not a plain mark.
        ValueError: A prefix that is not an identifier, or no label.
    """
    if not _ID_PREFIX.fullmatch(id_prefix):
        raise ValueError(f"id_prefix must be letters, digits, - and _, beginning with a letter: {id_prefix!r}")
    if not label.strip():
        raise ValueError(f"chart {id_prefix!r} has no label; a picture without words is nothing to a screen reader")
    spec = _read_spec(chart)
    spec["background"] = None
    return draw_or_defer(Drawing(spec, id_prefix, label, description, scale_up))


def render_png(chart: alt.TopLevelMixin, *, scale: float = 2.0) -> bytes:
    """Draw a chart on white as PNG, for places that show no SVG (mail). Same bytes in every process.

    Raises:
        FontError: Its text would be missing.
    """
    import vl_convert

    check_glyphs()
    spec = json.loads(drop_controls(json.dumps(_read_spec(chart), ensure_ascii=False)))
    spec["background"] = PAPER
    return vl_convert.vegalite_to_png(spec, scale=scale, allowed_base_urls=[])


def _read_spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    # The schema is checked in tests, for every chart; here it would cost as much as drawing.
    spec = chart.to_dict(validate=False)
    for node in _walk(spec):
        if "url" in node or "href" in node:
            raise UnsafeChartError(f"a chart brings its data along and links nowhere: {sorted(node)}")
    return spec


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    """All mappings of a specification except rows of data, which may have any names."""
    if isinstance(node, dict):
        yield node
        for key, child in node.items():
            if key not in ("values", "datasets"):
                yield from _walk(child)
    elif isinstance(node, list):
        for child in node:
            yield from _walk(child)
