"""Control charts: limits that published software gives, a second implementation in loops, and what has to hold for all inputs."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kenpo_lib.stats.spc import ChartKind, compute_p_chart, compute_u_chart, compute_xmr_chart

REFERENCE = Path(__file__).parent / "reference"
LINES = ("centre", "lower", "warning_lower", "warning_upper", "upper")


def read_rows(name):
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


SERIES = read_rows("spc_series.csv")
LIMITS = read_rows("spc_limits.csv")


def draw(kind, numerator, denominator, *, multiplier=1, **options):
    if kind == ChartKind.XMR:
        return compute_xmr_chart(numerator / denominator, **options)
    compute = compute_p_chart if kind.startswith("p") else compute_u_chart
    return compute(numerator, denominator, prime=kind.endswith("prime"), multiplier=multiplier, **options)


# --- published ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row", LIMITS, ids=lambda row: "-".join(row[name] for name in ("series", "chart", "freeze", "rebase", "point"))
)
def test_chart_has_the_published_limits(row):
    # given
    points = [point for point in SERIES if point["series"] == row["series"]]
    numerator, denominator = (
        np.array([float(point[name]) for point in points]) for name in ("numerator", "denominator")
    )
    # when
    chart = draw(
        row["chart"],
        numerator,
        denominator,
        multiplier=float(row["multiplier"]),
        freeze=int(row["freeze"]) if row["freeze"] else None,
        rebase_at=[int(row["rebase"])] if row["rebase"] else [],
        screen=row["screen"] == "yes",
    )
    # then every line that is printed agrees to the digits printed
    index = int(row["point"]) - 1
    # qicharts2 draws I charts at 3 ÷ 1.128 mean moving ranges, Making Data Count at 2.66
    width = 3 / 1.128 / 2.66 if row["chart"] == "xmr" and row["source"] == "qicharts2" else 1
    tolerance = 0.51 * 10 ** -float(row["decimals"]) if row["source"] != "qicharts2" else 1e-9 * float(row["centre"])
    for line in LINES:
        if row[line]:
            found = chart.centre[index] + width * (getattr(chart, line)[index] - chart.centre[index])
            assert found == pytest.approx(float(row[line]), abs=tolerance)


# --- a second implementation ----------------------------------------------------------------------------------------


def plain_chart(kind, count, base, *, screen, freeze, rebase_at):
    """Lists and loops, one segment after the other."""
    lines = []
    starts = [0, *rebase_at]
    for start, end in zip(starts, [*rebase_at, len(count)], strict=True):
        points = list(range(start, end))
        used = points if freeze is None else points[:freeze]
        if kind == "xmr":
            centre = sum(count[i] for i in used) / len(used)
            ranges = [abs(count[i] - count[i - 1]) for i in used[1:]]
        else:
            centre = sum(count[i] for i in used) / sum(base[i] for i in used)
            spread = centre * (1 - centre) if kind.startswith("p") else centre
            z = [(count[i] / base[i] - centre) / (spread / base[i]) ** 0.5 if spread > 0 else 0 for i in used]
            ranges = [abs(b - a) for a, b in itertools.pairwise(z)]
        mean = sum(ranges) / len(ranges) if ranges else None
        if screen and mean:
            kept = [r for r in ranges if r < 3.267 * mean]
            mean = sum(kept) / len(kept)
        for i in points:
            if kind == "xmr":
                half = None if mean is None else 2.66 * mean
            elif kind.endswith("prime"):
                half = None if mean is None else 3 * (spread / base[i]) ** 0.5 * mean / 1.128
            else:
                half = 3 * (spread / base[i]) ** 0.5
            if half is None:
                lines.append((centre, np.nan, np.nan))
                continue
            lower, upper = centre - half, centre + half
            if kind != "xmr":
                lower = max(lower, 0)
            if kind.startswith("p"):
                upper = min(upper, 1)
            lines.append((centre, lower, upper))
    return lines


counts = st.lists(
    st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=3, max_size=30
)


@settings(deadline=None)
@given(counts, st.sampled_from(list(ChartKind)), st.booleans(), st.sampled_from([None, 2, 5]), st.data())
def test_chart_agrees_with_plain_loops(points, kind, screen, freeze, data):
    # given
    count, base = (np.array(part, dtype=float) for part in zip(*points, strict=True))
    rebase_at = data.draw(st.sampled_from([[], [1], [len(count) - 1]]))
    # when
    values = np.ones_like(base) if kind == ChartKind.XMR else base
    chart = draw(kind, count, values, screen=screen, freeze=freeze, rebase_at=rebase_at)
    # then
    plain = np.array(plain_chart(kind, count, values, screen=screen, freeze=freeze, rebase_at=rebase_at))
    found = np.column_stack([chart.centre, chart.lower, chart.upper])
    np.testing.assert_allclose(found, plain, rtol=1e-9, atol=1e-9)


@settings(deadline=None)
@given(counts, st.sampled_from(list(ChartKind)))
def test_lines_stand_in_order(points, kind):
    # given
    count, base = (np.array(part, dtype=float) for part in zip(*points, strict=True))
    # when
    chart = draw(kind, count, base)
    # then
    lines = [chart.lower, chart.warning_lower, chart.centre, chart.warning_upper, chart.upper]
    for below, above in itertools.pairwise(lines):
        assert (below <= above + 1e-9).all()


# --- segments, gaps, edges ------------------------------------------------------------------------------------------


def test_rebase_gives_each_part_the_limits_it_would_have_alone():
    # given a series whose definition changes after six points
    values = np.array([5, 6, 5, 7, 6, 5, 50, 52, 51, 50, 53, 52.0])
    # when
    chart = compute_xmr_chart(values, rebase_at=[6])
    # then the jump is in no moving range
    first, second = compute_xmr_chart(values[:6]), compute_xmr_chart(values[6:])
    np.testing.assert_array_equal(chart.upper, np.concatenate([first.upper, second.upper]))
    assert chart.segment.tolist() == [0] * 6 + [1] * 6


def test_screening_is_done_once():
    # given two outlying ranges, of which the second only stands out once the first is gone
    values = [0, 1, 0, 1, 0, 1, 0, 8, 0, 1, 0, 1, 0, 100, 0, 1, 0, 1]
    ranges = np.abs(np.diff(values))
    # when
    chart = compute_xmr_chart(values)
    # then
    kept = ranges[ranges < 3.267 * ranges.mean()]
    assert 8 in kept
    assert chart.upper[0] - chart.centre[0] == pytest.approx(2.66 * kept.mean())


@pytest.mark.parametrize(("last", "mean_range"), [(5, 1.3), (6, 1.0)])
def test_ranges_are_screened_from_3267_times_their_mean_on(last, mean_range):
    # given nine ranges of 1, and a last one of 4 (3.08 times the mean of all) or of 5 (3.57 times)
    chart = compute_xmr_chart([0, 1] * 5 + [last])
    # then
    assert chart.upper[0] - chart.centre[0] == pytest.approx(2.66 * mean_range)


def test_missing_points_have_no_range_and_no_limits_of_their_own():
    # given a month without a denominator, and one that is not known
    chart = compute_p_chart([10, 12, 0, 11, None, 9], [100, 100, 0, 100, 100, 100])
    # then
    assert np.isnan(chart.value).tolist() == [False, False, True, False, True, False]
    assert np.isnan(chart.upper).tolist() == [False, False, True, False, True, False]
    assert chart.centre[0] == pytest.approx(42 / 400)
    # and where no two neighbours are known nothing can be said of how points differ
    assert np.isnan(compute_xmr_chart([1, None, 2, None, 3]).upper).all()
    assert np.isnan(compute_p_chart([1, None, 2], [9, 9, 9], prime=True).upper).all()


def test_all_missing_gives_no_lines():
    for chart in (
        compute_xmr_chart([None] * 3),
        compute_p_chart([None] * 3, [9] * 3),
        compute_u_chart([1] * 3, [0] * 3),
    ):
        assert np.isnan([chart.value, chart.centre, chart.lower, chart.upper]).all()


def test_one_point_has_a_centre_line_but_no_limits():
    chart = compute_xmr_chart([3.5])
    assert (chart.centre[0], np.isnan(chart.upper[0])) == (3.5, True)


@pytest.mark.parametrize(("count", "prime"), [(0, False), (0, True), (9, False), (9, True)])
def test_all_or_none_gives_limits_without_width(count, prime):
    chart = compute_p_chart([count] * 15, [9] * 15, prime=prime)
    np.testing.assert_array_equal([chart.lower, chart.upper], np.full((2, 15), count / 9))


def test_overdispersed_months_widen_the_prime_chart():
    # given denominators of 10⁵ and months that differ by more than chance
    rng = np.random.default_rng(1)
    base = np.full(24, 100_000)
    count = rng.binomial(base, np.clip(rng.normal(0.8, 0.01, 24), 0, 1))
    # when
    plain, prime = compute_p_chart(count, base), compute_p_chart(count, base, prime=True)
    # then the p chart calls most months unusual, the p′ chart none
    assert ((plain.value > plain.upper) | (plain.value < plain.lower)).mean() > 0.5
    assert not ((prime.value > prime.upper) | (prime.value < prime.lower)).any()
    assert prime.sigma_z[0] > 3
    assert plain.sigma_z.tolist() == [1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compute_p_chart([-1, 2], [9, 9]), "negative"),
        (lambda: compute_p_chart([10, 2], [9, 9]), "not a proportion"),
        (lambda: compute_p_chart([1, 2], [9]), "equal lengths"),
        (lambda: compute_u_chart([1, 2], [9, -9]), "negative"),
        (lambda: compute_xmr_chart([1, np.inf]), "infinite"),
        (lambda: compute_xmr_chart([]), "at least one point"),
        (lambda: compute_xmr_chart([[1, 2]]), "one series"),
        (lambda: compute_xmr_chart([1, 2], freeze=1), "freeze"),
        (lambda: compute_xmr_chart([1, 2], rebase_at=[2]), "rebase_at"),
        (lambda: compute_xmr_chart([1, 2], rebase_at=[0]), "rebase_at"),
    ],
)
def test_bad_series_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_events_may_outnumber_what_they_happen_in():
    assert compute_u_chart([30, 20], [10, 10]).centre[0] == 2.5
