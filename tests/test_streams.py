"""Commands whose standard streams are closed: nothing else takes the place of a stream, and pages are the same."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from batches import copy_project
from published import run_kenpo

from kenpo_lib.batch.paths import Paths

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no shell there closes streams")
CLOSING = {0: "<&-", 1: ">&-", 2: "2>&-"}
SOME_CLOSED = [closed for size in (0, 1, 2, 3) for closed in itertools.combinations(CLOSING, size)]
FILLED = """
import json, os, sys
from kenpo_lib.streams import fill_streams
fill_streams()
streams = [stream is not None and stream.fileno() for stream in (sys.stdin, sys.stdout, sys.stderr)]
print("lost", flush=True)
print("lost", file=sys.stderr, flush=True)
child = os.spawnl(os.P_WAIT, sys.executable, sys.executable, "-c", "import os; [os.fstat(number) for number in range(3)]")
with open(sys.argv[1], "w") as file:
    json.dump([streams, sys.stdin.read(), child, file.fileno() > 2], file)
"""


def run_closed(closed: tuple[int, ...], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Python with some of its standard streams closed."""
    command = f'exec "$@" {" ".join(CLOSING[number] for number in closed)}'
    return subprocess.run(
        ["/bin/sh", "-c", command, "sh", sys.executable, *arguments],
        input=b"",
        capture_output=True,
        env=os.environ | {"KENPO_LANG": "ja", "PYTHONUTF8": "1"},
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("closed", SOME_CLOSED, ids=str)
def test_closed_streams_lead_nowhere_and_the_others_stay(tmp_path: Path, closed: tuple[int, ...]):
    done = run_closed(closed, "-c", FILLED, str(tmp_path / "found.json"))

    assert (tmp_path / "found.json").read_text(encoding="utf-8") == '[[0, 1, 2], "", 0, true]'
    said = b"lost" + os.linesep.encode()
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        b"" if 1 in closed else said,
        b"" if 2 in closed else said,
    )


@pytest.mark.slow
def test_command_without_streams_makes_the_same_pages(published: Paths, tmp_path: Path):
    paths = copy_project(published, tmp_path / "project")
    report = ("report", "--fiscal-year", "2024", "--branch", "47", "--force")

    done = run_closed(
        (0, 1, 2), "-c", "from kenpo_lib.cli import main; main()", "--project", str(paths.reports.parent), *report
    )

    assert done.returncode == 0
    for file in ("kenpo_47_okinawa_FY2024.html", "kenpo_00_national_FY2024.html"):
        assert (paths.reports / "2024" / file).read_bytes() == (published.reports / "2024" / file).read_bytes()
    assert run_kenpo(paths.reports.parent, "verify").returncode == 0
