"""What stands beside a value in the table of branches and KPIs: a mark only where the one verdict says that it differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.words import DIFFERENT
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.tables import Html, bullet_list

Row = dict[str, Any]

_MARKS = {
    "better": Text("◆良い", "◆ better"),
    "worse": Text("◇悪い", "◇ worse"),
    "higher": Text("◆高い", "◆ higher"),
    "lower": Text("◇低い", "◇ lower"),
}
_ALERT = Text("◇悪い・悪化中", "◇ worse, worsening")
_SMALL = Text("（小さな差）", " (small)")
_NO_DIFFERENCE = Text("範囲内", "within")
_GROUPS = (
    Text("①上位1/5", "① top fifth"),
    Text("中の上", "2nd fifth"),
    Text("中ほど", "3rd fifth"),
    Text("中の下", "4th fifth"),
    Text("⑤下位1/5", "⑤ last fifth"),
)
_HIGH_LOW = (
    Text("①高い1/5", "① highest fifth"),
    Text("やや高い", "rather high"),
    Text("中ほど", "middle"),
    Text("やや低い", "rather low"),
    Text("⑤低い1/5", "⑤ lowest fifth"),
)


@dataclass(frozen=True, slots=True)
class Flag:
    """What stands beside a value.

    Attributes:
        kind: ``better``, ``worse``, ``higher``, ``lower`` (marked, by the verdict) · ``no_difference`` (tested, no mark) ·
            ``group`` (not tested, only the fifth it lies in) · empty where nothing can be said.
        text: Its words with their shape; empty where nothing can be said.
    """

    kind: str
    text: str


def find_flag(row: Row, lang: str) -> Flag:
    """The flag of one cell, from the columns ``statistical``, ``practical``, ``alert`` and ``quantile_group`` alone."""
    verdict = row["statistical"]
    if verdict in DIFFERENT:
        word = _ALERT if row["alert"] else _MARKS[verdict]
        small = _SMALL(lang) if row["practical"] == "small" else ""
        return Flag(verdict, word(lang) + small)
    if verdict in ("no_difference", "same"):
        return Flag("no_difference", _NO_DIFFERENCE(lang))
    if row["quantile_group"] is not None:
        words = _HIGH_LOW if row["direction"] == "neither" else _GROUPS
        return Flag("group", words[row["quantile_group"] - 1](lang))
    return Flag("", "")


def list_flag_rows(briefing: Briefing) -> pl.DataFrame:
    """The year's rows of KPIs, under the definition in force, that at least ten branches have a value for."""
    in_force = {
        (kpi.kpi_id, definition.definition)
        for kpi in briefing.catalogue.kpis.values()
        if (definition := kpi.definition_in_force(briefing.fiscal_year))
    }
    year = briefing.page.year.filter(pl.col("branches_known") >= MIN_POSITION_BRANCHES)
    keys = pl.DataFrame(sorted(in_force), schema={"kpi_id": pl.String, "definition": pl.String}, orient="row")
    return year.join(keys, on=["kpi_id", "definition"], how="semi")


def write_legend(rows: list[Row], lang: str, *, branches: int) -> Html:
    """What the marks that are in this table mean; no mark is explained that does not occur."""
    kinds = {find_flag(row, lang).kind for row in rows if row["value"] is not None}
    items = []
    if kinds & {"better", "worse"}:
        text = Text(
            "◆良い・◇悪い: 全国との差が、偶然でも支部間のふだんの差でも説明しにくい支部（同時に比べる数を補正した後の判定）。"
            "「小さな差」は実務上の目安より小さい差",
            "◆ better, ◇ worse: differs from the nation by more than chance and the usual differences explain (after correction "
            "for the number of comparisons). 'Small' is below the rule of thumb",
        )
        items.append(text(lang))
    if kinds & {"higher", "lower"}:
        items.append(
            Text(
                "◆高い・◇低い: 同じ判定で、良し悪しのない指標",
                "◆ higher, ◇ lower: the same for KPIs without a direction",
            )(lang)
        )
    if "group" in kinds:
        text = Text(
            f"①・⑤: 件数が未公表で差を判定できない指標で、{branches}支部の上位1/5・下位1/5にある支部（良し悪しのない指標では高い1/5・低い1/5）",
            "①, ⑤: counts are unpublished and no difference can be tested; the branch is among the top or the last fifth of the "
            f"{branches} "
            "(the highest or the lowest for KPIs without a direction)",
        )
        items.append(text(lang))
    plain = Text(
        "印なし: 判定して差があるとはいえない支部、または中ほど3/5の支部。–: 手元に年度の値がない。小さな数字は値の分かる支部の中の順位",
        "No mark: tested and no difference found, or among the middle three fifths. –: no value of the year. The small figure is the "
        "rank among the branches known",
    )
    items.append(plain(lang))
    return Html('<div class="note">{}</div>').format(bullet_list(items))
