"""Rows → what a command prints: an aligned table, CSV or JSON. Loads no frame library, so that small commands answer at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kenpo_lib.normalise import display_width, pad_right
from kenpo_lib.tables import to_csv

_MAX_LISTED = 6  # values of a list that a cell of a table shows


def align(rows: Sequence[Sequence[str]]) -> str:
    """A table; the first row is headings."""
    head, body = pad_columns(rows).split("\n", 1)
    widths = [max(display_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return f"{head}\n{'-' * min(sum(widths) + 2 * len(widths), 160)}\n{body}"


def pad_columns(rows: Sequence[Sequence[str]]) -> str:
    """One line a row, for a terminal that shows wide characters as two."""
    widths = [max(display_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(pad_right(text, width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def format_rows(rows: Sequence[Mapping[str, Any]], form: str, *, heading: Callable[[str], str] = str) -> str:
    """Rows with the same keys as ``table``, ``csv`` (with BOM, for Excel) or ``json``.

    Args:
        rows: At least one. Lists are shortened in tables, and stand in one cell of a CSV with blanks between.
        form: One of the three.
        heading: The words for a key; in tables only.
    """
    if form == "json":
        return json.dumps(list(rows), ensure_ascii=False, indent=1) + "\n"
    names = list(rows[0])
    if form == "csv":
        return to_csv(names, [[_join(row[name]) for name in names] for row in rows]).decode("utf-8")
    return align([[heading(name) for name in names], *([_shorten(row[name]) for name in names] for row in rows)])


def _join(value: Any) -> Any:
    return " ".join(value) if isinstance(value, list) else value


def _shorten(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list) and len(value) > _MAX_LISTED:
        return f"{value[0]} … {value[-1]} ({len(value)})"
    return str(_join(value))
