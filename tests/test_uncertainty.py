"""The columns that say how sure a comparison is: never without counts, and agreeing with a second calculation."""

from __future__ import annotations

import math

import builders
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kenpo_lib.catalogue import Catalogue, Direction
from kenpo_lib.compare import compute_comparison
from kenpo_lib.curated import Tables
from kenpo_lib.grain import BRANCH_COUNT, GROUP
from kenpo_lib.stats.recent_trend import compute_proportion_trend, judge_trend

NEEDS_COUNTS = (
    *("lower_95", "upper_95", "lower_998", "upper_998", "prior_change_lower", "prior_change_upper", "prior_change_p"),
    *("trend_statistic", "funnel_z", "funnel_adjusted_z", "p_value", "p_adjusted", "shrunk_value"),
    *("rank_lower", "rank_upper", "rank_lower_all", "rank_upper_all", "funnel_position", "funnel_adjusted_position"),
)


@pytest.fixture(scope="module")
def visits(comparison: pl.DataFrame) -> pl.DataFrame:
    """The 13 branches whose counts of visits are published for FY2024."""
    return comparison.filter(
        (pl.col("kpi_id") == "visit_rate")
        & (pl.col("definition") == "10m")
        & (pl.col("fiscal_year") == 2024)
        & pl.col("numerator").is_not_null()
    )


def test_nothing_that_needs_counts_is_given_without_them(comparison: pl.DataFrame):
    without = comparison.filter(pl.col("numerator").is_null() | pl.col("denominator").is_null())

    assert without.height > 1000
    assert {column: without[column].null_count() for column in NEEDS_COUNTS} == dict.fromkeys(
        NEEDS_COUNTS, without.height
    )
    assert set(without["statistical"]) == {"cannot_tell"}


def test_every_row_without_interval_says_why(comparison: pl.DataFrame):
    reasons = comparison.filter(pl.col("lower_95").is_null())["interval_reason"]

    assert reasons.null_count() == 0
    assert set(reasons) == {"no_value", "no_counts", "not_a_proportion"}


def test_intervals_are_the_wilson_intervals_of_the_counts(visits: pl.DataFrame):
    z = 1.959963984540054
    for row in visits.to_dicts():
        x, n = row["numerator"], row["denominator"]
        centre = (x + z * z / 2) / (n + z * z)
        half = z / (n + z * z) * math.sqrt(x * (n - x) / n + z * z / 4)

        assert row["lower_95"] == pytest.approx(100 * (centre - half), abs=1e-9)
        assert row["upper_95"] == pytest.approx(100 * (centre + half), abs=1e-9)
        assert row["lower_998"] < row["lower_95"] < row["value"] + 0.05
        assert row["upper_998"] > row["upper_95"] > row["value"] - 0.05


def test_funnel_scores_measure_the_distance_from_the_published_nation(visits: pl.DataFrame):
    for row in visits.to_dicts():
        share, nation = row["numerator"] / row["denominator"], row["national"] / 100
        score = 2 * math.sqrt(row["denominator"]) * (math.asin(math.sqrt(share)) - math.asin(math.sqrt(nation)))

        assert row["funnel_z"] == pytest.approx(score, rel=1e-3)
        assert abs(row["funnel_adjusted_z"]) < abs(row["funnel_z"]), "branches differ more than by chance"
        assert row["p_value"] <= row["p_adjusted"]


def test_shrunken_values_lie_between_the_branch_and_the_nation(visits: pl.DataFrame):
    for row in visits.to_dicts():
        own = 100 * row["numerator"] / row["denominator"]
        low, high = sorted((own, row["national"]))

        assert low - 1e-9 <= row["shrunk_value"] <= high + 1e-9


def test_rank_intervals_hold_the_rank_and_the_simultaneous_ones_are_wider(visits: pl.DataFrame):
    for row in visits.to_dicts():
        assert row["rank_lower"] <= row["rank"] <= row["rank_upper"]
        assert row["rank_lower_all"] <= row["rank_lower"]
        assert row["rank_upper_all"] >= row["rank_upper"]


def test_only_nara_stands_out_in_fy2024(visits: pl.DataFrame):
    """The one verdict: Osaka is 9.9 standard errors below the nation by chance alone, and yet within the usual spread."""
    verdicts = dict(zip(visits["branch_code"], visits["statistical"], strict=True))
    osaka = visits.filter(pl.col("branch_code") == "27").to_dicts()[0]

    assert {code for code, verdict in verdicts.items() if verdict != "no_difference"} == {"29"}
    assert verdicts["29"] == "better"
    assert osaka["funnel_position"] == "low_99.8"
    assert osaka["funnel_adjusted_position"] == "within"


def test_nation_without_the_branch_is_the_weighted_mean_of_the_others(comparison: pl.DataFrame, tables: Tables):
    weights = {
        row["branch_code"]: row["value"]
        for row in tables["statistics"]
        .filter((pl.col("statistic") == "total_remuneration") & (pl.col("fiscal_year") == 2024))
        .to_dicts()
    }
    rates = comparison.filter((pl.col("kpi_id") == "premium_rate") & (pl.col("fiscal_year") == 2024)).to_dicts()
    for row in rates:
        others = [other for other in rates if other["branch_code"] != row["branch_code"]]
        total = sum(weights[other["branch_code"]] for other in others)
        expected = sum(other["value"] * weights[other["branch_code"]] for other in others) / total

        assert row["national_without_branch"] == pytest.approx(expected, abs=1e-9)
        assert row["national_without_kind"] == "weighted"


def test_quantile_groups_are_five_of_nearly_equal_size_with_the_best_first(comparison: pl.DataFrame):
    full = comparison.filter((pl.col("ranked_count") == BRANCH_COUNT) & pl.col("quantile_group").is_not_null())
    for _, group in full.group_by(GROUP):
        best = group.filter(pl.col("quantile_group") == 1)["rank"].max()
        worst = group.filter(pl.col("quantile_group") == 5)["rank"].min()

        assert set(group["quantile_group"]) <= {1, 2, 3, 4, 5}
        assert best < worst


def test_rank_change_is_last_years_rank_minus_this_years(comparison: pl.DataFrame):
    ranks = {
        (row["branch_code"], row["kpi_id"], row["definition"], row["fiscal_year"]): row["rank"]
        for row in comparison.to_dicts()
    }
    moved = comparison.filter(pl.col("rank_change").is_not_null()).to_dicts()

    assert len(moved) > 1000
    for row in moved:
        prior = ranks[row["branch_code"], row["kpi_id"], row["definition"], row["fiscal_year"] - 1]
        assert row["rank_change"] == prior - row["rank"]


def test_change_against_the_nation_never_mixes_kinds_of_national_figures(comparison: pl.DataFrame):
    checkups = comparison.filter((pl.col("kpi_id") == "specific_checkup_rate") & (pl.col("branch_code") == "04"))
    by_year = {row["fiscal_year"]: row for row in checkups.to_dicts()}

    assert (by_year[2023]["national_kind"], by_year[2024]["national_kind"]) == ("published", "weighted")
    assert by_year[2024]["change_against_nation"] is None
    assert by_year[2023]["change_against_nation"] == pytest.approx((64.1 - 64.4) - (58.7 - 57.1))


def test_run_counts_changes_of_one_direction_in_a_row(comparison: pl.DataFrame):
    decrease = comparison.filter((pl.col("kpi_id") == "guidance_decrease_rate") & (pl.col("branch_code") == "04"))
    runs = dict(zip(decrease["fiscal_year"], decrease["run_years"], strict=True))

    assert runs == {2019: 0, 2020: -1, 2021: 1, 2022: -1, 2023: -2, 2024: -3}


def test_practical_verdict_compares_with_the_catalogue(comparison: pl.DataFrame, catalogue: Catalogue):
    for row in comparison.filter(pl.col("practical") != "cannot_tell").to_dicts():
        threshold = catalogue.kpis[row["kpi_id"]].relevant_difference

        assert (row["practical"] == "relevant") == (abs(row["national_difference"]) >= threshold - 1e-9)


def test_rows_keep_their_number_and_order(comparison: pl.DataFrame):
    key = ["branch_code", *GROUP]

    assert comparison.select(key).is_unique().all()
    assert "_row" not in comparison.columns


def test_pace_of_an_accumulating_kpi_assumes_even_months(comparison: pl.DataFrame):
    """Tokyo, end of July 2024: 14.8 % of a target of 60 %, four months of twelve."""
    row = comparison.filter(
        (pl.col("kpi_id") == "checkup_rate_insured") & (pl.col("branch_code") == "13") & (pl.col("fiscal_year") == 2024)
    ).to_dicts()[0]

    assert row["pace_basis"] == "even_months"
    assert row["pace_expected"] == pytest.approx(60 * 4 / 12)
    assert row["pace_is_on"] is False
    assert row["pace_needed_per_month"] == pytest.approx((60 - 14.8) / 8)
    assert row["lower_95"] is None


def test_pace_is_left_open_where_nobody_knows_how_a_kpi_runs_within_the_year(
    comparison: pl.DataFrame, catalogue: Catalogue
):
    unknown = [kpi.kpi_id for kpi in catalogue.kpis.values() if kpi.within_year is None]
    interim = comparison.filter(pl.col("interim_value").is_not_null() & pl.col("kpi_id").is_in(unknown))

    assert interim.height >= 4
    assert interim["pace_expected"].null_count() == interim.height


# --- courses ----------------------------------------------------------------------------------------------------------

YEAR_FIGURES = st.dictionaries(
    st.integers(2012, 2024), st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=12
)


@settings(max_examples=50)
@given(series=st.lists(YEAR_FIGURES, min_size=1, max_size=3), sign=st.sampled_from([1, -1]))
def test_trends_and_runs_of_all_series_are_those_of_each_alone(series, sign):
    # given branches with years missing, and years whose counts are missing
    rows = [
        {"branch_code": f"{place:02d}", "fiscal_year": year, "value": 2.5 * cases, "denominator": 40.0}
        | {"numerator": float(cases) if has_counts else None}
        for place, figures in enumerate(series, start=1)
        for year, (cases, has_counts) in figures.items()
    ]
    direction = Direction.HIGHER if sign > 0 else Direction.LOWER
    catalogue = builders.catalogue(builders.kpi(direction=direction))
    # when
    found = compute_comparison(builders.tables(rows), catalogue)
    # then each is what its own points up to then say
    for place, figures in enumerate(series, start=1):
        years = sorted(figures)
        run = 0
        for index, year in enumerate(years):
            (row,) = found.filter(branch_code=f"{place:02d}", fiscal_year=year).to_dicts()
            before = figures.get(year - 1)
            step = 0 if before is None else (figures[year][0] > before[0]) - (figures[year][0] < before[0])
            run = run + step if step and run * step > 0 else step
            assert row["run_years"] == run
            if not figures[year][1]:
                assert (row["trend_word"], row["trend_reason"], row["trend_points"]) == (
                    "cannot_tell",
                    "no_counts",
                    None,
                )
                continue
            known = [at for at in years[: index + 1] if figures[at][1]]
            trend = compute_proportion_trend(known, [figures[at][0] for at in known], [40.0] * len(known))
            assert row["trend_word"] == judge_trend(trend.direction, sign)
            assert (row["trend_direction"], row["trend_reason"]) == (trend.direction, trend.reason)
            assert row["trend_points"] == trend.points
            wanted = None if math.isnan(trend.statistic) else pytest.approx(trend.statistic, rel=1e-9)
            assert row["trend_statistic"] == wanted
