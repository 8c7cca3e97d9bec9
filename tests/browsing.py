"""Pages in Chromium with the network blocked, and what they ask for and say there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import builders
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_SWITCHES = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"),
]


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # few tests need it

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
        launched = playwright.chromium.launch(executable_path=chromium, args=_SWITCHES, env=environment)
        yield launched
        launched.close()


def open_page(browser: Browser, path: Path, *, width: int, **options: object) -> tuple[Page, list[str], list[str]]:
    """The page, every request but the file itself, and everything that it says on the console or in a dialog."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page = context.new_page()
    requests: list[str] = []
    messages: list[str] = []

    def dismiss(dialog: object) -> None:
        messages.append(dialog.message)
        dialog.dismiss()

    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("dialog", dismiss)
    page.goto(path.as_uri())
    return page, [url for url in requests if url != path.as_uri() and not url.startswith("data:")], messages
