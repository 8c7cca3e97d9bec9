"""The project's folders: present, writable under the longest name that will be written, not locked; and the state of the data."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path

from kenpo_lib.doctor.findings import Finding, Level
from kenpo_lib.errors import InputError, describe_os_error
from kenpo_lib.files import MANIFEST, make_folder, remove, remove_if_empty, sha256_of, write_atomically
from kenpo_lib.language import Text

PROBE = ".kenpo-doctor"
_NEEDED = ("data/raw", "expectations", "notebooks", "reports/templates/kenpo")
_WINDOWS_LIMIT, _WINDOWS_NEAR = 260, 240
_TEMPORARY = len("..12345678.tmp")  # what writing adds to a name


def check_folders(name: Text, folder: Path) -> Finding:
    """All parts of the project."""
    from kenpo_lib.batch.job import NOTEBOOKS

    parts = [*_NEEDED, *(f"notebooks/{notebook}" for notebook in NOTEBOOKS.values())]
    missing = [part for part in parts if not (folder / part).exists()]
    if not missing:
        return Finding(Level.GOOD, name, Text("すべてある", "all there"))
    listed = ", ".join(missing)
    advice = Text("配布物から戻す（git checkout）", "restore them from the distribution (git checkout)")
    return Finding(Level.FAULT, name, Text(f"{listed} がない", f"missing: {listed}"), advice)


def check_writing(name: Text, folder: Path, *, is_windows: bool = os.name == "nt") -> Finding:
    """Files of the longest name are written, synced and replaced in reports/, as a batch does; nothing of it stays."""
    from kenpo_lib.batch.job import plan_jobs, plan_kpi_jobs
    from kenpo_lib.catalogue import load_catalogue

    catalogue = load_catalogue()
    asked = {"fiscal_year": 2024, "lang": "en"}
    jobs = plan_jobs(catalogue, catalogue.branch_codes, **asked) + plan_kpi_jobs(catalogue, catalogue.kpis, **asked)
    longest = max((f"{job.stem}.manifest.json" for job in jobs), key=len)
    reports = folder / "reports"
    path = reports / PROBE / longest
    length = len(str(path.resolve())) + _TEMPORARY
    had_reports = reports.exists()
    try:
        make_folder(path.parent)
        for content in (b"1", b"2"):  # the second replaces the first
            write_atomically(path, content)
    except OSError as error:
        reason = describe_os_error(error)
        advice = Text(
            "フォルダーの権限を確かめ、中のファイルを開いているプログラムを閉じる。名前が長すぎるときは浅いフォルダーに移す",
            "check the folder's permissions, close programs that hold its files open; if the name is too long, move the project up",
        )
        words = Text(f"reports/ に書き込めない（{reason.ja}）", f"reports/ cannot be written: {reason.en}")
        return Finding(Level.FAULT, name, words, advice)
    finally:
        with suppress(OSError):
            remove(reports / PROBE)
            if not had_reports:
                remove_if_empty(reports)
    odd = _describe_name(str(folder.resolve()))
    words = Text(
        f"書き込みと置き換えができた（最長 {length} 文字{odd.ja}）",
        f"written and replaced ({length} characters{odd.en})",
    )
    if is_windows and length >= _WINDOWS_NEAR:
        advice = Text(
            f"Windowsの上限 {_WINDOWS_LIMIT} 文字に近い。C: の浅いフォルダーに移す",
            f"near Windows' limit of {_WINDOWS_LIMIT}: move the project to a folder near C:",
        )
        return Finding(Level.WARNING, name, words, advice)
    return Finding(Level.GOOD, name, words)


def _describe_name(path: str) -> Text:
    """What makes other programs stumble, and was just tried here."""
    has = [
        (not path.isascii(), Text("、日本語", ", not ASCII")),
        (" " in path or "\u3000" in path, Text("、空白", ", blanks")),
        (path.startswith("\\\\"), Text("、共有フォルダー", ", a share")),
    ]
    found = [words for holds, words in has if holds]
    return Text("".join(words.ja for words in found), "".join(words.en for words in found))


def check_lock(name: Text, folder: Path) -> Finding:
    """Nobody writes reports now; what a dead process left is taken over by the next batch."""
    import psutil

    from kenpo_lib.batch.lock import LOCK
    from kenpo_lib.batch.record import read_json

    path = folder / "reports" / LOCK
    if not path.exists():
        return Finding(Level.GOOD, name, Text("実行中のものはない", "none is running"))
    holder = read_json(path)
    host, pid = holder.get("host"), holder.get("pid")
    if host not in (None, platform.node()):
        words = Text(
            f"別の端末 {host} のもの（{holder.get('started')} 開始）",
            f"of machine {host}, begun {holder.get('started')}",
        )
        advice = Text(
            f"そこで動いていないことを確かめて reports/{LOCK} を消す",
            f"make sure that it does not run there, then delete reports/{LOCK}",
        )
        return Finding(Level.FAULT, name, words, advice)
    if isinstance(pid, int) and psutil.pid_exists(pid):
        return Finding(Level.NOTE, name, Text(f"プロセス {pid} が実行中", f"process {pid} is running"))
    words = Text(
        "途中で終わった実行のもの。次の kenpo report が引き継ぐ", "of one that was killed; the next batch takes over"
    )
    return Finding(Level.NOTE, name, words)


def check_data(name: Text, folder: Path) -> Finding:
    """What `kenpo report` would be made from; information, since other commands renew it."""
    from kenpo_lib.curated import read_manifest
    from kenpo_lib.kept_verdict import read_verdict
    from kenpo_lib.store import open_store

    curated, raw = folder / "data" / "curated", folder / "data" / "raw"
    if not (curated / MANIFEST).is_file():
        return _note(name, Text("まだない", "not there yet"), "kenpo curate")
    try:
        inputs = read_manifest(curated)["inputs"]
    except InputError as error:
        return _note(name, Text(str(error).splitlines()[0], str(error).splitlines()[0]), "kenpo curate")
    changed = [file for file, digest in inputs.items() if not (raw / file).is_file() or sha256_of(raw / file) != digest]
    if changed:
        words = Text(
            f"data/raw がその後に変わった（{len(changed)} 件）", f"data/raw changed since ({len(changed)} files)"
        )
        return _note(name, words, "kenpo curate")
    try:
        verdict = read_verdict(curated)
    except InputError as error:
        return _note(name, Text(str(error).splitlines()[0], str(error).splitlines()[0]), "kenpo validate")
    if not verdict["passed"]:
        return _note(name, Text("検証に重大な不適合がある", "critical findings"), "kenpo validate")
    store = open_store(curated)
    if store is None:
        words = Text(
            "整備・検証ずみ。比較はこれから計算される", "curated and validated; the comparison is yet to be computed"
        )
        return Finding(Level.GOOD, name, words)
    years = f"{store.years[0]}-{store.years[-1]}"
    return Finding(Level.GOOD, name, Text(f"整備・検証ずみ（{years}年度）", f"curated and validated (FY{years})"))


def _note(name: Text, words: Text, command: str) -> Finding:
    return Finding(Level.NOTE, name, words, Text(f"{command} を実行する", f"run: {command}"))


def find_last_time(folder: Path) -> str | None:
    """When the last page was finished, as the manifests of runs have it."""
    from kenpo_lib.batch.record import read_record

    runs = [read_record(path) for path in (folder / "reports").glob("[0-9]*/manifest.json")]
    return max((run["finished"] for run in runs if run), default=None)
