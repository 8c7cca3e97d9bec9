"""What a check answers, in one line and a line of advice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from kenpo_lib.language import Text


class Level(StrEnum):
    """How bad it is."""

    GOOD = "good"
    NOTE = "note"
    WARNING = "warning"
    FAULT = "fault"


# Signs that a CP932 console has; in English ASCII alone. The word says the same.
MARKS = {
    Level.GOOD: Text("○ 良好", "ok   "),
    Level.NOTE: Text("・ 情報", "note "),
    Level.WARNING: Text("△ 注意", "warn "),
    Level.FAULT: Text("× 不備", "FAULT"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of a check.

    Attributes:
        level: How bad it is.
        name: What was looked at.
        words: What was found.
        advice: What to do about it.
    """

    level: Level
    name: Text
    words: Text
    advice: Text | None = None

    def lines(self, lang: str) -> Iterator[str]:
        """For a console: the finding, and the advice below it."""
        yield f"{MARKS[self.level](lang)}  {self.name(lang)}: {self.words(lang)}"
        if self.advice:
            yield f"{'':8}→ {self.advice(lang)}" if lang == "ja" else f"{'':7}-> {self.advice(lang)}"


def run_checks(checks: Iterable[tuple[Text, Callable[[], Finding]]]) -> Iterator[Finding]:
    """The answers one by one. A check that itself fails is a fault of what it looked at."""
    for name, check in checks:
        try:
            yield check()
        except Exception as error:
            said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            advice = Text(
                "make setup で requirements.lock のパッケージを入れ直す",
                "install the packages of requirements.lock anew: make setup",
            )
            yield Finding(Level.FAULT, name, Text(f"確かめられない（{said}）", f"cannot be checked: {said}"), advice)
