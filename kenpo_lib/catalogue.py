"""The catalogue: every KPI with its definitions, and the 47 branches. Strict loaders, frozen values.

What KPI owners edit lies in ``kenpo_lib/definitions/``: one YAML file per KPI, ``branch_kpis/<code>.yaml`` for indicators that
one branch keeps for itself, ``branches.csv`` and ``caveats.yaml``. The environment variable ``KENPO_DEFINITIONS`` names another
folder of this shape, for other reporting units than the branches (read once, when a process starts).
"""

from __future__ import annotations

import csv
import difflib
import functools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from kenpo_lib.errors import Fault, InputError, hint_nearest
from kenpo_lib.files import digest_files
from kenpo_lib.language import Text, console_language, say
from kenpo_lib.normalise import fold_width, format_fiscal_year
from kenpo_lib.tables import fact_table, table

DEFINITIONS_DIR = Path(os.environ.get("KENPO_DEFINITIONS") or Path(__file__).parent / "definitions")
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


# Conventions of this suite, not of the association; a KPI with another scale states its own as ``relevant``.
RELEVANT_DIFFERENCES = {"percent": 1.0, "yen": 5.0, "days": 0.5}  # points, percent of the nation, days

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


def parse_branch_list(catalogue: Catalogue, text: str) -> tuple[str, ...]:
    """Codes of the branches that a user named: ``04``, ``宮城``, ``04,13,40-47``, ``all``; in the order of the codes.

    Raises:
        InputError: An unknown branch (the valid ones and the nearest are named) or an empty list.
    """
    chosen: set[str] = set()
    parts = [part.strip() for part in fold_width(text).replace("、", ",").split(",")]
    if parts in ([""], []):
        raise InputError(_unknown_branch(catalogue, text))
    for part in parts:
        if part.casefold() in ("all", "すべて", "全支部"):
            chosen.update(catalogue.branch_codes)
            continue
        first, dash, last = part.partition("-")
        ends = [catalogue.find_branch(end) for end in ((first, last) if dash else (part,))]
        if any(end is None or end.branch_code == NATION for end in ends):
            raise InputError(_unknown_branch(catalogue, part))
        codes = [end.branch_code for end in ends]
        if codes[0] > codes[-1]:
            raise InputError(
                say(f"支部の範囲 '{part}' は逆順です。", f"The range of branches '{part}' runs backwards.")
            )
        chosen.update(code for code in catalogue.branch_codes if codes[0] <= code <= codes[-1])
    return tuple(code for code in catalogue.branch_codes if code in chosen)


def _unknown_branch(catalogue: Catalogue, text: str) -> str:
    names = [catalogue.branches[code].name for code in catalogue.branch_codes]
    hint = hint_nearest(text.casefold(), [name.en.casefold() for name in names])
    valid = " ".join(f"{code} {catalogue.branches[code].name(say('ja', 'en'))}" for code in catalogue.branch_codes)
    return say(
        f"支部 '{text}' はありません{hint}。コード・名称・範囲（40-47）・all のどれかで指定してください。\n  {valid}",
        f"There is no branch '{text}'{hint}. Give a code, a name, a range (40-47) or all.\n  {valid}",
    )


# --- strict loading -------------------------------------------------------------------------------------------------

_REQUIRED = {
    *("name", "short_name", "pillar", "theme", "order", "unit", "decimals", "direction", "proportion"),
    *("numerator", "denominator", "definitions", "caveats", "plausible"),
}
_OPTIONAL = {"resembles", "jump", "jump_percent", "national_proxy", "relevant", "within_year"}
_DEFINITION_KEYS = {"from", "to", "restated", "text", "sources"}


class _StrictYaml(yaml.SafeLoader):
    """YAML in which a key given twice is an error instead of the last one winning silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                mark = node.value[place][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"key given twice: {key!r}", mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Parse a YAML file; duplicate keys and syntax errors become an InputError that names the line."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictYaml)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        problem = str(error).replace("\n", " ")
        raise InputError(say(f"{path.name} を読めません: {problem}", f"Cannot read {path.name}: {problem}")) from error


class _Entry:
    """One YAML entry while it is read: takes values out, collects everything that is wrong."""

    def __init__(self, where: str, raw: Any):
        self.where = where
        self.raw = raw if isinstance(raw, dict) else {}
        self.faults: list[Fault] = []
        if not isinstance(raw, dict):
            self.fault("", "a mapping", type(raw).__name__)

    def fault(self, place: str, expected: str, found: object) -> None:
        remedy = say("定義ファイルを直してください", "correct the definition file")
        self.faults.append(Fault(self.where, place, expected, repr(found), remedy))

    def check_keys(self, raw: dict, required: set[str], optional: set[str] = frozenset(), place: str = "") -> None:
        for key in sorted(required - raw.keys()):
            self.fault(place, f"key '{key}'", "nothing")
        for key in sorted(map(str, raw.keys() - required - optional)):
            near = difflib.get_close_matches(key, required | optional, 1)
            self.fault(place, f"one of the known keys{f' ({near[0]}?)' if near else ''}", key)

    def text(self, raw: Any, place: str) -> Text:
        if not (isinstance(raw, dict) and raw.keys() == {"ja", "en"} and all(isinstance(v, str) for v in raw.values())):
            self.fault(place, "{ja: …, en: …}", raw)
            return Text("", "")
        return Text(raw["ja"], raw["en"])

    def take(self, key: str, kind: type | tuple[type, ...], default: Any) -> Any:
        value = self.raw.get(key, default)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fault(key, getattr(kind, "__name__", "number"), value)
            return default
        return value

    def choice(self, key: str, allowed: Iterable[str]) -> str:
        value = self.raw.get(key)
        if value not in tuple(allowed):
            self.fault(key, "one of " + ", ".join(allowed), value)
            return next(iter(allowed))
        return value

    def number(self, raw: Any, place: str) -> float:
        if not isinstance(raw, int | float) or isinstance(raw, bool):
            self.fault(place, "a number", raw)
            return 0.0
        return float(raw)

    def list_of(self, raw: Any, kind: type, place: str) -> tuple:
        """The items of a list; a lone value is refused, a string would fall into its letters."""
        if not isinstance(raw, list) or any(type(item) is not kind for item in raw):
            self.fault(place, f"a list of {kind.__name__}", raw)
            return ()
        return tuple(raw)


def _parse_definition(entry: _Entry, name: str, raw: Any) -> Definition:
    place = f"definitions.{name}"
    if not isinstance(raw, dict):
        entry.fault(place, "a mapping", raw)
        raw = {}
    entry.check_keys(raw, _DEFINITION_KEYS, place=place)
    years = {key: raw.get(key) for key in ("from", "to")}
    for key, year in years.items():
        if year is not None and type(year) is not int:
            entry.fault(f"{place}.{key}", "a year or null", year)
            years[key] = None
    return Definition(
        definition=name,
        first_year=years["from"],
        last_year=years["to"],
        restated=entry.list_of(raw.get("restated", []), int, f"{place}.restated"),
        text=entry.text(raw.get("text"), f"{place}.text"),
        sources=entry.list_of(raw.get("sources", []), str, f"{place}.sources"),
    )


def _check_years(entry: _Entry, definitions: Iterable[Definition]) -> None:
    """No year may be in force under two definitions; an overlap must be declared as restated."""
    definitions = tuple(definitions)
    for year in range(2008, 2041):
        in_force = [d.definition for d in definitions if d.is_in_force(year)]
        if len(in_force) > 1:
            entry.fault(
                "definitions", "one definition in force per year (declare others as restated)", (year, in_force)
            )
            return
    for definition in definitions:
        for year in definition.restated:
            if definition.is_in_force(year):
                entry.fault(f"definitions.{definition.definition}.restated", "years outside from..to", year)


def parse_kpi(kpi_id: str, raw: Any, *, where: str, caveats: Iterable[str], branch_code: str | None = None) -> Kpi:
    """Build one KPI from its YAML mapping.

    Raises:
        InputError: With every unknown or missing key, wrong type, unknown unit and overlapping year.
    """
    entry = _Entry(where, raw)
    entry.check_keys(entry.raw, _REQUIRED, _OPTIONAL)
    definitions = {
        str(name): _parse_definition(entry, str(name), body)
        for name, body in entry.take("definitions", dict, {}).items()
    }
    if not definitions:
        entry.fault("definitions", "at least one definition", {})
    _check_years(entry, definitions.values())
    named_caveats = entry.list_of(entry.raw.get("caveats", []), str, "caveats")
    for caveat in named_caveats:
        if caveat not in caveats:
            entry.fault("caveats", "an id of caveats.yaml", caveat)
    plausible = entry.take("plausible", dict, {})
    entry.check_keys(plausible, {"min", "max"}, place="plausible")
    if "jump" in entry.raw and "jump_percent" in entry.raw:
        entry.fault("jump", "either jump or jump_percent", "both")
    proxy = entry.raw.get("national_proxy")
    if proxy is not None and proxy not in NATIONAL_PROXIES:
        entry.fault("national_proxy", "one of " + ", ".join(NATIONAL_PROXIES), proxy)
    resembles = [
        (str(item.get("kpi_id")), entry.text(item.get("difference"), "resembles"))
        for item in entry.list_of(entry.raw.get("resembles", []), dict, "resembles")
    ]
    optional_text = {
        key: None if entry.raw.get(key) is None else entry.text(entry.raw[key], key)
        for key in ("numerator", "denominator")
    }
    kpi = Kpi(
        kpi_id=kpi_id,
        name=entry.text(entry.raw.get("name"), "name"),
        short_name=entry.text(entry.raw.get("short_name"), "short_name"),
        pillar=entry.choice("pillar", PILLARS),
        theme=entry.choice("theme", THEMES),
        order=entry.take("order", int, 0),
        unit=Unit(entry.choice("unit", [unit.value for unit in Unit])),
        decimals=entry.take("decimals", int, 0),
        direction=Direction(entry.choice("direction", [d.value for d in Direction])),
        proportion=entry.take("proportion", bool, False),
        numerator=optional_text["numerator"],
        denominator=optional_text["denominator"],
        definitions=definitions,
        caveats=named_caveats,
        resembles=tuple(resembles),
        plausible_min=entry.number(plausible.get("min", 0), "plausible.min"),
        plausible_max=entry.number(plausible.get("max", 0), "plausible.max"),
        jump=entry.number(entry.raw.get("jump", entry.raw.get("jump_percent", 0)), "jump"),
        jump_is_percent="jump_percent" in entry.raw,
        national_proxy=proxy,
        relevant_difference=_relevant_difference(entry),
        within_year=None if entry.raw.get("within_year") is None else entry.choice("within_year", WITHIN_YEAR),
        branch_code=branch_code,
    )
    if entry.faults:
        raise InputError(
            say(f"KPIの定義 {where} に誤りがあります。", f"The KPI definition {where} is wrong."), entry.faults
        )
    return kpi


def _relevant_difference(entry: _Entry) -> float | None:
    """The smallest difference from the nation that matters in practice: the KPI's own, else that of its unit."""
    own = entry.take("relevant", (int, float, type(None)), None)
    return float(own) if own is not None else RELEVANT_DIFFERENCES.get(str(entry.raw.get("unit")))


_BRANCH_COLUMNS = (
    *("branch_code", "name_ja", "name_kana", "name_en", "prefecture_ja", "block", "block_en"),
    *("tile_row", "tile_col", "aliases"),
)


def read_branches(path: Path) -> dict[str, Branch]:
    """The branch master by code: the nation and then the branches, in the order of their codes, each once."""
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != _BRANCH_COLUMNS:
            raise InputError(f"{path.name}: {reader.fieldnames} != {_BRANCH_COLUMNS}")
        branches = [_parse_branch(row) for row in reader]
    codes = [branch.branch_code for branch in branches]
    if codes != sorted(set(codes)) or codes[:1] != [NATION]:
        raise InputError(
            say(
                f"{path.name}: 支部コードは {NATION} から昇順に、重なりなく並べてください。",
                f"{path.name}: the branch codes must begin with {NATION} and ascend, each once.",
            )
        )
    return dict(zip(codes, branches, strict=True))


def _parse_branch(row: dict[str, str]) -> Branch:
    return Branch(
        branch_code=row["branch_code"],
        name=Text(row["name_ja"], row["name_en"]),
        kana=row["name_kana"],
        prefecture=row["prefecture_ja"],
        block=Text(row["block"], row["block_en"]),
        tile_row=int(row["tile_row"]) if row["tile_row"] else None,
        tile_col=int(row["tile_col"]) if row["tile_col"] else None,
        aliases=tuple(alias for alias in row["aliases"].split(";") if alias),
    )


def load_catalogue(directory: Path = DEFINITIONS_DIR) -> Catalogue:
    """Read all definitions under ``directory``.

    Raises:
        InputError: All faults of all files together.
    """
    return _load_catalogue(directory)


def digest_definitions(directory: Path = DEFINITIONS_DIR) -> str:
    """One sha256 of all definition files, names and contents."""
    files = (path for path in directory.rglob("*") if path.suffix in (".yaml", ".csv"))
    return digest_files(files, root=directory)


@functools.lru_cache(maxsize=4)
def _load_catalogue(directory: Path) -> Catalogue:
    caveats = {key: Text(raw["ja"], raw["en"]) for key, raw in read_yaml(directory / "caveats.yaml").items()}
    entries = [(path.stem, read_yaml(path), path.name, None) for path in sorted((directory / "kpis").glob("*.yaml"))]
    for path in sorted((directory / "branch_kpis").glob("*.yaml")):
        entries += [(kpi_id, raw, path.name, path.stem) for kpi_id, raw in read_yaml(path).items()]
    faults: list[Fault] = []
    kpis: dict[str, Kpi] = {}
    for kpi_id, raw, where, branch_code in entries:
        try:
            kpis[kpi_id] = parse_kpi(kpi_id, raw, where=where, caveats=caveats, branch_code=branch_code)
        except InputError as error:
            faults += error.faults
    for kpi in kpis.values():
        faults += [
            Fault(
                f"{kpi.kpi_id}.yaml",
                "resembles",
                "a kpi_id of the catalogue",
                repr(other),
                say("IDを直す", "correct the id"),
            )
            for other, _ in kpi.resembles
            if other not in kpis
        ]
    if faults:
        raise InputError(say("KPIカタログに誤りがあります。", "The KPI catalogue is wrong."), faults)
    ordered = dict(sorted(kpis.items(), key=lambda item: (item[1].order, item[0])))
    return Catalogue(kpis=ordered, branches=read_branches(directory / "branches.csv"), caveats=caveats)
