"""Drawings: charts reduced to what the renderer needs, drawn now, or later by a process in which the renderer is warm.

A process that makes one page and ends would pay for starting the renderer each time. It defers instead: ``render_svg`` then gives
placeholders, and whoever gets the page's HTML and the drawings puts the one into the other with ``fill_drawings``.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kenpo_lib.charts.clean import clean_svg, drop_controls
from kenpo_lib.charts.compiled import compile_spec

FONT_DIR = Path(__file__).parents[1] / "fonts"
_CACHED = 64  # charts; those that all pages of a batch share come again and again
_PLACEHOLDER = re.compile(r'<svg data-drawing="([0-9]+)"></svg>')

_deferred: list[Drawing] | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart to be drawn: its Vega-Lite specification and what ``svg.render_svg`` was told. Plain values throughout."""

    spec: dict[str, Any]
    id_prefix: str
    label: str
    description: str = ""
    scale_up: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """As a mapping that JSON can carry."""
        return {name: getattr(self, name) for name in self.__slots__}  # `asdict` would copy all data

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Drawing:
        """The drawing again."""
        return cls(**content)


@functools.cache
def register_fonts() -> None:
    """Make the vendored BIZ UDPGothic known to the renderer. Without a font it draws no text and raises no error."""
    import vl_convert

    vl_convert.register_font_directory(str(FONT_DIR))


def draw(drawing: Drawing) -> str:
    """The inline SVG element of a drawing; see ``svg.render_svg``."""
    spec = drop_controls(json.dumps(drawing.spec, ensure_ascii=False))
    return clean_svg(
        _render(spec),
        id_prefix=drawing.id_prefix,
        label=drawing.label,
        description=drawing.description,
        scale_up=drawing.scale_up,
    )


@functools.lru_cache(maxsize=_CACHED)
def _render(spec: str) -> str:
    # Imported here: its threads do not survive a fork, and the processes that build charts are forked.
    import vl_convert

    register_fonts()
    # Read here: the renderer's own reader of JSON rounds some numbers in their last digit.
    return vl_convert.vega_to_svg(compile_spec(json.loads(spec)), allowed_base_urls=[])


def warm_up() -> None:
    """Start the renderer, so that the first drawing of a page does not wait for it."""
    _render('{"data": {"values": [{}]}, "mark": {"type": "text", "text": "健診"}}')


# --- deferring ------------------------------------------------------------------------------------------------------


def defer_drawings() -> list[Drawing]:
    """From now on charts are not drawn in this process but added to the list that this returns."""
    global _deferred
    _deferred = []
    return _deferred


def stop_deferring() -> None:
    """Draw charts at once again."""
    global _deferred
    _deferred = None


def draw_or_defer(drawing: Drawing) -> str:
    """The element, or the placeholder that ``fill_drawings`` replaces by it."""
    if _deferred is None:
        return draw(drawing)
    _deferred.append(drawing)
    return f'<svg data-drawing="{len(_deferred) - 1}"></svg>'


def fill_drawings(html: str, drawings: Sequence[Drawing]) -> str:
    """HTML with each placeholder replaced by its drawing.

    Raises:
        IndexError: A placeholder for a drawing that is not there.
    """
    return _PLACEHOLDER.sub(lambda match: draw(drawings[int(match[1])]), html)
