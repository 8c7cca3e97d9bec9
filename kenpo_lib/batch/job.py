"""What is to be made: one job a page. File names come from the catalogue, never from what a user typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kenpo_lib.catalogue import NATION, Catalogue
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.parameters import READING_ORDERS, Value, parse_parameters, require_known


class Kind(StrEnum):
    """The types of page."""

    OVERVIEW = "overview"
    BRANCH = "branch"


NOTEBOOKS = {Kind.OVERVIEW: "10_national_overview.ipynb", Kind.BRANCH: "20_branch_profile.ipynb"}


@dataclass(frozen=True, slots=True)
class Job:
    """One page to make.

    Attributes:
        kind: The type of page, which decides the notebook.
        branch_code: Whose page it is; "00" for pages about all branches.
        fiscal_year: Western year of its April.
        lang: ``ja`` or ``en``.
        file: The final name, ASCII.
        extra: Parameters that only this type of page has.
    """

    kind: Kind
    branch_code: str
    fiscal_year: int
    lang: str
    file: str
    extra: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        require_known(self.parameters)  # also of one who calls this from Python: papermill runs a name as code

    @property
    def stem(self) -> str:
        """The file name without its ending: the job's name in work folders and manifests."""
        return self.file.removesuffix(".html")

    @property
    def notebook(self) -> str:
        return NOTEBOOKS[self.kind]

    @property
    def parameters(self) -> dict[str, Value]:
        """What the notebook is run with; the runner adds folders of its own."""
        return {
            "branch": self.branch_code,
            "fiscal_year": self.fiscal_year,
            "lang": self.lang,
            **dict(self.extra),
        }

    @property
    def title(self) -> str:
        """The title in a browser's tab."""
        return f"kenpo {self.branch_code} {format_fiscal_year(self.fiscal_year, lang=self.lang)}"

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for records."""
        return {"kind": str(self.kind), **self.parameters}


def plan_jobs(
    catalogue: Catalogue, branch_codes: Iterable[str], *, fiscal_year: int, lang: str, order: str = READING_ORDERS[0]
) -> list[Job]:
    """The overview, and the pages of the branches.

    Raises:
        InputError: A branch, language or reading order that does not exist.
    """
    jobs = []
    suffix = "" if lang == "ja" else f"_{lang}"
    for code in (NATION, *branch_codes):
        kind = Kind.OVERVIEW if code == NATION else Kind.BRANCH
        own = {"order": order} if kind is Kind.OVERVIEW and order != READING_ORDERS[0] else {}
        given = parse_parameters({"branch": code, "fiscal_year": fiscal_year, "lang": lang, **own}, catalogue)
        name = catalogue.branches[code].name.en.lower()
        assert name.isascii(), name
        assert name.replace("_", "").isalnum(), name
        file = f"kenpo_{code}_{name}_FY{given['fiscal_year']}{suffix}.html"
        jobs.append(Job(kind, code, int(given["fiscal_year"]), str(given["lang"]), file, tuple(own.items())))
    return jobs
