"""The page that stands in ``errors/`` for one that could not be made: the cause in one sentence, the cell, no data."""

from __future__ import annotations

from pathlib import Path

from kenpo_lib.batch.job import Job
from kenpo_lib.batch.listing import render_listing
from kenpo_lib.batch.work import RETRIED, Cause, Failure
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.tables import Html, heading

_MAX_CELL = 2_000  # characters of a cell that are shown
_MEND_NOTEBOOK = Text(
    "ノートブックを直すか、git から戻してから、同じコマンドをもう一度実行してください。",
    "Change the notebook, or restore it from git, then run the same command again.",
)
_ADVICE = {
    Cause.DATA: Text(
        "data/raw の該当する値を出典と見比べ、kenpo curate と kenpo validate を実行してから、同じコマンドをもう一度実行してください。"
        "値が正しければ、ノートブックを直してください。",
        "Compare the figures in data/raw with their source, run `kenpo curate` and `kenpo validate`, then the same command again. "
        "If they are right, the notebook has to be changed.",
    ),
    Cause.PUBLISH: Text(
        "ファイルを開いているExcelやEdgeを閉じ、空き容量と書き込みの権限を確かめてから、同じコマンドをもう一度実行してください。",
        "Close the file in Excel or Edge, check free space and permissions, then run the same command again.",
    ),
    **dict.fromkeys((Cause.FORBIDDEN, Cause.TOO_LARGE, Cause.INCOMPLETE, Cause.PAGE), _MEND_NOTEBOOK),
}
_OTHERWISE = Text(
    "同じコマンドをもう一度実行してください。続くときは kenpo doctor で環境を確かめてください。",
    "Run the same command again. If it goes on, check the machine with `kenpo doctor`.",
)


def render_error_page(job: Job, failure: Failure, *, attempt: int, keeps_former: bool, templates: Path) -> bytes:
    """The error page of a job.

    Args:
        job: What could not be made.
        failure: Why.
        attempt: How often it was tried.
        keeps_former: Whether an earlier page of this name is still there.
        templates: The project's templates.
    """
    lang = job.lang
    name = job.label
    year = format_fiscal_year(job.fiscal_year, lang=lang, western=True)
    title = Text(f"{name} {year} のレポートは作れませんでした", f"The report of {name}, {year}, could not be made")(
        lang
    )
    parts = [
        Html("<header>{}</header><p>{}</p>").format(
            heading(1, title), failure.reason(lang).rstrip("。.") + Text("。", ".")(lang)
        )
    ]
    if failure.cell_source:
        label = Text(f"ノートブックの{failure.cell_number}番目のセル", f"Cell {failure.cell_number} of the notebook")(
            lang
        )
        parts.append(
            Html("<section>{}<p><code>{}</code></p></section>").format(
                heading(2, label), _show_lines(failure.cell_source[:_MAX_CELL])
            )
        )
    notes = [_ADVICE.get(failure.cause, _OTHERWISE)(lang)]
    if failure.cause in RETRIED:
        notes.append(Text(f"{attempt}回試しました。", f"It was tried {attempt} times.")(lang))
    if keeps_former:
        notes.append(
            Text(
                "前回までに作った同じ名前のレポートは、そのまま残っています。",
                "The report of this name from an earlier run is still there.",
            )(lang)
        )
    parts.append(
        Html("<section>{}{}</section>").format(
            heading(2, Text("どうすればよいか", "What to do")(lang)),
            Html("").join(Html("<p>{}</p>").format(n) for n in notes),
        )
    )
    return render_listing(Html("").join(parts), templates=templates, lang=lang, title=title)


def _show_lines(source: str) -> Html:
    """Code with its line breaks and indents, which HTML would fold."""
    return Html("<br>").join(
        "\N{NO-BREAK SPACE}" * (len(line) - len(line.lstrip())) + line.lstrip() for line in source.splitlines()
    )
