"""Layout ``figures``: one printed cell a row; value, numerator and denominator of a key become one observation."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Any

from kenpo_lib.catalogue import Direction, Kpi, Unit
from kenpo_lib.curate.cells import COUNT_WORDS, UNIT_WORDS, CellReader, Collected
from kenpo_lib.curate.corrections import Repair
from kenpo_lib.errors import Fault
from kenpo_lib.language import say
from kenpo_lib.normalise import parse_number, parse_target, pending_reason

PERIODS = ("FY", "YTD", "Q1", "Q2", "Q3", "Q4", *(f"M{month:02d}" for month in range(1, 13)))
STATUSES = ("final", "interim", "pending")
_QUARTER_END = {"Q1": (6, 0), "Q2": (9, 0), "Q3": (12, 0), "Q4": (3, 1)}
_OBSERVATION_KEY = ("branch_code", "kpi_id", "definition", "component", "fiscal_year", "period", "as_of")


def read_figures(reader: CellReader, out: Collected, repairs: list[Repair]) -> None:
    for line, row in reader.table.rows:
        reader.line, reader.row = line, dict(row)
        branch_code, kpi, year = reader.branch(), reader.kpi(), reader.year()
        kind = reader.one_of("kind", ("observation", "target"), "observation / target")
        if None in (branch_code, kpi, year, kind):
            continue
        definition = reader.definition(kpi, row["definition"], year)
        if definition is None:
            continue
        keys = {"branch_code": branch_code, "kpi_id": kpi.kpi_id, "definition": definition, "fiscal_year": year}
        place = {
            "source_id": reader.table.source_id,
            "locator": reader.locator("table", "row", "column"),
            "note": row["note"] or None,
        }
        if kind == "target":
            _read_target(reader, kpi, keys | place, out)
        else:
            _read_observation(reader, kpi, keys, place, out, repairs)


def _read_target(reader: CellReader, kpi: Kpi, keys: dict[str, Any], out: Collected) -> None:
    printed = re.sub(r"[（(]([^（）()]*)[)）]", _drop_aside, reader.row["printed"])
    higher = {Direction.HIGHER: True, Direction.LOWER: False, Direction.NEITHER: None}[kpi.direction]
    try:
        target = parse_target(printed, higher_is_better=higher)
    except ValueError:
        expected = say("目標（N以上・N以下・対前年度以上 …）", "a target rule (N以上, N以下, 対前年度以上 …)")
        reader.fault("printed", expected, say("出典と見比べて直す", "compare with the source"))
        return
    for number in (target.value, target.floor):
        if number is not None and not reader.plausible(kpi, number, "printed", branch_code=keys["branch_code"]):
            return
    out.targets.append(keys | {"rule": target.rule.value, "value": target.value, "floor": target.floor})


def _drop_aside(bracket: re.Match[str]) -> str:
    """Nothing for a bracket that holds a number or a footnote mark; words stay, they may be half of the rule.

    "対前年度(98.4%)以上" tells the prior-year value; the rule stays a rule.
    """
    inside = bracket[1].strip()
    try:
        return "" if inside.startswith("※") or parse_number(inside) else bracket[0]
    except ValueError:
        return bracket[0]


def _read_observation(
    reader: CellReader, kpi: Kpi, keys: dict[str, Any], place: dict[str, Any], out: Collected, repairs: list[Repair]
) -> None:
    row = reader.row
    period = reader.one_of("period", PERIODS, ", ".join(PERIODS[:3]) + " … M12")
    measure = reader.one_of("measure", ("value", "numerator", "denominator"), "value / numerator / denominator")
    as_of = reader.date("as_of")
    if row["status"] and reader.one_of("status", STATUSES, " / ".join(STATUSES)) is None:
        return
    if period is None or measure is None:
        return
    if not row["component"]:
        reader.fault("component", "total", say("全体なら total と書く", "write total for the whole"))
        return
    # "– %" is a pending mark in a column whose unit is printed in every cell.
    reason = pending_reason(row["printed"].rstrip("%％ "))
    status = row["status"] or ("pending" if reason else "final" if period == "FY" else "interim")
    number = None
    if reason is None:
        units = UNIT_WORDS[kpi.unit] if measure == "value" else ("円", "百万円", "千円", *COUNT_WORDS)
        number = reader.number("printed", units=units)
        if number is None:
            if not row["printed"]:
                reader.fault("printed", say("数値", "a number"), say("値がない行は書かない", "leave the row out"))
            return
        if measure == "value" and not reader.plausible(kpi, number.value, "printed", branch_code=keys["branch_code"]):
            return
    if measure != "value" and number is not None and number.value < 0:
        reader.fault(
            "printed", say("0以上の件数", "a count of 0 or more"), say("出典と見比べる", "compare with the source")
        )
        return
    note = "；".join(part for part in (reason, place["note"]) if part) or None
    repair = next((r for r in repairs if r.matches(reader.table.source_id, row)), None)
    out.observations.append(
        keys
        | place
        | {
            "component": row["component"],
            "period": period,
            "as_of": as_of,
            "status": status,
            "measure": measure,
            "number": number.value if number else None,
            "decimals": number.decimals if number and measure == "value" else None,
            "note": note,
            "kpi": kpi,
            "repair": repair,
            "place": (reader.table.file, reader.line),
        }
    )


def merge_measures(cells: list[dict[str, Any]], faults: list[Fault]) -> list[dict[str, Any]]:
    """Join value, numerator and denominator of the same key and source into one observation."""
    groups: dict[tuple, dict[str, dict[str, Any]]] = {}
    for cell in cells:
        key = (*(cell[column] for column in _OBSERVATION_KEY), cell["source_id"])
        measures = groups.setdefault(key, {})
        if cell["measure"] in measures:
            first = measures[cell["measure"]]["place"][1]
            file, line = cell["place"]
            faults.append(
                Fault(
                    file,
                    say(f"{line}行目", f"line {line}"),
                    say("同じキーの値は1つ", "one value per key"),
                    say(f"{first}行目と同じ {cell['kpi_id']}", f"the same key as line {first}: {cell['kpi_id']}"),
                    say(
                        "どちらかを消すか、component・as_of で区別する",
                        "remove one, or tell them apart by component or as_of",
                    ),
                )
            )
            continue
        measures[cell["measure"]] = cell
    return [_one_observation(measures) for measures in groups.values()]


def _one_observation(measures: dict[str, dict[str, Any]]) -> dict[str, Any]:
    lead = measures.get("value") or next(iter(measures.values()))
    numbers = {name: cell["number"] for name, cell in measures.items()}
    value, numerator, denominator = (numbers.get(name) for name in ("value", "numerator", "denominator"))
    notes = list(dict.fromkeys(cell["note"] for cell in measures.values() if cell["note"]))
    repair = next((cell["repair"] for cell in measures.values() if cell["repair"]), None)
    if repair and repair.action == "drop_counts":
        numerator = denominator = None
        notes.append(repair.reason_ja)
    elif repair:
        value = None
        notes.append(repair.reason_ja)
    kpi: Kpi = lead["kpi"]
    if value is None and numerator is not None and denominator and kpi.unit is Unit.PERCENT and "value" not in measures:
        value = 100 * numerator / denominator
        notes.append("値は件数から計算")
    counts = [measures[name]["locator"] for name in ("numerator", "denominator") if name in measures]
    other = [place for place in dict.fromkeys(counts) if place != lead["locator"]]
    locator = lead["locator"] + (f"（件数: {'; '.join(other)}）" if other else "")
    return lead | {
        "value": value,
        "numerator": numerator,
        "denominator": denominator,
        "locator": locator,
        "note": "；".join(notes) or None,
        "as_of": lead["as_of"] or _period_end(lead["period"], lead["fiscal_year"]),
    }


def _period_end(period: str, fiscal_year: int) -> dt.date | None:
    """The last day of a month or quarter, which its name fixes; unknown for FY (never needed) and YTD."""
    if period in _QUARTER_END:
        month, years_later = _QUARTER_END[period]
    elif period.startswith("M"):
        month = int(period[1:])
        years_later = 1 if month <= 3 else 0
    else:
        return None
    year = fiscal_year + years_later
    return dt.date(year, month, calendar.monthrange(year, month)[1])
