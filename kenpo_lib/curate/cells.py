"""One raw row: its cells read into keys, years, numbers; whatever is wrong is collected with its place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kenpo_lib.catalogue import NATION, Catalogue, Kpi, Unit
from kenpo_lib.errors import Fault
from kenpo_lib.language import say
from kenpo_lib.normalise import Number, parse_date, parse_fiscal_year, parse_number
from kenpo_lib.sources import RawTable

# Units that may be printed behind a value of a KPI in that unit; persons, cases and offices are counted in many words.
COUNT_WORDS = ("人", "名", "者", "件", "社", "事業所", "か所", "箇所", "支部", "回")
UNIT_WORDS = {
    Unit.PERCENT: ("%",),
    Unit.YEN: ("円",),
    Unit.DAYS: ("日", "日間"),
    **dict.fromkeys((Unit.COUNT, Unit.PERSONS, Unit.OFFICES, Unit.TIMES), COUNT_WORDS),
}


@dataclass(slots=True)
class CellReader:
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
class Collected:
    observations: list[dict[str, Any]] = field(default_factory=list)
    targets: list[dict[str, Any]] = field(default_factory=list)
    budgets: list[dict[str, Any]] = field(default_factory=list)
    self_assessments: list[dict[str, Any]] = field(default_factory=list)
    statistics: list[dict[str, Any]] = field(default_factory=list)
