"""Gate's frames as typed structs: what all channels share, and how their numbers and times are read.

`wire_trades`, `wire_book` and `wire_ticker` have the structs of the channels. Numbers are text or JSON numbers and kept
exactly as sent. Pages: https://www.gate.com/docs/developers/apiv4/ws/en/ (spot),
https://www.gate.com/docs/developers/futures/ws/en/. Every frame is
`{"time":1763700000,"time_ms":1763700000123,"channel":"spot.trades","event":"update","result":…}`; old ones have no
`time_ms`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from zlib import crc32

import msgspec
from msgspec import Raw, Struct

from producers.normalize import numbers
from producers.normalize.numbers import NULL

Number = int | str
Maybe = int | str | None  # what the venue may leave out, or send null or empty
Row = numbers.Row
MS: Final = 1_000_000  # nanoseconds
SECOND: Final = 1_000_000_000
_IN_MS: Final = 10**11  # a time of this size or more is in ms: in seconds it would lie in the year 5138


class Error(Struct):
    """`{"code":2,"message":"unknown currency pair: FOO_USDT"}`."""

    code: int | None = None
    message: str = ""


class Status(Struct):
    """`{"status":"success"}`, or what a system notice says: `{"type":"upgrade","msg":"reconnect please"}`."""

    status: str | None = None
    type: str | None = None
    msg: str = ""


class Head(Struct):
    """What distinguishes frames; an answer has the request's `id`, where that had one, and sometimes its `payload`."""

    channel: str
    event: str = ""
    id: int | None = None
    error: Error | None = None
    payload: list[str] | None = None
    result: Raw = NULL


class Answer(Struct):
    """An answer's or a notice's result."""

    result: Status | None = None


class Envelope(Struct, gc=False):
    """The venue's time of sending: seconds, and ms where the frame has them (0 means that it does not say)."""

    time: int = 0
    time_ms: int = 0

    @property
    def sent_ns(self) -> int | None:
        """When the venue sent it, ns; None where it does not say."""
        return self.time_ms * MS if self.time_ms else self.time * SECOND or None


def fingerprint(row: Struct) -> str:
    """Return what distinguishes a row from others of the same instrument and time: a checksum of its values."""
    return f"{crc32(msgspec.json.encode(row)):08x}"


# ---- decoding
_decode_loose: Final = msgspec.json.Decoder(float_hook=str).decode


def reader(kind: type[Any]) -> Callable[[bytes], Any]:
    """Make a struct's decoder. Numbers are expected as text or integers; one with a fraction is kept as its text."""
    decode = msgspec.json.Decoder(kind).decode

    def read(frame: bytes) -> Any:
        try:
            return decode(frame)
        except msgspec.ValidationError:
            return msgspec.convert(_decode_loose(frame), kind)

    return read


_PLACES: Final = {MS: 6, SECOND: 9}  # digits of a unit's nanoseconds
read_head: Final = reader(Head)
read_answer: Final = reader(Answer)


def number(value: Number, field: str) -> str:
    """Return an unsigned number's text; raises FrameError naming the field."""
    return numbers.unsigned(str(value), field)


def price(value: Number, field: str) -> str:
    """Return the text of a price, which is above zero; raises FrameError naming the field."""
    return numbers.price_text(str(value), field)


def signed(value: Number, field: str) -> tuple[str, bool]:
    """Return a number's magnitude, and whether it is negative."""
    text = numbers.plain(str(value), field)
    return text.removeprefix("-"), text.startswith("-")


def optional_price(value: Maybe, field: str) -> str | None:
    """Return a price; null, empty and zero are None."""
    return None if value is None else numbers.optional_price_text(str(value), field)


def optional_number(value: Maybe, field: str) -> str | None:
    """Return an unsigned number; null and an empty text are None."""
    return None if value is None or value == "" else numbers.unsigned(str(value), field)


def optional_signed(value: Maybe, field: str) -> str | None:
    """Return a number of either sign; null and an empty text are None."""
    return None if value is None or value == "" else numbers.plain(str(value), field)


def ms_time(value: Number, field: str) -> int:
    """Read a time in ms, with or without digits behind the point, as ns; raises FrameError naming the field."""
    return _time(value, MS, field)


def seconds_time(value: Number, field: str) -> int:
    """Read a time in seconds, with or without digits behind the point, as ns; raises FrameError naming the field."""
    return _time(value, SECOND, field)


def _time(value: Number, unit: int, field: str) -> int:
    whole, _, fraction = numbers.unsigned(str(value), field).partition(".")
    if not fraction:
        return int(whole) * unit
    places = _PLACES[unit]
    return int(whole) * unit + int(fraction[:places].ljust(places, "0"))


def either_time(value: int) -> int:
    """Return ns for a time in seconds or in ms: its size shows which."""
    return value * MS if value >= _IN_MS else value * SECOND
