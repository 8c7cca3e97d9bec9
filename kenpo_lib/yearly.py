"""One KPI over the years: how its branches are spread in each year, and the national figure beside them."""

from __future__ import annotations

import polars as pl

YEAR_KEY = ["definition", "fiscal_year"]
_SPREAD = ("lowest", "lower_quartile", "median", "upper_quartile", "highest")


def summarise_years(values: pl.DataFrame, nation: pl.DataFrame, *, branches: int) -> pl.DataFrame:
    """Summarise one KPI in every year and under every definition for which a whole-year value is known.

    Args:
        values: The branches' rows of the comparison of one KPI.
        nation: The nation's own rows of that KPI.
        branches: How many branches there are.

    Returns:
        One row per ``definition`` × ``fiscal_year``, by year: ``branches_known``, ``is_full`` (all
        branches) and, of those known, ``with_counts``; ``lowest`` and
        ``highest`` of the branches known; ``lower_quartile``, ``median``, ``upper_quartile`` only where all are known (those of a
        part would pass for those of all); ``national``, ``national_kind``, ``national_source_id``. Values in the KPI's
        unit, null where nothing is known. Quartiles interpolate between neighbours (Hyndman & Fan 1996, type 7).
    """
    known = values.filter(pl.col("value").is_not_null())
    is_full = pl.len() == branches
    quartiles = {name: 0.25 * step for step, name in enumerate(_SPREAD) if name not in ("lowest", "highest")}
    spread = known.group_by(YEAR_KEY).agg(
        pl.len().cast(pl.Int32).alias("branches_known"),
        (pl.col("numerator").is_not_null() & pl.col("denominator").is_not_null())
        .sum()
        .cast(pl.Int32)
        .alias("with_counts"),
        pl.col("value").min().alias("lowest"),
        *(
            pl.when(is_full).then(pl.col("value").quantile(share, "linear")).alias(name)
            for name, share in quartiles.items()
        ),
        pl.col("value").max().alias("highest"),
        pl.col("national", "national_kind", "national_source_id").first(),
    )
    published = nation.filter(pl.col("value").is_not_null()).select(
        *YEAR_KEY,
        pl.col("value").alias("_value"),
        pl.lit("published").alias("_kind"),
        pl.col("source_id").alias("_source_id"),
    )
    joined = spread.join(published, on=YEAR_KEY, how="full", coalesce=True)
    return joined.select(
        *YEAR_KEY,
        pl.col("branches_known", "with_counts").fill_null(0),
        (pl.col("branches_known").fill_null(0) == branches).alias("is_full"),
        *_SPREAD,
        *(
            pl.coalesce(f"national{name}", own).alias(f"national{name}")
            for name, own in (("", "_value"), ("_kind", "_kind"), ("_source_id", "_source_id"))
        ),
    ).sort("fiscal_year", "definition")
