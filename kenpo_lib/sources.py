"""Raw files → rows in the source's own words, each with its place. Nothing is interpreted here.

A source is a ``<source_id>.meta.yaml`` and the CSV files that it lists, each with its layout. A *long* layout holds one printed
figure (or budget line, or mark) a row; a *wide* layout is a printed table whose headings ``definitions/layouts/<layout>.csv``
explains.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kenpo_lib.catalogue import DEFINITIONS_DIR
from kenpo_lib.errors import Fault, InputError
from kenpo_lib.language import say
from kenpo_lib.strict_yaml import read_yaml

CHECKSUMS = "SHA256SUMS"
LONG_LAYOUTS: dict[str, tuple[str, ...]] = {
    "figures": (
        *("page", "table", "row", "column", "printed", "kind", "branch", "kpi_id", "definition", "component"),
        *("year", "period", "as_of", "measure", "status", "note"),
    ),
    "budgets": (
        *("page", "table", "programme", "branch", "year", "theme", "kpi_id"),
        *("budget_printed", "executed_printed", "rate_printed", "note"),
    ),
    "marks": ("page", "section", "item", "branch", "year", "as_of", "mark_printed", "mark", "note"),
    "statistics": (
        *("page", "table", "row", "column", "printed", "branch", "statistic", "component"),
        *("year", "as_of", "unit", "note"),
    ),
}
KINDS = (
    *("branch_results", "branch_plan", "branch_progress", "national_report", "incentive"),
    *("premium_reference", "press", "statistics"),
)
_META_REQUIRED = {"title", "issuer", "published", "kind", "url", "trust", "files", "notes"}
_META_OPTIONAL = {"fiscal_year", "published_note", "assumed_order", "trust_note", "language", "url_note"}
_META_TEXTS = {"title", "issuer", "kind", "url", "trust", "trust_note", "assumed_order"}


@dataclass(frozen=True, slots=True)
class Column:
    """What one heading of a wide layout holds."""

    heading: str
    role: str  # branch_code, branch_name, fiscal_year, observation, statistic
    kpi_id: str
    definition: str
    component: str
    statistic: str
    unit: str


@dataclass(frozen=True, slots=True)
class RawTable:
    """One raw file: its rows as text, with the line on which each begins."""

    source_id: str
    file: str
    layout: str
    rows: tuple[tuple[int, Mapping[str, str]], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One published document and the figures transcribed from it."""

    source_id: str
    title: str
    issuer: str
    published: dt.date | None
    order_date: str
    kind: str
    url: str | None
    trust: str
    trust_note: str | None
    tables: tuple[RawTable, ...]
    sha256: str


def read_wide_layout(name: str, directory: Path = DEFINITIONS_DIR / "layouts") -> tuple[Column, ...] | None:
    """The columns of a wide layout, or None if there is no layout of that name."""
    path = directory / f"{name}.csv"
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as stream:
        return tuple(Column(**row) for row in csv.DictReader(stream))


def read_sources(raw_dir: Path) -> tuple[tuple[Source, ...], dict[str, str], list[Fault]]:
    """Read every source in ``data/raw``.

    Returns:
        The sources in the order of their ids, the sha256 of every file read, and all faults found. Faults are returned and
        not raised, so that those of the contents can be reported together with these.
    """
    faults: list[Fault] = []
    digests: dict[str, str] = {}
    _check_folder(raw_dir)
    metas = sorted(raw_dir.glob("*.meta.yaml"))
    if not metas:
        raise InputError(
            say(f"{raw_dir} に出典（*.meta.yaml）がありません。", f"There is no source (*.meta.yaml) in {raw_dir}.")
        )
    sources = []
    for path in metas:
        if source := _read_source(path, digests, faults):
            sources.append(source)
        else:  # its fault is told already; its files are not unlisted because of that
            own = (
                file for file in raw_dir.iterdir() if file.name.startswith(_source_id(path) + ".") and file.is_file()
            )
            digests |= {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in own}
    told = {fault.file for fault in faults}
    known = digests.keys() | told | {CHECKSUMS, "README.md"}
    faults += [
        Fault(
            path.name,
            "",
            say("どれかの .meta.yaml に挙げられたファイル", "a file that some .meta.yaml lists"),
            say("挙げられていないファイル", "a file that none lists"),
            say("出典の .meta.yaml の files に加えるか、取り除く", "add it to `files` of its source, or remove it"),
        )
        for path in sorted(raw_dir.iterdir())
        if path.name not in known and not path.name.startswith(".")
    ]
    faults += [fault for fault in check_seals(raw_dir, digests) if fault.file not in told]
    return tuple(sources), digests, faults


def _check_folder(raw_dir: Path) -> None:
    if not raw_dir.is_dir():
        raise InputError(say(f"フォルダー {raw_dir} がありません。", f"There is no folder {raw_dir}."))


def check_seals(raw_dir: Path, digests: Mapping[str, str]) -> list[Fault]:
    """Compare the raw files with the checksums recorded when they were entered: they are never edited by accident."""
    path = raw_dir / CHECKSUMS
    if not path.is_file():
        return []
    recorded = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        recorded[name] = digest
    remedy = say(
        "意図した変更なら kenpo seal で記録し直す。そうでなければ git で元に戻す",
        "if the change is meant, record it with `kenpo seal`; else restore the file",
    )
    expected = say("SHA256SUMS に記録された内容", "the content recorded in SHA256SUMS")
    faults = []
    for name in sorted(recorded.keys() | digests.keys()):
        if recorded.get(name) != digests.get(name):
            found = say("ファイルなし", "no file") if name not in digests else say("異なる内容", "another content")
            found = found if name in recorded else say("記録のないファイル", "a file that is not recorded")
            faults.append(Fault(name, "", expected, found, remedy))
    return faults


def seal(raw_dir: Path) -> str:
    """The text of ``SHA256SUMS`` for the files as they are now (``sha256sum -c`` reads it)."""
    _check_folder(raw_dir)
    paths = [p for p in sorted(raw_dir.iterdir()) if p.suffix in (".csv", ".yaml") and not p.name.startswith(".")]
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths)


def _source_id(meta: Path) -> str:
    return meta.name.removesuffix(".meta.yaml")


def _read_source(path: Path, digests: dict[str, str], faults: list[Fault]) -> Source | None:
    source_id = _source_id(path)
    remedy = say("meta.yaml を直す", "correct the meta file")
    try:
        meta = read_yaml(path)
    except InputError as error:
        faults.append(Fault(path.name, "", "YAML", str(error), remedy))
        return None
    digests[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    keys = set(meta) if isinstance(meta, dict) else set()
    missing, unknown = _META_REQUIRED - keys, keys - _META_REQUIRED - _META_OPTIONAL
    if missing or unknown:
        found = say(
            f"不足 {sorted(missing)}、未知 {sorted(unknown)}", f"missing {sorted(missing)}, unknown {sorted(unknown)}"
        )
        faults.append(Fault(path.name, "", say("決められた項目", "the agreed keys"), found, remedy))
        return None
    for field in sorted(_META_TEXTS & keys):
        if not isinstance(meta[field], str | None):
            words = say("文字（数字だけなら引用符で囲む）", "a text (in quotes where it is a number)")
            faults.append(Fault(path.name, field, words, repr(meta[field]), remedy))
            return None
    published, order = meta["published"], meta.get("assumed_order")
    if type(published) is not dt.date and (published is not None or not order):  # a time of day is none either
        faults.append(Fault(path.name, "published", 'ISO date, or assumed_order: "YYYY-MM"', repr(published), remedy))
        return None
    if meta["kind"] not in KINDS:
        faults.append(Fault(path.name, "kind", ", ".join(KINDS), repr(meta["kind"]), remedy))
        return None
    if not _are_files(meta["files"], source_id):
        expected = say(
            f"{{name: {source_id}.csv, layout: …}} の一覧", f"a list of {{name: {source_id}.csv, layout: …}}"
        )
        faults.append(Fault(path.name, "files", expected, repr(meta["files"]), remedy))
        return None
    tables = [
        table
        for entry in meta["files"]
        if (table := _read_table(path.parent / entry["name"], source_id, entry["layout"], digests, faults))
    ]
    return Source(
        source_id=source_id,
        title=meta["title"],
        issuer=meta["issuer"],
        published=published,
        order_date=published.isoformat() if published else str(order),
        kind=meta["kind"],
        url=meta["url"],
        trust=meta["trust"],
        trust_note=meta.get("trust_note"),
        tables=tuple(tables),
        sha256="; ".join(f"{table.file} {digests[table.file]}" for table in tables),
    )


def _are_files(entries: object, source_id: str) -> bool:
    """True for a list of files that lie beside the meta file and bear its name."""
    return isinstance(entries, list) and all(
        isinstance(entry, dict)
        and entry.keys() == {"name", "layout"}
        and all(isinstance(text, str) for text in entry.values())
        and entry["name"].startswith(f"{source_id}.")
        and Path(entry["name"]).name == entry["name"]
        for entry in entries
    )


def _read_table(
    path: Path, source_id: str, layout: str, digests: dict[str, str], faults: list[Fault]
) -> RawTable | None:
    remedy_file = say("ファイルを元に戻すか、meta.yaml から外す", "restore the file, or take it out of its meta file")
    if not path.is_file():
        faults.append(Fault(path.name, "", say("ファイル", "a file"), say("なし", "nothing"), remedy_file))
        return None
    content = path.read_bytes()
    digests[path.name] = hashlib.sha256(content).hexdigest()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        remedy = say("UTF-8 で保存し直す", "save it as UTF-8")
        faults.append(Fault(path.name, f"byte {error.start}", "UTF-8", repr(content[error.start : error.end]), remedy))
        return None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        place = say(f"{line}行目", f"line {line}")
        remedy = say("壊れたファイルを元に戻す", "restore the damaged file")
        faults.append(Fault(path.name, place, say("文字", "text"), "NUL", remedy))
        return None
    wide = read_wide_layout(layout)
    expected = LONG_LAYOUTS.get(layout) or (wide and tuple(column.heading for column in wide))
    if expected is None:
        remedy = say("layout 名を直す", "correct the name of the layout")
        faults.append(Fault(path.name, "layout", ", ".join(LONG_LAYOUTS), layout, remedy))
        return None
    return _parse_csv(text, path.name, source_id, layout, expected, faults)


def _number_records(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV reader with the line on which each begins; a cell may hold line breaks."""
    line = reader.line_num + 1
    for cells in reader:
        yield line, cells
        line = reader.line_num + 1


def _parse_csv(
    text: str, file: str, source_id: str, layout: str, expected: tuple[str, ...], faults: list[Fault]
) -> RawTable | None:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    remedy = say("出典の表と見比べて行を直す", "compare the row with the source")
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        header = tuple(cell.strip() for cell in next(reader, ()))
        if set(header) != set(expected) or len(header) != len(expected):
            missing = [column for column in expected if column not in header]
            unexpected = [column for column in header if column not in expected]
            found = say(
                f"不足 {missing}、余分 {unexpected}（{len(header)}列）",
                f"missing {missing}, unexpected {unexpected} ({len(header)} columns)",
            )
            place = say("1行目（見出し）", "line 1 (headings)")
            columns = say(
                f"{len(expected)}列: {', '.join(expected)}", f"{len(expected)} columns: {', '.join(expected)}"
            )
            faults.append(Fault(file, place, columns, found, say("見出しを直す", "correct the headings")))
            return None
        for line, cells in _number_records(reader):
            if len(cells) != len(header):
                expect = say(f"{len(header)}列", f"{len(header)} columns")
                found = say(f"{len(cells)}列", f"{len(cells)} columns")
                faults.append(Fault(file, say(f"{line}行目", f"line {line}"), expect, found, remedy))
                continue
            rows.append((line, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
    except csv.Error as error:
        faults.append(Fault(file, say(f"{reader.line_num}行目", f"line {reader.line_num}"), "CSV", str(error), remedy))
        return None
    if not rows:
        faults.append(Fault(file, "", say("1行以上", "at least one row"), say("0行", "none"), remedy))
        return None
    return RawTable(source_id, file, layout, tuple(rows))
