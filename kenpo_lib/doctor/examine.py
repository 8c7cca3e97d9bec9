"""All checks, in the order in which faults explain each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kenpo_lib.doctor import machine, project, software, trial
from kenpo_lib.doctor.findings import Finding, Level, run_checks
from kenpo_lib.language import Text

PYTHON = Text("Python", "Python")
PACKAGES = Text("パッケージ", "packages")
KERNEL = Text("JupyterLabのカーネル", "JupyterLab's kernel")
DISK = Text("ディスク", "disk")
MEMORY = Text("コアとメモリ", "cores and memory")
CLOCK = Text("時計", "clock")
PROJECT = Text("プロジェクト", "project")
WRITING = Text("書き込み", "writing")
LOCK = Text("ほかの実行", "other batches")
DATA = Text("データ", "data")
FONTS = Text("フォント", "fonts")
PROCESSES = Text("作業プロセス", "processes")


def examine(folder: Path | None) -> Iterator[Finding]:
    """The findings one by one, as they are made.

    Args:
        folder: The project; None where there is none, which is a fault, and what needs it is left out.
    """
    checks = [(PYTHON, lambda: software.check_python(PYTHON))]
    if folder is None:
        missing = Text("見つからない", "not found")
        advice = Text(
            "プロジェクトの中で実行するか --project で指定する", "run inside the project, or name it with --project"
        )
        checks.append((PROJECT, lambda: Finding(Level.FAULT, PROJECT, missing, advice)))
    else:
        checks += [
            (PACKAGES, lambda: software.check_packages(PACKAGES, folder, software.list_installed())),
            (PROJECT, lambda: project.check_folders(PROJECT, folder)),
            (WRITING, lambda: project.check_writing(WRITING, folder)),
            (LOCK, lambda: project.check_lock(LOCK, folder)),
            (DISK, lambda: machine.check_disk(DISK, folder / "reports")),
            (CLOCK, lambda: machine.check_clock(CLOCK, last=project.find_last_time(folder))),
        ]
    checks += [
        (MEMORY, lambda: machine.check_memory(MEMORY)),
        (FONTS, lambda: trial.check_fonts(FONTS)),
        (KERNEL, lambda: software.check_kernel(KERNEL)),
    ]
    if folder is not None:
        checks += [
            (PROCESSES, lambda: trial.check_processes(PROCESSES, folder / "reports" / "templates")),
            (DATA, lambda: project.check_data(DATA, folder)),
        ]
    yield from run_checks(checks)
