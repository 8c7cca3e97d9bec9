"""Funnels and overdispersion: published examples, a second implementation, rules, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from printed import as_numbers, assert_prints_as, read_reference

from kenpo_lib.stats.funnel import proportion_funnel, rate_funnel, ratio_funnel
from kenpo_lib.stats.funnel_limits import (
    Limits,
    adjusted_proportion_limits,
    adjusted_ratio_limits,
    find_position,
    proportion_limits,
    rate_limits,
    ratio_limits,
)
from kenpo_lib.stats.intervals import LEVELS, count_interval, proportion_interval
from kenpo_lib.stats.overdispersion import (
    Scores,
    estimate_overdispersion,
    proportion_scores,
    ratio_scores,
    truncate,
    winsorise,
)

PHE_CENTRE = 80.642448  # pooled percentage of its example
FUNNELS = {"proportion": proportion_funnel, "ratio": ratio_funnel, "rate": rate_funnel}
Z = {0.95: 1.959963984540054, 0.998: 3.090232306167813}

branches = st.lists(
    st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=47
)


# --- published examples ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "suffix"), [(0.95, "95"), (0.998, "998")])
def test_proportion_limits_match_phe(level, suffix):
    # given
    rows = read_reference("funnel_proportion_limits")
    # when
    found = proportion_limits(as_numbers(rows["denominator"]), PHE_CENTRE / 100, confidence=level, multiplier=100)
    # then: its centre is printed with six decimals, so the last digit may differ by one
    assert_prints_as(found.lower, rows[f"lower_{suffix}"], ulps=1.5)
    assert_prints_as(found.upper, rows[f"upper_{suffix}"], ulps=1.5)


def test_positions_match_phe():
    # given
    rows = read_reference("funnel_positions")
    labels = {
        "High (0.001)": "high_99.8",
        "High (0.025)": "high_95",
        "Low (0.001)": "low_99.8",
        "Low (0.025)": "low_95",
        "Not significant": "within",
    }
    # when
    funnel = proportion_funnel(
        as_numbers(rows["numerator"]), as_numbers(rows["denominator"]), centre=PHE_CENTRE / 100, multiplier=100
    )
    # then
    assert funnel.position.tolist() == [labels[label] for label in rows["label"]]


@pytest.mark.parametrize(("level", "suffix"), [(0.95, "95"), (0.998, "998")])
def test_ratio_and_rate_limits_match_phe(level, suffix):
    # given expected events, or people, with which a whole number of events lies just on a limit
    ratios, rates = read_reference("funnel_ratio_limits"), read_reference("funnel_rate_limits")
    for place, side in enumerate(("lower", "upper")):
        expected = as_numbers(ratios[f"{side}_{suffix}_expected"])
        people = 3 * as_numbers(rates[f"{side}_{suffix}_population"])  # it counts three years
        # when
        ratio = ratio_limits(expected, confidence=level, multiplier=100)[place]
        rate = rate_limits(people, 116.1720835e-5, confidence=level, multiplier=100_000)[place]
        # then: its search for a limit ends after five to seven digits
        assert np.asarray(ratio) == pytest.approx(as_numbers(ratios[f"{side}_{suffix}"]), rel=1e-5)
        assert np.asarray(rate) == pytest.approx(as_numbers(rates[f"{side}_{suffix}"]), rel=1e-5)


def test_overdispersion_and_both_sets_of_limits_match_funnelplotr():
    # given its example, with the settings of England's hospital mortality indicator
    rows, outliers = read_reference("funnel_medpar"), read_reference("funnel_medpar_outliers")
    # when
    funnel = ratio_funnel(
        as_numbers(rows["numerator"]),
        as_numbers(rows["denominator"]),
        scale="log",
        treatment="truncate",
        method="interval",
    )
    # then
    assert (f"{funnel.overdispersion.phi:.6f}", f"{funnel.overdispersion.tau2:.8f}") == ("8.532851", "0.02841023")
    places = [rows["group"].to_list().index(group) for group in outliers["group"]]
    assert np.flatnonzero(funnel.adjusted_position != "within").tolist() == places
    assert_prints_as(funnel.z[places], outliers["z"], ulps=1)
    limits = {
        "95": funnel.inner,
        "998": funnel.outer,
        "od95": funnel.adjusted_inner,
        "od998": funnel.adjusted_outer,
    }
    for name, (lower, upper) in limits.items():
        prefix = "od" if name.startswith("od") else ""
        level = name.removeprefix("od")
        columns = [f"{prefix}{level}_{side}" if prefix else f"{side}_{level}" for side in ("lower", "upper")]
        # FunnelPlotR writes 1.959964 and 3.090232 where we have all digits
        assert lower[places] == pytest.approx(as_numbers(outliers[columns[0]]), abs=6e-7)
        assert upper[places] == pytest.approx(as_numbers(outliers[columns[1]]), abs=1.2e-6)


def test_tau2_matches_metafor():
    # given Kacker's example, without any treatment, around the mean weighted by precision
    rows = read_reference("shrinkage_kacker")
    values, variances = as_numbers(rows["value"]), as_numbers(rows["variance"])
    centre = (values / variances).sum() / (1 / variances).sum()
    scores = Scores(values, np.sqrt(variances), centre, (values - centre) / np.sqrt(variances))
    # when
    found = estimate_overdispersion(scores, treatment="none")
    # then
    assert found.tau2 == pytest.approx(0.288049246973751, rel=1e-10)


# --- a second implementation ----------------------------------------------------------------------------------------


def quantile(numbers, share):
    """R's type 7, straight line between neighbours."""
    ordered = sorted(numbers)
    place = (len(ordered) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def plain_proportion_funnel(pairs, trim):
    """phi, tau² and the adjusted limits at 95 %, with loops."""
    total = sum(x for x, _ in pairs) / sum(n for _, n in pairs)
    angle = math.asin(math.sqrt(total))
    errors = [1 / (2 * math.sqrt(n)) for _, n in pairs]
    scores = [(math.asin(math.sqrt(x / n)) - angle) / error for (x, n), error in zip(pairs, errors, strict=True)]
    lowest, highest = quantile(scores, trim), quantile(scores, 1 - trim)
    squares = [min(max(score, lowest), highest) ** 2 for score in scores]
    phi = sum(squares) / len(squares)
    weights = [1 / error**2 for error in errors]
    effective = sum(weights) - sum(weight**2 for weight in weights) / sum(weights)
    tau2 = max(0.0, (len(pairs) * phi - (len(pairs) - 1)) / effective)
    limits = []
    for error in errors:
        margin = Z[0.95] * math.sqrt(error**2 + tau2)
        lower, upper = max(angle - margin, 0), min(angle + margin, math.pi / 2)
        limits.append((math.sin(lower) ** 2, math.sin(upper) ** 2))
    return phi, tau2, limits


@given(pairs=branches, trim=st.sampled_from([0, 0.05, 0.1, 0.25]))
@settings(max_examples=60)
def test_proportion_funnel_agrees_with_loops(pairs, trim):
    # given
    numerators, denominators = zip(*pairs, strict=True)
    # when
    funnel = proportion_funnel(numerators, denominators, trim=trim)
    # then
    phi, tau2, limits = plain_proportion_funnel(pairs, trim)
    assert funnel.overdispersion.phi == pytest.approx(phi, rel=1e-9, abs=1e-12)
    assert funnel.overdispersion.tau2 == pytest.approx(tau2, rel=1e-6, abs=1e-15)
    if funnel.overdispersion.tau2 > 0:
        assert np.column_stack(funnel.adjusted_inner) == pytest.approx(np.array(limits), abs=1e-9)
    else:
        assert funnel.adjusted_inner is funnel.inner
        assert funnel.adjusted_position.tolist() == funnel.position.tolist()


def poisson_at_most(most, mean):
    return math.fsum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(most + 1))


@given(observed=st.integers(0, 60), expected=st.floats(0.05, 60), level=st.sampled_from(LEVELS))
def test_ratio_position_is_that_of_the_exact_test(observed, expected, level):
    # given the chance of so few, and of so many
    tail = (1 - level) / 2
    few = poisson_at_most(observed, expected)
    many = 1 - poisson_at_most(observed - 1, expected) if observed else 1.0
    assume(min(abs(few - tail), abs(many - tail)) > 1e-9)
    # when
    limits = ratio_limits(expected, confidence=level)
    # then
    assert (observed / expected < limits.lower) == (few < tail)
    assert (observed / expected > limits.upper) == (many < tail)


@given(observed=st.integers(0, 10**6), expected=st.floats(0.05, 1e6), level=st.sampled_from(LEVELS))
def test_ratio_position_is_that_of_the_exact_interval(observed, expected, level):
    # given
    interval = count_interval(observed, confidence=level, method="exact")
    assume(min(abs(expected / interval.upper - 1), abs(interval.lower / expected - 1)) > 1e-9)
    # when
    limits = ratio_limits(expected, confidence=level)
    # then
    assert (observed / expected < limits.lower) == (interval.upper < expected)
    assert (observed / expected > limits.upper) == (interval.lower > expected)


@given(n=st.integers(1, 10**9), share=st.floats(0, 1), level=st.sampled_from(LEVELS))
def test_proportion_limits_agree_with_their_formulas(n, share, level):
    # when
    normal, wilson = (proportion_limits(n, share, confidence=level, method=method) for method in ("normal", "wilson"))
    # then
    margin = Z[level] * math.sqrt(share * (1 - share) / n)
    assert normal == pytest.approx((max(share - margin, 0), min(share + margin, 1)), abs=1e-12)
    interval = proportion_interval(share * n, n, confidence=level)
    assert wilson == pytest.approx((interval.lower, interval.upper), abs=1e-12)


@pytest.mark.parametrize("scale", ["sqrt", "log"])
def test_adjusted_ratio_limits_undo_their_scale(scale):
    # given observed counts on the adjusted limits
    expected, tau2 = np.array([50.0, 400.0]), 0.01
    limits = adjusted_ratio_limits(expected, tau2, scale=scale, confidence=0.998)
    # when
    for side, ratio in zip((-1, 1), limits, strict=True):
        scores = ratio_scores(ratio * expected, expected, scale=scale)
        # then they lie just so many adjusted standard errors off
        adjusted = (scores.effect - scores.centre) / np.sqrt(scores.standard_error**2 + tau2)
        assert adjusted == pytest.approx(np.full(2, side * Z[0.998]))


def test_truncate_leaves_out_the_outer_tenths_of_ranks():
    # given twenty scores
    scores = np.arange(20.0)[::-1]
    # when
    kept = truncate(scores)
    # then 1 and 20 × 10 ÷ 21 fall into the outermost groups
    assert np.isnan(kept).nonzero()[0].tolist() == [0, 1, 18, 19]


# --- rules ----------------------------------------------------------------------------------------------------------


@given(expected=st.floats(0.01, 1e9), level=st.sampled_from(LEVELS))
def test_ratio_limits_hold_the_centre_and_close_in(expected, level):
    # when
    for method in ("test", "interval"):
        limits = ratio_limits(np.array([expected, 2 * expected]), confidence=level, method=method)
        # then
        assert (limits.lower <= 1).all()
        assert (limits.upper >= 1).all()
        assert limits.lower[0] <= limits.lower[1]
        assert limits.upper[0] >= limits.upper[1]


@given(pairs=branches, kind=st.sampled_from(list(FUNNELS)), order=st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_funnel_does_not_depend_on_order_or_on_branches_without_counts(pairs, kind, order):
    # given the same branches shuffled, and one without counts
    shuffled = list(range(len(pairs)))
    order.shuffle(shuffled)
    counts = np.array(pairs, dtype=float)
    # when
    funnel = FUNNELS[kind](*counts.T)
    other = FUNNELS[kind](*np.vstack([counts[shuffled], [np.nan, 10]]).T)
    # then
    assert other.position[:-1].tolist() == funnel.position[shuffled].tolist()
    assert other.overdispersion.tau2 == pytest.approx(funnel.overdispersion.tau2, rel=1e-6, abs=1e-12, nan_ok=True)
    assert (other.position[-1], other.adjusted_position[-1]) == ("", "")
    assert math.isnan(other.value[-1])


@given(pairs=branches, kind=st.sampled_from(list(FUNNELS)))
@settings(max_examples=60)
def test_funnel_is_the_same_in_percent(pairs, kind):
    # given
    counts = np.array(pairs, dtype=float).T
    # when
    plain, percent = FUNNELS[kind](*counts), FUNNELS[kind](*counts, multiplier=100)
    # then
    assert percent.value == pytest.approx(100 * plain.value, nan_ok=True)
    assert percent.centre == pytest.approx(100 * plain.centre)
    for name in ("inner", "outer", "adjusted_inner", "adjusted_outer"):
        assert np.array(getattr(percent, name)) == pytest.approx(100 * np.array(getattr(plain, name)), nan_ok=True)
    assert percent.z == pytest.approx(plain.z, nan_ok=True)


@given(pairs=branches, trim=st.sampled_from([0.05, 0.1, 0.2]))
@settings(max_examples=60)
def test_winsorising_pulls_scores_in_and_so_lowers_phi(pairs, trim):
    # given branches on both sides of the centre
    scores = proportion_scores(*zip(*pairs, strict=True))
    assume(quantile(scores.z, trim) <= 0 <= quantile(scores.z, 1 - trim))
    # when
    treated, untreated = (estimate_overdispersion(scores, trim=trim, treatment=how) for how in ("winsorise", "none"))
    # then
    assert treated.phi <= untreated.phi * (1 + 1e-12)
    assert 0 <= treated.tau2 <= untreated.tau2 * (1 + 1e-9)


def test_overdispersion_takes_branches_back_into_the_funnel():
    # given large branches whose rates differ by several points, as they do
    rng = np.random.default_rng(3)
    denominators = rng.integers(50_000, 500_000, 47)
    numerators = rng.binomial(denominators, np.clip(rng.normal(0.6, 0.03, 47), 0, 1))
    # when
    funnel = proportion_funnel(numerators, denominators)
    # then nearly all lie outside for chance alone, and few with the usual differences
    assert (funnel.position != "within").sum() > 40
    assert (funnel.adjusted_position != "within").sum() < 8
    assert funnel.overdispersion.phi > 100
    assert np.sqrt(funnel.overdispersion.tau2) == pytest.approx(0.03 / (2 * np.sqrt(0.6 * 0.4)), rel=0.3)


# --- labels, what is missing, and what is refused -------------------------------------------------------------------


def test_find_position_counts_a_limit_as_within():
    # given
    inner, outer = Limits(40.0, 60.0), Limits(30.0, 70.0)
    values = [29.9, 30, 39.9, 40, 50, 60, 60.1, 70, 70.1, np.nan]
    # when
    found = find_position(values, inner=inner, outer=outer)
    # then
    assert found.tolist() == [
        *("low_99.8", "low_95", "low_95", "within", "within"),
        *("within", "high_95", "high_95", "high_99.8", ""),
    ]
    assert find_position(80, inner=inner, outer=outer) == "high_99.8"
    assert find_position(80, inner=Limits(np.nan, np.nan), outer=outer) == ""


@pytest.mark.parametrize("kind", FUNNELS)
def test_funnel_of_one_branch_has_no_overdispersion(kind):
    # when
    funnel = FUNNELS[kind]([10], [10])
    # then
    assert funnel.position.tolist() == ["within"]
    assert funnel.adjusted_position.tolist() == [""]
    assert math.isnan(funnel.overdispersion.tau2)
    assert np.isnan(funnel.adjusted_inner.lower).all()


@pytest.mark.parametrize("kind", FUNNELS)
def test_funnel_of_nothing_known_says_nothing(kind):
    # when
    funnel = FUNNELS[kind]([np.nan, None], [10, 20])
    # then
    assert funnel.position.tolist() == funnel.adjusted_position.tolist() == ["", ""]
    assert np.isnan([*funnel.value, *funnel.z, *funnel.adjusted_z, *funnel.adjusted_outer.upper]).all()
    assert funnel.overdispersion.branches == 0


@pytest.mark.parametrize("kind", FUNNELS)
def test_funnel_of_equal_branches_has_all_within(kind):
    # when
    funnel = FUNNELS[kind]([50, 50, 50], [100, 100, 100], **({} if kind == "ratio" else {"centre": 0.5}))
    # then
    if kind != "ratio":
        assert funnel.position.tolist() == funnel.adjusted_position.tolist() == ["within"] * 3
        assert (funnel.overdispersion.phi, funnel.overdispersion.tau2) == (0, 0)


def test_funnel_of_two_branches():
    # when
    funnel = proportion_funnel([10, 90], [100, 100])
    # then
    assert funnel.position.tolist() == ["low_99.8", "high_99.8"]
    assert funnel.overdispersion.branches == 2
    assert funnel.overdispersion.tau2 > 0


def test_rate_funnel_without_any_event_has_no_limits():
    # when
    funnel = rate_funnel([0, 0], [10, 20])
    # then
    assert funnel.value.tolist() == [0, 0]
    assert funnel.centre == 0
    assert funnel.position.tolist() == ["", ""]


def test_proportion_funnel_at_the_edge():
    # given nobody, or everybody, everywhere
    for numerators in ([0, 0], [10, 20]):
        funnel = proportion_funnel(numerators, [10, 20])
        assert funnel.position.tolist() == ["within", "within"]


def test_log_scale_has_no_score_for_no_events():
    assert np.isnan(ratio_scores([0, 5], [3, 5], scale="log").z).tolist() == [True, False]
    assert ratio_scores([0, 5], [3, 5]).z[0] == pytest.approx(-2 * math.sqrt(3))


def test_limits_are_missing_without_a_denominator():
    for limits in (
        proportion_limits([0, np.nan], 0.5),
        proportion_limits([0, np.nan], 0.5, method="wilson"),
        ratio_limits([0, np.nan]),
        ratio_limits([0, np.nan], method="interval"),
        rate_limits([0, np.nan], 0.1),
        adjusted_proportion_limits([0, np.nan], 0.5, 0.01),
        adjusted_ratio_limits([0, np.nan], 0.01),
    ):
        assert np.isnan(limits.lower).all()
        assert np.isnan(limits.upper).all()


def test_adjusted_limits_do_not_fold_back():
    # given so few people that the angle would leave its range
    limits = adjusted_proportion_limits([1, 1], [0.02, 0.98], 0.0)
    # then
    assert limits.lower[0] == 0
    assert limits.upper[1] == 1


def test_winsorise_and_truncate_keep_what_is_missing():
    assert np.isnan(winsorise([np.nan, np.nan])).all()
    assert winsorise([1.0, np.nan, 1.0]).tolist()[::2] == [1, 1]
    assert truncate([3.0, np.nan, 1.0, 2.0], trim=0)[[0, 2, 3]].tolist() == [3, 1, 2]
    assert np.isnan(truncate([np.nan])).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: proportion_funnel([-1], [10]), "numerator: must not be negative"),
        (lambda: proportion_funnel([11], [10]), "numerator 11 is above its denominator 10"),
        (lambda: proportion_funnel([1], [10], centre=60), "centre: expected a proportion between 0 and 1, found 60"),
        (lambda: proportion_funnel([1], [10], method="guess"), "method: expected one of normal, wilson"),
        (lambda: proportion_limits(10, 1.5), "centre: expected a proportion between 0 and 1"),
        (lambda: proportion_limits(-10, 0.5), "denominator: must not be negative"),
        (lambda: adjusted_proportion_limits(10, 1.5, 0.1), "centre: expected a proportion between 0 and 1"),
        (lambda: ratio_funnel([-1], [10]), "observed: must not be negative"),
        (lambda: ratio_funnel([1], [10], scale="cube"), "scale: expected one of sqrt, log"),
        (lambda: ratio_funnel([1], [10], treatment="ignore"), "treatment: expected one of winsorise, truncate, none"),
        (lambda: ratio_funnel([1], [10], trim=0.5), "trim: expected a share from 0 to below 0.5"),
        (lambda: ratio_limits(5, method="guess"), "method: expected one of test, interval"),
        (lambda: rate_funnel([1], [-10]), "denominators: must not be negative"),
        (lambda: rate_funnel([1], [10], centre=-1), "centre: must not be negative"),
        (lambda: rate_funnel([1], [10], multiplier=0), "multiplier: must be above 0"),
    ],
)
def test_funnels_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()
