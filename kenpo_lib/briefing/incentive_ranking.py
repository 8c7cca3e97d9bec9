"""The incentive scheme in the overview: all branches by rank. A reading; the section says so."""

from __future__ import annotations

from typing import Any

from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.incentive import published_words, write_remarks
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number
from kenpo_lib.tables import Html, badge, cell, csv_link, heading, table

_REWARDED, _NOT_REWARDED = Text("対象", "rewarded"), Text("対象外", "not rewarded")


def show_incentive_ranking(briefing: Briefing) -> Html:
    """All branches by rank: total, level, growth, and what the reward does; empty in years without a score."""
    scores = briefing.page.incentive
    if scores is None:
        return Html("")
    lang = briefing.lang
    headings = [
        word(lang)
        for word in (
            Text("支部", "Branch"),
            Text("順位", "Rank"),
            Text("合計点", "Total"),
            Text("水準の点", "Level"),
            Text("伸びの点", "Growth"),
            Text("報奨", "Reward"),
            Text("料率への影響（ポイント）", "Premium rate (points)"),
            Text("同 公表値", "the same, published"),
            Text("報奨金（百万円）", "Reward (million yen)"),
        )
    ]
    body = []
    for row in scores.sort("rank", "branch_code", nulls_last=True).to_dicts():
        numbers = [(row["total"], 1), (row["level_points"], 1), (row["growth_points"], 1)]
        effects = [format_number(row["net_pct"], 3, signed=True), published_words(row)]
        effects.append(format_number(row["reward_million_yen"], 0))
        words = [str(row["rank"] or "–"), *(format_number(number, decimals) for number, decimals in numbers)]
        cells = [cell(word, label=name) for word, name in zip(words, headings[1:5], strict=True)]
        cells.append(cell(_reward_badge(row, lang), label=headings[5]))
        cells += [cell(word, label=name) for word, name in zip(effects, headings[6:], strict=True)]
        body.append([f"{row['branch_code']} {briefing.catalogue.branches[row['branch_code']].name(lang)}", *cells])
    first = scores.to_dicts()[0]
    title = Text("インセンティブ制度の得点と順位（概算）", "Incentive scheme: scores and ranks (approximate)")(lang)
    name = f"kenpo_FY{briefing.fiscal_year}_incentive.csv"
    columns = ["branch_code", "branch_name", "fiscal_year", "scheme", "rank", "total", "level_points", "growth_points"]
    columns += [
        "is_rewarded",
        "points_to_reward",
        "reward_year",
        "reward_pct",
        "net_pct",
        "published_net_pct",
        "reward_million_yen",
    ]
    return Html("<section>{}{}{}{}</section>").format(
        heading(2, title, anchor="incentive"),
        table(title, headings, body, css="matrix ranking"),
        write_remarks(first, briefing),
        csv_link(columns, scores.select(columns).iter_rows(), file_name=name, lang=lang),
    )


def _reward_badge(row: dict[str, Any], lang: str) -> Html | str:
    if row["is_rewarded"] is None:
        return "–"
    word, css = (_REWARDED, "met") if row["is_rewarded"] else (_NOT_REWARDED, "cannot_tell")
    return badge(word(lang), css=css)
