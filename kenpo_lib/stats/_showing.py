"""Results show themselves in a notebook: what is one number in a line, what is one number for each in a row of a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from kenpo_lib.language import Text, say
from kenpo_lib.tables import table

MOST_ROWS = 60
_MOST_IN_LINE = 12

# By class, attribute (where others have it too, of which class) or verdict; what is not here stands as the code has it.
WORDS = {
    "Interval": Text("区間", "Interval"),
    "Funnel": Text("ファンネル", "Funnel"),
    "Shrunk": Text("縮小推定", "Shrunken values"),
    "Overdispersion": Text("過分散", "Overdispersion"),
    "Scores": Text("標準化した値", "Scores"),
    "Trend": Text("最近の傾向", "Recent trend"),
    "Pace": Text("目標への進み方", "Pace"),
    "ToDate": Text("前年度の同じ時点との比較", "Year to date"),
    "RankSets": Text("順位の区間", "Rank intervals"),
    "RankMovement": Text("順位の動き", "Movement of ranks"),
    "Contribution": Text("全国の変化への寄与", "Contribution"),
    "LeaveOneOut": Text("自支部を除く全国", "Leave one out"),
    "Projection": Text("年度末の見通し", "Projection"),
    "BackTest": Text("過去での試し", "Back test"),
    "ControlChart": Text("管理図", "Control chart"),
    "Signals": Text("管理図の兆候", "Signals"),
    "IncentiveScore": Text("インセンティブの得点", "Incentive score"),
    "Reward": Text("報奨", "Reward"),
    "OneMoreStep": Text("あと一歩", "One more step"),
    "WayToReward": Text("報奨までの距離", "Way to the reward"),
    # attributes
    "value": Text("値", "value"),
    "lower": Text("下限", "lower"),
    "upper": Text("上限", "upper"),
    "reason": Text("理由", "reason"),
    "centre": Text("中心", "centre"),
    "weight": Text("重み", "weight"),
    "branches": Text("支部数", "branches"),
    "position": Text("位置", "position"),
    "z": Text("z得点", "z score"),
    "inner": Text("95%", "95 %"),
    "outer": Text("99.8%", "99.8 %"),
    "interval": Text("区間", "interval"),
    "direction": Text("向き", "direction"),
    "slope": Text("1年あたり", "slope"),
    "points": Text("得点", "points"),
    "statistic": Text("検定統計量", "statistic"),
    "first_year": Text("最初の年度", "first year"),
    "last_year": Text("前年度", "last year"),
    "this_year": Text("今年度", "this year"),
    "difference": Text("差", "difference"),
    "ratio": Text("比", "ratio"),
    "basis": Text("根拠", "basis"),
    "expected": Text("目安", "expected"),
    "is_on_pace": Text("目安どおり", "on pace"),
    "rank": Text("順位", "rank"),
    "needed_per_month": Text("月あたり必要", "needed per month"),
    "prior": Text("前", "prior"),
    "current": Text("今", "current"),
    "change": Text("変化", "change"),
    "median": Text("中央値", "median"),
    "within": Text("限界の内", "within"),
    "coverage": Text("割合", "coverage"),
    "total": Text("合計", "total"),
    "rate_effect": Text("率の効果", "rate effect"),
    "volume_effect": Text("規模の効果", "volume effect"),
    "before": Text("前", "before"),
    "after": Text("後", "after"),
    "nation": Text("全国", "nation"),
    "without": Text("自支部を除く", "without"),
    "shift": Text("ずれ", "shift"),
    "months": Text("月数", "months"),
    "projected": Text("見通し", "projected"),
    "to_date": Text("これまで", "to date"),
    "rate": Text("率", "rate"),
    "probability": Text("達成の確率", "probability"),
    "trials": Text("試した数", "trials"),
    "fiscal_year": Text("年度", "fiscal year"),
    "is_rewarded": Text("報奨あり", "rewarded"),
    "kind": Text("種類", "kind"),
    "segment": Text("区分", "segment"),
    "is_complete": Text("全支部あり", "complete"),
    "Trend.last_year": Text("最後の年度", "last year"),
    "Trend.points": Text("点の数", "points"),
    "RankMovement.within": Text("収まる幅", "within"),
    "skipped": Text("区間がなかった数", "skipped"),
    "median_error": Text("誤差の中央値", "median error"),
    "coverage_by_months": Text("月数ごとの割合", "coverage by months"),
    "sigma_z": Text("ばらつきの倍率", "sigma z"),
    "warning_lower": Text("警戒下限", "warning lower"),
    "warning_upper": Text("警戒上限", "warning upper"),
    "adjusted_z": Text("差を見込んだz得点", "adjusted z"),
    "deviation": Text("偏差値", "deviation"),
    "adjusted_position": Text("差を見込んだ位置", "adjusted position"),
    "weights": Text("重み", "weights"),
    "level_points": Text("実績の得点", "level points"),
    "growth_points": Text("伸びの得点", "growth points"),
    "left_out": Text("含まない要素", "left out"),
    "rewarded": Text("報奨の支部数", "rewarded"),
    "Scheme.points": Text("満点", "points"),
    "total_gain": Text("合計の増加", "total gain"),
    "rank_gain": Text("順位の上昇", "rank gain"),
    "phi": Text("z値の2乗平均", "mean squared z"),
    "tau2": Text("支部間の分散", "variance between branches"),
    "past_years": Text("過去の年数", "past years"),
    "dispersion": Text("月ごとのばらつき", "dispersion"),
    "rate_lower": Text("率の下限", "rate, lower"),
    "rate_upper": Text("率の上限", "rate, upper"),
    "share_spread": Text("年度間のばらつき", "spread between years"),
    "degrees": Text("自由度", "degrees of freedom"),
    "needed_ratio": Text("過去に対する必要な倍率", "needed ratio"),
    "reduction": Text("引き下げ", "reduction"),
    "net": Text("差し引き", "net"),
    "effect": Text("比べる尺度の値", "effect"),
    "increase": Text("必要な増加", "increase"),
    "standard_error": Text("標準誤差", "standard error"),
    "centre_error": Text("中心の標準誤差", "error of the centre"),
    "beyond_limits": Text("限界の外", "beyond limits"),
    "trend": Text("続く動き", "trend"),
    "two_in_three": Text("3点中2点が警戒域", "two in three"),
    "combined": Text("まとめ", "combined"),
    # verdicts and reasons
    "missing_count": Text("件数がない", "missing count"),
    "missing_denominator": Text("分母がない", "missing denominator"),
    "zero_denominator": Text("分母が0", "zero denominator"),
    "few_events": Text("件数が少ない", "few events"),
    "no_values": Text("値がない", "no values"),
    "single_value": Text("値が1つ", "single value"),
    "no_spread": Text("偶然以上の差がない", "no spread"),
    "prior_is_zero": Text("前が0", "prior is zero"),
    "low_99.8": Text("99.8%限界より低い", "below 99.8 %"),
    "low_95": Text("95%限界より低い", "below 95 %"),
    "high_99.8": Text("99.8%限界より高い", "above 99.8 %"),
    "high_95": Text("95%限界より高い", "above 95 %"),
    "up": Text("上向き", "up"),
    "down": Text("下向き", "down"),
    "none": Text("なし", "none"),
    "cannot_tell": Text("判定できない", "cannot tell"),
    "significant": Text("偶然を超える", "significant"),
    "not_significant": Text("偶然の範囲", "not significant"),
    "all_equal": Text("すべて同じ", "all equal"),
    "one_point_decides": Text("1点で決まる", "one point decides"),
    "too_few_points": Text("点が少ない", "too few points"),
    "no_interval": Text("区間がない", "no interval"),
    "even_months": Text("毎月同じ", "even months"),
    "level": Text("水準", "level"),
    "complete": Text("12か月分あり", "complete"),
    "season_assumed": Text("季節を仮定", "season assumed"),
    "missing_month": Text("欠けた月", "missing month"),
    "xmr": Text("XmR管理図", "XmR"),
    "p": Text("p管理図", "p"),
    "p_prime": Text("p′管理図", "p′"),
    "u": Text("u管理図", "u"),
    "u_prime": Text("u′管理図", "u′"),
    "no_complete_year": Text("通年の実績がない", "no complete year"),
    "nothing_yet": Text("まだ0", "nothing yet"),
}


class Shown:
    """A dataclass of numbers and arrays that shows itself as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        parts = list(_flatten(self))
        length = max((len(value) for _, value in parts if _is_series(value)), default=0)
        columns = [(name, value) for name, value in parts if _is_series(value) and len(value) == length]
        facts = [(name, value) for name, value in parts if not (_is_series(value) and len(value) == length)]
        title = _word(type(self).__name__)
        if not columns:
            return table(title, [say("項目", "Item"), say("値", "Value")], map(_write_fact, facts), css="data")
        more = length - MOST_ROWS
        rest = [say(f"ほか {more} 行", f"{more} more rows")] if more > 0 else []
        notes = say("、", "; ").join([*(" ".join(_write_fact(fact)) for fact in facts), *rest])
        headings = [say("添字", "Index"), *(name for name, _ in columns)]
        rows = ([at, *(_write(value[at]) for _, value in columns)] for at in range(min(length, MOST_ROWS)))
        return table(title + say(f"（{notes}）", f" ({notes})") if notes else title, headings, rows, css="data")


def _flatten(result: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Attributes with what they are called; those of results within it too, and of pairs of limits."""
    names = getattr(result, "_fields", None) or [field.name for field in dataclasses.fields(result)]
    for name in names:
        value = getattr(result, name)
        if dataclasses.is_dataclass(value) or hasattr(value, "_fields"):
            yield from _flatten(value, f"{before}{name}.")
        else:
            word = WORDS.get(f"{type(result).__name__}.{name}") or WORDS.get(name)
            yield _name(f"{before}{name}", word), value


def _is_series(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1


def _name(name: str, word: Text | None) -> str:
    """The attribute, which is what one types, and what it is."""
    said = say(word.ja, word.en) if word else ""
    return name if said in ("", name.replace("_", " ")) else f"{name} {said}"


def _word(text: str) -> str:
    known = WORDS.get(text)
    return say(known.ja, known.en) if known else text


def _write_fact(fact: tuple[str, Any]) -> tuple[str, str]:
    return fact[0], _write(fact[1])


def _write(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        if value.size <= _MOST_IN_LINE and value.ndim == 1:
            return ", ".join(map(_write, value))
        return say("配列 ", "array ") + " × ".join(map(str, value.shape))
    if isinstance(value, tuple):
        return ", ".join(map(_write, value)) or "–"
    plain = value.item() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(plain, bool):
        return say("はい", "yes") if plain else say("いいえ", "no")
    if isinstance(plain, float):
        return "–" if np.isnan(plain) else f"{plain:.5g}" if abs(plain) < 1e5 else f"{plain:,.0f}"
    return "–" if plain is None or plain == "" else _word(str(plain))
