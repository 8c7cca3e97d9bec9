"""Which branches a user means: codes, names, ranges, all."""

from __future__ import annotations

from kenpo_lib.catalogue.entries import NATION, Catalogue
from kenpo_lib.errors import InputError, hint_nearest
from kenpo_lib.language import say
from kenpo_lib.normalise import fold_width

# As people write lists and ranges: ``04、13``, ``40〜47``, ``40–47``. A full-width tilde is a plain one by then.
_SIGNS = str.maketrans({"、": ",", **dict.fromkeys("〜~−–—‐", "-")})


def parse_branch_list(catalogue: Catalogue, text: str) -> tuple[str, ...]:
    """Codes of the branches that a user named: ``04``, ``宮城``, ``04,13,40-47``, ``all``; in the order of the codes.

    Raises:
        InputError: An unknown branch (the valid ones and the nearest are named) or an empty list.
    """
    chosen: set[str] = set()
    parts = [part.strip() for part in fold_width(text).translate(_SIGNS).split(",")]
    if parts in ([""], []):
        raise InputError(_unknown_branch(catalogue, text))
    for part in parts:
        if part.casefold() in ("all", "すべて", "全支部"):
            chosen.update(catalogue.branch_codes)
            continue
        first, dash, last = part.partition("-")
        ends = [catalogue.find_branch(end) for end in ((first, last) if dash else (part,))]
        if any(end is None or end.branch_code == NATION for end in ends):
            raise InputError(_unknown_branch(catalogue, part))
        codes = [end.branch_code for end in ends]
        if codes[0] > codes[-1]:
            raise InputError(
                say(f"支部の範囲 '{part}' は逆順です。", f"The range of branches '{part}' runs backwards.")
            )
        chosen.update(code for code in catalogue.branch_codes if codes[0] <= code <= codes[-1])
    return tuple(code for code in catalogue.branch_codes if code in chosen)


def _unknown_branch(catalogue: Catalogue, text: str) -> str:
    names = [catalogue.branches[code].name for code in catalogue.branch_codes]
    hint = hint_nearest(text.casefold(), [name.en.casefold() for name in names])
    valid = " ".join(f"{code} {catalogue.branches[code].name(say('ja', 'en'))}" for code in catalogue.branch_codes)
    return say(
        f"支部 '{text}' はありません{hint}。コード・名称・範囲（40-47）・all のどれかで指定してください。\n  {valid}",
        f"There is no branch '{text}'{hint}. Give a code, a name, a range (40-47) or all.\n  {valid}",
    )
