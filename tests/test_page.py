"""Nothing active and nothing from elsewhere gets into a page, and a page that has it is not published."""

from __future__ import annotations

import re

import altair as alt
import pandas as pd
import pytest
from attacks import ACTIVE
from bs4 import BeautifulSoup
from hypothesis import example, given
from hypothesis import strategies as st

from kenpo_lib.charts.svg import render_svg
from kenpo_lib.page import CONTENT_SECURITY_POLICY, MAX_PAGE_BYTES, check_page, sanitise
from kenpo_lib.tables import badge, bullet_list, csv_link, data_details, figure, heading, table

# --- what stays -----------------------------------------------------------------------------------------------------

SVG = (
    '<svg viewBox="0 0 10 10" role="img" aria-label="図" class="kenpo-chart" style="max-width:680px" '
    'preserveAspectRatio="xMidYMid meet" xmlns="http://www.w3.org/2000/svg">'
    '<defs><clipPath id="c1"><rect x="0" y="0" width="5" height="5"></rect></clipPath></defs>'
    '<g clip-path="url(#c1)" transform="translate(1,2) rotate(-90)" fill="#123456" stroke-dasharray="4,2">'
    '<path d="M0,0L1,1Z" style="fill:#4c78a8;stroke:none"></path><circle cx="1" cy="1" r="2"></circle>'
    '<text text-anchor="middle" font-size="11px"><tspan x="0" dy="1">宮城</tspan></text><title>点</title></g></svg>'
)
OURS = {
    "table": str(table("表", ["支部", "値"], [["宮城", "68.6%"], ["東京", None]], css="data")),
    "details": str(data_details(["支部"], [["宮城"]], file_name="a.csv", caption="表", lang="ja")),
    "download": str(csv_link(["支部"], [["宮城"]], file_name="a.csv", lang="en")),
    "figure": str(figure("", caption="図", sentence="文。")),
    "heading": str(heading(2, "見出し", anchor="part-1")),
    "badge": str(badge("達成", css="met")),
    "list": str(bullet_list(["a", "b"], css="plain")),
    "svg": SVG,
    "hidden svg": '<svg aria-hidden="true" focusable="false"><line x1="0" y1="0" x2="1" y2="1"></line></svg>',
    "anchor": '<a href="#part-1">目次</a>',
    "sibling": '<a href="2024/kenpo_04_miyagi_FY2024.html">宮城</a>',
    "folded": '<details open=""><summary>開く</summary><p>中身</p></details>',
    "spans": '<table><tbody><tr><td colspan="2" rowspan="3">1</td></tr></tbody></table>',
    "time": '<time datetime="2025-06-10">6月</time>',
    "joiners": "👩‍⚕️ 葛󠄀 𠮷",
}


@pytest.mark.parametrize("markup", OURS.values(), ids=OURS)
def test_sanitise_keeps_what_our_writers_make(markup):
    assert sanitise(markup) == markup


def test_sanitise_keeps_the_whole_of_a_rendered_chart():
    frame = pd.DataFrame({"x": [1, 2, 3], "y": [3.0, 1.0, 2.0], "who": ["宮城", "東京", "大阪"]})
    chart = alt.Chart(frame).mark_line(clip=True).encode(x="x:Q", y="y:Q", color="who:N")
    drawn = render_svg(chart, id_prefix="t", label="線")

    kept = BeautifulSoup(sanitise(drawn), "html.parser")

    before = BeautifulSoup(drawn, "html.parser")
    assert [tag.name for tag in kept.find_all(True)] == [tag.name for tag in before.find_all(True)]
    for tag, original in zip(kept.find_all(True), before.find_all(True), strict=True):
        assert tag.attrs.keys() == original.attrs.keys()


# --- what goes ------------------------------------------------------------------------------------------------------

HARMFUL_TAGS = {
    *(
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "applet",
        "form",
        "input",
        "button",
        "link",
        "base",
        "meta",
        "img",
    ),
    *("video", "audio", "source", "foreignobject", "use", "image", "feimage", "animate", "set", "math", "mglyph"),
    *("template", "noscript", "select", "textarea", "plaintext", "xmp", "body", "html", "head"),
}


def assert_harmless(markup: str) -> None:
    for tag in BeautifulSoup(markup, "html.parser").find_all(True):
        assert tag.name.lower() not in HARMFUL_TAGS, markup
        assert not [name for name in tag.attrs if name.lower().startswith("on")], markup
        assert not {"src", "xlink:href", "action", "formaction", "ping", "target", "background"} & tag.attrs.keys(), (
            markup
        )
        values = {name: str(value) for name, value in tag.attrs.items() if not name.startswith("data-")}
        assert "evil.example" not in " ".join(values.values()), markup
        href = values.get("href", "#x")
        assert re.match(r"#|data:text/csv;charset=utf-8;base64,|[\w/]+\.html$", href), markup


@pytest.mark.parametrize("markup", ACTIVE.values(), ids=ACTIVE)
def test_sanitise_removes_what_is_active_or_from_elsewhere(markup):
    clean = sanitise(f"<p>前</p>{markup}<p>後</p>")

    assert_harmless(clean)
    assert clean.startswith("<p>前</p>")
    assert page_problems(clean) == []


@pytest.mark.parametrize("markup", ACTIVE.values(), ids=ACTIVE)
def test_sanitise_of_harm_in_pieces_is_harmless_again(markup):
    once = sanitise(markup)

    assert sanitise(once) == once


def test_sanitise_keeps_the_text_of_what_it_removes():
    assert sanitise("<marquee>宮城</marquee><font>支部</font>") == "宮城支部"
    assert sanitise("<a href='https://evil.example'>宮城</a>") == "<a>宮城</a>"


def test_sanitise_keeps_style_properties_that_only_paint():
    markup = '<svg><rect style="fill:#fff;position:fixed;content:attr(x);opacity:.5"></rect></svg>'

    assert sanitise(markup) == '<svg><rect style="fill:#fff;opacity:0.5"></rect></svg>'


@pytest.mark.parametrize("words", ["url(https://evil.example)", r"C:\75rl(x)", "expression(1)"])
def test_sanitise_lets_labels_say_anything(words):
    markup = f'<div aria-label="{words}" class="a"><p data-label="{words}" title="{words}">{words}</p></div>'

    assert sanitise(markup) == markup
    assert page_problems(markup) == []


@pytest.mark.parametrize(
    "sign", [*"\u202e\u202a\u2066\u2069\u200b\u200e\u200f\u2060\ufeff\u00ad\x07\x1b\x7f\x85\U000e0001\U000e0041"]
)
def test_sanitise_shows_signs_that_nobody_would_see(sign):
    escape = f"⟨U+{ord(sign):04X}⟩"

    assert sanitise(f"<p>実績{sign}6.86</p>") == f"<p>実績{escape}6.86</p>"
    assert sanitise(f"<p>&#x{ord(sign):x};</p>") in (f"<p>{escape}</p>", "<p>…</p>")
    assert sanitise(f'<p title="a{sign}b">x</p>') == f'<p title="a{escape}b">x</p>'


def test_sanitise_leaves_line_breaks_and_wide_signs_alone():
    for text in ("a\n\tb", "𠮷野家", "葛\U000e0100城", "👨‍👩‍👧", "①㈱髙～－", "１．２"):
        assert sanitise(text) == text


fragments = st.sampled_from([*ACTIVE.values(), *OURS.values()])
pieces = st.lists(
    st.one_of(
        fragments,
        st.text(max_size=8),
        st.sampled_from(
            [*"<>\"'=/&;\\ \u202e", "</", "<svg>", "</svg>", "<style>", "<math>", "<table>", "<td>", "<title>"]
        ),
        st.builds(
            lambda text, start, length: text[start : start + length], fragments, st.integers(0, 60), st.integers(1, 60)
        ),
    ),
    max_size=8,
).map("".join)


@given(pieces)
@example('<svg><rect style="fill:url(#a)"/></svg>')
@example("<svg><rect style='fill:\u200bred' fill='\u200burl(#a)'/></svg>")
def test_sanitise_twice_is_sanitise_once_and_both_are_harmless(markup):
    clean = sanitise(markup)

    assert sanitise(clean) == clean
    assert_harmless(clean)
    assert page_problems(clean) == []


# --- the check ------------------------------------------------------------------------------------------------------

HEAD = (
    '<meta charset="utf-8">'
    f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">'
    "<title>kenpo</title><style>p { color: #123; } h1::before { content: '\\25B2'; } a { fill: url(#x); }</style>"
)


def page(body: str = "", *, head: str = HEAD, html: str = '<html lang="ja">') -> str:
    return f"<!doctype html>\n{html}<head>{head}</head><body><h1>宮城支部</h1>{body}</body></html>\n"


def page_problems(body: str) -> list[str]:
    """What the check has against a part of a page, apart from the rules on whole pages."""
    whole = ("link to nowhere", "<h1>", "ids used twice", "without label", "without caption")
    return [problem for problem in check_page(page(body)) if not any(words in problem for words in whole)]


def test_content_security_policy_forbids_all_but_inline_styles_and_images_in_the_page():
    directives = dict(part.split(maxsplit=1) for part in CONTENT_SECURITY_POLICY.split("; "))

    assert directives == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "form-action": "'none'",
        "base-uri": "'none'",
    }


def test_check_page_is_silent_for_a_good_page():
    body = "".join(markup for name, markup in OURS.items() if name != "spans")

    assert check_page(page(body)) == []


BAD_BODIES = {
    "script": ("<script></script>", "<script> is not allowed"),
    "iframe": ("<iframe></iframe>", "<iframe> is not allowed"),
    "image": ('<img alt="">', "<img> is not allowed"),
    "form": ("<form></form>", "<form> is not allowed"),
    "input": ("<input>", "<input> is not allowed"),
    "link": ('<link rel="x">', "<link> is not allowed"),
    "base": ("<base>", "<base> is not allowed"),
    "object": ("<object></object>", "<object> is not allowed"),
    "embed": ("<embed>", "<embed> is not allowed"),
    "template": ("<template></template>", "<template> is not allowed"),
    "math": ("<math></math>", "<math> is not allowed"),
    "svg use": ('<svg aria-hidden="true"><use></use></svg>', "<use> is not allowed"),
    "svg image": ('<svg aria-hidden="true"><image></image></svg>', "<image> is not allowed"),
    "svg foreignObject": ('<svg aria-hidden="true"><foreignObject></foreignObject></svg>', "<foreignobject> is not"),
    "svg animate": ('<svg aria-hidden="true"><animateMotion></animateMotion></svg>', "<animatemotion> is not allowed"),
    "handler": ('<p onclick="x">x</p>', "<p onclick> is not allowed"),
    "handler in capitals": ("<p OnClick=x>x</p>", "<p onclick> is not allowed"),
    "script link": ('<a href="javascript:alert(1)">x</a>', "<a href=…> leads elsewhere: javascript:"),
    "external link": ('<a href="https://evil.example">x</a>', "<a href=…> leads elsewhere: https:"),
    "page as data": ('<a href="data:text/html,x">x</a>', "<a href=…> leads elsewhere: data:text/html"),
    "first of two links": ('<a href="https://evil.example" href="#x" id="x">x</a>', "<a href=…> leads elsewhere"),
    "svg link": ('<svg aria-hidden="true"><a xlink:href="//e"></a></svg>', "<a xlink:href=…> leads elsewhere"),
    "background": ('<p background="//evil.example">x</p>', "<p background=…> leads elsewhere"),
    "ping": ('<a ping="//evil.example" href="#x" id="x">x</a>', "<a ping=…> leads elsewhere"),
    "refresh": ('<meta http-equiv="Refresh" content="0;url=//e">', "<meta http-equiv=refresh> leads elsewhere"),
    "style": ('<p style="background:url(//e)">x</p>', "<p style> fetches something"),
    "style in escapes": (r'<p style="background:u\72l(//e)">x</p>', "<p style> fetches something"),
    "fill": ('<svg aria-hidden="true"><g fill="url(//e)"></g></svg>', "<g fill> fetches something"),
    "style sheet": ("<style>p{background:url(//e)}</style>", "a style sheet that fetches"),
    "style sheet with import": ("<style>@import '//e';</style>", "a style sheet that fetches"),
    "style sheet in escapes": (r"<style>@\69mport '//e';</style>", "a style sheet that fetches"),
    "second h1": ("<h1>x</h1>", "2 <h1> instead of one"),
    "doubled id": ('<p id="a">x</p><p id="a">x</p>', "ids used twice: ['a']"),
    "link to nowhere": ('<a href="#gone">x</a>', "link to nowhere: #gone"),
    "svg without label": ("<svg></svg>", "an <svg> without label"),
    "svg with role only": ('<svg role="img"></svg>', "an <svg> without label"),
    "svg with label only": ('<svg aria-label="x"></svg>', "an <svg> without label"),
    "svg with empty label": ('<svg role="img" aria-label=""></svg>', "an <svg> without label"),
    "table without caption": ("<table></table>", "a <table> without caption"),
}


@pytest.mark.parametrize(("body", "problem"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_check_page_names_each_fault_of_a_body(body, problem):
    (found,) = check_page(page(body))

    assert problem in found


POLICY = f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">'
BAD_PAGES = {
    "no doctype": (page().removeprefix("<!doctype html>\n"), "no <!doctype html>"),
    "no language": (page(html="<html>"), "no language on <html>"),
    "empty language": (page(html='<html lang="">'), "no language on <html>"),
    "no policy": (page(head="<title>x</title>"), "no content security policy"),
    "another policy": (page(head=HEAD.replace("default-src 'none'", "default-src *")), "no content security policy"),
    "policy in the body": (page(POLICY, head="<title>x</title>"), "no content security policy"),
    "no h1": (page().replace("h1>", "h2>"), "0 <h1> instead of one"),
    "too large": (page("x" * MAX_PAGE_BYTES), f"more than {MAX_PAGE_BYTES}"),
    "too large in bytes": (page("宮" * (MAX_PAGE_BYTES // 3)), f"more than {MAX_PAGE_BYTES}"),
}


@pytest.mark.parametrize(("html", "problem"), BAD_PAGES.values(), ids=BAD_PAGES)
def test_check_page_names_each_fault_of_a_page(html, problem):
    (found,) = check_page(html)

    assert problem in found


def test_check_page_names_all_faults_together():
    problems = check_page('<p onclick="x"><script></script>')

    assert len(problems) == 6


def test_check_page_takes_a_page_of_exactly_the_greatest_size():
    size = len(page().encode())

    assert check_page(page(), max_bytes=size) == []
    assert len(check_page(page(), max_bytes=size - 1)) == 1


# What a browser shows as text, drops, or has not obeyed for many years.
SHOWN_AS_TEXT = (
    "script in two",
    "behaviour",
    "mXSS title",
    "mXSS desc",
    "mXSS comment",
    "cdata",
    "processing instruction",
)


@pytest.mark.parametrize("name", [name for name in ACTIVE if name not in (*SHOWN_AS_TEXT, "xmp")])
def test_check_page_is_a_second_wall_behind_the_sanitiser(name):
    assert check_page(page(ACTIVE[name])) != []
