"""What an analyst meets in a notebook shows itself: a small table, in the language of messages, with whatever it holds as text."""

from __future__ import annotations

import dataclasses
import importlib

import builders
import numpy as np
import polars as pl
import pytest

from kenpo_lib.briefing import open_briefing, open_kpi
from kenpo_lib.catalogue import NATION, Catalogue, load_catalogue
from kenpo_lib.compare import compute_comparison, compute_nation
from kenpo_lib.curated import SCHEMAS, Tables, read_tables
from kenpo_lib.files import VERDICT
from kenpo_lib.language import Text
from kenpo_lib.stats._arrays import Interval
from kenpo_lib.stats._showing import WORDS, Shown
from kenpo_lib.stats.funnel import proportion_funnel
from kenpo_lib.stats.incentive import score_year
from kenpo_lib.stats.intervals import proportion_interval
from kenpo_lib.stats.recent_trend import compute_proportion_trend
from kenpo_lib.store import build_store
from kenpo_lib.validate import CheckResult, Outcome, Severity, ValidationReport

NASTY = "</td></table><script>alert(1)</script>&\"'"
CHANGED = {"old": builders.definition("old", last=2021), "new": builders.definition("new", first=2022)}


def show(thing: object):
    """The table of an object as a page would take it: its caption, and the texts of its rows."""
    (table,) = builders.parse_html(thing._repr_html_()).select("table")
    rows = [[cell.text for cell in row.select("td, th")] for row in table.select("tbody tr")]
    assert table.caption.text
    assert table.select("script") == []
    return table.caption.text, rows


def facts(thing: object) -> dict[str, str]:
    return dict(show(thing)[1])


# --- the catalogue ----------------------------------------------------------------------------------------------------


def test_catalogue_lists_its_kpis():
    caption, rows = show(builders.catalogue(builders.kpi(definitions=CHANGED)))

    assert caption == "指標 1、支部 47"
    assert rows == [["rate", "率", "健診", "%", "高いほど良い", "old, new"]]


def test_whole_catalogue_has_a_row_for_every_kpi(catalogue: Catalogue):
    assert [row[0] for row in show(catalogue)[1]] == list(catalogue.kpis)


def test_kpi_says_what_it_is_and_when_which_definition_held():
    shown = facts(builders.kpi(definitions=CHANGED, numerator=Text("受けた人", "seen")))

    assert shown["分子"] == "受けた人"
    assert shown["分母"] == "–"
    assert shown["定義 old"] == "令和3年度まで: 定義"
    assert shown["定義 new"] == "令和4年度から: 定義"


def test_branch_says_its_names(catalogue: Catalogue):
    shown = facts(catalogue.branches["04"])

    assert (shown["branch_code"], shown["英語名"], shown["地域"]) == ("04", "Miyagi", "東北")


def test_english_when_messages_are(monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue):
    monkeypatch.setenv("KENPO_LANG", "en")

    assert show(builders.catalogue(builders.kpi()))[0] == "KPIs 1, branches 47"
    assert facts(catalogue.branches["04"])["Japanese name"] == "宮城"


# --- pages and the store ------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path):
    """A project with one KPI of the catalogue: two branches in one year, a part-way value in the next."""
    series = {"kpi_id": "visit_rate", "definition": "10m"}
    rows = [
        {**series, "fiscal_year": 2023, "value": 30.0},
        {**series, "fiscal_year": 2023, "value": 40.0, "branch_code": "13"},
        {**series, "fiscal_year": 2024, "value": 12.0, "status": "interim", "period": "YTD"},
    ]
    return builders.write_curated(tmp_path, builders.tables(rows))


def test_briefing_says_whose_page_it_is_and_what_is_known(project):
    briefing = open_briefing(project, branch="04", fiscal_year=2024)

    caption, rows = show(briefing)

    assert caption == "宮城 令和6年度（2024年度）"
    assert dict(rows) == {
        **{"branch_code": "04", "指標": "1", "うち確定値あり": "0", "年度途中・公表待ち": "1"},
        **{"指標の名前": "医療機関受診率", "元の表（sha256）": briefing.inputs},
    }


def test_kpi_detail_lists_its_years(project):
    detail = open_kpi(project, kpi="visit_rate", branch=NATION, fiscal_year=2024)

    assert show(detail)[1][0][:3] == ["2023", "10m", "2"]


def test_store_says_where_it_is_and_what_it_was_made_from(project):
    store = build_store(project)

    shown = facts(store)

    assert shown["年度"] == "2023, 2024"
    assert shown["元の表（sha256）"] == store.inputs
    assert shown["ファイル"] == str(len(store.manifest["files"]))


# --- the verdict ------------------------------------------------------------------------------------------------------


def report(*outcomes: tuple[Outcome, Severity], words: str = "値が範囲にある") -> ValidationReport:
    rows = pl.DataFrame({"value": [1.0, 2.0]})
    checks = [
        CheckResult("observations", "expect", "value", Text(words, "in range"), severity, outcome, rows)
        for outcome, severity in outcomes
    ]
    return ValidationReport(tuple(checks), pl.DataFrame(), builders.ROOT, {}, load_catalogue())


def test_verdict_lists_what_failed():
    caption, rows = show(
        report(
            *((Outcome.OK, Severity.CRITICAL), (Outcome.FAIL, Severity.WARNING)),
            *((Outcome.FAIL, Severity.CRITICAL), (Outcome.ERROR, Severity.WARNING)),
        )
    )

    assert caption == "検証: 停止（検査 4、重大・エラー 2、警告 1、検証中の値 0）"
    assert [row[2] for row in rows] == ["警告", "重大", "エラー"]
    assert rows[0] == ["observations", "値が範囲にある", "警告", "2"]


# --- tables -----------------------------------------------------------------------------------------------------------


def test_tables_say_what_there_is(project):
    caption, rows = show(read_tables(project))

    assert [row[0] for row in rows] == list(SCHEMAS)
    assert rows[0] == ["observations", "実績", "3", "15", ", ".join(SCHEMAS["observations"].columns)]
    assert caption.startswith("整備済みの表 8（検証: 合格、検査 ")


def test_tables_say_that_nobody_has_checked_them(project):
    (project / VERDICT).unlink()

    assert "検証の結果がありません" in show(read_tables(project))[0]


def test_tables_that_were_not_read_say_nothing_of_checks(tables: Tables):
    assert show(tables)[0] == "整備済みの表 8"


def test_a_table_more_is_shown_too():
    assert show(Tables({"own": pl.DataFrame({"x": [1]})}))[1] == [["own", "–", "1", "1", "x"]]


# --- results of statistics --------------------------------------------------------------------------------------------

HITS, PEOPLE = [30, 40, 60, 0], [100, 120, 130, 0]


def test_one_interval_is_a_list_of_facts():
    caption, rows = show(proportion_interval(0, 0))

    assert caption == "区間"
    assert rows == [["value 値", "–"], ["lower 下限", "–"], ["upper 上限", "–"], ["reason 理由", "分母が0"]]


def test_intervals_are_a_row_each():
    caption, rows = show(proportion_interval(HITS, PEOPLE, multiplier=100))

    assert caption == "区間"
    assert [row[:2] for row in rows] == [["0", "30"], ["1", "33.333"], ["2", "46.154"], ["3", "–"]]
    assert [row[-1] for row in rows] == ["–", "–", "–", "分母が0"]


def test_funnel_says_what_all_branches_share_once():
    funnel = proportion_funnel(HITS, PEOPLE, multiplier=100)

    caption, rows = show(funnel)

    assert caption.startswith(f"ファンネル（centre 中心 {funnel.centre:.5g}、overdispersion.phi ")
    assert {"限界の内", "–"} <= {row[-1] for row in rows}


def test_trend_shows_years_as_years():
    shown = facts(compute_proportion_trend([2020, 2021, 2022, 2023], [30, 40, 50, 60], [1000] * 4))

    assert (shown["first_year 最初の年度"], shown["points 点の数"]) == ("2020", "4")


def test_long_results_say_how_much_is_left_out():
    caption, rows = show(proportion_interval([1] * 100, [2] * 100))

    assert caption == "区間（ほか 40 行）"
    assert len(rows) == 60


def test_arrays_of_more_dimensions_say_their_shape():
    rates = np.random.default_rng(0).uniform(20, 60, (2, 47, 5))

    caption, rows = show(score_year(rates[0], rates[1], fiscal_year=2024))

    assert "fiscal_year 年度 2024" in caption
    assert "deviation 偏差値 配列 47 × 5 × 3" in caption
    assert len(rows) == 47


def test_results_in_english(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KENPO_LANG", "en")

    assert show(proportion_interval(0, 0)) == (
        "Interval",
        [["value", "–"], ["lower", "–"], ["upper", "–"], ["reason", "zero denominator"]],
    )


def test_every_result_of_the_statistics_shows_itself():
    classes = [
        each
        for path in (builders.ROOT / "kenpo_lib" / "stats").glob("*.py")
        for each in vars(importlib.import_module(f"kenpo_lib.stats.{path.stem}")).values()
        if isinstance(each, type) and dataclasses.is_dataclass(each) and each.__module__.startswith("kenpo_lib.stats")
    ]

    # the rules of a year, and a step on the way to a score, are no results
    assert {each.__name__ for each in classes if not issubclass(each, Shown)} == {"Scheme", "IndicatorScore"}
    shown = [each for each in classes if issubclass(each, Shown)]
    names = {(each.__name__, field.name, field.type) for each in shown for field in dataclasses.fields(each)}
    named = {name for name, _, _ in names} | {
        field for _, field, kind in names if kind not in {"Scheme", "Limits", *WORDS}
    }
    assert named - set(WORDS) == set()


# --- whatever they hold -----------------------------------------------------------------------------------------------


def test_hostile_text_is_shown_as_text(tmp_path, catalogue: Catalogue):
    text = Text(NASTY, NASTY)
    kpi = builders.kpi(name=text, short_name=text, numerator=text)
    branch = dataclasses.replace(catalogue.branches["04"], name=text, kana=NASTY, block=text, aliases=(NASTY,))
    spoilt = dataclasses.replace(builders.catalogue(kpi), branches={**catalogue.branches, "04": branch})
    tables = builders.tables([{"value": 1.0}])
    page = builders.briefing(
        tables,
        spoilt,
        compute_comparison(tables, spoilt),
        compute_nation(tables, spoilt),
        branch_code="04",
        fiscal_year=2024,
    )
    verdict = report((Outcome.FAIL, Severity.CRITICAL), words=NASTY)
    own = Tables({NASTY: pl.DataFrame({NASTY: [1]})})
    single, many = Interval(1.0, 0.0, 2.0, NASTY), Interval(*np.ones((3, 2)), np.array([NASTY, ""]))

    for thing in (kpi, branch, spoilt, page, verdict, own, single, many):
        html = thing._repr_html_()
        assert "<script" not in html
        caption, rows = show(thing)
        assert NASTY in caption + "".join(cell for row in rows for cell in row)
