"""Text as printed → values. Anything that could be read in two ways is refused, never guessed."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenpo_lib.normalise import (
    TargetRule,
    display_width,
    fold_width,
    format_fiscal_year,
    format_number,
    legible,
    pad_right,
    parse_date,
    parse_fiscal_year,
    parse_number,
    parse_target,
    pending_reason,
    round_half_up,
)

FULL_WIDTH = str.maketrans("0123456789.,%-", "０１２３４５６７８９．，％－")
decimals_counts = st.integers(0, 4)
amounts = st.integers(-(10**10), 10**10)


# --- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("printed", ["△1.2", "▲１．２", "-1.2", "－１．２", "−1.2", "–1.2"])
def test_parse_number_reads_every_minus_sign(printed):
    # given a negative number as the different documents print it (the triangles are the accountant's minus)
    # when
    number = parse_number(printed)
    # then
    assert (number.value, number.decimals) == (-1.2, 1)


@pytest.mark.parametrize(
    ("printed", "value", "decimals", "unit"),
    [
        ("68.6", 68.6, 1, None),
        ("６８．６％", 68.6, 1, "%"),
        ("33.20 %", 33.2, 2, "%"),
        ("2,680社", 2680, 0, "社"),
        ("8,259千円", 8259, 0, "千円"),
        ("7 日間", 7, 0, "日間"),
        ("12３", 123, 0, None),
        ("5,929社 ※1", 5929, 0, "社"),
        ("56.7％※", 56.7, 1, "%"),
        ("1億3,500万", 135_000_000, 0, None),
        ("3万", 30_000, 0, None),
        ("2億", 200_000_000, 0, None),
    ],
)
def test_parse_number_keeps_value_decimals_and_unit(printed, value, decimals, unit):
    # given a number with separators, a unit or a footnote mark
    # when
    number = parse_number(printed)
    # then
    assert (number.value, number.decimals, number.unit) == (value, decimals, unit)


@pytest.mark.parametrize(
    "printed",
    [
        *("1,23", "1.234,5", "1e5", "0x10", "∞", "NaN", "inf", "1 2", "12.3.4", "--5", "5-", "1,2,3万"),
        *("", " ", "-", "%", "億", "円", "(1.2)", "検証中", "前年度以上", "2,680社以上", "五", "٣", "½", "3.5万"),
    ],
)
def test_parse_number_refuses_what_is_not_one_number(printed):
    # given text that is no number, or a number in a notation that no source uses on purpose
    # when, then
    with pytest.raises(ValueError, match="not a number"):
        parse_number(printed)


@pytest.mark.parametrize("printed", ["63.2¹", "5²", "①", "12③", "63.2₁", "７⁰"])
def test_parse_number_refuses_raised_and_circled_digits(printed):
    # given a number with a footnote mark that width folding would turn into a further digit (63.2¹ into 63.21)
    # when, then
    with pytest.raises(ValueError, match="not a number"):
        parse_number(printed)


@given(scaled=amounts, decimals=decimals_counts)
def test_parse_number_reads_back_what_format_number_shows(scaled, decimals):
    # given any number with up to four decimals
    value = float(Decimal(scaled).scaleb(-decimals))
    # when
    shown = format_number(value, decimals)
    # then the digits, separators and minus sign of the one are those of the other
    assert (parse_number(shown).value, parse_number(shown).decimals) == (value, decimals)


@given(scaled=amounts, decimals=decimals_counts)
def test_parse_number_is_blind_to_width(scaled, decimals):
    # given the same number in half-width and in full-width characters
    shown = f"{Decimal(scaled).scaleb(-decimals):,.{decimals}f}%"
    # when
    numbers = {parse_number(shown), parse_number(shown.translate(FULL_WIDTH))}
    # then
    assert len(numbers) == 1


@given(st.text(max_size=12))
def test_parse_number_returns_a_finite_number_or_refuses(printed):
    # given any text whatever
    # when
    try:
        number = parse_number(printed)
    # then nothing but ValueError is raised, and no infinity or NaN gets through
    except ValueError:
        return
    assert abs(number.value) < float("inf")
    assert any(character.isdigit() for character in fold_width(printed))


@given(value=st.floats(-1e9, 1e9), decimals=decimals_counts)
def test_round_half_up_rounds_the_printed_decimal(value, decimals):
    # given any float; a reader sees its shortest decimal
    printed = Decimal(repr(value))
    # when
    rounded = round_half_up(value, decimals)
    # then it is that decimal rounded away from zero at the half, and rounding again changes nothing
    assert rounded == float(printed.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))
    assert round_half_up(rounded, decimals) == rounded


@pytest.mark.parametrize(
    ("value", "rounded"), [(27.45, 27.5), (0.25, 0.3), (-0.25, -0.3), (58.449, 58.4), (2.675, 2.7)]
)
def test_round_half_up_is_not_fooled_by_binary_fractions(value, rounded):
    # given a value whose half has no exact binary form
    # when, then (Python's round(27.45, 1) is 27.4)
    assert round_half_up(value, 1) == rounded


@pytest.mark.parametrize(
    ("value", "signed", "shown"),
    [
        (12345.6, False, "12,345.6"),
        (-1.25, False, "−1.3"),
        (1.2, True, "+1.2"),
        (-0.04, True, "±0.0"),
        (-0.04, False, "0.0"),
        (None, True, "–"),
    ],
)
def test_format_number_shows_sign_and_absence(value, signed, shown):
    # given a value, perhaps none
    # when, then
    assert format_number(value, 1, signed=signed) == shown


# --- marks for what is not there yet --------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["検証中", "集計中", "未確定", "－", "-", "–", "—", "―", "‐", "−", "…", " – "])
def test_pending_reason_knows_every_mark(mark):
    # given a mark for a value that is announced but not there
    # when
    reason = pending_reason(mark)
    # then it has a reason to show, and is never read as a number
    assert reason
    with pytest.raises(ValueError, match="not a number"):
        parse_number(mark)


@pytest.mark.parametrize("text", ["0", "", "0.0%", "なし", "-5"])
def test_pending_reason_is_null_for_numbers_and_other_text(text):
    # given a cell that is no mark
    # when, then
    assert pending_reason(text) is None


# --- years and dates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "year"),
    [
        *[(text, 2024) for text in ("R6", "r6", "Ｒ６", "令和6年度", "令和６年度", "FY2024", "2024年度", " 2024 ")],
        *[(text, 2019) for text in ("令和元年度", "平成31年度", "H31", "R1")],
        ("平成30年度", 2018),
        ("昭和64年", 1989),
    ],
)
def test_parse_fiscal_year_reads_eras_and_western_years(text, year):
    # given a fiscal year in any notation that the documents use
    # when, then (平成31年度 and 令和元年度 are one year)
    assert parse_fiscal_year(text) == year


@pytest.mark.parametrize(
    "text",
    [
        "R0",
        "令和0年度",
        "令和100年度",
        "平成32年度",
        "H40",
        "昭和65",
        "1899",
        "3024",
        "24",
        "令和6年6月",
        "",
        "元年",
        "2024-25",
        "R6¹",
    ],
)
def test_parse_fiscal_year_refuses_years_that_do_not_exist(text):
    # given no fiscal year, or one that its era does not have
    # when, then
    with pytest.raises(ValueError, match="not a"):
        parse_fiscal_year(text)


@given(year=st.integers(1989, 2117), lang=st.sampled_from(["ja", "en"]))
def test_parse_fiscal_year_reads_back_what_format_fiscal_year_shows(year, lang):
    # given any year of the 平成 and 令和 eras
    # when
    shown = format_fiscal_year(year, lang=lang)
    # then
    assert parse_fiscal_year(shown) == year
    assert parse_fiscal_year(shown.translate(FULL_WIDTH)) == year


@given(year=st.integers(2019, 2117))
def test_format_fiscal_year_adds_the_western_year_on_request(year):
    # given any year of the present era
    # when
    shown = format_fiscal_year(year, western=True)
    # then both years are in it, and the first one of an era is called 元
    era, _, western = shown.partition("（")
    assert parse_fiscal_year(era) == parse_fiscal_year(western.rstrip("）")) == year
    assert ("令和元年度" in shown) == (year == 2019)


def test_parse_date_reads_iso_dates_and_empty_cells():
    # given an ISO date, an empty cell and another notation
    # when, then
    assert parse_date("2024-09-30") == dt.date(2024, 9, 30)
    assert parse_date("") is None
    with pytest.raises(ValueError, match=r"2024/9/30"):
        parse_date("2024/9/30")


# --- targets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "rule", "value", "floor"),
    [
        ("61.7%以上とする", TargetRule.AT_LEAST, 61.7, None),
        ("2,680社以上", TargetRule.AT_LEAST, 2680, None),
        ("1 億 3,500 万以上", TargetRule.AT_LEAST, 135_000_000, None),
        ("15％以下", TargetRule.AT_MOST, 15, None),
        ("7 日以内", TargetRule.AT_MOST, 7, None),
        ("対前年度以上", TargetRule.AT_LEAST_PRIOR, None, None),
        ("前年度以上とする。", TargetRule.AT_LEAST_PRIOR, None, None),
        ("対前年度末以上", TargetRule.AT_LEAST_PRIOR, None, None),
        ("前年度実績以上", TargetRule.AT_LEAST_PRIOR, None, None),
        ("対前年度以下", TargetRule.AT_MOST_PRIOR, None, None),
        ("80%以上。ただし80%以上の支部は対前年度以上", TargetRule.FLOOR_OR_PRIOR, None, 80),
        ("８０％以上。ただし、８０％以上の支部は対前年度末以上とする。", TargetRule.FLOOR_OR_PRIOR, None, 80),
    ],
)
def test_parse_target_reads_each_rule(printed, rule, value, floor):
    # given a target in the words of a plan
    # when
    target = parse_target(printed, higher_is_better=True)
    # then
    assert (target.rule, target.value, target.floor) == (rule, value, floor)


@pytest.mark.parametrize(("higher_is_better", "rule"), [(True, TargetRule.AT_LEAST), (False, TargetRule.AT_MOST)])
def test_parse_target_bare_number_follows_the_direction(higher_is_better, rule):
    # given a target without 以上 or 以下
    # when
    target = parse_target("100％", higher_is_better=higher_is_better)
    # then
    assert (target.rule, target.value) == (rule, 100)


def test_parse_target_bare_number_is_refused_where_neither_direction_is_better():
    # given a bare number for a KPI of which neither more nor less is better
    # when, then
    with pytest.raises(ValueError, match="not a target rule"):
        parse_target("10.0%", higher_is_better=None)


@pytest.mark.parametrize(
    "printed",
    [
        "前年度以上かつ80%以上",
        "80%以上かつ対前年度以上",
        "80%以上。ただし85%以上の支部は対前年度以上",
        "80%以上。ただし80%以上の支部は対前年度以下",
        "対前年度以上及び15%以下",
        "前年度以上ではない",
        "5％以上6％以下",
        "前年度+1%以上",
        "検証中",
        "",
    ],
)
def test_parse_target_refuses_rules_it_would_read_only_in_part(printed):
    # given a rule with a second condition, or none that is known: taking one half of it would judge by another target
    # when, then
    with pytest.raises(ValueError, match="not a"):
        parse_target(printed, higher_is_better=True)


@given(scaled=st.integers(0, 10**7), decimals=st.integers(0, 3), word=st.sampled_from(["以上", "以下"]))
def test_parse_target_reads_back_any_bound(scaled, decimals, word):
    # given any bound
    value = float(Decimal(scaled).scaleb(-decimals))
    # when
    target = parse_target(f"{format_number(value, decimals)}%{word}", higher_is_better=None)
    # then
    assert target.value == value
    assert (target.rule is TargetRule.AT_LEAST) == (word == "以上")


# --- terminals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("04 宮城", 7),
        ("𠮷野家", 6),
        ("葛\U000e0100城", 4),
        ("か\u3099", 2),
        ("e\u0301", 1),
        ("①", 1),
        ("😀", 2),
    ],
)
def test_width_on_a_terminal_counts_places_and_not_signs(text: str, width: int):
    assert display_width(text) == width
    assert pad_right(text, 8) == text + " " * (8 - width)


@given(st.text())
def test_legible_text_can_be_written_and_shows_what_was_hidden(text: str):
    shown = legible(text)

    assert shown.encode("utf-8").decode("utf-8") == shown
    assert all(sign.isprintable() or sign in "\n\t\u3000\xa0" for sign in shown)
    assert all(sign in shown for sign in text if sign.isprintable())
    assert legible(shown) == shown
