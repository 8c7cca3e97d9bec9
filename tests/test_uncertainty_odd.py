"""Odd input: a documented result, never a warning and never a number made up (warnings fail the run)."""

from __future__ import annotations

import builders
import polars as pl
import pytest

from kenpo_lib.compare import compute_comparison


def _compare(rows: list[dict]) -> pl.DataFrame:
    catalogue = builders.catalogue(builders.kpi(proportion=True))
    return compute_comparison(builders.tables(rows), catalogue)


def _branch(
    code: int, value: float | None, numerator: float | None, denominator: float | None, year: int = 2024
) -> dict:
    return {
        "branch_code": f"{code:02d}",
        "value": value,
        "numerator": numerator,
        "denominator": denominator,
        "fiscal_year": year,
    }


def test_one_branch_alone_has_an_interval_but_no_funnel_and_no_rank():
    row = _compare([_branch(4, 50.0, 50, 100)]).to_dicts()[0]

    assert row["lower_95"] == pytest.approx(40.38, abs=0.01)
    assert row["rank"] is row["rank_lower"] is row["funnel_z"] is row["shrunk_value"] is None
    assert row["statistical"] == "cannot_tell"


def test_all_equal_branches_share_the_first_rank_and_none_stands_out():
    frame = _compare([_branch(code, 50.0, 50, 100) for code in range(1, 48)])

    assert set(frame["rank"]) == {1}
    assert set(frame["rank_lower"]) == {1}
    assert set(frame["rank_upper"]) == {47}
    assert set(frame["statistical"]) == {"no_difference"}
    assert frame["deviation_score"].null_count() == 47


def test_nobody_and_everybody_counted_stay_within_0_and_100_percent():
    rows = [_branch(1, 0.0, 0, 20), _branch(2, 100.0, 20, 20), *(_branch(code, 50.0, 10, 20) for code in range(3, 48))]
    frame = _compare(rows)

    assert min(frame.select(pl.col("lower_95", "lower_998", "shrunk_value").min()).row(0)) >= 0.0
    assert max(frame.select(pl.col("upper_95", "upper_998", "shrunk_value").max()).row(0)) <= 100.0
    assert frame["lower_95"].null_count() == 0


@pytest.mark.parametrize(("numerator", "denominator"), [(30, 20), (5, 0), (None, 20), (5, None)])
def test_impossible_or_missing_counts_give_no_interval_and_a_reason(numerator: float | None, denominator: float | None):
    row = _compare([_branch(4, 50.0, numerator, denominator)]).to_dicts()[0]

    assert row["lower_95"] is None
    assert row["interval_reason"] == ("no_counts" if None in (numerator, denominator) else "impossible_counts")
    assert row["target_people"] is None


def test_all_missing_gives_rows_without_any_figure():
    rows = [{**_branch(code, None, None, None), "status": "pending"} for code in range(1, 48)]
    frame = _compare(rows)

    assert frame.height == 47
    assert set(frame["interval_reason"]) == {"no_value"}
    assert frame["rank"].null_count() == frame["national"].null_count() == 47


def test_two_years_give_a_change_with_an_interval_and_no_trend():
    rows = [_branch(4, 50.0, 500, 1000, 2023), _branch(4, 55.0, 550, 1000, 2024)]
    row = _compare(rows).filter(pl.col("fiscal_year") == 2024).to_dicts()[0]

    assert row["prior_change_lower"] < 5.0 < row["prior_change_upper"]
    assert row["trend_word"] == "cannot_tell"
    assert row["trend_reason"] == "too_few_points"
    assert row["run_years"] == 1


def test_five_rising_years_are_a_trend_and_a_worse_branch_getting_worse_is_an_alert():
    years = range(2020, 2025)
    others = [_branch(code, 60.0, 6000, 10_000, year) for code in range(2, 48) for year in years]
    falling = [_branch(1, 50.0 - 2 * i, 5000 - 200 * i, 10_000, year) for i, year in enumerate(years)]
    spread = [
        {**row, "value": row["value"], "numerator": row["numerator"] + 20 * (i % 7)} for i, row in enumerate(others)
    ]
    frame = _compare([*falling, *spread]).filter((pl.col("fiscal_year") == 2024) & (pl.col("branch_code") == "01"))
    row = frame.to_dicts()[0]

    assert row["trend_word"] == "worse"
    assert row["statistical"] == "worse"
    assert row["practical"] == "relevant"
    assert row["alert"] is True


def test_no_rows_at_all_give_an_empty_frame_with_every_column(comparison: pl.DataFrame):
    empty = _compare([])

    assert empty.height == 0
    assert set(empty.columns) == set(comparison.columns)
