"""HTML style: https://core.telegram.org/bots/api#html-style."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from bot.simulator.formatting.entities import Formatted, byte_offset, entity, unparsable

Json = dict[str, Any]
_KINDS: Final = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s+[^<>]*)?)\s*>")
_ATTRIBUTE: Final = re.compile(r"([A-Za-z-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_CHARACTER: Final = re.compile(r"&(lt|gt|amp|quot|#\d{1,7}|#x[0-9A-Fa-f]{1,6});")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_LAST_CODE_POINT: Final = 0x10FFFF


@dataclass(frozen=True, slots=True)
class _Open:
    tag: str
    attributes: dict[str, str]
    text_before: str
    place: int


def parse_html(source: str) -> Formatted:
    """Return the text and its entities; 400 for a tag that is unknown, not closed or closed out of order."""
    text, place = "", 0
    entities: list[Json] = []
    stack: list[_Open] = []
    while place < len(source):
        if source[place] != "<":
            character, place = _read_character(source, place)
            text += character
            continue
        match = _TAG.match(source, place)
        if match is None:
            raise _bad_tag(source, place)
        if match[1]:
            entities = _merged(entities, _close(stack, match, source, text))
        else:
            stack.append(_open(match, source, text))
        place = match.end()
    if stack:
        where = byte_offset(source, stack[-1].place)
        raise unparsable(f'Can\'t find end tag corresponding to start tag "{stack[-1].tag}" at byte offset {where}')
    return Formatted(text, entities)


def _read_character(source: str, place: int) -> tuple[str, int]:
    match = _CHARACTER.match(source, place) if source[place] == "&" else None
    if match is None:
        return source[place], place + 1
    name = match[1]
    if name in _NAMED:
        return _NAMED[name], match.end()
    number = int(f"0{name[1:]}", 16) if name[1] in "xX" else int(name[1:])
    return (chr(number), match.end()) if 0 < number <= _LAST_CODE_POINT else (match[0], match.end())


def _open(match: re.Match[str], source: str, text: str) -> _Open:
    tag = match[2].lower()
    attributes = {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(match[3])}
    known = tag in _KINDS and (tag != "span" or attributes.get("class") == "tg-spoiler")
    if not known:
        raise unparsable(f'Unsupported start tag "{tag}" at byte offset {byte_offset(source, match.start())}')
    return _Open(tag, attributes, text, match.start())


def _close(stack: list[_Open], match: re.Match[str], source: str, text: str) -> list[Json]:
    tag, where = match[2].lower(), byte_offset(source, match.start())
    if not stack:
        raise unparsable(f"Unexpected end tag at byte offset {where}")
    opened = stack.pop()
    if opened.tag != tag:
        expected = f'expected "</{opened.tag}>", found "</{tag}>"'
        raise unparsable(f"Unmatched end tag at byte offset {where}, {expected}")
    content = text[len(opened.text_before) :]
    if not content:
        return []
    more = _details(opened, content)
    return [] if more is None else [entity(_KINDS[tag], opened.text_before, content, **more)]


def _merged(entities: list[Json], closed: list[Json]) -> list[Json]:
    """Return the entities with the one that was closed; a `pre` around a `code` with a language is one of both."""
    for one in closed:
        last = entities[-1] if entities else {}
        place = ("offset", "length")
        if one["type"] == "pre" and last.get("type") == "code" and all(last[key] == one[key] for key in place):
            language = {"language": last["language"]} if "language" in last else {}
            return [*entities[:-1], {**one, **language}]
    return [*entities, *closed]


def _details(opened: _Open, content: str) -> Json | None:
    """Return what an entity has beside its place; None where the tag makes none."""
    if opened.tag == "a":
        link = opened.attributes.get("href", content)
        return {"url": link} if "." in link or ":" in link else None
    if opened.tag == "tg-emoji":
        return {"custom_emoji_id": opened.attributes.get("emoji-id", "")}
    if opened.tag == "code" and opened.attributes.get("class", "").startswith("language-"):
        return {"language": opened.attributes["class"].removeprefix("language-")}
    return {}


def _bad_tag(source: str, place: int) -> Exception:
    name = re.match(r"</?([^\s<>]*)", source[place:])
    where = byte_offset(source, place)
    if ">" not in source[place:]:
        return unparsable(f"Unclosed start tag at byte offset {where}")
    return unparsable(f'Unsupported start tag "{name[1] if name else ""}" at byte offset {where}')
