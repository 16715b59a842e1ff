"""Numbers with all their digits through a library that writes floats: carried as marked texts, unmarked on the way out.

No string of a result can be taken for a mark: within a string quotes are escaped. Pure.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

import msgspec

_MARK: Final = "<number:%s>"
_MARKED: Final = re.compile(r'"<number:(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)>"')
_MARKED_BYTES: Final = re.compile(_MARKED.pattern.encode())


def mark(value: Any) -> Any:
    """Return a decoded document with marked texts in the place of exact numbers."""
    if isinstance(value, msgspec.Raw):
        return _MARK % bytes(value).decode()
    if isinstance(value, dict):
        return {key: mark(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [mark(item) for item in cast("list[Any]", value)]
    return value


def unmark(text: str) -> str:
    """Return JSON with the numbers in the place of their marks."""
    return _MARKED.sub(r"\1", text)


def unmark_bytes(body: bytes) -> bytes:
    """The same of encoded JSON."""
    return _MARKED_BYTES.sub(rb"\1", body)
