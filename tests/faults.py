"""Faults for tests: the n-th change of the file system goes wrong; and what must hold afterwards."""

from __future__ import annotations

import errno
import functools
import json
import shutil
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from batches import FakeMaker, copy_project, list_files, make_batch, without_dates

from kenpo_lib import files
from kenpo_lib.batch import digests
from kenpo_lib.batch.lock import LOCK
from kenpo_lib.batch.paths import Paths
from kenpo_lib.batch.record import read_record
from kenpo_lib.batch.run import Batch, Outcome, run_batch
from kenpo_lib.batch.work import Cause, Failure, Request, Result
from kenpo_lib.language import Text
from kenpo_lib.page import check_page

FIRST, SECOND = "04", "13"
# What differs between two runs that make the same pages: times and the number of the run.
_OF_THE_RUN = ("finished", "started", "seconds", "run", "recordDigest")


# --- faults ---------------------------------------------------------------------------------------------------------


@dataclass
class Injector:
    """Stands in for ``files._change``: the ``n``-th change goes wrong, before or after it was made.

    Attributes:
        n: Counted from 1; 0 only counts.
        act: What goes wrong: raises, or ends the process.
        after: The change is made first.
        for_ever: All later changes go wrong too.
        only: Which operations count, by name; all if empty.
    """

    n: int = 0
    act: Callable[[], None] = lambda: None
    after: bool = False
    for_ever: bool = False
    only: frozenset[str] = frozenset()
    count: int = 0
    has_fired: bool = False

    def __call__(self, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if self.only and operation.__name__ not in self.only:
            return operation(*arguments, **options)
        self.count += 1
        fires = bool(self.n) and (self.count == self.n or (self.for_ever and self.count > self.n))
        if fires and not self.after:
            self._fire()
        result = operation(*arguments, **options)
        if fires and self.after:
            self._fire()
        return result

    def _fire(self) -> None:
        self.has_fired = True
        self.act()

    def run(self, action: Callable[[], Any]) -> Any:
        """Do something while this is in force."""
        former, files._change = files._change, self
        try:
            return action()
        finally:
            files._change = former


def fill_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def hold_open() -> None:
    """As Windows does while Edge or Excel shows the file."""
    error = PermissionError(errno.EACCES, "The process cannot access the file because it is being used")
    error.winerror = 32
    raise error


def press_ctrl_c() -> None:
    raise KeyboardInterrupt


def read_library_once() -> pytest.MonkeyPatch:
    """Let batches of this process take the library's digest from the first of them; it does not change meanwhile."""
    patch = pytest.MonkeyPatch()
    for name in ("digest_folder", "list_versions"):
        patch.setattr(digests, name, functools.cache(getattr(digests, name)))
    return patch


# --- a scene in which everything happens that a batch does to files ---------------------------------------------------


class _Maker(FakeMaker):
    """Makes pages but those of some branches."""

    def __init__(self, batch: Batch, text: str, failing: Iterable[str]):
        super().__init__(batch, text)
        self._failing = frozenset(failing)

    def run(self, requests: Iterable[Request]) -> Iterable[Result]:
        for result in super().run(requests):
            failure = Failure(Cause.DATA, Text("理由", "reason"), 2, "1 / 0")
            fails = result.request.job.branch_code in self._failing
            yield Result(result.request, failure=failure) if fails else result


def run_fake(batch: Batch, text: str, failing: Iterable[str] = ()) -> list[Outcome]:
    """A batch without processes, in which the pages of some branches fail."""
    return run_batch(batch, lambda work, total: nullcontext(_Maker(batch, text, failing)))


@dataclass(frozen=True)
class Scene:
    """A project with a page that gets renewed, and one that failed before and is now made, or fails now.

    Attributes:
        batch: The command.
        failing: The branches whose pages fail.
        reports: Its folder of reports.
        before: A copy of what that held before the command.
        undisturbed: A copy of what the command leaves there when nothing disturbs it.
    """

    batch: Batch
    failing: tuple[str, ...]
    reports: Path
    before: Path
    undisturbed: Path

    def command(self) -> list[Outcome]:
        return run_fake(self.batch, "新", self.failing)

    def reset(self) -> None:
        """Back to what was there before."""
        _empty(self.reports)
        shutil.copytree(self.before, self.reports, dirs_exist_ok=True)

    def assert_nothing_is_half_there(self) -> None:
        """P1: under a final name stands what was there before, or all of what the command makes."""
        for path in _list_files(self.reports):
            name = path.relative_to(self.reports)
            content = path.read_bytes()
            if path.name == LOCK or path.suffix == files.TEMPORARY_SUFFIX:
                continue  # neither is a final name
            if path.suffix == ".json":
                assert read_record(path), name
                continue
            known = [folder / name for folder in (self.before, self.undisturbed) if (folder / name).is_file()]
            if content not in [each.read_bytes() for each in known]:
                # An index or error page of a state in between: another one than the two, but whole.
                assert path.name.startswith("index") or path.parent.name == "errors", name
                assert check_page(content.decode("utf-8")) == [], name

    def assert_as_undisturbed(self) -> None:
        """P10: the same files as if nothing had happened, the same bytes but for times and the number of the run."""
        assert list_files(self.reports) == list_files(self.undisturbed)
        for path in _list_files(self.reports):
            other = self.undisturbed / path.relative_to(self.reports)
            if path.suffix == ".json":
                assert _without_times(path) == _without_times(other), path.name
            else:
                assert without_dates(path.read_bytes()) == without_dates(other.read_bytes()), path.name


def set_scene(published: Paths, folder: Path, *, fails: bool = False) -> Scene:
    """Make the project, and copies of what the command finds and of what it leaves."""
    paths = copy_project(published, folder / "project")
    scene = open_scene(folder, fails=fails)
    run_fake(scene.batch, "旧", () if fails else [SECOND])
    notebook = paths.notebooks / "20_branch_profile.ipynb"
    notebook.write_text(
        notebook.read_text(encoding="utf-8") + "\n", encoding="utf-8"
    )  # all pages have to be made again
    _keep(paths.reports, scene.before)
    scene.command()
    _keep(paths.reports, scene.undisturbed)
    return scene


def open_scene(folder: Path, *, fails: bool) -> Scene:
    """The scene that ``set_scene`` made there."""
    paths = Paths.of_project(folder / "project")
    batch = make_batch(paths, [FIRST, SECOND])
    return Scene(batch, (SECOND,) if fails else (), paths.reports, folder / "before", folder / "undisturbed")


def _keep(reports: Path, folder: Path) -> None:
    shutil.copytree(reports, folder, ignore=shutil.ignore_patterns("templates"))


def _empty(reports: Path) -> None:
    for path in reports.iterdir():
        if path.name != "templates":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _list_files(reports: Path) -> list[Path]:
    return [path for path in sorted(reports.rglob("*")) if path.is_file() and "templates" not in path.parts]


def _without_times(path: Path) -> Any:
    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(entry) for name, entry in value.items() if name not in _OF_THE_RUN}
        return value

    content = strip(json.loads(path.read_text(encoding="utf-8")))
    # What became of the pages depends on how many of them the disturbed run had finished.
    return {name: entry for name, entry in content.items() if name != "reports"}
