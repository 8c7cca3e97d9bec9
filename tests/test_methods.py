"""The pages on methods: every example shows what the figures say; every column is documented; the benchmark's ways agree."""

from __future__ import annotations

import importlib.util
import math
import re
import sys

import builders
import nbclient
import nbformat
import polars as pl
import pytest
from bs4 import BeautifulSoup

from kenpo_lib import compare
from kenpo_lib.briefing import methods
from kenpo_lib.briefing.methods import Lesson
from kenpo_lib.catalogue import Catalogue
from kenpo_lib.curated import Tables, write_tables
from kenpo_lib.errors import InputError
from kenpo_lib.page import sanitise

NOTEBOOK = builders.ROOT / "notebooks" / "40_methods.ipynb"
EXAMPLES = [name for name in methods.__all__ if name.startswith("show_")]
MADE_UP = ("show_trend", "show_control_chart", "show_projection", "show_shrinkage")
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")


@pytest.fixture(scope="module")
def lesson(tables: Tables, catalogue: Catalogue, comparison: pl.DataFrame) -> Lesson:
    return Lesson(tables, catalogue, comparison, "ja")


@pytest.fixture(scope="module")
def english(tables: Tables, catalogue: Catalogue, comparison: pl.DataFrame) -> Lesson:
    return Lesson(tables, catalogue, comparison, "en")


def read_table(html: str, *, place: int = 0) -> dict[str, list[str]]:
    """The rows of a table by their headings."""
    table = BeautifulSoup(html, "html.parser").find_all("table")[place]
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in table.tbody.find_all("tr")]
    return {row[0]: row[1:] for row in rows}


def read_sentence(html: str, *, place: int = 0) -> str:
    return BeautifulSoup(html, "html.parser").select("p.reading")[place].get_text()


def read_number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", "").replace("±", "").rstrip("%"))


# --- every example ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_has_a_table_and_a_reading_and_survives_the_sanitiser(lesson: Lesson, name: str):
    # when
    html = str(getattr(methods, name)(lesson))
    # then
    soup = BeautifulSoup(html, "html.parser")
    assert soup.table.caption.get_text()
    assert all(said.get_text().startswith("読み方: ") for said in soup.select("p.reading"))
    assert soup.get_text() == BeautifulSoup(sanitise(html), "html.parser").get_text()
    assert not re.search(r"nan|None|inf\b|全国平均", soup.get_text())
    assert all(svg.get("aria-label") for svg in soup.find_all("svg"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_in_english_has_no_japanese(english: Lesson, name: str):
    assert not JAPANESE.search(BeautifulSoup(str(getattr(methods, name)(english)), "html.parser").get_text())


@pytest.mark.parametrize("name", MADE_UP)
def test_made_up_examples_say_so_where_they_stand(lesson: Lesson, name: str):
    html = str(getattr(methods, name)(lesson))

    assert "架空" in BeautifulSoup(html, "html.parser").table.get_text()
    assert "架空" in read_sentence(html) or "公表されている年次の値" in read_sentence(html)


def test_example_without_its_figures_names_what_is_missing(lesson: Lesson):
    few = Lesson(lesson.tables, lesson.catalogue, lesson.comparison.filter(pl.col("branch_code") != "04"), "ja")

    with pytest.raises(InputError, match=r"宮城.*visit_rate.*2024"):
        methods.show_people_needed(few)
    with pytest.raises(InputError, match="visit_rate"):
        methods.show_interval(Lesson(few.tables, few.catalogue, few.comparison.clear(), "ja"))


# --- what the examples say -------------------------------------------------------------------------------------------


def test_interval_of_miyagi_is_the_formula_of_the_page(lesson: Lesson):
    # given the formula as the notebook prints it
    x, n, z = 7328, 21954, 1.959964
    p = x / n
    low, high = (
        100 * (p + z * z / (2 * n) + side * z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)
        for side in (-1, 1)
    )
    # when
    shown = read_table(str(methods.show_interval(lesson)))["宮城"]
    # then
    assert shown[:3] == ["7,328 ÷ 21,954", "33.38%", f"{low:.1f}～{high:.1f}"]


def test_change_tells_hyogo_and_nara_from_miyagi(lesson: Lesson):
    html = str(methods.show_change(lesson))

    assert read_table(html)["兵庫"][:2] == ["31.8%", "33.5%"]
    assert read_table(html)["奈良"][:2] == ["35.0%", "39.5%"]
    assert "兵庫・奈良は区間が0を含まず" in read_sentence(html)
    assert "宮城は区間が0を含む" in read_sentence(html)


def test_funnel_and_flags_agree_with_the_comparison(lesson: Lesson):
    # given what the comparison says of the same branches
    rows = lesson.rows(("visit_rate", "10m"), 2024, with_counts=True).to_dicts()
    # when
    funnel = read_table(str(methods.show_funnel(lesson)))
    flags = read_table(str(methods.show_false_discoveries(lesson)))
    # then
    assert len(funnel) == 13
    for row in rows:
        assert read_number(funnel[row["branch_name"]][3].split()[0]) == pytest.approx(
            row["funnel_adjusted_z"], abs=0.006
        )
        if row["branch_name"] in flags:
            assert (flags[row["branch_name"]][3] == "旗を立てる") == (row["p_adjusted"] <= 0.05)


def test_ranks_have_intervals_only_where_counts_are_published(lesson: Lesson):
    # given
    html = str(methods.show_ranks(lesson))
    rows = {row["branch_name"]: row for row in lesson.rows(("visit_rate", "10m"), 2024, with_counts=True).to_dicts()}
    # when
    intervals, movement = read_table(html), read_table(html, place=1)
    # then
    assert {name: shown[1:3] for name, shown in intervals.items()} == {
        name: [str(row["rank"]), f"{row['rank_lower']}～{row['rank_upper']}"] for name, row in rows.items()
    }
    assert len(movement) == 5
    assert "～" not in "".join("".join(shown) for shown in movement.values())
    assert "順位の区間は作れません" in read_sentence(html, place=1)


def test_trend_and_control_chart_give_no_verdict_on_published_figures(lesson: Lesson):
    trend = read_table(str(methods.show_trend(lesson)))
    real = {name: shown for name, shown in trend.items() if "架空" not in name}

    assert len(real) == 2
    assert all(shown[2].startswith("判定できない") for shown in real.values())
    assert "判定を付けません" in read_sentence(str(methods.show_control_chart(lesson)))


def test_people_needed_reach_the_goal_and_one_fewer_does_not(lesson: Lesson):
    shown = read_table(str(methods.show_people_needed(lesson)))["全国（公表値）"]

    people = int(shown[1])
    assert people == 104
    assert round(100 * (7328 + people) / 21954 + 1e-9, 1) == 33.9 == read_number(shown[0])
    assert round(100 * (7328 + people - 1) / 21954 + 1e-9, 1) < 33.9


def test_national_kinds_differ(lesson: Lesson):
    shown = [row[0] for row in read_table(str(methods.show_national_kinds(lesson))).values()]

    assert shown == ["58.7%", "57.5%", "60.6%"]


def test_nation_without_the_branch_agrees_with_the_comparison(lesson: Lesson):
    shown = read_table(str(methods.show_nation_without(lesson)))
    rows = {row["branch_name"]: row for row in lesson.rows(("specific_checkup_rate", "v1"), 2023).to_dicts()}

    for name, cells in shown.items():
        assert rows[name]["national_without_kind"] == "estimated"
        assert read_number(cells[2]) == pytest.approx(rows[name]["national_without_branch"], abs=0.006)


def test_contributions_add_up_to_the_change(lesson: Lesson):
    html = str(methods.show_contribution(lesson))
    shown = read_table(html)
    # then the parts add up to the last row, and that to the change told
    branches, total = list(shown.values())[:-1], shown["13支部の計"]
    for place in range(3):
        assert sum(read_number(row[place]) for row in branches) == pytest.approx(read_number(total[place]), abs=0.007)
    before, after = re.search(r"率は([\d.]+)%から([\d.]+)%へ", read_sentence(html)).groups()
    assert read_number(total[2]) == pytest.approx(float(after) - float(before), abs=0.011)


def test_pace_of_tokyo_has_no_interval(lesson: Lesson):
    html = str(methods.show_pace(lesson))

    checkups = read_table(html)["生活習慣病予防健診実施率（被保険者）"]
    assert checkups[:5] == ["令和6年7月（4か月）", "14.8%", "60.0%", "20.0%", "目安未満"]
    assert "～" not in html


def test_projection_prints_a_coverage_near_its_level(lesson: Lesson):
    shown = read_table(str(methods.show_projection(lesson)))

    (held,) = (row[0] for name, row in shown.items() if name.startswith("架空の過去の年で試した"))
    assert 90 <= read_number(held) <= 100


def test_incentive_score_says_that_it_is_a_reading(lesson: Lesson):
    html = str(methods.show_incentive(lesson))

    assert "概算" in BeautifulSoup(html, "html.parser").table.caption.get_text()
    assert "公式の得点" in read_sentence(html)


# --- the notebook ----------------------------------------------------------------------------------------------------


def test_notebook_shows_every_example_once_with_question_and_source():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    called = re.findall(
        r"show\.(show_\w+)\(lesson\)", "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    )
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")

    assert sorted(called) == sorted(EXAMPLES)
    sections = re.split(r"^## \d+\. ", prose, flags=re.MULTILINE)[1:]
    assert len(sections) == 15
    for section in sections:
        assert all(word in section for word in ("**問い**", "**式**", "\n> ", "**出典**")), section
    assert "$" not in prose, "formulas need no renderer"


@pytest.mark.slow
@pytest.mark.xdist_group("methods")
def test_notebook_runs_from_top_to_bottom(curated: tuple[Tables, dict[str, str]], tmp_path):
    # given the real figures, and the parameters that JupyterLab would change
    write_tables(curated[0], tmp_path / "curated", inputs=curated[1])
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (parameters,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    parameters.source += f"\ncurated_dir = {str(tmp_path / 'curated')!r}"
    # when
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )
    client.execute()
    # then every example is HTML, and nothing was said beside it
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code" and "lesson)" in cell.source]
    assert len(outputs) == len(EXAMPLES)
    assert all(len(shown) == 1 and "text/html" in shown[0].data for shown in outputs)


# --- documents and benchmark -----------------------------------------------------------------------------------------


def test_every_column_of_the_comparison_is_in_the_data_dictionary(comparison: pl.DataFrame):
    text = (builders.ROOT / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`(\w+)`", "\n".join(cells)))

    assert set(comparison.columns) - named == set()
    assert compare.compute_comparison.__doc__.count("docs/data_dictionary.md") == 1


@pytest.fixture(scope="module")
def benchmark():
    path = builders.ROOT / "benchmarks" / "comparison_statistics.py"
    spec = importlib.util.spec_from_file_location("comparison_statistics", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_three_ways_of_computing_the_comparison_agree(benchmark):
    # given made-up counts of two KPIs, seven years and two periods
    counts = benchmark.make_counts(47, 2, 7, 2)
    # when
    ours = benchmark.compare_with_stats(counts).to_pandas()
    by_pandas = benchmark.compare_with_pandas(counts.to_pandas()).sort_values(benchmark.AXES, ignore_index=True)
    sample = by_pandas.sample(60, random_state=1)
    # then
    benchmark.largest_difference(ours, by_pandas)
    benchmark.largest_difference(ours.loc[sample.index], benchmark.compare_with_statsmodels(sample))
    benchmark.largest_difference(ours, benchmark.adjust_with_statsmodels(by_pandas).to_frame("p_adjusted"))
    assert set(ours["trend"]) == {-1, 0, 1}, "the example has every kind of trend"


def test_benchmark_notices_a_difference(benchmark):
    ours = benchmark.compare_with_stats(benchmark.make_counts(47, 1, 5, 1)).to_pandas()

    with pytest.raises(AssertionError, match="national differs"):
        benchmark.largest_difference(ours, ours.assign(national=ours["national"] + 1e-6))
