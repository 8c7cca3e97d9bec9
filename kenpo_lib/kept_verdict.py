"""The verdict that is kept beside the curated tables, for whoever relies on it; reading it loads no frame library."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kenpo_lib.catalogue import DEFINITIONS_DIR, digest_definitions
from kenpo_lib.errors import InputError
from kenpo_lib.files import MANIFEST, VERDICT, sha256_of
from kenpo_lib.language import say


def read_verdict(curated_dir: Path, *, definitions_dir: Path = DEFINITIONS_DIR) -> dict[str, Any]:
    """The ``to_dict`` of the report on the tables as they are; whether they passed is its ``passed``.

    Raises:
        InputError: There is no verdict, or it is about other tables, suites or definitions than those there now.
    """
    remedy = say("kenpo validate を実行してください", "run `kenpo validate`")
    try:
        verdict = json.loads((curated_dir / VERDICT).read_text(encoding="utf-8"))
        suites = curated_dir.resolve() / verdict["suites_directory"]
        stale = {
            say("整備済みデータ", "the curated tables"): verdict["curated_sha256"] != sha256_of(curated_dir / MANIFEST),
            say("KPIの定義", "the definitions"): verdict["definitions_sha256"] != digest_definitions(definitions_dir),
            say("検証項目", "the expectations"): verdict["suites_sha256"]
            != {path.name: sha256_of(path) for path in sorted(suites.glob("*.json"))},
        }
        report = verdict["report"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            say(
                f"{curated_dir.name} に検証の結果がありません。{remedy}。",
                f"No verdict in {curated_dir.name}: {remedy}.",
            )
        ) from error
    if any(stale.values()):
        changed = "・".join(name for name, is_stale in stale.items() if is_stale)
        raise InputError(
            say(
                f"検証の後に変更があります（{changed}）。{remedy}。",
                f"Changed since the validation: {changed}. {remedy}.",
            )
        )
    return report


def count_checks(verdict: Mapping[str, Any]) -> Counter[str]:
    """Checks by what came of them: ``checks``, ``ok``, ``warning``, and ``stopping`` (critical ones, and those that could not be made)."""
    total: Counter[str] = Counter()
    for counts in verdict["summary"].values():
        total.update({name: counts[name] for name in ("checks", "ok", "warning")})
        total["stopping"] += counts["critical"] + counts["error"]
    return total
