"""What goes between the processes of a batch: a request for a page, the page, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kenpo_lib.batch.job import Job
from kenpo_lib.language import Text


@dataclass(frozen=True, slots=True)
class Limits:
    """What one page may use. Beyond it its process ends and the page fails; the others go on."""

    page_seconds: float = 300
    cell_seconds: float = 120
    memory_bytes: int = 2_000_000_000
    output_bytes: int = 5_000_000


class Cause(StrEnum):
    """Why a page failed."""

    DATA = "data"  # a cell raised
    CRASH = "crash"  # a process died
    TIMEOUT = "timeout"
    MEMORY = "memory"
    TOO_LARGE = "too_large"
    FORBIDDEN = "forbidden"  # a cell wrote elsewhere or asked for another machine
    INCOMPLETE = "incomplete"  # not every cell ran, or on something else
    PAGE = "page"  # the finished page failed its check
    PUBLISH = "publish"  # the page could not be put in its place


RETRIED = frozenset({Cause.CRASH, Cause.TIMEOUT, Cause.MEMORY})  # an error in the data stays one
MAX_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no page: the cause in one sentence, and the cell. Never a row of data."""

    cause: Cause
    reason: Text
    cell_number: int | None = None
    cell_source: str | None = None


class PageFailedError(Exception):
    """Raised inside the processes of a batch; carries the failure to where it is reported."""

    def __init__(self, failure: Failure):
        super().__init__(failure.reason.en)
        self.failure = failure


def fail(cause: Cause, ja: str, en: str) -> PageFailedError:
    """An error to raise."""
    return PageFailedError(Failure(cause, Text(ja, en)))


@dataclass(frozen=True, slots=True)
class Request:
    """One page to make. Everything but the curated tables travels with it.

    Attributes:
        job: Which page.
        notebook: The text of the notebook.
        attempt: 1, or 2 after a crash.
    """

    job: Job
    notebook: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a notebook runs.

    Attributes:
        curated: The curated tables that it reads.
        work: The folder that belongs to it alone.
        watched: Other folders in which nothing may change meanwhile, as in that of the tables.
    """

    curated: str
    work: str
    watched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """An executed notebook on its way to the page writer.

    Attributes:
        notebook: As JSON.
        drawings: Charts that are still to be drawn.
        sentinel: What the notebook's last cell says that it was about; empty where it was not reached.
        seconds: How long it took.
    """

    notebook: str
    drawings: tuple[Mapping[str, Any], ...]
    sentinel: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """A page, or a failure."""

    request: Request
    page: str = ""
    failure: Failure | None = None
    sentinel: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
