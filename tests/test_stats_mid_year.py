"""Projected year end: hand-worked example, a second implementation, and how often the interval holds on simulated years.

No published example of this projection was found, and no series of monthly counts is published: coverage is shown on simulated
years instead, whose true model is known. With the seeds below (150 series, after every month but the last) 95 % intervals
contain the year's count in

- 98.2 % where months vary by eight times the Poisson variance and years share their season, from three past years on (the wider of
  two intervals is given, so more than 95), and 95.0 % from one or two;
- 95.4 % where the season shifts from year to year, from three past years on;
- 62.0 % there from one or two past years, which cannot show a shift: those projections say ``season_assumed``.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kenpo_lib.stats.mid_year import ProjectionReason, back_test, project_year_end

SEASON = np.array([2, 4, 7, 9, 9, 9, 10, 11, 10, 10, 10, 9]) / 100
LAST_YEAR = [100, 120, 130, 150, 150, 150, 160, 160, 160, 160, 160, 160]


def simulate_years(*, seed, series, years, dispersion=1.0, shift=0.0, level=20_000):
    """Monthly counts with ``dispersion`` times the Poisson variance, and a season that tilts by ``shift`` (log scale)."""
    rng = np.random.default_rng(seed)
    tilt = rng.normal(0, 1, (series, years, 1)) * shift * np.linspace(-1, 1, 12)
    season = SEASON * np.exp(tilt)
    mean = level * rng.lognormal(0, 0.1, (series, years, 1)) * season / season.sum(-1, keepdims=True)
    if dispersion == 1:
        return rng.poisson(mean)
    return rng.negative_binomial(mean / (dispersion - 1), 1 / dispersion)


# --- how often the interval holds -----------------------------------------------------------------------------------


def test_back_test_covers_what_it_says_where_months_are_overdispersed():
    # given 150 series of six years
    years = simulate_years(seed=20240401, series=150, years=6, dispersion=8)
    # when projected from three years and more, and from one or two
    full, early = back_test(years, minimum_past=3), back_test(years[:, :3])
    # then
    assert (full.trials, full.skipped) == (150 * 3 * 11, 0)
    assert (early.trials, early.skipped) == (150 * 2 * 11 - 150, 150)  # one month and one past year give no interval
    assert full.coverage == pytest.approx(0.982, abs=0.005)
    assert early.coverage == pytest.approx(0.950, abs=0.005)
    assert full.coverage_by_months.min() > 0.95


def test_back_test_covers_what_it_says_where_the_season_shifts():
    # given
    years = simulate_years(seed=20240402, series=150, years=6, dispersion=2, shift=0.1)
    # when
    full, early = back_test(years, minimum_past=3), back_test(years[:, :3])
    # then the interval holds; without enough past years it cannot, and the projection says so
    assert full.coverage == pytest.approx(0.954, abs=0.005)
    assert full.coverage_by_months.min() > 0.93
    assert early.coverage == pytest.approx(0.620, abs=0.005)
    reasons = {project_year_end(years[0, -1, :6], years[0, :past]).reason for past in (1, 2)}
    assert reasons == {ProjectionReason.SEASON_ASSUMED}
    assert project_year_end(years[0, -1, :6], years[0, :3]).reason == ProjectionReason.PROJECTED


def test_back_test_of_a_wrong_model_shows_it():
    # given years whose last one moved its campaign from spring to winter
    years = simulate_years(seed=3, series=20, years=4)
    years[:, -1] = years[:, -1, ::-1]
    # when only that year is projected
    result = back_test(years, minimum_past=3, months=[6])
    # then
    assert result.coverage < 0.5
    assert result.median_error > 0.05


def test_back_test_uses_only_earlier_complete_years():
    # given two years and an incomplete one between them
    years = np.array([LAST_YEAR, [*LAST_YEAR[:11], np.nan], LAST_YEAR])
    # when
    result = back_test(years)
    # then the third is projected from the first alone, after its first month without an interval
    assert (result.trials, result.skipped, result.coverage) == (10, 1, 1)
    assert np.isnan(result.coverage_by_months[0])
    assert result.median_error == pytest.approx(0)


def test_back_test_without_any_trial_has_no_coverage():
    result = back_test([LAST_YEAR])
    assert (result.trials, math.isnan(result.coverage), math.isnan(result.median_error)) == (0, True, True)


# --- the projection -------------------------------------------------------------------------------------------------


def test_projection_follows_last_years_share():
    # given half a year at 1.1 times last year, which did 800 of 1760 in that half
    now = [110, 132, 143, 165, 165, 165]
    # when
    projection = project_year_end(now, LAST_YEAR, target=2000)
    # then worked by hand: 880 + 880 × 960 ÷ 800; months differ by nothing but the level, so φ is 1
    assert projection.projected == pytest.approx(1936)
    assert (projection.dispersion, projection.degrees) == (1, 5)
    error = math.sqrt(1 / 880 + 1 / 800 + 1 / 960 + 1 / 1056)
    factor = math.exp(stats.t.ppf(0.975, 5) * error)
    assert (projection.lower, projection.upper) == pytest.approx((880 + 1056 / factor, 880 + 1056 * factor))
    assert projection.probability == pytest.approx(stats.t.sf(math.log(1120 / 1056) / error, 5))
    assert projection.needed_per_month == pytest.approx(1120 / 6)
    assert projection.needed_ratio == pytest.approx(1120 / 960)
    assert projection.reason == ProjectionReason.SEASON_ASSUMED


def plain_dispersion(now, past):
    """The two tables, cell by cell."""
    months = len(now)
    first = [[*year[:months]] for year in past] + [list(now)]
    second = [[sum(year[:months]), *year[months:]] for year in past]
    squares, degrees = 0.0, 0
    for table in (first, second):
        total = sum(map(sum, table))
        for row in table:
            for place, cell in enumerate(row):
                expected = sum(row) * sum(other[place] for other in table) / total
                squares += (cell - expected) ** 2 / expected
        degrees += (len(table) - 1) * (len(table[0]) - 1)
    return max(1, squares / degrees), degrees


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 11), st.integers(1, 5))
def test_projection_agrees_with_plain_loops(seed, months, years):
    # given
    data = simulate_years(seed=seed, series=1, years=years + 1, dispersion=5, shift=0.05)[0]
    now, past = data[-1, :months].tolist(), data[:-1].tolist()
    # when
    found = project_year_end(now, past, target=20_000)
    # then
    dispersion, degrees = plain_dispersion(now, past)
    before, after = sum(sum(year[:months]) for year in past), sum(sum(year[months:]) for year in past)
    rest = sum(now) * after / before
    error = math.sqrt(dispersion * (1 / sum(now) + 1 / before + 1 / after + 1 / rest))
    half = stats.t.ppf(0.975, degrees) * error
    if years >= 3:
        odds = [math.log(sum(year[:months]) / sum(year[months:])) for year in past]
        middle = sum(odds) / years
        spread = math.sqrt(sum((o - middle) ** 2 for o in odds) / (years - 1))
        between = spread * math.sqrt(1 + 1 / years)
        if stats.t.ppf(0.975, years - 1) * between > half:
            half, error, degrees = stats.t.ppf(0.975, years - 1) * between, between, years - 1
        assert found.share_spread == pytest.approx(spread)
    assert found.dispersion == pytest.approx(dispersion)
    assert found.degrees == degrees
    assert found.projected == pytest.approx(sum(now) + rest)
    assert found.lower == pytest.approx(sum(now) + rest * math.exp(-half))
    assert found.upper == pytest.approx(sum(now) + rest * math.exp(half))
    missing = 20_000 - sum(now)
    expected = 1 if missing <= 0 else stats.t.sf(math.log(missing / rest) / error, degrees)
    assert found.probability == pytest.approx(expected)


def test_dispersion_is_near_that_of_a_fitted_model():
    # given four years of which the last is cut short
    data = simulate_years(seed=11, series=1, years=4, dispersion=6)[0]
    cells = [(year, month, data[year, month]) for year in range(4) for month in range(12 if year < 3 else 5)]
    frame = pd.DataFrame(cells, columns=["year", "month", "count"])
    # when
    model = smf.glm("count ~ C(year) + C(month)", frame, family=sm.families.Poisson()).fit()
    found = project_year_end(data[3, :5], data[:3])
    # then the degrees of freedom are the same, and φ nearly: the model fits both tables at once
    degrees = 3 * 4 + 2 * 7
    assert model.df_resid == degrees
    assert found.dispersion == pytest.approx(model.pearson_chi2 / degrees, rel=0.02)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 11), st.integers(1, 4), st.floats(0.8, 0.99))
def test_projection_keeps_its_promises(seed, months, years, level):
    # given small counts, so that zeros occur
    data = simulate_years(seed=seed, series=1, years=years + 1, level=15)[0]
    # when
    found = project_year_end(data[-1, :months], data[:-1], denominator=40, target=50, level=level)
    # then
    if found.reason in (ProjectionReason.PROJECTED, ProjectionReason.SEASON_ASSUMED):
        assert found.to_date <= found.lower <= found.projected <= found.upper <= 40
        assert 0 <= found.probability <= 1
        assert found.rate == pytest.approx(found.projected / 40 * 100)
    else:
        assert math.isnan(found.lower)
        assert math.isnan(found.probability)


@given(st.floats(0, 5000), st.floats(0, 5000))
def test_a_higher_target_is_never_more_probable(one, other):
    low, high = sorted((one, other))
    now = LAST_YEAR[:5]
    assert (
        project_year_end(now, LAST_YEAR, target=low).probability
        >= project_year_end(now, LAST_YEAR, target=high).probability
    )


def test_a_ceiling_and_a_floor_at_the_same_place_add_up():
    now = LAST_YEAR[:5]
    both = (project_year_end(now, LAST_YEAR, target=1700, sign=sign).probability for sign in (1, -1))
    assert sum(both) == pytest.approx(1)


@pytest.mark.parametrize(
    ("target", "sign", "probability"), [(600, 1, 1), (650, 1, 1), (600, -1, 0), (5001, 1, 0), (5001, -1, 1)]
)
def test_what_is_settled_already_is_certain(target, sign, probability):
    # given 650 cases of 5000 people so far
    found = project_year_end(LAST_YEAR[:5], LAST_YEAR, target=target / 50, denominator=5000, sign=sign)
    assert found.probability == probability


# --- what is said where there is little to say ----------------------------------------------------------------------


def test_one_month_and_one_past_year_give_no_interval():
    found = project_year_end([110], LAST_YEAR, target=1800)
    assert (found.reason, found.projected) == (ProjectionReason.NO_SPREAD, pytest.approx(1936))
    assert np.isnan([found.lower, found.upper, found.probability]).all()


def test_a_complete_year_is_its_own_end():
    found = project_year_end(LAST_YEAR, [LAST_YEAR], target=88, denominator=2000)
    assert (found.reason, found.projected, found.lower, found.upper) == (ProjectionReason.COMPLETE, 1760, 1760, 1760)
    assert (found.rate, found.probability) == (88, 1)


@pytest.mark.parametrize(
    ("now", "past", "reason"),
    [
        ([1, None, 3], [LAST_YEAR], ProjectionReason.MISSING_MONTH),
        ([1, 2, 3], [[*LAST_YEAR[:11], None]], ProjectionReason.NO_COMPLETE_YEAR),
        ([1, 2, 3], np.empty((0, 12)), ProjectionReason.NO_COMPLETE_YEAR),
        ([0, 0, 0], [LAST_YEAR], ProjectionReason.NOTHING_YET),
        ([1, 2, 3], [[0] * 12], ProjectionReason.NOTHING_YET),
        ([1, 2, 3], [[5, 5, 5, *[0] * 9]], ProjectionReason.NOTHING_YET),
    ],
)
def test_no_projection_says_why(now, past, reason):
    # when
    found = project_year_end(now, past, target=50)
    # then
    assert found.reason == reason
    assert np.isnan([found.projected, found.lower, found.upper, found.probability]).all()


def test_what_is_needed_can_be_said_without_a_projection():
    found = project_year_end([0, 0, 0], [LAST_YEAR], target=1410)
    assert found.needed_per_month == pytest.approx(1410 / 9)
    assert found.needed_ratio == pytest.approx(1)


def test_very_little_to_go_by_gives_a_wide_interval_and_no_overflow():
    found = project_year_end([1, 90], [[1, 1, *[0] * 9, 1]], level=0.9999)
    assert math.isfinite(found.upper)
    assert found.lower >= 91


@pytest.mark.parametrize(
    ("now", "past", "options", "message"),
    [
        ([-1], LAST_YEAR, {}, "negative"),
        ([math.inf], LAST_YEAR, {}, "infinite"),
        ([], LAST_YEAR, {}, "1 to 12"),
        ([1], LAST_YEAR[:11], {}, "past years of 12"),
        ([[1], [2]], LAST_YEAR, {}, "one year so far"),
        ([50], LAST_YEAR, {"denominator": 49}, "denominator"),
        ([0], LAST_YEAR, {"denominator": 0}, "denominator"),
        ([1], LAST_YEAR, {"target": -1}, "target"),
        ([1], LAST_YEAR, {"target": math.nan}, "target"),
        ([1], LAST_YEAR, {"level": 95}, "level"),
        ([1], LAST_YEAR, {"sign": 0}, "sign"),
    ],
)
def test_bad_input_is_refused(now, past, options, message):
    with pytest.raises(ValueError, match=message):
        project_year_end(now, past, **options)


def test_back_test_refuses_bad_input():
    with pytest.raises(ValueError, match="12 months"):
        back_test([[1, 2, 3]])
    with pytest.raises(ValueError, match="months from 1"):
        back_test([LAST_YEAR], months=[12])
