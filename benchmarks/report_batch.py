"""All reports of one year, beside the other ways to make them: wall time, CPU, peak memory of all processes together, ratios.

Run it with ``make bench`` after ``make data``, on a machine that does nothing else. Every way makes pages from the same notebooks and
the same tables in a project of its own. Slow ways are measured on a sample of branches and extrapolated; the table says so.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from measure import Measure, measure_command

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent
HERE = Path(__file__).parent
SAMPLE = ("04", "13", "47", "01", "27", "40", "20", "33")
PEER = (
    "ploomber-engine==0.0.33",
    "ploomber-core",
    "debuglater",
    "posthog",
    "backoff",
    "distro",
    "lazy-importer",
    "colorama",
)
ATTEMPTS = 3  # of other ways


@dataclass(frozen=True, slots=True)
class Row:
    """One way, for all pages."""

    way: str
    pages: int  # really made
    wall: float  # seconds a page
    cpu: float
    peak: float


def make_project(folder: Path) -> Path:
    """A copy of the project that a benchmark may write into."""
    for name in ("data/raw", "data/curated", "notebooks", "expectations", "reports/templates"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "requirements.lock", folder)
    return folder


def report(project: Path, *arguments: str, with_memory: bool = False) -> Measure:
    """``kenpo report``, from the command to the last finished file."""
    command = [str(TOOLS / "kenpo"), "--project", str(project), "report", "--fiscal-year", "2024", *arguments]
    return measure_command(command, with_memory=with_memory)


def make_fresh(folder: Path) -> Path:
    """A project without pages and without a comparison: what a cold batch begins with."""
    fresh = make_project(folder)
    shutil.rmtree(fresh / "data" / "curated" / "store", ignore_errors=True)
    return fresh


def run_kenpo(project: Path, *arguments: str) -> None:
    measure_command([str(TOOLS / "kenpo"), "--project", str(project), *arguments])


def change_one_branch(project: Path) -> None:
    """Another amount in one row of Miyagi's budgets, through the whole of the project's own way."""
    path = project / "data" / "raw" / "miyagi_results_fy2024.budgets.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    rows = list(csv.reader(lines))
    column = rows[0].index("executed_printed")
    number = next(n for n, row in enumerate(rows) if n and row[column].strip())
    old = rows[number][column]
    lines[number] = lines[number].replace(old, old.replace(old[0], "1" if old[0] != "1" else "2", 1), 1)
    path.write_text("".join(lines), encoding="utf-8", newline="")
    for command in ("seal", "curate", "validate"):
        run_kenpo(project, command)


def shell_loop(project: Path, code: str) -> Measure:
    """The two commands that people use; nbconvert's own template, as a shell loop would."""
    work = project / "loop"
    work.mkdir(exist_ok=True)
    out = work / f"{code}.ipynb"
    papermill = [
        *(str(TOOLS / "papermill"), str(project / "notebooks" / "20_branch_profile.ipynb"), str(out)),
        *("-r", "branch", code, "-p", "fiscal_year", "2024"),
        *("-r", "curated_dir", str(project / "data" / "curated"), "--no-progress-bar"),
    ]
    first = measure_command(papermill)
    second = measure_command([str(TOOLS / "jupyter"), "nbconvert", "--to", "html", "--no-input", str(out)])
    return Measure(first.wall + second.wall, first.cpu + second.cpu, max(first.peak, second.peak))


def peer(project: Path, way: str, codes: tuple[str, ...], *, path: str = "") -> Measure:
    """One of the ways in ``peers.py``, two processes at a time: once for the time, once more for the memory."""
    python_path = {"PYTHONPATH": path} if path else {}
    quiet = {"PLOOMBER_STATS_ENABLED": "false", "DO_NOT_TRACK": "1", **python_path}
    command = [sys.executable, str(HERE / "peers.py"), way, str(project), *codes]

    def measure(*, with_memory: bool, attempts: int = ATTEMPTS) -> Measure:
        try:
            return measure_command(command, env=quiet, with_memory=with_memory)
        except SystemExit:  # kernels that start at the same time sometimes take each other's ports, and die
            if attempts == 1:
                raise
        print(f"{way} failed; once more", file=sys.stderr)
        return measure(with_memory=with_memory, attempts=attempts - 1)

    return replace(measure(with_memory=False), peak=measure(with_memory=True).peak)


def install_peer(folder: Path) -> str | None:
    """The folder with ploomber-engine, which is no dependency of the project; None where it cannot be had."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *PEER]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return str(folder) if done.returncode == 0 else None


def floor(project: Path) -> Measure:
    """All pages as plain functions in warm processes, one template render each; their start is not counted."""
    done = subprocess.run(
        [sys.executable, str(HERE / "peers.py"), "floor", str(project)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    wall, cpu = map(float, done.stdout.split())
    return Measure(wall, cpu, float("nan"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=3, help="branches made by the shell loop")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often ours and the floor are measured; the median counts"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure_all(Path(folder), options)
    print_table(rows)


def measure_all(folder: Path, options: argparse.Namespace) -> list[Row]:
    found = install_peer(folder / "peer")
    project = make_project(folder / "project")
    cold, again, changed, floors = [], [], [], []
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        fresh = make_fresh(folder / f"round{number}")
        cold.append(report(fresh))
        again.append(report(fresh))
        change_one_branch(fresh)
        changed.append(report(fresh))
        floors.append(floor(fresh))
        if number == 0:
            sizes = [path.stat().st_size for path in (fresh / "reports").glob("[0-9]*/*.html")]
    pages = len(sizes)
    print("memory", file=sys.stderr)
    fresh = make_fresh(folder / "memory")
    peaks = {"cold": report(fresh, with_memory=True).peak, "again": report(fresh, with_memory=True).peak}
    change_one_branch(fresh)
    peaks["changed"] = report(fresh, with_memory=True).peak
    print("the other ways", file=sys.stderr)
    report(project, "--branch", "04")  # leaves the comparison that every way then reads
    loop = [shell_loop(project, code) for code in SAMPLE[: options.sample]]
    pool = peer(project, "papermill", SAMPLE)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"page size: median {statistics.median(sizes) / 1000:.0f} kB, largest {max(sizes) / 1000:.0f} kB")
    rows = [
        Row(
            "shell loop: papermill, jupyter nbconvert",
            len(loop),
            statistics.mean(one.wall for one in loop),
            statistics.mean(one.cpu for one in loop),
            max(one.peak for one in loop),
        ),
        Row("papermill API, pool of 2", len(SAMPLE), pool.wall / len(SAMPLE), pool.cpu / len(SAMPLE), pool.peak),
    ]
    if found:
        engine = peer(project, "ploomber", SAMPLE, path=found)
        rows.append(
            Row(
                "ploomber-engine, pool of 2",
                len(SAMPLE),
                engine.wall / len(SAMPLE),
                engine.cpu / len(SAMPLE),
                engine.peak,
            )
        )
    else:
        print("ploomber-engine could not be installed; left out")
    for way, measures, peak in (
        ("kenpo report, cold", cold, peaks["cold"]),
        ("kenpo report, one branch's data changed", changed, peaks["changed"]),
        ("kenpo report, nothing changed", again, peaks["again"]),
        ("floor: plain functions in 2 warm processes", floors, float("nan")),
    ):
        rows.append(
            Row(
                way,
                pages,
                statistics.median(one.wall for one in measures) / pages,
                statistics.median(one.cpu for one in measures) / pages,
                peak,
            )
        )
    return rows


def print_table(rows: list[Row]) -> None:
    loop = rows[0]
    lowest = rows[-1]
    pages = max(row.pages for row in rows)
    print(f"| way | pages made | s a page | s for {pages} | CPU s a page | peak MB | loop ÷ this | this ÷ floor |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        total = f"{row.wall * pages:.1f}" + ("" if row.pages == pages else " (extrapolated)")
        peak = "–" if row.peak != row.peak else f"{row.peak:.0f}"
        print(
            f"| {row.way} | {row.pages} | {row.wall:.3f} | {total} | {row.cpu:.2f} | {peak} "
            f"| {loop.wall / row.wall:.1f} | {row.wall / lowest.wall:.2f} |"
        )


if __name__ == "__main__":
    main()
