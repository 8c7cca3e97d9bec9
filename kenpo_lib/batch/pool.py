"""The processes of a batch on this machine: one fresh process a notebook, a few that draw and write pages all along."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from kenpo_lib.batch.interrupt import end_with_parent, uninterrupted
from kenpo_lib.batch.processes import PoolBrokenError, end_process, measure_memory, start_process, warm_up
from kenpo_lib.batch.work import (
    MAX_ATTEMPTS,
    RETRIED,
    Cause,
    Failure,
    Limits,
    PageFailedError,
    Place,
    Request,
    Result,
    Run,
    fail,
)
from kenpo_lib.errors import FontError
from kenpo_lib.language import Text
from kenpo_lib.streams import fill_streams

_TICK_SECONDS = 0.25
_MEMORY_CHECK_SECONDS = 1.0
_MAX_FAILED_STARTS = 3
_START_SECONDS = 120.0  # of a page writer, on a machine that has much else to do


def _run_cells(connection: Connection, request: Request, place: Place, limits: Limits) -> None:
    fill_streams()
    from kenpo_lib.batch.cells import run_cells

    run_cells(connection, request, place, limits)


def _serve_pages(connection: Connection, templates: Mapping[str, str]) -> None:
    """Body of a page writer: a run comes in, a page or a failure goes out, until the other end closes."""
    end_with_parent()
    if hasattr(os, "setsid"):
        os.setsid()
    fill_streams()
    from kenpo_lib.batch.page_writer import PageWriter, write_page
    from kenpo_lib.charts.drawing import warm_up as warm_up_renderer
    from kenpo_lib.charts.glyphs import check_glyphs

    writer = PageWriter(templates)
    warm_up_renderer()
    with suppress(EOFError, OSError):
        try:
            check_glyphs()
        except FontError as error:
            connection.send(("no font", error.problem))
            return
        connection.send(("ready", None))
        while True:
            run, lang, title = connection.recv()
            try:
                connection.send(("page", write_page(writer, run, lang=lang, title=title)))
            except PageFailedError as error:
                connection.send(("failed", error.failure))


@dataclass
class _Cells:
    """A process that runs a notebook."""

    request: Request
    process: BaseProcess
    connection: Connection
    started: float
    cell_started: float
    cell_number: int | None = None
    memory_checked: float = 0.0
    has_begun: bool = False


@dataclass
class _Writer:
    """A process that writes pages, and what it writes now."""

    process: BaseProcess
    connection: Connection
    is_ready: bool = False
    request: Request | None = None
    run: Run | None = None
    started: float = 0.0


class LocalPool:
    """Makes pages on this machine.

    Args:
        jobs: Notebooks that run at a time; as many page writers stand beside them.
        curated: The curated tables.
        work: The folder in which each attempt gets one of its own.
        templates: By name, from ``templates.read_templates``.
        limits: What one page may use.
        watched: Folders in which nothing may change while a notebook runs, besides ``curated``.
    """

    def __init__(
        self,
        jobs: int,
        *,
        curated: Path,
        work: Path,
        templates: Mapping[str, str],
        limits: Limits | None = None,
        watched: Iterable[Path] = (),
    ):
        self._jobs, self._templates, self._limits = jobs, dict(templates), limits or Limits()
        self._curated, self._work = curated.resolve(), work.resolve()
        self._watched = tuple(str(folder.resolve()) for folder in watched)
        self._running: list[_Cells] = []
        self._writers: list[_Writer] = []
        self._to_write: deque[tuple[Request, Run]] = deque()
        self._failed_starts = 0

    def __enter__(self) -> LocalPool:
        try:
            warm_up()
            for _ in range(self._jobs):
                self._start_writer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with uninterrupted():
            for running in self._running:
                end_process(running.process)
            for writer in self._writers:
                writer.connection.close()
                end_process(writer.process)
            self._running, self._writers = [], []
            self._to_write.clear()

    def run(self, requests: Iterable[Request]) -> Iterator[Result]:
        """Make the pages, and yield each as soon as it is there; in any order.

        Raises:
            PoolBrokenError: Processes do not start.
            FontError: Charts would be drawn without text.
        """
        waiting = deque(requests)
        while waiting or self._running or self._to_write or any(writer.request for writer in self._writers):
            while waiting and len(self._running) < self._jobs and len(self._to_write) < 2 * self._jobs:
                self._start_cells(waiting.popleft())
            for writer in self._writers:
                if self._to_write and writer.is_ready and writer.request is None:
                    self._hand_over(writer, *self._to_write.popleft())
            for result in self._collect():
                if result.failure and result.failure.cause in RETRIED and result.request.attempt < MAX_ATTEMPTS:
                    waiting.append(replace(result.request, attempt=result.request.attempt + 1))
                else:
                    yield result

    # --- starting ---------------------------------------------------------------------------------------------------

    def _start_cells(self, request: Request) -> None:
        work = self._work / f"{request.job.stem}-{request.attempt}"
        place = Place(str(self._curated), str(work), self._watched)
        with uninterrupted():
            process, connection = start_process(_run_cells, request, place, self._limits)
            now = time.monotonic()
            self._running.append(_Cells(request, process, connection, now, now))

    def _start_writer(self) -> None:
        with uninterrupted():
            process, connection = start_process(_serve_pages, self._templates)
            self._writers.append(_Writer(process, connection, started=time.monotonic()))

    def _hand_over(self, writer: _Writer, request: Request, run: Run) -> None:
        writer.request, writer.run, writer.started = request, run, time.monotonic()
        with suppress(OSError):  # it died; that is seen when its results are collected
            writer.connection.send((run, request.job.lang, request.job.title))

    # --- collecting -------------------------------------------------------------------------------------------------

    def _collect(self) -> Iterator[Result]:
        handles: list[Any] = [running.connection for running in self._running]
        handles += [writer.connection for writer in self._writers]
        ready = set(map(id, wait(handles, timeout=_TICK_SECONDS)))
        for running in list(self._running):
            failure = self._listen(running) if id(running.connection) in ready else None
            if failure is None and running in self._running:  # also one that says something all the time
                failure = self._check(running)
            if failure:
                yield Result(running.request, failure=failure, seconds=time.monotonic() - running.started)
        for writer in list(self._writers):
            if id(writer.connection) in ready:
                yield from self._receive(writer)
            elif writer.request and time.monotonic() - writer.started > self._limits.cell_seconds:
                yield self._lose(writer, Cause.TIMEOUT)
            elif not writer.is_ready and time.monotonic() - writer.started > _START_SECONDS:
                yield from self._replace(writer)

    def _listen(self, running: _Cells) -> Failure | None:
        """Take one message of a notebook's process; a failure ends it."""
        try:
            kind, content = running.connection.recv()
        except (EOFError, OSError):
            return self._bury(running)
        running.has_begun, self._failed_starts = True, 0
        if kind == "cell":
            running.cell_started, running.cell_number = time.monotonic(), content or running.cell_number
            return None
        self._dismiss(running, patience=1.0)
        if kind == "failed":
            return content
        self._to_write.append((running.request, content))
        return None

    def _dismiss(self, running: _Cells, *, patience: float = 0.0) -> None:
        running.connection.close()
        end_process(running.process, patience=patience)
        self._running.remove(running)  # last: whoever is interrupted before ends it again

    def _count_failed_start(self) -> None:
        self._failed_starts += 1
        if self._failed_starts >= _MAX_FAILED_STARTS:
            raise PoolBrokenError

    def _bury(self, running: _Cells) -> Failure:
        running.process.join(1.0)
        code = running.process.exitcode
        self._dismiss(running, patience=1.0)
        if not running.has_begun:
            self._count_failed_start()
        shown = f"{-code} ({signal.Signals(-code).name})" if code and code < 0 else code
        return _fail_in_cell(
            running,
            Cause.CRASH,
            f"ノートブックのプロセスが途中で終わりました（終了コード {shown}）",
            f"the process of the notebook ended before its time (exit code {shown})",
        )

    def _check(self, running: _Cells) -> Failure | None:
        """Whether a process that says nothing has used up what it may."""
        now, limits = time.monotonic(), self._limits
        spent = [(now - running.cell_started, limits.cell_seconds), (now - running.started, limits.page_seconds)]
        for seconds, allowed in spent:
            if seconds > allowed:
                self._dismiss(running)
                ja, en = f"{allowed:.0f}秒たっても終わりませんでした", f"did not end within {allowed:.0f} s"
                return _fail_in_cell(running, Cause.TIMEOUT, f"ノートブックが{ja}", f"the notebook {en}")
        if now - running.memory_checked > _MEMORY_CHECK_SECONDS:
            running.memory_checked = now
            if measure_memory(running.process.pid) > limits.memory_bytes:
                self._dismiss(running)
                size = f"{limits.memory_bytes / 1e9:.1f} GB"
                ja, en = (
                    f"ノートブックがメモリの上限（{size}）を超えました",
                    f"the notebook took more memory than {size}",
                )
                return _fail_in_cell(running, Cause.MEMORY, ja, en)
        return None

    def _receive(self, writer: _Writer) -> Iterator[Result]:
        try:
            kind, content = writer.connection.recv()
        except (EOFError, OSError):
            yield from self._replace(writer)
            return
        if kind == "ready":
            writer.is_ready, self._failed_starts = True, 0
            return
        if kind == "no font":
            raise FontError(content)
        request, run = writer.request, writer.run
        assert request is not None, kind
        assert run is not None, kind
        writer.request = writer.run = None
        seconds = run.seconds + time.monotonic() - writer.started
        if kind == "page":
            yield Result(request, page=content, sentinel=run.sentinel, seconds=seconds)
        else:
            yield Result(request, failure=content, seconds=seconds)

    def _replace(self, writer: _Writer) -> Iterator[Result]:
        """A page writer died or never got ready: another one takes its place, what it was writing is lost."""
        if not writer.is_ready:
            self._count_failed_start()
        if writer.request:
            yield self._lose(writer, Cause.CRASH)
        else:
            self._renew(writer)

    def _lose(self, writer: _Writer, cause: Cause) -> Result:
        request = writer.request
        assert request is not None
        self._renew(writer)
        failure = fail(cause, "頁を書き出すプロセスが止まりました", "the process that writes the page stopped").failure
        return Result(request, failure=failure, seconds=time.monotonic() - writer.started)

    def _renew(self, writer: _Writer) -> None:
        writer.connection.close()
        end_process(writer.process)
        self._writers.remove(writer)
        self._start_writer()


def _fail_in_cell(running: _Cells, cause: Cause, ja: str, en: str) -> Failure:
    """Why there is no page, and in which cell its notebook was."""
    number = running.cell_number
    where = Text(f"（{number}番目のセル）", f" (in cell {number})") if number else Text("", "")
    return Failure(cause, Text(ja + where.ja, en + where.en), number)
