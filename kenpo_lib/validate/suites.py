"""Suites: JSON files that people write and read, loaded strictly. Needs no Great Expectations.

Great Expectations itself skips what it cannot read, merges what looks alike, and executes a row condition that is text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from kenpo_lib.errors import Fault, InputError
from kenpo_lib.language import Text, say
from kenpo_lib.validate.columns import CHECKED_TABLES


class Severity(StrEnum):
    """What a failed expectation leads to."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One entry of a suite, checked as far as that needs no Great Expectations."""

    type: str
    kwargs: Mapping[str, Any]
    severity: Severity
    words: Text
    place: str


@dataclass(frozen=True, slots=True)
class Suite:
    """The expectations of one table, and the sha256 of the file that holds them."""

    name: str
    expectations: tuple[Expectation, ...]
    sha256: str


_SUITE_KEYS = {"name", "minimum_expectations", "expectations"}
_EXPECTATION_KEYS = {"type", "kwargs", "severity", "meta"}
# What Great Expectations accepts among the arguments of an expectation, and what belongs elsewhere here or hides results.
_FOREIGN_KWARGS = {
    *("condition_parser", "result_format", "catch_exceptions", "include_config", "batch_id"),
    *("severity", "meta", "notes", "id", "type", "description", "rendered_content", "windows"),
}
_OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "IN", "NOT_IN")


def read_suites(expectations_dir: Path) -> dict[str, Suite]:
    """Read one suite per checked table.

    Raises:
        InputError: All faults of all files together: a table without suite, a suite without table, broken JSON, a key given
            twice, unknown keys, too few expectations, a row condition that is text (Great Expectations would execute it).
    """
    faults: list[Fault] = []
    paths = {path.stem: path for path in sorted(expectations_dir.glob("*.json"))}
    for name in CHECKED_TABLES:
        if name not in paths:
            remedy = say("ファイルを git から戻す", "restore the file from git")
            faults.append(
                fault(f"{name}.json", "", say("検証項目のファイル", "a suite"), say("なし", "nothing"), remedy)
            )
    for name, path in paths.items():
        if name not in CHECKED_TABLES:
            expected = say(f"ファイル名は表の名前: {', '.join(CHECKED_TABLES)}", f"one of {', '.join(CHECKED_TABLES)}")
            faults.append(fault(path.name, "", expected, name))
    suites = {
        name: suite for name, path in paths.items() if name in CHECKED_TABLES and (suite := _read_suite(path, faults))
    }
    if faults:
        raise InputError(
            say("検証項目（expectations/）に誤りがあります。", "The expectation suites are wrong."), faults
        )
    return {name: suites[name] for name in CHECKED_TABLES}


def fault(file: str, place: str, expected: str, found: object, remedy: str | None = None) -> Fault:
    shown = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, default=str)
    return Fault(file, place, expected, shown, remedy or say("ファイルを直す", "correct the file"))


def _read_suite(path: Path, faults: list[Fault]) -> Suite | None:
    content = path.read_bytes()
    try:
        raw = json.loads(
            content.decode("utf-8"), object_pairs_hook=_refuse_doubled_keys, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        place = say(f"{error.lineno}行目{error.colno}文字目", f"line {error.lineno}, column {error.colno}")
        faults.append(fault(path.name, place, "JSON", error.msg))
        return None
    except ValueError as error:  # among it UnicodeDecodeError
        faults.append(fault(path.name, "", "JSON (UTF-8)", str(error)))
        return None
    if not isinstance(raw, dict) or raw.keys() != _SUITE_KEYS or not isinstance(raw["expectations"], list):
        found = sorted(raw) if isinstance(raw, dict) else type(raw).__name__
        faults.append(fault(path.name, "", ", ".join(sorted(_SUITE_KEYS)), found))
        return None
    count, minimum = len(raw["expectations"]), raw["minimum_expectations"]
    before = len(faults)
    if raw["name"] != path.stem:
        faults.append(fault(path.name, "name", path.stem, raw["name"]))
    if type(minimum) is not int or minimum < 1:
        faults.append(
            fault(path.name, "minimum_expectations", say("1以上の整数", "a whole number of 1 or more"), minimum)
        )
    elif count < minimum:
        remedy = say(
            "消えた項目を戻す。意図した削除なら最小数も減らす", "restore them, or lower the minimum if that is meant"
        )
        expected = say(f"{minimum} 項目以上", f"at least {minimum}")
        faults.append(fault(path.name, "expectations", expected, str(count), remedy))
    expectations = [
        _parse_expectation(path.name, f"expectations[{index}]", entry, faults)
        for index, entry in enumerate(raw["expectations"])
    ]
    spelled = [json.dumps([e.type, e.kwargs], sort_keys=True) if e else str(i) for i, e in enumerate(expectations)]
    for index, text in enumerate(spelled):
        if (first := spelled.index(text)) < index:
            expected = say("同じ項目は1つ", "each expectation once")
            faults.append(fault(path.name, f"expectations[{index}]", expected, f"= expectations[{first}]"))
    if len(faults) > before:
        return None
    return Suite(path.stem, tuple(e for e in expectations if e), hashlib.sha256(content).hexdigest())


def _refuse_doubled_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    doubled = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if doubled:
        raise ValueError(f"key given twice: {doubled}")
    return dict(pairs)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"not a JSON number: {text}")


def _parse_expectation(file: str, place: str, raw: Any, faults: list[Fault]) -> Expectation | None:
    before = len(faults)
    if not isinstance(raw, dict) or raw.keys() != _EXPECTATION_KEYS:
        found = sorted(raw) if isinstance(raw, dict) else raw
        faults.append(fault(file, place, ", ".join(sorted(_EXPECTATION_KEYS)), found))
        return None
    kwargs, meta = raw["kwargs"], raw["meta"]
    if not isinstance(raw["type"], str):
        faults.append(fault(file, f"{place}.type", "expect_…", raw["type"]))
    if raw["severity"] not in list(Severity):
        faults.append(fault(file, f"{place}.severity", " / ".join(Severity), raw["severity"]))
    if not (
        isinstance(meta, dict) and meta.keys() == {"ja", "en"} and all(isinstance(t, str) and t for t in meta.values())
    ):
        faults.append(fault(file, f"{place}.meta", '{"ja": "…", "en": "…"}', meta))
    if not isinstance(kwargs, dict):
        faults.append(fault(file, f"{place}.kwargs", "{…}", kwargs))
    else:
        for key in sorted(_FOREIGN_KWARGS & kwargs.keys()):
            expected = say("検証の引数だけ", "arguments of the expectation only")
            faults.append(fault(file, f"{place}.kwargs", expected, key))
        if "row_condition" in kwargs:
            _check_condition(file, f"{place}.kwargs.row_condition", kwargs["row_condition"], faults)
    if len(faults) > before:
        return None
    return Expectation(raw["type"], kwargs, Severity(raw["severity"]), Text(meta["ja"], meta["en"]), place)


def _check_condition(file: str, place: str, raw: Any, faults: list[Fault]) -> None:
    """Allow comparisons, tests for null, and both joined by and/or: never text, which would be executed as code."""
    kind = raw.get("type") if isinstance(raw, dict) else None
    expected = '{"type": "comparison" / "nullity" / "and" / "or", …}'
    if kind in ("and", "or") and raw.keys() == {"type", "conditions"} and isinstance(raw["conditions"], list):
        for index, part in enumerate(raw["conditions"]):
            _check_condition(file, f"{place}.conditions[{index}]", part, faults)
        return
    shape = {
        "comparison": {"type", "column", "operator", "parameter"},
        "nullity": {"type", "column", "is_null"},
    }.get(kind)
    if shape is None or raw.keys() != shape:
        why = say(
            "文字列の条件はコードとして実行されるため使えない", "a condition given as text would be executed as code"
        )
        faults.append(fault(file, place, expected, raw, why))
        return
    column = raw["column"]
    name = column.get("name") if isinstance(column, dict) and column.keys() == {"name"} else None
    if not (isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_]*", name)):
        faults.append(fault(file, f"{place}.column", '{"name": "…"}', column))
    if kind == "comparison":
        if raw["operator"] not in _OPERATORS:
            faults.append(fault(file, f"{place}.operator", " ".join(_OPERATORS), raw["operator"]))
        members = raw["parameter"] if isinstance(raw["parameter"], list) else [raw["parameter"]]
        if not all(isinstance(member, str | int | float) for member in members):
            faults.append(
                fault(file, f"{place}.parameter", say("文字列・数値・その一覧", "text, number or a list"), members)
            )
    elif not isinstance(raw["is_null"], bool):
        faults.append(fault(file, f"{place}.is_null", "true / false", raw["is_null"]))
