"""``kenpo`` in the Windows build of Python, under Wine, on a Japanese system: ``make test-windows``. Rows 49 to 51, 53, 54 and 80.

Wine is not Windows: it knows no limit of 260 characters, no virus scanner and no logoff. But file sharing, names of paths, code
pages, locks and spawned processes are those of the Windows build here, and nowhere else in the tests.
"""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import builders
import pytest
from batches import list_files
from published import copy_parts

from kenpo_lib.batch.paths import Paths

RUN = builders.ROOT / "tools" / "windows" / "run.sh"
WINDOWS = builders.ROOT / ".windows"
# It starts a process with next to no environment, which Wine cannot do without.
NOT_THERE = "--deselect=tests/test_validate.py::test_validation_needs_no_network_writes_nothing_and_says_nothing"
KENPO = ("-c", "from kenpo_lib.cli import main; main()")
REPORT = ("report", "--fiscal-year", "2024", "--branch", "13")
PAGE, OVERVIEW = "2024/kenpo_13_tokyo_FY2024.html", "2024/kenpo_00_national_FY2024.html"
CONSOLE = "cp932"
# Files of tests that concern the system, and pass on any.
ALSO_THERE = (
    *("test_briefing.py", "test_catalogue.py", "test_compare.py", "test_curate.py", "test_files.py", "test_guard.py"),
    *("test_normalise.py", "test_parameters.py", "test_store.py", "test_validate.py"),
)


def name(path: Path | str) -> str:
    """A path as Windows has it."""
    return "Z:" + str(path).replace("/", "\\")


def start(*arguments: str, before: Sequence[str] = (), **options: object) -> subprocess.Popen[bytes]:
    """Start the Windows Python, by the command ``before`` if there is one; what it says comes through pipes unless told otherwise."""
    python = str(WINDOWS / "python" / "python.exe")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = os.environ | {"KENPO_LANG": "ja", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen([*before, str(RUN), "wine", python, *arguments], env=environment, **(pipes | options))


def run(*arguments: str, **options: object) -> tuple[int, str]:
    """Run it to its end: exit code, and all that it said."""
    process = start(*arguments, **options)
    out, err = process.communicate(timeout=600)
    return process.returncode, (out + err).decode(CONSOLE)


def run_kenpo(project: Path | str, *arguments: str) -> tuple[int, str]:
    folder = name(project) if isinstance(project, Path) else project
    return run(*KENPO, "--project", folder, *arguments)


@contextmanager
def holding(code: str) -> Iterator[None]:
    """A Windows process that has run this code and goes on."""
    process = start("-c", f"{code}\nprint('ready', flush=True)\ninput()")
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"ready", process.communicate()[1].decode(CONSOLE)
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module", autouse=True)
def _services() -> Iterator[None]:
    """Wine's services, started before any test: they keep open what the process that starts them has open."""
    if not (WINDOWS / ".ready").exists():
        pytest.fail("tools/windows/install.sh puts Windows' Python there")
    nothing = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([str(RUN), "wineserver", "-p"], check=False, **nothing)
    subprocess.run([str(RUN), "wine", "wineboot"], check=True, **nothing)
    yield
    subprocess.run([str(RUN), "wineserver", "-k"], check=False, **nothing)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """A project in an odd place, with tables and pages made there by Windows."""
    folder = copy_parts(tmp_path_factory.mktemp("windows") / "本部　共有 (支部)'s")
    for command in (("curate",), ("validate",), REPORT):
        code, said = run_kenpo(folder, *command)
        assert code == 0, said
    return Paths.of_project(folder)


def copy(project: Paths, folder: Path) -> Paths:
    shutil.copytree(project.reports.parent, folder)
    return Paths.of_project(folder)


def list_left_behind(paths: Paths) -> list[str]:
    """What a batch takes away again: temporary files, the work of notebooks, the lock."""
    return [file for file in list_files(paths.reports) if any(part in file for part in (".tmp", ".runs", ".lock"))]


def test_tables_and_pages_are_the_same_bytes(project: Paths, published: Paths):
    tables = sorted(path.name for path in published.curated.iterdir() if path.is_file())
    assert tables
    for table in tables:
        assert (project.curated / table).read_bytes() == (published.curated / table).read_bytes(), table
    for page in (PAGE, OVERVIEW):
        assert (project.reports / page).read_bytes() == (published.reports / page).read_bytes(), page


def test_nothing_is_made_again_and_everything_is_found_good(project: Paths):
    code, said = run_kenpo(project.reports.parent, *REPORT)
    assert (code, "変わりなし 2 件" in said) == (0, True), said

    code, said = run_kenpo(project.reports.parent, "verify")
    assert code == 0, said


def test_page_that_is_held_open_fails_after_some_patience_and_stays(project: Paths, tmp_path: Path):
    """Row 53, with a file that another program has open as programs have on Windows."""
    paths = copy(project, tmp_path / "project")
    former = (paths.reports / PAGE).read_bytes()

    with holding(f"held = open({name(paths.reports / PAGE)!r})"):
        code, said = run_kenpo(paths.reports.parent, *REPORT, "--force")

    assert (code, "ほかのプログラムがファイルを開いています" in said) == (1, True), said
    assert (paths.reports / PAGE).read_bytes() == former
    assert list_left_behind(paths) == []
    # and when it is closed
    code, said = run_kenpo(paths.reports.parent, *REPORT)
    assert code == 0, said
    assert not (paths.reports / "2024" / "errors").exists()


def test_second_command_is_refused_and_a_dead_one_is_no_obstacle(project: Paths, tmp_path: Path):
    """Rows 49 and 51."""
    paths = copy(project, tmp_path / "project")
    lock = "from kenpo_lib.batch.lock import lock_folder; from pathlib import Path"
    taken = f"{lock}; held = lock_folder(Path({name(paths.reports)!r})); held.__enter__()"

    with holding(taken):
        code, said = run_kenpo(paths.reports.parent, *REPORT)
    assert (code, "別の kenpo report が実行中です" in said) == (2, True), said

    code, said = run_kenpo(paths.reports.parent, *REPORT)
    assert (code, "変わりなし 2 件" in said) == (0, True), said


def list_workers() -> list[int]:
    """Processes that a Windows Python has spawned."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes()
            if b"python.exe" in command and b"spawn_main(" in command:
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def await_workers(*, some: bool) -> list[int]:
    give_up = time.monotonic() + 90
    while bool(workers := list_workers()) is not some and time.monotonic() < give_up:
        time.sleep(0.2)
    return workers


def test_processes_end_with_the_command_that_is_killed(project: Paths, tmp_path: Path):
    """Row 51: nobody is left, and the same command goes on."""
    paths = copy(project, tmp_path / "project")
    process = start(*KENPO, "--project", name(paths.reports.parent), *REPORT, "--force")
    assert await_workers(some=True)
    process.kill()
    process.communicate()

    assert await_workers(some=False) == []
    code, said = run_kenpo(paths.reports.parent, *REPORT)
    assert code == 0, said
    assert list_left_behind(paths) == []


def test_ctrl_c_in_a_console_ends_in_order(project: Paths, tmp_path: Path):
    """Row 50, typed into a console."""
    paths = copy(project, tmp_path / "project")
    ours, console = pty.openpty()
    command = (*KENPO, "--project", name(paths.reports.parent), *REPORT, "--force")
    # `setsid` makes the console the process's own, as one that is typed into is.
    process = start(*command, before=("setsid", "--ctty"), **dict.fromkeys(("stdin", "stdout", "stderr"), console))
    os.close(console)
    assert await_workers(some=True)

    said, give_up = b"", time.monotonic() + 60
    with suppress(OSError):  # the other end is closed
        while time.monotonic() < give_up:
            os.write(ours, b"\x03")  # again and again, as a person does: while processes start it is not heard
            while select.select([ours], [], [], 1.0)[0] and (more := os.read(ours, 10_000)):
                said += more

    assert process.wait(10) == 130, said
    os.close(ours)
    assert "同じコマンドで続きから" in said.decode("utf-8", "replace")  # Wine's console writes UTF-8 to ours
    assert await_workers(some=False) == []
    assert list_left_behind(paths) == []
    code, said = run_kenpo(paths.reports.parent, *REPORT)
    assert code == 0, said


def test_program_without_a_console_makes_the_same_pages(project: Paths, tmp_path: Path):
    """What ``pythonw`` starts has nothing to read from or to write to, and neither have its processes."""
    paths = copy(project, tmp_path / "project")
    launcher = name(Path(__file__).with_name("without_console.py"))

    # The command line is one text on Windows; it would end in what is quoted.
    (tmp_path / "start.py").write_text("from kenpo_lib.cli import main\nmain()\n", encoding="utf-8")
    folder = name(paths.reports.parent)
    code, said = run(launcher, name(tmp_path / "start.py"), "--project", folder, *REPORT, "--force")

    assert (code, said) == (0, "")
    for page in (PAGE, OVERVIEW):
        assert (paths.reports / page).read_bytes() == (project.reports / page).read_bytes(), page
    assert list_left_behind(paths) == []


def test_share_of_another_machine(project: Paths, tmp_path: Path):
    """Row 54: a path that begins with the name of a server."""
    paths = copy(project, tmp_path / "project")
    server = WINDOWS / "prefix" / "dosdevices" / "unc" / "fileserver"
    server.mkdir(parents=True, exist_ok=True)
    (server / "共有").unlink(missing_ok=True)
    (server / "共有").symlink_to(tmp_path)
    try:
        code, said = run_kenpo(r"\\fileserver\共有\project", *REPORT, "--force")
    finally:
        (server / "共有").unlink()

    assert code == 0, said
    assert (paths.reports / PAGE).read_bytes() == (project.reports / PAGE).read_bytes()


def test_other_tests_pass_there():
    files = [f"tests\\{file}" for file in ALSO_THERE]
    code, said = run("-m", "pytest", "-q", "-p", "no:cacheprovider", NOT_THERE, *files, cwd=builders.ROOT)
    assert code == 0, said
