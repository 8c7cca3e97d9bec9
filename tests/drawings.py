"""The charts of the pages, as the cells of a notebook make them: not drawn yet, and without a batch around them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from published import Paths

from kenpo_lib.charts import drawing
from kenpo_lib.charts.drawing import Drawing


@pytest.fixture
def deferred() -> Iterator[list[Drawing]]:
    """The charts that are made from now on; none is drawn meanwhile."""
    yield drawing.defer_drawings()
    drawing.stop_deferring()


def run_cells_here(published: Paths, name: str, folder: Path, **parameters: Any) -> None:
    """Run the cells of a notebook in this process, with the published tables; the sentinel goes into the folder."""
    notebook = nbformat.read(published.notebooks / f"{name}.ipynb", as_version=4)
    given = {**parameters, "curated_dir": str(published.curated), "sentinel": str(folder / "sentinel.json")}
    names: dict[str, Any] = {"display": lambda *shown: None}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(cell.source, names)
            names |= given if "parameters" in cell.metadata.get("tags", []) else {}
