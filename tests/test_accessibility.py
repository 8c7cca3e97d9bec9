"""Every type of page for readers who see little, no colours or nothing, and for those who use the keyboard alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import CONTRAST, faint_texts, open_page, run_axe, unfold
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page

from kenpo_lib.batch.error_page import render_error_page
from kenpo_lib.batch.job import plan_jobs
from kenpo_lib.batch.paths import Paths
from kenpo_lib.batch.work import Cause, Failure
from kenpo_lib.catalogue import Catalogue
from kenpo_lib.language import Text

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("report")]
PAGES = {
    "many KPIs": "2024/kenpo_04_miyagi_FY2024.html",
    "few KPIs": "2024/kenpo_47_okinawa_FY2024.html",
    "overview": "2024/kenpo_00_national_FY2024.html",
    "index": "index.html",
    "one KPI": "urgent.html",
    "one KPI, English": "english.html",
    "quality": "quality.html",
    "error": "error.html",
}
# Of English pages only what words may change: they are longer and in other places, labels are others. Colours are the same.
ENGLISH = {
    "many KPIs, English": "2024/kenpo_04_miyagi_FY2024_en.html",
    "overview, English": "2024/kenpo_00_national_FY2024_en.html",
    "quality, English": "2024/kenpo_quality_FY2024_en.html",
    "index, English": "index_en.html",
}
VIEWS = {
    "light": {"width": 1280},
    "dark": {"width": 1280, "color_scheme": "dark"},
    "paper": {"width": 794},  # A4
    "phone": {"width": 390},
}
# What axe-core leaves to people, and the answer.
JUDGED = {
    CONTRAST,  # cells that are scrolled out of sight; `faint_texts` reads those too
    "th-has-data-cells",  # a column that an empty heading of a group of rows crosses; every column has its cells
}


@pytest.fixture(scope="module")
def files(
    published: Paths,
    detail_pages: dict[str, Path],
    english_reports: Path,
    catalogue: Catalogue,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """A file of every type of page."""
    error = tmp_path_factory.mktemp("error") / "error.html"
    failure = Failure(Cause.DATA, Text("表が空です。", "A table is empty."), 3, "show(briefing)\n    .rows")
    (_, job) = plan_jobs(catalogue, ["04"], fiscal_year=2024, lang="ja")
    error.write_bytes(render_error_page(job, failure, attempt=2, keeps_former=True, templates=published.templates))
    made = detail_pages | {error.name: error}
    return {name: made.get(file, published.reports / file) for name, file in PAGES.items()} | {
        name: english_reports / file for name, file in ENGLISH.items()
    }


def _show(browser: Browser, path: Path, view: str) -> Page:
    page, _, _ = open_page(browser, path, **VIEWS[view])
    if view == "paper":
        page.emulate_media(media="print")
    return page


def _look_at(views: tuple[object, ...], english: object = None) -> list[tuple[str, object]]:
    """Each Japanese page in these views, and each English one in that."""
    return [(name, view) for view in views for name in PAGES] + [(name, english) for name in ENGLISH if english]


@pytest.mark.parametrize(("name", "view"), _look_at(("light", "phone"), "phone"))
def test_axe_finds_nothing_in_the_unfolded_page(browser: Browser, files: dict[str, Path], name: str, view: str):
    page = _show(browser, files[name], view)
    unfold(page)

    violations, undecided = run_axe(page, contrast=False)

    assert violations == []
    assert undecided <= JUDGED
    page.context.close()


@pytest.mark.parametrize(("name", "view"), [*_look_at(("light", "dark", "paper")), ("many KPIs, English", "light")])
def test_every_text_contrasts_with_what_is_beneath_it(browser: Browser, files: dict[str, Path], name: str, view: str):
    page = _show(browser, files[name], view)

    violations = [] if view == "paper" else run_axe(page, contrast=True)[0]
    unfold(page)

    assert violations == []
    assert faint_texts(page) == []
    page.context.close()


@pytest.mark.parametrize(("old", "new"), [("--muted: #57606a", "--muted: #8a8a8a"), ("#59636e", "#8a8a8a")])
def test_contrast_is_measured_in_text_and_in_charts(
    browser: Browser, files: dict[str, Path], tmp_path: Path, old: str, new: str
):
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(files["few KPIs"].read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    page = _show(browser, spoilt, "light")

    faint = faint_texts(page)

    assert len(faint) > 20
    assert all("3.45" in text or "3.2" in text for text in faint)
    page.context.close()


def test_axe_finds_what_is_wrong_though_the_page_forbids_scripts(
    browser: Browser, files: dict[str, Path], tmp_path: Path
):
    html = files["one KPI, English"].read_text(encoding="utf-8")
    wrong = '<p style="color: #999">faint</p><a href="#nowhere"></a><div role="img"></div></main>'
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(html.replace("</main>", wrong, 1).replace('<html lang="en">', "<html>"), encoding="utf-8")
    page = _show(browser, spoilt, "light")

    found = [line.split()[0] for contrast in (False, True) for line in run_axe(page, contrast=contrast)[0]]

    assert sorted(found) == ["color-contrast", "html-has-lang", "link-name", "role-img-alt"]
    page.context.close()


# --- colour -----------------------------------------------------------------------------------------------------------

# What has a colour of its own in a page, and the word or sign in it that says the same.
COLOURED = [
    ("many KPIs", ".diff.{}", {"better": "良い", "worse": "悪い", "higher": "高い", "lower": "低い"}),
    ("many KPIs", ".badge.{}", {"met": "達成", "not_met": "未達", "cannot_tell": "判定できない"}),
    ("many KPIs", ".count.{} dt", {"met": "達成", "not_met": "未達", "cannot_tell": "判定できない"}),
    ("one KPI", "td.band-{}", {"1": "①", "2": "②", "4": "④", "5": "⑤"}),
    ("quality", "table.known td.{}", {"all": "47"}),
]


@pytest.mark.parametrize(("name", "selector", "signs"), COLOURED)
def test_no_colour_says_what_nothing_else_says(files: dict[str, Path], name: str, selector: str, signs: dict[str, str]):
    page = BeautifulSoup(files[name].read_text(encoding="utf-8"), "html.parser")

    for kind, sign in signs.items():
        coloured = page.select(selector.format(kind))
        assert coloured
        assert all(sign in element.text for element in coloured)


# --- zoom -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "zoom"), _look_at((2, 4), 4))  # WCAG 2 asks for 400 %: 320 px
def test_zoomed_page_scrolls_sideways_only_within_boxes_that_the_keyboard_reaches(
    browser: Browser, files: dict[str, Path], name: str, zoom: int
):
    width = 1280 // zoom
    page, _, _ = open_page(browser, files[name], width=width, device_scale_factor=zoom)
    unfold(page)

    out_of_reach = page.evaluate(
        """() => [...document.querySelectorAll('main *')]
          .filter(e => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === 'auto' && e.tabIndex < 0)
          .map(e => e.outerHTML.slice(0, 100))"""
    )

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert out_of_reach == []
    page.context.close()


# --- keyboard -------------------------------------------------------------------------------------------------------

# Where the focus is among all that can have it, in the order of the document; and the line around it.
_FOCUS = """() => {
  const style = getComputedStyle(document.activeElement);
  return [window.stops.indexOf(document.activeElement), `${style.outlineStyle} ${style.outlineWidth}`];
}"""
_FIND_STOPS = """() => {
  window.stops = [...document.querySelectorAll('a[href], summary, [tabindex]')].filter(e => e.checkVisibility());
  return window.stops.map(e => e.matches('a[href^="#"]') ? 'contents' : e.matches('a[download]') ? 'csv'
    : e.tagName === 'A' ? 'page' : e.tagName === 'SUMMARY' ? 'details' : 'table');
}"""


@pytest.mark.parametrize(
    ("name", "first", "kinds"),
    [
        ("few KPIs", "contents", {"contents", "table", "details", "csv"}),
        ("overview", "contents", {"contents", "table", "details", "csv"}),
        ("one KPI", "contents", {"contents", "table", "details", "csv"}),
        ("quality", "contents", {"contents", "table", "details", "csv"}),
        ("index", "contents", {"contents", "table", "page"}),
    ],
)
def test_tab_goes_through_the_page_in_its_order_and_shows_where_it_is(
    browser: Browser, files: dict[str, Path], name: str, first: str, kinds: set[str]
):
    page = _show(browser, files[name], "light")
    stops = page.evaluate(_FIND_STOPS)
    assert stops[0] == first
    assert set(stops) == kinds

    reached = []
    for _ in stops:
        page.keyboard.press("Tab")
        reached.append(page.evaluate(_FOCUS))

    assert reached == [[place, "solid 3px"] for place in range(len(stops))]
    page.context.close()


def test_details_open_by_keyboard_and_lead_to_their_table_and_csv(browser: Browser, files: dict[str, Path]):
    page = _show(browser, files["few KPIs"], "light")
    page.locator("summary").first.focus()

    page.keyboard.press("Enter")
    focused = []
    for _ in range(2):
        page.keyboard.press("Tab")
        focused.append(
            page.evaluate("[document.activeElement.tagName, document.activeElement.closest('details')?.open]")
        )

    assert focused == [["DIV", True], ["A", True]]
    page.context.close()
