"""Copies of the library that tests may change, and programs that run with one: what a process has imported it does not read again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import builders

LIBRARY = builders.ROOT / "kenpo_lib"
COMMAND = "from kenpo_lib.cli import main; main()"
_MINUTE = 120


def copy_library(folder: Path, spoil: Callable[[Path], object] = lambda library: None) -> Path:
    """The library in a folder, which is returned, after ``spoil`` has changed it."""
    shutil.copytree(LIBRARY, folder / "kenpo_lib", ignore=shutil.ignore_patterns("__pycache__"))
    spoil(folder / "kenpo_lib")
    return folder


def run_with(library: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program with the library of that folder."""
    variables = {"PYTHONPATH": str(library), "PYTHONUTF8": "1", "KENPO_LANG": "ja"}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_MINUTE,
        env=os.environ | variables,
        cwd=library,
        check=False,
    )
