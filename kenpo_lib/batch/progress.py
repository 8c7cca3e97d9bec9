"""How far a batch is: one bar with the time left on a terminal, one plain line a page in a log. On stderr; stdout is for data."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import click

from kenpo_lib.language import say


class Progress:
    """Used as a context; ``begin`` says how many pages there are, ``tell`` is called once a page.

    A console that is gone, or a reader of the log that has had enough, is no reason to make fewer pages.
    """

    def __init__(self) -> None:
        self._total, self._done = 0, 0
        self._bar: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: Any) -> None:
        with suppress(OSError):
            if self._bar:
                self._bar.__exit__(*error)

    def begin(self, total: int) -> None:
        """There are so many pages to make."""
        self._total = total
        if sys.stderr.isatty():
            # Plain ASCII, so that a CP932 console shows it.
            self._bar = click.progressbar(
                length=total, label=say("レポート", "reports"), show_pos=True, show_eta=True, file=sys.stderr
            )
            with suppress(OSError):
                self._bar.__enter__()

    def tell(self, file: str, failure: str | None) -> None:
        """One page has ended: made, or failed for a reason."""
        self._done += 1
        state = say("完成", "done") if failure is None else say(f"失敗: {failure}", f"failed: {failure}")
        with suppress(OSError):
            if self._bar:
                self._bar.update(1)
                if failure is None:
                    return
                click.echo("", err=True)
            click.echo(f"[{self._done}/{self._total}] {file} {state}", err=True)
