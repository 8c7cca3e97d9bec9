"""The pictures of the README: taken of freshly made pages, small, and each one used.

    KENPO_RENEW_SCREENSHOTS=1 .venv/bin/python -m pytest tests/test_screenshots.py

takes them again. They are not compared pixel by pixel: another Chromium draws letters a little differently.
"""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

import builders
import pytest
from browsing import open_page
from playwright.sync_api import Browser

from kenpo_lib.batch.paths import Paths
from kenpo_lib.files import write_atomically

IMAGES = builders.ROOT / "docs" / "images"
HEIGHT = 860
MAX_BYTES = 250_000
PICTURES = {
    "report_miyagi.png": ("2024/kenpo_04_miyagi_FY2024.html", {"width": 1280}),
    "report_miyagi_phone_dark.png": ("2024/kenpo_04_miyagi_FY2024.html", {"width": 390, "color_scheme": "dark"}),
    "overview.png": ("2024/kenpo_00_national_FY2024.html", {"width": 1280}),
    "kpi_urgent_visits.png": ("urgent.html", {"width": 1280}),
}


if os.environ.get(
    "KENPO_RENEW_SCREENSHOTS"
):  # not a test that is skipped elsewhere: a tool that has the tests' pages at hand

    @pytest.mark.browser
    @pytest.mark.xdist_group("report")
    @pytest.mark.parametrize("name", PICTURES)
    def test_renewed(browser: Browser, published: Paths, detail_pages: dict[str, Path], name: str):
        file, view = PICTURES[name]
        page, _, _ = open_page(browser, detail_pages.get(file, published.reports / file), **view)
        page.set_viewport_size({"width": view["width"], "height": HEIGHT})
        write_atomically(IMAGES / name, page.screenshot())
        page.context.close()


def test_readme_shows_the_pictures_that_are_there_and_says_what_they_show():
    text = (builders.ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^\]]{20,})\]\(docs/images/([^)]+)\)", text)

    assert sorted(name for _, name in shown) == sorted(PICTURES) == sorted(path.name for path in IMAGES.iterdir())


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_small_and_of_the_size_that_it_was_taken_in(name: str):
    content = (IMAGES / name).read_bytes()

    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (PICTURES[name][1]["width"], HEIGHT)
    assert len(content) <= MAX_BYTES
