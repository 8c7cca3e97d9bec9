"""The store: what is in it is what computing gives, it is used only while it is current, and fingerprints tell which pages change."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path

import builders
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_layers import list_own_imports

from kenpo_lib import briefing as show
from kenpo_lib.catalogue import NATION, Catalogue
from kenpo_lib.cli.tables import compare_year
from kenpo_lib.compare import compute_comparison
from kenpo_lib.curated import Tables, read_tables, write_tables
from kenpo_lib.errors import InputError
from kenpo_lib.files import sha256_of
from kenpo_lib.store import Store, build, build_store, key, open_store
from kenpo_lib.store.computed import Computed, compute, compute_folder
from kenpo_lib.store.fingerprints import Fingerprints
from kenpo_lib.store.page_data import PageData, read_page

PAGES = [("04", "ja"), ("13", "ja"), ("47", "ja"), (NATION, "ja"), ("04", "en")]
WARNING = {
    **{"table": "observations", "column": "check_jump_share", "branch_code": "04", "kpi_id": "visit_rate"},
    **{"definition": "10m", "fiscal_year": 2024, "source_id": "doc", "locator": "p.1"},
    **{"words": {"ja": "語", "en": "words"}, "found": {"ja": "値", "en": "found"}},
}


def equal(one: PageData, other: PageData) -> bool:
    """Whether two pages are given the same."""
    for name in PageData.__dataclass_fields__:
        left, right = getattr(one, name), getattr(other, name)
        if isinstance(left, pl.DataFrame) and isinstance(right, pl.DataFrame):
            same = left.schema == right.schema and left.equals(right, null_equal=True)
        else:
            same = type(left) is type(right) and left == right
        if not same:
            return False
    return True


def draw(briefing: show.Briefing) -> str:
    """Every section of a page, as the notebooks have them."""
    parts = [show.show_header, show.show_contents, show.show_conclusion, show.show_kpi_table]
    if briefing.branch_code == NATION:
        shown = [part(briefing) for part in (*parts, show.show_branch_matrix)]
        shown += [show.show_kpi_overview(briefing, kpi) for kpi in show.list_full_kpis(briefing)]
        shown += [show.show_spread(briefing, kpi) for kpi in show.list_spread_kpis(briefing)]
        rest = (show.show_contributions, show.show_incentive_ranking, show.show_sources)
    else:
        shown = [part(briefing) for part in (*parts, show.show_interim)]
        shown += [show.show_theme(briefing, theme) for theme in show.list_themes(briefing)]
        rest = (show.show_incentive, show.show_budgets, show.show_self_assessment, show.show_sources)
    return "\n".join(map(str, [*shown, *(part(briefing) for part in rest)]))


@pytest.fixture(scope="module")
def curated_dir(tmp_path_factory: pytest.TempPathFactory, tables: Tables) -> Path:
    """The real figures, with a verdict that notes something about Miyagi; without a store."""
    return builders.write_curated(tmp_path_factory.mktemp("real"), tables, warnings=[WARNING])


@pytest.fixture(scope="module")
def store(curated_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same with a store."""
    project = shutil.copytree(curated_dir.parents[1], tmp_path_factory.mktemp("stored") / "project")
    return build_store(project / "data" / "curated")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A few figures of a folder of their own, with a store."""
    rows = [
        {"branch_code": f"{code:02d}", "kpi_id": "visit_rate", "definition": "10m", "value": 30.0 + code}
        for code in range(1, 13)
    ]
    curated_dir = builders.write_curated(tmp_path, builders.tables(rows))
    build_store(curated_dir)
    return curated_dir


# --- the same as computing ------------------------------------------------------------------------------------------


def test_store_gives_every_page_what_computing_gives(store: Store, tables: Tables, catalogue: Catalogue):
    # given
    computed = compute(tables, catalogue, verdict={"warnings": [WARNING]})
    # when
    assert store.years == computed.years
    for code in catalogue.branches:
        for year in (2019, 2023, 2024, 2026):
            wanted = read_page(computed, catalogue, branch_code=code, fiscal_year=year)
            # then
            assert equal(store.read_page(code, year), wanted), (code, year)


@pytest.mark.slow
@pytest.mark.parametrize(("code", "lang"), PAGES)
def test_page_is_the_same_with_and_without_the_store(store: Store, curated_dir: Path, code: str, lang: str):
    # given
    page = {"branch": code, "fiscal_year": 2024, "lang": lang}
    assert open_store(curated_dir) is None
    # when
    stored, computed = (show.open_briefing(folder, **page) for folder in (store.curated_dir, curated_dir))
    # then
    assert stored.inputs == computed.inputs == sha256_of(curated_dir / "curated.json")
    assert draw(stored) == draw(computed)


def test_store_holds_the_comparison_of_each_year_as_computed(store: Store, comparison: pl.DataFrame):
    for year in store.years:
        assert store.read_year(year).equals(comparison.filter(fiscal_year=year), null_equal=True)
        assert store.read_year(year).schema == comparison.schema


def test_opening_a_page_refuses_a_year_or_branch_that_is_not_there(store: Store):
    with pytest.raises(InputError, match="2024"):
        show.open_briefing(store.curated_dir, branch="04", fiscal_year=1999)
    with pytest.raises(InputError, match="48"):
        show.open_briefing(store.curated_dir, branch="48", fiscal_year=2024)


# --- when it is used ------------------------------------------------------------------------------------------------


def test_store_is_built_once(small: Path, monkeypatch: pytest.MonkeyPatch):
    # given a store that is current
    monkeypatch.setattr(build, "compute_folder", None)  # computing would fail
    # when, then
    assert build_store(small) == open_store(small)


def test_same_tables_give_the_same_files(small: Path):
    # given
    def list_contents() -> dict[str, bytes]:
        folder = small / "store"
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}

    before = list_contents()
    # when
    shutil.rmtree(small / "store")
    build_store(small)
    # then
    assert list_contents() == before


def change_suite(folder: Path) -> None:
    path = folder.parents[1] / "expectations" / "budgets.json"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")


STALE = {
    "no store": lambda folder: shutil.rmtree(folder / "store"),
    "no manifest": lambda folder: (folder / "store" / "store.json").unlink(),
    "half a manifest": lambda folder: (folder / "store" / "store.json").write_text('{"key": {'),
    "another manifest": lambda folder: (folder / "store" / "store.json").write_text("[]"),
    "a missing file": lambda folder: next((folder / "store").rglob("rows_000.parquet")).unlink(),
    "other tables": lambda folder: write_tables(builders.tables([{"value": 1.0}]), folder, inputs={}),
    "another verdict": lambda folder: (folder / "validation.json").write_text("{}"),
    "no verdict": lambda folder: (folder / "validation.json").unlink(),
    "other suites": change_suite,
    "a table cut off": lambda folder: (folder / "observations.parquet").write_bytes(b"PAR1"),
}


@pytest.mark.parametrize("change", STALE.values(), ids=STALE)
def test_store_is_not_used_when_something_changed(small: Path, change):
    # given
    assert open_store(small) is not None
    # when
    change(small)
    # then
    assert open_store(small) is None


@pytest.mark.parametrize("name", ["digest_definitions", "digest_library", "_list_versions"])
def test_store_made_by_other_definitions_or_code_is_not_used(small: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr(key, name, lambda: (("polars", "0"),) if name == "_list_versions" else "other")

    assert open_store(small) is None


def test_a_stale_store_is_replaced_as_a_whole(small: Path):
    # given other tables and their verdict
    former = open_store(small)
    builders.write_curated(
        small.parents[1], builders.tables([{"kpi_id": "visit_rate", "definition": "10m", "value": 7}])
    )
    # when
    current = build_store(small)
    # then the former files are gone, and a reader who still has the former store is told
    assert [path.name for path in (small / "store").iterdir() if path.is_dir()] == [current.folder.name]
    assert current.read_page("04", 2024).own["value"].to_list() == [7]
    with pytest.raises(InputError, match="もう一度"):
        former.read_page("04", 2024)


def test_store_of_tables_that_change_while_it_is_made_is_not_kept(small: Path, monkeypatch: pytest.MonkeyPatch):
    # given
    shutil.rmtree(small / "store")

    def compute_slowly(*args, **kwargs):
        computed = compute_folder(*args, **kwargs)
        (small / "curated.json").write_text("{}", encoding="utf-8")
        return computed

    monkeypatch.setattr(build, "compute_folder", compute_slowly)
    # when, then
    with pytest.raises(InputError, match="もう一度"):
        build_store(small)
    assert not (small / "store" / "store.json").exists()


def test_store_needs_a_verdict(small: Path):
    shutil.rmtree(small / "store")
    (small / "validation.json").unlink()

    with pytest.raises(InputError, match="kenpo validate"):
        build_store(small)


def test_opening_and_asking_load_no_frame_library(store: Store):
    # given a new process
    check = (
        "from kenpo_lib.store import open_store; import sys; s = open_store(sys.argv[1]);"
        "s.fingerprint('04', 2024); s.files('00', 2024); s.wide_files(); s.fingerprint_quality();"
        "s.fingerprint_kpi('visit_rate', 2024); s.list_kpi_years('visit_rate');"
        "print(sorted({'polars', 'numpy', 'scipy', 'pandas'} & sys.modules.keys()))"
    )
    # when
    command = [sys.executable, "-c", check, str(store.curated_dir)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=builders.ROOT)
    # then
    assert shown.stdout.strip() == "[]"


def test_key_covers_every_module_that_has_a_part_in_the_numbers():
    # given all that computing imports, directly or not
    package = builders.ROOT / "kenpo_lib"

    def list_files(name: str) -> list[Path]:
        return sorted((package / name).glob("*.py")) if (package / name).is_dir() else [package / f"{name}.py"]

    found, waiting = set(), {"store"}
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= {other for path in list_files(name) for other in list_own_imports(path)} - found
    # when, then: the verdict is read, but checks nothing about the numbers; a store shows itself in a table
    assert {name.removesuffix(".py") for name in key.COMPUTING} == found - {"kept_verdict", "tables"}


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["04", "13", NATION])
def test_files_of_a_page_are_all_that_it_reads(store: Store, tmp_path: Path, catalogue: Catalogue, code: str):
    # given a copy in which nothing but these files is there
    files = store.files(code, 2024)
    copy = tmp_path / "curated"
    for name in files:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(store.curated_dir / name, copy / name)
    alone = Store(copy, store.manifest, store.manifest_sha256)
    # when, then
    assert equal(alone.read_page(code, 2024), store.read_page(code, 2024))
    assert {name: sha256_of(copy / name) for name in files} == files
    with pytest.raises(KeyError):
        store.files(code, 1999)


# --- fingerprints ---------------------------------------------------------------------------------------------------

DATE = dt.date(2025, 6, 30)
KPIS = (
    builders.kpi(
        "rate", definitions={"old": builders.definition("old", last=2023), "new": builders.definition("new", 2024)}
    ),
    builders.kpi("share", order=20, theme="generics", proportion=False),
    builders.kpi("rare", order=30, theme="visits", proportion=False),
)
CODES = [f"{code:02d}" for code in range(1, 14)]
SHOWN = [*CODES[:3], "13", "47", NATION]


def make_world() -> tuple[Tables, list[dict]]:
    """Thirteen branches in two years and under two definitions, with something in every table."""
    rate = [
        {"branch_code": code, "kpi_id": "rate", "definition": definition, "fiscal_year": year, "value": value}
        | {"numerator": value * 10, "denominator": 1000.0, "source_id": f"doc{year}"}
        for place, code in enumerate([NATION, *CODES])
        for definition, year, value in (
            ("old", 2022, 40.0 + place),
            ("old", 2023, 41.0 + place),
            ("new", 2024, 50.0 + place),
        )
    ]
    share = [
        {"branch_code": code, "kpi_id": "share", "value": 70.0 + place, "fiscal_year": 2024}
        for place, code in enumerate(CODES[1:])
    ]
    share.append({"branch_code": NATION, "kpi_id": "share", "value": 69.0, "fiscal_year": 2023})
    rare = [
        {"branch_code": "01", "kpi_id": "rare", "value": 3.0},
        {"branch_code": "47", "kpi_id": "rare", "value": 4.0},
    ]
    pending = [
        {"branch_code": "02", "kpi_id": "rare", "status": "interim", "period": "YTD", "value": 2.0, "as_of": DATE}
    ]
    targets = [{"branch_code": code, "kpi_id": "share", "value": 72.0} for code in ("02", "03")]
    tables = builders.tables([*rate, *share, *rare, *pending], targets)
    budgets = [{"branch_code": code, "kpi_id": "rate", "budget_thousand_yen": 10.0} for code in ("03", "13")]
    marks = [{"branch_code": "13", "fiscal_year": 2024, "section": "章", "plan_item": "項目", "mark": "○"}]
    marks = [mark | {"as_of": DATE, "source_id": "doc", "locator": "p.2"} for mark in marks]
    tables |= {
        "budgets": builders.frame("budgets", budgets),
        "self_assessments": builders.frame("self_assessments", marks),
    }
    warnings = [
        WARNING | {"branch_code": code, "kpi_id": "rate", "definition": definition, "fiscal_year": year}
        for code, definition, year in (("01", "new", 2024), ("02", "old", 2022), (NATION, "new", 2024))
    ]
    return tables, warnings


def compute_world(tables: Tables, warnings: list[dict]) -> Computed:
    return compute(tables, builders.catalogue(*KPIS), verdict={"warnings": list(warnings)})


def list_fingerprints(computed: Computed) -> dict[tuple[str, int], str]:
    fingerprints = Fingerprints(computed)
    codes = [*CODES, "47"]
    rows = pl.concat([computed.read_branch(code, until=9999) for code in codes])
    pages = fingerprints.list_branch_pages(codes, rows) | {NATION: fingerprints.list_overviews()}
    return {(code, year): pages[code][year] for code in SHOWN for year in (2022, 2023, 2024)}


def list_pages(computed: Computed) -> dict[tuple[str, int], PageData]:
    return {
        (code, year): read_page(computed, computed.catalogue, branch_code=code, fiscal_year=year)
        for code in SHOWN
        for year in (2022, 2023, 2024)
    }


@pytest.fixture(scope="module")
def world() -> tuple[Tables, list[dict]]:
    return make_world()


@pytest.fixture(scope="module")
def before(world) -> tuple[dict, dict]:
    """Fingerprints and data of the pages as they are."""
    computed = compute_world(*world)
    return list_fingerprints(computed), list_pages(computed)


def set_cell(tables: Tables, name: str, row: int, column: str, value: object) -> Tables:
    frame = tables[name].with_row_index("_row")
    new = pl.when(pl.col("_row") == row).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
    return tables | {name: frame.with_columns(new.cast(frame.schema[column])).drop("_row")}


CHANGES = [
    ("observations", "value", 44.4),
    ("observations", "value", None),
    ("observations", "numerator", 123.0),
    ("observations", "locator", "p.9"),
    ("observations", "note", "注記"),
    ("observations", "status", "pending"),
    ("targets", "value", 99.0),
    ("targets", "locator", "p.9"),
    ("budgets", "executed_thousand_yen", 9.0),
    ("budgets", "programme", "別の事業"),
    ("self_assessments", "mark", "×"),
    ("sources", "title", "another document"),
    ("sources", "order_date", "2024-01"),
]


@settings(max_examples=40)
@given(change=st.sampled_from(CHANGES), place=st.integers(0, 200))
def test_fingerprint_changes_exactly_when_what_the_page_can_show_does(world, before, change, place):
    # given one cell changed
    tables, warnings = world
    name, column, value = change
    changed = set_cell(tables, name, place % tables[name].height, column, value)
    # when
    computed = compute_world(changed, warnings)
    fingerprints, pages = list_fingerprints(computed), list_pages(computed)
    # then
    for page, data in pages.items():
        assert (fingerprints[page] == before[0][page]) == equal(data, before[1][page]), page


@given(entry=st.integers(0, 2), field=st.sampled_from(["found", "branch_code", "kpi_id", "fiscal_year"]))
def test_fingerprint_follows_the_warnings_that_the_page_shows(world, before, entry, field):
    # given one warning changed
    tables, warnings = world
    other = {"found": {"ja": "別", "en": "other"}, "branch_code": "03", "kpi_id": "share", "fiscal_year": 2023}
    changed = [warning | ({field: other[field]} if place == entry else {}) for place, warning in enumerate(warnings)]
    # when
    computed = compute_world(tables, changed)
    fingerprints, pages = list_fingerprints(computed), list_pages(computed)
    # then
    for page, data in pages.items():
        assert (fingerprints[page] == before[0][page]) == equal(data, before[1][page]), page


def list_changed(before: tuple[dict, dict], tables: Tables, warnings: list[dict]) -> set[tuple[str, int]]:
    after = list_fingerprints(compute_world(tables, warnings))
    return {page for page, fingerprint in after.items() if fingerprint != before[0][page]}


def test_a_changed_budget_changes_the_page_of_its_branch_only(world, before):
    tables, warnings = world
    place = tables["budgets"]["branch_code"].to_list().index("13")

    assert list_changed(before, set_cell(tables, "budgets", place, "executed_thousand_yen", 5.0), warnings) == {
        ("13", 2024)
    }


def test_a_changed_value_changes_the_pages_that_show_it(world, before):
    # given another share of one branch, which Hokkaido (01) has none of
    tables, warnings = world
    rows = tables["observations"].with_row_index("_row").filter(kpi_id="share", branch_code="05")
    # when
    changed = list_changed(before, set_cell(tables, "observations", rows["_row"][0], "value", 71.5), warnings)
    # then: those that stand among the branches of this KPI, in its year alone
    assert changed == {("02", 2024), ("03", 2024), ("13", 2024), (NATION, 2024)}


def test_a_national_value_that_stands_beside_no_branch_changes_the_pages_of_its_kpi(world, before):
    # given another share of the nation in a year in which no branch has one
    tables, warnings = world
    rows = tables["observations"].with_row_index("_row").filter(kpi_id="share", branch_code=NATION)
    # when
    changed = list_changed(before, set_cell(tables, "observations", rows["_row"][0], "value", 68.0), warnings)
    # then: its line in the charts over the years
    assert changed == {("02", 2024), ("03", 2024), ("13", 2024), (NATION, 2023), (NATION, 2024)}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "column", "value"), CHANGES)
def test_equal_fingerprints_mean_equal_pages(world, before, name, column, value):
    # given one cell changed
    tables, warnings = world
    catalogue = builders.catalogue(*KPIS)
    changed = set_cell(tables, name, 0, column, value)
    fingerprints, pages = (make(compute_world(changed, warnings)) for make in (list_fingerprints, list_pages))
    # when
    same = [page for page in pages if fingerprints[page] == before[0][page] and page[1] == 2024]
    # then
    for code, year in same[:2]:
        one, other = (
            draw(show.Briefing(data[code, year], catalogue, code, year, "ja", "")) for data in (pages, before[1])
        )
        assert one == other


def test_real_fingerprints_are_all_different_where_there_is_something_to_show(store: Store, comparison: pl.DataFrame):
    known = comparison.select("branch_code", "fiscal_year").unique().rows()
    found = [store.fingerprint(code, year) for code, year in known]

    assert len(set(found)) == len(known) > 300


def test_command_line_compares_the_same_with_the_store(store: Store, catalogue: Catalogue):
    # given, when
    stored = compare_year(store.curated_dir, catalogue, 2024)
    # then
    computed = compute_comparison(read_tables(store.curated_dir), catalogue).filter(fiscal_year=2024)
    assert stored.equals(computed, null_equal=True)
    with pytest.raises(InputError, match="1999"):
        compare_year(store.curated_dir, catalogue, 1999)
