"""Reports end to end: real notebooks on real figures, and what happens when something goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.files import MANIFEST, sha256_of
from kenpo_lib.page import check_page
from kenpo_lib.report import (
    Job,
    Outcome,
    Paths,
    ReportFailedError,
    export_page,
    make_report,
    make_reports,
    plan_jobs,
    render_output,
    write_index,
    write_manifest,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("report")]


@pytest.fixture
def paths(published: Paths, tmp_path: Path) -> Paths:
    """The real curated data and notebooks, with an empty folder for reports."""
    return Paths(published.curated, published.notebooks, published.templates, tmp_path / "reports")


def _with_notebook(paths: Paths, tmp_path: Path, source: str) -> Paths:
    """The same paths, but the branch notebook is one cell of ``source``."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook = nbformat.read(paths.notebooks / "20_branch_profile.ipynb", as_version=4)
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    notebook.cells = [*tagged, nbformat.v4.new_code_cell(source)]
    nbformat.write(notebook, folder / "20_branch_profile.ipynb")
    return Paths(paths.curated, folder, paths.templates, paths.reports)


def _job(code: str = "04", file: str = "kenpo_04_miyagi_FY2024.html") -> Job:
    return Job(code, 2024, "ja", file)


def test_plan_jobs_names_files_from_the_branch_master():
    jobs = plan_jobs(load_catalogue(), ("04", "13"), fiscal_year=2024, lang="ja")

    assert [job.file for job in jobs] == [
        "kenpo_00_national_FY2024.html",
        "kenpo_04_miyagi_FY2024.html",
        "kenpo_13_tokyo_FY2024.html",
    ]


def test_published_reports_pass_the_page_check_and_say_whose_they_are(published: Paths):
    names = {"04": "宮城支部", "13": "東京支部", "47": "沖縄支部", "00": "全国概況"}
    for code, name in names.items():
        (file,) = (published.reports / "2024").glob(f"kenpo_{code}_*.html")
        html = file.read_text(encoding="utf-8")

        assert check_page(html) == []
        assert f"<h1>{name}" in html
        assert file.stat().st_size < 1_000_000


def test_make_report_gives_the_same_bytes_again(published: Paths, paths: Paths):
    first = published.reports / "2024" / "kenpo_47_okinawa_FY2024.html"

    outcome = make_report(_job("47", first.name), paths)

    assert outcome.ok, outcome.reason
    assert outcome.sha256 == sha256_of(first)
    assert [path.name for path in (paths.reports / "2024").iterdir()] == [first.name]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise ValueError('bad figure')", "ValueError: bad figure"),
        ("import os; os._exit(1)", "DeadKernelError"),
        ("import sys; sys.exit(0)", ""),
        ("1 + 1", "最後まで実行されませんでした"),
        ("print('stray')", ""),
    ],
)
def test_make_report_keeps_the_former_file_when_the_notebook_fails(
    paths: Paths, tmp_path: Path, source: str, said: str
):
    broken = _with_notebook(paths, tmp_path, source)
    final = paths.reports / "2024" / _job().file
    final.parent.mkdir(parents=True)
    final.write_text("former", encoding="utf-8")

    outcome = make_report(_job(), broken)

    assert not outcome.ok
    assert said in (outcome.reason or "")
    assert final.read_text(encoding="utf-8") == "former"
    assert [path.name for path in final.parent.iterdir()] == [final.name], "work folders are gone"


def test_make_report_refuses_a_notebook_that_handled_another_branch(paths: Paths, tmp_path: Path):
    forged = json.dumps({"branch": "13", "fiscal_year": 2024, "inputs": sha256_of(paths.curated / MANIFEST)})
    broken = _with_notebook(paths, tmp_path, f"open(sentinel, 'w').write({forged!r});")

    outcome = make_report(_job(), broken)

    assert not outcome.ok
    assert "別の支部" in (outcome.reason or "")


def test_one_failing_branch_leaves_the_others_and_is_marked_in_the_index(paths: Paths, tmp_path: Path):
    source = (
        "import json\nassert branch != '13', 'no figures for 13'\n"
        "from kenpo_lib import briefing as show\n"
        "b = show.open_briefing(curated_dir, branch=branch, fiscal_year=fiscal_year)\n"
        "show.write_sentinel(b, sentinel)\nshow.show_header(b)"
    )
    partly = _with_notebook(paths, tmp_path, source)
    jobs = plan_jobs(load_catalogue(), ("12", "13"), fiscal_year=2024, lang="ja")[1:]

    outcomes = make_reports(jobs, partly, workers=2)
    write_manifest(outcomes, partly, fiscal_year=2024)
    write_index(partly, load_catalogue(), lang="ja")

    assert [outcome.ok for outcome in outcomes] == [True, False]
    assert (partly.reports / "2024" / "kenpo_12_chiba_FY2024.html").is_file()
    assert not (partly.reports / "2024" / "kenpo_13_tokyo_FY2024.html").exists()
    index = (partly.reports / "index.html").read_text(encoding="utf-8")
    assert check_page(index) == []
    assert 'href="2024/kenpo_12_chiba_FY2024.html"' in index
    assert "失敗" in index
    assert "no figures for 13" in index


def test_manifest_keeps_a_good_report_whose_renewal_failed(paths: Paths):
    folder = paths.reports / "2024"
    folder.mkdir(parents=True)
    (folder / "a.html").write_text("good", encoding="utf-8")
    write_manifest([Outcome("04", "ja", "a.html", ok=True, bytes=4, sha256="x")], paths, fiscal_year=2024)

    write_manifest([Outcome("04", "ja", "a.html", ok=False, reason="broke")], paths, fiscal_year=2024)

    entry = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["reports"]["a.html"]
    assert entry["ok"] is True
    assert entry["last_failure"] == "broke"


def test_render_output_refuses_text_and_errors():
    stream = nbformat.v4.new_output("stream", name="stdout", text="hello")

    with pytest.raises(ReportFailedError, match="stdout"):
        render_output(stream)


def test_export_page_sanitises_every_output(paths: Paths):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell("x"), nbformat.v4.new_markdown_cell("<script>alert(1)</script>")]
    html = '<h1>見出し</h1><script>alert(1)</script><img src=x onerror=alert(1)><p onclick="x()">本文</p>'
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", data={"text/html": html})]

    page = export_page(notebook, paths.templates, lang="ja", title="</title><script>alert(1)</script>")

    assert check_page(page) == []
    assert "<p>本文</p>" in page
