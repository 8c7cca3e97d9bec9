"""Targets: a rule, not always a number, and how a value is judged by it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kenpo_lib.normalise import TargetRule, format_number, round_half_up


class Result(StrEnum):
    """What a target says about a value."""

    MET = "met"
    NOT_MET = "not_met"
    CANNOT_TELL = "cannot_tell"


class Reason(StrEnum):
    """Why a target cannot be judged."""

    NO_TARGET = "no_target"
    NO_VALUE = "no_value"
    PENDING = "pending"
    ONLY_INTERIM = "only_interim"
    NO_PRIOR = "no_prior"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result, the number that had to be reached (null if unknown) and the reason where nobody can tell."""

    result: Result
    threshold: float | None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One target; ``value`` for at_least and at_most, ``floor`` for floor_or_prior, neither for the prior-year rules."""

    rule: TargetRule
    value: float | None = None
    floor: float | None = None

    @property
    def wants_at_least(self) -> bool:
        return self.rule not in (TargetRule.AT_MOST, TargetRule.AT_MOST_PRIOR)

    @property
    def needs_prior(self) -> bool:
        return self.rule in (TargetRule.AT_LEAST_PRIOR, TargetRule.AT_MOST_PRIOR, TargetRule.FLOOR_OR_PRIOR)

    def threshold(self, prior: float | None) -> float | None:
        """The number to reach, given the prior-year value; null if the rule needs a prior that is missing."""
        if not self.needs_prior:
            return self.value
        if self.rule is not TargetRule.FLOOR_OR_PRIOR or prior is None:
            return prior
        return self.floor if prior < self.floor else prior

    def judge(self, value: float | None, *, prior: float | None, decimals: int, why_no_value: Reason) -> Verdict:
        """Judge a value at the precision that is published.

        Args:
            value: The final value of the year, or None.
            prior: The final value of the year before under the same definition, or None.
            decimals: Published decimals; 27.46 published with one decimal is 27.5 and meets 27.5.
            why_no_value: The reason to give if ``value`` is None.
        """
        prior = None if prior is None else round_half_up(prior, decimals)
        threshold = self.threshold(prior)
        if value is None:
            return Verdict(Result.CANNOT_TELL, threshold, why_no_value)
        value = round_half_up(value, decimals)
        if self.rule is TargetRule.FLOOR_OR_PRIOR and value < self.floor:
            # Below the floor neither branch of the rule can be met, whatever the prior year was.
            return Verdict(Result.NOT_MET, threshold if threshold is not None else self.floor)
        if threshold is None:
            return Verdict(Result.CANNOT_TELL, None, Reason.NO_PRIOR)
        # A target printed with more decimals than the KPI is judged at its own.
        is_met = value >= threshold if self.wants_at_least else value <= threshold
        return Verdict(Result.MET if is_met else Result.NOT_MET, threshold)

    def words(self, *, decimals: int, unit: str, lang: str = "ja") -> str:
        """The rule in a reader's words: ``70.8％以上``, ``対前年度以上``."""
        number = "" if self.value is None else f"{format_number(self.value, decimals)}{unit}"
        floor = "" if self.floor is None else f"{format_number(self.floor, decimals)}{unit}"
        ja = {
            TargetRule.AT_LEAST: f"{number}以上",
            TargetRule.AT_MOST: f"{number}以下",
            TargetRule.AT_LEAST_PRIOR: "対前年度以上",
            TargetRule.AT_MOST_PRIOR: "対前年度以下",
            TargetRule.FLOOR_OR_PRIOR: f"{floor}以上（{floor}以上の支部は対前年度以上）",
        }
        en = {
            TargetRule.AT_LEAST: f"at least {number}",
            TargetRule.AT_MOST: f"at most {number}",
            TargetRule.AT_LEAST_PRIOR: "at least the prior year",
            TargetRule.AT_MOST_PRIOR: "at most the prior year",
            TargetRule.FLOOR_OR_PRIOR: f"at least {floor}; where reached, at least the prior year",
        }
        return (en if lang == "en" else ja)[self.rule]
