"""What a page can be asked for: the parameters of the notebooks, their types and allowed values, in one schema.

Whatever asks for pages (command line, Python, another machine) gives its values to ``parse_parameters`` before papermill sees
them: papermill runs a parameter's *name* as code and only warns of one that it does not know.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kenpo_lib.catalogue import NATION, Catalogue, parse_branch_list
from kenpo_lib.errors import InputError
from kenpo_lib.language import Lang, Text, say
from kenpo_lib.normalise import parse_fiscal_year

Value = str | int
READING_ORDERS = ("code", "block")  # of the overview's table; a kpi_id sorts by its rank

_MAX_LENGTH = 100
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, direction marks, lone surrogates, line separators


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a notebook: its type there, what it is, and how a user's spelling becomes its value."""

    name: str
    type_name: str
    help: Text
    parse: Callable[[str, Catalogue], Value]


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


def _parse_lang(text: str, catalogue: Catalogue) -> str:
    return _choose("lang", text, [lang.value for lang in Lang])


def _parse_kpi(text: str, catalogue: Catalogue) -> str:
    return _choose("kpi", text, list(catalogue.kpis))


def _parse_order(text: str, catalogue: Catalogue) -> str:
    return _choose("order", text, [*READING_ORDERS, *catalogue.kpis])


def _choose(name: str, text: str, allowed: list[str]) -> str:
    if text in allowed:
        return text
    hint = _nearest(text, allowed)
    listed = " ".join(allowed)
    raise InputError(
        say(
            f"{name} に '{text}' は指定できません{hint}。\n  {listed}",
            f"'{text}' is not a value of {name}{hint}.\n  {listed}",
        )
    )


def _nearest(text: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(text, allowed, 1)
    return say(f"（近いもの: {near[0]}）", f" (nearest: {near[0]})") if near else ""


SCHEMA = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "branch", "str", Text("支部コード（2桁の文字、全国は00）", "branch code, 00 is the nation"), _parse_branch
        ),
        Parameter("fiscal_year", "int", Text("年度（4月の西暦）", "fiscal year"), parse_year),
        Parameter("lang", "str", Text("頁の言語", "language of the page"), _parse_lang),
        Parameter("kpi", "str", Text("指標のID", "id of a KPI"), _parse_kpi),
        Parameter("order", "str", Text("概況の表の並び", "reading order of the overview"), _parse_order),
    )
}


def parse_parameters(given: Mapping[str, Value], catalogue: Catalogue) -> dict[str, Value]:
    """The values as the notebooks take them, in the order of the schema.

    Args:
        given: Spellings by name: ``{"branch": "１３", "fiscal_year": "R6"}`` becomes ``{"branch": "13", "fiscal_year": 2024}``.
        catalogue: Branches and KPIs that exist.

    Raises:
        InputError: A name that is not in the schema (the nearest is named), a value that is not text or a whole number, is too
            long, has signs that nobody sees, or does not exist.
    """
    for name in given:
        if name not in SCHEMA:
            shown = ascii(name)[1:41]
            listed = " ".join(SCHEMA)
            hint = _nearest(str(name), list(SCHEMA))
            raise InputError(
                say(
                    f"パラメータ '{shown}' はありません{hint}。\n  {listed}",
                    f"There is no parameter '{shown}'{hint}.\n  {listed}",
                )
            )
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
