"""Pages on A4: nothing is wider than the sheet, folded or unfolded, and nothing is too small to be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browsing import open_page, unfold
from playwright.sync_api import Browser

from kenpo_lib.batch.paths import Paths

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("report")]
UPRIGHT, ACROSS = 703, 1032  # 186 and 273 mm in CSS pixels: A4 without its margins
SMALLEST = 6.5  # points
PAGES = {
    "many KPIs": "kenpo_04_miyagi_FY2024.html",
    "interim": "kenpo_13_tokyo_FY2024.html",
    "few KPIs": "kenpo_47_okinawa_FY2024.html",
    "overview": "kenpo_00_national_FY2024.html",
    "index": "../index.html",
}
DETAILS = {"one KPI": "urgent.html", "few values": "few.html", "quality": "quality.html", "with counts": "english.html"}
ENGLISH = {
    "branch, English": "kenpo_04_miyagi_FY2024_en.html",
    "overview, English": "kenpo_00_national_FY2024_en.html",
    "one KPI, English": "kenpo_kpi_urgent_visit_rate_FY2024_en.html",
    "quality, English": "kenpo_quality_FY2024_en.html",
    "index, English": "../index_en.html",
}
# What stands out of the sheet or of the box that holds it. Captions for screen readers only are clipped on purpose.
_TOO_WIDE = """width => [...document.querySelectorAll('table, svg, figure, ul, dl, p, h1, h2, h3, .scroll')]
  .filter(element => element.checkVisibility() && element.getBoundingClientRect().width)
  .filter(element => element.getBoundingClientRect().right > width + 1
    || (element.matches('.scroll, figure') && element.scrollWidth > element.clientWidth + 1))
  .map(element => `${element.tagName}.${element.getAttribute('class')} ${element.textContent.trim().slice(0, 30)}`)"""
_SMALL_TEXTS = """([smallest, left_out]) => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement, svg = element.closest('svg');
    if (!node.data.trim() || !element.checkVisibility() || element.closest('desc, title')) continue;
    if (left_out && element.closest(left_out)) continue;
    const points = 0.75 * parseFloat(getComputedStyle(element).fontSize) * (svg ? svg.getScreenCTM().a : 1);
    if (points < smallest - 0.005) found.push(`${points.toFixed(2)} ${node.data.trim().slice(0, 30)}`);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def printed(published: Paths, detail_pages: dict[str, Path], english_reports: Path) -> dict[str, Path]:
    """A page of each type, in both languages."""
    pages = {name: published.reports / "2024" / file for name, file in PAGES.items()}
    pages |= {name: detail_pages[file] for name, file in DETAILS.items()}
    return pages | {name: english_reports / "2024" / file for name, file in ENGLISH.items()}


@pytest.mark.parametrize("name", [*PAGES, *DETAILS, *ENGLISH])
def test_everything_fits_the_sheet_and_can_be_read(browser: Browser, printed: dict[str, Path], name: str):
    page, _, _ = open_page(browser, printed[name], width=UPRIGHT)
    page.emulate_media(media="print")

    for _ in ("folded", "unfolded"):
        assert page.evaluate("document.documentElement.scrollWidth") <= UPRIGHT
        assert page.evaluate(_TOO_WIDE, UPRIGHT) == []
        assert page.evaluate(_SMALL_TEXTS, [SMALLEST, ".scroll.wide"]) == []
        unfold(page)
    page.set_viewport_size({"width": ACROSS, "height": 700})  # the sheet on which a wide chart stands
    assert page.evaluate(_SMALL_TEXTS, [SMALLEST, ""]) == []
    page.context.close()


def test_only_the_sheet_of_the_wide_chart_lies_across(browser: Browser, printed: dict[str, Path]):
    page, _, _ = open_page(browser, printed["quality"], width=1280)

    pdf = page.pdf(prefer_css_page_size=True)

    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    across = [float(width) > float(height) for width, height in boxes]
    assert across.count(True) == 1
    assert 5 <= across.count(False) <= 15
    page.context.close()


def test_heading_of_every_column_stands_on_every_sheet(browser: Browser, printed: dict[str, Path]):
    page, _, _ = open_page(browser, printed["overview"], width=UPRIGHT)
    page.emulate_media(media="print")

    heads = page.locator("thead").evaluate_all("heads => heads.map(head => getComputedStyle(head).display)")
    rows = page.locator("tbody tr").evaluate_all("rows => rows.map(row => getComputedStyle(row).breakInside)")

    assert set(heads) == {"table-header-group"}
    assert set(rows) == {"avoid"}
    page.context.close()
