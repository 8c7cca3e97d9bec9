"""The overview's figures on the spread of the branches: funnel, intervals, and who moved the nation."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from kenpo_lib import charts, sentences
from kenpo_lib.briefing.cells import name_kpi
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.flags import list_flag_rows
from kenpo_lib.briefing.reading import list_overview_kpis
from kenpo_lib.briefing.themes import plain_number
from kenpo_lib.briefing.words import (
    KIND_WORDS,
    MORE_DECIMALS,
    POSITION_WORDS,
    describe_contribution,
    describe_intervals,
    describe_spread,
)
from kenpo_lib.catalogue import Kpi
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year, round_half_up
from kenpo_lib.spread import list_funnel_rows
from kenpo_lib.tables import Html, data_details, figure, heading, join

CONTRIBUTION_TITLE = Text("全国の値を動かした支部", "Who moved the national figure")


def list_spread_anchors(briefing: Briefing) -> list[tuple[str, Text]]:
    """Anchor and words of the sections of this module that the page has, for its contents."""
    anchors = [(f"spread-{kpi.kpi_id}", spread_title(kpi)) for kpi in list_spread_kpis(briefing)]
    return [*anchors, *([("contribution", CONTRIBUTION_TITLE)] if list_contribution_kpis(briefing) else [])]


def spread_title(kpi: Kpi) -> Text:
    """The title of the section of one KPI."""
    return Text(f"{kpi.short_name.ja}: 差は偶然か", f"{kpi.short_name.en}: is the difference chance?")


# --- funnel and intervals -------------------------------------------------------------------------------------------


def list_spread_kpis(briefing: Briefing) -> list[Kpi]:
    """KPIs whose branches stand in a funnel in the page's year, in reading order: ten or more, all with counts."""
    rows = list_flag_rows(briefing)
    placed = {row["kpi_id"] for row in rows.filter(pl.col("funnel_z").is_not_null()).to_dicts()}
    return [kpi for kpi in briefing.catalogue.kpis.values() if kpi.kpi_id in placed]


def show_spread(briefing: Briefing, kpi: Kpi) -> Html:
    """Funnel and caterpillar of one KPI with what they say and the data behind them; empty where counts are unpublished."""
    lang, branches = briefing.lang, briefing.catalogue.branches
    values = list_flag_rows(briefing).filter(pl.col("kpi_id") == kpi.kpi_id)
    if list_funnel_rows(values).is_empty():
        return Html("")
    rows = values.filter(pl.col("value").is_not_null()).sort("branch_code").to_dicts()
    funnel_sentence = describe_spread(rows, branches=branches, lang=lang)
    interval_sentence = describe_intervals(rows, kpi, branches=briefing.branch_count, lang=lang)
    funnel = charts.render_svg(
        charts.draw_funnel(values, kpi, lang=lang, branches=branches),
        id_prefix=f"funnel-{kpi.kpi_id}",
        label=funnel_sentence,
    )
    caterpillar = charts.render_svg(
        charts.draw_caterpillar(values, kpi, lang=lang, branches=branches),
        id_prefix=f"caterpillar-{kpi.kpi_id}",
        label=interval_sentence,
    )
    funnel_word = Text("規模と率（ファンネルプロット）", "Size and rate (funnel plot)")(lang)
    interval_word = Text("95%区間", "95% intervals")(lang)
    return Html('<section class="theme">{}<div class="figures">{}{}</div></section>').format(
        heading(2, spread_title(kpi)(lang), anchor=f"spread-{kpi.kpi_id}"),
        figure(funnel, caption=funnel_word, sentence=funnel_sentence),
        figure(
            caterpillar, caption=interval_word, sentence=interval_sentence, details=_spread_details(briefing, rows, kpi)
        ),
    )


def _spread_details(briefing: Briefing, rows: list[sentences.Row], kpi: Kpi) -> Html:
    lang, branches = briefing.lang, briefing.catalogue.branches
    headings = [
        word(lang)
        for word in (
            Text("支部コード", "Code"),
            Text("支部", "Branch"),
            Text("分子", "Numerator"),
            Text("分母", "Denominator"),
            Text("実績", "Result"),
            Text("95%区間の下", "95% lower"),
            Text("95%区間の上", "95% upper"),
            Text("引き寄せた値", "Shrunken"),
            Text("偶然だけの限界", "Limits of chance"),
            Text("ふだんの差も見込む限界", "With usual differences"),
            Text("補正後の判定", "Verdict"),
            Text("出典", "Source"),
        )
    ]
    body = [
        [
            row["branch_code"],
            branches[row["branch_code"]].name(lang),
            _fixed(row["numerator"], 0),
            _fixed(row["denominator"], 0),
            plain_number(row["value"], kpi),
            *(_fixed(row[name], kpi.decimals + 1) for name in ("lower_95", "upper_95", "shrunk_value")),
            *(
                POSITION_WORDS[row[name]](lang) if row[name] else None
                for name in ("funnel_position", "funnel_adjusted_position")
            ),
            _verdict_word(row["statistical"], lang),
            row["source_id"],
        ]
        for row in rows
    ]
    caption = Text(f"{kpi.short_name.ja}の件数と区間", f"{kpi.short_name.en}: counts and intervals")(lang)
    name = f"kenpo_FY{briefing.fiscal_year}_{kpi.kpi_id}_spread.csv"
    return data_details(headings, body, file_name=name, caption=caption, lang=lang)


def _fixed(value: float | None, decimals: int) -> Decimal | None:
    """A number with fixed decimals that a spreadsheet reads as a number, also below 0."""
    return None if value is None else Decimal(f"{value:.{decimals}f}") + 0


def _verdict_word(verdict: str, lang: str) -> str:
    words = {
        **sentences.JUDGEMENT_WORDS,
        "same": Text("差なし", "no difference"),
        "no_difference": Text("差があるとはいえない", "no difference found"),
        "cannot_tell": Text("判定できない", "cannot tell"),
    }
    return words[verdict](lang)


# --- contribution ---------------------------------------------------------------------------------------------------


def find_contribution(briefing: Briefing, kpi: Kpi) -> pl.DataFrame:
    """How much each branch moved the nation in the page's year; no rows where that cannot be said."""
    return briefing.page.contribution.filter(pl.col("kpi_id") == kpi.kpi_id)


def list_contribution_kpis(briefing: Briefing) -> list[Kpi]:
    """KPIs whose national change can be split over the branches and is large enough to be published, in reading order."""
    return [kpi for kpi in list_overview_kpis(briefing) if _has_moved(find_contribution(briefing, kpi), kpi)]


def _has_moved(contribution: pl.DataFrame, kpi: Kpi) -> bool:
    """Whether the parts add up to more than rounding hides; parts of nothing say nothing."""
    return not contribution.is_empty() and round_half_up(contribution["national_change"][0], kpi.decimals) != 0


def show_contributions(briefing: Briefing) -> Html:
    """One section with all KPIs whose national change can be split over the branches; empty without any."""
    lang, kpis = briefing.lang, list_contribution_kpis(briefing)
    if not kpis:
        return Html("")
    count = briefing.branch_count
    note = Text(
        f"前年度からの全国の変化を{count}支部に分けたものです。率が変わった分は支部の率の変化、規模が変わった分は全国に占める割合の変化"
        f"（率が全国より高い支部が大きくなると上がる）。{count}支部を足すと全国の変化に一致します。棒の目盛は図ごとに違います。",
        f"The change of the national figure since the year before, split over the {count} branches: by the change of their rates, and of their "
        f"shares (a growing branch lifts the nation if its rate is above it). All {count} add up to the national change. Scales differ.",
    )(lang)
    blocks = join(show_contribution(briefing, kpi) for kpi in kpis)
    return Html('<section class="theme">{}<p class="note">{}</p><div class="grid two">{}</div></section>').format(
        heading(2, CONTRIBUTION_TITLE(lang), anchor="contribution"), note, blocks
    )


def show_contribution(briefing: Briefing, kpi: Kpi) -> Html:
    """The branches that moved one national figure most, with the data of all 47; empty where that cannot be said."""
    lang, branches = briefing.lang, briefing.catalogue.branches
    contribution = find_contribution(briefing, kpi)
    if contribution.is_empty():
        return Html("")
    sentence = describe_contribution(
        contribution, kpi, published=_list_published(briefing, contribution), branches=branches, lang=lang
    )
    svg = charts.render_svg(
        charts.draw_contribution(contribution, kpi, lang=lang, branches=branches),
        id_prefix=f"contribution-{kpi.kpi_id}-chart",
        label=sentence,
    )
    is_estimated = contribution["kind"][0] == "estimated"
    mark = Html(' <small class="mark">{}</small>').format(Text("推計", "estimate")(lang)) if is_estimated else ""
    title = kpi.name(lang)
    unit = kpi.unit_word(lang).strip()
    caption = Text(
        f"{format_fiscal_year(briefing.fiscal_year - 1, lang='ja')}から{format_fiscal_year(briefing.fiscal_year, lang='ja')}",
        f"{format_fiscal_year(briefing.fiscal_year - 1, lang='en')} to {format_fiscal_year(briefing.fiscal_year, lang='en')}",
    )(lang) + (Text("（ポイント）", " (points)")(lang) if unit == "%" else Text(f"（{unit}）", f" ({unit})")(lang))
    return Html('<div class="kpi">{}{}</div>').format(
        heading(3, name_kpi(kpi, lang) + mark, anchor=f"contribution-{kpi.kpi_id}"),
        figure(
            svg, caption=caption, sentence=sentence, details=_contribution_details(briefing, contribution, kpi, title)
        ),
    )


def _list_published(briefing: Briefing, contribution: pl.DataFrame) -> dict[int, float]:
    """The published national figure in each of the two years that has one."""
    year, kpi_id, definition = contribution.select("fiscal_year", "kpi_id", "definition").row(0)
    found = briefing.page.own.filter(
        (pl.col("kpi_id") == kpi_id)
        & (pl.col("definition") == definition)
        & pl.col("fiscal_year").is_in([year - 1, year])
        & pl.col("value").is_not_null()
    )
    return dict(found.select("fiscal_year", "value").iter_rows())


def _contribution_details(briefing: Briefing, contribution: pl.DataFrame, kpi: Kpi, title: str) -> Html:
    lang, branches = briefing.lang, briefing.catalogue.branches
    headings = [
        word(lang)
        for word in (
            Text("支部コード", "Code"),
            Text("支部", "Branch"),
            Text("前年度", "Prior year"),
            Text("当年度", "This year"),
            Text("全国に占める割合（前年度、%）", "Share, prior year (%)"),
            Text("全国に占める割合（当年度、%）", "Share, this year (%)"),
            Text("率が変わった分", "By its rate"),
            Text("規模が変わった分", "By its size"),
            Text("計", "Sum"),
            Text("求め方", "Basis"),
        )
    ]
    finer = kpi.decimals + MORE_DECIMALS + 2
    body = [
        [
            row["branch_code"],
            branches[row["branch_code"]].name(lang),
            plain_number(row["rate_before"], kpi),
            plain_number(row["rate_after"], kpi),
            _fixed(100 * row["share_before"], 3),
            _fixed(100 * row["share_after"], 3),
            *(_fixed(row[name], finer) for name in ("rate_effect", "volume_effect", "total")),
            KIND_WORDS[row["kind"]](lang).format(contribution.height),
        ]
        for row in contribution.to_dicts()
    ]
    name = f"kenpo_FY{briefing.fiscal_year}_{kpi.kpi_id}_contribution.csv"
    return data_details(headings, body, file_name=name, caption=title, lang=lang)
