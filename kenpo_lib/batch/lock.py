"""One batch a folder: a lock that the system releases when its holder dies, with the holder's name in it for the other person."""

from __future__ import annotations

import errno
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kenpo_lib.batch.interrupt import uninterrupted
from kenpo_lib.errors import InputError
from kenpo_lib.files import make_folder, open_for_update, overwrite, remove
from kenpo_lib.language import say

LOCK = ".kenpo.lock"
# What the systems say of a lock that another holds.
_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class BatchRunningError(InputError):
    """Another batch writes into the folder."""


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the folder's lock.

    Raises:
        BatchRunningError: It is held by a living process; or by one of another machine, of which nobody here can tell.
    """
    make_folder(folder)
    path, descriptor = folder / LOCK, None
    try:
        with uninterrupted():
            descriptor = _take_over(path)
        yield
    finally:
        if descriptor is not None:
            _release(descriptor, path)


def _take_over(path: Path) -> int:
    """A descriptor of the lock file, locked, with this process's name in it."""
    descriptor = _open_locked(path)
    holder = _read_holder(descriptor)
    if holder.get("host") not in (None, platform.node()):
        os.close(descriptor)
        raise BatchRunningError(
            say(
                f"{path.parent.name}/{LOCK} は別の端末 {holder['host']} の実行（{holder.get('started')} 開始）のものです。"
                "動いていないことを確かめてから、このファイルを消してください。",
                f"{path.parent.name}/{LOCK} belongs to a batch on another machine, {holder['host']}, begun "
                f"{holder.get('started')}. Make sure that it does not run, then delete that file.",
            )
        )
    entry = {"host": platform.node(), "pid": os.getpid(), "started": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        overwrite(descriptor, json.dumps(entry).encode())
    except BaseException:
        _release(descriptor, path)
        raise
    return descriptor


def _release(descriptor: int, path: Path) -> None:
    """Remove the file while it is still held, so that nobody takes one over that then vanishes; Windows needs it closed first."""
    with uninterrupted():
        if os.name == "nt":
            os.close(descriptor)
        try:
            with suppress(OSError):
                remove(path)
        finally:
            if os.name != "nt":
                os.close(descriptor)


def _open_locked(path: Path) -> int:
    while True:
        descriptor = open_for_update(path)
        try:
            _take(descriptor)
        except OSError as error:
            holder = _read_holder(descriptor)
            os.close(descriptor)
            if error.errno not in _HELD:
                raise  # a file system that knows no locks
            ja, en = "", ""
            if holder:  # it may have taken the lock without having written yet
                ja = f"（プロセス {holder.get('pid')}、{holder.get('started')} 開始）"
                en = f" (process {holder.get('pid')}, begun {holder.get('started')})"
            raise BatchRunningError(
                say(
                    f"別の kenpo report が実行中です{ja}。終わってからもう一度実行してください。",
                    f"Another `kenpo report` is running{en}. Run this again when it has ended.",
                )
            ) from None
        with suppress(OSError):
            if os.name == "nt" or os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        os.close(descriptor)  # its former holder has just removed it


def _take(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        # Far behind the content, which others may still read.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read_holder(descriptor: int) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        content = json.loads(os.read(descriptor, 4096).decode("utf-8"))
        if isinstance(content, dict):
            return content
    return {}
