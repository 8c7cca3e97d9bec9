"""The mark of one value of a KPI among the branches: the verdict on it, or the fifth it lies in."""

from __future__ import annotations

from dataclasses import dataclass

from kenpo_lib.briefing.kpi_data import Row
from kenpo_lib.briefing.words import DIFFERENT
from kenpo_lib.language import Text


@dataclass(frozen=True, slots=True)
class Band:
    """The mark of one value.

    Attributes:
        css: Class of the cell, for its shade; empty for none.
        mark: The sign; empty for the middle fifth and where nothing can be said.
        words: What a screen reader says for the sign, and the legend explains.
    """

    css: str
    mark: str
    words: Text


_NOTHING = Band("", "", Text("", ""))
# Which fifth, by number: a triangle beside a figure is a minus sign in Japanese documents, an arrow a rank that was climbed.
_FIFTHS = (
    Band("band-1", "①", Text("上位5分の1", "best fifth")),
    Band("band-2", "②", Text("上から2番目の5分の1", "second fifth")),
    Band("", "", Text("中ほど", "middle fifth")),
    Band("band-4", "④", Text("下から2番目の5分の1", "fourth fifth")),
    Band("band-5", "⑤", Text("下位5分の1", "last fifth")),
)
_HIGH_LOW = (
    Band("band-high", "①", Text("高いほうの5分の1", "highest fifth")),
    Band("", "②", Text("2番目に高い5分の1", "second highest fifth")),
    Band("", "", Text("中ほど", "middle fifth")),
    Band("", "④", Text("2番目に低い5分の1", "second lowest fifth")),
    Band("band-high", "⑤", Text("低いほうの5分の1", "lowest fifth")),
)
_VERDICTS = {
    "better": Band("band-1", "◆", Text("全国より良く、偶然とはいえない", "better than the nation by more than chance")),
    "worse": Band("band-5", "◇", Text("全国より悪く、偶然とはいえない", "worse than the nation by more than chance")),
    "higher": Band("band-high", "◆", Text("全国より高く、偶然とはいえない", "above the nation by more than chance")),
    "lower": Band("band-high", "◇", Text("全国より低く、偶然とはいえない", "below the nation by more than chance")),
    "no_difference": Band("", "≒", Text("全国と差があるとはいえない", "no difference from the nation found")),
    "same": Band("", "≒", Text("全国と差があるとはいえない", "no difference from the nation found")),
}


def find_band(row: Row) -> Band:
    """The mark of a value: the verdict where counts allow one, else its fifth of all branches, else nothing."""
    if row["statistical"] in (*DIFFERENT, "no_difference", "same"):
        return _VERDICTS[row["statistical"]]
    if row["quantile_group"] is None:
        return _NOTHING
    return (_HIGH_LOW if row["direction"] == "neither" else _FIFTHS)[row["quantile_group"] - 1]
