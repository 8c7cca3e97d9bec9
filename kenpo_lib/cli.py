"""The command line: arguments → one call → one summary. The only module that knows folder names.

Errors go to stderr without a traceback, data to stdout. Exit codes: 0 done, 1 some pages failed, 2 bad input or usage,
3 validation stopped it, 130 interrupted.
"""

from __future__ import annotations

import codecs
import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kenpo_lib import __version__
from kenpo_lib.batch.interrupt import stopping_in_order
from kenpo_lib.errors import (
    BranchesFailedError,
    FolderError,
    InputError,
    KenpoError,
    ValidationStoppedError,
    hint_nearest,
)
from kenpo_lib.language import console_language, say
from kenpo_lib.normalise import legible

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from kenpo_lib.batch.run import Batch, Maker
    from kenpo_lib.store import Store

_ALL = "all"
PROJECT_MARKERS = ("expectations", "notebooks", "data")


class _Group(click.Group):
    """Turns the project's own errors into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KenpoError as error:
            click.echo(legible(str(error)), err=True)
            ctx.exit(error.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever read the output has had enough; click ends quietly
            click.echo(str(FolderError(error)), err=True)
            ctx.exit(FolderError.exit_code)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=say(
        "協会けんぽ47支部のKPIを、公表資料から整備し、検証し、比較し、レポートにします。\n\n"
        "終了コード: 0 完了、1 一部の頁が失敗、2 入力や使い方の誤り、3 検証で停止、130 中断。",
        "Curate, validate, compare and report the KPIs of the 47 branches.\n\n"
        "Exit codes: 0 done, 1 some pages failed, 2 bad input or usage, 3 validation stopped it, 130 interrupted.",
    ),
)
@click.option(
    "--project",
    type=click.Path(file_okay=False, path_type=Path),
    help=say(
        "プロジェクトのフォルダー（省略時はカレントから上へ探す）",
        "Project folder (default: searched upwards from here)",
    ),
)
@click.version_option(__version__, prog_name="kenpo")
@click.pass_context
def cli(ctx: click.Context, project: Path | None) -> None:
    ctx.obj = project


def _folder(ctx: click.Context) -> Path:
    """The project's folder: given, or the nearest one upwards that has the project's parts."""
    start = (ctx.obj or Path.cwd()).resolve()
    for folder in (start,) if ctx.obj else (start, *start.parents):
        if all((folder / marker).is_dir() for marker in PROJECT_MARKERS):
            return folder
    missing = ", ".join(f"{marker}/" for marker in PROJECT_MARKERS)
    raise InputError(
        say(
            f"{start.name} に kenpo のプロジェクト（{missing}）が見つかりません。プロジェクトの中で実行するか --project で指定してください。",
            f"No kenpo project ({missing}) at {start.name}. Run inside the project, or name it with --project.",
        )
    )


_branch_option = click.option(
    "--branch",
    default=_ALL,
    show_default=True,
    help=say("支部: コード、名称、範囲、一覧（04、宮城、04,13,40-47、all）", "Branches: 04, Miyagi, 04,13,40-47, all"),
)
_year_option = click.option(
    "--fiscal-year", required=True, help=say("年度: 2024、R6、令和6年度", "Fiscal year: 2024, R6")
)
_format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help=say("出力の形", "Form of the output"),
)
_rows_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help=say("出力の形", "Form of the output"),
)
_lang_option = click.option(
    "--lang",
    type=click.Choice(["ja", "en"]),
    default="ja",
    show_default=True,
    help=say("頁の言語", "Language of the pages"),
)


@cli.command(help=say("data/raw の公表値を data/curated の表に整備します。", "Build data/curated from data/raw."))
@click.pass_context
def curate(ctx: click.Context) -> None:
    from kenpo_lib.catalogue import load_catalogue
    from kenpo_lib.curate import curate as build
    from kenpo_lib.curated import write_tables

    folder = _folder(ctx)
    tables, digests = build(folder / "data" / "raw", load_catalogue())
    write_tables(tables, folder / "data" / "curated", inputs=digests)
    counts = ", ".join(f"{name} {frame.height:,}" for name, frame in tables.items())
    click.echo(say(f"整備しました: {counts}", f"Curated: {counts}"), err=True)


@cli.command(
    help=say("整備済みの表を expectations/ の検査にかけます。", "Check the curated tables against expectations/.")
)
@click.pass_context
def validate(ctx: click.Context) -> None:
    _validate(_folder(ctx), quiet=False)


def _validate(folder: Path, *, quiet: bool) -> None:
    from kenpo_lib.catalogue import load_catalogue
    from kenpo_lib.curated import read_manifest, read_tables
    from kenpo_lib.validate import format_report, require_passed, write_verdict
    from kenpo_lib.validate import validate as check

    curated = folder / "data" / "curated"
    tables, manifest = read_tables(curated), read_manifest(curated)
    report = check(tables, load_catalogue(), folder / "expectations")
    write_verdict(report, curated, manifest)
    if quiet:
        require_passed(report)
        return
    click.echo(legible(format_report(report, console_language())))
    if report.has_critical:
        raise ValidationStoppedError(
            say(
                "検証で停止しました。上の行を出典と見比べてください。",
                "Validation stopped it. Compare the rows above with their sources.",
            )
        )


@cli.command(
    help=say(
        "支部を全国・前年度・目標・他支部と比べた表を出力します。列の意味は docs/data_dictionary.md。",
        "Print the comparison with the nation, the prior year, the target and the other branches "
        "(columns: docs/data_dictionary.md).",
    )
)
@_branch_option
@_year_option
@click.option("--kpi", help=say("指標のID（カンマ区切り）", "KPI ids, separated by commas"))
@_format_option
@click.pass_context
def compare(ctx: click.Context, branch: str, fiscal_year: str, kpi: str | None, form: str) -> None:
    import polars as pl

    from kenpo_lib.catalogue import load_catalogue, parse_branch_list
    from kenpo_lib.export import to_console_table
    from kenpo_lib.parameters import parse_year

    catalogue = load_catalogue()
    codes, year = parse_branch_list(catalogue, branch), parse_year(fiscal_year)
    kpi_ids = _parse_kpis(kpi, catalogue)
    frame = _compare_year(_folder(ctx) / "data" / "curated", catalogue, year)
    chosen = frame.filter(pl.col("branch_code").is_in(codes) & pl.col("kpi_id").is_in(kpi_ids))
    _print_frame(chosen, form, to_table=lambda frame: to_console_table(frame, catalogue))


def _compare_year(curated: Path, catalogue: Any, fiscal_year: int) -> Any:
    """The comparison of a year: from the store that ``kenpo report`` writes while it is current, else computed."""
    from kenpo_lib.grain import check_year
    from kenpo_lib.store import open_store

    store = open_store(curated)
    if store is not None:
        check_year(fiscal_year, store.years)
        return store.read_year(fiscal_year)
    from kenpo_lib.compare import compute_comparison
    from kenpo_lib.curated import read_tables

    frame = compute_comparison(read_tables(curated), catalogue)
    check_year(fiscal_year, frame["fiscal_year"])
    return frame.filter(fiscal_year=fiscal_year)


def _names_all(text: str) -> bool:
    return text.strip().casefold() in (_ALL, "すべて")


def _parse_kpis(text: str | None, catalogue: Any) -> list[str]:
    """The KPIs that a user named, each once, in reading order; all where none was."""
    if text is None or _names_all(text):
        return list(catalogue.kpis)
    chosen = [part.strip() for part in text.split(",")]
    for kpi_id in chosen:
        if kpi_id not in catalogue.kpis:
            hint = hint_nearest(kpi_id, catalogue.kpis)
            listed = " ".join(catalogue.kpis)
            raise InputError(
                say(
                    f"指標 '{kpi_id}' はありません{hint}。\n  {listed}",
                    f"There is no KPI '{kpi_id}'{hint}.\n  {listed}",
                )
            )
    return [kpi_id for kpi_id in catalogue.kpis if kpi_id in chosen]


def _print_frame(frame: Any, form: str, *, to_table: Callable[[Any], str]) -> None:
    from kenpo_lib.export import to_csv_text, to_json_text

    _print_text({"csv": to_csv_text, "json": to_json_text}.get(form, to_table)(frame), form)


def _print_text(text: str, form: str) -> None:
    # CSV and JSON in a file are UTF-8 with their own line ends, whatever the console writes.
    text = legible(text) if form == "table" else text
    click.echo(text if form == "table" or sys.stdout.isatty() else text.encode("utf-8"), nl=False)


@cli.command(
    help=say(
        "インセンティブ制度の得点・順位・報奨金の概算を支部ごとに出力します（順位は47支部全体での順位）。列の意味は docs/data_dictionary.md。",
        "Print the approximate incentive score, rank and reward of each branch (ranked among all 47) "
        "(columns: docs/data_dictionary.md).",
    )
)
@_branch_option
@_year_option
@_format_option
@click.pass_context
def incentive(ctx: click.Context, branch: str, fiscal_year: str, form: str) -> None:
    import polars as pl

    from kenpo_lib.catalogue import load_catalogue, parse_branch_list
    from kenpo_lib.curated import read_tables
    from kenpo_lib.export import to_incentive_table
    from kenpo_lib.incentive import READING_NOTE, compute_incentive
    from kenpo_lib.parameters import parse_year

    catalogue = load_catalogue()
    codes, year = parse_branch_list(catalogue, branch), parse_year(fiscal_year)
    frame = compute_incentive(read_tables(_folder(ctx) / "data" / "curated"), catalogue, fiscal_year=year)
    click.echo(READING_NOTE(console_language()), err=True)
    chosen = frame.filter(pl.col("branch_code").is_in(codes))
    _print_frame(chosen, form, to_table=lambda scores: to_incentive_table(scores, catalogue))


@cli.command(
    help=say(
        "支部ごとのHTMLレポート、全国概況、一覧を作ります。変わっていないものは作り直しません。\n\n"
        "--kpi は指標ごとの頁、--quality はデータの品質の頁です。--branch も指定すれば一緒に、なければそれだけを作ります。",
        "Write one HTML report per branch, the overview, the index. What has not changed is not made again.\n\n"
        "--kpi makes pages of KPIs, --quality the page on the data: beside those of --branch if that is given, else alone.",
    )
)
@_year_option
@click.option(
    "--branch",
    show_default=_ALL,
    help=say(
        "支部: コード、名称、範囲、一覧（04、宮城、04,13,40-47、all）。全国概況も作る",
        "Branches: 04, Miyagi, 04,13,40-47, all; with the overview",
    ),
)
@click.option(
    "--kpi",
    help=say(
        "指標ごとの頁: IDの一覧（visit_rate,generic_share）か、その年度のデータがある指標すべて（all）",
        "Pages of KPIs: ids (visit_rate,generic_share), or all with data of the year (all)",
    ),
)
@click.option("--quality", is_flag=True, help=say("データの品質の頁", "The page on the data"))
@_lang_option
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

    folder, catalogue = _folder(ctx), load_catalogue()
    parse_parameters({"order": order}, catalogue)  # also where no overview is asked for
    only_others = branch is None and (kpi is not None or quality)
    codes, year = parse_branch_list(catalogue, _ALL if branch is None else branch), parse_year(fiscal_year)
    kpi_ids = [] if kpi is None else _parse_kpis(kpi, catalogue)
    planned = [] if only_others else plan_jobs(catalogue, codes, fiscal_year=year, lang=lang, order=order)
    store = _require_publishable(folder, year)
    known = [kpi_id for kpi_id in kpi_ids if year in store.list_kpi_years(kpi_id)]
    if kpi is not None and not _names_all(kpi) and known != kpi_ids:
        raise _lacks_data(store, [kpi_id for kpi_id in kpi_ids if kpi_id not in known], year)
    planned += plan_kpi_jobs(catalogue, known, fiscal_year=year, lang=lang)
    planned += [plan_quality_job(catalogue, fiscal_year=year, lang=lang)] if quality else []
    batch = Batch(planned, Paths.of_project(folder), folder, catalogue, store, force=force, only_failed=only_failed)
    if only_plan:
        for decision in batch.decide():
            action = say("作る", "make") if decision.is_made else say("そのまま", "keep")
            click.echo(f"{decision.job.file}  {action}  {decision.reason(console_language())}")
        return
    _make(batch, workers=jobs or os.cpu_count() or 1, scheduler=scheduler)


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


def _make(batch: Batch, *, workers: int, scheduler: str | None) -> None:
    from kenpo_lib.batch.index import index_name
    from kenpo_lib.batch.pool import LocalPool
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
    click.echo(
        say(
            f"{made} 件のレポートを作りました（変わりなし {kept} 件）: {index}",
            f"{made} reports written ({kept} unchanged): {index}",
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


def _require_publishable(folder: Path, fiscal_year: int) -> Store:
    """The store of curated tables whose verdict lets them be published, with data of the year; validated here if that was not done."""
    from kenpo_lib.batch.pool import warm_up
    from kenpo_lib.grain import check_year
    from kenpo_lib.store import build_store, open_store
    from kenpo_lib.validate.verdict import read_verdict, require_verdict_passed

    curated = folder / "data" / "curated"
    try:
        verdict = read_verdict(curated)
    except InputError:
        _validate(folder, quiet=True)
        verdict = read_verdict(curated)
    require_verdict_passed(verdict)
    store = open_store(curated)
    if store is None:
        warm_up()  # pages will be made; what makes them gets ready while the comparison is computed
        store = build_store(curated)
    check_year(fiscal_year, store.years)
    return store


@cli.command(
    help=say(
        "data/raw の意図した変更を SHA256SUMS に記録します（出典と見比べたあとに）。",
        "Record intended changes of data/raw in SHA256SUMS (after comparing with the source).",
    )
)
@click.pass_context
def seal(ctx: click.Context) -> None:
    from kenpo_lib.files import write_atomically
    from kenpo_lib.sources import CHECKSUMS
    from kenpo_lib.sources import seal as compute_sums

    raw = _folder(ctx) / "data" / "raw"
    text = compute_sums(raw)
    write_atomically(raw / CHECKSUMS, text.encode())
    click.echo(
        say(f"{len(text.splitlines())} ファイルを記録しました。", f"{len(text.splitlines())} files recorded."), err=True
    )


@cli.command(
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
@_rows_option
@click.pass_context
def verify(ctx: click.Context, files: tuple[Path, ...], form: str) -> None:
    from kenpo_lib.batch.paths import Paths
    from kenpo_lib.batch.verify import PagesDifferError, Verifier, summarise
    from kenpo_lib.catalogue import load_catalogue
    from kenpo_lib.console import format_rows, pad_columns

    lang = console_language()
    verifier = Verifier(Paths.of_project(_folder(ctx)), load_catalogue())
    findings = verifier.verify(files)
    if form == "json":
        _print_text(format_rows([finding.to_dict(lang) for finding in findings], form), form)
    else:
        _print_text(pad_columns([(finding.file, finding.words(lang)) for finding in findings]), form)
    summary = summarise(findings, knows_data=verifier.knows_data, lang=lang)
    if not all(finding.state.is_good for finding in findings):
        raise PagesDifferError(summary)
    click.echo(summary, err=True)


@cli.command(
    help=say(
        "この端末でレポートを作れるかを確かめます（パッケージ、フォルダー、フォント、作業プロセス、データなど）。通信はしません。\n\n"
        "終了コード: 0 作れる、2 不備がある。",
        "Check whether this machine is ready: packages, folders, fonts, processes, data. Connects to nothing.\n\n"
        "Exit codes: 0 ready, 2 there are faults.",
    )
)
@click.pass_context
def doctor(ctx: click.Context) -> None:
    from kenpo_lib.doctor.examine import examine
    from kenpo_lib.doctor.findings import Level

    folder: Path | None = None
    with suppress(InputError):
        folder = _folder(ctx)
    faults = 0
    for finding in examine(folder):
        faults += finding.level is Level.FAULT
        for line in finding.lines(console_language()):
            click.echo(line)
    if faults:
        raise InputError(say(f"{faults} 件の不備があります。", f"{faults} faults."))


@cli.command(
    help=say(
        "ノートブックのパラメータ（名前、型、使える値、既定値、意味）を出力します。",
        "Print the parameters of the notebooks: name, type, allowed values, default, meaning.",
    )
)
@_format_option
def params(form: str) -> None:
    from kenpo_lib.catalogue import load_catalogue
    from kenpo_lib.console import format_rows
    from kenpo_lib.parameters import COLUMN_WORDS, list_parameters

    lang = console_language()
    rows = list_parameters(load_catalogue(), lang)
    _print_text(format_rows(rows, form, heading=lambda name: COLUMN_WORDS[name](lang)), form)


def _write_nearest(error: UnicodeError) -> tuple[str, int]:
    """What a console gets for characters that it does not have: a minus stays a minus, the rest is a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join("-" if character in "−–—" else "?" for character in lost), error.end


def main() -> None:
    """Entry point of ``kenpo``."""
    codecs.register_error("kenpo_nearest", _write_nearest)
    for stream in (sys.stdout, sys.stderr):
        # A CP932 console must not fail on a character that it does not have.
        stream.reconfigure(errors="kenpo_nearest")
    cli()
