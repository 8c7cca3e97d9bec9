"""The pages of one KPI and of the data's quality as files: notebooks run to their end, pages pass the check and fit a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import open_page
from playwright.sync_api import Browser
from published import DETAIL_PAGES

from kenpo_lib.page import check_page

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("report")]
MAX_BYTES = 300_000


@pytest.mark.parametrize("name", DETAIL_PAGES)
def test_page_passes_the_check_and_is_small(detail_pages: dict[str, Path], name: str):
    assert check_page(detail_pages[name].read_text(encoding="utf-8"), max_bytes=MAX_BYTES) == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_page_fetches_nothing_and_fits_its_width(browser: Browser, detail_pages: dict[str, Path], width: int):
    for path in detail_pages.values():
        page, requests, _ = open_page(browser, path, width=width)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert requests == []
        page.context.close()
