"""Full batches one after the other: none hangs, leaves a process or a file behind, takes more memory than those before, or makes other pages.

Run it with ``make soak`` after ``make data``, on a machine that does nothing else. Exit code 1 if anything of that happened.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psutil
from measure import PeakMemory, adopt_orphans
from report_batch import TOOLS, make_project

MOST_GROWTH = 0.10  # of peak memory, between the first and the last batches
MOST_PATIENCE = 3.0  # times the median
COMPARED = 5  # batches at either end
_ORPHANS_SECONDS = 5.0  # until processes whose parent has ended must have ended too


@dataclass(frozen=True)
class Round:
    """What one batch took and left.

    Attributes:
        code: Its exit code; None if it was ended because it took too long.
        wall: Seconds.
        peak: Megabytes of all its processes together, at the highest sample.
        open_files: File descriptors of all of them, at the highest sample.
        processes: That were alive after it.
        left: Files in the folder for temporary ones.
        files: The project's files with their size; of pages sha256.
        errors: What it said on stderr.
    """

    code: int | None
    wall: float
    peak: float
    open_files: int
    processes: int
    left: tuple[str, ...]
    files: dict[str, str]
    errors: str


def soak(project: Path, arguments: Sequence[str], *, rounds: int, patience: float) -> list[Round]:
    """Run the batch so many times.

    Args:
        project: Where it runs.
        arguments: Of ``kenpo report``.
        rounds: How often.
        patience: Seconds after which a batch is said to hang, and ended.
    """
    adopt_orphans()
    done = []
    for number in range(1, rounds + 1):
        done.append(_run_once(project, arguments, patience))
        print_round(number, done[-1])
    return done


def _run_once(project: Path, arguments: Sequence[str], patience: float) -> Round:
    command = [str(TOOLS / "kenpo"), "--project", str(project), "report", *arguments]
    with tempfile.TemporaryDirectory() as temporary, tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=errors, env={**os.environ, "TMPDIR": temporary}
        )
        memory = PeakMemory(process.pid)
        memory.start()
        code = None
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(patience)
        wall, peak = time.perf_counter() - start, memory.stop()
        living = _wait_for_orphans() if code is not None else _list_family()
        for each in living:
            each.kill()
        process.wait()
        left = tuple(sorted(path.name for path in Path(temporary).iterdir()))
        errors.seek(0)
        return Round(code, wall, peak, memory.open_files, len(living), left, _look_at(project), errors.read().strip())


def _list_family() -> list[psutil.Process]:
    """All that descend from this process, whoever started them: orphans have become its children."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return psutil.Process().children(recursive=True)


def _wait_for_orphans() -> list[psutil.Process]:
    """Those that are still alive after a while."""
    give_up = time.monotonic() + _ORPHANS_SECONDS
    while (family := _list_family()) and time.monotonic() < give_up:
        time.sleep(0.05)
    return family


def _look_at(project: Path) -> dict[str, str]:
    """Every file by its path: pages with their digest, others by name, since records and the index hold times."""
    paths = (path for path in sorted(project.rglob("*")) if path.is_file())
    return {
        path.relative_to(project).as_posix(): sha256(path.read_bytes()).hexdigest() if _is_page(path) else ""
        for path in paths
    }


def _is_page(path: Path) -> bool:
    return path.suffix == ".html" and not path.name.startswith("index")


def find_faults(done: Sequence[Round]) -> list[str]:
    """What was not as in the first batch, or not as it should be."""
    faults = []
    typical = statistics.median(each.wall for each in done)
    for number, each in enumerate(done, 1):
        if each.code is None:
            faults.append(f"batch {number}: hung, and was ended after {each.wall:.0f} s")
        elif each.code:
            faults.append(f"batch {number}: exit code {each.code}: {each.errors[-500:]}")
        elif each.wall > MOST_PATIENCE * typical:
            faults.append(
                f"batch {number}: {each.wall:.1f} s, more than {MOST_PATIENCE:g} times the median {typical:.1f} s"
            )
        if each.code is not None and each.processes:
            faults.append(f"batch {number}: {each.processes} processes left")
        if each.left:
            faults.append(f"batch {number}: files left: {', '.join(each.left[:5])}")
        changed = sorted(name for name, _ in each.files.items() ^ done[0].files.items())
        if changed:
            names = list(dict.fromkeys(changed))
            faults.append(f"batch {number}: {len(names)} files differ from those of batch 1: {', '.join(names[:5])}")
    first, last = compare_ends(done)
    if len(done) >= 2 * COMPARED and last > (1 + MOST_GROWTH) * first:  # of fewer, one sample decides
        faults.append(f"peak memory grew from {first:.0f} to {last:.0f} MB")
    return faults


def compare_ends(done: Sequence[Round]) -> tuple[float, float]:
    """Median peak memory of the first and of the last batches; never of the same ones, unless there is but one."""
    count = min(COMPARED, max(1, len(done) // 2))
    return tuple(statistics.median(each.peak for each in part) for part in (done[:count], done[-count:]))


HEADINGS = ("batch", "exit", "s", "peak MB", "open files", "processes left", "files left", "files")


def print_round(number: int, each: Round) -> None:
    """One row of the table, as soon as it is known."""
    if number == 1:
        print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
    code = "hung" if each.code is None else each.code
    cells = (number, code, f"{each.wall:.1f}", f"{each.peak:.0f}", each.open_files, each.processes)
    print(f"| {' | '.join(map(str, (*cells, len(each.left), len(each.files))))} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--branch", default="all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--patience", type=float, default=900.0, help="seconds after which a batch is said to hang")
    options = parser.parse_args()
    arguments = ("--fiscal-year", "2024", "--branch", options.branch, "--jobs", str(options.jobs), "--force")
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project")
        done = soak(project, arguments, rounds=options.rounds, patience=options.patience)
    first, last = compare_ends(done)
    faults = find_faults(done)
    print(f"peak memory, median of the first and of the last batches: {first:.0f} and {last:.0f} MB")
    print("\n".join(faults) or f"{len(done)} batches, nothing left behind, the same pages each time")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
