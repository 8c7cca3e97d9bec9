"""How the page on the data opens: title, contents, verdict and conclusion."""

from __future__ import annotations

from kenpo_lib.briefing.quality_data import Quality
from kenpo_lib.briefing.quality_words import conclude_quality
from kenpo_lib.kept_verdict import count_checks
from kenpo_lib.language import Text
from kenpo_lib.normalise import format_fiscal_year
from kenpo_lib.tables import Html, bullet_list, heading, join

SECTIONS = {
    "conclusion": Text("結論", "Conclusion"),
    "conflicts": Text("出典の食い違いと注意", "Conflicts and warnings"),
    "coverage": Text("値のそろい具合", "What is known"),
    "years": Text("年度ごとのそろい具合", "What is known by year"),
    "targets": Text("目標のそろい具合", "Targets known"),
    "open": Text("公表待ちと年度途中の値", "Pending and part-way values"),
    "checks": Text("検証の内容", "What was checked"),
    "sources": Text("出典の確からしさと新しさ", "Trust and age of the sources"),
}


def show_quality_header(quality: Quality) -> Html:
    """Title, and what the page is."""
    lang = quality.lang
    year = format_fiscal_year(quality.briefing.fiscal_year, lang=lang, western=True)
    lead = Text(
        "何を確かめ、何に注意が要り、どの値が手元にあるか。ほかの頁はすべてこのデータから作られています。",
        "What was checked, what needs care, and which values are at hand. All other pages are made from these data.",
    )
    return Html('<header><h1 class="parted">{} <span>{}</span></h1><p class="lead">{}</p></header>').format(
        Text("データの品質", "Quality of the data")(lang), year, lead(lang)
    )


def show_quality_contents(quality: Quality) -> Html:
    """The table of contents."""
    lang = quality.lang
    links = [Html('<a href="#{}">{}</a>').format(anchor, text(lang)) for anchor, text in SECTIONS.items()]
    return Html('<nav aria-label="{}">{}</nav>').format(Text("目次", "Contents")(lang), bullet_list(links))


def show_quality_conclusion(quality: Quality) -> Html:
    """The verdict and what it rests on, with the checks counted beside it."""
    lang, total = quality.lang, count_checks(quality.verdict)
    counts = [
        (Text("合格", "Passed"), total["ok"], "met"),
        (Text("公表を止める", "Stop publication"), total["stopping"], "not_met"),
        (Text("注意", "Warn"), total["warning"], "cannot_tell"),
    ]
    tally = join(
        Html('<div class="count {}"><dt>{}</dt><dd>{}</dd></div>').format(css, word(lang), number)
        for word, number, css in counts
    )
    label = Text(f"{total['checks']}の検査", f"{total['checks']} checks")(lang)
    boxes = Html('<div class="tally"><p>{0}</p><dl aria-label="{0}">{1}</dl></div>').format(label, tally)
    return Html("<section>{}{}{}</section>").format(
        heading(2, SECTIONS["conclusion"](lang), anchor="conclusion"),
        boxes,
        bullet_list(conclude_quality(quality), css="conclusion"),
    )
