"""The spine chart: in every KPI that enough branches are known for, the branch between the worst and the best."""

from __future__ import annotations

from kenpo_lib import charts, sentences
from kenpo_lib.briefing.cells import name_kpi, national_value, small
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.reading import rows_by_theme
from kenpo_lib.catalogue import NATION, Kpi
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number
from kenpo_lib.spine import Spine, compute_spine
from kenpo_lib.tables import Html, cell, csv_link, heading, table

SPINE_TITLE = Text("支部の中の位置", "Position among the branches")


def list_spines(briefing: Briefing) -> list[tuple[Kpi, Spine]]:
    """The lines that the page has, in reading order; none on the nation's page."""
    if briefing.branch_code == NATION:
        return []
    found = []
    for row in (row for rows in rows_by_theme(briefing).values() for row in rows):
        kpi = briefing.catalogue.kpis[row["kpi_id"]]
        if (row["ranked_count"] or 0) < MIN_POSITION_BRANCHES:
            continue
        values = briefing.branch_values(kpi.kpi_id, row["definition"])
        spread = briefing.spread(kpi.kpi_id, row["definition"])
        spine = compute_spine(values, kpi, branch_code=briefing.branch_code, spread=spread)
        if spine:
            found.append((kpi, spine))
    return found


def show_spine(briefing: Briefing) -> Html:
    """One line a KPI with the numbers beside it; empty where no KPI has ten branches and a national figure."""
    lang, spines = briefing.lang, list_spines(briefing)
    if not spines:
        return Html("")
    headings = [
        word(lang)
        for word in (
            Text("指標", "KPI"),
            Text("実績", "Result"),
            Text("順位", "Rank"),
            Text("全国", "Nation"),
            Text("最下位", "Worst"),
            Text("← 悪い　　全国　　良い →", "← worse   nation   better →"),
            Text("最上位", "Best"),
        )
    ]
    body = [_spine_row(briefing, kpi, spine, headings) for kpi, spine in spines]
    key = Text(
        "薄い帯は最下位の支部から最上位の支部まで、濃い帯は中ほどの半数の支部、縦線は全国、丸がこの支部です。どの行も右ほど良く、全国を中央に置いて"
        "長い側を端にそろえています。値の分かる支部が10に満たない指標と、良し悪しのない指標は載せていません。",
        "Light band: worst to best branch. Dark band: the middle half of the branches. Upright line: the nation. Dot: this branch. Right is "
        "better in every row; the nation stands in the middle and the longer side fills its half. KPIs known for fewer than ten "
        "branches, or without a better way, are left out.",
    )
    return Html('<section>{}{}<p class="note">{}</p>{}</section>').format(
        heading(2, SPINE_TITLE(lang), anchor="spine"),
        table(SPINE_TITLE(lang), headings, body, css="cards spines"),
        key(lang),
        _spine_csv(briefing, spines),
    )


def _spine_row(briefing: Briefing, kpi: Kpi, spine: Spine, headings: list[str]) -> list[Html]:
    lang, own = briefing.lang, spine.own
    value = Html('<span class="value">{}</span>').format(sentences.value_words(own["value"], kpi, lang))
    rank = Html('<span class="rank">{}</span>').format(sentences.rank_words(own, lang))
    line = Html(charts.spine_line(spine.places, label=describe_spine(briefing, kpi, spine)))
    contents = [
        value,
        rank,
        national_value(own, kpi, lang),
        _end(briefing, kpi, spine, "worst"),
        line,
        _end(briefing, kpi, spine, "best"),
    ]
    cells = [cell(content, label=label) for content, label in zip(contents, headings[1:], strict=True)]
    return [cell(name_kpi(kpi, lang), kind="th", scope="row"), *cells]


def _end(briefing: Briefing, kpi: Kpi, spine: Spine, end: str) -> Html:
    value, codes, count = (getattr(spine, name) for name in (end, f"{end}_codes", f"{end}_count"))
    return Html("<span>{}{}</span>").format(
        sentences.value_words(value, kpi, briefing.lang), small(_name_codes(briefing, codes, count))
    )


def _name_codes(briefing: Briefing, codes: tuple[str, ...], count: int) -> str:
    """``山形``; ``兵庫ほか1`` where more than one branch is there."""
    first = briefing.catalogue.branches[codes[0]].name(briefing.lang)
    rest = count - 1
    return first + (Text(f"ほか{rest}", f" +{rest}")(briefing.lang) if rest else "")


def describe_spine(briefing: Briefing, kpi: Kpi, spine: Spine) -> str:
    """The sentence that stands for one line: value, rank, ends, middle half and nation."""
    lang, own = briefing.lang, spine.own
    value, nation, worst, best = (
        sentences.value_words(number, kpi, lang) for number in (own["value"], own["national"], spine.worst, spine.best)
    )
    low, high = (format_number(number, kpi.decimals) for number in (spine.lower, spine.upper))
    kind = sentences.national_name(own["national_kind"], kpi, lang, branches=briefing.branch_count)
    worst_name = _name_codes(briefing, spine.worst_codes, spine.worst_count)
    best_name = _name_codes(briefing, spine.best_codes, spine.best_count)
    rank, known = own["rank"], own["ranked_count"]
    return Text(
        f"{kpi.name.ja}: {briefing.branch_name} {value}、{known}支部中{rank}位。{kind}は{nation}、最下位の{worst_name}は{worst}、最上位の"
        f"{best_name}は{best}、中ほどの半数は{low}から{high}。",
        f"{kpi.name.en}: {briefing.branch_name} {value}, rank {rank} of {known}; {kind}: {nation}; worst {worst_name} {worst}, best "
        f"{best_name} {best}, middle half {low} to {high}.",
    )(lang)


def _spine_csv(briefing: Briefing, spines: list[tuple[Kpi, Spine]]) -> Html:
    columns = (
        *("kpi_id", "definition", "value", "rank", "ranked_count", "national", "national_kind"),
        *("worst", "worst_branches", "lower_quartile", "upper_quartile", "best", "best_branches"),
    )
    rows = [
        [
            *(spine.own[column] for column in columns[:7]),
            spine.worst,
            _list_codes(spine.worst_codes, spine.worst_count),
            *(round(quartile, kpi.decimals + 2) for quartile in (spine.lower, spine.upper)),
            spine.best,
            _list_codes(spine.best_codes, spine.best_count),
        ]
        for kpi, spine in spines
    ]
    name = f"kenpo_{briefing.branch_code}_FY{briefing.fiscal_year}_spine.csv"
    return csv_link(columns, rows, file_name=name, lang=briefing.lang)


def _list_codes(codes: tuple[str, ...], count: int) -> str:
    """``05 11``; ``0005 0011 +40`` where not all are named."""
    rest = count - len(codes)
    return " ".join([*codes, *([f"+{rest}"] if rest else [])])
