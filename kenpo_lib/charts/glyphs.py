"""Whether the renderer draws text with the project's font: without one it draws nothing and raises no error."""

from __future__ import annotations

import functools
import json

from kenpo_lib.charts.drawing import register_fonts
from kenpo_lib.errors import FontError
from kenpo_lib.language import Text

FAMILY = "BIZ UDPGothic"
SAMPLE = "健診 Wi1"


@functools.cache
def check_glyphs() -> None:
    """Once a process, before it draws anything that is published.

    Raises:
        FontError: Text would be missing, or the bold font is.
    """
    register_fonts()
    empty, regular, bold = _draw("", "normal"), _draw(SAMPLE, "normal"), _draw(SAMPLE, "bold")
    if empty in (regular, bold):
        raise FontError(Text("文字が描かれません", "no text is drawn"))
    if regular == bold:  # the one stands in for the other
        raise FontError(Text("標準と太字の書体が揃っていません", "the regular or the bold font is missing"))


def _draw(text: str, weight: str) -> bytes:
    """Pictures of one size: equal bytes, equal ink."""
    import vl_convert

    mark = {"type": "text", "text": text, "font": FAMILY, "fontWeight": weight, "fontSize": 12}
    spec = {"data": {"values": [{}]}, "mark": mark, "width": 80, "height": 20, "autosize": "none"}
    return vl_convert.vegalite_to_png(json.dumps(spec), allowed_base_urls=[])
