"""Telegram's rules for HTML in messages, as a check: https://core.telegram.org/bots/api#html-style."""

from __future__ import annotations

import re
from html.parser import HTMLParser

TAGS = {"b", "i", "u", "s", "code", "pre", "a", "blockquote", "tg-spoiler"}
ENTITIES = re.compile(r"&(?!(?:lt|gt|amp|quot|#[0-9]+|#x[0-9a-fA-F]+);)")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.shown: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, f"<{tag}> is no tag of Telegram's"
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


def shown(text: str) -> str:
    """Return what a reader sees of a message; AssertionError where Telegram could not parse it."""
    assert not ENTITIES.search(text), "& that is no entity"
    assert not re.search(r"<(?!/?[a-z])", text), "< that begins no tag"
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open, f"left open: {reader.open}"
    return "".join(reader.shown)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
