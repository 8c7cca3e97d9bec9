"""Where sources differ, what the checks warned of, and values that are not there yet."""

from __future__ import annotations

from kenpo_lib import sentences
from kenpo_lib.briefing.kpi_words import year_words
from kenpo_lib.briefing.quality import SECTIONS
from kenpo_lib.briefing.quality_checks import show_findings
from kenpo_lib.briefing.quality_data import Quality, Row, list_conflicts, list_open, list_replaced_targets
from kenpo_lib.briefing.quality_words import month_words, name_value
from kenpo_lib.briefing.words import remark_words
from kenpo_lib.language import Text
from kenpo_lib.normalise import TargetRule
from kenpo_lib.tables import Html, cell, heading, table
from kenpo_lib.targets import Target


def show_quality_conflicts(quality: Quality) -> Html:
    """Values that sources print differently with both places, other findings, and targets that were replaced."""
    lang = quality.lang
    return Html("<section>{}{}{}{}</section>").format(
        heading(2, SECTIONS["conflicts"](lang), anchor="conflicts"),
        _conflict_table(quality),
        show_findings(quality),
        _replaced_targets(quality),
    )


def _conflict_table(quality: Quality) -> Html:
    conflicts, lang = list_conflicts(quality), quality.lang
    if not conflicts:
        none = Text("出典によって値が異なるものはありません。", "No two sources print different values.")(lang)
        return Html("<p>{}</p>").format(none)
    headings = [
        word(lang)
        for word in (
            Text("値", "Value"),
            Text("採用", "Used"),
            Text("採用した出典と箇所", "Source and place of it"),
            Text("不採用", "Not used"),
            Text("不採用の出典と箇所", "Source and place of the other"),
        )
    ]
    rows = []
    for conflict in conflicts:
        kpi = quality.briefing.catalogue.kpis[conflict.kpi_id]
        rows.append(
            [
                name_value(conflict, quality),
                sentences.value_words(conflict.used, kpi, lang),
                cell(_place(conflict.used_source_id, conflict.used_locator, quality), label=headings[2]),
                sentences.value_words(conflict.other, kpi, lang),
                cell(_place(conflict.other_source_id, conflict.other_locator, quality), label=headings[4]),
            ]
        )
    note = Text(
        "公表の新しい出典の値を採り、古い値も捨てずに残しています。",
        "The value of the newer source is used; the other is kept.",
    )(lang)
    caption = Text("出典によって異なる値", "Values that sources print differently")(lang)
    return Html('{}<p class="note">{}</p>').format(table(caption, headings, rows, css="cards conflicts"), note)


def _place(source_id: str, locator: str, quality: Quality) -> Html:
    """The document's title and month of issue, and the place in it."""
    sources = {row["source_id"]: row for row in quality.data.tables["sources"].to_dicts()}
    source = sources.get(source_id)
    title = source_id
    if source:
        month = month_words(source["order_date"], quality.lang)
        title = source["title"] + Text(f"（{month}）", f" ({month})")(quality.lang)
    return Html("{}<br><small>{}: {}</small>").format(title, source_id, locator)


# --- targets ----------------------------------------------------------------------------------------------------------


def _replaced_targets(quality: Quality) -> Html:
    """Targets of a plan that a newer document states again; the checks compare their numbers."""
    replaced, lang = list_replaced_targets(quality), quality.lang
    if not replaced:
        return Html("")
    others = [row for row in replaced if row["is_other"]]
    warned = [warning for warning in quality.verdict["warnings"] if warning["table"] == "superseded_targets"]
    agrees = Text(
        "数値は、対前年度の目標を前年度の値に直して比べると一致しています。",
        "Their numbers agree, with prior-year rules resolved.",
    )
    differs = Text(f"数値が一致しないのは{len(warned)}件です。", f"Numbers differ in {len(warned)}.")
    title = Text("新しい出典で置き換えた目標", "Targets replaced by a newer source")(lang)
    said = Text(
        f"{len(replaced)}件の目標を、新しい出典のものに置き換えています。このうち規則の書き方が変わったのは{len(others)}件です。",
        f"{len(replaced)} targets were replaced by those of a newer source; {len(others)} are worded differently. ",
    )(lang)
    return Html("{}<p>{}{}</p>{}").format(
        heading(3, title),
        said,
        (differs if warned else agrees)(lang),
        _target_details(quality, others) if others else "",
    )


def _target_details(quality: Quality, rows: list[Row]) -> Html:
    lang, catalogue = quality.lang, quality.briefing.catalogue
    headings = [
        word(lang)
        for word in (
            Text("目標", "Target"),
            Text("採用（新しい出典）", "Used (newer)"),
            Text("置き換えた目標", "Replaced"),
            Text("新しい出典", "Newer source"),
            Text("古い出典", "Older source"),
        )
    ]
    body = []
    for row in rows:
        kpi = catalogue.kpis[row["kpi_id"]]
        shown = {"decimals": kpi.decimals, "unit": kpi.unit_word(lang), "lang": lang}
        new, old = (
            Target(TargetRule(row[f"{which}rule"]), row[f"{which}value"], row[f"{which}floor"]).words(**shown)
            for which in ("new_", "")
        )
        name = f"{quality.branches[row['branch_code']].name(lang)} {year_words(row['fiscal_year'], lang)} {kpi.short_name(lang)}"
        places = (f"{row[f'{which}source_id']}: {row[f'{which}locator']}" for which in ("new_", ""))
        body.append([name, new, old, *places])
    caption = Text("書き方が変わった目標", "Targets worded differently")(lang)
    return Html("<details><summary>{0}</summary>{1}</details>").format(
        caption, table(caption, headings, body, css="places")
    )


# --- values that are not there yet ------------------------------------------------------------------------------------


def show_quality_open_values(quality: Quality) -> Html:
    """Pending and part-way values, each with what its source says and where."""
    rows, lang = list_open(quality), quality.lang
    title = heading(2, SECTIONS["open"](lang), anchor="open")
    if not rows:
        none = Text(
            "公表待ちの値や、年度途中の値だけのものはありません。", "Nothing is pending or known part-way only."
        )
        return Html("<section>{}<p>{}</p></section>").format(title, none(lang))
    headings = [
        word(lang)
        for word in (
            Text("支部", "Branch"),
            Text("年度", "Year"),
            Text("指標", "KPI"),
            Text("手元にあるもの", "At hand"),
            Text("出典と箇所", "Source and place"),
        )
    ]
    body = [
        [
            quality.branches[row["branch_code"]].name(lang),
            year_words(row["fiscal_year"], lang),
            quality.briefing.catalogue.kpis[row["kpi_id"]].short_name(lang),
            cell(_open_words(row, quality), label=headings[3]),
            cell(_open_place(row, quality), label=headings[4]),
        ]
        for row in rows
    ]
    caption = SECTIONS["open"](lang)
    return Html("<section>{}{}</section>").format(title, table(caption, headings, body, css="cards open"))


def _open_words(row: Row, quality: Quality) -> str:
    lang, kpi = quality.lang, quality.briefing.catalogue.kpis[row["kpi_id"]]
    if row["status"] == "interim":
        return sentences.interim_words(row, kpi, lang)
    pending = sentences.STATUS_WORDS["pending"](lang)
    if not row["pending_note"]:
        return pending
    note = remark_words(row["pending_note"], lang)
    return Text(f"{pending}（注記: {note}）", f"{pending} (note: {note})")(lang)


def _open_place(row: Row, quality: Quality) -> str:
    if row["status"] == "interim":
        return f"{row['interim_source_id']}: {row['interim_locator']}"
    key = [row[name] for name in ("branch_code", "kpi_id", "definition", "fiscal_year")]
    for entry in quality.verdict["pending"]:
        if [entry[name] for name in ("branch_code", "kpi_id", "definition", "fiscal_year")] == key:
            return f"{entry['source_id']}: {entry['locator']}"
    return "–"
