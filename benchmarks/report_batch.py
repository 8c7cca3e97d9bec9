"""All reports of one year, measured: wall time, peak memory of all processes together, size of a report.

Run it with ``make bench`` after ``make data``. It writes into a folder of its own and compares with the way reports are usually
made: a shell loop of ``papermill`` and ``jupyter nbconvert`` (on a sample of branches, extrapolated and labelled so).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


class PeakMemory(threading.Thread):
    """Samples the proportional set size of a process and its descendants (Linux only)."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.peak, self.running = pid, 0, True

    def run(self) -> None:
        while self.running:
            self.peak = max(self.peak, sum(_memory_of(pid) for pid in _family(self.pid)))
            time.sleep(0.2)

    def stop(self) -> float:
        """Megabytes at the highest sample."""
        self.running = False
        self.join()
        return self.peak / 1e6


def _family(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        for children in Path(f"/proc/{current}/task").glob("*/children"):
            try:
                waiting += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def _memory_of(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def measure(arguments: list[str]) -> tuple[float, float]:
    """Wall seconds and peak megabytes of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    memory = PeakMemory(process.pid)
    memory.start()
    _, errors = process.communicate()
    wall = time.perf_counter() - start
    peak = memory.stop()
    if process.returncode != 0:
        sys.exit(f"{arguments[0]} failed:\n{errors}")
    return wall, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fiscal-year", type=int, default=2024)
    parser.add_argument("--sample", type=int, default=3, help="branches made by the shell loop")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        for name in ("data/curated", "notebooks", "expectations", "reports/templates"):
            shutil.copytree(ROOT / name, project / name)
        (project / "data" / "raw").mkdir()
        kenpo = str(Path(sys.executable).with_name("kenpo"))
        wall, peak = measure([kenpo, "--project", folder, "report", "--fiscal-year", str(options.fiscal_year)])
        sizes = [path.stat().st_size for path in (project / "reports").glob("[0-9]*/*.html")]
        loop = [
            _shell_loop(project, code, options.fiscal_year) for code in ("04", "13", "47", "01", "27")[: options.sample]
        ]
    per_report = wall / len(sizes)
    per_loop = statistics.mean(seconds for seconds, _ in loop)
    print(f"cores: {os.cpu_count()}")
    print(
        f"kenpo report: {len(sizes)} pages in {wall:.1f} s ({per_report:.2f} s a page), peak {peak:.0f} MB of all processes"
    )
    print(f"page size: median {statistics.median(sizes) / 1000:.0f} kB, largest {max(sizes) / 1000:.0f} kB")
    print(
        f"shell loop of papermill and jupyter nbconvert: {per_loop:.1f} s a page (mean of {len(loop)}), "
        f"peak {max(peak for _, peak in loop):.0f} MB; extrapolated to {len(sizes)} pages {per_loop * len(sizes):.0f} s"
    )
    print(f"ratio: {per_loop / per_report:.1f}")


def _shell_loop(project: Path, code: str, fiscal_year: int) -> tuple[float, float]:
    """One branch by the two commands that people use; nbconvert's own ``basic`` template, as a shell loop would."""
    work = project / "loop"
    work.mkdir(exist_ok=True)
    out = work / f"{code}.ipynb"
    tools = Path(sys.executable).parent
    papermill = [
        *(str(tools / "papermill"), str(project / "notebooks" / "20_branch_profile.ipynb"), str(out)),
        *("-r", "branch", code, "-p", "fiscal_year", str(fiscal_year)),
        *("-r", "curated_dir", str(project / "data" / "curated"), "--no-progress-bar"),
    ]
    convert = [str(tools / "jupyter"), "nbconvert", "--to", "html", "--no-input", str(out)]
    first, second = measure(papermill), measure(convert)
    return first[0] + second[0], max(first[1], second[1])


if __name__ == "__main__":
    main()
