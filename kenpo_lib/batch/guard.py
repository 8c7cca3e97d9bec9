"""The walls around a process that runs a notebook: it writes into its own folder only, and connects to nothing.

An audit hook of Python sees what Python code does, before it does harm. What native code writes, such as polars, it does not see:
there a look at the folders before and after tells. Neither is a defence against a hostile notebook; only reviewed notebooks from the
repository run here.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from kenpo_lib.files import TEMPORARY_SUFFIX
from kenpo_lib.language import Text

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = frozenset(
    (
        *("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link"),
        *("os.symlink", "os.truncate", "os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr"),
        *("shutil.rmtree", "shutil.move", "shutil.copyfile", "shutil.copytree"),
    )
)
_STARTS = frozenset(
    (
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.fork",
        "os.forkpty",
        "pty.spawn",
    )
)
_CONNECTS = frozenset(
    (
        *("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"),
        *("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"),
    )
)
_SIGNALS = frozenset(("os.kill", "os.killpg"))
_NO_FILES = (":memory:", b":memory:", "", b"")  # databases
# What a notebook did. Errors say it in English; ``explain`` finds the other language.
_WRITTEN = Text("作業フォルダーの外への書き込み", "write outside the work folder")
_CHANGED = Text("作業フォルダーの外の変更", "change outside the work folder")
_STARTED = Text("ほかのプログラムの起動", "start another program")
_CONNECTED = Text("ほかのプロセスや端末への接続", "connect to another process or machine")
_MOVED = Text("作業フォルダーの移動", "change the working folder")
_KILLED = Text("ほかのプロセスの終了", "end another process")
BREACHES = (_WRITTEN, _CHANGED, _STARTED, _CONNECTED, _MOVED, _KILLED)


class ForbiddenError(PermissionError):
    """A notebook did what none may."""


def forbid_outside(folder: Path, *, on_breach: Callable[[str], None] = lambda what: None) -> None:
    """From now on, for the life of this process: no write outside ``folder``, no connection, no other program.

    Args:
        folder: The only place to write into; the null device is free.
        on_breach: Told each breach, which raises ``ForbiddenError`` as well; a notebook may swallow that.
    """

    def spell(path: str) -> str:
        """One spelling for one file: on Windows names differ in case, and the null device is no plain name."""
        return os.path.normcase(os.path.abspath(path))  # noqa: PTH100  (Path.resolve would ask the file system at each call)

    whole = spell(str(folder.resolve()))
    own, free = f"{whole}{os.sep}", {spell(os.devnull), whole}

    def is_inside(path: object) -> bool:
        if isinstance(path, int):  # a descriptor that is open already
            return True
        name = spell(os.fsdecode(path))
        return name in free or name.startswith(own)

    def refuse(what: Text) -> None:
        on_breach(what.en)
        raise ForbiddenError(what.en)

    def watch(event: str, arguments: tuple) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = bool(flags & _WRITING) if isinstance(flags, int) else any(sign in (mode or "") for sign in "wax+")
            if writes and path is not None and not is_inside(path):
                refuse(_WRITTEN)
        elif event in _CHANGES:
            if not all(is_inside(path) for path in arguments if isinstance(path, str | bytes | os.PathLike)):
                refuse(_CHANGED)
        elif event in _STARTS:
            refuse(_STARTED)
        elif event in _CONNECTS:
            refuse(_CONNECTED)
        elif event == "os.chdir":
            refuse(_MOVED)
        elif event in _SIGNALS and arguments[0] != os.getpid():
            refuse(_KILLED)
        elif event == "sqlite3.connect" and arguments[0] not in _NO_FILES and not is_inside(arguments[0]):
            refuse(_WRITTEN)

    sys.addaudithook(watch)


def look_at(folders: Iterable[Path]) -> dict[str, tuple[int, int]]:
    """Size and time of every file below, by its path from the folder above: cheap, and different after any write."""
    found = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.suffix != TEMPORARY_SUFFIX:
                with suppress(OSError):  # just removed
                    state = path.stat()
                    if stat.S_ISREG(state.st_mode):
                        found[path.relative_to(folder.parent).as_posix()] = (state.st_size, state.st_mtime_ns)
    return found


def list_touched(before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]) -> list[str]:
    """What was added, changed or removed between two looks."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
