"""What one report costs with a hundred times the units: processor time and memory of a page and of the store, in both sizes.

Run it with ``make bench-scale``; making the larger project and building its store takes most of the time, and some GB of memory. The
projects are made up by ``scale_data.py``. A page is measured as the batch makes it: its notebook in a process forked from one that
has imported everything, then the page in a writer that is warm; only what these two do for the page counts. The sizes take turns
page by page, so that other work on the machine falls on both.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from pathlib import Path

from measure import Measure, measure_command

from kenpo_lib.batch.processes import ONE_THREAD

HERE = Path(__file__).parent
FISCAL_YEAR = 2024
SMALL, LARGE = 47, 4_700  # units
REPORTS = 10_000
MOST_RATIO, MOST_MEGABYTES = 1.2, 400  # what is promised of a page and of a worker


@dataclass(frozen=True, slots=True)
class Page:
    """What one page took: seconds of processor time, megabytes resident at the highest, bytes."""

    cells_cpu: float
    cells_peak: float
    writer_cpu: float
    writer_peak: float
    size: int

    @property
    def cpu(self) -> float:
        return self.cells_cpu + self.writer_cpu


def peak_memory() -> float:
    """Megabytes resident at the highest since this process began (shared pages included)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1e3


# --- in processes of a project's own ----------------------------------------------------------------------------------


def run_cells(connection: Connection, project: Path, code: str) -> None:
    """Body of a process that is forked for one page."""
    from kenpo_lib.batch import cells
    from kenpo_lib.batch.job import plan_jobs
    from kenpo_lib.batch.paths import Paths
    from kenpo_lib.batch.work import Limits, Place, Request, Run
    from kenpo_lib.catalogue import load_catalogue

    paths = Paths.of_project(project)
    job = plan_jobs(load_catalogue(), [code], fiscal_year=FISCAL_YEAR, lang="ja")[1]
    request = Request(job, (paths.notebooks / job.notebook).read_text(encoding="utf-8"))
    start = time.process_time()
    with tempfile.TemporaryDirectory() as work:
        place = Place(str(paths.curated), work, tuple(map(str, paths.watched)))
        notebook, drawings = cells.execute(request, place, Limits())
        run = Run(json.dumps(notebook), drawings, cells.read_sentinel(Path(work)), 0.0)
        connection.send((run, time.process_time() - start, peak_memory()))


def write_pages(connection: Connection, project: Path) -> None:
    """Body of the page writer: runs come in, what their pages took goes out."""
    from kenpo_lib.batch.page_writer import PageWriter, write_page
    from kenpo_lib.batch.template import read_templates
    from kenpo_lib.charts.drawing import warm_up

    writer = PageWriter(read_templates(project / "reports" / "templates"))
    warm_up()
    while True:
        try:
            run = connection.recv()
        except EOFError:
            return
        start = time.process_time()
        page = write_page(writer, run, lang="ja", title="scale")
        connection.send((time.process_time() - start, peak_memory(), len(page.encode())))


def serve_pages(project: Path) -> None:
    """Codes come in by line, what the page of each took goes out as JSON."""
    forkserver.set_forkserver_preload(["kenpo_lib.batch.preload"])
    context = get_context("forkserver")
    ours, theirs = context.Pipe()
    context.Process(target=write_pages, args=(theirs, project), daemon=True).start()
    for line in sys.stdin:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=run_cells, args=(sender, project, line.strip()))
        process.start()
        sender.close()
        run, cpu, peak = receiver.recv()
        process.join()
        ours.send(run)
        print(json.dumps(dataclasses.asdict(Page(cpu, peak, *ours.recv()))), flush=True)


def build(project: Path) -> None:
    from kenpo_lib.store import build_store

    build_store(project / "data" / "curated")


# --- both sizes -----------------------------------------------------------------------------------------------------


def environment(project: Path) -> dict[str, str]:
    return {"KENPO_DEFINITIONS": str(project / "definitions"), **dict.fromkeys(ONE_THREAD, "1")}


@contextmanager
def page_maker(project: Path) -> Iterator[Callable[[str], Page]]:
    """What makes a page of the project and says what it took."""
    process = subprocess.Popen(
        [sys.executable, __file__, "pages", str(project)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment(project)},
    )

    def make(code: str) -> Page:
        process.stdin.write(f"{code}\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            sys.exit(f"no page of unit {code} in {project}")
        return Page(**json.loads(line))

    with process:
        yield make
        process.stdin.close()


def pick_codes(units: int, count: int) -> list[str]:
    """Units spread over all of them."""
    return [f"{1 + number * (units - 1) // max(count - 1, 1):04d}" for number in range(count)]


def measure_pages(projects: Sequence[tuple[Path, int]], count: int) -> list[list[Page]]:
    """Of each project so many pages, in turn; one before them warms up and is left out."""
    with page_maker(projects[0][0]) as first, page_maker(projects[1][0]) as second:
        made: list[list[Page]] = [[], []]
        codes = [pick_codes(units, count) for _, units in projects]
        for turn in range(-1, count):
            for maker, listed, kept in zip((first, second), codes, made, strict=True):
                page = maker(listed[max(turn, 0)])
                kept.extend([page] if turn >= 0 else [])
    return made


def make_project(folder: Path, units: int, years: int) -> Path:
    """The made-up project, unless the folder has one."""
    if not (folder / "data" / "curated" / "validation.json").is_file():
        subprocess.run([sys.executable, str(HERE / "scale_data.py"), str(folder), str(units), str(years)], check=True)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=LARGE, help="of the larger project")
    parser.add_argument("--years", type=int, default=10, help="of both")
    parser.add_argument("--pages", type=int, default=9, help="pages of each size; the median counts")
    parser.add_argument("--folder", type=Path, help="where the projects are made and kept; else they are thrown away")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as thrown_away:
        folder = options.folder or Path(thrown_away)
        sizes = (SMALL, options.units)
        projects = [(make_project(folder / f"units{units}", units, options.years), units) for units in sizes]
        stores = [
            measure_command([sys.executable, __file__, "store", str(project)], env=environment(project))
            for project, _ in projects
        ]
        report(projects, stores, measure_pages(projects, options.pages))


def report(projects: Sequence[tuple[Path, int]], stores: Sequence[Measure], pages: Sequence[Sequence[Page]]) -> None:
    rows, sizes = [], []
    for project, _ in projects:
        curated = project / "data" / "curated"
        rows.append(json.loads((curated / "curated.json").read_text(encoding="utf-8"))["rows"]["observations.parquet"])
        sizes.append(sum(path.stat().st_size for path in (curated / "store").rglob("*") if path.is_file()) / 1e6)

    def median(name: str) -> list[float]:
        return [statistics.median(getattr(page, name) for page in made) for made in pages]

    def highest(name: str) -> list[float]:
        return [max(getattr(page, name) for page in made) for made in pages]

    cpu = median("cpu")
    lines = [
        ("units", [units for _, units in projects], 0),
        ("observations", rows, 0),
        ("store: CPU s", [store.cpu for store in stores], 1),
        ("store: peak MB of its process", [store.peak for store in stores], 0),
        ("store: MB on disk", sizes, 1),
        ("page: CPU s", cpu, 3),
        ("page: CPU s of its notebook", median("cells_cpu"), 3),
        ("page: CPU s of its writing", median("writer_cpu"), 3),
        ("page: peak MB of the notebook's process", highest("cells_peak"), 0),
        ("page: peak MB of the page writer", highest("writer_peak"), 0),
        ("page: kB", [size / 1e3 for size in median("size")], 0),
    ]
    cores = os.cpu_count() or 1
    print(
        f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, {len(pages[0])} pages of each size"
    )
    print("| what | smaller | larger | ratio |\n|---|---|---|---|")
    for what, (one, other), decimals in lines:
        print(f"| {what} | {one:,.{decimals}f} | {other:,.{decimals}f} | {other / one:.2f} |")
    peak = max(*highest("cells_peak"), *highest("writer_peak"))
    print(
        f"cost of a page: {cpu[1] / cpu[0]:.2f} times, promised {MOST_RATIO}: {_judge(cpu[1] / cpu[0] <= MOST_RATIO)}"
    )
    print(f"highest worker: {peak:.0f} MB, promised {MOST_MEGABYTES}: {_judge(peak <= MOST_MEGABYTES)}")
    hours = (REPORTS * cpu[1] + stores[1].cpu) / 3600
    print(
        f"{REPORTS:,} reports a night: {hours:.2f} CPU hours with the store, {hours / cores:.2f} h on {cores} cores "
        "(**projected** from the median page)"
    )


def _judge(is_kept: bool) -> str:
    return "kept" if is_kept else "NOT KEPT"


if __name__ == "__main__":
    inner = {"pages": serve_pages, "store": build}.get(sys.argv[1] if sys.argv[1:] else "")
    if inner:
        inner(Path(sys.argv[2]))
    else:
        main()
