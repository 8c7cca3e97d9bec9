"""The failures that a user can act on, and the exit code of each.

Anything else that goes wrong is a defect of this project and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kenpo_lib.language import say


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the input: what was read and where, what was expected and found, what to do."""

    file: str
    place: str
    expected: str
    found: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file} {self.place}".strip()
        return say(
            f"{where}: {self.expected}のはずが、{self.found}でした。→ {self.remedy}",
            f"{where}: expected {self.expected}, found {self.found}. → {self.remedy}",
        )


class KenpoError(Exception):
    """A failure whose message is meant for the user; printed without a traceback."""

    exit_code = 2


class InputError(KenpoError):
    """Bad input: all faults found, gathered, raised once. Nothing was written."""

    def __init__(self, message: str, faults: Iterable[Fault] = ()):
        self.faults = tuple(faults)
        shown = [f"  {i}. {fault}" for i, fault in enumerate(self.faults[:MAX_FAULTS_SHOWN], 1)]
        hidden = len(self.faults) - len(shown)
        if hidden > 0:
            shown.append(say(f"  … ほか {hidden} 件", f"  … and {hidden} more"))
        super().__init__("\n".join([message, *shown]))


class ValidationStoppedError(KenpoError):
    """A critical expectation failed: the data may not be published."""

    exit_code = 3


class BranchesFailedError(KenpoError):
    """Some reports could not be made; the others are complete."""

    exit_code = 1


MAX_FAULTS_SHOWN = 20
