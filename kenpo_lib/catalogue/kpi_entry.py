"""One KPI as its owner wrote it → ``Kpi``, or everything that is wrong with it at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from kenpo_lib.catalogue.entries import (
    NATIONAL_PROXIES,
    PILLARS,
    THEMES,
    WITHIN_YEAR,
    Definition,
    Direction,
    Kpi,
    Unit,
)
from kenpo_lib.errors import Fault, InputError
from kenpo_lib.language import Text, say

# Conventions of this suite, not of the association; a KPI with another scale states its own as ``relevant``.
RELEVANT_DIFFERENCES = {"percent": 1.0, "yen": 5.0, "days": 0.5}  # points, percent of the nation, days

_REQUIRED = {
    *("name", "short_name", "pillar", "theme", "order", "unit", "decimals", "direction", "proportion"),
    *("numerator", "denominator", "definitions", "caveats", "plausible"),
}
_OPTIONAL = {"resembles", "jump", "jump_percent", "national_proxy", "relevant", "within_year"}
_DEFINITION_KEYS = {"from", "to", "restated", "text", "sources"}


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
