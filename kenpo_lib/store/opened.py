"""A store that is there and current: its years, files and fingerprints; and the frames of a page, read when asked for."""

from __future__ import annotations

import bisect
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kenpo_lib.catalogue import NATION, load_catalogue
from kenpo_lib.errors import InputError
from kenpo_lib.files import remove, sha256_of
from kenpo_lib.language import say
from kenpo_lib.store.key import take_key, take_software_key
from kenpo_lib.tables import fact_table

if TYPE_CHECKING:  # opening a store, and asking for fingerprints, must not wait for polars
    import polars as pl

    from kenpo_lib.store.page_data import PageData

FOLDER = "store"
STORE_MANIFEST = "store.json"
FACTS = "facts.json"  # about the tables as a whole
KPIS = "kpis.json"  # years of KPIs, and fingerprints of their pages
DETACHED = (
    "detached"  # in a copy of the files that some pages need, away from the tables; whoever copies vouches for them
)


@dataclass(frozen=True)
class Store:
    """What ``build_store`` wrote.

    Attributes:
        curated_dir: The curated tables that it was made from.
        manifest: The content of ``store.json``.
        manifest_sha256: Digest of that file.
    """

    curated_dir: Path
    manifest: Mapping[str, Any]
    manifest_sha256: str

    def _repr_html_(self) -> str:
        return fact_table(
            say("比較データ", "Comparison store"),
            [
                (say("場所", "Folder"), self.folder.as_posix()),
                (say("年度", "Fiscal years"), ", ".join(map(str, self.years))),
                (say("ファイル", "Files"), len(self.manifest["files"])),
                (say("元の表（sha256）", "Made from (sha256)"), self.inputs),
            ],
        )

    @property
    def years(self) -> tuple[int, ...]:
        """The fiscal years with data."""
        return tuple(self.manifest["years"])

    @property
    def inputs(self) -> str:
        """sha256 of the manifest of the curated tables."""
        return self.manifest["key"]["curated"]

    def files(self, branch_code: str, fiscal_year: int) -> dict[str, str]:
        """What the page of a branch (or "00") and year reads: sha256 by path from the folder of the curated tables.

        Raises:
            KeyError: A year without data.
        """
        self._check_year(fiscal_year)
        part = self._part_of(branch_code)
        if branch_code == NATION:
            wanted = [f"year_{fiscal_year}.parquet", f"contribution_{fiscal_year}.parquet"]
        else:
            wanted = [part["rows"], *(f"{name}_{fiscal_year}.parquet" for name in ("places", "neighbours", "spread"))]
        wanted += [part["index"], "nation.parquet", "sources.parquet", f"incentive_{fiscal_year}.parquet"]
        wanted += [f"budgets_{fiscal_year}.parquet", f"self_assessments_{fiscal_year}.parquet"]
        known = self.manifest["files"]  # years without budgets, marks, scores or large groups have no file for them
        found = {f"{FOLDER}/{self.manifest['folder']}/{name}": known[name] for name in wanted if name in known}
        return {f"{FOLDER}/{STORE_MANIFEST}": self.manifest_sha256, **found}

    def wide_files(self) -> dict[str, str]:
        """What the pages of KPIs and the page on the data read: sha256 by path from the folder of the curated tables."""
        known = self.manifest["files"]
        wanted = ["nation.parquet", "sources.parquet", "targets.parquet", "superseded_targets.parquet", FACTS, KPIS]
        wanted += [f"year_{year}.parquet" for year in self.years]
        found = {f"{FOLDER}/{self.manifest['folder']}/{name}": known[name] for name in wanted}
        return {f"{FOLDER}/{STORE_MANIFEST}": self.manifest_sha256, **found}

    def fingerprint_kpi(self, kpi_id: str, fiscal_year: int) -> str:
        """As ``fingerprint``, of the page of a KPI.

        Raises:
            KeyError: An unknown KPI, or a year without data.
        """
        return self._read_json(KPIS)[kpi_id]["fingerprints"][str(fiscal_year)]

    def list_kpi_years(self, kpi_id: str) -> tuple[int, ...]:
        """The years of which something is known of a KPI; in others its page would show the past alone.

        Raises:
            KeyError: An unknown KPI.
        """
        return tuple(self._read_json(KPIS)[kpi_id]["years"])

    def fingerprint_quality(self) -> str:
        """As ``fingerprint``, of the page on the data: it shows something of all tables and of every check."""
        key = self.manifest["key"]
        return hashlib.sha256(f"{key['curated']} {key['validation']}".encode()).hexdigest()

    def fingerprint(self, branch_code: str, fiscal_year: int) -> str:
        """Digest of everything in the tables that the page of a branch (or "00") and year can show.

        Equal fingerprints mean equal pages, as long as definitions, notebooks and the code that draws are the same.

        Raises:
            KeyError: An unknown branch, or a year without data.
        """
        return self._index_of(branch_code)["branches"][branch_code]["fingerprints"][str(fiscal_year)]

    def read_page(self, branch_code: str, fiscal_year: int) -> PageData:
        """The data of one page.

        Raises:
            InputError: The store was replaced meanwhile.
        """
        from kenpo_lib.store.page_data import read_page

        return read_page(self, load_catalogue(), branch_code=branch_code, fiscal_year=fiscal_year)

    # --- what ``page_data.Reader`` asks for ---

    def read_branch(self, branch_code: str, until: int) -> pl.DataFrame:
        import polars as pl

        wanted = (pl.col("branch_code") == branch_code) & (pl.col("fiscal_year") <= until)
        return self._read(self._part_of(branch_code)["rows"], wanted)

    def read_nation(self, until: int) -> pl.DataFrame:
        import polars as pl

        return self._read("nation.parquet", pl.col("fiscal_year") <= until)

    def read_places(self, fiscal_year: int, kpi_ids: Iterable[str], block: str) -> pl.DataFrame:
        import polars as pl

        wanted = pl.col("kpi_id").is_in(sorted(kpi_ids))
        listed = self._read(f"places_{fiscal_year}.parquet", wanted)
        name = f"neighbours_{fiscal_year}.parquet"
        if name not in self.manifest["files"]:
            return listed
        return pl.concat([listed, self._read(name, (pl.col("block") == block) & wanted)])

    def read_spread(self, fiscal_year: int, kpi_ids: Iterable[str]) -> pl.DataFrame:
        import polars as pl

        from kenpo_lib.store.places import SPREAD_SCHEMA

        name = f"spread_{fiscal_year}.parquet"
        if name not in self.manifest["files"]:
            return pl.DataFrame(schema=SPREAD_SCHEMA)
        return self._read(name, pl.col("kpi_id").is_in(sorted(kpi_ids)))

    def read_year(self, fiscal_year: int) -> pl.DataFrame:
        """All rows and columns of the comparison of one year, in its order."""
        return self._read(f"year_{fiscal_year}.parquet")

    def read_own(self, table_name: str, branch_code: str, fiscal_year: int) -> pl.DataFrame:
        import polars as pl

        name = f"{table_name}_{fiscal_year}.parquet"
        if name not in self.manifest["files"]:
            from kenpo_lib.curated import empty_table

            return empty_table(table_name)
        return self._read(name, pl.col("branch_code") == branch_code)

    def read_sources(self, source_ids: Iterable[str]) -> pl.DataFrame:
        import polars as pl

        return self._read("sources.parquet", pl.col("source_id").is_in(sorted(source_ids)))

    def read_incentive(self, fiscal_year: int) -> pl.DataFrame | None:
        name = f"incentive_{fiscal_year}.parquet"
        return self._read(name) if name in self.manifest["files"] else None

    def read_contribution(self, fiscal_year: int) -> pl.DataFrame:
        return self._read(f"contribution_{fiscal_year}.parquet")

    def list_warnings(self, branch_code: str) -> list[dict[str, Any]]:
        index = self._index_of(branch_code)
        return index["branches"][branch_code]["warnings"] + index["nation_warnings"]

    # --- what ``wide_data.WideReader`` asks for ---

    def read_series(self, kpi_id: str) -> pl.DataFrame:
        import polars as pl

        return self._read(self._year_files(), pl.col("kpi_id") == kpi_id)

    def read_light(self) -> pl.DataFrame:
        from kenpo_lib.store.wide_data import LIGHT_COLUMNS

        return self._read(self._year_files(), columns=LIGHT_COLUMNS)

    def read_table(self, table_name: str) -> pl.DataFrame:
        return self._read(f"{table_name}.parquet")

    def read_facts(self) -> Mapping[str, Any]:
        return self._read_json(FACTS)

    def _year_files(self) -> list[str]:
        return [f"year_{year}.parquet" for year in self.years]

    # --- files ---

    @property
    def folder(self) -> Path:
        """Where the files of this store are."""
        return self.curated_dir / FOLDER / self.manifest["folder"]

    def discard(self) -> None:
        """Have this store computed anew when it is next asked for; another one that has taken its place stays."""
        path = self.curated_dir / FOLDER / STORE_MANIFEST
        with suppress(OSError):
            if sha256_of(path) == self.manifest_sha256:
                remove(path)

    def _read(
        self, names: str | list[str], wanted: pl.Expr | None = None, *, columns: tuple[str, ...] | None = None
    ) -> pl.DataFrame:
        """The rows of a file, or of several with the same columns one after the other."""
        import polars as pl

        listed = [names] if isinstance(names, str) else names
        try:
            rows = pl.scan_parquet([self.folder / name for name in listed], glob=False)
            rows = rows if wanted is None else rows.filter(wanted)
            return (rows if columns is None else rows.select(columns)).collect()
        except (OSError, pl.exceptions.ComputeError) as error:
            raise self._is_gone(listed[0]) from error

    def _read_json(self, name: str) -> Mapping[str, Any]:
        try:
            return _read_index(self.folder / name)
        except (OSError, ValueError) as error:
            raise self._is_gone(name) from error

    def _is_gone(self, name: str) -> InputError:
        return InputError(
            say(
                f"比較データ {name} を読めません。作り直された可能性があります。もう一度実行してください。",
                f"Cannot read {name} of the comparison store; it may have been replaced meanwhile. Run it again.",
            )
        )

    def _check_year(self, fiscal_year: int) -> None:
        if fiscal_year not in self.manifest["years"]:
            raise KeyError(fiscal_year)

    def _part_of(self, branch_code: str) -> Mapping[str, Any]:
        parts = self.manifest["parts"]
        return parts[max(0, bisect.bisect_right([part["first"] for part in parts], branch_code) - 1)]

    def _index_of(self, branch_code: str) -> Mapping[str, Any]:
        return self._read_json(self._part_of(branch_code)["index"])


@functools.lru_cache(maxsize=8)  # files of a store never change, see ``key.name_folder``
def _read_index(path: Path) -> Mapping[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def open_store(curated_dir: str | Path) -> Store | None:
    """The store of the curated tables as they are; None where there is none, or it was made from something else.

    Reads JSON and hashes small files; loads no polars.
    """
    curated_dir = Path(curated_dir)
    try:
        content = (curated_dir / FOLDER / STORE_MANIFEST).read_bytes()
        manifest = json.loads(content)
        store = Store(curated_dir, manifest, hashlib.sha256(content).hexdigest())
        if (curated_dir / FOLDER / DETACHED).is_file():
            software = take_software_key()
            return store if {name: manifest["key"][name] for name in software} == software else None
        is_current = manifest["key"] == take_key(curated_dir, suites_directory=manifest["suites_directory"])
        is_complete = all((store.folder / name).is_file() for name in manifest["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return store if is_current and is_complete else None
