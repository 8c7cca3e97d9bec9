"""One KPI over the years: how far the branches lie apart, and where the nation stands among them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import polars as pl

from kenpo_lib.catalogue import Branch, Kpi
from kenpo_lib.charts import pen, shape
from kenpo_lib.charts.branch_panels import (
    BOTTOM,
    PLOT_HEIGHT,
    TOP,
    WIDTH,
    Panel,
    Row,
    find_runs,
    find_ticks,
    has_place,
    lay_out,
    pick_years,
)
from kenpo_lib.charts.layers import NO_DATA, TARGET_WORD, format_value, name_branch, nation_word
from kenpo_lib.charts.theme import (
    GRID,
    INK,
    MUTED,
    NATION_COLOUR,
    OTHERS,
    PAPER,
    SMALL_TEXT_SIZE,
    STRONG,
    TARGET_COLOUR,
    TEXT_SIZE,
)
from kenpo_lib.charts.trend_marks import name_year
from kenpo_lib.language import Lang, Text

Point = tuple[float, float]

COUNT_ROW = 16
NAMED = 5  # so few branches are named one by one
_LINE_HEIGHT = 15
_STUB = 0.22  # of a year: half the width of a band that stands alone

_KNOWN = Text("支部数", "branches")
_ENDS = {
    "highest": Text("最大", "Highest"),
    "upper_quartile": Text("四分位", "Quartile"),
    "median": Text("中央値", "Median"),
    "lower_quartile": Text("四分位", "Quartile"),
    "lowest": Text("最小", "Lowest"),
}


def draw_branch_years(
    years: pl.DataFrame,
    values: pl.DataFrame,
    nation: pl.DataFrame,
    kpi: Kpi,
    *,
    titles: Mapping[str, str],
    lang: Lang | str,
    branches: Mapping[str, Branch],
    branch_code: str | None = None,
    label: str,
) -> str:
    """Draw the spread of the branches year by year, each definition in a panel with a scale of its own.

    Args:
        years: From ``summarise_years``.
        values: The branches' rows of the comparison of the same KPI; uses ``branch_code``, ``value`` and the keys.
        nation: The nation's own rows; uses ``target_threshold``.
        kpi: The entry of the catalogue.
        titles: The definitions in the order in which they held, with the words above their panels.
        lang: Language of words and years.
        branches: The branch master.
        branch_code: The branch that has a line of its own, if any.
        label: The sentence that a screen reader says.

    Returns:
        An ``<svg>`` of 540 px. Years in which all branches are known: a light band from the lowest to the highest, a darker
        one between the quartiles, a line through the medians. Other years: a dot per branch known, and under the axis how many
        these are. Published nation: diamonds on a dashed line; any other nation a hollow diamond; the nation's target a bar.
    """
    frame = pick_years(years)
    if frame.is_empty():
        nothing = pen.words(NO_DATA(lang), WIDTH / 2, 50, anchor="middle")
        return pen.picture([nothing], width=WIDTH, height=100, label=label)
    panels = lay_out(frame, values, nation, kpi, titles=titles, lang=lang)
    has_parts = any(row["branches_known"] and not row["is_full"] for panel in panels for row in panel.rows)
    parts: list[str] = []
    for panel in panels:
        own = [row for row in panel.points if row["branch_code"] == branch_code]
        parts += [
            *_draw_axes(panel, kpi, lang=lang),
            *_draw_bands(panel),
            *_draw_dots(panel),
            *_draw_targets(panel),
            *_draw_nation(panel, kpi),
            *_draw_own(panel, own),
            *(_draw_counts(panel) if has_parts else ()),
        ]
    parts += _draw_end_labels(panels[-1], kpi, branches=branches, branch_code=branch_code, lang=lang)
    if has_parts:
        parts.append(pen.words(_KNOWN(lang), _right_of(panels[-1]), TOP + PLOT_HEIGHT + BOTTOM + 8))
    height = TOP + PLOT_HEIGHT + BOTTOM + (COUNT_ROW if has_parts else 0)
    return pen.picture(parts, width=WIDTH, height=height, label=label)


# --- layers -----------------------------------------------------------------------------------------------------------


def _draw_axes(panel: Panel, kpi: Kpi, *, lang: Lang | str) -> list[str]:
    right = panel.left + panel.width
    parts = [pen.words(kpi.unit_word(lang).strip(), panel.left - 6, TOP - 8, anchor="end")]
    if panel.title:
        parts.append(pen.words(panel.title, panel.left, 12, fill=INK))
    for value, text in find_ticks(panel.start, panel.end, lang=lang).items():
        y = panel.y(value)
        parts += [pen.line(panel.left, y, right, y, stroke=GRID), pen.words(text, panel.left - 6, y + 4, anchor="end")]
    names = {year: name_year(year, lang=lang) for year in panel.span}
    room = max(shape.text_width(name, SMALL_TEXT_SIZE) for name in names.values()) + 4
    every = max(1, -int(-room // (panel.width / len(panel.span))))
    return parts + [
        pen.words(name, panel.pixel(year), TOP + PLOT_HEIGHT + 17, anchor="middle")
        for year, name in names.items()
        if (panel.span[-1] - year) % every == 0
    ]


def _draw_bands(panel: Panel) -> list[str]:
    parts = []
    for run in find_runs(row for row in panel.rows if row["is_full"]):
        for low, high, colour in (("lowest", "highest", GRID), ("lower_quartile", "upper_quartile", OTHERS)):
            outline = [*_edge(panel, run, high), *reversed(_edge(panel, run, low))]
            parts.append(pen.element("path", d=pen.polyline(outline) + "Z", fill=colour))
        medians = pen.polyline(_edge(panel, run, "median"))
        parts.append(pen.element("path", d=medians, fill="none", stroke=INK, stroke_width=1.6))
    return parts


def _edge(panel: Panel, run: Sequence[Row], name: str) -> list[Point]:
    """One side of a band; a year that stands alone is as wide as a stub."""
    if len(run) > 1:
        return [(panel.x(row), panel.y(row[name])) for row in run]
    stub = panel.pixel(_STUB) - panel.pixel(0)
    x, y = panel.x(run[0]), panel.y(run[0][name])
    return [(x - stub, y), (x + stub, y)]


def _draw_dots(panel: Panel) -> list[str]:
    """Branches one by one in the years in which not all are known, joined where they follow each other."""
    full = {row["fiscal_year"] for row in panel.rows if row["is_full"]}
    loose = sorted((row for row in panel.points if row["fiscal_year"] not in full), key=_code)
    lines = "".join(panel.path(own, "value") for _, own in itertools.groupby(loose, key=_code))
    parts = [pen.element("path", d=lines, fill="none", stroke=OTHERS, stroke_width=1)] if lines else []
    return parts + [pen.dot(panel.x(row), panel.y(row["value"]), 3.2, fill=MUTED) for row in loose]


def _code(row: Row) -> str:
    return row["branch_code"]


def _draw_targets(panel: Panel) -> list[str]:
    half = min(9.0, panel.pixel(0.4) - panel.pixel(0))
    shown = [row for row in panel.targets if panel.start <= row["target_threshold"] <= panel.end]
    return [
        pen.line(panel.x(row) - half, y, panel.x(row) + half, y, stroke=TARGET_COLOUR, width=3)
        for row in shown
        for y in (panel.y(row["target_threshold"]),)
    ]


def _draw_nation(panel: Panel, kpi: Kpi) -> list[str]:
    if not has_place(kpi, panel.points):
        return []
    shown = [row for row in panel.rows if shape.is_number(row["national"])]
    lines = panel.path((row for row in shown if row["national_kind"] == "published"), "national")
    style = {"stroke": NATION_COLOUR, "stroke_width": 1.4}
    parts = [pen.element("path", d=lines, fill="none", stroke_dasharray="4,3", **style)] if lines else []
    for row in shown:
        fill = NATION_COLOUR if row["national_kind"] == "published" else PAPER
        parts.append(pen.element("path", d=pen.diamond(panel.x(row), panel.y(row["national"]), 5), fill=fill, **style))
    return parts


def _draw_own(panel: Panel, own: Sequence[Row]) -> list[str]:
    lines = panel.path(own, "value")
    parts = [pen.element("path", d=lines, fill="none", stroke=STRONG, stroke_width=2.4)] if lines else []
    return parts + [pen.dot(panel.x(row), panel.y(row["value"]), 3.6, fill=STRONG) for row in own]


def _draw_counts(panel: Panel) -> list[str]:
    """How many branches are known in each year, where not all are in every year."""
    base = TOP + PLOT_HEIGHT + BOTTOM + 8
    return [pen.words(str(row["branches_known"]), panel.x(row), base, anchor="middle") for row in panel.rows]


# --- words ------------------------------------------------------------------------------------------------------------


def _draw_end_labels(
    panel: Panel, kpi: Kpi, *, branches: Mapping[str, Branch], branch_code: str | None, lang: Lang | str
) -> list[str]:
    """Who is who at the right margin, with the newest values; their year beside them where it is not the last one."""
    end = panel.rows[-1]["fiscal_year"]
    labels: list[tuple[float, str, str, str | None]] = []

    def add(year: int, value: float, word: str, colour: str = MUTED, weight: str | None = None) -> None:
        text = f"{word} {format_value(value, kpi, lang=lang, with_unit=False)}"
        when = (
            "" if year == end else Text(f"（{name_year(year, lang=lang)}）", f" ({name_year(year, lang=lang)})")(lang)
        )
        labels.append((panel.y(value), text + when, colour, weight))

    known = [row for row in panel.rows if row["branches_known"]]
    if known:
        last, year = known[-1], known[-1]["fiscal_year"]
        there = [row for row in panel.points if row["fiscal_year"] == year]
        for row in there:
            is_own = row["branch_code"] == branch_code
            if is_own or len(there) <= NAMED:
                look = (STRONG, "bold") if is_own else (MUTED, None)
                add(year, row["value"], name_branch(row, branches=branches, lang=lang), *look)
        if len(there) > NAMED:
            for name in _ENDS if last["is_full"] else ("highest", "lowest"):
                who = _holder(there, last[name], branches=branches, lang=lang) if name in ("highest", "lowest") else ""
                add(year, last[name], _ENDS[name](lang) + who, INK if name == "median" else MUTED)
    national = [row for row in panel.rows if shape.is_number(row["national"])]
    if national and has_place(kpi, panel.points):
        last = national[-1]
        add(last["fiscal_year"], last["national"], nation_word(last["national_kind"], lang), NATION_COLOUR)
    for row in panel.targets:
        if row["fiscal_year"] == end and panel.start <= row["target_threshold"] <= panel.end:
            add(end, row["target_threshold"], TARGET_WORD(lang), TARGET_COLOUR)
    places = shape.spread_apart([label[0] for label in labels], gap=_LINE_HEIGHT, low=TOP, high=TOP + PLOT_HEIGHT)
    return [
        pen.words(text, _right_of(panel), y + 4, size=TEXT_SIZE, fill=colour, weight=weight)
        for (_, text, colour, weight), y in zip(labels, places, strict=True)
    ]


def _holder(rows: Sequence[Row], value: float, *, branches: Mapping[str, Branch], lang: Lang | str) -> str:
    """`` 富山`` where one branch holds the value; nothing where several share it."""
    names = [name_branch(row, branches=branches, lang=lang) for row in rows if row["value"] == value]
    return f" {names[0]}" if len(names) == 1 else ""


def _right_of(panel: Panel) -> float:
    return panel.left + panel.width + 8
