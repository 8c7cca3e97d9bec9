"""Rows in the source's own words → curated rows: keys, units, years, targets. Checks; never guesses."""

from kenpo_lib.curate.build import curate
from kenpo_lib.curate.others import STATISTICS

__all__ = ["STATISTICS", "curate"]
