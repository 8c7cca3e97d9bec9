"""Where the years of one KPI are drawn: a panel for each definition, with a scale of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from kenpo_lib.catalogue import Kpi, Unit
from kenpo_lib.charts import pen, shape
from kenpo_lib.charts.layers import format_value
from kenpo_lib.charts.theme import SMALL_TEXT_SIZE, TEXT_SIZE
from kenpo_lib.language import Lang, Text

Row = Mapping[str, Any]

WIDTH, PLOT_HEIGHT = 540, 230
TOP, BOTTOM = 34, 26
_LEAST_YEARS = 2  # a definition with fewer has the room of so many


@dataclass(frozen=True)
class Panel:
    """The years of one definition: what is drawn in them, and the pixels of years and values."""

    title: str
    rows: list[Row]  # of the summary
    points: list[Row]  # branches
    targets: list[Row]  # of the nation
    start: float
    end: float
    left: float
    width: float

    @property
    def span(self) -> range:
        years = [row["fiscal_year"] for row in self.rows]
        return range(min(years), max(years) + 1)

    def x(self, row: Row) -> float:
        return self.pixel(row["fiscal_year"])

    def pixel(self, year: float) -> float:
        return self.left + self.width * (year - self.span[0] + 0.5) / len(self.span)

    def y(self, value: float) -> float:
        return TOP + PLOT_HEIGHT * (self.end - value) / (self.end - self.start)

    def path(self, rows: Iterable[Row], name: str) -> str:
        """Path data of lines through rows of following years; lone ones have none."""
        return "".join(
            pen.polyline([(self.x(row), self.y(row[name])) for row in run]) for run in find_runs(rows) if len(run) > 1
        )


def pick_years(years: pl.DataFrame) -> pl.DataFrame:
    """From the first year with branches on; all years where no branch is known."""
    first = years.filter(pl.col("branches_known") > 0)["fiscal_year"].min()
    return years if first is None else years.filter(pl.col("fiscal_year") >= first)


def lay_out(
    years: pl.DataFrame,
    values: pl.DataFrame,
    nation: pl.DataFrame,
    kpi: Kpi,
    *,
    titles: Mapping[str, str],
    lang: Lang | str,
) -> list[Panel]:
    """A panel for each definition that has something, as wide as its years need."""
    groups = {}
    for name in titles:
        rows = years.filter(pl.col("definition") == name).to_dicts()
        if rows:
            seen = {row["fiscal_year"] for row in rows}
            points, targets = (
                [
                    row
                    for row in table.filter(pl.col("definition") == name).sort("fiscal_year", "branch_code").to_dicts()
                    if row["fiscal_year"] in seen and shape.is_number(row[column])
                ]
                for table, column in ((values, "value"), (nation, "target_threshold"))
            )
            groups[name] = (rows, points, targets)
    domains = {name: _find_domain(*group, kpi) for name, group in groups.items()}
    margins = {name: _left_margin(*domain, kpi, lang=lang) for name, domain in domains.items()}
    last = next(reversed(groups))
    right = 8 + _label_room(groups[last], kpi, lang=lang)
    weights = {
        name: max(_LEAST_YEARS, rows[-1]["fiscal_year"] - rows[0]["fiscal_year"] + 1)
        for name, (rows, _, _) in groups.items()
    }
    room = max(WIDTH - right - sum(margins.values()), 0.3 * WIDTH) / sum(weights.values())
    panels, at = [], 0.0
    for name, (rows, points, targets) in groups.items():
        at += margins[name]
        title = titles[name] if len(groups) > 1 else ""
        panels.append(Panel(title, rows, points, targets, *domains[name], left=at, width=room * weights[name]))
        at += room * weights[name]
    return panels


def _find_domain(rows: Sequence[Row], points: Sequence[Row], targets: Sequence[Row], kpi: Kpi) -> tuple[float, float]:
    ends = [row["value"] for row in points] + [row["target_threshold"] for row in targets if has_place(kpi, points)]
    ends += [row["national"] for row in rows if shape.is_number(row["national"]) and has_place(kpi, points)]
    return shape.padded_domain(ends, decimals=kpi.decimals, ceiling=100.0 if kpi.unit is Unit.PERCENT else None)


def has_place(kpi: Kpi, points: Sequence[Row]) -> bool:
    """A sum over branches has no place among them, unless it stands alone."""
    return not kpi.unit.is_total or not points


def find_ticks(start: float, end: float, *, lang: Lang | str) -> dict[float, str]:
    return shape.format_ticks(shape.nice_ticks(start, end, about=5), lang=lang)


def _left_margin(start: float, end: float, kpi: Kpi, *, lang: Lang | str) -> float:
    texts = [*find_ticks(start, end, lang=lang).values(), kpi.unit_word(lang).strip()]
    return min(20 + max(shape.text_width(text, SMALL_TEXT_SIZE) for text in texts), 0.2 * WIDTH)


def _label_room(group: tuple[list[Row], list[Row], list[Row]], kpi: Kpi, *, lang: Lang | str) -> float:
    """Enough for the longest word beside a value; cut where values are absurd."""
    rows, points, _ = group
    values = [format_value(row["value"], kpi, lang=lang, with_unit=False) for row in points]
    values += [
        format_value(row["national"], kpi, lang=lang, with_unit=False)
        for row in rows
        if shape.is_number(row["national"])
    ]
    longest = max((shape.text_width(text, TEXT_SIZE) for text in values), default=0)
    word = Text("最大 神奈川", "Highest Kagoshima")(lang)  # of the longest
    return min(longest + shape.text_width(word, TEXT_SIZE) + 4, 0.45 * WIDTH)


def find_runs(rows: Iterable[Row]) -> list[list[Row]]:
    """Stretches that a line may join: no year left out."""
    ordered = sorted(rows, key=lambda row: row["fiscal_year"])
    numbers = shape.number_runs([("", row["fiscal_year"]) for row in ordered])
    grouped = itertools.groupby(zip(numbers, ordered, strict=True), key=lambda pair: pair[0])
    return [[row for _, row in run] for _, run in grouped]
