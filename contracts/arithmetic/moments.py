"""A time as people write it: ISO 8601, or seconds or milliseconds since 1970; read as ns UTC, and back. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

LONGEST: Final = 40
_LEAST_MILLISECONDS: Final = 100_000_000_000  # below, a number is seconds: until the year 5138
_MOST_MICROSECONDS: Final = 9_000_000_000_000_000  # what a time of the bus can hold: the year 2255
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_moment(text: str) -> int:
    """Return a time as ns UTC, a day as its beginning, one without a zone as UTC; raises ValueError."""
    if text.isascii() and text.isdigit():
        number = int(text)
        microseconds = number * 1_000_000 if number < _LEAST_MILLISECONDS else number * 1000
    else:
        read = datetime.fromisoformat(text.replace(" ", "+", 1) if "T" in text else text)
        passed = (read if read.tzinfo is not None else read.replace(tzinfo=UTC)) - _EPOCH
        microseconds = (passed.days * 86400 + passed.seconds) * 1_000_000 + passed.microseconds
    if not 0 <= microseconds <= _MOST_MICROSECONDS:
        raise ValueError("a time must lie between 1970 and 2255")
    return microseconds * 1000


def as_datetime(ts_ns: int) -> datetime:
    """Return ns UTC as a time, to the microsecond."""
    return _EPOCH + timedelta(microseconds=ts_ns // 1000)


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _check(text: str) -> str:
    read_moment(text)
    return text


Moment = Annotated[str, Field(min_length=1, max_length=LONGEST), BeforeValidator(_as_text), AfterValidator(_check)]
"""The text of a time that can be read; a number is taken for its text."""
