"""Data becomes HTML and CSV here: whatever it holds, it is shown as text and nothing of it runs."""

from __future__ import annotations

import base64
import csv
import io
from typing import Any

import pytest
from attacks import ATTACKS
from bs4 import BeautifulSoup, Tag
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter
from markupsafe import Markup

from kenpo_lib.page import sanitise
from kenpo_lib.tables import (
    Html,
    badge,
    bullet_list,
    cell,
    csv_link,
    data_details,
    defuse,
    figure,
    heading,
    join,
    table,
    to_csv,
)

TABLE_TAGS = {"div", "table", "caption", "thead", "tbody", "tr", "th", "td"}
FIGURE_TAGS = {*TABLE_TAGS, "figure", "svg", "figcaption", "strong", "details", "summary", "p", "a"}


def parse(markup: str) -> BeautifulSoup:
    return BeautifulSoup(markup, "html.parser")


def assert_inert(markup: str, allowed: set[str]) -> None:
    """Only the writer's own elements and attributes are there."""
    known = {"class", "tabindex", "role", "aria-label", "data-label", "scope", "download", "href", "id"}
    for tag in parse(markup).find_all(True):
        assert tag.name in allowed, tag
        assert tag.attrs.keys() <= known, tag


def only(soup: BeautifulSoup | Tag, name: str) -> Tag:
    (found,) = soup.find_all(name)
    return found


# --- escaping -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ATTACKS)
def test_table_shows_data_as_text_in_every_place(attack):
    markup = table(attack, [attack, attack], [[attack, attack]], css=attack)

    assert_inert(markup, TABLE_TAGS)
    soup = parse(markup)
    assert soup.caption.get_text() == attack
    assert soup.div["aria-label"] == attack
    assert [tag.get_text() for tag in soup.find_all(("th", "td"))] == [attack] * 4
    assert soup.td["data-label"] == attack
    assert " ".join(soup.table["class"]).split() == attack.split()


@pytest.mark.parametrize("attack", ATTACKS)
def test_small_parts_show_data_as_text(attack):
    for markup, allowed in (
        (cell(attack, label=attack, css=attack, scope=attack), {"td"}),
        (heading(2, attack, anchor=attack), {"h2"}),
        (badge(attack, css=attack), {"span"}),
        (bullet_list([attack], css=attack), {"ul", "li"}),
        (Html("<b>{}</b>").format(attack), {"b"}),
        (join([Html("<b>x</b>"), attack], " "), {"b"}),
    ):
        assert_inert(markup, allowed)
        assert parse(markup).get_text().endswith(attack)


@pytest.mark.parametrize("attack", ATTACKS)
def test_figure_with_its_data_shows_data_as_text(attack):
    details = data_details([attack, attack], [[attack, attack]], file_name=attack, caption=attack, lang="ja")
    markup = figure("<svg></svg>", caption=attack, sentence=attack, details=details)

    assert_inert(markup, FIGURE_TAGS)
    soup = parse(markup)
    assert soup.strong.get_text() == attack
    assert soup.figcaption.get_text() == f"{attack} {attack}"
    assert soup.a["download"] == attack
    assert soup.a.get_text() == f"CSVで保存（{attack}）"
    assert soup.a["href"].startswith("data:text/csv;charset=utf-8;base64,")


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_survives_the_sanitiser_as_it_was_written(attack):
    clean = sanitise(table(attack, [attack, attack], [[attack, attack]]))

    assert_inert(clean, TABLE_TAGS)
    soup = parse(clean)
    assert soup.caption.get_text() == attack
    assert soup.td.get_text() == attack
    assert soup.td["data-label"] == attack


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_any_text_comes_back_from_a_cell(text):
    found = parse(cell(text, label=text)).td

    assert found.get_text() == text
    assert found.get("data-label", "") == text


def test_markup_of_ours_is_not_escaped_again():
    inner = Html("<b>{}</b>").format("a&b")

    assert cell(inner) == "<td><b>a&amp;b</b></td>"
    assert isinstance(cell(inner), Html)
    assert cell(inner)._repr_html_() == str(cell(inner))


def test_markup_is_kept_once_in_a_notebook():
    shown, _ = DisplayFormatter().format(Html("<b>x</b>" * 1_000))

    assert shown["text/html"] == "<b>x</b>" * 1_000
    assert shown["text/plain"] == "<Html: 8000 characters>"


def test_markup_of_a_library_is_trusted_only_where_it_is_marked():
    assert cell("<b>x</b>") == "<td>&lt;b&gt;x&lt;/b&gt;</td>"
    assert cell(Markup("<b>x</b>")) == "<td><b>x</b></td>"


# --- tables ---------------------------------------------------------------------------------------------------------


def test_table_has_caption_group_and_scoped_headings():
    soup = parse(table("表1", ["支部", "実績"], [["宮城", "68.6%"], ["東京", None]], css="cards"))

    assert soup.div.attrs == {"class": ["scroll"], "tabindex": "0", "role": "group", "aria-label": "表1"}
    assert soup.caption.get_text() == "表1"
    assert [tag["scope"] for tag in soup.thead.find_all("th")] == ["col", "col"]
    assert [tag["scope"] for tag in soup.tbody.find_all("th")] == ["row", "row"]
    assert [tag["data-label"] for tag in soup.find_all("td")] == ["実績", "実績"]
    assert [tag.get_text() for tag in soup.find_all("td")] == ["68.6%", "–"]


@pytest.mark.parametrize("css", ["data", "matrix", "sources"])
def test_table_that_stays_one_does_not_repeat_its_headings(css):
    soup = parse(table("表1", ["支部", "実績"], [["宮城", "68.6%"]], css=css))

    assert not any("data-label" in tag.attrs for tag in soup.find_all("td"))


def test_table_may_have_no_rows():
    soup = parse(table("表", ["支部"], []))

    assert soup.tbody.find_all("tr") == []


@pytest.mark.parametrize(
    ("content", "is_number"),
    [
        *[(number, True) for number in (0, -5, 68.6, "68.6%", "7,228円", "−3.5ポイント", "±0.0", "+1", "12位／47")],
        *[(words, False) for words in (None, "–", "達成", "", "対前年度以上", "約3件")],
    ],
)
def test_table_aligns_numbers_to_the_right(content, is_number):
    found = parse(table("表", ["支部", "値"], [["宮城", content]])).td

    assert ("num" in found.get("class", [])) is is_number


def test_table_takes_finished_cells_and_keeps_codes_as_they_are():
    done = cell("達成", label="判定", css="met")

    soup = parse(table("表", ["コード", "判定"], [["01", done]]))

    assert only(soup.tbody, "th").get_text() == "01"
    assert soup.td.attrs == {"class": ["met"], "data-label": "判定"}


def test_cell_shows_zero_as_zero_and_null_as_a_dash():
    assert [cell(value).striptags() for value in (0, 0.0, False, "", None)] == ["0", "0.0", "False", "", "–"]


@pytest.mark.parametrize("level", [0, 5])
def test_heading_has_levels_one_to_four(level):
    with pytest.raises(AssertionError):
        heading(level, "x")


@pytest.mark.parametrize(("lang", "words"), [("ja", ("データを見る", "CSVで保存")), ("en", ("Show the data", "Save"))])
def test_data_details_show_and_offer_the_same_rows(lang, words):
    headings, rows = ["支部", "値"], [["宮城", 68.6], ["東京", None]]

    soup = parse(data_details(headings, rows, file_name="a.csv", caption="表", lang=lang))

    assert soup.summary.get_text() == words[0]
    assert soup.a.get_text().startswith(words[1])
    assert soup.a["download"] == "a.csv"
    content = base64.b64decode(soup.a["href"].partition("base64,")[2], validate=True)
    assert content == to_csv(headings, rows)


def test_csv_link_survives_the_sanitiser():
    link = csv_link(["支部"], [["宮城"]], file_name="kenpo_04.csv", lang="ja")

    assert sanitise(link) == link


# --- CSV ------------------------------------------------------------------------------------------------------------

FORMULAS = (
    *("=cmd|' /C calc'!A0", '=HYPERLINK("http://evil.example","x")', "=1+1", "+1+1", "-5", "-1+1", "@x", "@SUM(1)"),
    *(
        "＝1+1",
        "＋1",
        "－5",
        "＠x",
        "\t=1+1",
        "\tabc",
        "\r=1+1",
        "\n=1+1",
        "  =1+1",
        "\u3000＝1+1",
        "\u00a0=1+1",
        " \t=1",
    ),
    *("﹦1+1", "₌1+1", "+81-3-1234"),
)
HARMLESS = (
    "01",
    "1-2",
    "2025-04-01",
    "68.6%",
    "−5",
    "±0.0",
    "–",
    "△1.2",
    "a=b",
    "宮城",
    "'x",
    "",
    "x\n=1",
    "#N/A",
    "a\tb",
)


def read_back(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_defuse_puts_an_apostrophe_before_what_a_spreadsheet_would_run(text):
    assert defuse(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_defuse_leaves_other_text_alone(text):
    assert defuse(text) == text


@pytest.mark.parametrize("number", [-5, -5.5, 0, 7228, 68.6, 1e-7])
def test_defuse_leaves_numbers_numbers(number):
    assert defuse(number) is number
    assert read_back(to_csv(["値"], [[number]]))[1] == [repr(number)]


def test_defuse_makes_null_an_empty_cell():
    assert read_back(to_csv(["a", "b"], [[None, 1]])) == [["a", "b"], ["", "1"]]


def test_to_csv_defuses_headings_too():
    assert read_back(to_csv(["=1+1"], [])) == [["'=1+1"]]


def test_to_csv_tells_text_and_number_apart():
    assert to_csv(["a"], [["-5"], [-5]]) == "\ufeffa\r\n'-5\r\n-5\r\n".encode()


def test_to_csv_keeps_codes_and_ends_lines_as_excel_does():
    content = to_csv(["支部コード", "名称"], [["01", "北海道"], ["47", "沖縄, 那覇"], ["04", '"宮城"\n2行']])

    assert content == '\ufeff支部コード,名称\r\n01,北海道\r\n47,"沖縄, 那覇"\r\n04,"""宮城""\n2行"\r\n'.encode()
    assert read_back(content)[3] == ["04", '"宮城"\n2行']


printable = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
risky = st.builds("".join, st.lists(st.sampled_from([*"=+-@＝＋－＠\t\r\n \u3000'\",;1x"]), max_size=5))
values = st.one_of(printable, risky, st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(values, min_size=width, max_size=width), max_size=6)))
def test_to_csv_is_read_back_equal(rows):
    headings = [f"c{index}" for index in range(len(rows[0]) if rows else 1)]

    header, *found = read_back(to_csv(headings, rows))

    assert header == headings
    assert found == [[str(defuse(value)) for value in row] for row in rows]


@given(st.one_of(printable, risky))
def test_defuse_adds_at_most_an_apostrophe_and_leaves_no_formula(text):
    safe = defuse(text)

    assert safe in (text, f"'{text}")
    assert not safe.strip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert not safe.startswith(("\t", "\r", "\n"))


@given(values)
def test_defuse_changes_only_text(value: Any):
    if not isinstance(value, str | None):
        assert defuse(value) is value
