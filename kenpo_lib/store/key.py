"""What a store was made from, as digests: it is current exactly while they are the same."""

from __future__ import annotations

import functools
import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kenpo_lib.catalogue import digest_definitions
from kenpo_lib.files import MANIFEST, VERDICT, digest_files, sha256_of

# The modules behind the numbers: all that ``store.computed`` imports, directly or not (test_store.py compares).
COMPUTING = (
    *("compare.py", "contribution.py", "curated.py", "errors.py", "files.py", "grain.py", "incentive.py"),
    *("known.py", "language.py", "normalise.py", "proxies.py", "spread.py", "strict_yaml.py", "targets.py"),
    *("catalogue", "stats", "store", "uncertainty"),
)
PACKAGES = ("numpy", "polars", "scipy")  # other versions may round otherwise


def take_key(curated_dir: Path, *, suites_directory: str) -> dict[str, Any]:
    """The digests of everything that a store is made from, as they are now.

    Args:
        curated_dir: Folder with the curated tables and their verdict.
        suites_directory: Where the suites of the verdict are, from ``curated_dir``.

    Returns:
        What JSON can hold. The tables themselves are named by ``curated.json``; here only their sizes are looked at, since
        reading them takes longer the more there are.

    Raises:
        OSError: A file is missing.
    """
    suites = curated_dir / suites_directory
    return {
        "curated": sha256_of(curated_dir / MANIFEST),
        "validation": sha256_of(curated_dir / VERDICT),
        "table_bytes": {path.name: path.stat().st_size for path in sorted(curated_dir.glob("*.parquet"))},
        "suites": digest_files(suites.glob("*.json"), root=suites),
        **take_software_key(),
    }


def take_software_key() -> dict[str, Any]:
    """The part of the key that is not about data."""
    return {"definitions": digest_definitions(), "library": digest_library(), "packages": dict(_list_versions())}


@functools.cache  # what a process has loaded it keeps
def _list_versions() -> tuple[tuple[str, str], ...]:
    return tuple((name, version(name)) for name in PACKAGES)


@functools.cache
def digest_library() -> str:
    """One digest of the source of all modules that have a part in the numbers."""
    package = Path(__file__).parents[1]
    files = [package / name for name in COMPUTING if name.endswith(".py")]
    files += [path for name in COMPUTING if not name.endswith(".py") for path in (package / name).glob("*.py")]
    return digest_files(files, root=package)


def name_folder(key: dict[str, Any]) -> str:
    """The folder of a store: one per key, so that a reader of the former store is never given files of the next."""
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
