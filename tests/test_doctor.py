"""The doctor finds what is wrong with a machine, says what to do, leaves nothing behind and asks no other machine."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import builders
import pytest

from kenpo_lib.batch.job import plan_jobs, plan_kpi_jobs
from kenpo_lib.batch.lock import LOCK, lock_folder
from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.doctor import machine, project, software, trial
from kenpo_lib.doctor.findings import MARKS, Finding, Level, run_checks
from kenpo_lib.language import Text

NAME = Text("名", "name")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project without data, in a folder of an odd name."""
    place = tmp_path / "本部 共有"
    for part in ("expectations", "notebooks", "reports/templates"):
        shutil.copytree(builders.ROOT / part, place / part)
    (place / "data" / "raw").mkdir(parents=True)
    for file in ("pyproject.toml", "requirements.lock"):
        shutil.copy(builders.ROOT / file, place)
    return place


def run_doctor(place: Path, prologue: str = "", **variables: str) -> subprocess.CompletedProcess[bytes]:
    program = f"{prologue}\nfrom kenpo_lib.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "--project", str(place), "doctor"],
        capture_output=True,
        timeout=300,
        env=os.environ | {"KENPO_LANG": "ja", "PYTHONUTF8": "1"} | variables,
        check=False,
    )


def list_files(place: Path) -> list[Path]:
    return sorted(place.rglob("*"))


# --- the command ----------------------------------------------------------------------------------------------------

WATCH = (
    "import sys\n"
    "def watch(event, arguments):\n"
    "    if event == 'socket.connect' and isinstance(arguments[1], tuple) or event == 'socket.getaddrinfo':\n"
    "        sys.stderr.write(f'NETWORK {arguments}')\n"
    "sys.addaudithook(watch)\n"
)


@pytest.mark.slow
def test_a_good_machine_is_called_ready_on_any_console_without_a_trace_or_a_connection(folder: Path):
    before = list_files(folder)

    done = run_doctor(folder, WATCH, PYTHONIOENCODING="cp932", PYTHONUTF8="0")

    lines = done.stdout.decode("cp932").splitlines()
    assert (done.returncode, done.stderr) == (0, b""), lines
    assert len([line for line in lines if "→" not in line]) == 12
    assert {line.split()[0] for line in lines} <= {"○", "・", "△", "→"}
    assert "?" not in "".join(lines)
    assert list_files(folder) == before


@pytest.mark.slow
def test_faults_have_advice_and_exit_code_2(folder: Path):
    shutil.rmtree(folder / "reports")
    (folder / "reports").write_text("a file where the folder should be")

    done = run_doctor(folder, KENPO_LANG="en")

    text = done.stdout.decode()
    assert done.returncode == 2
    assert text.isascii()
    assert "FAULT  writing: reports/ cannot be written" in text
    assert "FAULT  project: missing: reports/templates/kenpo" in text
    assert "-> check the folder's permissions" in text
    assert b"faults." in done.stderr
    assert b"Traceback" not in done.stderr


def test_marks_can_be_shown_by_a_cp932_console():
    for mark in MARKS.values():
        assert mark.ja.encode("cp932")
        assert mark.en.isascii()


def test_a_check_that_breaks_is_a_fault_and_the_others_go_on():
    def broken() -> Finding:
        raise ImportError("no polars\nsecond line")

    findings = list(run_checks([(NAME, broken), (NAME, lambda: Finding(Level.GOOD, NAME, NAME))]))

    assert [finding.level for finding in findings] == [Level.FAULT, Level.GOOD]
    assert next(findings[0].lines("en")) == "FAULT  name: cannot be checked: ImportError: no polars"


def test_writing_is_tried_under_the_longest_name_that_a_batch_writes(folder: Path, monkeypatch: pytest.MonkeyPatch):
    written: list[str] = []
    monkeypatch.setattr(project, "write_atomically", lambda path, content: written.append(path.name))

    assert project.check_writing(NAME, folder).level is Level.GOOD

    catalogue = load_catalogue()
    asked = {"fiscal_year": 2024, "lang": "en"}
    jobs = [*plan_jobs(catalogue, catalogue.branch_codes, **asked), *plan_kpi_jobs(catalogue, catalogue.kpis, **asked)]
    assert {len(name) for name in written} == {max(len(f"{job.stem}.manifest.json") for job in jobs)}


# --- software -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "level"), [((3, 10, 9), Level.FAULT), ((3, 11, 0), Level.GOOD)])
def test_an_old_python_is_a_fault(version: tuple[int, ...], level: Level):
    assert software.check_python(NAME, version=version).level is level


@pytest.mark.parametrize(
    ("change", "level", "said"),
    [
        ({}, Level.GOOD, "requirements.lock"),
        ({"polars": None}, Level.FAULT, "polars"),
        ({"great-expectations": "1.25.0"}, Level.FAULT, "great-expectations 1.25.0 (>=1.24,<1.25)"),
        ({"polars": "1.9.9"}, Level.FAULT, "polars 1.9.9"),
        ({"polars": "99.0"}, Level.WARNING, "polars 99.0"),
        ({"playwright": None}, Level.GOOD, ""),
    ],
)
def test_packages_are_compared_with_what_is_asked_for_and_with_the_lock(change: dict, level: Level, said: str):
    locked = {name: min(versions) for name, versions in software.read_lock(builders.ROOT / "requirements.lock").items()}
    installed = {name: version for name, version in (locked | change).items() if version}

    finding = software.check_packages(NAME, builders.ROOT, installed)

    assert finding.level is level
    assert said in finding.words.ja


@pytest.mark.parametrize(
    ("version", "bounds", "holds"),
    [
        ("1.24.1", ">=1.24,<1.25", True),
        ("1.25", ">=1.24,<1.25", False),
        ("3", ">=3.0", True),
        ("3.0.0", ">=3", True),
        ("2.10", ">=2.9", True),
        ("1.9.0.post1", ">=1.9", True),
        ("1.8", "", True),
    ],
)
def test_versions_are_compared_by_number(version: str, bounds: str, holds: bool):
    assert software.is_within(version, bounds) is holds


def test_packages_without_lock_are_no_fault(tmp_path: Path):
    assert software.check_packages(NAME, tmp_path, {}).level is Level.NOTE


def _write_kernel(place: Path, program: str) -> None:
    kernel = place / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {"argv": [program, "-m", "ipykernel_launcher"], "display_name": "x", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))


def test_the_kernel_of_this_python_is_good():
    assert software.check_kernel(NAME).level is Level.GOOD


def test_a_kernel_of_a_python_that_is_gone_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _write_kernel(tmp_path, str(tmp_path / "gone" / "python"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    finding = software.check_kernel(NAME)

    assert finding.level is Level.FAULT
    assert "gone" in finding.words.ja


def test_no_kernel_is_a_fault(monkeypatch: pytest.MonkeyPatch):
    from ipykernel.kernelspec import KernelSpecManager

    def find_none(self: object, name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", find_none)
    finding = software.check_kernel(NAME)

    assert finding.level is Level.FAULT
    assert finding.advice is not None
    assert "ipykernel install" in finding.advice.ja


# --- machine --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("free", "level"), [(10**7, Level.FAULT), (5 * 10**8, Level.WARNING), (10**10, Level.GOOD)])
def test_a_full_disk_is_a_fault(tmp_path: Path, free: int, level: Level):
    assert machine.check_disk(NAME, tmp_path / "not" / "there", free=free).level is level


@pytest.mark.parametrize(
    ("available", "level", "advice"),
    [(8 * 10**9, Level.GOOD, ""), (17 * 10**8, Level.WARNING, "--jobs 2"), (10**9, Level.FAULT, "閉じる")],
)
def test_too_little_memory_is_answered_with_fewer_jobs(available: int, level: Level, advice: str):
    finding = machine.check_memory(NAME, cores=4, available=available)

    assert finding.level is level
    assert advice in (finding.advice.ja if finding.advice else "")


@pytest.mark.parametrize(
    ("year", "last", "level"),
    [
        (1999, None, Level.WARNING),
        (2027, None, Level.GOOD),
        (2027, "2028-01-01T00:00:00.000+00:00", Level.WARNING),
        (2027, "2026-12-31T23:59:59.999+00:00", Level.GOOD),
    ],
)
def test_a_clock_that_went_back_is_noticed(year: int, last: str | None, level: Level):
    assert machine.check_clock(NAME, last=last, now=datetime(year, 1, 1, tzinfo=UTC)).level is level


# --- project --------------------------------------------------------------------------------------------------------


def test_odd_folder_names_are_fine_and_said_so(folder: Path):
    before = list_files(folder)

    finding = project.check_writing(NAME, folder)

    assert finding.level is Level.GOOD
    assert "日本語、空白" in finding.words.ja
    assert list_files(folder) == before


def test_long_paths_are_a_warning_on_windows_alone(tmp_path: Path):
    deep = tmp_path / ("x" * 120) / ("y" * 60)
    deep.mkdir(parents=True)

    assert project.check_writing(NAME, deep, is_windows=True).level is Level.WARNING
    assert project.check_writing(NAME, deep, is_windows=False).level is Level.GOOD
    assert list(deep.iterdir()) == []


@pytest.mark.parametrize("operation", ["fsync", "replace"])
def test_a_folder_that_cannot_be_written_is_a_fault_and_nothing_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch, operation: str
):
    from kenpo_lib import files

    def refuse(change, *arguments, **options):
        if change.__name__ == operation:
            raise PermissionError(13, "no")
        return change(*arguments, **options)

    before = list_files(folder)
    monkeypatch.setattr(files, "_change", refuse)
    finding = project.check_writing(NAME, folder)

    assert (finding.level, "権限がありません" in finding.words.ja) == (Level.FAULT, True)
    assert list_files(folder) == before


@pytest.mark.parametrize("part", ["expectations", "notebooks/20_branch_profile.ipynb", "reports/templates"])
def test_a_missing_part_is_named(folder: Path, part: str):
    assert project.check_folders(NAME, folder).level is Level.GOOD
    shutil.rmtree(folder / part) if (folder / part).is_dir() else (folder / part).unlink()

    finding = project.check_folders(NAME, folder)

    assert finding.level is Level.FAULT
    assert part in finding.words.ja


def _write_lock(place: Path, **holder: object) -> None:
    (place / "reports" / LOCK).write_text(json.dumps(holder))


def test_locks_of_the_living_the_dead_and_of_other_machines_are_told_apart(folder: Path):
    assert project.check_lock(NAME, folder).level is Level.GOOD
    with lock_folder(folder / "reports"):
        living = project.check_lock(NAME, folder)
    _write_lock(folder, host=platform.node(), pid=2**30, started="2024-04-01")
    dead = project.check_lock(NAME, folder)
    _write_lock(folder, host="elsewhere", pid=1, started="2024-04-01")
    foreign = project.check_lock(NAME, folder)

    assert (living.level, f"プロセス {os.getpid()}" in living.words.ja) == (Level.NOTE, True)
    assert (dead.level, "引き継ぐ" in dead.words.ja) == (Level.NOTE, True)
    assert (foreign.level, "elsewhere" in foreign.words.ja) == (Level.FAULT, True)


def test_data_that_are_not_there_are_no_fault(folder: Path):
    finding = project.check_data(NAME, folder)

    assert finding.level is Level.NOTE
    assert finding.advice is not None
    assert "kenpo curate" in finding.advice.ja


# --- trial ----------------------------------------------------------------------------------------------------------


def test_missing_fonts_are_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert trial.check_fonts(NAME).level is Level.GOOD
    monkeypatch.setattr("kenpo_lib.charts.drawing.FONT_DIR", tmp_path)

    finding = trial.check_fonts(NAME)

    assert finding.level is Level.FAULT
    assert finding.advice is not None
    assert "BIZUDPGothic-Bold.ttf" in finding.advice.ja


def test_processes_that_do_not_start_are_a_fault(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse() -> None:
        raise OSError(12, "no memory")

    monkeypatch.setattr("multiprocessing.forkserver.ensure_running", refuse)
    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", lambda process: refuse())
    finding = trial.check_processes(NAME, folder / "reports" / "templates")

    assert finding.level is Level.FAULT
    assert finding.advice is not None
