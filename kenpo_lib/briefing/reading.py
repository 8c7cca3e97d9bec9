"""The order in which a page is read: theme by theme, as ``THEMES`` lists them."""

from __future__ import annotations

from typing import Any

from kenpo_lib.briefing.data import Briefing, list_full_kpis
from kenpo_lib.catalogue import THEMES, Kpi

Row = dict[str, Any]


def rows_by_theme(briefing: Briefing) -> dict[str, list[Row]]:
    """The page's KPIs by theme, in the order in which a page is read."""
    themes: dict[str, list[Row]] = {theme: [] for theme in THEMES}
    for row in briefing.rows:
        themes[briefing.catalogue.kpis[row["kpi_id"]].theme].append(row)
    return {theme: rows for theme, rows in themes.items() if rows}


def list_overview_kpis(briefing: Briefing) -> list[Kpi]:
    """The KPIs that all branches are known for in the page's year, in the order in which a page is read."""
    themes = list(THEMES)
    return sorted(list_full_kpis(briefing), key=lambda kpi: (themes.index(kpi.theme), kpi.order))
