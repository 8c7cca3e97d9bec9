"""The catalogue: strict loading of what KPI owners edit, and the branches by every spelling."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys

import builders
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib.catalogue import (
    DEFINITIONS_DIR,
    NATION,
    Direction,
    Unit,
    load_catalogue,
    parse_branch_list,
)
from kenpo_lib.catalogue.kpi_entry import parse_kpi
from kenpo_lib.catalogue.load import read_branches
from kenpo_lib.errors import InputError
from kenpo_lib.strict_yaml import read_yaml

ENTRY = read_yaml(DEFINITIONS_DIR / "kpis" / "visit_rate.yaml")
CODES = [f"{code:02d}" for code in range(1, 48)]
codes = st.sampled_from(CODES)


def parse(entry):
    return parse_kpi("visit_rate", entry, where="visit_rate.yaml", caveats=load_catalogue().caveats)


def changed(path, value):
    """The real entry with one value changed (``definitions.3m.to``) or, with ``...``, taken out."""
    entry = copy.deepcopy(ENTRY)
    *parents, key = path.split(".")
    place = entry
    for parent in parents:
        place = place[parent]
    if value is ...:
        del place[key]
    else:
        place[key] = value
    return entry


# --- KPIs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("unit", "percents", "unit"),
        ("unit", ..., "unit"),
        ("unit", ["percent"], "unit"),
        ("relevant", "large", "relevant"),
        ("direction", "up", "direction"),
        ("pillar", "tactical", "pillar"),
        ("theme", "money", "theme"),
        ("decimals", "one", "decimals"),
        ("decimals", True, "decimals"),
        ("proportion", 1, "proportion"),
        ("name", "受診率", "name"),
        ("name.ja", 5, "name"),
        ("desciption", "…", "desciption"),
        ("plausible", {"min": 0}, "max"),
        ("plausible.max", "hundred", "plausible"),
        ("jump", "ten", "jump"),
        ("jump_percent", 5, "jump"),
        ("national_proxy", "population", "national_proxy"),
        ("caveats", ["no_such_caveat"], "caveats"),
        ("caveats", "definition_changed", "caveats"),
        ("resembles", ["urgent_visit_rate"], "resembles"),
        ("definitions", {}, "definitions"),
        ("definitions.3m", None, "definitions.3m"),
        ("definitions.3m.from", "2008", "definitions.3m.from"),
        ("definitions.3m.until", 2023, "until"),
        ("definitions.3m.text", ..., "definitions.3m"),
        ("definitions.3m.restated", 2024, "definitions.3m.restated"),
        ("definitions.3m.sources", "miyagi_plan_fy2024", "definitions.3m.sources"),
        ("definitions.10m.restated", [2024], "definitions.10m.restated"),
    ],
)
def test_parse_kpi_refuses_a_wrong_entry_and_names_the_place(path, value, named):
    # given a real entry with one thing wrong in it
    entry = changed(path, value)
    # when
    with pytest.raises(InputError) as caught:
        parse(entry)
    # then every fault names the file and what to do, and one of them names the place
    assert all(fault.file == "visit_rate.yaml" and fault.remedy for fault in caught.value.faults)
    assert any(named in f"{fault.place} {fault.expected} {fault.found}" for fault in caught.value.faults)


def test_parse_kpi_refuses_two_definitions_in_force_in_one_year():
    # given a definition that ends a year after the next one begins, not declared as restated
    entry = changed("definitions.3m.to", 2024)
    # when
    with pytest.raises(InputError) as caught:
        parse(entry)
    # then the year and both definitions are named
    assert "2024" in str(caught.value)
    assert "3m" in str(caught.value)
    assert "10m" in str(caught.value)


def test_parse_kpi_reports_all_faults_together():
    # given three things wrong
    entry = changed("unit", "percents") | {"direction": "up", "colour": "red"}
    # when
    with pytest.raises(InputError) as caught:
        parse(entry)
    # then
    assert {"unit", "direction"} <= {fault.place for fault in caught.value.faults}
    assert "colour" in str(caught.value)


def test_parse_kpi_suggests_the_key_that_was_meant():
    # given a misspelt key
    # when
    with pytest.raises(InputError) as caught:
        parse(ENTRY | {"caveat": []})
    # then
    assert "caveats?" in str(caught.value)


@pytest.mark.parametrize("raw", [None, [], "text", 5])
def test_parse_kpi_refuses_a_file_without_a_mapping(raw):
    # given a file that holds something else
    # when, then
    with pytest.raises(InputError):
        parse(raw)


@pytest.mark.parametrize(
    ("definition", "year", "holds", "in_force"),
    [("3m", 2023, True, True), ("3m", 2024, False, False), ("10m", 2024, True, True), ("10m", 2023, True, False)],
)
def test_definition_holds_where_in_force_or_restated(definition, year, holds, in_force):
    # given a KPI whose definition changed in 2024 and was restated for 2023
    kpi = parse(ENTRY)
    # when
    entry = kpi.definitions[definition]
    # then
    assert (entry.holds_in(year), entry.is_in_force(year)) == (holds, in_force)


def test_definition_in_force_is_the_one_of_the_year():
    # given the same KPI
    kpi = parse(ENTRY)
    # when
    names = [kpi.definition_in_force(year).definition for year in (2019, 2023, 2024, 2030)]
    # then
    assert names == ["3m", "3m", "10m", "10m"]


def test_read_yaml_refuses_a_key_given_twice(tmp_path):
    # given a file in which the later of two keys would win silently
    path = tmp_path / "kpi.yaml"
    path.write_text("unit: percent\ndecimals: 1\nunit: yen\n", encoding="utf-8")
    # when
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    # then
    assert "kpi.yaml" in str(caught.value)
    assert "'unit'" in str(caught.value)
    assert "line 3" in str(caught.value)


@pytest.mark.parametrize("content", [b"unit: [percent", b"unit: \x8e\xf3\x90f"])
def test_read_yaml_names_a_file_it_cannot_read(tmp_path, content):
    # given broken YAML, or another encoding than UTF-8
    path = tmp_path / "kpi.yaml"
    path.write_bytes(content)
    # when, then
    with pytest.raises(InputError, match=r"kpi\.yaml"):
        read_yaml(path)


def test_load_catalogue_gathers_the_faults_of_all_files(tmp_path):
    # given two wrong entries and a resemblance to a KPI that does not exist
    directory = shutil.copytree(DEFINITIONS_DIR, tmp_path / "definitions")
    for name, old, new in [
        ("generic_share", "unit: percent", "unit: parts"),
        ("premium_rate", "direction: neither", "direction: down"),
        ("visit_rate", "kpi_id: urgent_visit_rate", "kpi_id: urgent_visits"),
    ]:
        path = directory / "kpis" / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    # when
    with pytest.raises(InputError) as caught:
        load_catalogue(directory)
    # then
    assert {fault.file for fault in caught.value.faults} >= {
        "generic_share.yaml",
        "premium_rate.yaml",
        "visit_rate.yaml",
    }


def test_load_catalogue_is_in_reading_order(catalogue):
    # given the real catalogue
    # when
    orders = [kpi.order for kpi in catalogue.kpis.values()]
    # then
    assert orders == sorted(orders)
    assert len(catalogue.kpis) > 30


@pytest.mark.parametrize("direction", Direction)
def test_direction_sign_tells_better_from_worse(direction):
    # given each direction
    # when, then
    expected = {Direction.HIGHER: 1, Direction.LOWER: -1, Direction.NEITHER: 0}
    assert direction.sign == expected[direction]


def test_unit_totals_and_amounts_are_told_apart():
    # given all units
    # when
    totals = {unit for unit in Unit if unit.is_total}
    points = {unit for unit in Unit if not unit.differs_in_percent}
    # then a sum over branches is never a rate, and only rates and days differ in points
    assert totals == {Unit.COUNT, Unit.PERSONS, Unit.OFFICES, Unit.TIMES}
    assert points == {Unit.PERCENT, Unit.DAYS}


# --- branches -------------------------------------------------------------------------------------------------------


def test_branches_are_the_47_prefectures_with_text_codes(catalogue):
    # given the branch master
    # when, then codes keep their leading zero, and the nation is not a branch
    assert list(catalogue.branch_codes) == CODES
    assert catalogue.branches["04"].name.ja == "宮城"
    assert catalogue.branches[NATION].name.ja == "全国"


def test_branches_share_no_spelling_and_no_tile(catalogue):
    # given every spelling of every branch
    spellings = [
        spelling.casefold()
        for branch in catalogue.branches.values()
        for spelling in {branch.name.ja, branch.name.en, branch.prefecture, *branch.aliases}
    ]
    tiles = [(catalogue.branches[code].tile_row, catalogue.branches[code].tile_col) for code in CODES]
    # when, then each finds one branch, and the tile map has one place for each
    assert len(spellings) == len(set(spellings))
    assert len(set(tiles)) == 47


@given(code=codes, data=st.data())
def test_find_branch_knows_every_spelling(code, data):
    # given any spelling of any branch, in either width
    catalogue = load_catalogue()
    branch = catalogue.branches[code]
    spelling = data.draw(
        st.sampled_from(
            [code, str(int(code)), branch.name.ja, f"{branch.name.ja}支部", branch.prefecture, branch.name.en]
        )
    )
    full_width = spelling.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    # when, then
    for text in (spelling, full_width, f" {spelling} ", spelling.upper()):
        assert catalogue.find_branch(text) is branch


@pytest.mark.parametrize("text", ["48", "013", "13.0", "99", "", "東", "Tokio", "-1", "4 0", "../04"])
def test_find_branch_is_null_for_what_is_no_branch(catalogue, text):
    # given no branch
    # when, then
    assert catalogue.find_branch(text) is None


@given(st.lists(codes, min_size=1, max_size=6))
def test_parse_branch_list_reads_back_any_list_of_codes(chosen):
    # given any list of codes, with doubles and in any order
    # when
    parsed = parse_branch_list(load_catalogue(), ",".join(chosen))
    # then they come once each, in the order of the codes
    assert parsed == tuple(sorted(set(chosen)))


@given(ends=st.tuples(codes, codes).map(sorted))
def test_parse_branch_list_reads_ranges(ends):
    # given any range
    # when
    parsed = parse_branch_list(load_catalogue(), f"{ends[0]}-{ends[1]}")
    # then
    assert parsed == tuple(code for code in CODES if ends[0] <= code <= ends[1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("04", ("04",)),
        ("１３", ("13",)),
        ("1", ("01",)),
        ("東京", ("13",)),
        ("東京都", ("13",)),
        ("東京支部", ("13",)),
        ("宮城、東京", ("04", "13")),
        ("04, 13 ,45-47", ("04", "13", "45", "46", "47")),
        ("北海道-岩手", ("01", "02", "03")),
        ("45〜47", ("45", "46", "47")),
        ("45～47", ("45", "46", "47")),
        ("４５−４７", ("45", "46", "47")),
        ("all", tuple(CODES)),
        ("全支部", tuple(CODES)),
    ],
)
def test_parse_branch_list_reads_codes_names_and_ranges(catalogue, text, expected):
    # given what a user types
    # when, then
    assert parse_branch_list(catalogue, text) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "00", "全国", "48", "013", "13.0", "Tokio", "04,,13", "47-40", "04-", "-04", "00-04"]
)
def test_parse_branch_list_refuses_what_it_does_not_know(catalogue, text):
    # given an unknown branch, the nation, an empty list or a range that runs backwards
    # when
    with pytest.raises(InputError) as caught:
        parse_branch_list(catalogue, text)
    # then the message says what would do
    assert "47-40" in str(caught.value) or "47 沖縄" in str(caught.value)


def test_parse_branch_list_names_the_nearest_branch(catalogue):
    # given a slip
    # when, then
    with pytest.raises(InputError, match="miyagi"):
        parse_branch_list(catalogue, "Miyagu")


@pytest.mark.parametrize(("line", "old", "new"), [(1, "name_ja", "name"), (6, "04,", "05,"), (6, "04,宮城", "48,宮城")])
def test_read_branches_refuses_a_broken_master(tmp_path, line, old, new):
    # given a heading renamed, a code twice or one out of order
    path = shutil.copy(DEFINITIONS_DIR / "branches.csv", tmp_path)
    builders.edit_line(tmp_path / "branches.csv", line, old, new)
    # when, then
    with pytest.raises(InputError):
        read_branches(tmp_path / path.rsplit("/", 1)[-1])


def test_definition_files_are_named_after_their_kpi(catalogue):
    # given the files of the KPIs that all branches share
    # when
    names = {path.stem for path in (DEFINITIONS_DIR / "kpis").glob("*.yaml")}
    own = {
        kpi_id
        for path in (DEFINITIONS_DIR / "branch_kpis").glob("*.yaml")
        for kpi_id in yaml.safe_load(path.read_text(encoding="utf-8"))
    }
    # then every KPI comes from one file, and those of one branch know which
    assert names | own == catalogue.kpis.keys()
    assert {kpi_id for kpi_id, kpi in catalogue.kpis.items() if kpi.branch_code} == own


def test_another_folder_of_definitions_brings_other_units(tmp_path):
    # given a folder with two units that are no branches
    folder = shutil.copytree(DEFINITIONS_DIR, tmp_path / "definitions")
    lines = (folder / "branches.csv").read_text(encoding="utf-8").splitlines()
    units = [line.replace("01,北海道", f"{code},窓口{code}", 1) for line in lines[2:3] for code in ("0001", "0002")]
    units = [",".join([*line.split(",")[:-1], f"別名{line[:4]}"]) for line in units]
    (folder / "branches.csv").write_text("\n".join([*lines[:2], *units]) + "\n", encoding="utf-8")
    check = (
        "from kenpo_lib.catalogue import load_catalogue, parse_branch_list as parse; c = load_catalogue();"
        "print(c.branch_codes, parse(c, '0002'), parse(c, '窓口0001'), parse(c, '0001-0002'))"
    )
    # when
    environment = os.environ | {"KENPO_DEFINITIONS": str(folder), "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", check]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=builders.ROOT)
    # then
    assert shown.stdout.strip() == "('0001', '0002') ('0002',) ('0001',) ('0001', '0002')"
