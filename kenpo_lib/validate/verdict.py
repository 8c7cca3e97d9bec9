"""The verdict to be kept beside the curated tables (``kept_verdict.read_verdict`` reads it), and what follows from it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kenpo_lib.catalogue import DEFINITIONS_DIR, digest_definitions
from kenpo_lib.errors import InputError, ValidationStoppedError
from kenpo_lib.files import MANIFEST, VERDICT, sha256_of, write_atomically
from kenpo_lib.language import console_language, say

if TYPE_CHECKING:
    from kenpo_lib.validate.results import ValidationReport

MAX_ROWS_SHOWN = 10


def write_verdict(
    report: ValidationReport, curated_dir: Path, manifest: Mapping[str, Any], *, definitions_dir: Path = DEFINITIONS_DIR
) -> Path:
    """Write ``validation.json`` beside the tables: what was found, and of exactly what.

    Args:
        report: The result for the tables in ``curated_dir``.
        curated_dir: Where the tables are.
        manifest: The manifest read before the tables were.

    Raises:
        InputError: The tables have changed since.
    """
    from kenpo_lib.curated import read_manifest  # here, so that reading a verdict loads no frame library

    if read_manifest(curated_dir) != manifest:
        raise InputError(
            say(
                "検証の間に整備済みデータが変わりました。kenpo validate をもう一度実行してください。",
                "The curated tables changed while they were validated: run `kenpo validate` again.",
            )
        )
    verdict = {
        "curated_sha256": sha256_of(curated_dir / MANIFEST),
        "definitions_sha256": digest_definitions(definitions_dir),
        # Relative to this file, so that a moved or renamed project keeps its verdict.
        "suites_directory": _path_between(curated_dir, report.expectations_dir),
        "suites_sha256": dict(sorted(report.suite_digests.items())),
        "report": report.to_dict(),
    }
    path = curated_dir / VERDICT
    write_atomically(path, (json.dumps(verdict, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode())
    return path


def _path_between(start: Path, end: Path) -> str:
    try:
        return Path(os.path.relpath(end.resolve(), start.resolve())).as_posix()
    except ValueError:  # there is no way from one drive of Windows to another
        return end.resolve().as_posix()


def require_verdict_passed(verdict: Mapping[str, Any]) -> None:
    """Stop where the kept verdict says that the data may not be published.

    Raises:
        ValidationStoppedError: With the first of the critical findings.
    """
    if verdict["passed"]:
        return
    lang = console_language()
    findings = verdict["critical"]
    lines = [
        f"  {entry['table']}: {entry['words'][lang]}: {entry['found'][lang]}"
        f" ({' / '.join(part for part in (entry['source_id'], entry['locator']) if part)})".replace(" ()", "")
        for entry in findings[:MAX_ROWS_SHOWN]
    ]
    if len(findings) > len(lines):
        lines.append(say(f"  … ほか {len(findings) - len(lines)} 件", f"  … and {len(findings) - len(lines)} more"))
    message = say(
        "検証に重大な不適合があり、公表できません。", "The validation found critical faults: not fit for publication."
    )
    raise ValidationStoppedError("\n".join([message, *lines]))
