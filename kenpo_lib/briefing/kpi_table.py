"""Every KPI of the page in one table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from kenpo_lib import charts, sentences, verdict_words
from kenpo_lib.briefing.cells import NOTHING, name_kpi, national_value, small
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.reading import rows_by_theme
from kenpo_lib.catalogue import NATION, THEMES, Kpi
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.tables import Html, badge, cell, csv_link, heading, join

MOST_UNGROUPED = 8  # a heading over every other row helps nobody


def show_kpi_table(briefing: Briefing) -> Html:
    """Every KPI of the page with nation, prior year, target, rank and its course; a long table grouped by theme."""
    lang = briefing.lang
    headings = [word(lang) for word in _list_columns(briefing)]
    is_long = len(briefing.rows) > MOST_UNGROUPED
    groups = []
    for theme, members in rows_by_theme(briefing).items():
        title = Html('<tr class="group"><th colspan="{}" scope="rowgroup">{}</th></tr>').format(
            len(headings), THEMES[theme](lang)
        )
        title = title if is_long else Html("")
        body = join(_kpi_row(briefing, row, headings) for row in members)
        groups.append(Html("<tbody>{}{}</tbody>").format(title, body))
    caption = Text("指標の一覧", "All KPIs")(lang)
    head = join(cell(word, kind="th", scope="col") for word in headings)
    grid = Html(
        '<div class="scroll" tabindex="0" role="group" aria-label="{0}"><table class="kpis"><caption>{0}</caption>'
        "<thead><tr>{1}</tr></thead>{2}</table></div>"
    ).format(caption, head, join(groups))
    legend = Text(
        "「良い」「悪い」は指標の望ましい方向による判定です。差は公表桁で計算しています。全国の「推計」「単純平均」は公表値ではありません。"
        "順位の分母は値が分かる支部の数です。95%区間と「偶然とはいえない差」「ばらつきの範囲」は、件数が公表されている指標だけに付きます。"
        "「小さな差」は実務上の目安（多くの率で1ポイント）より小さい差です。",
        "Better and worse follow the direction of each KPI. Differences are taken at published precision. 'est.' and 'mean' are "
        "not published national figures. The rank names how many branches are known. Intervals and words on "
        "chance stand only where counts are published. 'Small' is below a rule of thumb (1 point for most rates).",
    )(lang)
    return Html('<section>{}{}<p class="note">{}</p>{}</section>').format(
        heading(2, Text("指標の一覧", "All KPIs")(lang), anchor="kpis"), grid, legend, _kpi_csv(briefing)
    )


def _list_columns(briefing: Briefing) -> list[Text]:
    """The columns that say something on this page: the nation is not compared with itself, and not every branch has targets."""
    is_branch = briefing.branch_code != NATION
    has_targets = any(row["target_result"] for row in briefing.rows)
    return [
        Text("指標", "KPI"),
        Text("実績", "Result"),
        *([Text("全国", "Nation")] if is_branch else []),
        Text("前年度", "Prior year"),
        *([Text("目標", "Target")] if has_targets else []),
        *([Text("順位", "Rank")] if is_branch else []),
        Text("推移", "Course"),
    ]


def _kpi_row(briefing: Briefing, row: dict[str, Any], headings: Sequence[str]) -> Html:
    kpi, lang = briefing.catalogue.kpis[row["kpi_id"]], briefing.lang
    cells = {
        Text("実績", "Result")(lang): _value_cell(row, kpi, lang),
        Text("全国", "Nation")(lang): _national_cell(row, kpi, lang),
        Text("前年度", "Prior year")(lang): _prior_cell(row, kpi, lang),
        Text("目標", "Target")(lang): _target_cell(row, kpi, lang),
        Text("順位", "Rank")(lang): _rank_cell(briefing, row, kpi),
        Text("推移", "Course")(lang): _sparkline(briefing, kpi, row["definition"])
        + small(verdict_words.course_words(row, lang)),
    }
    name = cell(name_kpi(kpi, lang), kind="th", scope="row")
    return Html("<tr>{}{}</tr>").format(name, join(_cell(cells[label], label) for label in headings[1:]))


def _cell(content: Html, label: str) -> Html:
    """A cell; one that only holds a dash can be left out where rows are cards."""
    return cell(content, label=label, css="none" if content == NOTHING else "")


def _value_cell(row: dict[str, Any], kpi: Kpi, lang: str) -> Html:
    if row["value"] is not None:
        value = Html('<span class="value">{}</span>').format(sentences.value_words(row["value"], kpi, lang))
        return value + small(verdict_words.interval_words(row, kpi, lang))
    if row["status"] == "interim":
        return Html('<span class="muted">{}</span>').format(sentences.interim_words(row, kpi, lang))
    return Html('<span class="muted">{}</span>').format(sentences.STATUS_WORDS[row["status"]](lang))


def _difference(difference: float | None, judgement: str | None, kpi: Kpi, lang: str) -> Html:
    if difference is None or judgement is None:
        return Html("")
    return Html('<span class="diff {}">{}&nbsp;{}</span>').format(
        judgement, sentences.difference_words(difference, kpi, lang), sentences.JUDGEMENT_WORDS[judgement](lang)
    )


def _national_cell(row: dict[str, Any], kpi: Kpi, lang: str) -> Html:
    if row["national"] is None:
        return national_value(row, kpi, lang)
    return join(
        (
            national_value(row, kpi, lang),
            _difference(row["national_difference"], row["national_judgement"], kpi, lang),
            small(verdict_words.verdict_words(row, lang)),
            small(verdict_words.nation_people_words(row, kpi, lang)),
        )
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
        return NOTHING
    verdict = badge(sentences.RESULT_WORDS[row["target_result"]](lang), css=row["target_result"])
    reason = sentences.TARGET_REASON_WORDS[row["target_reason"]](lang) if row["target_reason"] else ""
    words = sentences.target_words(row, kpi, lang)
    return Html("{}{}{}").format(words, verdict, small(reason or verdict_words.people_words(row, lang)))


def _rank_cell(briefing: Briefing, row: dict[str, Any], kpi: Kpi) -> Html:
    """The rank, muted where so few branches are known that it says little (they may be the extremes only)."""
    lang, known = briefing.lang, row["ranked_count"] or 0
    if 0 < known < MIN_POSITION_BRANCHES:
        few = Text(f"{known}支部だけ判明", f"only {known} known")(lang)
        return Html('<span class="rank muted">{}</span>').format(few)
    if row["rank"] is None:
        return NOTHING
    css = "rank" if known == briefing.branch_count else "rank muted"
    rank = Html('<span class="{}">{}</span>').format(css, sentences.rank_words(row, lang))
    order = "" if kpi.direction.sign else small(Text("高い順", "from the highest")(lang))
    return rank + order + small(verdict_words.rank_interval_words(row, lang))


def _sparkline(briefing: Briefing, kpi: Kpi, definition: str) -> Html:
    """The course under the row's definition; years before it hold are shown under the one of their time."""
    history = briefing.history(kpi.kpi_id).select("fiscal_year", "value", "definition").rows()
    by_year: dict[int, tuple[int, float, str]] = {}
    for point in sorted(history, key=lambda point: point[2] != definition):
        if point[1] is not None:
            by_year.setdefault(point[0], point)
    points = sorted(by_year.values())
    if not any(b[0] == a[0] + 1 and b[2] == a[2] for a, b in pairwise(points)):
        return NOTHING  # lone points make no course
    (first, start, _), (last, end, _) = points[0], points[-1]
    label = Text(
        f"{kpi.short_name.ja} {format_fiscal_year(first)} {sentences.value_words(start, kpi, 'ja')} から "
        f"{format_fiscal_year(last)} {sentences.value_words(end, kpi, 'ja')}",
        f"{kpi.short_name.en}: {sentences.value_words(start, kpi, 'en')} in FY{first} to "
        f"{sentences.value_words(end, kpi, 'en')} in FY{last}",
    )(briefing.lang)
    return Html(charts.sparkline(points, label=label))


# What the page shows, and nothing that it does not; `kenpo compare --format csv` has every column.
_CSV_COLUMNS = (
    *("branch_code", "branch_name", "kpi_id", "definition", "fiscal_year", "unit", "status", "value"),
    *("numerator", "denominator", "lower_95", "upper_95", "national", "national_kind", "national_difference"),
    *("statistical", "practical", "prior_value", "prior_difference", "target_rule", "target_threshold"),
    *("target_result", "target_reason", "target_distance", "target_people", "rank", "ranked_count"),
    *("rank_lower", "rank_upper", "deviation_score", "source_id", "locator"),
)


def _kpi_csv(briefing: Briefing) -> Html:
    rows = [[row.get(column) for column in _CSV_COLUMNS] for row in briefing.rows]
    name = f"kenpo_{briefing.branch_code}_FY{briefing.fiscal_year}_kpis.csv"
    return csv_link(_CSV_COLUMNS, rows, file_name=name, lang=briefing.lang)
