"""What the pages show: the comparison of one branch (or of all) put into sections. Notebooks call one function a cell.

Everything comes from the comparison frame; nothing is computed here but which rows and charts say something.
"""

from kenpo_lib.briefing.data import Briefing, list_full_kpis, open_briefing, write_sentinel
from kenpo_lib.briefing.extras import show_budgets, show_interim, show_self_assessment
from kenpo_lib.briefing.kpi_table import show_kpi_table
from kenpo_lib.briefing.opening import show_conclusion, show_contents, show_header
from kenpo_lib.briefing.overview import show_branch_matrix, show_kpi_overview
from kenpo_lib.briefing.sources import show_sources
from kenpo_lib.briefing.themes import list_themes, show_theme

__all__ = [
    "Briefing",
    "list_full_kpis",
    "list_themes",
    "open_briefing",
    "show_branch_matrix",
    "show_budgets",
    "show_conclusion",
    "show_contents",
    "show_header",
    "show_interim",
    "show_kpi_overview",
    "show_kpi_table",
    "show_self_assessment",
    "show_sources",
    "show_theme",
    "write_sentinel",
]
