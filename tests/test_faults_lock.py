"""Two batches at once, a lock that was left behind, one of another machine: row 49."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from batches import copy_project, hash_pages, make_batch, run_fake
from commands import make_small_project, running

from kenpo_lib.batch import lock
from kenpo_lib.batch.lock import LOCK, BatchRunningError, lock_folder
from kenpo_lib.batch.paths import Paths
from kenpo_lib.batch.record import read_record
from kenpo_lib.files import sha256_of

pytestmark = pytest.mark.xdist_group("faults")
# Takes the lock, starts a process that outlives it, says so, and waits to be told to end.
HOLD = """
import subprocess, sys
from pathlib import Path
from kenpo_lib.batch.lock import lock_folder
with lock_folder(Path(sys.argv[1])):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    sys.stdin.readline()
"""


@contextmanager
def _held(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the lock of a folder."""
    arguments = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        child = int(process.stdout.readline())
        try:
            yield process
        finally:
            process.kill()
            os.kill(child, signal.SIGKILL)


@pytest.fixture
def project(published: Paths, tmp_path: Path) -> Paths:
    return copy_project(published, tmp_path / "project")


def test_batch_is_refused_while_another_runs_and_runs_when_it_has_ended(project: Paths):
    batch = make_batch(project, ["04"])
    with _held(project.reports) as process:
        with pytest.raises(BatchRunningError, match=f"プロセス {process.pid}"):
            run_fake(batch)
        assert not (project.reports / "2024").exists()

        process.stdin.write("\n")
        process.stdin.flush()
        process.wait()
        assert not (project.reports / LOCK).exists()
        assert [outcome.state for outcome in run_fake(batch)] == ["complete"]


def test_lock_of_a_killed_batch_is_taken_over_although_a_child_of_it_lives_on(project: Paths):
    batch = make_batch(project, ["04"])
    with _held(project.reports) as process:
        process.kill()
        process.wait()
        assert (project.reports / LOCK).exists()

        assert [outcome.state for outcome in run_fake(batch)] == ["complete"]

    assert not (project.reports / LOCK).exists()


def test_lock_of_another_machine_is_respected_until_a_person_deletes_it(project: Paths):
    batch, path = make_batch(project, ["04"]), project.reports / LOCK
    entry = {"host": "other-pc", "pid": 1, "started": "2026-01-01T00:00:00+00:00"}
    path.write_text(json.dumps(entry), encoding="utf-8")

    with pytest.raises(BatchRunningError, match="other-pc"):
        run_fake(batch)
    assert json.loads(path.read_text(encoding="utf-8")) == entry
    assert not (project.reports / "2024").exists()

    path.unlink()
    assert [outcome.state for outcome in run_fake(batch)] == ["complete"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', "\x00" * 100])
def test_lock_file_that_says_nothing_hinders_nobody(project: Paths, content: str):
    (project.reports / LOCK).write_text(content, encoding="utf-8")

    assert [outcome.state for outcome in run_fake(make_batch(project, ["04"]))] == ["complete"]


def test_lock_is_released_whatever_happens_inside(tmp_path: Path):
    for error in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(error), lock_folder(tmp_path):
            raise error
        assert list(tmp_path.iterdir()) == []


def test_lock_is_not_taken_twice_by_one_process(tmp_path: Path):
    """A cell that is run again in JupyterLab while a thread still makes reports."""
    with lock_folder(tmp_path):
        with pytest.raises(BatchRunningError, match=f"プロセス {os.getpid()}"), lock_folder(tmp_path):
            pytest.fail("both hold it")
        assert (tmp_path / LOCK).exists()


def test_lock_file_that_vanishes_while_it_is_taken_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its former holder removes it between the moments when it is opened and locked: a lock on a file without a name is none."""
    take, taken = lock._take, []

    def take_late(descriptor: int) -> None:
        taken.append(descriptor)
        if len(taken) == 1:
            (tmp_path / LOCK).unlink()
        take(descriptor)

    monkeypatch.setattr(lock, "_take", take_late)

    with lock_folder(tmp_path):
        assert (tmp_path / LOCK).exists()
        with pytest.raises(BatchRunningError), lock_folder(tmp_path):
            pytest.fail("both hold it")


def test_lock_file_is_removed_while_the_lock_is_still_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    remove, removed = lock.remove, []

    def look(path: Path) -> None:
        with pytest.raises(BatchRunningError):
            lock._open_locked(path)
        remove(path)
        removed.append(path)

    monkeypatch.setattr(lock, "remove", look)

    with lock_folder(tmp_path):
        pass
    assert removed == [tmp_path / LOCK]


def test_file_system_without_locks_is_not_taken_for_another_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)

    with pytest.raises(OSError, match="No locks"), lock_folder(tmp_path):
        pytest.fail("it holds no lock")


@pytest.mark.slow
def test_of_two_commands_at_once_one_makes_all_pages_and_one_is_refused(published: Paths, tmp_path: Path):
    paths = make_small_project(published, tmp_path / "project")
    with running(paths.reports.parent) as first:
        assert first.wait_until((paths.reports / LOCK).exists)
        with running(paths.reports.parent, "--force") as second:
            assert second.wait() == 2
            assert "別の kenpo report が実行中" in second.said()
            assert "Traceback" not in second.said()
        assert first.wait() == 0, first.said()

    folder = paths.reports / "2024"
    assert len(hash_pages(paths)) == 5
    for path in folder.glob("*.manifest.json"):
        record = read_record(path)
        assert record["run"] == 1
        assert record["subject"][0]["digest"]["sha256"] == sha256_of(folder / record["subject"][0]["name"])
