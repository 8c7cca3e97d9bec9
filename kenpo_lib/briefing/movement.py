"""Which branches climbed and fell since the year before, in one KPI under one definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kenpo_lib import sentences
from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.words import list_few, name_of
from kenpo_lib.catalogue import Kpi
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number
from kenpo_lib.tables import Html, table
from kenpo_lib.verdict_words import is_unusual_movement

Row = dict[str, Any]

MOST_MOVERS = 5  # each way


def show_movement(briefing: Briefing, rows: Sequence[Row], kpi: Kpi) -> Html:
    """What moved in a sentence, and the five that climbed and fell furthest; why not, where ranks cannot be compared.

    Args:
        briefing: The national page.
        rows: All branches of one KPI, definition and year.
        kpi: Its entry of the catalogue.
    """
    lang, branches = briefing.lang, briefing.catalogue.branches
    said = Html('<p class="moves">{}</p>').format(describe_movement(rows, kpi, briefing))
    movers = pick_movers(rows)
    if not movers:
        return said
    headings = [
        word(lang)
        for word in (
            Text("支部", "Branch"),
            Text("順位", "Rank"),
            Text("動き（◆例年より大きい）", "Moved (◆ more than usual)"),
            Text("実績", "Result"),
        )
    ]
    body = [
        [
            name_of(row, branches, lang),
            Text(f"{row['prior_rank']}位 → {row['rank']}位", f"{row['prior_rank']} → {row['rank']}")(lang),
            _moved_words(row),
            f"{format_number(row['prior_value'], kpi.decimals)} → {sentences.value_words(row['value'], kpi, lang)}",
        ]
        for row in movers
    ]
    title = Text(f"{kpi.short_name.ja}: 順位が大きく動いた支部", f"{kpi.short_name.en}: ranks that moved most")(lang)
    return said + table(title, headings, body, css="matrix moves")


def pick_movers(rows: Sequence[Row]) -> list[Row]:
    """The five that climbed furthest, furthest first, then the five that fell furthest, furthest last; ties by code."""
    known = [row for row in rows if row["rank_change"]]
    up = sorted((row for row in known if row["rank_change"] > 0), key=lambda r: (-r["rank_change"], r["branch_code"]))
    down = sorted((row for row in known if row["rank_change"] < 0), key=lambda r: (r["rank_change"], r["branch_code"]))
    return [*up[:MOST_MOVERS], *reversed(down[:MOST_MOVERS])]


def describe_movement(rows: Sequence[Row], kpi: Kpi, briefing: Briefing) -> str:
    """How many climbed, fell and stayed, and who moved further than nine in ten do; why not, where there are no ranks before."""
    lang, branches = briefing.lang, briefing.catalogue.branches
    changes = [row["rank_change"] for row in rows if row["rank_change"] is not None]
    if not changes:
        if any(row["prior_reason"] == "definition_changed" for row in rows):
            text = Text(
                "前年度とは定義が違うため、順位の動きは示せません。",
                "The definition changed, so ranks are not compared with the year before.",
            )
        else:
            text = Text(
                "前年度の値がそろわないため、順位の動きは示せません。",
                "Too few values of the year before to compare ranks.",
            )
        return text(lang)
    up, down = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
    same = len(changes) - up - down
    order = "" if kpi.direction.sign else Text("（高い順）", " (from the highest)")(lang)
    said = Text(
        f"前年度から順位{order}が上がった支部{up}、下がった支部{down}、同じ{same}。",
        f"Since the year before {up} branches climbed{order}, {down} fell, {same} stayed.",
    )(lang)
    usual = next((row["rank_change_usual"] for row in rows if row["rank_change_usual"] is not None), None)
    if usual is None:
        return said
    far = [name_of(row, branches, lang) for row in pick_movers(rows) if is_unusual_movement(row)]
    number = sum(is_unusual_movement(row) for row in rows)
    span = format_number(usual, 0)
    if not number:
        tail = Text(
            f"どの支部の動きも、例年の範囲（10回に9回は{span}位以内）です。",
            f" All moved within the usual {span} places (nine in ten movements).",
        )
    else:
        listed_ja, listed_en = list_few(far, "ja", most=len(far)), list_few(far, "en", most=len(far))
        tail = Text(
            f"例年の範囲（10回に9回は{span}位以内）を超えて動いたのは{number}支部（{listed_ja}{'など' if number > len(far) else ''}）。",
            f" Further than the usual {span} places (nine in ten movements): {number} ({listed_en}"
            f"{' and others' if number > len(far) else ''}).",
        )
    return said + tail(lang)


def _moved_words(row: Row) -> str:
    change = row["rank_change"]
    return f"{'↑' if change > 0 else '↓'} {abs(change)}" + (" ◆" if is_unusual_movement(row) else "")
