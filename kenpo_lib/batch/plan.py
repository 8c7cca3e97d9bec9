"""Which pages have to be made, and why: those whose digests differ from the manifest beside them, or that are not as recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kenpo_lib.batch.digests import PART_WORDS, Digests, list_differences
from kenpo_lib.batch.job import Job
from kenpo_lib.batch.paths import Folder
from kenpo_lib.batch.record import is_as_recorded, read_record
from kenpo_lib.language import Text


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a page is made, and why."""

    job: Job
    is_made: bool
    reason: Text


def decide(
    jobs: Iterable[Job], folder: Folder, digests: Digests, *, force: bool = False, only_failed: bool = False
) -> list[Decision]:
    """One decision a job, in their order.

    Args:
        jobs: The pages asked for.
        folder: Where pages and manifests are.
        digests: What the pages would be made from now.
        force: Make all.
        only_failed: Make those alone that failed when they were last tried.
    """
    return [_decide(job, folder, digests, force=force, only_failed=only_failed) for job in jobs]


def _decide(job: Job, folder: Folder, digests: Digests, *, force: bool, only_failed: bool) -> Decision:
    failed = folder.error_record(job).is_file()
    if only_failed and not failed:
        return Decision(job, False, Text("前回は失敗していない", "did not fail"))
    if force:
        return Decision(job, True, Text("--force", "--force"))
    if failed:
        return Decision(job, True, Text("前回は失敗", "failed before"))
    if not folder.manifest(job).is_file() or not folder.page(job).is_file():
        return Decision(job, True, Text("まだない", "not there yet"))
    manifest = read_record(folder.manifest(job))
    if not manifest:
        return Decision(job, True, Text("記録が書き換えられている", "its record was edited"))
    changed = list_differences(manifest["parts"], digests.parts(job))
    if changed:
        ja, en = "、".join(PART_WORDS[part].ja for part in changed), ", ".join(PART_WORDS[part].en for part in changed)
        return Decision(job, True, Text(f"変わった: {ja}", f"changed: {en}"))
    if not is_as_recorded(folder.page(job), manifest):
        return Decision(job, True, Text("記録と違う", "not as recorded"))
    return Decision(job, False, Text("変わりなし", "unchanged"))
