"""Pages made by one and by two workers of a Dask cluster on this machine: seconds for the same work, and their ratio.

Beside it, what two cores of this machine are worth at all: the same pages made without a cluster, by one process that takes them in
turn and by two that take half of them each. Virtual cores share what they run on, and the scheduler needs some of it too.

With ``--share 0.3`` each worker gets that much of a core of its own, by a control group of Linux (needs root), so that the cores are
never short: what is then measured is how well the work is divided, as on machines of their own, and not what a second core adds.

Run it with ``make bench-cluster`` after ``make report``, on a machine that does nothing else and has two cores or more.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psutil
from distributed import Client, LocalCluster

from kenpo_lib.batch.cluster import ClusterMaker, pack_kit
from kenpo_lib.batch.job import plan_jobs
from kenpo_lib.batch.paths import Paths
from kenpo_lib.batch.pool import LocalPool
from kenpo_lib.batch.template import read_templates
from kenpo_lib.batch.work import Limits, Request
from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.store import build_store

ROOT = Path(__file__).parents[1]
CGROUPS = Path("/sys/fs/cgroup")


def list_requests(paths: Paths, years: tuple[int, ...], count: int) -> list[Request]:
    """So many pages of branches, of all years with data and in both languages, again from the start if that is too few."""
    catalogue = load_catalogue()
    codes = catalogue.branch_codes
    jobs = [
        job
        for year, lang in itertools.product(sorted(years, reverse=True), ("ja", "en"))
        for job in plan_jobs(catalogue, codes, fiscal_year=year, lang=lang)[1:]
    ]
    texts = {job.notebook: (paths.notebooks / job.notebook).read_text(encoding="utf-8") for job in jobs}
    return [Request(job, texts[job.notebook]) for job in itertools.islice(itertools.cycle(jobs), count)]


def measure(paths: Paths, requests: list[Request], workers: int, *, share: float | None = None) -> float:
    """Seconds from the first request to the last page, with warm workers of one thread each; of a part of a core each, if one is given."""
    store = build_store(paths.curated)
    tables: dict[str, str] = {}
    for request in requests:
        tables.update(store.files(request.job.branch_code, request.job.fiscal_year))
    kit = pack_kit(paths.curated, tables, read_templates(paths.templates), Limits())
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        cluster = stack.enter_context(
            LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None, silence_logs=40)
        )
        for number in range(workers):
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address),
                    *("--nthreads", "1", "--no-dashboard", "--local-directory", f"{folder}/{number}"),
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if share is not None:
                stack.enter_context(limit_share(process.pid, number, share))
            stack.callback(_end, process)
        with Client(cluster.scheduler_address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)
        maker = stack.enter_context(ClusterMaker(cluster.scheduler_address, kit))
        list(maker.run(requests[: 4 * workers]))  # processes are up and warm before the clock starts
        start = time.perf_counter()
        failed = [result for result in maker.run(requests) if result.failure]
        wall = time.perf_counter() - start
    if failed:
        sys.exit(f"{len(failed)} pages failed: {failed[0].failure}")
    return wall


@contextmanager
def limit_share(pid: int, core: int, share: float) -> Iterator[None]:
    """A process, and all that it will start, gets a part of the time of one core."""
    os.sched_setaffinity(pid, {core})
    first_version = CGROUPS / "cpu"
    group = (first_version if first_version.is_dir() else CGROUPS) / f"kenpo-benchmark-{core}"
    period = 100_000  # microseconds
    try:
        group.mkdir()
        if first_version.is_dir():
            (group / "cpu.cfs_period_us").write_text(f"{period}")
            (group / "cpu.cfs_quota_us").write_text(f"{round(share * period)}")
        else:
            (group / "cpu.max").write_text(f"{round(share * period)} {period}")
        (group / "cgroup.procs").write_text(f"{pid}")
    except OSError as error:
        sys.exit(f"--share needs control groups that may be written: {error}")
    try:
        yield
    finally:
        while (group / "cgroup.procs").read_text():  # what the process had started ends a little later
            time.sleep(0.1)
        group.rmdir()


def measure_alone(paths: Paths, requests: list[Request], processes: int) -> float:
    """Seconds for the same pages by processes that know nothing of each other, each warm before the clock starts."""
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(processes + 1)
    shares = [requests[number::processes] for number in range(processes)]
    makers = [spawn.Process(target=make_alone, args=(paths, share, barrier)) for share in shares]
    for maker in makers:
        maker.start()
    barrier.wait()
    start = time.perf_counter()
    for maker in makers:
        maker.join()
    wall = time.perf_counter() - start
    if any(maker.exitcode for maker in makers):
        sys.exit("pages failed")
    return wall


def make_alone(paths: Paths, requests: list[Request], barrier: Barrier) -> None:
    """Body of a process of ``measure_alone``: as a worker makes pages, one after the other."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalPool(1, curated=paths.curated, work=Path(folder), templates=read_templates(paths.templates)) as pool,
    ):
        list(pool.run(requests[:4]))
        barrier.wait()
        for request in requests:
            (result,) = pool.run([request])
            if result.failure:
                sys.exit(str(result.failure))


def _end(process: subprocess.Popen[bytes]) -> None:
    for child in psutil.Process(process.pid).children(recursive=True):
        child.terminate()
    process.terminate()
    process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument(
        "--share", type=float, help="part of a core that each worker gets, say 0.3; then only the cluster"
    )
    options = parser.parse_args()
    paths = Paths.of_project(ROOT)
    requests = list_requests(paths, build_store(paths.curated).years, options.pages)
    print(f"{os.cpu_count()} cores, {len(requests)} pages")
    ways = [("process without a cluster", measure_alone)]
    if options.share is not None:
        ways = []
        print(f"each worker with {options.share} of a core")
    for what, way in (("worker", functools.partial(measure, share=options.share)), *ways):
        one, two = (way(paths, requests, number) for number in (1, 2))
        print(f"one {what} {one:.1f} s, two {two:.1f} s, ratio {one / two:.2f}", flush=True)


if __name__ == "__main__":
    main()
