"""Pieces of HTML that several tables of a page share."""

from __future__ import annotations

from typing import Any

from kenpo_lib import sentences
from kenpo_lib.catalogue import Kpi
from kenpo_lib.language import Text
from kenpo_lib.tables import Html

NOTHING = Html('<span class="muted">–</span>')


def small(text: str) -> Html:
    """A second line of a cell; nothing for an empty text."""
    return Html('<span class="diff">{}</span>').format(text) if text else Html("")


def name_kpi(kpi: Kpi, lang: str) -> Html:
    """The name of a KPI, with what stands in brackets at its end on a line of its own: it may not break in the middle."""
    name = kpi.name(lang)
    opening = {"ja": "（", "en": " ("}[lang]
    head, _, tail = name.partition(opening)
    if not tail:
        return Html("{}").format(name)
    return Html('{} <span class="part">{}</span>').format(head, opening.strip() + tail)


def national_value(row: dict[str, Any], kpi: Kpi, lang: str) -> Html:
    """The national figure with a mark for what it is where it is not published; a dash where there is none."""
    if row["national"] is None:
        return NOTHING
    mark = sentences.NATIONAL_MARKS[row["national_kind"]](lang)
    if kpi.unit.is_total:
        mark = Text("全国計", "total")(lang)
    tag = Html(' <small class="mark">{}</small>').format(mark) if mark else ""
    return Html("<span>{}{}</span>").format(sentences.value_words(row["national"], kpi, lang), tag)
