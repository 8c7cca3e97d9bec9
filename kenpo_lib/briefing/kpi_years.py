"""All branches and years of one KPI in one table: the value, and a shape for the fifth it lies in or the verdict on it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.briefing.kpi_bands import find_band
from kenpo_lib.briefing.kpi_data import KpiDetail, Row
from kenpo_lib.briefing.kpi_words import year_words
from kenpo_lib.catalogue import NATION, period_words
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year, format_number
from kenpo_lib.tables import Html, bullet_list, cell, csv_link, heading, join

Column = tuple[str, int]

_TITLE = Text("支部と年度の一覧", "Branches and years")
_OPEN_WORDS = {"interim": Text("中間", "interim"), "pending": Text("未公表", "pending")}


def list_columns(detail: KpiDetail) -> list[Column]:
    """Definition and year of every column, definitions in their order: what is known from the first year with branches on.

    The nation's years before that would be columns of dashes; they stand with the chart's data.
    """
    has_something = pl.col("value").is_not_null() | pl.col("status").is_in(list(_OPEN_WORDS))
    branches, nation = (
        set(frame.filter(has_something).select("definition", "fiscal_year").iter_rows())
        for frame in (detail.values, detail.nation)
    )
    first = min((year for _, year in branches), default=0)
    order = [definition.definition for definition in detail.definitions]
    found = branches | {column for column in nation if column[1] >= first}
    return sorted(found, key=lambda column: (order.index(column[0]), column[1]))


def list_branches(detail: KpiDetail, columns: Sequence[Column]) -> list[str]:
    """Codes of the rows: all branches where all have a value in some year, else those of which anything is known."""
    if detail.years["is_full"].any():
        return list(detail.briefing.catalogue.branch_codes)
    shown = set(columns)
    return sorted(
        {
            row["branch_code"]
            for row in detail.values.to_dicts()
            if (row["definition"], row["fiscal_year"]) in shown
            and (row["value"] is not None or row["status"] in _OPEN_WORDS)
        }
    )


def show_kpi_years(detail: KpiDetail) -> Html:
    """The table, what its marks mean, and everything in it as CSV; empty where nothing is known."""
    lang, columns = detail.lang, list_columns(detail)
    if not columns:
        return Html("")
    codes = list_branches(detail, columns)
    cells = {(row["branch_code"], row["definition"], row["fiscal_year"]): row for row in detail.values.to_dicts()}
    shown = [cells[code, *column] for code in codes for column in columns if (code, *column) in cells]
    ranked = detail.latest if _is_ranked(detail) else None
    body = join(
        [
            _nation_row(detail, columns, has_rank=ranked is not None),
            *(_branch_row(detail, code, columns, cells, ranked) for code in codes),
        ]
    )
    title = _TITLE(lang)
    grid = Html(
        '<div class="scroll" tabindex="0" role="group" aria-label="{0}"><table class="matrix years"><caption>{0}</caption>'
        "<thead>{1}</thead><tbody>{2}</tbody></table></div>"
    ).format(title, _head(detail, columns, ranked), body)
    return Html("<section>{}{}{}{}</section>").format(
        heading(2, title, anchor="years"), _legend(detail, shown, codes), grid, _years_csv(detail, columns, cells)
    )


def _is_ranked(detail: KpiDetail) -> bool:
    return detail.latest is not None and any(
        (row["ranked_count"] or 0) >= MIN_POSITION_BRANCHES for row in detail.rows_in(*detail.latest)
    )


def _breaks(columns: Sequence[Column]) -> set[Column]:
    """The columns before which the definition changes."""
    return {after for before, after in itertools.pairwise(columns) if before[0] != after[0]}


def _head(detail: KpiDetail, columns: Sequence[Column], ranked: Column | None) -> Html:
    lang, breaks = detail.lang, _breaks(columns)
    branch_word = Text("支部", "Branch")(lang)
    names = [
        Html('<th scope="col" class="num{}">{}</th>').format(
            " break" if column in breaks else "", _year_title(column[1], lang)
        )
        for column in columns
    ]
    last = Html('<th scope="col" class="num">{}</th>').format(_rank_title(detail, ranked)) if ranked else Html("")
    plain = Html('<tr><th scope="col">{}</th>{}{}</tr>').format(branch_word, join(names), last)
    if not breaks:
        return plain
    groups = []
    for name in dict.fromkeys(definition for definition, _ in columns):
        wide = sum(definition == name for definition, _ in columns)
        words = period_words(detail.kpi.definitions[name], lang)
        groups.append(
            Html('<th colspan="{}" scope="colgroup" class="{}">{}</th>').format(
                wide, "break" if groups else "", Text(f"定義: {words}", f"Definition: {words}")(lang)
            )
        )
    over = Html("<tr><td></td>{}{}</tr>").format(join(groups), Html("<td></td>") if ranked else "")
    return over + plain


def _rank_title(detail: KpiDetail, ranked: Column) -> str:
    count = next(row["ranked_count"] for row in detail.rows_in(*ranked) if row["ranked_count"])
    return Text(f"順位／{count}", f"Rank of {count}")(detail.lang)


def _year_title(fiscal_year: int, lang: str) -> Html:
    name = format_fiscal_year(fiscal_year, lang=lang)
    return Html("{} <small>{}</small>").format(name, fiscal_year) if lang == "ja" else Html("{}").format(name)


def _nation_row(detail: KpiDetail, columns: Sequence[Column], *, has_rank: bool) -> Html:
    lang, breaks = detail.lang, _breaks(columns)
    years = {(row["definition"], row["fiscal_year"]): row for row in detail.years.to_dicts()}
    cells = []
    for column in columns:
        row, own = years.get(column), detail.nation_in(*column)
        css = "num break" if column in breaks else "num"
        if row is None or row["national"] is None:
            cells.append(cell(_open_words(own, detail) if own else None, css=css))
            continue
        mark = "" if detail.kpi.unit.is_total else sentences.NATIONAL_MARKS[row["national_kind"]](lang)
        value = format_number(row["national"], detail.kpi.decimals)
        cells.append(cell(Html("{}{}").format(value, Html(" <small>{}</small>").format(mark) if mark else ""), css=css))
    name = Text("全国計", "Total")(lang) if detail.kpi.unit.is_total else Text("全国", "Nation")(lang)
    return Html('<tr class="nation"><th scope="row">{}</th>{}{}</tr>').format(
        name, join(cells), cell("", css="num") if has_rank else ""
    )


def _branch_row(detail: KpiDetail, code: str, columns: Sequence[Column], cells: dict, ranked: Column | None) -> Html:
    breaks = _breaks(columns)
    written = [_value_cell(cells.get((code, *column)), detail, is_break=column in breaks) for column in columns]
    if ranked:
        written.append(cell(_rank_words(cells.get((code, *ranked)), detail.lang), css="num"))
    css = ' class="own"' if code == detail.briefing.branch_code else ""
    name = Html('<th scope="row">{} {}</th>').format(code, detail.branches[code].name(detail.lang))
    return Html("<tr{}>{}{}</tr>").format(Html(css), name, join(written))


def _value_cell(row: Row | None, detail: KpiDetail, *, is_break: bool) -> Html:
    lang = detail.lang
    css = "num break" if is_break else "num"
    if row is None or row["value"] is None:
        return cell(_open_words(row, detail) if row else None, css=css)
    band = find_band(row)
    value = format_number(row["value"], detail.kpi.decimals)
    mark = (
        Html(' <span class="shape" role="img" aria-label="{}">{}</span>').format(band.words(lang), band.mark)
        if band.mark
        else Html(' <span class="shape"></span>')
    )
    return cell(Html("{}{}").format(value, mark), css=f"{css} {band.css}".strip())


def _open_words(row: Row, detail: KpiDetail) -> Html | None:
    """An interim or pending value as what it is."""
    word = _OPEN_WORDS.get(row["status"])
    if word is None:
        return None
    value = "" if row["interim_value"] is None else f" {format_number(row['interim_value'], detail.kpi.decimals)}"
    return Html('<span class="muted">{}{}</span>').format(word(detail.lang), value)


def _rank_words(row: Row | None, lang: str) -> Html | None:
    """``12位 ↑3``: the rank and how many ranks were climbed (lost) since the year before."""
    if row is None or row["rank"] is None:
        return None
    rank = Text(f"{row['rank']}位", f"{row['rank']}")(lang)
    change = row["rank_change"]
    if change is None:
        return Html("{}").format(rank)
    arrow = f"{'↑' if change > 0 else '↓'}{abs(change)}" if change else "→"
    said = Text(f"前年度{row['prior_rank']}位", f"{row['prior_rank']} the year before")(lang)
    return Html('{} <span class="climb" role="img" aria-label="{}">{}</span>').format(rank, said, arrow)


def _legend(detail: KpiDetail, rows: Sequence[Row], codes: Sequence[str]) -> Html:
    """What the marks that are in the table mean; no mark is explained that does not occur."""
    lang = detail.lang
    bands = {band.mark: band for row in rows if row["value"] is not None for band in (find_band(row),) if band.mark}
    said = []
    fifths = [bands[mark] for mark in "①②④⑤" if mark in bands]
    if fifths:
        listed = Text("、", ", ")(lang).join(f"{band.mark} {band.words(lang)}" for band in fifths)
        text = Text(
            f"{listed}、印なしは中ほど。差が偶然かどうかは判定できないため、{detail.branch_count}支部を年度ごとに5等分した位置だけを示します。",
            f"{listed}, no mark: middle fifth. Differences cannot be tested: only the fifth of the {detail.branch_count} branches each year.",
        )
        said.append(text(lang))
    verdicts = [bands[mark] for mark in "◆◇≒" if mark in bands]
    if verdicts:
        listed = Text("、", ", ")(lang).join(f"{band.mark} {band.words(lang)}" for band in verdicts)
        said.append(
            Text(
                f"{listed}（件数が公表されている値だけを判定）。",
                f"{listed} (only values with published counts are tested).",
            )(lang)
        )
    if any(row["rank_change"] is not None for row in rows):
        said.append(
            Text(
                "↑↓の数字は、前年度から上がった（下がった）順位の数。",
                "↑↓: ranks climbed (lost) since the year before.",
            )(lang)
        )
    unit, hidden = detail.kpi.unit_word(lang).strip(), detail.branch_count - len(codes)
    few = (
        Text(f"ほかの{hidden}支部の値は手元にありません。", f" Nothing is known of the other {hidden} branches.")(lang)
        if hidden
        else ""
    )
    in_unit = Text(f"単位は{unit}。", f"In {unit}. ")(lang) if unit else ""
    said.append(Text(f"{in_unit}「–」は値が手元にない。{few}", f"{in_unit}–: no value at hand.{few}")(lang))
    if detail.has_later:
        year = year_words(detail.briefing.fiscal_year, lang)
        said.append(
            Text(
                f"{year}より後の値や目標は、この頁に載せていません。", f"Values and targets after {year} are left out."
            )(lang)
        )
    if _breaks(list_columns(detail)):
        said.append(
            Text(
                "太い縦線は定義が変わったところで、前後は比べません。",
                "Thick rules: the definition changed; nothing is compared across them.",
            )(lang)
        )
    return Html('<div class="note">{}</div>').format(bullet_list(said))


_CSV_COLUMNS = (
    *("branch_code", "branch_name", "definition", "fiscal_year", "status", "value", "numerator", "denominator"),
    *("lower_95", "upper_95", "national", "national_kind", "national_difference", "prior_value", "prior_difference"),
    *("target_rule", "target_threshold", "target_result", "rank", "ranked_count", "rank_change", "quantile_group"),
    *("statistical", "practical", "interim_value", "interim_as_of", "source_id", "locator"),
)


def _years_csv(detail: KpiDetail, columns: Sequence[Column], cells: dict) -> Html:
    """Every value of the table with its counts, its source and its place."""
    nation = [row | {"branch_code": NATION} for column in columns if (row := detail.nation_in(*column))]
    rows = nation + [row for key, row in sorted(cells.items()) if key[1:] in set(columns)]
    body = [[row.get(name) for name in _CSV_COLUMNS] for row in rows]
    name = f"kenpo_{detail.kpi.kpi_id}_FY{detail.briefing.fiscal_year}.csv"
    return csv_link(_CSV_COLUMNS, body, file_name=name, lang=detail.lang)
