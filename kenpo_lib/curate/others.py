"""Layouts ``budgets``, ``marks`` and ``statistics``."""

from __future__ import annotations

from kenpo_lib.catalogue import THEMES
from kenpo_lib.curate.cells import COUNT_WORDS, CellReader, Collected
from kenpo_lib.curate.corrections import Repair
from kenpo_lib.language import say

MARKS = ("◎", "○", "△", "×", "－")
STATISTICS = {
    **dict.fromkeys(("subscribers", "insured_persons", "dependents"), "persons"),
    "establishments": "offices",
    **dict.fromkeys(("total_remuneration", "medical_benefits"), "million_yen"),
}
_BUDGET_THEMES = (*THEMES, "analysis")


def read_budgets(reader: CellReader, out: Collected, repairs: list[Repair]) -> None:
    for line, row in reader.table.rows:
        reader.line, reader.row = line, dict(row)
        branch_code, year = reader.branch(), reader.year()
        theme = reader.one_of("theme", _BUDGET_THEMES, ", ".join(_BUDGET_THEMES))
        kpi = reader.kpi() if row["kpi_id"] else None
        budget = reader.number("budget_printed", units=("千円",))
        executed = reader.number("executed_printed", units=("千円",))
        rate = reader.number("rate_printed", units=("%",))
        if None in (branch_code, year, theme):
            continue
        out.budgets.append(
            {
                "branch_code": branch_code,
                "fiscal_year": year,
                "programme": row["programme"],
                "theme": theme,
                "kpi_id": kpi.kpi_id if kpi else None,
                "budget_thousand_yen": budget.value if budget else None,
                "executed_thousand_yen": executed.value if executed else None,
                "printed_rate_pct": rate.value if rate else None,
                "source_id": reader.table.source_id,
                "locator": reader.locator("table", "programme"),
                "note": row["note"] or None,
            }
        )


def read_marks(reader: CellReader, out: Collected, repairs: list[Repair]) -> None:
    for line, row in reader.table.rows:
        reader.line, reader.row = line, dict(row)
        branch_code, year, as_of = reader.branch(), reader.year(), reader.date("as_of")
        mark = reader.one_of("mark", (*MARKS, ""), " ".join(MARKS))
        if None in (branch_code, year, mark):
            continue
        out.self_assessments.append(
            {
                "branch_code": branch_code,
                "fiscal_year": year,
                "as_of": as_of,
                "section": row["section"],
                "plan_item": row["item"],
                "mark": mark or None,
                "source_id": reader.table.source_id,
                "locator": reader.locator("section", "item"),
                "note": row["note"] or None,
            }
        )


def read_statistics(reader: CellReader, out: Collected, repairs: list[Repair]) -> None:
    for line, row in reader.table.rows:
        reader.line, reader.row = line, dict(row)
        branch_code, year, as_of = reader.branch(), reader.year(), reader.date("as_of")
        statistic = reader.one_of("statistic", STATISTICS, ", ".join(STATISTICS))
        number = reader.number("printed", units=COUNT_WORDS)
        if not row["printed"]:
            reader.fault("printed", say("数値", "a number"), say("値がない行は書かない", "leave the row out"))
        if None in (branch_code, year, statistic, number):
            continue
        out.statistics.append(
            {
                "branch_code": branch_code,
                "statistic": statistic,
                "component": row["component"],
                "fiscal_year": year,
                "as_of": as_of,
                "value": number.value,
                "unit": STATISTICS[statistic],
                "is_projection": False,
                "source_id": reader.table.source_id,
                "locator": reader.locator("table", "row", "column"),
                "note": row["note"] or None,
            }
        )
