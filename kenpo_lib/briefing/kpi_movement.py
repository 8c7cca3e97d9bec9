"""Which branches moved most in rank: since the year before, and since the first year of the definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from kenpo_lib import sentences
from kenpo_lib.briefing.kpi_data import KpiDetail, Row
from kenpo_lib.briefing.kpi_words import year_words
from kenpo_lib.briefing.words import list_few
from kenpo_lib.catalogue import Direction
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_number
from kenpo_lib.tables import Html, bullet_list, data_details, heading, join, table

SHOWN = 5
MIN_SPAN = 3  # years, from which on a second table says something else than the first


@dataclass(frozen=True, slots=True)
class Move:
    """One branch between two years of one definition; ``climbed`` is positive for the better (for a higher value, without one)."""

    branch_code: str
    rank_before: int
    rank_after: int
    value_before: float
    value_after: float

    @property
    def climbed(self) -> int:
        return self.rank_before - self.rank_after


def list_moves(detail: KpiDetail, start: int) -> list[Move]:
    """All branches between ``start`` and the newest year, most climbed first; none unless both years have all ranked."""
    if detail.latest is None:
        return []
    definition, end = detail.latest
    ranked = detail.values.filter(
        (pl.col("definition") == definition)
        & (pl.col("ranked_count") == detail.branch_count)
        & pl.col("fiscal_year").is_in([start, end])
    )
    before, after = (
        {row["branch_code"]: row for row in ranked.filter(pl.col("fiscal_year") == year).to_dicts()}
        for year in (start, end)
    )
    moves = [
        Move(code, before[code]["rank"], row["rank"], before[code]["value"], row["value"])
        for code, row in after.items()
        if start != end and code in before
    ]
    return sorted(moves, key=lambda move: (-move.climbed, move.branch_code))


def list_spans(detail: KpiDetail) -> list[int]:
    """The years from which on movements are shown: the year before the newest, and the first one if it is long ago."""
    if detail.latest is None:
        return []
    definition, end = detail.latest
    full = detail.years.filter((pl.col("definition") == definition) & pl.col("is_full"))
    years = full["fiscal_year"].to_list()
    starts = [end - 1] if end - 1 in years else []
    if years and end - years[0] >= MIN_SPAN:
        starts.append(years[0])
    return [start for start in starts if list_moves(detail, start)]


def has_movement(detail: KpiDetail) -> bool:
    return bool(list_spans(detail))


def show_kpi_movement(detail: KpiDetail) -> Html:
    """The branches whose rank moved most, either way; empty without two years in which all are ranked."""
    spans, lang = list_spans(detail), detail.lang
    if not spans:
        return Html("")
    blocks = [_span_block(detail, start) for start in spans]
    return Html('<section>{}{}<div class="grid">{}</div>{}</section>').format(
        heading(2, Text("順位が大きく動いた支部", "Branches whose rank moved most")(lang), anchor="movement"),
        bullet_list(describe_movement(detail), css="conclusion"),
        join(blocks),
        _all_moves(detail, spans),
    )


def describe_movement(detail: KpiDetail) -> list[str]:
    """Who moved further than usual since the year before, and how far is usual."""
    lang, (definition, end) = detail.lang, detail.latest
    rows = [row for row in detail.rows_in(definition, end) if row["rank_change"] is not None]
    usual = next((row["rank_change_usual"] for row in rows if row["rank_change_usual"] is not None), None)
    said = []
    if rows and usual is not None:
        far = sorted((row for row in rows if abs(row["rank_change"]) > usual), key=_distance)
        names = [
            Text("{}（{}位→{}位）", "{} ({} → {})")(lang).format(
                detail.branches[row["branch_code"]].name(lang), row["prior_rank"], row["rank"]
            )
            for row in far
        ]
        within = format_number(usual, 0)
        text = Text(
            f"この指標では、1年の動きの9割が{within}位以内です。前年度からそれより大きく動いたのは"
            + (f"{list_few(names, 'ja')}です。" if names else "ありません。"),
            f"Nine in ten yearly movements of this KPI stay within {within} ranks. Further since the year before: "
            + (f"{list_few(names, 'en')}." if names else "none."),
        )
        said.append(text(lang))
    caution = Text(
        "順位はわずかな差でも動きます。値そのものの変化と合わせて読んでください。",
        "Ranks move by small differences: read them with the change of the value.",
    )
    said.append(caution(lang))
    if detail.kpi.direction is Direction.NEITHER:
        high = Text(
            "良し悪しのない指標なので、順位は値の高い順です。", "Neither way is better: rank 1 is the highest value."
        )
        said.append(high(lang))
    return said


def _distance(row: Row) -> tuple[int, str]:
    return -abs(row["rank_change"]), row["branch_code"]


def _span_block(detail: KpiDetail, start: int) -> Html:
    moves, lang, end = list_moves(detail, start), detail.lang, detail.latest[1]
    span = Text(
        f"{year_words(start, 'ja')}から{year_words(end, 'ja')}", f"{year_words(start, 'en')} to {year_words(end, 'en')}"
    )(lang)
    up = _pick(moves, up=True)
    down = _pick(moves, up=False)
    tables = [
        _move_table(detail, chosen, Text(f"{word.ja}支部（{span}）", f"{word.en} ({span})")(lang))
        for chosen, word in ((up, Text("順位が上がった", "Climbed")), (down, Text("順位が下がった", "Fell")))
        if chosen
    ]
    return Html('<div class="kpi">{}</div>').format(join(tables))


def _pick(moves: Sequence[Move], *, up: bool) -> list[Move]:
    """The five that moved furthest one way, and those that moved as far as the fifth of them."""
    chosen = [move for move in moves if (move.climbed > 0 if up else move.climbed < 0)]
    chosen.sort(key=lambda move: (-abs(move.climbed), move.branch_code))
    if len(chosen) <= SHOWN:
        return chosen
    return [move for move in chosen if abs(move.climbed) >= abs(chosen[SHOWN - 1].climbed)]


def _move_table(detail: KpiDetail, moves: Sequence[Move], caption: str) -> Html:
    lang, kpi = detail.lang, detail.kpi
    headings = [
        word(lang)
        for word in (Text("支部", "Branch"), Text("順位", "Rank"), Text("動き", "Moved"), Text("値", "Value"))
    ]
    rows = [
        [
            detail.branches[move.branch_code].name(lang),
            Text(f"{move.rank_before}位→{move.rank_after}位", f"{move.rank_before} → {move.rank_after}")(lang),
            f"{'↑' if move.climbed > 0 else '↓'}{abs(move.climbed)}",
            f"{sentences.value_words(move.value_before, kpi, lang)} → {sentences.value_words(move.value_after, kpi, lang)}",
        ]
        for move in moves
    ]
    return table(caption, headings, rows, css="climbs")


def _all_moves(detail: KpiDetail, spans: Sequence[int]) -> Html:
    lang, kpi, end = detail.lang, detail.kpi, detail.latest[1]
    headings = [
        word(lang)
        for word in (
            Text("支部コード", "Code"),
            Text("支部", "Branch"),
            Text("前の年度", "From"),
            Text("後の年度", "To"),
            Text("前の順位", "Rank before"),
            Text("後の順位", "Rank after"),
            Text("前の値", "Value before"),
            Text("後の値", "Value after"),
        )
    ]
    rows = [
        [
            move.branch_code,
            detail.branches[move.branch_code].name(lang),
            start,
            end,
            move.rank_before,
            move.rank_after,
            format_number(move.value_before, kpi.decimals),
            format_number(move.value_after, kpi.decimals),
        ]
        for start in spans
        for move in list_moves(detail, start)
    ]
    caption = Text("すべての支部の順位の動き", "Movement of all ranks")(lang)
    name = f"kenpo_{kpi.kpi_id}_FY{end}_ranks.csv"
    return data_details(headings, rows, file_name=name, caption=caption, lang=lang)
