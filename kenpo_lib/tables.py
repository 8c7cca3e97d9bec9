"""Rows → HTML tables and CSV downloads. The one place where data becomes HTML; everything is escaped on its way in."""

from __future__ import annotations

import base64
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup, escape

from kenpo_lib.language import Text, say

_FORMULA_START = tuple("=+-@")
_FIELD_BREAK = tuple("\t\r\n")
_ALWAYS_TABLES = {"data", "matrix", "marks", "places", "sources"}  # these scroll where others become cards
_NUMBER = re.compile(r"[-+−±]?[0-9][0-9,]*(?:\.[0-9]+)?")


class Html(Markup):
    """Markup that shows itself in a notebook. ``Html(template).format(data)`` escapes the data."""

    def _repr_html_(self) -> str:
        return str(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # A notebook keeps a text beside the HTML of every output; it need not hold all of that again.
        printer.text(f"<Html: {len(self)} characters>")


def join(parts: Iterable[str], separator: str = "") -> Html:
    """Concatenate; parts that are not markup are escaped."""
    return Html(separator).join(parts)


def cell(content: Any, *, label: str = "", kind: str = "td", css: str = "", scope: str = "") -> Html:
    """One table cell. ``label`` repeats the heading where a narrow screen shows a row as a card."""
    return Html(_write_cell(content, label=label, kind=kind, css=css, scope=scope))


def _write_cell(content: Any, *, label: str = "", kind: str = "td", css: str = "", scope: str = "") -> str:
    # Put together by hand: a page has thousands of cells, and Html.format takes thirty times as long.
    attributes = "".join(
        f' {name}="{escape(value)}"'
        for name, value in (("class", css), ("scope", scope), ("data-label", label))
        if value
    )
    return f"<{kind}{attributes}>{escape('–' if content is None else content)}</{kind}>"


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[Any]], *, css: str = "") -> Html:
    """A table with a caption and scoped headings; the first cell of a row is its heading.

    What scrolls is a group, not a region: a page has dozens, and as landmarks they would bury the real ones.

    Cells are text (escaped), markup, or finished ``cell(...)`` markup beginning with ``<t``. They repeat the headings unless the
    table stays a table on every screen; that would be a third of its bytes for nothing.
    """
    head = "".join(_write_cell(heading, kind="th", scope="col") for heading in headings)
    repeats = _ALWAYS_TABLES.isdisjoint(css.split())
    labels = ["", *headings[1:]] if repeats else [""] * len(headings)
    body = "".join(f"<tr>{_write_row(row, labels, marks_numbers=css != 'data')}</tr>" for row in rows)
    title = escape(caption)
    return Html(
        f'<div class="scroll" tabindex="0" role="group" aria-label="{title}"><table class="{escape(css)}">'
        f"<caption>{title}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def fact_table(caption: str, facts: Iterable[tuple[str, Any]]) -> Html:
    """What is known of one thing, a line each: how objects show themselves in a notebook."""
    return table(caption, [say("項目", "Item"), say("内容", "Content")], facts, css="data")


def _write_row(row: Sequence[Any], labels: Sequence[str], *, marks_numbers: bool) -> str:
    return "".join(
        content
        if isinstance(content, Markup) and content.startswith(("<td", "<th"))
        else _write_cell(content, label=labels[index], **_cell_style(index, content, marks_numbers=marks_numbers))
        for index, content in enumerate(row)
    )


def _cell_style(index: int, content: Any, *, marks_numbers: bool) -> dict[str, str]:
    """The heading of a row, and numbers, which stand to the right; in tables of data the style sheet does that by column."""
    if index == 0:
        return {"kind": "th", "scope": "row"}
    is_number = marks_numbers and (isinstance(content, int | float) or _NUMBER.match(str(content)))
    return {"css": "num"} if is_number else {}


def scrolling(svg: str, *, label: str, css: str) -> Html:
    """A chart that is wider than a phone, in a frame that the keyboard reaches and moves. ``css`` names its kind to the style sheet."""
    return Html('<div class="scroll {}" tabindex="0" role="group" aria-label="{}">{}</div>').format(
        css, label, Markup(svg)
    )


def figure(svg: str, *, caption: str, sentence: str, details: Html | None = None) -> Html:
    """A chart with its caption, the sentence that carries its numbers, and the data behind it."""
    return Html("<figure>{}<figcaption><strong>{}</strong> {}</figcaption>{}</figure>").format(
        Markup(svg), caption, sentence, details or ""
    )


def data_details(
    headings: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    file_name: str,
    caption: str,
    lang: str,
    summary: str = "",
) -> Html:
    """The data behind a chart: a folded table and a CSV download, both without a script."""
    summary = summary or Text("データを見る", "Show the data")(lang)
    return Html("<details><summary>{}</summary>{}{}</details>").format(
        summary, table(caption, headings, rows, css="data"), csv_link(headings, rows, file_name=file_name, lang=lang)
    )


def csv_link(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, file_name: str, lang: str) -> Html:
    """A download link that carries its CSV inside the page."""
    encoded = base64.b64encode(to_csv(headings, rows)).decode("ascii")
    words = Text(f"CSVで保存（{file_name}）", f"Save as CSV ({file_name})")(lang)
    return Html('<p class="download"><a download="{}" href="data:text/csv;charset=utf-8;base64,{}">{}</a></p>').format(
        file_name, encoded, words
    )


def to_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """CSV as Excel reads it: UTF-8 with BOM, CRLF, codes as text, formula-like text defused."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([defuse(heading) for heading in headings])
    writer.writerows([defuse(value) for value in row] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def defuse(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe; numbers stay numbers."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    folded = unicodedata.normalize("NFKC", value)
    is_active = folded.startswith(_FIELD_BREAK) or folded.lstrip().startswith(_FORMULA_START)
    return f"'{value}" if is_active else value


def bullet_list(items: Iterable[Any], *, css: str = "") -> Html:
    """An unordered list."""
    return Html('<ul class="{}">{}</ul>').format(css, join(Html("<li>{}</li>").format(item) for item in items))


def heading(level: int, text: str, *, anchor: str = "") -> Html:
    """A heading; ``anchor`` makes it a target of the table of contents."""
    assert 1 <= level <= 4, level
    identity = Html(' id="{}"').format(anchor) if anchor else Html("")
    return Html("<h{0}{1}>{2}</h{0}>").format(level, identity, text)


def badge(text: str, *, css: str) -> Html:
    """A short verdict in a frame; shape and word tell what colour only supports."""
    return Html('<span class="badge {}">{}</span>').format(css, escape(text))
