"""Deviation scores, ranks, quantile groups and percentiles, against PHE's decile tool, scipy and plain loops."""

from __future__ import annotations

import csv
import math
import statistics
from collections import defaultdict
from fractions import Fraction

import builders
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import percentileofscore, rankdata

from kenpo_lib.stats import competition_rank, deviation_score
from kenpo_lib.stats._arrays import rank_upwards
from kenpo_lib.stats.groups import (
    competition_ranks,
    deviation_scores,
    percentile_ranks,
    percentiles,
    quantile_groups,
)

REFERENCE = builders.ROOT / "tests" / "reference" / "phe_quantile_deciles.csv"
values = st.lists(st.just(math.nan) | st.integers(-20, 20).map(lambda tenths: tenths / 10), min_size=1, max_size=47)
signs = st.sampled_from([1, -1, 0])


def without_nan(numbers):
    return [None if math.isnan(number) else float(number) for number in numbers]


# --- ranks and deviation scores -------------------------------------------------------------------------------------


@given(rows=st.lists(st.lists(st.integers(-3, 3), min_size=6, max_size=6), min_size=1, max_size=4))
@pytest.mark.parametrize("ties", ["min", "average"])
def test_rank_upwards_agrees_with_scipy_in_every_row(ties, rows):
    # given rows full of ties
    array = np.array(rows, dtype=float)
    # when, then
    assert rank_upwards(array, ties=ties).tolist() == rankdata(array, method=ties, axis=-1).tolist()
    assert rank_upwards(array[0], ties=ties).tolist() == rankdata(array[0], method=ties).tolist()


@given(values)
def test_rank_upwards_leaves_missing_values_out(numbers):
    # given
    array = np.array(numbers)
    known = ~np.isnan(array)
    # when
    ranks = rank_upwards(array, ties="average")
    # then
    assert np.isnan(ranks).tolist() == (~known).tolist()
    assert ranks[known].tolist() == rankdata(array[known]).tolist()


@given(numbers=values, sign=signs)
def test_competition_ranks_agree_with_the_polars_expression(numbers, sign):
    # given
    frame = pl.DataFrame({"value": without_nan(numbers)}, schema={"value": pl.Float64})
    # when
    expected = frame.select(competition_rank(pl.col("value"), sign=pl.lit(sign))).to_series().to_list()
    # then
    assert without_nan(competition_ranks(numbers, sign=sign)) == expected


@given(values)
def test_deviation_scores_agree_with_their_definition_and_the_polars_expression(numbers):
    # given
    known = [number for number in numbers if not math.isnan(number)]
    frame = pl.DataFrame(
        {"g": ["g"] * len(numbers), "value": without_nan(numbers)}, schema_overrides={"value": pl.Float64}
    )
    # when
    scores = without_nan(deviation_scores(numbers))
    # then
    twin = frame.select(deviation_score(pl.col("value"), over=["g"])).to_series().to_list()
    assert scores == [None if s is None else pytest.approx(s) for s in twin]
    if len(set(known)) > 1:
        mean, spread = statistics.fmean(known), statistics.pstdev(known)
        plain = [None if math.isnan(n) else pytest.approx(50 + 10 * (n - mean) / spread) for n in numbers]
        assert scores == plain


@pytest.mark.parametrize("numbers", [[60.1] * 47, [5.0], [math.nan, math.nan], [math.nan, 3.0], [0.1 + 0.2] * 3])
def test_deviation_scores_are_missing_without_spread(numbers):
    # given all equal, one branch, nothing known: no score out of rounding errors
    # when, then
    assert np.isnan(deviation_scores(numbers)).all()


def test_deviation_scores_run_along_any_axis():
    # given two years of three branches, and the same turned round
    table = np.array([[1.0, 2.0, 6.0], [3.0, math.nan, 5.0]])
    # when
    across, down = deviation_scores(table), deviation_scores(table.T, axis=0)
    # then
    np.testing.assert_allclose(across, down.T)
    np.testing.assert_allclose(across[1], [40, math.nan, 60])


# --- quantile groups ------------------------------------------------------------------------------------------------


def test_quantile_groups_match_the_decile_tool_of_phe():
    # given the deciles of 12, 23, 11 and 9 authorities; the last are too few
    regions = defaultdict(list)
    for row in csv.DictReader(REFERENCE.read_text(encoding="utf-8").splitlines()):
        regions[row["region"]].append((float(row["value"]), float(row["decile"] or "nan")))
    for rows in regions.values():
        numbers, deciles = zip(*rows, strict=True)
        # when
        groups = quantile_groups(numbers, groups=10)
        # then
        np.testing.assert_array_equal(groups, deciles)


@given(numbers=values, groups=st.integers(1, 12), sign=signs)
def test_quantile_groups_keep_ties_together_in_the_better_group(numbers, groups, sign):
    # given
    known = sorted((n for n in numbers if not math.isnan(n)), key=lambda n: -n if sign >= 0 else n)
    # when
    assigned = quantile_groups(numbers, groups=groups, sign=sign)
    # then each has the group of the first place of its value, counted in fractions
    for number, group in zip(numbers, assigned, strict=True):
        if math.isnan(number) or len(known) < groups:
            assert math.isnan(group)
            continue
        place = known.index(number) + 1
        assert group == groups + 1 - math.ceil(Fraction(groups * (len(known) + 1 - place), len(known)))
        assert 1 <= group <= groups


def test_quantile_groups_are_of_equal_size_where_that_is_possible():
    # given
    groups = quantile_groups(np.arange(40.0), groups=4)
    # when, then the highest are in group 1
    assert [int((groups == q).sum()) for q in (1, 2, 3, 4)] == [10] * 4
    assert groups[-1] == 1
    assert quantile_groups(np.arange(40.0), groups=4, sign=-1)[-1] == 4


# --- percentiles ----------------------------------------------------------------------------------------------------


@given(values)
def test_percentile_ranks_agree_with_scipy(numbers):
    # given
    known = [number for number in numbers if not math.isnan(number)]
    # when
    ranks = percentile_ranks(numbers)
    # then
    for number, rank in zip(numbers, ranks, strict=True):
        if math.isnan(number):
            assert math.isnan(rank)
        else:
            assert rank == pytest.approx(percentileofscore(known, number, kind="mean"))
            assert 0 < rank < 100


@given(numbers=values)
def test_percentile_ranks_turn_round_with_the_direction(numbers):
    # given, when
    up, down = percentile_ranks(numbers, sign=1), percentile_ranks(numbers, sign=-1)
    # then
    np.testing.assert_allclose(up + down, np.where(np.isnan(numbers), np.nan, 100.0))


def test_percentiles_interpolate_and_leave_missing_values_out():
    # given
    table = [[1.0, 2.0, 3.0, 4.0, math.nan], [math.nan] * 5]
    # when
    lines = percentiles(table, [0, 50, 100])
    # then
    np.testing.assert_allclose(lines, [[1, 2.5, 4], [math.nan] * 3])


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: deviation_scores([1.0, math.inf]), "infinite"),
        (lambda: competition_ranks([1.0], sign=2), "sign"),
        (lambda: quantile_groups([1.0], groups=0), "groups"),
        (lambda: percentiles([1.0], [101]), "percents"),
    ],
)
def test_groups_refuse_what_makes_no_sense(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_groups_of_no_branches_are_empty():
    assert deviation_scores([]).size == competition_ranks([]).size == quantile_groups([], groups=4).size == 0
