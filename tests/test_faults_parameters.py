"""What a user, or a program, may ask ``kenpo report`` for: rows 1 to 9 of the fault matrix, to the exit code and the files."""

from __future__ import annotations

from pathlib import Path

import pytest
from batches import hash_pages, list_files
from click.testing import CliRunner, Result

from kenpo_lib.batch.job import Job, Kind, plan_jobs
from kenpo_lib.batch.paths import Paths
from kenpo_lib.catalogue import Catalogue
from kenpo_lib.cli import cli
from kenpo_lib.errors import InputError

pytestmark = pytest.mark.xdist_group("faults")
CANARY = "open('canary', 'w')"


def _plan(paths: Paths, *arguments: str) -> Result:
    """What the command would do: all of it but the making."""
    given = ("--project", str(paths.reports.parent), "report", *arguments, "--plan")
    return CliRunner().invoke(cli, given)


def _plan_branch(paths: Paths, branch: str, year: str = "2024") -> Result:
    return _plan(paths, "--branch", branch, "--fiscal-year", year)


def _assert_refused(result: Result, *words: str) -> None:
    assert (result.exit_code, result.stdout) == (2, "")
    assert isinstance(result.exception, SystemExit), result.exception
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize(
    ("text", "file"),
    [
        pytest.param("1", "kenpo_01_hokkaido_FY2024.html", id="row 1: one digit"),
        pytest.param("１３", "kenpo_13_tokyo_FY2024.html", id="row 1: wide digits"),
        pytest.param("東京", "kenpo_13_tokyo_FY2024.html", id="row 3: name"),
        pytest.param("東京都", "kenpo_13_tokyo_FY2024.html", id="row 3: prefecture"),
        pytest.param("東京支部", "kenpo_13_tokyo_FY2024.html", id="row 3: branch"),
    ],
)
def test_branch_is_understood_and_its_file_is_named(published: Paths, text: str, file: str):
    result = _plan_branch(published, text)

    assert result.exit_code == 0
    assert file in result.stdout


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("13.0", id="row 1: decimals"),
        *[pytest.param(text, id=f"row 2: {text}") for text in ("00", "48", "013", "")],
        *[
            pytest.param(text, id=f"row 6: {text!a}")
            for text in ("'04'", '"04"', "04\n13", "04\x00", "0\u20284", "\udcff", "\u202e04", "'; import os; '")
        ],
        *[
            pytest.param(text, id=f"row 7: {text[:9]}")
            for text in ("../04", "..\\04", "C:\\04", "/etc/passwd", "CON", "a:b", "04.", "4" * 300, "~", "%TEMP%")
        ],
    ],
)
def test_branch_that_is_none_is_refused_and_nothing_is_written(published: Paths, text: str):
    before = list_files(published.reports), hash_pages(published)

    result = _plan_branch(published, text)

    _assert_refused(result, "01 北海道", "47 沖縄")
    assert (list_files(published.reports), hash_pages(published)) == before


def test_misspelt_option_is_answered_with_the_right_one(published: Paths):
    """Row 4."""
    _assert_refused(_plan(published, "--brnch", "04", "--fiscal-year", "2024"), "--brnch", "--branch")


@pytest.mark.parametrize("text", ["R6", "令和６年度", "FY2024", "2024"])
def test_year_is_understood_in_every_spelling(published: Paths, text: str):
    """Row 8."""
    result = _plan_branch(published, "04", text)

    assert result.exit_code == 0
    assert "kenpo_04_miyagi_FY2024.html" in result.stdout


@pytest.mark.parametrize("text", ["R0", "令和100年度", "../2024", "20\n24", "20\x0024", "二〇二四", ""])
def test_year_that_is_none_is_refused(published: Paths, text: str):
    """Rows 6, 7, 8."""
    _assert_refused(_plan_branch(published, "04", text), "年度")


def test_year_without_data_is_answered_with_those_that_have_some(published: Paths):
    """Row 9."""
    _assert_refused(_plan_branch(published, "04", "R30"), "2048年度のデータはありません", "2024")


@pytest.mark.parametrize("name", [f"x = {CANARY}\ny", f"{CANARY}; branch", "sentinel", "__builtins__"])
def test_name_that_is_code_never_becomes_a_job(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    """Row 5: papermill runs a parameter's name as code."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputError, match="パラメータ"):
        Job(Kind.BRANCH, "04", 2024, "ja", "kenpo_04_miyagi_FY2024.html", ((name, "1"),))

    assert list_files(tmp_path) == []


@pytest.mark.parametrize("value", [f"code'\n{CANARY}", "code\x00", "\ud800", "../code", "generic_share\u2028"])
def test_value_that_is_none_never_becomes_a_job(catalogue: Catalogue, value: str):
    """Row 6, through Python."""
    with pytest.raises(InputError, match="order"):
        plan_jobs(catalogue, ["04"], fiscal_year=2024, lang="ja", order=value)


def test_no_text_that_a_user_gives_reaches_a_file_name(catalogue: Catalogue):
    """Row 7: names come from the master of branches."""
    for code in catalogue.branch_codes:
        for job in plan_jobs(catalogue, [code], fiscal_year=2024, lang="ja"):
            name = catalogue.branches[job.branch_code].name.en.lower()
            assert job.file == f"kenpo_{job.branch_code}_{name}_FY2024.html"
            assert job.file.isascii()
            assert set("/\\:*?\"<>|' ").isdisjoint(job.file)
