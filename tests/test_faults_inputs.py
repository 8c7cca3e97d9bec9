"""What a batch is made from changes, is damaged, or is not what it should be: nothing wrong is recorded, and nothing is stuck."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from batches import FakeMaker, copy_project, make_batch, page_of, run_fake, run_local
from published import run_kenpo

from kenpo_lib.batch.job import NOTEBOOKS, Kind
from kenpo_lib.batch.lock import LOCK
from kenpo_lib.batch.paths import Paths
from kenpo_lib.batch.run import Batch, InputsChangedError, Maker, run_batch
from kenpo_lib.batch.template import read_templates
from kenpo_lib.batch.work import Cause
from kenpo_lib.errors import FolderError, InputError
from kenpo_lib.store import open_store

REPORT = ("report", "--fiscal-year", "2024", "--branch", "47")
NOTEBOOK = NOTEBOOKS[Kind.BRANCH]


@pytest.fixture
def project(published: Paths, tmp_path: Path) -> Paths:
    return copy_project(published, tmp_path / "project")


def run_while(batch: Batch, change: Callable[[], None]) -> None:
    """Run a batch whose processes start while something changes."""

    def start(work: Path, total: int) -> AbstractContextManager[Maker]:
        change()
        return nullcontext(FakeMaker(batch))

    run_batch(batch, start)


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_notebook_that_changes_before_the_first_page_is_not_recorded_as_what_made_it(project: Paths):
    # given a page that is not there, of which nothing needs to be compared
    batch = make_batch(project, ["47"])

    # when the notebook is saved again after it was read
    with pytest.raises(InputsChangedError, match=NOTEBOOK):
        run_while(batch, lambda: append(project.notebooks / NOTEBOOK, "\n"))

    # then there is no page that would be taken for one of the new notebook
    assert not page_of(project, batch.jobs[0]).exists()


@pytest.mark.parametrize("name", ["templates", "lock"])
def test_template_or_lock_file_that_changes_meanwhile_has_the_page_made_again(project: Paths, name: str):
    batch = make_batch(project, ["47"])
    path = {"templates": project.templates / "kenpo" / "style.css", "lock": project.lock_file}[name]
    if not path.exists():
        path.write_text("# pinned\n", encoding="utf-8")

    run_while(batch, lambda: append(path, "\n"))

    (decision,) = make_batch(project, ["47"]).decide()
    assert (decision.is_made, decision.reason.en.startswith("changed: ")) == (True, True)


def test_damaged_comparison_stops_one_batch_and_is_computed_anew_by_the_next(project: Paths):
    # given a file of the comparison that is not what was written
    store = open_store(project.curated)
    assert store is not None
    with (store.folder / "rows_000.parquet").open("ab") as file:
        file.write(b"x")

    # when the same command is run twice
    first, second = (run_kenpo(project.reports.parent, *REPORT, "--force") for _ in range(2))

    # then the first stops, and the second has what it needs
    assert (first.returncode, "rows_000.parquet" in first.stderr) == (2, True), first.stderr
    assert second.returncode == 0, second.stderr


def test_notebook_in_another_encoding_is_refused(project: Paths):
    path = project.notebooks / NOTEBOOK
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))

    with pytest.raises(InputError, match=rf"{NOTEBOOK} .*UTF-8.*1 バイト目"):
        run_fake(make_batch(project, ["47"]))
    assert not (project.reports / LOCK).exists()


def test_notebook_without_a_cell_of_parameters_fails_and_says_so(published: Paths, tmp_path: Path):
    paths = copy_project(published, tmp_path / "project", "branch = '47'")
    path = paths.notebooks / NOTEBOOK
    path.write_text(path.read_text(encoding="utf-8").replace('"parameters"', '"others"'), encoding="utf-8")

    (outcome,) = run_local(make_batch(paths, ["47"]))

    assert outcome.failure is not None
    assert (outcome.failure.cause, "parameters" in outcome.failure.reason.ja) == (Cause.INCOMPLETE, True)


def test_missing_template_stops_the_batch_before_anything_is_made(project: Paths):
    (project.templates / "kenpo" / "base.html.j2").unlink()

    with pytest.raises(InputError, match=r"base\.html\.j2"):
        read_templates(project.templates)
    done = run_kenpo(project.reports.parent, *REPORT, "--force")
    assert (done.returncode, "base.html.j2" in done.stderr) == (2, True), done.stderr
    assert not list(project.reports.glob("2024/*.html"))


# --- links ----------------------------------------------------------------------------------------------------------

links = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")


@links
@pytest.mark.parametrize("target", ["elsewhere", "itself"])
def test_link_in_the_place_of_a_page_is_refused_and_not_followed(project: Paths, tmp_path: Path, target: str):
    batch = make_batch(project, ["47"])
    page = project.reports / "2024" / batch.jobs[0].file
    page.parent.mkdir(exist_ok=True)
    other = tmp_path / "other.html"
    other.write_text("mine", encoding="utf-8")
    page.symlink_to(other if target == "elsewhere" else page)

    with pytest.raises(InputError, match=rf"2024/{page.name} .*リンク"):
        run_fake(batch)
    assert other.read_text(encoding="utf-8") == "mine"


@links
def test_link_in_the_place_of_the_lock_is_not_written_through(project: Paths, tmp_path: Path):
    other = tmp_path / "precious"
    other.write_text("mine", encoding="utf-8")
    (project.reports / LOCK).symlink_to(other)

    with pytest.raises(FolderError, match=LOCK):
        run_fake(make_batch(project, ["47"]))
    assert other.read_text(encoding="utf-8") == "mine"
