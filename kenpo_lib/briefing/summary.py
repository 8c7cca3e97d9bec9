"""What a page counts: the verdicts of its conclusion and the notes on its data, in figures that the index of all pages repeats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kenpo_lib.briefing.data import Briefing
from kenpo_lib.briefing.kpi_conclusion import count_changes
from kenpo_lib.briefing.kpi_data import KpiDetail
from kenpo_lib.briefing.kpi_sources import count_notes
from kenpo_lib.briefing.quality_data import Quality, list_conflicts
from kenpo_lib.conclusion import count_targets
from kenpo_lib.files import write_atomically
from kenpo_lib.kept_verdict import count_checks
from kenpo_lib.points import count_movement, count_nation


def write_sentinel(page: Briefing | KpiDetail | Quality, path: str) -> None:
    """Say that the notebook ran to its end, on what, and what the page counts; the runner reads it back. Without a path nothing is written."""
    if not path:
        return
    briefing = page if isinstance(page, Briefing) else page.briefing
    about = {"branch": briefing.branch_code, "fiscal_year": briefing.fiscal_year, "inputs": briefing.inputs}
    if isinstance(page, KpiDetail):
        about["kpi"] = page.kpi.kpi_id
    write_atomically(Path(path), json.dumps(about | summarise(page), sort_keys=True).encode())


def summarise(page: Briefing | KpiDetail | Quality) -> dict[str, Any]:
    """Counts by verdict under the name of what is judged, empty where nothing is; and the number of ``notes``.

    ``targets`` and changes since the ``prior`` year: of KPIs, on the page of a KPI of branches. ``nation``: of KPIs against it.
    ``checks``: of the data, whose notes are the conflicts of their sources.
    """
    if isinstance(page, KpiDetail):
        return {"targets": count_targets(page.rows), "prior": count_changes(page), "notes": count_notes(page)}
    if isinstance(page, Quality):
        total = count_checks(page.verdict)
        checks = {name: total[name] for name in ("ok", "warning", "stopping")}
        return {"checks": checks, "notes": len(list_conflicts(page))}
    return {
        "targets": count_targets(page.rows),
        "nation": count_nation(page.rows),
        "prior": count_movement(page.rows),
        "notes": len(page.page.warnings),
    }
