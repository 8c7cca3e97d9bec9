"""Raw rows → curated rows. Keys and units are resolved, nothing is guessed, and every fault is told at once."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from decimal import Decimal

import builders
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.curate import build as module
from kenpo_lib.curate import curate
from kenpo_lib.curated import SCHEMAS, write_tables
from kenpo_lib.errors import MAX_FAULTS_SHOWN, InputError
from kenpo_lib.files import MANIFEST
from kenpo_lib.language import say
from kenpo_lib.sources import CHECKSUMS, read_wide_layout, seal

TOYAMA = "toyama_plan_fy2025.csv"
MIYAGI = "miyagi_results_fy2024.csv"


@pytest.fixture
def build(tmp_path, catalogue):
    """Curate raw rows of one source; returns the rows of one table as dicts."""

    def run(rows, table="observations", *, layout="figures", corrections=(), **meta):
        directory = tmp_path / "raw"
        builders.write_source(directory, rows, layout=layout, **meta)
        repairs = tmp_path / "corrections.yaml"
        repairs.write_text(yaml.safe_dump(list(corrections), allow_unicode=True), encoding="utf-8")
        return curate(directory, catalogue, corrections=repairs)[0][table].to_dicts()

    return run


@pytest.fixture
def refuse(build):
    """Curate raw rows that are wrong; returns the faults."""

    def run(rows, **kwargs):
        with pytest.raises(InputError) as caught:
            build(rows, **kwargs)
        return caught.value.faults

    return run


def curate_faults(directory):
    with pytest.raises(InputError) as caught:
        curate(directory, load_catalogue())
    return caught.value


# --- what becomes of a printed figure -------------------------------------------------------------------------------


def test_curate_resolves_keys_and_keeps_the_place(build):
    # given one figure in the words of its document
    row = builders.figure(page="12", table="Ⅱ④", row="受診者の割合", column="実績", printed="３３．４％", year="R6")
    # when
    (observation,) = build([row])
    # then
    assert (observation["branch_code"], observation["kpi_id"], observation["definition"]) == ("04", "visit_rate", "10m")
    assert (observation["fiscal_year"], observation["period"], observation["status"]) == (2024, "FY", "final")
    assert (observation["value"], observation["decimals"]) == (33.4, 1)
    assert (observation["source_id"], observation["locator"]) == ("doc", "p.12 / Ⅱ④ / 受診者の割合 / 実績")


@given(scaled=st.integers(0, 1000), decimals=st.integers(0, 1), wide=st.booleans())
def test_curate_stores_percent_as_printed(tmp_path_factory, scaled, decimals, wide):
    # given any percentage in either width; 68.6 % is stored as 68.6, not as 0.686
    value = Decimal(scaled).scaleb(-1).quantize(Decimal(1).scaleb(-decimals))
    printed = f"{value}%"
    table = str.maketrans("0123456789.%", "０１２３４５６７８９．％") if wide else {}
    directory = tmp_path_factory.mktemp("raw")
    builders.write_source(directory, [builders.figure(printed=printed.translate(table))])
    # when
    tables, _ = curate(directory, load_catalogue())
    # then
    assert tables["observations"]["value"].to_list() == [float(value)]
    assert tables["observations"]["decimals"].to_list() == [decimals]


def test_curate_joins_value_numerator_and_denominator(build):
    # given the three measures of one figure in three cells
    rows = [
        builders.figure(column="率", printed="33.4%"),
        builders.figure(column="受診者", printed="7,328人", measure="numerator"),
        builders.figure(column="対象者", printed="21,954人", measure="denominator"),
    ]
    # when
    (observation,) = build(rows)
    # then one row knows all three and every place
    assert (observation["value"], observation["numerator"], observation["denominator"]) == (33.4, 7328, 21954)
    for column in ("率", "受診者", "対象者"):
        assert column in observation["locator"]


def test_curate_divides_counts_where_no_rate_is_printed(build):
    # given counts only
    rows = [
        builders.figure(printed="2件", measure="numerator", kpi_id="single_bid_rate", definition="v1"),
        builders.figure(printed="16件", measure="denominator", kpi_id="single_bid_rate", definition="v1"),
    ]
    # when
    (observation,) = build(rows)
    # then the value is computed, says so, and claims no printed decimals
    assert (observation["value"], observation["decimals"]) == (12.5, None)
    assert "計算" in observation["note"]


def test_curate_does_not_divide_by_nothing(build):
    # given a denominator of 0
    rows = [
        builders.figure(printed="0件", measure="numerator", kpi_id="single_bid_rate", definition="v1"),
        builders.figure(printed="0件", measure="denominator", kpi_id="single_bid_rate", definition="v1"),
    ]
    # when
    (observation,) = build(rows)
    # then
    assert (observation["value"], observation["numerator"], observation["denominator"]) == (None, 0, 0)


@pytest.mark.parametrize("printed", ["－", "– %", "検証中", "…", "—％"])
def test_curate_marks_are_pending_and_never_zero(build, printed):
    # given a mark in place of a value, in a column whose unit is printed in every cell
    # when
    (observation,) = build([builders.figure(printed=printed, period="YTD")])
    # then
    assert (observation["value"], observation["status"]) == (None, "pending")
    assert observation["note"]


@pytest.mark.parametrize(
    ("period", "year", "as_of", "status", "end"),
    [
        ("FY", "2024", "", "final", None),
        ("YTD", "2024", "2024-09-30", "interim", dt.date(2024, 9, 30)),
        ("YTD", "2024", "", "interim", None),
        ("Q1", "2024", "", "interim", dt.date(2024, 6, 30)),
        ("Q4", "2024", "", "interim", dt.date(2025, 3, 31)),
        ("M04", "2024", "", "interim", dt.date(2024, 4, 30)),
        ("M12", "2024", "", "interim", dt.date(2024, 12, 31)),
        ("M02", "2023", "", "interim", dt.date(2024, 2, 29)),
        ("M02", "2024", "", "interim", dt.date(2025, 2, 28)),
    ],
)
def test_curate_knows_what_a_period_covers(build, period, year, as_of, status, end):
    # given a value of a period; January to March belong to the fiscal year that began in April before
    # when
    (observation,) = build([builders.figure(period=period, year=year, as_of=as_of)])
    # then a part of the year is interim
    assert (observation["status"], observation["as_of"]) == (status, end)


# --- targets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "rule", "value"),
    [
        ("33.2%以上とする", "at_least", 33.2),
        ("対前年度(31.2%)以上", "at_least_prior", None),
        ("12.0%(180人)以上", "at_least", 12.0),
        ("34.0%（※）以上", "at_least", 34.0),
        ("対前年度以上(※1)", "at_least_prior", None),
    ],
)
def test_curate_reads_targets_without_their_brackets(build, printed, rule, value):
    # given a target with the prior-year value, a count or a footnote mark in brackets
    # when
    (target,) = build([builders.target(printed=printed)], "targets")
    # then the rule stays a rule
    assert (target["rule"], target["value"]) == (rule, value)


@pytest.mark.parametrize(
    "printed", ["80%以上（ただし、80%以上の支部は対前年度以上）", "対前年度（全国平均を下回る場合は全国平均）以上"]
)
def test_curate_does_not_drop_a_condition_in_brackets(refuse, printed):
    # given a target of which one half stands in brackets
    # when
    (fault,) = refuse([builders.target(printed=printed, kpi_id="generic_share", definition="v1")])
    # then
    assert printed in fault.found


def test_curate_keeps_the_target_of_the_newest_source_and_the_other_apart(tmp_path, catalogue):
    # given a draft plan and the later results with another target
    builders.write_source(
        tmp_path / "raw", [builders.target(printed="前年度以上")], source_id="plan", assumed_order="2024-01"
    )
    builders.write_source(
        tmp_path / "raw", [builders.target(printed="33.2%以上")], source_id="results", assumed_order="2025-04"
    )
    # when
    tables, _ = curate(tmp_path / "raw", catalogue)
    # then one counts, and validation can still name both places
    assert tables["targets"].select("rule", "source_id").rows() == [("at_least", "results")]
    assert tables["superseded_targets"].select("rule", "source_id").rows() == [("at_least_prior", "plan")]


# --- corrections ----------------------------------------------------------------------------------------------------


def repair(action="drop_counts", expect="31", **where):
    cell = {"source_id": "doc", "kpi_id": "visit_rate", "measure": "numerator"} | where
    reason = {"ja": "月平均を丸めた数", "en": "a rounded monthly average"}
    return {"where": cell, "expect": expect, "action": action, "reason": reason, "reported": None, "status": "open"}


COUNTED = [
    builders.figure(printed="66.2%"),
    builders.figure(printed="31", measure="numerator"),
    builders.figure(printed="47", measure="denominator"),
]


def test_curate_correction_drops_counts_and_says_why(build):
    # given counts that do not give the printed rate, and an entry that repairs them
    # when
    (observation,) = build(COUNTED, corrections=[repair()])
    # then the printed value stays
    assert (observation["value"], observation["numerator"], observation["denominator"]) == (66.2, None, None)
    assert "月平均を丸めた数" in observation["note"]


def test_curate_correction_drops_a_value_and_says_why(build):
    # given a misprinted value
    # when
    (observation,) = build(COUNTED, corrections=[repair("drop_value", "66.2%", measure="value")])
    # then it is not replaced by one that was computed
    assert observation["value"] is None
    assert "月平均を丸めた数" in observation["note"]


@pytest.mark.parametrize(
    "entry", [repair(expect="32"), repair(kpi_id="generic_share"), repair(measure="value", expect="66.3%")]
)
def test_curate_correction_that_no_longer_fits_is_a_fault(refuse, entry):
    # given an entry for a cell that the issuer has corrected, or that is gone
    # when
    (fault,) = refuse(COUNTED, corrections=[entry])
    # then
    assert fault.file == "corrections.yaml"
    assert entry["expect"] in fault.expected


def test_curate_correction_of_an_absent_source_is_left_alone(build):
    # given an entry for a source that is not in this folder
    # when
    (observation,) = build(COUNTED, corrections=[repair(source_id="another")])
    # then
    assert observation["numerator"] == 31


# --- wide tables ----------------------------------------------------------------------------------------------------


@pytest.fixture
def build_wide(tmp_path, catalogue):
    """Curate one row of the incentive table, the cells named by kpi_id and definition."""
    columns = {f"{c.kpi_id}/{c.definition}" if c.kpi_id else c.role: c for c in read_wide_layout("incentive_results")}

    def run(copies=1, **cells):
        row = {"branch_code": "04", "branch_name": "宮城", "fiscal_year": "2024"} | cells
        headings = [column.heading for column in columns.values()]
        builders.write_source(tmp_path / "raw", [])
        meta = (tmp_path / "raw" / "doc.meta.yaml").read_text(encoding="utf-8")
        (tmp_path / "raw" / "doc.meta.yaml").write_text(
            meta.replace("layout: figures", "layout: incentive_results"), encoding="utf-8"
        )
        named = {columns[key].heading: cell for key, cell in row.items()}
        builders.write_csv(tmp_path / "raw" / "doc.csv", headings, [named] * copies)
        return curate(tmp_path / "raw", catalogue)[0]["observations"].to_dicts()

    return run


def test_curate_reads_a_cell_of_a_wide_table(build_wide):
    # given one filled cell of a row; an empty one means that there is no such indicator in that year
    # when
    (observation,) = build_wide(**{"specific_checkup_rate/v1": "64.1"})
    # then
    assert (observation["branch_code"], observation["kpi_id"], observation["value"]) == (
        "04",
        "specific_checkup_rate",
        64.1,
    )
    assert "2行目" in observation["locator"]


def test_curate_marks_in_a_wide_table_are_pending(build_wide):
    # given a mark in a table of all branches
    # when
    (observation,) = build_wide(**{"specific_checkup_rate/v1": "－"})
    # then
    assert (observation["value"], observation["status"]) == (None, "pending")


def test_curate_refuses_a_branch_that_comes_twice_in_a_wide_table(build_wide):
    # given two rows of one branch
    # when
    with pytest.raises(InputError) as caught:
        build_wide(2, **{"specific_checkup_rate/v1": "64.1"})
    # then
    (fault,) = caught.value.faults
    assert "3行目" in fault.place
    assert "2行目" in fault.found


def test_curate_refuses_a_shifted_row_of_a_wide_table(build_wide):
    # given the code of one branch and the name of another
    # when
    with pytest.raises(InputError) as caught:
        build_wide(branch_code="05", **{"specific_checkup_rate/v1": "64.1"})
    # then
    (fault,) = caught.value.faults
    assert "宮城" in fault.found
    assert "05" in fault.expected


@pytest.mark.parametrize(
    ("cell", "printed"),
    [("specific_checkup_rate/v1", "641"), ("specific_checkup_rate/v1", "-1"), ("urgent_visit_rate/notified_3m", "9.2")],
)
def test_curate_refuses_an_impossible_cell_of_a_wide_table(build_wide, cell, printed):
    # given a percentage out of range, or a value under a definition that ended three years before
    # when
    with pytest.raises(InputError) as caught:
        build_wide(**{cell: printed})
    # then
    (fault,) = caught.value.faults
    assert "2行目" in fault.place


# --- budgets, marks, statistics -------------------------------------------------------------------------------------


def test_curate_budget_keeps_amounts_and_the_printed_rate(build):
    # given a budget line
    row = builders.budget(
        budget_printed="8,259千円", executed_printed="8,425千円", rate_printed="102％", kpi_id="visit_rate"
    )
    # when
    (budget,) = build([row], "budgets", layout="budgets")
    # then
    assert (budget["budget_thousand_yen"], budget["executed_thousand_yen"]) == (8259, 8425)
    assert (budget["printed_rate_pct"], budget["kpi_id"], budget["theme"]) == (102, "visit_rate", "visits")


def test_curate_mark_without_a_sign_stays_empty(build):
    # given a self-assessment, and one of which the sign could not be read
    rows = [builders.mark(item="一", mark="◎"), builders.mark(item="二", mark="")]
    # when
    marks = build(rows, "self_assessments", layout="marks")
    # then it is not taken for －
    assert {mark["plan_item"]: mark["mark"] for mark in marks} == {"一": "◎", "二": None}


def test_curate_statistic_knows_its_unit(build):
    # given a count that is not a KPI
    # when
    (statistic,) = build([builders.statistic(printed="1,907,700人")], "statistics", layout="statistics")
    # then
    assert (statistic["value"], statistic["unit"], statistic["is_projection"]) == (1_907_700, "persons", False)


# --- bad input: one clear message each ------------------------------------------------------------------------------

WRONG_CELLS = [
    (builders.figure(branch="宮木"), "branch", "支部", "別名"),
    (builders.figure(branch="48"), "branch", "支部", "別名"),
    (builders.figure(branch=""), "branch", "支部", "別名"),
    (builders.figure(kpi_id="visit_rates"), "kpi_id", "指標", "kpis/"),
    (builders.figure(definition="12m"), "definition", "3m, 10m", "visit_rate.yaml"),
    (builders.figure(definition="3m"), "definition", "3m", "restated"),
    (builders.figure(definition="10m", year="R4"), "definition", "10m", "restated"),
    (builders.figure(year="R0"), "year", "年度", "令和6年度"),
    (builders.figure(year="24年度"), "year", "年度", "令和6年度"),
    (builders.figure(year=""), "year", "年度", "令和6年度"),
    (builders.figure(kind="result"), "kind", "observation", "一覧"),
    (builders.figure(period="H1"), "period", "FY", "一覧"),
    (builders.figure(measure="share"), "measure", "numerator", "一覧"),
    (builders.figure(status="done"), "status", "final", "一覧"),
    (builders.figure(as_of="2024-02-30"), "as_of", "YYYY-MM-DD", "日付"),
    (builders.figure(component=""), "component", "total", "total"),
    (builders.figure(printed="686%"), "printed", "0～100", "小数点"),
    (builders.figure(printed="100.1%"), "printed", "0～100", "小数点"),
    (builders.figure(printed="△0.1%"), "printed", "0～100", "小数点"),
    (builders.target(printed="686%以上"), "printed", "0～100", "小数点"),
    (builders.figure(printed="33.4円"), "printed", "%", "出典"),
    (builders.figure(printed="33.4人"), "printed", "%", "出典"),
    (builders.figure(printed="1,23"), "printed", "数値", "出典"),
    (builders.figure(printed="1e1"), "printed", "数値", "出典"),
    (builders.figure(printed="NaN"), "printed", "数値", "出典"),
    (builders.figure(printed="33.4¹"), "printed", "数値", "出典"),
    (builders.figure(printed="２,６８０社以上"), "printed", "数値", "出典"),
    (builders.figure(printed="対前年度以上"), "printed", "数値", "出典"),
    (builders.figure(printed="x"), "printed", "数値", "PENDING_MARKS"),
    (builders.figure(printed=""), "printed", "数値", "行は書かない"),
    (builders.figure(printed="-5人", measure="numerator"), "printed", "0以上", "出典"),
    (builders.target(printed="33.2%くらい"), "printed", "目標", "出典"),
    (builders.target(printed="検証中"), "printed", "目標", "出典"),
]


@pytest.mark.parametrize(("row", "column", "expected", "remedy"), WRONG_CELLS)
def test_curate_refuses_a_wrong_cell_with_one_message(refuse, row, column, expected, remedy):
    # given one wrong cell, in the third line of the file
    good = builders.figure(year="R5")
    # when
    faults = refuse([good, row])
    # then one message names file, line and column, what was expected, what was found and what to do
    (fault,) = faults
    assert fault.file == "doc.csv"
    assert "3行目" in fault.place
    assert column in fault.place
    assert expected in fault.expected
    assert remedy in fault.remedy
    assert row[column] in fault.found


@pytest.mark.parametrize(
    ("layout", "row", "column"),
    [
        ("budgets", builders.budget(theme="checkups"), "theme"),
        ("budgets", builders.budget(branch="宮木"), "branch"),
        ("budgets", builders.budget(kpi_id="visits"), "kpi_id"),
        ("budgets", builders.budget(budget_printed="10円"), "budget_printed"),
        ("budgets", builders.budget(rate_printed="一割"), "rate_printed"),
        ("marks", builders.mark(mark="◯"), "mark"),
        ("marks", builders.mark(year="R0"), "year"),
        ("marks", builders.mark(as_of="9月"), "as_of"),
        ("statistics", builders.statistic(statistic="population"), "statistic"),
        ("statistics", builders.statistic(printed="約1,000"), "printed"),
        ("statistics", builders.statistic(printed=""), "printed"),
    ],
)
def test_curate_refuses_a_wrong_cell_of_every_layout(refuse, layout, row, column):
    # given one wrong cell in a budget, a mark or a statistic
    # when
    (fault,) = refuse([row], layout=layout)
    # then
    assert (fault.file, "2行目" in fault.place, column in fault.place) == ("doc.csv", True, True)


def test_curate_refuses_a_doubled_key_and_names_both_lines(refuse):
    # given the same figure twice, with two values: one of them would win by chance
    # when
    (fault,) = refuse([builders.figure(), builders.figure(year="R5"), builders.figure(printed="43.3%")])
    # then
    assert fault.file == "doc.csv"
    assert "4行目" in fault.place
    assert "2行目" in fault.found


@pytest.mark.parametrize(
    ("layout", "row"),
    [
        ("figures", builders.target()),
        ("budgets", builders.budget()),
        ("marks", builders.mark()),
        ("statistics", builders.statistic()),
    ],
)
def test_curate_refuses_a_doubled_row_of_every_layout(refuse, layout, row):
    # given the same row twice
    # when
    faults = refuse([row, row], layout=layout)
    # then one message names the file
    assert len(faults) == 1
    assert "doc" in faults[0].file


def test_curate_says_one_date_for_a_month_and_its_last_day(refuse):
    # given the same month twice, once with its last day and once without: the name of a month fixes the day
    rows = [builders.figure(period="M09"), builders.figure(period="M09", as_of="2024-09-30", printed="34.0%")]
    # when
    faults = refuse(rows)
    # then
    assert len(faults) == 1


def spoil_columns(directory):
    builders.edit_line(directory / TOYAMA, 8, ",target,", ",")


def spoil_branch(directory):
    builders.edit_line(directory / TOYAMA, 8, ",富山,", ",冨山,")


def spoil_kpi(directory):
    builders.edit_line(directory / TOYAMA, 8, "checkup_rate_insured", "checkup_rate")


def spoil_percentage(directory):
    builders.edit_line(directory / TOYAMA, 8, "78.3％", "783％")


def spoil_year(directory):
    builders.edit_line(directory / TOYAMA, 8, "令和7年度", "令和0年度")


def spoil_key(directory):
    lines = (directory / TOYAMA).read_text(encoding="utf-8").splitlines(keepends=True)
    (directory / TOYAMA).write_text("".join([*lines, lines[7]]), encoding="utf-8", newline="")


def spoil_encoding(directory):
    text = (directory / TOYAMA).read_text(encoding="utf-8")
    (directory / TOYAMA).write_bytes(text.encode("cp932", errors="replace"))


def spoil_presence(directory):
    (directory / TOYAMA).unlink()


def spoil_content(directory):
    (directory / TOYAMA).write_bytes(b"")


SPOILT = {
    spoil_columns: ("8行目", "16列"),
    spoil_branch: ("8行目", "冨山"),
    spoil_kpi: ("8行目", "checkup_rate"),
    spoil_percentage: ("8行目", "783％"),
    spoil_year: ("8行目", "令和0年度"),
    spoil_key: ("", "checkup_rate_insured"),
    spoil_encoding: ("byte", "UTF-8"),
    spoil_presence: ("", "なし"),
    spoil_content: ("1行目", "0列"),
}


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_curate_refuses_a_spoilt_file_of_the_real_ones(small_raw, spoil):
    # given real sources of which one file is spoilt
    place, found = SPOILT[spoil]
    spoil(small_raw)
    before = {path.name: path.read_bytes() for path in small_raw.iterdir() if path.is_file()}
    # when
    error = curate_faults(small_raw)
    # then one message names the file, the place, what was expected and found, and the remedy; nothing was written
    (fault,) = error.faults
    assert TOYAMA.removesuffix(".csv") in fault.file
    assert place in fault.place
    assert found in f"{fault.expected} {fault.found}"
    assert fault.expected
    assert fault.remedy
    assert str(fault) in str(error)
    assert {path.name: path.read_bytes() for path in small_raw.iterdir()} == before
    assert [path.name for path in small_raw.parent.iterdir()] == ["raw"]


def test_curate_tells_all_faults_of_all_files_together(small_raw):
    # given four things wrong in three files, of structure and of content
    spoil_percentage(small_raw)
    spoil_year_of = small_raw / MIYAGI
    builders.edit_line(spoil_year_of, 3, "令和6年度,FY", "令和百年度,FY")
    builders.edit_line(spoil_year_of, 4, "宮城,", "宮木,")
    (small_raw / "miyagi_plan_fy2024.csv").unlink()
    # when
    error = curate_faults(small_raw)
    # then
    assert {fault.file for fault in error.faults} == {TOYAMA, MIYAGI, "miyagi_plan_fy2024.csv"}
    assert len(error.faults) == 4
    assert all(str(fault) in str(error) for fault in error.faults)
    assert error.exit_code == 2


def test_curate_shows_the_first_faults_and_counts_the_others(refuse):
    # given more faults than a screen holds
    rows = [
        builders.figure(printed=f"{200 + number}%", component=f"c{number}") for number in range(MAX_FAULTS_SHOWN + 5)
    ]
    # when
    with pytest.raises(InputError, match="ほか 5 件") as caught:
        raise InputError("…", refuse(rows))
    # then none is lost
    assert len(caught.value.faults) == MAX_FAULTS_SHOWN + 5


def test_curate_speaks_english_where_asked(refuse, monkeypatch):
    # given the console set to English
    monkeypatch.setenv("KENPO_LANG", "en")
    # when
    (fault,) = refuse([builders.figure(printed="686%")])
    # then
    assert str(fault).isascii() or "expected" in str(fault)
    assert "line 2" in fault.place
    assert "within 0" in fault.expected
    assert say("ja", "en") == "en"


@pytest.mark.parametrize(
    ("file", "line", "old", "new"),
    [
        (TOYAMA, 8, "78.3", "78.4"),
        (MIYAGI, 2, "10.11", "10.12"),
        ("miyagi_results_fy2024.budgets.csv", 2, "781", "787"),
        ("miyagi_plan_fy2024.csv", 3, "令和5年度", "令和6年度"),
        ("toyama_plan_fy2025.meta.yaml", 4, "2025-01", "2025-02"),
    ],
)
def test_curate_refuses_a_sealed_file_in_which_one_digit_changed(small_raw, file, line, old, new):
    # given a sealed folder, and one digit changed so that the figure is still plausible
    (small_raw / CHECKSUMS).write_text(seal(small_raw), encoding="utf-8")
    builders.edit_line(small_raw / file, line, old, new)
    # when
    error = curate_faults(small_raw)
    # then
    assert file in {fault.file for fault in error.faults}
    assert "SHA256SUMS" in str(error)


# --- the same again -------------------------------------------------------------------------------------------------

_DIGEST = """
import sys
from pathlib import Path
from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.curate import curate
from kenpo_lib.curated import write_tables
tables, digests = curate(Path(sys.argv[1]), load_catalogue())
write_tables(tables, Path(sys.argv[2]), inputs=digests)
"""


def test_curate_gives_the_same_bytes_in_two_runs(tmp_path, catalogue):
    # given the real figures
    # when
    for name in ("one", "two"):
        tables, digests = curate(builders.RAW, catalogue)
        write_tables(tables, tmp_path / name, inputs=digests)
    # then
    for file in [*(f"{name}.parquet" for name in SCHEMAS), MANIFEST]:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_curate_gives_the_same_bytes_whatever_the_hash_order_and_the_settings_of_the_machine(tmp_path):
    # given other processes with another order of hashes, time zone and locale
    settings = [{"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}, {"PYTHONHASHSEED": "42", "TZ": "UTC", "LC_ALL": "C"}]
    # when
    for number, changes in enumerate(settings):
        command = [sys.executable, "-c", _DIGEST, str(builders.RAW), str(tmp_path / str(number))]
        subprocess.run(command, env=os.environ | changes, cwd=builders.ROOT, check=True)
    # then
    manifests = [json.loads((tmp_path / str(number) / MANIFEST).read_text(encoding="utf-8")) for number in (0, 1)]
    assert manifests[0] == manifests[1]
    assert len(manifests[0]["inputs"]) > 50


def test_curate_does_not_depend_on_the_order_of_rows(tmp_path, catalogue):
    # given the same rows in two orders
    rows = [builders.figure(year="R6"), builders.figure(year="R5", printed="33.2%"), builders.target()]
    builders.write_source(tmp_path / "one", rows)
    builders.write_source(tmp_path / "two", rows[::-1])
    # when
    one, two = (curate(tmp_path / name, catalogue)[0] for name in ("one", "two"))
    # then
    assert one["observations"].equals(two["observations"])
    assert one["targets"].equals(two["targets"])


def test_curate_has_a_reader_for_every_long_layout():
    # given the layouts that a meta file may name
    from kenpo_lib.sources import LONG_LAYOUTS

    # when, then none would be read as a wide table by mistake
    assert module._LAYOUT_READERS.keys() == LONG_LAYOUTS.keys()
