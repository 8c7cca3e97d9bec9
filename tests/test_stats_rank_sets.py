"""Confidence sets for ranks, against csranks' PISA example and a second implementation in loops; movement of ranks."""

from __future__ import annotations

import csv
import math
from statistics import NormalDist

import builders
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kenpo_lib.stats import rank_sets
from kenpo_lib.stats.rank_sets import SEED, may_be_among_best, rank_confidence_sets, rank_movement

REFERENCE = builders.ROOT / "tests" / "reference" / "csranks_pisa2018_math.csv"


@pytest.fixture(scope="module")
def pisa():
    rows = list(csv.DictReader(REFERENCE.read_text(encoding="utf-8").splitlines()))
    number = {name: np.array([float(row[name]) for row in rows]) for name in ("score", "standard_error", "rank")}
    return number | {"names": [row["jurisdiction"] for row in rows]}


def rank_in_loops(scores, errors, *, coverage, simultaneous, stepwise, draws):
    """csranks as its paper tells it: a set of ordered pairs, of which those that are decided leave. Without draws by Holm."""
    n = len(scores)
    noise = np.random.default_rng(SEED).standard_normal((n, draws or 1)) * np.array(errors)[:, np.newaxis]

    def find_rejected(members):
        pairs = {(i, j) for i in range(n) for j in range(n) if i != j and (i in members or j in members)}
        spread = {(i, j): math.hypot(errors[i], errors[j]) for i, j in pairs}
        rejected = {(i, j) for i, j in pairs if not spread[i, j] and scores[i] > scores[j]}
        open_pairs = {pair for pair in pairs if spread[pair]}
        while open_pairs:
            largest = [
                max((noise[i, d] - noise[j, d]) / spread[i, j] for i, j in open_pairs) for d in range(draws or 0)
            ]
            holm = max(NormalDist().inv_cdf(1 - (1 - coverage) / len(open_pairs)), 0)
            critical = np.quantile(largest, coverage) if draws else holm
            decided = {(i, j) for i, j in open_pairs if scores[i] - scores[j] > critical * spread[i, j]}
            rejected |= decided
            open_pairs -= decided
            if not decided or not stepwise:
                break
        return rejected

    bounds = []
    for i in range(n):
        rejected = find_rejected(set(range(n)) if simultaneous else {i})
        better, worse = sum(b == i for _, b in rejected), sum(a == i for a, _ in rejected)
        bounds.append((1 + better, n - worse))
    return bounds


# --- csranks --------------------------------------------------------------------------------------------------------


def test_rank_sets_match_the_published_top_5_of_csranks(pisa):
    # given the published sets of countries that may be among the top 5
    published = {
        *("Belgium", "Canada", "Denmark", "Estonia", "Finland", "Japan", "Korea", "Netherlands", "Poland"),
        *("Slovenia", "Sweden", "Switzerland"),
    }
    for coverage, expected in ((0.95, published), (0.9, published - {"Sweden"})):
        # when
        sets = rank_confidence_sets(pisa["score"], pisa["standard_error"], simultaneous=True, coverage=coverage)
        # then
        chosen = may_be_among_best(sets, 5)
        assert {name for name, is_in in zip(pisa["names"], chosen, strict=True) if is_in} == expected


def test_rank_sets_match_the_published_marginal_set_of_csranks(pisa):
    # given
    uk = pisa["names"].index("United Kingdom")
    # when
    sets = rank_confidence_sets(pisa["score"], pisa["standard_error"])
    # then rank 13; 8 to 23 in the printed output, 7 to 23 in the text: it hangs on the draws
    np.testing.assert_array_equal(sets.rank, pisa["rank"])
    assert sets.rank[uk] == 13
    assert sets.lower[uk] in (7, 8)
    assert sets.upper[uk] == 23


def test_rank_sets_match_what_csranks_says_of_the_simultaneous_sets(pisa):
    # given
    def overlap(sets, a, b):
        i, j = (pisa["names"].index(name) for name in (a, b))
        return sets.lower[i] <= sets.upper[j] and sets.lower[j] <= sets.upper[i]

    # when
    at_95, at_75 = (
        rank_confidence_sets(pisa["score"], pisa["standard_error"], simultaneous=True, coverage=c) for c in (0.95, 0.75)
    )
    # then
    last = {"Chile", "Mexico", "Colombia"}
    assert not any(overlap(at_95, a, b) for a in last for b in pisa["names"] if b not in last)
    germany, korea = (pisa["names"].index(name) for name in ("Germany", "Korea"))
    assert at_95.lower[germany] <= 7 <= at_95.upper[germany]
    assert at_95.lower[korea] <= 7 <= at_95.upper[korea]
    assert not overlap(at_75, "Germany", "Korea")


# --- second implementation and rules ---------------------------------------------------------------------------------

estimates = st.lists(st.tuples(st.integers(0, 12), st.sampled_from([0.0, 0.5, 1.0, 3.0])), min_size=1, max_size=6)


@settings(max_examples=40)
@given(estimates=estimates, simultaneous=st.booleans(), stepwise=st.booleans(), coverage=st.sampled_from([0.6, 0.95]))
def test_rank_sets_agree_with_loops(estimates, simultaneous, stepwise, coverage):
    # given values with and without error, and ties
    scores, errors = zip(*estimates, strict=True)
    settings = {"coverage": coverage, "simultaneous": simultaneous, "stepwise": stepwise, "draws": 60}
    # when
    sets = rank_confidence_sets(scores, errors, **settings)
    # then
    expected = rank_in_loops(scores, errors, **settings)
    assert list(zip(sets.lower, sets.upper, strict=True)) == expected


@settings(max_examples=40)
@given(estimates=estimates, simultaneous=st.booleans(), stepwise=st.booleans(), coverage=st.sampled_from([0.6, 0.95]))
def test_rank_sets_of_many_agree_with_loops(estimates, simultaneous, stepwise, coverage):
    # given more branches than are drawn, some rows of all pairs at a time
    scores, errors = zip(*estimates, strict=True)
    settings = {"coverage": coverage, "simultaneous": simultaneous, "stepwise": stepwise}
    # when
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rank_sets, "MOST_DRAWN", 0)
        patch.setattr(rank_sets, "_ROWS", 4)
        sets = rank_confidence_sets(scores, errors, **settings)
    # then
    assert list(zip(sets.lower, sets.upper, strict=True)) == rank_in_loops(scores, errors, **settings, draws=None)


@pytest.mark.parametrize("simultaneous", [False, True])
def test_rank_sets_of_many_are_a_little_wider_than_drawn_ones(simultaneous, monkeypatch):
    # given
    rng = np.random.default_rng(7)
    values, errors = rng.normal(50, 5, 40), rng.uniform(0.2, 2, 40)
    drawn = rank_confidence_sets(values, errors, simultaneous=simultaneous)
    # when
    monkeypatch.setattr(rank_sets, "MOST_DRAWN", 0)
    held = rank_confidence_sets(values, errors, simultaneous=simultaneous)
    # then
    assert (held.lower <= drawn.lower).all()
    assert (held.upper >= drawn.upper).all()
    assert (held.upper - held.lower).mean() < 1.15 * (drawn.upper - drawn.lower).mean()


@settings(max_examples=40)
@given(estimates)
def test_rank_sets_contain_the_rank_and_are_ordered(estimates):
    # given
    scores, errors = (np.array(column, dtype=float) for column in zip(*estimates, strict=True))
    # when
    one_step, marginal = (rank_confidence_sets(scores, errors, stepwise=s, draws=300) for s in (False, True))
    jointly = rank_confidence_sets(scores, errors, simultaneous=True, draws=300)
    # then the rank lies inside (in ties the shared rank), steps only narrow
    for sets in (one_step, marginal, jointly):
        assert (sets.lower <= sets.rank).all()
        assert (sets.rank <= sets.upper).all()
        assert (sets.lower >= 1).all()
        assert (sets.upper <= len(scores)).all()
    assert (one_step.lower <= marginal.lower).all()
    assert (one_step.upper >= marginal.upper).all()


@given(estimates)
@settings(max_examples=20)
def test_rank_sets_turn_round_with_the_direction(estimates):
    # given values without ties
    scores = np.array([score + i / 100 for i, (score, _) in enumerate(estimates)])
    errors = np.array([error for _, error in estimates])
    # when
    up, down = (rank_confidence_sets(scores * s, errors, sign=s, draws=200) for s in (1, -1))
    # then
    np.testing.assert_array_equal(up.lower, down.lower)
    np.testing.assert_array_equal(up.upper, down.upper)


def test_marginal_sets_cover_the_true_rank_as_often_as_they_say():
    # given branches of known true order, seen with noise
    truth, error = np.array([0.0, 1.0, 1.5, 3.0, 3.2, 6.0]), np.full(6, 0.7)
    ranks = 7 - np.arange(1, 7)
    noise = np.random.default_rng(1).normal(size=(300, 6)) * error
    # when
    hits = np.mean([self_covers(truth + shake, error, ranks) for shake in noise], axis=0)
    # then
    assert (hits >= 0.93).all()


def self_covers(values, error, ranks):
    sets = rank_confidence_sets(values, error, draws=300)
    return (sets.lower <= ranks) & (ranks <= sets.upper)


# --- documented results ---------------------------------------------------------------------------------------------


def test_rank_sets_leave_out_what_is_missing():
    # given a value missing, and a standard error
    sets = rank_confidence_sets([3.0, math.nan, 1.0, 2.0], [0.1, 0.1, 0.1, math.nan])
    # when, then the other two are ranked between themselves
    np.testing.assert_array_equal(sets.rank, [1, math.nan, 2, math.nan])
    np.testing.assert_array_equal(sets.lower, [1, math.nan, 2, math.nan])
    np.testing.assert_array_equal(sets.upper, [1, math.nan, 2, math.nan])
    np.testing.assert_array_equal(may_be_among_best(sets, 2), [True, False, True, False])


@pytest.mark.parametrize("simultaneous", [False, True])
def test_rank_sets_of_odd_groups(simultaneous):
    # given one branch, all equal, nothing known, no error at all
    def bounds(values, errors):
        sets = rank_confidence_sets(values, errors, simultaneous=simultaneous, draws=100)
        return list(zip(sets.rank, sets.lower, sets.upper, strict=True))

    # when, then
    assert bounds([5.0], [1.0]) == [(1, 1, 1)]
    assert bounds([5.0] * 4, [1.0] * 4) == [(1, 1, 4)] * 4
    assert np.isnan(bounds([math.nan] * 3, [1.0] * 3)).all()
    assert bounds([], []) == []
    assert bounds([1.0, 2.0, 2.0], [0.0] * 3) == [(3, 3, 3), (1, 1, 2), (1, 1, 2)]


def test_rank_sets_are_the_same_each_time():
    # given
    values, errors = np.linspace(0, 5, 47), np.full(47, 0.6)
    # when
    first, second = (rank_confidence_sets(values, errors, simultaneous=True) for _ in range(2))
    # then
    np.testing.assert_array_equal(first.lower, second.lower)
    np.testing.assert_array_equal(first.upper, second.upper)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [-1.0]), "negative"),
        (([1.0, 2.0], [1.0]), "one length"),
        (([[1.0]], [[1.0]]), "one length"),
    ],
)
def test_rank_sets_refuse_what_makes_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        rank_confidence_sets(*arguments)
    with pytest.raises(ValueError, match="coverage"):
        rank_confidence_sets([1.0], [1.0], coverage=95)
    with pytest.raises(ValueError, match="draws"):
        rank_confidence_sets([1.0], [1.0], draws=0)
    with pytest.raises(ValueError, match="sign"):
        rank_confidence_sets([1.0], [1.0], sign=3)


# --- movement -------------------------------------------------------------------------------------------------------

years = st.lists(st.tuples(*[st.just(math.nan) | st.integers(0, 30).map(float)] * 2), min_size=1, max_size=47)


@given(years=years, sign=st.sampled_from([1, -1]))
def test_rank_movement_agrees_with_counting(years, sign):
    # given two years
    prior, current = zip(*years, strict=True)

    def rank(values, i):
        return 1 + sum(sign * v > sign * values[i] for v in values if not math.isnan(v))

    moves = [
        rank(prior, i) - rank(current, i)
        for i in range(len(years))
        if not math.isnan(prior[i]) and not math.isnan(current[i])
    ]
    # when
    movement = rank_movement(prior, current, sign=sign)
    # then
    assert movement.branches == len(moves)
    assert movement.change[~np.isnan(movement.change)].tolist() == moves
    absolute = sorted(abs(move) for move in moves)
    if not moves:
        assert math.isnan(movement.median)
        assert math.isnan(movement.within)
        return
    assert movement.median == np.median(absolute)
    fewest = next(k for k in absolute if sum(a <= k for a in absolute) >= 0.9 * len(absolute) - 1e-9)
    assert movement.within == fewest


def test_rank_movement_is_above_zero_for_who_climbs():
    # given branch 3 from last to first
    movement = rank_movement([9.0, 8.0, 7.0], [5.0, 6.0, 7.0])
    # when, then
    assert movement.change.tolist() == [-2, 0, 2]
    assert (movement.median, movement.within, movement.branches) == (2, 2, 3)


def test_rank_movement_sums_up_several_years():
    # given three years of two branches
    series = np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 1.0]])
    # when
    movement = rank_movement(series[:-1], series[1:])
    # then
    assert movement.change.tolist() == [[1, -1], [0, 0]]
    assert (movement.branches, movement.median) == (4, 0.5)


def test_rank_movement_of_real_figures_is_what_a_reader_may_expect(tables):
    # given the share of generics of all branches
    from incentive_data import read_rates

    rates = read_rates(tables)
    # when
    movement = rank_movement(rates[:-1, :, 4], rates[1:, :, 4])
    # then ranks of the generic share hardly move
    assert movement.branches == 5 * 47
    assert movement.median <= 2
    assert movement.within <= 6


def test_rank_movement_refuses_what_makes_no_sense():
    with pytest.raises(ValueError, match="shape"):
        rank_movement([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="coverage"):
        rank_movement([1.0], [1.0], coverage=90)
