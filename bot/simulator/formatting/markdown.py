"""The old Markdown style: https://core.telegram.org/bots/api#markdown-style. Entities do not nest."""

from __future__ import annotations

from typing import Any, Final

from bot.simulator.formatting.entities import Formatted, byte_offset, entity, unparsable

Json = dict[str, Any]
_MARKS: Final = {"```": "pre", "`": "code", "*": "bold", "_": "italic", "[": "text_link"}


def parse_markdown(source: str) -> Formatted:
    """Return the text and its entities; 400 for a mark that is not closed."""
    text, place = "", 0
    entities: list[Json] = []
    while place < len(source):
        if source[place] == "\\" and source[place + 1 : place + 2] in {"_", "*", "`", "["}:
            text, place = text + source[place + 1], place + 2
            continue
        mark = next((mark for mark in _MARKS if source.startswith(mark, place)), None)
        if mark is None:
            text, place = text + source[place], place + 1
            continue
        closing = "]" if mark == "[" else mark
        start = place + len(mark)
        end = source.find(closing, start)
        if end < 0:
            where = byte_offset(source, place)
            raise unparsable(f"Can't find end of the entity starting at byte offset {where}")
        content, more, place = source[start:end], {}, end + len(closing)
        if mark == "[":
            more, place = _link(source, place)
        if content and (mark != "[" or more):
            entities.append(entity(_MARKS[mark], text, content, **more))
        text += content
    return Formatted(text, entities)


def _link(source: str, place: int) -> tuple[Json, int]:
    if source[place : place + 1] != "(":
        return {}, place
    end = source.find(")", place)
    if end < 0:
        raise unparsable(f"Can't find end of a URL at byte offset {byte_offset(source, place)}")
    return {"url": source[place + 1 : end]}, end + 1
