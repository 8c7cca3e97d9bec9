"""What every test may ask for: the catalogue, the real figures curated once, and their comparison."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import builders
import hypothesis
import polars as pl
import pytest
from browsing import browser  # noqa: F401  (a fixture)
from drawings import deferred  # noqa: F401  (a fixture)
from published import chromium, detail_pages, detailed, english_reports, published  # noqa: F401  (fixtures)

from kenpo_lib.catalogue import NATION, Catalogue, load_catalogue
from kenpo_lib.compare import compute_comparison, compute_nation
from kenpo_lib.curate import curate
from kenpo_lib.curated import Tables

if TYPE_CHECKING:
    from kenpo_lib.briefing import Briefing

# No deadline: the machines of continuous integration are slow at times. There the examples are the same in every run.
hypothesis.settings.register_profile("kenpo", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
hypothesis.settings.load_profile("kenpo")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tests of a group share what takes a minute to make: processes that do not keep them together double the time, and say nothing."""
    if getattr(session.config.option, "loadgroup", False):
        grouped = [item.nodeid for item in session.items if item.get_closest_marker("xdist_group")]
        assert all("@" in name for name in grouped), (
            "pytest-xdist does not see the groups of tests; which pytest is this?"
        )


_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


def _is_local(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    return name in (None, "", socket.gethostname()) or str(name).startswith(_LOOPBACK)


@pytest.fixture(autouse=True, scope="session")
def _no_network():
    """No test needs the network: whatever asks for another machine fails, also a question for its name."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connect_locally(self: socket.socket, address: object) -> None:
        is_inet = self.family in (socket.AF_INET, socket.AF_INET6)
        assert not is_inet or _is_local(address[0]), f"a test connects to {address}"
        return connect(self, address)

    def look_up_locally(host: object, *args: object, **kwargs: object) -> list:
        assert _is_local(host), f"a test asks for the address of {host!r}"
        return look_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_locally)
        patch.setattr(socket, "getaddrinfo", look_up_locally)
        patch.setenv("KENPO_LANG", "ja")
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return builders.ROOT


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def curated(catalogue: Catalogue) -> tuple[Tables, dict[str, str]]:
    """The tables and the sha256 of every raw file, from data/raw as it is."""
    return curate(builders.RAW, catalogue)


@pytest.fixture(scope="session")
def tables(curated: tuple[Tables, dict[str, str]]) -> Tables:
    return curated[0]


@pytest.fixture(scope="session")
def comparison(tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    return compute_comparison(tables, catalogue)


@pytest.fixture(scope="session")
def nation(tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    return compute_nation(tables, catalogue)


@pytest.fixture(scope="module")
def overview(
    tables: Tables, catalogue: Catalogue, comparison: pl.DataFrame, nation: pl.DataFrame
) -> Callable[..., Briefing]:
    """The national page of FY2024 in a language, or of another year."""

    def make(lang: str = "ja", year: int = 2024, frame: pl.DataFrame = comparison) -> Briefing:
        return builders.briefing(tables, catalogue, frame, nation, branch_code=NATION, fiscal_year=year, lang=lang)

    return make


@pytest.fixture
def small_raw(tmp_path: Path) -> Path:
    """A raw folder that a test may spoil: the plans of Toyama and Miyagi and the results of Miyagi, as they are."""
    return builders.copy_sources(tmp_path / "raw", "toyama_plan_fy2025", "miyagi_plan_fy2024", "miyagi_results_fy2024")
