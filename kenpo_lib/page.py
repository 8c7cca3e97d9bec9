"""The finished page: sanitise what goes in, check what comes out. Nothing active, nothing from elsewhere.

The allow-list is short on purpose: tables, text, inline SVG, folded details and CSV downloads. A page that fails the check
is not published.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import nh3
from bs4 import BeautifulSoup, Tag

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
    r"#[\w-]+|data:text/csv;charset=utf-8;base64,[A-Za-z0-9+/=]+|(?:[0-9]{4}/)?[a-z0-9_]+\.html", re.IGNORECASE
)
_PLAIN_ATTRIBUTES = _COMMON | {"href", "download", "abbr", "datetime"}  # words and links: no style sheet reads them
_CSS_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.IGNORECASE | re.DOTALL)
_CSS_FETCH = re.compile(
    r"@import|url\((?!\s*[\"']?#)|\bsrc\(|image(?:-set)?\(|cross-fade\(|element\(|expression\(", re.IGNORECASE
)
# Signs that show nothing and reorder or hide what stands beside them: controls, direction marks, zero-width signs. The two
# joiners stay, emoji are made with them.
_UNSEEN = {
    code: f"⟨U+{code:04X}⟩"
    for code in range(0x10000)
    if unicodedata.category(chr(code)) in ("Cc", "Cf") and chr(code) not in "\t\n\r\u200c\u200d"
}


def sanitise(html: str) -> str:
    """Keep only allow-listed elements and attributes. Text stays, scripts and what could fetch something go.

    Signs that nobody sees, such as those that turn the direction of text, become visible: ``⟨U+202E⟩``.
    """
    clean = nh3.clean(
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
    return clean.translate(_UNSEEN)


def _filter_attribute(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "href" and not _LINK.fullmatch(value):
        return None
    if not _is_plain(attribute) and (_fetches(value) or any(ord(character) in _UNSEEN for character in value)):
        return None
    return value


def _is_plain(attribute: str) -> bool:
    return attribute in _PLAIN_ATTRIBUTES or attribute.startswith("data-")


def _fetches(css: str) -> bool:
    """True if a style sheet or a style value may ask for something outside the page, also in escaped spelling."""
    return bool(_CSS_FETCH.search(_CSS_ESCAPE.sub(_read_escape, css)))


def _read_escape(escape: re.Match[str]) -> str:
    return chr(min(int(escape[1], 16), 0x10FFFF)) if escape[1] else escape[2]


def check_page(html: str, *, max_bytes: int = MAX_PAGE_BYTES) -> list[str]:
    """Everything that keeps a finished page from being published; empty for a good one."""
    problems = []
    size = len(html.encode("utf-8"))
    if size > max_bytes:
        problems.append(f"{size} bytes, more than {max_bytes}")
    soup = BeautifulSoup(html, "html.parser", on_duplicate_attribute="ignore")  # the first one counts, as in browsers
    for tag in soup.find_all(True):
        problems += _check_element(tag)
    if not html.lower().lstrip().startswith("<!doctype html>"):
        problems.append("no <!doctype html>")
    root = soup.find("html")
    if not (isinstance(root, Tag) and root.get("lang")):
        problems.append("no language on <html>")
    policy = soup.select_one('html > head > meta[http-equiv="Content-Security-Policy"]')
    if policy is None or policy.get("content") != CONTENT_SECURITY_POLICY:
        problems.append("no content security policy")
    if len(soup.find_all("h1")) != 1:
        problems.append(f"{len(soup.find_all('h1'))} <h1> instead of one")
    doubled = [identity for identity, count in Counter(t["id"] for t in soup.find_all(id=True)).items() if count > 1]
    if doubled:
        problems.append(f"ids used twice: {doubled[:5]}")
    anchors = {tag["id"] for tag in soup.find_all(id=True)}
    for link in soup.find_all("a", href=re.compile("^#")):
        if link["href"][1:] not in anchors:
            problems.append(f"link to nowhere: {link['href']}")
    for graphic in soup.find_all("svg"):
        if not (graphic.get("role") == "img" and graphic.get("aria-label")) and graphic.get("aria-hidden") != "true":
            problems.append("an <svg> without label")
    for grid in soup.find_all("table"):
        if grid.find("caption") is None:
            problems.append("a <table> without caption")
    return problems


_FORBIDDEN = {
    *("script", "iframe", "object", "embed", "link", "img", "image", "use", "foreignobject", "form", "input", "button"),
    *("video", "audio", "source", "base", "animate", "animatemotion", "animatetransform", "set", "feimage"),
    *("math", "template", "noscript", "frame", "frameset", "portal", "select", "textarea"),
}
_LINKING = {"href", "src", "xlink:href", "srcset", "action", "formaction", "background", "ping", "poster", "data"}


def _check_element(tag: Tag) -> list[str]:
    problems = []
    if tag.name.lower() in _FORBIDDEN:
        problems.append(f"<{tag.name}> is not allowed")
    if tag.name == "style" and _fetches(tag.get_text()):
        problems.append("a style sheet that fetches")
    if tag.name == "meta" and str(tag.get("http-equiv", "")).lower() == "refresh":
        problems.append("<meta http-equiv=refresh> leads elsewhere")
    for name, value in tag.attrs.items():
        text = " ".join(value) if isinstance(value, list) else str(value)
        if name.lower().startswith("on"):
            problems.append(f"<{tag.name} {name}> is not allowed")
        if name.lower() in _LINKING and not _LINK.fullmatch(text):
            problems.append(f"<{tag.name} {name}=…> leads elsewhere: {text[:60]}")
        if not _is_plain(name.lower()) and _fetches(text):
            problems.append(f"<{tag.name} {name}> fetches something")
    return problems
