"""The index of all reports, from the manifests and the records of failures alone: a row a page with what it counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from kenpo_lib.batch.job import QUALITY_NAME, Job, Kind, find_job
from kenpo_lib.batch.listing import render_listing
from kenpo_lib.batch.paths import Folder
from kenpo_lib.batch.record import list_failures, list_manifests
from kenpo_lib.catalogue import THEMES, Catalogue
from kenpo_lib.files import write_atomically
from kenpo_lib.language import Lang, Text
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.sentences import JUDGEMENT_WORDS, RESULT_WORDS
from kenpo_lib.tables import Html, badge, bullet_list, cell, heading, join, table

_JAPAN = timezone(timedelta(hours=9))  # the same date on every machine
_MAX_BYTES = 20_000_000  # it grows with every year and is not mailed
_NOTHING = "–"
_WAYS = {
    "better": Text("改善", "better"),
    "worse": Text("悪化", "worse"),
    "higher": Text("上昇", "higher"),
    "lower": Text("低下", "lower"),
    "same": Text("同じ", "same"),
}
_CHECKS = {
    "ok": Text("合格", "passed"),
    "warning": Text("注意", "warned"),
    "stopping": Text("公表を止める", "stop publication"),
}


@dataclass(frozen=True, slots=True)
class _Group:
    """The pages of one type.

    Attributes:
        name: Its heading.
        subject: Heading of the first column.
        place: Heading of what they are sorted into; null where there is one page.
        tallies: Names in a manifest's summary, with heading and words.
        notes: What its notes are about.
        remark: What the figures count.
    """

    name: Text
    subject: Text
    place: Text | None
    tallies: Mapping[str, tuple[Text, Mapping[str, Text]]]
    notes: Text
    remark: Text


_TARGETS, _PRIOR = Text("目標", "Targets"), Text("前年度から", "Since the prior year")
_NOTES = Text("注意", "Notes")
_GROUPS = {
    Kind.OVERVIEW: _Group(
        Text("全国概況", "National overview"),
        Text("頁", "Page"),
        None,
        {"targets": (_TARGETS, RESULT_WORDS), "prior": (_PRIOR, _WAYS)},
        _NOTES,
        Text(
            "数は全国の指標の数。注意はデータについてのもの。", "Numbers of the nation's KPIs. Notes are on the data."
        ),
    ),
    Kind.BRANCH: _Group(
        Text("支部", "Branches"),
        Text("支部", "Branch"),
        Text("地域", "Block"),
        {
            "targets": (_TARGETS, RESULT_WORDS),
            "nation": (Text("全国と比べて", "Against the nation"), JUDGEMENT_WORDS),
            "prior": (_PRIOR, _WAYS),
        },
        _NOTES,
        Text(
            "数は指標の数。全国は公表値、推計、単純平均のどれかで、指標ごとにどれかは各頁にあります。",
            "Numbers of KPIs. The nation is a published figure, an estimate or a plain mean; each page says which.",
        ),
    ),
    Kind.KPI: _Group(
        Text("指標", "KPIs"),
        Text("指標", "KPI"),
        Text("分野", "Theme"),
        {"targets": (Text("支部の目標", "Targets of branches"), RESULT_WORDS), "prior": (_PRIOR, _WAYS)},
        _NOTES,
        Text(
            "数は支部の数。前年度からの動きは、10支部以上を比べられる指標だけ。",
            "Numbers of branches. Changes only where ten or more can be compared.",
        ),
    ),
    Kind.QUALITY: _Group(
        QUALITY_NAME,
        Text("頁", "Page"),
        None,
        {"checks": (Text("検査", "Checks"), _CHECKS)},
        Text("食い違い", "Conflicts"),
        Text(
            "数は検査の数と、出典によって値が異なる件数。",
            "Numbers of checks, and of values that sources print differently.",
        ),
    ),
}
_GONE = _Group(
    Text("今の定義にないもの", "No longer defined"),
    Text("頁", "Page"),
    None,
    {},
    _NOTES,
    Text("支部か指標が、今の定義にありません。", "Their branch or KPI is defined no more."),
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of one page: its manifest, the record of the failure since, or both.

    Attributes:
        year: The folder that it is in.
        file: Its name.
        job: What it is about; null where that is defined no more.
        manifest, failure: The records; null where there is none.
    """

    year: str
    file: str
    job: Job | None
    manifest: Mapping[str, Any] | None
    failure: Mapping[str, Any] | None

    @property
    def link(self) -> str:
        return f"{self.year}/{self.file}"

    @property
    def error_link(self) -> str:
        return f"{self.year}/errors/{self.file}"


def index_name(lang: str) -> str:
    """The file name of the index in a language."""
    return "index.html" if lang == "ja" else f"index_{lang}.html"


def write_index(reports: Path, catalogue: Catalogue, *, lang: str, templates: Path) -> None:
    """Write ``index.html`` (English: ``index_en.html``) unless it says so already: every report of every year, failed ones too."""
    title = Text("KPI比較レポート一覧", "KPI reports")(lang)
    lead = Text(
        "支部の名前・コード・読み・地域、指標の名前・IDで探せます（Ctrl+F）。作成日は日本時間。",
        "Find a branch by name, code or block, a KPI by name or id (Ctrl+F). Dates of making are Japan's.",
    )(lang)
    folders = sorted((path for path in reports.glob("[0-9]*") if path.is_dir()), reverse=True)
    years = [(path.name, grouped) for path in folders if (grouped := _group(path, catalogue, lang))]
    body = Html('<header>{}<p class="lead">{}</p></header>{}{}').format(
        heading(1, title),
        lead,
        _show_contents(years, lang),
        join(_show_year(year, grouped, catalogue, lang) for year, grouped in years),
    )
    page = render_listing(body, templates=templates, lang=lang, title=title, max_bytes=_MAX_BYTES)
    path = reports / index_name(lang)
    if not (path.is_file() and path.read_bytes() == page):
        write_atomically(path, page)


# --- what there is --------------------------------------------------------------------------------------------------


def _group(path: Path, catalogue: Catalogue, lang: str) -> dict[Kind | None, list[_Entry]]:
    """The pages of a year in a language by their type: branches by code, KPIs in reading order; types without any are left out."""
    folder = Folder(path)
    manifests = {entry["subject"][0]["name"]: entry for entry in list_manifests(folder)}
    failures = {entry["file"]: entry for entry in list_failures(folder)}
    entries = []
    for file, record in (failures | manifests).items():
        asked = record["externalParameters"]
        if asked["lang"] == lang:
            job = find_job(asked, catalogue)
            entries.append(_Entry(path.name, file, job, manifests.get(file), failures.get(file)))
    places = {kpi_id: place for place, kpi_id in enumerate(catalogue.kpis)}

    def order(entry: _Entry) -> tuple[str, int, str]:
        job = entry.job
        return (job.branch_code, places.get(job.kpi_id or "", 0), entry.file) if job else ("", 0, entry.file)

    entries.sort(key=order)
    kinds = {kind: [entry for entry in entries if entry.job and entry.job.kind is kind] for kind in _GROUPS}
    gone = {None: [entry for entry in entries if entry.job is None]}
    return {kind: found for kind, found in {**kinds, **gone}.items() if found}


# --- what is shown --------------------------------------------------------------------------------------------------


def _anchor(year: str, kind: Kind | None) -> str:
    return f"y{year}-{kind or 'gone'}"


def _show_contents(years: Sequence[tuple[str, Mapping[Kind | None, Sequence[_Entry]]]], lang: str) -> Html:
    """Links to the tables of each year."""
    items = []
    for year, grouped in years:
        links = [
            Html('<a href="#{}">{} {}</a>').format(
                _anchor(year, kind), _GROUPS.get(kind, _GONE).name(lang), len(entries)
            )
            for kind, entries in grouped.items()
        ]
        items.append(join([format_fiscal_year(int(year), lang=lang), *links], " "))
    label = Text("目次", "Contents")(lang)
    return Html('<nav aria-label="{}">{}</nav>').format(label, bullet_list(items)) if items else Html("")


def _show_year(year: str, grouped: Mapping[Kind | None, Sequence[_Entry]], catalogue: Catalogue, lang: str) -> Html:
    caption = format_fiscal_year(int(year), lang=lang, western=True)
    failed = [entry for entries in grouped.values() for entry in entries if entry.failure]
    tables = [_show_group(caption, year, kind, entries, catalogue, lang) for kind, entries in grouped.items()]
    return Html("<section>{}{}{}</section>").format(heading(2, caption), _show_failed(failed, lang), join(tables))


def _show_failed(failed: Sequence[_Entry], lang: str) -> Html:
    """Which pages could not be made, with a link to why: one among many rows is easily missed."""
    if not failed:
        return Html("")
    links = [Html('<a href="{}">{}</a>').format(entry.error_link, _name(entry)) for entry in failed]
    count = len(failed)
    words = Text(f"最後に作れなかったもの {count}件: ", f"Could not be made the last time ({count}): ")(lang)
    return Html("<p><strong>{}</strong>{}</p>").format(words, join(links, Text("、", ", ")(lang)))


def _show_group(
    year_words: str, year: str, kind: Kind | None, entries: Sequence[_Entry], catalogue: Catalogue, lang: str
) -> Html:
    group = _GROUPS.get(kind, _GONE)
    headings = [
        group.subject,
        *([group.place] if group.place else []),
        *(title for title, _ in group.tallies.values()),
        *(group.notes, Text("作成日", "Made"), Text("大きさ", "Size")),
    ]
    labels = [title(lang) for title in headings]
    rows = (row for entry in entries for row in _list_rows(entry, group, labels, catalogue, lang))
    return Html('{}{}<p class="note">{}</p>').format(
        heading(3, group.name(lang), anchor=_anchor(year, kind)),
        table(
            f"{year_words} {group.name(lang)}", labels, rows, css="cards index placed" if group.place else "cards index"
        ),
        group.remark(lang),
    )


def _list_rows(
    entry: _Entry, group: _Group, labels: Sequence[str], catalogue: Catalogue, lang: str
) -> Iterator[list[Html]]:
    """The row of a page; where it failed, in place of figures or below those of the former page, why."""
    place = [_cell(_find_place(entry, catalogue, lang), labels[1])] if group.place else []
    name = _show_name(entry, catalogue, lang)
    if entry.manifest is None:
        yield [name, *place, _show_failure(entry, len(labels) - 1 - len(place), lang)]
        return
    summary = entry.manifest["summary"]
    notes, size = summary.get("notes"), entry.manifest["subject"][0]["bytes"]
    facts = [str(notes) if _is_count(notes) else _NOTHING, _show_date(entry.manifest), f"{size / 1000:.0f} kB"]
    tallies = [_show_tally(summary.get(key), words, lang) for key, (_, words) in group.tallies.items()]
    yield [
        name,
        *place,
        *map(_cell, tallies, labels[1 + len(place) :]),
        *(cell(fact, label=label, css="num") for fact, label in zip(facts, labels[-3:], strict=True)),
    ]
    if entry.failure:
        yield [_show_failure(entry, len(labels), lang)]


def _cell(content: str, label: str) -> Html:
    """A cell; one that only holds a dash can be left out where rows are cards."""
    return cell(content, label=label, css="none" if content == _NOTHING else "")


def _name(entry: _Entry) -> str:
    """``04 宮城支部``, ``特定健診の実施率``; the file of a page whose branch or KPI is defined no more."""
    job = entry.job
    if job is None:
        return entry.file
    return f"{job.branch_code} {job.label}" if job.kind is Kind.BRANCH else job.label


def _show_name(entry: _Entry, catalogue: Catalogue, lang: str) -> Html:
    name = _name(entry)
    linked = Html('<a href="{}">{}</a>').format(entry.link, name) if entry.manifest else name
    also = " ".join(_list_spellings(entry.job, catalogue, lang))
    return cell(join([linked, Html('<span class="part">{}</span>').format(also)], " "), kind="th", scope="row")


def _list_spellings(job: Job | None, catalogue: Catalogue, lang: str) -> list[str]:
    """Other words by which people search for a page."""
    if job is None or job.kind is Kind.QUALITY:
        return []
    if job.kpi_id is not None:
        kpi = catalogue.kpis[job.kpi_id]
        return [*([kpi.short_name(lang)] if kpi.short_name(lang) != job.label else []), kpi.kpi_id]
    branch = catalogue.branches[job.branch_code]
    return [branch.kana, branch.name.en] if lang == Lang.JA else [branch.name.ja, branch.kana]


def _find_place(entry: _Entry, catalogue: Catalogue, lang: str) -> str:
    job = entry.job
    assert job is not None, entry.file
    if job.kpi_id is not None:
        return THEMES[catalogue.kpis[job.kpi_id].theme](lang)
    return catalogue.branches[job.branch_code].block(lang)


def _show_tally(counts: Any, words: Mapping[str, Text], lang: str) -> str:
    """``達成 3 未達 2 判定できない 1``; a dash where nothing was judged, or the page is older than these figures."""
    if not isinstance(counts, Mapping):
        return _NOTHING
    parts = [
        Html('<span class="tick">{} {}</span>').format(word(lang), _show_count(counts[name]))
        for name, word in words.items()
        if _is_count(counts.get(name))
    ]
    return join(parts, " ") if parts else _NOTHING


def _show_count(count: int) -> Html | int:
    """Bold but for zero: the eye finds what there is."""
    return Html("<b>{}</b>").format(count) if count else count


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _show_date(record: Mapping[str, Any]) -> Html:
    day = datetime.fromisoformat(record["finished"]).astimezone(_JAPAN).date().isoformat()
    return Html('<time datetime="{0}">{0}</time>').format(day)


def _show_failure(entry: _Entry, columns: int, lang: str) -> Html:
    failure = entry.failure
    assert failure is not None, entry.file
    words = Text("失敗", "failed")
    if entry.manifest:
        words = Text("上は前回のもの。更新に失敗", "the one above is the former; renewal failed")
    return Html('<td class="failed" colspan="{}">{} {} <a href="{}">{}</a> {}</td>').format(
        columns,
        badge(words(lang), css="not_met"),
        failure["reason"][lang],
        entry.error_link,
        Text("詳細", "details")(lang),
        _show_date(failure),
    )
