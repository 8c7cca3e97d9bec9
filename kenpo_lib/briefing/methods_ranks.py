"""How much is a rank worth? Rank intervals, rank movement and deviation scores, on real figures."""

from __future__ import annotations

import numpy as np

from kenpo_lib.briefing.methods_data import (
    BRANCH,
    CHECKUPS,
    VISITS,
    YEAR,
    Lesson,
    counts,
    number,
    percent,
    present,
    span,
)
from kenpo_lib.stats.groups import deviation_scores
from kenpo_lib.stats.incentive import INDICATORS
from kenpo_lib.stats.rank_sets import rank_confidence_sets
from kenpo_lib.tables import Html, join


def show_ranks(lesson: Lesson) -> Html:
    """Rank intervals where counts are published, and rank movement where they are not."""
    return join([_show_rank_intervals(lesson), _show_rank_movement(lesson)])


def _show_rank_intervals(lesson: Lesson) -> Html:
    frame = lesson.rows(VISITS, YEAR, with_counts=True)
    numerator, denominator = counts(frame)
    share = numerator / denominator
    error = np.sqrt(share * (1 - share) / denominator)
    one, every = (rank_confidence_sets(share, error, sign=1, simultaneous=way) for way in (False, True))
    rank = frame["rank"].to_numpy()  # at published precision, as everywhere
    order = np.argsort(rank, kind="stable")
    names = [lesson.name(code) for code in frame["branch_code"]]
    rows = [
        [
            names[i],
            percent(100 * share[i], 2),
            number(rank[i]),
            *(span(sets.lower[i], sets.upper[i], 0, lesson.lang) for sets in (one, every)),
        ]
        for i in order
    ]
    own = frame["branch_code"].to_list().index(BRANCH) if BRANCH in frame["branch_code"] else int(order[0])
    reading = lesson.word(
        f"{names[own]}は件数が分かる{len(names)}支部中{number(rank[own])}位ですが、"
        f"{span(one.lower[own], one.upper[own], 0, 'ja')}位のどこであってもおかしくありません。",
        f"{names[own]} ranks {number(rank[own])} of {len(names)} with counts, but any rank from "
        f"{span(one.lower[own], one.upper[own], 0, 'en')} fits the data.",
    )
    headings = [
        lesson.word("支部", "Branch"),
        lesson.word("率", "Rate"),
        lesson.word("順位", "Rank"),
        lesson.word("順位の95%区間（1支部を見るとき）", "95 % interval (one branch)"),
        lesson.word("同（全支部を同時に見るとき）", "95 % interval (all at once)"),
    ]
    return present(lesson, lesson.caption(VISITS, YEAR), headings, rows, reading=reading)


def _show_rank_movement(lesson: Lesson) -> Html:
    rows, unusual = [], []
    year = lesson.comparison.filter(fiscal_year=YEAR, branch_code=BRANCH)
    for row in year.sort("kpi_id").to_dicts():
        if row["kpi_id"] not in INDICATORS or row["prior_rank"] is None:
            continue
        kpi = lesson.catalogue.kpis[row["kpi_id"]]
        if abs(row["rank_change"]) > row["rank_change_usual"]:
            unusual.append(kpi.short_name(lesson.lang))
        moved = number(row["rank_change"], signed=True)
        rows.append(
            [kpi.name(lesson.lang), row["prior_rank"], row["rank"], moved, f"±{number(row['rank_change_usual'])}"]
        )
    none = not unusual
    reading = lesson.word(
        "件数が公表されていない指標に順位の区間は作れません。代わりに年ごとの動きを見ると、9割が収まる幅を超えた指標は"
        f"{'ありません' if none else '・'.join(unusual) + 'です'}。",
        "Without published counts a rank has no interval. Moved further than nine in ten yearly movements: "
        f"{'none' if none else ', '.join(unusual)}.",
    )
    headings = [
        lesson.word("指標（件数は未公表）", "KPI (no counts published)"),
        lesson.word("前年度の順位", "Rank last year"),
        lesson.word("順位", "Rank"),
        lesson.word("動き（＋は上昇）", "Movement (+ is up)"),
        lesson.word("9割が収まる幅", "Nine in ten stay within"),
    ]
    caption = lesson.word(
        f"{lesson.name(BRANCH)}の順位の動き（47支部中、{YEAR}年度）", f"{lesson.name(BRANCH)}: ranks of 47, FY{YEAR}"
    )
    return present(lesson, caption, headings, rows, reading=reading)


def show_deviation_scores(lesson: Lesson) -> Html:
    """Deviation scores of the first, the last and the example's branch."""
    frame = lesson.rows(CHECKUPS, YEAR)
    values = frame["value"].to_numpy()
    scores, mean, spread = deviation_scores(values), float(values.mean()), float(values.std())
    codes = frame["branch_code"].to_list()
    own = codes.index(BRANCH)
    rows = [
        [lesson.name(codes[i]), percent(values[i]), number(values[i] - mean, 2, signed=True), number(scores[i], 1)]
        for i in dict.fromkeys((int(values.argmax()), own, int(values.argmin())))
    ]
    reading = lesson.word(
        f"{len(codes)}支部の単純平均{percent(mean, 2)}が50、ばらつき（標準偏差）{number(spread, 2)}ポイントが10点に当たり、"
        f"{lesson.name(BRANCH)}は{number(scores[own], 1)}です。",
        f"The plain mean of {len(codes)} branches, {percent(mean, 2)}, is 50 and one standard deviation, "
        f"{number(spread, 2)} points, is 10: {lesson.name(BRANCH)} has {number(scores[own], 1)}.",
    )
    headings = [
        lesson.word("支部（最高・例・最低）", "Branch (highest, example, lowest)"),
        lesson.word("率", "Rate"),
        lesson.word("平均との差", "From the mean"),
        lesson.word("偏差値", "Deviation score"),
    ]
    return present(lesson, lesson.caption(CHECKUPS, YEAR), headings, rows, reading=reading)
