"""The comparison frame → text for a terminal, CSV and JSON."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.catalogue import Catalogue
from kenpo_lib.language import Text, console_language
from kenpo_lib.tables import to_csv


def to_csv_text(frame: pl.DataFrame) -> str:
    """All columns as CSV for Excel (UTF-8 with BOM, CRLF); lists and conflicts as JSON text."""
    rows = [[_flat(value) for value in row] for row in frame.iter_rows()]
    return to_csv(frame.columns, rows).decode("utf-8")


def to_json_text(frame: pl.DataFrame) -> str:
    """A JSON array of objects, one per row; null for what is missing."""
    return json.dumps(frame.to_dicts(), ensure_ascii=False, indent=1, default=str) + "\n"


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else value


def to_console_table(frame: pl.DataFrame, catalogue: Catalogue) -> str:
    """The columns that a person asks for first, aligned for a terminal that shows wide characters as two."""
    lang = console_language()
    headings = [
        word(lang)
        for word in (
            Text("支部", "branch"),
            Text("指標", "KPI"),
            Text("定義", "def."),
            Text("実績", "result"),
            Text("全国", "nation"),
            Text("差", "difference"),
            Text("前年度", "prior"),
            Text("目標", "target"),
            Text("判定", "verdict"),
            Text("順位", "rank"),
        )
    ]
    rows = [headings]
    for row in frame.to_dicts():
        kpi = catalogue.kpis[row["kpi_id"]]
        value = sentences.value_words(row["value"], kpi, lang)
        if row["status"] == "interim":
            value = sentences.interim_words(row, kpi, lang)
        elif row["value"] is None:
            value = sentences.STATUS_WORDS[row["status"]](lang)
        mark = sentences.NATIONAL_MARKS[row["national_kind"]](lang) if row["national_kind"] else ""
        rows.append(
            [
                f"{row['branch_code']} {catalogue.branches[row['branch_code']].name(lang)}",
                kpi.short_name(lang),
                row["definition"],
                value,
                f"{sentences.value_words(row['national'], kpi, lang)} {mark}".strip(),
                sentences.difference_words(row["national_difference"], kpi, lang),
                sentences.value_words(row["prior_value"], kpi, lang),
                sentences.target_words(row, kpi, lang),
                sentences.result_words(row, lang),
                sentences.rank_words(row, lang),
            ]
        )
    widths = [max(_width(row[column]) for row in rows) for column in range(len(headings))]
    lines = [
        "  ".join(text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * min(sum(widths) + 2 * len(widths), 160), *lines[1:]]) + "\n"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
