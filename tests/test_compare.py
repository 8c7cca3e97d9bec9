"""The comparison frame: every promise of the design's sections 4, 7 and 8, and agreement with ``plain.py``."""

from __future__ import annotations

import random
from decimal import Decimal

import builders
import plain
import polars as pl
import polars.testing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kenpo_lib.catalogue import NATION, Direction, Unit
from kenpo_lib.compare import compute_comparison, compute_nation
from kenpo_lib.errors import InputError
from kenpo_lib.grain import check_year
from kenpo_lib.normalise import parse_date

BRANCHES = plain.BRANCHES
CHANGED = {
    "old": builders.definition("old", last=2023),
    "new": builders.definition("new", first=2024, restated=(2023,)),
}


def compare(observations=(), targets=(), kpi=None, **others):
    """The comparison of tiny tables as a dict of rows by (branch_code, definition, fiscal_year)."""
    catalogue = builders.catalogue(*([kpi] if kpi else []))
    frame = compute_comparison(builders.tables(observations, targets, **others), catalogue)
    return {(row["branch_code"], row["definition"], row["fiscal_year"]): row for row in frame.to_dicts()}


def compare_04(*args, **kwargs):
    """The row of Miyagi in 2024, where the test says nothing else."""
    return compare(*args, **kwargs)["04", "v1", 2024]


def all_branches(value=50.0, **columns):
    """One observation for each of the 47 branches."""
    return [{"branch_code": code, "value": value, **columns} for code in BRANCHES]


# --- agreement with the second implementation -----------------------------------------------------------------------

COMPARED = [
    *(
        "value",
        "numerator",
        "denominator",
        "status",
        "interim_value",
        "national",
        "national_kind",
        "national_difference",
    ),
    *("national_judgement", "prior_value", "prior_reason", "prior_difference", "prior_judgement", "target_result"),
    *(
        "target_reason",
        "target_threshold",
        "target_distance",
        "target_people",
        "ranked_count",
        "rank",
        "deviation_score",
    ),
    *("next_rank_value", "national_distance", "national_people", "next_rank_distance", "next_rank_people"),
]


def assert_agrees(tables, catalogue):
    """Hold every column of every row against the naive implementation; returns the number of rows."""
    rows = compute_comparison(tables, catalogue).to_dicts()
    expected = {cell: row for cell, row in plain.compare(tables, catalogue).items() if cell[0] != NATION}
    assert {plain.cell_of(row) for row in rows} == expected.keys()
    for row in rows:
        cell = plain.cell_of(row)
        for column in COMPARED:
            want = expected[cell][column]
            if isinstance(want, Decimal):
                want = pytest.approx(float(want), abs=1e-6, rel=1e-9)
            assert row[column] == want, (cell, column)
        codes = expected[cell]["next_rank_codes"]
        names = None if codes is None else [catalogue.branches[code].name.ja for code in codes]
        assert row["next_rank_branches"] == names, (cell, "next_rank_branches")
    return len(rows)


def test_compute_comparison_agrees_with_plain_on_the_real_figures(tables, catalogue):
    # given everything in data/raw
    # when
    count = assert_agrees(tables, catalogue)
    # then every cell was compared, among them the five incentive indicators of 47 branches in six years
    assert count >= 5 * 47 * 6


KPIS = [
    builders.kpi("rate", definitions=CHANGED),
    builders.kpi("cost", decimals=2, direction=Direction.LOWER, national_proxy="subscribers_40_74"),
    builders.kpi("sum_of_yen", proportion=False),
    builders.kpi("amount", unit=Unit.YEN, decimals=0, proportion=False),
    builders.kpi("days", unit=Unit.DAYS, direction=Direction.LOWER, proportion=False),
    builders.kpi("offices", unit=Unit.OFFICES, decimals=0, proportion=False),
    builders.kpi(
        "premium", decimals=2, direction=Direction.NEITHER, proportion=False, national_proxy="total_remuneration"
    ),
]
YEARS = (2022, 2023, 2024)


def draw_observation(rng, kpi, kinds, **key):
    """One row of one of the kinds; printed or computed from counts; with or without counts."""
    base = rng.choice([7, 40, 300])
    count = rng.randrange(base + 1)
    value = round(rng.randrange(60) / 10 + rng.choice([0, 25, 80]), kpi.decimals)
    if kpi.unit is Unit.PERCENT and rng.random() < 0.6:
        value = 100 * count / base if rng.random() < 0.5 else round(100 * count / base, kpi.decimals)
    counts = rng.choice([{"numerator": count, "denominator": base}, {"numerator": count}, {}])
    kind = rng.choice(kinds)
    if kind == "final":
        return {**key, "value": value, **counts}
    period = rng.choice(["YTD", "Q1", "M09"])
    return {**key, "value": value if kind == "interim" else None, "status": kind, "period": period}


def draw_tables(rng):
    """Small random tables: few or all branches, one or two sources, with and without a nation, targets and weights."""
    observations, targets = [], []
    for kpi in rng.sample(KPIS, 3):
        for definition, year in ((d, y) for d in kpi.definitions.values() for y in YEARS if d.holds_in(y)):
            few = rng.sample(BRANCHES, rng.randrange(4))
            kinds = rng.choice([["final"], ["final"] * 6 + ["interim", "pending"]])
            with_counts = rng.random() < 0.3
            for branch in rng.choice([few, BRANCHES]) + rng.choice([[], [], [NATION]]):
                for source in rng.choice([["old"], ["new"], ["old", "new"]]):
                    key = {"branch_code": branch, "kpi_id": kpi.kpi_id, "definition": definition.definition}
                    row = draw_observation(rng, kpi, kinds, **key, fiscal_year=year, source_id=source)
                    if with_counts:
                        base = rng.randrange(1, 300)
                        count = rng.randrange(base + 1)
                        row |= {"value": 100 * count / base, "numerator": count, "denominator": base}
                        row |= {"status": "final", "period": "FY"}
                    observations.append(row)
            for branch in rng.sample(BRANCHES, 3):
                goal = round(rng.randrange(1000) / 10, 1)
                rule = rng.choice(["at_least", "at_most", "at_least_prior", "at_most_prior", "floor_or_prior"])
                number = {"at_least": {"value": goal}, "at_most": {"value": goal}, "floor_or_prior": {"floor": goal}}
                key = {"branch_code": branch, "kpi_id": kpi.kpi_id, "definition": definition.definition}
                targets.append({**key, "fiscal_year": year, "rule": rule, **number.get(rule, {})})
    statistics = []
    for year in YEARS:
        for branch in rng.choice([[], BRANCHES, BRANCHES, BRANCHES[:-1]]):
            key = {"branch_code": branch, "fiscal_year": year}
            for band in plain.AGES_40_TO_74:
                row = {"statistic": "subscribers", "component": band, "value": 100.0 * rng.randrange(1, 90)}
                statistics.append({**key, **row})
            statistics.append({**key, "statistic": "total_remuneration", "value": 1000.0 * rng.randrange(1, 90)})
    rng.shuffle(observations)
    return builders.tables(observations, targets, statistics, sources={"old": "2024-03", "new": "2025-06"})


@settings(max_examples=50)
@given(st.integers(0, 2**32))
def test_compute_comparison_agrees_with_plain_on_random_tables(number):
    # given tables with every kind of gap, tie, definition and source
    tables = draw_tables(random.Random(number))
    # when, then
    assert_agrees(tables, builders.catalogue(*KPIS))


@settings(max_examples=15)
@given(st.integers(0, 2**32))
def test_compute_comparison_does_not_depend_on_the_order_of_rows_nor_on_other_kpis(number):
    # given the same figures in another order, with those of one more KPI among them
    rng = random.Random(number)
    tables = draw_tables(rng)
    other = builders.kpi("other", order=99)
    catalogue, larger = builders.catalogue(*KPIS), builders.catalogue(*KPIS, other)
    added = builders.frame("observations", all_branches(kpi_id="other", source_id="old"))
    mixed = tables | {"observations": pl.concat([added, tables["observations"]]).reverse()}
    # when
    before, after = compute_comparison(tables, catalogue), compute_comparison(mixed, larger)
    # then
    polars.testing.assert_frame_equal(after.filter(pl.col("kpi_id") != "other"), before)


def test_compute_comparison_has_one_row_per_branch_kpi_definition_and_year(comparison):
    # given the real comparison
    key = ["branch_code", "kpi_id", "definition", "fiscal_year"]
    # when
    codes = set(comparison["branch_code"])
    # then no row is doubled, codes are text with their leading zero, and the nation is not among the branches
    assert not comparison.select(key).is_duplicated().any()
    assert codes == set(BRANCHES)


# --- definitions and the year before --------------------------------------------------------------------------------


def test_compare_prior_change_is_null_when_the_definition_changed():
    # given last year under the old definition and this year under the new one
    observations = [
        {"fiscal_year": 2023, "definition": "old", "value": 9.6},
        {"fiscal_year": 2024, "definition": "new", "value": 33.4},
    ]
    # when
    row = compare(observations, kpi=builders.kpi(definitions=CHANGED))["04", "new", 2024]
    # then the two are not compared, and the reason is told
    assert (row["prior_value"], row["prior_difference"], row["prior_judgement"]) == (None, None, None)
    assert row["prior_reason"] == "definition_changed"


def test_compare_restated_year_joins_by_itself():
    # given last year restated by the source under the new definition, beside its value under the old one
    observations = [
        {"fiscal_year": 2023, "definition": "old", "value": 9.6},
        {"fiscal_year": 2023, "definition": "new", "value": 33.2},
        {"fiscal_year": 2024, "definition": "new", "value": 33.4},
    ]
    # when
    row = compare(observations, kpi=builders.kpi(definitions=CHANGED))["04", "new", 2024]
    # then
    assert (row["prior_value"], row["prior_judgement"], row["prior_reason"]) == (33.2, "better", None)
    assert row["prior_difference"] == pytest.approx(0.2)


def test_compare_prior_year_is_the_year_before_and_no_other():
    # given a value of two years ago only
    observations = [{"fiscal_year": 2022, "value": 30.0}, {"fiscal_year": 2024, "value": 33.4}]
    # when
    row = compare_04(observations)
    # then
    assert (row["prior_value"], row["prior_reason"]) == (None, "no_prior_value")


@pytest.mark.parametrize(
    ("direction", "judgement"),
    [(Direction.HIGHER, "better"), (Direction.LOWER, "worse"), (Direction.NEITHER, "higher")],
)
def test_compare_judges_a_rise_by_the_direction(direction, judgement):
    # given a value that rose
    observations = [{"fiscal_year": 2023, "value": 10.0}, {"fiscal_year": 2024, "value": 10.1}]
    # when
    row = compare_04(observations, kpi=builders.kpi(direction=direction))
    # then
    assert row["prior_judgement"] == judgement


def test_compare_amounts_differ_in_percent():
    # given an amount in yen that rose from 4,000 to 5,000
    observations = [{"fiscal_year": 2023, "value": 4000}, {"fiscal_year": 2024, "value": 5000}]
    # when
    row = compare_04(observations, kpi=builders.kpi(unit=Unit.YEN, decimals=0))
    # then
    assert row["prior_difference"] == pytest.approx(25.0)


def test_compare_change_from_nothing_has_no_percentage():
    # given a count that was 0 the year before
    observations = [{"fiscal_year": 2023, "value": 0}, {"fiscal_year": 2024, "value": 5}]
    # when
    row = compare_04(observations, kpi=builders.kpi(unit=Unit.OFFICES, decimals=0))
    # then it is neither infinite nor 0
    assert row["prior_difference"] is None
    assert row["prior_value"] == 0


def test_compare_difference_is_that_of_the_values_a_reader_sees():
    # given a value computed from counts: 33.3789 is shown as 33.4
    observations = [{"value": 33.3789}, {"branch_code": NATION, "value": 33.9}]
    # when
    row = compare_04(observations)
    # then 33.4 − 33.9, not −0.5211
    assert row["national_difference"] == pytest.approx(-0.5)


def test_compare_rounds_the_printed_decimal_and_not_its_binary_form():
    # given 1.005, of which the nearest binary fraction lies a little below
    observations = [{"value": 1.005}, {"branch_code": NATION, "value": 1.0}]
    # when
    row = compare_04(observations, kpi=builders.kpi(decimals=2))
    # then a table would print 1.01
    assert row["national_difference"] == pytest.approx(0.01)


# --- which value counts ---------------------------------------------------------------------------------------------


def test_compare_newest_source_wins_and_the_other_stays_visible():
    # given two sources that disagree
    observations = [{"source_id": "old", "value": 29.3}, {"source_id": "new", "value": 29.4}]
    # when
    row = compare_04(observations, sources={"old": "2025-04", "new": "2025-08"})
    # then
    assert (row["value"], row["source_id"]) == (29.4, "new")
    assert [(other["value"], other["source_id"]) for other in row["conflicts"]] == [(29.3, "old")]


def test_compare_sources_that_agree_are_no_conflict():
    # given two sources with the same value
    observations = [{"source_id": "old", "value": 29.4}, {"source_id": "new", "value": 29.4}]
    # when
    row = compare_04(observations, sources={"old": "2025-04", "new": "2025-08"})
    # then
    assert row["conflicts"] == []


def test_compare_takes_counts_from_one_document():
    # given a newer document with a numerator only, and an older one with both counts of the same value
    observations = [
        {"source_id": "new", "value": 50.0, "numerator": 61},
        {"source_id": "old", "value": 50.0, "numerator": 60, "denominator": 120},
    ]
    # when
    row = compare_04(observations, sources={"old": "2025-04", "new": "2025-08"})
    # then a numerator is never divided by the denominator of another document
    assert (row["numerator"], row["denominator"]) == (60, 120)


def test_compare_leaves_counts_of_another_value_alone():
    # given counts that belong to a value which a newer source corrected
    observations = [
        {"source_id": "new", "value": 51.0},
        {"source_id": "old", "value": 50.0, "numerator": 60, "denominator": 120},
    ]
    # when
    row = compare_04(observations, sources={"old": "2025-04", "new": "2025-08"})
    # then
    assert (row["value"], row["numerator"], row["denominator"]) == (51.0, None, None)


def test_compare_interim_value_is_shown_but_never_compared():
    # given a value part-way through the year, with everything there to compare it with
    observations = [
        {"value": 20.0, "status": "interim", "period": "YTD"},
        {"branch_code": NATION, "value": 30.0},
        {"branch_code": "13", "value": 31.0},
        {"fiscal_year": 2023, "value": 25.0},
    ]
    # when
    row = compare_04(observations, targets=[{"value": 19.0}])
    # then
    assert (row["status"], row["value"], row["interim_value"]) == ("interim", None, 20.0)
    assert (row["national_difference"], row["prior_difference"], row["rank"]) == (None, None, None)
    assert (row["target_result"], row["target_reason"]) == ("cannot_tell", "only_interim")


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ([("Q1", "2024-06-30", 1.0), ("YTD", "2024-09-30", 2.0), ("M08", "2024-08-31", 3.0)], 2.0),
        ([("M09", "2024-09-30", 1.0), ("YTD", "2024-09-30", 2.0)], 2.0),  # of one day, the figure since April
        ([("YTD", "", 1.0), ("M05", "2024-05-31", 2.0)], 2.0),
    ],
)
def test_compare_shows_the_latest_interim_value(rows, shown):
    # given several values part-way through the year
    observations = [{"period": period, "as_of": parse_date(day), "value": value} for period, day, value in rows]
    # when
    row = compare_04([{**observation, "status": "interim"} for observation in observations])
    # then
    assert row["interim_value"] == shown


def test_compare_pending_is_neither_zero_nor_dropped():
    # given a value that is announced but not there
    observations = [{"value": None, "status": "pending", "period": "YTD", "note": "検証中"}]
    # when
    row = compare_04(observations, targets=[{"value": 19.0}])
    # then
    assert (row["status"], row["value"], row["pending_note"]) == ("pending", None, "検証中")
    assert (row["target_result"], row["target_reason"], row["target_distance"]) == ("cannot_tell", "pending", None)


def test_compare_target_without_any_value_is_a_row():
    # given a plan for a year of which nothing is known yet
    # when
    row = compare_04([], targets=[{"value": 19.0}])
    # then
    assert (row["status"], row["target_reason"], row["target_threshold"]) == ("missing", "no_value", 19.0)


def test_compare_settled_value_of_a_month_is_not_that_of_the_year():
    # given a month that is final, and the year before
    observations = [{"value": 86.5, "period": "M02"}, {"fiscal_year": 2023, "value": 85.0}]
    # when
    row = compare_04(observations)
    # then
    assert (row["value"], row["prior_difference"]) == (None, None)


def test_compare_parts_of_a_kpi_are_not_the_kpi():
    # given the whole and one of its parts
    observations = [{"value": 50.0}, {"value": 90.0, "component": "任意継続"}]
    # when
    rows = compare(observations)
    # then
    assert [row["value"] for row in rows.values()] == [50.0]


# --- the national figure --------------------------------------------------------------------------------------------


def spread_weights(**changed):
    """Subscribers of 100 in each band of 40–74, in all branches; some branches changed."""
    return [
        {"branch_code": code, "statistic": "subscribers", "component": band, "value": changed.get(f"b{code}", 100.0)}
        for code in BRANCHES
        for band in plain.AGES_40_TO_74
    ]


def test_compare_published_nation_comes_first():
    # given a published figure, and counts of all branches that give another one
    observations = [*all_branches(50.0, numerator=1, denominator=2), {"branch_code": NATION, "value": 58.7}]
    # when
    row = compare_04(observations)
    # then
    assert (row["national"], row["national_kind"]) == (58.7, "published")


def test_compare_sums_counts_before_dividing():
    # given a large branch at 10 % and 46 small ones at 50 %
    observations = all_branches(50.0, numerator=5, denominator=10)
    observations[0] |= {"value": 10.0, "numerator": 54, "denominator": 540}
    # when
    row = compare_04(observations)
    # then (54 + 46 × 5) ÷ (540 + 46 × 10), not the mean of 47 rates
    assert row["national_kind"] == "summed"
    assert row["national"] == pytest.approx(28.4)


def test_compare_weights_the_nation_by_the_stated_proxy():
    # given no counts, and a branch with as many subscribers as the 46 others together
    observations = all_branches(50.0)
    observations[0]["value"] = 10.0
    kpi = builders.kpi(national_proxy="subscribers_40_74")
    # when
    row = compare_04(observations, kpi=kpi, statistics=spread_weights(b01=4600.0))
    # then
    assert row["national_kind"] == "weighted"
    assert row["national"] == pytest.approx(30.0)


@pytest.mark.parametrize("missing", [1, 7])
def test_compare_does_not_weight_with_incomplete_weights(missing):
    # given weights of which one branch lacks one age band, or all: its weight would be too small
    kpi = builders.kpi(national_proxy="subscribers_40_74")
    observations = all_branches(50.0)
    observations[-1]["value"] = 97.0
    # when
    row = compare_04(observations, kpi=kpi, statistics=spread_weights()[:-missing])
    # then the plain mean is given, and called so
    assert row["national_kind"] == "mean"
    assert row["national"] == pytest.approx(51.0)


def test_compare_has_no_nation_where_a_branch_is_missing():
    # given 46 branches and nothing published
    # when
    row = compare_04(all_branches(50.0)[:46])
    # then
    assert (row["national"], row["national_kind"], row["national_difference"]) == (None, None, None)
    assert (row["branches_known"], row["deviation_score"]) == (46, None)


def test_compare_branch_count_is_not_compared_with_the_sum_of_all():
    # given numbers of offices: 2,680 in one branch, 100,000 in the whole association
    observations = [{"value": 2680}, {"branch_code": "13", "value": 2900}, {"branch_code": NATION, "value": 100_000}]
    # when
    row = compare_04(observations, kpi=builders.kpi(unit=Unit.OFFICES, decimals=0))
    # then the sum is known, but there is no difference from it, no distance and no rank
    assert (row["national"], row["national_difference"], row["national_distance"]) == (100_000, None, None)
    assert (row["rank"], row["ranked_count"]) == (None, None)


def test_compute_nation_has_value_and_target_but_no_rank():
    # given the nation and all branches
    observations = [*all_branches(50.0), {"branch_code": NATION, "value": 58.7}]
    tables = builders.tables(observations, [{"branch_code": NATION, "value": 58.0}])
    # when
    (row,) = compute_nation(tables, builders.catalogue()).to_dicts()
    # then it is not compared with itself
    assert (row["branch_code"], row["value"], row["target_result"]) == (NATION, 58.7, "met")
    assert (row["national"], row["rank"], row["deviation_score"]) == (None, None, None)


# --- rank and distances ---------------------------------------------------------------------------------------------


def test_compare_ties_share_a_rank_and_the_next_is_skipped():
    # given two equal branches and a third, in an order that is not that of the codes
    observations = [{"branch_code": code, "value": value} for code, value in [("47", 9.5), ("13", 9.5), ("04", 9.0)]]
    # when
    rows = compare(observations)
    # then 1, 1, 3; the next rank up is named with all who share it, in the order of the codes
    assert [rows[code, "v1", 2024]["rank"] for code in ("13", "47", "04")] == [1, 1, 3]
    assert rows["04", "v1", 2024]["next_rank_branches"] == ["東京", "沖縄"]
    assert rows["04", "v1", 2024]["next_rank_distance"] == pytest.approx(0.5)
    assert rows["13", "v1", 2024]["next_rank_value"] is None


def test_compare_values_that_look_alike_are_a_tie():
    # given two values that are published alike
    observations = [{"branch_code": "13", "value": 9.46}, {"branch_code": "04", "value": 9.54}]
    # when
    rows = compare(observations)
    # then
    assert {row["rank"] for row in rows.values()} == {1}


def test_compare_single_value_has_no_rank():
    # given one branch
    # when
    row = compare_04([{"value": 9.5}])
    # then "first of one" is not said
    assert (row["rank"], row["ranked_count"]) == (None, None)


def test_compare_all_equal_has_rank_one_and_no_deviation_score():
    # given 47 equal values
    # when
    rows = compare(all_branches(60.1))
    # then nothing is divided by a spread of 0
    assert {(row["rank"], row["ranked_count"], row["deviation_score"]) for row in rows.values()} == {(1, 47, None)}


def test_compare_says_how_many_people_a_goal_takes():
    # given 7,328 of 21,954 (33.4 %), a target of 34.0 and a nation at 33.9
    observations = [
        {"value": 33.4, "numerator": 7328, "denominator": 21954},
        {"branch_code": NATION, "value": 33.9},
    ]
    # when
    row = compare_04(observations, targets=[{"value": 34.0}])
    # then the rate rounds to the goal with that many more, and not with one fewer
    for people, goal in ((row["target_people"], "34.0"), (row["national_people"], "33.9")):
        assert plain.rounded(Decimal(100 * (7328 + people)) / 21954, 1) == Decimal(goal)
        assert plain.rounded(Decimal(100 * (7328 + people - 1)) / 21954, 1) < Decimal(goal)


def test_compare_counts_of_yen_are_not_people():
    # given a rate of yen by yen
    observations = [{"value": 50.0, "numerator": 500, "denominator": 1000}]
    # when
    row = compare_04(observations, targets=[{"value": 60.0}], kpi=builders.kpi(proportion=False))
    # then
    assert (row["target_distance"], row["target_people"]) == (10.0, None)


def test_compare_never_says_that_a_missed_target_takes_nobody():
    # given a source that cuts off instead of rounding: 29,304 of 29,305 is 99.997 %, printed as 99.99
    observations = [{"value": 99.99, "numerator": 29_304, "denominator": 29_305}]
    # when
    row = compare_04(observations, targets=[{"value": 100.0}], kpi=builders.kpi(decimals=2))
    # then the printed value counts, and the counts cannot say how many are missing
    assert (row["target_result"], row["target_distance"]) == ("not_met", pytest.approx(0.01))
    assert row["target_people"] is None


def test_compare_reached_goal_takes_nobody():
    # given a printed value that reaches the goal, though the counts fall just short of it (a rounded denominator)
    observations = [{"value": 60.0, "numerator": 599, "denominator": 1000}, {"branch_code": NATION, "value": 60.0}]
    # when
    row = compare_04(observations, targets=[{"value": 60.0}])
    # then
    assert (row["target_people"], row["national_people"], row["national_distance"]) == (0, 0, 0.0)


# --- views ----------------------------------------------------------------------------------------------------------


def test_pick_in_force_shows_each_kpi_once_under_the_definition_in_force():
    # given 2023 under the definition of its time, and restated under the later one
    kpi = builders.kpi(definitions=CHANGED)
    observations = [
        {"fiscal_year": 2023, "definition": "old", "value": 9.6},
        {"fiscal_year": 2023, "definition": "new", "value": 33.2},
        {"fiscal_year": 2024, "definition": "new", "value": 33.4},
    ]
    catalogue = builders.catalogue(kpi)
    comparison = compute_comparison(builders.tables(observations), catalogue)
    # when
    frame = builders.select_branch_year(comparison, branch_code="04", fiscal_year=2023, catalogue=catalogue)
    # then
    assert frame["value"].to_list() == [9.6]


@pytest.mark.parametrize("fiscal_year", range(2018, 2027))
def test_pick_in_force_never_doubles_a_kpi_of_the_real_figures(comparison, catalogue, fiscal_year):
    # given the real comparison
    # when
    frames = [
        builders.select_branch_year(comparison, branch_code=code, fiscal_year=fiscal_year, catalogue=catalogue)
        for code in ("04", "13", "16", "43")
    ]
    # then
    assert any(frame.height for frame in frames)
    assert all(not frame["kpi_id"].is_duplicated().any() for frame in frames)


def test_check_year_refuses_a_year_without_data_and_lists_the_others(comparison):
    # given a year of which nothing is known
    # when
    with pytest.raises(InputError) as caught:
        check_year(1999, comparison["fiscal_year"])
    # then
    assert "1999" in str(caught.value)
    assert "2024" in str(caught.value)
    check_year(2024, comparison["fiscal_year"])
