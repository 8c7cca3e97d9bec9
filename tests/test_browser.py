"""The finished pages in a real browser with the network blocked: nothing is fetched, nothing runs, nothing is cut off."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import builders
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from kenpo_lib.batch.paths import Paths

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("report")]
PAGES = {
    "many KPIs": "2024/kenpo_04_miyagi_FY2024.html",
    "interim": "2024/kenpo_13_tokyo_FY2024.html",
    "few KPIs": "2024/kenpo_47_okinawa_FY2024.html",
    "overview": "2024/kenpo_00_national_FY2024.html",
    "index": "index.html",
}
SWITCHES = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"),
]


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    # The machine may have no Japanese font; the pages are looked at with the one that the project ships.
    folder = tmp_path_factory.mktemp("fonts")
    (folder / "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>'
        f"<dir>{builders.ROOT / 'kenpo_lib' / 'fonts'}</dir><cachedir>{folder}</cachedir>"
        '<include ignore_missing="yes">/etc/fonts/fonts.conf</include></fontconfig>',
        encoding="utf-8",
    )
    environment = os.environ | {"FONTCONFIG_FILE": str(folder / "fonts.conf")}
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=SWITCHES, env=environment)
        yield launched
        launched.close()


def _open(browser: Browser, path: Path, *, width: int, **options: object) -> tuple[Page, list[str], list[str]]:
    """The page, every request but the file itself, and every message on the console."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page = context.new_page()
    requests: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(path.as_uri())
    return page, [url for url in requests if url != path.as_uri() and not url.startswith("data:")], messages


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [1280, 390])
def test_page_fetches_nothing_says_nothing_and_fits_its_width(
    browser: Browser, published: Paths, name: str, width: int
):
    page, requests, messages = _open(browser, published.reports / PAGES[name], width=width)

    assert requests == []
    assert messages == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_complete_without_javascript(browser: Browser, published: Paths, name: str):
    page, _, _ = _open(browser, published.reports / PAGES[name], width=1280, java_script_enabled=False)

    assert page.locator("h1").count() == 1
    assert page.locator("h1").is_visible()
    assert page.locator("table").first.is_visible()
    page.context.close()


def test_content_security_policy_stops_what_slips_through(browser: Browser, published: Paths, tmp_path: Path):
    html = (published.reports / PAGES["few KPIs"]).read_text(encoding="utf-8")
    probe = '<img src="https://example.invalid/x.png"><script>document.title = "ran"</script></main>'
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(html.replace("</main>", probe, 1), encoding="utf-8")

    page, _, messages = _open(browser, spoilt, width=1280)

    assert page.title() != "ran"
    assert sum("Content Security Policy" in message for message in messages) == 2
    page.context.close()


@pytest.mark.parametrize("name", ["many KPIs", "interim", "few KPIs", "overview"])
def test_conclusion_stands_on_the_first_screen(browser: Browser, published: Paths, name: str):
    page, _, _ = _open(browser, published.reports / PAGES[name], width=1280)

    box = page.locator("dl.conclusion").bounding_box()

    assert box["y"] + box["height"] <= 900
    page.context.close()


@pytest.mark.parametrize("name", ["many KPIs", "few KPIs"])
def test_spine_keeps_its_lines_under_one_scale(browser: Browser, published: Paths, name: str):
    page, _, _ = _open(browser, published.reports / PAGES[name], width=1280)

    boxes = [line.bounding_box() for line in page.locator("svg.kenpo-spine").all()]

    assert len(boxes) >= 5
    assert len({(box["x"], box["width"]) for box in boxes}) == 1
    page.context.close()


def test_wide_tables_become_cards_on_a_phone(browser: Browser, published: Paths):
    page, _, _ = _open(browser, published.reports / PAGES["many KPIs"], width=390)
    cell = page.locator("table.kpis tbody td").first

    assert cell.evaluate("node => getComputedStyle(node, '::before').content") == '"実績"'
    assert cell.bounding_box()["width"] <= 390
    page.context.close()


def test_page_prints_on_a4_with_every_block(browser: Browser, published: Paths, tmp_path: Path):
    page, _, _ = _open(browser, published.reports / PAGES["many KPIs"], width=1280)

    pdf = page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)

    assert pdf.startswith(b"%PDF")
    assert 3 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type/Page/") <= 20
    page.context.close()


def test_dark_mode_keeps_text_readable(browser: Browser, published: Paths):
    page, _, _ = _open(browser, published.reports / PAGES["few KPIs"], width=1280, color_scheme="dark")

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
