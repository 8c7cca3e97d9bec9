"""Rows 57 and 76: whatever was edited by hand is named; what only went out of date is not called wrong; nothing is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from batches import copy_project, make_batch, run_kenpo
from click.testing import CliRunner, Result
from faults import read_library_once, run_fake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kenpo_lib.batch.digests import PART_WORDS
from kenpo_lib.batch.job import Job, find_job, plan_jobs, plan_kpi_jobs, plan_quality_job
from kenpo_lib.batch.paths import Folder, Paths
from kenpo_lib.batch.record import read_json, write_record
from kenpo_lib.batch.record_check import FIELDS, list_contradictions
from kenpo_lib.batch.verify import State, Verifier
from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.cli import cli
from kenpo_lib.errors import InputError

pytestmark = pytest.mark.xdist_group("faults")

CATALOGUE = load_catalogue()
MIYAGI, TOKYO = "kenpo_04_miyagi_FY2024", "kenpo_13_tokyo_FY2024"


@pytest.fixture(scope="module")
def made(published: Paths, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the pages of two branches, and one that could not be made."""
    folder = tmp_path_factory.mktemp("verify") / "project"
    run_fake(make_batch(copy_project(published, folder), ["04", "13", "47"]), "本文", failing=["47"])
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Paths:
    return Paths.of_project(shutil.copytree(made, tmp_path / "project"))


@pytest.fixture(autouse=True, scope="module")
def _quick():
    patch = read_library_once()
    yield
    patch.undo()


def pages_of(paths: Paths) -> Path:
    return paths.reports / "2024"


def verify(paths: Paths, *given_paths: Path) -> dict[str, Any]:
    return {finding.file: finding for finding in Verifier(paths, CATALOGUE).verify(given_paths)}


def call(paths: Paths, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--project", str(paths.reports.parent), "verify", *arguments])


def edit_record(path: Path, change: Callable[[dict], Any], *, sealed: bool = False) -> None:
    """Change a manifest by hand; ``sealed``: and give it a fitting digest of itself."""
    content = read_json(path)
    change(content)
    if sealed:
        del content["recordDigest"]
        write_record(path, content)
    else:
        path.write_text(json.dumps(content), encoding="utf-8")


def append(path: Path, text: str) -> None:
    path.write_text((path.read_text(encoding="utf-8") if path.exists() else "") + text, encoding="utf-8")


def swap(one: Path, other: Path) -> None:
    first = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(first)


# --- nothing wrong --------------------------------------------------------------------------------------------------


def test_pages_as_made_agree_with_their_records_and_nothing_is_written(project: Paths):
    before = {path: path.read_bytes() for path in project.reports.parent.rglob("*") if path.is_file()}

    result = call(project)

    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        [f"{MIYAGI}.html", "一致"],
        [f"{TOKYO}.html", "一致"],
        ["errors/kenpo_47_okinawa_FY2024.html", "作れなかった:", "理由"],
    ]
    assert result.stderr == "一致 2、作れなかった 1\n"
    assert {path: path.read_bytes() for path in project.reports.parent.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_real_pages_agree_with_their_records_in_a_process_of_its_own(published: Paths):
    done = run_kenpo(published.reports.parent, "verify", "--format", "json", KENPO_LANG="en")

    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "as recorded 4\n")
    assert [entry["file"][:9] for entry in found] == ["kenpo_00_", "kenpo_04_", "kenpo_13_", "kenpo_47_"]
    for entry in found:
        assert entry == {
            "file": entry["file"],
            "state": "current",
            "is_good": True,
            "words": "as recorded",
            "changed": [],
            "inputs": [],
        }


def test_a_page_can_be_named_by_its_record_or_its_folder_too(project: Paths):
    folder = pages_of(project)

    assert list(verify(project, folder / f"{MIYAGI}.html")) == [f"{MIYAGI}.html"]
    assert list(verify(project, folder / f"{MIYAGI}.manifest.json")) == [f"{MIYAGI}.html"]
    assert verify(project, folder) == verify(project)


def test_a_page_that_was_sent_elsewhere_is_compared_with_the_projects_record(project: Paths, tmp_path: Path):
    copy = Path(shutil.copy(pages_of(project) / f"{MIYAGI}.html", tmp_path))
    assert verify(project, copy)[copy.name].state is State.CURRENT

    size = copy.stat().st_size
    append(copy, " ")
    result = call(project, str(copy))

    assert result.exit_code == 1
    assert result.stdout == f"{MIYAGI}.html  頁が記録と違う: {size} → {size + 1} バイト\n"


def test_nothing_to_verify_is_wrong_usage(project: Paths, tmp_path: Path):
    assert call(project, str(tmp_path / "x.html")).exit_code == 2
    shutil.rmtree(pages_of(project))
    result = call(project)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "kenpo report" in result.stderr
    with pytest.raises(InputError):
        verify(project, tmp_path)


# --- not what was made ----------------------------------------------------------------------------------------------


def _swap_pages(folder: Path) -> None:
    swap(folder / f"{MIYAGI}.html", folder / f"{TOKYO}.html")


def _swap_pages_with_records(folder: Path) -> None:
    _swap_pages(folder)
    swap(folder / f"{MIYAGI}.manifest.json", folder / f"{TOKYO}.manifest.json")


def _swap_and_rename_and_seal(folder: Path) -> None:
    _swap_pages_with_records(folder)
    record = folder / f"{MIYAGI}.manifest.json"
    edit_record(record, lambda content: content["subject"][0].update(name=f"{MIYAGI}.html"), sealed=True)


def _lose_both(folder: Path) -> None:
    (folder / f"{MIYAGI}.html").unlink()
    (folder / f"{MIYAGI}.manifest.json").unlink()


def _replace_byte(folder: Path) -> None:
    path = folder / f"{MIYAGI}.html"
    path.write_bytes(path.read_bytes().replace(b"04", b"05"))


TAMPERINGS: dict[str, tuple[Callable[[Path], Any], State]] = {
    "page edited": (lambda folder: append(folder / f"{MIYAGI}.html", "x"), State.PAGE_DIFFERS),
    "page edited, same size": (_replace_byte, State.PAGE_DIFFERS),
    "page empty": (lambda folder: (folder / f"{MIYAGI}.html").write_bytes(b""), State.PAGE_DIFFERS),
    "pages swapped": (_swap_pages, State.PAGE_DIFFERS),
    "swapped with records": (_swap_pages_with_records, State.RECORD_EDITED),
    "swapped, renamed, sealed": (_swap_and_rename_and_seal, State.RECORD_EDITED),
    "record lost": (lambda folder: (folder / f"{MIYAGI}.manifest.json").unlink(), State.NO_RECORD),
    "page lost": (lambda folder: (folder / f"{MIYAGI}.html").unlink(), State.NO_PAGE),
    "both lost": (_lose_both, State.NO_PAGE),
    "record empty": (lambda folder: (folder / f"{MIYAGI}.manifest.json").write_bytes(b""), State.RECORD_EDITED),
    "record another language": (
        lambda folder: (folder / f"{MIYAGI}.manifest.json").write_bytes("記録".encode("cp932")),
        State.RECORD_EDITED,
    ),
    "record a list": (lambda folder: (folder / f"{MIYAGI}.manifest.json").write_text("[1]"), State.RECORD_EDITED),
    "record an empty object": (
        lambda folder: (folder / f"{MIYAGI}.manifest.json").write_text("{}"),
        State.RECORD_EDITED,
    ),
    "record too deep": (
        lambda folder: (folder / f"{MIYAGI}.manifest.json").write_text('{"a":' * 50_000),
        State.RECORD_EDITED,
    ),
}


@pytest.mark.parametrize(("tamper", "state"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_what_was_tampered_with_is_named_and_the_others_are_not(project: Paths, tamper, state: State):
    tamper(pages_of(project))

    found = verify(project)
    result = call(project)

    assert found[f"{MIYAGI}.html"].state is state
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 3
    assert found["errors/kenpo_47_okinawa_FY2024.html"].state is State.FAILED
    if not tamper.__name__.startswith("_swap"):
        assert found[f"{TOKYO}.html"].state is State.CURRENT


@pytest.mark.parametrize(
    ("name", "spoil", "file", "state"),
    [
        ("manifest.json", lambda path: append(path, "\n{"), "2024/manifest.json", State.RECORD_EDITED),
        (
            "manifest.json",
            lambda path: edit_record(path, lambda content: content.update(run=7)),
            "2024/manifest.json",
            State.RECORD_EDITED,
        ),
        (
            "errors/kenpo_47_okinawa_FY2024.json",
            lambda path: edit_record(path, lambda content: content.update(cause="data!")),
            "errors/kenpo_47_okinawa_FY2024.html",
            State.RECORD_EDITED,
        ),
        (
            "errors/kenpo_47_okinawa_FY2024.json",
            Path.unlink,
            "errors/kenpo_47_okinawa_FY2024.html",
            State.NO_RECORD,
        ),
        (
            "errors/kenpo_47_okinawa_FY2024.html",
            Path.unlink,
            "errors/kenpo_47_okinawa_FY2024.html",
            State.NO_PAGE,
        ),
    ],
)
def test_the_other_records_are_checked_too(project: Paths, name: str, spoil, file: str, state: State):
    spoil(pages_of(project) / name)

    found = verify(project)

    assert found[file].state is state
    assert {found[f"{stem}.html"].state for stem in (MIYAGI, TOKYO)} == {State.CURRENT}


def test_a_page_that_nobody_made_has_no_record(project: Paths):
    (pages_of(project) / "kenpo_99_nowhere\n_FY2024.html").write_text("x")

    result = call(project)

    assert result.exit_code == 1
    assert ["'kenpo_99_nowhere\\n_FY2024.html'", "記録がない"] in [line.split() for line in result.stdout.splitlines()]
    assert len(result.stdout.splitlines()) == 4


# --- edited records -------------------------------------------------------------------------------------------------


def _list_leaves(value: Any, path: tuple = ()) -> list[tuple]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [leaf for key, child in children for leaf in _list_leaves(child, (*path, key))]
    return found or [path]


def _set(content: Any, path: tuple, value: Any) -> Any:
    for key in path[:-1]:
        content = content[key]
    former, content[path[-1]] = content[path[-1]], value
    return former


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_edit_of_a_record_is_seen(made: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    folder = tmp_path_factory.mktemp("edited")
    paths = Paths.of_project(made)
    page = Path(shutil.copy(pages_of(paths) / f"{MIYAGI}.html", folder))
    record = Path(shutil.copy(pages_of(paths) / f"{MIYAGI}.manifest.json", folder))
    content = read_json(record)
    path = data.draw(st.sampled_from(_list_leaves(content)))
    value = data.draw(JSON_VALUES)
    if _set(content, path, value) == value:
        return
    record.write_text(json.dumps(content), encoding="utf-8")

    (finding,) = Verifier(paths, CATALOGUE).verify([page])

    assert finding.state is State.RECORD_EDITED


@given(data=st.data())
def test_anything_in_place_of_a_field_is_answered_with_words(made: Path, data: st.DataObject):
    content = read_json(pages_of(Paths.of_project(made)) / f"{MIYAGI}.manifest.json")
    path = data.draw(st.sampled_from([(name,) for name in FIELDS] + _list_leaves(content)))
    _set(content, path, data.draw(JSON_VALUES))

    job = find_job(content.get("externalParameters"), CATALOGUE)

    assert all(text.ja and text.en for text in list_contradictions(content, f"{MIYAGI}.html", job))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        *[(lambda content, name=name: content.pop(name), f"項目 {name} がない") for name in FIELDS],
        *[(lambda content, part=part: content["parts"].update({part: "0" * 64}), "key") for part in PART_WORDS],
        (lambda content: content["externalParameters"].update(branch="13"), "合わない"),
        (lambda content: content["externalParameters"].update(fiscal_year="2024"), "合わない"),
        (lambda content: content["externalParameters"].update(x=1), "合わない"),
        (lambda content: content["versions"].update(polars="9.9"), "environment"),
        (lambda content: content["resolvedDependencies"].clear(), "notebook"),
        (lambda content: content["resolvedDependencies"][0].update(name="../x"), "resolvedDependencies"),
        (lambda content: content["subject"].append(content["subject"][0]), "subject"),
        (lambda content: content["subject"][0].update(bytes=True), "subject"),
        (lambda content: content["code"].update(commit="main"), "code"),
        (lambda content: content.update(outcome="failed"), "outcome"),
        (lambda content: content.update(run=0), "run"),
        (lambda content: content.update(finished="2024-04-01T00:00:00"), "finished"),
        (lambda content: content["summary"].update(note="see /srv/data/x.csv"), "フォルダー名"),
        (lambda content: content["summary"].update(note="C:\\Users\\x"), "フォルダー名"),
        (lambda content: content["summary"].update(note=[{"\\\\server\\share": 1}]), "フォルダー名"),
        (lambda content: content["summary"].update(note="made on PC-0042."), "端末の名前"),
        (lambda content: content.update({"by": "suzuki@PC-0043"}), "利用者"),
    ],
)
def test_records_that_contradict_themselves_are_refused_even_with_a_fitting_digest(
    project: Paths, monkeypatch: pytest.MonkeyPatch, change, said: str
):
    monkeypatch.setattr("platform.node", lambda: "PC-0042.")
    monkeypatch.setattr("getpass.getuser", lambda: "suzuki")
    edit_record(pages_of(project) / f"{MIYAGI}.manifest.json", change, sealed=True)

    finding = verify(project)[f"{MIYAGI}.html"]

    assert finding.state is State.RECORD_EDITED
    assert said in finding.words("ja")


ASKED = {"fiscal_year": 2024, "lang": "en"}
JOBS = [
    *plan_jobs(CATALOGUE, ["04"], **ASKED, order="block"),
    *plan_kpi_jobs(CATALOGUE, ["visit_rate"], **ASKED),
    plan_quality_job(CATALOGUE, **ASKED),
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.kind)
def test_job_is_found_by_what_its_record_says(job: Job):
    recorded = json.loads(json.dumps(job.to_dict()))

    assert find_job(recorded, CATALOGUE) == job
    for other in JOBS:
        if other is not job:
            assert find_job(recorded | {"kind": str(other.kind)}, CATALOGUE) != job
    for change in ({"x": 1}, {"kpi": "nonsense"}, {"kpi": ["visit_rate"]}, {"branch": "99"}, {"kind": ["kpi"]}):
        assert find_job(recorded | change, CATALOGUE) is None


# --- changed since --------------------------------------------------------------------------------------------------


def _touch_notebook(paths: Paths) -> None:
    path = paths.notebooks / "20_branch_profile.ipynb"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("part", "change", "inputs"),
    [
        ("notebook", _touch_notebook, ["notebooks/20_branch_profile.ipynb"]),
        (
            "notebook",
            lambda paths: (paths.notebooks / "20_branch_profile.ipynb").unlink(),
            ["notebooks/20_branch_profile.ipynb"],
        ),
        ("templates", lambda paths: append(paths.templates / "kenpo" / "style.css", "\n/* x */\n"), []),
        ("lock", lambda paths: append(paths.lock_file, "# x\n"), []),
    ],
)
def test_a_page_whose_inputs_changed_since_is_genuine_but_not_current(project: Paths, part: str, change, inputs):
    change(project)

    finding = verify(project)[f"{MIYAGI}.html"]
    result = call(project)

    assert (finding.state, finding.changed) == (State.OUTDATED, (part,))
    assert list(finding.inputs) == inputs
    assert result.exit_code == 0
    assert f"入力が変わった: {PART_WORDS[part].ja}" in result.stdout


@pytest.mark.parametrize(
    ("part", "name", "changed"),
    [
        ("environment", "list_versions", {"python": "3.99"}),
        ("definitions", "digest_definitions", "0" * 64),
        *[(part, "digest_folder", "0" * 64) for part in ("library", "suites", "font")],
    ],
)
def test_code_and_versions_that_changed_since_are_named(
    project: Paths, monkeypatch: pytest.MonkeyPatch, part: str, name: str, changed
):
    monkeypatch.setattr(f"kenpo_lib.batch.digests.{name}", lambda *arguments: changed)

    finding = verify(project)[f"{MIYAGI}.html"]

    assert finding.state is State.OUTDATED
    assert part in finding.changed


def test_data_that_changed_since_are_named(project: Paths, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kenpo_lib.store.Store.fingerprint", lambda store, code, year: f"{code} {year}")

    assert verify(project)[f"{MIYAGI}.html"].changed == ("data",)


@pytest.mark.parametrize(
    ("wanted", "method"), [({"kpis": ["visit_rate"]}, "fingerprint_kpi"), ({"quality": True}, "fingerprint_quality")]
)
def test_data_of_a_kpi_or_of_the_quality_page_that_changed_since_are_named(
    published: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, Any], method: str
):
    paths = copy_project(published, tmp_path / "project")
    (outcome,) = run_fake(make_batch(paths, [], **wanted), "本文")
    assert verify(paths)[outcome.job.file].state is State.CURRENT
    monkeypatch.setattr(f"kenpo_lib.store.Store.{method}", lambda store, *about: "other")

    (decision,) = make_batch(paths, [], **wanted).decide()

    assert verify(paths)[outcome.job.file].changed == ("data",)
    assert decision.reason.ja == "変わった: データ"


def test_data_without_the_year_are_named(project: Paths, monkeypatch: pytest.MonkeyPatch):
    def forget(store, code, year):
        raise KeyError(year)

    monkeypatch.setattr("kenpo_lib.store.Store.fingerprint", forget)

    assert verify(project)[f"{MIYAGI}.html"].changed == ("data",)


def test_a_table_that_was_touched_is_named(project: Paths):
    (path,) = project.curated.glob("store/*/nation.parquet")
    path.write_bytes(path.read_bytes() + b"x")

    finding = verify(project)[f"{MIYAGI}.html"]

    assert finding.state is State.OUTDATED
    assert f"data/curated/store/{path.parent.name}/nation.parquet" in finding.words("ja")
    assert finding.inputs == (f"data/curated/store/{path.parent.name}/nation.parquet",)


def test_pages_are_verified_also_where_the_data_are_gone(project: Paths):
    shutil.rmtree(project.curated)
    append(pages_of(project) / f"{TOKYO}.html", "x")

    found = verify(project)
    result = call(project)

    assert found[f"{MIYAGI}.html"].state is State.CURRENT
    assert found[f"{TOKYO}.html"].state is State.PAGE_DIFFERS
    assert "今のデータとは比べていません" in result.stderr
    assert all(name.startswith("data/curated/") for name in found[f"{MIYAGI}.html"].inputs)
    assert found[f"{MIYAGI}.html"].inputs


def test_the_next_report_makes_again_what_verify_calls_wrong(project: Paths):
    folder = Folder(pages_of(project))
    append(folder.path / f"{MIYAGI}.html", "x")
    edit_record(folder.path / f"{TOKYO}.manifest.json", lambda content: content.update(run=5))
    assert call(project).exit_code == 1

    run_fake(make_batch(project, ["04", "13", "47"]), "本文")

    assert {finding.state for finding in verify(project).values()} == {State.CURRENT}
