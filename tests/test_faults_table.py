"""``docs/faults.md`` names a test for every fault, and each of these tests exists."""

from __future__ import annotations

import ast
import re
from functools import cache

import builders
import pytest

ROWS = {*range(1, 10), *range(40, 67)}
TEST = re.compile(r"`(tests/(?:windows/)?test_\w+\.py)::(test_\w+)`")


def _read_rows() -> list[tuple[int, list[str]]]:
    text = (builders.ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    split = (line.strip("|").split(" | ") for line in text.splitlines() if re.match(r"\| [0-9]+ \|", line))
    return [(int(cells[0]), cells[1:]) for cells in split]


@cache
def _list_tests(file: str) -> set[str]:
    """The tests of a file, as its text has them."""
    tree = ast.parse((builders.ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_fault_has_one_row():
    numbers = [number for number, _ in _read_rows()]

    assert numbers == sorted(ROWS)


@pytest.mark.parametrize(("number", "cells"), _read_rows(), ids=lambda value: f"row {value}" if value else "")
def test_row_says_what_happens_and_names_tests_that_exist(number: int, cells: list[str]):
    fault, effect, tests = cells

    assert fault.strip()
    assert effect.strip()
    found = TEST.findall(tests)
    assert found
    assert TEST.sub("", tests).strip(" ,|") == "", "something else than tests, or misspelt"
    assert [f"{file}::{name}" for file, name in found if name not in _list_tests(file)] == []
