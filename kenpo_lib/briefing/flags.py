"""Branches × KPIs in one table: the value, and a mark only where the one verdict says that it differs from the nation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.themes import plain_number
from kenpo_lib.briefing.words import DIFFERENT, describe_flags, list_few
from kenpo_lib.catalogue import Kpi
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number
from kenpo_lib.tables import Html, bullet_list, cell, csv_link, heading, table

Row = dict[str, Any]

_MARKS = {
    "better": Text("◆良い", "◆ better"),
    "worse": Text("◇悪い", "◇ worse"),
    "higher": Text("◆高い", "◆ higher"),
    "lower": Text("◇低い", "◇ lower"),
}
_ALERT = Text("◇悪い・悪化中", "◇ worse, worsening")
_SMALL = Text("（小さな差）", " (small)")
_NO_DIFFERENCE = Text("範囲内", "within")
_GROUPS = (
    Text("↑上位1/5", "↑ top fifth"),
    Text("中の上", "2nd fifth"),
    Text("中ほど", "3rd fifth"),
    Text("中の下", "4th fifth"),
    Text("↓下位1/5", "↓ last fifth"),
)
_HIGH_LOW = (
    Text("↑高い1/5", "↑ highest fifth"),
    Text("やや高い", "rather high"),
    Text("中ほど", "middle"),
    Text("やや低い", "rather low"),
    Text("↓低い1/5", "↓ lowest fifth"),
)


@dataclass(frozen=True, slots=True)
class Flag:
    """What stands beside a value.

    Attributes:
        kind: ``better``, ``worse``, ``higher``, ``lower`` (marked, by the verdict) · ``no_difference`` (tested, no mark) ·
            ``group`` (not tested, only the fifth it lies in) · empty where nothing can be said.
        text: Its words with their shape; empty where nothing can be said.
    """

    kind: str
    text: str


def find_flag(row: Row, lang: str) -> Flag:
    """The flag of one cell, from the columns ``statistical``, ``practical``, ``alert`` and ``quantile_group`` alone."""
    verdict = row["statistical"]
    if verdict in DIFFERENT:
        word = _ALERT if row["alert"] else _MARKS[verdict]
        small = _SMALL(lang) if row["practical"] == "small" else ""
        return Flag(verdict, word(lang) + small)
    if verdict in ("no_difference", "same"):
        return Flag("no_difference", _NO_DIFFERENCE(lang))
    if row["quantile_group"] is not None:
        words = _HIGH_LOW if row["direction"] == "neither" else _GROUPS
        return Flag("group", words[row["quantile_group"] - 1](lang))
    return Flag("", "")


def list_flag_rows(briefing: Briefing) -> pl.DataFrame:
    """The year's rows of KPIs, under the definition in force, that at least ten branches have a value for."""
    in_force = {
        (kpi.kpi_id, definition.definition)
        for kpi in briefing.catalogue.kpis.values()
        if (definition := kpi.definition_in_force(briefing.fiscal_year))
    }
    year = briefing.page.year.filter(pl.col("branches_known") >= MIN_POSITION_BRANCHES)
    keys = pl.DataFrame(sorted(in_force), schema={"kpi_id": pl.String, "definition": pl.String}, orient="row")
    return year.join(keys, on=["kpi_id", "definition"], how="semi")


def show_flags(briefing: Briefing) -> Html:
    """All branches × the KPIs that at least ten of them have: value, rank and flag; the marked cells named first."""
    lang = briefing.lang
    rows = list_flag_rows(briefing)
    title = Text("支部と指標の一覧", "Branches and KPIs")(lang)
    head = heading(2, title, anchor="matrix")
    if rows.is_empty():
        note = Text("10支部以上の値がある指標はありません。", "No KPI has values for ten branches or more.")(lang)
        return Html('<section>{}<p class="note">{}</p></section>').format(head, note)
    known = dict(rows.select("kpi_id", "branches_known").unique().iter_rows())
    kpis = [kpi for kpi in briefing.catalogue.kpis.values() if kpi.kpi_id in known]
    cells = {(row["branch_code"], row["kpi_id"]): row for row in rows.to_dicts()}
    codes = briefing.catalogue.branch_codes
    body = [
        [
            f"{code} {briefing.catalogue.branches[code].name(lang)}",
            *(_flag_cell(cells.get((code, kpi.kpi_id)), kpi, lang) for kpi in kpis),
        ]
        for code in codes
    ]
    headings = [Text("支部", "Branch")(lang), *(_column_title(briefing, kpi, known[kpi.kpi_id]) for kpi in kpis)]
    ordered = [cells[code, kpi.kpi_id] for kpi in kpis for code in codes if (code, kpi.kpi_id) in cells]
    said = _conclude(briefing, ordered, shown=len(kpis))
    return Html("<section>{}{}{}{}{}</section>").format(
        head,
        bullet_list(said, css="conclusion"),
        _legend(ordered, lang, branches=briefing.branch_count),
        table(title, headings, body, css="matrix"),
        _flags_csv(briefing, ordered),
    )


show_branch_matrix = show_flags  # the name under which notebooks know this table


def _column_title(briefing: Briefing, kpi: Kpi, known: int) -> str:
    lang = briefing.lang
    parts = [kpi.unit_word(lang).strip()]
    if known < briefing.branch_count:
        parts.append(Text(f"{known}支部", f"{known} branches")(lang))
    inner = Text("・", ", ")(lang).join(part for part in parts if part)
    return kpi.short_name(lang) + (Text(f"（{inner}）", f" ({inner})")(lang) if inner else "")


def _flag_cell(row: Row | None, kpi: Kpi, lang: str) -> Html:
    label = kpi.short_name(lang)
    if row is None or row["value"] is None:
        return cell(None, css="num", label=label)
    flag = find_flag(row, lang)
    is_marked = flag.kind in DIFFERENT
    rank = ""
    if row["rank"] is not None:
        rank = Text(f"{row['rank']}位", f"{row['rank']}")(lang)
    value = format_number(row["value"], kpi.decimals)
    content = Html("{} <small>{}</small>").format(value, rank)
    if flag.text:
        css = {"better": "diff better", "worse": "diff worse"}.get(flag.kind, "diff")
        words = Html("<strong>{}</strong>").format(flag.text) if is_marked else flag.text
        content += Html('<span class="{}">{}</span>').format(css, words)
    return cell(content, css="num", label=label)


def _conclude(briefing: Briefing, rows: list[Row], *, shown: int) -> list[str]:
    lang, catalogue = briefing.lang, briefing.catalogue
    flagged = [
        (
            catalogue.branches[row["branch_code"]].name(lang),
            catalogue.kpis[row["kpi_id"]].short_name(lang),
            sentences.JUDGEMENT_WORDS[row["statistical"]](lang),
        )
        for row in rows
        if row["statistical"] in DIFFERENT
    ]
    tested = {row["kpi_id"] for row in rows if row["statistical_method"]}
    said = describe_flags(flagged, tested=len(tested), shown=shown, branches=briefing.branch_count, lang=lang)
    alerts = [
        f"{catalogue.branches[row['branch_code']].name(lang)} {catalogue.kpis[row['kpi_id']].short_name(lang)}"
        for row in rows
        if row["alert"]
    ]
    if alerts:
        names = list_few(alerts, lang)
        text = Text(f"確かに悪く、さらに悪化している: {names}。", f"Surely worse, and worsening: {names}.")
        said.insert(1, text(lang))
    return said


def _legend(rows: list[Row], lang: str, *, branches: int) -> Html:
    """What the marks that are in this table mean; no mark is explained that does not occur."""
    kinds = {find_flag(row, lang).kind for row in rows if row["value"] is not None}
    items = []
    if kinds & {"better", "worse"}:
        text = Text(
            "◆良い・◇悪い: 全国との差が、偶然でも支部間のふだんの差でも説明しにくい支部（同時に比べる数を補正した後の判定）。"
            "「小さな差」は実務上の目安より小さい差",
            "◆ better, ◇ worse: differs from the nation by more than chance and the usual differences explain (after correction "
            "for the number of comparisons). 'Small' is below the rule of thumb",
        )
        items.append(text(lang))
    if kinds & {"higher", "lower"}:
        items.append(
            Text(
                "◆高い・◇低い: 同じ判定で、良し悪しのない指標",
                "◆ higher, ◇ lower: the same for KPIs without a direction",
            )(lang)
        )
    if "no_difference" in kinds:
        items.append(Text("範囲内: 判定して、差があるとはいえない支部", "within: tested, no difference found")(lang))
    if "group" in kinds:
        text = Text(
            f"↑上位1/5から↓下位1/5: 件数が未公表で差を判定できないため、{branches}支部を5等分した位置だけを示す（良し悪しのない指標は↑高い・↓低い）",
            f"↑ top fifth to ↓ last fifth: counts are unpublished and no difference can be tested, so only the fifth of the {branches} "
            "branches (highest and lowest for KPIs without a direction)",
        )
        items.append(text(lang))
    unknown = Text(
        "–: 手元に年度の値がない。小さな数字は値の分かる支部の中の順位",
        "–: no value of the year. The small figure is the rank among the branches known",
    )
    items.append(unknown(lang))
    return Html('<div class="note">{}</div>').format(bullet_list(items))


def _flags_csv(briefing: Briefing, rows: list[Row]) -> Html:
    lang, catalogue = briefing.lang, briefing.catalogue
    headings = [
        word(lang)
        for word in (
            Text("支部コード", "Code"),
            Text("支部", "Branch"),
            Text("指標", "KPI"),
            Text("定義", "Definition"),
            Text("実績", "Result"),
            Text("順位", "Rank"),
            Text("順位の付いた支部数", "Branches ranked"),
            Text("判定", "Flag"),
            Text("出典", "Source"),
        )
    ]
    body = []
    for row in rows:
        kpi = catalogue.kpis[row["kpi_id"]]
        if row["value"] is None:
            continue
        body.append(
            [
                row["branch_code"],
                catalogue.branches[row["branch_code"]].name(lang),
                kpi.name(lang),
                row["definition"],
                plain_number(row["value"], kpi),
                row["rank"],
                row["ranked_count"],
                find_flag(row, lang).text,
                row["source_id"],
            ]
        )
    return csv_link(headings, body, file_name=f"kenpo_FY{briefing.fiscal_year}_branches_kpis.csv", lang=lang)
