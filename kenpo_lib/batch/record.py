"""What made a page: the manifest beside it, the record of a failure, the manifest of the run. No user, host or absolute path.

The shape follows in-toto statements: what came out (``subject``), what was asked for (``externalParameters``), what it was made from
(``resolvedDependencies``).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from kenpo_lib.batch.digests import Digests
from kenpo_lib.batch.job import Job
from kenpo_lib.batch.paths import Folder
from kenpo_lib.batch.work import Failure, Result
from kenpo_lib.files import MANIFEST, digest_texts, remove, remove_if_empty, sha256_of, write_atomically

COMPLETE = "complete"
FAILED = "failed"
_OWN_DIGEST = "recordDigest"


@dataclass(frozen=True, slots=True)
class Code:
    """The state of the project's own code, where it is under git."""

    commit: str | None
    is_dirty: bool | None


def read_code(project: Path) -> Code:
    """The commit that is checked out, and whether anything differs from it; unknown without git."""

    def ask(*arguments: str) -> str | None:
        with suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run(
                # Without optional locks: "status" would else write into the index, and a commit made meanwhile would fail.
                ["git", "--no-optional-locks", "-C", str(project), *arguments],
                capture_output=True,
                text=True,
                timeout=20,
                check=True,
            )
            return done.stdout.strip()
        return None

    commit = ask("rev-parse", "HEAD")
    changes = ask("status", "--porcelain") if commit else None
    return Code(commit, None if changes is None else bool(changes))


def now() -> str:
    """The time as it stands in records."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Write a record with a digest of itself, by which ``read_record`` sees that nobody has edited it."""
    sealed = {**content, _OWN_DIGEST: {"sha256": _digest(content)}}
    write_atomically(path, (json.dumps(sealed, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))


def read_record(path: Path) -> dict[str, Any]:
    """A record as ``write_record`` wrote it; empty where there is none, or what is there has been edited or is damaged."""
    content = read_json(path)
    own = content.pop(_OWN_DIGEST, None)
    return content if own == {"sha256": _digest(content)} else {}


def _digest(content: Mapping[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode("ascii")).hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """A record as it is now, edited or not; empty where there is none."""
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}


# --- one page -------------------------------------------------------------------------------------------------------


def describe_page(
    job: Job, page: bytes, digests: Digests, code: Code, *, run: int, result: Result, summary: Mapping[str, Any]
) -> dict[str, Any]:
    """The manifest of a page."""
    parts = digests.parts(job)
    inputs = digests.inputs(job) | {"requirements.lock": digests.shared["lock"]}
    return {
        "subject": [{"name": job.file, "digest": {"sha256": sha256(page).hexdigest()}, "bytes": len(page)}],
        "externalParameters": job.to_dict(),
        "resolvedDependencies": [
            {"name": name, "digest": {"sha256": digest}} for name, digest in sorted(inputs.items()) if digest
        ],
        "parts": parts,
        "key": make_key(parts),
        "code": {"commit": code.commit, "dirty": code.is_dirty},
        "versions": digests.versions,
        "summary": dict(summary),
        "outcome": COMPLETE,
        "attempt": result.request.attempt,
        "run": run,
        "seconds": round(result.seconds, 3),
        "finished": now(),
    }


def make_key(parts: Mapping[str, str]) -> str:
    """One digest of all parts."""
    return digest_texts(f"{name} {digest}" for name, digest in sorted(parts.items()))


def describe_failure(job: Job, failure: Failure, *, run: int, attempt: int) -> dict[str, Any]:
    """The record of a page that could not be made."""
    return {
        "externalParameters": job.to_dict(),
        "file": job.file,
        "outcome": FAILED,
        "cause": str(failure.cause),
        "reason": {"ja": failure.reason.ja, "en": failure.reason.en},
        "cell": failure.cell_number,
        "attempt": attempt,
        "run": run,
        "finished": now(),
    }


def forget_failure(folder: Folder, job: Job) -> None:
    """Remove error page and record of a page that has been made since."""
    remove(folder.error_page(job))
    remove(folder.error_record(job))
    remove_if_empty(folder.errors)


def is_as_recorded(path: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether a page is the one that its manifest is about."""
    (subject,) = manifest["subject"]
    return subject["name"] == path.name and subject["digest"]["sha256"] == sha256_of(path)


# --- all pages ------------------------------------------------------------------------------------------------------


def list_manifests(folder: Folder) -> list[dict[str, Any]]:
    """The manifests of all pages of a year, by file name."""
    return [content for path in sorted(folder.path.glob("*.manifest.json")) if (content := read_record(path))]


def list_failures(folder: Folder) -> list[dict[str, Any]]:
    """The records of pages that could not be made, by file name."""
    return [content for path in sorted(folder.errors.glob("*.json")) if (content := read_record(path))]


def next_run(folder: Folder) -> int:
    """The number of the next run: one more than any that left a trace. A counter and not a time: clocks are set back."""
    records = [read_record(folder.run_manifest), *list_manifests(folder), *list_failures(folder)]
    return 1 + max((record["run"] for record in records if record), default=0)


def is_recorded(folder: Folder) -> bool:
    """Whether the manifest of the run is about the last one that left a trace; not so if that was killed before its end."""
    return read_record(folder.run_manifest).get("run", 0) == next_run(folder) - 1


def describe_run(
    *, run: int, fiscal_year: int, started: str, code: Code, digests: Digests, outcomes: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """The manifest of a run: what was asked for, and what became of each page."""
    return {
        "run": run,
        "fiscal_year": fiscal_year,
        "started": started,
        "finished": now(),
        "code": {"commit": code.commit, "dirty": code.is_dirty},
        "versions": digests.versions,
        "shared": digests.shared,
        "inputs": read_json(digests.paths.curated / MANIFEST).get("inputs", {}),
        "reports": {outcome["file"]: {k: v for k, v in outcome.items() if k != "file"} for outcome in outcomes},
    }
