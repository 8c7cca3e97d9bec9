"""What a page can be asked for: the parameters of the notebooks, their types and allowed values, in one schema.

Whatever asks for pages (command line, Python, another machine) gives its values to ``parse_parameters`` before papermill sees
them: papermill runs a parameter's *name* as code and only warns of one that it does not know.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kenpo_lib.catalogue import NATION, Catalogue, parse_branch_list
from kenpo_lib.errors import InputError, hint_nearest
from kenpo_lib.language import Lang, Text, say
from kenpo_lib.normalise import parse_fiscal_year

Value = str | int
READING_ORDERS = ("code", "block")  # of the overview's table; a kpi_id sorts by its rank

_MAX_LENGTH = 100
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, direction marks, lone surrogates, line separators


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a notebook: its type there, what it is, and how a user's spelling becomes its value.

    Attributes:
        name: In the notebook's cell of parameters.
        type_name: Of the value there.
        default: There; pages about all branches have branch "00" instead.
        help: What it is.
        parse: A user's spelling → the value.
        list_allowed: All values that there are; None where only the data know.
    """

    name: str
    type_name: str
    default: Value
    help: Text
    parse: Callable[[str, Catalogue], Value]
    list_allowed: Callable[[Catalogue], Iterable[str] | None]


def _parse_branch(text: str, catalogue: Catalogue) -> str:
    branch = catalogue.find_branch(text)
    if branch is not None and branch.branch_code == NATION:
        return NATION
    codes = parse_branch_list(catalogue, text)
    if len(codes) != 1:
        raise InputError(say(f"支部 '{text}' は1つに決まりません。", f"'{text}' is more than one branch."))
    return codes[0]


def parse_year(text: str, catalogue: Catalogue | None = None) -> int:
    """The fiscal year that a user named: ``2024``, ``R6``, ``令和6年度``.

    Raises:
        InputError: It is none.
    """
    try:
        return parse_fiscal_year(text)
    except ValueError as error:
        raise InputError(
            say(
                f"年度 '{text}' を読めません。2024、R6、令和6年度 のように指定してください。",
                f"'{text}' is not a fiscal year. Write it as 2024, R6 or 令和6年度.",
            )
        ) from error


def _list_branches(catalogue: Catalogue) -> list[str]:
    return sorted(catalogue.branches)


def _list_langs(catalogue: Catalogue) -> list[str]:
    return [lang.value for lang in Lang]


def _list_kpis(catalogue: Catalogue) -> list[str]:
    return list(catalogue.kpis)


def _list_orders(catalogue: Catalogue) -> list[str]:
    return [*READING_ORDERS, *catalogue.kpis]


def _parse_one_of(name: str, list_allowed: Callable[[Catalogue], list[str]]) -> Callable[[str, Catalogue], str]:
    return lambda text, catalogue: _choose(name, text, list_allowed(catalogue))


def _choose(name: str, text: str, allowed: list[str]) -> str:
    if text in allowed:
        return text
    hint = hint_nearest(text, allowed)
    listed = " ".join(allowed)
    raise InputError(
        say(
            f"{name} に '{text}' は指定できません{hint}。\n  {listed}",
            f"'{text}' is not a value of {name}{hint}.\n  {listed}",
        )
    )


SCHEMA = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "branch",
            "str",
            "04",
            Text("支部コード（2桁の文字、全国は00）", "branch code, 00 is the nation"),
            _parse_branch,
            _list_branches,
        ),
        Parameter(
            "fiscal_year",
            "int",
            2024,
            Text("データのある年度（4月の西暦。R6、令和6年度とも書ける）", "fiscal year with data; also R6"),
            parse_year,
            lambda catalogue: None,
        ),
        Parameter(
            "lang",
            "str",
            "ja",
            Text("頁の言語", "language of the page"),
            _parse_one_of("lang", _list_langs),
            _list_langs,
        ),
        Parameter(
            "kpi",
            "str",
            "specific_checkup_rate",
            Text("指標のID", "id of a KPI"),
            _parse_one_of("kpi", _list_kpis),
            _list_kpis,
        ),
        Parameter(
            "order",
            "str",
            READING_ORDERS[0],
            Text("概況の表の並び", "reading order of the overview"),
            _parse_one_of("order", _list_orders),
            _list_orders,
        ),
    )
}


COLUMN_WORDS = {
    "name": Text("名前", "name"),
    "type": Text("型", "type"),
    "allowed": Text("使える値", "allowed"),
    "default": Text("既定値", "default"),
    "help": Text("意味", "meaning"),
}


def list_parameters(catalogue: Catalogue, lang: Lang) -> list[dict[str, Any]]:
    """The schema as plain values, one mapping a parameter: ``name``, ``type``, ``allowed`` (None: what the data have), ``default``, ``help``."""
    return [
        {
            "name": parameter.name,
            "type": parameter.type_name,
            "allowed": None if (allowed := parameter.list_allowed(catalogue)) is None else list(allowed),
            "default": parameter.default,
            "help": parameter.help(lang),
        }
        for parameter in SCHEMA.values()
    ]


def require_known(names: Iterable[str]) -> None:
    """Refuse names of parameters that are not in the schema.

    Raises:
        InputError: The nearest name is given.
    """
    for name in names:
        if name not in SCHEMA:
            shown = ascii(name)[1:41]
            listed = " ".join(SCHEMA)
            hint = hint_nearest(str(name), SCHEMA)
            raise InputError(
                say(
                    f"パラメータ '{shown}' はありません{hint}。\n  {listed}",
                    f"There is no parameter '{shown}'{hint}.\n  {listed}",
                )
            )


def parse_parameters(given: Mapping[str, Value], catalogue: Catalogue) -> dict[str, Value]:
    """The values as the notebooks take them, in the order of the schema.

    Args:
        given: Spellings by name: ``{"branch": "１３", "fiscal_year": "R6"}`` becomes ``{"branch": "13", "fiscal_year": 2024}``.
        catalogue: Branches and KPIs that exist.

    Raises:
        InputError: A name that is not in the schema (the nearest is named), a value that is not text or a whole number, is too
            long, has signs that nobody sees, or does not exist.
    """
    require_known(given)
    return {name: SCHEMA[name].parse(_as_text(name, given[name]), catalogue) for name in SCHEMA if name in given}


def _as_text(name: str, value: object) -> str:
    is_plain = isinstance(value, str | int) and not isinstance(value, bool)
    text = str(value) if is_plain else ""
    if not is_plain or len(text) > _MAX_LENGTH or any(unicodedata.category(sign) in _UNSEEN for sign in text):
        shown = ascii(value)[:40]
        raise InputError(
            say(
                f"{name} の値 {shown} は使えません。見える文字{_MAX_LENGTH}字までで指定してください。",
                f"{shown} cannot be the value of {name}: give visible text of at most {_MAX_LENGTH} characters.",
            )
        )
    return text
