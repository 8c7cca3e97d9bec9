"""A notebook that takes too long in all, a page writer that dies or hangs: rows 41 and 42, without a notebook and without figures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import odd_processes
import pytest

from kenpo_lib.batch.job import plan_jobs
from kenpo_lib.batch.pool import LocalPool
from kenpo_lib.batch.processes import measure_memory
from kenpo_lib.batch.work import Cause, Limits, Request
from kenpo_lib.catalogue import load_catalogue

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]


@pytest.mark.parametrize(
    ("cells", "writer", "limits", "cause"),
    [
        (odd_processes.go_on, odd_processes.hang, Limits(page_seconds=1.0), Cause.TIMEOUT),
        (odd_processes.finish, odd_processes.hang, Limits(cell_seconds=0.5), Cause.TIMEOUT),
        (odd_processes.finish, odd_processes.die, Limits(), Cause.CRASH),
    ],
    ids=["notebook goes on", "writer hangs", "writer dies"],
)
def test_page_whose_process_goes_wrong_is_tried_once_more_and_then_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: Callable, writer: Callable, limits: Limits, cause: Cause
):
    monkeypatch.setattr("kenpo_lib.batch.pool._run_cells", cells)
    monkeypatch.setattr("kenpo_lib.batch.pool._serve_pages", writer)
    (job,) = plan_jobs(load_catalogue(), [], fiscal_year=2024, lang="ja")

    with LocalPool(1, curated=tmp_path, work=tmp_path, templates={}, limits=limits) as pool:
        (result,) = pool.run([Request(job, "{}")])

    assert result.failure is not None
    assert (result.failure.cause, result.request.attempt) == (cause, 2)


def test_memory_of_what_a_process_has_started_counts():
    """Row 41."""
    large = "x = b'x' * 100_000_000; print(flush=True); input()"
    small = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {large!r}])"]
    with subprocess.Popen(small, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        assert measure_memory(process.pid) > 100_000_000
        process.communicate("\n")
