"""Where marks and their labels go: pure arithmetic on numbers and texts, without Altair and without data frames."""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Hashable, Iterable, Sequence

TICK_STEPS = (1, 2, 2.5, 5, 10)
NARROW_LETTER = 0.65  # of the font size: digits and Latin letters; full-width ones count 1


def is_number(value: object) -> bool:
    """A finite number: null, NaN and infinities are not drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def text_width(text: str, size: float) -> float:
    """Room for a text in pixels, rather too wide than too narrow."""
    wide = sum(unicodedata.east_asian_width(letter) in "FWA" for letter in text)
    return size * (wide + NARROW_LETTER * (len(text) - wide))


def padded_domain(
    values: Iterable[float], *, decimals: int, floor: float | None = 0.0, ceiling: float | None = None
) -> tuple[float, float]:
    """The ends of a value axis: room around the values, not forced to zero, never blowing up a tiny difference.

    Args:
        values: At least one number.
        decimals: Published precision; the axis covers at least ten of its units and 6 % of the size of the values.
        floor: The axis does not go below this while no value does.
        ceiling: The same for the upper end.
    """
    numbers = sorted(values)
    low, high = numbers[0], numbers[-1]
    span = max(high - low, 10 * 10.0**-decimals, 0.06 * max(abs(low), abs(high)))
    middle = (low + high) / 2
    start, end = middle - 0.62 * span, middle + 0.62 * span
    if floor is not None and low >= floor:
        near_floor = low - floor < 0.35 * (high - floor)
        start = floor if near_floor else max(start, floor)
    if ceiling is not None and high <= ceiling:
        end = min(end, ceiling)
    return (start, end) if end > start else (start, start + span)


def nice_ticks(start: float, end: float, *, about: int) -> list[float]:
    """Round numbers within the axis: of the round steps the one that gives most nearly ``about`` of them."""
    power = 10.0 ** math.floor(math.log10((end - start) / about))
    ways = {step: _multiples(start, end, step * power) for step in TICK_STEPS}
    awkward = {2.5: 0.9}  # quarters read less easily; only where they fit clearly better
    return min(ways.items(), key=lambda way: (abs(len(way[1]) - about) + awkward.get(way[0], 0), len(way[1])))[1]


def _multiples(start: float, end: float, step: float) -> list[float]:
    first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def format_ticks(ticks: Sequence[float], *, lang: str) -> dict[float, str]:
    """What stands at each tick: as many decimals as they need; large numbers in 万 and 億 (K, M in English)."""
    largest = max((abs(tick) for tick in ticks), default=0)
    scales = [(1e8, "億"), (1e4, "万")] if lang == "ja" else [(1e9, "B"), (1e6, "M"), (1e3, "K")]
    divisor, suffix = next(((size, word) for size, word in scales if largest >= 10 * size), (1.0, ""))
    scaled = [float(f"{tick / divisor:.12g}") for tick in ticks]
    decimals = max((len(f"{value:.12f}".rstrip("0").partition(".")[2]) for value in scaled), default=0)
    return {
        tick: f"{value:,.{decimals}f}{suffix if value else ''}".replace("-", "−")
        for tick, value in zip(ticks, scaled, strict=True)
    }


def number_runs(keys: Sequence[tuple[Hashable, int]]) -> list[int]:
    """The run that each (series, year) belongs to: a new one wherever the series changes or a year is left out."""
    runs, run = [], -1
    for before, (series, year) in itertools.pairwise([None, *keys]):
        run += before is None or before != (series, year - 1)
        runs.append(run)
    return runs


def spread_apart(places: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Move labels as little as needed so that they stand ``gap`` apart between ``low`` and ``high``; order is kept."""
    order = sorted(range(len(places)), key=lambda index: (places[index], index))
    moved = [min(max(places[index], low), high) for index in order]
    for _ in range(20):  # pairs push each other apart; more than enough for the few labels of one chart
        for left in range(len(moved) - 1):
            push = (gap - (moved[left + 1] - moved[left])) / 2
            if push > 0:
                moved[left] -= push
                moved[left + 1] += push
        moved = [min(max(place, low), high) for place in moved]
    for left in range(len(moved) - 1):
        moved[left + 1] = max(moved[left + 1], moved[left] + gap)
    result = [0.0] * len(places)
    for index, place in zip(order, moved, strict=True):
        result[index] = place
    return result


def stack_dots(places: Sequence[float], *, diameter: float) -> list[int]:
    """The level of each dot, 0 at the axis, so that dots on one level do not touch. First come, lowest level."""
    levels: list[list[float]] = []
    result = []
    for place in places:
        free = (
            level for level, taken in enumerate(levels) if all(abs(place - other) >= diameter - 1e-6 for other in taken)
        )
        level = next(free, len(levels))
        if level == len(levels):
            levels.append([])
        levels[level].append(place)
        result.append(level)
    return result


def quantile_classes(values: Sequence[float], *, count: int) -> list[int]:
    """The class of each value, 0 for the lowest: about equally many in each, equal values always together."""
    ordered = sorted(values)
    first_place: dict[float, int] = {}
    for place, value in enumerate(ordered):
        first_place.setdefault(value, place)
    raw = [count * first_place[value] // len(ordered) for value in values]
    used = sorted(set(raw))
    if len(used) == 1:
        return [count // 2] * len(raw)
    # With many ties some classes stay empty; the used ones are spread over the whole scale.
    return [round(used.index(level) * (count - 1) / (len(used) - 1)) for level in raw]


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``. Source: WCAG 2.2, definition of relative luminance."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21. Source: WCAG 2.2, definition of contrast ratio."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def place_flags(
    anchors: Sequence[float], widths: Sequence[float], *, low: float, high: float, gap: float = 5
) -> list[tuple[int, int]]:
    """Where the texts of a few upright rules go: the row (0 on top) and the side (1 right of its rule, -1 left).

    A rule hangs down from its row, so it can run through a text further down. All ways to place up to three texts are
    compared; the best leaves nothing outside, lets nothing touch, uses few rows and keeps the first text on top.
    """

    def cost(rows: tuple[int, ...], sides: tuple[int, ...]) -> float:
        boxes = [
            (anchor + gap, anchor + gap + width) if side > 0 else (anchor - gap - width, anchor - gap)
            for anchor, width, side in zip(anchors, widths, sides, strict=True)
        ]
        total = 2.0 * max(rows) + 0.5 * rows[0] + 0.1 * sum(side < 0 for side in sides)
        for one, (left, right) in enumerate(boxes):
            total += 10 * (max(0.0, low - left) + max(0.0, right - high))
            for other in range(len(anchors)):
                if other == one:
                    continue
                if rows[other] == rows[one] and boxes[other][0] < right + gap and left < boxes[other][1] + gap:
                    total += 100
                if rows[other] <= rows[one] and left - 6 < anchors[other] < right + 6:
                    total += 30
        return total

    count = len(anchors)
    if not count:
        return []
    ways = (
        (rows, sides)
        for rows in itertools.product(range(count), repeat=count)
        for sides in itertools.product((1, -1), repeat=count)
    )
    rows, sides = min(ways, key=lambda way: (cost(*way), way))
    return list(zip(rows, sides, strict=True))


def place_names(
    dots: Sequence[tuple[float, float]],
    widths: Sequence[float],
    *,
    others: Sequence[tuple[float, float]],
    lines: Sequence[tuple[float, float]],
    width: float,
    height: float,
    row: float,
    gap: float,
    needed: int,
) -> list[tuple[float, float] | None]:
    """Where the middles of the names of some dots go: beside their dots, clear of each other; null where there is no room.

    Args:
        dots: The places of the dots with names, the most important first: they choose first.
        widths: Of the names.
        others: All dots, which a name does not cover,
        lines: and points of lines, which it had better not.
        width: Names stay between 0 and this,
        height: and this.
        row: The height of a name.
        gap: From the middle of a dot to its name.
        needed: So many of the first names are placed in any case.
    """
    placed: list[tuple[float, float, float]] = []  # middle and width
    result: list[tuple[float, float] | None] = []
    for place, ((x, y), long) in enumerate(zip(dots, widths, strict=True)):
        ways = [(x + side * (gap + long / 2), y + up * row) for up in (0, -0.6, 0.6, -1, 1) for side in (1, -1)]
        ways += [(x, y - gap - row / 2), (x, y + gap + row / 2)]

        def cost(way: tuple[float, float], long: float = long) -> tuple[int, int, int]:
            at, level = way
            is_outside = at - long / 2 < 0 or at + long / 2 > width or not row / 2 <= level <= height - row / 2
            clashes = sum(abs(at - px) < (long + wide) / 2 + 2 and abs(level - py) < row for px, py, wide in placed)
            covered, crossed = (
                sum(abs(at - px) < long / 2 + 3 and abs(level - py) < row / 2 + 2 for px, py in points)
                for points in (others, lines)
            )
            return clashes + is_outside, covered, crossed

        best = min(ways, key=cost)  # the first of equals
        if any(cost(best)[:2]) and place >= needed:
            result.append(None)
        else:
            placed.append((*best, long))
            result.append(best)
    return result
