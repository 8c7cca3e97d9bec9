"""Start ``pythonw.exe`` with no standard streams at all, as a double click does; its exit code becomes that of this program."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from ctypes import wintypes
from pathlib import Path

USE_THESE_HANDLES = 0x100  # STARTF_USESTDHANDLES: those below, which are none; subprocess would put its own there


class StartupInfo(ctypes.Structure):
    """STARTUPINFOW."""

    _fields_ = (
        ("cb", wintypes.DWORD),
        *((name, wintypes.LPWSTR) for name in ("reserved", "desktop", "title")),
        *((name, wintypes.DWORD) for name in ("x", "y", "width", "height", "columns", "rows", "attributes", "flags")),
        *((name, wintypes.WORD) for name in ("show", "size_of_more")),
        ("more", ctypes.c_void_p),
        *((name, wintypes.HANDLE) for name in ("stdin", "stdout", "stderr")),
    )


class ProcessInfo(ctypes.Structure):
    """PROCESS_INFORMATION."""

    _fields_ = (
        *((name, wintypes.HANDLE) for name in ("process", "thread")),
        *((name, wintypes.DWORD) for name in ("process_id", "thread_id")),
    )


def main() -> None:
    command = subprocess.list2cmdline([str(Path(sys.executable).with_name("pythonw.exe")), *sys.argv[1:]])
    startup, process = StartupInfo(cb=ctypes.sizeof(StartupInfo), flags=USE_THESE_HANDLES), ProcessInfo()
    windows = ctypes.WinDLL("kernel32", use_last_error=True)
    if not windows.CreateProcessW(
        *(None, ctypes.create_unicode_buffer(command), None, None, False, 0, None, None),
        *(ctypes.byref(startup), ctypes.byref(process)),
    ):
        raise ctypes.WinError(ctypes.get_last_error())
    handle, code = wintypes.HANDLE(process.process), wintypes.DWORD()
    windows.WaitForSingleObject(handle, 600_000)
    windows.GetExitCodeProcess(handle, ctypes.byref(code))
    sys.exit(code.value)


if __name__ == "__main__":
    main()
