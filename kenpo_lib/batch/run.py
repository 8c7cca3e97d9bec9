"""One batch from beginning to end: lock, sweep, decide, make, check, publish, record, index.

A file under a report's final name is always complete and right for the branch and year in its name, or the previous good one. A
batch that was killed leaves nothing that the same command does not finish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kenpo_lib.batch.digests import Digests, list_page_tables
from kenpo_lib.batch.error_page import render_error_page
from kenpo_lib.batch.index import write_index
from kenpo_lib.batch.interrupt import uninterrupted
from kenpo_lib.batch.job import Job
from kenpo_lib.batch.lock import lock_folder
from kenpo_lib.batch.paths import Folder, Paths
from kenpo_lib.batch.plan import Decision, decide
from kenpo_lib.batch.record import (
    COMPLETE,
    FAILED,
    Code,
    describe_failure,
    describe_page,
    describe_run,
    forget_failure,
    is_recorded,
    next_run,
    now,
    read_code,
    write_record,
)
from kenpo_lib.batch.work import Cause, Failure, PageFailedError, Request, Result, fail
from kenpo_lib.catalogue import Catalogue
from kenpo_lib.errors import FolderError, InputError, describe_os_error
from kenpo_lib.files import make_folder, remove, remove_if_empty, sweep_temporaries, write_atomically
from kenpo_lib.language import say
from kenpo_lib.store import Store
from kenpo_lib.store.opened import FOLDER

_STORE_FOLDER = f"data/curated/{FOLDER}/"


class InputsChangedError(InputError):
    """The data changed while pages were made from them."""


class Maker(Protocol):
    """Whatever makes pages: processes of this machine, or a cluster."""

    def run(self, requests: Iterable[Request]) -> Iterator[Result]:
        """Yield a result for each request, in any order."""
        ...


StartMaker = Callable[[Path, int], AbstractContextManager[Maker]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one page in this run."""

    job: Job
    state: str  # complete, failed, or unchanged
    failure: Failure | None = None
    attempt: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Batch:
    """All that a batch is about.

    Attributes:
        jobs: The pages asked for, all of one fiscal year and language.
        paths: The folders of the project.
        project: The project's folder, for the state of its code.
        catalogue: Branches and KPIs.
        store: The comparison that all pages are made from.
        force: Make pages that have not changed as well.
        only_failed: Make those alone that failed before.
        on_outcome: Told each page that was tried.
    """

    jobs: Sequence[Job]
    paths: Paths
    project: Path
    catalogue: Catalogue
    store: Store
    force: bool = False
    only_failed: bool = False
    on_outcome: Callable[[Outcome], None] = field(default=lambda outcome: None)

    @property
    def folder(self) -> Folder:
        return Folder(self.paths.reports / str(self.jobs[0].fiscal_year))

    def list_tables(self) -> dict[str, str]:
        """sha256 by name of every file of the curated tables that one of the pages reads."""
        tables: dict[str, str] = {}
        for job in self.jobs:
            tables.update(list_page_tables(self.store, job))
        return tables

    def decide(self, digests: Digests | None = None) -> list[Decision]:
        """Which pages would be made, and why."""
        digests = digests or Digests(self.paths, self.store)
        return decide(self.jobs, self.folder, digests, force=self.force, only_failed=self.only_failed)


def run_batch(batch: Batch, start_maker: StartMaker) -> list[Outcome]:
    """Make the pages that have to be made.

    Args:
        batch: What is asked for.
        start_maker: Called with a work folder and the number of pages, only if there are any.

    Returns:
        One outcome a job, in their order.

    Raises:
        BatchRunningError: Another batch writes into the folder.
        InputsChangedError: The data changed meanwhile; pages that are finished stay.
        FolderError: Files cannot be read or written at all; where that is so for one page, only that page fails.
    """
    try:
        return _run(batch, start_maker)
    except OSError as error:
        raise FolderError(error) from error


def _run(batch: Batch, start_maker: StartMaker) -> list[Outcome]:
    folder = batch.folder
    with lock_folder(batch.paths.reports):
        _recover(batch.paths.reports, folder)
        digests = Digests(batch.paths, batch.store).taken()  # before anything that they are about is read
        wanted = [decision.job for decision in batch.decide(digests) if decision.is_made]
        done: dict[Job, Outcome] = {}
        if wanted or not is_recorded(folder):
            done = _make_and_record(batch, wanted, digests, start_maker)
        # Also where nothing was made: the last batch may have been killed before it came here.
        write_index(batch.paths.reports, batch.catalogue, lang=batch.jobs[0].lang, templates=batch.paths.templates)
        return _list_outcomes(batch, done)


def _make_and_record(
    batch: Batch, wanted: Sequence[Job], digests: Digests, start_maker: StartMaker
) -> dict[Job, Outcome]:
    folder = batch.folder
    started, number, code = now(), next_run(folder), read_code(batch.project)
    done: dict[Job, Outcome] = {}
    try:
        if wanted:
            requests = [_request(job, batch) for job in wanted]
            with start_maker(folder.runs / str(number), len(wanted)) as maker:
                for result in maker.run(requests):
                    outcome = _finish(result, batch, digests, code, number)
                    done[outcome.job] = outcome
                    batch.on_outcome(outcome)
    finally:
        with uninterrupted(), suppress(OSError):
            remove(folder.runs)
    _record_run(batch, _list_outcomes(batch, done), digests, code, number=number, started=started)
    return done


def _list_outcomes(batch: Batch, done: Mapping[Job, Outcome]) -> list[Outcome]:
    return [done.get(job, Outcome(job, "unchanged")) for job in batch.jobs]


def _recover(reports: Path, folder: Folder) -> None:
    """Remove what a batch that was killed left behind; the lock says that none is alive."""
    make_folder(folder.path)
    remove(folder.runs)
    for place in (reports, folder.path, folder.errors):
        sweep_temporaries(place)
    remove_if_empty(folder.errors)


def _request(job: Job, batch: Batch) -> Request:
    try:
        return Request(job, (batch.paths.notebooks / job.notebook).read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(
            say(
                f"notebooks/{job.notebook} は UTF-8 のはずが、{error.start + 1} バイト目が違います。"
                "JupyterLab で開いて保存するか、git から戻してください。",
                f"notebooks/{job.notebook}: expected UTF-8, found something else at byte {error.start + 1}. Save it with "
                "JupyterLab, or restore it from git.",
            )
        ) from error


def _finish(result: Result, batch: Batch, digests: Digests, code: Code, number: int) -> Outcome:
    """Publish what was made, or record why it was not."""
    job, attempt = result.request.job, result.request.attempt
    if changed := digests.find_changed(job):
        if any(name.startswith(_STORE_FOLDER) for name in changed):
            batch.store.discard()  # damaged or replaced: the same command computes it anew
        listed = ", ".join(changed)
        raise InputsChangedError(
            say(
                f"作成中に入力が変わったため、止めました: {listed}。同じコマンドをもう一度実行してください。",
                f"Stopped, since inputs changed meanwhile: {listed}. Run the same command again.",
            )
        )
    failure = result.failure
    if failure is None:
        try:
            _publish(result, batch, digests, code, number)
        except PageFailedError as error:
            failure = error.failure
        except OSError as error:
            failure = _describe_write_error(error)
    if failure is None:
        return Outcome(job, COMPLETE, attempt=attempt, seconds=result.seconds)
    with suppress(OSError):  # a full disk takes no error page either; the outcome is told all the same
        _record_failure(job, failure, batch, number, attempt)
    return Outcome(job, FAILED, failure, attempt, result.seconds)


def _publish(result: Result, batch: Batch, digests: Digests, code: Code, number: int) -> None:
    job, folder = result.request.job, batch.folder
    expected = job.subject | {"inputs": batch.store.inputs}
    found = {name: result.sentinel.get(name) for name in expected}
    if found != expected:
        raise fail(
            Cause.INCOMPLETE,
            "ノートブックが別の支部・指標・年度・データを扱いました",
            "the notebook was about another branch, KPI, year or data",
        )
    page = result.page.encode("utf-8")
    write_atomically(folder.page(job), page)
    # After the page: a batch that is killed between the two makes this page again.
    summary = {name: value for name, value in result.sentinel.items() if name not in expected}
    write_record(
        folder.manifest(job), describe_page(job, page, digests, code, run=number, result=result, summary=summary)
    )
    forget_failure(folder, job)


def _describe_write_error(error: OSError) -> Failure:
    reason = describe_os_error(error)
    ja, en = f"ファイルに書き込めませんでした（{reason.ja}）", f"the file could not be written: {reason.en}"
    return fail(Cause.PUBLISH, ja, en).failure


def _record_failure(job: Job, failure: Failure, batch: Batch, number: int, attempt: int) -> None:
    folder = batch.folder
    page = render_error_page(
        job,
        failure,
        attempt=attempt,
        keeps_former=folder.page(job).is_file(),
        templates=batch.paths.templates,
    )
    write_record(folder.error_record(job), describe_failure(job, failure, run=number, attempt=attempt))
    write_atomically(folder.error_page(job), page)


def _record_run(
    batch: Batch, outcomes: Sequence[Outcome], digests: Digests, code: Code, *, number: int, started: str
) -> None:
    entries = [
        {
            "file": outcome.job.file,
            "outcome": outcome.state,
            **({"cause": str(outcome.failure.cause)} if outcome.failure else {}),
            "attempt": outcome.attempt,
            "seconds": round(outcome.seconds, 3),
        }
        for outcome in outcomes
    ]
    year = batch.jobs[0].fiscal_year
    write_record(
        batch.folder.run_manifest,
        describe_run(run=number, fiscal_year=year, started=started, code=code, digests=digests, outcomes=entries),
    )
