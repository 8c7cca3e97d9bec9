"""How much each branch moved the nation: parts that add up exactly, from counts or from a stated estimate, or not at all."""

from __future__ import annotations

import builders
import polars as pl
import pytest

from kenpo_lib.catalogue import Unit
from kenpo_lib.compare import compute_comparison
from kenpo_lib.contribution import OTHERS, SCHEMA, compute_contribution, pick_movers
from kenpo_lib.grain import BRANCH_COUNT
from kenpo_lib.proxies import proxy_weights

CODES = [f"{code:02d}" for code in range(1, BRANCH_COUNT + 1)]
PROXIED = builders.kpi(national_proxy="total_remuneration")


# --- given ------------------------------------------------------------------------------------------------------------


def observe(*, counts=True, codes=CODES, year=2024, extra=0, **cells):
    """A value of each branch, from counts that differ from branch to branch and grow with ``extra``."""
    rows = []
    for place, code in enumerate(codes, start=1):
        size, part = 1000 * place + 10 * extra * place**2, 300 * place + extra * (place % 7) * 20
        row = {"branch_code": code, "fiscal_year": year, "value": round(100 * part / size, 1), **cells}
        rows.append({**row, "numerator": part, "denominator": size} if counts else row)
    return rows


def remunerate(year, codes=CODES):
    return [
        {"branch_code": code, "statistic": "total_remuneration", "fiscal_year": year, "value": 100.0 * int(code) + year}
        for code in codes
    ]


def contribute(observations, *, kpi=PROXIED, statistics=(), year=2024):
    tables, catalogue = builders.tables(observations, statistics=statistics), builders.catalogue(kpi)
    comparison = compute_comparison(tables, catalogue)
    return compute_contribution(comparison, tables, catalogue, kpi_id=kpi.kpi_id, fiscal_year=year)


# --- from counts ------------------------------------------------------------------------------------------------------


def test_parts_from_counts_add_up_to_the_change_of_the_sum():
    # given
    before, after = observe(year=2023), observe(extra=1)
    # when
    frame = contribute([*before, *after])
    # then Σ numerators ÷ Σ denominators moved by just what the branches moved it
    rates = [100 * sum(r["numerator"] for r in rows) / sum(r["denominator"] for r in rows) for rows in (before, after)]
    assert frame.schema == SCHEMA
    assert set(frame["kind"]) == {"counts"}
    assert frame["branch_code"].to_list() == CODES
    assert frame["total"].sum() == pytest.approx(rates[1] - rates[0], abs=1e-12)
    assert frame["national_change"][0] == pytest.approx(rates[1] - rates[0], abs=1e-12)
    assert (frame["rate_effect"] + frame["volume_effect"] - frame["total"]).abs().max() < 1e-15
    assert frame["share_before"].sum() == pytest.approx(1, abs=1e-12)


def test_parts_agree_with_a_second_calculation():
    # given
    before, after = observe(year=2023), observe(extra=1)
    # when
    frame = contribute([*before, *after])
    # then
    sizes = [sum(row["denominator"] for row in rows) for rows in (before, after)]
    nation = [
        100 * sum(row["numerator"] for row in rows) / size for rows, size in zip((before, after), sizes, strict=True)
    ]
    for row, old, new in zip(frame.to_dicts(), before, after, strict=True):
        r0, r1 = (100 * cell["numerator"] / cell["denominator"] for cell in (old, new))
        s0, s1 = old["denominator"] / sizes[0], new["denominator"] / sizes[1]
        assert row["rate_effect"] == pytest.approx((s0 + s1) / 2 * (r1 - r0), abs=1e-12)
        assert row["volume_effect"] == pytest.approx((s1 - s0) * ((r0 + r1) / 2 - sum(nation) / 2), abs=1e-12)


def test_counts_are_preferred_to_the_proxy():
    statistics = [*remunerate(2023), *remunerate(2024)]

    frame = contribute([*observe(year=2023), *observe(extra=1)], statistics=statistics)

    assert set(frame["kind"]) == {"counts"}


# --- an estimate ------------------------------------------------------------------------------------------------------


def test_values_without_counts_are_weighted_by_the_proxy_and_called_an_estimate():
    # given counts in one of the two years only
    observations = [*observe(year=2023), *observe(extra=1, counts=False)]
    weights = [100.0 * int(code) + 2024 for code in CODES]
    # when
    frame = contribute(observations, statistics=[*remunerate(2023), *remunerate(2024)])
    # then
    assert set(frame["kind"]) == {"estimated"}
    values = [row["value"] for row in observations[BRANCH_COUNT:]]
    mean = sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)
    assert frame["national_after"][0] == pytest.approx(mean, abs=1e-12)
    assert frame["total"].sum() == pytest.approx(frame["national_change"][0], abs=1e-12)


def test_real_parts_add_up_to_the_change_of_the_national_estimate(comparison, tables, catalogue):
    found = 0
    for kpi_id in catalogue.kpis:
        for year in comparison["fiscal_year"].unique():
            # given, when
            frame = compute_contribution(comparison, tables, catalogue, kpi_id=kpi_id, fiscal_year=year)
            if frame.is_empty():
                continue
            found += 1
            # then 47 parts make the change, and the figures are those that the comparison calls an estimate
            assert frame.height == BRANCH_COUNT
            assert frame["total"].sum() == pytest.approx(frame["national_change"][0], abs=1e-9)
            row = comparison.filter(
                (pl.col("kpi_id") == kpi_id)
                & (pl.col("definition") == frame["definition"][0])
                & (pl.col("fiscal_year") == year)
            ).to_dicts()[0]
            if row["national_kind"] == "weighted" and frame["kind"][0] == "estimated":
                assert frame["national_after"][0] == pytest.approx(row["national"], abs=1e-9)
    assert found > 20


# --- not at all -------------------------------------------------------------------------------------------------------


def test_no_parts_without_counts_and_without_a_proxy():
    observations = [*observe(year=2023, counts=False), *observe(extra=1, counts=False)]

    assert contribute(observations, kpi=builders.kpi()).is_empty()
    assert contribute(observations, statistics=remunerate(2024)).is_empty(), "no weights of the year before"


@pytest.mark.parametrize("codes", [[], CODES[:1], CODES[:-1]])
def test_no_parts_unless_all_47_are_known(codes):
    statistics = [*remunerate(2023), *remunerate(2024)]

    frame = contribute([*observe(year=2023), *observe(extra=1, codes=codes)], statistics=statistics)

    assert frame.is_empty()
    assert frame.schema == SCHEMA


def test_no_parts_across_a_change_of_definition():
    # given
    kpi = builders.kpi(
        definitions={"old": builders.definition("old", None, 2023), "new": builders.definition("new", 2024, None)}
    )
    before, after = observe(year=2023, definition="old"), observe(extra=1, definition="new")
    # when, then
    assert contribute([*before, *after], kpi=kpi).is_empty()
    # but the year before counts where it was restated
    assert not contribute([*observe(year=2023, definition="new"), *after], kpi=kpi).is_empty()


def test_no_parts_without_the_year_before_and_none_for_totals():
    assert contribute(observe()).is_empty()
    totals = builders.kpi(unit=Unit.OFFICES, proportion=False, plausible_max=1e9, national_proxy="total_remuneration")
    statistics = [*remunerate(2023), *remunerate(2024)]
    assert contribute([*observe(year=2023), *observe(extra=1)], kpi=totals, statistics=statistics).is_empty()


def test_impossible_counts_are_an_error_not_a_number():
    # given a numerator above its denominator
    rows = [*observe(year=2023), *observe(extra=1)]
    rows[0] = {**rows[0], "numerator": 5000}
    tables, catalogue = builders.tables(rows), builders.catalogue(PROXIED)
    comparison = pl.DataFrame(
        [{"branch_name": row["branch_code"], "kpi_id": "rate", "definition": "v1", **row} for row in rows]
    )
    # when, then
    with pytest.raises(ValueError, match="numerator"):
        compute_contribution(comparison, tables, catalogue, kpi_id="rate", fiscal_year=2024)


# --- the largest movers -----------------------------------------------------------------------------------------------


def test_movers_and_others_have_the_sums_of_all():
    # given
    frame = contribute([*observe(year=2023), *observe(extra=1)])
    # when
    movers = pick_movers(frame)
    # then ten alone, upwards first, and one row for 37
    assert movers.height == 11
    assert movers["branches"].sum() == BRANCH_COUNT
    assert movers["branch_code"][-1] == OTHERS
    assert movers["total"][:10].is_sorted(descending=True)
    for effect in ("rate_effect", "volume_effect", "total"):
        assert movers[effect].sum() == pytest.approx(frame[effect].sum(), abs=1e-12)
    smallest = movers["total"][:10].abs().min()
    alone = movers["branch_code"].to_list()
    assert frame.filter(~pl.col("branch_code").is_in(alone))["total"].abs().max() <= smallest


def test_movers_of_few_branches_have_no_others():
    frame = contribute([*observe(year=2023), *observe(extra=1)])

    assert pick_movers(frame.head(3)).height == 3
    assert pick_movers(frame.clear()).is_empty()
    assert pick_movers(frame, most=BRANCH_COUNT)["branches"].to_list() == [1] * BRANCH_COUNT


def test_proxy_weights_are_those_of_the_comparison(tables, catalogue):
    assert proxy_weights(tables["statistics"], catalogue).columns == ["kpi_id", "branch_code", "fiscal_year", "weight"]
