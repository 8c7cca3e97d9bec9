"""Disk, memory and clock."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from kenpo_lib.doctor.findings import Finding, Level
from kenpo_lib.language import Text

# All pages of a year take less than 30 MB; while one is renewed both stand side by side, and the tables as well.
DISK_NEEDED, DISK_WISHED = 200_000_000, 1_000_000_000
MEMORY_BASE, MEMORY_PER_JOB = 600_000_000, 500_000_000
BUILT = datetime(2026, 11, 1, tzinfo=UTC)  # no clock that is right says less


def check_disk(name: Text, folder: Path, *, free: int | None = None) -> Finding:
    """Room for a year of reports."""
    existing = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(existing).free if free is None else free
    words = Text(f"空き {free / 1e9:.1f} GB", f"{free / 1e9:.1f} GB free")
    if free >= DISK_WISHED:
        return Finding(Level.GOOD, name, words)
    advice = Text("reports/ のあるディスクに 1 GB 以上の空きを作る", "make 1 GB of room on the disk of reports/")
    return Finding(Level.WARNING if free >= DISK_NEEDED else Level.FAULT, name, words, advice)


def check_memory(name: Text, *, cores: int | None = None, available: int | None = None) -> Finding:
    """Memory for as many pages at a time as there are cores."""
    if available is None:
        import psutil

        available = psutil.virtual_memory().available
    cores = cores or os.cpu_count() or 1
    jobs = max(0, (available - MEMORY_BASE) // MEMORY_PER_JOB)
    words = Text(
        f"{cores} コア、使えるメモリ {available / 1e9:.1f} GB", f"{cores} cores, {available / 1e9:.1f} GB available"
    )
    if jobs >= cores:
        return Finding(Level.GOOD, name, words)
    if jobs >= 1:
        advice = Text(f"kenpo report --jobs {jobs} とする", f"use kenpo report --jobs {jobs}")
        return Finding(Level.WARNING, name, words, advice)
    advice = Text("ほかのプログラムを閉じる", "close other programs")
    return Finding(Level.FAULT, name, words, advice)


def check_clock(name: Text, *, last: str | None, now: datetime | None = None) -> Finding:
    """Not before the last report was made. Records are counted, not timed, so a wrong clock spoils only what they say of times.

    Args:
        name: Of the check.
        last: When the last page was finished, as records have it; None if there is none.
        now: The time, if not that of the clock.
    """
    now = now or datetime.now(UTC)
    latest = max(BUILT, datetime.fromisoformat(last)) if last else BUILT
    local = now.astimezone().isoformat(timespec="minutes")
    if now >= latest:
        return Finding(Level.GOOD, name, Text(local, local))
    words = Text(f"{local}（前回の記録より前）", f"{local}, before the last record")
    return Finding(Level.WARNING, name, words, Text("日付と時刻を合わせる", "set date and time"))
