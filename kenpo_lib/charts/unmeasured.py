"""Text that the renderer draws without measuring it.

It lays each text out as a picture to learn its width, several times and for more than a millisecond, which is most of what one of our
charts costs. Where no place in a chart depends on the width of its text, the text travels as the description of its mark,
which the renderer writes down as it is, and ``clean`` puts it back. The drawing is the same to the last byte; tests say so of
every kind of chart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def hide_text(specification: dict[str, Any]) -> bool:
    """Move the texts of a Vega specification into the descriptions of their marks, in place, if widths decide nothing in it.

    Args:
        specification: As Vega-Lite compiles it.

    Returns:
        Whether it was done. False where the frame grows with its content, or there is a title, a legend, an axis with a title
        or with labels that give way to each other, or a text that is cut at a width.
    """
    if specification.get("autosize") not in ("none", {"type": "none"}):
        return False
    texts = []
    for group in _list_groups(specification):
        if "title" in group or group.get("legends"):
            return False
        axes = [axis for axis in group.get("axes", ()) if axis.get("labels", True)]
        words = [mark for mark in group.get("marks", ()) if mark["type"] == "text"]
        encodings = [axis.get("encode", {}).get("labels", {}).get("update", {}) for axis in axes]
        encodings += [mark["encode"]["update"] for mark in words]
        if any(map(_depends_on_widths, axes)) or not all(map(_is_movable, encodings)):
            return False
        texts += encodings
    for encoding in texts:
        encoding["description"] = encoding["text"]
        encoding["text"] = {"value": ""}
    return True


def _list_groups(group: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A specification and the groups of marks in it, at any depth."""
    yield group
    for mark in group.get("marks", ()):
        if mark["type"] == "group":
            yield from _list_groups(mark)


def _depends_on_widths(axis: Mapping[str, Any]) -> bool:
    return any(axis.get(name) for name in ("title", "labelOverlap", "labelBound", "labelLimit"))


def _is_movable(encoding: Mapping[str, Any]) -> bool:
    return "text" in encoding and not encoding.keys() & {"limit", "lineBreak", "description"}
