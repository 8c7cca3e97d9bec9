"""Data and definitions in which every text holds something that would act in a browser, a spreadsheet or a console."""

from __future__ import annotations

import csv
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import builders
import yaml
from attacks import ACTIVE, ATTACKS

from kenpo_lib.catalogue import DEFINITIONS_DIR

FORMULAS = ("=1+1", "＝1+1", "@SUM(1,1)", "+1+1", "-1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("//evil.example")')
HIDDEN = (
    "実\u202e%6.86\u202c",
    "0\u200b4",
    "\u2066支部\u2069",
    "宮\ufeff城",
    "\x1b]0;宮城\x07",
    "\x1b[2J",
    "宮\U000e0041城",
)
HIDDEN_SIGNS = {sign for text in HIDDEN for sign in text if not sign.isprintable()}
WIDE = ("𠮷野家", "葛\U000e0100城", "👨\u200d👩\u200d👧", "①㈱髙～－")
STYLES = ("*{background:url(//evil.example)}", "x:expression(alert(1))", "</style><style>@import '//evil.example'")
TEXTS = tuple(
    text.replace("alert(1)", "window.canary=1").replace("\n", " ")
    for text in (*FORMULAS, *HIDDEN, *WIDE, *STYLES, *ATTACKS, *ACTIVE.values())
)
# The name of a file may hold this on Linux; blanks and slashes a source's name may not have.
SOURCE = "x\"'><script>window.canary=1;<!--&amp;{x}"
_RENAMED = "miyagi_results_fy2024"
# The columns in which any text may stand; in the others curate knows what may.
FREE = ("page", "table", "row", "column", "note", "programme", "section", "item")
_FREE_META = ("title", "issuer", "published_note", "trust_note", "url_note", "notes", "language")
_WHOLE = "total"  # of the parts of a KPI, which have any names
_SHORT = 40  # names stand hundreds of times in an overview


def spoil_raw(raw: Path) -> None:
    """A hostile text at the beginning of every cell that may hold any text, in every field of the meta files, and in a file name."""
    texts = itertools.cycle(TEXTS)
    for path in raw.glob(f"{_RENAMED}.*"):
        path.rename(path.with_name(path.name.replace(_RENAMED, SOURCE)))
    for path in sorted(raw.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        for number, row in enumerate(rows, 1):
            row.update({column: f"{next(texts)} {row[column]} {number}" for column in FREE if column in row})
            if "kpi_id" in row and row.get("component", _WHOLE) != _WHOLE:
                row["component"] += next(texts)
        builders.write_csv(path, rows[0], rows)
    for path in sorted(raw.glob("*.meta.yaml")):
        meta = yaml.safe_load(path.read_text(encoding="utf-8"))
        for entry in meta["files"]:
            entry["name"] = entry["name"].replace(_RENAMED, SOURCE)
        meta |= {field: f"{next(texts)} {meta[field]}" for field in _FREE_META if field in meta}
        _write_yaml(path, meta)


def spoil_definitions(folder: Path) -> None:
    """Definitions in which every name and every sentence is hostile."""
    shutil.copytree(DEFINITIONS_DIR, folder)
    texts = itertools.cycle(TEXTS)
    short = itertools.cycle([text for text in TEXTS if len(text) < _SHORT])
    for path in sorted(folder.rglob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        _write_yaml(path, _spoil_texts(content, lambda key: next(short if "name" in key else texts)))
    path = folder / "branches.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    blocks = dict(zip(sorted({row["block"] for row in rows}), short, strict=False))
    for row, text in zip(rows, short, strict=False):
        row["aliases"] += f";{row['name_ja']}"
        row["name_ja"] += text
        row["block"] += blocks[row["block"]]
    builders.write_csv(path, rows[0], rows)


def _spoil_texts(value: Any, draw: Callable[[str], str], key: str = "") -> Any:
    if isinstance(value, dict):
        if value.keys() == {"ja", "en"}:
            return {lang: text + draw(key) for lang, text in value.items()}
        return {name: _spoil_texts(entry, draw, str(name)) for name, entry in value.items()}
    return [_spoil_texts(entry, draw, key) for entry in value] if isinstance(value, list) else value


def _write_yaml(path: Path, content: Any) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
