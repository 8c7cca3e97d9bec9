"""Where things are: the folders that a batch reads, and the layout of the folder that it writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kenpo_lib.batch.job import Job


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
        """Names come from the catalogue; this holds even if one day they do not."""
        assert path.resolve().is_relative_to(self.path.resolve()), path
        return path
