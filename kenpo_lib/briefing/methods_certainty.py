"""How sure is a difference? Intervals, changes, funnels, many comparisons at once and shrinkage, on real figures."""

from __future__ import annotations

import numpy as np

from kenpo_lib.briefing.methods_data import (
    BRANCH,
    VISITS,
    YEAR,
    Lesson,
    chance,
    counts,
    number,
    percent,
    present,
    span,
)
from kenpo_lib.charts import draw_funnel, render_svg
from kenpo_lib.stats.funnel import proportion_funnel
from kenpo_lib.stats.intervals import proportion_interval
from kenpo_lib.stats.multiplicity import adjust_p_values, two_sided_p
from kenpo_lib.stats.shrinkage import shrink, shrink_proportions
from kenpo_lib.stats.two_years import difference_interval, difference_p_value
from kenpo_lib.tables import Html

SIGNIFICANCE = 0.05
LARGE, SMALL = "27", "29"  # Osaka and Nara: many people and few
FICTITIOUS_GROUP = (18, 40)


def show_interval(lesson: Lesson) -> Html:
    """The Wilson interval of three branches of different size."""
    rows, shown = [], {}
    for code in (BRANCH, LARGE, SMALL):
        row = lesson.row(VISITS, YEAR, code, with_counts=True)
        inner, outer = (
            proportion_interval(row["numerator"], row["denominator"], confidence=level, multiplier=100)
            for level in (0.95, 0.998)
        )
        shown[code] = inner
        ratio = f"{number(row['numerator'])} ÷ {number(row['denominator'])}"
        limits = (span(found.lower, found.upper, 1, lesson.lang) for found in (inner, outer))
        rows.append([lesson.name(code), ratio, percent(inner.value, 2), *limits])
    own, small, large = (shown[code] for code in (BRANCH, SMALL, LARGE))
    widths = [number(found.upper - found.lower, 1) for found in (small, large)]
    reading = lesson.word(
        f"{lesson.name(BRANCH)}の{percent(own.value)}は、偶然のぶれを見込むと{span(own.lower, own.upper, 1, 'ja')}%です。"
        f"幅は人数の少ない{lesson.name(SMALL)}で{widths[0]}ポイント、多い{lesson.name(LARGE)}で{widths[1]}ポイントです。",
        f"{lesson.name(BRANCH)}: {percent(own.value)}, with chance allowed for {span(own.lower, own.upper, 1, 'en')} %. "
        f"The interval is {widths[0]} points wide in small {lesson.name(SMALL)}, {widths[1]} in large {lesson.name(LARGE)}.",
    )
    headings = [
        lesson.word("支部", "Branch"),
        lesson.word("受診者 ÷ 対象者", "Visits ÷ notified"),
        lesson.word("率", "Rate"),
        lesson.word("95%区間", "95 % interval"),
        lesson.word("99.8%区間", "99.8 % interval"),
    ]
    return present(lesson, lesson.caption(VISITS, YEAR), headings, rows, reading=reading)


def show_change(lesson: Lesson, branch_codes: tuple[str, ...] = ("28", "29", "04")) -> Html:
    """The change between two years of some branches, with Newcombe's interval."""
    rows, sure, unsure = [], [], []
    for code in branch_codes:
        now, prior = (lesson.row(VISITS, year, code, with_counts=True) for year in (YEAR, YEAR - 1))
        given = (now["numerator"], now["denominator"], prior["numerator"], prior["denominator"])
        change, p = difference_interval(*given, multiplier=100), float(difference_p_value(*given))
        (sure if change.lower > 0 or change.upper < 0 else unsure).append(lesson.name(code))
        values = (percent(prior["value"]), percent(now["value"]), number(change.value, 2, signed=True))
        limits = span(change.lower, change.upper, 2, lesson.lang, signed=True)
        rows.append([lesson.name(code), *values, limits, chance(p)])
    said = []
    if sure:
        names = lesson.word("・", ", ").join(sure)
        said.append(
            lesson.word(
                f"{names}は区間が0を含まず、偶然とはいえない変化です。",
                f"{names}: the interval leaves 0 out, more than chance.",
            )
        )
    if unsure:
        names = lesson.word("・", ", ").join(unsure)
        said.append(
            lesson.word(
                f"{names}は区間が0を含むので、変わったとはいえません。",
                f"{names}: it contains 0, no change can be told.",
            )
        )
    headings = [
        lesson.word("支部", "Branch"),
        *(lesson.word(f"{year}年度", f"FY{year}") for year in (YEAR - 1, YEAR)),
        lesson.word("変化（ポイント）", "Change (points)"),
        lesson.word("95%区間", "95 % interval"),
        lesson.word("偶然の確率 p", "p"),
    ]
    reading = lesson.word("", " ").join(said)
    return present(lesson, lesson.caption(VISITS, YEAR), headings, rows, reading=reading)


def show_funnel(lesson: Lesson) -> Html:
    """The funnel of the branches with counts, without and with their usual differences allowed for."""
    frame = lesson.rows(VISITS, YEAR, with_counts=True)
    centre = lesson.centre(VISITS, YEAR)
    funnel = proportion_funnel(*counts(frame), centre=centre, multiplier=100)
    words = {
        "": "–",
        "low_99.8": lesson.word("99.8%限界より低い", "below 99.8 %"),
        "low_95": lesson.word("95%限界より低い", "below 95 %"),
        "within": lesson.word("限界の内側", "within"),
        "high_95": lesson.word("95%限界より高い", "above 95 %"),
        "high_99.8": lesson.word("99.8%限界より高い", "above 99.8 %"),
    }
    names = [lesson.name(code) for code in frame["branch_code"]]
    rows = [
        [name, number(size), percent(value), *pair]
        for name, size, value, *pair in zip(
            names,
            frame["denominator"],
            funnel.value,
            [f"{number(z, 2, signed=True)} {words[place]}" for z, place in zip(funnel.z, funnel.position, strict=True)],
            [
                f"{number(z, 2, signed=True)} {words[place]}"
                for z, place in zip(funnel.adjusted_z, funnel.adjusted_position, strict=True)
            ],
            strict=True,
        )
    ]
    outside, still = (
        [name for name, place in zip(names, places, strict=True) if place != "within"]
        for places in (funnel.position, funnel.adjusted_position)
    )
    reading = lesson.word(
        f"偶然だけを見込むと{len(names)}支部中{len(outside)}支部が限界の外ですが、支部どうしのふだんの差"
        f"（φ＝{number(funnel.overdispersion.phi, 1)}）も見込むと外に出るのは{'・'.join(still) or 'なし'}です。",
        f"By chance alone {len(outside)} of {len(names)} branches lie outside; with the usual differences between branches "
        f"(φ = {number(funnel.overdispersion.phi, 1)}) allowed for: {', '.join(still) or 'none'}.",
    )
    every = lesson.rows(VISITS, YEAR)
    chart = render_svg(
        draw_funnel(every, lesson.kpi(VISITS), lang=lesson.lang, branches=lesson.catalogue.branches),
        id_prefix="methods-funnel",
        label=reading,
    )
    headings = [
        lesson.word("支部", "Branch"),
        lesson.word("対象者", "Notified"),
        lesson.word("率", "Rate"),
        lesson.word("z（偶然だけ）", "z (chance alone)"),
        lesson.word("z（支部間の差も見込む）", "z (usual differences too)"),
    ]
    return present(lesson, lesson.caption(VISITS, YEAR), headings, rows, reading=reading, chart=chart)


def show_false_discoveries(lesson: Lesson) -> Html:
    """The p of each branch before and after false discovery control."""
    frame = lesson.rows(VISITS, YEAR, with_counts=True)
    funnel = proportion_funnel(*counts(frame), centre=lesson.centre(VISITS, YEAR), multiplier=100)
    p = np.asarray(two_sided_p(funnel.adjusted_z))
    adjusted = np.asarray(adjust_p_values(p))
    order = np.argsort(p, kind="stable")
    names = [lesson.name(code) for code in frame["branch_code"]]
    yes, no = lesson.word("旗を立てる", "flag"), lesson.word("立てない", "no flag")
    rows = [
        [names[i], chance(p[i]), chance(adjusted[i]), *(yes if q[i] <= SIGNIFICANCE else no for q in (p, adjusted))]
        for i in order[:6]
    ]
    before, after = (int((q <= SIGNIFICANCE).sum()) for q in (p, adjusted))
    reading = lesson.word(
        f"1つずつ5%で見ると{before}支部に旗が立ちますが、{p.size}回比べたことを見込むと{after}支部です"
        "（確率の小さい6支部だけを載せています）。",
        f"One by one at 5 %, {before} branches are flagged; allowing for {p.size} comparisons, {after} "
        "(only the six smallest p are shown).",
    )
    headings = [
        lesson.word("支部", "Branch"),
        lesson.word("偶然の確率 p", "p"),
        lesson.word("調整後の p", "Adjusted p"),
        lesson.word("調整前", "Before"),
        lesson.word("調整後", "After"),
    ]
    return present(lesson, lesson.caption(VISITS, YEAR), headings, rows, reading=reading)


def show_shrinkage(lesson: Lesson) -> Html:
    """How far the smallest and the largest branch, and a made-up small group, are drawn towards the nation."""
    frame = lesson.rows(VISITS, YEAR, with_counts=True).sort("denominator")
    centre = lesson.centre(VISITS, YEAR)
    shrunk = shrink_proportions(*counts(frame), centre=centre, multiplier=100)
    rows = [
        [
            lesson.name(frame["branch_code"][i]),
            number(frame["denominator"][i]),
            percent(frame["value"][i]),
            percent(100 * shrunk.weight[i]),
            percent(shrunk.interval.value[i], 2),
        ]
        for i in (0, frame["branch_code"].to_list().index(BRANCH), frame.height - 1)
    ]
    count, size = FICTITIOUS_GROUP
    group = shrink(
        [100 * count / size],
        [float(np.sqrt(shrunk.centre * (100 - shrunk.centre) / size))],
        centre=shrunk.centre,
        tau2=shrunk.tau2,
    )
    made_up = lesson.word("架空の小集団", "Made-up small group")
    own = percent(100 * count / size)
    rows.append([made_up, number(size), own, percent(100 * group.weight[0]), percent(group.interval.value[0], 2)])
    reading = lesson.word(
        f"支部は人数が多いのでほとんど動きませんが、{size}人の架空の集団の{own}は{rows[-1][4]}まで全国値へ引き寄せられます。",
        f"Branches are large and hardly move; the {own} of a made-up group of {size} is drawn to {rows[-1][4]}.",
    )
    headings = [
        lesson.word("支部", "Branch"),
        lesson.word("対象者", "Notified"),
        lesson.word("率", "Rate"),
        lesson.word("自分の値の重み", "Weight of own figure"),
        lesson.word("引き寄せた値", "Shrunken value"),
    ]
    return present(lesson, lesson.caption(VISITS, YEAR), headings, rows, reading=reading)
