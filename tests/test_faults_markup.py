"""Hostile text in every field of the data and of the definitions, through the whole pipeline into a browser. Rows 58 to 62."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import builders
import pytest
import yaml
from batches import FakeMaker, copy_project, hash_pages, make_batch, run_kenpo
from browsing import open_page
from bs4 import BeautifulSoup
from hostile import FREE, HIDDEN_SIGNS, SOURCE, TEXTS, spoil_definitions, spoil_raw
from playwright.sync_api import Browser
from published import copy_parts

from kenpo_lib.batch.paths import Folder, Paths
from kenpo_lib.batch.run import run_batch
from kenpo_lib.batch.work import Cause, Failure, Request, Result
from kenpo_lib.catalogue import Catalogue, load_catalogue
from kenpo_lib.curate import curate
from kenpo_lib.errors import InputError
from kenpo_lib.language import Text
from kenpo_lib.page import check_page
from kenpo_lib.tables import defuse

pytestmark = [pytest.mark.xdist_group("report")]
_REPORT = ("report", "--fiscal-year", "2024", "--branch", "04,13", "--kpi", "visit_rate", "--quality")
COMMANDS = (("seal",), ("curate",), ("validate",), _REPORT, (*_REPORT, "--lang", "en"))
_TYPES = (
    *("kenpo_00_national_FY2024", "kenpo_04_miyagi_FY2024", "kenpo_13_tokyo_FY2024"),
    *("kenpo_kpi_visit_rate_FY2024", "kenpo_quality_FY2024", "index"),
)
PAGES = {"ja": _TYPES, "en": tuple(f"{name}_en" for name in _TYPES)}
# Elements and attributes as a browser has them after it has parsed a page.
VOCABULARY = (
    "[...document.querySelectorAll('*')].flatMap(e => [e.localName, ...[...e.attributes].map(a => '@' + a.name)])"
)
# Long names let charts fade labels that would overlap; pages of one KPI and of the data's quality have lines of their own.
OTHERWISE_KNOWN = {"@opacity", "br", "@x1", "@y1"}


@dataclass(frozen=True)
class Made:
    """What the commands said, and the pages by the stem of their names."""

    project: Path
    said: str
    pages: dict[str, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("hostile")
    project, definitions = copy_parts(folder / "project"), folder / "definitions"
    spoil_raw(project / "data" / "raw")
    spoil_definitions(definitions)
    said = []
    for command in COMMANDS:
        done = run_kenpo(project, *command, KENPO_DEFINITIONS=str(definitions))
        assert done.returncode == 0, done.stderr
        said += [done.stdout, done.stderr]
    pages = {path.stem: path for path in (project / "reports").rglob("*.html")}
    return Made(project, "".join(said), pages)


@pytest.fixture(scope="module")
def known(browser: Browser, published: Paths) -> set[str]:
    """The elements and attributes of pages made from the real figures."""
    found = set(OTHERWISE_KNOWN)
    for name in hash_pages(published):
        page, _, _ = open_page(browser, published.reports / name, width=1280)
        found.update(page.evaluate(VOCABULARY))
        page.context.close()
    return found


def _show(text: str) -> str:
    """A text as a page shows it."""
    return "".join(f"⟨U+{ord(sign):04X}⟩" if sign in HIDDEN_SIGNS else sign for sign in text.strip())


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", [name for names in PAGES.values() for name in names])
def test_hostile_page_is_the_same_elements_and_nothing_happens(
    browser: Browser, made: Made, known: set[str], name: str
):
    page, requests, messages = open_page(browser, made.pages[name], width=1280)
    page.keyboard.press("Tab")
    page.mouse.move(200, 300)

    assert (requests, messages) == ([], [])
    assert page.evaluate("window.canary") is None
    assert set(page.evaluate(VOCABULARY)) <= known
    assert check_page(made.pages[name].read_text(encoding="utf-8")) == []
    page.context.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("lang", PAGES)
def test_every_text_is_read_in_a_page_as_it_was_written(browser: Browser, made: Made, lang: str):
    text = "\n".join(_read_pages(browser, [made.pages[name] for name in PAGES[lang]]))

    assert [each for each in TEXTS if _show(each) not in text] == []
    assert SOURCE in text
    raw = made.project / "data" / "raw"
    rows = [row for path in raw.glob("*.csv") for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))]
    for column in FREE:
        assert any(_show(row[column]) in text for row in rows if row.get(column)), column
    metas = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in raw.glob("*.meta.yaml")]
    for field in ("title", "issuer", "trust_note"):
        assert any(_show(str(meta.get(field))) in text for meta in metas), field


def _read_pages(browser: Browser, paths: Iterable[Path]) -> Iterable[str]:
    for path in paths:
        page, _, _ = open_page(browser, path, width=1280)
        yield page.evaluate("document.body.textContent")
        page.context.close()


@pytest.mark.slow
def test_downloads_hold_no_formula(made: Made):
    """Row 62."""
    cells = [cell for path in made.pages.values() for cell in _list_download_cells(path.read_text(encoding="utf-8"))]
    texts = [cell for cell in cells if not re.fullmatch(r"[-+]?[0-9.]+", cell)]

    assert [cell for cell in texts if defuse(cell) != cell] == []
    assert any(cell.startswith("'=") for cell in texts)


def _list_download_cells(html: str) -> list[str]:
    links = re.findall(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', html)
    downloads = (base64.b64decode(link).decode("utf-8-sig") for link in links)
    return [cell for text in downloads for row in csv.reader(io.StringIO(text, newline="")) for cell in row]


@pytest.mark.slow
def test_commands_write_nothing_that_a_console_obeys(made: Made):
    assert "⟨U+" in made.said
    assert {sign for sign in made.said if not sign.isprintable()} <= {"\n", "\u3000"}


# --- where it is refused --------------------------------------------------------------------------------------------

COLUMNS = {
    "figures": ("branch", "kpi_id", "definition", "year", "period", "as_of", "measure", "status", "kind", "printed"),
    "budgets": ("branch", "year", "theme", "kpi_id", "budget_printed", "executed_printed", "rate_printed"),
    "marks": ("branch", "year", "as_of", "mark"),
    "statistics": ("branch", "statistic", "year", "as_of", "printed"),
}
ROWS = {
    "figures": builders.figure,
    "budgets": builders.budget,
    "marks": builders.mark,
    "statistics": builders.statistic,
}


@pytest.mark.parametrize("layout", COLUMNS)
def test_column_with_a_meaning_refuses_every_hostile_text(tmp_path: Path, catalogue: Catalogue, layout: str):
    cells = [{column: text} for column in COLUMNS[layout] for text in TEXTS]
    builders.write_source(tmp_path / "raw", [ROWS[layout](**cell) for cell in cells], layout=layout)

    with pytest.raises(InputError) as caught:
        curate(tmp_path / "raw", catalogue)

    refused = {fault.place for fault in caught.value.faults}
    for line, cell in enumerate(cells, 2):
        assert f"{line}行目「{next(iter(cell))}」" in refused, cell


# --- where it is the reason of a failure ----------------------------------------------------------------------------


OF_LISTINGS = {
    *("header", "h1", "h2", "h3", "nav", "ul", "li", "section", "p", "code", "br", "strong", "a", "span", "time"),
    *("div", "table", "caption", "thead", "tbody", "tr", "th", "td"),
}


class _Failing(FakeMaker):
    """Gives each page some of the texts as the reason why it could not be made, and as the cell."""

    def run(self, requests: Iterable[Request]) -> Iterable[Result]:
        requests = list(requests)
        for number, request in enumerate(requests):
            text = " ".join(TEXTS[number :: len(requests)])
            yield Result(request, failure=Failure(Cause.DATA, Text(text, text), 2, text))


def test_hostile_reason_of_a_failure_is_text_in_error_page_and_index(published: Paths, tmp_path: Path):
    paths = copy_project(published, tmp_path / "project")
    batch = make_batch(paths, load_catalogue().branch_codes[:8])

    run_batch(batch, lambda work, total: nullcontext(_Failing(batch)))

    errors = [Folder(paths.reports / "2024").error_page(job) for job in batch.jobs]
    for pages in ([paths.reports / "index.html"], errors):
        soups = [BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser") for page in pages]
        text = " ".join(soup.get_text() for soup in soups)
        assert [each for each in TEXTS if _show(each) not in text] == []
        assert {tag.name for soup in soups for tag in soup.main.find_all(True)} <= OF_LISTINGS
        assert not [page.name for page in pages if check_page(page.read_text(encoding="utf-8"))]
