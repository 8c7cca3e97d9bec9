"""The notebooks as committed: no outputs, one set of parameters, nothing but questions, cells and figures."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import papermill
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
REPORT_PARAMETERS = {
    "branch": "str",
    "fiscal_year": "int",
    "lang": "str",
    "curated_dir": "str",
    "sentinel": "str",
}
# What a notebook takes beyond what the batch passes; it has a default that the batch relies on.
OWN_PARAMETERS = {"10_national_overview": {"order": "str"}, "30_kpi_detail": {"kpi": "str"}}


def _code_cells(path: Path) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_without_outputs_and_with_a_kernel(path: Path):
    notebook = nbformat.read(path, as_version=4)

    assert all(not cell.outputs and cell.execution_count is None for cell in _code_cells(path))
    assert notebook.metadata.kernelspec.name == "python3"
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in notebook.cells) == 1


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.stem[0] in "1239"], ids=lambda path: path.stem)
def test_report_notebooks_share_one_set_of_typed_parameters(path: Path):
    found = papermill.inspect_notebook(str(path))

    own = OWN_PARAMETERS.get(path.stem, {})
    assert {name: entry["inferred_type_name"] for name, entry in found.items()} == REPORT_PARAMETERS | own


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_defines_nothing_and_keeps_cells_short(path: Path):
    for cell in _code_cells(path):
        tree = ast.parse(cell.source)
        defined = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]

        assert not defined, cell.source
        assert len(cell.source.splitlines()) <= 10, cell.source
