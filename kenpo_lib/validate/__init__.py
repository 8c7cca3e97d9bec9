"""The gate: expectation suites decide whether the curated tables may be published.

``add_check_columns`` works out, in polars, what a table can be asked (does the value follow from its counts, how far did it
jump, which source disagrees); ``expectations/<table>.json`` says in standard Great Expectations terms what must hold, how
grave it is, and in which words a reader hears of it. A failed *critical* expectation stops publication, a *warning* is shown
beside the figures it concerns. Great Expectations is imported only while suites run: it takes seconds.
"""

from kenpo_lib.validate.columns import CHECKED_TABLES, add_check_columns
from kenpo_lib.validate.results import CheckResult, Outcome, ValidationReport
from kenpo_lib.validate.run import validate
from kenpo_lib.validate.suites import Severity, read_suites
from kenpo_lib.validate.verdict import read_verdict, require_verdict_passed, write_verdict
from kenpo_lib.validate.words import format_report, require_passed

__all__ = [
    "CHECKED_TABLES",
    "CheckResult",
    "Outcome",
    "Severity",
    "ValidationReport",
    "add_check_columns",
    "format_report",
    "read_suites",
    "read_verdict",
    "require_passed",
    "require_verdict_passed",
    "validate",
    "write_verdict",
]
