"""Indodax's frames split into parts, for the case that one of them cannot be read.

A frame may hold several messages, a line each; a message several publications (what was missed while away), and a
publication several rows. All rows of one have the same place in their stream: it is stepped to once, by a message
without rows, and the rows follow in messages that are marked as `part` of it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw

_object: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_array: Final = msgspec.json.Decoder(list[Raw]).decode
_write: Final = msgspec.json.Encoder().encode
_NONE: Final = Raw(b"[]")
_TRUE: Final = Raw(b"true")


def split(frame: bytes) -> list[bytes]:
    """Return the messages of a frame, or the parts of its only one; none where it has none."""
    lines = [line for line in frame.split(b"\n") if line.strip()]
    if len(lines) != 1:
        return lines
    whole = _object(lines[0])
    if "result" not in whole:
        return []
    results = _missed(_object(whole["result"])) if "id" in whole else _pushed(_object(whole["result"]))
    return [_write(whole | {"result": result}) for result in results]


def _pushed(result: dict[str, Raw]) -> list[dict[str, Any]]:
    publication = _object(result["data"])
    if "part" in publication:
        return []
    rows = _rows(publication.get("data", _NONE))
    if not rows:
        return []
    alone = [{"data": [row], "part": _TRUE} for row in rows]
    return [result | {"data": publication | changed} for changed in ({"data": _NONE}, *alone)]


def _missed(result: dict[str, Raw]) -> list[dict[str, Any]]:
    publications = _rows(result.get("publications", _NONE))
    if "part" not in result:
        alone = [{"publications": [item], "part": _TRUE} for item in publications]
        return [result | changed for changed in ({"publications": _NONE}, *alone)] if alone else []
    if len(publications) != 1:
        return []
    only = _object(publications[0])
    rows = _rows(only.get("data", _NONE))
    return [result | {"publications": [only | {"data": [row]}]} for row in rows] if len(rows) > 1 else []


def _rows(raw: Raw) -> list[Raw]:
    return _array(raw) if bytes(raw).lstrip().startswith(b"[") else []
