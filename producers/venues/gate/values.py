"""Gate's values: numbers as text or JSON numbers, signed sizes, times in seconds and ms."""

from __future__ import annotations

from typing import Final

from producers.normalize import numbers

Number = int | str
Maybe = int | str | None  # what the venue may leave out, or send null or empty
Row = numbers.Row

MS: Final = 1_000_000  # nanoseconds
SECOND: Final = 1_000_000_000
_IN_MS: Final = 10**11  # a time of this size or more is in ms: in seconds it would lie in the year 5138


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
    places = len(str(unit)) - 1
    return int(whole) * unit + int(fraction[:places].ljust(places, "0"))


def either_time(value: int) -> int:
    """Give ns for a time in seconds or in ms, told apart by its size."""
    return value * MS if value >= _IN_MS else value * SECOND
