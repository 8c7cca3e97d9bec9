"""The walls around a notebook's process: what it may write, in any spelling. Faults 47 in ``test_faults_notebook`` are the whole way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WRITE = """
import sys
from pathlib import Path
from kenpo_lib.batch.guard import forbid_outside
breaches = []
forbid_outside(Path(sys.argv[1]), on_breach=breaches.append)
try:
    open(sys.argv[2], "w").close()
except PermissionError:
    pass
print(len(breaches))
"""


def _count_breaches(folder: Path, written: str) -> int:
    """In a process of its own, since the wall stands as long as the process."""
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(folder), written], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.parametrize("name", ["{own}/a.txt", "{own}/../own/b.txt", os.devnull])
def test_own_folder_and_null_device_are_free(tmp_path: Path, name: str):
    own = tmp_path / "own"
    own.mkdir()

    assert _count_breaches(own, name.format(own=own)) == 0


@pytest.mark.parametrize("name", ["{own}/../c.txt", "{own}er.txt"])
def test_other_places_are_not(tmp_path: Path, name: str):
    own = tmp_path / "own"
    own.mkdir()

    assert _count_breaches(own, name.format(own=own)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["own"]
