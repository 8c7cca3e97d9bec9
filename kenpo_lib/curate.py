"""Rows in the source's own words → curated rows: keys, units, years, targets. Checks; never guesses."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from kenpo_lib.catalogue import DEFINITIONS_DIR, NATION, THEMES, Catalogue, Direction, Kpi, Unit, read_yaml
from kenpo_lib.curated import SCHEMAS, Tables, empty_table
from kenpo_lib.errors import Fault, InputError
from kenpo_lib.language import say
from kenpo_lib.normalise import (
    Number,
    parse_date,
    parse_fiscal_year,
    parse_number,
    parse_target,
    pending_reason,
)
from kenpo_lib.sources import RawTable, Source, read_sources, read_wide_layout

PERIODS = ("FY", "YTD", "Q1", "Q2", "Q3", "Q4", *(f"M{month:02d}" for month in range(1, 13)))
STATUSES = ("final", "interim", "pending")
MARKS = ("◎", "○", "△", "×", "－")
STATISTICS = {
    **dict.fromkeys(("subscribers", "insured_persons", "dependents"), "persons"),
    "establishments": "offices",
    **dict.fromkeys(("total_remuneration", "medical_benefits"), "million_yen"),
}
_BUDGET_THEMES = (*THEMES, "analysis")
# Units that may be printed behind a value of a KPI in that unit; persons, cases and offices are counted in many words.
_COUNT_WORDS = ("人", "名", "者", "件", "社", "事業所", "か所", "箇所", "支部", "回")
_UNIT_WORDS = {
    Unit.PERCENT: ("%",),
    Unit.YEN: ("円",),
    Unit.DAYS: ("日", "日間"),
    **dict.fromkeys((Unit.COUNT, Unit.PERSONS, Unit.OFFICES, Unit.TIMES), _COUNT_WORDS),
}
_QUARTER_END = {"Q1": (6, 0), "Q2": (9, 0), "Q3": (12, 0), "Q4": (3, 1)}
_OBSERVATION_KEY = ("branch_code", "kpi_id", "definition", "component", "fiscal_year", "period", "as_of")


@dataclass(slots=True)
class _Reader:
    """Reads the cells of one raw row; whatever is wrong is collected with its place."""

    catalogue: Catalogue
    table: RawTable
    faults: list[Fault]
    line: int = 0
    row: dict[str, str] = field(default_factory=dict)

    def fault(self, column: str, expected: str, remedy: str, found: str | None = None) -> None:
        place = say(f"{self.line}行目「{column}」", f"line {self.line}, '{column}'")
        self.faults.append(Fault(self.table.file, place, expected, repr(found or self.row.get(column, "")), remedy))

    def one_of(self, column: str, allowed: Iterable[str], what: str) -> str | None:
        text = self.row[column]
        if text in allowed:
            return text
        near = say("一覧にある値に直す", "use one of the list")
        self.fault(column, what, near)
        return None

    def branch(self, column: str = "branch") -> str | None:
        branch = self.catalogue.find_branch(self.row[column])
        if branch is None:
            remedy = say(
                "支部名を直すか、branches.csv の別名に加える", "correct the name, or add an alias to branches.csv"
            )
            self.fault(column, say("47支部か全国", "one of the 47 branches or 全国"), remedy)
            return None
        return branch.branch_code

    def kpi(self, column: str = "kpi_id") -> Kpi | None:
        kpi = self.catalogue.kpis.get(self.row[column])
        if kpi is None:
            remedy = say("IDを直すか、定義 kpis/*.yaml を加える", "correct the id, or add kpis/<id>.yaml")
            self.fault(column, say("カタログにある指標", "a KPI of the catalogue"), remedy)
        return kpi

    def year(self, column: str = "year") -> int | None:
        try:
            return parse_fiscal_year(self.row[column])
        except ValueError:
            remedy = say("令和6年度・R6・2024 のように書く", "write it as 令和6年度, R6 or 2024")
            self.fault(column, say("年度", "a fiscal year"), remedy)
            return None

    def date(self, column: str) -> dt.date | None:
        try:
            return parse_date(self.row[column])
        except ValueError:
            self.fault(column, "YYYY-MM-DD", say("日付を直す", "correct the date"))
            return None

    def number(self, column: str, *, units: Iterable[str] | None = None) -> Number | None:
        """A number, or null for an empty cell; ``units`` restricts what may be printed behind it."""
        if not self.row[column]:
            return None
        remedy = say(
            "出典と見比べて直す。未公表の印なら normalise.py の PENDING_MARKS に加える",
            "compare with the source; a mark for a missing value belongs into PENDING_MARKS of normalise.py",
        )
        try:
            number = parse_number(self.row[column])
        except ValueError:
            self.fault(column, say("数値", "a number"), remedy)
            return None
        if units is not None and number.unit is not None and number.unit not in units:
            self.fault(column, say(f"単位 {'・'.join(units)}", f"unit {', '.join(units)}"), remedy)
            return None
        return number

    def definition(self, kpi: Kpi, name: str, year: int, column: str = "definition") -> str | None:
        definition = kpi.definitions.get(name)
        remedy = say(
            f"定義名を直すか、{kpi.kpi_id}.yaml の definitions（年度・restated）を直す",
            f"correct the name, or the definitions (years, restated) in {kpi.kpi_id}.yaml",
        )
        if definition is None:
            self.fault(
                column, say(f"定義 {', '.join(kpi.definitions)}", f"one of {', '.join(kpi.definitions)}"), remedy, name
            )
            return None
        if not definition.holds_in(year):
            expected = say(f"{name} が使われる年度", f"a year in which '{name}' holds")
            self.fault(column, expected, remedy, f"{name} / {year}")
            return None
        return name

    def plausible(self, kpi: Kpi, value: float, column: str, *, branch_code: str) -> bool:
        # The catalogue says what is plausible for a branch; the nation's sum of counts has no upper bound here.
        is_sum = branch_code == NATION and kpi.unit.is_total
        if kpi.plausible_min <= value and (is_sum or value <= kpi.plausible_max):
            return True
        low, high, unit = f"{kpi.plausible_min:g}", f"{kpi.plausible_max:g}", kpi.unit_word("ja")
        remedy = say(
            "桁や小数点の書き誤りでないか出典と見比べる",
            "compare with the source: a digit or the decimal point may be wrong",
        )
        self.fault(column, say(f"{kpi.name.ja}は{low}～{high}{unit}", f"{kpi.name.en} within {low}–{high}"), remedy)
        return False

    def locator(self, *parts: str) -> str:
        page = self.row.get("page", "")
        shown = [f"p.{page}" if page else "", *(self.row.get(part, "") for part in parts)]
        return " / ".join(part for part in shown if part)


@dataclass(slots=True)
class _Collected:
    observations: list[dict[str, Any]] = field(default_factory=list)
    targets: list[dict[str, Any]] = field(default_factory=list)
    budgets: list[dict[str, Any]] = field(default_factory=list)
    self_assessments: list[dict[str, Any]] = field(default_factory=list)
    statistics: list[dict[str, Any]] = field(default_factory=list)


def curate(raw_dir: Path, catalogue: Catalogue, *, corrections: Path | None = None) -> tuple[Tables, dict[str, str]]:
    """Build all curated tables from ``data/raw``. Writes nothing.

    Returns:
        One frame per name of ``curated.SCHEMAS``, rows sorted by key; and the sha256 of every raw file.

    Raises:
        InputError: All faults of all files together, each with file, line, expectation and remedy.
    """
    sources, digests, faults = read_sources(raw_dir)
    collected = _Collected()
    repairs = _read_corrections(corrections or DEFINITIONS_DIR / "corrections.yaml")
    for source in sources:
        for table in source.tables:
            reader = _Reader(catalogue, table, faults)
            _LAYOUT_READERS.get(table.layout, _read_wide)(reader, collected, repairs)
    _check_repairs_used(repairs, sources, faults)
    orders = {source.source_id: source.order_date for source in sources}
    targets, superseded = _pick_newest_targets(collected.targets, orders, faults)
    rows = {
        "observations": _merge_measures(collected.observations, faults),
        "targets": targets,
        "superseded_targets": superseded,
        "branches": [_branch_row(branch) for branch in catalogue.branches.values()],
        "sources": [_source_row(source) for source in sources],
        "budgets": collected.budgets,
        "self_assessments": collected.self_assessments,
        "statistics": collected.statistics,
    }
    _check_uniqueness(rows, faults)
    if faults:
        raise InputError(
            say(
                f"data/raw に {len(faults)} 件の誤りがあります。整備済みデータは前回のままです。",
                f"{len(faults)} faults in data/raw. The curated tables are left as they were.",
            ),
            faults,
        )
    return {name: _to_frame(name, rows[name]) for name in SCHEMAS}, digests


def _to_frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    if not rows:
        return empty_table(name)
    schema = SCHEMAS[name]
    complete = [{column: row.get(column) for column in schema.columns} for row in rows]
    return pl.DataFrame(complete, schema=dict(schema.columns), orient="row").sort(schema.key, nulls_last=False)


# --- figures: one printed cell a row --------------------------------------------------------------------------------


def _read_figures(reader: _Reader, out: _Collected, repairs: list[_Repair]) -> None:
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


def _read_target(reader: _Reader, kpi: Kpi, keys: dict[str, Any], out: _Collected) -> None:
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
    reader: _Reader, kpi: Kpi, keys: dict[str, Any], place: dict[str, Any], out: _Collected, repairs: list[_Repair]
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
        units = _UNIT_WORDS[kpi.unit] if measure == "value" else ("円", "百万円", "千円", *_COUNT_WORDS)
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


def _merge_measures(cells: list[dict[str, Any]], faults: list[Fault]) -> list[dict[str, Any]]:
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


# --- wide tables: headings explained by a layout --------------------------------------------------------------------


def _read_wide(reader: _Reader, out: _Collected, repairs: list[_Repair]) -> None:
    columns = read_wide_layout(reader.table.layout) or ()
    by_role = {column.role: column.heading for column in columns}
    for line, row in reader.table.rows:
        reader.line, reader.row = line, dict(row)
        branch_code = reader.branch(by_role["branch_code"])
        named = reader.branch(by_role["branch_name"])
        year = reader.year(by_role["fiscal_year"])
        if None in (branch_code, named, year):
            continue
        if branch_code != named:
            expected = say(f"支部コード {branch_code} の支部名", f"the name of branch {branch_code}")
            reader.fault(by_role["branch_name"], expected, say("行のずれを直す", "correct the shifted row"))
            continue
        for column in columns:
            if column.role in ("observation", "statistic") and row[column.heading]:
                _read_wide_cell(reader, column, branch_code, year, out)


def _read_wide_cell(reader: _Reader, column: Any, branch_code: str, year: int, out: _Collected) -> None:
    name = reader.catalogue.branches[branch_code].name.ja
    keys = {
        "branch_code": branch_code,
        "component": column.component,
        "fiscal_year": year,
        "as_of": None,
        "source_id": reader.table.source_id,
        "locator": f"{reader.table.file} {reader.line}行目 / {name} / {column.heading}",
        "note": None,
    }
    if column.role == "statistic":
        number = reader.number(column.heading)
        if number:
            fields = {"statistic": column.statistic, "unit": column.unit, "value": number.value, "is_projection": True}
            out.statistics.append(keys | fields)
        return
    kpi = reader.catalogue.kpis[column.kpi_id]
    keys |= {"kpi_id": kpi.kpi_id, "definition": column.definition, "period": "FY"}
    if reader.definition(kpi, column.definition, year, column.heading) is None:
        return
    place = {"kpi": kpi, "repair": None, "place": (reader.table.file, reader.line)}
    if reason := pending_reason(reader.row[column.heading]):
        cell = {"measure": "value", "number": None, "decimals": None, "status": "pending"}
        out.observations.append(keys | place | cell | {"note": reason})
        return
    number = reader.number(column.heading, units=_UNIT_WORDS[kpi.unit])
    if number is None:
        return
    # Parts of a rate may be negative; only the whole has a plausible range.
    if column.component == "total" and not reader.plausible(kpi, number.value, column.heading, branch_code=branch_code):
        return
    decimals = max(number.decimals, kpi.decimals)
    cell = {"measure": "value", "number": number.value, "decimals": decimals, "status": "final"}
    out.observations.append(keys | place | cell)


# --- budgets, marks, statistics -------------------------------------------------------------------------------------


def _read_budgets(reader: _Reader, out: _Collected, repairs: list[_Repair]) -> None:
    for line, row in reader.table.rows:
        reader.line, reader.row = line, dict(row)
        branch_code, year = reader.branch(), reader.year()
        theme = reader.one_of("theme", _BUDGET_THEMES, ", ".join(_BUDGET_THEMES))
        kpi = reader.kpi() if row["kpi_id"] else None
        budget = reader.number("budget_printed", units=("千円",))
        executed = reader.number("executed_printed", units=("千円",))
        rate = reader.number("rate_printed", units=("%",))
        if None in (branch_code, year, theme):
            continue
        out.budgets.append(
            {
                "branch_code": branch_code,
                "fiscal_year": year,
                "programme": row["programme"],
                "theme": theme,
                "kpi_id": kpi.kpi_id if kpi else None,
                "budget_thousand_yen": budget.value if budget else None,
                "executed_thousand_yen": executed.value if executed else None,
                "printed_rate_pct": rate.value if rate else None,
                "source_id": reader.table.source_id,
                "locator": reader.locator("table", "programme"),
                "note": row["note"] or None,
            }
        )


def _read_marks(reader: _Reader, out: _Collected, repairs: list[_Repair]) -> None:
    for line, row in reader.table.rows:
        reader.line, reader.row = line, dict(row)
        branch_code, year, as_of = reader.branch(), reader.year(), reader.date("as_of")
        mark = reader.one_of("mark", (*MARKS, ""), " ".join(MARKS))
        if None in (branch_code, year, mark):
            continue
        out.self_assessments.append(
            {
                "branch_code": branch_code,
                "fiscal_year": year,
                "as_of": as_of,
                "section": row["section"],
                "plan_item": row["item"],
                "mark": mark or None,
                "source_id": reader.table.source_id,
                "locator": reader.locator("section", "item"),
                "note": row["note"] or None,
            }
        )


def _read_statistics(reader: _Reader, out: _Collected, repairs: list[_Repair]) -> None:
    for line, row in reader.table.rows:
        reader.line, reader.row = line, dict(row)
        branch_code, year, as_of = reader.branch(), reader.year(), reader.date("as_of")
        statistic = reader.one_of("statistic", STATISTICS, ", ".join(STATISTICS))
        number = reader.number("printed", units=_COUNT_WORDS)
        if not row["printed"]:
            reader.fault("printed", say("数値", "a number"), say("値がない行は書かない", "leave the row out"))
        if None in (branch_code, year, statistic, number):
            continue
        out.statistics.append(
            {
                "branch_code": branch_code,
                "statistic": statistic,
                "component": row["component"],
                "fiscal_year": year,
                "as_of": as_of,
                "value": number.value,
                "unit": STATISTICS[statistic],
                "is_projection": False,
                "source_id": reader.table.source_id,
                "locator": reader.locator("table", "row", "column"),
                "note": row["note"] or None,
            }
        )


_LAYOUT_READERS: dict[str, Callable[[_Reader, _Collected, list[_Repair]], None]] = {
    "figures": _read_figures,
    "budgets": _read_budgets,
    "marks": _read_marks,
    "statistics": _read_statistics,
}


# --- corrections, targets of several sources, uniqueness ------------------------------------------------------------


@dataclass(slots=True)
class _Repair:
    where: dict[str, str]
    expect: str
    action: str
    reason_ja: str
    used: int = 0
    found: str | None = None

    def matches(self, source_id: str, row: dict[str, str]) -> bool:
        cell = row | {"source_id": source_id}
        if any(cell.get(key) != wanted for key, wanted in self.where.items()):
            return False
        self.used += 1
        self.found = row["printed"]
        return self.found == self.expect


def _read_corrections(path: Path) -> list[_Repair]:
    entries = read_yaml(path) or []
    allowed = {"where", "expect", "action", "reason", "reported", "status"}
    for entry in entries:
        assert set(entry) == allowed, (path.name, set(entry) ^ allowed)
        assert entry["action"] in ("drop_counts", "drop_value"), entry["action"]
    return [_Repair(e["where"], str(e["expect"]), e["action"], e["reason"]["ja"]) for e in entries]


def _check_repairs_used(repairs: list[_Repair], sources: Iterable[Source], faults: list[Fault]) -> None:
    present = {source.source_id for source in sources}
    for repair in repairs:
        if repair.where["source_id"] in present and (repair.used != 1 or repair.found != repair.expect):
            expected = say(f"ちょうど1か所の {repair.expect!r}", f"exactly one cell {repair.expect!r}")
            found = f"{repair.used} × {repair.found!r}"
            remedy = say("出典が訂正されたなら項目を消す", "if the issuer has corrected it, remove the entry")
            faults.append(Fault("corrections.yaml", str(repair.where), expected, found, remedy))


def _pick_newest_targets(
    targets: list[dict[str, Any]], orders: dict[str, str], faults: list[Fault]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Keep the target of the newest source per key; the others, where they differ, are kept apart."""
    key_columns = SCHEMAS["targets"].key
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for target in targets:
        groups.setdefault(tuple(target[column] for column in key_columns), []).append(target)
    newest, superseded = [], []
    for key, group in groups.items():
        ranked = sorted(group, key=lambda t: (orders[t["source_id"]], t["source_id"]), reverse=True)
        newest.append(ranked[0])
        superseded += ranked[1:]
        same_source = [t for t in ranked[1:] if t["source_id"] == ranked[0]["source_id"]]
        if same_source:
            found = say(f"{len(same_source) + 1} 件: {key}", f"{len(same_source) + 1}: {key}")
            expected = say("1つの出典に目標は1つ", "one target per source")
            remedy = say("重複した行を消す", "remove the duplicate")
            faults.append(Fault(f"{ranked[0]['source_id']}.csv", "", expected, found, remedy))
    return newest, superseded


def _check_uniqueness(rows: dict[str, list[dict[str, Any]]], faults: list[Fault]) -> None:
    for name, schema in SCHEMAS.items():
        seen: dict[tuple, dict[str, Any]] = {}
        for row in rows[name]:
            key = tuple(row.get(column) for column in schema.key)
            if key in seen:
                file = f"{row.get('source_id', name)}"
                place = str(row.get("locator", ""))
                expected = say(f"{name} のキーは1行だけ", f"one row per key of {name}")
                remedy = say("重複した行を消す", "remove the duplicate")
                faults.append(Fault(file, place, expected, str(key), remedy))
            seen[key] = row


def _branch_row(branch: Any) -> dict[str, Any]:
    return {
        "branch_code": branch.branch_code,
        "name_ja": branch.name.ja,
        "name_en": branch.name.en,
        "block": branch.block.ja,
        "block_en": branch.block.en,
        "tile_row": branch.tile_row,
        "tile_col": branch.tile_col,
    }


def _source_row(source: Source) -> dict[str, Any]:
    return {
        "source_id": source.source_id,
        "title": source.title,
        "issuer": source.issuer,
        "date": source.published,
        "order_date": source.order_date,
        "kind": source.kind,
        "url": source.url,
        "trust": source.trust,
        "trust_note": source.trust_note,
        "sha256": source.sha256,
    }
