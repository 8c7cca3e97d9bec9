"""Two languages in one place: every text that a person reads exists in Japanese and in English."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum


class Lang(StrEnum):
    """Language of what a person reads."""

    JA = "ja"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages."""

    ja: str
    en: str

    def __call__(self, lang: Lang | str) -> str:
        return self.en if lang == Lang.EN else self.ja


def console_language() -> Lang:
    """The language of messages: ``KENPO_LANG`` (ja or en), Japanese unless told otherwise."""
    return Lang.EN if os.environ.get("KENPO_LANG", "").lower().startswith("en") else Lang.JA


def say(ja: str, en: str) -> str:
    """The one of two texts that fits the console's language."""
    return Text(ja, en)(console_language())
