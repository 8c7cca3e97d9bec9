"""Data on stdout, in a form that files and consoles take."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable
from typing import Any

import click

from kenpo_lib.normalise import legible
from kenpo_lib.streams import fill_streams


def print_frame(frame: Any, form: str, *, to_table: Callable[[Any], str]) -> None:
    """Print a frame as ``csv``, ``json`` or, by ``to_table``, as a table."""
    from kenpo_lib.export import to_csv_text, to_json_text

    print_text({"csv": to_csv_text, "json": to_json_text}.get(form, to_table)(frame), form)


def print_text(text: str, form: str) -> None:
    """Print what is already in its form; a table is shown without what a console would obey."""
    # CSV and JSON in a file are UTF-8 with their own line ends, whatever the console writes.
    text = legible(text) if form == "table" else text
    click.echo(text if form == "table" or sys.stdout.isatty() else text.encode("utf-8"), nl=False)


def _write_nearest(error: UnicodeError) -> tuple[str, int]:
    """What a console gets for characters that it does not have: a minus stays a minus, the rest is a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join("-" if character in "−–—" else "?" for character in lost), error.end


def prepare_streams() -> None:
    """A CP932 console must not fail on a character that it does not have, and a command without a console not for want of one."""
    fill_streams()
    codecs.register_error("kenpo_nearest", _write_nearest)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="kenpo_nearest")
