"""What the pages show: the comparison of one branch (or of all) put into sections. Notebooks call one function a cell.

Everything comes from the comparison frame; nothing is computed here but which rows and charts say something.
"""

from kenpo_lib.briefing.budgets import show_budgets
from kenpo_lib.briefing.data import Briefing, list_full_kpis, open_briefing, write_sentinel
from kenpo_lib.briefing.extras import show_interim, show_self_assessment
from kenpo_lib.briefing.incentive import show_incentive
from kenpo_lib.briefing.incentive_ranking import show_incentive_ranking
from kenpo_lib.briefing.kpi_table import show_kpi_table
from kenpo_lib.briefing.matrix import show_branch_matrix, show_flags
from kenpo_lib.briefing.opening import show_conclusion, show_contents, show_header
from kenpo_lib.briefing.overview import show_kpi_overview
from kenpo_lib.briefing.reading import list_overview_kpis
from kenpo_lib.briefing.sources import show_sources
from kenpo_lib.briefing.spine import show_spine
from kenpo_lib.briefing.spread import (
    list_contribution_kpis,
    list_spread_kpis,
    show_contribution,
    show_contributions,
    show_spread,
)
from kenpo_lib.briefing.themes import list_themes, show_theme

__all__ = [
    "Briefing",
    "list_contribution_kpis",
    "list_full_kpis",
    "list_overview_kpis",
    "list_spread_kpis",
    "list_themes",
    "open_briefing",
    "show_branch_matrix",
    "show_budgets",
    "show_conclusion",
    "show_contents",
    "show_contribution",
    "show_contributions",
    "show_flags",
    "show_header",
    "show_incentive",
    "show_incentive_ranking",
    "show_interim",
    "show_kpi_overview",
    "show_kpi_table",
    "show_self_assessment",
    "show_sources",
    "show_spine",
    "show_spread",
    "show_theme",
    "write_sentinel",
]
