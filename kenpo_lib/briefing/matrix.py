"""Branches × KPIs in one table, in the reading order that is asked for: value, rank, and a mark where there is one."""

from __future__ import annotations

from kenpo_lib import sentences
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.flags import DIFFERENT, Row, find_flag, list_flag_rows, write_legend
from kenpo_lib.briefing.themes import plain_number
from kenpo_lib.briefing.words import describe_flags, list_few
from kenpo_lib.catalogue import THEMES, Kpi
from kenpo_lib.errors import InputError
from kenpo_lib.language import Text, say
from kenpo_lib.normalise import format_number
from kenpo_lib.tables import Html, bullet_list, cell, csv_link, heading, join

CODE, BLOCK = "code", "block"
_EXTREMES = (1, 5)  # fifths that carry a mark; the middle three would only fill the page
_SORTED = Text("この指標の順", "sorted by it")


def show_flags(briefing: Briefing, *, order: str = CODE) -> Html:
    """All branches × the KPIs that at least ten of them have: value, rank and flag; the marked cells named first.

    Args:
        briefing: The national page.
        order: How the branches are read: ``code``, ``block`` (by region), or a kpi_id of the table (by its rank).

    Raises:
        InputError: Another order; the message names those that there are.
    """
    lang, catalogue = briefing.lang, briefing.catalogue
    rows = list_flag_rows(briefing)
    known = dict(rows.select("kpi_id", "branches_known").unique().iter_rows())
    kpis = [kpi for theme in THEMES for kpi in catalogue.kpis.values() if kpi.kpi_id in known and kpi.theme == theme]
    cells = {(row["branch_code"], row["kpi_id"]): row for row in rows.to_dicts()}
    groups = order_branches(briefing, kpis, cells, order=order)
    title = Text("支部と指標の一覧", "Branches and KPIs")(lang)
    head = heading(2, title, anchor="matrix")
    if not kpis:
        note = Text("10支部以上の値がある指標はありません。", "No KPI has values for ten branches or more.")(lang)
        return Html('<section>{}<p class="note">{}</p></section>').format(head, note)
    ordered = [
        cells[code, kpi.kpi_id] for kpi in kpis for code in catalogue.branch_codes if (code, kpi.kpi_id) in cells
    ]
    headings = [
        Text("支部", "Branch")(lang),
        *(_column_title(briefing, kpi, known[kpi.kpi_id], is_order=kpi.kpi_id == order) for kpi in kpis),
    ]
    bodies = [
        Html("<tbody>{}{}</tbody>").format(
            _group_row(name, len(headings)), join(_branch_row(briefing, code, kpis, cells) for code in codes)
        )
        for name, codes in groups
    ]
    grid = Html(
        '<div class="scroll" tabindex="0" role="group" aria-label="{0}"><table class="matrix flags"><caption>{0}</caption>'
        "<thead><tr>{1}</tr></thead>{2}</table></div>"
    ).format(title, join(cell(word, kind="th", scope="col") for word in headings), join(bodies))
    return Html("<section>{}{}{}{}{}</section>").format(
        head,
        bullet_list(_conclude(briefing, ordered, shown=len(kpis)), css="conclusion"),
        write_legend(ordered, lang, branches=briefing.branch_count),
        grid,
        _flags_csv(briefing, ordered),
    )


show_branch_matrix = show_flags  # the name under which notebooks know this table


def order_branches(
    briefing: Briefing, kpis: list[Kpi], cells: dict[tuple[str, str], Row], *, order: str
) -> list[tuple[str, list[str]]]:
    """All codes in the order asked for, in groups with a name; one group without a name unless by region.

    Raises:
        InputError: An order that there is not.
    """
    codes = list(briefing.catalogue.branch_codes)
    if order == CODE:
        return [("", codes)]
    if order == BLOCK:
        names = [briefing.catalogue.branches[code].block(briefing.lang) for code in codes]
        return [
            (name, [code for code, own in zip(codes, names, strict=True) if own == name])
            for name in dict.fromkeys(names)
        ]
    allowed = [CODE, BLOCK, *(kpi.kpi_id for kpi in kpis)]
    if order not in allowed:
        listed = ", ".join(allowed)
        raise InputError(
            say(
                f"支部の並び order={order!r} はありません。{briefing.fiscal_year}年度に使えるもの: {listed}",
                f"There is no order of branches {order!r}. Fiscal year {briefing.fiscal_year} has: {listed}",
            )
        )
    ranks = {code: cells[code, order]["rank"] for code in codes if (code, order) in cells}
    return [("", sorted(codes, key=lambda code: (ranks.get(code) is None, ranks.get(code), code)))]


def _group_row(name: str, columns: int) -> Html:
    if not name:
        return Html("")
    return Html('<tr class="group"><th colspan="{}" scope="rowgroup">{}</th></tr>').format(columns, name)


def _branch_row(briefing: Briefing, code: str, kpis: list[Kpi], cells: dict[tuple[str, str], Row]) -> Html:
    lang = briefing.lang
    name = cell(f"{code} {briefing.catalogue.branches[code].name(lang)}", kind="th", scope="row")
    return Html("<tr>{}{}</tr>").format(
        name, join(_flag_cell(cells.get((code, kpi.kpi_id)), kpi, lang) for kpi in kpis)
    )


def _column_title(briefing: Briefing, kpi: Kpi, known: int, *, is_order: bool) -> str:
    lang = briefing.lang
    parts = [kpi.unit_word(lang).strip()]
    if known < briefing.branch_count:
        parts.append(Text(f"{known}支部", f"{known} branches")(lang))
    if is_order:
        parts.append(_SORTED(lang))
    inner = Text("・", ", ")(lang).join(part for part in parts if part)
    return kpi.short_name(lang) + (Text(f"（{inner}）", f" ({inner})")(lang) if inner else "")


def _flag_cell(row: Row | None, kpi: Kpi, lang: str) -> Html:
    """Value, rank and mark in one line; the fifths in between carry none."""
    if row is None or row["value"] is None:
        return cell(None, css="num")
    flag = find_flag(row, lang)
    is_marked = flag.kind in DIFFERENT
    is_shown = is_marked or (flag.kind == "group" and row["quantile_group"] in _EXTREMES)
    rank = "" if row["rank"] is None else Text(f"{row['rank']}位", f"{row['rank']}")(lang)
    words = flag.text if is_marked else flag.text[:1]
    mark = Html('<span class="flag{}">{}</span>').format(
        f" {flag.kind}" if is_marked else "", words if is_shown else ""
    )
    return cell(
        Html("{} <small>{}</small> {}").format(format_number(row["value"], kpi.decimals), rank, mark), css="num"
    )


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
