"""Over time: recent trend, control chart and mid-year pace. Where no counts are published the example is made up and says so."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kenpo_lib.briefing.methods_charts import draw_control_chart
from kenpo_lib.briefing.methods_data import BRANCH, CHECKUPS, VISITS, Lesson, number, percent, present, span
from kenpo_lib.charts import render_svg
from kenpo_lib.sentences import date_words
from kenpo_lib.stats.mid_year import back_test, project_year_end
from kenpo_lib.stats.pace import MONTHS, PaceBasis
from kenpo_lib.stats.recent_trend import compute_proportion_trend
from kenpo_lib.stats.spc import compute_xmr_chart
from kenpo_lib.stats.spc_rules import (
    VERDICT_POINTS,
    Assurance,
    Variation,
    find_signals,
    judge_assurance,
    judge_variation,
)
from kenpo_lib.tables import Html

TOKYO, TOKYO_YEAR = "13", 2024
# All made up, to show a method for which nothing is published.
MADE_UP_YEARS = (2020, 2021, 2022, 2023, 2024)
MADE_UP_VISITS = (3105, 3168, 3240, 3391, 3502)
MADE_UP_NOTIFIED = (10020, 9980, 10110, 10050, 9990)
MADE_UP_MONTHS = (
    95.1,
    94.6,
    95.4,
    95.0,
    94.3,
    95.2,
    94.8,
    95.5,
    94.9,
    95.1,
    96.4,
    96.9,
    96.2,
    97.1,
    96.6,
    96.8,
    97.3,
    96.5,
)
MADE_UP_TARGET, BASELINE = 95.5, 10  # percent; months that the limits are taken from
SEASON = (5, 7, 9, 10, 9, 9, 10, 9, 8, 7, 8, 9)  # percent of a year's check-ups by month from April
SEED, PAST_YEARS, KNOWN_MONTHS = 20_240_401, 5, 6
ELIGIBLE, GOAL = 60_000, 32.0
TESTED_SERIES, TESTED_YEARS = 20, 7


def show_trend(lesson: Lesson) -> Html:
    """The test on a made-up series, and what it says of real ones: cannot tell."""
    trend = compute_proportion_trend(MADE_UP_YEARS, MADE_UP_VISITS, MADE_UP_NOTIFIED)
    words = {
        "up": lesson.word("上昇", "rising"),
        "down": lesson.word("低下", "falling"),
        "none": lesson.word("傾向なし", "no trend"),
        "cannot_tell": lesson.word("判定できない", "cannot tell"),
    }
    reasons = {
        "too_few_points": lesson.word("同じ定義の値が5年分ない", "fewer than five years under one definition"),
        "no_counts": lesson.word("件数が公表されていない", "no counts published"),
    }
    ends = (100 * MADE_UP_VISITS[i] / MADE_UP_NOTIFIED[i] for i in (0, -1))
    course = " → ".join(percent(end) for end in ends)
    made_up = lesson.word("架空の支部の受診率（2020～2024年度）", "Made-up branch, FY2020 to 2024")
    rows = [[made_up, course, number(trend.statistic, 1), words[str(trend.direction)]]]
    for series in (VISITS, CHECKUPS):
        row = lesson.row(series, 2024, BRANCH)
        verdict = words[row["trend_direction"]]
        why = reasons.get(row["trend_reason"] or "")
        shown = lesson.word(f"{verdict}（{why}）", f"{verdict} ({why})") if why else verdict
        name = f"{lesson.name(BRANCH)} {lesson.kpi(series).short_name(lesson.lang)}"
        past = percent(row["prior_value"]), percent(row["value"])
        rows.append([name, " → ".join(past), number(row["trend_statistic"], 1), shown])
    reading = lesson.word(
        f"架空の系列はχ²が{number(trend.statistic, 1)}で基準9.5495を超え、{words[str(trend.direction)]}です。実際の公表値は"
        "5年分の件数がそろわないため、傾向を判定していません。",
        f"The made-up series has χ² {number(trend.statistic, 1)}, above 9.5495: {words[str(trend.direction)]}. Published figures "
        "lack counts of five years, so no trend is told.",
    )
    headings = [
        lesson.word("系列", "Series"),
        lesson.word("値", "Values"),
        "χ²",
        lesson.word("判定", "Verdict"),
    ]
    caption = lesson.word("直近5年の傾向（1行目は架空の例）", "Recent trend (first row made up)")
    return present(lesson, caption, headings, rows, reading=reading)


def show_control_chart(lesson: Lesson) -> Html:
    """An XmR chart of a made-up monthly series, with the verdicts on variation and target."""
    values = np.array(MADE_UP_MONTHS)
    chart = compute_xmr_chart(values, freeze=BASELINE)
    signals = find_signals(chart)
    variation = judge_variation(chart, sign=1, signals=signals)
    assurance = judge_assurance(chart, target=MADE_UP_TARGET, sign=1)
    marked = int((signals.combined != 0).sum())
    words = {
        Variation.IMPROVEMENT: lesson.word("改善（偶然とはいえない）", "improvement, more than chance"),
        Variation.CONCERN: lesson.word("悪化（偶然とはいえない）", "concern, more than chance"),
        Variation.COMMON_CAUSE: lesson.word("いつものぶれ", "common cause"),
        Assurance.CONSISTENTLY_HITS: lesson.word("必ず届く", "consistently hits"),
        Assurance.CONSISTENTLY_MISSES: lesson.word("このままでは届かない", "consistently misses"),
        Assurance.HIT_OR_MISS: lesson.word("届く月も届かない月もある", "hit or miss"),
    }
    rows = [
        [lesson.word("中心線（平均）", "Centre (mean)"), percent(chart.centre[-1], 2)],
        [lesson.word("限界", "Limits"), f"{span(chart.lower[-1], chart.upper[-1], 2, lesson.lang)}%"],
        [lesson.word("印の付いた点", "Marked points"), f"{marked} / {values.size}"],
        [lesson.word("変化の判定", "Variation"), words[variation]],
        [lesson.word(f"目標{MADE_UP_TARGET}%の判定", f"Target {MADE_UP_TARGET} %"), words[assurance]],
    ]
    few = judge_variation(compute_xmr_chart(values[: VERDICT_POINTS - 1]), sign=1)
    assert few is Variation.TOO_FEW_POINTS, few
    reading = lesson.word(
        f"最初の{BASELINE}か月から引いた限界に照らすと印の付く月が{marked}あり、判定は「{words[variation]}」です。{VERDICT_POINTS}点に満たない系列"
        "（公表されている年次の値）には判定を付けません。",
        f"By the limits of the first {BASELINE} months, {marked} are marked: {words[variation]}. A series of fewer than {VERDICT_POINTS} points, "
        "such as the published yearly ones, gets no verdict.",
    )
    svg = render_svg(
        draw_control_chart(chart, signals, target=MADE_UP_TARGET, lang=lesson.lang),
        id_prefix="methods-control",
        label=reading,
    )
    headings = [lesson.word("項目", "Item"), lesson.word("値", "Value")]
    caption = lesson.word("郵送化率の月次（架空の系列）", "Applications by mail by month (made up)")
    return present(lesson, caption, headings, rows, reading=reading, chart=svg)


def show_pace(lesson: Lesson) -> Html:
    """Tokyo's interim percentages against their targets: pace only, since counts are not published."""
    found = lesson.comparison.filter(
        pl.col("branch_code") == TOKYO,
        pl.col("fiscal_year") == TOKYO_YEAR,
        pl.col("unit") == "percent",
        pl.col("pace_expected").is_not_null(),
    )
    rows, behind = [], []
    for row in found.to_dicts():
        kpi, months = lesson.catalogue.kpis[row["kpi_id"]], (row["interim_as_of"].month - 4) % MONTHS + 1
        when = date_words(row["interim_as_of"], lesson.lang)
        adds_up = row["pace_basis"] != PaceBasis.LEVEL
        if not row["pace_is_on"]:
            behind.append(kpi.short_name(lesson.lang))
        rows.append(
            [
                kpi.name(lesson.lang),
                lesson.word(f"{when}（{months}か月）", f"{when} ({months} months)"),
                percent(row["interim_value"], kpi.decimals),
                percent(row["target_threshold"], kpi.decimals),
                percent(row["pace_expected"], kpi.decimals),
                lesson.word("目安に届く", "on course") if row["pace_is_on"] else lesson.word("目安未満", "behind"),
                number(row["pace_needed_per_month"], 2)
                if adds_up
                else lesson.word("積み上がらない値", "does not add up"),
            ]
        )
    reading = lesson.word(
        f"目安に届かないのは{'・'.join(behind) or 'ありません'}。健診のように年度の後半に多い指標もあるので、"
        "遅れていると決めるものではありません。",
        f"Behind: {', '.join(behind) or 'none'}. Some KPIs, such as check-ups, gather late in the year, so this does not say "
        "that they are late.",
    )
    headings = [
        lesson.word("指標", "KPI"),
        lesson.word("時点", "As of"),
        lesson.word("中間値", "Interim"),
        lesson.word("目標", "Target"),
        lesson.word("目安", "On course would be"),
        lesson.word("目安と比べて", "Against it"),
        lesson.word("目標まで月に（ポイント）", "Points a month from here"),
    ]
    caption = lesson.word("東京の年度途中の値と目標（令和6年度）", "Tokyo: interim values and targets, FY2024")
    return present(lesson, caption, headings, rows, reading=reading)


def show_projection(lesson: Lesson) -> Html:
    """A year end projected from made-up monthly counts, and how often such intervals held in made-up past years."""
    years = draw_years(1, PAST_YEARS + 1)[0]
    past, now = years[:-1], years[-1]
    guess = project_year_end(now[:KNOWN_MONTHS], past, denominator=ELIGIBLE, target=GOAL)
    tested = back_test(draw_years(TESTED_SERIES, TESTED_YEARS), minimum_past=3)
    actual = 100 * now.sum() / ELIGIBLE
    rows = [
        [lesson.word("9月までの件数", "Count to September"), number(guess.to_date)],
        [lesson.word("年度末の見込み", "Projected year end"), percent(guess.rate)],
        [
            lesson.word("95%予測区間", "95 % prediction interval"),
            f"{span(guess.rate_lower, guess.rate_upper, 1, lesson.lang)}%",
        ],
        [
            lesson.word(f"目標{GOAL:g}%に届く確率", f"Probability of reaching {GOAL:g} %"),
            percent(100 * guess.probability, 0),
        ],
        [lesson.word("目標まで月に必要な件数", "Needed a month"), number(guess.needed_per_month)],
        [lesson.word("その後の実際（架空）", "What came (made up)"), percent(actual)],
        [
            lesson.word(
                f"架空の過去の年で試した的中率（{tested.trials:,}回）",
                f"Back-test on made-up years ({tested.trials:,} trials)",
            ),
            percent(100 * tested.coverage),
        ],
    ]
    reading = lesson.word(
        f"架空の例では年度末を{percent(guess.rate)}と見込みます。95%の区間を架空の過去の年で試すと{percent(100 * tested.coverage)}で"
        "実際の値を含みました。公表された月次の件数がないので、実際の支部には使っていません。",
        f"The made-up year is projected to end at {percent(guess.rate)}. Tried on made-up past years, 95 % intervals held in "
        f"{percent(100 * tested.coverage)}. No monthly counts are published, so no branch is projected.",
    )
    headings = [lesson.word("項目", "Item"), lesson.word("値", "Value")]
    caption = lesson.word("年度末の見込み（架空の月次件数）", "Year-end projection (made-up monthly counts)")
    return present(lesson, caption, headings, rows, reading=reading)


def draw_years(series: int, years: int) -> NDArray[np.float64]:
    """Made-up monthly counts, shape (series, years, 12): one seasonal profile, a level per year, months that vary."""
    random = np.random.default_rng(SEED)
    level = 19_000 * np.exp(random.normal(0, 0.05, (series, years, 1)))
    season = np.array(SEASON) / sum(SEASON)
    return random.poisson(level * season * np.exp(random.normal(0, 0.06, (series, years, MONTHS)))).astype(float)
