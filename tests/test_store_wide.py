"""What pages of KPIs and the page on the data get: the same from a store and from memory, and nothing but what they show."""

from __future__ import annotations

from pathlib import Path

import builders
import pytest

from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.files import sha256_of
from kenpo_lib.kept_verdict import read_verdict
from kenpo_lib.store import build_store
from kenpo_lib.store.computed import Computed, compute
from kenpo_lib.store.fingerprints import Fingerprints
from kenpo_lib.store.wide_data import LIGHT_COLUMNS, WHOLE_TABLES, collect_facts, read_kpi, read_quality

KPIS = ("specific_checkup_rate", "visit_rate", "generic_share", "website_visits")
WARNING = {"table": "observations", "column": "check_jump", "branch_code": "04", "kpi_id": "visit_rate"} | {
    **{"definition": "10m", "fiscal_year": 2024, "source_id": "x", "locator": "p"},
    **{"words": {"ja": "", "en": ""}, "found": {"ja": "", "en": ""}},
}


@pytest.fixture(scope="module")
def curated_dir(tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return builders.write_curated(tmp_path_factory.mktemp("project"), tables, warnings=[WARNING])


@pytest.fixture(scope="module")
def store(curated_dir: Path):
    return build_store(curated_dir)


@pytest.fixture(scope="module")
def computed(curated_dir: Path, tables, catalogue, comparison, nation) -> Computed:
    return Computed(tables, catalogue, comparison, nation, read_verdict(curated_dir))


# --- one KPI ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kpi_id", KPIS)
@pytest.mark.parametrize("year", [2019, 2024])
def test_kpi_is_the_same_from_store_and_memory(store, computed, kpi_id: str, year: int):
    kpi = load_catalogue().kpis[kpi_id]
    key = ["definition", "fiscal_year", "branch_code"]

    stored, fresh = (read_kpi(reader, kpi, fiscal_year=year) for reader in (store, computed))

    for name in ("values", "nation"):
        assert getattr(stored, name).sort(key).equals(getattr(fresh, name).sort(key), null_equal=True)
    assert stored.sources.sort("source_id").equals(fresh.sources.sort("source_id"))
    assert (stored.warnings, stored.has_later) == (fresh.warnings, fresh.has_later)


def test_kpi_gets_its_rows_up_to_the_year_and_its_documents_alone(computed):
    kpi = load_catalogue().kpis["visit_rate"]

    data = read_kpi(computed, kpi, fiscal_year=2023)

    assert set(data.values["kpi_id"]) == {"visit_rate"}
    assert data.values["fiscal_year"].max() == 2023
    assert data.has_later
    assert data.warnings == ()  # the one there is about 2024
    assert read_kpi(computed, kpi, fiscal_year=2024).warnings == (WARNING,)
    assert set(data.sources["source_id"]) >= {"kumamoto_results_fy2019", "performance_sheet_strategic_fy2024"}
    assert "premium_rates_fy2018" not in set(data.sources["source_id"])


# --- fingerprints -----------------------------------------------------------------------------------------------------

SMALL = ("rate", "other")


def fingerprints(rows, *, sources=None, warnings=()):
    catalogue = builders.catalogue(*(builders.kpi(kpi_id) for kpi_id in SMALL))
    tables = builders.tables(rows, sources=sources)
    return Fingerprints(compute(tables, catalogue, verdict={"warnings": list(warnings)})).list_kpis()


ROWS = [{"kpi_id": kpi_id, "fiscal_year": year, "value": 10.0} for kpi_id in SMALL for year in (2023, 2024)]


def changed(before, after):
    return {(kpi_id, year) for kpi_id in SMALL for year in (2023, 2024) if before[kpi_id][year] != after[kpi_id][year]}


def test_value_changes_the_pages_of_its_kpi_from_its_year_on():
    later = [*ROWS[:1], ROWS[1] | {"value": 11.0}, *ROWS[2:]]
    earlier = [ROWS[0] | {"value": 11.0}, *ROWS[1:]]

    assert changed(fingerprints(ROWS), fingerprints(later)) == {("rate", 2024)}
    assert changed(fingerprints(ROWS), fingerprints(earlier)) == {("rate", 2023), ("rate", 2024)}


def test_year_that_appears_changes_what_earlier_pages_say_of_later_ones():
    years = [*ROWS, {"kpi_id": "rate", "fiscal_year": 2025, "value": 1.0}]

    assert changed(fingerprints(ROWS), fingerprints(years)) == {("rate", 2024)}  # 2023 knew of later years already


def test_document_and_warning_change_the_pages_that_show_them():
    warning = WARNING | {"kpi_id": "rate", "fiscal_year": 2024}

    assert changed(fingerprints(ROWS), fingerprints(ROWS, sources={"doc": "2024-01"})) == {
        (kpi_id, year) for kpi_id in SMALL for year in (2023, 2024)
    }
    assert changed(fingerprints(ROWS), fingerprints(ROWS, warnings=[warning])) == {("rate", 2024)}


def test_store_keeps_the_fingerprints_and_names_its_files(store, computed, curated_dir):
    fresh = Fingerprints(computed).list_kpis()

    assert all(store.fingerprint_kpi(kpi_id, 2024) == fresh[kpi_id][2024] for kpi_id in load_catalogue().kpis)
    assert all(sha256_of(curated_dir / name) == digest for name, digest in store.wide_files().items())
    with pytest.raises(KeyError):
        store.fingerprint_kpi("visit_rate", 1999)


def test_store_knows_the_years_of_each_kpi(store, computed):
    known = computed.list_kpi_years()

    assert {kpi_id: list(store.list_kpi_years(kpi_id)) for kpi_id in load_catalogue().kpis} == known
    assert known["judo_frequent_rate"] == [2018, 2019, 2020, 2023]
    assert 2024 in known["website_visits"]  # of which only a target is known
    with pytest.raises(KeyError):
        store.list_kpi_years("nonsense")


def test_kpi_of_which_nothing_is_known_has_no_year():
    catalogue = builders.catalogue(*(builders.kpi(kpi_id) for kpi_id in SMALL))

    known = compute(builders.tables([ROWS[0], ROWS[0] | {"branch_code": "00", "fiscal_year": 2021}]), catalogue)

    assert known.list_kpi_years() == {"rate": [2021, 2023], "other": []}


# --- the data ---------------------------------------------------------------------------------------------------------


def test_data_are_the_same_from_store_and_memory(store, computed):
    stored, fresh = read_quality(store), read_quality(computed)

    for name in ("comparison", "nation"):
        one, other = (getattr(data, name).sort(LIGHT_COLUMNS[:4]) for data in (stored, fresh))
        assert one.equals(other, null_equal=True)
    for name in WHOLE_TABLES:
        key = [
            column for column in ("source_id", "branch_code", "kpi_id", "fiscal_year") if column in fresh.tables[name]
        ]
        assert stored.tables[name].sort(key).equals(fresh.tables[name].sort(key), null_equal=True)
    assert stored.facts == fresh.facts


def test_facts_count_rows_and_the_figures_of_each_source(tables):
    facts = collect_facts(tables, {"warnings": []})

    assert facts["rows"]["branches"] == 48
    named = tables["observations"].filter(source_id="checkup_implementation_fy2023")
    assert facts["figures"]["checkup_implementation_fy2023"] == {"figures": named.height, "first": 2008, "last": 2023}


def test_fingerprint_of_the_data_follows_tables_and_verdict(tables, curated_dir, tmp_path, store):
    other = build_store(builders.write_curated(tmp_path, tables, warnings=[]))

    assert other.fingerprint_quality() != store.fingerprint_quality()
    assert build_store(curated_dir).fingerprint_quality() == store.fingerprint_quality()
