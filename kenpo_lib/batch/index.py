"""The index of all reports, from the manifests and the records of failures alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kenpo_lib.batch.listing import render_listing
from kenpo_lib.batch.paths import Folder
from kenpo_lib.batch.record import list_failures, list_manifests
from kenpo_lib.catalogue import Catalogue
from kenpo_lib.files import write_atomically
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.tables import Html, heading, join, table


def index_name(lang: str) -> str:
    """The file name of the index in a language."""
    return "index.html" if lang == "ja" else f"index_{lang}.html"


def write_index(reports: Path, catalogue: Catalogue, *, lang: str, templates: Path) -> None:
    """Write ``index.html`` (English: ``index_en.html``) unless it says so already: every report of every year, failed ones too."""
    title = Text("KPI比較レポート一覧", "KPI reports")(lang)
    parts = [Html("<header>{}</header>").format(heading(1, title))]
    folders = sorted((path for path in reports.glob("[0-9]*") if path.is_dir()), reverse=True)
    parts += [_show_year(Folder(path), catalogue, lang) for path in folders]
    page = render_listing(join(parts), templates=templates, lang=lang, title=title)
    path = reports / index_name(lang)
    if not (path.is_file() and path.read_bytes() == page):
        write_atomically(path, page)


def _show_year(folder: Folder, catalogue: Catalogue, lang: str) -> Html:
    manifests = {entry["subject"][0]["name"]: entry for entry in list_manifests(folder)}
    failures = {entry["file"]: entry for entry in list_failures(folder)}
    everything = {**failures, **manifests}
    files = [
        file
        for file, entry in sorted(
            everything.items(), key=lambda item: (item[1]["externalParameters"]["branch"], item[0])
        )
        if entry["externalParameters"]["lang"] == lang
    ]
    if not files:
        return Html("")
    headings = [
        word(lang)
        for word in (
            Text("支部", "Branch"),
            Text("地域", "Block"),
            Text("レポート", "Report"),
            Text("大きさ", "Size"),
            Text("状態", "State"),
        )
    ]
    year = folder.path.name
    rows = [_show_row(year, file, manifests.get(file), failures.get(file), catalogue, lang) for file in files]
    caption = format_fiscal_year(int(year), lang=lang, western=True)
    return Html("<section>{}{}</section>").format(heading(2, caption), table(caption, headings, rows))


def _show_row(
    year: str,
    file: str,
    manifest: dict[str, Any] | None,
    failure: dict[str, Any] | None,
    catalogue: Catalogue,
    lang: str,
) -> list[Any]:
    entry = manifest or failure
    assert entry is not None, file
    branch = catalogue.branches[entry["externalParameters"]["branch"]]
    link, size = file, "–"
    if manifest:
        link = Html('<a href="{}/{}">{}</a>').format(year, file, file)
        size = f"{manifest['subject'][0]['bytes'] / 1000:.0f} kB"
    state: Any = Text("完成", "complete")(lang)
    if failure:
        reason = failure["reason"][lang]
        words = Text(f"失敗: {reason}", f"failed: {reason}")
        if manifest:
            words = Text(f"前回のもの（更新に失敗: {reason}）", f"previous one (renewal failed: {reason})")
        where = Text("詳細", "details")(lang)
        state = Html('<strong>{}</strong> <a href="{}/errors/{}">{}</a>').format(words(lang), year, file, where)
    return [f"{branch.branch_code} {branch.name(lang)}", branch.block(lang), link, size, state]
