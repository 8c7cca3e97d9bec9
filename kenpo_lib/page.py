"""The finished page: sanitise what goes in, check what comes out. Nothing active, nothing from elsewhere.

The allow-list is short on purpose: tables, text, inline SVG, folded details and CSV downloads. A page that fails the check
is not published.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

import nh3
from selectolax.lexbor import LexborHTMLParser, LexborNode

from kenpo_lib.normalise import name_sign

MAX_PAGE_BYTES = 1_000_000
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"
)

_HTML_TAGS = {
    *("a", "abbr", "b", "br", "caption", "code", "col", "colgroup", "dd", "details", "div", "dl", "dt", "em"),
    *("figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "header", "li", "nav", "ol", "p", "section", "small"),
    *("span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "ul"),
}
_SVG_TAGS = {
    *("svg", "g", "path", "rect", "circle", "line", "polyline", "polygon", "text", "tspan", "title", "desc"),
    *("clipPath", "defs"),
}
_SVG_ATTRIBUTES = {
    *("d", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry", "width", "height", "points"),
    *("viewBox", "preserveAspectRatio", "transform", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width"),
    *("stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "opacity"),
    *("clip-path", "font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline"),
    *("style", "xmlns", "version", "focusable"),
}
_COMMON = {"class", "id", "role", "aria-label", "aria-hidden", "aria-labelledby", "aria-describedby", "lang", "title"}
_ATTRIBUTES = {
    "*": _COMMON,
    "a": {"href", "download"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope", "abbr"},
    "col": {"span"},
    "div": {"tabindex"},
    "details": {"open"},
    "time": {"datetime"},
    **dict.fromkeys(_SVG_TAGS, _SVG_ATTRIBUTES),
}
_STYLE_PROPERTIES = {
    *("fill", "stroke", "opacity", "fill-opacity", "stroke-width", "stroke-dasharray", "font-weight"),
    *("font-size", "font-family", "text-anchor", "max-width", "width", "height", "pointer-events"),
}
# A link may lead within the page, to a sibling report, or carry a CSV; nothing else.
_LINK = re.compile(
    r"#[\w-]+|data:text/csv;charset=utf-8;base64,[A-Za-z0-9+/=]+|(?:[0-9]{4}/)?(?:errors/)?[a-z0-9_]+\.html",
    re.IGNORECASE,
)
_PLAIN_ATTRIBUTES = _COMMON | {"href", "download", "abbr", "datetime"}  # words and links: no style sheet reads them
_CSS_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.IGNORECASE | re.DOTALL)
_CSS_FETCH = re.compile(
    r"@import|url\((?!\s*[\"']?#)|\bsrc\(|image(?:-set)?\(|cross-fade\(|element\(|expression\(", re.IGNORECASE
)
# Signs that show nothing and reorder or hide what stands beside them: controls, direction marks, zero-width signs. The two
# joiners stay, emoji are made with them. The tags of U+E0000 spell whole texts.
_HIDDEN = frozenset(
    sign
    for sign in map(chr, (*range(0x10000), *range(0xE0000, 0xE0080)))
    if unicodedata.category(sign) in ("Cc", "Cf") and sign not in "\t\n\r\u200c\u200d"
)
_UNSEEN = re.compile(f"[{re.escape(''.join(sorted(_HIDDEN)))}]")


def sanitise(html: str) -> str:
    """Keep only allow-listed elements and attributes. Text stays, scripts and what could fetch something go.

    Signs that nobody sees, such as those that turn the direction of text, become visible: ``⟨U+202E⟩``.
    """
    return reveal(keep_allowed(html))


def keep_allowed(html: str) -> str:
    """As ``sanitise``, but for the signs that nobody sees."""
    return nh3.clean(
        html,
        tags=_HTML_TAGS | _SVG_TAGS,
        clean_content_tags={"script", "style", "iframe", "object", "embed", "template", "noscript"},
        attributes=_ATTRIBUTES,
        attribute_filter=_filter_attribute,
        generic_attribute_prefixes={"data-"},
        url_schemes={"data"},
        link_rel=None,
        filter_style_properties=_STYLE_PROPERTIES,
    )


def reveal(html: str) -> str:
    """Markup in which signs that nobody sees are written out."""
    if _HIDDEN.isdisjoint(set(html)):  # as nearly all are; the pattern takes ten times as long to say so
        return html
    return _UNSEEN.sub(lambda match: name_sign(match[0]), html)


def _filter_attribute(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "href" and not _LINK.fullmatch(value):
        return None
    if not _is_plain(attribute) and (_fetches(value) or _UNSEEN.search(value)):
        return None
    return value


def _is_plain(attribute: str) -> bool:
    return attribute in _PLAIN_ATTRIBUTES or attribute.startswith("data-")


def _fetches(css: str) -> bool:
    """True if a style sheet or a style value may ask for something outside the page, also in escaped spelling."""
    return bool(_CSS_FETCH.search(_CSS_ESCAPE.sub(_read_escape, css) if "\\" in css else css))


def _read_escape(escape: re.Match[str]) -> str:
    return chr(min(int(escape[1], 16), 0x10FFFF)) if escape[1] else escape[2]


def check_page(html: str, *, max_bytes: int = MAX_PAGE_BYTES) -> list[str]:
    """Everything that keeps a finished page from being published; empty for a good one.

    The page is read by the rules of HTML5, as browsers do, and by another parser than the one that sanitises.
    """
    problems = []
    size = len(html.encode("utf-8"))
    if size > max_bytes:
        problems.append(f"{size} bytes, more than {max_bytes}")
    if not html.lower().lstrip().startswith("<!doctype html>"):
        problems.append("no <!doctype html>")
    page = LexborHTMLParser(html)
    ids: Counter[str] = Counter()
    anchors: list[str] = []
    for element in page.css("*"):
        tag, attributes = element.tag.lower(), element.attributes
        if tag in _FORBIDDEN:
            problems.append(f"<{tag}> is not allowed")
        if attributes:
            problems += _check_attributes(tag, attributes)
            if "id" in attributes:
                ids[attributes["id"] or ""] += 1
            if tag == "a" and (attributes.get("href") or "").startswith("#"):
                anchors.append(attributes["href"][1:])
    problems += ["a style sheet that fetches" for style in page.css("style") if _fetches(style.text())]
    problems += _check_head(page)
    headings = len(page.css("h1"))
    if headings != 1:
        problems.append(f"{headings} <h1> instead of one")
    doubled = [identity for identity, count in ids.items() if count > 1]
    if doubled:
        problems.append(f"ids used twice: {doubled[:5]}")
    problems += [f"link to nowhere: #{anchor}" for anchor in anchors if anchor not in ids]
    problems += ["an <svg> without label" for picture in page.css("svg") if not _is_labelled(picture.attributes)]
    problems += ["a <table> without caption" for table in page.css("table") if not _has_caption(table)]
    return problems


def _check_head(page: LexborHTMLParser) -> list[str]:
    problems = []
    if not page.root.attributes.get("lang"):
        problems.append("no language on <html>")
    orders = [(order.attributes["http-equiv"] or "").lower() for order in page.css("meta[http-equiv]")]
    if "refresh" in orders:
        problems.append("<meta http-equiv=refresh> leads elsewhere")
    policies = [
        order.attributes.get("content")
        for order in page.css("head meta[http-equiv]")
        if (order.attributes["http-equiv"] or "").lower() == "content-security-policy"
    ]
    if policies[:1] != [CONTENT_SECURITY_POLICY]:
        problems.append("no content security policy")
    return problems


def _is_labelled(attributes: Mapping[str, str | None]) -> bool:
    is_named = attributes.get("role") == "img" and attributes.get("aria-label")
    return bool(is_named) or attributes.get("aria-hidden") == "true"


def _has_caption(table: LexborNode) -> bool:
    return any(child.tag == "caption" for child in table.iter())


_FORBIDDEN = {
    *("script", "iframe", "object", "embed", "link", "img", "image", "use", "foreignobject", "form", "input", "button"),
    *("video", "audio", "source", "base", "animate", "animatemotion", "animatetransform", "set", "feimage"),
    *("math", "template", "noscript", "frame", "frameset", "portal", "select", "textarea"),
    *("plaintext", "xmp", "listing"),  # what follows would be shown as it is written
}
_LINKING = {"href", "src", "xlink:href", "srcset", "action", "formaction", "background", "ping", "poster", "data"}


def _check_attributes(tag: str, attributes: Mapping[str, str | None]) -> list[str]:
    problems = []
    for name, value in attributes.items():
        if name.startswith("on"):
            problems.append(f"<{tag} {name}> is not allowed")
        if name in _LINKING and not _LINK.fullmatch(value or ""):
            problems.append(f"<{tag} {name}=…> leads elsewhere: {(value or '')[:60]}")
        if value and not _is_plain(name) and _fetches(value):
            problems.append(f"<{tag} {name}> fetches something")
    return problems
