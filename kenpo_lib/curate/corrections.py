"""Slips of the sources, repaired by ``definitions/corrections.yaml`` and never in raw files or code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kenpo_lib.errors import Fault
from kenpo_lib.language import say
from kenpo_lib.sources import Source
from kenpo_lib.strict_yaml import read_yaml


@dataclass(slots=True)
class Repair:
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


def read_corrections(path: Path) -> list[Repair]:
    entries = read_yaml(path) or []
    allowed = {"where", "expect", "action", "reason", "reported", "status"}
    for entry in entries:
        assert set(entry) == allowed, (path.name, set(entry) ^ allowed)
        assert entry["action"] in ("drop_counts", "drop_value"), entry["action"]
    return [Repair(e["where"], str(e["expect"]), e["action"], e["reason"]["ja"]) for e in entries]


def check_repairs_used(repairs: list[Repair], sources: Iterable[Source], faults: list[Fault]) -> None:
    present = {source.source_id for source in sources}
    for repair in repairs:
        if repair.where["source_id"] in present and (repair.used != 1 or repair.found != repair.expect):
            expected = say(f"ちょうど1か所の {repair.expect!r}", f"exactly one cell {repair.expect!r}")
            found = f"{repair.used} × {repair.found!r}"
            remedy = say("出典が訂正されたなら項目を消す", "if the issuer has corrected it, remove the entry")
            faults.append(Fault("corrections.yaml", str(repair.where), expected, found, remedy))
