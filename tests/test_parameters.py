"""What may be asked for: spellings become values, and nothing that is not in the schema gets through."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import papermill
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib.catalogue import Catalogue, load_catalogue
from kenpo_lib.errors import InputError
from kenpo_lib.language import Lang
from kenpo_lib.parameters import COLUMN_WORDS, SCHEMA, list_parameters, parse_parameters

CATALOGUE = load_catalogue()
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ("1", "01"),
        ("１３", "13"),
        ("01", "01"),
        ("東京", "13"),
        ("東京都", "13"),
        ("東京支部", "13"),
        ("Tokyo", "13"),
        ("00", "00"),
        (4, "04"),
    ],
)
def test_branch_becomes_a_two_digit_text(given_value: str | int, expected: str):
    assert parse_parameters({"branch": given_value}, CATALOGUE) == {"branch": expected}


@pytest.mark.parametrize(
    "text", ["13.0", "48", "013", "", "all", "04,13", "../13", "C:\\13", "CON", "1:3", "13.", "1" * 300]
)
def test_branch_that_is_none_is_refused(text: str):
    with pytest.raises(InputError):
        parse_parameters({"branch": text}, CATALOGUE)


@pytest.mark.parametrize("text", ["R6", "令和６年度", "FY2024", "2024", 2024, "令和6年度"])
def test_year_becomes_a_number(text: str | int):
    assert parse_parameters({"fiscal_year": text}, CATALOGUE) == {"fiscal_year": 2024}


@pytest.mark.parametrize("text", ["R0", "令和100年度", "24", "2024.0", "二〇二四", ""])
def test_year_that_is_none_is_refused(text: str):
    with pytest.raises(InputError, match="年度"):
        parse_parameters({"fiscal_year": text}, CATALOGUE)


def test_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="近いもの: branch"):
        parse_parameters({"brnch": "04"}, CATALOGUE)


@pytest.mark.parametrize("name", ["branch\nimport os", "x = 1; branch", "sentinel", "curated_dir", "__import__('os')"])
def test_name_that_is_code_or_the_runners_own_is_refused(name: str):
    with pytest.raises(InputError):
        parse_parameters({name: "04"}, CATALOGUE)


@pytest.mark.parametrize(
    "value", ["0\n4", "04\x00", "0\u20284", "\ud800", "\u202e04", "'; import os; '", None, 4.0, True, ["04"], {"a": 1}]
)
def test_value_with_unseen_signs_or_of_another_type_is_refused(value: object):
    with pytest.raises(InputError) as caught:
        parse_parameters({"branch": value}, CATALOGUE)
    assert "\n0" not in str(caught.value)


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.binary())))
def test_whatever_is_given_is_either_in_the_schema_or_refused(given_values: dict):
    try:
        parsed = parse_parameters(given_values, CATALOGUE)
    except InputError:
        return
    assert parsed.keys() == given_values.keys()
    for name, value in parsed.items():
        assert type(value).__name__ == SCHEMA[name].type_name
        assert not isinstance(value, str) or set(value) <= set(string.ascii_letters + string.digits + "_")


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_schema_knows_what_the_notebooks_take(path: Path):
    runner_own = {"curated_dir", "sentinel"}
    found = papermill.inspect_notebook(str(path))

    taken = {
        name: (entry["inferred_type_name"], ast.literal_eval(entry["default"]))
        for name, entry in found.items()
        if name not in runner_own
    }

    # pages about all branches are about the nation by default
    defaults = {name: parameter.default for name, parameter in SCHEMA.items()}
    defaults |= {"branch": "00"} if taken.get("branch", ("", ""))[1] == "00" else {}
    assert taken == {name: (SCHEMA[name].type_name, defaults[name]) for name in taken}


@pytest.mark.parametrize("lang", Lang)
def test_listed_parameters_say_what_is_taken(lang: Lang):
    rows = list_parameters(CATALOGUE, lang)

    assert [row["name"] for row in rows] == list(SCHEMA)
    for row in rows:
        assert row.keys() == COLUMN_WORDS.keys()
        assert row["help"]
        assert type(row["default"]).__name__ == row["type"]
        for value in [row["default"], *(row["allowed"] or [])]:
            assert parse_parameters({row["name"]: value}, CATALOGUE) == {row["name"]: value}


@pytest.mark.parametrize("name", [name for name in SCHEMA if name != "fiscal_year"])
@given(text=st.text(string.ascii_lowercase + string.digits + "_", max_size=12))
def test_nothing_else_than_what_is_listed_is_taken(name: str, text: str):
    (row,) = (row for row in list_parameters(CATALOGUE, Lang.JA) if row["name"] == name)

    try:
        value = parse_parameters({name: text}, CATALOGUE)[name]
    except InputError:
        return
    assert value in row["allowed"]


def test_reading_order_is_chosen_among_known_ones(catalogue: Catalogue):
    assert parse_parameters({"order": "generic_share"}, catalogue) == {"order": "generic_share"}
    with pytest.raises(InputError, match="generic_share"):
        parse_parameters({"order": "generic_shar"}, catalogue)
