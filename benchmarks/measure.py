"""Measure a command with all its processes: wall seconds, CPU seconds, and the highest sum of memory (Linux)."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_INTERVAL_SECONDS = 0.1
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Measure:
    """What something took.

    Attributes:
        wall: Seconds from start to end of the command itself.
        cpu: Seconds of processor time of the process and all its descendants.
        peak: Megabytes at the highest sample: the proportional set sizes of all processes together, so that memory which forked
            processes share counts once.
    """

    wall: float
    cpu: float
    peak: float


class PeakMemory(threading.Thread):
    """Samples the memory of a process and all its descendants until it is stopped.

    Attributes:
        open_files: File descriptors of all of them together, at the highest sample.
    """

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
        self._peak, self._running = 0, True
        self.open_files = 0

    def run(self) -> None:
        while self._running:
            memory = files = 0
            with suppress(psutil.Error):
                for process in (self._root, *self._root.children(recursive=True)):
                    with suppress(psutil.Error):
                        memory += process.memory_full_info().pss
                        files += process.num_fds()
            self._peak, self.open_files = max(self._peak, memory), max(self.open_files, files)
            time.sleep(_INTERVAL_SECONDS)

    def stop(self) -> float:
        """Megabytes at the highest sample."""
        self._running = False
        self.join()
        return self._peak / 1e6


def adopt_orphans() -> None:
    """Descendants whose parent has ended become children of this process, so that it can count them and their processor time."""
    if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("this needs Linux")


def _children_seconds() -> float:
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_command(
    arguments: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    allowed: Sequence[int] = (0,),
    with_memory: bool = True,
) -> Measure:
    """Run a command to its end, and wait for whatever it left behind.

    Args:
        arguments: The command.
        cwd: Its folder.
        env: Variables set beside those of this process.
        allowed: The codes with which it may end.
        with_memory: Whether its memory is sampled, which takes up to half a core while there are many processes: not for a command
            that needs all of them and whose time counts. Without it the peak is not a number.

    Raises:
        SystemExit: It ended with another code than those allowed; its errors are shown.
    """
    adopt_orphans()
    before = _children_seconds()
    start = time.perf_counter()
    process = subprocess.Popen(
        arguments,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, **(env or {})},
    )
    memory = PeakMemory(process.pid) if with_memory else None
    if memory:
        memory.start()
    _, errors = process.communicate()
    wall = time.perf_counter() - start
    peak = memory.stop() if memory else float("nan")
    if process.returncode not in allowed:
        sys.exit(f"{arguments[0]} ended with {process.returncode}:\n{errors}")
    return Measure(wall, _children_seconds() - before, peak)
