"""The years of one KPI: quartiles only of all 47, the nation by its kind, and no year invented."""

from __future__ import annotations

import statistics

import builders
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib.catalogue import NATION
from kenpo_lib.compare import compute_comparison, compute_nation
from kenpo_lib.yearly import summarise_years

CODES = [f"{code:02d}" for code in range(1, 48)]
QUARTILES = ("lower_quartile", "median", "upper_quartile")


def summarise(rows, *, kpi=None):
    tables, catalogue = builders.tables(rows), builders.catalogue(kpi or builders.kpi())
    values, nation = compute_comparison(tables, catalogue), compute_nation(tables, catalogue)
    return summarise_years(values, nation, branches=len(catalogue.branch_codes)).to_dicts()


def spread_of(values):
    return [{"branch_code": code, "value": value} for code, value in zip(CODES, values, strict=False)]


def test_quartiles_of_all_branches_interpolate_between_neighbours():
    # given 47 values 1, 2 … 47
    (row,) = summarise(spread_of(range(1, 48)))
    # then the 12th and 13th from either end are halved
    assert [row[name] for name in ("lowest", *QUARTILES, "highest")] == [1, 12.5, 24, 35.5, 47]
    assert (row["branches_known"], row["with_counts"]) == (47, 0)


@given(st.lists(st.integers(0, 1000), min_size=47, max_size=47))
def test_quartiles_agree_with_the_standard_library(numbers):
    (row,) = summarise(spread_of([number / 10 for number in numbers]))

    expected = statistics.quantiles([number / 10 for number in numbers], n=4, method="inclusive")
    assert [row[name] for name in QUARTILES] == pytest.approx(expected)


def test_quartiles_of_a_part_of_the_branches_are_not_given():
    (row,) = summarise(spread_of(range(46)))

    assert [row[name] for name in QUARTILES] == [None] * 3
    assert (row["lowest"], row["highest"], row["branches_known"]) == (0, 45, 46)


def test_value_of_zero_is_a_value():
    (row,) = summarise([{"value": 0.0}])

    assert (row["lowest"], row["highest"], row["branches_known"]) == (0.0, 0.0, 1)


def test_counts_are_counted_only_where_both_are_there():
    rows = [
        {"branch_code": "01", "value": 50.0, "numerator": 1, "denominator": 2},
        {"branch_code": "02", "value": 50.0, "numerator": 1},
        {"branch_code": "03", "value": 50.0},
    ]

    assert summarise(rows)[0]["with_counts"] == 1


def test_year_of_the_nation_alone_is_a_row_without_branches():
    # given the nation in two years, a branch in one
    rows = [{"branch_code": NATION, "fiscal_year": year, "value": 20.0} for year in (2023, 2024)]
    # when
    alone, both = summarise([*rows, {"value": 30.0}])
    # then
    assert (alone["fiscal_year"], alone["branches_known"], alone["lowest"]) == (2023, 0, None)
    assert (alone["national"], alone["national_kind"], alone["national_source_id"]) == (20.0, "published", "doc")
    assert (both["national"], both["branches_known"]) == (20.0, 1)


def test_nation_that_is_not_published_keeps_its_kind():
    (row,) = summarise(spread_of([10.0] * 47))

    assert (row["national"], row["national_kind"], row["national_source_id"]) == (10.0, "mean", None)


def test_definitions_of_one_year_stay_apart():
    # given a year that is known under two definitions
    kpi = builders.kpi(
        definitions={"old": builders.definition("old", last=2023), "new": builders.definition("new", first=2024)}
    )
    rows = [{"definition": name, "fiscal_year": 2023, "value": value} for name, value in (("old", 10.0), ("new", 30.0))]
    # when
    found = summarise(rows, kpi=kpi)
    # then
    assert {(row["definition"], row["lowest"]) for row in found} == {("old", 10.0), ("new", 30.0)}


def test_interim_and_pending_values_make_no_year():
    rows = [
        {"branch_code": "13", "value": 10.0, "status": "interim", "period": "YTD"},
        {"branch_code": "14", "status": "pending"},
    ]

    assert summarise(rows) == []
