"""``doctor``: whether this machine is ready."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from kenpo_lib.cli.root import find_folder
from kenpo_lib.errors import InputError
from kenpo_lib.language import console_language, say


@click.command(
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
        folder = find_folder(ctx)
    faults = 0
    for finding in examine(folder):
        faults += finding.level is Level.FAULT
        for line in finding.lines(console_language()):
            click.echo(line)
    if faults:
        raise InputError(say(f"{faults} 件の不備があります。", f"{faults} faults."))
