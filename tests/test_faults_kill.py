"""``kenpo report`` as a real process that is killed, or asked to end: nothing is half there, nobody is left, the same command goes on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from batches import hash_pages, list_files, make_batch, run_fake, with_options
from commands import PAGES, Command, make_small_project, running

from kenpo_lib.batch.lock import LOCK
from kenpo_lib.batch.paths import Paths
from kenpo_lib.batch.plan import Decision
from kenpo_lib.batch.record import read_record
from kenpo_lib.files import TEMPORARY_SUFFIX, sha256_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
YEAR = "2024"
OTHERS = (
    "2024/kenpo_01_hokkaido_FY2024.html",
    "2024/kenpo_01_hokkaido_FY2024.manifest.json",
    "2023/x.html",
    "note.txt",
)


@pytest.fixture
def project(published: Paths, tmp_path: Path) -> Paths:
    """Former pages of all that the command makes, and files that it has no business with."""
    paths = make_small_project(published, tmp_path / "project")
    run_fake(make_batch(paths, ["01"]), "旧")
    _make_former_pages(paths)
    for name in OTHERS[2:]:
        (paths.reports / name).parent.mkdir(exist_ok=True)
        (paths.reports / name).write_text("x", encoding="utf-8")
    return paths


def _make_former_pages(paths: Paths) -> None:
    """Other pages than the command makes, all of which are to be made again."""
    run_fake(with_options(make_batch(paths, ["04", "13", "47"], overview=True), force=True), "旧")
    for path in paths.notebooks.glob("[12]0_*.ipynb"):
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")


def _list_others(paths: Paths) -> list[tuple[str, int]]:
    return [(sha256_of(paths.reports / name), (paths.reports / name).stat().st_mtime_ns) for name in OTHERS]


def _hash_own(paths: Paths) -> dict[str, str]:
    return {name: digest for name, digest in hash_pages(paths).items() if name not in OTHERS}


# --- moments --------------------------------------------------------------------------------------------------------

Moment = tuple[str, Callable[[Paths, Command], Callable[[], bool]], float]


def _at_once(paths: Paths, command: Command) -> Callable[[], bool]:
    return lambda: True


def _when_locked(paths: Paths, command: Command) -> Callable[[], bool]:
    return (paths.reports / LOCK).exists


def _when_notebooks_run(paths: Paths, command: Command) -> Callable[[], bool]:
    return (paths.reports / YEAR / ".runs").exists


def _when_a_page_is_there(paths: Paths, command: Command) -> Callable[[], bool]:
    return lambda: "[1/" in command.said()


def _draw_moments(seed: int) -> list[Moment]:
    """Fifteen moments: most of a run's time is its start, and most of its changes come in a short time after that."""
    dice = random.Random(seed)
    moments = [("starts", _at_once, dice.uniform(0.0, 0.6)) for _ in range(8)]
    moments += [("has the lock", _when_locked, dice.uniform(0.0, 1.0))]
    moments += [("runs notebooks", _when_notebooks_run, dice.uniform(0.0, 0.2)) for _ in range(2)]
    moments += [("has made a page", _when_a_page_is_there, dice.uniform(0.0, 0.03)) for _ in range(PAGES)]
    dice.shuffle(moments)
    return moments


@pytest.fixture(scope="module")
def undisturbed(published: Paths, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages that the command makes when nothing disturbs it."""
    paths = make_small_project(published, tmp_path_factory.mktemp("undisturbed") / "project")
    with running(paths.reports.parent) as command:
        assert command.wait() == 0, command.said()
    return {name: digest for name, digest in hash_pages(paths).items() if name != "index.html"}


@pytest.mark.parametrize("seed", [1, 2])
def test_command_killed_at_fifteen_moments_ends_each_time_as_if_undisturbed(
    project: Paths, undisturbed: dict[str, str], seed: int
):
    """Row 51: SIGKILL at random moments, each followed by the same command, thirty in all."""
    files, others = list_files(project.reports), _list_others(project)
    for what, event, delay in _draw_moments(seed):
        # given former pages that are to be made again
        _make_former_pages(project)
        before = _hash_own(project)
        assert undisturbed.keys() <= before.keys()
        assert not set(undisturbed.values()) & set(before.values())
        # when
        with running(project.reports.parent) as command:
            command.wait_until(event(project, command))
            time.sleep(delay)
            command.process.kill()
            command.wait()
            command.assert_nobody_is_left()
        # then
        for name, digest in _hash_own(project).items():
            assert digest in (before[name], undisturbed.get(name, digest)), (name, what)
        assert all(read_record(path) for path in project.reports.rglob("*.manifest.json"))
        assert _list_others(project) == others
        # and when the same command is left alone
        with running(project.reports.parent) as command:
            assert command.wait() == 0, command.said()
            command.assert_nobody_is_left()
        # then
        assert _hash_own(project).items() >= undisturbed.items(), what
        assert list_files(project.reports) == files
        assert _list_others(project) == others


def test_notebook_that_runs_ends_with_the_command_that_is_killed(published: Paths, tmp_path: Path):
    """Row 51: also where it would say nothing for long."""
    cell = "open('begun', 'w').close()\nimport time\ntime.sleep(600)"
    paths = make_small_project(published, tmp_path / "project", cell)
    with running(paths.reports.parent) as command:
        assert command.wait_until(lambda: any((paths.reports / YEAR).rglob("begun"))), command.said()
        command.process.kill()
        command.wait()
        command.assert_nobody_is_left()


# --- asked to end ---------------------------------------------------------------------------------------------------


def _to_all(command: Command, number: int) -> None:
    """As a console does: to all processes in front of it."""
    os.killpg(command.process.pid, number)


def _to_one(command: Command, number: int) -> None:
    command.process.send_signal(number)


@pytest.mark.parametrize(
    ("number", "send", "event", "delay"),
    [
        pytest.param(signal.SIGINT, _to_all, _when_locked, 0.1, id="Ctrl+C while processes start"),
        pytest.param(signal.SIGINT, _to_all, _when_a_page_is_there, 0.0, id="Ctrl+C later"),
        pytest.param(signal.SIGHUP, _to_all, _when_notebooks_run, 0.0, id="console closed"),
        pytest.param(signal.SIGTERM, _to_one, _when_a_page_is_there, 0.0, id="logoff"),
    ],
)
def test_command_that_is_asked_to_end_tidies_up_and_says_how_to_go_on(
    project: Paths, number: int, send: Callable, event: Callable, delay: float
):
    """Row 50."""
    with running(project.reports.parent) as command:
        assert command.wait_until(event(project, command)), command.said()
        time.sleep(delay)
        send(command, number)
        assert command.wait() == 130
        command.assert_nobody_is_left()

    said = command.said()
    assert said.endswith("中断しました。同じコマンドで続きから作れます。\n")
    assert "Traceback" not in said
    left = list_files(project.reports)
    assert not [name for name in left if name.endswith((TEMPORARY_SUFFIX, LOCK, ".runs"))]
    # What it said it had made is there, and the same command makes the rest.
    decisions = make_batch(project, ["04", "13", "47"], overview=True).decide()
    made = {decision.job.file for decision in decisions if not decision.is_made}
    assert {name for name in made if f"{name} 完成" in said} == {
        name for name in _list_pages(decisions) if name in said
    }
    assert len(made) < PAGES


def _list_pages(decisions: list[Decision]) -> list[str]:
    return [decision.job.file for decision in decisions]
