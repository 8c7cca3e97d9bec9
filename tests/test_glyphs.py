"""Row 65: a chart without text is never published, whatever the machine has of fonts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from batches import copy_project, list_files
from libraries import COMMAND, copy_library, run_with

from kenpo_lib.batch.paths import Paths
from kenpo_lib.charts.glyphs import check_glyphs

REGULAR, BOLD = "BIZUDPGothic-Regular.ttf", "BIZUDPGothic-Bold.ttf"


def _lose_all(fonts: Path) -> None:
    shutil.rmtree(fonts)


def _empty(fonts: Path) -> None:
    for path in fonts.glob("*.ttf"):
        path.unlink()


def _damage(fonts: Path) -> None:
    for path in fonts.glob("*.ttf"):
        path.write_bytes(b"no font")


SPOILINGS: dict[str, Callable[[Path], object]] = {
    "no folder": _lose_all,
    "no font": _empty,
    "damaged": _damage,
    "no regular": lambda fonts: (fonts / REGULAR).unlink(),
    "no bold": lambda fonts: (fonts / BOLD).unlink(),
    "bold twice": lambda fonts: shutil.copy(fonts / BOLD, fonts / REGULAR),
}


def test_the_fonts_of_the_project_draw_text():
    check_glyphs()


@pytest.mark.parametrize("spoil", SPOILINGS.values(), ids=SPOILINGS)
def test_fonts_that_draw_no_text_are_seen(tmp_path: Path, spoil):
    library = copy_library(tmp_path / "library", lambda folder: spoil(folder / "fonts"))

    done = run_with(
        library,
        "from kenpo_lib.errors import FontError\nfrom kenpo_lib.charts.glyphs import check_glyphs\n"
        "try:\n    check_glyphs()\nexcept FontError as error:\n    print(error)",
    )

    assert done.returncode == 0, done.stderr
    assert "kenpo doctor" in done.stdout


@pytest.mark.slow
@pytest.mark.xdist_group("report")
def test_report_on_a_machine_without_fonts_stops_and_publishes_nothing(published: Paths, tmp_path: Path):
    paths = copy_project(published, tmp_path / "project")
    library = copy_library(tmp_path / "library", lambda folder: _empty(folder / "fonts"))

    done = run_with(
        library,
        COMMAND,
        *("--project", str(tmp_path / "project"), "report", "--fiscal-year", "2024", "--branch", "04", "--jobs", "1"),
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert "kenpo doctor" in done.stderr
    assert "Traceback" not in done.stderr
    assert [name for name in list_files(paths.reports) if name != "2024"] == []
