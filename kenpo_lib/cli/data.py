"""Commands that make the data ready: ``seal``, ``curate``, ``validate``."""

from __future__ import annotations

from pathlib import Path

import click

from kenpo_lib.cli.root import find_folder
from kenpo_lib.errors import ValidationStoppedError
from kenpo_lib.language import console_language, say
from kenpo_lib.normalise import legible


@click.command(
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

    raw = find_folder(ctx) / "data" / "raw"
    text = compute_sums(raw)
    write_atomically(raw / CHECKSUMS, text.encode())
    click.echo(
        say(f"{len(text.splitlines())} ファイルを記録しました。", f"{len(text.splitlines())} files recorded."), err=True
    )


@click.command(help=say("data/raw の公表値を data/curated の表に整備します。", "Build data/curated from data/raw."))
@click.pass_context
def curate(ctx: click.Context) -> None:
    from kenpo_lib.catalogue import load_catalogue
    from kenpo_lib.curate import curate as build
    from kenpo_lib.curated import write_tables

    folder = find_folder(ctx)
    tables, digests = build(folder / "data" / "raw", load_catalogue())
    write_tables(tables, folder / "data" / "curated", inputs=digests)
    counts = ", ".join(f"{name} {frame.height:,}" for name, frame in tables.items())
    click.echo(say(f"整備しました: {counts}", f"Curated: {counts}"), err=True)


@click.command(
    help=say("整備済みの表を expectations/ の検査にかけます。", "Check the curated tables against expectations/.")
)
@click.pass_context
def validate(ctx: click.Context) -> None:
    check_tables(find_folder(ctx), quiet=False)


def check_tables(folder: Path, *, quiet: bool) -> None:
    """Run the suites on the curated tables and keep the verdict; what was found is printed unless ``quiet``.

    Raises:
        ValidationStoppedError: Something critical was found.
    """
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
