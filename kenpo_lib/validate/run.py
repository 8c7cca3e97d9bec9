"""Great Expectations runs our suites on our columns: in memory, without network, without a word of its own."""

from __future__ import annotations

import functools
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from kenpo_lib.catalogue import Catalogue
from kenpo_lib.curated import Tables
from kenpo_lib.errors import Fault, InputError
from kenpo_lib.language import Text, say
from kenpo_lib.validate.columns import add_check_columns, has_schema
from kenpo_lib.validate.questions import ROW
from kenpo_lib.validate.results import CheckResult, Outcome, ValidationReport
from kenpo_lib.validate.suites import Expectation, Suite, fault, read_suites
from kenpo_lib.validate.words import look_up


def validate(tables: Tables, catalogue: Catalogue, expectations_dir: Path) -> ValidationReport:
    """Run every suite on the curated tables. Writes nothing, asks nothing of the network.

    Args:
        tables: One frame per name of ``curated.SCHEMAS``.
        catalogue: Definitions, units, plausible ranges and jumps.
        expectations_dir: One ``<table>.json`` per curated table, and ``completeness.json``.

    Raises:
        InputError: A suite is missing, unknown or wrong; all faults together.
    """
    suites = read_suites(expectations_dir)
    frames = add_check_columns(tables, catalogue)
    observations = tables["observations"]
    pending = (
        observations.filter(pl.col("status") == "pending").select(
            "branch_code", "kpi_id", "definition", "fiscal_year", "period", "source_id", "locator", "note"
        )
        if has_schema("observations", observations)
        else pl.DataFrame()
    )
    return ValidationReport(
        checks=tuple(run_suites(suites, frames, catalogue)),
        pending=pending,
        expectations_dir=expectations_dir,
        suite_digests=MappingProxyType({f"{suite.name}.json": suite.sha256 for suite in suites.values()}),
        catalogue=catalogue,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's warnings and log lines, which concern its own code, off the user's screen."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def run_suites(
    suites: Mapping[str, Suite], frames: Mapping[str, pl.DataFrame], catalogue: Catalogue
) -> Iterator[CheckResult]:
    """What came of each expectation, in the order of the suites.

    Args:
        suites: By table; only these are run.
        frames: Of ``add_check_columns``.
        catalogue: For the names of branches in what was found.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when the library is imported
    with _quiet():
        import great_expectations as gx

        built = _build(suites)
        context = gx.get_context(mode="ephemeral")  # keeps everything in memory
        context.enable_analytics(False)
        context.variables.progress_bars = {"globally": False}
        source = context.data_sources.add_pandas("curated")
        results = {}
        for name in suites:
            definition = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
            batch = definition.get_batch({"dataframe": frames[name].to_pandas()})
            suite = gx.ExpectationSuite(name=name, expectations=built[name])
            results[name] = batch.validate(
                suite, result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [ROW]}
            ).results
    for name, suite in suites.items():
        # The library returns results in an order of its own, and only logs when it leaves one out.
        by_place = {result.expectation_config.meta["place"]: result for result in results[name]}
        assert len(results[name]) == len(suite.expectations) == len(by_place), (name, len(results[name]))
        for expectation in suite.expectations:
            yield _read_result(name, expectation, by_place[expectation.place], frames[name], catalogue)


def _build(suites: Mapping[str, Suite]) -> dict[str, list[Any]]:
    """The library's objects for our entries, each marked with its place."""
    from great_expectations.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.registry import get_expectation_impl

    faults: list[Fault] = []
    built: dict[str, list[Any]] = {}
    for suite in suites.values():
        for entry in suite.expectations:
            file = f"{suite.name}.json"
            try:
                kind = get_expectation_impl(entry.type)
            except ExpectationNotFoundError:
                expected = say("Great Expectations にある検証", "an expectation of Great Expectations")
                faults.append(fault(file, f"{entry.place}.type", expected, entry.type))
                continue
            try:
                expectation = kind(**entry.kwargs, severity=entry.severity.value, meta={"place": entry.place})
            except (ValueError, TypeError) as error:  # pydantic's errors are ValueErrors
                problem = re.sub(r"\s+", " ", str(error))
                faults.append(fault(file, f"{entry.place}.kwargs", say("正しい引数", "valid arguments"), problem))
                continue
            built.setdefault(suite.name, []).append(expectation)
    if faults:
        raise InputError(
            say("検証項目（expectations/）に誤りがあります。", "The expectation suites are wrong."), faults
        )
    return built


def _read_result(
    table: str, expectation: Expectation, result: Any, frame: pl.DataFrame, catalogue: Catalogue
) -> CheckResult:
    make = functools.partial(
        CheckResult,
        table=table,
        type=expectation.type,
        column=expectation.kwargs.get("column"),
        words=expectation.words,
        severity=expectation.severity,
    )
    if errors := _list_exceptions(result.exception_info):
        message = "; ".join(errors)
        return make(outcome=Outcome.ERROR, rows=pl.DataFrame(), observed=Text(message, message))
    if result.success:
        return make(outcome=Outcome.OK, rows=pl.DataFrame())
    indexes = sorted({int(found[ROW]) for found in result.result.get("unexpected_index_list") or ()})
    observed = result.result.get("observed_value")
    return make(
        outcome=Outcome.FAIL,
        rows=look_up(table, expectation, frame.filter(pl.col(ROW).is_in(indexes)), catalogue),
        observed=None if indexes else Text(f"実際は {observed}", f"found {observed}"),
    )


def _list_exceptions(info: Any) -> list[str]:
    """Messages of what was raised: the library gives one flat mapping, or one mapping per metric."""
    infos = [info] if "raised_exception" in (info or {}) else list((info or {}).values())
    raised = [entry for entry in infos if isinstance(entry, dict) and entry.get("raised_exception")]
    return sorted({str(entry.get("exception_message") or "?").strip() for entry in raised})
