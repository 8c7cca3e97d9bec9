"""The gate: expectation suites decide whether the curated tables may be published.

``add_check_columns`` works out, in polars, what a table can be asked (does the value follow from its counts, how far did it
jump, which source disagrees); ``expectations/<table>.json`` says in standard Great Expectations terms what must hold, how
grave it is, and in which words a reader hears of it. A failed *critical* expectation stops publication, a *warning* is shown
beside the figures it concerns. Great Expectations is imported only while suites run: it takes seconds.

Names are imported when they are asked for, so that whoever reads a kept verdict loads no frame library.
"""

import importlib
from typing import Any

_PLACES = {
    **dict.fromkeys(("CHECKED_TABLES", "add_check_columns"), "columns"),
    **dict.fromkeys(("CheckResult", "Outcome", "ValidationReport"), "results"),
    "validate": "run",
    **dict.fromkeys(("Severity", "read_suites"), "suites"),
    **dict.fromkeys(("require_verdict_passed", "write_verdict"), "verdict"),
    **dict.fromkeys(("format_report", "require_passed"), "words"),
}
__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
