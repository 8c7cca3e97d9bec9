"""Standard input, output and error where there are none: a shell can close them, and a program without a console never had them."""

from __future__ import annotations

import os
import sys

_MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}


def fill_streams() -> None:
    """Let standard streams that are not there lead nowhere.

    Otherwise the next files that are opened would take their numbers, and what native code says on them would end up in a report.
    Processes that are started later inherit what this opens, but not on Windows, where each has to call this again.
    """
    for number, (name, mode) in enumerate(_MODES.items()):
        try:
            os.fstat(number)
        except OSError:
            _lead_nowhere(number)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _lead_nowhere(number: int) -> None:
    opened = os.open(os.devnull, os.O_RDWR)
    if opened == number:
        os.set_inheritable(number, True)
    else:
        os.dup2(opened, number)
        os.close(opened)
    if sys.platform == "win32":
        _tell_windows(number)


def _tell_windows(number: int) -> None:
    """Native code, such as the renderer of charts, asks Windows for its streams and fails where there are none."""
    import ctypes
    import msvcrt

    handle = ctypes.c_void_p(msvcrt.get_osfhandle(number))
    ctypes.windll.kernel32.SetStdHandle(-10 - number, handle)  # -10, -11, -12
