"""Where things are: the folders that a batch reads, and the layout of the folder that it writes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kenpo_lib.batch.job import Job
from kenpo_lib.errors import InputError
from kenpo_lib.language import say


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders that a batch needs; all of one project."""

    curated: Path
    notebooks: Path
    templates: Path
    expectations: Path
    reports: Path
    lock_file: Path  # requirements.lock; need not be there

    @property
    def watched(self) -> tuple[Path, ...]:
        """Where nothing may change while a notebook runs, besides the curated tables. Analysts save notebooks at any time."""
        return (self.templates, self.expectations)

    @classmethod
    def of_project(cls, folder: Path) -> Paths:
        """Those of a project in its usual layout."""
        reports = folder / "reports"
        return cls(
            folder / "data" / "curated",
            folder / "notebooks",
            reports / "templates",
            folder / "expectations",
            reports,
            folder / "requirements.lock",
        )


@dataclass(frozen=True, slots=True)
class Folder:
    """The pages of one year and everything that stands beside them."""

    path: Path

    @property
    def run_manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def runs(self) -> Path:
        """Work folders, while a batch runs."""
        return self.path / ".runs"

    @property
    def errors(self) -> Path:
        return self.path / "errors"

    def page(self, job: Job) -> Path:
        return self._inside(self.path / job.file)

    def manifest(self, job: Job) -> Path:
        return self._inside(self.path / f"{job.stem}.manifest.json")

    def error_page(self, job: Job) -> Path:
        return self._inside(self.errors / job.file)

    def error_record(self, job: Job) -> Path:
        return self._inside(self.errors / f"{job.stem}.json")

    def _inside(self, path: Path) -> Path:
        """Names come from the catalogue; a link that somebody put in a page's place may still lead anywhere.

        Raises:
            InputError: It leads out of the folder, or nowhere.
        """
        with suppress(OSError, RuntimeError):  # a link to itself
            if path.resolve().is_relative_to(self.path.resolve()):
                return path
        name = f"{self.path.name}/{path.relative_to(self.path).as_posix()}"
        raise InputError(
            say(
                f"reports/{name} が、そのフォルダーの外を指すリンクになっています。リンクを消してから、もう一度実行してください。",
                f"reports/{name} is, or lies behind, a link that leads out of its folder. Remove the link, then run this again.",
            )
        )
