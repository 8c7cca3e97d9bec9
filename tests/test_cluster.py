"""Pages made by the workers of a Dask cluster: the same bytes and records, whatever happens to a worker."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import batches
import psutil
import pytest
from batches import FINISH, copy_project, hash_pages, list_files, make_batch, run_local
from distributed import Client

from kenpo_lib.batch.cluster import ClusterError, ClusterMaker, pack_kit
from kenpo_lib.batch.paths import Paths
from kenpo_lib.batch.record import read_json
from kenpo_lib.batch.run import Batch, Outcome, run_batch
from kenpo_lib.batch.template import read_templates
from kenpo_lib.batch.work import Limits

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
QUIET = {"DASK_DISTRIBUTED__DASHBOARD__ENABLED": "False", "DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "60s"}


def _start(command: str, *arguments: str, inside: str = "") -> subprocess.Popen[bytes]:
    prefix = ["ip", "netns", "exec", inside] if inside else []
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", f"distributed.cli.{command}", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | QUIET,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    process.kill()
    process.wait()


@contextmanager
def scheduler(host: str = "127.0.0.1") -> Iterator[str]:
    """A scheduler of its own; its address."""
    process = _start("dask_scheduler", "--host", host, "--port", "0", "--no-dashboard")
    try:
        yield _find_address(process, host)
    finally:
        _end(process)


def _find_address(process: subprocess.Popen[bytes], host: str) -> str:
    for _ in range(300):
        for connection in psutil.Process(process.pid).net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.ip == host:
                return f"tcp://{host}:{connection.laddr.port}"
        time.sleep(0.1)
    raise AssertionError("the scheduler does not listen")


def _find_listener(address: str) -> int:
    """The process that listens there."""
    port = int(address.rpartition(":")[2])
    found = [
        link.pid
        for link in psutil.net_connections("tcp")
        if link.status == psutil.CONN_LISTEN and link.laddr.port == port
    ]
    return found[0]


@contextmanager
def workers(
    address: str, folder: Path, count: int, *arguments: str, inside: str = ""
) -> Iterator[list[subprocess.Popen]]:
    """So many workers of one thread each."""
    folder.mkdir(exist_ok=True)
    options = ["--nthreads", "1", "--no-dashboard", "--local-directory", str(folder), *arguments]
    started = [_start("dask_worker", address, *options, inside=inside) for _ in range(count)]
    try:
        yield started
    finally:
        for process in started:
            _end(process)


def run_cluster(batch: Batch, address: str) -> list[Outcome]:
    templates = read_templates(batch.paths.templates)
    kit = pack_kit(batch.paths.curated, batch.list_tables(), templates, Limits())
    return run_batch(batch, lambda work, total: ClusterMaker(address, kit))


def _wait_for(address: str, count: int) -> None:
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


def _without_times(record: dict) -> dict:
    return {name: value for name, value in record.items() if name not in ("seconds", "finished", "recordDigest")}


def test_cluster_makes_the_same_files_with_the_same_bytes_and_records(published: Paths, tmp_path: Path):
    here = copy_project(published, tmp_path / "here")
    there = copy_project(published, tmp_path / "there")
    wanted = {"overview": True, "kpis": ["visit_rate"], "quality": True}
    run_local(make_batch(here, ["04", "47"], **wanted))

    with scheduler() as address, workers(address, tmp_path / "w", 1):
        outcomes = run_cluster(make_batch(there, ["04", "47"], **wanted), address)

    assert {outcome.state for outcome in outcomes} == {"complete"}
    assert hash_pages(there) == hash_pages(here)
    assert list_files(there.reports) == list_files(here.reports)
    name = "2024/kenpo_04_miyagi_FY2024.manifest.json"
    assert _without_times(read_json(there.reports / name)) == _without_times(read_json(here.reports / name))


def test_workers_without_the_shared_folder_get_the_tables(published: Paths, tmp_path: Path):
    # given a kit whose folder no worker has
    paths = copy_project(published, tmp_path / "project")
    batch = make_batch(paths, ["47"], kpis=["visit_rate"], quality=True)
    kit = pack_kit(paths.curated, batch.list_tables(), read_templates(paths.templates), Limits())
    elsewhere = type(kit)(str(tmp_path / "nowhere"), kit.digests, kit.contents, kit.templates, kit.limits, kit.software)

    with scheduler() as address, workers(address, tmp_path / "w", 1):
        outcomes = run_batch(batch, lambda work, total: ClusterMaker(address, elsewhere))

    assert [outcome.state for outcome in outcomes] == ["complete"] * 3


def test_failing_page_and_failing_process_are_told_as_on_one_machine(published: Paths, tmp_path: Path):
    paths = copy_project(
        published,
        tmp_path / "p",
        "import os\nassert branch != '13', 'no figures'\nif branch == '14': os._exit(1)",
        FINISH,
    )

    with scheduler() as address, workers(address, tmp_path / "w", 2):
        outcomes = run_cluster(make_batch(paths, ["12", "13", "14"]), address)

    assert [outcome.state for outcome in outcomes] == ["complete", "failed", "failed"]
    assert [outcome.failure.cause if outcome.failure else None for outcome in outcomes] == [None, "data", "crash"]


def test_worker_killed_in_the_middle_costs_nothing_but_time(published: Paths, tmp_path: Path):
    # given two workers, and a batch of ten slow pages
    codes = [f"{number:02}" for number in range(1, 11)]
    cells = ("import time; time.sleep(0.3)", FINISH)
    here = copy_project(published, tmp_path / "here", *cells)
    there = copy_project(published, tmp_path / "there", *cells)
    run_local(make_batch(here, codes))
    with scheduler() as address, workers(address, tmp_path / "w", 2, "--no-nanny") as processes:
        _wait_for(address, 2)

        def kill_one(outcome: Outcome) -> None:
            if processes[0].poll() is None:
                os.killpg(processes[0].pid, signal.SIGKILL)

        # when one is killed after the first page
        outcomes = run_cluster(make_batch(there, codes, on_outcome=kill_one), address)
    # then
    assert {outcome.state for outcome in outcomes} == {"complete"}
    assert hash_pages(there) == hash_pages(here)


def test_scheduler_that_is_not_there_or_has_no_workers_is_named(published: Paths, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("kenpo_lib.batch.cluster._CONNECT_SECONDS", 1)
    paths = copy_project(published, tmp_path / "project")

    with pytest.raises(ClusterError, match=r"127\.0\.0\.1:9"):
        run_cluster(make_batch(paths, ["47"]), "tcp://127.0.0.1:9")
    with scheduler() as address, pytest.raises(ClusterError, match="ワーカー"):
        run_cluster(make_batch(paths, ["47"]), address)
    assert not list(paths.reports.glob("2024/*.html"))


@pytest.mark.parametrize(
    ("lost", "told"), [("worker", "ワーカーがいなくなりました"), ("scheduler", "接続が失われました")]
)
def test_cluster_that_is_lost_for_good_ends_the_batch_with_what_is_finished(
    published: Paths, tmp_path: Path, monkeypatch, lost: str, told: str
):
    # given a client that waits a second or two, and not a minute
    monkeypatch.setattr("kenpo_lib.batch.cluster._PATIENCE_SECONDS", 1)
    monkeypatch.setattr("kenpo_lib.batch.cluster._CONNECT_SECONDS", 5)
    paths = copy_project(published, tmp_path / "project", "import time; time.sleep(0.3)", FINISH)
    with scheduler() as address, workers(address, tmp_path / "w", 1, "--no-nanny") as processes:
        _wait_for(address, 1)
        victim = processes[0].pid if lost == "worker" else _find_listener(address)

        def kill(outcome: Outcome) -> None:
            with suppress(ProcessLookupError):
                os.killpg(victim, signal.SIGKILL)

        # when its only worker, or the scheduler, is killed after the first page
        with pytest.raises(ClusterError, match=told) as caught:
            run_cluster(make_batch(paths, ["12", "13", "14"], on_outcome=kill), address)
    # then the user is told what to do, and what was finished stays
    assert address in str(caught.value)
    assert "同じコマンド" in str(caught.value)
    assert len(list(paths.reports.glob("2024/*.html"))) in (1, 2)
    # and one machine makes the rest
    assert {outcome.state for outcome in run_local(make_batch(paths, ["12", "13", "14"]))} == {"complete", "unchanged"}


def test_worker_with_another_version_is_refused(published: Paths, tmp_path: Path):
    paths = copy_project(published, tmp_path / "project")
    batch = make_batch(paths, ["47"])
    kit = pack_kit(paths.curated, batch.list_tables(), read_templates(paths.templates), Limits())
    other = type(kit)(
        kit.curated, kit.digests, kit.contents, kit.templates, kit.limits, {**kit.software, "polars": "0.0.1"}
    )

    with scheduler() as address, workers(address, tmp_path / "w", 1), pytest.raises(ClusterError, match="polars"):
        run_batch(batch, lambda work, total: ClusterMaker(address, other))


# --- two hosts ------------------------------------------------------------------------------------------------------


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def hosts() -> Iterator[tuple[str, list[str]]]:
    """Two network namespaces, each joined to this one by a cable, and the address of this one that both reach."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        message = "network namespaces need root and iproute2 (tools/install_test_tools.sh installs it on Debian)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    names = [f"kenpo{os.getpid()}{letter}" for letter in "ab"]
    bridge, centre = f"kb{os.getpid()}", "198.51.100.1"
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{centre}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number, name in enumerate(names, start=2):
            outer, inner = f"kv{os.getpid()}{number}", f"kw{os.getpid()}{number}"
            _ip("netns", "add", name)
            _ip("link", "add", outer, "type", "veth", "peer", "name", inner)
            _ip("link", "set", inner, "netns", name)
            _ip("link", "set", outer, "master", bridge, "up")
            _ip("netns", "exec", name, "ip", "addr", "add", f"198.51.100.{number}/24", "dev", inner)
            _ip("netns", "exec", name, "ip", "link", "set", inner, "up")
            _ip("netns", "exec", name, "ip", "link", "set", "lo", "up")
        yield centre, names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "delete", bridge], check=False, capture_output=True)


def test_workers_on_two_hosts_make_the_same_pages(published: Paths, tmp_path: Path, hosts):
    centre, names = hosts
    here = copy_project(published, tmp_path / "here")
    there = copy_project(published, tmp_path / "there")
    run_local(make_batch(here, ["04", "47"]))

    with (
        scheduler(centre) as address,
        workers(address, tmp_path / "a", 1, inside=names[0]),
        workers(address, tmp_path / "b", 1, inside=names[1]),
    ):
        # A process of its own, since in this one no test connects to another address than loopback.
        done = batches.run_kenpo(
            there.reports.parent, "report", "--fiscal-year", "2024", "--branch", "04,47", "--scheduler", address
        )

    assert done.returncode == 0, done.stderr
    ours, theirs = hash_pages(here), hash_pages(there)
    assert {name: theirs[name] for name in ours if name.startswith("2024/")} == {
        name: digest for name, digest in ours.items() if name.startswith("2024/")
    }
