"""A project of its own with published reports, made once by the command line as a user would make it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import builders
import pytest

from kenpo_lib.batch.paths import Paths

BRANCHES = "04,13,47"
DETAIL_PAGES = {
    "urgent.html": "kenpo_kpi_urgent_visit_rate_FY2024.html",
    "few.html": "kenpo_kpi_generic_share_FY2024.html",
    "quality.html": "kenpo_quality_FY2024.html",
    "english.html": "kenpo_kpi_visit_rate_FY2024_en.html",
}
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


def run_kenpo(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``kenpo`` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from kenpo_lib.cli import main; main()", "--project", str(project), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        env=os.environ | {"KENPO_LANG": "ja", "PYTHONUTF8": "1"} | variables,
        check=False,
    )


def copy_parts(project: Path) -> Path:
    """Copy what a project is made of, with the real figures and without anything that is made from them."""
    for folder in ("data/raw", "notebooks", "expectations", "reports/templates"):
        shutil.copytree(builders.ROOT / folder, project / folder)
    return project


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """Reports of three branches (many KPIs, interim values, few KPIs) and the overview, from copies of the real figures."""
    project = copy_parts(tmp_path_factory.mktemp("project"))
    for arguments in (
        ("curate",),
        ("validate",),
        ("report", "--fiscal-year", "R6", "--branch", BRANCHES, "--jobs", "2"),
    ):
        done = run_kenpo(project, *arguments)
        assert done.returncode == 0, done.stderr
    return Paths.of_project(project)


@pytest.fixture(scope="session")
def detailed(published: Paths, tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """A project with the pages of some KPIs and of the data's quality, made by the command; the English one by a batch in this process."""
    from batches import copy_project, make_batch, run_local  # they need this module

    paths = copy_project(published, tmp_path_factory.mktemp("details") / "project")
    arguments = ("report", "--fiscal-year", "2024", "--kpi", "urgent_visit_rate, generic_share", "--quality")
    done = run_kenpo(paths.reports.parent, *arguments)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "[3/3]" in done.stderr
    run_local(make_batch(paths, [], kpis=["visit_rate"], lang="en"))
    return paths


@pytest.fixture(scope="session")
def detail_pages(detailed: Paths) -> dict[str, Path]:
    """Those pages by the names that tests call them."""
    return {name: detailed.reports / "2024" / file for name, file in DETAIL_PAGES.items()}


@pytest.fixture(scope="session")
def english_reports(published: Paths, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports in English: a page of every type, and the index."""
    from batches import copy_project, make_batch, run_local  # they need this module

    paths = copy_project(published, tmp_path_factory.mktemp("english") / "project")
    run_local(make_batch(paths, ["04"], overview=True, kpis=["urgent_visit_rate"], quality=True, lang="en"))
    return paths.reports


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser; its absence fails in continuous integration and skips elsewhere."""
    found = next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
    if found is None:
        message = "Chromium is not installed (tools/install_test_tools.sh installs it on Debian)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found
