"""The comparison as text: a table that lines up on a terminal, CSV and JSON that lose nothing."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import re
import unicodedata

import builders
import polars as pl
import pytest

from kenpo_lib import sentences
from kenpo_lib.export import to_console_table, to_csv_text, to_json_text
from kenpo_lib.tables import defuse

JAPANESE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")


@pytest.fixture(scope="module")
def miyagi(comparison, catalogue) -> pl.DataFrame:
    """A year with final, pending and interim values, all kinds of targets and conflicts between sources."""
    return builders.select_branch_year(comparison, branch_code="04", fiscal_year=2024, catalogue=catalogue)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _starts(heading: str) -> list[int]:
    """Where the columns begin, counted as a terminal shows the headings."""
    return [_width(heading[: match.start()]) for match in re.finditer(r"(?:^|(?<=  ))\S", heading)]


def _cut(line: str, starts: list[int]) -> list[str]:
    """The cells of a line; fails where a cell reaches into the next column."""
    cells, at = [""] * len(starts), 0
    for sign in line:
        column = sum(start <= at for start in starts) - 1
        cells[column] += sign
        at += _width(sign)
        assert at <= starts[column + 1] if column + 1 < len(starts) else True, line
    assert all(text.endswith("  ") for text, after in itertools.pairwise(cells) if after), line
    return [text.strip() for text in cells]


# --- terminal -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_console_table_lines_up_although_some_signs_are_wide(miyagi, catalogue, monkeypatch, lang):
    monkeypatch.setenv("KENPO_LANG", lang)

    heading, rule, *lines = to_console_table(miyagi, catalogue).splitlines()

    assert set(rule) == {"-"}
    assert len(lines) == miyagi.height
    assert len(_starts(heading)) == 10
    for line in lines:
        assert all(_cut(line, _starts(heading))[:9]), line
        assert line == line.rstrip()


def test_console_table_shows_what_stands_in_the_rows(miyagi, catalogue):
    text = to_console_table(miyagi, catalogue)

    assert all(line.startswith("04 宮城") for line in text.splitlines()[2:])
    for word in ("達成", "未達", "判定できない（", "推計", "中間値", "未公表", "位／47", "対前年度以上"):
        assert word in text
    assert text.endswith("\n")
    assert "None" not in text


def test_console_table_has_each_number_under_its_heading(miyagi, catalogue):
    heading, _, *lines = to_console_table(miyagi, catalogue).splitlines()
    starts = _starts(heading)

    assert _cut(heading, starts) == ["支部", "指標", "定義", "実績", "全国", "差", "前年度", "目標", "判定", "順位"]
    for line, row in zip(lines, miyagi.to_dicts(), strict=True):
        cells, kpi = _cut(line, starts), catalogue.kpis[row["kpi_id"]]
        assert cells[1:3] == [kpi.short_name.ja, row["definition"]]
        assert cells[3] == (sentences.value_words(row["value"], kpi, "ja") if row["value"] is not None else cells[3])
        assert cells[4].partition(" ")[0] == sentences.value_words(row["national"], kpi, "ja")
        assert ("推計" in cells[4]) == (row["national_kind"] == "weighted")
        assert cells[5] == sentences.difference_words(row["national_difference"], kpi, "ja")
        assert cells[6] == sentences.value_words(row["prior_value"], kpi, "ja")
        assert cells[7] == sentences.target_words(row, kpi, "ja")
        assert cells[8] == sentences.result_words(row, "ja")
        assert cells[9] == sentences.rank_words(row, "ja")


def test_console_table_in_english_has_no_japanese(comparison, catalogue, monkeypatch):
    monkeypatch.setenv("KENPO_LANG", "en")

    text = to_console_table(comparison, catalogue)

    assert text.startswith("branch")
    assert "04 Miyagi" in text
    assert not JAPANESE.search(text)


def test_console_table_of_no_rows_is_its_headings(miyagi, catalogue):
    assert len(to_console_table(miyagi.clear(), catalogue).splitlines()) == 2


# --- JSON -----------------------------------------------------------------------------------------------------------


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def test_json_has_every_row_and_column_and_keeps_nulls_and_types(comparison):
    found = json.loads(to_json_text(comparison), parse_constant=_refuse)

    assert len(found) == comparison.height
    for row, expected in zip(found, comparison.iter_rows(named=True), strict=True):
        assert row.keys() == expected.keys()
        for column, value in expected.items():
            if column == "interim_as_of":
                value = None if value is None else value.isoformat()
            assert row[column] == value
            assert type(row[column]) is type(value)


def test_json_keeps_codes_as_text_and_japanese_readable(miyagi):
    text = to_json_text(miyagi)

    assert '"branch_code": "04"' in text
    assert '"宮城"' in text
    assert text.endswith("]\n")
    assert json.loads(to_json_text(miyagi.clear())) == []


# --- CSV ------------------------------------------------------------------------------------------------------------


def test_csv_has_every_row_and_column(comparison):
    text = to_csv_text(comparison)

    assert text.startswith("\ufeffbranch_code,")
    assert text.count("\r\n") >= comparison.height + 1
    header, *lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert header == comparison.columns
    assert len(lines) == comparison.height
    for line, row in zip(lines, comparison.iter_rows(named=True), strict=True):
        for cell, (column, value) in zip(line, row.items(), strict=True):
            if value is None:
                assert cell == "", column
            elif isinstance(value, list):
                assert json.loads(cell) == value
            elif isinstance(value, float):
                assert math.isclose(float(cell), value, rel_tol=0)
            else:
                assert cell == str(defuse(value))


def test_csv_tells_a_pending_value_from_zero():
    frame = pl.DataFrame({"branch_code": ["01", "02"], "value": [None, 0.0]})

    assert to_csv_text(frame) == "\ufeffbranch_code,value\r\n01,\r\n02,0.0\r\n"
