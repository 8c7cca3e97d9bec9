"""Text as printed → values: digits of any width, ▲ minus signs, era years, units, marks for missing values.

Pure functions without state. Each either returns a value or raises ``ValueError`` with a short reason; the caller knows the
file and the place and turns that into a message for the user.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

# Marks that documents print where a value is announced but not yet there, with the reason shown to the reader.
PENDING_MARKS = {
    "検証中": "検証中",
    "集計中": "集計中",
    "未確定": "未確定",
    "－": "未公表",
    "-": "未公表",
    "−": "未公表",
    "‐": "未公表",
    "―": "未公表",
    "–": "未公表",
    "—": "未公表",
    "…": "不詳",
}

# △ and ▲ before a number are the accountant's minus sign in Japanese documents; NFKC leaves them alone.
_MINUS = str.maketrans({"△": "-", "▲": "-", "−": "-", "‐": "-", "–": "-"})
_UNITS = "%|千円|百万円|円|社|人|名|件|日間|日|回|事業所|支部|か所|箇所|者"
_NUMBER = re.compile(
    rf"(?P<number>-?(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]+)(?:\.[0-9]+)?)\s*(?P<unit>{_UNITS})?\s*(?:※[0-9]*)?"
)
_MYRIADS = re.compile(r"(?:(?P<oku>[0-9,]+)\s*億\s*)?(?:(?P<man>[0-9,]+)\s*万)?")
_ERAS = {"令和": 2018, "R": 2018, "平成": 1988, "H": 1988, "昭和": 1925, "S": 1925}
_LAST_ERA_YEAR = {2018: 99, 1988: 31, 1925: 64}
_ERA_YEAR = re.compile(r"(令和|平成|昭和|[RHS])\s*(元|[0-9]{1,2})(?:年度?)?", re.IGNORECASE)
# Footnote marks and list numbers, which NFKC would turn into digits of the number: 63.2¹ into 63.21.
_NOT_DIGITS = ("<super>", "<sub>", "<circle>", "<fraction>")
_PRIOR_RULE = re.compile(r"対?前年度末?(?:の?実績)?(?P<word>以上|以下)")
_FLOOR_RULE = re.compile(
    r"(?P<floor>[^以]+)以上(?:とする)?[。、,]?ただし[、,]?(?P<again>[^以]+)以上の支部(?:は|については)[、,]?"
    r"(?:年度末時点で)?対?前年度末?(?:の?実績)?以上"
)
_BOUND_RULE = re.compile(r"(?P<number>.+)(?P<word>以上|以下|以内)")
_WESTERN_YEAR = re.compile(r"(?:FY)?\s*([0-9]{4})(?:年度?)?", re.IGNORECASE)


class TargetRule(StrEnum):
    """How a target is judged (Japanese wording in design: N以上, N以下, 対前年度以上, …)."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    AT_LEAST_PRIOR = "at_least_prior"
    AT_MOST_PRIOR = "at_most_prior"
    FLOOR_OR_PRIOR = "floor_or_prior"


@dataclass(frozen=True, slots=True)
class Number:
    """A printed number: its value, the decimals it was printed with, and the unit printed behind it."""

    value: float
    decimals: int
    unit: str | None


@dataclass(frozen=True, slots=True)
class PrintedTarget:
    """A target rule as printed; ``value`` and ``floor`` are null where the rule needs none."""

    rule: TargetRule
    value: float | None = None
    floor: float | None = None


def fold_width(text: str) -> str:
    """Half-width digits, letters and signs (NFKC), outer blanks removed. For numbers and keys, never for prose."""
    return unicodedata.normalize("NFKC", text).strip()


def _fold_digits(text: str) -> str:
    """``fold_width`` for text that is read as a number: refuses raised, lowered and circled digits."""
    if any(unicodedata.decomposition(character).startswith(_NOT_DIGITS) for character in text):
        raise ValueError(f"not a number: {text!r}")
    return fold_width(text)


def parse_number(text: str) -> Number:
    """Read one number as Japanese documents print it: ``６８．６％``, ``△1.2``, ``2,680社``, ``1億3,500万``.

    Raises:
        ValueError: Anything else, among it ``1,23``, ``1e5``, ``0x10``, ``NaN``, ``63.2¹``.
    """
    folded = _fold_digits(text).translate(_MINUS)
    myriads = _MYRIADS.fullmatch(folded)
    if myriads and folded:
        parts = [parse_number(part).value if part else 0.0 for part in (myriads["oku"], myriads["man"])]
        return Number(parts[0] * 1e8 + parts[1] * 1e4, 0, None)
    match = _NUMBER.fullmatch(folded)
    if match is None:
        raise ValueError(f"not a number: {text!r}")
    digits = match["number"].replace(",", "")
    _, _, fraction = digits.partition(".")
    return Number(float(digits), len(fraction), match["unit"])


def pending_reason(text: str) -> str | None:
    """The reason shown to readers if the text is a mark for a value that is not there yet, else None."""
    return PENDING_MARKS.get(text.strip())


def parse_fiscal_year(text: str) -> int:
    """Western year of the April in which a fiscal year begins: ``R6``, ``令和６年度``, ``平成31年度``, ``FY2024``.

    平成31年度 and 令和元年度 are the same fiscal year, 2019: the era changed in its first month.

    Raises:
        ValueError: Not a fiscal year, or a year its era does not have (R0, 平成40年度).
    """
    folded = _fold_digits(text)
    if match := _WESTERN_YEAR.fullmatch(folded):
        year = int(match[1])
    elif match := _ERA_YEAR.fullmatch(folded):
        base = _ERAS[match[1].upper()]
        number = 1 if match[2] == "元" else int(match[2])
        if not 1 <= number <= _LAST_ERA_YEAR[base]:
            raise ValueError(f"not a year of its era: {text!r}")
        year = base + number
    else:
        raise ValueError(f"not a fiscal year: {text!r}")
    if not 1926 <= year <= 2117:
        raise ValueError(f"not a plausible fiscal year: {text!r}")
    return year


def format_fiscal_year(year: int, *, lang: str = "ja", western: bool = False) -> str:
    """令和6年度 (or 令和6年度（2024年度）), FY2024 in English."""
    if lang == "en":
        return f"FY{year}"
    era, base = ("令和", 2018) if year >= 2019 else ("平成", 1988)
    number = "元" if year - base == 1 else str(year - base)
    return f"{era}{number}年度（{year}年度）" if western else f"{era}{number}年度"


def parse_date(text: str) -> dt.date | None:
    """An ISO date, or None for an empty cell."""
    return dt.date.fromisoformat(text) if text else None


def parse_target(text: str, *, higher_is_better: bool | None) -> PrintedTarget:
    """Read a target as printed: ``2,680社以上``, ``15%以下``, ``対前年度以上``, ``80%以上。ただし80%以上の支部は対前年度以上``.

    Args:
        text: The words of the rule.
        higher_is_better: Decides what a bare number means; None makes a bare number an error.

    Raises:
        ValueError: Anything else. A rule of which only a part is understood is refused as a whole.
    """
    folded = _fold_digits(text).rstrip("。").removesuffix("とする").removesuffix("を")
    if match := _PRIOR_RULE.fullmatch(folded):
        return PrintedTarget(TargetRule.AT_LEAST_PRIOR if match["word"] == "以上" else TargetRule.AT_MOST_PRIOR)
    if match := _FLOOR_RULE.fullmatch(folded):
        floor, again = (parse_number(match[name]).value for name in ("floor", "again"))
        if floor != again:
            raise ValueError(f"not a target rule: {text!r}")
        return PrintedTarget(TargetRule.FLOOR_OR_PRIOR, floor=floor)
    if match := _BOUND_RULE.fullmatch(folded):
        rule = TargetRule.AT_LEAST if match["word"] == "以上" else TargetRule.AT_MOST
        return PrintedTarget(rule, value=parse_number(match["number"]).value)
    if higher_is_better is None:
        raise ValueError(f"not a target rule: {text!r}")
    rule = TargetRule.AT_LEAST if higher_is_better else TargetRule.AT_MOST
    return PrintedTarget(rule, value=parse_number(text).value)


def round_half_up(value: float, decimals: int) -> float:
    """Round as published tables do (0.5 away from zero), on the shortest decimal that is the float."""
    quantum = Decimal(1).scaleb(-decimals)
    return float(Decimal(repr(value)).quantize(quantum, rounding=ROUND_HALF_UP))


def format_number(value: float | None, decimals: int, *, signed: bool = False, missing: str = "–") -> str:
    """``12,345.6``; a true minus sign; ``missing`` for None."""
    if value is None:
        return missing
    rounded = round_half_up(value, decimals)
    if rounded == 0:
        rounded = 0.0  # no "−0.0"
    text = f"{rounded:+,.{decimals}f}" if signed and rounded else f"{rounded:,.{decimals}f}"
    if signed and rounded == 0:
        text = f"±{text}"
    return text.replace("-", "−")


def display_width(text: str) -> int:
    """Columns that a text takes on a terminal, which shows wide characters as two, and accents and variants in no place of their own."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def name_sign(sign: str) -> str:
    """What stands for a sign that nobody would see: ``⟨U+202E⟩``."""
    return f"⟨U+{ord(sign):04X}⟩"


def legible(text: str) -> str:
    """Text without what a console obeys or no file can hold: controls, direction marks, lone surrogates become ``⟨U+202E⟩``."""
    return "".join(sign if sign.isprintable() or sign in "\n\t\u3000\xa0" else name_sign(sign) for sign in text)


def pad_right(text: str, width: int) -> str:
    """The text filled up with blanks to so many columns of a terminal."""
    return text + " " * (width - display_width(text))
