"""What the nation reached, or the one branch that keeps the KPI for itself: value, change and target in sentences."""

from __future__ import annotations

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.briefing.kpi_data import KpiDetail, Row
from kenpo_lib.briefing.kpi_words import gap_words, nation_name, year_words
from kenpo_lib.catalogue import Kpi
from kenpo_lib.language import Text


def say_own(detail: KpiDetail, branch_code: str) -> list[str]:
    """An indicator that one branch keeps for itself: its value, its prior year, its target."""
    kpi, lang, name = detail.kpi, detail.lang, detail.branches[branch_code].name
    said = [
        Text(
            f"{name.ja}支部だけの指標で、ほかの支部や全国と比べる値はありません。",
            f"A KPI of the {name.en} branch alone: there is nothing to compare it with.",
        )(lang)
    ]
    row = next((row for row in detail.rows if row["branch_code"] == branch_code), None)
    year = year_words(detail.briefing.fiscal_year, lang)
    if row is None or row["status"] in ("missing", "pending"):
        why = sentences.STATUS_WORDS[row["status"] if row else "missing"](lang)
        target = _target_words(row, kpi, lang) if row else ""
        return [*said, Text(f"{year}の値はありません（{why}）。", f"No value of {year} ({why}).")(lang) + target]
    if row["value"] is None:
        value = sentences.interim_words(row, kpi, lang)
    else:
        value = sentences.value_words(row["value"], kpi, lang) + _since_prior(row, kpi, lang)
    return [*said, Text(f"{year}の値は{value}です。", f"{year}: {value}.")(lang) + _target_words(row, kpi, lang)]


def say_nothing_known(detail: KpiDetail) -> list[str]:
    """That no value is at hand, and the target if there is one."""
    lang, target = detail.lang, detail.nation_in(detail.definition_now, detail.briefing.fiscal_year)
    said = [
        Text(
            "この指標の値は、支部も全国も手元の公表資料にありません。",
            "The documents at hand hold no value of this KPI, neither of a branch nor of the nation.",
        )(lang)
    ]
    if target and target["target_rule"]:
        words = sentences.target_words(target, detail.kpi, lang)
        year = year_words(detail.briefing.fiscal_year, lang)
        said.append(Text(f"{year}の全国の目標は「{words}」です。", f"The national target of {year}: {words}.")(lang))
    return said


def say_nation(detail: KpiDetail) -> list[str]:
    """The national figure of the page's year by its kind, its change, the newest published one, and the target."""
    kpi, lang, year = detail.kpi, detail.lang, detail.briefing.fiscal_year
    when = Text(f"{year_words(year, 'ja')}の", f"{year_words(year, 'en')}: ")
    own = detail.nation_in(detail.definition_now, year)
    target = _target_words(own, kpi, lang) if own else ""
    if own and own["value"] is not None:
        name = nation_name("published", kpi, lang, branches=detail.branch_count)
        value = sentences.value_words(own["value"], kpi, lang)
        head = Text(
            f"{when.ja}{name}は{value}{_since_prior(own, kpi, 'ja')}です。",
            f"{when.en}{name} {value}{_since_prior(own, kpi, 'en')}.",
        )
        return [head(lang) + target]
    row = next((row for row in detail.rows if row["national"] is not None), None)
    if row is None and own and own["status"] == "interim":
        interim = sentences.interim_words(own, kpi, lang)
        return [
            Text(f"{when.ja}全国は年度途中の値だけです: {interim}。", f"{when.en}nation part-way, {interim}.")(lang)
            + target
        ]
    if row is None:
        head = Text(f"{when.ja}全国の値は手元にありません。", f"{when.en}no national figure is at hand.")
        return [head(lang) + _latest_published(detail, estimate=False) + target]
    name, value = (
        nation_name(row["national_kind"], kpi, lang, branches=detail.branch_count),
        sentences.value_words(row["national"], kpi, lang),
    )
    change_ja = change_en = ""
    if row["national_change"] is not None:
        change = sentences.difference_words(row["national_change"], kpi, lang)
        change_ja, change_en = f"（同じ求め方の前年度から{change}）", f" ({change} on the year before, found alike)"
    head = Text(
        f"{when.ja}{name}は{value}{change_ja}です。",
        f"{when.en}{name} {value}{change_en}.",
    )
    return [head(lang) + _latest_published(detail, estimate=True) + target]


def _since_prior(row: Row, kpi: Kpi, lang: str) -> str:
    if row["prior_difference"] is None:
        return ""
    prior = sentences.value_words(row["prior_value"], kpi, lang)
    change = sentences.difference_words(row["prior_difference"], kpi, lang)
    judged = sentences.JUDGEMENT_WORDS[row["prior_judgement"]](lang)
    return Text(f"（前年度{prior}から{change}、{judged}）", f" ({change} on {prior} the year before, {judged})")(lang)


def _target_words(own: Row, kpi: Kpi, lang: str) -> str:
    """The target of the nation or of one branch and what became of it; empty without one."""
    if own["target_result"] is None:
        return ""
    words, result = sentences.target_words(own, kpi, lang), own["target_result"]
    if result == "cannot_tell":
        reason = sentences.TARGET_REASON_WORDS[own["target_reason"]](lang)
        return Text(f"目標「{words}」は判定できません（{reason}）。", f" Target ({words}): cannot be told, {reason}.")(
            lang
        )
    missing = ""
    if result == "not_met" and own["target_distance"]:
        gap = gap_words(own["target_distance"], kpi, lang)
        missing = Text(f"（あと{gap}）", f" ({gap} missing)")(lang)
    done = sentences.RESULT_WORDS[result](lang)
    return Text(f"目標「{words}」は{done}{missing}です。", f" Target ({words}): {done}{missing}.")(lang)


def _latest_published(detail: KpiDetail, *, estimate: bool) -> str:
    """The newest published figure under the definition in force, where the page's year has none."""
    rows = [
        row
        for row in detail.years.filter(pl.col("national_kind") == "published").to_dicts()
        if row["definition"] == detail.definition_now
    ]
    if not rows:
        return ""
    kpi, lang, last = detail.kpi, detail.lang, rows[-1]
    year, value = year_words(last["fiscal_year"], lang), sentences.value_words(last["national"], kpi, lang)
    if not estimate:
        return Text(f"最も新しい公表値は{year}の{value}です。", f" The newest published figure is {value} of {year}.")(
            lang
        )
    return Text(
        f"公表値は{year}の{value}が最も新しく、推計とは求め方が違うため差をとりません。",
        f" The newest published figure is {value} of {year}; it is found otherwise, so no difference is taken.",
    )(lang)
