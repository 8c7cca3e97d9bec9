"""Vega-Lite → Vega, compiled once per shape of chart instead of once per chart.

Compiling takes about as long as drawing, and hundreds of charts in a batch differ only in their data, texts, domains and places.
A specification is therefore taken apart: its shape, in which each of these is a hole, is compiled, and later ones of the same
shape are filled into what came out. A shape is trusted only if filling its first specification gives what compiling it gives.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kenpo_lib.charts.shape import is_number
from kenpo_lib.charts.unmeasured import hide_text

_SHAPES = 256  # remembered by a process
# Numbers and texts that no chart has; a hole's number is added. They are data to the compiler, as what they stand for would be.
_BASE = 918_273_000_000
_SIGN = "\uf8ff"
_HOLE = re.compile(f'"{_SIGN}([0-9]+){_SIGN}"')
_PLACES = frozenset(("x", "y", "x2", "y2", "dx", "dy", "width", "height", "left", "right", "top", "bottom", "value"))


class _Pattern(NamedTuple):
    """The Vega of a shape as JSON, cut at its holes: ``texts[0]``, hole ``holes[0]``, ``texts[1]`` …"""

    texts: tuple[str, ...]
    holes: tuple[int, ...]

    def fill(self, contents: Sequence[Any]) -> dict[str, Any]:
        written = [json.dumps(content) for content in contents]
        pieces = [self.texts[0]]
        for hole, text in zip(self.holes, self.texts[1:], strict=True):
            pieces += (written[hole], text)
        return json.loads("".join(pieces))


_patterns: dict[str, _Pattern | None] = {}


def compile_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """The Vega specification of one in Vega-Lite, its texts hidden from measuring where they may be (``unmeasured``).

    Marks are not announced one by one: the label of a chart says what they show.
    """
    taker = _Taker()
    shape = json.dumps(taker.take(spec))
    if shape not in _patterns:
        if len(_patterns) >= _SHAPES:
            _patterns.clear()
        _patterns[shape] = _make_pattern(json.loads(shape), spec, taker.contents)
    pattern = _patterns[shape]
    return _compile(spec) if pattern is None else pattern.fill(taker.contents)


def _compile(spec: Mapping[str, Any]) -> dict[str, Any]:
    # Imported here: its threads do not survive a fork, and the processes that build charts are forked.
    import vl_convert

    compiled = vl_convert.vegalite_to_vega(spec, config={"aria": False})
    hide_text(compiled)
    return compiled


class _Taker:
    """Takes specifications apart.

    Attributes:
        contents: What belongs into each hole.
    """

    def __init__(self) -> None:
        self.contents: list[Any] = []
        self._shared: dict[str, int] = {}

    def take(self, node: Any, name: str = "", parent: str = "") -> Any:
        """The shape: the specification with holes."""
        if isinstance(node, dict):
            return {key: self.take(child, key, name) for key, child in node.items()}
        if isinstance(node, list):
            if name == "values" and node:  # rows of data, or the ticks of an axis
                hole = self._share(name, node)
                return [{"hole": _BASE + hole}] if parent == "data" else [_BASE + hole]
            return [self._take_end(child) if name == "domain" else self.take(child) for child in node]
        if name == "labelExpr":
            return f"{_SIGN}{self._share(name, node)}{_SIGN}"
        if name == "text" and isinstance(node, str) and node:
            return f"{_SIGN}{self._add(node)}{_SIGN}"
        if name in _PLACES and is_number(node) and node:
            return math.copysign(1, node) * (_BASE + self._add(node))
        return node

    def _take_end(self, end: Any) -> Any:
        # Vega-Lite looks whether zero lies in a domain, and whether those of two layers are the same.
        return math.copysign(1, end) * (_BASE + self._share("end", end)) if is_number(end) and end else end

    def _share(self, kind: str, content: Any) -> int:
        """The hole of equal contents is the same, since the compiler brings them together."""
        key = kind + json.dumps(content)
        if key not in self._shared:
            self._shared[key] = self._add(content)
        return self._shared[key]

    def _add(self, content: Any) -> int:
        self.contents.append(content)
        return len(self.contents) - 1


def _make_pattern(shape: Mapping[str, Any], spec: Mapping[str, Any], contents: Sequence[Any]) -> _Pattern | None:
    """The pattern of a shape; None where filling it would not be the same as compiling."""
    text = json.dumps(_mark_holes(_compile(shape), contents), ensure_ascii=False)
    pattern = _Pattern(tuple(_HOLE.split(text)[::2]), tuple(map(int, _HOLE.findall(text))))
    is_whole = set(pattern.holes) == set(range(len(contents)))
    # A hole that became part of something else, or was reckoned with.
    is_clean = not any(_SIGN in part or str(_BASE)[:6] in part for part in pattern.texts)
    if is_whole and is_clean and _are_same(pattern.fill(contents), _compile(spec)):
        return pattern
    return None


def _mark_holes(node: Any, contents: Sequence[Any]) -> Any:
    """Compiled Vega with every hole as the text that ``_HOLE`` finds."""
    if isinstance(node, dict):
        return {key: _mark_holes(child, contents) for key, child in node.items()}
    if isinstance(node, list):
        only = node[0] if len(node) == 1 else None
        hole = _read_hole(only["hole"] if isinstance(only, dict) and only.keys() == {"hole"} else only, contents)
        if hole is not None and isinstance(contents[hole], list):
            return f"{_SIGN}{hole}{_SIGN}"
        return [_mark_holes(child, contents) for child in node]
    hole = _read_hole(node, contents)
    return node if hole is None else f"{_SIGN}{hole}{_SIGN}"


def _read_hole(node: Any, contents: Sequence[Any]) -> int | None:
    """The number of the hole that a number stands for."""
    hole = abs(node) - _BASE if is_number(node) else -1
    return int(hole) if 0 <= hole < len(contents) and hole == int(hole) else None


def _are_same(one: Any, other: Any) -> bool:
    """Whether two specifications are, but for the last digit of a number, which the renderer's reader of JSON rounds."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_are_same(content, other[name]) for name, content in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_are_same, one, other))
    if is_number(one) and is_number(other):
        return math.isclose(one, other, rel_tol=1e-14)
    return type(one) is type(other) and one == other
