"""What is wrong with the manifest of a page, read by itself: fields that are missing, and fields that contradict each other.

Whoever edits a manifest and its digest as well has to get all of this right; a signature it is not.
"""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from kenpo_lib.batch.digests import PART_WORDS, digest_parameters, digest_versions
from kenpo_lib.batch.job import Job
from kenpo_lib.batch.record import COMPLETE, make_key
from kenpo_lib.language import Text

FIELDS = (
    *("subject", "externalParameters", "resolvedDependencies", "parts", "key", "code", "versions"),
    *("summary", "outcome", "attempt", "run", "seconds", "finished"),
)
# Checked one by one, so that a user called "data" is no fault; elsewhere stands free text.
_CHECKED = frozenset((*FIELDS, "recordDigest")) - {"summary"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_VERSION = re.compile(r"[\w.+!-]{1,60}")
_ABSOLUTE = re.compile(r"(?<![\w.:/<])/[^\s/]+/|\b[A-Za-z]:[\\/]|\\\\\w")


def list_contradictions(content: Mapping[str, Any], file: str, job: Job | None) -> list[Text]:
    """What is wrong, in words; nothing for every manifest that a batch wrote.

    Args:
        content: The manifest, possibly edited: anything that JSON can hold.
        file: The name of the page that it stands beside.
        job: From ``job.find_job``.
    """
    missing = [name for name in FIELDS if name not in content]
    found = [Text(f"項目 {name} がない", f"{name} is missing") for name in missing]
    for name, check in _CHECKS.items():
        if name not in missing and not _holds(check, content):
            found.append(Text(f"項目 {name} が正しくない", f"{name} is not right"))
    if "externalParameters" not in missing and (job is None or job.file != file):
        found.append(
            Text("支部・指標・年度と頁の名前が合わない", "branch, KPI and year are not those of the page's name")
        )
    for name in PART_WORDS:
        if not _holds(lambda content, name=name: _agrees(name, content), content):
            found.append(Text(f"parts の {name} がほかの項目と合わない", f"parts: {name} contradicts other fields"))
    if any(_ABSOLUTE.search(text) for text in _list_texts(content)):
        found.append(Text("端末のフォルダー名が含まれている", "it names a folder of a machine"))
    free = {name: value for name, value in content.items() if name not in _CHECKED}
    own = _list_own_names()
    if any(own.intersection(re.split(r"[^\w.-]+", text)) for text in _list_texts(free)):
        found.append(Text("利用者か端末の名前が含まれている", "it names a user or a machine"))
    return found


def _holds(check: Callable[[Mapping[str, Any]], bool], content: Mapping[str, Any]) -> bool:
    """Whether a check is met; fields of another shape than expected do not meet it."""
    try:
        return bool(check(content))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return False


def _is_sha256(value: Any) -> bool:
    return bool(_SHA256.fullmatch(value))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_within(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and not set(":\\") & set(name)


def _is_good_subject(content: Mapping[str, Any]) -> bool:
    (subject,) = content["subject"]
    is_named = isinstance(subject["name"], str)
    return is_named and _is_sha256(subject["digest"]["sha256"]) and _is_count(subject["bytes"])


def _is_good_code(content: Mapping[str, Any]) -> bool:
    commit, dirty = content["code"]["commit"], content["code"]["dirty"]
    return (commit is None or bool(_COMMIT.fullmatch(commit))) and dirty in (None, True, False)


_CHECKS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "subject": _is_good_subject,
    "resolvedDependencies": lambda content: all(
        _is_within(entry["name"]) and _is_sha256(entry["digest"]["sha256"]) for entry in content["resolvedDependencies"]
    ),
    "parts": lambda content: (
        content["parts"].keys() == PART_WORDS.keys()
        and all(digest == "" or _is_sha256(digest) for digest in content["parts"].values())
    ),
    "key": lambda content: content["key"] == make_key(content["parts"]),
    "code": _is_good_code,
    "versions": lambda content: all(_VERSION.fullmatch(number) for number in content["versions"].values()),
    "outcome": lambda content: content["outcome"] == COMPLETE,
    "attempt": lambda content: _is_count(content["attempt"]),
    "run": lambda content: _is_count(content["run"]),
    "seconds": lambda content: content["seconds"] >= 0,
    "finished": lambda content: datetime.fromisoformat(content["finished"]).tzinfo is not None,
}


def _agrees(part: str, content: Mapping[str, Any]) -> bool:
    """Whether a part is the digest of what the manifest itself says; true of parts of which it says nothing more."""
    recorded = content["parts"][part]
    inputs = {entry["name"]: entry["digest"]["sha256"] for entry in content["resolvedDependencies"]}
    if part == "parameters":
        return recorded == digest_parameters(content["externalParameters"])
    if part == "environment":
        return recorded == digest_versions(content["versions"])
    if part == "lock":
        return recorded == inputs.get("requirements.lock", "")
    if part == "notebook":
        return recorded in [digest for name, digest in inputs.items() if name.startswith("notebooks/")]
    return True


def _list_texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names of fields too; however deep it is."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value


def _list_own_names() -> set[str]:
    """The user and the machine that this runs on; others cannot be known here."""
    names = {platform.node()}
    with suppress(OSError, KeyError, ImportError):
        names.add(getpass.getuser())
    return {name for name in names if len(name) > 2}
