"""Whether pages still are what was made, and whether what they were made from is still the same. Changes nothing.

Two different questions: a page that is not the recorded one must not be trusted; one whose inputs have changed since is what it
was, but no longer current.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from kenpo_lib.batch.digests import PART_WORDS, Digests, list_differences
from kenpo_lib.batch.job import Job, find_job
from kenpo_lib.batch.paths import Folder, Paths
from kenpo_lib.batch.record import read_json, read_record
from kenpo_lib.batch.record_check import list_contradictions
from kenpo_lib.catalogue import Catalogue
from kenpo_lib.errors import InputError, KenpoError
from kenpo_lib.files import sha256_of
from kenpo_lib.language import Text, say
from kenpo_lib.store import open_store

MANIFEST_SUFFIX = ".manifest.json"


class PagesDifferError(KenpoError):
    """Some pages or records are not what was made."""

    exit_code = 1


class State(StrEnum):
    """What was found of a page."""

    CURRENT = "current"
    OUTDATED = "outdated"  # as made; would come out otherwise now
    FAILED = "failed"  # the record of a page that could not be made
    PAGE_DIFFERS = "page_differs"
    RECORD_EDITED = "record_edited"
    NO_RECORD = "no_record"
    NO_PAGE = "no_page"

    @property
    def is_good(self) -> bool:
        return self in (State.CURRENT, State.OUTDATED, State.FAILED)


STATE_WORDS = {
    State.CURRENT: Text("一致", "as recorded"),
    State.OUTDATED: Text("入力が変わった", "inputs have changed"),
    State.FAILED: Text("作れなかった", "could not be made"),
    State.PAGE_DIFFERS: Text("頁が記録と違う", "the page is not the recorded one"),
    State.RECORD_EDITED: Text("記録が書き換えられた", "its record was edited"),
    State.NO_RECORD: Text("記録がない", "no record"),
    State.NO_PAGE: Text("頁がない", "no page"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one page.

    Attributes:
        file: Its name; of error pages and the record of a run with their folder.
        state: The result.
        details: More on it, in words.
        changed: Parts that have changed since, by their names in the manifest.
        inputs: Files named in the manifest that are others now, or gone (which data files are whenever data are computed anew).
    """

    file: str
    state: State
    details: tuple[Text, ...] = ()
    changed: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    def words(self, lang: str) -> str:
        """In one line."""
        details = Text("、".join(text.ja for text in self.details), ", ".join(text.en for text in self.details))(lang)
        return STATE_WORDS[self.state](lang) + (f": {details}" if details else "")

    def to_dict(self, lang: str) -> dict[str, Any]:
        """As plain values."""
        return {
            "file": self.file,
            "state": str(self.state),
            "is_good": self.state.is_good,
            "words": self.words(lang),
            "changed": list(self.changed),
            "inputs": list(self.inputs),
        }


class Verifier:
    """Verifies pages of one project as it is now.

    Args:
        paths: The folders of the project.
        catalogue: Branches and KPIs.
    """

    def __init__(self, paths: Paths, catalogue: Catalogue):
        self._paths, self._catalogue = paths, catalogue
        self._digests = Digests(paths, open_store(paths.curated))
        self._files: dict[str, str] = {}

    @property
    def knows_data(self) -> bool:
        """Whether pages are compared with the data as they are; not so while their comparison is to be computed anew."""
        return self._digests.store is not None

    def verify(self, given: Iterable[Path] = ()) -> list[Finding]:
        """One finding a page, in the order of folders and names.

        Args:
            given: Pages, their manifests or folders of pages; all folders of the project if there are none. A page without a
                manifest beside it, such as a mail's attachment, is compared with the project's record of its name.

        Raises:
            InputError: Nothing is there to verify.
        """
        places = list(given) or sorted(path for path in self._paths.reports.glob("[0-9]*") if path.is_dir())
        found = [finding for place in places for finding in self._verify_place(place)]
        if not found:
            raise InputError(
                say(
                    "確かめる頁がありません。kenpo report で作られます。",
                    "There is no page to verify; `kenpo report` makes them.",
                )
            )
        return found

    def _verify_place(self, place: Path) -> Iterator[Finding]:
        if place.is_dir():
            yield from self._verify_folder(Folder(place))
            return
        if place.name.endswith(MANIFEST_SUFFIX):
            place = place.with_name(f"{place.name.removesuffix(MANIFEST_SUFFIX)}.html")
        record = self._find_record(place)
        if not place.is_file() and not record.is_file():
            raise InputError(say(f"{_show(place.name)} がありません。", f"{_show(place.name)} is not there."))
        yield self._verify_page(place, record)

    def _find_record(self, page: Path) -> Path:
        name = f"{page.name.removesuffix('.html')}{MANIFEST_SUFFIX}"
        kept = [page.with_name(name), *sorted(self._paths.reports.glob("[0-9]*/*" + MANIFEST_SUFFIX))]
        return next((path for path in kept if path.name == name and path.is_file()), kept[0])

    def _verify_folder(self, folder: Folder) -> Iterator[Finding]:
        stems = {path.stem for path in folder.path.glob("*.html")}
        stems |= {path.name.removesuffix(MANIFEST_SUFFIX) for path in folder.path.glob("*" + MANIFEST_SUFFIX)}
        run = read_record(folder.run_manifest)
        if folder.run_manifest.is_file() and not run:
            yield Finding(f"{folder.path.name}/{folder.run_manifest.name}", State.RECORD_EDITED)
        if run:
            made = {file for file, entry in run["reports"].items() if entry["outcome"] != "failed"}
            stems |= {file.removesuffix(".html") for file in made}
        for stem in sorted(stems):
            yield self._verify_page(folder.path / f"{stem}.html", folder.path / f"{stem}{MANIFEST_SUFFIX}")
        failures = {path.stem for suffix in ("html", "json") for path in folder.errors.glob(f"*.{suffix}")}
        for stem in sorted(failures):
            yield _verify_failure(folder, stem)

    def _verify_page(self, page: Path, record: Path) -> Finding:
        file = _show(page.name)
        if not page.is_file():
            has_record = record.is_file()
            return Finding(file, State.NO_PAGE, () if has_record else (Text("記録もない", "and no record"),))
        if not record.is_file():
            return Finding(file, State.NO_RECORD)
        content = read_json(record)
        if not content:
            return Finding(file, State.RECORD_EDITED, (Text("読めない", "it cannot be read"),))
        job = find_job(content.get("externalParameters"), self._catalogue)
        faults = list_contradictions(content, page.name, job)
        if faults or job is None or not read_record(record):
            return Finding(file, State.RECORD_EDITED, tuple(faults))
        (subject,) = content["subject"]
        if subject["name"] != page.name:
            return Finding(file, State.RECORD_EDITED, (Text("別の頁の記録", "it is another page's"),))
        digest, size = sha256_of(page), page.stat().st_size
        if (subject["digest"]["sha256"], subject["bytes"]) != (digest, size):
            sizes = f"{subject['bytes']:,} → {size:,}"
            is_resized = size != subject["bytes"]
            return Finding(file, State.PAGE_DIFFERS, (Text(f"{sizes} バイト", f"{sizes} bytes"),) if is_resized else ())
        return self._compare_with_now(file, job, content)

    def _compare_with_now(self, file: str, job: Job, content: Mapping[str, Any]) -> Finding:
        parts = self._list_parts(job)
        changed = [part for part in list_differences(content["parts"], parts) if part in parts]
        words = [PART_WORDS[part] for part in changed]
        if self.knows_data and "data" not in changed:
            # Tables that somebody touched after the comparison was computed; the notebook is among the parts.
            touched = [name for name in self._digests.find_changed(job) if name.startswith("data/")]
            words += [Text(name, name) for name in touched]
        recorded = {entry["name"]: entry["digest"]["sha256"] for entry in content["resolvedDependencies"]}
        inputs = tuple(name for name, digest in recorded.items() if self._digest_now(name) != digest)
        return Finding(file, State.OUTDATED if words else State.CURRENT, tuple(words), tuple(changed), inputs)

    def _list_parts(self, job: Job) -> dict[str, str]:
        try:
            return self._digests.parts(job)
        except KeyError:  # the data have no such year any more
            return replace(self._digests, store=None).parts(job) | {"data": ""}

    def _digest_now(self, name: str) -> str:
        """sha256 of an input by its path in the project; pages share most of them. Empty where it is gone."""
        if name not in self._files:
            places = {"data/curated": self._paths.curated, "notebooks": self._paths.notebooks}
            path = self._paths.lock_file
            for prefix, place in places.items():
                if name.startswith(f"{prefix}/"):
                    path = place / name.removeprefix(f"{prefix}/")
            self._files[name] = sha256_of(path) if path.is_file() else ""
        return self._files[name]


def summarise(findings: Iterable[Finding], *, knows_data: bool, lang: str) -> str:
    """How many pages are in which state, in one or two lines."""
    counts = Counter(finding.state for finding in findings)
    comma = Text("、", "; ")(lang)
    lines = [comma.join(f"{STATE_WORDS[state](lang)} {counts[state]}" for state in State if counts[state])]
    if not knows_data:
        lines.append(
            Text(
                "今のデータとは比べていません（比較データが最新でない。kenpo report で更新されます）。",
                "Not compared with the data as they are: their comparison is not current (`kenpo report` renews it).",
            )(lang)
        )
    return "\n".join(lines)


def _verify_failure(folder: Folder, stem: str) -> Finding:
    """Of the page and the record of one that could not be made."""
    file = _show(f"{folder.errors.name}/{stem}.html")
    record, page = folder.errors / f"{stem}.json", folder.errors / f"{stem}.html"
    content = read_record(record)
    if not record.is_file():
        return Finding(file, State.NO_RECORD)
    if not content or content["file"] != page.name:
        return Finding(file, State.RECORD_EDITED)
    if not page.is_file():
        return Finding(file, State.NO_PAGE)
    return Finding(file, State.FAILED, (Text(content["reason"]["ja"], content["reason"]["en"]),))


def _show(name: str) -> str:
    """A file's name as one line of a console can show it."""
    return name if name.isprintable() else ascii(name)
