"""Failed checks in words: what was found in which row, as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.curated import SCHEMAS
from kenpo_lib.errors import ValidationStoppedError
from kenpo_lib.language import Lang, Text, console_language, say
from kenpo_lib.normalise import display_width, pad_right
from kenpo_lib.tables import Html, table
from kenpo_lib.validate.results import CheckResult, Outcome, ValidationReport, count_by_table
from kenpo_lib.validate.suites import Expectation, Severity
from kenpo_lib.validate.verdict import MAX_ROWS_SHOWN

# What to show of a row when a check of this column fails; otherwise the column itself.
_RELEVANT: dict[str, tuple[str, ...]] = {
    "check_is_known_definition": ("kpi_id", "definition", "fiscal_year"),
    "check_is_of_own_branch": ("kpi_id", "branch_code"),
    "check_is_known_kpi": ("kpi_id",),
    "check_is_known_source": ("source_id",),
    "check_is_finite": ("value", "numerator", "denominator", "floor", "budget_thousand_yen", "executed_thousand_yen"),
    "check_is_plausible": ("value", "floor", "check_plausible_range"),
    "check_has_figures": ("status", "value", "numerator", "denominator"),
    "check_is_within_year": ("fiscal_year", "as_of"),
    "check_is_part_of_whole": ("numerator", "denominator"),
    "check_agrees_with_counts": ("value", "numerator", "denominator", "check_ratio"),
    "check_source_values": ("value", "check_other_sources"),
    "check_is_between_branches": ("value", "check_smallest_branch", "check_largest_branch"),
    "check_jump_share": ("value", "check_prior_value", "check_prior_place"),
    "check_is_sum_of_parts": ("value", "check_sum_of_parts"),
    "check_is_in_direction": ("rule", "value"),
    "check_agrees_with_newer": (
        *("rule", "value", "floor", "check_newer_rule", "check_newer_value", "check_newer_floor", "check_newer_place"),
    ),
    "check_agrees_with_amounts": ("printed_rate_pct", "check_ratio", "executed_thousand_yen", "budget_thousand_yen"),
    "check_age_band_gap": ("value", "check_age_band_gap"),
    "check_age_bands": ("check_age_bands",),
    "check_insured_and_dependents_gap": ("value", "check_insured_and_dependents_gap"),
    "branches_known": ("branches_known", "missing_branches"),
}
_LABELS = {
    "value": Text("値", "value"),
    "numerator": Text("分子", "numerator"),
    "denominator": Text("分母", "denominator"),
    "floor": Text("下限", "floor"),
    "rule": Text("規則", "rule"),
    "status": Text("状態", "status"),
    "as_of": Text("時点", "as of"),
    "fiscal_year": Text("年度", "fiscal year"),
    "kpi_id": Text("指標", "KPI"),
    "definition": Text("定義", "definition"),
    "branch_code": Text("支部", "branch"),
    "source_id": Text("出典", "source"),
    "printed_rate_pct": Text("執行率", "printed rate"),
    "budget_thousand_yen": Text("予算（千円）", "budget (thousand yen)"),
    "executed_thousand_yen": Text("執行（千円）", "executed (thousand yen)"),
    "branches_known": Text("支部数", "branches"),
    "missing_branches": Text("欠けている支部", "missing"),
    "check_ratio": Text("計算値", "computed"),
    "check_plausible_range": Text("妥当な範囲", "plausible"),
    "check_other_sources": Text("別の出典", "another source"),
    "check_smallest_branch": Text("支部の最小", "smallest branch"),
    "check_largest_branch": Text("支部の最大", "largest branch"),
    "check_prior_value": Text("前年度", "year before"),
    "check_prior_place": Text("その箇所", "its place"),
    "check_sum_of_parts": Text("内訳の計", "sum of parts"),
    "check_newer_rule": Text("新しい規則", "newer rule"),
    "check_newer_value": Text("新しい値", "newer value"),
    "check_newer_floor": Text("新しい下限", "newer floor"),
    "check_newer_place": Text("その箇所", "its place"),
    "check_age_band_gap": Text("年齢階級の計との差", "difference from the sum of age bands"),
    "check_age_bands": Text("年齢階級の数", "age bands"),
    "check_insured_and_dependents_gap": Text("被保険者と被扶養者の計との差", "difference from insured + dependents"),
}


def look_up(table: str, expectation: Expectation, rows: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """The offending rows as a reader needs them: key, value, source, place, and what was found."""
    key = SCHEMAS[table].key if table in SCHEMAS else ("series", "kpi_id", "fiscal_year")
    wanted = dict.fromkeys((*key, "kpi_id", "definition", "value", "source_id", "locator"))
    found = [
        {lang: _tell_found(row, expectation.kwargs, catalogue, lang) for lang in Lang}
        for row in rows.iter_rows(named=True)
    ]
    return rows.select(column for column in wanted if column in rows.columns).with_columns(
        pl.Series(f"found_{lang}", [texts[lang] for texts in found], dtype=pl.String) for lang in Lang
    )


def _tell_found(row: Mapping[str, Any], kwargs: Mapping[str, Any], catalogue: Catalogue, lang: Lang) -> str:
    if "column_list" in kwargs:
        return Text("同じキーの行がほかにもある", "another row has the same key")(lang)
    asked = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    relevant = [column for name in asked for column in _RELEVANT.get(name, (name,))]
    told = []
    for column in dict.fromkeys(("value", *relevant)):
        if column not in row or (row[column] is None and column not in asked):
            continue
        label = _LABELS[column](lang) if column in _LABELS else column
        if column == "missing_branches":
            names = [catalogue.branches[code].name(lang) for code in row[column].split(", ") if code]
            cell = f"{len(names)}" if len(names) > 5 else ", ".join(names)
        else:
            cell = _show(row[column], Text("なし", "none")(lang))
        told.append(f"{label} {cell}")
    return Text("、", ", ")(lang).join(told)


def _show(cell: Any, missing: str = "–") -> str:
    if cell is None:
        return missing
    return f"{cell:,.10g}" if isinstance(cell, float) else str(cell)


def _conclude(report: ValidationReport, lang: Lang | str) -> str:
    """The verdict in one line."""
    failed = _list_failed(report)
    stopping, checks = sum(check.stops for check in failed), len(report.checks)
    warning, pending = len(failed) - stopping, report.pending.height
    return Text(
        f"検証: {'停止' if stopping else '合格'}（検査 {checks}、重大・エラー {stopping}、警告 {warning}、検証中の値 {pending}）",
        f"Validation: {'stopped' if stopping else 'passed'} (checks {checks}, critical or error {stopping}, "
        f"warnings {warning}, values pending {pending})",
    )(lang)


def _list_failed(report: ValidationReport) -> list[CheckResult]:
    return [check for check in report.checks if check.outcome is not Outcome.OK]


def show_report(report: ValidationReport, lang: Lang | str) -> Html:
    """The verdict for a notebook: a row for each check that failed, with how many rows it is about."""
    headings = [
        word(lang)
        for word in (Text("表", "Table"), Text("検査", "Check"), Text("重さ", "Severity"), Text("行", "Rows"))
    ]
    rows = [
        [
            check.table,
            check.words(lang),
            _gravity(check)(lang),
            check.rows.height,
        ]
        for check in _list_failed(report)
    ]
    return table(_conclude(report, lang), headings, rows, css="data")


def format_report(report: ValidationReport, lang: Lang | str) -> str:
    """The verdict for the terminal: one line per suite, then the offending rows of every check that failed."""
    lines = [_conclude(report, lang)]
    for suite, tally in count_by_table(report.checks).items():
        line = Text(
            f"合格 {tally['ok']}/{tally['checks']}、重大 {tally['critical']}、警告 {tally['warning']}、エラー {tally['error']}",
            f"ok {tally['ok']}/{tally['checks']}, critical {tally['critical']}, warnings {tally['warning']}, "
            f"errors {tally['error']}",
        )
        lines.append(f"  {pad_right(suite, 20)}{line(lang)}")
    return "\n".join([*lines, *(format_check(check, report.catalogue, lang) for check in _list_failed(report))])


def _gravity(check: CheckResult) -> Text:
    """How grave it is that a check failed."""
    return {
        Outcome.ERROR: Text("エラー", "ERROR"),
        Outcome.FAIL: Text("重大", "CRITICAL") if check.severity is Severity.CRITICAL else Text("警告", "WARNING"),
    }[check.outcome]


def format_check(check: CheckResult, catalogue: Catalogue, lang: Lang | str) -> str:
    """One failed check: its words, and a table of at most ten offending rows."""
    rows = check.rows.height
    count = Text(f"（{rows} 行）", f" ({rows} row{'' if rows == 1 else 's'})")(lang) if rows else ""
    lines = [f"\n[{_gravity(check)(lang)}] {check.table}: {check.words(lang)}{count}"]
    if check.observed:
        lines.append(f"  {check.observed(lang)}")
    if not rows:
        return "\n".join(lines)
    header = [
        text(lang)
        for text in (
            Text("支部", "Branch"),
            Text("対象", "Subject"),
            Text("年度", "Year"),
            Text("内容", "Found"),
            Text("出典 / 箇所", "Source / place"),
        )
    ]
    cells = [
        (
            _branch_name(row.get("branch_code"), catalogue, lang),
            _subject(row, catalogue, lang),
            _show(row.get("fiscal_year"), ""),
            row[f"found_{Lang(lang)}"],
            " / ".join(part for part in (row.get("source_id"), row.get("locator")) if part),
        )
        for row in check.rows.head(MAX_ROWS_SHOWN).iter_rows(named=True)
    ]
    widths = [max(map(display_width, column)) for column in zip(header, *cells, strict=True)]
    for line in (header, *cells):
        padded = (pad_right(cell, width) for cell, width in zip(line, widths, strict=True))
        lines.append(("  " + "  ".join(padded)).rstrip())
    hidden = rows - len(cells)
    if hidden > 0:
        lines.append(Text(f"  … ほか {hidden} 行", f"  … and {hidden} more")(lang))
    return "\n".join(lines)


def _branch_name(code: str | None, catalogue: Catalogue, lang: Lang | str) -> str:
    branch = catalogue.branches.get(code or "")
    return f"{code} {branch.name(lang)}" if branch else code or ""


def _subject(row: Mapping[str, Any], catalogue: Catalogue, lang: Lang | str) -> str:
    """What a row is about: its KPI with definition and component where these tell rows apart, else its own key."""
    if kpi := catalogue.kpis.get(row.get("kpi_id") or ""):
        definition = row.get("definition") if len(kpi.definitions) > 1 else None
        component = row.get("component") if row.get("component") != "total" else None
        period = row.get("period") if row.get("period") != "FY" else None
        details = [part for part in (definition, component, period) if part]
        return kpi.short_name(lang) + (f" [{', '.join(details)}]" if details else "")
    names = ("kpi_id", "definition", "series", "statistic", "component", "programme", "section", "plan_item")
    return " ".join(str(row[name]) for name in names if row.get(name))


def require_passed(report: ValidationReport) -> None:
    """Stop where the data may not be published.

    Raises:
        ValidationStoppedError: With the offending rows of every critical check.
    """
    stopping = [check for check in report.checks if check.stops]
    if not stopping:
        return
    lang = console_language()
    message = say(
        f"検証で {len(stopping)} 件の重大な不適合があり、公表できません。data/raw を出典と見比べて直してください。",
        f"{len(stopping)} critical checks failed: not fit for publication. Compare data/raw with its sources.",
    )
    raise ValidationStoppedError(
        "\n".join([message, *(format_check(check, report.catalogue, lang) for check in stopping)])
    )
