"""Telegram's HTML: text that is escaped unless it says that it is markup already, and messages held to a length. Pure.

https://core.telegram.org/bots/api#html-style
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape as escape_html
from html import unescape
from typing import Final

MOST_UNITS: Final = 4096  # of a message, in UTF-16 code units
MOST_CAPTION_UNITS: Final = 1024
MOST_NOTE_CHARACTERS: Final = 200  # of what answers a pressed button
_TAG: Final = re.compile(r"<[^>]*>")


class Html(str):
    """Text that is Telegram's HTML already."""

    __slots__ = ()


def escape(value: object) -> Html:
    """Return a value as HTML; what is HTML already stays as it is."""
    return value if isinstance(value, Html) else Html(escape_html(str(value), quote=False))


def bold(value: object) -> Html:
    """Return a value in bold."""
    return Html(f"<b>{escape(value)}</b>")


def code(value: object) -> Html:
    """Return a value in a fixed-width face."""
    return Html(f"<code>{escape(value)}</code>")


def italic(value: object) -> Html:
    """Return a value in italics."""
    return Html(f"<i>{escape(value)}</i>")


def join(parts: Iterable[object], between: str = " · ") -> Html:
    """Return the parts that are not empty, side by side."""
    return Html(between.join(escape(part) for part in parts if part))


def pre(rows: Sequence[Sequence[str]]) -> Html:
    """Return a table in a fixed-width face, every column flush right but the first."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return Html(f"<pre>{escape_html(chr(10).join(lines), quote=False)}</pre>")


def units(text: str) -> int:
    """Return a text's length as Telegram counts it: in UTF-16 code units, though of what is shown only."""
    return len(text.encode("utf-16-le")) // 2


def fit(parts: Sequence[Html], tail: Sequence[Html] = (), most: int = MOST_UNITS) -> Html:
    """Return parts as lines of one message, those of `tail` last; parts before them that do not fit are left out.

    A part is never cut: each has its tags closed, so what is left is valid. An ellipsis stands for what is left out.
    """
    end = "\n".join(tail)
    left = most - units(end) - 2
    kept: list[str] = []
    for part in parts:
        left -= units(part) + 1
        if left < 1:
            kept.append("…")
            break
        kept.append(part)
    return Html("\n".join([*kept, end] if end else kept))


def shorten(text: str, most: int) -> str:
    """Return a text of at most so many characters, an ellipsis in place of the rest."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def plain(text: str) -> str:
    """Return what a reader sees of a message, without any markup."""
    return unescape(_TAG.sub("", text))
