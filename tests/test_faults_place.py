"""Where and when a batch runs: folders of odd and long names, clocks that go back, other time zones. Rows 54 and 55."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import builders
import pytest
from batches import copy_project, hash_pages, make_batch, run_fake, run_kenpo

from kenpo_lib.batch.paths import Folder, Paths
from kenpo_lib.batch.record import list_manifests, read_record
from kenpo_lib.batch.verify import State, Verifier
from kenpo_lib.catalogue import load_catalogue

pytestmark = pytest.mark.xdist_group("faults")

# --- places ---------------------------------------------------------------------------------------------------------

# What shells, globs, str.format, addresses and templates have a meaning for.
ODD = ("本部　共有 [写し] {branch} %20 #1 'a' & b; $HOME *",)
LONG = ("長い名前のフォルダー" * 6, "x" * 120, "y" * 100)
REPORT = ("report", "--fiscal-year", "2024", "--branch", "47")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "commands"),
    [pytest.param(ODD, [("curate",), ("validate",), REPORT], id="odd"), pytest.param(LONG, [REPORT], id="long")],
)
def test_project_in_an_odd_place_makes_the_same_pages_and_nothing_elsewhere(
    published: Paths, tmp_path: Path, names: tuple[str, ...], commands: list[tuple[str, ...]]
):
    """Row 54."""
    folder = tmp_path.joinpath(*names, "project")
    paths = copy_project(published, folder)
    shutil.copytree(builders.RAW, folder / "data" / "raw", dirs_exist_ok=True)

    for command in commands:
        done = run_kenpo(folder, *command)
        assert done.returncode == 0, done.stderr

    made = {name: digest for name, digest in hash_pages(paths).items() if name != "index.html"}
    assert len(made) == 2
    assert made.items() <= hash_pages(published).items()
    assert {finding.state for finding in Verifier(paths, load_catalogue()).verify(())} == {State.CURRENT}
    assert [path.name for path in tmp_path.iterdir()] == [names[0]]


# --- times ----------------------------------------------------------------------------------------------------------


def test_order_of_runs_is_their_number_whatever_the_clock_says(
    published: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Row 55: the year ends between the first page and the second, then the clock is set back, then the zone is another one."""
    paths = copy_project(published, tmp_path / "project")
    times = iter(["2026-12-31T23:59:59.900+00:00", "2027-01-01T00:00:00.100+00:00", "2027-01-01T00:00:00.200+00:00"])
    for module in ("run", "record"):
        monkeypatch.setattr(f"kenpo_lib.batch.{module}.now", lambda: next(times, "1999-12-31T23:59:59.000+00:00"))

    run_fake(make_batch(paths, ["04", "13"]))
    first = hash_pages(paths)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    again = run_fake(make_batch(paths, ["04", "13"]))
    forced = run_fake(make_batch(paths, ["04"], force=True))

    assert [outcome.state for outcome in again] == ["unchanged", "unchanged"]
    assert [outcome.state for outcome in forced] == ["complete"]
    folder = Folder(paths.reports / "2024")
    assert read_record(folder.run_manifest)["run"] == 2
    assert [record["run"] for record in list_manifests(folder)] == [2, 1]
    assert hash_pages(paths) == first
    assert {finding.state for finding in Verifier(paths, load_catalogue()).verify(())} == {State.CURRENT}


# Records of a batch and of its lock, and the doctor, who looks at the clock.
TELL_TIME = {"batch/record.py", "batch/lock.py", "doctor/machine.py"}


def test_nothing_that_shapes_a_page_asks_for_the_time():
    """Row 55: it would make other bytes of the same inputs."""
    library = builders.ROOT / "kenpo_lib"
    asking = re.compile(r"\.(?:now|today|utcnow)\(|time\.(?:time|localtime|gmtime|ctime|strftime)\(")
    sources = [*library.rglob("*.py"), *(builders.ROOT / "notebooks").glob("*.ipynb")]

    found = {path for path in sources if asking.search(path.read_text(encoding="utf-8"))}

    assert len(sources) > 100
    assert {path.relative_to(library).as_posix() for path in found} == TELL_TIME
