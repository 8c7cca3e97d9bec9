"""Charts: the comparison → Altair → SVG. One look for all; see ``theme``.

``draw_…`` turn frames into charts and compute nothing beyond shaping for the mark; ``render_svg`` turns a chart into text for a
page; ``explore_…`` are for JupyterLab.
"""

from kenpo_lib.fast_import import import_jsonschema

import_jsonschema()  # before the first import of Altair

from kenpo_lib.charts.block_years import draw_block_years
from kenpo_lib.charts.branch_years import draw_branch_years
from kenpo_lib.charts.caterpillar import draw_caterpillar
from kenpo_lib.charts.clean import UnsafeChartError
from kenpo_lib.charts.contribution import draw_contribution
from kenpo_lib.charts.coverage import draw_coverage
from kenpo_lib.charts.distribution import draw_distribution
from kenpo_lib.charts.drawing import register_fonts
from kenpo_lib.charts.explore import explore_position, explore_trend, use_renderer
from kenpo_lib.charts.explore_linked import explore_linked
from kenpo_lib.charts.funnel import draw_funnel
from kenpo_lib.charts.incentive import draw_incentive_points
from kenpo_lib.charts.position import draw_position
from kenpo_lib.charts.ranking import draw_ranking
from kenpo_lib.charts.sparkline import sparkline
from kenpo_lib.charts.spine import spine_line
from kenpo_lib.charts.svg import render_png, render_svg
from kenpo_lib.charts.theme import CHART_CSS, FONT_STACK
from kenpo_lib.charts.tiles import draw_tile_map
from kenpo_lib.charts.trend import draw_trend

__all__ = [
    "CHART_CSS",
    "FONT_STACK",
    "UnsafeChartError",
    "draw_block_years",
    "draw_branch_years",
    "draw_caterpillar",
    "draw_contribution",
    "draw_coverage",
    "draw_distribution",
    "draw_funnel",
    "draw_incentive_points",
    "draw_position",
    "draw_ranking",
    "draw_tile_map",
    "draw_trend",
    "explore_linked",
    "explore_position",
    "explore_trend",
    "register_fonts",
    "render_png",
    "render_svg",
    "sparkline",
    "spine_line",
    "use_renderer",
]
