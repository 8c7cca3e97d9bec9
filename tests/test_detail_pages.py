"""The pages of KPIs and of the data's quality as ``kenpo report`` makes them: checked, recorded, listed, and fit for a phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from batches import copy_project, hash_pages, make_batch, page_of, run_kenpo, run_local
from browsing import open_page
from bs4 import BeautifulSoup
from playwright.sync_api import Browser
from published import DETAIL_PAGES

from kenpo_lib.batch.paths import Folder, Paths
from kenpo_lib.batch.record import read_json
from kenpo_lib.batch.verify import State, Verifier
from kenpo_lib.batch.work import Cause
from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.page import check_page

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("report")]
URGENT, FEW, QUALITY = "urgent.html", "few.html", "quality.html"
MAX_BYTES = 300_000


def test_command_makes_the_pages_that_were_asked_for_and_no_others(detailed: Paths):
    found = {path.name for path in (detailed.reports / "2024").glob("*.html")}

    assert found == set(DETAIL_PAGES.values())
    again = run_kenpo(detailed.reports.parent, "report", "--fiscal-year", "2024", "--kpi", "generic_share", "--quality")
    assert "0 件のレポートを作りました（変わりなし 2 件）" in again.stderr


@pytest.mark.parametrize("name", DETAIL_PAGES)
def test_page_passes_the_check_and_is_small(detail_pages: dict[str, Path], name: str):
    assert check_page(detail_pages[name].read_text(encoding="utf-8"), max_bytes=MAX_BYTES) == []


def test_title_says_what_the_page_is_about(detail_pages: dict[str, Path]):
    titles = [re.search("<title>(.*?)</title>", path.read_text(encoding="utf-8"))[1] for path in detail_pages.values()]

    kpis = load_catalogue().kpis
    assert titles == [
        f"kenpo {kpis['urgent_visit_rate'].name.ja} 令和6年度",
        f"kenpo {kpis['generic_share'].name.ja} 令和6年度",
        "kenpo データの品質 令和6年度",
        f"kenpo {kpis['visit_rate'].name.en} FY2024",
    ]


def test_batch_makes_the_same_bytes_again(detailed: Paths, published: Paths, tmp_path: Path):
    other = copy_project(published, tmp_path / "project")

    run_local(make_batch(other, [], kpis=["urgent_visit_rate"], quality=True))

    ours, theirs = hash_pages(detailed), hash_pages(other)
    assert {file: ours[file] for file in theirs if file != "index.html"} == {
        file: digest for file, digest in theirs.items() if file != "index.html"
    }
    assert len(theirs) == 3


def test_pages_are_as_recorded_and_their_records_name_what_they_read(detailed: Paths):
    findings = Verifier(Paths.of_project(detailed.reports.parent), load_catalogue()).verify()

    assert {finding.file: finding.state for finding in findings} == dict.fromkeys(DETAIL_PAGES.values(), State.CURRENT)
    manifest = read_json(detailed.reports / "2024" / "kenpo_kpi_generic_share_FY2024.manifest.json")
    assert manifest["externalParameters"] == {
        **{"kind": "kpi", "branch": "00", "fiscal_year": 2024, "lang": "ja", "kpi": "generic_share"}
    }
    named = {entry["name"].rsplit("/", 1)[-1] for entry in manifest["resolvedDependencies"]}
    assert named >= {"30_kpi_detail.ipynb", "year_2023.parquet", "year_2024.parquet", "facts.json", "nation.parquet"}
    assert not [name for name in named if name.startswith("rows_")]


def test_index_repeats_what_the_pages_say(detailed: Paths, detail_pages: dict[str, Path]):
    index = BeautifulSoup((detailed.reports / "index.html").read_text(encoding="utf-8"), "html.parser")
    rows = {link["href"].removeprefix("2024/"): link.find_parent("tr") for link in index.select("th a")}
    text = {name: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for name, path in detail_pages.items()}

    assert list(rows) == [DETAIL_PAGES[FEW], DETAIL_PAGES[URGENT], DETAIL_PAGES[QUALITY]]
    better, worse, same = re.search(
        "改善したのは([0-9]+)支部、悪化したのは([0-9]+)支部、同じは([0-9]+)支部", text[URGENT].text
    ).groups()
    assert f"改善 {better} 悪化 {worse} 同じ {same}" in rows[DETAIL_PAGES[URGENT]].text
    aimed = re.search("支部の目標が分かるのは([0-9]+)支部", text[FEW].text)[1]
    tally = rows[DETAIL_PAGES[FEW]].find("td", {"data-label": "支部の目標"}).text
    assert sum(map(int, re.findall("[0-9]+", tally))) == int(aimed) > 0
    boxes = {box.dt.text: box.dd.text for box in text[QUALITY].select(".tally .count")}
    for word, count in boxes.items():
        assert f"{word} {count}" in rows[DETAIL_PAGES[QUALITY]].text


def test_page_about_another_kpi_is_not_published(published: Paths, tmp_path: Path):
    paths = copy_project(published, tmp_path / "project")
    notebook = paths.notebooks / "30_kpi_detail.ipynb"
    text = notebook.read_text(encoding="utf-8")
    notebook.write_text(text.replace("kpi=kpi,", "kpi='visit_rate',"), encoding="utf-8")

    (outcome,) = run_local(make_batch(paths, [], kpis=["generic_share"]))

    assert outcome.failure.cause == Cause.INCOMPLETE
    assert "別の支部・指標" in outcome.failure.reason.ja
    assert not page_of(paths, outcome.job).exists()
    assert Folder(paths.reports / "2024").error_page(outcome.job).is_file()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_page_fetches_nothing_and_fits_its_width(
    browser: Browser, detailed: Paths, detail_pages: dict[str, Path], width: int
):
    for path in (*detail_pages.values(), detailed.reports / "index.html"):
        page, requests, _ = open_page(browser, path, width=width)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert requests == []
        page.context.close()
