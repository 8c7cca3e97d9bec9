"""Commands about pages: ``report`` makes them, ``verify`` checks them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kenpo_lib.batch.interrupt import stopping_in_order
from kenpo_lib.cli.making import make_pages, require_publishable
from kenpo_lib.cli.options import (
    ALL,
    check_scheduler,
    lang_option,
    list_option,
    names_all,
    parse_kpis,
    rows_option,
    year_option,
)
from kenpo_lib.cli.output import print_text
from kenpo_lib.cli.root import find_folder
from kenpo_lib.errors import InputError
from kenpo_lib.language import console_language, say

if TYPE_CHECKING:
    from kenpo_lib.store import Store


@click.command(
    help=say(
        "支部ごとのHTMLレポート、全国概況、一覧を作ります。変わっていないものは作り直しません。\n\n"
        "--kpi は指標ごとの頁、--quality はデータの品質の頁です。--branch も指定すれば一緒に、なければそれだけを作ります。",
        "Write one HTML report per branch, the overview, the index. What has not changed is not made again.\n\n"
        "--kpi makes pages of KPIs, --quality the page on the data: beside those of --branch if that is given, else alone.",
    )
)
@year_option
@list_option(
    "--branch",
    show_default=ALL,
    help=say(
        "支部: コード、名称、範囲、一覧（04、宮城、04,13,40-47、all）。全国概況も作る",
        "Branches: 04, Miyagi, 04,13,40-47, all; with the overview",
    ),
)
@list_option(
    "--kpi",
    help=say(
        "指標ごとの頁: IDの一覧（visit_rate,generic_share）か、その年度のデータがある指標すべて（all）",
        "Pages of KPIs: ids (visit_rate,generic_share), or all with data of the year (all)",
    ),
)
@click.option("--quality", is_flag=True, help=say("データの品質の頁", "The page on the data"))
@lang_option
@click.option(
    "--order",
    default="code",
    show_default=True,
    help=say("概況の表の並び: code、block、または指標のID", "Reading order of the overview: code, block, or a KPI"),
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=None,
    help=say("同時に作る数（省略時はCPU数）", "How many at a time (default: CPUs)"),
)
@click.option(
    "--plan", "only_plan", is_flag=True, help=say("何をなぜ作るかを示すだけ", "Only show what would be made, and why")
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help=say(
        "Daskのスケジューラー（tcp://…）に作らせる。kenpo[dask] が要る",
        "Have the workers of a Dask scheduler (tcp://…) make them; needs kenpo[dask]",
    ),
)
@click.option("--only-failed", is_flag=True, help=say("前回失敗したものだけ", "Only what failed before"))
@click.option("--force", is_flag=True, help=say("変わっていないものも作る", "Also what has not changed"))
@click.pass_context
@stopping_in_order()
def report(
    ctx: click.Context,
    fiscal_year: str,
    branch: str | None,
    kpi: str | None,
    quality: bool,
    lang: str,
    order: str,
    jobs: int | None,
    only_plan: bool,
    scheduler: str | None,
    only_failed: bool,
    force: bool,
) -> None:
    from kenpo_lib.batch.job import plan_jobs, plan_kpi_jobs, plan_quality_job
    from kenpo_lib.batch.paths import Paths
    from kenpo_lib.batch.run import Batch
    from kenpo_lib.catalogue import load_catalogue, parse_branch_list
    from kenpo_lib.parameters import parse_parameters, parse_year

    folder, catalogue = find_folder(ctx), load_catalogue()
    check_scheduler(scheduler)
    parse_parameters({"order": order}, catalogue)  # also where no overview is asked for
    only_others = branch is None and (kpi is not None or quality)
    codes, year = parse_branch_list(catalogue, ALL if branch is None else branch), parse_year(fiscal_year)
    kpi_ids = [] if kpi is None else parse_kpis(kpi, catalogue)
    planned = [] if only_others else plan_jobs(catalogue, codes, fiscal_year=year, lang=lang, order=order)
    store = require_publishable(folder, year)
    known = [kpi_id for kpi_id in kpi_ids if year in store.list_kpi_years(kpi_id)]
    if kpi is not None and not names_all(kpi) and known != kpi_ids:
        raise _lacks_data(store, [kpi_id for kpi_id in kpi_ids if kpi_id not in known], year)
    planned += plan_kpi_jobs(catalogue, known, fiscal_year=year, lang=lang)
    planned += [plan_quality_job(catalogue, fiscal_year=year, lang=lang)] if quality else []
    batch = Batch(planned, Paths.of_project(folder), folder, catalogue, store, force=force, only_failed=only_failed)
    if only_plan:
        for decision in batch.decide():
            action = say("作る", "make") if decision.is_made else say("そのまま", "keep")
            click.echo(f"{decision.job.file}  {action}  {decision.reason(console_language())}")
        return
    make_pages(batch, workers=jobs or os.cpu_count() or 1, scheduler=scheduler)


def _lacks_data(store: Store, kpi_ids: list[str], fiscal_year: int) -> InputError:
    """That nothing is known of these KPIs in a year, and in which years something is."""
    years = {kpi_id: ", ".join(map(str, store.list_kpi_years(kpi_id))) for kpi_id in kpi_ids}
    listed = "\n".join(f"  {kpi_id}: {known or say('なし', 'none')}" for kpi_id, known in years.items())
    return InputError(
        say(
            f"{fiscal_year}年度のデータがない指標です。データのある年度:\n{listed}",
            f"There are no data for fiscal year {fiscal_year} of these KPIs. Years with data:\n{listed}",
        )
    )


@click.command(
    help=say(
        "頁が記録（manifest）のとおりか、作ったときの入力・コード・版が今と同じかを確かめます。何も書き換えません。\n\n"
        "FILE は頁、その記録、フォルダー（省略時は reports/ のすべて）。\n\n"
        "終了コード: 0 すべて記録のとおり（入力が変わっていても）、1 記録と違うものがある、2 確かめるものがない。",
        "Check that pages are as recorded in their manifests, and whether inputs, code and versions are still the same. "
        "Changes nothing.\n\n"
        "FILE: pages, their manifests or folders (default: all under reports/).\n\n"
        "Exit codes: 0 all are as recorded (even if inputs changed since), 1 some are not, 2 nothing to check.",
    )
)
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@rows_option
@click.pass_context
def verify(ctx: click.Context, files: tuple[Path, ...], form: str) -> None:
    from kenpo_lib.batch.paths import Paths
    from kenpo_lib.batch.verify import PagesDifferError, Verifier, summarise
    from kenpo_lib.catalogue import load_catalogue
    from kenpo_lib.console import format_rows, pad_columns

    lang = console_language()
    verifier = Verifier(Paths.of_project(find_folder(ctx)), load_catalogue())
    findings = verifier.verify(files)
    if form == "json":
        print_text(format_rows([finding.to_dict(lang) for finding in findings], form), form)
    else:
        print_text(pad_columns([(finding.file, finding.words(lang)) for finding in findings]), form)
    summary = summarise(findings, knows_data=verifier.knows_data, lang=lang)
    if not all(finding.state.is_good for finding in findings):
        raise PagesDifferError(summary)
    click.echo(summary, err=True)
