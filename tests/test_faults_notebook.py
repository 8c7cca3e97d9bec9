"""A notebook that hangs with all it started, processes that do not start, outputs that are no HTML: rows 42, 45 and 61."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
import pytest
from batches import FINISH, copy_project, hash_pages, list_files, make_batch, run_local
from click.testing import CliRunner
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from kenpo_lib.batch.explain import describe_error
from kenpo_lib.batch.listing import render_listing
from kenpo_lib.batch.page_writer import PageWriter
from kenpo_lib.batch.paths import Paths
from kenpo_lib.batch.template import read_templates
from kenpo_lib.batch.work import Cause, Limits, PageFailedError
from kenpo_lib.cli import cli
from kenpo_lib.page import MAX_PAGE_BYTES, check_page
from kenpo_lib.tables import Html

pytestmark = pytest.mark.xdist_group("faults")

# --- that never end -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_notebook_that_hangs_is_ended_with_all_that_it_started(published: Paths, tmp_path: Path):
    """Row 42. The C library is called since Python's own ways to start something are refused."""
    pids = tmp_path / "pids"
    pids.mkdir()
    cell = (
        "import ctypes, os, time\n"
        "library = ctypes.CDLL(None)\n"
        "library.fork()\n"
        f"library.creat(os.fsencode('{pids}/' + str(os.getpid())), 0o644)\n"
        "time.sleep(600)"
    )
    batch = make_batch(copy_project(published, tmp_path / "project", cell), ["04"])

    (outcome,) = run_local(batch, limits=Limits(cell_seconds=3))

    assert outcome.failure.cause is Cause.TIMEOUT
    started = [int(path.name) for path in pids.iterdir()]
    assert len(started) == 4  # two attempts, two processes each
    assert [pid for pid in started if _is_alive(pid)] == []


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# --- that do not start ----------------------------------------------------------------------------------------------


def _refuse(*_: object) -> None:
    raise OSError(errno.EAGAIN, "Resource temporarily unavailable")


_end_at_once = "".format  # takes any arguments; a function of this module would make new processes import it
FAILURES: dict[str, tuple[str, Callable]] = {
    "no fork server": ("multiprocessing.forkserver.ensure_running", _refuse),
    "no process": ("multiprocessing.process.BaseProcess.start", _refuse),
    "writers die": ("kenpo_lib.batch.pool._serve_pages", _end_at_once),
    "notebooks die": ("kenpo_lib.batch.pool._run_cells", _end_at_once),
}


@pytest.mark.slow
@pytest.mark.parametrize(("place", "stand_in"), FAILURES.values(), ids=FAILURES)
def test_processes_that_do_not_start_stop_the_command_with_a_hint(
    published: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, stand_in: Callable
):
    """Row 45."""
    paths = copy_project(published, tmp_path / "project")
    monkeypatch.setattr(place, stand_in)
    given = ("--project", str(tmp_path / "project"), "report", "--fiscal-year", "2024", "--branch", "04", "--jobs", "1")

    result = CliRunner().invoke(cli, given)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "作業プロセスを起動できません" in result.stderr
    assert "kenpo doctor" in result.stderr
    assert hash_pages(paths) == {}
    assert set(list_files(paths.reports)) <= {"2024"}


# --- outputs --------------------------------------------------------------------------------------------------------

ACTIVE = "<p>本文</p><img src=x onerror=alert(1)><script>alert(1)</script>"


def _write(published: Paths, *cells: NotebookNode) -> str:
    heading = _code({"text/html": "<h1>見出し</h1>"})
    notebook = nbformat.v4.new_notebook(cells=[heading, *cells])
    return PageWriter(read_templates(published.templates)).write(notebook, [], lang="ja", title="kenpo")


def _code(data: dict[str, str]) -> NotebookNode:
    return nbformat.v4.new_code_cell("x", outputs=[nbformat.v4.new_output("display_data", data=data)])


@pytest.mark.parametrize("kind", ["text/markdown", "application/javascript", "image/svg+xml", "text/latex"])
def test_output_that_is_no_html_fails_its_page(published: Paths, kind: str):
    """Row 61: also beside plain text, as IPython's ``Markdown`` and ``Javascript`` give it."""
    for data in ({kind: ACTIVE}, {kind: ACTIVE, "text/plain": "x"}):
        with pytest.raises(PageFailedError) as caught:
            _write(published, _code(data))

        assert caught.value.failure.cause is Cause.PAGE
        assert "想定外の出力" in caught.value.failure.reason.ja


def test_of_an_output_in_several_forms_the_sanitised_html_is_shown(published: Paths):
    """Row 61."""
    page = _write(
        published, _code({"text/html": ACTIVE, "application/javascript": "alert(2)", "text/markdown": ACTIVE})
    )

    assert "<p>本文</p>" in page
    assert "alert" not in page
    assert "onerror" not in page
    assert check_page(page) == []


def test_markdown_of_a_notebook_is_not_part_of_its_page(published: Paths):
    """Row 61: raw HTML in it included."""
    page = _write(published, nbformat.v4.new_markdown_cell(ACTIVE), nbformat.v4.new_raw_cell(ACTIVE))

    assert page == _write(published)


@pytest.mark.parametrize(
    ("html", "cause"),
    [
        ("<h1>二</h1>", Cause.PAGE),
        ("<a href='#nowhere'>本文</a>", Cause.PAGE),
        ("<p>" + "x" * MAX_PAGE_BYTES + "</p>", Cause.TOO_LARGE),
    ],
    ids=["two headings", "broken link", "too large"],
)
def test_page_that_fails_its_check_is_given_to_nobody(published: Paths, html: str, cause: Cause):
    """Of a notebook, and of those that no notebook makes."""
    with pytest.raises(PageFailedError) as caught:
        _write(published, _code({"text/html": html}))
    assert caught.value.failure.cause is cause

    with pytest.raises(PageFailedError):
        render_listing(Html(f"<h1>一</h1>{html}"), templates=published.templates, lang="ja", title="kenpo")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("bad figure\n[1, 2, 3]", "bad figure"),
        ("no file /srv/taro/x.csv or 'C:\\My files\\y.csv'", "no file x.csv or 'y.csv'"),
        ("y" * 300, "y" * 200),
    ],
    ids=["rows", "folders", "length"],
)
def test_reason_is_the_first_line_without_folders_and_not_long(message: str, shown: str):
    """Row 40."""
    given = {"cell_index": 2, "exec_count": 3, "source": "", "traceback": []}

    failure = describe_error(PapermillExecutionError(**given, ename="InputError", evalue=message))

    assert failure.reason.en == f"cell 2 of the notebook failed: {shown}"


@pytest.mark.slow
def test_output_that_no_notebook_can_hold_fails_its_page(published: Paths, tmp_path: Path):
    """Row 61: also where the HTML beside it could be shown."""
    cell = "display({'text/html': '<p>本文</p>', 'text/plain': 5}, raw=True)"
    batch = make_batch(copy_project(published, tmp_path / "project", cell, FINISH), ["04"])

    (outcome,) = run_local(batch)

    assert outcome.failure.cause is Cause.INCOMPLETE
    assert "ValidationError" in outcome.failure.reason.en
    assert not list((batch.paths.reports / "2024").glob("*.html"))
