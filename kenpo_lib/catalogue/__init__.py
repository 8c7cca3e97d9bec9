"""The catalogue: every KPI with its definitions, and the 47 branches. Frozen values, read strictly.

What KPI owners edit lies in ``kenpo_lib/definitions/``: one YAML file per KPI, ``branch_kpis/<code>.yaml`` for indicators that
one branch keeps for itself, ``branches.csv`` and ``caveats.yaml``. The environment variable ``KENPO_DEFINITIONS`` names another
folder of this shape, for other reporting units than the branches (read once, when a process starts).
"""

from kenpo_lib.catalogue.branch_list import parse_branch_list
from kenpo_lib.catalogue.entries import (
    DIRECTION_WORDS,
    NATION,
    NATIONAL_PROXIES,
    THEMES,
    Branch,
    Catalogue,
    Definition,
    Direction,
    Kpi,
    Unit,
    period_words,
)
from kenpo_lib.catalogue.load import DEFINITIONS_DIR, digest_definitions, load_catalogue

__all__ = [
    "DEFINITIONS_DIR",
    "DIRECTION_WORDS",
    "NATION",
    "NATIONAL_PROXIES",
    "THEMES",
    "Branch",
    "Catalogue",
    "Definition",
    "Direction",
    "Kpi",
    "Unit",
    "digest_definitions",
    "load_catalogue",
    "parse_branch_list",
    "period_words",
]
