"""One look for all charts: colours by their role, one font, one Altair theme, and the CSS that a page adds for them.

Every colour stands for one thing on every page: all branches grey, the chosen one deep blue, the nation dark with a diamond,
the target olive with a bar. Each role also has its own shape or line, so that grey paper and colour-blind readers lose nothing.
"""

from __future__ import annotations

from typing import Final

import altair as alt

FONT_STACK: Final = '"BIZ UDPGothic","Yu Gothic UI",Meiryo,"Hiragino Sans",sans-serif'
TEXT_SIZE: Final = 12
SMALL_TEXT_SIZE: Final = 11

INK: Final = "#1f2933"
MUTED: Final = "#59636e"
GRID: Final = "#e3e7eb"
OTHERS: Final = "#a3acb8"
BLOCK: Final = "#4d7fc0"
STRONG: Final = "#0b3d91"
NATION_COLOUR: Final = "#2b2b2f"
TARGET_COLOUR: Final = "#5d7a0f"
PAPER: Final = "#ffffff"

# role → (colour on paper, colour on a dark screen); the first stands in the SVG, the second only in CHART_CSS.
ROLES: Final = {
    "ink": (INK, "#e8eaed"),
    "muted": (MUTED, "#aab3bd"),
    "grid": (GRID, "#3a424b"),
    "others": (OTHERS, "#6b7684"),
    "block": (BLOCK, "#6f9fdc"),
    "strong": (STRONG, "#a9ccff"),
    "nation": (NATION_COLOUR, "#f2f2f2"),
    "target": (TARGET_COLOUR, "#b4d455"),
    "paper": (PAPER, "#16191d"),
}

# Tiles carry their own background, so they and the text on them keep their colours on a dark screen. One hue, falling
# lightness: five steps that grey paper keeps apart. Text is the one of the two that contrasts more.
TILE_COLOURS: Final = ("#e6effa", "#bcd3ee", "#84aedd", "#3670b3", "#12417f")
TILE_TEXT_DARK: Final = "#10181f"
TILE_TEXT_LIGHT: Final = "#fefefe"


def _write_css() -> str:
    colours = [
        f'.kenpo-chart [{attribute}="{light}"]{{{attribute}:var(--chart-{role},{light})}}'
        for role, (light, _) in ROLES.items()
        for attribute in ("fill", "stroke")
    ]
    dark = ";".join(f"--chart-{role}:{colour}" for role, (_, colour) in ROLES.items())
    return "\n".join(
        [
            ".kenpo-chart{display:block;width:100%;height:auto;font-family:inherit}",
            ".kenpo-spark{display:inline-block;width:auto;vertical-align:middle}",
            *colours,
            # Paper is white whatever the screen was.
            f"@media screen and (prefers-color-scheme:dark){{.kenpo-chart{{{dark}}}}}",
            "@media print{.kenpo-chart{break-inside:avoid}}",
        ]
    )


CHART_CSS: Final = _write_css()
"""To be put once into a page with charts. A page may set ``--chart-ink`` … itself on ``.kenpo-chart``."""


@alt.theme.register("kenpo", enable=True)
def kenpo_theme() -> alt.theme.ThemeConfig:
    """Calm: no frame, thin light grid, dark grey ink, no text below 11 px."""
    text = {"labelFontSize": SMALL_TEXT_SIZE, "labelColor": MUTED, "titleFontSize": TEXT_SIZE, "titleColor": INK}
    return {
        "background": PAPER,
        "config": {
            "font": FONT_STACK,
            "view": {"stroke": None},
            "axis": {
                **text,
                "titleFontWeight": "normal",
                "labelPadding": 5,
                "ticks": False,
                "domain": False,
                "gridColor": GRID,
                "gridWidth": 1,
            },
            "axisX": {"grid": False, "domain": True, "domainColor": OTHERS},
            "legend": {**text, "titleFontWeight": "normal"},
            "title": {"color": INK, "fontSize": 14, "anchor": "start"},
            "text": {"color": INK, "fontSize": TEXT_SIZE},
            "line": {"strokeWidth": 2, "color": STRONG},
            "point": {"filled": True, "opacity": 1, "color": STRONG},
            "rule": {"color": MUTED},
            "range": {"category": [STRONG, TARGET_COLOUR, BLOCK, MUTED], "ordinal": list(TILE_COLOURS)},
        },
    }
