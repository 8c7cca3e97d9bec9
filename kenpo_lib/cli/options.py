"""Options that several commands have, and what users write in them."""

from __future__ import annotations

import re
from typing import Any

import click

from kenpo_lib.errors import InputError, hint_nearest
from kenpo_lib.language import say

ALL = "all"
_ADDRESS = re.compile(r"(tcp|tls|ucx|wss?)://[^\s/]+")


def list_option(name: str, **attributes: Any) -> Any:
    """An option that takes a list; given more than once it means all of it."""
    return click.option(name, multiple=True, callback=_join_given, **attributes)


def _join_given(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> str | None:
    return ",".join(given) if given else None


branch_option = list_option(
    "--branch",
    default=(ALL,),
    show_default=True,
    help=say("支部: コード、名称、範囲、一覧（04、宮城、04,13,40-47、all）", "Branches: 04, Miyagi, 04,13,40-47, all"),
)
year_option = click.option(
    "--fiscal-year", required=True, help=say("年度: 2024、R6、令和6年度", "Fiscal year: 2024, R6")
)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help=say("出力の形", "Form of the output"),
)
rows_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help=say("出力の形", "Form of the output"),
)
lang_option = click.option(
    "--lang",
    type=click.Choice(["ja", "en"]),
    default="ja",
    show_default=True,
    help=say("頁の言語", "Language of the pages"),
)


def check_scheduler(address: str | None) -> None:
    """Refuse what Dask would wait two minutes for.

    Raises:
        InputError: No address.
    """
    if address is not None and not _ADDRESS.fullmatch(address):
        raise InputError(
            say(
                f"--scheduler '{address}' はアドレスではありません。tcp://host:8786 の形で指定してください。",
                f"--scheduler '{address}' is no address: write it as tcp://host:8786.",
            )
        )


def names_all(text: str) -> bool:
    """True if the text asks for all there are."""
    return text.strip().casefold() in (ALL, "すべて")


def parse_kpis(text: str | None, catalogue: Any) -> list[str]:
    """The KPIs that a user named, each once, in reading order; all where none was."""
    if text is None or names_all(text):
        return list(catalogue.kpis)
    chosen = [part.strip() for part in text.split(",")]
    for kpi_id in chosen:
        if kpi_id not in catalogue.kpis:
            hint = hint_nearest(kpi_id, catalogue.kpis)
            listed = " ".join(catalogue.kpis)
            raise InputError(
                say(
                    f"指標 '{kpi_id}' はありません{hint}。\n  {listed}",
                    f"There is no KPI '{kpi_id}'{hint}.\n  {listed}",
                )
            )
    return [kpi_id for kpi_id in catalogue.kpis if kpi_id in chosen]
