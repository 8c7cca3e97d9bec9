"""How processes of a batch start and end.

All are forked from a server that has imported everything and computed nothing (``preload``), so that they start in hundredths of a
second. Where fork does not exist (Windows), or ``KENPO_START_METHOD=spawn`` asks for it, each imports for itself: the same, slower.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from kenpo_lib.batch.interrupt import uninterrupted, without_ctrl_c
from kenpo_lib.errors import KenpoError
from kenpo_lib.language import say

# Several processes share the cores: more threads in each cost memory and gain nothing. And OpenBLAS' would not survive a fork.
ONE_THREAD = ("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS")


class PoolBrokenError(KenpoError):
    """Processes cannot be started at all; nothing that is asked for can be made."""

    def __init__(self) -> None:
        super().__init__(
            say(
                "作業プロセスを起動できません。kenpo doctor で環境を確かめてください。",
                "Worker processes cannot be started. Check this machine with `kenpo doctor`.",
            )
        )


def start_method() -> str:
    """``forkserver`` where it exists and nothing else is asked for, else ``spawn``."""
    asked = os.environ.get("KENPO_START_METHOD", "")
    can_fork = "forkserver" in multiprocessing.get_all_start_methods()
    return "forkserver" if can_fork and asked != "spawn" else "spawn"


_lock = threading.Lock()


@contextmanager
def _starting() -> Iterator[None]:
    """While processes start: one thread each, and ``__main__`` of this process is none of their business (it may have no guard).

    A worker of a cluster is daemonic, which multiprocessing does not let have children; ours end with it by themselves.
    """
    with _lock, _one_thread_each(), _without_main():
        own = multiprocessing.current_process()._config  # type: ignore[attr-defined]
        daemon = own.pop("daemon", None)
        try:
            yield
        finally:
            if daemon is not None:
                own["daemon"] = daemon


@contextmanager
def _without_main() -> Iterator[None]:
    main = sys.modules["__main__"]
    hidden = {name: main.__dict__.pop(name) for name in ("__file__", "__spec__") if name in main.__dict__}
    main.__dict__["__spec__"] = None
    try:
        yield
    finally:
        main.__dict__.update({"__spec__": None} | hidden)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    former = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def warm_up() -> None:
    """Start the fork server, which then imports while the caller goes on; nothing where processes are spawned.

    Raises:
        PoolBrokenError: It does not start.
    """
    if start_method() == "forkserver":
        try:
            with uninterrupted(), without_ctrl_c(), _starting():
                forkserver.set_forkserver_preload(["kenpo_lib.batch.preload"])
                forkserver.ensure_running()
        except (OSError, EOFError) as error:
            raise PoolBrokenError from error


def start_process(target: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """Start ``target`` with a connection and the arguments in a process of its own; the process, and the other end of the connection.

    Raises:
        PoolBrokenError: It does not start.
    """
    context: Any = multiprocessing.get_context(start_method())
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *arguments))
    try:
        with without_ctrl_c(), _starting():
            process.start()
    except (OSError, EOFError) as error:
        raise PoolBrokenError from error
    theirs.close()
    return process, ours


def end_process(process: BaseProcess, *, patience: float = 0.0) -> None:
    """End a process and all that it started; with patience it may first end by itself."""
    if patience:
        process.join(patience)
    if process.pid is not None and hasattr(os, "killpg"):
        # Its group outlives it if it started something; a process that has made no group of its own is ended below.
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == process.pid != os.getpgid(0):
                os.killpg(process.pid, signal.SIGKILL)
    if process.is_alive():
        process.kill()
    process.join(5.0)


def measure_memory(pid: int | None) -> int:
    """Resident bytes of a process and its descendants; 0 once it is gone."""
    import psutil

    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return sum(member.memory_info().rss for member in family)
    except psutil.Error:
        return 0
