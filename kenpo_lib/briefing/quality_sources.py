"""The sources: what each gives, how far it can be trusted, and how old it is beside the newest."""

from __future__ import annotations

from kenpo_lib.briefing.kpi_words import year_words
from kenpo_lib.briefing.quality import SECTIONS
from kenpo_lib.briefing.quality_data import Quality
from kenpo_lib.briefing.quality_words import say_trust
from kenpo_lib.briefing.sources import TRUST_WORDS, issued_words, trust_words
from kenpo_lib.language import Text
from kenpo_lib.tables import Html, cell, heading, table


def show_quality_sources(quality: Quality) -> Html:
    """Every source with the number of figures from it, newest first."""
    lang = quality.lang
    sources = quality.data.tables["sources"].sort("order_date", "source_id", descending=[True, False])
    title = heading(2, SECTIONS["sources"](lang), anchor="sources")
    if sources.is_empty():
        return Html("<section>{}<p>{}</p></section>").format(title, say_trust(quality))
    given = quality.data.facts["figures"]
    newest = sources["order_date"][0]
    headings = [
        word(lang)
        for word in (
            Text("文書", "Document"),
            Text("発行", "Issuer"),
            Text("公表", "Issued"),
            Text("古さ", "Age"),
            Text("数値", "Figures"),
            Text("年度", "Years"),
            Text("確からしさ", "Trust"),
        )
    ]
    rows = [
        [
            Html("{}<br><small>{}</small>").format(row["title"], row["source_id"]),
            row["issuer"],
            cell(issued_words(row, lang), label=headings[2]),
            cell(age_words(row["order_date"], newest, lang), label=headings[3]),
            *(
                cell(words, label=label)
                for words, label in zip(_figures_words(given.get(row["source_id"]), lang), headings[4:6], strict=True)
            ),
            cell(trust_words(row, lang), label=headings[6]),
        ]
        for row in sources.to_dicts()
    ]
    return Html('<section>{}<p>{}{}</p>{}<p class="note">{}</p></section>').format(
        title,
        say_trust(quality),
        say_trusted_share(quality, given),
        table(SECTIONS["sources"](lang), headings, rows, css="sources cards ages"),
        Text(
            "「古さ」は、最も新しい出典との差。「数値」は、実績・目標・統計・予算・自己評価の行数。"
            "公表の時期が文書に書かれていないものは、推定の年月を使っています。",
            "Age: behind the newest source. Figures: rows of results, targets, statistics, budgets and self-assessments. "
            "Where a document does not say when it was issued, an assumed month is used.",
        )(lang),
    )


def _figures_words(given: dict | None, lang: str) -> tuple[str, str]:
    return ("0", "–") if given is None else (f"{given['figures']:,}", span_words(given["first"], given["last"], lang))


def span_words(first: int, last: int, lang: str) -> str:
    """``令和5～6年度``: the years from the first to the last, the era said once."""
    start, end = year_words(first, lang), year_words(last, lang)
    if first == last:
        return end
    if lang == "ja" and start[:2] == end[:2]:
        return f"{start.removesuffix('年度')}～{end[2:]}"
    return Text(f"{start}～{end}", f"{start}–{end}")(lang)


def say_trusted_share(quality: Quality, given: dict[str, dict]) -> str:
    """How many of the figures come from sources of the highest trust."""
    total = sum(entry["figures"] for entry in given.values())
    if not total:
        return ""
    trust = dict(quality.data.tables["sources"].select("source_id", "trust").iter_rows())
    high = sum(entry["figures"] for source_id, entry in given.items() if trust.get(source_id) == "high")
    share, word = f"{100 * high / total:.0f}%", TRUST_WORDS["high"]
    return Text(
        f"数値{total:,}のうち{share}は、確からしさが「{word.ja}」の出典によるものです。",
        f" Of {total:,} figures, {share} are from sources of {word.en} trust.",
    )(quality.lang)


def age_words(order_date: str, newest: str, lang: str) -> str:
    """``5年10か月``: how many months a source is behind the newest one; both are YYYY-MM or YYYY-MM-DD."""
    months = 12 * (int(newest[:4]) - int(order_date[:4])) + int(newest[5:7]) - int(order_date[5:7])
    years, months = divmod(months, 12)
    if not years and not months:
        return "–"
    ja = (f"{years}年" if years else "") + (f"{months}か月" if months else "")
    en = " ".join(part for part in (f"{years} y" if years else "", f"{months} m" if months else "") if part)
    return Text(ja, en)(lang)
