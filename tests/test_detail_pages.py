"""The pages of one KPI and of the data's quality as files: notebooks run to their end, pages pass the check and fit a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from batches import make_pages
from playwright.sync_api import sync_playwright

from kenpo_lib.batch.paths import Paths
from kenpo_lib.page import check_page

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("report")]
PAGES = {
    "urgent.html": ("30_kpi_detail", "ja", {"kpi": "urgent_visit_rate"}),
    "few.html": ("30_kpi_detail", "ja", {"kpi": "generic_share"}),
    "english.html": ("30_kpi_detail", "en", {"kpi": "visit_rate"}),
    "quality.html": ("90_data_quality", "ja", {}),
}
MAX_BYTES = 300_000


@pytest.fixture(scope="module")
def pages(published: Paths, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The finished pages by name, made as the batch makes them."""
    return make_pages(published, tmp_path_factory.mktemp("pages"), PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_page_passes_the_check_and_is_small(pages: dict[str, Path], name: str):
    assert check_page(pages[name].read_text(encoding="utf-8"), max_bytes=MAX_BYTES) == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_page_fetches_nothing_and_fits_its_width(chromium: str, pages: dict[str, Path], width: int):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
        )
        page = browser.new_page(viewport={"width": width, "height": 900})
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        for path in pages.values():
            page.goto(path.as_uri())

            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert {url for url in requests if not url.startswith("data:")} == {path.as_uri() for path in pages.values()}
        browser.close()
