"""Pages that no notebook makes: put together from HTML of ours with the project's listing template, checked like all others."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from kenpo_lib.batch.template import page_variables, require_good
from kenpo_lib.page import MAX_PAGE_BYTES, sanitise
from kenpo_lib.tables import Html


def render_listing(body: Html, *, templates: Path, lang: str, title: str, max_bytes: int = MAX_PAGE_BYTES) -> bytes:
    """The finished page.

    Raises:
        PageFailedError: It failed its check.
    """
    environment = Environment(loader=FileSystemLoader(templates / "kenpo"), autoescape=False)
    page = environment.get_template("listing.html.j2").render(
        body=sanitise(body), **page_variables(lang=lang, title=title)
    )
    return require_good(page, max_bytes=max_bytes).encode("utf-8")
