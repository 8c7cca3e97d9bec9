"""How sure the figures of one KPI are: whose counts are published, what can be tested, and what matters in practice."""

from __future__ import annotations

from kenpo_lib import sentences, verdict_words
from kenpo_lib.briefing.kpi_data import KpiDetail, Row
from kenpo_lib.briefing.kpi_words import gap_words, year_words
from kenpo_lib.briefing.spread import list_spread_kpis, show_spread
from kenpo_lib.briefing.words import name_of
from kenpo_lib.catalogue import Unit
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number
from kenpo_lib.tables import Html, bullet_list, heading, table


def show_kpi_certainty(detail: KpiDetail) -> Html:
    """What can be told from chance and what cannot; funnel and intervals where counts allow them. Empty without branches."""
    if detail.latest is None:
        return Html("")
    definition, year = detail.latest
    rows = [row for row in detail.rows_in(definition, year) if row["value"] is not None]
    has_funnel = year == detail.briefing.fiscal_year and detail.kpi in list_spread_kpis(detail.briefing)
    section = Html("<section>{}{}{}</section>").format(
        heading(2, Text("どこまで確かか", "How sure is it")(detail.lang), anchor="certainty"),
        bullet_list(describe_certainty(rows, detail, year), css="conclusion"),
        "" if has_funnel else _interval_table(detail, [row for row in rows if row["lower_95"] is not None], year),
    )
    return section + (show_spread(detail.briefing, detail.kpi) if has_funnel else Html(""))


def describe_certainty(rows: list[Row], detail: KpiDetail, year: int) -> list[str]:
    """Sentences on counts, on what follows from them, and on which differences matter."""
    kpi, lang = detail.kpi, detail.lang
    known = len(rows)
    counted = sum(row["numerator"] is not None and row["denominator"] is not None for row in rows)
    if not kpi.proportion:
        follows = Text(
            "人や件数の割合として扱えないため、偶然のぶれを表す区間は付けられません。",
            "It cannot be treated as a share of persons or cases, so no interval for chance can be given.",
        )
    elif counted == 0:
        follows = Text(
            "件数がないと偶然のぶれの大きさが分からないので、区間を付けず、差が偶然かどうかも判定しません。",
            "Without counts the size of chance is unknown: there are no intervals, and no difference is tested.",
        )
    else:
        follows = Text(
            "区間と判定は、件数のある支部だけに付きます。",
            "Intervals and tests are given for branches with counts only.",
        )
    return [_counts_words(known, counted, year, lang), follows(lang), *_say_relevant(rows, detail)]


def _counts_words(known: int, counted: int, year: int, lang: str) -> str:
    when = year_words(year, lang)
    if counted == 0:
        text = Text(
            f"{when}の値には、件数（分子と分母）が公表されていません。",
            f"For the values of {when} no counts (numerator and denominator) are published.",
        )
    elif counted == known:
        text = Text(
            f"{when}の値が分かる{known}支部のすべてで、件数（分子と分母）も公表されています。",
            f"Counts (numerator and denominator) are published for every known value of {when} ({known}).",
        )
    else:
        text = Text(
            f"{when}の値が分かる{known}支部のうち、件数（分子と分母）も公表されているのは{counted}支部です。",
            f"Of the {known} branches with a value of {when}, {counted} have published counts (numerator and denominator).",
        )
    return text(lang)


def _say_relevant(rows: list[Row], detail: KpiDetail) -> list[str]:
    """How many branches differ from the nation by as much as matters, whether or not by chance."""
    kpi, lang = detail.kpi, detail.lang
    judged = [row for row in rows if row["practical"] in ("relevant", "small")]
    if len(judged) < MIN_POSITION_BRANCHES:
        return []
    least = (
        f"{format_number(kpi.relevant_difference, 1)}%"
        if kpi.unit.differs_in_percent
        else gap_words(kpi.relevant_difference, kpi, lang)
    )
    far = sum(row["practical"] == "relevant" for row in judged)
    return [
        Text(
            f"全国との差が実務上の目安（{least}）以上なのは、{len(judged)}支部のうち{far}支部です。これは偶然かどうかとは別の見方です。",
            f"{far} of {len(judged)} differ from the nation by {least} or more, which matters by a rule of thumb, chance or not.",
        )(lang)
    ]


def _interval_table(detail: KpiDetail, rows: list[Row], year: int) -> Html:
    """The intervals where counts are known of too few branches for a funnel."""
    if not rows:
        return Html("")
    kpi, lang = detail.kpi, detail.lang
    assert kpi.unit is Unit.PERCENT, kpi.kpi_id
    headings = [
        word(lang)
        for word in (
            Text("支部", "Branch"),
            Text("分子 ÷ 分母", "Numerator ÷ denominator"),
            Text("実績", "Result"),
            Text("95%区間", "95% interval"),
            Text("全国", "Nation"),
            Text("判定", "Verdict"),
        )
    ]
    body = [
        [
            name_of(row, detail.branches, lang),
            f"{format_number(row['numerator'], 0)} ÷ {format_number(row['denominator'], 0)}",
            sentences.value_words(row["value"], kpi, lang),
            Text("～", "–")(lang).join(format_number(row[name], kpi.decimals) for name in ("lower_95", "upper_95")),
            sentences.value_words(row["national"], kpi, lang),
            verdict_words.verdict_words(row, lang) or "–",
        ]
        for row in rows
    ]
    caption = Text(f"{year_words(year, 'ja')}の件数と95%区間", f"Counts and 95% intervals, {year_words(year, 'en')}")(
        lang
    )
    return table(caption, headings, body, css="cards intervals")
