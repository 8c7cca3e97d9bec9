"""Statistics. Pure: numbers and expressions in, numbers and expressions out; one method a module."""

from kenpo_lib.stats.people import people_needed
from kenpo_lib.stats.ranks import competition_rank, deviation_score

__all__ = ["competition_rank", "deviation_score", "people_needed"]
