"""How the branches of one KPI developed: their spread year by year, and the regional blocks in small pictures."""

from __future__ import annotations

import polars as pl

from kenpo_lib import charts, sentences
from kenpo_lib.briefing.kpi_data import KpiDetail, Row
from kenpo_lib.briefing.kpi_words import describe_years, year_words
from kenpo_lib.briefing.themes import plain_number
from kenpo_lib.catalogue import period_words
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.tables import Html, data_details, figure, heading, join

TITLE = Text("推移", "Course")


def has_course(detail: KpiDetail) -> bool:
    """True if there are two years to show."""
    return detail.years["fiscal_year"].n_unique() > 1


def show_kpi_course(detail: KpiDetail) -> Html:
    """The spread of the branches and the nation over the years, and by regional block; empty with one year at most."""
    if not has_course(detail):
        return Html("")
    figures = [_spread_figure(detail)]
    if not (full := full_years(detail)).is_empty():
        figures.append(_block_figure(detail, full))
    return Html('<section class="theme">{}<div class="figures">{}</div></section>').format(
        heading(2, TITLE(detail.lang), anchor="course"), join(figures)
    )


def full_years(detail: KpiDetail) -> pl.DataFrame:
    """The years of the newest definition in which all branches are known; no rows where they are fewer than two in a row."""
    if detail.latest is None:
        return detail.years.clear()
    full = detail.years.filter((pl.col("definition") == detail.latest[0]) & pl.col("is_full"))
    years = full["fiscal_year"].to_list()
    return full if len(years) > 1 and years[-1] - years[0] == len(years) - 1 else full.clear()


# --- the spread -------------------------------------------------------------------------------------------------------


def _spread_figure(detail: KpiDetail) -> Html:
    lang, kpi = detail.lang, detail.kpi
    sentence = describe_years(detail)
    svg = charts.draw_branch_years(
        detail.years,
        detail.values,
        detail.nation,
        kpi,
        titles={
            definition.definition: Text(
                f"定義: {period_words(definition, 'ja')}", f"Definition: {period_words(definition, 'en')}"
            )(lang)
            for definition in detail.definitions
        },
        lang=lang,
        branches=detail.branches,
        branch_code=detail.briefing.branch_code,
        label=sentence,
    )
    caption = Text("支部の広がりと全国", "Spread of the branches, and the nation")(lang)
    return figure(svg, caption=caption, sentence=sentence, details=_spread_details(detail, caption))


def _spread_details(detail: KpiDetail, caption: str) -> Html:
    lang, kpi = detail.lang, detail.kpi
    headings = [
        word(lang)
        for word in (
            Text("年度", "Year"),
            Text("定義", "Definition"),
            Text("値の分かる支部", "Branches known"),
            Text("うち件数も分かる", "With counts"),
            Text("最小", "Lowest"),
            Text("第1四分位", "Lower quartile"),
            Text("中央値", "Median"),
            Text("第3四分位", "Upper quartile"),
            Text("最大", "Highest"),
            Text("全国", "Nation"),
            Text("全国の種類", "Kind"),
            Text("全国の出典", "Source of the nation"),
        )
    ]
    spread = ("lowest", "lower_quartile", "median", "upper_quartile", "highest", "national")
    rows = [
        [
            format_fiscal_year(row["fiscal_year"], lang=lang),
            row["definition"],
            row["branches_known"],
            row["with_counts"],
            *(plain_number(row[name], kpi) for name in spread),
            sentences.national_name(row["national_kind"], kpi, lang, branches=detail.branch_count)
            if row["national_kind"]
            else None,
            row["national_source_id"],
        ]
        for row in detail.years.to_dicts()
    ]
    name = f"kenpo_{kpi.kpi_id}_FY{detail.briefing.fiscal_year}_years.csv"
    return data_details(headings, rows, file_name=name, caption=caption, lang=lang)


# --- regional blocks --------------------------------------------------------------------------------------------------


def list_blocks(detail: KpiDetail, full: pl.DataFrame) -> list[Row]:
    """One row per regional block in the order of the codes: how many branches, and their median in each of the years."""
    years = full["fiscal_year"].to_list()
    values = detail.values.filter(
        (pl.col("definition") == full["definition"][0]) & pl.col("fiscal_year").is_in(years)
    ).sort("branch_code")
    medians = values.group_by("block", maintain_order=True).agg(
        pl.col("branch_code").first(),
        pl.col("branch_code").n_unique().alias("branches"),
        *(pl.col("value").filter(pl.col("fiscal_year") == year).median().alias(str(year)) for year in years),
    )
    return [row | {"block": detail.branches[row["branch_code"]].block(detail.lang)} for row in medians.to_dicts()]


def describe_blocks(blocks: list[Row], detail: KpiDetail, last: int) -> str:
    """Which regional blocks have the highest and the lowest median in the newest year."""
    lang, kpi = detail.lang, detail.kpi
    ordered = sorted(blocks, key=lambda row: (-row[str(last)], row["branch_code"]))
    high, low = (
        f"{row['block']} {sentences.value_words(row[str(last)], kpi, lang)}" for row in (ordered[0], ordered[-1])
    )
    when = year_words(last, lang)
    return Text(
        f"線は支部、灰色の帯は{detail.branch_count}支部の四分位の間。{when}の中央値が最も高い地域は{high}、最も低い地域は{low}。",
        f"A line is a branch, the grey band holds the middle half of the {detail.branch_count}. Highest median in {when}: {high}; lowest: {low}.",
    )(lang)


def _block_figure(detail: KpiDetail, full: pl.DataFrame) -> Html:
    lang, kpi = detail.lang, detail.kpi
    blocks, years = list_blocks(detail, full), full["fiscal_year"].to_list()
    sentence = describe_blocks(blocks, detail, years[-1])
    each = Text("、", "; ")(lang).join(
        f"{row['block']} {Text('→', ' to ')(lang).join(sentences.value_words(row[str(year)], kpi, lang) for year in (years[0], years[-1]))}"
        for row in blocks
    )
    span = Text(
        f"{year_words(years[0], 'ja')}から{year_words(years[-1], 'ja')}",
        f"{year_words(years[0], 'en')} to {year_words(years[-1], 'en')}",
    )(lang)
    svg = charts.draw_block_years(
        full,
        detail.values.filter(pl.col("definition") == full["definition"][0]),
        kpi,
        lang=lang,
        branches=detail.branches,
        branch_code=detail.briefing.branch_code,
        label=Text(f"{sentence}地域ごとの中央値（{span}）: {each}。", f"{sentence} Medians by block ({span}): {each}.")(
            lang
        ),
    )
    caption = Text("地域ごとの支部", "Branches by regional block")(lang)
    headings = [Text("地域", "Block")(lang), Text("支部の数", "Branches")(lang)]
    headings += [Text(f"{year_words(year, 'ja')}の中央値", f"Median {year_words(year, 'en')}")(lang) for year in years]
    rows = [[row["block"], row["branches"], *(plain_number(row[str(year)], kpi) for year in years)] for row in blocks]
    name = f"kenpo_{kpi.kpi_id}_FY{detail.briefing.fiscal_year}_blocks.csv"
    details = data_details(headings, rows, file_name=name, caption=caption, lang=lang)
    return figure(svg, caption=caption, sentence=sentence, details=details)
