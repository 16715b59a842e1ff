"""Texts that the gateway makes itself: one for many that wait, one without the formatting that was refused. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import Final

LONGEST: Final = 4000  # characters of a digest, below Telegram's 4096
Digest = Callable[[Sequence[str]], str]
"""Makes one plain text of the lines that wait, the oldest first."""
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*>")
_ESCAPED: Final = re.compile(r"\\([_*\[\]()~`>#+\-=|{}.!\\])")
_LINK: Final = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_MARKS: Final = re.compile(r"(?<!\\)(\*|__|_|~|\|\||```|`)")


def digest(lines: Sequence[str]) -> str:
    """Return the number of messages that it stands for and a line of each, the newest where not all have room."""
    kept: list[str] = []
    room = LONGEST - 100
    for line in reversed(lines):
        if len(line) + 3 > room:
            break
        kept.append(f"• {line}")
        room -= len(line) + 3
    left = len(lines) - len(kept)
    more = [f"… and {left} before them"] if left else []
    return "\n".join([f"{len(lines)} alerts:", *more, *reversed(kept)])


def without_formatting(text: str, mode: str) -> str:
    """Return a text without its marks, whether or not they can be parsed."""
    if mode == "HTML":
        return html.unescape(_TAG.sub("", text)) or text
    plain = _LINK.sub(r"\1 (\2)", text)
    plain = _MARKS.sub("", plain)
    return _ESCAPED.sub(r"\1", plain) or text
