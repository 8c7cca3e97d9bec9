"""What came of the checks, for a page, a manifest and a terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.language import Text, console_language
from kenpo_lib.validate.suites import Severity


class Outcome(StrEnum):
    """``error``: the check could not be made (a missing column, say). It counts as critical."""

    OK = "ok"
    FAIL = "fail"
    ERROR = "error"


@dataclass(frozen=True, slots=True, eq=False)
class CheckResult:
    """One expectation and what came of it.

    ``rows``: the offending rows with the key of their table, value, ``source_id``, ``locator`` where the table has them, and
    what was found (``found_ja``, ``found_en``). ``observed``: the figure or message of a check that has no rows.
    ``column``: the one that the expectation is about, null where it is about several or the whole table.
    """

    table: str
    type: str
    column: str | None
    words: Text
    severity: Severity
    outcome: Outcome
    rows: pl.DataFrame
    observed: Text | None = None

    @property
    def stops(self) -> bool:
        """True if the data may not be published for it."""
        return self.outcome is Outcome.ERROR or (self.outcome is Outcome.FAIL and self.severity is Severity.CRITICAL)

    @property
    def warns(self) -> bool:
        return self.outcome is Outcome.FAIL and self.severity is Severity.WARNING


@dataclass(frozen=True, slots=True, eq=False)
class ValidationReport:
    """All checks in the order of the suites, and the values that are announced but not there yet (no fault)."""

    checks: tuple[CheckResult, ...]
    pending: pl.DataFrame
    expectations_dir: Path
    suite_digests: Mapping[str, str]
    catalogue: Catalogue

    def _repr_html_(self) -> str:
        from kenpo_lib.validate.words import show_report  # it needs this module

        return show_report(self, console_language())

    @property
    def has_critical(self) -> bool:
        """True if something failed, or could not be checked, that stops publication."""
        return any(check.stops for check in self.checks)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        return tuple(check for check in self.checks if check.warns)

    def to_dict(self) -> dict[str, Any]:
        """For the page and the manifest: the summary, and each failing row with the keys of what it concerns."""
        return {
            "passed": not self.has_critical,
            "summary": {
                table: {name: counts[name] for name in ("checks", "ok", "critical", "warning", "error")}
                for table, counts in count_by_table(self.checks).items()
            },
            "checks": [
                {
                    "table": check.table,
                    "type": check.type,
                    "column": check.column,
                    "words": _both(check.words),
                    "severity": check.severity.value,
                    "outcome": check.outcome.value,
                    "rows": check.rows.height,
                    "observed": _both(check.observed),
                }
                for check in self.checks
            ],
            "critical": [entry for check in self.checks if check.stops for entry in _list_concerned(check)],
            "warnings": [entry for check in self.warnings for entry in _list_concerned(check)],
            "pending": self.pending.to_dicts(),
        }

    def to_json(self) -> str:
        """The same as text; the same tables and suites give the same bytes."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)


_CONCERNED = ("branch_code", "kpi_id", "definition", "fiscal_year", "source_id", "locator")


def _list_concerned(check: CheckResult) -> list[dict[str, Any]]:
    """One entry per offending row, or one without keys where the check is about the table."""
    shared = {"table": check.table, "column": check.column, "words": _both(check.words)}
    if check.rows.is_empty():
        return [shared | dict.fromkeys(_CONCERNED) | {"found": _both(check.observed)}]
    return [
        shared | {key: row.get(key) for key in _CONCERNED} | {"found": {"ja": row["found_ja"], "en": row["found_en"]}}
        for row in check.rows.iter_rows(named=True)
    ]


def _both(text: Text | None) -> dict[str, str]:
    return {"ja": text.ja, "en": text.en} if text else {"ja": "", "en": ""}


def count_by_table(checks: Iterable[CheckResult]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for check in checks:
        kind = check.severity.value if check.outcome is Outcome.FAIL else check.outcome.value
        counts.setdefault(check.table, Counter()).update(["checks", kind])
    return counts
