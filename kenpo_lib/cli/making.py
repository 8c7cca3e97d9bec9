"""What ``report`` does once it knows the pages: data that may be published, a batch, its progress and its summary."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kenpo_lib.cli.data import check_tables
from kenpo_lib.errors import BranchesFailedError, InputError
from kenpo_lib.language import console_language, say

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from kenpo_lib.batch.run import Batch, Maker
    from kenpo_lib.store import Store


def require_publishable(folder: Path, fiscal_year: int) -> Store:
    """The store of curated tables whose verdict lets them be published, with data of the year; validated here if that was not done."""
    from kenpo_lib.grain import check_year
    from kenpo_lib.kept_verdict import read_verdict
    from kenpo_lib.store import build_store, open_store
    from kenpo_lib.validate.verdict import require_verdict_passed

    curated = folder / "data" / "curated"
    try:
        verdict = read_verdict(curated)
    except InputError:
        check_tables(folder, quiet=True)
        verdict = read_verdict(curated)
    require_verdict_passed(verdict)
    store = open_store(curated)
    if store is None:
        from kenpo_lib.batch.processes import warm_up

        warm_up()  # pages will be made; what makes them gets ready while the comparison is computed
        store = build_store(curated)
    check_year(fiscal_year, store.years)
    return store


def make_pages(batch: Batch, *, workers: int, scheduler: str | None) -> None:
    """Make what has changed, here or by a Dask scheduler, and tell on stderr how it goes and what came of it.

    Raises:
        BranchesFailedError: Some pages could not be made.
    """
    from kenpo_lib.batch.index import index_name
    from kenpo_lib.batch.progress import Progress
    from kenpo_lib.batch.run import Outcome, run_batch
    from kenpo_lib.batch.template import read_templates
    from kenpo_lib.batch.work import Limits

    progress = Progress()

    def tell(outcome: Outcome) -> None:
        failure = outcome.failure
        progress.tell(outcome.job.file, failure.reason(console_language()) if failure else None)

    def start_maker(work: Path, total: int) -> AbstractContextManager[Maker]:
        progress.begin(total)
        templates = read_templates(batch.paths.templates)
        if scheduler is not None:
            from kenpo_lib.batch.cluster import ClusterMaker, pack_kit

            return ClusterMaker(scheduler, pack_kit(batch.paths.curated, batch.list_tables(), templates, Limits()))
        from kenpo_lib.batch.pool import LocalPool

        return LocalPool(
            min(workers, total),
            curated=batch.paths.curated,
            work=work,
            templates=templates,
            watched=batch.paths.watched,
        )

    with progress:
        outcomes = run_batch(replace(batch, on_outcome=tell), start_maker)
    failed = [outcome for outcome in outcomes if outcome.failure]
    made = sum(outcome.state == "complete" for outcome in outcomes)
    kept = len(outcomes) - made - len(failed)
    lang = batch.jobs[0].lang
    index = f"reports/{index_name(lang)}"
    untouched = say("前回失敗していない", "did not fail") if batch.only_failed else say("変わりなし", "unchanged")
    with suppress(OSError):  # nobody reads it any more; the pages are made all the same
        click.echo(
            say(
                f"{made} 件のレポートを作りました（{untouched} {kept} 件）: {index}",
                f"{made} reports written ({kept} {untouched}): {index}",
            ),
            err=True,
        )
    if failed:
        names = ", ".join(outcome.job.file for outcome in failed)
        raise BranchesFailedError(
            say(
                f"{len(failed)} 件は作れませんでした（前回のファイルはそのままです。理由は errors/ と一覧に）: {names}",
                f"{len(failed)} could not be made (earlier files are left as they were; reasons: errors/, index): {names}",
            )
        )
