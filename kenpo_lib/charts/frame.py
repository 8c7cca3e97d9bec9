"""Layers in one frame, and their quick way to a specification.

Altair finds out at each layer what kind of data it has, and at each value whether it is a kind of table, array or date. For
charts of plain rows in known types that takes longer than building them; the result is the same.
"""

from __future__ import annotations

import functools
from typing import Any

import altair as alt


class Rows(alt.InlineData):
    """Rows that nobody changes: Altair copies a layer deeply at every step, and its data with it."""

    def __deepcopy__(self, memo: Any) -> Rows:
        return self


class Frame(alt.LayerChart):
    """Layers over ``Rows``."""

    def to_dict(self, validate: bool = True, **options: Any) -> dict[str, Any]:
        """The specification; schema-checked and with shared rows put together by Altair itself, unless ``validate`` is False."""
        if (
            validate or options or self.config is not alt.Undefined
        ):  # a theme and a configuration would have to be merged
            return super().to_dict(validate, **options)
        return {**alt.theme.get()(), "$schema": alt.SCHEMA_URL, **_read(self, {})}


def _read(value: Any, known: dict[int, Any]) -> Any:
    """Objects of Altair → mappings of plain values. ``known`` has those already read: layers share their axes and scales."""
    if isinstance(value, Rows):
        return {"values": value.values}
    if isinstance(value, alt.SchemaBase):
        if id(value) not in known:
            given = {name: content for name, content in value._kwds.items() if content is not alt.Undefined}
            given.pop("_cached_hash", None)  # Altair leaves it in a layer that it has read before
            read = _read_shorthand(given.pop("shorthand", ""), "type" in value._kwds)
            known[id(value)] = read | {name: _read(content, known) for name, content in given.items()}
        return known[id(value)]
    if isinstance(value, dict):
        return {name: _read(content, known) for name, content in value.items()}
    if isinstance(value, list):
        return [_read(content, known) for content in value]
    return value


@functools.cache
def parse_shorthand(shorthand: str) -> dict[str, Any]:
    """Field and type of ``x:Q``, by Altair's own reading, which takes a millisecond or two."""
    return alt.utils.parse_shorthand(shorthand)


def _read_shorthand(shorthand: str, has_type: bool) -> dict[str, Any]:
    """``x:Q`` as field and type; x2 and y2 have the type of x and y."""
    parsed = parse_shorthand(shorthand)
    return dict(parsed) if has_type else {name: part for name, part in parsed.items() if name != "type"}
