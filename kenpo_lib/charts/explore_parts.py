"""What the charts to play with have in common: their rows, and their dropdowns, highlight and tooltips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from kenpo_lib.catalogue import Catalogue, Direction, Kpi
from kenpo_lib.charts.layers import format_value, nation_word
from kenpo_lib.charts.shape import number_runs
from kenpo_lib.charts.theme import NATION_COLOUR, PAPER
from kenpo_lib.charts.trend_marks import name_year
from kenpo_lib.language import Lang, Text

LATEST = 0
OF_YEAR = f"(year=={LATEST}?datum.is_latest:datum.fiscal_year==year)"  # whether a row is of the year chosen
PUBLISHED = "datum.national_published"

_KPI, _BRANCH, _YEAR = Text("指標: ", "KPI: "), Text("支部: ", "Branch: "), Text("年度: ", "Year: ")
_LATEST = Text("最新", "latest")
_TOOLTIP = {
    "branch": Text("支部", "Branch"),
    "year": Text("年度", "Year"),
    "value_text": Text("値", "Value"),
    "national_text": Text("全国", "Nation"),
    "prior_text": Text("前年度", "Year before"),
    "target_text": Text("目標", "Target"),
    "rank_text": Text("順位", "Rank"),
    "definition_text": Text("定義", "Definition"),
    "source": Text("出典", "Source"),
}


def list_rows(comparison: pl.DataFrame, catalogue: Catalogue, *, lang: Lang | str) -> list[dict[str, Any]]:
    """What the charts need of each value, texts made ready; a chart carries its data, so nothing else."""
    known = comparison.filter(
        pl.col("value").is_not_null()
        & pl.col("kpi_id").is_in(list(catalogue.kpis))
        & pl.col("branch_code").is_in(list(catalogue.branch_codes))
    ).sort("kpi_id", "branch_code", "definition", "fiscal_year")
    source = known.to_dicts()
    runs = number_runs([((row["kpi_id"], row["branch_code"], row["definition"]), row["fiscal_year"]) for row in source])
    return [_shape_row(row, run, catalogue, lang=lang) for row, run in zip(source, runs, strict=True)]


def _shape_row(row: dict[str, Any], run: int, catalogue: Catalogue, *, lang: Lang | str) -> dict[str, Any]:
    kpi: Kpi = catalogue.kpis[row["kpi_id"]]
    national = None if kpi.unit.is_total else row["national"]
    definition = kpi.definitions.get(row["definition"])

    def text(value: float | None) -> str:
        return "–" if value is None else format_value(value, kpi, lang=lang)

    return {
        "kpi_id": row["kpi_id"],
        "branch_code": row["branch_code"],
        "definition": row["definition"],
        "fiscal_year": row["fiscal_year"],
        "run": run,
        "value": row["value"],
        "national": national,
        "national_published": national is not None and row["national_kind"] == "published",
        "nation_word": nation_word(row["national_kind"], lang),
        "target": row["target_threshold"],
        "branch": catalogue.branches[row["branch_code"]].name(lang),
        "year": name_year(row["fiscal_year"], lang=lang),
        "value_text": text(row["value"]),
        "national_text": text(national),
        "prior_text": text(row["prior_value"]),
        "target_text": text(row["target_threshold"]),
        "rank_text": f"{row['rank']} / {row['ranked_count']}" if row["rank"] and kpi.direction.sign else "–",
        "definition_text": definition.text(lang) if definition and len(kpi.definitions) > 1 else "–",
        "source": f"{row['source_id']} {row['locator'] or ''}".strip(),
    }


def _order(kpi: Kpi, definition: str) -> int:
    known = kpi.definitions.get(definition)
    return (known.first_year or 0) if known else 0


def list_breaks(rows: Sequence[dict[str, Any]], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Half a year before the first value of each definition that followed another one."""
    firsts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["kpi_id"], row["definition"])
        firsts[key] = min(firsts.get(key, row["fiscal_year"]), row["fiscal_year"])
    return [
        {"kpi_id": kpi_id, "fiscal_year": first - 0.5}
        for (kpi_id, definition), first in sorted(firsts.items())
        if any(
            other == kpi_id and _order(catalogue.kpis[kpi_id], before) < _order(catalogue.kpis[kpi_id], definition)
            for other, before in firsts
        )
    ]


def add_places(rows: Sequence[dict[str, Any]], catalogue: Catalogue) -> list[dict[str, Any]]:
    """One definition per KPI and year (the later one), each value's place in the order, and whether the year is the latest."""
    groups: dict[tuple[str, int], dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        groups.setdefault((row["kpi_id"], row["fiscal_year"]), {}).setdefault(row["definition"], []).append(row)
    latest: dict[str, int] = {}
    for kpi_id, year in groups:
        latest[kpi_id] = max(latest.get(kpi_id, year), year)
    result = []
    for (kpi_id, year), definitions in groups.items():
        kpi = catalogue.kpis[kpi_id]
        rising = 1 if kpi.direction is Direction.LOWER else -1
        chosen = definitions[max(definitions, key=lambda name: (_order(kpi, name), name))]
        ordered = sorted(chosen, key=lambda row: (rising * row["value"], row["branch_code"]))
        result += [
            {**row, "place": place, "is_latest": year == latest[kpi_id]} for place, row in enumerate(ordered, start=1)
        ]
    return result


# --- controls ---------------------------------------------------------------------------------------------------------


def choose_kpi(
    rows: Sequence[dict[str, Any]],
    catalogue: Catalogue,
    *,
    lang: Lang | str,
    first: str | None,
    name: str = "kpi",
    title: Text = _KPI,
) -> alt.Parameter:
    """One of the KPIs that have rows; the first of them unless another is asked for."""
    present = {row["kpi_id"] for row in rows}
    ids = [kpi_id for kpi_id in catalogue.kpis if kpi_id in present] or [""]
    names = [
        f"{catalogue.kpis[kpi_id].name(lang)} ({catalogue.kpis[kpi_id].unit_word(lang).strip()})" if kpi_id else ""
        for kpi_id in ids
    ]
    return alt.param(
        name=name,
        value=first if first in ids else ids[0],
        bind=alt.binding_select(options=ids, labels=names, name=title(lang)),
    )


def choose_branch(catalogue: Catalogue, *, lang: Lang | str, first: str) -> alt.Parameter:
    """One of all branches."""
    codes = list(catalogue.branch_codes)
    names = [catalogue.branches[code].name(lang) for code in codes]
    return alt.param(
        name="branch", value=first, bind=alt.binding_select(options=codes, labels=names, name=_BRANCH(lang))
    )


def point_at_branch() -> alt.Parameter:
    """The branch that the pointer is on."""
    return alt.selection_point(
        name="pointed", on="pointerover", clear="pointerout", fields=["branch_code"], empty=False
    )


def tooltip(lang: Lang | str) -> list[alt.Tooltip]:
    """All that is known of a value, its source last."""
    return [alt.Tooltip(f"{field}:N", title=title(lang)) for field, title in _TOOLTIP.items()]


def choose_year(rows: Sequence[dict[str, Any]], *, lang: Lang | str) -> alt.Parameter:
    """Each KPI's latest year, or one year for all."""
    years = sorted({row["fiscal_year"] for row in rows}, reverse=True)
    names = [_LATEST(lang), *(name_year(year, lang=lang) for year in years)]
    return alt.param(
        name="year",
        value=LATEST,
        bind=alt.binding_select(options=[LATEST, *years], labels=names, name=_YEAR(lang)),
    )


def count_years(lang: Lang | str) -> alt.Axis:
    """An axis of fiscal years, labelled as everywhere."""
    years = "datum.value<2019?'H'+(datum.value-1988):datum.value==2019?'R元':'R'+(datum.value-2018)"
    return alt.Axis(title=None, tickMinStep=1, labelExpr=years if lang == Lang.JA else "'FY'+datum.value")


def mark_nation(nation: alt.Chart, *, size: float, at: Mapping[str, Any], **edge: float) -> list[alt.Chart]:
    """The nation as diamonds, filled where it is published and hollow where it is an estimate.

    Args:
        nation: Rows with a national figure, and ``national_published``.
        size: Of a diamond.
        at: The encodings that place it.
        edge: Where it stands in pixels, along a channel that is not encoded.
    """
    diamond = {"shape": "diamond", "size": size, "opacity": 1, **edge}
    published, estimated = nation.transform_filter(PUBLISHED), nation.transform_filter(f"!{PUBLISHED}")
    return [
        published.mark_point(color=NATION_COLOUR, **diamond).encode(**at),
        estimated.mark_point(filled=False, fill=PAPER, stroke=NATION_COLOUR, **diamond).encode(**at),
    ]
