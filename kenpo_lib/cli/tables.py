"""Commands that print tables: ``compare``, ``incentive``, ``params``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kenpo_lib.cli.options import branch_option, format_option, list_option, parse_kpis, year_option
from kenpo_lib.cli.output import print_frame, print_text
from kenpo_lib.cli.root import find_folder
from kenpo_lib.language import console_language, say


@click.command(
    help=say(
        "支部を全国・前年度・目標・他支部と比べた表を出力します。列の意味は docs/data_dictionary.md。",
        "Print the comparison with the nation, the prior year, the target and the other branches "
        "(columns: docs/data_dictionary.md).",
    )
)
@branch_option
@year_option
@list_option("--kpi", help=say("指標のID（カンマ区切り）", "KPI ids, separated by commas"))
@format_option
@click.pass_context
def compare(ctx: click.Context, branch: str, fiscal_year: str, kpi: str | None, form: str) -> None:
    import polars as pl

    from kenpo_lib.catalogue import load_catalogue, parse_branch_list
    from kenpo_lib.export import to_console_table
    from kenpo_lib.parameters import parse_year

    catalogue = load_catalogue()
    codes, year = parse_branch_list(catalogue, branch), parse_year(fiscal_year)
    kpi_ids = parse_kpis(kpi, catalogue)
    frame = compare_year(find_folder(ctx) / "data" / "curated", catalogue, year)
    chosen = frame.filter(pl.col("branch_code").is_in(codes) & pl.col("kpi_id").is_in(kpi_ids))
    print_frame(chosen, form, to_table=lambda frame: to_console_table(frame, catalogue))


def compare_year(curated: Path, catalogue: Any, fiscal_year: int) -> Any:
    """The comparison of a year: from the store that ``kenpo report`` writes while it is current, else computed."""
    from kenpo_lib.grain import check_year
    from kenpo_lib.store import open_store

    store = open_store(curated)
    if store is not None:
        check_year(fiscal_year, store.years)
        return store.read_year(fiscal_year)
    from kenpo_lib.compare import compute_comparison
    from kenpo_lib.curated import read_tables

    frame = compute_comparison(read_tables(curated), catalogue)
    check_year(fiscal_year, frame["fiscal_year"])
    return frame.filter(fiscal_year=fiscal_year)


@click.command(
    help=say(
        "インセンティブ制度の得点・順位・報奨金の概算を支部ごとに出力します（順位は47支部全体での順位）。列の意味は docs/data_dictionary.md。",
        "Print the approximate incentive score, rank and reward of each branch (ranked among all 47) "
        "(columns: docs/data_dictionary.md).",
    )
)
@branch_option
@year_option
@format_option
@click.pass_context
def incentive(ctx: click.Context, branch: str, fiscal_year: str, form: str) -> None:
    import polars as pl

    from kenpo_lib.catalogue import load_catalogue, parse_branch_list
    from kenpo_lib.curated import read_tables
    from kenpo_lib.export import to_incentive_table
    from kenpo_lib.incentive import READING_NOTE, compute_incentive
    from kenpo_lib.parameters import parse_year

    catalogue = load_catalogue()
    codes, year = parse_branch_list(catalogue, branch), parse_year(fiscal_year)
    frame = compute_incentive(read_tables(find_folder(ctx) / "data" / "curated"), catalogue, fiscal_year=year)
    click.echo(READING_NOTE(console_language()), err=True)
    chosen = frame.filter(pl.col("branch_code").is_in(codes))
    print_frame(chosen, form, to_table=lambda scores: to_incentive_table(scores, catalogue))


@click.command(
    help=say(
        "ノートブックのパラメータ（名前、型、使える値、既定値、意味）を出力します。",
        "Print the parameters of the notebooks: name, type, allowed values, default, meaning.",
    )
)
@format_option
def params(form: str) -> None:
    from kenpo_lib.catalogue import load_catalogue
    from kenpo_lib.console import format_rows
    from kenpo_lib.parameters import COLUMN_WORDS, list_parameters

    lang = console_language()
    rows = list_parameters(load_catalogue(), lang)
    print_text(format_rows(rows, form, heading=lambda name: COLUMN_WORDS[name](lang)), form)
