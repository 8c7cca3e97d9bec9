"""The branch and the nation: people needed, kinds of national figures, the nation without the branch, contribution, incentive."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kenpo_lib.briefing.methods_data import BRANCH, CHECKUPS, VISITS, YEAR, Lesson, counts, number, percent, present
from kenpo_lib.incentive import READING_NOTE, compute_incentive, list_indicators
from kenpo_lib.proxies import WORKING_AGE_BANDS
from kenpo_lib.sentences import national_name
from kenpo_lib.stats.contribution import contribution_of_counts
from kenpo_lib.stats.leave_one_out import published_without
from kenpo_lib.stats.people import people_needed
from kenpo_lib.tables import Html

PUBLISHED_YEAR = 2023  # the last one with a published national figure of the incentive indicator
LARGE, SMALL = "13", "31"  # Tokyo and Tottori


def show_people_needed(lesson: Lesson) -> Html:
    """How many more visits reach the national figure and the next rank, checked with one fewer."""
    row = lesson.row(VISITS, YEAR, BRANCH, with_counts=True)
    decimals, numerator, denominator = row["decimals"], row["numerator"], row["denominator"]
    goals = {
        lesson.word("全国（公表値）", "Nation (published)"): row["national"],
        lesson.word("1つ上の順位", "Next rank"): row["next_rank_value"],
    }
    rows, needed = [], {}
    for name, goal in goals.items():
        people = people_needed(numerator, denominator, goal, decimals=decimals) if goal is not None else None
        if people is None:
            continue
        needed[name] = people
        reached, before = (100 * (numerator + further) / denominator for further in (people, people - 1))
        shown = f"{percent(reached, 3)} → {percent(reached, decimals)}"
        short = f"{percent(before, 3)} → {percent(before, decimals)}"
        rows.append([name, percent(goal, decimals), number(people), shown, short])
    first, people = next(iter(needed.items()))
    reading = lesson.word(
        f"{lesson.name(BRANCH)}（{number(numerator)}÷{number(denominator)}）はあと{number(people)}人の受診で{first}に並び、"
        "1人少ないと並びません。",
        f"{lesson.name(BRANCH)} ({number(numerator)} ÷ {number(denominator)}) reaches the {first.lower()} with "
        f"{number(people)} more visits, and not with one fewer.",
    )
    headings = [
        lesson.word("行き先", "Goal"),
        lesson.word("その値", "Its value"),
        lesson.word("必要な人数", "People needed"),
        lesson.word("その人数なら", "With so many"),
        lesson.word("1人少ないと", "With one fewer"),
    ]
    return present(lesson, lesson.caption(VISITS, YEAR), headings, rows, reading=reading)


def show_national_kinds(lesson: Lesson) -> Html:
    """The published national figure beside the weighted estimate and the plain mean of the 47."""
    frame, kpi = lesson.rows(CHECKUPS, PUBLISHED_YEAR), lesson.kpi(CHECKUPS)
    values, weights = frame["value"].to_numpy(), _subscribers(lesson, frame["branch_code"].to_list(), PUBLISHED_YEAR)
    figures = {
        "published": frame["national"][0] if frame["national_kind"][0] == "published" else np.nan,
        "weighted": float((values * weights).sum() / weights.sum()),
        "mean": float(values.mean()),
    }
    own = frame.filter(branch_code=BRANCH)["value"][0]
    rows = [
        [national_name(kind, kpi, lesson.lang), percent(value), number(own - value, 1, signed=True)]
        for kind, value in figures.items()
    ]
    shown = [percent(value) for value in figures.values()]
    reading = lesson.word(
        f"同じ年の同じ指標でも、公表値{shown[0]}・推計{shown[1]}・単純平均{shown[2]}と違うので、どれかを必ず書き添えます。",
        f"One KPI, one year: published {shown[0]}, estimate {shown[1]}, plain mean {shown[2]}. Which one it is always stands "
        "beside it.",
    )
    headings = [
        lesson.word("全国の数字の種類", "Kind of national figure"),
        lesson.word("値", "Value"),
        lesson.word(
            f"{lesson.name(BRANCH)}（{percent(own)}）との差", f"{lesson.name(BRANCH)} ({percent(own)}) minus it"
        ),
    ]
    return present(lesson, lesson.caption(CHECKUPS, PUBLISHED_YEAR), headings, rows, reading=reading)


def show_nation_without(lesson: Lesson) -> Html:
    """The published national figure with a large, an average and a small branch taken out."""
    frame = lesson.rows(CHECKUPS, PUBLISHED_YEAR)
    codes, values = frame["branch_code"].to_list(), frame["value"].to_numpy()
    weights = _subscribers(lesson, codes, PUBLISHED_YEAR)
    found = published_without(frame["national"][0], values, weights)
    rows = []
    for code in (LARGE, BRANCH, SMALL):
        i = codes.index(code)
        differences = (values[i] - figure for figure in (found.nation[i], found.without[i]))
        rows.append(
            [
                lesson.name(code),
                percent(values[i]),
                percent(100 * weights[i] / weights.sum()),
                percent(found.without[i], 2),
                *(number(difference, 2, signed=True) for difference in differences),
            ]
        )
    reading = lesson.word(
        f"{rows[0][0]}は全国の推計{rows[0][2]}を占めるので、自分を除いた全国との差は{rows[0][5]}ポイント（含めると{rows[0][4]}）。"
        f"小さい{rows[2][0]}ではほとんど変わりません。",
        f"{rows[0][0]} is {rows[0][2]} of the nation: against the others it differs by {rows[0][5]} points, against the nation by "
        f"{rows[0][4]}. For small {rows[2][0]} it makes hardly a difference.",
    )
    headings = [
        lesson.word("支部", "Branch"),
        lesson.word("率", "Rate"),
        lesson.word("全国に占める割合（推計）", "Share (estimate)"),
        lesson.word("自分を除く全国（推計）", "Nation without it (estimate)"),
        lesson.word("全国との差", "From the nation"),
        lesson.word("除いた全国との差", "From the others"),
    ]
    return present(lesson, lesson.caption(CHECKUPS, PUBLISHED_YEAR), headings, rows, reading=reading)


def show_contribution(lesson: Lesson) -> Html:
    """How much each branch with counts in both years moved their common rate."""
    now, prior = (lesson.rows(VISITS, year, with_counts=True) for year in (YEAR, YEAR - 1))
    codes = sorted(set(now["branch_code"]) & set(prior["branch_code"]))
    now, prior = (frame.filter(pl.col("branch_code").is_in(codes)) for frame in (now, prior))
    found = contribution_of_counts(*counts(prior), *counts(now))
    order = np.argsort(-np.abs(found.total), kind="stable")
    parts = (found.rate_effect, found.volume_effect, found.total)
    rows = [[lesson.name(codes[i]), *(number(part[i], 3, signed=True) for part in parts)] for i in order]
    total = lesson.word(f"{len(codes)}支部の計", f"All {len(codes)}")
    rows.append([total, *(number(part.sum(), 3, signed=True) for part in parts)])
    before, after = percent(float(found.before), 2), percent(float(found.after), 2)
    reading = lesson.word(
        f"件数が分かる{len(codes)}支部を合わせた率は{before}から{after}へ動き、最も大きく動かしたのは"
        f"{lesson.name(codes[order[0]])}（{number(found.total[order[0]], 2, signed=True)}ポイント）です。全国の値ではありません。",
        f"The common rate of the {len(codes)} branches with counts went from {before} to {after}; "
        f"{lesson.name(codes[order[0]])} moved it most ({number(found.total[order[0]], 2, signed=True)} points). It is not the "
        "national rate.",
    )
    headings = [
        lesson.word("支部", "Branch"),
        lesson.word("率の効果", "Rate effect"),
        lesson.word("大きさの効果", "Volume effect"),
        lesson.word("合わせて（ポイント）", "Together (points)"),
    ]
    name = lesson.kpi(VISITS).name(lesson.lang)
    caption = lesson.word(
        f"{name}の変化（{YEAR - 1}→{YEAR}年度、件数が分かる{len(codes)}支部）",
        f"{name}: change FY{YEAR - 1} to FY{YEAR}, {len(codes)} branches with counts",
    )
    return present(lesson, caption, headings, rows, reading=reading)


def show_incentive(lesson: Lesson) -> Html:
    """The incentive score of the example's branch by indicator; a reading of the public formula."""
    scores = compute_incentive(lesson.tables, lesson.catalogue, fiscal_year=YEAR)
    own = scores.filter(branch_code=BRANCH).to_dicts()[0]
    rows = [
        [
            lesson.catalogue.kpis[row["kpi_id"]].name(lesson.lang),
            percent(row["value"]),
            *(number(row[part], 1) for part in ("level_score", "level_points", "growth_points", "points")),
        ]
        for row in list_indicators(scores).filter(branch_code=BRANCH).to_dicts()
    ]
    sums = (number(own[part], 1) for part in ("level_points", "growth_points", "total"))
    rows.append([lesson.word("計", "Total"), "–", "–", *sums])
    note = READING_NOTE(lesson.lang)
    reading = lesson.word(
        f"{lesson.name(BRANCH)}は{rows[-1][5]}点（平均{number(own['mean_total'])}点）で{own['ranked_count']}支部中{own['rank']}位、"
        f"報奨の対象は上位{own['rewarded_ranks']}支部です。{note}",
        f"{lesson.name(BRANCH)} has {rows[-1][5]} points (mean {number(own['mean_total'])}), rank {own['rank']} of "
        f"{own['ranked_count']}; the best {own['rewarded_ranks']} are rewarded. {note}",
    )
    headings = [
        lesson.word("指標", "Indicator"),
        lesson.word("率", "Rate"),
        lesson.word("率の偏差値", "Deviation score"),
        lesson.word("水準の点", "Level points"),
        lesson.word("伸びの点", "Growth points"),
        lesson.word("計", "Points"),
    ]
    caption = lesson.word(
        f"{lesson.name(BRANCH)}のインセンティブ得点（{YEAR}年度、概算）",
        f"{lesson.name(BRANCH)}: incentive score, FY{YEAR} (approximate)",
    )
    return present(lesson, caption, headings, rows, reading=reading)


def _subscribers(lesson: Lesson, branch_codes: list[str], fiscal_year: int) -> NDArray[np.float64]:
    """Projected subscribers aged 40–74, the stated proxy for the people eligible."""
    sums = (
        lesson.tables["statistics"]
        .filter(
            pl.col("statistic") == "subscribers",
            pl.col("component").is_in(WORKING_AGE_BANDS),
            pl.col("fiscal_year") == fiscal_year,
        )
        .group_by("branch_code")
        .agg(pl.col("value").sum())
    )
    by_code = dict(sums.iter_rows())
    return np.array([by_code.get(code, np.nan) for code in branch_codes])
