"""Rows in the source's own words → curated rows: keys, units, years, targets. Checks; never guesses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from kenpo_lib.catalogue import DEFINITIONS_DIR, Catalogue
from kenpo_lib.curate.cells import CellReader, Collected
from kenpo_lib.curate.corrections import Repair, check_repairs_used, read_corrections
from kenpo_lib.curate.figures import merge_measures, read_figures
from kenpo_lib.curate.others import read_budgets, read_marks, read_statistics
from kenpo_lib.curate.wide import read_wide
from kenpo_lib.curated import SCHEMAS, Tables, empty_table
from kenpo_lib.errors import Fault, InputError
from kenpo_lib.language import say
from kenpo_lib.sources import Source, read_sources


def curate(raw_dir: Path, catalogue: Catalogue, *, corrections: Path | None = None) -> tuple[Tables, dict[str, str]]:
    """Build all curated tables from ``data/raw``. Writes nothing.

    Returns:
        One frame per name of ``curated.SCHEMAS``, rows sorted by key; and the sha256 of every raw file.

    Raises:
        InputError: All faults of all files together, each with file, line, expectation and remedy.
    """
    sources, digests, faults = read_sources(raw_dir)
    collected = Collected()
    repairs = read_corrections(corrections or DEFINITIONS_DIR / "corrections.yaml")
    for source in sources:
        for table in source.tables:
            reader = CellReader(catalogue, table, faults)
            _LAYOUT_READERS.get(table.layout, read_wide)(reader, collected, repairs)
    check_repairs_used(repairs, sources, faults)
    orders = {source.source_id: source.order_date for source in sources}
    targets, superseded = _pick_newest_targets(collected.targets, orders, faults)
    rows = {
        "observations": merge_measures(collected.observations, faults),
        "targets": targets,
        "superseded_targets": superseded,
        "branches": [_branch_row(branch) for branch in catalogue.branches.values()],
        "sources": [_source_row(source) for source in sources],
        "budgets": collected.budgets,
        "self_assessments": collected.self_assessments,
        "statistics": collected.statistics,
    }
    _check_uniqueness(rows, faults)
    if faults:
        raise InputError(
            say(
                f"data/raw に {len(faults)} 件の誤りがあります。整備済みデータは前回のままです。",
                f"{len(faults)} faults in data/raw. The curated tables are left as they were.",
            ),
            faults,
        )
    return Tables({name: _to_frame(name, rows[name]) for name in SCHEMAS}), digests


def _to_frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    if not rows:
        return empty_table(name)
    schema = SCHEMAS[name]
    complete = [{column: row.get(column) for column in schema.columns} for row in rows]
    return pl.DataFrame(complete, schema=dict(schema.columns), orient="row").sort(schema.key, nulls_last=False)


_LAYOUT_READERS: dict[str, Callable[[CellReader, Collected, list[Repair]], None]] = {
    "figures": read_figures,
    "budgets": read_budgets,
    "marks": read_marks,
    "statistics": read_statistics,
}


def _pick_newest_targets(
    targets: list[dict[str, Any]], orders: dict[str, str], faults: list[Fault]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Keep the target of the newest source per key; the others, where they differ, are kept apart."""
    key_columns = SCHEMAS["targets"].key
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for target in targets:
        groups.setdefault(tuple(target[column] for column in key_columns), []).append(target)
    newest, superseded = [], []
    for key, group in groups.items():
        ranked = sorted(group, key=lambda t: (orders[t["source_id"]], t["source_id"]), reverse=True)
        newest.append(ranked[0])
        superseded += ranked[1:]
        same_source = [t for t in ranked[1:] if t["source_id"] == ranked[0]["source_id"]]
        if same_source:
            found = say(f"{len(same_source) + 1} 件: {key}", f"{len(same_source) + 1}: {key}")
            expected = say("1つの出典に目標は1つ", "one target per source")
            remedy = say("重複した行を消す", "remove the duplicate")
            faults.append(Fault(f"{ranked[0]['source_id']}.csv", "", expected, found, remedy))
    return newest, superseded


def _check_uniqueness(rows: dict[str, list[dict[str, Any]]], faults: list[Fault]) -> None:
    for name, schema in SCHEMAS.items():
        seen: dict[tuple, dict[str, Any]] = {}
        for row in rows[name]:
            key = tuple(row.get(column) for column in schema.key)
            if key in seen:
                file = f"{row.get('source_id', name)}"
                place = str(row.get("locator", ""))
                expected = say(f"{name} のキーは1行だけ", f"one row per key of {name}")
                remedy = say("重複した行を消す", "remove the duplicate")
                faults.append(Fault(file, place, expected, str(key), remedy))
            seen[key] = row


def _branch_row(branch: Any) -> dict[str, Any]:
    return {
        "branch_code": branch.branch_code,
        "name_ja": branch.name.ja,
        "name_en": branch.name.en,
        "block": branch.block.ja,
        "block_en": branch.block.en,
        "tile_row": branch.tile_row,
        "tile_col": branch.tile_col,
    }


def _source_row(source: Source) -> dict[str, Any]:
    return {
        "source_id": source.source_id,
        "title": source.title,
        "issuer": source.issuer,
        "date": source.published,
        "order_date": source.order_date,
        "kind": source.kind,
        "url": source.url,
        "trust": source.trust,
        "trust_note": source.trust_note,
        "sha256": source.sha256,
    }
