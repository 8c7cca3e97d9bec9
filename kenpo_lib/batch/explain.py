"""Why a notebook gave no page, in one sentence that fits a console, a file and a page. Never a row of data."""

from __future__ import annotations

import re

from papermill.exceptions import PapermillExecutionError

from kenpo_lib.batch.guard import BREACHES, ForbiddenError
from kenpo_lib.batch.work import Cause, Failure, fail
from kenpo_lib.errors import KenpoError
from kenpo_lib.language import Text
from kenpo_lib.normalise import legible

MAX_MESSAGE = 200
_IN_JAPANESE = {breach.en: breach.ja for breach in BREACHES}
# The folders before a file's name, on any system: within quotes, where names may have blanks, and elsewhere.
_QUOTED_FOLDERS = re.compile(r"(['\"])(?:[A-Za-z]:\\|\\\\|/)[^'\"]*[\\/](?=[^'\"\\/]*\1)")
_FOLDERS = re.compile(r"(?:[A-Za-z]:\\|\\\\|(?<![\w.<:/])/)(?:[^\s'\"<>|:\\/]+[\\/]+)+")


def describe_error(error: PapermillExecutionError) -> Failure:
    """What a cell raised: the first line of the message, where rows of data do not stand yet."""
    if error.ename == ForbiddenError.__name__:
        return describe_breach(error.evalue, error)
    is_ours = error.ename in {kind.__name__ for kind in _list_kinds(KenpoError)}
    name = "" if is_ours else f"{error.ename}: "
    message = legible(name + _first_line(error.evalue)).removesuffix(": ")
    number = _number_of(error)
    return Failure(
        Cause.DATA,
        Text(
            f"ノートブックの{number}番目のセルで失敗しました。{message}",
            f"cell {number} of the notebook failed: {message}",
        ),
        number,
        legible(error.source or ""),
    )


def describe_breach(what: str, error: PapermillExecutionError | None = None) -> Failure:
    """Something that no notebook may do; with the cell, where that is known."""
    shown = legible(_first_line(what))
    return Failure(
        Cause.FORBIDDEN,
        Text(
            f"ノートブックが許されない操作をしました（{_IN_JAPANESE.get(what, shown)}）",
            f"the notebook did what none may: {shown}",
        ),
        _number_of(error) if error else None,
        legible(error.source or "") if error else None,
    )


def describe_refusal(error: Exception) -> Failure:
    """A notebook that is none, or that papermill cannot take."""
    words = legible(_first_line(f"{type(error).__name__}: {error}"))
    ja, en = f"ノートブックを実行できませんでした（{words}）", f"the notebook could not be run: {words}"
    return fail(Cause.INCOMPLETE, ja, en).failure


def _first_line(text: object) -> str:
    """Without the folders of this machine: what is said here goes into files that others get."""
    line = (str(text).splitlines() or [""])[0]
    return _FOLDERS.sub("", _QUOTED_FOLDERS.sub(r"\1", line))[:MAX_MESSAGE]


def _number_of(error: PapermillExecutionError) -> int:
    return (error.exec_count or 2) - 1  # the cell of parameters stands twice


def _list_kinds(kind: type) -> set[type]:
    return {kind}.union(*(_list_kinds(child) for child in kind.__subclasses__()))
