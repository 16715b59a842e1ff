"""Entities: what of a text is a command, a mention, a link or formatted; offsets count UTF-16 code units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bot.simulator.errors import ApiError, bad_request

Json = dict[str, Any]
_FOUND: Final = (
    ("bot_command", re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")),
    ("mention", re.compile(r"(?<![\w@])@[A-Za-z0-9_]{3,32}\b")),
    (
        "url",
        re.compile(
            r"(?:https?://|www\.)[^\s<>\"]+|\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|me|ru|id|xyz|info)\b[^\s<>\"]*",
            re.IGNORECASE,
        ),
    ),
    ("hashtag", re.compile(r"(?<!\w)#\w*[^\W\d]\w*")),
    ("cashtag", re.compile(r"(?<!\w)\$[A-Z]{1,8}(?!\w)")),
)


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text as people see it, with its entities."""

    text: str
    entities: list[Json] = field(default_factory=list[Json])


def units(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def unparsable(text: str) -> ApiError:
    """Return `400 Bad Request: can't parse entities: …`."""
    return bad_request(f"can't parse entities: {text}")


def byte_offset(text: str, place: int) -> int:
    """Return the offset in UTF-8 bytes, which Telegram's errors name."""
    return len(text[:place].encode())


def entity(kind: str, before: str, content: str, **more: Any) -> Json:
    """Return the entity of `content` that stands after `before`."""
    return {"type": kind, "offset": units(before), "length": units(content), **more}


def find_entities(text: str, known: Sequence[Json]) -> list[Json]:
    """Return what Telegram finds by itself, outside of what is code, a link or found already."""
    taken = [
        (one["offset"], one["offset"] + one["length"]) for one in known if one["type"] in {"code", "pre", "text_link"}
    ]
    found: list[Json] = []
    for kind, pattern in _FOUND:
        for match in pattern.finditer(text):
            one = entity(kind, text[: match.start()], match[0])
            start, end = one["offset"], one["offset"] + one["length"]
            if all(end <= first or start >= last for first, last in taken):
                taken.append((start, end))
                found.append(one)
    return found


def trimmed(read: Formatted) -> Formatted:
    """Return the text without blanks around it, its entities moved and cut likewise."""
    text = read.text.strip()
    if text == read.text:
        return read
    shift, size = units(read.text) - units(read.text.lstrip()), units(text)
    kept: list[Json] = []
    for one in read.entities:
        start = max(0, one["offset"] - shift)
        end = min(size, one["offset"] + one["length"] - shift)
        if end > start:
            kept.append({**one, "offset": start, "length": end - start})
    return Formatted(text, kept)
