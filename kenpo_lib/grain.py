"""The grain of the comparison: what a row, a series and a group of branches is."""

SERIES = ["kpi_id", "definition"]
GROUP = [*SERIES, "fiscal_year"]
CELL = ["branch_code", *GROUP]
BRANCH_COUNT = 47
