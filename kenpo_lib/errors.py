"""The failures that a user can act on, and the exit code of each.

Anything else that goes wrong is a defect of this project and keeps its traceback.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kenpo_lib.language import Text, say


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the input: what was read and where, what was expected and found, what to do."""

    file: str
    place: str
    expected: str
    found: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file} {self.place}".strip()
        return say(
            f"{where}: {self.expected}のはずが、{self.found}でした。→ {self.remedy}",
            f"{where}: expected {self.expected}, found {self.found}. → {self.remedy}",
        )


def hint_nearest(text: str, known: Iterable[str]) -> str:
    """In brackets, which of the known names a user may have meant; empty where none is near."""
    import difflib  # only after a mistake

    near = difflib.get_close_matches(text, known, 1)
    return say(f"（近いもの: {near[0]}）", f" (nearest: {near[0]})") if near else ""


class KenpoError(Exception):
    """A failure whose message is meant for the user; printed without a traceback."""

    exit_code = 2


class InputError(KenpoError):
    """Bad input: all faults found, gathered, raised once. Nothing was written."""

    def __init__(self, message: str, faults: Iterable[Fault] = ()):
        self.faults = tuple(faults)
        shown = [f"  {i}. {fault}" for i, fault in enumerate(self.faults[:MAX_FAULTS_SHOWN], 1)]
        hidden = len(self.faults) - len(shown)
        if hidden > 0:
            shown.append(say(f"  … ほか {hidden} 件", f"  … and {hidden} more"))
        super().__init__("\n".join([message, *shown]))


class ValidationStoppedError(KenpoError):
    """A critical expectation failed: the data may not be published."""

    exit_code = 3


class FolderError(KenpoError):
    """The system refused to read or write a file: a full disk, a read-only folder, a file that another program holds open."""

    def __init__(self, error: OSError):
        name = Path(error.filename).name if isinstance(error.filename, str) else ""
        reason = describe_os_error(error)
        super().__init__(
            say(
                f"ファイルを読み書きできません: {name} {reason.ja}。空き容量、書き込みの権限、ファイルを開いているプログラムを確かめて、"
                "同じコマンドをもう一度実行してください。できあがったファイルはそのままです。",
                f"A file cannot be read or written: {name} {reason.en}. Check free space, permissions and programs that hold "
                "the file open, then run the same command again. Files that are finished stay.",
            )
        )


class FontError(KenpoError):
    """Charts would be drawn without text, or with another font than the project's: nothing may be published."""

    def __init__(self, problem: Text):
        super().__init__(
            say(
                f"図の文字を描けません（{problem.ja}）。kenpo_lib/fonts のフォントを確かめてください: kenpo doctor",
                f"Charts cannot be drawn with their text ({problem.en}). Check the fonts in kenpo_lib/fonts: `kenpo doctor`.",
            )
        )
        self.problem = problem


class BranchesFailedError(KenpoError):
    """Some reports could not be made; the others are complete."""

    exit_code = 1


MAX_FAULTS_SHOWN = 20
# Windows refuses to replace a file that Edge, Excel or a virus scanner holds open: access denied, sharing and lock violation.
HELD_OPEN = (5, 32, 33)
_REASONS = {
    errno.ENOSPC: Text("ディスクの空きがありません", "the disk is full"),
    errno.EDQUOT: Text("割り当てられた容量を使い切りました", "the quota is used up"),
    errno.EROFS: Text("読み取り専用の場所です", "the place is read-only"),
    errno.EACCES: Text("権限がありません", "permission denied"),
    errno.EPERM: Text("許可されていません", "not permitted"),
    errno.ENOENT: Text("ありません", "not there"),
    errno.ENAMETOOLONG: Text("名前が長すぎます", "the name is too long"),
    errno.ENOTDIR: Text("フォルダーではありません", "not a folder"),
    errno.EISDIR: Text("ファイルではなくフォルダーです", "a folder, not a file"),
    errno.ELOOP: Text("リンクになっています（たどりません）", "it is a link, which is not followed"),
    errno.EEXIST: Text("同じ名前のファイルがあります", "a file of that name is in the way"),
}


def describe_os_error(error: OSError) -> Text:
    """Why the system refused, in a few words; in its own where it is nothing common."""
    if getattr(error, "winerror", None) in HELD_OPEN:
        return Text("ほかのプログラムがファイルを開いています", "another program holds the file open")
    other = error.strerror or type(error).__name__
    return _REASONS.get(error.errno or 0, Text(other, other))
