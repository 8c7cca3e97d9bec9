"""What is known of every branch and KPI in one year: a mark for each, told apart by shape and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from kenpo_lib.catalogue import NATION, Branch, Kpi
from kenpo_lib.charts import pen, shape
from kenpo_lib.charts.theme import BLOCK, GRID, INK, MUTED, NATION_COLOUR, PAPER, SMALL_TEXT_SIZE, STRONG, TARGET_COLOUR
from kenpo_lib.language import Lang, Text

Row = Mapping[str, Any]

PITCH, ROW = 14.0, 19.0
BLOCK_GAP, THEME_GAP = 6.0, 7.0
COUNTS = (
    ("final", Text("値", "Values")),
    ("counts", Text("件数", "Counts")),
    ("targets", Text("目標", "Targets")),
)
COUNT_WIDTHS = {Lang.JA: 34, Lang.EN: 50}
_NATION = Text("全国", "Nation")
_KEY = (
    ("counts", Text("値と件数", "value with counts")),
    ("value", Text("値だけ", "value alone")),
    ("interim", Text("年度途中の値", "part-way value")),
    ("pending", Text("公表待ち", "pending")),
    ("published", Text("全国の公表値", "national figure, published")),
    ("estimate", Text("全国の推計", "national figure, estimated")),
    ("target", Text("目標", "target")),
)


def draw_coverage(
    cells: pl.DataFrame,
    nation: pl.DataFrame,
    kpis: Sequence[Kpi],
    counts: Mapping[str, Mapping[str, int]],
    *,
    lang: Lang | str,
    branches: Mapping[str, Branch],
    label: str,
) -> str:
    """Draw KPIs × branches.

    Args:
        cells: The branches' cells, from ``list_cells``.
        nation: The nation's own cells, likewise.
        kpis: The rows, in their order; a gap where the theme changes.
        counts: From ``count_by_kpi``, written at the right of each row.
        lang: Language of words.
        branches: The branch master; a gap where the regional block changes.
        label: The sentence that a screen reader says.

    Returns:
        An ``<svg>`` of about 950 px (English 1080), for a place that scrolls sideways. A value with counts is a large square,
        one without a small square, a part-way value a ring, a pending one a dash, a target a bar below; the nation has
        diamonds.
    """
    lang = Lang(lang)
    codes = [code for code in branches if code != NATION]
    left = 8 + max((shape.text_width(kpi.short_name(lang), SMALL_TEXT_SIZE) for kpi in kpis), default=0)
    columns = _place_columns(codes, branches, left=left)
    top = 20 + max(_head_height(branches[code].name(lang), lang=lang) for code in codes)
    lines = _place_lines(kpis, top=top)
    right, bottom = max(columns.values()) + PITCH, max(lines.values(), default=top) + ROW
    parts = [
        *(pen.line(left, y + ROW / 2, right, y + ROW / 2, stroke=GRID) for y in lines.values()),
        *(pen.words(kpi.short_name(lang), left - 6, lines[kpi.kpi_id] + 4, anchor="end", fill=INK) for kpi in kpis),
        *_draw_heads(columns, branches, lang=lang, y=top - 12),
        *_draw_marks(cells, nation, columns, lines),
        *_draw_counts(kpis, counts, lines, lang=lang, x=right, y=top - 12),
        *_draw_key(cells, nation, lang=lang, x=left, y=bottom + 12),
    ]
    return pen.picture(parts, width=right + len(COUNTS) * COUNT_WIDTHS[lang], height=bottom + 24, label=label)


def _place_columns(codes: Sequence[str], branches: Mapping[str, Branch], *, left: float) -> dict[str, float]:
    """The middle of each column: the nation first, apart."""
    columns, at = {NATION: left + PITCH}, left + 2 * PITCH
    for before, code in zip([None, *codes], codes, strict=False):
        if before is None or branches[before].block != branches[code].block:
            at += BLOCK_GAP
        columns[code] = at + PITCH / 2
        at += PITCH
    return columns


def _place_lines(kpis: Sequence[Kpi], *, top: float) -> dict[str, float]:
    """The middle of each row."""
    lines, at = {}, top
    for before, kpi in zip([None, *kpis], kpis, strict=False):
        if before is not None and before.theme != kpi.theme:
            at += THEME_GAP
        lines[kpi.kpi_id] = at + ROW / 2
        at += ROW
    return lines


def _head_height(name: str, *, lang: Lang) -> float:
    """Japanese names stand upright, letter below letter; others are turned."""
    return SMALL_TEXT_SIZE * len(name) if lang == Lang.JA else shape.text_width(name, SMALL_TEXT_SIZE)


def _draw_heads(columns: Mapping[str, float], branches: Mapping[str, Branch], *, lang: Lang, y: float) -> list[str]:
    parts = []
    for code, x in columns.items():
        name = _NATION(lang) if code == NATION else branches[code].name(lang)
        colour = NATION_COLOUR if code == NATION else MUTED
        if lang == Lang.JA:
            parts += [
                pen.words(letter, x, y - SMALL_TEXT_SIZE * (len(name) - 1 - place), anchor="middle", fill=colour)
                for place, letter in enumerate(name)
            ]
        else:
            parts.append(
                pen.words(name, 4, 4, fill=colour, transform=f"translate({pen.number(x)},{pen.number(y)})rotate(-90)")
            )
    return parts


# --- marks ------------------------------------------------------------------------------------------------------------

_SQUARES = {"counts": (6.0, STRONG), "value": (4.0, BLOCK)}


def _draw_marks(
    cells: pl.DataFrame, nation: pl.DataFrame, columns: Mapping[str, float], lines: Mapping[str, float]
) -> list[str]:
    """One path for all marks of a kind: there are some hundreds."""
    places: dict[str, list[tuple[float, float]]] = {}
    for row in [*cells.to_dicts(), *nation.to_dicts()]:
        if row["kpi_id"] in lines and row["branch_code"] in columns:
            at = (columns[row["branch_code"]], lines[row["kpi_id"]])
            for kind in _kinds(row):
                places.setdefault(kind, []).append(at)
    estimated = _estimated(cells)
    for kpi_id, y in lines.items():  # in the order of the rows: the same bytes in every process
        if kpi_id in estimated:
            places.setdefault("estimate", []).append((columns[NATION], y))
    return [draw_mark(kind, places[kind]) for kind, _ in _KEY if kind in places]


def _kinds(row: Row) -> list[str]:
    if row["branch_code"] == NATION:
        kinds = ["published"] if row["state"] == "final" else []
    else:
        kinds = ["counts" if row["has_counts"] else "value"] if row["state"] == "final" else []
    kinds += [row["state"]] if row["state"] in ("interim", "pending") else []
    return kinds + (["target"] if row["has_target"] else [])


def _estimated(cells: pl.DataFrame) -> set[str]:
    """KPIs whose branches are compared with a figure that is not published."""
    return set(cells.filter(pl.col("national_kind").is_in(["summed", "weighted", "mean"]))["kpi_id"])


def draw_mark(kind: str, places: Sequence[tuple[float, float]]) -> str:
    """All marks of one kind, given by their middles."""
    if kind in _SQUARES:
        half, colour = _SQUARES[kind]
        side = pen.number(2 * half)
        path = "".join(f"M{pen.number(x - half)},{pen.number(y - half)}h{side}v{side}h-{side}z" for x, y in places)
        return pen.element("path", d=path, fill=colour)
    if kind == "interim":
        path = "".join(f"M{pen.number(x - 4)},{pen.number(y)}a4,4 0 1 0 8,0a4,4 0 1 0 -8,0" for x, y in places)
        return pen.element("path", d=path, fill="none", stroke=STRONG, stroke_width=1.6)
    if kind in ("published", "estimate"):
        path = "".join(pen.diamond(x, y, 5) for x, y in places)
        fill = NATION_COLOUR if kind == "published" else PAPER
        return pen.element("path", d=path, fill=fill, stroke=NATION_COLOUR, stroke_width=1.3)
    half, drop = (4, 0) if kind == "pending" else (6, ROW / 2 - 1.5)
    path = "".join(f"M{pen.number(x - half)},{pen.number(y + drop)}h{2 * half}" for x, y in places)
    colour = MUTED if kind == "pending" else TARGET_COLOUR
    return pen.element("path", d=path, fill="none", stroke=colour, stroke_width=2)


def _draw_counts(
    kpis: Sequence[Kpi],
    counts: Mapping[str, Mapping[str, int]],
    lines: Mapping[str, float],
    *,
    lang: Lang,
    x: float,
    y: float,
) -> list[str]:
    parts = []
    for place, (name, word) in enumerate(COUNTS, start=1):
        at = x + place * COUNT_WIDTHS[lang] - 4
        parts.append(pen.words(word(lang), at, y, anchor="end"))
        for kpi in kpis:
            count = counts.get(kpi.kpi_id, {}).get(name, 0)
            parts.append(pen.words(str(count), at, lines[kpi.kpi_id] + 4, anchor="end", fill=INK if count else MUTED))
    return parts


def _draw_key(cells: pl.DataFrame, nation: pl.DataFrame, *, lang: Lang, x: float, y: float) -> list[str]:
    """What the marks mean; none is explained that does not occur."""
    seen = {kind for row in [*cells.to_dicts(), *nation.to_dicts()] for kind in _kinds(row)}
    seen |= {"estimate"} if _estimated(cells) else set()
    parts, at = [], x
    for kind, word in _KEY:
        if kind in seen:
            # The bar of a target hangs below its cell; in the key it stands in line with its word.
            mark = draw_mark(kind, [(at + 7, y - 4 - (ROW / 2 - 1.5 if kind == "target" else 0))])
            parts += [mark, pen.words(word(lang), at + 18, y)]
            at += 34 + shape.text_width(word(lang), SMALL_TEXT_SIZE)
    return parts
