"""Wide tables: one row a branch, headings explained by ``definitions/layouts/``."""

from __future__ import annotations

from typing import Any

from kenpo_lib.curate.cells import UNIT_WORDS, CellReader, Collected
from kenpo_lib.curate.corrections import Repair
from kenpo_lib.language import say
from kenpo_lib.normalise import pending_reason
from kenpo_lib.sources import read_wide_layout


def read_wide(reader: CellReader, out: Collected, repairs: list[Repair]) -> None:
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


def _read_wide_cell(reader: CellReader, column: Any, branch_code: str, year: int, out: Collected) -> None:
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
    number = reader.number(column.heading, units=UNIT_WORDS[kpi.unit])
    if number is None:
        return
    # Parts of a rate may be negative; only the whole has a plausible range.
    if column.component == "total" and not reader.plausible(kpi, number.value, column.heading, branch_code=branch_code):
        return
    decimals = max(number.decimals, kpi.decimals)
    cell = {"measure": "value", "number": number.value, "decimals": decimals, "status": "final"}
    out.observations.append(keys | place | cell)
