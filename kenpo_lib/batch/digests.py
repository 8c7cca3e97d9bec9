"""What a page is made from, as digests: a page whose digests are the same need not be made again, and what differs is named."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import kenpo_lib
from kenpo_lib.batch.job import Job, Kind
from kenpo_lib.batch.paths import Paths
from kenpo_lib.catalogue import digest_definitions
from kenpo_lib.files import digest_files, digest_texts, sha256_of
from kenpo_lib.language import Text
from kenpo_lib.store import Store

LIBRARY = Path(kenpo_lib.__file__).parent
# What shapes the bytes of a page or the numbers in it.
PACKAGES = (
    *("altair", "ipython", "jinja2", "markupsafe", "nbconvert", "nbformat", "nh3", "numpy", "papermill"),
    *("polars", "pyarrow", "pyyaml", "scipy", "vl-convert-python"),
)
PART_WORDS = {
    "parameters": Text("パラメータ", "parameters"),
    "data": Text("データ", "data"),
    "notebook": Text("ノートブック", "notebook"),
    "library": Text("ライブラリ", "library"),
    "definitions": Text("KPIの定義", "definitions"),
    "templates": Text("テンプレート", "templates"),
    "suites": Text("検証項目", "expectation suites"),
    "font": Text("フォント", "font"),
    "lock": Text("requirements.lock", "requirements.lock"),
    "environment": Text("インストール済みの版", "installed versions"),
}


def digest_folder(folder: Path, *patterns: str) -> str:
    """One sha256 of all files of a folder that match, names and contents."""
    return digest_files({path for pattern in patterns for path in folder.rglob(pattern)}, root=folder)


def list_versions() -> dict[str, str]:
    """Python and the installed packages that shape a page, with their versions."""
    versions = {"python": platform.python_version(), "kenpo": kenpo_lib.__version__}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "-"
    return versions


def digest_versions(versions: Mapping[str, str]) -> str:
    """One digest of ``list_versions``."""
    return digest_texts(f"{name} {number}" for name, number in sorted(versions.items()))


def fingerprint_page(store: Store, job: Job) -> str:
    """Digest of everything in the tables that a page can show.

    Raises:
        KeyError: A year without data.
    """
    if job.kpi_id is not None:
        return store.fingerprint_kpi(job.kpi_id, job.fiscal_year)
    if job.kind is Kind.QUALITY:
        return store.fingerprint_quality()
    return store.fingerprint(job.branch_code, job.fiscal_year)


def list_page_tables(store: Store, job: Job) -> dict[str, str]:
    """What a page reads: sha256 by path from the folder of the curated tables.

    Raises:
        KeyError: A year without data.
    """
    if job.kind in (Kind.KPI, Kind.QUALITY):
        return store.wide_files()
    return store.files(job.branch_code, job.fiscal_year)


def digest_parameters(parameters: Mapping[str, Any]) -> str:
    """One digest of what a page was asked for, from ``Job.to_dict``."""
    return digest_texts([json.dumps(parameters, sort_keys=True)])


@dataclass(frozen=True)
class Digests:
    """The digests of one project as it is now; each file is read once.

    Attributes:
        paths: The folders.
        store: The comparison of the curated tables, which knows what each page shows of them; without it parts lack the data.
    """

    paths: Paths
    store: Store | None

    @cached_property
    def versions(self) -> dict[str, str]:
        return list_versions()

    @cached_property
    def shared(self) -> dict[str, str]:
        """What all pages have in common."""
        lock = self.paths.lock_file
        return {
            "library": digest_folder(LIBRARY, "*.py"),
            "definitions": digest_definitions(),
            "templates": digest_folder(self.paths.templates, "*.j2", "*.css"),
            "suites": digest_folder(self.paths.expectations, "*.json"),
            "font": digest_folder(LIBRARY / "fonts", "*.ttf"),
            "lock": sha256_of(lock) if lock.is_file() else "",
            "environment": digest_versions(self.versions),
        }

    @cached_property
    def notebooks(self) -> dict[str, str]:
        return {path.name: sha256_of(path) for path in sorted(self.paths.notebooks.glob("*.ipynb"))}

    def taken(self) -> Digests:
        """These, with every file read now and not when it is first asked for."""
        _ = self.shared, self.notebooks
        return self

    def parts(self, job: Job) -> dict[str, str]:
        """Digest by part for one page."""
        return {
            "parameters": digest_parameters(job.to_dict()),
            **({} if self.store is None else {"data": fingerprint_page(self.store, job)}),
            "notebook": self.notebooks.get(job.notebook, ""),
            **self.shared,
        }

    def inputs(self, job: Job) -> dict[str, str]:
        """sha256 of every file that the page is made from, by its path in the project. Needs the store."""
        assert self.store is not None, job
        tables = list_page_tables(self.store, job)
        curated = {f"data/curated/{name}": digest for name, digest in tables.items()}
        return {**curated, f"notebooks/{job.notebook}": self.notebooks.get(job.notebook, "")}

    def find_changed(self, job: Job) -> list[str]:
        """Inputs of a page that are no longer what they were when these digests were taken; reads them again."""
        places = {"data/curated": self.paths.curated, "notebooks": self.paths.notebooks}
        changed = []
        for name, digest in self.inputs(job).items():
            prefix = next(prefix for prefix in places if name.startswith(f"{prefix}/"))
            path = places[prefix] / name.removeprefix(f"{prefix}/")
            if not path.is_file() or sha256_of(path) != digest:
                changed.append(name)
        return changed


def list_differences(former: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The parts that differ, in the order of the words for them."""
    return [part for part in PART_WORDS if former.get(part) != now.get(part)]
