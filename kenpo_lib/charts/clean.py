"""SVG as the renderer writes it → a small inline element without script, link or name that could clash."""

from __future__ import annotations

import functools
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping

SVG_NAMESPACE = "http://www.w3.org/2000/svg"
CHART_CLASS = "kenpo-chart"

_ENDS = frozenset(("x1", "y1", "x2", "y2"))
_GEOMETRY = _ENDS | {"d", "transform", "x", "y", "width", "height", "r", "cx", "cy", "points"}
_DROPPED = frozenset(("class", "role", "pointer-events", "font-family", "version"))
_FRACTION = re.compile(r"-?\d*\.\d+(?:[eE][-+]?\d+)?|-?\d+[eE][-+]?\d+")
_LOCAL_REFERENCE = re.compile(r"url\(['\"]?#([^)'\"]+)['\"]?\)")
_CIRCLE = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0Z?")
_TRANSLATION = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_CONTROLS_IN_JSON = re.compile(r'(\\["\\/nrt]|\\u(?!00[01]))|\\(?:[bf]|u00[01][0-9a-f])|[\ufffe\uffff]')
_PERHAPS_CONTROLS = ("\\b", "\\f", "\\u00", "\ufffe", "\uffff")  # looked for first, in a tenth of the time
# What the renderer takes from the ends of a text: white space as JavaScript has it.
_TRIMMED = " \t\n\v\f\r\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
_ALLOWED_TAGS = frozenset(
    (
        "svg",
        "g",
        "path",
        "line",
        "rect",
        "circle",
        "text",
        "tspan",
        "defs",
        "clipPath",
        "linearGradient",
        "stop",
        "title",
    )
)
# Inherited by the children of a group, so that one attribute on the group does for all of them.
_INHERITED = (
    *("fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin"),
    *("font-size", "font-weight", "text-anchor", "fill-opacity", "stroke-opacity"),
)


class UnsafeChartError(ValueError):
    """A chart that would load something, link somewhere or run something."""


def drop_controls(specification: str) -> str:
    """A specification as JSON without the signs that XML cannot hold; the renderer would end its process at the first of them."""
    if not any(sign in specification for sign in _PERHAPS_CONTROLS):
        return specification
    return _CONTROLS_IN_JSON.sub(lambda match: match[1] or "", specification)


def clean_svg(drawn: str, *, id_prefix: str, label: str, description: str, scale_up: float) -> str:
    """The element for a page; see ``svg.render_svg``.

    Raises:
        UnsafeChartError: A link, or an element that is not a plain mark.
    """
    root = ET.fromstring(_CONTROLS.sub("", drawn))
    # The renderer numbers its ids through the life of the process; here they count from 1 in every chart.
    given = [element.get("id") for element in root.iter() if element.get("id")]
    ids = {identity: f"{id_prefix}-{number}" for number, identity in enumerate(dict.fromkeys(given), start=1)}
    for element in root.iter():
        _clean_element(element, ids)
    _simplify(root)
    return _write_element(root, label=label, description=description, scale_up=scale_up)


def _clean_element(element: ET.Element, ids: Mapping[str, str]) -> None:
    element.tag = element.tag.removeprefix(f"{{{SVG_NAMESPACE}}}")
    if element.tag not in _ALLOWED_TAGS:
        raise UnsafeChartError(f"the chart contains <{element.tag}>")
    given = element.attrib
    if element.tag == "text" and not element.text:
        element.text = given.get("aria-label", "").strip(_TRIMMED)  # see `unmeasured`
    kept = {}
    for name, value in given.items():
        if name in _DROPPED or name.startswith("aria-"):
            continue
        if name in _GEOMETRY:
            kept[name] = _round_all(value)
        elif name.startswith(("{", "on")) or name in ("href", "style"):
            raise UnsafeChartError(f"the chart contains the attribute {name}={value!r}")
        elif name == "id":
            kept[name] = ids[value]
        elif name == "font-size":
            kept[name] = value.removesuffix("px")
        elif "url(" in value:
            local = _LOCAL_REFERENCE.fullmatch(value)
            if local is None or local[1] not in ids:
                raise UnsafeChartError(f"the chart contains the reference {value!r}")
            kept[name] = f"url(#{ids[local[1]]})"
        elif value != "1" or not name.endswith("opacity"):
            kept[name] = value
    if kept.get("transform") in ("translate(0,0)", ""):
        del kept["transform"]
    if element.tag == "line":
        kept = {name: value for name, value in kept.items() if value != "0" or name not in _ENDS}
    given.clear()
    given.update(kept)
    if element.tag == "path":
        _shorten_circle(element)


def _shorten_circle(element: ET.Element) -> None:
    """Vega draws a dot as a path of two arcs; the element for it is a third as long, and there are 47 of them."""
    arcs = _CIRCLE.fullmatch(element.get("d", ""))
    place = _TRANSLATION.fullmatch(element.get("transform", "translate(0,0)"))
    if arcs is None or place is None:
        return
    del element.attrib["d"]
    element.attrib.pop("transform", None)
    element.tag = "circle"
    element.attrib.update({"cx": place[1], "cy": place[2], "r": arcs[1]})


@functools.lru_cache(maxsize=4096)  # ticks, widths and rows of charts come again and again
def _round_all(value: str) -> str:
    return _FRACTION.sub(_round_match, value)


def _round_match(match: re.Match[str]) -> str:
    """A tenth of a pixel is finer than any screen shows; radii of dots need a second digit."""
    number = float(match[0])
    text = f"{number:.2f}" if abs(number) < 10 else f"{number:.1f}"
    text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _simplify(parent: ET.Element) -> None:
    """Drop what draws nothing, say once what all children say, unwrap groups that say nothing any more."""
    for child in parent:
        _simplify(child)
    parent[:] = [child for child in parent if not _draws_nothing(child)]
    if parent.tag != "g":
        return
    for name in _INHERITED:
        value = parent[0].get(name) if len(parent) else None
        if value is not None and all(child.get(name) == value for child in parent):
            parent.set(name, value)
            for child in parent:
                del child.attrib[name]
    parent[:] = [
        grandchild for child in parent for grandchild in (child if child.tag == "g" and not child.attrib else (child,))
    ]
    if len(parent) == 1 and parent[0].tag == "g" and parent[0].attrib.keys() <= set(_INHERITED):
        only = parent[0]
        parent.attrib.update(only.attrib)
        parent[:] = list(only)


def _draws_nothing(element: ET.Element) -> bool:
    if element.get("display") == "none":
        return True
    if element.tag in ("g", "defs"):
        return len(element) == 0
    if element.tag == "path":
        unpainted = "fill" not in element.attrib and "stroke" not in element.attrib
        return element.get("d", "") in ("", "M0,0h0v0h0Z") or (unpainted and element.get("d", "").endswith("Z"))
    return element.tag == "text" and not (element.text or "").strip() and len(element) == 0


def _write_element(root: ET.Element, *, label: str, description: str, scale_up: float) -> str:
    width = float(root.get("width", "0"))
    view_box = root.get("viewBox", "")
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": SVG_NAMESPACE,
            "class": CHART_CLASS,
            "viewBox": view_box,
            "width": "100%",
            "style": f"max-width:{width * scale_up:.0f}px",
            "role": "img",
            "aria-label": _CONTROLS.sub("", label),
        }
    )
    if description:
        element = ET.Element("desc")
        element.text = _CONTROLS.sub("", description)
        root.insert(0, element)
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)  # as HTML is written
