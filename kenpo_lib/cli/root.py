"""``kenpo`` itself: which project it works on, and how its errors are told."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import click

from kenpo_lib import __version__
from kenpo_lib.batch.interrupt import StoppedError
from kenpo_lib.cli.words import translate_usage
from kenpo_lib.errors import FolderError, InputError, KenpoError
from kenpo_lib.language import say
from kenpo_lib.normalise import legible

translate_usage()  # before the first option is made
PROJECT_MARKERS = ("expectations", "notebooks", "data")


class Group(click.Group):
    """Turns the project's own errors into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KenpoError as error:
            click.echo(legible(str(error)), err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:  # click would say "Aborted!", and exit with what stands for failed pages
            click.echo(say("中断しました。", "Interrupted."), err=True)
            ctx.exit(StoppedError.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever read the output has had enough; click ends quietly
            click.echo(str(FolderError(error)), err=True)
            ctx.exit(FolderError.exit_code)


@click.group(
    cls=Group,
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
    type=click.Path(file_okay=False),
    help=say(
        "プロジェクトのフォルダー（省略時はカレントから上へ探す）",
        "Project folder (default: searched upwards from here)",
    ),
)
@click.version_option(__version__, prog_name="kenpo")
@click.pass_context
def cli(ctx: click.Context, project: str | None) -> None:
    ctx.obj = project


def find_folder(ctx: click.Context) -> Path:
    """The project's folder: given, or the nearest one upwards that has the project's parts."""
    if ctx.obj == "":
        raise InputError(
            say("--project が空です。フォルダーを指定してください。", "--project is empty: name a folder.")
        )
    start = Path(ctx.obj or Path.cwd()).resolve()
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
