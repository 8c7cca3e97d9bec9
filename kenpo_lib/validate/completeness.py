"""Which series must be known for all 47 branches, and which branches are missing in which year."""

from __future__ import annotations

import polars as pl

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.curated import Tables

COMPLETENESS = "completeness"
# First and last fiscal year in which a series must be known for all 47 branches; to be extended when a year is entered.
_INCENTIVE, _PREMIUM = (2019, 2024), (2019, 2026)
COMPLETE_YEARS = {
    "specific_checkup_rate": _INCENTIVE,
    "specific_guidance_rate": _INCENTIVE,
    "guidance_decrease_rate": _INCENTIVE,
    "urgent_visit_rate": _INCENTIVE,
    "generic_share_annual": _INCENTIVE,
    "premium_rate": _PREMIUM,
    # The weights of estimated national figures.
    "subscribers": _PREMIUM,
    "total_remuneration": _PREMIUM,
}
IS_WHOLE = pl.col("component") == "total"
IS_FINAL = IS_WHOLE & (pl.col("period") == "FY") & (pl.col("status") == "final") & pl.col("value").is_finite()


def compute_completeness(tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    """One row per series and fiscal year: how many branches are known, which are not, and whether all must be.

    A year after the last that must be complete has a row (``need`` is ``later``) once a branch has a value.
    """
    known = _list_known(tables, catalogue)
    rows = []
    for series, (first_year, last_year) in COMPLETE_YEARS.items():
        later = {year for name, year in known if name == series and year > last_year}
        for year in (*range(first_year, last_year + 1), *sorted(later)):
            missing = [code for code in catalogue.branch_codes if code not in known.get((series, year), ())]
            rows.append(
                {
                    "series": series,
                    "kpi_id": series if series in catalogue.kpis else None,
                    "fiscal_year": year,
                    "need": "required" if year <= last_year else "later",
                    "branches_known": len(catalogue.branch_codes) - len(missing),
                    "missing_branches": ", ".join(missing),
                }
            )
    kinds = {"fiscal_year": pl.Int32, "branches_known": pl.Int32}
    return pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None)


def _list_known(tables: Tables, catalogue: Catalogue) -> dict[tuple[str, int], set[str]]:
    """Codes of the branches (and the nation) with a value, by series and year, under the definition in force."""
    known: dict[tuple[str, int], set[str]] = {}
    finals = tables["observations"].filter(IS_FINAL & pl.col("kpi_id").is_in(list(COMPLETE_YEARS)))
    for branch_code, kpi_id, name, year in finals.select(
        "branch_code", "kpi_id", "definition", "fiscal_year"
    ).iter_rows():
        definition = catalogue.kpis[kpi_id].definitions.get(name)
        if definition is not None and definition.is_in_force(year):
            known.setdefault((kpi_id, year), set()).add(branch_code)
    totals = tables["statistics"].filter(
        IS_WHOLE & pl.col("value").is_finite() & pl.col("statistic").is_in(list(COMPLETE_YEARS))
    )
    for statistic, year, branch_code in totals.select("statistic", "fiscal_year", "branch_code").iter_rows():
        known.setdefault((statistic, year), set()).add(branch_code)
    return known
