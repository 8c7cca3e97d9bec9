"""The batch end to end: real notebooks on real figures, what is made again and why, and what happens when one page fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import batches
import nbformat
import papermill
import polars as pl
import pytest
from batches import (
    FINISH,
    FakeMaker,
    copy_project,
    list_files,
    make_batch,
    page_of,
    run_fake,
    run_local,
    with_options,
    write_cells,
)
from click.testing import CliRunner
from faults import press_ctrl_c
from libraries import COMMAND, LIBRARY, copy_library, run_with
from published import BRANCHES, run_kenpo

from kenpo_lib.batch.paths import Folder, Paths
from kenpo_lib.batch.record import is_recorded, read_json
from kenpo_lib.batch.run import InputsChangedError, Outcome, run_batch
from kenpo_lib.batch.template import read_templates
from kenpo_lib.batch.work import Cause, Limits, Result
from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.cli import cli
from kenpo_lib.curated import read_tables, write_tables
from kenpo_lib.files import sha256_of
from kenpo_lib.page import check_page

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("report")]
NAMES = {"04": "宮城支部", "13": "東京支部", "47": "沖縄支部", "00": "全国概況"}


@pytest.fixture
def project(published: Paths, tmp_path: Path) -> Paths:
    return copy_project(published, tmp_path / "project")


@pytest.mark.parametrize("code", NAMES)
def test_published_page_passes_the_check_and_says_whose_it_is(published: Paths, code: str):
    (file,) = (published.reports / "2024").glob(f"kenpo_{code}_*.html")
    html = file.read_text(encoding="utf-8")

    assert check_page(html) == []
    assert f"<h1>{NAMES[code]}" in html
    assert file.stat().st_size < 1_000_000


def test_batch_makes_the_same_bytes_again(published: Paths, project: Paths):
    outcomes = run_local(make_batch(project, ["47"], overview=True))

    assert [outcome.state for outcome in outcomes] == ["complete", "complete"]
    for outcome in outcomes:
        assert page_of(project, outcome.job).read_bytes() == page_of(published, outcome.job).read_bytes()


def test_spawned_processes_make_the_same_pages_and_touch_no_home(published: Paths, project: Paths, tmp_path: Path):
    """What Windows has: each process imports for itself, and finds nothing that another has prepared."""
    home = tmp_path / "home"
    home.mkdir()
    variables = {"KENPO_START_METHOD": "spawn", "HOME": str(home), "USERPROFILE": str(home)}

    done = run_kenpo(project.reports.parent, "report", "--fiscal-year", "2024", "--branch", "13", **variables)

    assert done.returncode == 0, done.stderr
    pages = list(project.reports.glob("2024/*.html"))
    assert len(pages) == 2
    for path in pages:
        assert path.read_bytes() == (published.reports / "2024" / path.name).read_bytes()
    assert list_files(home) == []


def test_batch_leaves_nothing_but_pages_and_records(project: Paths):
    run_local(make_batch(project, ["47"]))

    assert list_files(project.reports) == [
        "2024",
        "2024/kenpo_47_okinawa_FY2024.html",
        "2024/kenpo_47_okinawa_FY2024.manifest.json",
        "2024/manifest.json",
        "index.html",
    ]


def test_plain_papermill_gives_the_same_figures_as_the_batch(project: Paths, tmp_path: Path):
    """By hand in JupyterLab, with ``papermill -p``, and in a batch: one notebook, the same outputs."""
    run_local(make_batch(project, ["47"]))
    page = (project.reports / "2024" / "kenpo_47_okinawa_FY2024.html").read_text(encoding="utf-8")

    by_hand = papermill.execute_notebook(
        str(project.notebooks / "20_branch_profile.ipynb"),
        str(tmp_path / "out.ipynb"),
        parameters={"branch": "47", "fiscal_year": 2024, "curated_dir": str(project.curated)},
        progress_bar=False,
    )

    from kenpo_lib.batch.page_writer import PageWriter

    writer = PageWriter(read_templates(project.templates))
    (title,) = {job.title for job in make_batch(project, ["47"]).jobs}
    assert writer.write(by_hand, [], lang="ja", title=title) == page


# --- one failing page -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "cause", "said"),
    [
        ("raise ValueError('bad /srv/' + 'taro/x.csv\\n' + str([*range(3)]))", Cause.DATA, "ValueError: bad x.csv"),
        ("1 +", Cause.DATA, "SyntaxError"),
        ("input()", Cause.DATA, "3番目のセル"),
        ("import sys; sys.exit(0)", Cause.INCOMPLETE, "実行されなかったセル"),
        ("import sys; sys.exit(1)", Cause.DATA, "SystemExit"),
        ("raise KeyboardInterrupt", Cause.DATA, "KeyboardInterrupt"),
        ("import os; os._exit(3)", Cause.CRASH, "終了コード 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", Cause.CRASH, "SIGKILL"),
        ("while True: pass", Cause.TIMEOUT, "4秒"),
        ("x = b'x' * 700_000_000\nimport time; time.sleep(60)", Cause.MEMORY, "メモリの上限"),
        ("print('x' * 6_000_000)", Cause.TOO_LARGE, "上限"),
        ("for n in range(2000): display({'text/html': 'y' * 4000}, raw=True)", Cause.TOO_LARGE, "上限"),
        ("display({'image/png': 'x' * 50_000_000}, raw=True)", Cause.TOO_LARGE, "上限"),
        ("print('stray')", Cause.PAGE, "stdout"),
        ("from IPython.display import Javascript; Javascript('window.canary = 1')", Cause.PAGE, "想定外の出力"),
        ("open('/tmp/kenpo-canary', 'w').write('x');", Cause.FORBIDDEN, "許されない操作"),
        ("try:\n    open('../x', 'w')\nexcept OSError:\n    pass", Cause.FORBIDDEN, "許されない操作"),
        ("import os; os.chdir('/')", Cause.FORBIDDEN, "許されない操作"),
        ("import socket; socket.create_connection(('127.0.0.1', 9))", Cause.FORBIDDEN, "許されない操作"),
        ("import subprocess; subprocess.run(['true'])", Cause.FORBIDDEN, "許されない操作"),
        (
            "import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
            Cause.FORBIDDEN,
            "スレッド",
        ),
        # native code, which no hook of Python sees
        ("import polars; polars.DataFrame({'a': [1]}).write_csv(curated_dir + '/x.csv')", Cause.FORBIDDEN, "x.csv"),
        (
            "import polars; polars.DataFrame({'a': [1]}).write_csv(curated_dir + '/../../reports/templates/kenpo/x.css')",
            Cause.FORBIDDEN,
            "x.css",
        ),
    ],
)
def test_failing_notebook_leaves_the_former_page_and_an_error_page(
    published: Paths, tmp_path: Path, cell: str, cause: Cause, said: str
):
    # given a good page of an earlier run, and a notebook that goes wrong
    paths = copy_project(published, tmp_path / "project", "from IPython.display import display", cell, FINISH)
    batch = make_batch(paths, ["04"])
    (job,) = batch.jobs
    run_fake(batch)
    former = page_of(paths, job).read_bytes()
    # when
    limits = Limits(cell_seconds=4, memory_bytes=700_000_000)
    (outcome,) = run_local(with_options(batch, force=True), limits=limits)
    # then
    assert outcome.failure is not None
    assert outcome.failure.cause == cause
    assert said in outcome.failure.reason.ja
    assert outcome.attempt == (2 if cause in (Cause.CRASH, Cause.TIMEOUT, Cause.MEMORY) else 1)
    assert page_of(paths, job).read_bytes() == former
    folder = Folder(paths.reports / "2024")
    assert check_page(folder.error_page(job).read_text(encoding="utf-8")) == []
    for path in (folder.error_page(job), folder.error_record(job), paths.reports / "index.html"):
        text = path.read_text(encoding="utf-8")
        assert said in text
        assert "[0, 1, 2]" not in text, "no rows of data"
        assert "/srv/taro" not in text, "no folders"
    assert not list(paths.reports.rglob("*.tmp"))
    assert not Path("/tmp/kenpo-canary").exists()


def test_notebook_without_sentinel_or_about_another_branch_is_not_published(published: Paths, tmp_path: Path):
    paths = copy_project(published, tmp_path / "project", "x = 1 + 1")
    (outcome,) = run_local(make_batch(paths, ["04"]))
    assert outcome.failure.cause == Cause.INCOMPLETE

    write_cells(paths, FINISH.replace("branch=branch", "branch='13'"))
    (outcome,) = run_local(make_batch(paths, ["04"]))
    assert outcome.failure.cause == Cause.INCOMPLETE
    assert "別の支部" in outcome.failure.reason.ja
    assert not page_of(paths, outcome.job).exists()


def _let_say(name: str, **other: str) -> Callable[[Result], Result]:
    """The notebook says something else of that, or nothing."""
    return lambda result: replace(result, sentinel={k: v for k, v in result.sentinel.items() if k != name} | other)


def test_page_is_published_only_if_its_notebook_says_what_it_was_about_as_asked(project: Paths):
    batch = make_batch(project, [], kpis=["visit_rate"])

    for name in ("branch", "fiscal_year", "kpi", "inputs"):
        for other in ({name: "other"}, {}):
            (outcome,) = run_fake(batch, "本文", _let_say(name, **other))
            assert outcome.failure.cause is Cause.INCOMPLETE, (name, other)
            assert not page_of(project, outcome.job).exists()


def test_figures_that_failed_their_checks_are_not_published_however_often_one_asks(project: Paths):
    # given figures with a critical fault, which nobody has checked yet
    tables = read_tables(project.curated)
    is_rate = (pl.col("branch_code") == "04") & pl.col("kpi_id").str.contains("rate")
    spoilt = tables["observations"].with_columns(pl.when(is_rate).then(686.0).otherwise("value").alias("value"))
    write_tables(tables | {"observations": spoilt}, project.curated, inputs={})
    given = ("--project", str(project.reports.parent), "report", "--fiscal-year", "2024", "--branch", "04")
    # when: the first command checks them, the second one finds the verdict
    for _ in range(2):
        done = CliRunner().invoke(cli, given)
        # then
        assert (done.exit_code, done.stdout) == (3, ""), done.stderr
        assert "686" in done.stderr
        assert list_files(project.reports) == []


def test_one_failing_branch_leaves_the_others_and_is_marked_in_the_index(published: Paths, tmp_path: Path):
    # given a notebook that fails for Tokyo alone
    paths = copy_project(published, tmp_path / "project", "assert branch != '13', 'no figures for 13'", FINISH)
    batch = make_batch(paths, ["12", "13", "14"])
    # when
    outcomes = run_local(batch)
    # then
    assert [outcome.state for outcome in outcomes] == ["complete", "failed", "complete"]
    assert page_of(paths, batch.jobs[0]).is_file()
    assert not page_of(paths, batch.jobs[1]).exists()
    index = (paths.reports / "index.html").read_text(encoding="utf-8")
    assert check_page(index) == []
    assert 'href="2024/kenpo_12_chiba_FY2024.html"' in index
    assert 'href="2024/errors/kenpo_13_tokyo_FY2024.html"' in index
    assert "no figures for 13" in index
    # and once the cause is gone, --only-failed makes that one and forgets the failure
    write_cells(paths, FINISH)
    outcomes = run_local(make_batch(paths, ["12", "13", "14"], only_failed=True))
    assert [outcome.state for outcome in outcomes] == ["unchanged", "complete", "unchanged"]
    assert not (paths.reports / "2024" / "errors").exists()


def test_crash_is_tried_once_more_and_the_second_try_counts(published: Paths, tmp_path: Path):
    # given a notebook that dies the first time only: its work folder says which attempt it is
    cell = "import os\nif os.getcwd().endswith('-1'): os._exit(1)"
    paths = copy_project(published, tmp_path / "project", cell, FINISH)

    (outcome,) = run_local(make_batch(paths, ["04"]))

    assert (outcome.state, outcome.attempt) == ("complete", 2)
    manifest = read_json(Folder(paths.reports / "2024").manifest(outcome.job))
    assert manifest["attempt"] == 2


# --- resuming -------------------------------------------------------------------------------------------------------


def test_nothing_is_made_again_unless_something_changed(published: Paths, tmp_path: Path):
    paths = copy_project(published, tmp_path / "project")
    assert {outcome.state for outcome in run_fake(make_batch(paths, ["04", "13"]))} == {"complete"}
    assert {outcome.state for outcome in run_fake(make_batch(paths, ["04", "13"]))} == {"unchanged"}


def test_what_makes_pages_is_not_loaded_where_nothing_changed(published: Paths, tmp_path: Path):
    # given a project whose pages are all made
    project = shutil.copytree(published.reports.parent, tmp_path / "project")
    program = (
        "import sys\nfrom kenpo_lib.cli import cli\n"
        "cli(sys.argv[1:], standalone_mode=False)\n"
        "print(sorted({'polars', 'numpy', 'pandas', 'altair', 'multiprocessing'} & sys.modules.keys()))"
    )
    arguments = ("--project", str(project), "report", "--fiscal-year", "2024", "--branch", BRANCHES)
    # when
    done = run_with(LIBRARY.parent, program, *arguments)
    # then
    assert "変わりなし 4 件" in done.stderr
    assert done.stdout.strip() == "[]"


def _touch_notebook(paths: Paths) -> None:
    path = paths.notebooks / "20_branch_profile.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source += "\n変更"
    nbformat.write(notebook, path)


def _append(path: Path, text: str) -> None:
    path.write_text((path.read_text(encoding="utf-8") if path.exists() else "") + text, encoding="utf-8")


def _touch_suite(paths: Paths) -> None:
    _append(paths.expectations / "targets.json", "\n")
    assert batches.run_kenpo(paths.reports.parent, "validate").returncode == 0


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("ノートブック", _touch_notebook),
        ("テンプレート", lambda paths: _append(paths.templates / "kenpo" / "style.css", "\n/* x */\n")),
        ("検証項目", _touch_suite),
        ("requirements.lock", lambda paths: _append(paths.lock_file, "# x\n")),
        ("記録と違う", lambda paths: _append(paths.reports / "2024" / "kenpo_04_miyagi_FY2024.html", "x")),
        ("まだない", lambda paths: (paths.reports / "2024" / "kenpo_04_miyagi_FY2024.html").unlink()),
        ("まだない", lambda paths: (paths.reports / "2024" / "kenpo_04_miyagi_FY2024.manifest.json").unlink()),
        ("書き換え", lambda paths: _append(paths.reports / "2024" / "kenpo_04_miyagi_FY2024.manifest.json", "}")),
    ],
)
def test_plan_names_what_changed(published: Paths, tmp_path: Path, part: str, change):
    paths = copy_project(published, tmp_path / "project")
    run_fake(make_batch(paths, ["04"]))
    change(paths)

    (decision,) = make_batch(paths, ["04"]).decide()

    assert decision.is_made
    assert part in decision.reason.ja
    assert [outcome.state for outcome in run_fake(make_batch(paths, ["04"]))] == ["complete"]
    assert not make_batch(paths, ["04"]).decide()[0].is_made


@pytest.mark.parametrize(
    ("part", "file"),
    [
        ("ライブラリ", "compare.py"),
        ("KPIの定義", "definitions/caveats.yaml"),
        ("フォント", "fonts/BIZUDPGothic-Bold.ttf"),
    ],
)
def test_plan_names_which_part_of_the_software_changed(published: Paths, tmp_path: Path, part: str, file: str):
    paths = copy_project(published, tmp_path / "project")
    run_fake(make_batch(paths, ["04"], overview=True))
    project = str(paths.reports.parent)
    plan = (COMMAND, "--project", project, "report", "--fiscal-year", "2024", "--branch", "04", "--plan")
    library = copy_library(tmp_path / "library")
    unchanged = run_with(library, *plan)

    changed_file = library / "kenpo_lib" / file
    changed_file.write_bytes(changed_file.read_bytes() + b"\n")
    changed = run_with(library, *plan)

    assert unchanged.stdout.count("そのまま  変わりなし\n") == 2, unchanged.stderr
    assert changed.stdout.count(f"作る  変わった: {part}\n") == 2, changed.stdout + changed.stderr


def test_every_template_and_every_module_counts(project: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # given
    library = copy_library(tmp_path / "library") / "kenpo_lib"
    monkeypatch.setattr("kenpo_lib.batch.digests.LIBRARY", library)
    batch = make_batch(project, ["04"])
    run_fake(batch)
    templates = {project.templates / "kenpo" / name: "テンプレート" for name in read_templates(project.templates)}
    modules = {library / name: "ライブラリ" for name in ("batch/pool.py", "charts/theme.py")}
    for path, part in (templates | modules).items():
        # when
        former = path.read_bytes()
        path.write_bytes(former + b"\n")
        (decision,) = batch.decide()
        path.write_bytes(former)
        # then
        assert decision.reason.ja == f"変わった: {part}", path
    assert not batch.decide()[0].is_made


def test_plan_names_other_versions_of_packages(published: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    paths = copy_project(published, tmp_path / "project")
    run_fake(make_batch(paths, ["04"]))
    monkeypatch.setattr("kenpo_lib.batch.digests.version", lambda name: "0")

    (decision,) = make_batch(paths, ["04"]).decide()

    assert (decision.is_made, decision.reason.ja) == (True, "変わった: インストール済みの版")


def test_force_makes_everything(published: Paths, tmp_path: Path):
    paths = copy_project(published, tmp_path / "project")
    run_fake(make_batch(paths, ["04"]))

    assert [outcome.state for outcome in run_fake(make_batch(paths, ["04"], force=True))] == ["complete"]


@pytest.mark.parametrize("name", ["data/curated/**/*.parquet", "notebooks/20_branch_profile.ipynb"])
def test_changed_input_stops_the_batch_before_anything_is_mixed(project: Paths, name: str):
    # given a batch that has read its inputs
    batch = make_batch(project, ["04", "13"])

    def spoil(outcome: Outcome) -> None:
        for path in batch.project.glob(name):
            path.write_bytes(path.read_bytes() + b" ")

    # when they change after the first page
    with pytest.raises(InputsChangedError, match=f"入力が変わった.*{Path(name).name.lstrip('*')}"):
        run_fake(with_options(batch, on_outcome=spoil))
    # then only that page is there
    assert [page_of(project, job).is_file() for job in batch.jobs] == [True, False]


def test_what_a_killed_batch_left_is_gone_before_pages_are_made(project: Paths):
    # given the work folder of a run that had the same number
    batch = make_batch(project, ["04"])
    (batch.folder.runs / "1" / f"{batch.jobs[0].stem}-1").mkdir(parents=True)

    def start(work: Path, total: int) -> nullcontext:
        assert not work.parent.exists()
        return nullcontext(FakeMaker(batch))

    assert [outcome.state for outcome in run_batch(batch, start)] == ["complete"]


def test_run_that_was_interrupted_is_recorded_by_the_next_although_it_makes_nothing(project: Paths):
    # given a batch that was interrupted when its page was there
    batch = make_batch(project, ["04"])
    run_fake(batch)
    with pytest.raises(KeyboardInterrupt):
        run_fake(with_options(batch, force=True, on_outcome=lambda outcome: press_ctrl_c()))
    assert not is_recorded(batch.folder)
    # when
    (outcome,) = run_fake(batch)
    # then
    assert outcome.state == "unchanged"
    assert is_recorded(batch.folder)


# --- records --------------------------------------------------------------------------------------------------------


def test_manifests_say_what_made_a_page_and_nothing_about_the_machine(project: Paths, tmp_path: Path):
    import getpass
    import platform

    run_local(make_batch(project, ["47"]))
    folder = Folder(project.reports / "2024")
    (page,) = json.loads((folder.path / "kenpo_47_okinawa_FY2024.manifest.json").read_text(encoding="utf-8"))["subject"]
    manifest = read_json(folder.path / "kenpo_47_okinawa_FY2024.manifest.json")
    run = read_json(folder.run_manifest)

    assert page["digest"]["sha256"] == sha256_of(folder.path / page["name"])
    assert manifest["externalParameters"] == {"kind": "branch", "branch": "47", "fiscal_year": 2024, "lang": "ja"}
    named = {entry["name"]: entry["digest"]["sha256"] for entry in manifest["resolvedDependencies"]}
    assert named["notebooks/20_branch_profile.ipynb"] == sha256_of(project.notebooks / "20_branch_profile.ipynb")
    assert any(name.startswith("data/curated/") for name in named)
    assert manifest["versions"]["polars"]
    assert (manifest["outcome"], manifest["attempt"], manifest["run"]) == ("complete", 1, 1)
    assert run["reports"]["kenpo_47_okinawa_FY2024.html"]["outcome"] == "complete"
    text = json.dumps([manifest, run])
    for private in (str(tmp_path), str(Path.home()), platform.node(), f'"{getpass.getuser()}"'):
        assert private not in text


def test_runs_are_counted_even_if_the_clock_goes_back(
    published: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    paths = copy_project(published, tmp_path / "project")
    run_fake(make_batch(paths, ["04"]))
    monkeypatch.setattr("kenpo_lib.batch.run.now", lambda: "1999-12-31T23:59:59+00:00")
    run_fake(make_batch(paths, ["04"], force=True))

    assert read_json(Folder(paths.reports / "2024").run_manifest)["run"] == 2


def test_command_makes_reports_marks_failures_and_resumes(published: Paths, tmp_path: Path):
    paths = copy_project(published, tmp_path / "project", "assert branch != '13', 'no figures for 13'", FINISH)
    arguments = ("report", "--fiscal-year", "令和６年度", "--branch", "１２,東京")

    failed = batches.run_kenpo(paths.reports.parent, *arguments)
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "kenpo_13_tokyo_FY2024.html" in failed.stderr
    assert "[3/3]" in failed.stderr

    write_cells(paths, FINISH)
    plan = batches.run_kenpo(paths.reports.parent, *arguments, "--plan")
    assert plan.returncode == 0
    assert "kenpo_13_tokyo_FY2024.html  作る  前回は失敗" in plan.stdout
    assert "kenpo_00_national_FY2024.html  そのまま" in plan.stdout
    assert batches.run_kenpo(paths.reports.parent, *arguments).returncode == 0
    again = batches.run_kenpo(paths.reports.parent, *arguments)
    assert (again.returncode, again.stdout) == (0, "")
    assert "変わりなし 3 件" in again.stderr


def test_names_of_files_come_from_the_catalogue():
    jobs = batches.plan_jobs(load_catalogue(), ("04", "13"), fiscal_year=2024, lang="en")

    assert [job.file for job in jobs] == [
        "kenpo_00_national_FY2024_en.html",
        "kenpo_04_miyagi_FY2024_en.html",
        "kenpo_13_tokyo_FY2024_en.html",
    ]
