"""The command line: what it accepts, what it refuses, where its words go and with which exit code it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import builders
import click
import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from kenpo_lib import __version__
from kenpo_lib.catalogue import load_catalogue
from kenpo_lib.cli import cli
from kenpo_lib.cli.root import Group
from kenpo_lib.compare import compute_comparison
from kenpo_lib.curated import SCHEMAS, read_tables
from kenpo_lib.errors import BranchesFailedError, Fault, InputError, ValidationStoppedError
from kenpo_lib.export import to_console_table, to_csv_text, to_json_text
from kenpo_lib.language import Lang
from kenpo_lib.normalise import display_width
from kenpo_lib.parameters import SCHEMA, list_parameters

JAPANESE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")
COMMANDS = tuple(cli.commands)
ALL = load_catalogue().branch_codes
HEAVY = (
    *(
        "polars",
        "pandas",
        "pyarrow",
        "altair",
        "vl_convert",
        "great_expectations",
        "papermill",
        "nbconvert",
        "nh3",
        "bs4",
    ),
    *("jinja2", "hypothesis", "kenpo_lib.curate", "kenpo_lib.batch.pool", "kenpo_lib.validate", "kenpo_lib.charts"),
)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with all real figures, curated once. Tests read it; those that write take a ``copy``."""
    folder = tmp_path_factory.mktemp("cli") / "project"
    for part in ("data/raw", "expectations", "notebooks"):
        shutil.copytree(builders.ROOT / part, folder / part)
    result = run(folder, "curate")
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="session")
def small_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three documents only, sealed and curated."""
    folder = tmp_path_factory.mktemp("cli") / "small"
    for part in ("data", "expectations", "notebooks"):
        (folder / part).mkdir(parents=True)
    raw = builders.copy_sources(
        folder / "data" / "raw", "toyama_plan_fy2025", "miyagi_plan_fy2024", "miyagi_results_fy2024"
    )
    (raw / "README.md").write_text("x", encoding="utf-8")
    for command in ("seal", "curate"):
        result = run(folder, command)
        assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def copy(small_project: Path, tmp_path: Path) -> Path:
    """A small project that a test may change."""
    return shutil.copytree(small_project, tmp_path / "copy")


@pytest.fixture(scope="session")
def frame(project: Path) -> pl.DataFrame:
    return compute_comparison(read_tables(project / "data" / "curated"), load_catalogue())


def run(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--project", str(project), *arguments])


def run_process(*arguments: str | bytes, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """A process of its own, as a user starts it; its output as bytes."""
    program = "from kenpo_lib.cli import main; main()"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "KENPO", "LC_"))}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        timeout=120,
        env=environment | {"PYTHONUTF8": "1"} | variables,
        check=False,
    )


def compare(project: Path, *, branch: str = "04", year: str = "2024", **options: str) -> Result:
    named = [f"--{name}={value}" for name, value in options.items()]
    return run(project, "compare", f"--branch={branch}", f"--fiscal-year={year}", *named)


def rows_of(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout_bytes.decode("utf-8-sig"), newline="")))


def assert_refused(result: Result, *words: str) -> None:
    """Exit code 2, a message on stderr that says these words, nothing on stdout, no traceback."""
    assert result.exit_code == 2, (result.exception, result.output)
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# --- help -----------------------------------------------------------------------------------------------------------


def test_help_names_every_command_and_the_exit_codes():
    result = CliRunner().invoke(cli, ["--help"])

    assert result.exit_code == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", result.stdout, re.MULTILINE)
    assert "0 完了" in result.stdout


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_explains_every_option(command, flag):
    result = CliRunner().invoke(cli, [command, flag])

    assert result.exit_code == 0
    assert result.stderr == ""
    entry = cli.commands[command]
    assert entry.help
    for parameter in entry.params:
        if isinstance(parameter, click.Argument):  # has no help of its own
            assert parameter.name.upper().removesuffix("S") in entry.help
            continue
        assert parameter.help
        assert parameter.opts[0] in result.stdout


def test_help_answers_in_english_too():
    done = run_process("report", "--help", KENPO_LANG="en")

    text = done.stdout.decode()
    assert done.returncode == 0
    assert "--fiscal-year" in text
    assert not JAPANESE.search(text)


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_mentions_each_command(command):
    readme = (builders.ROOT / "README.md").read_text(encoding="utf-8")

    assert re.search(rf"kenpo {command}\b", readme)


def test_readme_mentions_only_commands_that_are_there():
    readme = (builders.ROOT / "README.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^(?:\| `)?kenpo ([a-z]+)", readme, re.MULTILINE)) <= set(COMMANDS)


def test_version():
    result = CliRunner().invoke(cli, ["--version"])

    assert (result.exit_code, result.stdout.strip()) == (0, f"kenpo, version {__version__}")


@pytest.mark.parametrize("arguments", [["--help"], ["report", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments):
    program = (
        "import sys\n"
        "from kenpo_lib.cli import cli\n"
        f"cli({arguments!r}, standalone_mode=False)\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8", check=True)

    assert done.stderr.strip() == ""


# --- branches and years ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        *[
            (text, ("04",))
            for text in ("4", "04", "０４", "宮城", "宮城県", "宮城支部", "Miyagi", "miyagi", "ミヤギ", " 04 ")
        ],
        *[(text, ("13",)) for text in ("13", "１３", "東京", "東京都", "東京支部", "Tokyo")],
        ("04,13", ("04", "13")),
        ("13,04,宮城", ("04", "13")),
        ("宮城、東京", ("04", "13")),
        ("0４，１３", ("04", "13")),
        ("44-47", ("44", "45", "46", "47")),
        ("04,13,40-47", ("04", "13", "40", "41", "42", "43", "44", "45", "46", "47")),
        ("熊本-沖縄", ("43", "44", "45", "46", "47")),
        ("all", ALL),
        ("ALL", ALL),
        ("全支部", ALL),
    ],
)
def test_compare_takes_a_branch_as_code_name_list_or_range(project, text, codes):
    rows = rows_of(compare(project, branch=text, kpi="specific_checkup_rate", format="csv"))

    assert tuple(row["branch_code"] for row in rows) == codes


def test_compare_without_branch_is_about_all(project):
    result = run(project, "compare", "--fiscal-year", "2024", "--kpi", "specific_checkup_rate", "--format", "csv")

    assert tuple(row["branch_code"] for row in rows_of(result)) == ALL


@pytest.mark.parametrize(
    "text",
    [
        *("00", "0", "000", "48", "99", "013", "13.0", "1e1", "-4", "+4", "0x04", "", " ", ",", "04,", ",04", "04,,13"),
        *("04,48", "47-40", "04-", "-", "04-48", "00-47", "全国", "宮", "宮城市", "Miyagi Prefecture", "foo"),
        *("../04", "C:\\04", "CON", "a:b", "04.", "04\n13", "04\x00", "0\u20284", "'04'", '"04"', "𠮷", "4" * 300, "*"),
    ],
)
def test_compare_refuses_what_is_no_branch(project, text):
    assert_refused(compare(project, branch=text))


def test_an_unknown_branch_is_answered_with_the_valid_ones(project):
    result = compare(project, branch="48")

    assert_refused(result, "'48'")
    for branch in load_catalogue().branches.values():
        if branch.branch_code != "00":
            assert f"{branch.branch_code} {branch.name.ja}" in result.stderr


def test_a_misspelt_branch_is_answered_with_the_nearest(project):
    assert_refused(compare(project, branch="Miyagy"), "miyagi")


@pytest.mark.parametrize(
    "text",
    ["2024", "２０２４", "FY2024", "fy2024", "2024年度", "R6", "r6", "令和6年度", "令和６年度", "令和6年", "令和6"],
)
def test_compare_takes_a_year_in_every_usual_spelling(project, text):
    rows = rows_of(compare(project, year=text, kpi="specific_checkup_rate", format="csv"))

    assert [row["fiscal_year"] for row in rows] == ["2024"]


@pytest.mark.parametrize("text", ["令和元年度", "平成31年度", "R1", "H31", "2019"])
def test_compare_knows_that_2019_has_two_names(project, text):
    rows = rows_of(compare(project, year=text, kpi="specific_checkup_rate", format="csv"))

    assert [row["fiscal_year"] for row in rows] == ["2019"]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "R0",
            "令和0年度",
            "令和100年度",
            "平成40年度",
            "",
            " ",
            "24",
            "20240",
            "2024.0",
            "2024-2025",
            "R6.5",
            "明治元年度",
        ),
        *("06", "-2024", "二〇二四", "今年度", "20\n24", "２０２④", "../2024", "2024'", "all", "9999", "1868"),
    ],
)
def test_compare_refuses_what_is_no_year(project, text):
    assert_refused(compare(project, year=text), "年度" if text else "")


@pytest.mark.parametrize("command", ["compare", "report"])
def test_a_year_without_data_is_answered_with_those_that_have_some(project, frame, command):
    result = run(project, command, "--fiscal-year", "1999")

    assert_refused(result, "1999年度")
    if command == "compare":
        assert ", ".join(map(str, frame["fiscal_year"].unique().sort())) in result.stderr
    assert re.search(r"2023, 2024", result.stderr)
    assert not (project / "reports").exists()


@given(st.text(max_size=12), st.sampled_from(["branch", "fiscal-year", "kpi"]))
@settings(max_examples=60)
def test_no_text_makes_compare_fail_with_a_traceback(text, option):
    arguments = {"branch": "04", "fiscal-year": "2024", "kpi": "visit_rate"} | {option: text}
    named = [f"--{name}={value}" for name, value in arguments.items()]

    # Reading the arguments comes first; without a project the command ends right after it.
    result = CliRunner().invoke(cli, ["--project", "no-such-folder", "compare", *named])

    assert_refused(result)


# --- other words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "--brnch", "04", "--fiscal-year", "2024"], ["--brnch", "--branch"]),
        (["compare", "--fiscalyear", "2024"], ["--fiscalyear", "--fiscal-year"]),
        (["report", "--fiscal-yaer", "2024"], ["--fiscal-yaer", "--fiscal-year"]),
        (["compare"], ["--fiscal-year"]),
        (["compare", "--fiscal-year"], ["--fiscal-year"]),
        (["compare", "--fiscal-year", "2024", "--format", "xlsx"], ["xlsx", "table", "csv", "json"]),
        (["compare", "--fiscal-year", "2024", "surplus"], ["surplus"]),
        (["report", "--fiscal-year", "2024", "--jobs", "0"], ["--jobs"]),
        (["report", "--fiscal-year", "2024", "--jobs", "many"], ["--jobs"]),
        (["report", "--fiscal-year", "2024", "--lang", "fr"], ["fr", "ja", "en"]),
        (["compere"], ["compere"]),
    ],
    ids=lambda value: " ".join(value) if value and value[0] in (*COMMANDS, "compere") else "",
)
def test_wrong_usage_names_what_is_wrong_and_what_would_be_right(project, arguments, words):
    assert_refused(run(project, *arguments), *words)


def test_an_unknown_kpi_is_answered_with_the_nearest_and_with_all(project):
    result = compare(project, kpi="visit_rat")

    assert_refused(result, "'visit_rat'", "近いもの: visit_rate")
    assert all(kpi_id in result.stderr for kpi_id in load_catalogue().kpis)


@pytest.mark.parametrize(
    "text", ["", ",", "visit_rate,", "visit_rate,nonsense", "VISIT_RATE", "医療機関受診率", "visit_rate;"]
)
def test_compare_refuses_what_is_no_kpi(project, text):
    assert_refused(compare(project, kpi=text))


def test_a_kpi_that_resembles_nothing_has_no_suggestion(project):
    result = compare(project, kpi="zzz")

    assert_refused(result, "'zzz'")
    assert "近いもの" not in result.stderr


def test_compare_takes_all_kpis_by_one_word(project):
    assert rows_of(compare(project, kpi="all", format="csv")) == rows_of(compare(project, format="csv"))


def test_compare_takes_several_kpis_in_any_order_and_with_blanks(project):
    rows = rows_of(compare(project, kpi="visit_rate, checkup_rate_insured", format="csv"))

    assert {row["kpi_id"] for row in rows} == {"visit_rate", "checkup_rate_insured"}


# --- output ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def miyagi(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter((pl.col("branch_code") == "04") & (pl.col("fiscal_year") == 2024))


def test_compare_prints_a_table_unless_told_otherwise(project, miyagi):
    for result in (compare(project), compare(project, format="table")):
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == to_console_table(miyagi, load_catalogue())


def test_compare_prints_csv_with_every_row_and_column(project, miyagi):
    result = compare(project, format="csv")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes == to_csv_text(miyagi).encode()
    assert list(rows_of(result)[0]) == miyagi.columns
    assert len(rows_of(result)) == miyagi.height


def test_compare_prints_json_with_every_row_and_column(project, miyagi):
    result = compare(project, format="json")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes == to_json_text(miyagi).encode()
    assert [row["value"] for row in json.loads(result.stdout)] == miyagi["value"].to_list()


def test_compare_needs_no_validation(copy):
    assert sorted(path.name for path in (copy / "data" / "curated").iterdir()) == sorted(
        [*(f"{name}.parquet" for name in SCHEMAS), "curated.json"]
    )
    assert compare(copy).exit_code == 0


def test_compare_of_a_branch_without_that_kpi_is_headings_only(project, frame):
    known = frame.filter((pl.col("branch_code") == "01") & (pl.col("fiscal_year") == 2024))["kpi_id"]
    unknown = next(kpi_id for kpi_id in load_catalogue().kpis if kpi_id not in known)

    assert rows_of(compare(project, branch="01", kpi=unknown, format="csv")) == []
    assert json.loads(compare(project, branch="01", kpi=unknown, format="json").stdout) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "--branch", "48", "--fiscal-year", "2024"],
        ["compare", "--branch", "", "--fiscal-year", "2024"],
        ["compare", "--branch", "47-40", "--fiscal-year", "2024"],
        ["compare", "--fiscal-year", "1999"],
        ["compare", "--fiscal-year", "2024", "--kpi", "visit_rat"],
    ],
    ids=lambda arguments: " ".join(arguments[1:]),
)
def test_messages_are_english_when_asked_for(project, monkeypatch, arguments):
    japanese = run(project, *arguments)
    monkeypatch.setenv("KENPO_LANG", "en")
    english = run(project, *arguments)

    assert_refused(japanese)
    assert_refused(english)
    assert JAPANESE.search(japanese.stderr)
    assert not JAPANESE.search(english.stderr)


def test_the_table_is_english_when_asked_for(project, monkeypatch):
    monkeypatch.setenv("KENPO_LANG", "en")

    result = compare(project)

    assert result.stdout.startswith("branch")
    assert not JAPANESE.search(result.stdout)


# --- parameters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lang", "meaning"), [("ja", "支部コード"), ("en", "branch code")])
def test_params_lists_every_parameter_in_the_language_asked_for(monkeypatch, lang, meaning):
    monkeypatch.setenv("KENPO_LANG", lang)

    table = CliRunner().invoke(cli, ["params"])
    listed = json.loads(CliRunner().invoke(cli, ["params", "--format", "json"]).stdout)
    rows = rows_of(CliRunner().invoke(cli, ["params", "--format", "csv"]))

    assert (table.exit_code, table.stderr) == (0, "")
    assert [line.split()[0] for line in table.stdout.splitlines()[2:]] == list(SCHEMA)
    assert meaning in table.stdout
    assert max(display_width(line) for line in table.stdout.splitlines()) <= 160
    assert bool(JAPANESE.search(table.stdout)) == (lang == "ja")
    assert listed == list_parameters(load_catalogue(), Lang(lang))
    assert [row["name"] for row in rows] == list(SCHEMA)
    assert [(row["allowed"] or None) for row in rows] == [
        " ".join(entry["allowed"]) if entry["allowed"] else None for entry in listed
    ]
    assert rows[0]["default"] == "04"


# --- the project ----------------------------------------------------------------------------------------------------

NEEDING_A_PROJECT = (
    ("curate",),
    ("validate",),
    ("seal",),
    ("compare", "--fiscal-year", "2024"),
    ("incentive", "--fiscal-year", "2024"),
    ("report", "--fiscal-year", "2024"),
    ("verify",),
)


NEEDING_NONE = {"params", "doctor"}


def test_every_command_is_tried_without_a_project():
    assert {arguments[0] for arguments in NEEDING_A_PROJECT} | NEEDING_NONE == set(COMMANDS)


@pytest.mark.parametrize("arguments", NEEDING_A_PROJECT, ids=lambda arguments: arguments[0])
def test_every_command_refuses_to_run_without_a_project(tmp_path, monkeypatch, arguments):
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)

    assert_refused(run(empty, *arguments), "--project")
    assert_refused(run(tmp_path / "missing", *arguments), "missing")
    assert_refused(CliRunner().invoke(cli, list(arguments)), "empty")
    assert list(empty.iterdir()) == []


def test_a_file_is_no_project(tmp_path):
    file = tmp_path / "file"
    file.write_text("x")

    assert_refused(run(file, "curate"), "--project")


@pytest.mark.parametrize("part", ["data", "notebooks", "expectations"])
def test_a_project_has_all_its_parts(copy, part):
    shutil.rmtree(copy / part)

    assert_refused(compare(copy), f"{part}/")


def test_the_project_is_found_from_a_folder_within(project, monkeypatch):
    monkeypatch.chdir(project / "data" / "raw")

    result = CliRunner().invoke(cli, ["compare", "--branch", "04", "--fiscal-year", "2024"])

    assert result.exit_code == 0
    assert result.stdout == compare(project).stdout


def test_a_project_given_by_name_is_not_searched_upwards(project):
    assert_refused(run(project / "data", "curate"))


def _forget_the_tables(curated: Path) -> None:
    shutil.rmtree(curated)


def _lose_a_table(curated: Path) -> None:
    (curated / "targets.parquet").unlink()


def _change_a_table(curated: Path) -> None:
    with (curated / "observations.parquet").open("ab") as stream:
        stream.write(b"x")


def _break_the_manifest(curated: Path) -> None:
    (curated / "curated.json").write_text("{", encoding="utf-8")


@pytest.mark.parametrize("spoil", [_forget_the_tables, _lose_a_table, _change_a_table, _break_the_manifest])
@pytest.mark.parametrize("command", ["compare", "report"])
def test_tables_that_are_not_the_curated_ones_are_refused_with_the_remedy(copy, spoil, command):
    spoil(copy / "data" / "curated")

    assert_refused(run(copy, command, "--fiscal-year", "2024"), "kenpo curate")
    assert not (copy / "reports").exists()


# --- curate and seal ------------------------------------------------------------------------------------------------


def test_curate_tells_on_stderr_what_it_made(copy):
    result = run(copy, "curate")

    assert (result.exit_code, result.stdout) == (0, "")
    assert all(name in result.stderr for name in SCHEMAS)


def test_curate_gives_the_same_bytes_again(copy):
    before = snapshot(copy)

    run(copy, "curate")

    assert snapshot(copy) == before


def _write_no_number(raw: Path) -> None:
    builders.edit_line(raw / "miyagi_results_fy2024.csv", 4, "100％", "1e5％")


def _write_an_impossible_rate(raw: Path) -> None:
    builders.edit_line(raw / "miyagi_results_fy2024.csv", 4, "100％", "1000％")


def _write_a_pending_mark_into_a_target(raw: Path) -> None:
    builders.edit_line(raw / "miyagi_results_fy2024.csv", 3, "100％", "検証中")


def _write_an_unknown_branch(raw: Path) -> None:
    builders.edit_line(raw / "miyagi_results_fy2024.csv", 4, "宮城", "宮域")


def _rename_a_heading(raw: Path) -> None:
    builders.edit_line(raw / "miyagi_results_fy2024.csv", 1, "printed", "print")


def _cut_a_row(raw: Path) -> None:
    builders.edit_line(raw / "miyagi_results_fy2024.csv", 4, "FY,,value,,", "FY")


def _lose_a_file(raw: Path) -> None:
    (raw / "miyagi_results_fy2024.csv").unlink()


def _empty_a_file(raw: Path) -> None:
    (raw / "miyagi_results_fy2024.csv").write_bytes(b"")


def _make_it_a_folder(raw: Path) -> None:
    (raw / "miyagi_results_fy2024.csv").unlink()
    (raw / "miyagi_results_fy2024.csv").mkdir()


def _save_as_cp932(raw: Path) -> None:
    path = raw / "miyagi_results_fy2024.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp932", errors="replace"))


def _save_as_utf16(raw: Path) -> None:
    path = raw / "miyagi_results_fy2024.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))


def _break_the_meta_file(raw: Path) -> None:
    (raw / "miyagi_results_fy2024.meta.yaml").write_text("title: [", encoding="utf-8")


SPOILINGS: tuple[Callable[[Path], None], ...] = (
    *(_write_no_number, _write_an_impossible_rate, _write_a_pending_mark_into_a_target, _write_an_unknown_branch),
    *(_rename_a_heading, _cut_a_row, _lose_a_file, _empty_a_file, _make_it_a_folder),
    *(_save_as_cp932, _save_as_utf16, _break_the_meta_file),
)


@pytest.mark.parametrize("spoil", SPOILINGS)
def test_curate_refuses_bad_raw_files_and_leaves_the_tables_as_they_were(copy, spoil):
    raw, curated = copy / "data" / "raw", copy / "data" / "curated"
    (raw / "SHA256SUMS").unlink()
    before = snapshot(curated)
    spoil(raw)

    result = run(copy, "curate")

    assert_refused(result, "miyagi_results_fy2024", "→")
    assert snapshot(curated) == before


def test_curate_refuses_a_raw_file_that_is_not_the_sealed_one(copy):
    curated = copy / "data" / "curated"
    before = snapshot(curated)
    builders.edit_line(copy / "data" / "raw" / "miyagi_results_fy2024.csv", 4, "100％", "99％")

    result = run(copy, "curate")

    assert_refused(result, "miyagi_results_fy2024.csv", "SHA256SUMS", "kenpo seal")
    assert snapshot(curated) == before


def test_curate_names_the_place_of_a_fault(copy, monkeypatch):
    _write_no_number(copy / "data" / "raw")
    (copy / "data" / "raw" / "SHA256SUMS").unlink()

    assert_refused(run(copy, "curate"), "miyagi_results_fy2024.csv 4行目「printed」: 数値のはずが、'1e5％'でした。")
    monkeypatch.setenv("KENPO_LANG", "en")
    assert_refused(
        run(copy, "curate"), "miyagi_results_fy2024.csv line 4, 'printed': expected a number, found '1e5％'."
    )


def test_curate_names_all_faults_at_once(copy):
    raw = copy / "data" / "raw"
    for spoil in (_write_no_number, _write_a_pending_mark_into_a_target):
        spoil(raw)
    builders.edit_line(raw / "toyama_plan_fy2025.csv", 2, "富山", "富川")
    (raw / "SHA256SUMS").unlink()

    assert_refused(run(copy, "curate"), "3 件の誤り", "4行目", "3行目", "toyama_plan_fy2025.csv 2行目")


def test_curate_without_raw_files_is_refused(copy):
    shutil.rmtree(copy / "data" / "raw")
    before = snapshot(copy)

    assert_refused(run(copy, "curate"), "raw")
    assert snapshot(copy) == before


def test_seal_records_an_intended_change_so_that_curate_takes_it(copy):
    raw = copy / "data" / "raw"
    builders.edit_line(raw / "miyagi_results_fy2024.csv", 4, "FY,,value,,", "FY,,value,,確認済み")

    assert_refused(run(copy, "curate"), "kenpo seal")
    sealed = run(copy, "seal")
    assert (sealed.exit_code, sealed.stdout) == (0, "")
    assert run(copy, "curate").exit_code == 0


def test_seal_changes_nothing_when_nothing_changed(copy):
    before = snapshot(copy)

    result = run(copy, "seal")

    count = len((copy / "data" / "raw" / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    assert result.stderr == f"{count} ファイルを記録しました。\n"
    assert snapshot(copy) == before


def test_seal_without_raw_files_is_refused(copy):
    shutil.rmtree(copy / "data" / "raw")

    assert_refused(run(copy, "seal"), "raw")
    assert not (copy / "data" / "raw").exists()


# --- exit codes and consoles ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BranchesFailedError("2 件は作れませんでした"), 1),
        (InputError("誤り", [Fault("a.csv", "2行目", "数値", "'x'", "直す")]), 2),
        (ValidationStoppedError("検証で停止"), 3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_failure_has_its_exit_code(error, code):
    @click.group(cls=Group)
    def group() -> None: ...

    @group.command()
    def fail() -> None:
        click.echo("data")
        raise error

    result = CliRunner().invoke(group, ["fail"])

    assert (result.exit_code, result.stdout) == (code, "data\n")
    assert result.stderr == f"{error}\n"


def test_a_defect_of_ours_keeps_its_traceback():
    @click.group(cls=Group)
    def group() -> None: ...

    @group.command()
    def fail() -> None:
        raise ZeroDivisionError

    assert isinstance(CliRunner().invoke(group, ["fail"]).exception, ZeroDivisionError)


def test_processes_end_with_the_exit_code_and_keep_the_streams_apart(project, tmp_path, miyagi):
    good = run_process(
        "--project", str(project), "compare", "--branch", "宮城", "--fiscal-year", "R6", "--format", "csv"
    )
    assert (good.returncode, good.stderr) == (0, b"")
    assert good.stdout == to_csv_text(miyagi).encode()

    for arguments in (
        ["--project", str(project), "compare", "--branch", "48", "--fiscal-year", "2024"],
        ["--project", str(project), "compare", "--brnch", "04"],
        ["--project", str(tmp_path), "curate"],
        [],
    ):
        bad = run_process(*arguments)
        assert (bad.returncode, bad.stdout) == (2, b"")
        assert bad.stderr
        assert b"Traceback" not in bad.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are text there")
def test_arguments_that_are_no_text_are_refused(project):
    done = run_process("--project", str(project), "compare", "--fiscal-year", "2024", b"--branch=\xff\xfe")

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Traceback" not in done.stderr


CP932 = {"PYTHONIOENCODING": "cp932", "PYTHONUTF8": "0"}


def test_a_cp932_console_shows_the_table_with_every_minus(project, miyagi):
    done = run_process("--project", str(project), "compare", "--branch", "04", "--fiscal-year", "2024", **CP932)

    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode("cp932").replace("\r\n", "\n")
    wanted = to_console_table(miyagi, load_catalogue())
    assert "−" in wanted
    # CP932 has one sign for the minus and the wide hyphen, and no dash.
    assert shown == wanted.replace("−", "－").replace("–", "-")
    assert "?" not in shown


def test_a_console_without_a_minus_sign_shows_negative_numbers_as_negative(project, miyagi, monkeypatch):
    named = ("--project", str(project), "compare", "--branch", "04", "--fiscal-year", "2024")

    done = run_process(*named, PYTHONIOENCODING="latin-1", PYTHONUTF8="0", KENPO_LANG="en")

    monkeypatch.setenv("KENPO_LANG", "en")
    wanted = to_console_table(miyagi, load_catalogue())
    assert "−" in wanted
    assert done.stdout.decode("latin-1").replace("\r\n", "\n") == wanted.replace("−", "-").replace("–", "-")


@pytest.mark.parametrize("form", ["csv", "json"])
def test_files_are_utf8_whatever_the_console_is(project, miyagi, form):
    done = run_process(
        *("--project", str(project), "compare", "--branch", "04", "--fiscal-year", "2024", "--format", form), **CP932
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == {"csv": to_csv_text, "json": to_json_text}[form](miyagi).encode()


@pytest.mark.parametrize("console", [CP932, {"PYTHONIOENCODING": "ascii"}], ids=["cp932", "ascii"])
def test_a_console_that_lacks_a_sign_gets_the_message_all_the_same(project, console):
    done = run_process("--project", str(project), "compare", "--branch", "𠮷野−家", "--fiscal-year", "2024", **console)

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"UnicodeEncodeError" not in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"01 " in done.stderr


def test_signs_that_a_console_obeys_are_made_visible(project):
    result = run(project, "compare", "--fiscal-year", "2024", "--branch", "\x1b[2J\u202e04\u200b")

    assert_refused(result, "⟨U+001B⟩[2J⟨U+202E⟩04⟨U+200B⟩")
    assert {sign for sign in result.stderr if not sign.isprintable()} <= {"\n", "\u3000"}


def test_nothing_is_written_that_only_a_terminal_understands(project):
    for arguments in (["--help"], ["--project", str(project), "compare", "--branch", "04", "--fiscal-year", "2024"]):
        done = run_process(*arguments, FORCE_COLOR="1", TERM="xterm-256color")
        assert done.returncode == 0
        for sign in (b"\x1b", b"\x08"):
            assert sign not in done.stdout + done.stderr
        assert b"\r" not in (done.stdout + done.stderr).replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["report", "--brnch", "04"], "'--brnch' というオプションはありません。 近いもの: '--branch'"),
        (["reprot"], "'reprot' というコマンドはありません。 近いもの: 'report'"),
        (["report"], "オプションが足りません: '--fiscal-year'"),
        (["report", "--fiscal-year"], "オプション '--fiscal-year' には値が要ります"),
        (
            ["report", "--fiscal-year", "2024", "--lang", "de"],
            "'de' ではなく、次のどれかを指定してください: 'ja', 'en'",
        ),
        (["report", "--fiscal-year", "2024", "--jobs", "0"], "0 は範囲 1<=x<=64 の外です"),
        (["report", "--fiscal-year", "2024", "--jobs", "x"], "'x' は数ではありません"),
        (["report", "--fiscal-year", "2024", "--plan=3"], "オプション '--plan' は値をとりません"),
        (["verify", "--format", "csv"], "'csv' ではなく、次のどれかを指定してください"),
        (["curate", "x", "y"], "余分な引数があります（x y）"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_told_in_the_language_of_messages(project, monkeypatch, arguments, told):
    result = run(project, *arguments)

    assert result.exit_code == 2
    assert result.stderr.startswith(("使い方: ", "誤り: "))
    assert told in result.stderr
    for english in ("Usage", "Try", "Error", "No such", "Missing", "Invalid", "Did you", "unexpected"):
        assert english not in result.stderr
    # and in English where that is asked for
    monkeypatch.setenv("KENPO_LANG", "en")
    result = run(project, *arguments)
    assert result.stderr.startswith(("Usage: ", "Error: "))
    assert result.stderr.isascii()


def test_help_is_in_japanese_throughout(project):
    for arguments in ([], ["report"], ["verify"], ["compare"]):
        said = run(project, *arguments, "--help").stdout
        assert said.startswith("使い方: ")
        for english in ("Options:", "Commands:", "Show ", "default:", "required"):
            assert english not in said


def test_option_that_is_given_twice_means_both(project):
    asked = ("compare", "--fiscal-year", "2024", "--format", "csv")
    twice = run(project, *asked, "--branch", "04", "--branch", "13")
    once = run(project, *asked, "--branch", "04,13")

    assert twice.exit_code == 0
    assert twice.stdout == once.stdout
    assert {line.split(",")[0] for line in twice.stdout.splitlines()[1:]} == {"04", "13"}
    # and so with KPIs
    twice = run(project, *asked, "--kpi", "visit_rate", "--kpi", "generic_share")
    once = run(project, *asked, "--kpi", "visit_rate,generic_share")
    other = run(project, *asked, "--kpi", "generic_share")
    assert twice.exit_code == 0
    assert twice.stdout == once.stdout != other.stdout


def test_empty_project_is_refused_and_not_this_folder(project, monkeypatch):
    monkeypatch.chdir(project)

    result = CliRunner().invoke(cli, ["--project", "", "compare", "--fiscal-year", "2024"])

    assert_refused(result, "--project が空です")


@pytest.mark.parametrize("address", ["", "foo", "localhost:8786", "http://x:1", "tcp://"])
def test_scheduler_that_is_no_address_is_refused_at_once(project, address):
    result = run(project, "report", "--fiscal-year", "2024", "--scheduler", address)

    assert_refused(result, "tcp://host:8786")


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")
def test_ctrl_c_in_any_command_is_called_an_interruption(project, monkeypatch):
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kenpo_lib.batch.verify.Verifier.verify", interrupt)

    result = run(project, "verify")

    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "中断しました。\n")
