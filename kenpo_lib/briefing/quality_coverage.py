"""What is known: branches × KPIs of the page's year as a picture, KPIs × years and targets as tables."""

from __future__ import annotations

import polars as pl

from kenpo_lib import charts, sentences
from kenpo_lib.briefing.kpi_words import year_words
from kenpo_lib.briefing.quality import SECTIONS
from kenpo_lib.briefing.quality_data import Quality
from kenpo_lib.catalogue import NATION, THEMES, Kpi
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.tables import Html, bullet_list, cell, csv_link, data_details, figure, heading, join, scrolling, table

# --- branches × KPIs --------------------------------------------------------------------------------------------------


def show_quality_coverage(quality: Quality) -> Html:
    """Every branch and KPI of the page's year: what is known, with counts and targets; what nothing is known of."""
    lang = quality.lang
    shown = list_shown(quality)
    title = heading(2, SECTIONS["coverage"](lang), anchor="coverage")
    if not shown:
        year = year_words(quality.briefing.fiscal_year, lang)
        none = Text(f"{year}の値や目標は手元にありません。", f"Nothing is known of {year}.")
        return Html("<section>{}<p>{}</p></section>").format(title, none(lang))
    sentence = describe_coverage(quality, shown)
    svg = charts.draw_coverage(
        quality.cells,
        quality.nation_cells,
        shown,
        quality.counts,
        lang=lang,
        branches=quality.branches,
        label=f"{sentence}{_say_each(quality, shown)}",
    )
    caption = Text("支部×指標", "Branches × KPIs")(lang)
    region = scrolling(svg, label=caption, css="wide")
    year = quality.briefing.fiscal_year
    details = _kpi_details(quality, caption) + _cell_csv(quality, f"kenpo_FY{year}_coverage.csv")
    return Html('<section class="theme">{}{}{}</section>').format(
        title, figure(region, caption=caption, sentence=sentence, details=details), _say_missing(quality, shown)
    )


def list_shown(quality: Quality) -> list[Kpi]:
    """The KPIs of which anything is known in the page's year: of a branch, of the nation, or a target."""
    found = {*quality.cells["kpi_id"], *quality.nation_cells["kpi_id"]}
    return [kpi for kpi in quality.kpis.values() if kpi.kpi_id in found]


def describe_coverage(quality: Quality, shown: list[Kpi]) -> str:
    """Which branches have most values, and which KPIs have counts."""
    lang = quality.lang
    final = quality.cells.filter(pl.col("state") == "final")
    per_branch = dict(final.group_by("branch_code").len().iter_rows())
    most = max(per_branch.values(), default=0)
    names = [quality.branches[code].name(lang) for code, many in sorted(per_branch.items()) if many == most]
    fewest = min((per_branch.get(code, 0) for code in quality.briefing.catalogue.branch_codes), default=0)
    counted = [kpi.short_name(lang) for kpi in shown if quality.known(kpi.kpi_id, "counts")]
    listed = Text("、", "; ")(lang).join(counted) or Text("なし", "none")(lang)
    many_ja = names[0] if len(names) == 1 else f"{len(names)}支部"
    many_en = names[0] if len(names) == 1 else f"{len(names)} branches"
    return Text(
        f"値が分かる指標は、最も多い{many_ja}で{most}、最も少ない支部で{fewest}。件数も公表されている値があるのは、{listed}。",
        f"KPIs known: {most} at most ({many_en}), {fewest} at least. Values with counts: {listed}.",
    )(lang)


def _say_each(quality: Quality, shown: list[Kpi]) -> str:
    """The number of branches of every KPI, for the picture's words."""
    lang = quality.lang
    each = Text("、", "; ")(lang).join(f"{kpi.short_name(lang)} {quality.known(kpi.kpi_id)}" for kpi in shown)
    return Text(f"値が分かる支部の数: {each}。", f" Branches known: {each}.")(lang)


def _say_missing(quality: Quality, shown: list[Kpi]) -> Html:
    """KPIs of which nothing is known, and those that are not looked at."""
    lang = quality.lang
    year = year_words(quality.briefing.fiscal_year, lang)
    absent = [kpi.short_name(lang) for kpi in quality.kpis.values() if kpi not in shown]
    own = [kpi.short_name(lang) for kpi in quality.briefing.catalogue.kpis.values() if kpi.branch_code is not None]
    notes = []
    if absent:
        listed = Text("、", "; ")(lang).join(absent)
        notes.append(
            Text(f"{year}の値も目標もない指標: {listed}。", f"Neither value nor target of {year}: {listed}.")(lang)
        )
    if own:
        text = Text(
            f"1支部だけの指標{len(own)}は数えていません。", f"{len(own)} KPIs of one branch alone are left out."
        )
        notes.append(text(lang))
    return bullet_list(notes, css="note") if notes else Html("")


def _kpi_details(quality: Quality, caption: str) -> Html:
    lang, year = quality.lang, quality.briefing.fiscal_year
    headings = [
        word(lang)
        for word in (
            Text("指標", "KPI"),
            Text("定義", "Definition"),
            Text("値が分かる支部", "Branches with a value"),
            Text("うち件数も分かる", "With counts"),
            Text("年度途中の値", "Part-way"),
            Text("公表待ち", "Pending"),
            Text("目標が分かる支部", "Branches with a target"),
            Text("全国の値", "National figure"),
            Text("全国の目標", "National target"),
        )
    ]
    own = {row["kpi_id"]: row for row in quality.nation_cells.to_dicts()}
    kinds = dict(
        quality.cells.filter(pl.col("national_kind").is_not_null()).select("kpi_id", "national_kind").iter_rows()
    )
    rows = []
    for kpi in quality.kpis.values():
        nation = own.get(kpi.kpi_id)
        kind = "published" if nation and nation["state"] == "final" else kinds.get(kpi.kpi_id)
        definition = kpi.definition_in_force(year)
        rows.append(
            [
                kpi.name(lang),
                definition.definition if definition else None,
                *(quality.known(kpi.kpi_id, name) for name in ("final", "counts", "interim", "pending", "targets")),
                sentences.national_name(kind, kpi, lang, branches=quality.branch_count) if kind else None,
                Text("あり", "yes")(lang) if nation and nation["has_target"] else None,
            ]
        )
    name = f"kenpo_FY{year}_coverage_kpis.csv"
    return data_details(headings, rows, file_name=name, caption=caption, lang=lang)


def _cell_csv(quality: Quality, file_name: str) -> Html:
    columns = ["branch_code", "kpi_id", "definition", "state", "has_counts", "has_target"]
    rows = pl.concat([quality.nation_cells, quality.cells]).select(columns).iter_rows()
    return csv_link(columns, rows, file_name=file_name, lang=quality.lang)


# --- KPIs × years -----------------------------------------------------------------------------------------------------


def show_quality_years(quality: Quality) -> Html:
    """How many branches are known, for every KPI and year, as a heat map of numbers."""
    lang = quality.lang
    title = SECTIONS["years"](lang)
    by_year = quality.by_year.filter(pl.col("branches") > 0)
    if by_year.is_empty():
        none = Text("支部の値は手元にありません。", "No value of any branch is at hand.")
        return Html("<section>{}<p>{}</p></section>").format(heading(2, title, anchor="years"), none(lang))
    years = list(range(by_year["fiscal_year"].min(), quality.briefing.fiscal_year + 1))
    found = {(row["kpi_id"], row["fiscal_year"]): row for row in quality.by_year.to_dicts()}
    kpis = [kpi for kpi in quality.kpis.values() if any((kpi.kpi_id, year) in found for year in years)]
    head = join(Html('<th scope="col" class="num">{}</th>').format(_year_title(year, lang)) for year in years)
    groups = []
    for theme in dict.fromkeys(kpi.theme for kpi in kpis):
        name = Html('<tr class="group"><th colspan="{}" scope="rowgroup">{}</th></tr>').format(
            len(years) + 1, THEMES[theme](lang)
        )
        rows = (
            _year_row(kpi, years, found, total=quality.branch_count, lang=lang) for kpi in kpis if kpi.theme == theme
        )
        groups.append(Html("<tbody>{}{}</tbody>").format(name, join(rows)))
    grid = Html(
        '<div class="scroll" tabindex="0" role="group" aria-label="{0}"><table class="matrix years known"><caption>{0}</caption>'
        '<thead><tr><th scope="col">{1}</th>{2}</tr></thead>{3}</table></div>'
    ).format(title, Text("指標", "KPI")(lang), head, join(groups))
    rows = [[kpi.name(lang), *(found.get((kpi.kpi_id, year), {}).get("branches", 0) for year in years)] for kpi in kpis]
    csv_name = f"kenpo_FY{quality.briefing.fiscal_year}_coverage_years.csv"
    return Html("<section>{}{}{}{}</section>").format(
        heading(2, title, anchor="years"),
        bullet_list(_explain_years(quality, kpis), css="note"),
        grid,
        csv_link([Text("指標", "KPI")(lang), *years], rows, file_name=csv_name, lang=lang),
    )


def _year_title(fiscal_year: int, lang: str) -> Html:
    name = format_fiscal_year(fiscal_year, lang=lang)
    return Html("{} <small>{}</small>").format(name, fiscal_year) if lang == "ja" else Html("{}").format(name)


def _explain_years(quality: Quality, kpis: list[Kpi]) -> list[str]:
    lang = quality.lang
    said = [
        Text(
            f"数字は値が分かる支部の数（定義は問わない）。濃い地の太字は{quality.branch_count}支部すべて、薄い地は10支部以上。◆は全国の公表値がある年度。",
            f"Branches with a value, whatever the definition. Bold on dark: all {quality.branch_count}; on light: ten or more. ◆: nation published.",
        )(lang)
    ]
    changed = [kpi for kpi in kpis if _break_years(kpi)]
    if changed:
        text = Text(
            "太い縦線は定義が変わった年度で、前後の値は比べません。",
            "Thick rules: the definition changed; values are not compared across them.",
        )
        said.append(text(lang))
    return said


def _break_years(kpi: Kpi) -> set[int]:
    """The years in which a definition came into force after another."""
    starts = [definition.first_year for definition in kpi.definitions.values() if definition.first_year is not None]
    begins = any(definition.first_year is None for definition in kpi.definitions.values())
    return set(starts if begins else sorted(starts)[1:])


def _year_row(kpi: Kpi, years: list[int], found: dict, *, total: int, lang: str) -> Html:
    cells = []
    for year in years:
        row = found.get((kpi.kpi_id, year))
        css = "num break" if year in _break_years(kpi) and year != years[0] else "num"
        count = row["branches"] if row else 0
        css += " all" if count == total else " many" if count >= MIN_POSITION_BRANCHES else ""
        published = Text("全国の公表値あり", "nation published")(lang)
        mark = Html('<span class="shape" role="img" aria-label="{}">◆</span>').format(published)
        blank = Html('<span class="shape"></span>')
        shown = Html("{} {}").format(count or "–", mark if row and row["has_nation"] else blank)
        cells.append(cell(shown, css=css))
    return Html('<tr><th scope="row">{}</th>{}</tr>').format(kpi.short_name(lang), join(cells))


# --- targets ----------------------------------------------------------------------------------------------------------


def show_quality_targets(quality: Quality) -> Html:
    """Of whom targets are known: the number of KPIs with one, by branch and year."""
    lang, targets = quality.lang, quality.data.tables["targets"]
    title = heading(2, SECTIONS["targets"](lang), anchor="targets")
    if targets.is_empty():
        none = Text("目標は手元にありません。", "No targets are at hand.")
        return Html("<section>{}<p>{}</p></section>").format(title, none(lang))
    counted = {
        (row["branch_code"], row["fiscal_year"]): row["kpis"]
        for row in targets.group_by("branch_code", "fiscal_year")
        .agg(pl.col("kpi_id").n_unique().alias("kpis"))
        .to_dicts()
    }
    years = sorted({year for _, year in counted})
    codes = sorted({code for code, _ in counted})
    headings = [Text("支部", "Branch")(lang), *(format_fiscal_year(year, lang=lang) for year in years)]
    rows = [
        [
            quality.branches[code].name(lang),
            *(cell(counted.get((code, year)), label=headings[0], css="num") for year in years),
        ]
        for code in codes
    ]
    with_targets = sum(code != NATION for code in codes)
    sentence = Text(
        f"目標が1つでも分かるのは{with_targets}支部で、ほかの{quality.branch_count - with_targets}支部の目標は手元の公表資料にありません。"
        "数字は目標が分かる指標の数（1支部だけの指標を含む）。",
        f"Some target is known of {with_targets} branches; the documents at hand have none of the other "
        f"{quality.branch_count - with_targets}. Numbers of KPIs with a target (those of one branch alone included).",
    )(lang)
    caption = SECTIONS["targets"](lang)
    return Html("<section>{}<p>{}</p>{}</section>").format(
        title, sentence, table(caption, headings, rows, css="matrix years")
    )
