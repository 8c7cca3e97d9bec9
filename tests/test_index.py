"""The index: a row a page with what that counts, by type of page; failures first; the same bytes from the same records."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from batches import FakeMaker, copy_project, make_batch, run_kenpo
from bs4 import BeautifulSoup, Tag

from kenpo_lib.batch.index import write_index
from kenpo_lib.batch.job import Job
from kenpo_lib.batch.paths import Folder, Paths
from kenpo_lib.batch.record import read_json, write_record
from kenpo_lib.batch.run import Batch, run_batch
from kenpo_lib.batch.work import Cause, Failure, Request, Result
from kenpo_lib.catalogue import NATION, Catalogue, load_catalogue
from kenpo_lib.language import Text
from kenpo_lib.page import MAX_PAGE_BYTES, check_page

pytestmark = pytest.mark.xdist_group("report")
CATALOGUE = load_catalogue()
# What pages of these subjects count; the others count nothing, as those made before there were counts.
SUMMARIES = {
    NATION: {"targets": {"met": 5, "not_met": 6, "cannot_tell": 10}, "nation": {}, "prior": {}, "notes": 2},
    "04": {
        "targets": {"met": 11, "not_met": 9, "cannot_tell": 0},
        "nation": {"better": 7, "worse": 4, "same": 1},
        "prior": {"better": 12, "worse": 8, "same": 3},
        "notes": 1,
    },
    "visit_rate": {"targets": {}, "prior": {"higher": 24, "lower": 22}, "notes": 0},
    "quality": {"checks": {"ok": 118, "warning": 1, "stopping": 0}, "notes": 3},
}
KPIS = ("generic_share", "visit_rate", "checkup_rate_insured")


def subject_of(job: Job) -> str:
    return job.kpi_id or ("quality" if "quality" in job.file else job.branch_code)


class Counting(FakeMaker):
    """Makes pages that count something, but those that fail."""

    def __init__(self, batch: Batch, failing: Iterable[str]):
        super().__init__(batch)
        self._failing = frozenset(failing)

    def run(self, requests: Iterable[Request]) -> Iterable[Result]:
        for result in super().run(requests):
            subject = subject_of(result.request.job)
            if subject in self._failing:
                failure = Failure(Cause.DATA, Text("<理由>", "<reason>"), 2, "1 / 0")
                yield Result(result.request, failure=failure)
            else:
                yield replace(result, sentinel=result.sentinel | SUMMARIES.get(subject, {}))


def make(paths: Paths, *branches: str, failing: Iterable[str] = (), **options: Any) -> Batch:
    batch = make_batch(paths, branches, **options)
    run_batch(batch, lambda work, total: nullcontext(Counting(batch, failing)))
    return batch


@pytest.fixture
def project(published: Paths, tmp_path: Path) -> Paths:
    return copy_project(published, tmp_path / "project")


@pytest.fixture(scope="module")
def made(published: Paths, tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """Pages of every type, all finished on one day."""
    paths = copy_project(published, tmp_path_factory.mktemp("index") / "project")
    batch = make(paths, "47", "04", "13", overview=True, kpis=KPIS, quality=True)
    for job in batch.jobs:
        stamp(Folder(paths.reports / "2024").manifest(job), finished="2025-03-31T16:30:00.000+00:00")
    write(paths)
    return paths


def stamp(path: Path, **changes: Any) -> None:
    """Let a record say something else, with a digest that fits."""
    content = read_json(path)
    del content["recordDigest"]
    write_record(path, content | changes)


def write(paths: Paths, *, lang: str = "ja", catalogue: Catalogue = CATALOGUE) -> None:
    write_index(paths.reports, catalogue, lang=lang, templates=paths.templates)


def read(paths: Paths, name: str = "index.html") -> BeautifulSoup:
    html = (paths.reports / name).read_text(encoding="utf-8")
    assert check_page(html) == []
    return BeautifulSoup(html, "html.parser")


def find_row(page: BeautifulSoup, file: str) -> Tag:
    return page.find("a", href=f"2024/{file}").find_parent("tr")


def cells_of(row: Tag) -> dict[str, str]:
    return {cell["data-label"]: cell.get_text() for cell in row.find_all("td")}


def test_pages_stand_under_their_type_in_the_order_of_codes_and_of_the_catalogue(made: Paths):
    page = read(made)

    assert [heading.text for heading in page.find_all(["h2", "h3"])] == [
        *("令和6年度（2024年度）", "全国概況", "支部", "指標", "データの品質")
    ]
    files = [[link["href"] for link in table.select("th a")] for table in page.find_all("table")]
    kpis = [kpi_id for kpi_id in CATALOGUE.kpis if kpi_id in KPIS]
    assert files == [
        ["2024/kenpo_00_national_FY2024.html"],
        [f"2024/kenpo_{name}_FY2024.html" for name in ("04_miyagi", "13_tokyo", "47_okinawa")],
        [f"2024/kenpo_kpi_{kpi_id}_FY2024.html" for kpi_id in kpis],
        ["2024/kenpo_quality_FY2024.html"],
    ]
    assert [link.text for link in page.select("nav a")] == ["全国概況 1", "支部 3", "指標 3", "データの品質 1"]


def test_row_says_what_its_page_counts_when_it_was_made_and_how_large_it_is(made: Paths):
    page = read(made)
    size = (made.reports / "2024" / "kenpo_04_miyagi_FY2024.html").stat().st_size

    assert cells_of(find_row(page, "kenpo_04_miyagi_FY2024.html")) == {
        "地域": "東北",
        "目標": "達成 11 未達 9 判定できない 0",
        "全国と比べて": "良い 7 悪い 4 同じ 1",
        "前年度から": "改善 12 悪化 8 同じ 3",
        "注意": "1",
        "作成日": "2025-04-01",  # in Japan
        "大きさ": f"{size / 1000:.0f} kB",
    }
    assert cells_of(find_row(page, "kenpo_00_national_FY2024.html"))["目標"] == "達成 5 未達 6 判定できない 10"
    kpi = cells_of(find_row(page, "kenpo_kpi_visit_rate_FY2024.html"))
    assert (kpi["分野"], kpi["支部の目標"], kpi["前年度から"]) == ("重症化予防", "–", "上昇 24 低下 22")
    quality = cells_of(find_row(page, "kenpo_quality_FY2024.html"))
    assert (quality["検査"], quality["食い違い"]) == ("合格 118 注意 1 公表を止める 0", "3")


def test_what_a_page_does_not_count_is_a_dash_and_never_zero(made: Paths):
    row = cells_of(find_row(read(made), "kenpo_47_okinawa_FY2024.html"))

    assert {row[name] for name in ("目標", "全国と比べて", "前年度から", "注意")} == {"–"}


def test_row_holds_every_word_that_its_page_is_searched_by(made: Paths):
    page = read(made)

    branch = find_row(page, "kenpo_04_miyagi_FY2024.html").text
    kpi = find_row(page, "kenpo_kpi_visit_rate_FY2024.html").text
    assert all(word in branch for word in ("04", "宮城支部", "ミヤギ", "Miyagi", "東北"))
    entry = CATALOGUE.kpis["visit_rate"]
    assert all(word in kpi for word in (entry.name.ja, entry.short_name.ja, "visit_rate", "重症化予防"))


def test_english_index_lists_english_pages_in_english(project: Paths):
    make(project, "04", overview=True, kpis=["visit_rate"], quality=True, lang="en")
    page = read(project, "index_en.html")

    assert cells_of(find_row(page, "kenpo_04_miyagi_FY2024_en.html"))["Against the nation"] == "better 7 worse 4 same 1"
    assert "宮城 ミヤギ" in find_row(page, "kenpo_04_miyagi_FY2024_en.html").text
    text = page.get_text().replace("宮城 ミヤギ", "").replace("全国 ゼンコク", "")
    assert text.isascii() or not [sign for sign in text if "\u3040" <= sign <= "\u9fff"]
    assert not (project.reports / "index.html").exists()


# --- failures -------------------------------------------------------------------------------------------------------


def test_page_that_could_not_be_made_has_a_row_with_the_cause_and_is_named_at_the_top(project: Paths):
    make(project, "04", "13", kpis=["visit_rate"], failing=["13", "visit_rate"])
    page = read(project)
    links = {"2024/errors/kenpo_13_tokyo_FY2024.html", "2024/errors/kenpo_kpi_visit_rate_FY2024.html"}

    first = page.select_one("section > p")
    assert first.text.startswith("最後に作れなかったもの 2件: 13 東京支部、")
    assert {link["href"] for link in first.find_all("a")} == links
    for cell in page.select("td.failed"):
        assert "失敗 <理由> 詳細" in cell.text
        assert cell.a["href"] in links
        assert (project.reports / cell.a["href"]).is_file()
        assert sum(int(each.get("colspan", 1)) for each in cell.parent.find_all(["th", "td"])) == len(
            cell.find_parent("table").select("thead th")
        )
    assert page.find("a", href="2024/kenpo_13_tokyo_FY2024.html") is None


def test_former_page_stays_linked_and_the_failed_renewal_stands_below_it(project: Paths):
    make(project, "04", "13")
    make(project, "04", failing=["04"], force=True)
    row = find_row(read(project), "kenpo_04_miyagi_FY2024.html")

    assert cells_of(row)["目標"] == "達成 11 未達 9 判定できない 0"
    assert "上は前回のもの。更新に失敗 <理由>" in row.find_next_sibling("tr").text
    # and is gone with the failure
    make(project, "04")
    assert not read(project).select("td.failed, section > p strong")


def test_error_page_says_what_could_not_be_made(project: Paths):
    make(project, kpis=["visit_rate"], quality=True, failing=["visit_rate", "quality"])

    for file, name in (("kpi_visit_rate", CATALOGUE.kpis["visit_rate"].name.ja), ("quality", "データの品質")):
        html = (project.reports / "2024" / "errors" / f"kenpo_{file}_FY2024.html").read_text(encoding="utf-8")
        assert check_page(html) == []
        assert f"<h1>{name} 令和6年度（2024年度） のレポートは作れませんでした</h1>" in html


# --- odd records ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "summary",
    [
        {},
        {"targets": None, "nation": 3, "prior": ["x"], "notes": "2"},
        {"targets": {"met": "<b>", "not_met": True, "cannot_tell": None}, "notes": -1.5},
    ],
)
def test_summary_of_another_shape_is_a_dash(project: Paths, summary: Mapping[str, Any]):
    (job,) = make(project, "04").jobs
    stamp(Folder(project.reports / "2024").manifest(job), summary=summary)
    write(project)

    row = cells_of(find_row(read(project), job.file))

    assert {row[name] for name in ("目標", "全国と比べて", "前年度から", "注意")} == {"–"}


def test_record_that_was_edited_by_hand_is_not_shown(project: Paths):
    batch = make(project, "04", "13", "47", failing=["13"])
    made, failed, other = batch.jobs
    for path in (batch.folder.manifest(made), batch.folder.error_record(failed)):
        path.write_text(json.dumps(read_json(path) | {"finished": "1999-01-01T00:00:00.000+00:00"}), encoding="utf-8")
    write(project)

    page = read(project)

    assert [link["href"] for link in page.select("table a")] == [f"2024/{other.file}"]


def test_page_whose_kpi_or_branch_is_defined_no_more_is_still_listed(project: Paths):
    make(project, "04", "13", kpis=["visit_rate", "generic_share"])
    write(
        project,
        catalogue=replace(
            CATALOGUE,
            kpis={name: kpi for name, kpi in CATALOGUE.kpis.items() if name != "visit_rate"},
            branches={code: branch for code, branch in CATALOGUE.branches.items() if code != "13"},
        ),
    )
    page = read(project)

    gone = page.find("h3", string="今の定義にないもの").find_next("table")
    assert [link.text for link in gone.select("th a")] == [
        "kenpo_13_tokyo_FY2024.html",
        "kenpo_kpi_visit_rate_FY2024.html",
    ]


def test_index_of_many_years_is_larger_than_a_page_may_be(made: Paths, tmp_path: Path):
    paths = replace(made, reports=tmp_path / "reports")
    for year in range(1800, 2025):
        shutil.copytree(made.reports / "2024", paths.reports / str(year))

    write(paths)

    html = (paths.reports / "index.html").read_text(encoding="utf-8")
    assert len(html.encode()) > MAX_PAGE_BYTES
    assert check_page(html, max_bytes=10 * MAX_PAGE_BYTES) == []
    assert html.index('href="2024/kenpo_04') < html.index('href="1800/kenpo_04')


# --- bytes ----------------------------------------------------------------------------------------------------------


def test_index_is_written_once_for_the_same_records(made: Paths):
    path = made.reports / "index.html"
    before = path.stat().st_mtime_ns, path.read_bytes()
    write(made)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before

    path.unlink()
    write(made)

    assert path.read_bytes() == before[1]


@pytest.mark.slow
def test_index_is_the_same_in_a_process_with_another_hash_seed_and_time_zone(made: Paths):
    path = made.reports / "index.html"
    before = path.read_bytes()
    for seed, zone in (("1", "Asia/Tokyo"), ("2", "America/Los_Angeles")):
        path.unlink()
        # Nothing is to be made; the index is written all the same.
        arguments = ("report", "--fiscal-year", "2024", "--branch", "04", "--only-failed")
        done = run_kenpo(made.reports.parent, *arguments, PYTHONHASHSEED=seed, TZ=zone)

        assert done.returncode == 0, done.stderr
        assert path.read_bytes() == before
