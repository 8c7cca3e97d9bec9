"""The methods behind the page of one KPI: what each means, where it stands on the page, and where it is explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from kenpo_lib.briefing.kpi_course import has_course
from kenpo_lib.briefing.kpi_data import KpiDetail
from kenpo_lib.briefing.kpi_movement import has_movement
from kenpo_lib.briefing.spread import list_spread_kpis
from kenpo_lib.grain import MIN_POSITION_BRANCHES
from kenpo_lib.language import Text
from kenpo_lib.tables import Html, cell, heading, join, table

METHODS_NOTEBOOK = "notebooks/40_methods.ipynb"
_TITLE = Text("使った方法", "Methods")


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    Attributes:
        name: What it is called.
        meaning: What it says, in one or two sentences.
        anchors: The sections of the page in which it is used.
        section: Its section in the methods notebook; null for what needs no more words.
        is_used: Whether the page uses it.
    """

    name: Text
    meaning: Text
    anchors: tuple[str, ...]
    section: int | None
    is_used: Callable[[KpiDetail], bool]


def _latest_has(detail: KpiDetail, column: str) -> bool:
    return detail.latest is not None and any(row[column] is not None for row in detail.rows_in(*detail.latest))


def _has(detail: KpiDetail, column: str) -> bool:
    return detail.values[column].count() > 0


def _has_map(detail: KpiDetail) -> bool:
    return detail.latest is not None and _known_in_latest(detail) >= MIN_POSITION_BRANCHES


def _known_in_latest(detail: KpiDetail) -> int:
    return sum(row["value"] is not None for row in detail.rows_in(*detail.latest))


def _has_funnel(detail: KpiDetail) -> bool:
    return detail.kpi in list_spread_kpis(detail.briefing)


def _is_estimated(detail: KpiDetail) -> bool:
    is_estimate = pl.col("national_kind").is_in(["summed", "weighted", "mean"])
    return not detail.kpi.unit.is_total and not detail.years.filter(is_estimate).is_empty()


METHODS = (
    Method(
        Text("公表の桁での比較", "Comparison at published precision"),
        Text(
            "差、目標の判定、順位は、公表と同じ桁にそろえた値で求める。27.5%と「27.5%以上」なら達成になる。",
            "Differences, targets and ranks are taken from values rounded as they are published: 27.5% meets “27.5% or more”.",
        ),
        ("conclusion",),
        None,
        lambda detail: _has(detail, "value"),
    ),
    Method(
        Text("全国の推計", "Estimate of the nation"),
        Text(
            "公表値もすべての支部の件数もない年度は、支部の値を人数などで加重して平均する。公表値とは求め方が違うため、差をとらない。",
            "Where neither a figure nor the counts of all branches are published: a weighted mean, not compared with published figures.",
        ),
        ("conclusion", "course"),
        11,
        _is_estimated,
    ),
    Method(
        Text("中央値と四分位", "Median and quartiles"),
        Text(
            "支部を値の順に並べたときの真ん中と、下から4分の1、4分の3の値。間は比例で埋める。すべての支部が分かる年度だけに示す。",
            "The middle of the ordered values, and those a quarter in from either end, interpolated; only where all branches are known.",
        ),
        ("course",),
        None,
        lambda detail: not detail.years.filter(pl.col("is_full")).is_empty(),
    ),
    Method(
        Text("5等分した位置", "Fifths"),
        Text(
            "支部を年度ごとに良い順（良し悪しのない指標は高い順）に並べ、5つに分けた位置。差の大きさも確かさも表さない。",
            "The fifth of the branches in each year, best (without a better way: highest) first. It tells no size and no certainty.",
        ),
        ("years",),
        None,
        lambda detail: _has(detail, "quantile_group"),
    ),
    Method(
        Text("順位", "Rank"),
        Text(
            "同じ値は同じ順位にし、次の順位を飛ばす（1位、1位、3位）。値が分かる支部だけで付ける。",
            "Ties share a rank and the next is left out (1, 1, 3); among the branches known.",
        ),
        ("position",),
        5,
        lambda detail: _has_map(detail) and _latest_has(detail, "rank"),
    ),
    Method(
        Text("順位のふだんの動き", "Usual movement of ranks"),
        Text(
            "同じ定義のすべての年度の組で、1年の動きの9割が収まる幅。区間ではない。",
            "The number of ranks that nine in ten yearly movements stay within, over all years of the definition; no interval.",
        ),
        ("movement",),
        5,
        has_movement,
    ),
    Method(
        Text("偏差値", "Deviation score"),
        Text(
            "すべての支部の単純平均を50、標準偏差を10とした位置。偶然のぶれは見込まない。",
            "Position with the plain mean of the branches at 50 and their standard deviation as 10; chance is not allowed for.",
        ),
        ("position",),
        6,
        lambda detail: _has_map(detail) and _latest_has(detail, "deviation_score"),
    ),
    Method(
        Text("自支部を除く全国", "Nation without the branch"),
        Text(
            "大きな支部が自分と比べられるのを避けるため、その支部を除いて求めた全国の値。",
            "The national figure without the branch, so that a large branch is not compared with itself.",
        ),
        ("position",),
        12,
        lambda detail: _has_map(detail) and _latest_has(detail, "national_without_branch"),
    ),
    Method(
        Text("95%区間（ウィルソン）", "95% interval (Wilson)"),
        Text(
            "偶然のぶれを見込んだときに、本当の率がありそうな範囲。件数が公表されている率だけに付く。",
            "Where the true rate may lie, chance allowed for; only for rates with published counts.",
        ),
        ("certainty",),
        1,
        lambda detail: _latest_has(detail, "lower_95"),
    ),
    Method(
        Text("ファンネルプロット", "Funnel plot"),
        Text(
            "人数が少ない支部ほど大きくぶれることと、支部どうしのふだんの差を見込んで、全国から離れている支部を探す。",
            "Finds branches apart from the nation, allowing for the chance of small numbers and for the usual differences between branches.",
        ),
        ("certainty",),
        3,
        _has_funnel,
    ),
    Method(
        Text("多くの比較の補正", "Correction for many comparisons"),
        Text(
            "多くの支部と指標を同時に比べると偶然の当たりが出るので、印を付けた中の偶然を5%以下に抑える。",
            "Many comparisons at once hit by chance; of the marked ones at most 5% should be such hits.",
        ),
        ("certainty",),
        4,
        _has_funnel,
    ),
    Method(
        Text("縮小推定（引き寄せた値）", "Shrunken value"),
        Text(
            "人数の少ない支部の極端な率を、偶然のぶれの分だけ全国へ引き寄せた値。",
            "An extreme rate of a small branch, drawn towards the nation by as much as chance explains.",
        ),
        ("certainty",),
        7,
        _has_funnel,
    ),
)


def list_methods(detail: KpiDetail) -> list[Method]:
    """The methods that the page uses."""
    return [method for method in METHODS if method.is_used(detail)]


def show_kpi_methods(detail: KpiDetail) -> Html:
    """The methods used; empty for a KPI without values."""
    methods, lang = list_methods(detail), detail.lang
    if not methods:
        return Html("")
    headings = [
        word(lang) for word in (Text("方法", "Method"), Text("意味", "Meaning"), Text("使ったところ", "Used in"))
    ]
    rows = [
        [method.name(lang), cell(method.meaning(lang), label=headings[1]), _links(method, detail)] for method in methods
    ]
    note = Html("")
    if any(method.section for method in methods):
        headings.append(Text("詳しい説明", "More")(lang))
        rows = [[*row, _more(method, lang)] for row, method in zip(rows, methods, strict=True)]
        words = Text(
            f"「詳しい説明」は、式と例を載せたノートブック {METHODS_NOTEBOOK} の節の番号です。",
            f"“More” is the section of the notebook {METHODS_NOTEBOOK}, which has formulas and examples.",
        )
        note = Html('<p class="note">{}</p>').format(words(lang))
    return Html("<section>{}{}{}</section>").format(
        heading(2, _TITLE(lang), anchor="methods"), table(_TITLE(lang), headings, rows, css="cards methods"), note
    )


_SECTIONS = {
    "conclusion": Text("結論", "Conclusion"),
    "course": Text("推移", "Course"),
    "years": Text("支部と年度の一覧", "Branches and years"),
    "position": Text("支部の位置", "Positions"),
    "movement": Text("順位の動き", "Ranks that moved"),
    "certainty": Text("どこまで確かか", "How sure"),
}


def _links(method: Method, detail: KpiDetail) -> Html | str:
    """Links to the sections that use a method and that this page has."""
    lang = detail.lang
    anchors = [anchor for anchor in method.anchors if anchor != "course" or has_course(detail)]
    if not anchors:
        return "–"
    links = [Html('<a href="#{}">{}</a>').format(anchor, _SECTIONS[anchor](lang)) for anchor in anchors]
    return join(links, Text("、", ", ")(lang))


def _more(method: Method, lang: str) -> str:
    return "–" if method.section is None else Text(f"{method.section}節", f"section {method.section}")(lang)
