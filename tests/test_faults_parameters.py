"""What a user, or a program, may ask ``kenpo report`` for: rows 1 to 9 of the fault matrix, to the exit code and the files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import builders
import pytest
from batches import hash_pages, list_files
from click.testing import CliRunner, Result

from kenpo_lib.batch.job import Job, Kind, plan_jobs, plan_kpi_jobs
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


def _list_planned(result: Result) -> list[str]:
    assert (result.exit_code, result.stderr) == (0, "")
    return [line.split()[0] for line in result.stdout.splitlines()]


def test_branches_mean_the_overview_too_and_kpis_and_quality_come_alone(published: Paths):
    branches = ["kenpo_00_national_FY2024.html", "kenpo_04_miyagi_FY2024.html"]
    others = ["kenpo_kpi_visit_rate_FY2024.html", "kenpo_quality_FY2024.html"]
    year, wanted = ("--fiscal-year", "2024"), ("--kpi", "visit_rate", "--quality")

    assert len(_list_planned(_plan(published, *year))) == 48
    assert len(_list_planned(_plan(published, *year, "--branch", "all"))) == 48
    assert _list_planned(_plan(published, *year, *wanted)) == others
    assert _list_planned(_plan(published, *year, "--quality")) == others[1:]
    assert _list_planned(_plan(published, *year, *wanted, "--branch", "04")) == branches + others


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ([], "--branch all --kpi all --quality"),
        (["BRANCH=04", "KPI=visit_rate"], "--branch 04 --kpi visit_rate --quality"),
        (["KPI="], "--branch all --quality"),
    ],
)
def test_make_report_asks_for_every_type_of_page(given: list[str], asked: str):
    command = ["make", "--dry-run", "--no-print-directory", "--old-file=data", "report", *given]
    # `make test` hands its own flags and variables on to the makes below it.
    own = ("MAKE", "MFLAGS", "FISCAL_YEAR", "BRANCH", "KPI")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    done = subprocess.run(command, cwd=builders.ROOT, capture_output=True, text=True, check=True, env=environment)
    shown = done.stdout

    assert shown.split() == f".venv/bin/kenpo report --fiscal-year 2024 {asked}".split()


def test_kpis_come_once_each_in_reading_order_and_all_means_those_with_data(published: Paths, catalogue: Catalogue):
    year = ("--fiscal-year", "2024", "--kpi")
    named = ["kenpo_kpi_visit_rate_FY2024.html", "kenpo_kpi_generic_share_FY2024.html"]

    assert _list_planned(_plan(published, *year, "generic_share, visit_rate,generic_share")) == named
    every = _list_planned(_plan(published, *year, "all"))
    assert every == [name for kpi_id in catalogue.kpis if (name := f"kenpo_kpi_{kpi_id}_FY2024.html") in every]
    assert set(named) < set(every)
    assert "kenpo_kpi_judo_frequent_rate_FY2024.html" not in every
    assert _list_planned(_plan(published, *year, "すべて")) == every


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("visit_rat", "近いもの: visit_rate"),
        *[
            (text, "premium_rate")
            for text in ("", ",", "visit_rate,", "all,visit_rate", "医療機関受診率", "../visit_rate")
        ],
        *[(text, "premium_rate") for text in ("visit rate", "'visit_rate'", "\udcff", "a" * 300)],
    ],
)
def test_kpi_that_is_none_is_refused_and_nothing_is_written(published: Paths, text: str, said: str):
    before = hash_pages(published)

    result = _plan(published, "--fiscal-year", "2024", "--kpi", text)

    _assert_refused(result, said)
    assert hash_pages(published) == before


def test_kpi_without_data_of_the_year_is_answered_with_the_years_that_have_some(published: Paths):
    before = hash_pages(published)
    given = ("report", "--fiscal-year", "2024", "--kpi", "visit_rate,judo_frequent_rate,council_participation_rate")
    result = CliRunner().invoke(cli, ["--project", str(published.reports.parent), *given])

    _assert_refused(result, "judo_frequent_rate: 2018, 2019, 2020, 2023\n", "council_participation_rate: 2019, 2020")
    assert "visit_rate:" not in result.stderr
    assert hash_pages(published) == before


def test_order_that_is_none_is_refused_also_without_an_overview(published: Paths):
    _assert_refused(_plan(published, "--fiscal-year", "2024", "--quality", "--order", "blok"), "block")


def test_no_text_that_a_user_gives_reaches_a_file_name(catalogue: Catalogue):
    """Row 7: names come from the master of branches and from the catalogue of KPIs."""
    for code in catalogue.branch_codes:
        for job in plan_jobs(catalogue, [code], fiscal_year=2024, lang="ja"):
            name = catalogue.branches[job.branch_code].name.en.lower()
            assert job.file == f"kenpo_{job.branch_code}_{name}_FY2024.html"
            assert job.file.isascii()
            assert set("/\\:*?\"<>|' ").isdisjoint(job.file)
    for job in plan_kpi_jobs(catalogue, catalogue.kpis, fiscal_year=2024, lang="ja"):
        assert job.file == f"kenpo_kpi_{job.kpi_id}_FY2024.html"
        assert job.file.isascii()
    for text in ("../visit_rate", "visit_rate.html", "VISIT_RATE", "visit_rate\n"):
        with pytest.raises(InputError, match="kpi"):
            plan_kpi_jobs(catalogue, [text], fiscal_year=2024, lang="ja")
