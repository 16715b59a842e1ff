"""Gate's values: numbers as text or JSON numbers, signed sizes, times in seconds and ms, levels of books."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from contracts.errors import FrameError
from producers import sizes

Number = int | str
Row = tuple[str, str]

MS: Final = 1_000_000  # nanoseconds
SECOND: Final = 1_000_000_000
_IN_MS: Final = 10**11  # a time of this size or more is in ms: in seconds it would lie in the year 5138
_NUMBER: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_NUMBERS: Final = re.compile(r"(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?,)*")


def number(value: Number, field: str) -> str:
    """Give a plain, unsigned number's text; an exponent is written out. Raises FrameError naming the field."""
    text = str(value)
    return text if _NUMBER.fullmatch(text) else _odd(text, field)


def _odd(text: str, field: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise FrameError(f"{field} is no number: {text!r}", field=field) from error
    if not value.is_finite() or value < 0:
        raise FrameError(f"{field} is no number from 0 on: {text!r}", field=field)
    return sizes.plain(value)


def signed(value: Number, field: str) -> tuple[str, bool]:
    """Give a number's magnitude, and whether it is negative."""
    text = str(value)
    return number(text.removeprefix("-"), field), text.startswith("-")


def optional_number(value: Number, field: str) -> str | None:
    """Give a number of either sign; an empty text is a null."""
    if value == "":
        return None
    magnitude, is_negative = signed(value, field)
    return f"-{magnitude}" if is_negative else magnitude


def ms_time(value: Number, field: str) -> int:
    """Read a time in ms, with or without digits behind the point, as ns; raises FrameError naming the field."""
    if isinstance(value, int) and value >= 0:
        return value * MS
    whole, _, fraction = str(value).partition(".")
    if not (whole + fraction).isdigit():
        raise FrameError(f"{field} is no time in ms: {value!r}", field=field)
    return int(whole) * MS + int(fraction[:6].ljust(6, "0"))


def seconds_time(value: Number, field: str) -> int:
    """Read a time in seconds, with or without digits behind the point, as ns; raises FrameError naming the field."""
    whole, _, fraction = str(value).partition(".")
    if not (whole + fraction).isdigit():
        raise FrameError(f"{field} is no time in seconds: {value!r}", field=field)
    return int(whole) * SECOND + int(fraction[:9].ljust(9, "0"))


def either_time(value: int) -> int:
    """Give ns for a time in seconds or in ms, told apart by its size."""
    return value * MS if value >= _IN_MS else value * SECOND


def read_levels(rows: list[Row], *, whole: bool) -> list[Row]:
    """Check one side of a book; a zero amount in any spelling becomes "0".

    A malformed level is left out of a whole book, and makes an update worthless: FrameError.
    """
    if not _NUMBERS.fullmatch("".join([f"{price},{amount}," for price, amount in rows])):
        bad = next((row for row in rows if not _is_level(row)), None)
        if bad is not None and not whole:
            raise FrameError(f"a level of an update is malformed: {bad[0]!r}, {bad[1]!r}", field="result.b/result.a")
        rows = [row for row in rows if _is_level(row)]
    return [row if row[1].strip("0.") else (row[0], "0") for row in rows]


def _is_level(row: Row) -> bool:
    return _NUMBER.fullmatch(row[0]) is not None and _NUMBER.fullmatch(row[1]) is not None
