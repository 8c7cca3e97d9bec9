"""The project's page templates: read once a batch, and what they need filled in. Loads neither nbconvert nor Altair."""

from __future__ import annotations

from pathlib import Path

from kenpo_lib.batch.work import Cause, fail
from kenpo_lib.errors import InputError
from kenpo_lib.language import Text, say
from kenpo_lib.normalise import legible
from kenpo_lib.page import CONTENT_SECURITY_POLICY, MAX_PAGE_BYTES, check_page

_TEMPLATES = {"base.html.j2", "index.html.j2", "listing.html.j2", "style.css"}
_FOOTER = Text(
    "協会けんぽの公表資料に基づく比較。スクリプトも外部への通信も含みません。",
    "Comparison from published documents of the association. No script, no request to anywhere.",
)


def read_templates(directory: Path) -> dict[str, str]:
    """The templates by name. They travel with the work, so that all pages of a batch have the same.

    Raises:
        InputError: One is missing.
    """
    found = {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted((directory / "kenpo").iterdir())
        if path.suffix in (".j2", ".css")
    }
    if missing := ", ".join(sorted(_TEMPLATES - found.keys())):
        raise InputError(
            say(
                f"reports/templates/kenpo に {missing} がありません。git から戻してください。",
                f"{missing} is missing in reports/templates/kenpo: restore it from git.",
            )
        )
    return found


def page_variables(*, lang: str, title: str, chart_css: str = "") -> dict[str, str]:
    """What every template needs; ``chart_css`` only where there are charts."""
    return {
        "lang": lang,
        "title": legible(title),
        "footer": _FOOTER(lang),
        "chart_css": chart_css,
        "content_security_policy": CONTENT_SECURITY_POLICY,
    }


def require_good(page: str, *, max_bytes: int = MAX_PAGE_BYTES) -> str:
    """The page, if it may be published.

    Raises:
        PageFailedError: With what is wrong with it.
    """
    problems = check_page(page, max_bytes=max_bytes)
    if problems:
        listed = "; ".join(problems[:5])
        is_size = "bytes, more than" in problems[0]
        cause = Cause.TOO_LARGE if is_size else Cause.PAGE
        raise fail(cause, f"頁の検査に不合格: {listed}", f"the page failed its check: {listed}")
    return page
