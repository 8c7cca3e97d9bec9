"""Import jsonschema without the grammar that it builds for four seconds and that nothing here uses."""

from __future__ import annotations

import importlib
import sys

_SLOW = "rfc3987_syntax"  # builds a grammar when imported; checks the format "iri", which no notebook or chart has


def import_jsonschema() -> None:
    """Import jsonschema as if ``rfc3987_syntax`` (brought by JupyterLab) were not installed; call before Altair or nbformat.

    Does nothing where jsonschema, or the grammar, is loaded already. What is imported later finds ``rfc3987_syntax`` again.
    """
    if "jsonschema" in sys.modules or _SLOW in sys.modules:
        return
    sys.modules[_SLOW] = None  # type: ignore[assignment]  # makes its import raise ImportError, which jsonschema expects
    try:
        importlib.import_module("jsonschema")
    finally:
        del sys.modules[_SLOW]
