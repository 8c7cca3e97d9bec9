"""A disk that is full, read-only, or on which another program holds a page open: rows 52 and 53, on real file systems."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from batches import copy_project, hash_pages, list_files, make_batch, page_of, run_fake
from click.testing import CliRunner
from faults import Injector, hold_open

from kenpo_lib import files
from kenpo_lib.batch.lock import LOCK
from kenpo_lib.batch.paths import Paths
from kenpo_lib.batch.run import Batch
from kenpo_lib.batch.work import Cause
from kenpo_lib.cli import cli
from kenpo_lib.errors import FolderError
from kenpo_lib.files import TEMPORARY_SUFFIX

pytestmark = pytest.mark.xdist_group("faults")
DISK_BYTES = 1_000_000


def _as_root(*command: str) -> None:
    """Run a command as root, also where tests do not (runners of continuous integration may, by sudo)."""
    needed = command if os.geteuid() == 0 else ("sudo", "-n", *command)
    try:
        subprocess.run(needed, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        message = f"a small disk cannot be mounted here (needs root on Linux): {getattr(error, 'stderr', '') or error}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture
def small_disk(published: Paths, tmp_path: Path) -> Iterator[Paths]:
    """A project whose folder of reports is a disk of 1 MB, with a former page of Miyagi."""
    paths = copy_project(published, tmp_path / "project")
    shutil.move(paths.templates, tmp_path / "templates")
    _as_root("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=1777", "tmpfs", str(paths.reports))
    try:
        shutil.copytree(tmp_path / "templates", paths.templates)
        run_fake(make_batch(paths, ["04"]), "旧")
        yield paths
    finally:
        _as_root("umount", "--lazy", str(paths.reports))


def _fill(paths: Paths) -> Path:
    """Take every byte that is free."""
    path = paths.reports / "filler"
    with path.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"x" * 1000)
        except OSError:
            pass
    return path


def _assert_former_pages_stand(paths: Paths, before: dict[str, str]) -> None:
    assert hash_pages(paths).items() >= before.items()
    left = [path for path in paths.reports.rglob("*") if path.is_file() and path.name != "filler"]
    assert not [path for path in left if path.suffix == TEMPORARY_SUFFIX or path.name == LOCK]
    assert not [path for path in left if path.stat().st_size == 0]


def test_page_that_does_not_fit_fails_and_the_others_are_made(small_disk: Paths):
    """Row 52: disk full at one write."""
    before = hash_pages(small_disk)
    large = "大" * (DISK_BYTES // 3)
    batch = make_batch(small_disk, ["04", "13"], force=True)

    outcomes = run_fake(batch, large)

    assert [outcome.failure.cause for outcome in outcomes] == [Cause.PUBLISH] * 2
    assert "ディスクの空きがありません" in outcomes[0].failure.reason.ja
    before.pop("index.html")  # it says so
    _assert_former_pages_stand(small_disk, before)
    # and with what fits, the same command makes them
    assert {outcome.state for outcome in run_fake(make_batch(small_disk, ["04", "13"]))} == {"complete"}
    assert not (small_disk.reports / "2024" / "errors").exists()


def test_full_disk_stops_the_command_with_a_message(small_disk: Paths):
    """Row 52: not even the lock can be written."""
    before = hash_pages(small_disk)
    filler = _fill(small_disk)
    arguments = ("--project", str(small_disk.reports.parent), "report", "--fiscal-year", "2024", "--branch", "04")

    result = CliRunner().invoke(cli, arguments)

    assert result.exit_code == 2
    assert "ディスクの空きがありません" in result.stderr
    _assert_former_pages_stand(small_disk, before)
    # and once there is room
    filler.unlink()
    assert [outcome.state for outcome in run_fake(make_batch(small_disk, ["04"], force=True), "新")] == ["complete"]


def test_read_only_folder_stops_the_command_with_a_message(small_disk: Paths):
    """Row 52. Tests may run as root, whom no permission hinders, so it is the disk that is read-only."""
    before, files_before = hash_pages(small_disk), list_files(small_disk.reports)
    _as_root("mount", "-o", "remount,ro", str(small_disk.reports))
    arguments = ("--project", str(small_disk.reports.parent), "report", "--fiscal-year", "2024", "--branch", "04")

    result = CliRunner().invoke(cli, arguments)

    assert result.exit_code == 2
    assert "読み取り専用" in result.stderr
    assert list_files(small_disk.reports) == files_before
    _assert_former_pages_stand(small_disk, before)


def test_what_cannot_be_read_stops_the_batch_with_a_message(published: Paths, tmp_path: Path):
    """Row 52: a notebook that is gone, a template folder that is none."""
    paths = copy_project(published, tmp_path / "project")
    batch = make_batch(paths, ["04"])
    (paths.notebooks / "20_branch_profile.ipynb").unlink()

    with pytest.raises(FolderError, match=r"20_branch_profile\.ipynb ありません"):
        run_fake(batch)
    assert list_files(paths.reports) == ["2024"]


# --- held open ------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(published: Paths, tmp_path: Path) -> Paths:
    paths = copy_project(published, tmp_path / "project")
    run_fake(make_batch(paths, ["04", "13"]), "旧")
    return paths


def _hold(monkeypatch: pytest.MonkeyPatch, batch: Batch, *, times: int) -> list[float]:
    """Somebody looks at the first page, so that Windows refuses to replace it; gives the times at which that was tried."""
    page = page_of(batch.paths, batch.jobs[0])
    tried: list[float] = []

    def change(operation: Any, *arguments: Any, **options: Any) -> Any:
        if operation.__name__ == "replace" and arguments[0] == page:
            tried.append(time.monotonic())
            if len(tried) <= times:
                hold_open()
        return operation(*arguments, **options)

    monkeypatch.setattr(files, "_change", change)
    return tried


def test_page_that_is_looked_at_fails_after_some_patience_and_stays(project: Paths, monkeypatch: pytest.MonkeyPatch):
    """Row 53."""
    batch = make_batch(project, ["04", "13"], force=True)
    former = page_of(project, batch.jobs[0]).read_bytes()
    tried = _hold(monkeypatch, batch, times=10_000)

    outcomes = run_fake(batch, "新")

    assert [outcome.state for outcome in outcomes] == ["failed", "complete"]
    assert outcomes[0].failure.cause == Cause.PUBLISH
    assert "ほかのプログラム" in outcomes[0].failure.reason.ja
    assert page_of(project, batch.jobs[0]).read_bytes() == former
    assert 10 <= len(tried) <= 30
    error_page = (project.reports / "2024" / "errors" / batch.jobs[0].file).read_text(encoding="utf-8")
    assert "Edge" in error_page
    assert "そのまま残っています" in error_page
    assert not list(project.reports.rglob(f"*{TEMPORARY_SUFFIX}"))
    # and once it is closed, the same command makes it
    monkeypatch.undo()
    assert [outcome.state for outcome in run_fake(make_batch(project, ["04", "13"]), "新")] == ["complete", "unchanged"]


def _use_up_quota() -> None:
    raise OSError(errno.EDQUOT, "Disk quota exceeded")


def test_used_up_quota_fails_its_page_and_is_called_so(project: Paths):
    """Row 52."""
    batch = make_batch(project, ["04", "13"], force=True)
    former = page_of(project, batch.jobs[0]).read_bytes()
    quota = Injector(2, _use_up_quota, only=frozenset({"write"}))  # the first is that of the lock

    outcomes = quota.run(lambda: run_fake(batch, "新"))

    assert [outcome.state for outcome in outcomes] == ["failed", "complete"]
    assert outcomes[0].failure.cause == Cause.PUBLISH
    assert "割り当てられた容量を使い切りました" in outcomes[0].failure.reason.ja
    assert page_of(project, batch.jobs[0]).read_bytes() == former
    assert not list(project.reports.rglob(f"*{TEMPORARY_SUFFIX}"))


def test_page_that_is_looked_at_for_a_moment_is_replaced(project: Paths, monkeypatch: pytest.MonkeyPatch):
    """Row 53: a virus scanner."""
    batch = make_batch(project, ["04", "13"], force=True)
    _hold(monkeypatch, batch, times=2)

    assert {outcome.state for outcome in run_fake(batch, "新")} == {"complete"}
