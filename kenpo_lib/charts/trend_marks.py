"""What the chart of one branch over the years shows: a list of marks, made from rows of the comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kenpo_lib.catalogue import NATION, Kpi
from kenpo_lib.charts import shape
from kenpo_lib.charts.layers import nation_word
from kenpo_lib.language import Lang, Text

_PENDING = Text("未公表", "pending")


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark of the chart. ``x`` is the fiscal year, moved a little where two definitions share it."""

    layer: str  # branch, interim, nation, estimate, target, pending
    definition: str
    fiscal_year: int
    y: float
    word: str = ""


def year_of(mark: Mark) -> int:
    return mark.fiscal_year


def list_marks(
    rows: Sequence[Mapping[str, Any]], nation_rows: Sequence[Mapping[str, Any]], kpi: Kpi, *, lang: Lang | str
) -> list[Mark]:
    marks: list[Mark] = []
    for row in rows:
        key = (row["definition"], row["fiscal_year"])
        if shape.is_number(row["value"]):
            marks.append(Mark("branch", *key, row["value"]))
        elif shape.is_number(row["interim_value"]):
            marks.append(Mark("interim", *key, row["interim_value"]))
        elif row["status"] == "pending":
            marks.append(Mark("pending", *key, 0.0, _word_pending(row["pending_note"], lang=lang)))
        if shape.is_number(row["target_threshold"]):
            marks.append(Mark("target", *key, row["target_threshold"]))
    # Where this branch has nothing, under a definition or in years before its first, the nation alone tells another story.
    own = {mark.definition for mark in marks}
    is_nation = any(row["branch_code"] == NATION for row in rows)
    if kpi.unit.is_total or is_nation or not own:
        return marks
    national = {(row["definition"], row["fiscal_year"]): (row["value"], "published") for row in nation_rows}
    national |= {
        (row["definition"], row["fiscal_year"]): (row["national"], row["national_kind"])
        for row in rows
        if shape.is_number(row["national"])
    }
    years = [mark.fiscal_year for mark in marks]
    for (definition, year), (value, kind) in sorted(national.items()):
        if definition in own and min(years) <= year <= max(years) and shape.is_number(value):
            layer = "nation" if kind == "published" else "estimate"
            marks.append(Mark(layer, definition, year, value, nation_word(kind, lang)))
    return marks


def _word_pending(note: str | None, *, lang: Lang | str) -> str:
    """検証中 and its like as the source puts it, if it is a short word."""
    first = (note or "").partition("；")[0]
    return first if lang == Lang.JA and 0 < len(first) <= 3 else _PENDING(lang)


def order_definitions(marks: Sequence[Mark], kpi: Kpi) -> list[str]:
    """Definitions in the order in which they follow each other: those in force earlier first."""

    def key(definition: str) -> tuple[int, int]:
        known = kpi.definitions.get(definition)
        first_mark = min(mark.fiscal_year for mark in marks if mark.definition == definition)
        return (known.first_year if known and known.first_year else first_mark), first_mark

    return sorted({mark.definition for mark in marks}, key=lambda name: (key(name), name))


def place_years(marks: Sequence[Mark], order: Sequence[str]) -> dict[tuple[str, int], float]:
    """Where each (definition, year) stands; two definitions in one year stand left and right of it."""
    present = {(mark.definition, mark.fiscal_year) for mark in marks}
    places = {}
    for definition, year in present:
        sharing = [name for name in order if (name, year) in present]
        shift = sharing.index(definition) - (len(sharing) - 1) / 2
        places[definition, year] = year + 0.36 * shift
    return places


def rows_of(marks: Sequence[Mark], layer: str, places: Mapping[tuple[str, int], float]) -> list[dict[str, Any]]:
    """Rows of one layer; ``run`` counts the stretches that a line may join: one definition, no year left out."""
    chosen = sorted(
        (mark for mark in marks if mark.layer == layer), key=lambda mark: (mark.definition, mark.fiscal_year)
    )
    runs = shape.number_runs([(mark.definition, mark.fiscal_year) for mark in chosen])
    return [
        {
            "x": places[mark.definition, mark.fiscal_year],
            "y": mark.y,
            "run": run,
            "definition": mark.definition,
            "fiscal_year": mark.fiscal_year,
            **({"word": mark.word} if mark.word else {}),
        }
        for mark, run in zip(chosen, runs, strict=True)
    ]


def name_year(year: int, *, lang: Lang | str) -> str:
    """R6, R元, H30; FY24 in English."""
    if lang == Lang.EN:
        return f"FY{year % 100:02d}"
    era, number = ("R", year - 2018) if year >= 2019 else ("H", year - 1988)
    return f"{era}{'元' if number == 1 else number}"
