"""One KPI over the years in small pictures of one scale: the branches of each regional block against all."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from kenpo_lib.catalogue import Branch, Kpi, Unit
from kenpo_lib.charts import pen, shape
from kenpo_lib.charts.theme import BLOCK, GRID, INK, OTHERS, STRONG
from kenpo_lib.charts.trend_marks import name_year
from kenpo_lib.language import Lang

Row = Mapping[str, Any]

COLUMNS = 5
PANEL, HEIGHT = 86, 96
LEFT, GAP, TOP, FOOT = 40, 14, 20, 20


def draw_block_years(
    years: pl.DataFrame,
    values: pl.DataFrame,
    kpi: Kpi,
    *,
    lang: Lang | str,
    branches: Mapping[str, Branch],
    branch_code: str | None = None,
    label: str,
) -> str:
    """Draw a small picture for each regional block.

    Args:
        years: From ``summarise_years``, those years of one definition in which all branches are known; at least two.
        values: The branches' rows of the comparison of the same KPI and definition.
        kpi: The entry of the catalogue.
        lang: Language of words and years.
        branches: The branch master.
        branch_code: The branch that has a strong line, if any.
        label: The sentence that a screen reader says.

    Returns:
        An ``<svg>`` of 540 px: in every picture the band between the quartiles of all branches, and a line for each
        branch of the block. All pictures have the same scale, which the first of each row shows.
    """
    summary = years.sort("fiscal_year").to_dicts()
    span = [row["fiscal_year"] for row in summary]
    rows = values.filter(pl.col("fiscal_year").is_in(span)).sort("branch_code", "fiscal_year").to_dicts()
    ceiling = 100.0 if kpi.unit is Unit.PERCENT else None
    start, end = shape.padded_domain([row["value"] for row in rows], decimals=kpi.decimals, ceiling=ceiling)
    ticks = shape.format_ticks(shape.nice_ticks(start, end, about=3), lang=lang)

    def x(year: int) -> float:
        return PANEL * (year - span[0]) / (span[-1] - span[0])

    def y(value: float) -> float:
        return HEIGHT * (end - value) / (end - start)

    blocks: dict[str, list[Row]] = {}
    for row in rows:
        blocks.setdefault(branches[row["branch_code"]].block(lang), []).append(row)
    band = [(x(row["fiscal_year"]), y(row["upper_quartile"])) for row in summary]
    band += [(x(row["fiscal_year"]), y(row["lower_quartile"])) for row in reversed(summary)]
    parts = []
    for place, (name, members) in enumerate(blocks.items()):
        column, line = place % COLUMNS, place // COLUMNS
        content = [
            *(pen.line(0, y(tick), PANEL, y(tick), stroke=GRID) for tick in ticks),
            pen.element("path", d=pen.polyline(band) + "Z", fill=OTHERS, fill_opacity="0.55"),
            *_draw_lines(members, x, y, branch_code),
            pen.words(name, 0, -6, fill=INK),
        ]
        if column == 0:
            content += [pen.words(text, -6, y(tick) + 4, anchor="end") for tick, text in ticks.items()]
        if place + COLUMNS >= len(blocks):
            content += [
                pen.words(name_year(span[0], lang=lang), 0, HEIGHT + 14),
                pen.words(name_year(span[-1], lang=lang), PANEL, HEIGHT + 14, anchor="end"),
            ]
        at = f"translate({LEFT + column * (PANEL + GAP)},{TOP + line * (HEIGHT + TOP + GAP)})"
        parts.append(pen.element("g", "".join(content), transform=at))
    lines = -(-len(blocks) // COLUMNS)
    width, height = LEFT + COLUMNS * (PANEL + GAP), lines * (HEIGHT + TOP + GAP) + FOOT - GAP
    return pen.picture(parts, width=width, height=height, label=label)


def _draw_lines(
    rows: Sequence[Row], x: Callable[[int], float], y: Callable[[float], float], branch_code: str | None
) -> list[str]:
    parts = []
    for code, own in itertools.groupby(rows, key=lambda row: row["branch_code"]):
        path = pen.polyline([(x(row["fiscal_year"]), y(row["value"])) for row in own])
        colour, width = (STRONG, 2.4) if code == branch_code else (BLOCK, 1.3)
        parts.append(pen.element("path", d=path, fill="none", stroke=colour, stroke_width=width))
    return parts
