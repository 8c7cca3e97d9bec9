"""What is to be made: one job a page. File names come from the catalogue, never from what a user typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kenpo_lib.catalogue import NATION, Catalogue
from kenpo_lib.errors import InputError
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.parameters import READING_ORDERS, Value, parse_parameters, require_known


class Kind(StrEnum):
    """The types of page."""

    OVERVIEW = "overview"
    BRANCH = "branch"
    KPI = "kpi"
    QUALITY = "quality"


NOTEBOOKS = {
    Kind.OVERVIEW: "10_national_overview.ipynb",
    Kind.BRANCH: "20_branch_profile.ipynb",
    Kind.KPI: "30_kpi_detail.ipynb",
    Kind.QUALITY: "90_data_quality.ipynb",
}
QUALITY_NAME = Text("データの品質", "Quality of the data")


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
        label: What people call that which it is about, in its language.
    """

    kind: Kind
    branch_code: str
    fiscal_year: int
    lang: str
    file: str
    extra: tuple[tuple[str, Value], ...] = ()
    label: str = ""

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
    def kpi_id(self) -> str | None:
        """The KPI that the page is about; None for other types of page."""
        return str(dict(self.extra)["kpi"]) if self.kind is Kind.KPI else None

    @property
    def subject(self) -> dict[str, Value]:
        """What the page is about; the notebook's last cell has to say the same."""
        kpi = {} if self.kpi_id is None else {"kpi": self.kpi_id}
        return {"branch": self.branch_code, "fiscal_year": self.fiscal_year, **kpi}

    @property
    def title(self) -> str:
        """The title in a browser's tab."""
        name = self.branch_code if self.kind in (Kind.OVERVIEW, Kind.BRANCH) else self.label
        return f"kenpo {name} {format_fiscal_year(self.fiscal_year, lang=self.lang)}"

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
    for code in (NATION, *branch_codes):
        kind = Kind.OVERVIEW if code == NATION else Kind.BRANCH
        own = {"order": order} if kind is Kind.OVERVIEW and order != READING_ORDERS[0] else {}
        given = parse_parameters({"branch": code, "fiscal_year": fiscal_year, "lang": lang, **own}, catalogue)
        name = catalogue.branches[code].name
        label = name if kind is Kind.OVERVIEW else Text(f"{name.ja}支部", name.en)
        jobs.append(_make_job(kind, given, f"{code}_{name.en.lower()}", label))
    return jobs


def plan_kpi_jobs(catalogue: Catalogue, kpi_ids: Iterable[str], *, fiscal_year: int, lang: str) -> list[Job]:
    """The pages of some KPIs.

    Raises:
        InputError: A KPI or language that does not exist.
    """
    jobs = []
    for kpi_id in kpi_ids:
        asked = {"branch": NATION, "fiscal_year": fiscal_year, "lang": lang, "kpi": kpi_id}
        given = parse_parameters(asked, catalogue)
        jobs.append(_make_job(Kind.KPI, given, f"kpi_{given['kpi']}", catalogue.kpis[str(given["kpi"])].name))
    return jobs


def plan_quality_job(catalogue: Catalogue, *, fiscal_year: int, lang: str) -> Job:
    """The page on the data.

    Raises:
        InputError: A language that does not exist.
    """
    given = parse_parameters({"branch": NATION, "fiscal_year": fiscal_year, "lang": lang}, catalogue)
    return _make_job(Kind.QUALITY, given, "quality", QUALITY_NAME)


def _make_job(kind: Kind, given: Mapping[str, Value], name: str, label: Text) -> Job:
    assert name.isascii(), name
    assert name.replace("_", "").isalnum(), name
    code, year, lang = str(given["branch"]), int(given["fiscal_year"]), str(given["lang"])
    suffix = "" if lang == "ja" else f"_{lang}"
    extra = tuple((key, given[key]) for key in ("kpi", "order") if key in given)
    return Job(kind, code, year, lang, f"kenpo_{name}_FY{year}{suffix}.html", extra, label(lang))


def find_job(parameters: Any, catalogue: Catalogue) -> Job | None:
    """The job that a manifest's ``externalParameters`` are those of; None where no page can be asked for like that."""
    try:
        kind, code, kpi_id = parameters["kind"], parameters["branch"], parameters.get("kpi")
        asked = {"fiscal_year": parameters["fiscal_year"], "lang": parameters["lang"]}
        order = {"order": parameters["order"]} if "order" in parameters else {}
        if kind == Kind.KPI:
            jobs = plan_kpi_jobs(catalogue, [kpi_id], **asked)
        elif kind == Kind.QUALITY:
            jobs = [plan_quality_job(catalogue, **asked)]
        else:
            jobs = plan_jobs(catalogue, [] if code == NATION else [code], **asked, **order)
    except (InputError, KeyError, TypeError, AttributeError):
        return None
    return next((job for job in jobs if job.to_dict() == parameters), None)
