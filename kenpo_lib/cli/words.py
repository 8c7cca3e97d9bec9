"""click's own words in Japanese: what it says of wrong usage, and the headings of its help.

click asks gettext for each of them when it is said, by the names ``_`` and ``ngettext`` of its modules. A catalogue for gettext would
depend on the language of the machine; messages here depend on ``KENPO_LANG`` alone. ``tests/test_cli.py`` sees whether click still
asks in this way.
"""

from __future__ import annotations

import gettext
from types import ModuleType

import click.core
import click.decorators
import click.exceptions
import click.formatting
import click.parser
import click.types

from kenpo_lib.language import Lang, console_language

_MODULES: tuple[ModuleType, ...] = (
    *(click.core, click.decorators, click.exceptions, click.formatting, click.parser, click.types),
)
_WORDS = {
    "Usage:": "使い方:",
    "Options": "オプション",
    "Commands": "コマンド",
    "Positional arguments": "引数",
    "required": "必須",
    "default: {default}": "省略時: {default}",
    "Show this message and exit.": "この説明を表示する",
    "Show the version and exit.": "版を表示する",
    "Error: {message}": "誤り: {message}",
    "Try '{command} {option}' for help.": "使い方は '{command} {option}' で表示されます。",
    "Did you mean {possibility}?": "近いもの: {possibility}",
    "(Did you mean one of: {possibilities}?)": "近いもの: {possibilities}",
    "No such option {name!r}.": "{name!r} というオプションはありません。",
    "No such command {name!r}.": "{name!r} というコマンドはありません。",
    "Missing command.": "コマンドがありません。",
    "Missing option": "オプションが足りません:",
    "Missing argument": "引数が足りません:",
    "Missing parameter": "指定が足りません:",
    "Invalid value: {message}": "値が正しくありません。{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} の値が正しくありません。{message}",
    "{value!r} is not {choice}.": "{value!r} ではなく {choice} だけを指定できます。",
    "{value!r} is not one of {choices}.": "{value!r} ではなく、次のどれかを指定してください: {choices}",
    "{value!r} is not a valid {number_type}.": "{value!r} は数ではありません。",
    "{value} is not in the range {range}.": "{value} は範囲 {range} の外です。",
    "Choose from:\n\t{choices}": "次のどれかを指定してください:\n\t{choices}",
    "Option {name!r} requires an argument.": "オプション {name!r} には値が要ります。",
    "Option {name!r} does not take a value.": "オプション {name!r} は値をとりません。",
    "Got unexpected extra argument ({args})": "余分な引数があります（{args}）",
    "Got unexpected extra arguments ({args})": "余分な引数があります（{args}）",
    "{name} {filename!r} does not exist.": "{filename!r} がありません。",
    "{name} {filename!r} is a file.": "{filename!r} はフォルダーではなくファイルです。",
    "{name} {filename!r} is a directory.": "{filename!r} はファイルではなくフォルダーです。",
    "{name} {filename!r} is not readable.": "{filename!r} を読む権限がありません。",
}


def translate_usage() -> None:
    """Have click say these in the language of messages."""
    for module in _MODULES:
        for name, function in (("_", _translate), ("ngettext", _translate_number)):
            if hasattr(module, name):
                setattr(module, name, function)


def _translate(message: str) -> str:
    return _WORDS.get(message, message) if console_language() == Lang.JA else gettext.gettext(message)


def _translate_number(one: str, many: str, number: int) -> str:
    message = one if number == 1 else many
    return _WORDS.get(message, message) if console_language() == Lang.JA else gettext.ngettext(one, many, number)
