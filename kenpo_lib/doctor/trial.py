"""The fonts, and a page made on trial by the same processes that make reports."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from kenpo_lib.doctor.findings import Finding, Level
from kenpo_lib.errors import KenpoError
from kenpo_lib.language import Text

_SECONDS = 180
_PARAMETERS = 'branch: str = "00"\nfiscal_year: int = 2024\nlang: str = "ja"\ncurated_dir: str = ""\nsentinel: str = ""'
_CELL = (
    "import json, pathlib\n"
    "from kenpo_lib.tables import heading\n"
    "pathlib.Path(sentinel).write_text(json.dumps({'branch': branch}))\n"
    "heading(1, '健診')"
)


def check_fonts(name: Text) -> Finding:
    """Text is really drawn: without its fonts the renderer leaves it out and says nothing."""
    from kenpo_lib.charts import drawing, glyphs
    from kenpo_lib.errors import FontError

    advice = Text(
        "kenpo_lib/fonts に BIZUDPGothic-Regular.ttf と BIZUDPGothic-Bold.ttf を配布物から戻す",
        "restore BIZUDPGothic-Regular.ttf and BIZUDPGothic-Bold.ttf in kenpo_lib/fonts from the distribution",
    )
    files = sorted(path.name for path in drawing.FONT_DIR.glob("*.ttf"))
    if len(files) < 2:
        count = len(files)
        words = Text(f"フォントのファイルが足りない（{count} 個）", f"font files are missing ({count} found)")
        return Finding(Level.FAULT, name, words, advice)
    try:
        glyphs.check_glyphs()
    except FontError as error:
        return Finding(Level.FAULT, name, error.problem, advice)
    return Finding(Level.GOOD, name, Text(f"{glyphs.FAMILY} で文字が描かれる", f"text is drawn with {glyphs.FAMILY}"))


def check_processes(name: Text, templates: Path) -> Finding:
    """Processes start, run a notebook and write a page that passes its check.

    Args:
        name: Of the check.
        templates: The folder of the project's page templates.
    """
    from kenpo_lib.batch.job import Job, Kind
    from kenpo_lib.batch.pool import LocalPool
    from kenpo_lib.batch.processes import start_method
    from kenpo_lib.batch.template import read_templates
    from kenpo_lib.batch.work import Limits, Request

    advice = Text(
        "ウイルス対策ソフトが Python を止めていないか確かめ、KENPO_START_METHOD=spawn でも試す",
        "see whether a virus scanner stops Python, and try KENPO_START_METHOD=spawn",
    )
    if not (templates / "kenpo").is_dir():
        words = Text("頁のテンプレートがないため試していない", "not tried: there are no page templates")
        return Finding(Level.NOTE, name, words)
    job = Job(Kind.BRANCH, "00", 2024, "ja", "trial.html")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kenpo-doctor-") as place:
        limits = Limits(page_seconds=_SECONDS, cell_seconds=_SECONDS)
        try:
            with LocalPool(
                1,
                curated=Path(place, "curated"),
                work=Path(place, "work"),
                templates=read_templates(templates),
                limits=limits,
            ) as pool:
                (result,) = pool.run([Request(job, _write_notebook())])
        except KenpoError as error:
            said = str(error).splitlines()[0]
            return Finding(Level.FAULT, name, Text(said, said), advice)
    if result.failure:
        return Finding(Level.FAULT, name, result.failure.reason, advice)
    seconds = f"{start_method()}, {time.monotonic() - start:.1f}"
    return Finding(Level.GOOD, name, Text(f"試しの頁を作れた（{seconds} 秒）", f"a trial page was made ({seconds} s)"))


def _write_notebook() -> str:
    """A notebook as small as can be, in the form of those that reports are made from."""
    cells = [
        {"metadata": {"tags": ["parameters"]}, "source": _PARAMETERS, "id": "parameters"},
        {"metadata": {}, "source": _CELL, "id": "cell"},
    ]
    plain = {"cell_type": "code", "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [plain | cell for cell in cells]}
    )
