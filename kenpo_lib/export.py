"""The comparison frame and the incentive scores → text for a terminal, CSV and JSON."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.catalogue import Catalogue
from kenpo_lib.console import align
from kenpo_lib.language import Text, console_language
from kenpo_lib.normalise import format_number
from kenpo_lib.stats.incentive import INDICATORS
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
    return align(rows)


def to_incentive_table(frame: pl.DataFrame, catalogue: Catalogue) -> str:
    """The incentive scores as ``to_console_table``: total, rank, reward, and the increase of each indicator that is missing.

    Args:
        frame: From ``kenpo_lib.incentive.compute_incentive``.
    """
    lang = console_language()
    last = frame["rewarded_ranks"][0] if frame.height else ""
    headings = [
        word(lang)
        for word in (
            Text("支部", "branch"),
            Text("合計点", "total"),
            Text("水準", "level"),
            Text("伸び", "growth"),
            Text("順位", "rank"),
            Text(f"{last}位まで(点)", f"to rank {last}"),
            Text("料率への影響(%)", "premium rate (%)"),
            Text("報奨金(百万円)", "reward (m yen)"),
            *(
                Text(f"{k} {kpi.short_name.ja}(あと)", f"{k} {kpi.short_name.en} (needs)")
                for k, kpi in enumerate((catalogue.kpis[kpi_id] for kpi_id in INDICATORS), start=1)
            ),
        )
    ]
    rows = [headings]
    for row in frame.to_dicts():
        amounts = [(row[name], 1) for name in ("total", "level_points", "growth_points")]
        distance, effect = (row["points_to_reward"], 1), [(row["net_pct"], 3), (row["reward_million_yen"], 0)]
        needs = [_needs_words(row[f"{kpi_id}_value"], row[f"{kpi_id}_increase_needed"]) for kpi_id in INDICATORS]
        rows.append(
            [
                f"{row['branch_code']} {catalogue.branches[row['branch_code']].name(lang)}",
                *(format_number(value, decimals) for value, decimals in amounts),
                f"{row['rank']}/{row['ranked_count']}" if row["rank"] else "–",
                *(format_number(value, decimals) for value, decimals in (distance, *effect)),
                *needs,
            ]
        )
    return align(rows)


def _needs_words(value: float | None, increase: float | None) -> str:
    """``32.2 (+0.6)``; the value alone where nothing is missing, ``(–)`` where no increase is enough or none is known."""
    return format_number(value, 1) + (f" ({format_number(increase, 1, signed=True)})" if increase != 0 else "")
