"""The incentive scheme: one branch's score by indicator, and what would bring it to a reward. A reading; the section says so."""

from __future__ import annotations

from typing import Any

import polars as pl

from kenpo_lib import charts
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.catalogue import NATION
from kenpo_lib.incentive import READING_NOTE
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year, format_number
from kenpo_lib.stats.incentive import COMPONENTS, find_scheme
from kenpo_lib.tables import Html, bullet_list, cell, data_details, figure, heading, table

INCENTIVE_TITLE = Text("インセンティブ制度", "Incentive scheme")
_UNKNOWN_TOTAL = Text(
    "得点に要る値がそろわないため、合計点と順位は計算できない。",
    "Values that the score needs are missing, so that it has no total and no rank.",
)


def has_incentive(briefing: Briefing) -> bool:
    """Whether the page's year can be scored."""
    return briefing.page.incentive is not None


def find_own_score(briefing: Briefing) -> dict[str, Any] | None:
    """The page's branch in the scheme; None in years without a score, and for the nation."""
    scores = briefing.page.incentive
    if scores is None or briefing.branch_code == NATION:
        return None
    (own,) = scores.to_dicts()
    return own


def show_incentive(briefing: Briefing) -> Html:
    """The branch's score: conclusion, points by indicator, and what would bring it to a reward; empty in other years."""
    own = find_own_score(briefing)
    if own is None:
        return Html("")
    lang, indicators = briefing.lang, briefing.page.indicators
    return Html('<section>{}<p>{}</p><div class="figures">{}<div class="aside">{}</div></div>{}</section>').format(
        heading(2, INCENTIVE_TITLE(lang), anchor="incentive"),
        _conclude(own, briefing),
        _points_figure(briefing, indicators),
        write_remarks(own, briefing),
        _indicator_table(briefing, own, indicators),
    )


# --- one branch -----------------------------------------------------------------------------------------------------


def _conclude(own: dict[str, Any], briefing: Briefing) -> str:
    """Total, rank, reward and distance in a sentence, and what it does to the premium rate in another."""
    lang, name = briefing.lang, briefing.branch_name
    if own["rank"] is None:
        return _UNKNOWN_TOTAL(lang)
    total, known, last = format_number(own["total"], 1), own["ranked_count"], own["rewarded_ranks"]
    said = Text(
        f"{name}の合計点は{total}点、{known}支部中{own['rank']}位（いずれも概算、平均は{own['mean_total']:.0f}点）",
        f"{name} has {total} points, rank {own['rank']} of {known} (both approximate; the mean is {own['mean_total']:.0f})",
    )(lang)
    if own["is_rewarded"] is None:
        return said + Text("。", ".")(lang)
    if own["is_rewarded"]:
        lead = format_number(own["points_ahead"], 1)
        said += Text(
            f"で、報奨の対象（上位{last}支部）に入り、対象外で最上位の支部を{lead}点上回る。",
            f": among the {last} rewarded, {lead} points above the first branch without a reward.",
        )(lang)
    else:
        missing = format_number(own["points_to_reward"], 1)
        said += Text(
            f"で、報奨の対象（上位{last}支部）まで{missing}点足りない。",
            f": not rewarded, {missing} points below rank {last}.",
        )(lang)
    if own["net_pct"] is None:
        return said
    year = format_fiscal_year(own["reward_year"], lang=lang)
    fund, reward = (format_number(own[part], 3) for part in ("fund_pct", "reward_pct"))
    net = format_number(own["net_pct"], 3, signed=True)
    money = format_number(own["reward_million_yen"], 0)
    gained = Text(f"、報奨金 −{reward}＝約{money}百万円", f", reward −{reward}, about {money} million yen")(lang)
    published = published_words(own)
    checked = Text(f"公表された値は{published}ポイント。", f" The published effect is {published} points.")(lang)
    return (
        said
        + Text(
            f"{year}の保険料率への影響は{net}ポイントの見込み（財源の拠出 +{fund}{gained if own['is_rewarded'] else ''}）。",
            f" It would change the premium rate of {year} by {net} points (contribution to the fund +{fund}"
            f"{gained if own['is_rewarded'] else ''}).",
        )(lang)
        + (checked if own["published_net_pct"] is not None else "")
    )


def published_words(row: dict[str, Any]) -> str:
    """The effect that the published premium rate contains, at its printed precision."""
    return format_number(row["published_net_pct"], row["published_net_decimals"] or 0, signed=True)


def _points_figure(briefing: Briefing, indicators: pl.DataFrame) -> Html:
    lang, kpis = briefing.lang, briefing.catalogue.kpis
    rows = indicators.to_dicts()
    named = indicators.with_columns(
        pl.Series("name", [kpis[row["kpi_id"]].short_name(lang) for row in rows], dtype=pl.String)
    )
    pieces = [
        f"{kpis[row['kpi_id']].short_name(lang)} {format_number(row['points'], 1)}"
        + Text(f"（平均{format_number(_mean(row), 1)}）", f" (mean {format_number(_mean(row), 1)})")(lang)
        for row in rows
    ]
    sentence = Text("得点: " + "、".join(pieces) + "。", "Points: " + ", ".join(pieces) + ".")(lang)
    svg = charts.render_svg(
        charts.draw_incentive_points(named, lang=lang), id_prefix="incentive-points", label=sentence
    )
    columns = [column for column in indicators.columns if column != "branch_code"]
    caption = Text("指標ごとの得点（概算）", "Points by indicator (approximate)")(lang)
    name = f"kenpo_{briefing.branch_code}_FY{briefing.fiscal_year}_incentive.csv"
    details = data_details(
        columns,
        [[round(v, 4) if isinstance(v, float) else v for v in row] for row in indicators.select(columns).iter_rows()],
        file_name=name,
        caption=caption,
        lang=lang,
    )
    return figure(svg, caption=caption, sentence=sentence, details=details)


def _mean(row: dict[str, Any]) -> float | None:
    parts = (row["mean_level_points"], row["mean_growth_points"])
    return None if None in parts else sum(parts)


def _indicator_table(briefing: Briefing, own: dict[str, Any], indicators: pl.DataFrame) -> Html:
    lang, last = briefing.lang, own["rewarded_ranks"]
    headings = [
        word(lang)
        for word in (
            Text("指標", "Indicator"),
            Text("実績", "Value"),
            Text("水準の偏差値", "Level score"),
            Text("伸びの偏差値", "Growth score"),
            Text("得点（平均）", "Points (mean)"),
            Text("1ポイント増", "One more point"),
            Text(f"単独で{last}位", f"Alone for rank {last}"),
        )
    ]
    body = []
    for number, row in enumerate(indicators.to_dicts()):
        kpi = briefing.catalogue.kpis[row["kpi_id"]]
        words = [
            f"{format_number(row['value'], kpi.decimals)}%" if row["value"] is not None else "–",
            format_number(row["level_score"], 1),
            _growth_words(row, find_scheme(briefing.fiscal_year).weights[number], lang),
            f"{format_number(row['points'], 1)} ({format_number(_mean(row), 1)})",
            _one_more_words(row, own, lang),
            _alone_words(row, own, lang),
        ]
        cells = [cell(word, label=label) for word, label in zip(words, headings[1:], strict=True)]
        body.append([f"{number + 1} {kpi.short_name(lang)}", *cells])
    title = Text("指標ごとの偏差値・得点と、あと何ポイントか", "Scores and points by indicator, and what is missing")(
        lang
    )
    return table(title, headings, body, css="cards")


def _growth_words(row: dict[str, Any], weights: tuple[int, int, int], lang: str) -> str:
    """The scores of growth that count; why there is none where there is none."""
    if not any(weights[1:]):
        return Text("伸びは評価しない", "growth does not count")(lang)
    if row["prior_value"] is None:
        return Text("前年度と比べられない", "not comparable with the year before")(lang)
    kinds = {"rate_growth": Text("率", "rate "), "count_growth": Text("件数", "count ")}
    parts = [
        (kinds[name](lang) if weights[2] else "") + format_number(row[f"{name}_score"], 1)
        for name, weight in zip(COMPONENTS, weights, strict=True)
        if weight and name in kinds
    ]
    return Text("、", ", ")(lang).join(parts)


def _one_more_words(row: dict[str, Any], own: dict[str, Any], lang: str) -> str:
    if row["plus_one_points"] is None or own["rank"] is None:
        return "–"
    points, after = format_number(row["plus_one_points"], 1, signed=True), own["rank"] - row["plus_one_ranks"]
    return Text(f"{points}点、{own['rank']}位→{after}位", f"{points}, rank {own['rank']}\u00a0→\u00a0{after}")(lang)


def _alone_words(row: dict[str, Any], own: dict[str, Any], lang: str) -> str:
    if own["is_rewarded"] is None:
        return "–"
    if own["is_rewarded"]:
        return Text("入っている", "already there")(lang)
    if row["increase_needed"] is None:
        return Text("100%でも届かない", "not even with 100%")(lang)
    more, reached = (
        format_number(value, 1) for value in (row["increase_needed"], row["value"] + row["increase_needed"])
    )
    return Text(f"+{more}ポイント（{reached}%）", f"+{more} points ({reached}%)")(lang)


# --- remarks --------------------------------------------------------------------------------------------------------


def write_remarks(row: dict[str, Any], briefing: Briefing) -> Html:
    """That it is a reading, what was left out, and how to read the figures."""
    lang, kpis = briefing.lang, briefing.catalogue.kpis
    left_out = [entry.partition(":")[0] for entry in row["left_out"]]
    names = Text("、", ", ")(lang).join(dict.fromkeys(kpis[kpi_id].short_name(lang) for kpi_id in left_out))
    notes = [READING_NOTE(lang)]
    if names:
        notes.append(
            Text(
                f"{names}は定義が変わり前年度と比べられないため、伸びを除き水準だけで計算した。この年度の誤差は大きい。",
                f"{names}: the definition changed, so that growth is left out and the level carries all its points. The error "
                "is larger in this year.",
            )(lang)
        )
    if row["is_first_with_growth"]:
        notes.append(Text("伸びを計算できる最初の年度。", "The first year for which growth can be computed.")(lang))
    if row["count_growth_by"] == "subscribers_40_74":
        notes.append(
            Text(
                "件数の伸びは、率×40～74歳加入者数（予算の見込み）の伸びで代用した。",
                "Rate × projected subscribers aged 40–74 stands in for the counts behind their growth.",
            )(lang)
        )
    if row["remuneration_million_yen"] is not None:
        year = format_fiscal_year(row["reward_year"], lang=lang)
        notes.append(
            Text(
                f"報奨金は{year}の総報酬額（予算の見込み）で按分した。料率への影響は、全支部の拠出と報奨金の差し引き。",
                f"Rewards are shared out by the total remuneration projected for {year}; the effect on the premium rate is each "
                "branch's contribution less its reward.",
            )(lang)
        )
    if briefing.branch_code != NATION:
        notes.append(
            Text(
                "「1ポイント増」と「単独で」は、ほかの支部とほかの指標がそのままのときの計算（平均と標準偏差も計算し直す）。",
                "One more point, and one indicator alone: all other branches and indicators as they are; means "
                "and standard deviations are computed again.",
            )(lang)
        )
    return bullet_list(notes, css="note")
