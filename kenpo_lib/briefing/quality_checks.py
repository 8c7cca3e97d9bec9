"""What was checked, table by table, and what came of it."""

from __future__ import annotations

from typing import Any

from kenpo_lib.briefing.kpi_words import year_words
from kenpo_lib.briefing.quality import SECTIONS
from kenpo_lib.briefing.quality_data import Quality, list_warnings
from kenpo_lib.language import Text
from kenpo_lib.tables import Html, cell, csv_link, heading, join, table

SUITE_WORDS = {
    "observations": Text("実績", "results"),
    "targets": Text("目標", "targets"),
    "branches": Text("支部", "branches"),
    "sources": Text("出典", "sources"),
    "budgets": Text("予算", "budgets"),
    "self_assessments": Text("自己評価", "self-assessments"),
    "statistics": Text("加入者数などの統計", "statistics such as subscribers"),
    "superseded_targets": Text("置き換わった目標", "replaced targets"),
    "completeness": Text("全支部のそろい", "completeness of all branches"),
}
EXAMPLES = 2
_SEVERITY = {"critical": Text("公表を止める", "stops publication"), "warning": Text("注意", "warning")}
_OUTCOME = {
    "ok": Text("合格", "passed"),
    "fail": Text("不適合", "failed"),
    "error": Text("検査できない", "could not be made"),
}


def show_quality_checks(quality: Quality) -> Html:
    """The suites with how many of their checks passed, and every check in words."""
    lang = quality.lang
    headings = [
        word(lang)
        for word in (
            Text("表", "Table"),
            Text("行数", "Rows"),
            Text("検査", "Checks"),
            Text("合格", "Passed"),
            Text("注意", "Warnings"),
            Text("公表を止める", "Stopping"),
            Text("例", "Examples"),
        )
    ]
    rows = [
        [
            suite_words(name, lang),
            _count_rows(quality, name),
            counts["checks"],
            counts["ok"],
            counts["warning"],
            counts["critical"] + counts["error"],
            cell(_examples(quality, name), label=headings[-1]),
        ]
        for name, counts in quality.verdict["summary"].items()
    ]
    title = SECTIONS["checks"](lang)
    note = Text(
        "「公表を止める」検査に1つでも不適合があると、どの頁も作られません。「注意」は、値の横や頁の終わりに示されます。",
        "If one check that stops publication fails, no page is made. Warnings are shown beside the values or at the end of a page.",
    )(lang)
    return Html('<section>{}<p class="note">{}</p>{}{}</section>').format(
        heading(2, title, anchor="checks"), note, table(title, headings, rows, css="cards checks"), _all_checks(quality)
    )


def suite_words(name: str, lang: str) -> str:
    """A table in a reader's words; one that is not known here by its own name."""
    return SUITE_WORDS[name](lang) if name in SUITE_WORDS else name


def _count_rows(quality: Quality, name: str) -> str | None:
    """The rows of a curated table; the suite on completeness looks at several tables."""
    rows = quality.data.facts["rows"]
    return f"{rows[name]:,}" if name in rows else None


def _examples(quality: Quality, name: str) -> str:
    """Two checks of a suite that ask more than whether something is there: those of worked-out columns, else the last ones."""
    checks = [check for check in quality.verdict["checks"] if check["table"] == name]
    telling = [check for check in checks if (check["column"] or "").startswith("check_")] or checks
    words = [check["words"][quality.lang] for check in telling[-EXAMPLES:]]
    if not words:
        return "–"
    return Text("。", ". ")(quality.lang).join(words) + Text("。", ".")(quality.lang)


def _all_checks(quality: Quality) -> Html:
    lang = quality.lang
    headings = [
        word(lang)
        for word in (
            Text("表", "Table"),
            Text("検査の内容", "Check"),
            Text("不適合のとき", "On failure"),
            Text("結果", "Result"),
            Text("不適合の行", "Failing rows"),
        )
    ]
    rows = [
        [
            suite_words(check["table"], lang),
            check["words"][lang],
            _SEVERITY[check["severity"]](lang),
            _OUTCOME[check["outcome"]](lang),
            check["rows"],
        ]
        for check in quality.verdict["checks"]
    ]
    caption = Text("すべての検査", "All checks")(lang)
    summary = Text("すべての検査を見る", "Show all checks")(lang)
    return Html("<details><summary>{}</summary>{}{}</details>").format(
        summary,
        table(caption, headings, rows, css="places"),
        csv_link(headings, rows, file_name="kenpo_checks.csv", lang=lang),
    )


def warning_table(quality: Quality, warnings: list[dict[str, Any]], caption: str) -> Html:
    """Findings of the checks, one per row: whom it concerns, what was expected and found, and where."""
    lang, catalogue = quality.lang, quality.briefing.catalogue
    headings = [
        word(lang)
        for word in (
            Text("対象", "About"),
            Text("検査の内容", "Check"),
            Text("分かったこと", "Found"),
            Text("出典と箇所", "Source and place"),
        )
    ]
    rows = []
    for warning in warnings:
        kpi = catalogue.kpis.get(warning["kpi_id"] or "")
        branch = quality.branches.get(warning["branch_code"] or "")
        year = year_words(warning["fiscal_year"], lang) if warning["fiscal_year"] else ""
        about = [branch.name(lang) if branch else "", year, kpi.short_name(lang) if kpi else ""]
        place = [warning["source_id"] or "", warning["locator"] or ""]
        rows.append(
            [
                " ".join(filter(None, about)) or suite_words(warning["table"], lang),
                cell(warning["words"][lang], label=headings[1]),
                cell(warning["found"][lang], label=headings[2]),
                cell(" ".join(filter(None, place)) or "–", label=headings[3]),
            ]
        )
    return table(caption, headings, rows, css="cards")


def show_findings(quality: Quality) -> Html:
    """Stopping findings and warnings but for the conflicts, which have a table of their own; empty without any."""
    lang = quality.lang
    parts = []
    for title, found in (
        (Text("公表を止める不適合", "Findings that stop publication"), quality.verdict["critical"]),
        (Text("そのほかの注意", "Other warnings"), list_warnings(quality)),
    ):
        if found:
            parts.append(heading(3, title(lang)) + warning_table(quality, found, title(lang)))
    return join(parts)
