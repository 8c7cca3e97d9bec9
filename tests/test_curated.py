"""The curated files: all or nothing, the same bytes every time, and never a mixture of two runs."""

from __future__ import annotations

import json

import builders
import polars.testing
import pytest

from kenpo_lib import curated
from kenpo_lib.curated import SCHEMAS, empty_table, read_manifest, read_tables, write_tables
from kenpo_lib.errors import InputError
from kenpo_lib.files import MANIFEST, write_atomically

FILES = [f"{name}.parquet" for name in SCHEMAS]


def tables(value):
    return builders.tables([{"branch_code": "01", "value": value}])


def list_files(directory):
    return sorted(path.name for path in directory.iterdir())


def test_read_tables_reads_back_what_write_tables_wrote(tmp_path):
    # given tables, most of them empty
    written = tables(33.4)
    # when
    write_tables(written, tmp_path, inputs={"doc.csv": "0" * 64})
    # then values, types and keys are the same; a branch code is text and keeps its zero
    read = read_tables(tmp_path)
    for name in SCHEMAS:
        polars.testing.assert_frame_equal(read[name], written[name])
    assert read["observations"]["branch_code"].to_list() == ["01"]
    assert read_manifest(tmp_path)["inputs"] == {"doc.csv": "0" * 64}
    assert read_manifest(tmp_path)["rows"]["observations.parquet"] == 1


def test_write_tables_gives_the_same_bytes_for_the_same_tables(tmp_path):
    # given the same tables
    # when written twice
    for name, files in (("one", "ab"), ("two", "ba")):
        write_tables(tables(33.4), tmp_path / name, inputs={f"{file}.csv": "0" for file in files})
    # then
    for file in [*FILES, MANIFEST]:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize("fails_at", range(len(FILES) + 1))
def test_read_tables_refuses_a_mixture_of_two_runs(tmp_path, monkeypatch, fails_at):
    # given a complete run, and a second one that breaks off at its n-th file
    write_tables(tables(1.0), tmp_path, inputs={})
    written = []

    def write_or_fail(path, content):
        if len(written) == fails_at:
            raise OSError(28, "No space left on device")
        written.append(path.name)
        write_atomically(path, content)

    monkeypatch.setattr(curated, "write_atomically", write_or_fail)
    changed = {name: empty_table(name) for name in SCHEMAS} | {"observations": tables(2.0)["observations"]}
    # when
    with pytest.raises(OSError, match="No space"):
        write_tables(changed, tmp_path, inputs={})
    # then what is read is all of the first run, or nothing, with the remedy; and the same command then finishes
    monkeypatch.undo()
    if fails_at == 0:
        assert read_tables(tmp_path)["observations"]["value"].to_list() == [1.0]
    else:
        with pytest.raises(InputError, match="kenpo curate"):
            read_tables(tmp_path)
    write_tables(changed, tmp_path, inputs={})
    assert read_tables(tmp_path)["observations"]["value"].to_list() == [2.0]
    assert list_files(tmp_path) == sorted([*FILES, MANIFEST])


@pytest.mark.parametrize("file", FILES)
def test_read_tables_refuses_a_changed_table_and_names_it(tmp_path, file):
    # given one table exchanged after the run
    write_tables(tables(1.0), tmp_path, inputs={})
    (tmp_path / file).write_bytes((tmp_path / file).read_bytes() + b"\0")
    # when
    with pytest.raises(InputError) as caught:
        read_tables(tmp_path)
    # then
    assert [fault.file for fault in caught.value.faults] == [file]
    assert "kenpo curate" in str(caught.value)


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{}", "null", '{"tables": {}}', '{"tables": {"absent.parquet": "0"}}']
)
def test_read_tables_refuses_a_missing_or_broken_manifest(tmp_path, content):
    # given a folder without a usable record of which tables belong together
    write_tables(tables(1.0), tmp_path, inputs={})
    if content is None:
        (tmp_path / MANIFEST).unlink()
    else:
        (tmp_path / MANIFEST).write_text(content, encoding="utf-8")
    # when, then
    with pytest.raises(InputError, match="kenpo curate"):
        read_tables(tmp_path)


def test_read_tables_refuses_a_folder_that_does_not_exist(tmp_path):
    # given nothing
    # when, then
    with pytest.raises(InputError, match="kenpo curate"):
        read_tables(tmp_path / "nothing")


def test_write_tables_refuses_a_table_that_lacks_a_column(tmp_path):
    # given a table that is not the agreed one
    broken = tables(1.0)
    broken["observations"] = broken["observations"].drop("locator")
    # when, then nothing is written
    with pytest.raises(polars.exceptions.ColumnNotFoundError):
        write_tables(broken, tmp_path / "out", inputs={})
    assert not (tmp_path / "out").exists()


def test_schemas_know_every_key_column():
    # given the schemas
    # when
    unknown = {name: set(schema.key) - schema.columns.keys() for name, schema in SCHEMAS.items()}
    # then every key is made of columns, and what comes from a source says from where
    assert not any(unknown.values())
    for name in SCHEMAS.keys() - {"branches", "sources"}:
        assert {"source_id", "locator"} <= SCHEMAS[name].columns.keys(), name


def test_manifest_is_readable_by_people(tmp_path):
    # given a written folder
    write_tables(tables(1.0), tmp_path, inputs={"資料.csv": "0"})
    # when
    text = (tmp_path / MANIFEST).read_text(encoding="utf-8")
    # then names are not escaped, and no time and no place of the machine is in it
    assert "資料.csv" in text
    assert json.loads(text).keys() == {"tables", "rows", "inputs"}
    assert str(tmp_path) not in text
