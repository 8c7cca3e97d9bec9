"""A project of made-up figures of any size: ``scale_data.py FOLDER UNITS [YEARS]``. 4,700 units make 18,330,000 observations.

Thirty real KPIs over ten years, each year with its full-year value and twelve values part-way through it, for so many units in
blocks of a hundred; a target for each unit, KPI and year, the proxies, budgets and marks; every unit has a document of its own.
The definitions are the real ones with another branch master; ``KENPO_DEFINITIONS`` must name their folder to whoever reads the
project. The seed is fixed, and the figures of a unit are the same in projects of every size.

Observations are made and written for a hundred units at a time, sorted as ``kenpo curate`` sorts them. The verdict is that of
``kenpo validate`` on tables in which it found nothing, written by the same function over the same suites. **No check is run**:
Great Expectations would want all rows in one pandas frame.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from kenpo_lib.catalogue import DEFINITIONS_DIR, NATION, Catalogue, Kpi, Unit, load_catalogue
from kenpo_lib.curated import SCHEMAS, Tables, empty_table, read_manifest, write_tables
from kenpo_lib.files import MANIFEST, sha256_of, write_atomically
from kenpo_lib.proxies import WORKING_AGE_BANDS
from kenpo_lib.validate import write_verdict
from kenpo_lib.validate.results import ValidationReport

ROOT = Path(__file__).parents[1]
SEED = 20_240_401
YEARS = range(2015, 2025)
KPI_COUNT = 30
BLOCK = 100  # units in a block, and in a piece of the observations
_MONTH = {"month": pl.Int8, "passed": pl.Int8}
_SERIES = ("branch_code", "kpi_id", "definition", "fiscal_year", "source_id")


def make_project(folder: Path, units: int) -> Path:
    """Write a project of so many units into an empty folder.

    Returns:
        The folder of its definitions.
    """
    definitions = write_definitions(folder / "definitions", units)
    catalogue = load_catalogue(definitions)
    for name in ("expectations", "notebooks", "reports/templates"):
        shutil.copytree(ROOT / name, folder / name)
    curated, suites = folder / "data" / "curated", folder / "expectations"
    write_curated(curated, catalogue)
    digests = {path.name: sha256_of(path) for path in suites.glob("*.json")}
    report = ValidationReport((), pl.DataFrame(), suites, digests, catalogue)
    write_verdict(report, curated, read_manifest(curated), definitions_dir=definitions)
    return definitions


def write_definitions(folder: Path, units: int) -> Path:
    """The real KPIs and caveats, and a branch master of so many units with four-digit codes."""
    for name in ("kpis", "caveats.yaml"):
        source = DEFINITIONS_DIR / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, _made(folder) / name)
    heading, nation = (DEFINITIONS_DIR / "branches.csv").read_text(encoding="utf-8").splitlines()[:2]
    lines = [
        f"{code},窓口{code},マドグチ{code},unit{code},県{block},第{block}区,Block {block},,,"
        for code, block in ((f"{unit + 1:04d}", unit // BLOCK + 1) for unit in range(units))
    ]
    text = "\n".join([heading, nation, *lines]) + "\n"
    write_atomically(folder / "branches.csv", text.encode())
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def list_kpis(catalogue: Catalogue) -> list[Kpi]:
    """The first that have a definition in every year; too few of the incentive scheme to score it in either size."""
    known = [kpi for kpi in catalogue.kpis.values() if all(kpi.definition_in_force(year) for year in YEARS)]
    return known[:KPI_COUNT]


def write_curated(folder: Path, catalogue: Catalogue) -> None:
    """All curated tables and their manifest; the observations piece by piece."""
    kpis = list_kpis(catalogue)
    tables = {name: empty_table(name) for name in SCHEMAS} | make_tables(catalogue, kpis)
    write_tables(tables, folder, inputs={})
    rows = write_observations(folder / "observations.parquet", catalogue, kpis)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["tables"]["observations.parquet"] = sha256_of(folder / "observations.parquet")
    manifest["rows"]["observations.parquet"] = rows
    write_atomically(folder / MANIFEST, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())


def write_observations(path: Path, catalogue: Catalogue, kpis: Sequence[Kpi]) -> int:
    """The nation's row group and one for each block; how many rows there are."""
    codes = catalogue.branch_codes
    schema = empty_table("observations").to_arrow().schema
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for piece in ([NATION], *(codes[start : start + BLOCK] for start in range(0, len(codes), BLOCK))):
            frame = make_observations(piece, kpis)
            writer.write_table(frame.to_arrow().cast(schema), row_group_size=frame.height)
            rows += frame.height
    return rows


# --- figures --------------------------------------------------------------------------------------------------------


def draw_figures(code: str, kpis: Sequence[Kpi]) -> tuple[np.ndarray, np.ndarray]:
    """Numerators and denominators of one unit, each of the shape (KPIs, years)."""
    level = np.random.default_rng(SEED).uniform(0.25, 0.85, (len(kpis), 1))  # of the KPI: the same for all units
    rng = np.random.default_rng([SEED, int(code)])
    size = np.round(10 ** rng.uniform(3, 5) * rng.uniform(0.8, 1.2, (len(kpis), 1)) * np.ones(len(YEARS)))
    drift = np.arange(len(YEARS)) * rng.normal(0.004, 0.003, (len(kpis), 1))
    share = np.clip(level + rng.normal(0, 0.05, (len(kpis), 1)) + drift, 0.02, 0.98)
    return rng.binomial(size.astype(int), share).astype(float), size


def make_observations(codes: Sequence[str], kpis: Sequence[Kpi]) -> pl.DataFrame:
    """The observations of some units, sorted by key; of the nation only what no counts can give."""
    yearly = pl.concat(_make_years(code, kpis) for code in codes)
    months = pl.DataFrame({"month": range(1, 13), "passed": [10, 11, 12, *range(1, 10)]}, schema_overrides=_MONTH)
    as_of = pl.date(pl.col("fiscal_year") + (pl.col("month") < 4), "month", 28)
    partly = yearly.filter(pl.col("branch_code") != NATION).join(months, how="cross")
    partly = partly.with_columns(
        pl.lit("YTD").alias("period"),
        pl.lit("interim").alias("status"),
        as_of.alias("as_of"),
        (pl.col("value") * (0.7 + 0.025 * pl.col("passed"))).round(2).alias("value"),
        pl.lit(None, pl.Float64).alias("numerator"),
        pl.lit(None, pl.Float64).alias("denominator"),
    )
    schema = SCHEMAS["observations"]
    columns = [pl.col(name).cast(kind) for name, kind in schema.columns.items()]
    both = [yearly.select(columns), partly.select(columns)]
    return pl.concat(both).sort(schema.key, nulls_last=False)


def _make_years(code: str, kpis: Sequence[Kpi]) -> pl.DataFrame:
    """The full-year values of one unit."""
    numerators, denominators = draw_figures(code, kpis)
    rows = [
        (
            *(code, kpi.kpi_id, kpi.definition_in_force(year).definition, year, f"unit_{code}"),
            *_measure(kpi, numerators[k, y], denominators[k, y]),
            kpi.decimals,
            f"p.{y + 1} {kpi.kpi_id}",
        )
        for k, kpi in enumerate(kpis)
        for y, year in enumerate(YEARS)
        if code != NATION or not (kpi.proportion or kpi.unit.is_total)
    ]
    names = (*_SERIES, "value", "numerator", "denominator", "decimals", "locator")
    types = {name: SCHEMAS["observations"].columns[name] for name in names}
    return pl.DataFrame(rows, schema=types, orient="row").with_columns(
        pl.lit("total").alias("component"),
        pl.lit("FY").alias("period"),
        pl.lit(None, pl.Date).alias("as_of"),
        pl.lit("final").alias("status"),
        pl.lit(None, pl.String).alias("note"),
    )


def _measure(kpi: Kpi, numerator: float, denominator: float) -> tuple[float, float | None, float | None]:
    """Value, numerator and denominator; counts only where they make a proportion."""
    share = numerator / denominator
    if kpi.proportion:
        return round(100 * share, kpi.decimals), numerator, denominator
    scale = {Unit.PERCENT: 100 * share, Unit.DAYS: 10 * share, Unit.YEN: 200 * share}.get(kpi.unit, numerator)
    return round(scale, kpi.decimals), None, None


# --- the other tables -----------------------------------------------------------------------------------------------


def make_tables(catalogue: Catalogue, kpis: Sequence[Kpi]) -> Tables:
    """Everything but the observations."""
    codes = pl.DataFrame({"branch_code": catalogue.branch_codes}).with_columns(
        (pl.lit("unit_") + pl.col("branch_code")).alias("source_id"), pl.lit("p.9").alias("locator")
    )
    years = pl.DataFrame({"fiscal_year": YEARS}, schema={"fiscal_year": pl.Int32})
    size = pl.col("branch_code").cast(pl.Int32) * 37 % 9000 + 1000.0
    return {
        name: _complete(name, frame)
        for name, frame in {
            "branches": pl.DataFrame(
                [(b.branch_code, b.name.ja, b.name.en, b.block.ja, b.block.en) for b in catalogue.branches.values()],
                schema=["branch_code", "name_ja", "name_en", "block", "block_en"],
                orient="row",
            ),
            "sources": pl.DataFrame({"branch_code": catalogue.branches.keys()}).with_columns(
                (pl.lit("unit_") + pl.col("branch_code")).alias("source_id"),
                *(pl.lit(text).alias(name) for name, text in _DOCUMENT.items()),
            ),
            "targets": codes.join(years, how="cross").join(_list_goals(kpis), on="fiscal_year"),
            "statistics": codes.join(years, how="cross")
            .join(_list_statistics(), how="cross")
            .with_columns(size.alias("value"), pl.lit("persons").alias("unit"), pl.lit(True).alias("is_projection")),
            "budgets": codes.join(_list_programmes(), how="cross").with_columns(
                size.alias("budget_thousand_yen"), (size * 0.9).alias("executed_thousand_yen")
            ),
            "self_assessments": codes.join(_list_marks(), how="cross"),
        }.items()
    }


_DOCUMENT = {
    **{"title": "作例", "issuer": "作例", "order_date": "2025-06", "kind": "branch_results", "trust": "high"},
    "sha256": "0" * 64,
}


def _complete(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """All columns of a curated table, sorted by its key."""
    schema = SCHEMAS[name]
    missing = [
        pl.lit(None, kind).alias(column) for column, kind in schema.columns.items() if column not in frame.columns
    ]
    return frame.with_columns(missing).select(schema.columns.keys()).sort(schema.key, nulls_last=False)


def _list_goals(kpis: Sequence[Kpi]) -> pl.DataFrame:
    rows = [
        (kpi.kpi_id, kpi.definition_in_force(year).definition, year, *_find_goal(kpi)) for kpi in kpis for year in YEARS
    ]
    types = {
        name: SCHEMAS["targets"].columns[name] for name in ("kpi_id", "definition", "fiscal_year", "rule", "value")
    }
    return pl.DataFrame(rows, schema=types, orient="row")


def _find_goal(kpi: Kpi) -> tuple[str, float | None]:
    if kpi.proportion:
        return ("at_least", 60.0) if kpi.direction.sign >= 0 else ("at_most", 50.0)
    return ("at_least_prior" if kpi.direction.sign >= 0 else "at_most_prior"), None


def _list_statistics() -> pl.DataFrame:
    rows = [("subscribers", band) for band in WORKING_AGE_BANDS] + [("total_remuneration", "total")]
    return pl.DataFrame(rows, schema=["statistic", "component"], orient="row")


def _list_programmes() -> pl.DataFrame:
    rows = [(YEARS[-1], f"事業{n}", theme) for n, theme in enumerate(("health_checks", "guidance", "visits"))]
    types = {"fiscal_year": pl.Int32, "programme": pl.String, "theme": pl.String}
    return pl.DataFrame(rows, schema=types, orient="row")


def _list_marks() -> pl.DataFrame:
    rows = [(YEARS[-1], "章", f"項目{n}", mark) for n, mark in enumerate("◎○△×")]
    types = {"fiscal_year": pl.Int32, "section": pl.String, "plan_item": pl.String, "mark": pl.String}
    return pl.DataFrame(rows, schema=types, orient="row")


if __name__ == "__main__":
    YEARS = YEARS[-int(sys.argv[3]) :] if sys.argv[3:] else YEARS
    make_project(Path(sys.argv[1]), int(sys.argv[2]))
