"""What the pages show: the comparison of one branch (or of all) put into sections. Notebooks call one function a cell.

Everything comes from the comparison frame; nothing is computed here but which rows and charts say something.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from kenpo_lib import charts, sentences
from kenpo_lib.catalogue import NATION, THEMES, Catalogue, Kpi, load_catalogue
from kenpo_lib.compare import BRANCH_COUNT, check_year, compute_comparison, compute_nation, select_branch_year
from kenpo_lib.curated import MANIFEST, Tables, read_tables, write_atomically
from kenpo_lib.errors import InputError
from kenpo_lib.language import Text, say
from kenpo_lib.normalise import format_fiscal_year, format_number
from kenpo_lib.tables import Html, badge, bullet_list, cell, csv_link, data_details, figure, heading, join, table
from kenpo_lib.validate import read_verdict

MIN_TREND_YEARS = 3  # two points are in the table already
MIN_POSITION_BRANCHES = 10


@dataclass(frozen=True)
class Briefing:
    """The data behind one page: a branch and year, or (branch_code "00") the national overview."""

    tables: Tables
    catalogue: Catalogue
    comparison: pl.DataFrame
    nation: pl.DataFrame
    branch_code: str
    fiscal_year: int
    lang: str
    inputs: str  # sha256 of the curated manifest: what exactly was read
    warnings: tuple[dict[str, Any], ...]

    @property
    def branch_name(self) -> str:
        return self.catalogue.branches[self.branch_code].name(self.lang)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The page's KPIs in reading order, each once, under the definition in force."""
        frame = self.nation if self.branch_code == NATION else self.comparison
        return select_branch_year(
            frame, branch_code=self.branch_code, fiscal_year=self.fiscal_year, catalogue=self.catalogue
        ).to_dicts()

    def history(self, kpi_id: str) -> pl.DataFrame:
        """All years of one KPI up to the page's year, for the page's branch, under every definition."""
        frame = self.nation if self.branch_code == NATION else self.comparison
        return frame.filter(
            (pl.col("branch_code") == self.branch_code)
            & (pl.col("kpi_id") == kpi_id)
            & (pl.col("fiscal_year") <= self.fiscal_year)
        ).sort("fiscal_year", "definition")

    def branch_values(self, kpi_id: str, definition: str) -> pl.DataFrame:
        """All branches' rows of one KPI in the page's year."""
        return self.comparison.filter(
            (pl.col("kpi_id") == kpi_id)
            & (pl.col("definition") == definition)
            & (pl.col("fiscal_year") == self.fiscal_year)
        )


def open_briefing(curated_dir: str | Path, *, branch: str, fiscal_year: int, lang: str = "ja") -> Briefing:
    """Read the curated tables and compare.

    Args:
        curated_dir: Folder with the curated tables and their verdict.
        branch: Two-digit code, or "00" for the national overview.
        fiscal_year: Western year of its April.
        lang: ``ja`` or ``en``.

    Raises:
        InputError: No curated tables, no verdict, unknown branch, or a year without data (the years present are named).
    """
    directory = Path(curated_dir)
    catalogue = load_catalogue()
    if branch not in catalogue.branches:
        raise InputError(say(f"支部コード {branch!r} はありません。", f"There is no branch code {branch!r}."))
    tables = read_tables(directory)
    verdict = read_verdict(directory)
    comparison = compute_comparison(tables, catalogue)
    check_year(comparison, fiscal_year)
    return Briefing(
        tables=tables,
        catalogue=catalogue,
        comparison=comparison,
        nation=compute_nation(tables, catalogue),
        branch_code=branch,
        fiscal_year=fiscal_year,
        lang=lang,
        inputs=hashlib.sha256((directory / MANIFEST).read_bytes()).hexdigest(),
        warnings=tuple(verdict["warnings"]),
    )


def write_sentinel(briefing: Briefing, path: str) -> None:
    """Say that the notebook ran to its end, and on what; the runner reads it back. Without a path nothing is written."""
    if path:
        content = {"branch": briefing.branch_code, "fiscal_year": briefing.fiscal_year, "inputs": briefing.inputs}
        write_atomically(Path(path), json.dumps(content, sort_keys=True).encode())


# --- opening --------------------------------------------------------------------------------------------------------


def show_header(briefing: Briefing) -> Html:
    """Title, what the page is, and the state of the data."""
    lang = briefing.lang
    year = format_fiscal_year(briefing.fiscal_year, lang=lang, western=True)
    if briefing.branch_code == NATION:
        title = Text(f"全国概況　{year}", f"National overview, {year}")(lang)
    else:
        title = Text(f"{briefing.branch_name}支部　KPI比較　{year}", f"{briefing.branch_name}: KPI comparison, {year}")(
            lang
        )
    own = len(_own_warnings(briefing))
    checked = Text("データ検証に合格。", "The data passed validation.")(lang)
    noted = Text(
        f"この頁に関わる注意{own}件は「データの注意」にあります。", f" {own} notes on this page's data are at its end."
    )(lang)
    return Html('<header><h1>{}</h1><p class="lead">{}{}</p></header>').format(title, checked, noted if own else "")


def show_contents(briefing: Briefing) -> Html:
    """The table of contents: static links to the sections that this page has."""
    lang = briefing.lang
    anchors = [("conclusion", Text("結論", "Conclusion")), ("kpis", Text("指標の一覧", "All KPIs"))]
    if briefing.branch_code == NATION:
        anchors.append(("matrix", Text("支部と指標の一覧", "Branches and KPIs")))
        anchors += [(f"kpi-{kpi.kpi_id}", kpi.short_name) for kpi in list_full_kpis(briefing)]
    else:
        optional = {
            "interim": (_interim_rows(briefing), Text("年度途中の値", "Part-way values")),
            "budget": (not _of_page(briefing, "budgets").is_empty(), Text("予算の執行", "Budget")),
            "marks": (not _of_page(briefing, "self_assessments").is_empty(), Text("自己評価", "Own marks")),
        }
        themes = [(f"theme-{theme}", THEMES[theme]) for theme in list_themes(briefing)]
        shown = {name: [(name, text)] for name, (is_there, text) in optional.items() if is_there}
        anchors += [*shown.get("interim", []), *themes, *shown.get("budget", []), *shown.get("marks", [])]
    anchors.append(("sources", Text("データの注意と出典", "Data notes and sources")))
    links = [Html('<a href="#{}">{}</a>').format(anchor, text(lang)) for anchor, text in anchors]
    return Html('<nav aria-label="{}">{}</nav>').format(Text("目次", "Contents")(lang), bullet_list(links))


def show_conclusion(briefing: Briefing) -> Html:
    """The conclusion in sentences, with the count of target verdicts beside it."""
    lang, rows = briefing.lang, briefing.rows
    said = sentences.conclude_branch(rows, briefing.catalogue, lang)
    counts = [
        (sentences.RESULT_WORDS[result](lang), sum(row["target_result"] == result for row in rows), result)
        for result in ("met", "not_met", "cannot_tell")
    ]
    tally = join(
        Html('<div class="count {}"><dt>{}</dt><dd>{}</dd></div>').format(css, word, number)
        for word, number, css in counts
    )
    has_targets = any(number for _, number, _ in counts)
    label = Text("目標の判定", "Targets")(lang)
    tally_block = Html('<dl class="tally" aria-label="{}">{}</dl>').format(label, tally) if has_targets else Html("")
    return Html("<section>{}{}{}</section>").format(
        heading(2, Text("結論", "Conclusion")(lang), anchor="conclusion"),
        tally_block,
        bullet_list(said, css="conclusion"),
    )


# --- the KPI table --------------------------------------------------------------------------------------------------


def show_kpi_table(briefing: Briefing) -> Html:
    """Every KPI of the page with nation, prior year, target, rank and its course; grouped by theme."""
    lang, rows, catalogue = briefing.lang, briefing.rows, briefing.catalogue
    headings = [
        word(lang)
        for word in (
            Text("指標", "KPI"),
            Text("実績", "Result"),
            Text("全国", "Nation"),
            Text("前年度", "Prior year"),
            Text("目標", "Target"),
            Text("順位", "Rank"),
            Text("推移", "Course"),
        )
    ]
    if briefing.branch_code == NATION:
        headings = [headings[0], headings[1], *headings[3:5], headings[6]]
    groups = []
    for theme in dict.fromkeys(catalogue.kpis[row["kpi_id"]].theme for row in rows):
        title = Html('<tr class="group"><th colspan="{}" scope="colgroup">{}</th></tr>').format(
            len(headings), THEMES[theme](lang)
        )
        members = [row for row in rows if catalogue.kpis[row["kpi_id"]].theme == theme]
        body = join(_kpi_row(briefing, row, headings) for row in members)
        groups.append(Html("<tbody>{}{}</tbody>").format(title, body))
    caption = Text("指標の一覧", "All KPIs")(lang)
    head = join(cell(word, kind="th", scope="col") for word in headings)
    grid = Html(
        '<div class="scroll" tabindex="0" role="region" aria-label="{0}"><table class="kpis"><caption>{0}</caption>'
        "<thead><tr>{1}</tr></thead>{2}</table></div>"
    ).format(caption, head, join(groups))
    legend = Text(
        "「良い」「悪い」は指標の望ましい方向による判定です。差は公表桁で計算しています。全国の「推計」「単純平均」は公表値ではありません。"
        "順位の分母は値が分かる支部の数です。",
        "Better and worse follow the direction of each KPI. Differences are taken at published precision. 'est.' and 'mean' are "
        "not published national figures. The rank names how many branches are known.",
    )(lang)
    return Html('<section>{}{}<p class="note">{}</p>{}</section>').format(
        heading(2, Text("指標の一覧", "All KPIs")(lang), anchor="kpis"), grid, legend, _kpi_csv(briefing)
    )


def _kpi_row(briefing: Briefing, row: dict[str, Any], headings: Sequence[str]) -> Html:
    kpi, lang = briefing.catalogue.kpis[row["kpi_id"]], briefing.lang
    cells = {
        Text("実績", "Result")(lang): _value_cell(row, kpi, lang),
        Text("全国", "Nation")(lang): _national_cell(row, kpi, lang),
        Text("前年度", "Prior year")(lang): _prior_cell(row, kpi, lang),
        Text("目標", "Target")(lang): _target_cell(row, kpi, lang),
        Text("順位", "Rank")(lang): _rank_cell(row, lang),
        Text("推移", "Course")(lang): _sparkline(briefing, kpi, row["definition"]),
    }
    name = cell(kpi.name(lang), kind="th", scope="row")
    return Html("<tr>{}{}</tr>").format(name, join(cell(cells[label], label=label) for label in headings[1:]))


def _value_cell(row: dict[str, Any], kpi: Kpi, lang: str) -> Html:
    if row["value"] is not None:
        return Html('<span class="value">{}</span>').format(sentences.value_words(row["value"], kpi, lang))
    if row["status"] == "interim":
        return Html('<span class="muted">{}</span>').format(sentences.interim_words(row, kpi, lang))
    return Html('<span class="muted">{}</span>').format(sentences.STATUS_WORDS[row["status"]](lang))


def _difference(difference: float | None, judgement: str | None, kpi: Kpi, lang: str) -> Html:
    if difference is None or judgement is None:
        return Html("")
    return Html('<span class="diff {}">{} {}</span>').format(
        judgement, sentences.difference_words(difference, kpi, lang), sentences.JUDGEMENT_WORDS[judgement](lang)
    )


def _national_cell(row: dict[str, Any], kpi: Kpi, lang: str) -> Html:
    if row["national"] is None:
        return Html('<span class="muted">–</span>')
    mark = sentences.NATIONAL_MARKS[row["national_kind"]](lang)
    if kpi.unit.is_total:
        mark = Text("全国計", "total")(lang)
    return Html("{}{}{}").format(
        sentences.value_words(row["national"], kpi, lang),
        Html(' <small class="mark">{}</small>').format(mark) if mark else "",
        _difference(row["national_difference"], row["national_judgement"], kpi, lang),
    )


def _prior_cell(row: dict[str, Any], kpi: Kpi, lang: str) -> Html:
    if row["prior_value"] is None:
        reason = sentences.PRIOR_REASON_WORDS[row["prior_reason"]](lang)
        return Html('<span class="muted">{}</span>').format(reason)
    return Html("{}{}").format(
        sentences.value_words(row["prior_value"], kpi, lang),
        _difference(row["prior_difference"], row["prior_judgement"], kpi, lang),
    )


def _target_cell(row: dict[str, Any], kpi: Kpi, lang: str) -> Html:
    if row["target_result"] is None:
        return Html('<span class="muted">–</span>')
    verdict = badge(sentences.RESULT_WORDS[row["target_result"]](lang), css=row["target_result"])
    reason = sentences.TARGET_REASON_WORDS[row["target_reason"]](lang) if row["target_reason"] else ""
    return Html('{}{}<span class="diff">{}</span>').format(sentences.target_words(row, kpi, lang), verdict, reason)


def _rank_cell(row: dict[str, Any], lang: str) -> Html:
    """The rank, muted where so few branches are known that it says little (they may be the extremes only)."""
    known = row["ranked_count"] or 0
    if 0 < known < MIN_POSITION_BRANCHES:
        few = Text(f"{known}支部だけ判明", f"only {known} known")(lang)
        return Html('<span class="muted">{}</span>').format(few)
    css = "rank" if known == BRANCH_COUNT else "rank muted"
    return Html('<span class="{}">{}</span>').format(css, sentences.rank_words(row, lang))


def _sparkline(briefing: Briefing, kpi: Kpi, definition: str) -> Html:
    """The course under the row's definition; years before it hold are shown under the one of their time."""
    history = briefing.history(kpi.kpi_id).filter(pl.col("value").is_not_null())
    ordered = history.sort(pl.col("definition") != definition).unique("fiscal_year", keep="first", maintain_order=True)
    rows = ordered.sort("fiscal_year").to_dicts()
    points = [(row["fiscal_year"], row["value"], row["definition"]) for row in rows]
    if not any(b[0] == a[0] + 1 and b[2] == a[2] for a, b in pairwise(points)):
        return Html('<span class="muted">–</span>')  # lone points make no course
    (first, start, _), (last, end, _) = points[0], points[-1]
    label = Text(
        f"{kpi.short_name.ja} {format_fiscal_year(first)} {sentences.value_words(start, kpi, 'ja')} から "
        f"{format_fiscal_year(last)} {sentences.value_words(end, kpi, 'ja')}",
        f"{kpi.short_name.en}: {sentences.value_words(start, kpi, 'en')} in FY{first} to "
        f"{sentences.value_words(end, kpi, 'en')} in FY{last}",
    )(briefing.lang)
    return Html(charts.sparkline(points, label=label))


_CSV_COLUMNS = (
    *("branch_code", "branch_name", "kpi_id", "definition", "fiscal_year", "unit", "status", "value", "numerator"),
    *(
        "denominator",
        "national",
        "national_kind",
        "national_difference",
        "prior_value",
        "prior_difference",
        "target_rule",
    ),
    *("target_threshold", "target_result", "target_reason", "target_distance", "target_people", "rank", "ranked_count"),
    *("deviation_score", "source_id", "locator"),
)


def _kpi_csv(briefing: Briefing) -> Html:
    rows = [[row[column] for column in _CSV_COLUMNS] for row in briefing.rows]
    name = f"kenpo_{briefing.branch_code}_FY{briefing.fiscal_year}_kpis.csv"
    return csv_link(_CSV_COLUMNS, rows, file_name=name, lang=briefing.lang)


# --- one block per theme --------------------------------------------------------------------------------------------


def list_themes(briefing: Briefing) -> list[str]:
    """The themes that have at least one chart for this page, in reading order."""
    rows = briefing.rows
    with_charts = [
        briefing.catalogue.kpis[row["kpi_id"]].theme
        for row in rows
        if _has_trend(briefing, row["kpi_id"]) or _has_position(briefing, row)
    ]
    return list(dict.fromkeys(with_charts))


def show_theme(briefing: Briefing, theme: str) -> Html:
    """Trend and position charts of the KPIs of one theme; KPIs without enough values stay in the table only."""
    blocks = [
        _kpi_block(briefing, row)
        for row in briefing.rows
        if briefing.catalogue.kpis[row["kpi_id"]].theme == theme
        and (_has_trend(briefing, row["kpi_id"]) or _has_position(briefing, row))
    ]
    title = heading(2, THEMES[theme](briefing.lang), anchor=f"theme-{theme}")
    return Html('<section class="theme">{}<div class="grid">{}</div></section>').format(title, join(blocks))


def _has_trend(briefing: Briefing, kpi_id: str) -> bool:
    history = briefing.history(kpi_id).filter(pl.col("value").is_not_null())
    return history["fiscal_year"].n_unique() >= MIN_TREND_YEARS


def _has_position(briefing: Briefing, row: dict[str, Any]) -> bool:
    return (row["ranked_count"] or 0) >= MIN_POSITION_BRANCHES


def _kpi_block(briefing: Briefing, row: dict[str, Any]) -> Html:
    kpi, lang = briefing.catalogue.kpis[row["kpi_id"]], briefing.lang
    parts = [heading(3, kpi.name(lang), anchor=f"kpi-{kpi.kpi_id}")]
    figures = []
    if _has_trend(briefing, kpi.kpi_id):
        figures.append(_trend_figure(briefing, kpi))
    if _has_position(briefing, row):
        figures.append(_position_figure(briefing, row, kpi))
    parts.append(Html('<div class="figures">{}</div>').format(join(figures)))
    definition = kpi.definitions[row["definition"]]
    notes = [definition.text(lang), *(briefing.catalogue.caveats[caveat](lang) for caveat in kpi.caveats)]
    notes += [difference(lang) for _, difference in kpi.resembles]
    label = Text("定義と注意", "Definition and caveats")(lang)
    parts.append(Html('<details class="note"><summary>{}</summary>{}</details>').format(label, bullet_list(notes)))
    css = "kpi wide" if len(figures) > 1 else "kpi"
    return Html('<div class="{}">{}</div>').format(css, join(parts))


def _trend_figure(briefing: Briefing, kpi: Kpi) -> Html:
    lang, history = briefing.lang, briefing.history(kpi.kpi_id)
    sentence = sentences.describe_trend(history.to_dicts(), kpi, branch_name=briefing.branch_name, lang=lang)
    svg = charts.render_svg(
        charts.draw_trend(
            history, _nation_history(briefing, kpi.kpi_id), kpi, lang=lang, branches=briefing.catalogue.branches
        ),
        id_prefix=f"trend-{kpi.kpi_id}",
        label=sentence,
    )
    headings = [
        word(lang)
        for word in (
            Text("年度", "Year"),
            Text("定義", "Definition"),
            Text("実績", "Result"),
            Text("全国", "Nation"),
            Text("全国の種類", "Kind"),
            Text("目標", "Target"),
            Text("出典", "Source"),
        )
    ]
    rows = [
        [
            format_fiscal_year(row["fiscal_year"], lang=lang),
            row["definition"],
            _plain(row["value"], kpi),
            _plain(row["national"], kpi),
            sentences.national_name(row["national_kind"], kpi, lang) if row["national_kind"] else None,
            _plain(row["target_threshold"], kpi),
            row["source_id"],
        ]
        for row in history.to_dicts()
    ]
    caption = Text(f"{kpi.short_name.ja}の推移", f"{kpi.short_name.en} over the years")(lang)
    name = f"kenpo_{briefing.branch_code}_{kpi.kpi_id}_trend.csv"
    return figure(
        svg,
        caption=caption,
        sentence=sentence,
        details=data_details(headings, rows, file_name=name, caption=caption, lang=lang),
    )


def _nation_history(briefing: Briefing, kpi_id: str) -> pl.DataFrame | None:
    """The nation's own rows up to the page's year; none where the page is the nation's."""
    if briefing.branch_code == NATION:
        return None
    return briefing.nation.filter((pl.col("kpi_id") == kpi_id) & (pl.col("fiscal_year") <= briefing.fiscal_year))


def _position_figure(briefing: Briefing, row: dict[str, Any], kpi: Kpi) -> Html:
    lang = briefing.lang
    values = briefing.branch_values(kpi.kpi_id, row["definition"])
    sentence = sentences.describe_position(values.to_dicts(), kpi, branch_code=briefing.branch_code, lang=lang)
    chart = charts.draw_position(
        values, kpi, branch_code=briefing.branch_code, lang=lang, branches=briefing.catalogue.branches
    )
    svg = charts.render_svg(chart, id_prefix=f"position-{kpi.kpi_id}", label=sentence)
    known = row["ranked_count"]
    where = Text("47支部の中の位置", "Position among the 47 branches")(lang)
    if known < BRANCH_COUNT:
        where = Text(f"値の分かる{known}支部の中の位置", f"Position among the {known} branches known")(lang)
    details = _values_details(values, kpi, lang, name=f"kenpo_FY{briefing.fiscal_year}_{kpi.kpi_id}.csv", caption=where)
    return figure(svg, caption=where, sentence=sentence, details=details)


def _values_details(values: pl.DataFrame, kpi: Kpi, lang: str, *, name: str, caption: str) -> Html:
    headings = [
        word(lang)
        for word in (
            Text("支部コード", "Code"),
            Text("支部", "Branch"),
            Text("実績", "Result"),
            Text("順位", "Rank"),
            Text("偏差値", "Deviation score"),
            Text("出典", "Source"),
        )
    ]
    known = values.filter(pl.col("value").is_not_null()).sort("rank", "branch_code", nulls_last=True)
    rows = [
        [
            row["branch_code"],
            row["branch_name"],
            _plain(row["value"], kpi),
            row["rank"],
            None if row["deviation_score"] is None else format_number(row["deviation_score"], 1),
            row["source_id"],
        ]
        for row in known.to_dicts()
    ]
    return data_details(headings, rows, file_name=name, caption=caption, lang=lang)


def _plain(value: float | None, kpi: Kpi) -> str | None:
    return None if value is None else format_number(value, kpi.decimals)


# --- mid-year, budgets, self-assessment -----------------------------------------------------------------------------


def _interim_rows(briefing: Briefing) -> list[dict[str, Any]]:
    return [row for row in briefing.rows if row["status"] in ("interim", "pending")]


def _of_page(briefing: Briefing, table_name: str) -> pl.DataFrame:
    """The rows of a curated table that belong to the page's branch and year."""
    return briefing.tables[table_name].filter(
        (pl.col("branch_code") == briefing.branch_code) & (pl.col("fiscal_year") == briefing.fiscal_year)
    )


def show_interim(briefing: Briefing) -> Html:
    """Values part-way through the year beside the target; shown apart, never compared with whole years."""
    lang, catalogue = briefing.lang, briefing.catalogue
    rows = _interim_rows(briefing)
    if not rows:
        return Html("")
    headings = [
        word(lang)
        for word in (
            Text("指標", "KPI"),
            Text("中間値", "Interim value"),
            Text("時点", "As of"),
            Text("年度の目標", "Target of the year"),
            Text("前年度（通年）", "Prior year (whole)"),
        )
    ]
    body = []
    for row in rows:
        kpi = catalogue.kpis[row["kpi_id"]]
        pending = row["pending_note"] if row["status"] == "pending" else None
        body.append(
            [
                kpi.name(lang),
                sentences.value_words(row["interim_value"], kpi, lang)
                if pending is None
                else Text(f"未公表（{pending}）", "pending")(lang),
                sentences.date_words(row["interim_as_of"], lang) or "–",
                sentences.target_words(row, kpi, lang),
                sentences.value_words(row["prior_value"], kpi, lang),
            ]
        )
    title = Text("年度途中の値", "Values part-way through the year")(lang)
    note = Text(
        "中間値は年度の実績とは比べません。達成・未達の判定もしません。",
        "Interim values are not compared with whole years, and no target is judged by them.",
    )(lang)
    return Html('<section>{}<p class="note">{}</p>{}</section>').format(
        heading(2, title, anchor="interim"), note, table(title, headings, body, css="cards")
    )


def show_budgets(briefing: Briefing) -> Html:
    """What was budgeted and spent, beside the KPI it was meant to move."""
    lang, catalogue = briefing.lang, briefing.catalogue
    budgets = _of_page(briefing, "budgets")
    if budgets.is_empty():
        return Html("")
    results = {row["kpi_id"]: row for row in briefing.rows}
    headings = [
        word(lang)
        for word in (
            Text("取組", "Programme"),
            Text("予算（千円）", "Budget (thousand yen)"),
            Text("執行額（千円）", "Spent (thousand yen)"),
            Text("執行率", "Spent"),
            Text("ねらう指標と結果", "KPI it aims at, and its result"),
        )
    ]
    body = []
    for row in budgets.sort("theme", "programme").to_dicts():
        rate = None
        if row["budget_thousand_yen"] and row["executed_thousand_yen"] is not None:
            rate = 100 * row["executed_thousand_yen"] / row["budget_thousand_yen"]
        aimed = results.get(row["kpi_id"])
        kpi = catalogue.kpis[row["kpi_id"]] if row["kpi_id"] else None
        outcome = "–"
        if kpi and aimed:
            outcome = f"{kpi.short_name(lang)} {sentences.value_words(aimed['value'], kpi, lang)} {sentences.result_words(aimed, lang)}"
        body.append(
            [
                row["programme"],
                format_number(row["budget_thousand_yen"], 0),
                format_number(row["executed_thousand_yen"], 0),
                f"{format_number(rate, 1)}%" if rate is not None else "–",
                outcome,
            ]
        )
    title = Text("予算の執行", "Budget")(lang)
    return Html("<section>{}{}</section>").format(
        heading(2, title, anchor="budget"), table(title, headings, body, css="cards budget")
    )


def show_self_assessment(briefing: Briefing) -> Html:
    """The branch's own marks, counted per section of its plan, with the items behind them."""
    lang = briefing.lang
    marks = _of_page(briefing, "self_assessments")
    if marks.is_empty():
        return Html("")
    unread = Text("読み取れない", "not legible")(lang)
    symbols = ["◎", "○", "△", "×", "－", unread]
    counted = marks.with_columns(pl.col("mark").fill_null(unread))
    body = [
        [section[0], *(group.filter(pl.col("mark") == symbol).height or "" for symbol in symbols)]
        for section, group in counted.group_by("section", maintain_order=True)
    ]
    title = Text("支部の自己評価", "The branch's own marks")(lang)
    section_word = Text("計画の区分", "Section of the plan")(lang)
    items = [[row["section"], row["plan_item"], row["mark"], row["note"]] for row in counted.to_dicts()]
    item_headings = [section_word, Text("項目", "Item")(lang), Text("評価", "Mark")(lang), Text("注記", "Note")(lang)]
    name = f"kenpo_{briefing.branch_code}_FY{briefing.fiscal_year}_marks.csv"
    return Html("<section>{}{}{}</section>").format(
        heading(2, title, anchor="marks"),
        table(title, [section_word, *symbols], body, css="marks"),
        data_details(item_headings, items, file_name=name, caption=title, lang=lang),
    )


# --- sources --------------------------------------------------------------------------------------------------------


def show_sources(briefing: Briefing) -> Html:
    """Where every number came from, what the sources say of themselves, and what the checks noted."""
    lang = briefing.lang
    return Html("<section>{}{}{}{}</section>").format(
        heading(2, Text("データの注意と出典", "Data notes and sources")(lang), anchor="sources"),
        _notes(briefing),
        _places(briefing),
        _source_list(briefing),
    )


def _own_warnings(briefing: Briefing) -> list[dict[str, Any]]:
    shown = {(row["kpi_id"], row["definition"]) for row in briefing.rows}
    return [
        warning
        for warning in briefing.warnings
        if warning.get("branch_code") in (briefing.branch_code, NATION)
        and (warning.get("kpi_id"), warning.get("definition")) in shown
        and warning.get("fiscal_year") in (briefing.fiscal_year, briefing.fiscal_year - 1)
    ]


def _notes(briefing: Briefing) -> Html:
    lang, catalogue = briefing.lang, briefing.catalogue
    notes = []
    for row in briefing.rows:
        kpi = catalogue.kpis[row["kpi_id"]]
        for other in (*(row["conflicts"] or ()), *(row["national_conflicts"] or ())):
            whose = (
                Text("全国の値", "national value")(lang)
                if other in (row["national_conflicts"] or ())
                else Text("値", "value")(lang)
            )
            used = row["national"] if other in (row["national_conflicts"] or ()) else row["value"]
            notes.append(
                Text(
                    f"{kpi.name.ja}の{whose}は出典で異なります: {sentences.value_words(used, kpi, lang)}（採用、新しい出典）と"
                    f"{sentences.value_words(other['value'], kpi, lang)}（{other['source_id']}、{other['locator']}）。",
                    f"{kpi.name.en}: sources differ on the {whose}: {sentences.value_words(used, kpi, lang)} (used, newer) and "
                    f"{sentences.value_words(other['value'], kpi, lang)} ({other['source_id']}, {other['locator']}).",
                )(lang)
            )
        if row["note"]:
            notes.append(f"{kpi.name(lang)}: {row['note']}")
    notes += [
        f"{catalogue.kpis[warning['kpi_id']].name(lang)}: {warning['words'][lang]} – {warning['found'][lang]}"
        for warning in _own_warnings(briefing)
        if warning["column"] != "check_source_values"  # worded above, with the value that is used
    ]
    if not notes:
        return Html("")
    title = Text("データの注意", "Notes on the data")(lang)
    return Html("{}{}").format(heading(3, title), bullet_list(dict.fromkeys(notes), css="note"))


def _places(briefing: Briefing) -> Html:
    lang = briefing.lang
    headings = [
        word(lang)
        for word in (
            Text("指標", "KPI"),
            Text("実績", "Result"),
            Text("全国", "Nation"),
            Text("前年度", "Prior year"),
            Text("目標", "Target"),
        )
    ]

    def place(source: str | None, locator: str | None) -> str:
        return f"{source}: {locator}" if source else "–"

    rows = []
    for row in briefing.rows:
        kpi = briefing.catalogue.kpis[row["kpi_id"]]
        own = place(row["source_id"] or row["interim_source_id"], row["locator"] or row["interim_locator"])
        national = place(row["national_source_id"], row["national_locator"])
        if row["national_kind"] and row["national_kind"] != "published":
            national = sentences.national_name(row["national_kind"], kpi, lang)
        rows.append(
            [
                kpi.name(lang),
                own,
                national,
                place(row["prior_source_id"], row["prior_locator"]),
                place(row["target_source_id"], row["target_locator"]),
            ]
        )
    title = Text("数値ごとの出典と箇所", "Source and place of each number")(lang)
    return Html("<details><summary>{0}</summary>{1}</details>").format(
        title, table(title, headings, rows, css="places")
    )


def _source_list(briefing: Briefing) -> Html:
    lang = briefing.lang
    columns = ("source_id", "national_source_id", "prior_source_id", "target_source_id", "interim_source_id")
    used = {row[column] for row in briefing.rows for column in columns if row[column]}
    for name in ("budgets", "self_assessments"):
        used.update(_of_page(briefing, name)["source_id"].to_list())
    for row in briefing.rows:
        used.update(briefing.history(row["kpi_id"])["source_id"].drop_nulls().to_list())
    sources = briefing.tables["sources"].filter(pl.col("source_id").is_in(sorted(used))).sort("order_date", "source_id")
    headings = [
        word(lang)
        for word in (
            Text("出典ID", "Id"),
            Text("文書", "Document"),
            Text("発行", "Issuer"),
            Text("公表", "Issued"),
            Text("確からしさ", "Trust"),
        )
    ]
    trust = {
        "high": Text("高い", "high"),
        "medium_high": Text("やや高い", "fairly high"),
        "medium": Text("中くらい", "medium"),
    }
    rows = [
        [
            row["source_id"],
            row["title"],
            row["issuer"],
            row["date"].isoformat()
            if row["date"]
            else Text(f"{row['order_date']}以降（推定）", f"{row['order_date']} or later (assumed)")(lang),
            f"{trust[row['trust']](lang)}{'。' + row['trust_note'] if row['trust_note'] and row['trust'] != 'high' else ''}",
        ]
        for row in sources.to_dicts()
    ]
    title = Text("使った文書", "Documents used")(lang)
    return Html("{}{}").format(heading(3, title), table(title, headings, rows, css="sources"))


# --- the national overview ------------------------------------------------------------------------------------------


def list_full_kpis(briefing: Briefing) -> list[Kpi]:
    """KPIs for which all 47 branches are known in the page's year, in reading order."""
    full = briefing.comparison.filter(
        (pl.col("fiscal_year") == briefing.fiscal_year) & (pl.col("ranked_count") == BRANCH_COUNT)
    )
    return [kpi for kpi in briefing.catalogue.kpis.values() if kpi.kpi_id in set(full["kpi_id"])]


def show_branch_matrix(briefing: Briefing) -> Html:
    """Branches × the KPIs that all 47 have: value and rank, in the order of the codes."""
    lang, kpis = briefing.lang, list_full_kpis(briefing)
    year_rows = briefing.comparison.filter(pl.col("fiscal_year") == briefing.fiscal_year)
    cells = {
        (row["branch_code"], row["kpi_id"]): row
        for row in year_rows.filter(pl.col("ranked_count") == BRANCH_COUNT).to_dicts()
    }
    body = []
    for code in briefing.catalogue.branch_codes:
        columns = []
        for kpi in kpis:
            row = cells[code, kpi.kpi_id]
            rank = Text(f"{row['rank']}位", f"{row['rank']}")(lang)
            third = "top" if row["rank"] <= 15 else "bottom" if row["rank"] > 32 else ""
            css = f"num {third}" if kpi.direction.sign else "num"
            content = Html("{} <small>{}</small>").format(format_number(row["value"], kpi.decimals), rank)
            columns.append(cell(content, css=css.strip(), label=kpi.short_name(lang)))
        body.append([f"{code} {briefing.catalogue.branches[code].name(lang)}", *columns])
    headings = [Text("支部", "Branch")(lang), *(f"{kpi.short_name(lang)}（{kpi.unit_word(lang)}）" for kpi in kpis)]
    title = Text("支部と指標の一覧", "Branches and KPIs")(lang)
    note = Text(
        "47支部すべての値がある指標だけを載せています。太字は上位15位、下線は下位15位です（方向のない指標を除く）。",
        "Only KPIs with values for all 47 branches. Bold: best 15; underlined: last 15 (not for KPIs without a direction).",
    )(lang)
    return Html('<section>{}<p class="note">{}</p>{}</section>').format(
        heading(2, title, anchor="matrix"), note, table(title, headings, body, css="matrix")
    )


def show_kpi_overview(briefing: Briefing, kpi: Kpi) -> Html:
    """One KPI over all branches: tile map and ranking."""
    lang = briefing.lang
    rows = briefing.comparison.filter(
        (pl.col("fiscal_year") == briefing.fiscal_year)
        & (pl.col("kpi_id") == kpi.kpi_id)
        & (pl.col("ranked_count") == BRANCH_COUNT)
    )
    sentence = sentences.describe_position(rows.to_dicts(), kpi, branch_code=NATION, lang=lang)
    tiles = charts.render_svg(
        charts.draw_tile_map(rows, kpi, branches=briefing.catalogue.branches, lang=lang),
        id_prefix=f"map-{kpi.kpi_id}",
        label=sentence,
    )
    ranking = charts.render_svg(
        charts.draw_ranking(rows, kpi, lang=lang, branches=briefing.catalogue.branches),
        id_prefix=f"ranking-{kpi.kpi_id}",
        label=sentence,
    )
    first = rows.to_dicts()[0]
    national = sentences.value_words(first["national"], kpi, lang)
    name = sentences.national_name(first["national_kind"], kpi, lang)
    map_word, rank_word = Text("地図", "Map")(lang), Text("順位", "Ranking")(lang)
    details = _values_details(
        rows, kpi, lang, name=f"kenpo_FY{briefing.fiscal_year}_{kpi.kpi_id}.csv", caption=kpi.name(lang)
    )
    return Html('<section class="theme">{}<p>{}: {}</p><div class="figures">{}{}</div></section>').format(
        heading(2, kpi.name(lang), anchor=f"kpi-{kpi.kpi_id}"),
        name,
        national,
        figure(tiles, caption=map_word, sentence=sentence),
        figure(Markup(ranking), caption=rank_word, sentence="", details=details),
    )
