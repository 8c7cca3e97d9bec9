"""Funnel, caterpillar and contribution charts as specifications: lines where they belong, no interval without counts."""

from __future__ import annotations

import math

import builders
import polars as pl
import pytest
from specifications import assert_drawn_as_checked

from kenpo_lib import charts
from kenpo_lib.catalogue import NATION, Direction
from kenpo_lib.charts import theme
from kenpo_lib.compare import compute_comparison
from kenpo_lib.contribution import SCHEMA
from kenpo_lib.spread import compute_funnel_curves, find_funnel

RATE = builders.kpi()
Z = {0.95: 1.959963984540054, 0.998: 3.090232306167813}
# Twelve branches around 30 %: one far above, one far below, ten that differ a little more than by chance.
COUNTS = {
    **{
        f"{code:02d}": (shares, size)
        for code, (shares, size) in enumerate(
            [
                (0.29, 9000),
                (0.31, 8000),
                (0.295, 7000),
                (0.305, 6000),
                (0.28, 5000),
                (0.32, 4000),
                (0.30, 3000),
                (0.31, 20000),
            ],
            start=1,
        )
    },
    **{"09": (0.29, 40000), "10": (0.305, 60000), "11": (0.45, 5000), "12": (0.15, 6000)},
}


# --- given ------------------------------------------------------------------------------------------------------------


def compare(counts=COUNTS, *, kpi=RATE, national=30.0, without_counts=()):
    """The comparison of branches given as share and denominator, beside a published nation if there is one."""
    rows = [
        {
            "branch_code": code,
            "value": round(100 * share, 1),
            **({} if code in without_counts else {"numerator": round(share * size), "denominator": size}),
        }
        for code, (share, size) in counts.items()
    ]
    if national is not None:
        rows.append({"branch_code": NATION, "value": national})
    return compute_comparison(builders.tables(rows), builders.catalogue(kpi))


def contribution(totals, *, volume=0.0):
    """A contribution frame whose branches have these rate effects, and all the same volume effect."""
    rows = [
        {
            "branch_code": f"{code:02d}",
            "branch_name": f"支部{code}",
            "kind": "counts",
            "rate_effect": total,
            "volume_effect": volume,
            "total": total + volume,
        }
        for code, total in enumerate(totals, start=1)
    ]
    return pl.DataFrame([{name: row.get(name) for name in SCHEMA} for row in rows], schema=SCHEMA)


# --- when: reading a specification ------------------------------------------------------------------------------------


def layers(chart, kind, **mark):
    """Layers of the (schema-checked) specification with their rows, by type and properties of their mark."""
    spec = chart.to_dict()
    assert_drawn_as_checked(chart, spec)
    found = []
    for layer in spec.get("layer", [spec]):
        if layer["mark"]["type"] == kind and mark.items() <= layer["mark"].items():
            data = layer.get("data", spec.get("data"))
            found.append({**layer, "rows": data["values"] if "values" in data else spec["datasets"][data["name"]]})
    return found


def rows(found):
    return [row for layer in found for row in layer["rows"] if row]


def words(chart):
    fixed = [layer["mark"]["text"] for layer in layers(chart, "text") if "text" in layer["mark"]]
    fields = [
        row[layer["encoding"]["text"]["field"]]
        for layer in layers(chart, "text")
        if "text" in layer.get("encoding", {})
        for row in layer["rows"]
    ]
    return [*fixed, *fields]


def render(chart):
    return charts.render_svg(chart, id_prefix="t", label="図")


# --- the curves of a funnel -------------------------------------------------------------------------------------------


def test_curves_are_the_limits_of_chance_and_those_with_the_usual_differences():
    # given
    values = compare()
    tau2 = find_funnel(values).overdispersion.tau2
    # when
    curves = compute_funnel_curves(values, steps=5)
    # then a second calculation gives the same lines around the published nation
    assert tau2 > 0
    assert curves.height == 5 * 2 * 2
    assert curves["denominator"].min() < 3000
    assert curves["denominator"].max() > 60000
    for row in curves.to_dicts():
        z, n = Z[row["level"]], row["denominator"]
        if row["is_adjusted"]:
            margin = z * math.sqrt(1 / (4 * n) + tau2)
            expected = [100 * math.sin(math.asin(math.sqrt(0.3)) + side * margin) ** 2 for side in (-1, 1)]
        else:
            margin = 100 * z * math.sqrt(0.3 * 0.7 / n)
            expected = [30 - margin, 30 + margin]
        assert [row["lower"], row["upper"]] == pytest.approx(expected, abs=1e-9)


def test_adjusted_curves_equal_those_of_chance_where_branches_differ_no_more():
    # given twelve branches with the same share
    values = compare({code: (0.3, size) for code, (_, size) in COUNTS.items()})
    # when
    curves = compute_funnel_curves(values)
    # then
    halves = [curves.filter(pl.col("is_adjusted") == flag).drop("is_adjusted") for flag in (True, False)]
    assert halves[0].equals(halves[1])


def test_funnel_is_the_one_that_the_comparison_has_its_positions_from(comparison):
    # given every group of the real comparison that has a funnel
    placed = comparison.filter(pl.col("funnel_z").is_not_null())
    groups = list(placed.group_by("kpi_id", "definition", "fiscal_year"))
    assert groups
    for _, group in groups:
        # when
        funnel = find_funnel(group)
        # then
        group = group.sort("branch_code")
        assert list(funnel.position) == group["funnel_position"].to_list()
        assert list(funnel.adjusted_position) == group["funnel_adjusted_position"].to_list()
        assert list(funnel.adjusted_z) == pytest.approx(group["funnel_adjusted_z"].to_list(), abs=1e-9)


@pytest.mark.parametrize("count", [0, 1, 9])
def test_no_funnel_below_ten_branches(count):
    # given
    values = compare(dict(list(COUNTS.items())[:count]))
    # when, then
    assert find_funnel(values) is None
    assert compute_funnel_curves(values).is_empty()
    chart = charts.draw_funnel(values, RATE, lang="ja")
    assert words(chart) == ["件数の分かる支部が10に満たない"]
    assert "<svg" in render(chart)


def test_no_funnel_where_one_branch_has_no_counts():
    assert find_funnel(compare(without_counts=("05",))) is None


# --- the funnel plot --------------------------------------------------------------------------------------------------


def test_funnel_draws_full_lines_for_chance_and_dashed_ones_with_overdispersion():
    # given
    values = compare()
    # when
    chart = charts.draw_funnel(values, RATE, lang="ja")
    # then each of four curves twice, where the helper says
    lines = layers(chart, "line")
    dashed = [line for line in lines if "strokeDash" in line["mark"]]
    assert (len(lines), len(dashed)) == (8, 4)
    expected = compute_funnel_curves(values).filter(pl.col("is_adjusted") & (pl.col("level") == 0.998))
    heights = {tuple(row["y"] for row in line["rows"]) for line in dashed}
    for side in ("lower", "upper"):
        assert tuple(expected[side].round(4).to_list()) in heights
    assert lines[0]["encoding"]["x"]["scale"]["type"] == "log"
    assert {"95%", "99.8%", "偶然だけの限界", "支部間のふだんの差も見込む限界"} <= set(words(chart))
    assert "<svg" in render(chart)


def test_funnel_puts_every_branch_at_its_denominator_and_the_rate_of_its_counts():
    # given
    values = compare()
    # when
    points = rows(layers(charts.draw_funnel(values, RATE, lang="ja"), "point"))
    # then
    placed = {(row["x"], round(row["y"], 9)) for row in points if "x" in row}
    expected = {(size, round(100 * round(share * size) / size, 9)) for share, size in COUNTS.values()}
    assert placed == expected


def test_funnel_names_those_outside_and_marks_those_that_the_verdict_calls_different():
    # given
    values = compare()
    outside = values.filter(pl.col("funnel_adjusted_position") != "within")
    different = values.filter(pl.col("statistical").is_in(["better", "worse"]))
    assert outside.height
    assert outside.height < 12
    # when
    chart = charts.draw_funnel(values, RATE, lang="ja")
    # then triangles point the way the branch differs
    names = set(values["branch_name"]) & set(words(chart))
    assert names == set(outside["branch_name"]) | set(different["branch_name"])
    up, down = (rows(layers(chart, "point", shape=f"triangle-{way}")) for way in ("up", "down"))
    assert sorted(row["x"] for row in [*up, *down]) == sorted(different["denominator"])
    assert all(row["y"] > 30 for row in up)
    assert all(row["y"] < 30 for row in down)


@pytest.mark.parametrize(("national", "name"), [(31.0, "全国 31.0%"), (None, "12支部の合計 30.0%")])
def test_funnel_names_its_centre_by_what_it_is(national, name):
    # given
    values = compare(national=national)
    # when
    chart = charts.draw_funnel(values, RATE, lang="ja")
    # then the line stands at the centre
    (rule,) = [layer for layer in layers(chart, "rule") if "y" in (layer["rows"][0] or {})]
    assert rule["rows"][0]["y"] == pytest.approx(find_funnel(values).centre)
    assert name in words(chart)


# --- the caterpillar plot ---------------------------------------------------------------------------------------------


def test_caterpillar_draws_intervals_for_branches_with_counts_only():
    # given twelve values, one without counts
    values = compare(without_counts=("05",))
    # when
    chart = charts.draw_caterpillar(values, RATE, lang="ja")
    # then
    spans = [row for row in rows(layers(chart, "rule")) if "x2" in row]
    known = values.filter(pl.col("lower_95").is_not_null())
    assert sorted(row["x"] for row in spans) == pytest.approx(sorted(known["lower_95"]))
    assert sorted(row["x2"] for row in spans) == pytest.approx(sorted(known["upper_95"]))
    assert len(spans) == 11
    assert len(rows(layers(chart, "point", shape="circle"))) == 12
    assert "線のない支部は件数が未公表" in words(chart)
    # and nothing is shrunken where not all have counts
    assert layers(chart, "point", shape="triangle-up") == []


def test_caterpillar_shows_shrunken_values_small_and_hollow():
    # given
    values = compare()
    # when
    marks = layers(charts.draw_caterpillar(values, RATE, lang="ja"), "point", shape="triangle-up", filled=False)
    # then
    assert sorted(row["x"] for row in rows(marks)) == pytest.approx(sorted(values["shrunk_value"]))


@pytest.mark.parametrize(
    ("direction", "best"), [(Direction.HIGHER, "11"), (Direction.LOWER, "12"), (Direction.NEITHER, "11")]
)
def test_caterpillar_puts_the_best_on_top(direction, best):
    # given
    kpi = builders.kpi(direction=direction)
    values = compare(kpi=kpi)
    # when
    points = rows(layers(charts.draw_caterpillar(values, kpi, lang="ja"), "point", shape="circle"))
    # then
    top = min((row for row in points), key=lambda row: row["y"])
    assert top["x"] == values.filter(pl.col("branch_code") == best)["value"][0]


def test_caterpillar_draws_the_nation_by_its_name_and_the_chosen_branch_strong():
    # given
    values = compare()
    # when
    chart = charts.draw_caterpillar(values, RATE, lang="ja", branch_code="04")
    # then
    assert [row["x"] for row in rows(layers(chart, "point", shape="diamond"))] == [30.0]
    assert "全国 30.0%" in words(chart)
    own = values.filter(pl.col("branch_code") == "04")["value"].to_list()
    assert [row["x"] for row in rows(layers(chart, "point", color=theme.STRONG))] == own
    assert "<svg" in render(chart)


@pytest.mark.parametrize("count", [0, 1])
def test_caterpillar_with_no_branch_or_one(count):
    # given
    values = compare(dict(list(COUNTS.items())[:count]), national=None)
    # when
    chart = charts.draw_caterpillar(values, RATE, lang="en")
    # then
    assert len(rows(layers(chart, "point", shape="circle"))) == count
    assert ("No data" in words(chart)) is (count == 0)
    assert "<svg" in render(chart)


# --- the contribution chart -------------------------------------------------------------------------------------------


def test_contribution_draws_ten_movers_and_the_others_together():
    # given 47 branches that move the nation by 1 to 47 hundredths
    frame = contribution([code / 100 for code in range(1, 48)], volume=-0.01)
    # when
    chart = charts.draw_contribution(frame, RATE, lang="ja")
    # then the largest on top, 37 in one row, and all of it drawn
    bars = rows(layers(chart, "bar", color=theme.STRONG))
    assert len(bars) == 11
    assert [row["x2"] for row in sorted(bars, key=lambda row: row["y"])][:2] == [0.47, 0.46]
    assert sum(row["x2"] for row in bars) == pytest.approx(frame["rate_effect"].sum(), abs=1e-12)
    assert {"ほかの37支部", "支部47", "+0.460"} <= set(words(chart))
    assert all(row["x"] == 0 for row in bars)
    assert "<svg" in render(chart)


def test_contribution_tells_rate_from_volume_without_colour():
    # given
    chart = charts.draw_contribution(contribution([0.1, -0.2], volume=0.05), RATE, lang="ja")
    # when
    filled, framed = layers(chart, "bar", color=theme.STRONG), layers(chart, "bar", color=theme.PAPER)
    # then one is filled, the other an empty, thinner frame; both stand in the key
    assert filled[0]["mark"]["height"] > framed[0]["mark"]["height"]
    assert framed[0]["mark"]["stroke"] == theme.INK
    assert {"率が変わった分", "規模が変わった分"} <= set(words(chart))
    assert len(layers(chart, "rect")) == 2


@pytest.mark.parametrize(("totals", "shown"), [([], "データなし"), ([0.0], "±0.000"), ([0.3], "+0.300")])
def test_contribution_with_nothing_to_show(totals, shown):
    chart = charts.draw_contribution(contribution(totals), RATE, lang="ja")

    assert shown in words(chart)
    assert "<svg" in render(chart)
