"""What the catalogue holds: KPIs with their definitions, branches, units. Frozen values, shown as tables in a notebook."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kenpo_lib.language import Text, console_language, say
from kenpo_lib.normalise import fold_width, format_fiscal_year
from kenpo_lib.tables import fact_table, table

NATION = "00"


class Direction(StrEnum):
    """Which way a KPI gets better."""

    HIGHER = "higher_is_better"
    LOWER = "lower_is_better"
    NEITHER = "neither"

    @property
    def sign(self) -> int:
        return {Direction.HIGHER: 1, Direction.LOWER: -1, Direction.NEITHER: 0}[self]


class Unit(StrEnum):
    """Units of KPI values; percent is stored and shown as 33.9."""

    PERCENT = "percent"
    YEN = "yen"
    DAYS = "days"
    COUNT = "count"
    PERSONS = "persons"
    OFFICES = "offices"
    TIMES = "times"

    @property
    def is_total(self) -> bool:
        """The nation's figure is a sum over branches, so a branch is not compared with it."""
        return self in (Unit.COUNT, Unit.PERSONS, Unit.OFFICES, Unit.TIMES)

    @property
    def differs_in_percent(self) -> bool:
        """Differences are given in percent of the reference; else in points or in the unit."""
        return self not in (Unit.PERCENT, Unit.DAYS)


WITHIN_YEAR = ("accumulates", "level")
PILLARS = ("core", "strategic", "organisation", "incentive")
THEMES = {
    "health_checks": Text("健診", "Health check-ups"),
    "guidance": Text("特定保健指導", "Health guidance"),
    "visits": Text("重症化予防", "Prevention of aggravation"),
    "generics": Text("医薬品の適正使用", "Generic drugs"),
    "receipts": Text("レセプト点検", "Receipt review"),
    "claims": Text("債権・資格", "Claims and eligibility"),
    "service": Text("サービス", "Service"),
    "outreach": Text("健康づくり・広報", "Outreach"),
    "organisation": Text("組織・運営", "Organisation"),
    "finance": Text("保険料率", "Premium rate"),
}
NATIONAL_PROXIES = {
    "subscribers_40_74": Text("40～74歳加入者数（見込み）", "subscribers aged 40–74 (projected)"),
    "total_remuneration": Text("総報酬額（見込み）", "total remuneration (projected)"),
}


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of a KPI and the fiscal years for which it holds."""

    definition: str
    first_year: int | None
    last_year: int | None
    restated: tuple[int, ...]
    text: Text
    sources: tuple[str, ...]

    def holds_in(self, fiscal_year: int) -> bool:
        """True if values of this year exist under this definition: in force, or restated by the source."""
        return self.is_in_force(fiscal_year) or fiscal_year in self.restated

    def is_in_force(self, fiscal_year: int) -> bool:
        return (self.first_year is None or fiscal_year >= self.first_year) and (
            self.last_year is None or fiscal_year <= self.last_year
        )


def period_words(definition: Definition, lang: str) -> str:
    """``令和4年度から``: the years in which a definition is in force."""
    first, last = (
        format_fiscal_year(year, lang=lang) if year is not None else None
        for year in (definition.first_year, definition.last_year)
    )
    if first and last:
        only = Text(f"{first}だけ", f"{first} only")
        return (only if first == last else Text(f"{first}から{last}まで", f"{first} to {last}"))(lang)
    if first:
        return Text(f"{first}から", f"from {first}")(lang)
    return Text(f"{last}まで", f"up to {last}")(lang) if last else Text("すべての年度", "all years")(lang)


@dataclass(frozen=True, slots=True)
class Kpi:
    """One entry of the catalogue; see ``definitions/kpis/``."""

    kpi_id: str
    name: Text
    short_name: Text
    pillar: str
    theme: str
    order: int
    unit: Unit
    decimals: int
    direction: Direction
    proportion: bool
    numerator: Text | None
    denominator: Text | None
    definitions: Mapping[str, Definition]
    caveats: tuple[str, ...]
    resembles: tuple[tuple[str, Text], ...]
    plausible_min: float
    plausible_max: float
    jump: float
    jump_is_percent: bool
    national_proxy: str | None
    relevant_difference: (
        float | None
    )  # from the nation, in points or percent as differences are given; null: none stated
    within_year: (
        str | None
    )  # accumulates (from April to the year's value) or level (comparable at any date); null: unknown
    branch_code: str | None  # set for an indicator that one branch keeps for itself

    def unit_word(self, lang: str) -> str:
        return UNIT_WORDS[self.unit](lang)

    def definition_in_force(self, fiscal_year: int) -> Definition | None:
        return next((d for d in self.definitions.values() if d.is_in_force(fiscal_year)), None)

    def _repr_html_(self) -> str:
        lang = console_language()
        definitions = [
            (say(f"定義 {name}", f"Definition {name}"), f"{period_words(entry, lang)}: {entry.text(lang)}")
            for name, entry in self.definitions.items()
        ]
        return fact_table(
            self.name(lang),
            [
                ("kpi_id", self.kpi_id),
                (say("テーマ", "Theme"), THEMES[self.theme](lang)),
                (say("単位", "Unit"), self.unit_word(lang).strip() or None),
                (say("望ましい方向", "Direction"), DIRECTION_WORDS[self.direction](lang)),
                (say("分子", "Numerator"), self.numerator and self.numerator(lang)),
                (say("分母", "Denominator"), self.denominator and self.denominator(lang)),
                *definitions,
            ],
        )


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the 47 branches, or the whole association (code 00)."""

    branch_code: str
    name: Text
    kana: str
    prefecture: str
    block: Text
    tile_row: int | None
    tile_col: int | None
    aliases: tuple[str, ...]

    def _repr_html_(self) -> str:
        lang = console_language()
        return fact_table(
            self.name(lang),
            [
                ("branch_code", self.branch_code),
                (say("英語名", "Japanese name"), say(self.name.en, self.name.ja)),
                (say("よみ", "Reading"), self.kana),
                (say("地域", "Region"), self.block(lang)),
                (say("別名", "Aliases"), say("、", ", ").join(self.aliases) or None),
            ],
        )


DIRECTION_WORDS = {
    Direction.HIGHER: Text("高いほど良い", "higher is better"),
    Direction.LOWER: Text("低いほど良い", "lower is better"),
    Direction.NEITHER: Text("高低で良し悪しを言わない", "neither high nor low is better"),
}
UNIT_WORDS = {
    Unit.PERCENT: Text("%", "%"),
    Unit.YEN: Text("円", " yen"),
    Unit.DAYS: Text("日", " days"),
    Unit.COUNT: Text("件", ""),
    Unit.PERSONS: Text("人", " persons"),
    Unit.OFFICES: Text("事業所", " offices"),
    Unit.TIMES: Text("回", " times"),
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All KPIs by id in reading order, all branches by code, and the worded caveats."""

    kpis: Mapping[str, Kpi]
    branches: Mapping[str, Branch]
    caveats: Mapping[str, Text]

    @property
    def branch_codes(self) -> tuple[str, ...]:
        """The codes of all branches, without the nation."""
        return tuple(code for code in self.branches if code != NATION)

    def find_branch(self, text: str) -> Branch | None:
        """A branch by code, name or alias: ``4``, ``04``, ``宮城``, ``宮城県``, ``宮城支部``, ``Miyagi``; None if unknown."""
        key = fold_width(text)
        if key.isascii() and key.isdigit():
            return self.branches.get(key) or self.branches.get(key.zfill(2))
        return _branch_index(tuple(self.branches.values())).get(key.casefold())

    def _repr_html_(self) -> str:
        lang = console_language()
        kpis, branches = len(self.kpis), len(self.branch_codes)
        rows = [
            [
                kpi.kpi_id,
                kpi.name(lang),
                THEMES[kpi.theme](lang),
                kpi.unit_word(lang).strip() or None,
                DIRECTION_WORDS[kpi.direction](lang),
                ", ".join(kpi.definitions),
            ]
            for kpi in self.kpis.values()
        ]
        headings = [
            "kpi_id",
            *(say("名称", "Name"), say("テーマ", "Theme"), say("単位", "Unit"), say("望ましい方向", "Direction")),
            say("定義", "Definitions"),
        ]
        caption = say(f"指標 {kpis}、支部 {branches}", f"KPIs {kpis}, branches {branches}")
        return table(caption, headings, rows, css="data")


@functools.lru_cache(maxsize=4)
def _branch_index(branches: tuple[Branch, ...]) -> dict[str, Branch]:
    return {
        fold_width(spelling).casefold(): branch
        for branch in branches
        for spelling in (branch.name.ja, branch.name.en, branch.prefecture, *branch.aliases)
    }
