"""Ctrl+C, a closed console, a logoff and a polite kill all end a batch the same way: tidied up, with one sentence, to be resumed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kenpo_lib.errors import KenpoError
from kenpo_lib.language import say

# SIGHUP: the console was closed, or the user logged off. Windows has SIGBREAK instead.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
_IMPATIENCE_SECONDS = 2.0
_depth = 0  # of `uninterrupted`, in the main thread
_is_waiting = False  # a signal came meanwhile


class StoppedError(KenpoError):
    """A person or the system asked the batch to end. What is finished stays."""

    exit_code = 130  # as shells have it for Ctrl+C

    def __init__(self) -> None:
        super().__init__(
            say(
                "中断しました。同じコマンドで続きから作れます。",
                "Interrupted. The same command goes on from here.",
            )
        )


@contextmanager
def stopping_in_order() -> Iterator[None]:
    """Signals that ask to end raise ``KeyboardInterrupt`` in what runs inside, so that it tidies up.

    Signals that were ignored before stay so (``nohup``). Only the main thread can handle signals; in others nothing changes.

    Raises:
        StoppedError: Afterwards.
    """
    former: dict[int, Any] = {}
    asked = 0.0

    def stop(number: int, frame: object) -> None:
        nonlocal asked
        global _is_waiting
        # People press twice, and a closed console sends more than one: what is being tidied up is not to be disturbed by that.
        if time.monotonic() - asked > _IMPATIENCE_SECONDS:
            asked = time.monotonic()
            if not _depth:
                raise KeyboardInterrupt
            _is_waiting = True

    if threading.current_thread() is threading.main_thread():
        heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        former = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError from None
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """For a few moments: what runs inside is done as a whole, and a signal that asks to end takes effect right behind it.

    Between the start of a process and the line that notes it, say, an exception would leave a process that nobody ends.
    """
    global _depth, _is_waiting
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if not _depth and _is_waiting:
            _is_waiting = False
            raise KeyboardInterrupt


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Processes that start inside never hear Ctrl+C, which a console sends to all its processes: their parent ends them.

    One that heard it while it starts would die with what it was to be told unread, and on Windows its parent would wait for ever to
    tell it. There this process misses a Ctrl+C that comes meanwhile, and a person presses again; elsewhere it hears it right behind.
    """
    if os.name == "nt":
        with _deaf_console():
            yield
        return
    from multiprocessing import resource_tracker  # here, so that every other command starts without it

    resource_tracker.ensure_running()  # where multiprocessing starts it later, it lets the signal through again
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


@contextmanager
def _deaf_console() -> Iterator[None]:
    """Windows: no Ctrl+C for this process, and none ever for those that it starts."""
    import ctypes

    listen = ctypes.windll.kernel32.SetConsoleCtrlHandler  # type: ignore[attr-defined]
    listen(None, True)
    try:
        yield
    finally:
        listen(None, False)


def end_with_parent() -> None:
    """Have this process end as soon as the one that started it has died, whatever it is doing."""
    from multiprocessing import parent_process  # here, so that every other command starts without it
    from multiprocessing.connection import wait

    parent = parent_process()

    def await_end() -> None:
        wait([parent.sentinel])
        os._exit(1)

    if parent is not None:
        threading.Thread(target=await_end, daemon=True).start()
