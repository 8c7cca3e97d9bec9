"""The finished pages in a real browser with the network blocked: nothing is fetched, nothing runs, nothing is cut off."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import open_page
from playwright.sync_api import Browser

from kenpo_lib.batch.paths import Paths

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("report")]
PAGES = {
    "many KPIs": "2024/kenpo_04_miyagi_FY2024.html",
    "interim": "2024/kenpo_13_tokyo_FY2024.html",
    "few KPIs": "2024/kenpo_47_okinawa_FY2024.html",
    "overview": "2024/kenpo_00_national_FY2024.html",
    "index": "index.html",
}

_SIZES = """selector => [...document.querySelectorAll(selector)]
  .map(text => parseFloat(getComputedStyle(text).fontSize) * text.closest('svg').getScreenCTM().a)"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [1280, 640, 390])  # 640: as 1280 at a zoom of 200 %
def test_page_fetches_nothing_says_nothing_and_fits_its_width(
    browser: Browser, published: Paths, name: str, width: int
):
    page, requests, messages = open_page(browser, published.reports / PAGES[name], width=width)

    assert requests == []
    assert messages == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("width", [1280, 640, 390])
def test_names_on_maps_can_be_read(browser: Browser, published: Paths, english_reports: Path, lang: str, width: int):
    page_of = {
        "ja": published.reports / PAGES["overview"],
        "en": english_reports / "2024" / "kenpo_00_national_FY2024_en.html",
    }
    page, _, _ = open_page(browser, page_of[lang], width=width)

    sizes = page.evaluate(_SIZES, ".scroll.map svg text")

    assert len(sizes) > 47
    assert min(sizes) >= 7.5  # pixels
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_complete_without_javascript(browser: Browser, published: Paths, name: str):
    page, _, _ = open_page(browser, published.reports / PAGES[name], width=1280, java_script_enabled=False)

    assert page.locator("h1").count() == 1
    assert page.locator("h1").is_visible()
    assert page.locator("table").first.is_visible()
    page.context.close()


def test_content_security_policy_stops_what_slips_through(browser: Browser, published: Paths, tmp_path: Path):
    html = (published.reports / PAGES["few KPIs"]).read_text(encoding="utf-8")
    probe = (
        '<img src="https://example.invalid/x.png"><script>document.title = "ran"</script>'
        "<style>@import 'https://example.invalid/a.css'; main { background: url(https://example.invalid/b.png) }</style>"
        "</main>"
    )
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(html.replace("</main>", probe, 1), encoding="utf-8")

    page, _, messages = open_page(browser, spoilt, width=1280)

    assert page.title() != "ran"
    assert sum("Content Security Policy" in message for message in messages) == 4
    page.context.close()


@pytest.mark.parametrize("name", ["many KPIs", "interim", "few KPIs", "overview"])
def test_conclusion_stands_on_the_first_screen(browser: Browser, published: Paths, name: str):
    page, _, _ = open_page(browser, published.reports / PAGES[name], width=1280)

    box = page.locator("dl.conclusion").bounding_box()

    assert box["y"] + box["height"] <= 900
    page.context.close()


@pytest.mark.parametrize("name", ["many KPIs", "few KPIs"])
def test_spine_keeps_its_lines_under_one_scale(browser: Browser, published: Paths, name: str):
    page, _, _ = open_page(browser, published.reports / PAGES[name], width=1280)

    boxes = [line.bounding_box() for line in page.locator("svg.kenpo-spine").all()]

    assert len(boxes) >= 5
    assert len({(box["x"], box["width"]) for box in boxes}) == 1
    page.context.close()


def test_wide_tables_become_cards_on_a_phone(browser: Browser, published: Paths):
    page, _, _ = open_page(browser, published.reports / PAGES["many KPIs"], width=390)
    cell = page.locator("table.kpis tbody td").first

    assert cell.evaluate("node => getComputedStyle(node, '::before').content") == '"実績"'
    assert cell.bounding_box()["width"] <= 390
    page.context.close()


def test_page_prints_on_a4_with_every_block(browser: Browser, published: Paths, tmp_path: Path):
    page, _, _ = open_page(browser, published.reports / PAGES["many KPIs"], width=1280)

    pdf = page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)

    assert pdf.startswith(b"%PDF")
    assert 3 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type/Page/") <= 20
    page.context.close()


def test_dark_mode_keeps_text_readable(browser: Browser, published: Paths):
    page, _, _ = open_page(browser, published.reports / PAGES["few KPIs"], width=1280, color_scheme="dark")

    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )

    assert _contrast(ink, paper) >= 7
    page.context.close()


def _contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio of two ``rgb(r, g, b)`` colours."""

    def luminance(colour: str) -> float:
        channels = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
