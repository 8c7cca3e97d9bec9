"""All branches by size and value, with the limits that chance, and chance with the usual differences, would keep them in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from kenpo_lib.catalogue import Branch, Kpi
from kenpo_lib.charts import shape
from kenpo_lib.charts.layers import (
    DOT,
    compose,
    draw_no_data,
    draw_words,
    format_value,
    inline,
    name_branch,
    nation_word,
    strip_ends,
    text_axis,
    value_axis,
)
from kenpo_lib.charts.theme import GRID, INK, MUTED, NATION_COLOUR, OTHERS, SMALL_TEXT_SIZE, STRONG, TEXT_SIZE
from kenpo_lib.language import Lang, Text
from kenpo_lib.spread import compute_funnel_curves, find_funnel, list_funnel_rows
from kenpo_lib.stats.intervals import LEVELS

WIDTH, HEIGHT = 480, 400
LEFT, TOP, BOTTOM = 50, 64, 48
_ADJUSTED_DASH = [7, 4]
_THICKNESS = {LEVELS[0]: 0.9, LEVELS[1]: 1.7}
_LINE_GAP = 14  # between texts below each other
_TRIANGLE = 90

_NO_FUNNEL = Text("件数の分かる支部が10に満たない", "counts are known for fewer than ten branches")
_CHANCE = Text("偶然だけの限界", "limits of chance alone")
_USUAL = Text("支部間のふだんの差も見込む限界", "with the usual differences too")
_LEVELS = Text("細い線 95%、太い線 99.8%", "thin 95%, thick 99.8%")
_MARKED = Text("▲▼ 補正後も差があるといえる支部", "▲▼ differs, after correction")
_SIZE = Text("分母の人数・件数（対数目盛）", "Size of the denominator (log scale)")
_CENTRE_OF_KNOWN = Text("{}支部の合計", "{} branches together")


def draw_funnel(
    values: pl.DataFrame, kpi: Kpi, *, lang: Lang | str, branches: Mapping[str, Branch] | None = None
) -> alt.LayerChart:
    """Draw branches by denominator (log scale: sizes differ tenfold) and rate, with limits at 95 and 99.8 %.

    Args:
        values: All rows of the comparison of one KPI, definition and year.
        kpi: The entry of the catalogue.
        lang: Language of words.
        branches: The branch master, for names in English.

    Returns:
        A chart of 480 × 400 px: full curves for chance alone, dashed ones with the usual differences between branches added,
        the centre named by the kind of figure it is. Rates are those of the counts, so that a dot lies on the side of a limit
        that its position says. Branches outside the dashed limits at 95 % are named while there is room for it, the
        furthest first; triangles, always named, are those for which the verdict (after correction for many comparisons) says
        that they differ.
    """
    funnel, rows = find_funnel(values), list_funnel_rows(values).to_dicts()
    if funnel is None:
        return draw_no_data(width=WIDTH, height=100, lang=lang, words=_NO_FUNNEL(lang))
    curves = compute_funnel_curves(values)
    dots = [_make_dot(row, rate, branches=branches, lang=lang) for row, rate in zip(rows, funnel.value, strict=True)]
    ends = [*(dot["y"] for dot in dots), curves["lower"].min(), curves["upper"].max(), funnel.centre]
    low, high = strip_ends(ends, kpi)
    first, last = curves["denominator"].min(), curves["denominator"].max()
    centre_text = _name_centre(values, funnel.centre, len(rows), kpi, lang=lang)
    right = round(18 + shape.text_width(centre_text, SMALL_TEXT_SIZE))
    width, height = WIDTH - LEFT - right, HEIGHT - TOP - BOTTOM
    ticks = shape.format_ticks(_log_ticks(first, last), lang=lang)
    x = alt.X("x:Q", scale=alt.Scale(type="log", domain=[first, last], nice=False), axis=text_axis(ticks))
    y_axis = value_axis(low, high, kpi, lang, orient="left", grid=True, gridColor=GRID)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[low, high], nice=False, zero=False), axis=y_axis)

    def place(value: float) -> float:
        return height * (high - value) / (high - low)

    layers = [
        *_draw_curves(curves, x, y),
        *_draw_centre(funnel.centre, y, width=width),
        *_draw_ends(curves, funnel.centre, centre_text, place=place, width=width, height=height),
        *_draw_dots(dots, x, y),
        *_draw_names(dots, curves, funnel.centre, place=place, width=width, height=height),
        *_draw_key(lang=lang, has_marks=any(dot["kind"] != "within" for dot in dots)),
        draw_words(_SIZE(lang), x=width / 2, y=height + 38, align="center", fontSize=SMALL_TEXT_SIZE, color=MUTED),
    ]
    return compose(layers, width=WIDTH, height=HEIGHT, left=LEFT, right=right, top=TOP, bottom=BOTTOM)


def _make_dot(
    row: Mapping[str, Any], rate: float, *, branches: Mapping[str, Branch] | None, lang: Lang | str
) -> dict[str, Any]:
    is_different = row["statistical"] in ("better", "worse", "higher", "lower")
    kind = "within" if not is_different else "above" if row["funnel_adjusted_z"] > 0 else "below"
    is_named = row["funnel_adjusted_position"] not in (None, "within") or is_different
    name = name_branch(row, branches=branches, lang=lang) if is_named else ""
    return {"x": row["denominator"], "y": float(rate), "kind": kind, "name": name}


def _log_ticks(first: float, last: float) -> list[float]:
    """1, 2 and 5 times powers of ten; tenfold steps alone where those would crowd."""
    powers = range(math.floor(math.log10(first)), math.ceil(math.log10(last)) + 1)
    ticks = [step * 10.0**power for power in powers for step in (1, 2, 5) if first <= step * 10.0**power <= last]
    return ticks if len(ticks) <= 7 else [tick for tick in ticks if math.log10(tick) % 1 == 0]


def _draw_curves(curves: pl.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    layers = []
    for (level, is_adjusted), curve in curves.group_by("level", "is_adjusted", maintain_order=True):
        dash = {"strokeDash": _ADJUSTED_DASH} if is_adjusted else {}
        for side in ("lower", "upper"):
            points = curve.select(pl.col("denominator").round(1).alias("x"), pl.col(side).round(4).alias("y"))
            line = inline(points.to_dicts()).mark_line(color=MUTED, strokeWidth=_THICKNESS[level], **dash)
            layers.append(line.encode(x=x, y=y))
    return layers


def _draw_centre(centre: float, y: alt.Y, *, width: float) -> list[alt.Chart]:
    at = inline([{"y": centre}])
    return [
        at.mark_rule(color=NATION_COLOUR, strokeWidth=1.4, strokeDash=[4, 3], x=0, x2=width).encode(y=y),
        at.mark_point(shape="diamond", filled=True, size=60, opacity=1, color=NATION_COLOUR, x=width).encode(y=y),
    ]


def _name_centre(values: pl.DataFrame, centre: float, count: int, kpi: Kpi, *, lang: Lang | str) -> str:
    """The centre by its kind: the nation only where it is published or all 47 make it up, else the branches known together."""
    kind = values["national_kind"][0]
    is_national = kind in ("published", "summed")
    word = nation_word(kind, lang) if is_national else _CENTRE_OF_KNOWN(lang).format(count)
    return f"{word} {format_value(centre, kpi, lang=lang)}"


def _draw_ends(
    curves: pl.DataFrame,
    centre: float,
    centre_text: str,
    *,
    place: Callable[[float], float],
    width: float,
    height: float,
) -> list[alt.Chart]:
    """Words at the right ends: the centre, and the level of each dashed limit. The full ones lie too close for words."""
    texts = [(centre, centre_text, NATION_COLOUR)]
    ends = curves.filter(pl.col("is_adjusted") & (pl.col("denominator") == pl.col("denominator").max()))
    texts += [(row[side], f"{100 * row['level']:g}%", MUTED) for row in ends.to_dicts() for side in ("lower", "upper")]
    places = shape.spread_apart([place(value) for value, _, _ in texts], gap=_LINE_GAP, low=0, high=height)
    return [
        draw_words(text, x=width + 8, y=at + 4, color=colour, fontSize=SMALL_TEXT_SIZE)
        for (_, text, colour), at in zip(texts, places, strict=True)
    ]


def _draw_dots(dots: Sequence[Mapping[str, Any]], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    layers = []
    looks = {
        "within": {"shape": "circle", "size": DOT**2, "color": OTHERS},
        "above": {"shape": "triangle-up", "size": _TRIANGLE, "color": STRONG},
        "below": {"shape": "triangle-down", "size": _TRIANGLE, "color": STRONG},
    }
    for kind, look in looks.items():
        points = [{"x": dot["x"], "y": dot["y"]} for dot in dots if dot["kind"] == kind]
        if points:
            layers.append(inline(points).mark_point(filled=True, opacity=1, **look).encode(x=x, y=y))
    return layers


def _draw_names(
    dots: Sequence[Mapping[str, Any]],
    curves: pl.DataFrame,
    centre: float,
    *,
    place: Callable[[float], float],
    width: float,
    height: float,
) -> list[alt.Chart]:
    """Names beside their dots, none on another: first those marked as different, then those furthest out, while there is room."""
    first, last = curves["denominator"].min(), curves["denominator"].max()

    def find(size: float, value: float) -> tuple[float, float]:
        return width * math.log(size / first) / math.log(last / first), place(value)

    named = sorted(
        (dot for dot in dots if dot["name"]), key=lambda dot: (dot["kind"] == "within", -abs(dot["y"] - centre))
    )
    limits = curves.filter("is_adjusted")
    lines = pl.concat(limits.select("denominator", value=side) for side in ("lower", "upper"))
    places = shape.place_names(
        [find(dot["x"], dot["y"]) for dot in named],
        [shape.text_width(dot["name"], TEXT_SIZE) for dot in named],
        others=[find(dot["x"], dot["y"]) for dot in dots],
        lines=[find(*row) for row in lines.iter_rows()],
        **{"width": width, "height": height, "row": _LINE_GAP, "gap": 8},
        needed=sum(dot["kind"] != "within" for dot in named),
    )
    layers: list[alt.Chart] = []
    for dot, at in zip(named, places, strict=True):
        if at is not None:
            look = {"fontWeight": "bold", "color": STRONG} if dot["kind"] != "within" else {"color": INK}
            layers.append(draw_words(dot["name"], x=at[0], y=at[1] + 4, align="center", **look))
    return layers


def _draw_key(*, lang: Lang | str, has_marks: bool) -> list[alt.Chart]:
    """What full, dashed, thin and thick lines mean, above the plot."""
    layers: list[alt.Chart] = []
    at = 4.0 - LEFT
    top = 16 - TOP
    style = {"fontSize": SMALL_TEXT_SIZE, "color": MUTED}
    for word, dash in ((_CHANCE(lang), {}), (_USUAL(lang), {"strokeDash": _ADJUSTED_DASH})):
        sample = (
            inline([{}])
            .mark_rule(color=MUTED, strokeWidth=1.7, **dash)
            .encode(x=alt.XValue(at), x2=alt.X2Value(at + 26), y=alt.YValue(top - 4))
        )
        layers += [sample, draw_words(word, x=at + 32, y=top, **style)]
        at += 32 + shape.text_width(word, SMALL_TEXT_SIZE) + 16
    words = [_LEVELS(lang), *([_MARKED(lang)] if has_marks else [])]
    layers.append(draw_words("　".join(words), x=4 - LEFT, y=top + 19, **style))
    return layers
