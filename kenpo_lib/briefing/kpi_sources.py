"""Where the numbers of one KPI came from, what the sources say of them, and where sources differ."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.briefing.kpi_data import KpiDetail, Row
from kenpo_lib.briefing.kpi_words import year_words
from kenpo_lib.briefing.sources import source_table
from kenpo_lib.briefing.words import list_few, remark_words
from kenpo_lib.catalogue import NATION
from kenpo_lib.language import Text
from kenpo_lib.tables import Html, bullet_list, heading, table

_ROLES = (
    ("source_id", "locator", Text("実績", "result")),
    ("interim_source_id", "interim_locator", Text("中間値", "interim value")),
    ("target_source_id", "target_locator", Text("目標", "target")),
)


def show_kpi_sources(detail: KpiDetail) -> Html:
    """Notes on the data, places of the numbers, and the documents."""
    lang = detail.lang
    notes = list_notes(detail)
    note_title = Text("データの注意", "Notes on the data")(lang)
    noted = Html("{}{}").format(heading(3, note_title), bullet_list(notes, css="note")) if notes else ""
    uses, sources = list_uses(detail), detail.briefing.page.sources
    return Html("<section>{}{}{}{}</section>").format(
        heading(2, Text("データの注意と出典", "Data notes and sources")(lang), anchor="sources"),
        noted,
        _use_table(detail, uses) if not uses.is_empty() else "",
        "" if sources.is_empty() else source_table(sources, lang),
    )


def count_notes(detail: KpiDetail) -> int:
    return len(list_notes(detail))


# --- notes ------------------------------------------------------------------------------------------------------------


def list_notes(detail: KpiDetail) -> list[str]:
    """Conflicts between sources, warnings of the checks, and remarks of the sources on single values."""
    return list(dict.fromkeys([*_say_conflicts(detail), *_say_warnings(detail), *_say_remarks(detail)]))


def _all_rows(detail: KpiDetail) -> list[Row]:
    return [*detail.nation.to_dicts(), *detail.values.to_dicts()]


def _say_conflicts(detail: KpiDetail) -> Iterator[str]:
    """The value used and the value not used, each with its source."""
    kpi, lang = detail.kpi, detail.lang
    for row in _all_rows(detail):
        for other in row["conflicts"] or ():
            where = f"{detail.branches[row['branch_code']].name(lang)} {year_words(row['fiscal_year'], lang)}"
            used, left = (sentences.value_words(value, kpi, lang) for value in (row["value"], other["value"]))
            yield Text(
                f"{where}: 出典で値が異なる。採用は{used}（{row['source_id']}、{row['locator']}）、"
                f"不採用は{left}（{other['source_id']}、{other['locator']}）。新しい出典を採った。",
                f"{where}: sources differ. Used: {used} ({row['source_id']}, {row['locator']}); "
                f"not used: {left} ({other['source_id']}, {other['locator']}). The newer source is used.",
            )(lang)


def _say_warnings(detail: KpiDetail) -> Iterator[str]:
    lang = detail.lang
    for warning in detail.briefing.page.warnings:
        if warning["column"] != "check_source_values":  # worded above, with the value that is used
            yield f"{warning['words'][lang]} – {warning['found'][lang]}"


def _say_remarks(detail: KpiDetail) -> Iterator[str]:
    """What a source says of a value, once, with the branches and years that it is about."""
    lang = detail.lang
    about: dict[str, list[str]] = {}
    for row in _all_rows(detail):
        if row["note"]:
            place = f"{detail.branches[row['branch_code']].name(lang)} {year_words(row['fiscal_year'], lang)}"
            about.setdefault(row["note"], []).append(place)
    for remark, places in about.items():
        yield f"{list_few(places, lang, most=4)}: {remark_words(remark, lang)}"


# --- places -----------------------------------------------------------------------------------------------------------


def list_uses(detail: KpiDetail) -> pl.DataFrame:
    """One row per source, year, definition and role: how many figures it gives, and the place of the first."""
    found = [
        (
            row[source],
            row["fiscal_year"],
            row["definition"],
            order,
            "nation" if row["branch_code"] == NATION else "branch",
            row[place] or "",
        )
        for row in _all_rows(detail)
        for order, (source, place, _) in enumerate(_ROLES)
        if row[source]
    ]
    columns = ["source_id", "fiscal_year", "definition", "role", "whose", "locator"]
    frame = pl.DataFrame(found, schema=columns, orient="row")
    keys = columns[:5]
    return (
        frame.group_by(keys)
        .agg(pl.len().alias("figures"), pl.col("locator").sort().first())
        .sort("fiscal_year", "definition", "role", "whose", "source_id")
    )


def _use_table(detail: KpiDetail, uses: pl.DataFrame) -> Html:
    lang = detail.lang
    headings = [
        word(lang)
        for word in (
            Text("年度", "Year"),
            Text("定義", "Definition"),
            Text("数値", "Figures"),
            Text("出典ID", "Source"),
            Text("箇所（複数あるときは最初）", "Place (of the first)"),
        )
    ]
    rows = [
        [
            year_words(row["fiscal_year"], lang),
            row["definition"],
            _figures_words(row, lang),
            row["source_id"],
            row["locator"],
        ]
        for row in uses.to_dicts()
    ]
    title = Text("数値ごとの出典と箇所", "Source and place of each number")(lang)
    note = Text(
        "すべての値の箇所は「支部と年度の一覧」のCSVにあります。",
        "The CSV of “Branches and years” has the place of every value.",
    )(lang)
    return Html('<details><summary>{0}</summary>{1}<p class="note">{2}</p></details>').format(
        title, table(title, headings, rows, css="places"), note
    )


def _figures_words(row: Row, lang: str) -> str:
    role = _ROLES[row["role"]][2](lang)
    if row["whose"] == "nation":
        return Text(f"全国の{role}", f"{role}, nation")(lang)
    return Text(f"支部の{role} {row['figures']}", f"{role}, {row['figures']} branches")(lang)
