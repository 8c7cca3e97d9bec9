"""The curated tables: their columns, keys and files. The only thing that notebooks read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from kenpo_lib.errors import Fault, InputError
from kenpo_lib.files import MANIFEST, sha256_of, write_atomically
from kenpo_lib.kept_verdict import count_checks, read_verdict
from kenpo_lib.language import Text, console_language, say
from kenpo_lib.tables import table

_TEXT, _INT, _FLOAT, _DATE, _BOOL = pl.String, pl.Int32, pl.Float64, pl.Date, pl.Boolean


@dataclass(frozen=True, slots=True)
class TableSchema:
    """Columns with their types, and the columns on which rows are unique."""

    columns: Mapping[str, type[pl.DataType]]
    key: tuple[str, ...]


_TARGET_COLUMNS = {
    "branch_code": _TEXT,
    "kpi_id": _TEXT,
    "definition": _TEXT,
    "fiscal_year": _INT,
    "rule": _TEXT,
    "value": _FLOAT,
    "floor": _FLOAT,
    "source_id": _TEXT,
    "locator": _TEXT,
    "note": _TEXT,
}
SCHEMAS: dict[str, TableSchema] = {
    "observations": TableSchema(
        {
            "branch_code": _TEXT,
            "kpi_id": _TEXT,
            "definition": _TEXT,
            "component": _TEXT,
            "fiscal_year": _INT,
            "period": _TEXT,
            "as_of": _DATE,
            "status": _TEXT,
            "value": _FLOAT,
            "numerator": _FLOAT,
            "denominator": _FLOAT,
            "source_id": _TEXT,
            "locator": _TEXT,
            "note": _TEXT,
            "decimals": _INT,  # of the value as printed; null where it was computed from counts
        },
        ("branch_code", "kpi_id", "definition", "component", "fiscal_year", "period", "as_of", "source_id"),
    ),
    "targets": TableSchema(_TARGET_COLUMNS, ("branch_code", "kpi_id", "definition", "fiscal_year")),
    "branches": TableSchema(
        {
            "branch_code": _TEXT,
            "name_ja": _TEXT,
            "name_en": _TEXT,
            "block": _TEXT,
            "block_en": _TEXT,
            "tile_row": _INT,
            "tile_col": _INT,
        },
        ("branch_code",),
    ),
    "sources": TableSchema(
        {
            "source_id": _TEXT,
            "title": _TEXT,
            "issuer": _TEXT,
            "date": _DATE,  # null where the document does not say when it was issued
            "order_date": _TEXT,  # year-month by which the newest source wins; assumed where ``date`` is null
            "kind": _TEXT,
            "url": _TEXT,
            "trust": _TEXT,
            "trust_note": _TEXT,
            "sha256": _TEXT,  # of the transcribed files in data/raw, in the order of their names
        },
        ("source_id",),
    ),
    "budgets": TableSchema(
        {
            "branch_code": _TEXT,
            "fiscal_year": _INT,
            "programme": _TEXT,
            "theme": _TEXT,
            "kpi_id": _TEXT,
            "budget_thousand_yen": _FLOAT,
            "executed_thousand_yen": _FLOAT,
            "printed_rate_pct": _FLOAT,
            "source_id": _TEXT,
            "locator": _TEXT,
            "note": _TEXT,
        },
        ("branch_code", "fiscal_year", "programme", "source_id"),
    ),
    "self_assessments": TableSchema(
        {
            "branch_code": _TEXT,
            "fiscal_year": _INT,
            "as_of": _DATE,
            "section": _TEXT,
            "plan_item": _TEXT,
            "mark": _TEXT,
            "source_id": _TEXT,
            "locator": _TEXT,
            "note": _TEXT,
        },
        ("branch_code", "fiscal_year", "section", "plan_item", "source_id"),
    ),
    # Not KPIs, but what they are weighted and put into proportion with.
    "statistics": TableSchema(
        {
            "branch_code": _TEXT,
            "statistic": _TEXT,
            "component": _TEXT,
            "fiscal_year": _INT,
            "as_of": _DATE,
            "value": _FLOAT,
            "unit": _TEXT,
            "is_projection": _BOOL,
            "source_id": _TEXT,
            "locator": _TEXT,
            "note": _TEXT,
        },
        ("branch_code", "statistic", "component", "fiscal_year", "source_id"),
    ),
    # Targets that a newer source replaced; kept so that validation can name both places.
    "superseded_targets": TableSchema(
        _TARGET_COLUMNS, ("branch_code", "kpi_id", "definition", "fiscal_year", "source_id")
    ),
}

_WORDS = {
    "observations": Text("実績", "Observations"),
    "targets": Text("目標", "Targets"),
    "branches": Text("支部", "Branches"),
    "sources": Text("出典", "Sources"),
    "budgets": Text("予算", "Budgets"),
    "self_assessments": Text("自己評価", "Self-assessments"),
    "statistics": Text("加入者数などの統計", "Statistics, such as subscribers"),
    "superseded_targets": Text("新しい出典に代わられた目標", "Targets that a newer source replaced"),
}


class Tables(dict[str, pl.DataFrame]):
    """The curated tables by name, which show themselves in a notebook.

    Attributes:
        folder: Where they were read; None if they were made otherwise.
    """

    def __init__(self, frames: Mapping[str, pl.DataFrame], *, folder: Path | None = None) -> None:
        super().__init__(frames)
        self.folder = folder

    def _repr_html_(self) -> str:
        lang = console_language()
        headings = [
            *(say("表", "Table"), say("内容", "Content"), say("行", "Rows")),
            *(say("列の数", "Columns"), say("列", "Their names")),
        ]
        rows = [
            [
                name,
                _WORDS[name](lang) if name in _WORDS else None,
                f"{frame.height:,}",
                frame.width,
                ", ".join(frame.columns),
            ]
            for name, frame in self.items()
        ]
        caption = say(f"整備済みの表 {len(self)}", f"Curated tables: {len(self)}")
        return table(f"{caption}{self._say_verdict()}", headings, rows, css="data")

    def _say_verdict(self) -> str:
        """What is known of the checks of the files that the tables were read from."""
        if self.folder is None:
            return ""
        try:
            verdict = read_verdict(self.folder)
        except InputError as error:
            return say(f"（{error}）", f" ({error})")
        counts = count_checks(verdict)
        outcome = say("合格", "passed") if verdict["passed"] else say("停止", "stopped")
        return say(
            f"（検証: {outcome}、検査 {counts['checks']}、重大・エラー {counts['stopping']}、警告 {counts['warning']}）",
            f" (validation: {outcome}, checks {counts['checks']}, critical or error {counts['stopping']}, warnings {counts['warning']})",
        )


def empty_table(name: str) -> pl.DataFrame:
    """The table without rows."""
    return pl.DataFrame(schema=dict(SCHEMAS[name].columns))


def write_tables(tables: Mapping[str, pl.DataFrame], directory: Path, *, inputs: Mapping[str, str]) -> None:
    """Write all tables and, last, the manifest that says which files belong together.

    Args:
        tables: One frame per name of ``SCHEMAS``.
        directory: Where the Parquet files go.
        inputs: sha256 of every raw file by name, recorded in the manifest.
    """
    from io import BytesIO

    contents: dict[str, bytes] = {}
    for name, schema in SCHEMAS.items():
        buffer = BytesIO()
        frame = tables[name].select(pl.col(column).cast(kind) for column, kind in schema.columns.items())
        frame.write_parquet(buffer, compression="zstd", statistics=True)
        contents[f"{name}.parquet"] = buffer.getvalue()
    manifest = {
        "tables": {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        "rows": {f"{name}.parquet": tables[name].height for name in SCHEMAS},
        "inputs": dict(sorted(inputs.items())),
    }
    for file, content in contents.items():
        write_atomically(directory / file, content)
    write_atomically(directory / MANIFEST, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())


def read_manifest(directory: str | Path) -> dict:
    """The manifest of the curated tables.

    Raises:
        InputError: There is none, or the tables are not the ones it names.
    """
    directory = Path(directory)
    remedy = say("kenpo curate を実行してください", "run `kenpo curate`")
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        recorded = {f"{name}.parquet": manifest["tables"][f"{name}.parquet"] for name in SCHEMAS}
        digests = {file: sha256_of(directory / file) for file in recorded}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            say(
                f"{directory.name} に整備済みデータがありません。{remedy}。",
                f"No curated tables in {directory.name}: {remedy}.",
            )
        ) from error
    faults = [
        Fault(
            file,
            "",
            say("curated.json に記録されたハッシュ", "the hash recorded in curated.json"),
            digests[file][:12],
            remedy,
        )
        for file, expected in recorded.items()
        if digests[file] != expected
    ]
    if faults:
        raise InputError(
            say("整備済みデータが記録と一致しません。", "The curated tables are not the recorded ones."), faults
        )
    return manifest


def read_tables(directory: str | Path) -> Tables:
    """All curated tables, checked to belong together.

    Raises:
        InputError: Missing, incomplete or changed tables; the remedy is named.
    """
    read_manifest(directory)
    folder = Path(directory)
    return Tables({name: pl.read_parquet(folder / f"{name}.parquet", glob=False) for name in SCHEMAS}, folder=folder)
