"""Part-way through the year: where will it end, and will the target be met?

The model, for counts that add up over a fiscal year (check-ups, guidance sessions, recovered cards): each year has a level of its
own, and months share a seasonal profile. The rest of the year is expected at x × R ÷ X: the count so far, times what the past years
had after this month, divided by what they had up to it. Two intervals are made for it on the log scale, and the wider one is given:

- from months: they vary by φ times the variance of Poisson counts (quasi-Poisson, φ never below 1), which makes the forecast's
  variance φ (1/x + 1/X + 1/R + 1/expected rest);
- from years: the share that is done by this month differs between years (early and late years), as in a beta-binomial model. With s
  the standard deviation of its log odds over Y past years, the forecast's variance is s² (1 + 1/Y), Student's t with Y − 1 degrees.

The second needs three past years. With fewer the result says ``season_assumed``: it holds if this year runs like the past ones. Nothing
helps where a definition changed. ``back_test`` shows how often the interval held in past years.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kenpo_lib.stats._showing import Shown
from kenpo_lib.stats.pace import MONTHS, to_months

SHARE_YEARS = 3  # past years from which on their differences say something
_WIDEST = 300.0  # on the log scale; anything wider has no meaning, and no number


class ProjectionReason(StrEnum):
    """Why there is a projection, or only part of one, or none."""

    PROJECTED = "projected"
    SEASON_ASSUMED = "season_assumed"  # fewer than three past years: the interval is too narrow if the season shifts
    COMPLETE = "complete"  # all twelve months are known: nothing to project
    NO_SPREAD = "no_spread"  # one month and one past year: no telling how far off, so no interval
    MISSING_MONTH = "missing_month"  # a month before the latest is not known
    NO_COMPLETE_YEAR = "no_complete_year"
    NOTHING_YET = "nothing_yet"  # no case so far, in this year or in the past ones, or none after it in the past


@dataclass(frozen=True, slots=True)
class Projection(Shown):
    """Where the year will end. NaN for what cannot be said; ``reason`` says why.

    Attributes:
        reason: A ``ProjectionReason``.
        months: Months known.
        past_years: Complete past years used.
        to_date: Count so far.
        projected, lower, upper: Count at year end and its prediction interval.
        rate, rate_lower, rate_upper: The same in percent of the denominator, where one was given.
        dispersion: φ, of months.
        share_spread: s, between years; NaN with fewer than three past years.
        degrees: Degrees of freedom of the interval given.
        probability: Of meeting the target.
        needed_per_month: Cases a month from here to the target, on average (how many are left, for a ceiling).
        needed_ratio: The same as a multiple of what the past years did in those months on average: 1.1 is a tenth more.
    """

    reason: ProjectionReason
    months: int
    past_years: int
    to_date: float
    projected: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    rate: float = np.nan
    rate_lower: float = np.nan
    rate_upper: float = np.nan
    dispersion: float = np.nan
    share_spread: float = np.nan
    degrees: int = 0
    probability: float = np.nan
    needed_per_month: float = np.nan
    needed_ratio: float = np.nan


@dataclass(frozen=True, slots=True)
class BackTest(Shown):
    """How often the interval held.

    Attributes:
        coverage: Share of intervals that contained the year's count; NaN without any.
        trials: Intervals tried.
        skipped: Forecasts that had no interval.
        median_error: Median of |projected − actual| ÷ actual.
        coverage_by_months: Coverage after 1, 2 … 11 months; NaN where none was tried.
    """

    coverage: float
    trials: int
    skipped: int
    median_error: float
    coverage_by_months: NDArray[np.float64]


def project_year_end(
    this_year: ArrayLike,
    past_years: ArrayLike,
    *,
    denominator: float | None = None,
    target: float | None = None,
    sign: int = 1,
    level: float = 0.95,
) -> Projection:
    """Project the count at the end of the year, with a prediction interval and the probability of meeting the target.

    Args:
        this_year: Monthly counts from April to the latest month known, 1 to 12 of them.
        past_years: Monthly counts of past years under the same definition, shape ``(years, 12)`` or ``(12,)``. Years with
            a missing month are left out.
        denominator: Of the year, taken as known (those eligible). Adds rates, and caps projection and interval.
        target: In percent of the denominator where one is given, as a count otherwise.
        sign: +1 where the target is to be reached or exceeded, −1 where it is a ceiling.
        level: Of the prediction interval.

    Returns:
        See ``Projection``. With one month and one past year the projection has no interval and no probability; without any
        case so far, or any complete past year, there is no projection.

    Raises:
        ValueError: Negative or infinite counts, no or more than twelve months, past years not of twelve, a denominator below
            1 or below the count so far, a negative or missing target, a level outside (0, 1), a sign other than +1 or −1.

    Source: quasi-Poisson dispersion as in McCullagh & Nelder, Generalized Linear Models (1989), ch. 6, over the two tables into which
    Goodman (1968), JASA 63:1091–1131, splits a table of years × months whose last row is cut short. The forecast is the actuaries'
    chain ladder. No reference implementation; see the back-test.
    """
    from scipy import special

    now = to_months(this_year)
    past = np.atleast_2d(to_months(past_years))
    if now.ndim != 1 or past.ndim != 2 or past.shape[1] != MONTHS:
        raise ValueError(f"expected one year so far and past years of {MONTHS}, found {now.shape} and {past.shape}")
    if not 0 < level < 1 or sign not in (-1, 1):
        raise ValueError(f"expected a level between 0 and 1 and a sign of +1 or -1, found {level} and {sign}")
    past = past[~np.isnan(past).any(axis=1)]
    months, to_date = now.size, float(now.sum())
    known = {"months": months, "past_years": past.shape[0], "to_date": to_date}
    if np.isnan(to_date):
        return Projection(ProjectionReason.MISSING_MONTH, **known)
    if denominator is not None and not (np.isfinite(denominator) and denominator >= max(1, to_date)):
        raise ValueError(f"denominator: expected at least the {to_date:g} cases so far, found {denominator}")
    if target is not None and not target >= 0:
        raise ValueError(f"target: expected a number that is not negative, found {target}")
    cap = np.inf if denominator is None else float(denominator)
    goal = np.nan if target is None else target if denominator is None else target * denominator / 100

    if months == MONTHS:
        met = np.nan if np.isnan(goal) else float(sign * (to_date - goal) >= 0)
        done = _rates(to_date, to_date, to_date, denominator)
        return Projection(ProjectionReason.COMPLETE, **known, **done, probability=met)
    before, after = float(past[:, :months].sum()), float(past[:, months:].sum())
    known |= _needed(goal - to_date, MONTHS - months, after / past.shape[0] if past.shape[0] else np.nan)
    if past.shape[0] == 0:
        return Projection(ProjectionReason.NO_COMPLETE_YEAR, **known)
    if min(to_date, before, after) == 0:
        return Projection(ProjectionReason.NOTHING_YET, **known)

    rest = to_date * after / before
    dispersion, degrees = _estimate_dispersion(now, past)
    if degrees == 0:
        ends = _rates(min(to_date + rest, cap), np.nan, np.nan, denominator)
        return Projection(ProjectionReason.NO_SPREAD, **known, **ends)
    error = np.sqrt(dispersion * (1 / to_date + 1 / before + 1 / after + 1 / rest))
    spread, years = _measure_share_spread(past, months)
    tail = 0.5 + level / 2
    between = spread * np.sqrt(1 + 1 / years)
    if years >= SHARE_YEARS and special.stdtrit(years - 1, tail) * between > special.stdtrit(degrees, tail) * error:
        error, degrees = between, years - 1
    factor = np.exp(min(special.stdtrit(degrees, tail) * error, _WIDEST))
    ends = (min(to_date + part, cap) for part in (rest, rest / factor, rest * factor))
    return Projection(
        ProjectionReason.PROJECTED if years >= SHARE_YEARS else ProjectionReason.SEASON_ASSUMED,
        **known,
        **_rates(*ends, denominator),
        dispersion=dispersion,
        share_spread=spread,
        degrees=degrees,
        probability=_probability(goal - to_date, cap - to_date, rest, error, degrees, sign),
    )


def back_test(
    years: ArrayLike, *, level: float = 0.95, months: Sequence[int] = range(1, MONTHS), minimum_past: int = 1
) -> BackTest:
    """Project past years as if they were not over, and count how often the interval contained what came.

    Args:
        years: Monthly counts, oldest year first, shape ``(years, 12)`` or ``(series, years, 12)``.
        level: Of the interval; the coverage should be near it.
        months: After how many months a projection is made.
        minimum_past: Each year is projected from all years before it, if there are at least so many.

    Returns:
        See ``BackTest``. Years with a missing month are neither projected nor used.

    Raises:
        ValueError: Negative or infinite counts, years not of twelve months, months outside 1 to 11.
    """
    series = to_months(years)
    if series.ndim == 2:
        series = series[np.newaxis]
    if series.ndim != 3 or series.shape[-1] != MONTHS:
        raise ValueError(f"expected years of {MONTHS} months, found shape {series.shape}")
    if any(not 1 <= month < MONTHS for month in months) or minimum_past < 1:
        raise ValueError(f"expected months from 1 to {MONTHS - 1} and at least one past year")
    hits, trials = np.zeros(MONTHS - 1), np.zeros(MONTHS - 1)
    errors, skipped = [], 0
    for one in series:
        complete = one[~np.isnan(one).any(axis=1)]
        for index in range(minimum_past, complete.shape[0]):
            actual = complete[index].sum()
            for month in months:
                guess = project_year_end(complete[index, :month], complete[:index], level=level)
                if np.isnan(guess.lower):
                    skipped += 1
                    continue
                trials[month - 1] += 1
                hits[month - 1] += guess.lower <= actual <= guess.upper
                errors.append(abs(guess.projected - actual) / actual)
    tried = int(trials.sum())
    return BackTest(
        coverage=float(hits.sum() / tried) if tried else np.nan,
        trials=tried,
        skipped=skipped,
        median_error=float(np.median(errors)) if errors else np.nan,
        coverage_by_months=np.divide(hits, trials, out=np.full(hits.shape, np.nan), where=trials > 0),
    )


# --- parts of the projection ----------------------------------------------------------------------------------------


def _estimate_dispersion(now: NDArray[np.float64], past: NDArray[np.float64]) -> tuple[float, int]:
    """φ of the model year + month, and its degrees of freedom; 0 degrees where it cannot be estimated.

    The cut-short table falls into two complete and independent ones: the months known in every year, and, for the past years
    alone, those months as one column beside each later month. Months without a single case are left out: they say nothing.
    """
    months = now.size
    known = np.vstack([past[:, :months], now])
    later = np.column_stack([past[:, :months].sum(axis=1), past[:, months:]])
    parts = [_pearson(known), _pearson(later)]
    degrees = sum(part[1] for part in parts)
    return (max(1.0, sum(part[0] for part in parts) / degrees), degrees) if degrees else (np.nan, 0)


def _pearson(table: NDArray[np.float64]) -> tuple[float, int]:
    """Pearson's chi-squared of independence and its degrees of freedom, empty rows and columns left out."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    degrees = (table.shape[0] - 1) * (table.shape[1] - 1)
    if degrees < 1:
        return 0.0, 0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(((table - expected) ** 2 / expected).sum()), degrees


def _measure_share_spread(past: NDArray[np.float64], months: int) -> tuple[float, int]:
    """Standard deviation of the log odds of the share done by then, and the years it rests on; NaN with too few."""
    before, after = past[:, :months].sum(axis=1), past[:, months:].sum(axis=1)
    usable = (before > 0) & (after > 0)
    years = int(usable.sum())
    if years < SHARE_YEARS:
        return np.nan, max(1, years)
    return float(np.std(np.log(before[usable] / after[usable]), ddof=1)), years


def _needed(missing: float, months_left: int, usual_rest: float) -> dict[str, float]:
    needed = max(0.0, missing) if not np.isnan(missing) else np.nan
    return {
        "needed_per_month": needed / months_left,
        "needed_ratio": needed / usual_rest if usual_rest > 0 else np.nan,
    }


def _rates(projected: float, lower: float, upper: float, denominator: float | None) -> dict[str, float]:
    counts = {"projected": projected, "lower": lower, "upper": upper}
    if denominator is None:
        return counts
    percent = (100 * count / denominator for count in counts.values())
    return counts | dict(zip(("rate", "rate_lower", "rate_upper"), percent, strict=True))


def _probability(missing: float, room: float, rest: float, error: float, degrees: int, sign: int) -> float:
    """That the rest of the year brings at least (or, for a ceiling, at most) what is missing to the target."""
    from scipy import special

    if np.isnan(missing):
        return np.nan
    if missing <= 0:
        return 1.0 if sign > 0 else 0.0  # reached already; a ceiling that is reached does not last
    if missing > room:
        return 0.0 if sign > 0 else 1.0  # beyond everybody who is eligible
    z = np.log(missing / rest) / error
    return float(special.stdtr(degrees, -z if sign > 0 else z))
