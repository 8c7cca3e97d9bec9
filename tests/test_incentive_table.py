"""The incentive scores from curated tables to page and command line: against a second implementation in loops, and by changing
what the tables say."""

from __future__ import annotations

import csv
import io
import json
import re
import statistics
from pathlib import Path

import builders
import nbformat
import polars as pl
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner, Result

from kenpo_lib import briefing as show
from kenpo_lib import charts
from kenpo_lib.cli import cli
from kenpo_lib.curated import Tables, write_tables
from kenpo_lib.errors import InputError
from kenpo_lib.incentive import PARTS, READING_NOTE, compute_incentive, list_incentive_years, list_indicators
from kenpo_lib.page import CONTENT_SECURITY_POLICY, check_page, sanitise
from kenpo_lib.stats.incentive import INDICATORS

YEARS = (2020, 2021, 2022, 2023, 2024)
JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


@pytest.fixture(scope="module")
def scores(tables, catalogue) -> dict[int, pl.DataFrame]:
    return {year: compute_incentive(tables, catalogue, fiscal_year=year) for year in YEARS}


def row_of(frame: pl.DataFrame, code: str = "04") -> dict:
    (row,) = frame.filter(pl.col("branch_code") == code).to_dicts()
    return row


def set_rate(tables: Tables, kpi_id: str, value: float | None, *, code: str = "04", year: int = 2024) -> Tables:
    """The same tables with another rate of one branch; without it if None."""
    observations = tables["observations"]
    is_cell = (
        (pl.col("branch_code") == code)
        & (pl.col("kpi_id") == kpi_id)
        & (pl.col("fiscal_year") == year)
        & (pl.col("component") == "total")
    )
    assert observations.filter(is_cell).height == 1
    if value is None:
        return tables | {"observations": observations.filter(~is_cell)}
    changed = pl.when(is_cell).then(pl.lit(value)).otherwise(pl.col("value")).alias("value")
    return tables | {"observations": observations.with_columns(changed)}


# --- against loops ---------------------------------------------------------------------------------------------------

OLD = [(50, 60, 20, 20), (50, 60, 20, 20), (50, 100, 0, 0), (50, 50, 50, 0), (50, 50, 50, 0)]
NEW = [(70, 50, 25, 25), (70, 50, 25, 25), (80, 100, 0, 0), (50, 50, 50, 0), (50, 50, 50, 0)]
AGES = ("40-44", "45-49", "50-54", "55-59", "60-64", "65-69", "70+")


def score_plainly(tables: Tables, year: int) -> dict[str, list[tuple[float, float]]]:
    """Level and growth points of the five indicators by branch, one number at a time."""
    rates, eligible = {}, {}
    for row in tables["observations"].to_dicts():
        if row["kpi_id"] in INDICATORS and row["branch_code"] != "00" and row["component"] == "total":
            rates[row["branch_code"], row["kpi_id"], row["fiscal_year"]] = row["value"]
    for row in tables["statistics"].to_dicts():
        if row["statistic"] == "subscribers" and row["component"] in AGES:
            key = row["branch_code"], row["fiscal_year"]
            eligible[key] = eligible.get(key, 0) + row["value"]
    codes = [f"{number:02}" for number in range(1, 48)]

    def deviate(numbers: list[float]) -> list[float]:
        mean, spread = statistics.fmean(numbers), statistics.pstdev(numbers)
        return [50 + 10 * (number - mean) / spread for number in numbers]

    points = {code: [] for code in codes}
    for kpi_id, (worth, level, by_rate, by_count) in zip(INDICATORS, OLD if year < 2022 else NEW, strict=True):
        if (kpi_id, year) == ("urgent_visit_rate", 2022):  # another definition than the year before
            level, by_rate = 100, 0
        pairs = [(rates[code, kpi_id, year], rates[code, kpi_id, year - 1]) for code in codes]
        of_level = deviate([now for now, _ in pairs])
        of_rate = deviate([(now - before) / (100 - before) for now, before in pairs]) if by_rate else [0] * 47
        counts = [
            now / before * eligible[code, year] / eligible[code, year - 1]
            for (now, before), code in zip(pairs, codes, strict=True)
        ]
        of_count = deviate(counts) if by_count else [0] * 47
        for i, code in enumerate(codes):
            growth = (by_rate * of_rate[i] + by_count * of_count[i]) / 100
            points[code].append((worth / 50 * of_level[i] * level / 100, worth / 50 * growth))
    return points


@pytest.mark.parametrize("year", YEARS)
def test_scores_agree_with_loops(scores, tables, year):
    # given
    points = score_plainly(tables, year)
    totals = {code: sum(level + growth for level, growth in parts) for code, parts in points.items()}
    # when, then every part of every branch
    for row in scores[year].to_dicts():
        own = points[row["branch_code"]]
        for kpi_id, (level, growth) in zip(INDICATORS, own, strict=True):
            assert row[f"{kpi_id}_level_points"] == pytest.approx(level)
            assert row[f"{kpi_id}_growth_points"] == pytest.approx(growth, abs=1e-9)
            assert row[f"{kpi_id}_points"] == pytest.approx(level + growth)
        assert row["level_points"] == pytest.approx(sum(level for level, _ in own))
        assert row["growth_points"] == pytest.approx(sum(growth for _, growth in own))
        assert row["total"] == pytest.approx(totals[row["branch_code"]])
        assert row["rank"] == 1 + sum(other > totals[row["branch_code"]] + 1e-9 for other in totals.values())


@pytest.mark.parametrize("year", YEARS)
def test_scores_have_the_properties_of_the_scheme(scores, catalogue, year):
    frame = scores[year]
    rewarded, mean = (23, 250) if year < 2022 else (15, 320)

    assert tuple(frame["branch_code"]) == catalogue.branch_codes
    assert frame["total"].mean() == pytest.approx(mean)
    assert set(frame["mean_total"]) == {mean}
    assert set(frame["rewarded_ranks"]) == {rewarded}
    assert set(frame["scheme"]) == {"FY2018-2021" if year < 2022 else "FY2022-"}
    assert frame["is_rewarded"].sum() == rewarded
    assert (frame["is_rewarded"] == (frame["rank"] <= rewarded)).all()
    last = frame.filter("is_rewarded")["total"].min()
    first_without = frame.filter(~pl.col("is_rewarded"))["total"].max()
    for row in frame.to_dicts():
        assert row["points_to_reward"] == pytest.approx(max(0, last - row["total"]), abs=1e-8)
        lead = row["total"] - first_without if row["is_rewarded"] else None
        assert row["points_ahead"] == (lead if lead is None else pytest.approx(lead, abs=1e-8))


def test_scores_say_what_is_left_out_and_where_growth_begins(scores):
    left_out = {year: scores[year]["left_out"].to_list()[0] for year in YEARS}
    first = [year for year in YEARS if scores[year]["is_first_with_growth"].all()]

    assert left_out == {year: [] for year in YEARS} | {2022: ["urgent_visit_rate:rate_growth"]}
    assert first == [2020]
    assert scores[2022]["urgent_visit_rate_prior_value"].null_count() == 47
    assert all(scores[year]["is_approximate"].all() for year in YEARS)


# --- what would change it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "code"), [(2024, "04"), (2021, "13"), (2022, "47"), (2024, "13")])
@pytest.mark.parametrize("kpi_id", INDICATORS)
def test_the_increase_needed_reaches_the_reward_and_nothing_smaller_does(scores, tables, catalogue, kpi_id, year, code):
    # given a branch without reward
    own = row_of(scores[year], code)
    if own["is_rewarded"]:
        assert own[f"{kpi_id}_increase_needed"] == 0
        return
    needed = own[f"{kpi_id}_increase_needed"]

    def rank_with(increase: float) -> int:
        changed = set_rate(tables, kpi_id, round(own[f"{kpi_id}_value"] + increase, 1), code=code, year=year)
        return row_of(compute_incentive(changed, catalogue, fiscal_year=year), code)["rank"]

    # when, then
    assert needed == pytest.approx(round(needed, 1))
    assert rank_with(needed) <= own["rewarded_ranks"]
    assert rank_with(needed - 0.1) > own["rewarded_ranks"]


@pytest.mark.parametrize("kpi_id", INDICATORS)
def test_one_more_point_changes_total_and_rank_as_said(scores, tables, catalogue, kpi_id):
    own = row_of(scores[2024])
    raised = set_rate(tables, kpi_id, round(own[f"{kpi_id}_value"] + 1, 1))

    after = row_of(compute_incentive(raised, catalogue, fiscal_year=2024))

    assert after["total"] - own["total"] == pytest.approx(own[f"{kpi_id}_plus_one_points"])
    assert own["rank"] - after["rank"] == own[f"{kpi_id}_plus_one_ranks"]


# --- the reward ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", YEARS)
def test_the_reward_shares_the_fund_out(scores, tables, year):
    # given
    frame = scores[year]
    fund = 0.007 if year == 2020 else 0.01
    projected = tables["statistics"].filter(
        (pl.col("statistic") == "total_remuneration") & (pl.col("fiscal_year") == year + 2)
    )
    # when, then: all of it, to the rewarded only, by the remuneration of the year in which it is paid
    assert set(frame["reward_year"]) == {year + 2}
    assert frame["remuneration_million_yen"].sum() == pytest.approx(projected["value"].sum())
    assert frame["reward_million_yen"].sum() == pytest.approx(fund / 100 * projected["value"].sum())
    assert ((frame["reward_pct"] > 0) == frame["is_rewarded"]).all()
    assert (frame["net_pct"] + frame["reward_pct"]).to_list() == pytest.approx([fund] * 47)


def test_the_published_effect_stands_beside_the_computed_one(scores):
    frame = scores[2024]

    off = (frame["net_pct"] - frame["published_net_pct"]).abs()
    assert frame["published_net_pct"].null_count() == 0
    assert off.max() < 0.03
    assert row_of(frame)["published_net_pct"] == 0.01


def test_without_remuneration_there_is_no_reward_but_a_rank(tables, catalogue):
    kept = tables["statistics"].filter(
        ~((pl.col("statistic") == "total_remuneration") & (pl.col("branch_code") == "13"))
    )

    frame = compute_incentive(tables | {"statistics": kept}, catalogue, fiscal_year=2024)

    for column in ("reward_pct", "net_pct", "reward_million_yen"):
        assert frame[column].null_count() == 47
    assert frame["is_rewarded"].sum() == 15


# --- missing and doubled figures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2024, 2023])  # the year itself, and the one that growth needs
def test_a_branch_without_a_value_has_no_score_and_nobody_is_called_rewarded(tables, catalogue, year):
    frame = compute_incentive(set_rate(tables, "specific_guidance_rate", None, year=year), catalogue, fiscal_year=2024)

    own = row_of(frame)
    assert own["total"] is own["rank"] is own["level_points"] is own["specific_guidance_rate_points"] is None
    assert own["generic_share_annual_points"] is not None
    assert frame["rank"].max() == 46
    assert set(frame["ranked_count"]) == {46}
    for column in (
        "is_rewarded",
        "points_to_reward",
        "points_ahead",
        "net_pct",
        "generic_share_annual_increase_needed",
    ):
        assert frame[column].null_count() == 47


def test_growth_of_the_rate_stands_for_counts_where_there_is_no_projection(scores, tables, catalogue):
    kept = tables["statistics"].filter(~((pl.col("statistic") == "subscribers") & (pl.col("component") == "65-69")))

    frame = compute_incentive(tables | {"statistics": kept}, catalogue, fiscal_year=2024)

    assert set(scores[2024]["count_growth_by"]) == {"subscribers_40_74"}
    assert set(frame["count_growth_by"]) == {"rate"}
    for kpi_id in INDICATORS[:2]:
        rate, count = (frame[f"{kpi_id}_{part}_score"].to_list() for part in ("rate_growth", "count_growth"))
        assert rate == pytest.approx(count)


def test_the_newest_source_wins_as_in_the_comparison(scores, tables, catalogue):
    newer = tables["observations"].filter(
        (pl.col("branch_code") == "04") & (pl.col("kpi_id") == "generic_share_annual") & (pl.col("fiscal_year") == 2024)
    )
    newer = newer.with_columns(pl.lit(90.4).alias("value"), pl.lit("newer").alias("source_id"))
    issued = (
        tables["sources"]
        .head(1)
        .with_columns(pl.lit("newer").alias("source_id"), pl.lit("2099-01").alias("order_date"))
    )
    doubled = tables | {
        "observations": pl.concat([newer, tables["observations"]]),
        "sources": pl.concat([tables["sources"], issued]),
    }

    own = row_of(compute_incentive(doubled, catalogue, fiscal_year=2024))

    assert own["generic_share_annual_value"] == 90.4
    gained = row_of(scores[2024])["generic_share_annual_plus_one_points"]
    assert own["total"] == pytest.approx(row_of(scores[2024])["total"] + gained)


def test_values_are_those_of_the_comparison(scores, comparison):
    for year in YEARS:
        long = list_indicators(scores[year]).select("branch_code", "kpi_id", "value", "prior_value")
        compared = comparison.filter((pl.col("fiscal_year") == year) & pl.col("kpi_id").is_in(INDICATORS))
        joined = long.join(
            compared.select("branch_code", "kpi_id", "value", "prior_value"), on=["branch_code", "kpi_id"]
        )
        assert joined.height == 47 * 5
        assert joined["value"].equals(joined["value_right"])
        assert joined["prior_value"].to_list() == joined["prior_value_right"].to_list()


def test_only_years_with_all_indicators_and_a_year_before_are_scored(tables, catalogue):
    assert list_incentive_years(tables, catalogue) == list(YEARS)
    for year in (2017, 2019, 2025):
        with pytest.raises(InputError, match="2020, 2021, 2022, 2023, 2024"):
            compute_incentive(tables, catalogue, fiscal_year=year)
    nothing = builders.tables()
    assert list_incentive_years(nothing, catalogue) == []
    with pytest.raises(InputError, match="なし"):
        compute_incentive(nothing, catalogue, fiscal_year=2024)


def test_list_indicators_gives_the_same_figures_by_indicator(scores):
    long = list_indicators(scores[2024])

    assert long.columns == ["branch_code", "kpi_id", *PARTS, "mean_level_points", "mean_growth_points"]
    own = long.filter(pl.col("branch_code") == "04")
    assert own["kpi_id"].to_list() == list(INDICATORS)
    assert own["points"].sum() == pytest.approx(row_of(scores[2024])["total"])
    assert own["mean_level_points"].to_list() == pytest.approx([35, 35, 80, 25, 25])
    assert own["mean_growth_points"].to_list() == pytest.approx([35, 35, 0, 25, 25], abs=1e-9)


def test_data_dictionary_explains_every_column(scores):
    section = (builders.ROOT / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    section = section.partition("## The incentive score")[2].partition("\n## ")[0]
    explained = set(re.findall(r"`([a-z_0-9]+)`", section))
    columns = {column for column in scores[2024].columns if not column.startswith(INDICATORS)}

    assert columns - explained == set()
    assert set(PARTS) - explained == set()


# --- the command line ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(curated, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("incentive")
    for part in ("expectations", "notebooks", "data"):
        (folder / part).mkdir()
    write_tables(curated[0], folder / "data" / "curated", inputs=curated[1])
    return folder


def run(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--project", str(project), "incentive", *arguments])


def test_command_prints_csv_and_json_with_every_column(project, scores):
    table = run(project, "--fiscal-year", "令和6年度", "--format", "csv")
    objects = run(project, "--fiscal-year", "2024", "--branch", "宮城,47", "--format", "json")

    rows = list(csv.DictReader(io.StringIO(table.stdout_bytes.decode("utf-8-sig"), newline="")))
    assert (table.exit_code, len(rows)) == (0, 47)
    assert list(rows[0]) == scores[2024].columns
    assert float(rows[3]["total"]) == row_of(scores[2024])["total"]
    both = json.loads(objects.stdout_bytes)
    assert both == scores[2024].filter(pl.col("branch_code").is_in(["04", "47"])).to_dicts()
    for result in (table, objects):
        assert result.stderr == READING_NOTE("ja") + "\n"


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_command_prints_a_table_and_says_that_it_is_an_approximation(project, monkeypatch, lang):
    monkeypatch.setenv("KENPO_LANG", lang)

    result = run(project, "--fiscal-year", "R3", "--branch", "4,13")

    lines = result.stdout.splitlines()
    assert (result.exit_code, len(lines)) == (0, 4)
    assert "23" in lines[0]
    assert re.search(r"17/47 .* 24\.3 ", lines[2])  # rewarded: nothing is missing
    assert re.search(r"33/47 .* 51\.5 \(\+4\.7\)", lines[3])
    assert bool(JAPANESE.search(result.stdout)) == (lang == "ja")
    assert result.stderr == READING_NOTE(lang) + "\n"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--fiscal-year", "2019"], "2020, 2021, 2022, 2023, 2024"),
        (["--fiscal-year", "2025"], "2020, 2021, 2022, 2023, 2024"),
        (["--fiscal-year", "x"], "年度"),
        (["--fiscal-year", "2024", "--branch", "48"], "'48'"),
        (["--fiscal-year", "2024", "--format", "xml"], "xml"),
        ([], "--fiscal-year"),
    ],
)
def test_command_refuses_what_it_cannot_do(project, arguments, word):
    result = run(project, *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert word in result.stderr
    assert "Traceback" not in result.stderr


def test_help_leads_to_the_data_dictionary():
    assert "docs/data_dictionary.md" in CliRunner().invoke(cli, ["incentive", "--help"]).stdout


# --- the pages -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def brief(tables, catalogue, comparison, nation):
    """A briefing of any branch, year and language, from tables that may be others."""

    def make(tables=tables, branch_code="04", fiscal_year=2024, lang="ja"):
        page = {"branch_code": branch_code, "fiscal_year": fiscal_year, "lang": lang}
        return builders.briefing(tables, catalogue, comparison, nation, **page)

    return make


def page_of(section: str, lang: str) -> BeautifulSoup:
    """The section in a page that passes the check."""
    html = (
        f'<!doctype html><html lang="{lang}"><head><meta http-equiv="Content-Security-Policy" '
        f'content="{CONTENT_SECURITY_POLICY}"></head><body><h1>x</h1>{sanitise(str(section))}</body></html>'
    )
    assert check_page(html) == []
    return BeautifulSoup(html, "html.parser")


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_section_of_miyagi_says_total_rank_distance_and_that_it_is_a_reading(brief, scores, lang):
    own = row_of(scores[2024])

    page = page_of(show.show_incentive(brief(lang=lang)), lang)

    assert page.h2["id"] == "incentive"
    said = page.find("p").get_text()
    for number in (own["total"], own["points_to_reward"]):
        assert f"{number:.1f}" in said
    for word in {"ja": ("47支部中21位", "上位15支部", "概算", "+0.010"), "en": ("rank 21 of 47", "not rewarded")}[lang]:
        assert word in said
    assert READING_NOTE(lang) in page.get_text()
    table = page.find("table", class_="cards")
    assert len(table.tbody.find_all("tr")) == 5
    cells = [cell.get_text() for cell in table.tbody.find_all("tr")[2].find_all("td")]
    assert cells[0] == "32.2%"
    assert "+0.6" in cells[5]
    assert "32.8%" in cells[5]
    assert page.find("details").find("a", download="kenpo_04_FY2024_incentive.csv")
    assert page.svg["aria-label"] in page.figcaption.get_text()
    if lang == "en":
        assert not JAPANESE.search(page.body.get_text())


def test_section_of_a_rewarded_branch_says_what_it_gains(brief):
    page = page_of(show.show_incentive(brief(branch_code="15")), "ja")

    said = page.find("p").get_text()
    assert "47支部中1位" in said
    assert "88.6点上回る" in said
    assert "−0.234ポイントの見込み" in said
    assert "公表された値は−0.21ポイント" in said
    assert {row.find_all("td")[-1].get_text() for row in page.find("table", class_="cards").tbody.find_all("tr")} == {
        "入っている"
    }


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_section_of_2022_says_that_growth_of_indicator_4_is_left_out(brief, lang):
    text = page_of(show.show_incentive(brief(fiscal_year=2022, lang=lang)), lang).get_text()

    assert {"ja": "定義が変わり前年度と比べられない", "en": "the definition changed"}[lang] in text
    assert {"ja": "伸びを計算できる最初", "en": "first year for which growth"}[lang] not in text


def test_section_without_a_score_says_so(brief, tables):
    lacking = set_rate(tables, "specific_guidance_rate", None)

    own = page_of(show.show_incentive(brief(tables=lacking)), "ja").get_text()
    other = page_of(show.show_incentive(brief(tables=lacking, branch_code="15")), "ja").find("p").get_text()
    ranking = page_of(show.show_incentive_ranking(brief(tables=lacking, branch_code="00")), "ja")

    assert "合計点と順位は計算できない" in own
    assert "46支部中1位" in other
    assert "報奨の対象" not in other
    assert ranking.tbody.find_all("tr")[-1].th.get_text() == "04 宮城"


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_years_without_a_score_have_no_section_and_no_link_to_it(brief, lang):
    for code in ("04", "00"):
        without = brief(fiscal_year=2019, lang=lang, branch_code=code)
        assert show.show_incentive(without) == ""
        assert show.show_incentive_ranking(without) == ""
        assert "#incentive" not in show.show_contents(without)
        assert show.show_contents(brief(lang=lang, branch_code=code)).count('href="#incentive"') == 1
    assert show.show_incentive(brief(branch_code="00")) == ""


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_ranking_lists_all_branches_by_rank_and_says_that_it_is_a_reading(brief, scores, lang):
    page = page_of(show.show_incentive_ranking(brief(branch_code="00", lang=lang)), lang)

    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in page.tbody.find_all("tr")]
    wanted = scores[2024].sort("rank", "branch_code").to_dicts()
    assert [row[0][:2] for row in rows] == [row["branch_code"] for row in wanted]
    assert [row[1] for row in rows] == [str(row["rank"]) for row in wanted]
    assert sum(row[5] == {"ja": "対象", "en": "rewarded"}[lang] for row in rows) == 15
    assert page.h2["id"] == "incentive"
    assert READING_NOTE(lang) in page.get_text()


def test_notebooks_show_the_sections():
    for name, call, after in (
        ("20_branch_profile", "show.show_incentive(briefing)", "show_theme"),
        ("10_national_overview", "show.show_incentive_ranking(briefing)", "show_kpi_overview"),
    ):
        notebook = nbformat.read(builders.ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
        nbformat.validate(notebook)
        sources = [cell.source for cell in notebook.cells]
        place = sources.index(call)
        assert after in "".join(sources[:place])
        assert "show_sources" in "".join(sources[place:])
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


# --- the chart -------------------------------------------------------------------------------------------------------


def points(**changes: list) -> pl.DataFrame:
    plain = {
        "name": ["甲", "乙"],
        "level_points": [40.0, 20.0],
        "growth_points": [30.0, 0.0],
        "mean_level_points": [35.0, 25.0],
        "mean_growth_points": [35.0, 0.0],
    }
    return pl.DataFrame(plain | changes, strict=False)


def rects(chart) -> list[tuple[str, dict]]:
    spec = chart.to_dict()
    return [
        (layer["mark"]["fill"], row)
        for layer in spec["layer"]
        if layer["mark"]["type"] == "rect"
        for row in layer["data"].get("values") or spec["datasets"][layer["data"]["name"]]
        if row
    ]


def test_chart_draws_growth_as_an_empty_frame_behind_the_level():
    drawn = rects(charts.draw_incentive_points(points(), lang="ja"))

    own = [(fill, row["from"], row["to"]) for fill, row in drawn if row["top"] < 20]
    assert len(drawn) == 6
    assert own[0][1:] == (0, 40)
    assert own[1] == ("#ffffff", 40, 70)
    assert own[0][0] != "#ffffff"


def test_total_stands_right_of_the_bars_where_growth_is_negative():
    chart = charts.draw_incentive_points(points(level_points=[26.2, 8.3], growth_points=[-2.4, -14.0]), lang="ja")

    spec = chart.to_dict()
    layers = [
        (layer["mark"], spec["datasets"][layer["data"]["name"]]) for layer in spec["layer"] if "name" in layer["data"]
    ]
    totals = {row["text"]: row["from"] for mark, rows in layers if mark.get("fontWeight") == "bold" for row in rows}
    assert totals == {"23.8": 26.2, "−5.7": 8.3}
    assert [mark["type"] for mark, _ in layers].count("rule") == 1


def test_chart_draws_what_is_known():
    missing = charts.draw_incentive_points(points(level_points=[None, 20.0], growth_points=[None, -3.0]), lang="en")
    nothing = charts.draw_incentive_points(points().clear(), lang="en")

    drawn = [(row["from"], row["to"]) for _, row in rects(missing)]
    assert (-3, 0) in drawn
    assert (0, 20) in drawn
    svg = charts.render_svg(missing, id_prefix="i", label="points")
    assert "甲" in svg
    assert "No data" in charts.render_svg(nothing, id_prefix="i", label="points")
