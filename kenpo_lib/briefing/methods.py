"""Each statistical method on real figures, for ``notebooks/40_methods.ipynb``: one function a method, each gives a table or chart
and one sentence of reading that is made from the figures.

Where no counts are published the example is made up, and its caption says so.
"""

from kenpo_lib.briefing.methods_certainty import (
    show_change,
    show_false_discoveries,
    show_funnel,
    show_interval,
    show_shrinkage,
)
from kenpo_lib.briefing.methods_course import show_control_chart, show_pace, show_projection, show_trend
from kenpo_lib.briefing.methods_data import Lesson, open_methods
from kenpo_lib.briefing.methods_nation import (
    show_contribution,
    show_incentive,
    show_nation_without,
    show_national_kinds,
    show_people_needed,
)
from kenpo_lib.briefing.methods_ranks import show_deviation_scores, show_ranks

__all__ = [
    "Lesson",
    "open_methods",
    "show_change",
    "show_contribution",
    "show_control_chart",
    "show_deviation_scores",
    "show_false_discoveries",
    "show_funnel",
    "show_incentive",
    "show_interval",
    "show_nation_without",
    "show_national_kinds",
    "show_pace",
    "show_people_needed",
    "show_projection",
    "show_ranks",
    "show_shrinkage",
    "show_trend",
]
