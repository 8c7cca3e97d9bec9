"""The gate: each kind of check fails when its data is spoilt, and the suites cannot be weakened by accident."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.curated import SCHEMAS, Tables, read_manifest, write_tables
from kenpo_lib.errors import InputError, ValidationStoppedError
from kenpo_lib.kept_verdict import read_verdict
from kenpo_lib.validate import (
    CHECKED_TABLES,
    CheckResult,
    Outcome,
    Severity,
    ValidationReport,
    add_check_columns,
    format_report,
    read_suites,
    require_passed,
    require_verdict_passed,
    validate,
    write_verdict,
)
from kenpo_lib.validate.run import run_suites
from kenpo_lib.validate.words import _RELEVANT

ROOT = Path(__file__).resolve().parents[1]
EXPECTATIONS = ROOT / "expectations"

Change = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.fixture(scope="module")
def report(tables: Tables, catalogue: Catalogue) -> ValidationReport:
    """The verdict on the real figures."""
    return validate(tables, catalogue, EXPECTATIONS)


@pytest.fixture
def suites_dir(tmp_path: Path) -> Path:
    """A copy of the suites that a test may spoil."""
    return Path(shutil.copytree(EXPECTATIONS, tmp_path / "expectations"))


def check(tables: Tables, catalogue: Catalogue, name: str, *, asked: str | None = None) -> list[CheckResult]:
    """The results of one suite, or of its expectations about one column (of one type): all take too long."""
    suite = read_suites(EXPECTATIONS)[name]
    chosen = [e for e in suite.expectations if asked in (None, e.kwargs.get("column", e.type))]
    suites = {name: dataclasses.replace(suite, expectations=tuple(chosen))}
    return list(run_suites(suites, add_check_columns(tables, catalogue), catalogue))


def failing(results: list[CheckResult]) -> dict[str, CheckResult]:
    """Those that failed, by column, or by type where a check is about several columns."""
    return {result.column or result.type: result for result in results if result.outcome is not Outcome.OK}


# --- the real figures -----------------------------------------------------------------------------------------------


def test_real_figures_pass_with_the_one_known_warning(report: ValidationReport):
    assert not report.has_critical
    require_passed(report)
    (warning,) = report.warnings
    assert (warning.table, warning.column) == ("observations", "check_source_values")
    places = warning.rows.select("branch_code", "kpi_id", "fiscal_year", "value", "source_id").rows()
    assert places == [
        ("00", "checkup_rate_dependents", 2024, 29.4, "business_report_fy2024"),
        ("00", "checkup_rate_dependents", 2024, 29.3, "miyagi_results_fy2024"),
    ]
    assert "miyagi_results_fy2024 / p.8" in warning.rows["found_ja"][0]  # each row names the other place, too


def test_pending_values_are_listed_and_not_a_failure(report: ValidationReport):
    assert set(report.pending["kpi_id"]) == {"miyagi_ken_2", "guidance_rate_dependents", "guidance_rate_insured"}


def test_every_expectation_of_every_suite_was_run(report: ValidationReport):
    expected = {name: len(suite.expectations) for name, suite in read_suites(EXPECTATIONS).items()}
    tally = {name: entry["checks"] for name, entry in report.to_dict()["summary"].items()}
    assert tally == expected
    assert list(tally) == list(CHECKED_TABLES)


def test_json_is_deterministic_and_keeps_the_keys_of_warnings(
    report: ValidationReport, tables: Tables, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KENPO_LANG", "en")
    again = validate(tables, catalogue, EXPECTATIONS)

    assert report.to_json() == again.to_json()
    entry = json.loads(report.to_json())["warnings"][0]
    assert entry["branch_code"] == "00"
    assert entry["definition"] == "v1"
    assert entry["locator"].startswith("p.204")
    assert set(entry["words"]) == set(entry["found"]) == {"ja", "en"}


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_format_report_has_a_line_per_suite_and_the_offending_rows(report: ValidationReport, lang: str):
    text = format_report(report, lang)
    for name in CHECKED_TABLES:
        assert f"  {name} " in text
    assert "business_report_fy2024 / p.204" in text
    assert {"ja": "被扶養者健診", "en": "Check-ups, dependents"}[lang] in text
    assert {"ja": "00 全国", "en": "00 National"}[lang] in text


# --- check columns --------------------------------------------------------------------------------------------------


def test_add_check_columns_keeps_rows_and_their_order(tables: Tables, catalogue: Catalogue):
    frames = add_check_columns(tables, catalogue)
    for name in SCHEMAS:
        assert frames[name].select(tables[name].columns).equals(tables[name]), name
        assert frames[name]["check_row"].to_list() == list(range(tables[name].height)), name


def test_yes_no_columns_are_never_null(tables: Tables, catalogue: Catalogue):
    unknown = tables | {"sources": tables["sources"].head(0)}
    for name, frame in add_check_columns(unknown, catalogue).items():
        for column in frame.select(pl.selectors.boolean() & pl.selectors.starts_with("check_")).columns:
            assert frame[column].null_count() == 0, (name, column)


def test_every_check_column_is_asked_about_or_shown(tables: Tables, catalogue: Catalogue):
    made = {
        column
        for frame in add_check_columns(tables, catalogue).values()
        for column in frame.columns
        if column.startswith("check_")
    }
    asked = {str(e.kwargs.get("column")) for suite in read_suites(EXPECTATIONS).values() for e in suite.expectations}
    shown = {column for columns in _RELEVANT.values() for column in columns}
    assert made - asked - shown == {"check_row", "check_unit"}
    assert {column for column in asked if column.startswith("check_")} <= _RELEVANT.keys() | shown


@pytest.mark.parametrize(
    ("value", "decimals", "numerator", "denominator", "agrees"),
    [
        (33.2, 1, 7345.0, 22121.0, True),  # 33.2037
        (33.2, 1, 8345.0, 22121.0, False),
        (99.99, 2, 29304.0, 29305.0, True),  # 99.9966 cut off
        (100.0, 2, 29304.0, 29305.0, True),  # and rounded
        (99.98, 2, 29304.0, 29305.0, False),
        (47.0, 0, 8.0, 17.0, True),  # 47.06
        (29.35, 2, 587.0, 2000.0, True),  # exactly 29.35, which no binary fraction is
        (None, None, 361.0, 1000.0, True),
        (0.0, 1, 0.0, 0.0, True),  # nothing to divide
    ],
)
def test_counts_and_value_agree_at_printed_precision(
    tables: Tables,
    catalogue: Catalogue,
    value: float | None,
    decimals: int | None,
    numerator: float,
    denominator: float,
    agrees: bool,
):
    row = (
        tables["observations"].filter((pl.col("kpi_id") == "visit_rate") & pl.col("denominator").is_not_null()).head(1)
    )
    row = row.with_columns(
        pl.lit(value, pl.Float64).alias("value"),
        pl.lit(decimals, pl.Int32).alias("decimals"),
        pl.lit(numerator).alias("numerator"),
        pl.lit(denominator).alias("denominator"),
    )
    frame = add_check_columns(tables | {"observations": row}, catalogue)["observations"]
    assert frame["check_agrees_with_counts"].to_list() == [agrees]


def _visit_rates(tables: Tables, values: dict[tuple[int, str], float], **changes: object) -> pl.DataFrame:
    """Observations of Miyagi's visit rate by year and definition."""
    row = tables["observations"].filter((pl.col("kpi_id") == "visit_rate") & (pl.col("branch_code") == "04")).head(1)
    return pl.concat(
        row.with_columns(
            pl.lit(value).alias("value"),
            pl.lit(year, pl.Int32).alias("fiscal_year"),
            pl.lit(definition).alias("definition"),
            *(pl.lit(content).alias(column) for column, content in changes.items()),
        )
        for (year, definition), value in values.items()
    )


def test_jump_compares_consecutive_years_of_one_definition(tables: Tables, catalogue: Catalogue):
    # The catalogue calls 10 points a jump of this KPI.
    rows = _visit_rates(
        tables, {(2019, "3m"): 10.0, (2020, "3m"): 20.0, (2021, "3m"): 30.5, (2023, "10m"): 60.0, (2024, "10m"): 65.0}
    )
    frame = add_check_columns(tables | {"observations": rows}, catalogue)["observations"]
    assert frame["check_jump_share"].to_list() == [None, 1.0, 1.05, None, 0.5]


@pytest.mark.parametrize("changes", [{"component": "協会"}, {"period": "YTD"}, {"status": "interim"}])
def test_jump_ignores_parts_and_values_of_part_of_a_year(tables: Tables, catalogue: Catalogue, changes: dict):
    rows = _visit_rates(tables, {(2023, "10m"): 5.0, (2024, "10m"): 95.0}, **changes)
    frame = add_check_columns(tables | {"observations": rows}, catalogue)["observations"]
    assert frame["check_jump_share"].to_list() == [None, None]


def test_jump_in_percent_survives_a_prior_value_of_zero(tables: Tables, catalogue: Catalogue):
    offices = {"kpi_id": "health_declaration_offices"}
    rows = _visit_rates(tables, {(2021, "v1"): 0.0, (2022, "v1"): 0.0, (2023, "v1"): 5.0}, **offices)
    frame = add_check_columns(tables | {"observations": rows}, catalogue)["observations"]
    assert frame["check_jump_share"].to_list() == [None, 0.0, float("inf")]


def test_sources_of_different_precision_agree_at_the_coarser_one(tables: Tables, catalogue: Catalogue):
    rows = pl.concat(
        _visit_rates(tables, {(2024, "10m"): value}, source_id=source).with_columns(pl.lit(decimals).alias("decimals"))
        for value, decimals, source in (
            (66.24, 2, "miyagi_results_fy2024"),
            (66.2, 1, "business_report_fy2024"),
        )
    )
    frame = add_check_columns(tables | {"observations": rows}, catalogue)["observations"]
    assert frame["check_source_values"].to_list() == [1, 1]
    frame = add_check_columns(
        tables | {"observations": rows.with_columns(pl.col("value").replace(66.24, 66.31))}, catalogue
    )["observations"]
    assert frame["check_source_values"].to_list() == [2, 2]


@pytest.mark.parametrize(
    ("rule", "value", "agrees"),
    [
        ("at_least", 33.2, True),
        ("at_least", 33.3, False),
        ("at_most", 33.2, False),
        ("at_least_prior", None, True),  # the prior value is 33.2
        ("at_most_prior", None, False),
    ],
)
def test_superseded_target_agrees_by_its_meaning(
    tables: Tables, catalogue: Catalogue, rule: str, value: float | None, agrees: bool
):
    is_visit_rate = (pl.col("kpi_id") == "visit_rate") & (pl.col("branch_code") == "04")
    row = tables["superseded_targets"].filter(is_visit_rate)
    row = row.with_columns(pl.lit(rule).alias("rule"), pl.lit(value, pl.Float64).alias("value"))
    frame = add_check_columns(tables | {"superseded_targets": row}, catalogue)["superseded_targets"]
    assert frame["check_newer_value"].to_list() == [33.2]
    assert frame["check_agrees_with_newer"].to_list() == [agrees]


def test_target_of_the_prior_year_disagrees_with_a_number_that_is_not_it(tables: Tables, catalogue: Catalogue):
    is_prior = (pl.col("kpi_id") == "card_recovery_rate") & (pl.col("branch_code") == "04")
    targets = tables["targets"].with_columns(
        pl.when(is_prior & (pl.col("fiscal_year") == 2024)).then(78.84).otherwise("value").alias("value")
    )  # printed: 87.84
    frame = add_check_columns(tables | {"targets": targets}, catalogue)["superseded_targets"]
    assert frame.filter(~pl.col("check_agrees_with_newer"))["kpi_id"].to_list() == ["card_recovery_rate"]


def test_a_later_year_need_not_be_complete_at_once(tables: Tables, catalogue: Catalogue):
    one = tables["observations"].filter(
        (pl.col("kpi_id") == "generic_share_annual") & (pl.col("fiscal_year") == 2024) & (pl.col("branch_code") == "25")
    )
    later = one.with_columns(pl.lit(2025, pl.Int32).alias("fiscal_year"))
    results = check(tables | {"observations": pl.concat([tables["observations"], later])}, catalogue, "completeness")
    (result,) = failing(results).values()
    assert result.severity is Severity.WARNING
    assert result.rows.select("series", "fiscal_year").rows() == [("generic_share_annual", 2025)]


# --- what is spoilt is found ----------------------------------------------------------------------------------------


def _set(column: str, content: object, **where: object) -> Change:
    """Change one cell: of the first row that fits."""

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        fits = pl.all_horizontal(
            pl.lit(True), *(pl.col(name).eq_missing(pl.lit(wanted)) for name, wanted in where.items())
        )
        first = frame.with_row_index("_row").filter(fits)["_row"][0]
        new = pl.lit(content, frame.schema[column])
        return (
            frame.with_row_index("_row")
            .with_columns(pl.when(pl.col("_row") == first).then(new).otherwise(column).alias(column))
            .drop("_row")
        )

    return change


def _set_all(column: str, content: object) -> Change:
    return lambda frame: frame.with_columns(pl.lit(content, frame.schema[column]).alias(column))


def _without(**where: object) -> Change:
    return lambda frame: frame.filter(~pl.all_horizontal(pl.col(name) == wanted for name, wanted in where.items()))


def _double_first(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame.head(1)])


VISITS = {"kpi_id": "visit_rate", "branch_code": "04", "fiscal_year": 2024, "numerator": 7328.0}
CHECKUPS = {"kpi_id": "specific_checkup_rate", "branch_code": "04", "fiscal_year": 2023}
NATION = CHECKUPS | {"branch_code": "00"}
BUDGET = {"programme": "未治療者に対する受診勧奨"}
PREMIUM = {"kpi_id": "premium_rate", "component": "年齢調整", "fiscal_year": 2024, "branch_code": "04"}
CARD = {"kpi_id": "card_recovery_rate", "branch_code": "04", "fiscal_year": 2024}
BANDS = {"statistic": "subscribers", "fiscal_year": 2024, "branch_code": "04"}
PROJECTED = {"statistic": "total_remuneration", "fiscal_year": 2024, "branch_code": "04"}
FUKUSHIMA = {"branch_code": "07", "fiscal_year": 2016}

COMPOUND, ROW_COUNT = "expect_compound_columns_to_be_unique", "expect_table_row_count_to_be_between"
CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING

SPOILT: list[tuple[str, Change, str, str, Severity]] = [
    # table, what is done to it, suite that finds it, column or type of the check, severity
    ("branches", _without(branch_code="25"), "branches", ROW_COUNT, CRITICAL),  # 46 branches
    ("branches", _double_first, "branches", "branch_code", CRITICAL),
    ("branches", _set("branch_code", "48", branch_code="47"), "branches", "branch_code", CRITICAL),
    ("branches", _set("name_ja", "宮城", branch_code="13"), "branches", "name_ja", CRITICAL),
    ("branches", _set("name_en", None, branch_code="13"), "branches", "name_en", CRITICAL),
    ("branches", _set("tile_row", None, branch_code="13"), "branches", "tile_row", CRITICAL),
    ("branches", lambda f: f.with_columns(tile_row=pl.lit(1), tile_col=pl.lit(1)), "branches", COMPOUND, CRITICAL),
    ("observations", _without(**CHECKUPS), "completeness", "branches_known", CRITICAL),
    ("observations", _set("value", None, **CHECKUPS), "completeness", "branches_known", CRITICAL),
    ("observations", _set("value", float("nan"), **CHECKUPS), "completeness", "branches_known", CRITICAL),
    ("observations", _without(kpi_id="premium_rate", fiscal_year=2026), "completeness", "branches_known", CRITICAL),
    ("statistics", _without(**PROJECTED), "completeness", "branches_known", CRITICAL),
    ("observations", _double_first, "observations", COMPOUND, CRITICAL),
    ("observations", lambda f: f.head(1000), "observations", ROW_COUNT, CRITICAL),
    ("observations", _set_all("value", None), "observations", "value", CRITICAL),
    ("observations", _set_all("value", None), "observations", "check_has_figures", CRITICAL),
    ("observations", _set("value", 686.0, **CHECKUPS), "observations", "value", CRITICAL),
    ("observations", _set("value", 686.0, **CHECKUPS), "observations", "check_is_plausible", CRITICAL),
    ("observations", _set("value", float("nan"), **CHECKUPS), "observations", "check_is_finite", CRITICAL),
    ("observations", _set("value", float("inf"), **CHECKUPS), "observations", "check_is_finite", CRITICAL),
    ("observations", _set("numerator", float("inf"), **VISITS), "observations", "check_is_finite", CRITICAL),
    ("observations", _set("numerator", 8328.0, **VISITS), "observations", "check_agrees_with_counts", CRITICAL),
    ("observations", _set("numerator", 73280.0, **VISITS), "observations", "check_is_part_of_whole", CRITICAL),
    ("observations", _set("numerator", -7328.0, **VISITS), "observations", "numerator", CRITICAL),
    ("observations", _set("denominator", -1.0, **VISITS), "observations", "denominator", CRITICAL),
    ("observations", _set("value", 85.7, **NATION), "observations", "check_is_between_branches", CRITICAL),
    ("observations", _set("value", 0.9, **PREMIUM), "observations", "check_is_sum_of_parts", CRITICAL),
    ("observations", _set("value", 11.0, **CHECKUPS), "observations", "check_jump_share", WARNING),
    ("observations", _set("value", 0.0, status="pending"), "observations", "value", CRITICAL),
    ("observations", _set("status", "final", status="pending"), "observations", "check_has_figures", CRITICAL),
    ("observations", _set("status", "確定", **CHECKUPS), "observations", "status", CRITICAL),
    ("observations", _set("period", "H1", **CHECKUPS), "observations", "period", CRITICAL),
    ("observations", _set("component", " ", **CHECKUPS), "observations", "component", CRITICAL),
    ("observations", _set("branch_code", "48", **CHECKUPS), "observations", "branch_code", CRITICAL),
    ("observations", _set("fiscal_year", 224, **CHECKUPS), "observations", "fiscal_year", CRITICAL),
    ("observations", _set("kpi_id", "x", **CHECKUPS), "observations", "check_is_known_definition", CRITICAL),
    ("observations", _set("definition", "3m", **VISITS), "observations", "check_is_known_definition", CRITICAL),
    (
        "observations",
        _set("branch_code", "05", kpi_id="miyagi_ju_1"),
        "observations",
        "check_is_of_own_branch",
        CRITICAL,
    ),
    (
        "observations",
        _set("as_of", dt.date(2025, 4, 1), period="M09"),
        "observations",
        "check_is_within_year",
        CRITICAL,
    ),
    ("observations", _set("source_id", "nowhere", **CHECKUPS), "observations", "check_is_known_source", CRITICAL),
    ("observations", _set("locator", "", **CHECKUPS), "observations", "locator", CRITICAL),
    ("observations", _set("locator", None, **CHECKUPS), "observations", "locator", CRITICAL),
    ("targets", _double_first, "targets", COMPOUND, CRITICAL),
    ("targets", _set("rule", "about", **CARD), "targets", "rule", CRITICAL),
    ("targets", _set("value", None, **CARD), "targets", "value", CRITICAL),
    ("targets", _set("value", 8784.0, **CARD), "targets", "check_is_plausible", CRITICAL),
    ("targets", _set("value", float("nan"), **CARD), "targets", "check_is_finite", CRITICAL),
    ("targets", _set("value", 80.0, rule="at_least_prior"), "targets", "value", CRITICAL),
    ("targets", _set("floor", None, rule="floor_or_prior"), "targets", "floor", CRITICAL),
    ("targets", _set("rule", "at_most", **CARD), "targets", "check_is_in_direction", WARNING),
    ("targets", _set("definition", "v2", **CARD), "targets", "check_is_known_definition", CRITICAL),
    ("targets", _set("source_id", "nowhere", **CARD), "targets", "check_is_known_source", CRITICAL),
    ("targets", _set("value", 78.84, **CARD), "superseded_targets", "check_agrees_with_newer", WARNING),
    ("targets", _without(**CARD), "superseded_targets", "check_newer_rule", CRITICAL),
    ("sources", _double_first, "sources", "source_id", CRITICAL),
    ("sources", _set("order_date", "2025年"), "sources", "order_date", CRITICAL),
    ("sources", _set("kind", "hearsay"), "sources", "kind", CRITICAL),
    ("sources", _set("trust", "low"), "sources", "trust", CRITICAL),
    ("sources", _set("sha256", "business_report_fy2024.csv abc"), "sources", "sha256", CRITICAL),
    ("sources", _set("title", "　"), "sources", "title", CRITICAL),
    ("budgets", _set("printed_rate_pct", 79.2, **BUDGET), "budgets", "check_agrees_with_amounts", WARNING),  # 97.2
    ("budgets", _set("printed_rate_pct", 972.0, **BUDGET), "budgets", "printed_rate_pct", CRITICAL),
    ("budgets", _set("executed_thousand_yen", float("inf"), **BUDGET), "budgets", "check_is_finite", CRITICAL),
    ("budgets", _set("executed_thousand_yen", -1.0, **BUDGET), "budgets", "executed_thousand_yen", CRITICAL),
    ("budgets", _set("theme", "other", **BUDGET), "budgets", "theme", CRITICAL),
    ("budgets", _set("kpi_id", "x", **BUDGET), "budgets", "check_is_known_kpi", CRITICAL),
    ("self_assessments", _double_first, "self_assessments", COMPOUND, CRITICAL),
    ("self_assessments", _set("mark", "☆"), "self_assessments", "mark", CRITICAL),
    ("self_assessments", _set_all("mark", None), "self_assessments", "mark", CRITICAL),
    ("self_assessments", _set("plan_item", None), "self_assessments", "plan_item", CRITICAL),
    ("statistics", _set("value", 1640000.0, **BANDS, component="40-44"), "statistics", "check_age_band_gap", CRITICAL),
    ("statistics", _without(**BANDS, component="40-44"), "statistics", "check_age_bands", CRITICAL),
    (
        "statistics",
        _set("value", 397589.0, **FUKUSHIMA, statistic="insured_persons"),
        "statistics",
        "check_insured_and_dependents_gap",
        CRITICAL,
    ),
    ("statistics", _set("value", 0.0, **PROJECTED), "statistics", "value", CRITICAL),
    ("statistics", _set("value", float("nan"), **PROJECTED), "statistics", "check_is_finite", CRITICAL),
    ("statistics", _set("unit", "persons", **PROJECTED), "statistics", "unit", CRITICAL),
    ("statistics", _set("statistic", "pets", **PROJECTED), "statistics", "statistic", CRITICAL),
]


@pytest.mark.parametrize(
    ("table", "change", "suite", "asked", "severity"),
    SPOILT,
    ids=[f"{number}-{suite}-{asked}" for number, (_, _, suite, asked, _) in enumerate(SPOILT)],
)
def test_spoilt_data_fails(
    tables: Tables, catalogue: Catalogue, table: str, change: Change, suite: str, asked: str, severity: Severity
):
    spoilt = tables | {table: change(tables[table])}

    found = [result for result in check(spoilt, catalogue, suite, asked=asked) if result.outcome is Outcome.FAIL]

    assert severity in [result.severity for result in found]
    for result in found:
        assert result.rows.height or result.observed  # it says which rows, or what it found instead


def test_every_question_of_ours_has_a_case_above(catalogue: Catalogue):
    asked = {
        (name, e.kwargs["column"], e.severity)
        for name, suite in read_suites(EXPECTATIONS).items()
        for e in suite.expectations
        if str(e.kwargs.get("column")).startswith("check_")
    }
    tried = {(suite, column, severity) for _, _, suite, column, severity in SPOILT}
    # Columns that every table has are tried on one; two sources in conflict are among the real figures.
    shared = {"check_is_known_source", "check_is_of_own_branch", "check_source_values"}
    untried = {case for case in asked - tried if case[1] not in shared}
    assert untried == {("statistics", "check_age_band_gap", WARNING)}  # see below


def test_missing_branch_is_named(tables: Tables, catalogue: Catalogue):
    spoilt = tables | {"observations": _without(**CHECKUPS | {"branch_code": "25"})(tables["observations"])}
    (result,) = failing(check(spoilt, catalogue, "completeness")).values()
    assert result.rows.select("kpi_id", "fiscal_year").rows() == [("specific_checkup_rate", 2023)]
    assert result.rows["found_ja"].to_list() == ["支部数 46、欠けている支部 滋賀"]
    assert result.rows["found_en"].to_list() == ["branches 46, missing Shiga"]


def test_gap_of_age_bands_beyond_rounding_warns_before_it_stops(tables: Tables, catalogue: Catalogue):
    total = tables["statistics"].filter(
        *(pl.col(name) == wanted for name, wanted in BANDS.items()), pl.col("component") == "total"
    )
    change = _set("value", total["value"][0] + 700, **BANDS, component="total")
    results = check(tables | {"statistics": change(tables["statistics"])}, catalogue, "statistics")
    assert [result.severity for result in results if result.outcome is Outcome.FAIL] == [WARNING]


@pytest.mark.parametrize("table", [name for name in SCHEMAS if name != "superseded_targets"])
def test_empty_table_fails(tables: Tables, catalogue: Catalogue, table: str):
    found = failing(check(tables | {table: tables[table].head(0)}, catalogue, table))
    assert found[ROW_COUNT].outcome is Outcome.FAIL
    assert found[ROW_COUNT].severity is CRITICAL
    assert found[ROW_COUNT].observed("en") == "found 0"


@pytest.mark.parametrize(
    ("table", "column"),
    [("observations", "value"), ("observations", "branch_code"), ("targets", "rule"), ("sources", "title")],
)
def test_missing_column_is_an_error_and_stops(tables: Tables, catalogue: Catalogue, table: str, column: str):
    results = check(tables | {table: tables[table].drop(column)}, catalogue, table)
    errors = [result for result in results if result.outcome is Outcome.ERROR]
    assert column in {result.column for result in errors}
    assert all(result.stops for result in errors)
    assert not any(result.outcome is Outcome.OK and str(result.column).startswith("check_") for result in results)


def test_column_of_another_type_is_an_error(tables: Tables, catalogue: Catalogue):
    as_text = tables["observations"].with_columns(pl.col("value").cast(pl.String))
    found = failing(check(tables | {"observations": as_text}, catalogue, "observations"))
    assert found["check_is_plausible"].outcome is Outcome.ERROR


def test_all_tables_empty_is_answered_and_not_a_crash(tables: Tables, catalogue: Catalogue):
    empty = {name: frame.head(0) for name, frame in tables.items()}
    assert validate(empty, catalogue, EXPECTATIONS).has_critical


def test_require_passed_tells_the_offending_rows(tables: Tables, catalogue: Catalogue):
    change = _set("value", 686.0, **CHECKUPS)
    spoilt = validate(tables | {"observations": change(tables["observations"])}, catalogue, EXPECTATIONS)
    with pytest.raises(ValidationStoppedError) as stopped:
        require_passed(spoilt)
    text = str(stopped.value)
    assert stopped.value.exit_code == 3
    for told in ("04 宮城", "特定健診等実施率", "2023", "値 686", "0～100", "incentive_results_fy2020_2024"):
        assert told in text
    assert "29.3" not in text  # warnings do not stop
    assert spoilt.to_dict()["critical"][0]["branch_code"] == "04"


def test_format_report_shows_ten_rows_of_many(tables: Tables, catalogue: Catalogue):
    spoilt = tables | {"observations": _set_all("locator", " ")(tables["observations"])}
    text = format_report(validate(spoilt, catalogue, EXPECTATIONS), "en")
    assert "and 4652 more" in text


# --- suites cannot be weakened by accident --------------------------------------------------------------------------


def _edit(path: Path, change: Callable[[dict], object]) -> None:
    suite = json.loads(path.read_text(encoding="utf-8"))
    change(suite)
    path.write_text(json.dumps(suite, ensure_ascii=False), encoding="utf-8")


def _entry(suite: dict, column: str) -> dict:
    return next(entry for entry in suite["expectations"] if entry["kwargs"].get("column") == column)


def _condition(content: object) -> Callable[[dict], object]:
    return lambda suite: _entry(suite, "check_is_finite")["kwargs"].update(row_condition=content)


PASS_THROUGH = {"type": "pass_through", "pass_through_filter": "@pd.io"}
COMPARISON = {"type": "comparison", "column": {"name": "status"}, "operator": "==", "parameter": "final"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda suite: suite["expectations"].clear(), ["expectations", "以上"]),
        (lambda suite: suite["expectations"].pop(), ["expectations", "以上"]),
        (lambda suite: suite.update(minimum_expectations=0), ["minimum_expectations"]),
        (lambda suite: suite.update(name="targets"), ["name"]),
        (lambda suite: suite.update(comment=""), ["comment"]),
        (lambda suite: suite["expectations"][3].update(severity="severe"), ["expectations[3].severity", "severe"]),
        (lambda suite: suite["expectations"][3].update(severity="info"), ["expectations[3].severity", "info"]),
        (lambda suite: suite["expectations"][3].update(id="1"), ["expectations[3]", "id"]),
        (lambda suite: suite["expectations"][3].update(meta={"ja": "語"}), ["expectations[3].meta"]),
        (lambda suite: suite["expectations"][3].update(type="expect_colum_values"), ["expectations[3].type"]),
        (lambda suite: suite["expectations"][3]["kwargs"].update(colum="x"), ["expectations[3].kwargs", "colum"]),
        (lambda suite: suite["expectations"].append(suite["expectations"][3]), ["= expectations[3]"]),
        (
            lambda suite: _entry(suite, "check_is_finite")["kwargs"].update(condition_parser="pandas"),
            ["condition_parser"],
        ),
        (lambda suite: _entry(suite, "check_is_finite")["kwargs"].update(result_format="BASIC"), ["result_format"]),
        (_condition("@pd.io.common.os.system('true')"), ["row_condition", "コードとして実行"]),
        (_condition(PASS_THROUGH), ["row_condition", "pass_through"]),
        (_condition({"type": "and", "conditions": [COMPARISON, PASS_THROUGH]}), ["conditions[1]", "pass_through"]),
        (_condition(COMPARISON | {"column": {"name": "x` + @pd"}}), ["row_condition.column"]),
        (_condition(COMPARISON | {"operator": "=>"}), ["row_condition.operator"]),
        (_condition(COMPARISON | {"parameter": {"a": 1}}), ["row_condition.parameter"]),
    ],
)
def test_wrong_suite_is_refused_with_its_place(
    suites_dir: Path, tables: Tables, catalogue: Catalogue, change: Callable[[dict], object], told: list[str]
):
    _edit(suites_dir / "observations.json", change)
    with pytest.raises(InputError) as refused:
        validate(tables, catalogue, suites_dir)
    assert refused.value.exit_code == 2
    for part in ["observations.json", *told]:
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"name": "observations",\n "minimum_expectations": 1,,', "2行目"),
        ('{"name": "a", "name": "observations"}', "key given twice"),
        ('{"minimum_expectations": NaN}', "NaN"),
        ("[]", "expectations, minimum_expectations, name"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_broken_json_is_refused(suites_dir: Path, text: str | bytes, told: str):
    content = text if isinstance(text, bytes) else text.encode()
    (suites_dir / "observations.json").write_bytes(content)
    with pytest.raises(InputError, match=r"observations\.json") as refused:
        read_suites(suites_dir)
    assert told in str(refused.value)


def test_suites_and_tables_belong_together(suites_dir: Path):
    (suites_dir / "targets.json").rename(suites_dir / "goals.json")
    with pytest.raises(InputError) as refused:
        read_suites(suites_dir)
    assert {fault.file for fault in refused.value.faults} == {"targets.json", "goals.json"}


def test_kept_suites_would_miss_any_expectation_taken_out():
    for name, suite in read_suites(EXPECTATIONS).items():
        raw = json.loads((EXPECTATIONS / f"{name}.json").read_text(encoding="utf-8"))
        assert raw["minimum_expectations"] == len(suite.expectations), name


# --- the library stays in its place ---------------------------------------------------------------------------------


def _run(code: str, **settings: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, **settings)


def test_importing_the_gate_does_not_load_great_expectations():
    done = _run(
        """
        import sys
        import kenpo_lib.validate
        loaded = {"great_expectations", "pandas"} & set(sys.modules)
        assert not loaded, loaded
        """,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr


def test_validation_needs_no_network_writes_nothing_and_says_nothing(tmp_path: Path):
    before = {path: path.read_bytes() for path in sorted(EXPECTATIONS.rglob("*")) if path.is_file()}
    (tmp_path / "work").mkdir()
    (tmp_path / "home").mkdir()
    environment = {"HOME": str(tmp_path / "home"), "PATH": "", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    done = _run(
        f"""
        import socket
        from pathlib import Path

        def refuse(*args, **kwargs):
            raise AssertionError(f"network: {{args}}")

        socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse

        from kenpo_lib.catalogue import load_catalogue
        from kenpo_lib.curate import curate
        from kenpo_lib.validate import validate

        root = Path({str(ROOT)!r})
        tables, _ = curate(root / "data" / "raw", load_catalogue())
        report = validate(tables, load_catalogue(), root / "expectations")
        print(report.has_critical, len(report.warnings))
        """,
        cwd=tmp_path / "work",
        env=environment,
    )
    assert (done.stdout, done.stderr) == ("False 1\n", "")
    assert list((tmp_path / "work").iterdir()) == []
    assert list((tmp_path / "home").rglob("*")) == []
    assert before == {path: path.read_bytes() for path in sorted(EXPECTATIONS.rglob("*")) if path.is_file()}


# --- the verdict beside the tables ----------------------------------------------------------------------------------


@pytest.fixture
def published(tmp_path: Path, suites_dir: Path, tables: Tables, catalogue: Catalogue, report: ValidationReport) -> Path:
    """A folder with curated tables and their verdict."""
    curated_dir = tmp_path / "data" / "curated"
    write_tables(tables, curated_dir, inputs={})
    here = dataclasses.replace(report, expectations_dir=suites_dir)
    write_verdict(here, curated_dir, read_manifest(curated_dir))
    return curated_dir


def test_read_verdict_returns_what_was_written(published: Path, report: ValidationReport):
    verdict = read_verdict(published)
    assert verdict == json.loads(report.to_json())
    require_verdict_passed(verdict)
    kept = (published / "validation.json").read_text(encoding="utf-8")
    assert '"suites_directory": "../../expectations"' in kept


def test_verdict_survives_a_renamed_project(published: Path):
    project = published.parents[1]
    moved = project.rename(project.with_name(f"{project.name}_moved"))
    assert read_verdict(moved / "data" / "curated")["passed"]


def test_no_verdict_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="kenpo validate"):
        read_verdict(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"report": 1}'])
def test_unreadable_verdict_is_refused(published: Path, content: str):
    (published / "validation.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="kenpo validate"):
        read_verdict(published)


def test_verdict_on_other_tables_is_stale(published: Path, tables: Tables):
    write_tables(tables | {"budgets": tables["budgets"].head(3)}, published, inputs={})
    with pytest.raises(InputError, match=r"整備済みデータ.*kenpo validate"):
        read_verdict(published)


def test_verdict_by_other_suites_is_stale(published: Path, suites_dir: Path):
    _edit(suites_dir / "observations.json", lambda suite: suite["expectations"].pop())
    with pytest.raises(InputError, match="検証項目"):
        read_verdict(published)


def test_verdict_without_a_suite_is_stale(published: Path, suites_dir: Path):
    (suites_dir / "budgets.json").unlink()
    with pytest.raises(InputError, match="検証項目"):
        read_verdict(published)


def test_verdict_by_other_definitions_is_stale(published: Path, tmp_path: Path):
    with pytest.raises(InputError, match="KPIの定義"):
        read_verdict(published, definitions_dir=tmp_path)


def test_verdict_is_not_written_on_tables_that_changed_meanwhile(
    published: Path, tables: Tables, report: ValidationReport
):
    manifest = read_manifest(published)
    write_tables(tables | {"budgets": tables["budgets"].head(3)}, published, inputs={})
    with pytest.raises(InputError, match="もう一度"):
        write_verdict(report, published, manifest)


def test_failed_verdict_stops_whoever_reads_it(published: Path, tables: Tables, catalogue: Catalogue):
    change = _set("value", 686.0, **CHECKUPS)
    spoilt = validate(tables | {"observations": change(tables["observations"])}, catalogue, EXPECTATIONS)
    write_verdict(spoilt, published, read_manifest(published))
    with pytest.raises(ValidationStoppedError, match="値 686"):
        require_verdict_passed(read_verdict(published))
