"""Other ways to make the same pages, each in two processes: ``peers.py WAY PROJECT [BRANCH …]``. Run by ``report_batch.py``."""

from __future__ import annotations

import ast
import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

WORKERS = 2


def by_papermill(project: str, code: str) -> None:
    """papermill's API and nbconvert's HTML exporter with its own template."""
    import papermill
    from nbconvert import HTMLExporter

    notebook = papermill.execute_notebook(
        f"{project}/notebooks/20_branch_profile.ipynb", None, parameters=_parameters(project, code), progress_bar=False
    )
    page, _ = HTMLExporter(exclude_input=True).from_notebook_node(notebook)
    Path(f"{project}/papermill_{code}.html").write_text(page, encoding="utf-8")


def by_ploomber(project: str, code: str) -> None:
    """ploomber-engine, which runs cells in its own process, and the same exporter."""
    from nbconvert import HTMLExporter
    from ploomber_engine import execute_notebook

    notebook = execute_notebook(
        f"{project}/notebooks/20_branch_profile.ipynb", None, parameters=_parameters(project, code), progress_bar=False
    )
    page, _ = HTMLExporter(exclude_input=True).from_notebook_node(notebook)
    Path(f"{project}/ploomber_{code}.html").write_text(page, encoding="utf-8")


def _parameters(project: str, code: str) -> dict[str, Any]:
    return {"branch": code, "fiscal_year": 2024, "curated_dir": f"{project}/data/curated"}


# --- the floor ------------------------------------------------------------------------------------------------------

_template: Any = None
_cells: dict[str, list[Any]] = {}


def warm(project: str) -> None:
    """Import, compile the cells, make one page of each kind: what a warm process has behind it."""
    global _template
    os.environ["POLARS_MAX_THREADS"] = "1"
    from altair.utils.schemapi import disable_debug_mode
    from jinja2 import DictLoader, Environment

    from kenpo_lib.batch.template import page_variables, read_templates
    from kenpo_lib.charts.theme import CHART_CSS

    disable_debug_mode()  # as the batch does: the floor is not to be higher for a check that ours leaves to the tests
    environment = Environment(loader=DictLoader(read_templates(Path(project) / "reports" / "templates")))
    environment.globals.update(page_variables(lang="ja", title="floor", chart_css=CHART_CSS))
    _template = environment.get_template("listing.html.j2")
    for name in ("10_national_overview", "20_branch_profile"):
        notebook = json.loads((Path(project) / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in code if "parameters" not in cell["metadata"].get("tags", [])]
        _cells[name] = [_compile(source) for source in sources]
    for code in ("00", "04"):
        by_plain_functions(project, code)


def _compile(source: str) -> tuple[Any, Any]:
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    shown = compile(ast.Expression(last.value), "cell", "eval") if last else None
    return compile(tree, "cell", "exec"), shown


def by_plain_functions(project: str, code: str) -> float:
    """The cells of the notebook, run as they stand, and one render of the template; returns the CPU seconds."""
    start = time.process_time()
    parts: list[str] = []
    names = {**_parameters(project, code), "lang": "ja", "sentinel": ""}
    if code == "00":
        names["order"] = "code"
    for body, shown in _cells["10_national_overview" if code == "00" else "20_branch_profile"]:
        exec(body, names)
        names["display"] = lambda *shown: parts.extend(map(str, shown))
        if shown is not None and (value := eval(shown, names)) is not None:
            parts.append(str(value))
    page = _template.render(body="".join(parts))
    Path(f"{project}/floor_{code}.html").write_text(page, encoding="utf-8")
    return time.process_time() - start


def main() -> None:
    way, project, *codes = sys.argv[1:]
    spawn = multiprocessing.get_context("spawn")
    if way == "floor":
        codes = ["00", *(f"{number:02}" for number in range(1, 48))]
        with ProcessPoolExecutor(WORKERS, mp_context=spawn, initializer=warm, initargs=(project,)) as pool:
            # Both processes are up, and warm, before the clock starts.
            list(pool.map(time.sleep, [0.5] * (2 * WORKERS)))
            start = time.perf_counter()
            used = list(pool.map(by_plain_functions, [project] * len(codes), codes))
            print(time.perf_counter() - start, sum(used))
        return
    make = {"papermill": by_papermill, "ploomber": by_ploomber}[way]
    with ProcessPoolExecutor(WORKERS, mp_context=spawn) as pool:
        list(pool.map(make, [project] * len(codes), codes))


if __name__ == "__main__":
    # Under the module's own name: what runs cells in its own process may put another module in the place of __main__.
    import peers

    peers.main()
