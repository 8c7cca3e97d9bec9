"""An executed notebook → a finished, checked page. Built for a process that lives through a batch: everything is set up once.

nbconvert writes the page with the project's own template; charts that the notebook left undrawn are drawn here, where the
renderer is warm.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kenpo_lib.fast_import import import_jsonschema

import_jsonschema()  # before nbformat and Altair

import nbformat
from jinja2 import DictLoader
from nbconvert import HTMLExporter, TemplateExporter

from kenpo_lib.batch.template import page_variables, require_good
from kenpo_lib.batch.work import Cause, PageFailedError, Run, fail
from kenpo_lib.charts.drawing import Drawing, fill_drawings
from kenpo_lib.charts.theme import CHART_CSS
from kenpo_lib.page import keep_allowed, reveal


class _Exporter(HTMLExporter):
    """nbconvert's HTML exporter without its last step, which parses the page and writes it anew to add what ours has."""

    def from_notebook_node(self, nb: Any, resources: Any = None, **options: Any) -> tuple[str, Any]:
        return TemplateExporter.from_notebook_node(self, nb, resources, **options)


class PageWriter:
    """Writes pages; keep one for many.

    Args:
        templates: By name, from ``template.read_templates``.
    """

    def __init__(self, templates: Mapping[str, str]):
        self._drawings: Sequence[Drawing] = ()
        # Without preprocessors, each of which would have the notebook validated again: `cells.execute` has just done that.
        self._exporter = _Exporter(
            template_name="base",
            template_file="index.html.j2",
            extra_loaders=[DictLoader(dict(templates))],
            default_preprocessors=[],
        )
        self._exporter.register_filter("render_output", self._render_output)

    def write(self, notebook: Any, drawings: Sequence[Mapping[str, Any]], *, lang: str, title: str) -> str:
        """The page of an executed notebook.

        Raises:
            PageFailedError: An output that has no place in a page, or the page failed its check.
        """
        self._drawings = [Drawing.from_json(drawing) for drawing in drawings]
        self._exporter.environment.globals.update(page_variables(lang=lang, title=title, chart_css=CHART_CSS))
        page, _ = self._exporter.from_notebook_node(notebook)
        return require_good(page)

    def _render_output(self, output: Mapping[str, Any]) -> str:
        """The sanitised HTML of one output. A stray print or an error must not vanish silently from a report."""
        data = output.get("data", {})
        if output["output_type"] not in ("display_data", "execute_result") or "text/html" not in data:
            kind = output.get("name") or output["output_type"]
            raise fail(
                Cause.PAGE, f"ノートブックに想定外の出力があります（{kind}）", f"unexpected notebook output: {kind}"
            )
        # Drawings have been through an allow-list of their own, in `charts.clean`.
        return reveal(fill_drawings(keep_allowed("".join(data["text/html"])), self._drawings))


def write_page(writer: PageWriter, run: Run, *, lang: str, title: str) -> str:
    """As ``PageWriter.write``, from what the cells' process sent; what goes wrong unforeseen becomes a failure as well.

    Raises:
        PageFailedError: See ``PageWriter.write``.
    """
    try:
        notebook = nbformat.from_dict(json.loads(run.notebook))
        return writer.write(notebook, run.drawings, lang=lang, title=title)
    except PageFailedError:
        raise
    except Exception as error:
        name = type(error).__name__
        raise fail(
            Cause.PAGE, f"頁を書き出せませんでした（{name}）", f"the page could not be written: {name}"
        ) from error
