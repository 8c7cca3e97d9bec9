"""The process that runs one notebook: forked from one that has imported everything and computed nothing, used once, thrown away.

Importing this module is what costs time (papermill, IPython, polars, Altair); the fork server of ``pool`` does it once. It
computes nothing on import: the threads of polars would not survive a fork.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from kenpo_lib.fast_import import import_jsonschema

import_jsonschema()  # before nbformat and Altair

import nbformat
import papermill
from altair.utils.schemapi import disable_debug_mode
from papermill.exceptions import PapermillExecutionError

import kenpo_lib.briefing  # noqa: F401  (what the notebooks use)
from kenpo_lib.batch.engine import ENGINE_NAME, OutputTooLargeError, register
from kenpo_lib.batch.explain import describe_breach, describe_error, describe_refusal
from kenpo_lib.batch.guard import forbid_outside, list_touched, look_at
from kenpo_lib.batch.interrupt import end_with_parent
from kenpo_lib.batch.work import Cause, Limits, PageFailedError, Place, Request, Run, fail
from kenpo_lib.charts.drawing import defer_drawings
from kenpo_lib.files import make_folder
from kenpo_lib.normalise import legible

# Compiles the schema, once for all processes that are forked from this one.
nbformat.validate(nbformat.v4.new_notebook())
# Tests check every chart against its schema; doing so at each step takes longer than making the chart.
disable_debug_mode()

SENTINEL = "sentinel.json"


def run_cells(connection: Connection, request: Request, place: Place, limits: Limits) -> None:
    """Body of the process: run the notebook, send what happened.

    Sends ``("cell", number)`` before each cell and at last ``("run", Run)`` or ``("failed", Failure)``.
    """
    if hasattr(os, "setsid"):
        os.setsid()  # so that all that it starts ends with it
    end_with_parent()
    sys.dont_write_bytecode = True
    start = time.monotonic()
    try:
        notebook, drawings = execute(request, place, limits, on_cell=lambda number: connection.send(("cell", number)))
        sentinel = read_sentinel(Path(place.work))
        if not sentinel:
            raise fail(
                Cause.INCOMPLETE, "ノートブックが最後まで実行されませんでした", "the notebook did not reach its end"
            )
        answer: tuple[str, Any] = "run", Run(json.dumps(notebook), drawings, sentinel, time.monotonic() - start)
    except PageFailedError as error:
        answer = "failed", error.failure
    except Exception as error:  # a notebook that is none, or that papermill cannot take
        answer = "failed", describe_refusal(error)
    with suppress(OSError):  # nobody is listening any more
        connection.send(answer)
    connection.close()


def execute(
    request: Request, place: Place, limits: Limits, *, on_cell: Any = lambda number: None
) -> tuple[Any, tuple[dict, ...]]:
    """Run the notebook of a request with papermill.

    Returns:
        The executed notebook and the charts that are still to be drawn.

    Raises:
        PageFailedError: A cell raised, wrote elsewhere or put out too much, or a cell did not run.
        ValidationError: What ran is no notebook, or what came out is none.
    """
    work = Path(place.work)
    make_folder(work)
    breaches: list[str] = []
    threads = threading.active_count()
    notebook = nbformat.reads(request.notebook, as_version=4)
    _require_parameters(notebook)
    numbers = _number_code_cells(notebook)
    watched = [Path(folder) for folder in (place.curated, *place.watched)]
    before = look_at(watched)
    register()
    drawings = defer_drawings()
    os.chdir(work)
    forbid_outside(work, on_breach=breaches.append)
    parameters = {
        **request.job.parameters,
        "curated_dir": place.curated,
        "sentinel": str(work / SENTINEL),
    }
    try:
        executed = papermill.execute_notebook(
            notebook,
            None,
            parameters=parameters,
            engine_name=ENGINE_NAME,
            progress_bar=False,
            on_cell=lambda index: on_cell(numbers.get(index, 0)),
            output_bytes=limits.output_bytes,
        )
    except PapermillExecutionError as error:
        raise PageFailedError(describe_error(error)) from error
    except OutputTooLargeError as error:
        raise fail(
            Cause.TOO_LARGE,
            f"ノートブックの出力が上限（{limits.output_bytes / 1e6:.0f} MB）を超えました",
            f"the notebook put out more than {limits.output_bytes / 1e6:.0f} MB",
        ) from error
    if breaches:  # also where the cell swallowed the error
        raise PageFailedError(describe_breach(breaches[0]))
    if touched := list_touched(before, look_at(watched)):
        name = legible(touched[0])
        raise fail(Cause.FORBIDDEN, f"作成中に {name} が変わりました", f"{name} changed meanwhile")
    if threading.active_count() > threads:
        raise fail(Cause.FORBIDDEN, "ノートブックがスレッドを残しました", "the notebook left threads behind")
    if not is_complete(executed):
        raise fail(Cause.INCOMPLETE, "実行されなかったセルがあります", "some cells did not run")
    nbformat.validate(executed)  # papermill writes a line about a notebook that is none, and goes on
    return executed, tuple(drawing.to_json() for drawing in drawings)


def _require_parameters(notebook: Any) -> None:
    """papermill would go on, and the notebook make a page of whatever stands in it."""
    if not any("parameters" in cell.metadata.get("tags", []) for cell in notebook.cells):
        raise fail(
            Cause.INCOMPLETE,
            "ノートブックに parameters のタグの付いたセルがありません",
            "no cell of the notebook has the tag `parameters`",
        )


def _number_code_cells(notebook: Any) -> dict[int, int]:
    """Number of each code cell as a person counts them, by its index after papermill has injected the parameters."""
    numbers, number, shift = {}, 0, 0
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            number += 1
            numbers[index + shift] = number
            if "parameters" in cell.metadata.get("tags", []):
                shift = 1
    return numbers


def is_complete(notebook: Any) -> bool:
    """True if every code cell ran to its end. papermill calls cells completed that never ran, so the counts decide."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return bool(code) and all(
        cell.metadata.get("papermill", {}).get("status") == "completed"
        and not cell.metadata["papermill"].get("exception")
        and cell.execution_count is not None
        and not any(output.output_type == "error" for output in cell.outputs)
        for cell in code
    )


def read_sentinel(work: Path) -> dict[str, Any]:
    """What the last cell says that the notebook was about; empty where it was not reached."""
    with suppress(OSError, ValueError):
        content = json.loads((work / SENTINEL).read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}
