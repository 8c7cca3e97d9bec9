"""What all pages share, computed once: the comparison, the nation, the incentive scores and who moved the nation.

A page of one branch needs a few of these rows. ``build_store`` computes all of them and writes them, sorted and cut into files by
branch and by year, under ``<curated_dir>/store/``; ``open_store`` gives them back as long as they are made from what is there
now. What one page can show is ``page_data.PageData``, the same from a store and from memory (``computed.Computed``); its
fingerprint tells whether a page made earlier would come out the same.

Opening a store and asking for files and fingerprints loads no frame library: a batch in which nothing changed ends at once.
"""

from __future__ import annotations

from pathlib import Path

from kenpo_lib.store.opened import Store, open_store

__all__ = ["Store", "build_store", "open_store"]


def build_store(curated_dir: str | Path) -> Store:
    """The store of these curated tables, computed and written if it is not there or not current.

    Args:
        curated_dir: Folder with the curated tables and their verdict.

    Raises:
        InputError: No curated tables, tables that do not belong together, or no verdict on them.
    """
    current = open_store(curated_dir)
    if current is not None:
        return current
    from kenpo_lib.store.build import write_store

    return write_store(Path(curated_dir))
