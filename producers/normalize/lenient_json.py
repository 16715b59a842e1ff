"""Typed decoding for venues that write numbers as text, and now and then text's numbers as numbers: digits are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

_read: Final = msgspec.json.Decoder(float_hook=str).decode


def reader(kind: type[Any]) -> Callable[[bytes], Any]:
    """Make a struct's decoder: an integer may stand as text, and where text is expected a number's digits are taken.

    It raises msgspec.ValidationError that names the field at fault.
    """
    decode = msgspec.json.Decoder(kind, strict=False).decode

    def read(frame: bytes) -> Any:
        try:
            return decode(frame)
        except msgspec.ValidationError:
            return decode(msgspec.json.encode(_as_text(_read(frame))))

    return read


def _as_text(value: Any) -> Any:
    """Write every number of a frame as text."""
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_as_text(item) for item in cast("list[Any]", value)]
    return str(value) if type(value) is int else value
