"""Charts drawn later, by another process: the same bytes, and nothing that data say is taken for a place to draw."""

from __future__ import annotations

import json
import subprocess
import sys

import builders
import pytest

from kenpo_lib import charts, page, tables
from kenpo_lib.charts import drawing
from kenpo_lib.charts.layers import compose, draw_words

FORGED = '<svg data-drawing="0"></svg>'
FRAME = {"width": 120, "height": 40, "left": 10, "right": 10, "top": 5, "bottom": 5}


def chart(words="健診"):
    return compose([draw_words(words, x=5, y=20)], **FRAME)


def render(chart, label="図"):
    return charts.render_svg(chart, id_prefix="t", label=label, description="説明", scale_up=1.5)


@pytest.fixture
def deferred():
    yield drawing.defer_drawings()
    drawing.stop_deferring()


def test_a_deferred_drawing_is_the_same_when_it_is_drawn():
    # given a chart drawn at once, and one deferred that has been through JSON
    at_once = render(chart())
    drawings = drawing.defer_drawings()
    placeholder = render(chart())
    drawing.stop_deferring()
    sent = [drawing.Drawing.from_json(json.loads(json.dumps(each.to_json()))) for each in drawings]
    # when
    figure = tables.figure(placeholder, caption="図", sentence="文")
    filled = drawing.fill_drawings(figure, sent)
    # then
    assert placeholder == FORGED
    assert filled == tables.figure(at_once, caption="図", sentence="文")
    assert "説明" in filled
    assert "max-width:180px" in filled


def test_numbers_reach_the_renderer_to_their_last_digit():
    # given a place that a decimal text does not give exactly in half of all readers
    place = -94.05000000000001
    # when, then
    assert "translate(-94.1,20)" in charts.render_svg(
        compose([draw_words("健診", x=place, y=20)], **FRAME), id_prefix="t", label="図"
    )


def test_each_placeholder_gets_its_own_drawing(deferred):
    # given
    words = [f"図{number}" for number in range(11)]
    html = "|".join(render(chart(word)) for word in words)
    # when
    parts = drawing.fill_drawings(html, deferred).split("|")
    # then
    assert [word for word, part in zip(words, parts, strict=True) if f">{word}</text>" in part] == words


def test_deferring_ends_and_begins_anew(deferred):
    # given
    render(chart())
    # when
    drawing.stop_deferring()
    # then
    assert "<text" in render(chart())
    assert drawing.defer_drawings() == []
    assert render(chart()) == FORGED


def test_what_is_refused_is_refused_before_it_is_deferred(deferred):
    with pytest.raises(ValueError, match="no label"):
        render(chart(), label=" ")
    assert deferred == []


def test_data_that_look_like_a_placeholder_stay_text(deferred):
    # given a placeholder as text of a chart, as its label, in a table, a file and a caption; and one that is ours
    real = render(chart(FORGED), label=FORGED)
    parts = [
        tables.figure(real, caption=FORGED, sentence=FORGED),
        tables.table(FORGED, [FORGED], [[FORGED]]),
        tables.data_details([FORGED], [[FORGED]], file_name=FORGED, caption=FORGED, lang="ja"),
    ]
    # when
    filled = page.sanitise(drawing.fill_drawings("".join(parts), deferred))
    # then only ours was drawn, and what it says is text
    assert filled.count("<svg") == 1
    assert "<text" in filled
    assert "data-drawing=" in filled.replace("&quot;", '"')
    assert FORGED not in filled


def test_a_placeholder_without_drawing_is_an_error():
    with pytest.raises(IndexError):
        drawing.fill_drawings(FORGED, [])


def test_what_all_pages_share_is_drawn_once(monkeypatch):
    # given
    drawing._render.cache_clear()
    drawings = drawing.defer_drawings()
    for _ in range(3):
        render(chart())
    render(chart("別"))
    drawing.stop_deferring()
    # when
    for each in drawings:
        drawing.draw(each)
    # then
    assert drawing._render.cache_info().misses == 2
    assert drawing._render.cache_info().maxsize == drawing._CACHED


def test_what_builds_pages_does_not_load_the_renderer():
    # given a new process that imports what notebooks import, and defers a chart
    code = (
        "import sys; import kenpo_lib.briefing; from kenpo_lib import charts\n"
        "from kenpo_lib.charts import drawing, layers\n"
        "drawing.defer_drawings()\n"
        "chart = layers.draw_no_data(width=100, height=50, lang='ja')\n"
        "charts.render_svg(chart, id_prefix='t', label='t')\n"
        "print('vl_convert' in sys.modules)"
    )
    # when
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=builders.ROOT)
    # then: its threads would not survive a fork
    assert shown.stdout.strip() == "False"
