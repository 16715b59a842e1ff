"""JSON numbers as exact plain text: no float ever stands between a venue's digits and ours.

For venues that send prices and amounts as JSON numbers: their structs keep them as `msgspec.Raw`, and these functions
make text of them that the bus takes (no exponent).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from msgspec import Raw

from contracts.errors import FrameError

NULL: Final = Raw(b"null")
ZERO: Final = "0"
Row = tuple[str, str]

_EXACT: Final = Context(prec=100)
_HUNDRED: Final = Decimal(100)
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


def number(raw: Raw, field: str) -> str:
    """Give an unsigned number's text; raises FrameError naming the field for anything else."""
    text = str(raw, "ascii", "replace")
    return text if text.replace(".", "", 1).isdigit() else unsigned(text, field)


def unsigned(text: str, field: str) -> str:
    """Check a number that came as text, as `number` does."""
    text = plain(text, field)
    if text.startswith("-"):
        raise FrameError(f"{field} is negative: {text}", field=field)
    return text


def signed(raw: Raw, field: str) -> str:
    """Give a number's text with its sign; raises FrameError naming the field for anything else."""
    text = str(raw, "ascii", "replace")
    return text if text.removeprefix("-").replace(".", "", 1).isdigit() else plain(text, field)


def optional(raw: Raw, field: str) -> str | None:
    """Give a number's text with its sign, None for null (as for a field that is absent)."""
    text = str(raw, "ascii", "replace")
    if text.replace(".", "", 1).isdigit():
        return text
    return None if text == "null" else plain(text, field)


def level(price: Raw, amount: Raw, field: str) -> Row:
    """Give one level of a book, unsigned; a zero amount in any spelling is "0"."""
    size = number(amount, field)
    return number(price, field), size if size.strip("0.") else ZERO


def levels(rows: Iterable[tuple[Raw, Raw]], field: str) -> list[Row]:
    """Give one side of a book, as `level` does."""
    return [level(price, amount, field) for price, amount in rows]


def plain(text: str, field: str) -> str:
    """Write a JSON number without exponent, keeping its digits; raises FrameError naming the field."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise FrameError(f"{field} is no number: {text[:40]}", field=field)
    if found[3] is None:
        return text
    return format(Decimal(text), "f")


@lru_cache(maxsize=1024)
def percent(fraction: str) -> str:
    """Turn a fraction into percent, exactly, without trailing zeros."""
    try:
        text = format(_EXACT.multiply(Decimal(fraction), _HUNDRED), "f")
    except InvalidOperation as error:
        raise FrameError(f"{fraction!r} is no number", field="percent") from error
    return text.rstrip("0").rstrip(".") if "." in text else text


def seconds(raw: Raw, field: str) -> int:
    """Read a time in seconds with their fractions as ns; raises FrameError naming the field."""
    return int(_EXACT.multiply(Decimal(number(raw, field)), Decimal(1_000_000_000)))


def milliseconds(raw: Raw, field: str) -> int:
    """Read a time in ms, of which some venues send fractions, as ns; raises FrameError naming the field."""
    text = str(raw, "ascii", "replace")
    if text.isdigit():
        return int(text) * 1_000_000
    return int(_EXACT.multiply(Decimal(plain(text, field)), Decimal(1_000_000)))
