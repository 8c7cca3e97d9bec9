"""``kenpo report`` as a process that tests disturb: started with a mark that all its children inherit, looked at, ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import nbformat
import psutil
from batches import copy_project, make_batch

from kenpo_lib.batch.paths import Paths

BRANCHES = "04,13,47"
PAGES = 4  # with the overview
_MARK = "KENPO_TEST_MARK"
_PATIENCE_SECONDS = 240.0  # far more than anything here takes, also on a machine that is busy


def make_small_project(published: Paths, folder: Path, *cells: str) -> Paths:
    """A project whose notebooks are one cell that finishes at once, after those given."""
    paths = copy_project(published, folder)
    inputs = make_batch(paths, ["04"]).store.inputs
    finish = (
        "import json, pathlib\n"
        f"about = {{'branch': branch, 'fiscal_year': fiscal_year, 'inputs': {inputs!r}}}\n"
        "pathlib.Path(sentinel).write_text(json.dumps(about))\n"
        "from kenpo_lib.tables import heading\n"
        "heading(1, '支部 ' + branch)"
    )
    for path in paths.notebooks.glob("[12]0_*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
        own = [nbformat.v4.new_code_cell(cell, id=f"c{n}") for n, cell in enumerate((*cells, finish))]
        notebook.cells = [*tagged, *own]
        nbformat.write(notebook, path)
    return paths


class Command:
    """A running ``kenpo report`` of three branches and the overview, in a session of its own as from a console.

    Attributes:
        process: The process itself.
        log: What it says on stderr.
    """

    def __init__(self, project: Path, *arguments: str, **variables: str):
        self.mark = uuid4().hex
        self.log = project / f"{self.mark}.log"
        environment = os.environ | {"KENPO_LANG": "ja", "PYTHONUTF8": "1", _MARK: self.mark} | variables
        given = ("report", "--fiscal-year", "2024", "--branch", BRANCHES, "--jobs", "1", *arguments)
        with self.log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from kenpo_lib.cli import main; main()", "--project", str(project), *given],
                stdout=subprocess.DEVNULL,
                stderr=stream,
                env=environment,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait_until(self, has_happened: Callable[[], bool]) -> bool:
        """True once it has happened; False if the command ended before."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while not has_happened():
            if self.process.poll() is not None:
                return has_happened()
            assert time.monotonic() < give_up, self.said()
            time.sleep(0.002)
        return True

    def wait(self) -> int:
        """The exit code."""
        return self.process.wait(timeout=_PATIENCE_SECONDS)

    def list_family(self) -> list[psutil.Process]:
        """All processes that carry the mark, whoever their parent is by now."""
        return [process for process in psutil.process_iter() if _has_mark(process, self.mark)]

    def assert_nobody_is_left(self) -> None:
        """Orphans end by themselves, at once if they do anything at all."""
        give_up = time.monotonic() + 30
        while family := self.list_family():
            assert time.monotonic() < give_up, [process.cmdline() for process in family]
            time.sleep(0.05)


def _has_mark(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(_MARK) == mark and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@contextmanager
def running(project: Path, *arguments: str, **variables: str) -> Iterator[Command]:
    """Start the command; whatever of it is there at the end is ended."""
    command = Command(project, *arguments, **variables)
    try:
        yield command
    finally:
        for process in command.list_family():
            process.kill()
        command.process.wait()
