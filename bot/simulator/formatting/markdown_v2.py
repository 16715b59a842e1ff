"""MarkdownV2 style: https://core.telegram.org/bots/api#markdownv2-style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bot.simulator.formatting.entities import Formatted, byte_offset, entity, unparsable

Json = dict[str, Any]
_RESERVED: Final = frozenset("_*[]()~`>#+-=|{}.!")
_MARKS: Final = (("__", "underline"), ("||", "spoiler"), ("*", "bold"), ("_", "italic"), ("~", "strikethrough"))
_LAST_ASCII: Final = 126
_NAMES: Final = {
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "code": "Code",
    "pre": "Pre",
    "text_link": "TextUrl",
}


@dataclass(frozen=True, slots=True)
class _Open:
    mark: str
    kind: str
    text_before: str
    place: int


class _Reader:
    """Reads a source from left to right."""

    def __init__(self, source: str) -> None:
        self.source, self.place = source, 0
        self.text = ""
        self.entities: list[Json] = []
        self.stack: list[_Open] = []
        self.quote: str | None = None  # the text before the quotation that is open

    def read(self) -> Formatted:
        while self.place < len(self.source):
            self._step()
        self._end_quote()
        if self.stack:
            raise self._unclosed(self.stack[-1].kind, self.stack[-1].place)
        return Formatted(self.text, self.entities)

    def _step(self) -> None:
        source, place = self.source, self.place
        character = source[place]
        following = source[place + 1 : place + 2]
        if character == "\\" and following and ord(following) <= _LAST_ASCII:
            self._take(following, 2)
        elif character == ">" and (place == 0 or source[place - 1] == "\n"):
            self.quote = self.text if self.quote is None else self.quote
            self.place += 1
        elif character == "`":
            self._code()
        elif character == "]" and self.stack and self.stack[-1].kind == "text_link":
            self._link()
        elif character == "[" or (character == "!" and following == "["):
            self._push("![" if character == "!" else "[", "text_link")
        elif character in "_*~|" and self._mark():
            return
        elif character in _RESERVED:
            raise unparsable(f"Character '{character}' is reserved and must be escaped with the preceding '\\'")
        else:
            self._plain(character)

    def _plain(self, character: str) -> None:
        at_end = character == "\n" and self.source[self.place + 1 : self.place + 2] != ">"
        if at_end:
            self._end_quote()
        self._take(character, 1)

    def _mark(self) -> bool:
        for mark, kind in _MARKS:
            if not self.source.startswith(mark, self.place):
                continue
            if any(one.kind == kind for one in self.stack):
                opened = self.stack.pop()
                if opened.kind != kind:
                    raise self._unclosed(opened.kind, opened.place)
                self.place += len(mark)
                self._add(kind, opened.text_before)
            else:
                self._push(mark, kind)
            return True
        return False

    def _code(self) -> None:
        mark = "```" if self.source.startswith("```", self.place) else "`"
        kind, start = ("pre" if mark == "```" else "code"), self.place
        before, end = self.text, self.place + len(mark)
        while end < len(self.source) and not self.source.startswith(mark, end):
            end += 1 if self.source[end] == "\\" else 0
            self.text += self.source[end : end + 1]
            end += 1
        if end >= len(self.source):
            raise self._unclosed(kind, start)
        self.place = end + len(mark)
        content, more = self.text[len(before) :], {}
        first, line, rest = content.partition("\n")
        if kind == "pre" and line and first.isidentifier():
            content, more = rest, {"language": first}
        elif kind == "pre" and line and not first:
            content = rest
        self.text = before + content
        self._add(kind, before, **more)

    def _link(self) -> None:
        opened = self.stack.pop()
        end, link = self.place + 1, ""
        if self.source[end : end + 1] == "(":
            end += 1
            while end < len(self.source) and self.source[end] != ")":
                end += 1 if self.source[end] == "\\" else 0
                link += self.source[end : end + 1]
                end += 1
            if end >= len(self.source):
                raise unparsable(f"Can't find end of a URL at byte offset {byte_offset(self.source, self.place)}")
            end += 1
        self.place = end
        if opened.mark == "![":
            self._add("custom_emoji", opened.text_before, custom_emoji_id=link.rpartition("=")[2])
        elif link:
            self._add("text_link", opened.text_before, url=link)

    def _end_quote(self) -> None:
        if self.quote is not None:
            self._add("blockquote", self.quote)
            self.quote = None

    def _push(self, mark: str, kind: str) -> None:
        self.stack.append(_Open(mark, kind, self.text, self.place))
        self.place += len(mark)

    def _take(self, character: str, size: int) -> None:
        self.text += character
        self.place += size

    def _add(self, kind: str, before: str, **more: Any) -> None:
        content = self.text[len(before) :]
        if content:
            self.entities.append(entity(kind, before, content, **more))

    def _unclosed(self, kind: str, place: int) -> Exception:
        return unparsable(f"Can't find end of {_NAMES[kind]} entity at byte offset {byte_offset(self.source, place)}")


def parse_markdown_v2(source: str) -> Formatted:
    """Return the text and its entities; 400 for a mark that is not closed or a reserved character unescaped."""
    return _Reader(source).read()
