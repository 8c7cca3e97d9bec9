"""The soak: whatever a batch may leave behind, take more of or make differently is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import builders
import pytest
from commands import make_small_project

from kenpo_lib.batch.paths import Paths

pytestmark = pytest.mark.xdist_group("faults")
BENCHMARKS = builders.ROOT / "benchmarks"


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import soak

    return soak


def _make_rounds(soak: ModuleType, **changes: Any) -> list[Any]:
    """Ten good rounds, but for the last one."""
    files = {"reports/2024/a.html": "1", "reports/2024/a.manifest.json": ""}
    good = soak.Round(0, wall=10.0, peak=500.0, open_files=90, processes=0, left=(), files=files, errors="")
    return [good] * 9 + [replace(good, **changes)]


def test_ten_equal_batches_have_no_fault(soak: ModuleType):
    assert soak.find_faults(_make_rounds(soak)) == []
    assert soak.find_faults(_make_rounds(soak, wall=29.0, peak=5000.0)) == []  # one batch is no growth


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": None, "wall": 900.0, "processes": 3}, "hung"),
        ({"code": 1, "errors": "could not be made"}, "exit code 1: could not be made"),
        ({"wall": 31.0}, "more than 3 times the median"),
        ({"processes": 1}, "1 processes left"),
        ({"left": ("kenpo-x",)}, "files left: kenpo-x"),
        ({"files": {"reports/2024/a.html": "2", "reports/2024/a.manifest.json": ""}}, "differ from those of batch 1"),
        ({"files": {"reports/2024/a.html": "1"}}, "reports/2024/a.manifest.json"),
    ],
)
def test_fault_of_one_batch_is_told_once_with_its_number(soak: ModuleType, changes: dict[str, Any], said: str):
    (fault,) = soak.find_faults(_make_rounds(soak, **changes))

    assert fault.startswith("batch 10: ")
    assert said in fault


def test_growth_of_memory_is_told(soak: ModuleType):
    rounds = _make_rounds(soak)
    growing = [replace(each, peak=500.0 + 12.0 * number) for number, each in enumerate(rounds)]

    (fault,) = soak.find_faults(growing)

    assert fault == "peak memory grew from 524 to 584 MB"
    assert soak.find_faults(growing[:2]) == []  # two batches tell nothing about growth


LEAK = (
    "import ctypes, os, time\n"
    "library = ctypes.CDLL(None)\n"
    "if library.fork() == 0:\n"
    "    library.setsid()\n"
    "    time.sleep(600)\n"
    "    os._exit(0)\n"
    "descriptor = library.creat(os.fsencode(os.environ['TMPDIR'] + '/left'), 0o600)"
)
PROGRAM = (
    "import json, sys\n"
    "from pathlib import Path\n"
    "import soak\n"
    "arguments = ('--fiscal-year', '2024', '--branch', '04', '--jobs', '1', '--force')\n"
    "rounds = soak.soak(Path(sys.argv[1]), arguments, rounds=2, patience=300)\n"
    "print(json.dumps(soak.find_faults(rounds)))"
)


@pytest.mark.slow
def test_processes_and_files_that_real_batches_leave_are_found(published: Paths, tmp_path: Path):
    """The C library is called since Python's own ways to start something are refused."""
    paths = make_small_project(published, tmp_path / "project", LEAK)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(paths.reports.parent)],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=BENCHMARKS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    faults = json.loads(done.stdout.splitlines()[-1])
    patterns = [
        f"batch {number}: {what}" for number in (1, 2) for what in ("[0-9]+ processes left", "files left: left")
    ]
    assert len(faults) == len(patterns)
    assert all(re.fullmatch(pattern, fault) for pattern, fault in zip(patterns, faults, strict=True)), faults
