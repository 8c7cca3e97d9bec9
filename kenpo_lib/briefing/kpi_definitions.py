"""Which definition of a KPI held when, what it counts, and what not to mistake it for."""

from __future__ import annotations

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.briefing.kpi_data import KpiDetail
from kenpo_lib.briefing.kpi_words import year_words
from kenpo_lib.catalogue import Definition, period_words
from kenpo_lib.language import Text
from kenpo_lib.tables import Html, bullet_list, cell, heading, table

_TITLE = Text("定義の移り変わり", "Definitions")


def show_kpi_definitions(detail: KpiDetail) -> Html:
    """The definitions in the order in which they held, what is divided by what, caveats and KPIs that look alike."""
    lang = detail.lang
    headings = [
        word(lang)
        for word in (
            Text("期間", "In force"),
            Text("定義", "Definition"),
            Text("値が分かる年度（支部の数）", "Years known (branches)"),
            Text("定義ID", "Id"),
        )
    ]
    rows = [
        [
            period_words(definition, lang),
            cell(_text_words(definition, lang), label=headings[1]),
            _years_known(detail, definition),
            definition.definition,
        ]
        for definition in detail.definitions
    ]
    notes = [*_say_overlaps(detail), *_say_parts(detail), *_say_caveats(detail)]
    return Html("<section>{}{}{}</section>").format(
        heading(2, _TITLE(lang), anchor="definitions"),
        table(_TITLE(lang), headings, rows, css="cards definitions"),
        bullet_list(notes, css="note") if notes else "",
    )


def _text_words(definition: Definition, lang: str) -> str:
    if not definition.restated:
        return definition.text(lang)
    years = Text("、", ", ")(lang).join(year_words(year, lang) for year in definition.restated)
    again = Text(f"{years}の値もこの定義で公表し直されている。", f" Values of {years} were published again under it.")(
        lang
    )
    return definition.text(lang) + again


def _years_known(detail: KpiDetail, definition: Definition) -> str:
    """``令和4年度～令和6年度（47）``: runs of years with equally many branches; the nation alone is said so."""
    lang = detail.lang
    rows = detail.years.filter(pl.col("definition") == definition.definition).to_dicts()
    runs: list[list] = []
    for row in rows:
        year, many = row["fiscal_year"], row["branches_known"]
        if runs and runs[-1][1] == year - 1 and runs[-1][2] == many:
            runs[-1][1] = year
        else:
            runs.append([year, year, many])
    words = []
    for first, last, many in runs:
        span = year_words(first, lang)
        if last != first:
            span += Text("～", "–")(lang) + year_words(last, lang)
        count = str(many) if many else Text("全国だけ", "nation only")(lang)
        words.append(Text(f"{span}（{count}）", f"{span} ({count})")(lang))
    return Text("、", ", ")(lang).join(words) or Text("なし", "none")(lang)


def _say_overlaps(detail: KpiDetail) -> list[str]:
    """The national figure of a year that is known under two definitions: how far apart the definitions are, not a change."""
    kpi, lang = detail.kpi, detail.lang
    published = detail.years.filter(pl.col("national_kind") == "published")
    order = [definition.definition for definition in detail.definitions]
    said = []
    for (year,), group in published.group_by("fiscal_year", maintain_order=True):
        rows = sorted(group.to_dicts(), key=lambda row: order.index(row["definition"]))
        if len(rows) < 2:
            continue
        old, new = (sentences.value_words(row["national"], kpi, lang) for row in (rows[0], rows[-1]))
        when = year_words(year, lang)
        said.append(
            Text(
                f"{when}の全国の値は、前の定義では{old}、新しい定義では{new}。この違いは定義の違いで、改善でも悪化でもない。",
                f"The nation in {when}: {old} under the old definition, {new} under the new one. That is the definition, no change.",
            )(lang)
        )
    return said


def _say_parts(detail: KpiDetail) -> list[str]:
    kpi, lang = detail.kpi, detail.lang
    if kpi.numerator is None or kpi.denominator is None:
        return []
    return [
        Text(
            f"分子は「{kpi.numerator.ja}」、分母は「{kpi.denominator.ja}」。",
            f"Numerator: {kpi.numerator.en}. Denominator: {kpi.denominator.en}.",
        )(lang)
    ]


def _say_caveats(detail: KpiDetail) -> list[str]:
    kpi, lang, catalogue = detail.kpi, detail.lang, detail.briefing.catalogue
    said = [catalogue.caveats[caveat](lang) for caveat in kpi.caveats]
    for other, difference in kpi.resembles:
        name = catalogue.kpis[other].name
        said.append(
            Text(f"似た指標「{name.ja}」との違い: {difference.ja}", f"Unlike “{name.en}”: {difference.en}")(lang)
        )
    return said
