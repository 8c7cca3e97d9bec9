"""What the index repeats of a page: the figures that stand on it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import builders
import pytest
from builders import parse_html

from kenpo_lib import briefing as show
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.kpi_data import KpiDetail, make_detail
from kenpo_lib.briefing.quality_data import Quality, make_quality
from kenpo_lib.briefing.summary import summarise
from kenpo_lib.catalogue import NATION
from kenpo_lib.store.computed import Computed
from kenpo_lib.store.page_data import read_page
from kenpo_lib.store.wide_data import read_kpi, read_quality

CHECKED = {"observations": {"checks": 9, "ok": 5, "critical": 1, "warning": 2, "error": 1}}
VERDICT = {"passed": False, "summary": CHECKED, "checks": [], "critical": [], "warnings": [], "pending": []}


@pytest.fixture(scope="module")
def computed(tables, catalogue, comparison, nation) -> Computed:
    return Computed(tables, catalogue, comparison, nation, VERDICT)


def open_kpi(computed: Computed, kpi_id: str) -> KpiDetail:
    kpi = computed.catalogue.kpis[kpi_id]
    data = read_kpi(computed, kpi, fiscal_year=2024)
    return make_detail(Briefing(data.as_page(2024), computed.catalogue, NATION, 2024, "ja", "x"), kpi, data)


def open_quality(computed: Computed) -> Quality:
    data = read_quality(computed)
    return make_quality(Briefing(data.as_page(), computed.catalogue, NATION, 2024, "ja", "x"), data)


@pytest.fixture(scope="module")
def open_branch(tables, catalogue, comparison, nation):
    def open_page(code: str) -> Briefing:
        return builders.briefing(tables, catalogue, comparison, nation, branch_code=code, fiscal_year=2024)

    return open_page


@pytest.mark.parametrize("code", ["00", "04", "13", "47"])
def test_counts_of_a_branch_are_those_of_its_conclusion_and_table(open_branch, code: str):
    briefing = open_branch(code)
    conclusion, table = parse_html(show.show_conclusion(briefing)), parse_html(show.show_kpi_table(briefing))

    summary = summarise(briefing)

    boxes = [int(box.text) for box in conclusion.select(".tally dd")]
    assert list(summary["targets"].values()) == boxes
    assert bool(boxes) == (code != "47")
    better, worse = summary["prior"]["better"], summary["prior"]["worse"]
    assert f"前年度から改善{better}、悪化{worse}" in conclusion.text
    shown = {word: len(table.select(f'td[data-label="全国"] .diff.{word}')) for word in ("better", "worse", "same")}
    assert summary["nation"] == (shown if code != NATION else {})


def test_notes_of_a_branch_are_those_of_its_header(computed: Computed):
    about = {"branch_code": "04", "kpi_id": "visit_rate", "definition": "10m", "fiscal_year": 2024}
    noted = replace(computed, verdict=VERDICT | {"warnings": [about, about | {"fiscal_year": 2023}]})
    page = read_page(noted, noted.catalogue, branch_code="04", fiscal_year=2024)
    briefing = Briefing(page, noted.catalogue, "04", 2024, "ja", "")

    assert summarise(briefing)["notes"] == 2
    assert "（注意2件）" in show.show_header(briefing)


def test_counts_of_a_kpi_are_those_of_its_sentences(computed: Computed):
    few, full = open_kpi(computed, "checkup_rate_insured"), open_kpi(computed, "specific_checkup_rate")

    said, counts = "".join(map(str, show.show_kpi_conclusion(few))), summarise(few)["targets"]
    assert f"支部の目標が分かるのは{sum(counts.values())}支部" in said
    assert all(
        f"{word}{counts[name]}（" in said for name, word in (("not_met", "未達"), ("cannot_tell", "判定できない"))
    )
    assert summarise(few)["prior"] == {}  # of fewer than ten branches nothing is said
    assert f"この指標に関わる注意{summarise(few)['notes']}件" in show.show_kpi_header(few)
    changes = summarise(full)["prior"]
    assert f"改善したのは{changes['better']}支部" in show.show_kpi_conclusion(full)
    assert sum(changes.values()) == 47
    assert summarise(full)["targets"] == {}


def test_counts_of_the_data_are_those_of_its_conclusion(computed: Computed):
    quality = open_quality(computed)
    page = parse_html(show.show_quality_conclusion(quality))

    summary = summarise(quality)

    assert summary["checks"] == {"ok": 5, "warning": 2, "stopping": 2}
    assert sorted(summary["checks"].values()) == sorted(int(box.text) for box in page.select(".tally dd"))
    assert f"出典によって値が異なるのは{summary['notes']}件" in page.text


def test_sentinel_says_what_the_page_is_about_and_what_it_counts(computed: Computed, open_branch, tmp_path: Path):
    path = tmp_path / "sentinel.json"
    about = {"branch": "00", "fiscal_year": 2024, "inputs": "x"}
    for page, subject in (
        (open_kpi(computed, "visit_rate"), about | {"kpi": "visit_rate"}),
        (open_quality(computed), about),
        (open_branch("04"), about | {"branch": "04", "inputs": ""}),
    ):
        show.write_sentinel(page, str(path))

        assert json.loads(path.read_text(encoding="utf-8")) == subject | summarise(page)


def test_by_hand_there_is_no_sentinel(open_branch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    show.write_sentinel(open_branch("04"), "")

    assert list(tmp_path.iterdir()) == []
