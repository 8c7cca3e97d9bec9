"""Small pieces that all charts are put together from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from kenpo_lib.catalogue import Branch, Direction, Kpi, Unit
from kenpo_lib.charts.frame import Frame, Rows
from kenpo_lib.charts.shape import format_ticks, is_number, nice_ticks, padded_domain, text_width
from kenpo_lib.charts.theme import BLOCK, MUTED, NATION_COLOUR, OTHERS, STRONG, TARGET_COLOUR, TEXT_SIZE
from kenpo_lib.language import Lang, Text
from kenpo_lib.normalise import format_number

DOT = 9  # diameter in pixels
TONES = {"others": (OTHERS, DOT**2), "block": (BLOCK, DOT**2), "strong": (STRONG, (DOT + 2.5) ** 2)}
COUNT = Text("値のある{}支部", "{} of 47 branches")
NO_DATA = Text("データなし", "No data")
_NATION_WORDS = {
    "published": Text("全国", "Nation"),
    "summed": Text("全国計算", "Nation, calc."),
    "weighted": Text("全国推計", "Nation, est."),
    "mean": Text("単純平均", "Plain mean"),
}
_NATION_UNKNOWN = Text("全国？", "Nation?")
TARGET_WORD = Text("目標", "Target")
BETTER = {Direction.HIGHER: Text("良い →", "better →"), Direction.LOWER: Text("← 良い", "← better")}


def inline(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A chart over rows that become part of its specification."""
    return alt.Chart(Rows(values=list(rows)))


def draw_words(text: str, *, x: float, y: float, align: str = "left", **style: Any) -> alt.Chart:
    """A text at a place given in pixels from the upper left corner of the plot."""
    style = {"baseline": "alphabetic", "fontSize": TEXT_SIZE, **style}
    return inline([{}]).mark_text(text=text, x=x, y=y, align=align, **style)


def compose(
    layers: Iterable[alt.Chart], *, width: float, height: float, left: float, right: float, top: float, bottom: float
) -> alt.LayerChart:
    """Layers in a frame of exactly the given outer size, whatever the lengths of the labels."""
    chart = Frame(
        width=round(width - left - right),
        height=round(height - top - bottom),
        padding={"left": round(left), "right": round(right), "top": round(top), "bottom": round(bottom)},
        autosize=alt.AutoSizeParams(type="none"),
    )
    # Set afterwards: given to the constructor, each layer is copied three times, to merge what these do not have.
    chart.layer = list(layers)
    return chart


def draw_no_data(*, width: float, height: float, lang: Lang | str, words: str = "") -> alt.LayerChart:
    """The words データなし (or why there are none) in place of a chart."""
    style = {"align": "center", "baseline": "middle", "color": MUTED}
    text = draw_words(words or NO_DATA(lang), x=width / 2, y=height / 2, **style)
    return compose([text], width=width, height=height, left=0, right=0, top=0, bottom=0)


def known_rows(values: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows that have a final value, by branch code."""
    return [row for row in values.sort("branch_code").to_dicts() if is_number(row["value"])]


def find_own(
    values: pl.DataFrame, branch_code: str | None, *, branches: Mapping[str, Branch] | None
) -> dict[str, Any] | None:
    """The chosen branch's row; one without a value if the frame has none and the branch master knows the branch."""
    row = next((row for row in values.to_dicts() if row["branch_code"] == branch_code), None)
    if row or branch_code not in (branches or {}):
        return row
    branch = branches[branch_code]
    return {
        "branch_code": branch_code,
        "branch_name": branch.name.ja,
        "block": branch.block.ja,
        "value": None,
        "target_threshold": None,
    }


def name_branch(row: Mapping[str, Any], *, branches: Mapping[str, Branch] | None, lang: Lang | str) -> str:
    """The branch's name in the language asked for; without the branch master as the frame has it (Japanese)."""
    branch = (branches or {}).get(row["branch_code"])
    return branch.name(lang) if branch else row["branch_name"]


def nation_word(kind: str | None, lang: Lang | str) -> str:
    """The nation's name in a chart: only a published figure is just 全国."""
    return _NATION_WORDS.get(kind or "", _NATION_UNKNOWN)(lang)


def format_value(value: float, kpi: Kpi, *, lang: Lang | str, with_unit: bool = True) -> str:
    return format_number(value, kpi.decimals) + (kpi.unit_word(lang) if with_unit else "")


def name_block(row: Mapping[str, Any], *, branches: Mapping[str, Branch] | None, lang: Lang | str) -> str:
    """The name of the branch's regional block, as ``name_branch``."""
    branch = (branches or {}).get(row["branch_code"])
    return branch.block(lang) if branch else row["block"]


def text_axis(texts: Mapping[float, str], **style: Any) -> alt.Axis:
    """An axis with ticks at the given values and the given words at all of them."""
    cases = "".join(
        f"abs(datum.value-({value!r}))<=1e-9*max(1,{abs(value)!r})?{json.dumps(text)}:" for value, text in texts.items()
    )
    return alt.Axis(values=list(texts), labelExpr=f"{cases}''", title=None, labelOverlap=False, **style)


# --- one year, all branches -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flag:
    """A value that all others are seen against: the chosen branch, the nation or the target."""

    kind: str
    value: float
    text: str
    colour: str
    weight: str = "normal"


def tone_of(row: Mapping[str, Any], own: Mapping[str, Any] | None) -> str:
    """strong for the chosen branch, block for those of its region, others."""
    if own is None:
        return "others"
    if row["branch_code"] == own["branch_code"]:
        return "strong"
    return "block" if row["block"] == own["block"] else "others"


def strip_ends(values: Sequence[float], kpi: Kpi) -> tuple[float, float]:
    """The ends of an axis on which position counts, not length: nothing is gained by beginning at 0 or ending at 100."""
    return padded_domain(values, decimals=kpi.decimals, floor=None)


def value_axis(start: float, end: float, kpi: Kpi, lang: Lang | str, *, about: int = 4, **style: Any) -> alt.Axis:
    """An axis of values with the unit at each tick; none at values that cannot be."""
    ticks = [
        tick
        for tick in nice_ticks(start, end, about=about)
        if not (kpi.unit is Unit.PERCENT and tick > 100) and not (tick < 0 <= kpi.plausible_min)
    ]
    unit = kpi.unit_word(lang)
    return text_axis({tick: text + unit for tick, text in format_ticks(ticks, lang=lang).items()}, **style)


def list_flags(
    rows: Sequence[Mapping[str, Any]],
    own: Mapping[str, Any] | None,
    kpi: Kpi,
    *,
    branches: Mapping[str, Branch] | None,
    lang: Lang | str,
) -> list[Flag]:
    """The chosen branch, the nation (not where it is a sum over branches) and the chosen branch's target, where known."""

    def words(word: str, value: float) -> str:
        return f"{word} {format_value(value, kpi, lang=lang)}"

    flags = []
    if own and is_number(own["value"]):
        name = name_branch(own, branches=branches, lang=lang)
        flags.append(Flag("branch", own["value"], words(name, own["value"]), STRONG, "bold"))
    nation = next((row for row in rows if is_number(row["national"])), None)
    if nation and not kpi.unit.is_total:
        word = nation_word(nation["national_kind"], lang)
        flags.append(Flag("nation", nation["national"], words(word, nation["national"]), NATION_COLOUR))
    if own and is_number(own["target_threshold"]):
        goal = own["target_threshold"]
        flags.append(Flag("target", goal, words(TARGET_WORD(lang), goal), TARGET_COLOUR))
    return flags


def draw_nation(
    nation: Flag | None, x: alt.X, *, start: float, end: float, width: float, height: float, label_y: float
) -> list[alt.Chart]:
    """The nation as a dashed line down the rows of a chart, its name above and kept within the width; nothing without a nation."""
    if nation is None:
        return []
    at = inline([{"x": nation.value}])
    half = text_width(nation.text, TEXT_SIZE) / 2
    middle = width * (nation.value - start) / (end - start)
    style = {"color": NATION_COLOUR}
    return [
        at.mark_rule(y=-6, y2=height, strokeWidth=1.4, strokeDash=[4, 3], **style).encode(x=x),
        at.mark_point(shape="diamond", filled=True, size=60, opacity=1, y=height, **style).encode(x=x),
        draw_words(nation.text, x=min(max(middle, half), width - half), y=label_y, align="center", **style),
    ]
