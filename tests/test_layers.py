"""Data runs down the list of modules, imports run up it; and nothing but what is meant to opens a connection."""

from __future__ import annotations

import ast
import subprocess
import sys

import builders
import pytest

# A module imports only from those above it. A new module gets its place here.
LAYERS = [
    *(
        "fast_import",
        "streams",
        "language",
        "tables",
        "errors",
        "files",
        "strict_yaml",
        "grain",
        "normalise",
        "targets",
    ),
    *(
        "catalogue",
        "kept_verdict",
        "curated",
        "proxies",
        "sources",
        "curate",
        "validate",
        "stats",
        "spread",
        "uncertainty",
        "known",
    ),
    *("compare", "incentive", "contribution", "store", "yearly", "coverage", "spine", "sentences", "verdict_words"),
    *("actions", "points", "conclusion", "charts", "page", "console", "export", "briefing", "parameters", "batch"),
    *("doctor", "cli"),
]
PACKAGE = builders.ROOT / "kenpo_lib"
FILES = sorted(PACKAGE.rglob("*.py"))
# Loading data with these runs code, or opens connections; the suite does neither.
FORBIDDEN = {
    *("pickle", "marshal", "shelve", "dill", "joblib", "socket", "http.client", "urllib.request", "ftplib", "xmlrpc"),
    *("requests", "httpx", "aiohttp", "urllib3", "websockets", "websocket"),
}


def module_of(path):
    """The module or sub-package directly in ``kenpo_lib`` that a file belongs to; "" for its ``__init__``."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py").removesuffix("__init__")


def list_imports(path):
    """Every dotted name that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def list_own_imports(path):
    names = {name.split(".")[1] for name in list_imports(path) if name.startswith("kenpo_lib.")}
    return {name for name in names if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_module_imports_only_from_those_above(path):
    # given a file of the package
    module = module_of(path)
    # when
    imported = list_own_imports(path) - {module}
    # then it has its place, and uses only what stands above it
    if not module:
        assert imported == set()
        return
    assert module in LAYERS, f"give {module} its place in LAYERS"
    below = {name for name in imported if name not in LAYERS[: LAYERS.index(module)]}
    assert below == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_module_neither_connects_nor_runs_stored_code(path):
    # given a file of the package
    # when
    imported = {f"{name}." for name in list_imports(path)}
    forbidden = {name for name in FORBIDDEN if any(used.startswith(f"{name}.") for used in imported)}
    called = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    # then
    assert forbidden == set()
    assert called & {"eval", "exec", "compile", "__import__"} == set()


def test_list_own_imports_sees_imports_of_every_form(tmp_path):
    # given every way to import, also within a function
    path = tmp_path / "module.py"
    path.write_text(
        "import kenpo_lib.errors\nfrom kenpo_lib import language\nfrom kenpo_lib.curate import curate\n"
        "def f():\n    from kenpo_lib.compare import x\n    from kenpo_lib import __version__\n",
        encoding="utf-8",
    )
    # when, then
    assert list_own_imports(path) == {"errors", "language", "curate", "compare"}


def test_package_loads_nothing_heavy():
    # given a new process
    check = "import kenpo_lib, sys; print(sorted({'polars', 'pandas', 'altair', 'great_expectations'} & sys.modules.keys()))"
    # when
    shown = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=builders.ROOT)
    # then asking for the version takes no second
    assert shown.stdout.strip() == "[]"


def test_pages_are_shown_without_what_only_computing_needs():
    # given a new process
    check = (
        "import kenpo_lib.briefing, sys; print(sorted({'scipy', 'great_expectations', 'pandas'} & sys.modules.keys()))"
    )
    # when
    shown = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=builders.ROOT)
    # then no page waits a second for libraries that it does not use
    assert shown.stdout.strip() == "[]"
