"""Batches for tests: real figures, real or tiny notebooks, and ways to look at what a batch left behind."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Any

import nbformat
import published as made

from kenpo_lib.batch.job import Job, Kind, plan_jobs, plan_kpi_jobs, plan_quality_job
from kenpo_lib.batch.paths import Paths
from kenpo_lib.batch.pool import LocalPool
from kenpo_lib.batch.run import Batch, Maker, Outcome, run_batch
from kenpo_lib.batch.template import read_templates
from kenpo_lib.batch.work import Limits, Request, Result
from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.store import build_store

YEAR = 2024
_DATE = re.compile(rb"<time[^>]*>[^<]*</time>")
FINISH = (
    "from kenpo_lib import briefing as show\n"
    "b = show.open_briefing(curated_dir, branch=branch, fiscal_year=fiscal_year)\n"
    "show.write_sentinel(b, sentinel)\n"
    "from kenpo_lib.tables import heading\n"
    "heading(1, b.branch_name)"
)


def copy_project(published: Paths, folder: Path, *cells: str) -> Paths:
    """A project of its own with the curated tables of ``published``; ``cells``, if any, replace those of the branch notebook."""
    source = published.reports.parent
    for part in ("data/curated", "notebooks", "expectations", "reports/templates"):
        shutil.copytree(source / part, folder / part)
    (folder / "data" / "raw").mkdir(exist_ok=True)
    paths = Paths.of_project(folder)
    if cells:
        write_cells(paths, *cells)
    return paths


def write_cells(paths: Paths, *cells: str) -> None:
    """Let the branch notebook be its cell of parameters and these."""
    path = paths.notebooks / "20_branch_profile.ipynb"
    notebook = nbformat.read(path, as_version=4)
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    notebook.cells = [*tagged, *(nbformat.v4.new_code_cell(cell, id=f"c{n}") for n, cell in enumerate(cells))]
    nbformat.write(notebook, path)


def make_batch(
    paths: Paths,
    branches: Sequence[str],
    *,
    overview: bool = False,
    kpis: Sequence[str] = (),
    quality: bool = False,
    lang: str = "ja",
    **options: Any,
) -> Batch:
    """A batch of some branches and KPIs, by default without the overview and the page on the data."""
    catalogue, asked = load_catalogue(), {"fiscal_year": YEAR, "lang": lang}
    jobs = plan_jobs(catalogue, branches, **asked)
    if not overview:
        jobs = [job for job in jobs if job.kind is not Kind.OVERVIEW]
    jobs += plan_kpi_jobs(catalogue, kpis, **asked) + ([plan_quality_job(catalogue, **asked)] if quality else [])
    return Batch(jobs, paths, paths.reports.parent, catalogue, build_store(paths.curated), **options)


def run_local(batch: Batch, *, jobs: int = 2, limits: Limits | None = None) -> list[Outcome]:
    """Run a batch with the processes of this machine."""

    def start(work: Path, total: int) -> LocalPool:
        return LocalPool(
            min(jobs, total),
            curated=batch.paths.curated,
            work=work,
            templates=read_templates(batch.paths.templates),
            limits=limits or Limits(),
            watched=batch.paths.watched,
        )

    return run_batch(batch, start)


class FakeMaker:
    """Makes the same small page for each request, without processes; good where only the files matter. ``change`` alters results."""

    def __init__(self, batch: Batch, text: str = "本文", change: Callable[[Result], Result] = lambda result: result):
        self._inputs, self._text, self._change = batch.store.inputs, text, change

    def run(self, requests: Iterable[Request]) -> Iterable[Result]:
        for request in requests:
            job = request.job
            sentinel = job.subject | {"inputs": self._inputs}
            page = f"<!doctype html><p>{job.branch_code} {self._text}</p>"
            yield self._change(Result(request, page=page, sentinel=sentinel))


def run_fake(batch: Batch, *given: Any) -> list[Outcome]:
    """Run a batch with ``FakeMaker``, which is given what comes after the batch."""

    def start(work: Path, total: int) -> AbstractContextManager[Maker]:
        return nullcontext(FakeMaker(batch, *given))

    return run_batch(batch, start)


def with_options(batch: Batch, **options: Any) -> Batch:
    return dataclasses.replace(batch, **options)


def hash_pages(paths: Paths) -> dict[str, str]:
    """sha256 of every finished page, and of the index but for its dates, by path."""
    pages = [*paths.reports.glob("[0-9]*/*.html"), *paths.reports.glob("index*.html")]
    return {
        path.relative_to(paths.reports).as_posix(): sha256(without_dates(path.read_bytes())).hexdigest()
        for path in sorted(pages)
    }


def without_dates(page: bytes) -> bytes:
    """An index without the days on which pages were made, which may be two where a test runs at midnight."""
    return _DATE.sub(b"", page)


def list_files(folder: Path) -> list[str]:
    """Every file and folder below, hidden ones too, without the templates."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return sorted(name for name in names if not name.startswith("templates"))


def page_of(paths: Paths, job: Job) -> Path:
    return paths.reports / str(job.fiscal_year) / job.file


run_kenpo = made.run_kenpo
