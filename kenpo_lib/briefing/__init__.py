"""What the pages show: the comparison of one branch (or of all) put into sections. Notebooks call one function a cell.

Everything comes from the comparison frame; nothing is computed here but which rows and charts say something.
"""

from kenpo_lib.briefing.budgets import show_budgets
from kenpo_lib.briefing.data import Briefing, list_full_kpis, open_briefing
from kenpo_lib.briefing.extras import show_interim, show_self_assessment
from kenpo_lib.briefing.incentive import show_incentive
from kenpo_lib.briefing.incentive_ranking import show_incentive_ranking
from kenpo_lib.briefing.kpi_certainty import show_kpi_certainty
from kenpo_lib.briefing.kpi_course import show_kpi_course
from kenpo_lib.briefing.kpi_data import KpiDetail, open_kpi
from kenpo_lib.briefing.kpi_definitions import show_kpi_definitions
from kenpo_lib.briefing.kpi_detail import show_kpi_conclusion, show_kpi_contents, show_kpi_header
from kenpo_lib.briefing.kpi_methods import show_kpi_methods
from kenpo_lib.briefing.kpi_movement import show_kpi_movement
from kenpo_lib.briefing.kpi_position import show_kpi_position
from kenpo_lib.briefing.kpi_sources import show_kpi_sources
from kenpo_lib.briefing.kpi_table import show_kpi_table
from kenpo_lib.briefing.kpi_years import show_kpi_years
from kenpo_lib.briefing.matrix import show_branch_matrix, show_flags
from kenpo_lib.briefing.opening import show_conclusion, show_contents, show_header
from kenpo_lib.briefing.overview import show_kpi_overview
from kenpo_lib.briefing.quality import show_quality_conclusion, show_quality_contents, show_quality_header
from kenpo_lib.briefing.quality_checks import show_quality_checks
from kenpo_lib.briefing.quality_conflicts import show_quality_conflicts, show_quality_open_values
from kenpo_lib.briefing.quality_coverage import show_quality_coverage, show_quality_targets, show_quality_years
from kenpo_lib.briefing.quality_data import Quality, open_quality
from kenpo_lib.briefing.quality_sources import show_quality_sources
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
from kenpo_lib.briefing.summary import write_sentinel
from kenpo_lib.briefing.themes import list_themes, show_theme

__all__ = [
    "Briefing",
    "KpiDetail",
    "Quality",
    "list_contribution_kpis",
    "list_full_kpis",
    "list_overview_kpis",
    "list_spread_kpis",
    "list_themes",
    "open_briefing",
    "open_kpi",
    "open_quality",
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
    "show_kpi_certainty",
    "show_kpi_conclusion",
    "show_kpi_contents",
    "show_kpi_course",
    "show_kpi_definitions",
    "show_kpi_header",
    "show_kpi_methods",
    "show_kpi_movement",
    "show_kpi_overview",
    "show_kpi_position",
    "show_kpi_sources",
    "show_kpi_table",
    "show_kpi_years",
    "show_quality_checks",
    "show_quality_conclusion",
    "show_quality_conflicts",
    "show_quality_contents",
    "show_quality_coverage",
    "show_quality_header",
    "show_quality_open_values",
    "show_quality_sources",
    "show_quality_targets",
    "show_quality_years",
    "show_self_assessment",
    "show_sources",
    "show_spine",
    "show_spread",
    "show_theme",
    "write_sentinel",
]
