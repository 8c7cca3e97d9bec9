"""The import that costs four seconds for nothing."""

from __future__ import annotations

import subprocess
import sys


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_charts_load_altair_without_building_the_iri_grammar():
    loaded = _run("import sys, kenpo_lib.charts; print('altair' in sys.modules, 'rfc3987_syntax' in sys.modules)")

    assert loaded == "True False"


def test_the_grammar_can_still_be_imported_by_whoever_wants_it():
    found = _run("import kenpo_lib.charts, importlib.util as u; print(u.find_spec('rfc3987_syntax') is not None)")

    assert found == "True"
