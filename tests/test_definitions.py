"""What KPI owners edit: one case per KPI, layout and correction. A definition or caveat that nothing uses fails."""

from __future__ import annotations

import csv

import builders
import pytest
import yaml

from kenpo_lib.catalogue import DEFINITIONS_DIR, Unit, load_catalogue
from kenpo_lib.curate import STATISTICS, curate
from kenpo_lib.grain import BRANCH_COUNT
from kenpo_lib.sources import LONG_LAYOUTS, read_wide_layout
from kenpo_lib.strict_yaml import read_yaml

CATALOGUE = load_catalogue()
LAYOUTS = sorted(path.stem for path in (DEFINITIONS_DIR / "layouts").glob("*.csv"))
CORRECTIONS = read_yaml(DEFINITIONS_DIR / "corrections.yaml") or []
METAS = {
    path.name.removesuffix(".meta.yaml"): yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(builders.RAW.glob("*.meta.yaml"))
}

every_kpi = pytest.mark.parametrize("kpi", CATALOGUE.kpis.values(), ids=CATALOGUE.kpis)
every_layout = pytest.mark.parametrize("layout", LAYOUTS)
every_correction = pytest.mark.parametrize("entry", CORRECTIONS, ids=lambda entry: entry["where"]["kpi_id"])


# --- KPIs -----------------------------------------------------------------------------------------------------------


@every_kpi
def test_kpi_is_worded_in_both_languages(kpi):
    # given the texts that readers see
    texts = [kpi.name, kpi.short_name, *(text for text in (kpi.numerator, kpi.denominator) if text)]
    texts += [definition.text for definition in kpi.definitions.values()] + [text for _, text in kpi.resembles]
    # when
    untranslated = [text for text in texts if not text.ja.strip() or not text.en.strip() or text.ja == text.en]
    # then the English is English
    assert untranslated == []
    assert all(text.en.isascii() or "–" in text.en or "’" in text.en for text in texts)


@every_kpi
def test_kpi_is_consistent_in_itself(kpi):
    # given its numbers
    # when, then a share of people says of whom, a range has two ends, and a percentage lies within 0 to 100
    assert kpi.plausible_min < kpi.plausible_max
    assert 0 <= kpi.decimals <= 4
    assert kpi.jump > 0
    if kpi.proportion:
        assert (kpi.unit, kpi.plausible_max <= 100) == (Unit.PERCENT, True)
        assert kpi.numerator
        assert kpi.denominator
    if kpi.unit.is_total:
        assert (kpi.decimals, kpi.national_proxy) == (0, None)


@every_kpi
def test_kpi_definitions_follow_each_other_and_say_so(kpi):
    # given the years of its definitions
    in_force = {year: kpi.definition_in_force(year) for year in range(2018, 2027)}
    # when
    without = [year for year, definition in in_force.items() if definition is None]
    # then once begun, no year is left without one; a change is told by a caveat
    assert without == list(range(2018, 2018 + len(without)))
    assert ("definition_changed" in kpi.caveats) == (len(kpi.definitions) > 1)


@every_kpi
def test_kpi_names_sources_that_are_there(kpi):
    # given the sources that its definitions name
    named = {source for definition in kpi.definitions.values() for source in definition.sources}
    # when, then
    assert named
    assert named <= METAS.keys()


@every_kpi
def test_kpi_is_used_under_each_of_its_definitions(kpi, tables):
    # given the curated figures and targets
    used = {
        definition
        for name in ("observations", "targets")
        for kpi_id, definition in tables[name].select("kpi_id", "definition").rows()
        if kpi_id == kpi.kpi_id
    }
    # when, then a definition that nothing uses has no place in the catalogue
    assert used == kpi.definitions.keys()


@every_kpi
def test_kpi_has_the_decimals_of_its_sources(kpi, tables):
    # given the decimals printed for the whole KPI
    rows = tables["observations"].filter(kpi_id=kpi.kpi_id, component="total", status="final")
    # when
    printed = rows["decimals"].drop_nulls().to_list()
    # then targets are judged at the finest precision that is published, and not beyond it
    assert all(decimals <= kpi.decimals for decimals in printed)


@every_kpi
def test_kpi_of_one_branch_has_figures_of_that_branch_only(kpi, tables):
    # given an indicator that one branch keeps for itself
    rows = tables["observations"].filter(kpi_id=kpi.kpi_id)
    # when
    branches = set(rows["branch_code"])
    # then
    if kpi.branch_code:
        assert branches == {kpi.branch_code}
        assert "own_target_of_one_branch" in kpi.caveats


@pytest.mark.parametrize("caveat", CATALOGUE.caveats)
def test_caveat_is_used_and_worded(caveat):
    # given a caveat
    # when
    users = [kpi.kpi_id for kpi in CATALOGUE.kpis.values() if caveat in kpi.caveats]
    # then
    assert users
    assert CATALOGUE.caveats[caveat].ja.endswith("。")
    assert CATALOGUE.caveats[caveat].en.endswith(".")


# --- layouts --------------------------------------------------------------------------------------------------------


@every_layout
def test_layout_explains_every_heading(layout):
    # given a layout of a wide table
    columns = read_wide_layout(layout)
    roles = [column.role for column in columns]
    # when, then it has one column each for branch, name and year, and no heading twice
    for role in ("branch_code", "branch_name", "fiscal_year"):
        assert roles.count(role) == 1
    assert set(roles) <= {"branch_code", "branch_name", "fiscal_year", "observation", "statistic"}
    assert len({column.heading for column in columns}) == len(columns)
    for column in columns:
        if column.role == "observation":
            assert column.definition in CATALOGUE.kpis[column.kpi_id].definitions
            assert column.component
        if column.role == "statistic":
            assert STATISTICS[column.statistic] == column.unit


@every_layout
def test_layout_gives_each_series_one_heading(layout):
    # given the keys behind the headings
    # when
    keys = [
        (column.kpi_id, column.definition, column.component, column.statistic)
        for column in read_wide_layout(layout)
        if column.role in ("observation", "statistic")
    ]
    # then no two columns would write the same row
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("layout", [*LAYOUTS, *LONG_LAYOUTS])
def test_layout_is_used_by_a_source(layout):
    # given the files that the sources list
    # when
    users = [source for source, meta in METAS.items() for file in meta["files"] if file["layout"] == layout]
    # then
    assert users


# --- corrections ----------------------------------------------------------------------------------------------------


@every_correction
def test_correction_finds_its_cell_as_printed(entry):
    # given the raw rows of its source
    where = dict(entry["where"])
    source = where.pop("source_id")
    rows = []
    for file in METAS[source]["files"]:
        with (builders.RAW / file["name"]).open(encoding="utf-8", newline="") as stream:
            rows += list(csv.DictReader(stream))
    # when
    cells = [row for row in rows if all(row.get(column) == wanted for column, wanted in where.items())]
    # then
    assert [cell["printed"] for cell in cells] == [entry["expect"]]
    assert entry["reason"]["ja"]
    assert entry["reason"]["en"]
    assert entry["status"] in ("open", "reported", "fixed")


@every_correction
def test_correction_changes_the_figures(entry, tables, tmp_path):
    # given all corrections but this one
    others = tmp_path / "corrections.yaml"
    others.write_text(yaml.safe_dump([e for e in CORRECTIONS if e is not entry], allow_unicode=True), encoding="utf-8")
    # when
    without, _ = curate(builders.RAW, CATALOGUE, corrections=others)
    # then it is there for a reason
    assert not without["observations"].equals(tables["observations"])


# --- branches -------------------------------------------------------------------------------------------------------


def test_branch_master_has_the_nation_and_the_47_branches():
    assert list(CATALOGUE.branches) == [f"{code:02d}" for code in range(48)]
    assert len(CATALOGUE.branch_codes) == BRANCH_COUNT
