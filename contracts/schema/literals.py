"""Answers as bytes: exact number literals, ISO times, and ages that are filled in when they are sent. Pure.

An answer is encoded once into a `Template`; what changes with every request (its time and the age of its data) is left
open and filled in by `Template.render`. Numbers are JSON number literals made from decimal text, never from floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, cast

import msgspec
from pydantic import BaseModel

SECOND_NS: Final = 1_000_000_000
_MARK: Final = b"\x00"  # never stands unescaped in JSON
_TIME: Final = b"t"


class Age:
    """Seconds from `ts_recv` (ns UTC) to when the answer is sent, as a number with three decimals.

    No dataclass, as those are encoded by their fields.
    """

    __slots__ = ("ts_recv",)

    def __init__(self, ts_recv: int) -> None:
        self.ts_recv = ts_recv


class SentAt:
    """When the answer is sent, ISO 8601 UTC."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Template:
    """An encoded answer with what is open: text, mark, text, mark, …, text."""

    parts: tuple[bytes, ...]

    def render(self, now_ns: int) -> bytes:
        """Fill in the time and the ages; `now_ns` is ns UTC."""
        if len(self.parts) == 1:
            return self.parts[0]
        filled = list(self.parts)
        for index in range(1, len(filled), 2):
            mark = filled[index]
            filled[index] = b'"%b"' % iso(now_ns).encode() if mark == _TIME else age_literal(int(mark), now_ns)
        return b"".join(filled)


def number(text: str | None) -> msgspec.Raw | None:
    """The JSON number literal of a decimal's text, digit by digit; null stays null."""
    return None if text is None else msgspec.Raw(text.encode())


def decimal_number(value: Decimal | None) -> msgspec.Raw | None:
    """The JSON number literal of a decimal, without an exponent; null stays null."""
    return None if value is None else msgspec.Raw(format(value, "f").encode())


def exact(value: Any) -> Any:
    """Return a model, or a part of one, for an answer: its fields by their names there, decimals as number literals."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        return {field.alias or name: exact(getattr(value, name)) for name, field in fields}
    if isinstance(value, dict):
        return {name: exact(part) for name, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [exact(part) for part in cast("list[Any]", value)]
    return decimal_number(value) if isinstance(value, Decimal) else value


def age_literal(ts_recv: int, now_ns: int) -> bytes:
    """Seconds from one time to another, both ns, as a JSON number with three decimals; never below zero."""
    millis = max(0, now_ns - ts_recv) // 1_000_000
    return b"%d.%03d" % divmod(millis, 1000)


def iso(ts_ns: int) -> str:
    """ISO 8601 UTC with Z: `2026-01-01T12:00:00Z`, with milli- or microseconds where there are any."""
    seconds, rest = divmod(ts_ns, SECOND_NS)
    micros = rest // 1000
    if micros == 0:
        return f"{_iso_second(seconds)}Z"
    return (
        f"{_iso_second(seconds)}.{micros // 1000:03d}Z"
        if micros % 1000 == 0
        else f"{_iso_second(seconds)}.{micros:06d}Z"
    )


@lru_cache(maxsize=4096)
def _iso_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _open_mark(value: object) -> msgspec.Raw | str:
    if isinstance(value, Age):
        return msgspec.Raw(b"%b%d%b" % (_MARK, value.ts_recv, _MARK))
    if isinstance(value, SentAt):
        return msgspec.Raw(_MARK + _TIME + _MARK)
    if isinstance(value, Decimal):
        return msgspec.Raw(format(value, "f").encode())
    raise TypeError(f"{type(value).__name__} has no place in an answer")


_encoder: Final = msgspec.json.Encoder(enc_hook=_open_mark, decimal_format="number")


def template(document: object) -> Template:
    """Encode a document with `Age` and `SentAt` left open."""
    return Template(tuple(_encoder.encode(document).split(_MARK)))


def encode(document: object, now_ns: int) -> bytes:
    """Encode a document that is sent at once."""
    return template(document).render(now_ns)
