"""What one page costs beside the floor, part by part: wall seconds of one process at a time, the median of some branches.

Run it with ``make bench``, or alone after ``make data``, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kenpo_lib.batch.processes import ONE_THREAD, start_process, warm_up

os.environ.update(dict.fromkeys(ONE_THREAD, "1"))  # as in the batch, and before polars is loaded

import peers

from kenpo_lib.batch import cells, page_writer
from kenpo_lib.batch.job import plan_jobs
from kenpo_lib.batch.paths import Paths
from kenpo_lib.batch.template import read_templates
from kenpo_lib.batch.work import Limits, Place, Request, Run
from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.charts import drawing
from kenpo_lib.store import build_store

ROOT = Path(__file__).parents[1]
WARMING = 2  # pages made before the clock starts

Times = dict[str, list[float]]


def run_forked(requests: list[Request], paths: Paths, times: Times) -> list[Run]:
    """Each notebook in a process that is forked for it, as the batch does."""
    runs = []
    warm_up()
    for request in requests:
        with tempfile.TemporaryDirectory() as work:
            place = Place(str(paths.curated), work, tuple(map(str, paths.watched)))
            start = time.perf_counter()
            process, connection = start_process(cells.run_cells, request, place, Limits())
            while (message := connection.recv())[0] == "cell":
                pass
            process.join()
            times["its notebook by papermill, in a process forked for it"].append(time.perf_counter() - start)
        runs.append(message[1])
    return runs


def run_plain(codes: list[str], project: Path, times: Times) -> None:
    """The same cells as plain functions in this process, warm."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("data", "notebooks", "reports"):
            (Path(folder) / name).symlink_to(project / name)
        peers.warm(folder)
        drawings = drawing.defer_drawings()
        for code in codes:
            start = time.perf_counter()
            peers.by_plain_functions(folder, code)
            times["its cells as plain functions, warm"].append(time.perf_counter() - start)
            drawings.clear()
        drawing.stop_deferring()


def write_pages(runs: list[Run], paths: Paths, times: Times) -> None:
    """The pages by one writer; what its parts took beside the whole."""
    writer = page_writer.PageWriter(read_templates(paths.templates))
    parts: dict[str, float] = defaultdict(float)
    for module, name, part in (
        (drawing, "draw", "of it drawing"),
        (page_writer, "keep_allowed", "of it sanitising"),
        (page_writer, "require_good", "of it the check of the finished page"),
    ):
        setattr(module, name, _timed(getattr(module, name), parts, part))
    for run in runs:
        parts.clear()
        start = time.perf_counter()
        page_writer.write_page(writer, run, lang="ja", title="parts")
        times["its writing"].append(time.perf_counter() - start)
        for part, seconds in parts.items():
            times[part].append(seconds)


def _timed(function: Callable[..., Any], parts: dict[str, float], part: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            parts[part] += time.perf_counter() - start

    return call


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=12)
    options = parser.parse_args()
    paths, catalogue = Paths.of_project(ROOT), load_catalogue()
    build_store(paths.curated)
    codes = list(catalogue.branch_codes)[: options.pages + WARMING]
    jobs = plan_jobs(catalogue, codes, fiscal_year=2024, lang="ja")[1:]
    requests = [Request(job, (paths.notebooks / job.notebook).read_text(encoding="utf-8")) for job in jobs]
    times: Times = defaultdict(list)
    runs = run_forked(requests, paths, times)
    write_pages(runs, paths, times)
    run_plain(codes, ROOT, times)
    print("| of one page | seconds |\n|---|---|")
    for part, taken in times.items():
        print(f"| {part} | {statistics.median(taken[WARMING:]):.3f} |")


if __name__ == "__main__":
    main()
