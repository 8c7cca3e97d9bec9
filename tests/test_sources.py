"""Raw files → rows in the source's own words: what is refused, with which place, and that nothing is passed over."""

from __future__ import annotations

import csv
import re
import shutil

import builders
import pytest

from kenpo_lib.errors import InputError
from kenpo_lib.sources import CHECKSUMS, LONG_LAYOUTS, check_seals, read_sources, read_wide_layout, seal

TOYAMA = "toyama_plan_fy2025.csv"
META = "toyama_plan_fy2025.meta.yaml"


def read(directory):
    """The sources and the faults of a raw folder."""
    sources, _, faults = read_sources(directory)
    return sources, faults


def edit_text(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


# --- what is read ---------------------------------------------------------------------------------------------------


def test_read_sources_reads_every_row_as_text(small_raw):
    # given a real source
    with (small_raw / TOYAMA).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    # when
    sources, faults = read(small_raw)
    # then the cells are those of the file, with the line of each
    (table,) = next(source for source in sources if source.source_id == "toyama_plan_fy2025").tables
    assert [dict(row) for _, row in table.rows] == [{key: cell.strip() for key, cell in row.items()} for row in rows]
    assert [line for line, _ in table.rows] == list(range(2, len(rows) + 2))
    assert faults == []


@pytest.mark.parametrize("change", [lambda raw: b"\xef\xbb\xbf" + raw, lambda raw: raw.replace(b"\n", b"\r\n")])
def test_read_sources_ignores_byte_order_mark_and_line_ends(small_raw, change):
    # given the same file as another program saves it
    path = small_raw / TOYAMA
    before, _ = read(small_raw)
    path.write_bytes(change(path.read_bytes().replace(b"\r\n", b"\n")))
    # when
    after, faults = read(small_raw)
    # then
    assert [[table.rows for table in source.tables] for source in after] == [
        [table.rows for table in source.tables] for source in before
    ]
    assert faults == []


def test_read_sources_gives_the_line_on_which_a_row_begins(tmp_path):
    # given a cell with a line break in it
    builders.write_source(tmp_path / "raw", [builders.figure(note="一行目\n二行目"), builders.figure(year="令和5年度")])
    # when
    (source,), faults = read(tmp_path / "raw")
    # then
    assert [line for line, _ in source.tables[0].rows] == [2, 4]
    assert faults == []


def test_read_sources_keeps_date_and_order(tmp_path):
    # given a source with a date, and one of which the date is assumed
    builders.write_source(tmp_path / "raw", [builders.figure()], source_id="dated", published="2025-09-25")
    edit_text(tmp_path / "raw" / "dated.meta.yaml", "'2025-09-25'", "2025-09-25")
    builders.write_source(tmp_path / "raw", [builders.figure()], source_id="undated", assumed_order="2025-04")
    # when
    (dated, undated), faults = read(tmp_path / "raw")
    # then an assumed order is not passed off as a date
    assert (str(dated.published), dated.order_date) == ("2025-09-25", "2025-09-25")
    assert (undated.published, undated.order_date) == (None, "2025-04")
    assert faults == []


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "old", "new", "place", "expected", "found"),
    [
        (4, ",target,", ",", "4行目", "16列", "15列"),
        (4, ",target,", ",target,,", "4行目", "16列", "17列"),
        (1, "printed", "value", "1行目", "printed", "value"),
        (1, ",note", "", "1行目", "note", "note"),
        (1, ",note", ",note,memo", "1行目", "17列", "memo"),
        (1, ",note", ",kind", "1行目", "note", "note"),
        (1, "page,table", "table,table", "1行目", "page", "page"),
    ],
)
def test_read_sources_refuses_wrong_columns(small_raw, line, old, new, place, expected, found):
    # given a row or a heading line that does not fit the layout
    builders.edit_line(small_raw / TOYAMA, line, old, new)
    # when
    _, faults = read(small_raw)
    # then one message names file, line, what was expected and what was found
    (fault,) = faults
    assert (fault.file, place in fault.place) == (TOYAMA, True)
    assert expected in fault.expected or expected in fault.found
    assert found in fault.found
    assert fault.remedy


def test_read_sources_names_missing_and_unexpected_headings_together(small_raw):
    # given two headings renamed
    builders.edit_line(small_raw / TOYAMA, 1, "printed", "value")
    builders.edit_line(small_raw / TOYAMA, 1, "branch", "office")
    # when
    _, (fault,) = read(small_raw)
    # then
    for heading in ("printed", "value", "branch", "office"):
        assert heading in fault.found


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("支部,年度\n富山,令和7年度\n".encode("cp932"), "byte 0"),
        ("page,支部\n".encode("euc-jp"), "byte 5"),
        ("支部,年度\n".encode("utf-16"), "byte 0"),
        ("page,支部\n".encode()[:-2], "byte 8"),
        (b"PK\x03\x04\x14\x00\x06\x00\xff\xd8", "byte 8"),
    ],
)
def test_read_sources_refuses_other_encodings_with_the_offset(small_raw, content, place):
    # given CP932, EUC-JP, UTF-16, a character cut in two, or no text at all
    (small_raw / TOYAMA).write_bytes(content)
    # when
    _, (fault,) = read(small_raw)
    # then
    assert (fault.file, fault.place, fault.expected) == (TOYAMA, place, "UTF-8")
    assert "UTF-8" in fault.remedy


def test_read_sources_refuses_null_bytes(small_raw):
    # given a file with a NUL byte, as a broken disk or a binary file leaves it
    edit_text(small_raw / TOYAMA, "富山", "富\0山")
    # when
    _, (fault,) = read(small_raw)
    # then
    assert fault.file == TOYAMA
    assert "2行目" in fault.place


@pytest.mark.parametrize("content", ["", "\n", "headings"])
def test_read_sources_refuses_a_file_without_rows(small_raw, content):
    # given an empty file, or nothing but the headings
    headings = ",".join(LONG_LAYOUTS["figures"]) + "\n"
    (small_raw / TOYAMA).write_text(headings if content == "headings" else content, encoding="utf-8")
    # when
    _, (fault,) = read(small_raw)
    # then
    assert fault.file == TOYAMA
    assert fault.expected
    assert fault.remedy


def test_read_sources_refuses_an_unclosed_quote(small_raw):
    # given a quote that is never closed: the rest of the file would become one cell
    builders.edit_line(small_raw / TOYAMA, 5, ",target,", ',"target,')
    # when
    _, (fault,) = read(small_raw)
    # then
    assert (fault.file, fault.expected) == (TOYAMA, "CSV")


def test_read_sources_refuses_a_missing_file(small_raw):
    # given a file that the meta file lists and that is gone
    (small_raw / TOYAMA).unlink()
    # when
    _, (fault,) = read(small_raw)
    # then
    assert fault.file == TOYAMA
    assert "なし" in fault.found


def test_read_sources_refuses_a_folder_in_place_of_a_file(small_raw):
    # given a folder of that name
    (small_raw / TOYAMA).unlink()
    (small_raw / TOYAMA).mkdir()
    # when
    _, faults = read(small_raw)
    # then
    assert {fault.file for fault in faults} == {TOYAMA}


def test_read_sources_refuses_a_file_that_no_source_lists(small_raw):
    # given a file that would otherwise be passed over silently
    shutil.copy(small_raw / TOYAMA, small_raw / "toyama_plan_fy2026.csv")
    # when
    _, (fault,) = read(small_raw)
    # then
    assert fault.file == "toyama_plan_fy2026.csv"
    assert "meta.yaml" in fault.remedy


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("trust: medium_high", "trusted: medium_high", ("trust", "trusted")),
        ("kind: branch_plan", "kind: plan", ("kind", "branch_plan")),
        ('assumed_order: "2025-01"', "", ("published", "assumed_order")),
        ("layout: figures", "layout: figure", ("layout", "figures")),
        ("layout: figures", "form: figures", ("files", "layout")),
        ("name: toyama_plan_fy2025.csv", "name: ../toyama_plan_fy2025.csv", ("files", "name")),
        ("name: toyama_plan_fy2025.csv", "name: miyagi_plan_fy2024.csv", ("files", "toyama_plan_fy2025.csv")),
        ("title:", "title: [", ("YAML",)),
        ("title:", "title: 7 #", ("title", "7")),
        ("issuer:", "issuer: [宮城] #", ("issuer", "宮城")),
        ("trust: medium_high", "trust: yes", ("trust", "True")),
        ('assumed_order: "2025-01"', "assumed_order: 2025", ("assumed_order", "2025")),
        ("published: null", "published: <b>", ("published", "<b>")),
        ("published: null", "published: 2025-01-31 12:00:00", ("published", "datetime")),
        ("title:", "issuer: x\ntitle:", ("issuer",)),
    ],
)
def test_read_sources_refuses_a_wrong_meta_file_once(small_raw, old, new, named):
    # given one thing wrong in a meta file
    edit_text(small_raw / META, old, new)
    # when
    _, (fault,) = read(small_raw)
    # then one message names it; the figures of the source are not called unlisted, which would invite deleting them
    assert fault.file == (TOYAMA if new == "layout: figure" else META)
    for word in named:
        assert word in str(fault)


@pytest.mark.parametrize("content", ["", "text", "- a\n- b\n"])
def test_read_sources_refuses_a_meta_file_without_keys(small_raw, content):
    # given a meta file that is empty or holds something else
    (small_raw / META).write_text(content, encoding="utf-8")
    # when
    _, (fault,) = read(small_raw)
    # then
    assert fault.file == META
    assert "title" in fault.found


@pytest.mark.parametrize("make", [False, True])
def test_read_sources_refuses_a_folder_that_is_missing_or_empty(tmp_path, make):
    # given no raw folder, or one without sources
    directory = tmp_path / "nothing"
    if make:
        directory.mkdir()
    # when, then
    with pytest.raises(InputError, match="nothing"):
        read_sources(directory)


# --- seals ----------------------------------------------------------------------------------------------------------


def sealed(directory):
    (directory / CHECKSUMS).write_text(seal(directory), encoding="utf-8")
    return directory


def test_check_seals_is_content_with_what_seal_wrote(small_raw):
    # given a folder sealed as it is
    sealed(small_raw)
    # when
    sources, digests, faults = read_sources(small_raw)
    # then, and the text is what sha256sum -c reads
    assert (faults, check_seals(small_raw, digests)) == ([], [])
    assert len(sources) == 3
    assert all(re.fullmatch(r"[0-9a-f]{64}  \S+", line) for line in seal(small_raw).splitlines())
    assert len(seal(small_raw).splitlines()) == len(digests)


def test_check_seals_names_the_changed_file(small_raw):
    # given one digit changed after sealing
    sealed(small_raw)
    builders.edit_line(small_raw / TOYAMA, 8, "78.3", "78.8")
    # when
    _, (fault,) = read(small_raw)
    # then
    assert fault.file == TOYAMA
    assert "SHA256SUMS" in fault.expected
    assert "kenpo seal" in fault.remedy


def test_check_seals_names_a_file_without_a_seal(small_raw):
    # given a source added after sealing
    sealed(small_raw)
    builders.write_source(small_raw, [builders.figure()], source_id="late")
    # when
    _, faults = read(small_raw)
    # then
    assert {fault.file for fault in faults} == {"late.csv", "late.meta.yaml"}


def test_check_seals_names_a_sealed_file_that_is_gone(small_raw):
    # given a whole source removed after sealing
    sealed(small_raw)
    for name in (TOYAMA, META):
        (small_raw / name).unlink()
    # when
    _, faults = read(small_raw)
    # then
    assert {fault.file for fault in faults} == {TOYAMA, META}


def test_check_seals_asks_nothing_of_a_folder_that_is_not_sealed(small_raw):
    # given no checksums
    # when
    _, faults = read(small_raw)
    # then
    assert faults == []


# --- layouts --------------------------------------------------------------------------------------------------------


def test_read_wide_layout_is_null_for_an_unknown_name():
    # given no layout of that name
    # when, then
    assert read_wide_layout("no_such_table") is None


def test_read_wide_layout_explains_each_heading():
    # given a table of all branches
    # when
    columns = {column.heading: column for column in read_wide_layout("incentive_results")}
    # then the fourth indicator is two definitions in two columns, never one
    old = columns["医療機関への受診勧奨を受けた要治療者の医療機関受診率"]
    new = columns["速やかに受診を要する者の医療機関受診率"]
    assert (old.kpi_id, old.definition) == ("urgent_visit_rate", "notified_3m")
    assert (new.kpi_id, new.definition) == ("urgent_visit_rate", "urgent_3m")
