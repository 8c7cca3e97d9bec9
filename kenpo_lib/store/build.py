"""Writing a store: every frame into files of its own folder, and last the manifest that makes them the store."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from kenpo_lib.catalogue import NATION, load_catalogue
from kenpo_lib.errors import InputError
from kenpo_lib.files import VERDICT, write_atomically
from kenpo_lib.kept_verdict import read_verdict
from kenpo_lib.language import say
from kenpo_lib.store.computed import Computed, compute_folder
from kenpo_lib.store.fingerprints import Fingerprints
from kenpo_lib.store.key import name_folder, take_key
from kenpo_lib.store.opened import FACTS, FOLDER, KPIS, STORE_MANIFEST, Store, open_store
from kenpo_lib.store.page_data import OWN_TABLES, PAGE_COLUMNS
from kenpo_lib.store.places import pick_listed, pick_neighbours, summarise_spread
from kenpo_lib.store.wide_data import WHOLE_TABLES

PART_ROWS = 20_000  # of the rows of branches in one file, and
GROUP_ROWS = 2_000  # of those that are read together: about what a branch has in ten years


def write_store(curated_dir: Path) -> Store:
    """Compute what all pages share and write it; the former store stays whole until the new one is.

    Args:
        curated_dir: Folder with the curated tables and their verdict.

    Raises:
        InputError: No curated tables, no verdict, or they changed meanwhile.
    """
    verdict = read_verdict(curated_dir)
    suites_directory = json.loads((curated_dir / VERDICT).read_text(encoding="utf-8"))["suites_directory"]
    key = take_key(curated_dir, suites_directory=suites_directory)
    computed = compute_folder(curated_dir, load_catalogue(), verdict=verdict)
    folder = curated_dir / FOLDER / name_folder(key)
    parts = list(_cut_branches(computed))
    digests = {
        name: _write(folder / name, content)
        for files in (_list_frames(computed, parts), _list_indexes(computed, parts))
        for name, content in files
    }
    if take_key(curated_dir, suites_directory=suites_directory) != key:
        raise InputError(
            say(
                "計算の間に整備済みデータか定義が変わりました。もう一度実行してください。",
                "The curated tables or definitions changed while they were compared: run it again.",
            )
        )
    manifest = {
        "key": key,
        "suites_directory": suites_directory,
        "folder": folder.name,
        "years": list(computed.years),
        "parts": [
            {"first": codes[0], "rows": f"rows_{number:03d}.parquet", "index": f"index_{number:03d}.json"}
            for number, codes in enumerate(parts)
        ],
        "files": dict(sorted(digests.items())),
    }
    _write(curated_dir / FOLDER / STORE_MANIFEST, _to_json(manifest))
    _remove_others(folder)
    store = open_store(curated_dir)
    assert store is not None, manifest["key"]
    return store


def _cut_branches(computed: Computed) -> Iterator[Sequence[str]]:
    """The branches of each file, in the order of their codes."""
    known = dict(computed.comparison.group_by("branch_code").len().iter_rows())
    codes: list[str] = []
    rows = 0
    for code in sorted(computed.catalogue.branch_codes):
        if codes and rows + known.get(code, 0) > PART_ROWS:
            yield codes
            codes, rows = [], 0
        codes.append(code)
        rows += known.get(code, 0)
    yield codes


def _list_frames(computed: Computed, parts: Sequence[Sequence[str]]) -> Iterator[tuple[str, bytes]]:
    """All frames by the name of their file, sorted by what they are asked for."""
    yield "nation.parquet", _to_parquet(computed.list_nation_rows())
    for name in WHOLE_TABLES:
        yield f"{name}.parquet", _to_parquet(computed.tables[name].sort("source_id", maintain_order=True))
    for number, codes in enumerate(parts):
        yield f"rows_{number:03d}.parquet", _to_parquet(_list_part(computed, codes))
    for year in computed.years:
        yield f"year_{year}.parquet", _to_parquet(computed.read_year(year))
        places = computed.list_places(year)
        yield f"places_{year}.parquet", _to_parquet(pick_listed(places))
        large = {"neighbours": pick_neighbours(places), "spread": summarise_spread(places)}
        yield from ((f"{name}_{year}.parquet", _to_parquet(frame)) for name, frame in large.items() if frame.height)
        yield f"contribution_{year}.parquet", _to_parquet(computed.read_contribution(year))
        scores = computed.read_incentive(year)
        if scores is not None:
            yield f"incentive_{year}.parquet", _to_parquet(scores)
        for name in OWN_TABLES:
            rows = computed.tables[name].filter(pl.col("fiscal_year") == year)
            if rows.height:
                yield f"{name}_{year}.parquet", _to_parquet(rows.sort("branch_code", maintain_order=True))


def _list_part(computed: Computed, codes: Sequence[str]) -> pl.DataFrame:
    wanted = pl.col("branch_code").is_between(pl.lit(codes[0]), pl.lit(codes[-1]))
    return computed.comparison.filter(wanted).select(PAGE_COLUMNS).sort("branch_code", maintain_order=True)


def _list_indexes(computed: Computed, parts: Sequence[Sequence[str]]) -> Iterator[tuple[str, bytes]]:
    """Fingerprints and warnings of the branches of each part, those of the nation in the first; facts; what pages of KPIs need."""
    fingerprints = Fingerprints(computed)
    for number, codes in enumerate(parts):
        entries = fingerprints.list_branch_pages(codes, _list_part(computed, codes))
        if number == 0:
            entries[NATION] = fingerprints.list_overviews()
        nation = computed.list_warnings(NATION)
        index = {
            "nation_warnings": nation,
            "branches": {
                code: {
                    "fingerprints": by_year,
                    "warnings": [warning for warning in computed.list_warnings(code) if warning not in nation],
                }
                for code, by_year in entries.items()
            },
        }
        yield f"index_{number:03d}.json", _to_json(index)
    yield FACTS, _to_json(computed.read_facts())
    years = computed.list_kpi_years()
    yield (
        KPIS,
        _to_json(
            {
                kpi_id: {"years": years[kpi_id], "fingerprints": by_year}
                for kpi_id, by_year in fingerprints.list_kpis().items()
            }
        ),
    )


def _to_parquet(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=True, row_group_size=GROUP_ROWS)
    return buffer.getvalue()


def _to_json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _write(path: Path, content: bytes) -> str:
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()


def _remove_others(folder: Path) -> None:
    """Former stores. What cannot be removed, because somebody reads it, is left to the next time."""
    for other in folder.parent.iterdir():
        if other.is_dir() and other != folder:
            shutil.rmtree(other, ignore_errors=True)
