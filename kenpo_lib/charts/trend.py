"""One branch and one KPI over the years."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from kenpo_lib.catalogue import Branch, Kpi, Unit
from kenpo_lib.charts import shape
from kenpo_lib.charts.layers import (
    TARGET_WORD,
    compose,
    draw_no_data,
    draw_words,
    format_value,
    inline,
    name_branch,
    text_axis,
)
from kenpo_lib.charts.theme import (
    MUTED,
    NATION_COLOUR,
    PAPER,
    SMALL_TEXT_SIZE,
    STRONG,
    TARGET_COLOUR,
    TEXT_SIZE,
)
from kenpo_lib.charts.trend_marks import Mark, list_marks, name_year, order_definitions, place_years, rows_of, year_of
from kenpo_lib.language import Lang, Text

WIDTH, HEIGHT = 360, 200
TOP, BOTTOM = 26, 24
LINE_HEIGHT = 15

_CHANGED = Text("定義変更", "new definition")
_EARLIER = Text("旧定義", "old definition")
_INTERIM = Text("中間", "interim")


def draw_trend(
    history: pl.DataFrame,
    nation_history: pl.DataFrame | None,
    kpi: Kpi,
    *,
    lang: Lang | str,
    branches: Mapping[str, Branch] | None = None,
) -> alt.LayerChart:
    """Draw how one branch developed, beside nation and target; the line breaks where the definition changes.

    Args:
        history: Rows of the comparison of one branch and one KPI, all years and definitions; uses ``branch_code``,
            ``branch_name``, ``definition``, ``fiscal_year``, ``status``, ``value``, ``interim_value``, ``pending_note``,
            ``national``, ``national_kind`` and ``target_threshold``.
        nation_history: The same KPI's rows of ``compute_nation``; adds published years that the branch has no row for.
        kpi: The entry of the catalogue.
        lang: Language of words and years.
        branches: The branch master, for names in English.

    Returns:
        A chart of 360 × 200 px. A year without a value is a gap, an interim value a hollow circle that nothing is joined to,
        an estimated nation a hollow diamond, a target a bar per year.
    """
    rows = history.sort("fiscal_year").to_dicts()
    marks = list_marks(rows, [] if nation_history is None else nation_history.to_dicts(), kpi, lang=lang)
    if not any(mark.layer != "pending" for mark in marks):
        words = marks[-1].word if marks else ""
        return draw_no_data(width=WIDTH, height=HEIGHT, lang=lang, words=words)
    order = order_definitions(marks, kpi)
    places = place_years(marks, order)

    ends = [mark.y for mark in marks if mark.layer != "pending"]
    ceiling = 100.0 if kpi.unit is Unit.PERCENT else None
    start, end = shape.padded_domain(ends, decimals=kpi.decimals, ceiling=ceiling)
    ticks = shape.format_ticks(shape.nice_ticks(start, end, about=4), lang=lang)
    years = range(min(mark.fiscal_year for mark in marks), max(mark.fiscal_year for mark in marks) + 1)
    labels = _label_ends(
        marks, kpi, order=order, last_year=years[-1], name=name_branch(rows[0], branches=branches, lang=lang), lang=lang
    )
    left = max(32.0, 10 + max(shape.text_width(text, SMALL_TEXT_SIZE) for text in ticks.values()))
    right = max(76.0, 14 + max(shape.text_width(label.text, TEXT_SIZE) for label in labels))
    left, right = min(left, 0.3 * WIDTH), min(right, 0.4 * WIDTH)  # labels of absurd values are cut, the plot remains
    plot_width, plot_height = WIDTH - left - right, HEIGHT - TOP - BOTTOM

    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[years[0] - 0.4, years[-1] + 0.4], nice=False, zero=False),
        axis=_year_axis(years, width=plot_width, lang=lang),
    )
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=[start, end], nice=False, zero=False),
        axis=text_axis(ticks),
    )
    data = {
        layer: rows_of(marks, layer, places)
        for layer in ("branch", "interim", "nation", "estimate", "target", "pending")
    }
    layers = [
        *_draw_breaks(marks, order, x, years=years, width=plot_width, lang=lang),
        *_draw_series(
            data["nation"], x, y, colour=NATION_COLOUR, shape_name="diamond", dash=[4, 3], width=1.4, size=54
        ),
        *_draw_points(data["estimate"], x, y, colour=NATION_COLOUR, shape_name="diamond", size=54),
        *_draw_targets(data["target"], x, y),
        *_draw_series(data["branch"], x, y, colour=STRONG, shape_name="circle", dash=None, width=2.4, size=38),
        *_draw_points(data["interim"], x, y, colour=STRONG, shape_name="circle", size=44),
        *_draw_pending(data["pending"], x, height=plot_height, room=plot_width / len(years)),
        *_draw_end_labels(labels, start=start, end=end, width=plot_width, height=plot_height),
        *_draw_point_labels(marks, places, order, kpi=kpi, last_year=years[-1], x=x, y=y, lang=lang),
        _draw_unit(kpi.unit_word(lang).strip(), left=left),
    ]
    return compose(layers, width=WIDTH, height=HEIGHT, left=left, right=right, top=TOP, bottom=BOTTOM)


# --- axes -------------------------------------------------------------------------------------------------------------


def _year_axis(years: range, *, width: float, lang: Lang | str) -> alt.Axis:
    names = {year: name_year(year, lang=lang) for year in years}
    room = max(shape.text_width(name, SMALL_TEXT_SIZE) for name in names.values()) + 4
    every = max(1, -int(-room // (width / len(years))))
    shown = {float(year): name for year, name in names.items() if (years[-1] - year) % every == 0}
    return text_axis(shown, labelFlush=False)


# --- layers -----------------------------------------------------------------------------------------------------------


def _draw_unit(unit: str, *, left: float) -> alt.Chart:
    """The unit above the axis, in line with its numbers where it is short enough."""
    fits = shape.text_width(unit, SMALL_TEXT_SIZE) <= left - 8
    place = {"x": -6, "align": "right"} if fits else {"x": 2 - left, "align": "left"}
    return draw_words(unit, y=-12, color=MUTED, fontSize=SMALL_TEXT_SIZE, **place)


def _draw_series(
    rows: list[dict],
    x: alt.X,
    y: alt.Y,
    *,
    colour: str,
    shape_name: str,
    dash: list[int] | None,
    width: float,
    size: int,
) -> list[alt.Chart]:
    if not rows:
        return []
    style = {"strokeDash": dash} if dash else {}
    line = inline(rows).mark_line(color=colour, strokeWidth=width, **style).encode(x=x, y=y)
    if len({row["run"] for row in rows}) > 1:  # a group of lines takes about a millisecond more to draw
        line = line.encode(detail=alt.Detail("run:N"))
    points = inline(rows).mark_point(shape=shape_name, filled=True, color=colour, size=size, opacity=1).encode(x=x, y=y)
    return [line, points]


def _draw_points(rows: list[dict], x: alt.X, y: alt.Y, *, colour: str, shape_name: str, size: int) -> list[alt.Chart]:
    """Hollow marks that nothing is joined to: not a published full-year figure."""
    if not rows:
        return []
    style = {"filled": False, "fill": PAPER, "stroke": colour, "strokeWidth": 1.4, "opacity": 1}
    return [inline(rows).mark_point(shape=shape_name, size=size, **style).encode(x=x, y=y)]


def _draw_targets(rows: list[dict], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    if not rows:
        return []
    bars = inline(rows).mark_tick(orient="horizontal", color=TARGET_COLOUR, size=18, thickness=3, opacity=1)
    return [bars.encode(x=x, y=y)]


def _draw_pending(rows: list[dict], x: alt.X, *, height: float, room: float) -> list[alt.Chart]:
    if not rows:
        return []
    size = SMALL_TEXT_SIZE
    words = [{**row, "word": row["word"] if shape.text_width(row["word"], size) <= room else "…"} for row in rows]
    text = inline(words).mark_text(y=height - 6, baseline="alphabetic", color=MUTED, fontSize=size)
    return [text.encode(x=x, text=alt.Text("word:N"))]


def _draw_breaks(
    marks: Sequence[Mark], order: Sequence[str], x: alt.X, *, years: range, width: float, lang: Lang | str
) -> list[alt.Chart]:
    """A thin upright rule between two definitions, named where there is room."""
    rules, free_from = [], float("inf")
    for before, after in reversed(list(itertools.pairwise(order))):
        last = max(mark.fiscal_year for mark in marks if mark.definition == before)
        first = min(mark.fiscal_year for mark in marks if mark.definition == after)
        place = float(first) if last == first else first - 0.5
        pixel = (place - years[0] + 0.4) / (years[-1] - years[0] + 0.8) * width
        half = shape.text_width(_CHANGED(lang), SMALL_TEXT_SIZE) / 2
        has_room = pixel + half <= free_from
        free_from = pixel - half - 6 if has_room else free_from
        rules.append({"x": place, "word": _CHANGED(lang) if has_room else ""})
    if not rules:
        return []
    rule = inline(rules).mark_rule(color=MUTED, strokeDash=[2, 3], strokeWidth=1).encode(x=x)
    words = inline(rules).mark_text(y=-6, baseline="alphabetic", color=MUTED, fontSize=SMALL_TEXT_SIZE)
    return [rule, words.encode(x=x, text=alt.Text("word:N"))]


@dataclass(frozen=True, slots=True)
class _EndLabel:
    text: str
    y: float
    colour: str
    weight: str


def _last(marks: Sequence[Mark], layers: tuple[str, ...], order: Sequence[str]) -> Mark | None:
    chosen = [mark for mark in marks if mark.layer in layers]
    return max(chosen, key=lambda mark: (mark.fiscal_year, order.index(mark.definition)), default=None)


def _label_ends(
    marks: Sequence[Mark], kpi: Kpi, *, order: Sequence[str], last_year: int, name: str, lang: Lang | str
) -> list[_EndLabel]:
    """Who is who, at the right margin; with the value where it belongs to the last year of the axis."""
    labels = []
    kinds = (
        (("branch", "interim"), STRONG, "bold"),
        (("nation", "estimate"), NATION_COLOUR, "normal"),
        (("target",), TARGET_COLOUR, "normal"),
    )
    for layers, colour, weight in kinds:
        mark = _last(marks, layers, order)
        if mark is None:
            continue
        word = {"branch": name, "interim": name, "target": TARGET_WORD(lang)}.get(mark.layer, mark.word)
        value = format_value(mark.y, kpi, lang=lang, with_unit=False)
        shows_value = mark.fiscal_year == last_year and mark.layer != "interim"
        labels.append(_EndLabel(f"{word} {value}" if shows_value else word, mark.y, colour, weight))
    return labels


def _draw_end_labels(
    labels: Sequence[_EndLabel], *, start: float, end: float, width: float, height: float
) -> list[alt.Chart]:
    wanted = [height * (end - label.y) / (end - start) for label in labels]
    places = shape.spread_apart(wanted, gap=LINE_HEIGHT, low=4, high=height - 4)
    return [
        draw_words(label.text, x=width + 6, y=place, baseline="middle", color=label.colour, fontWeight=label.weight)
        for label, place in zip(labels, places, strict=True)
    ]


def _draw_point_labels(
    marks: Sequence[Mark],
    places: Mapping[tuple[str, int], float],
    order: Sequence[str],
    *,
    kpi: Kpi,
    last_year: int,
    x: alt.X,
    y: alt.Y,
    lang: Lang | str,
) -> list[alt.Chart]:
    """The branch's last value at its point, where the right margin does not show it; on the side where no line comes in."""
    rows = []
    for layer in ("branch", "interim"):
        chosen = {(mark.definition, mark.fiscal_year): mark for mark in marks if mark.layer == layer}
        mark = max(chosen.values(), key=year_of, default=None)
        if mark and (layer == "interim" or mark.fiscal_year < last_year):
            value = format_value(mark.y, kpi, lang=lang, with_unit=False)
            word = f"{_INTERIM(lang)} {value}" if layer == "interim" else value
            before = chosen.get((mark.definition, mark.fiscal_year - 1))
            falls = layer == "branch" and before is not None and before.y > mark.y
            rows.append({"x": places[mark.definition, mark.fiscal_year], "y": mark.y, "word": word, "falls": falls})
    for before, after in itertools.pairwise(order):
        mark = max((m for m in marks if m.layer == "branch" and m.definition == before), key=year_of, default=None)
        first = min(m.fiscal_year for m in marks if m.definition == after)
        if mark and mark.fiscal_year > first:  # side by side for years: the rule alone does not tell which is which
            word = _EARLIER(lang)
            rows.append({"x": places[before, mark.fiscal_year], "y": mark.y, "word": word, "falls": False})
    layers = []
    for falls, shift in ((False, -10), (True, 20)):
        shown = [{key: row[key] for key in ("x", "y", "word")} for row in rows if row["falls"] is falls]
        if shown:
            text = inline(shown).mark_text(dy=shift, baseline="alphabetic", color=STRONG, fontWeight="bold")
            layers.append(text.encode(x=x, y=y, text=alt.Text("word:N")))
    return layers
