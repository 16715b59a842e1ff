"""HTX's numbers, which are JSON numbers of any spelling (`9.2E-7`, `188358.0`): kept as text, never as floats."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Raw

from contracts.errors import FrameError

Row = tuple[str, str]

MS: Final = 1_000_000  # nanoseconds
ABSENT: Final = Raw(b"")
_ABSENT: Final = frozenset({"", "null", '""'})
_PLAIN: Final = b"0123456789.,[]"
_EXPONENT: Final = b"eE+-"
_rows: Final = msgspec.json.Decoder(list[list[Raw]]).decode


def optional_number(raw: Raw, field: str) -> str | None:
    """Write a number of either sign without exponent; absent, null and empty text are a null.

    Raises FrameError naming the field. A number may also come as text (`"0.000100000000000000"`).
    """
    text = str(raw, "utf-8")
    if text.replace(".", "", 1).isdigit():
        return text
    if text in _ABSENT:
        return None
    found = _plain(text.strip('"'))
    if not found:
        raise FrameError(f"{field} is no number: {text!r}", field=field)
    return found


@lru_cache(maxsize=65536)
def _plain(text: str) -> str:
    """Write a number without exponent; empty where it is none. Cached, for books of cheap coins repeat their prices."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return ""
    return format(value, "f") if value.is_finite() else ""


def number(raw: Raw, field: str) -> str:
    """Write an unsigned number without exponent; raises FrameError naming the field where there is none."""
    text = str(raw, "utf-8")
    if text.replace(".", "", 1).isdigit():
        return text
    found = optional_number(raw, field)
    if found is None:
        raise FrameError(f"{field} is missing", field=field)
    if found.startswith("-"):
        raise FrameError(f"{field} is negative: {found}", field=field)
    return found


def identity(raw: Raw) -> str:
    """Give an id as text, number or not: those of 27 digits fit into no integer of 64 bits."""
    text = str(raw, "utf-8").strip('"')
    return text if text.isdigit() else optional_number(raw, "id") or ""


def levels(raw: Raw, *, whole: bool) -> list[Row]:
    """Read one side of a book (`[[9137.67,4.1],[9135.96,0.0]]`) as (price, size); a size of zero becomes "0".

    A malformed level is left out of a snapshot (`whole`), and makes an update worthless: FrameError.
    """
    data = bytes(raw)
    if len(data) <= len(b"[]"):
        return []
    marks = data.translate(None, _PLAIN)
    if not marks.translate(None, _EXPONENT):  # no space, text or null: it can be cut at its brackets
        try:
            pairs = [row.split(",") for row in data.decode()[2:-2].split("],[")]
            if marks:
                pairs = [(_unsigned(price), _unsigned(size)) for price, size in pairs]
            return [(price, size if size.strip("0.") else "0") for price, size in pairs]
        except ValueError:
            pass  # a row that is no pair of unsigned numbers: said below
    return _any_levels(data, whole=whole)


def _any_levels(data: bytes, *, whole: bool) -> list[Row]:
    if data == b"null":
        return []
    found: list[Row] = []
    for row in _rows(data):
        texts = [_level_text(raw) for raw in row]
        if len(texts) == len(("price", "size")) and all(texts):
            price, size = texts
            found.append((price, size if size.strip("0.") else "0"))
        elif not whole:
            told = ", ".join(str(raw, "utf-8") for raw in row)
            raise FrameError(f"a level of an update is malformed: {told}", field="tick.bids/tick.asks")
    return found


def _unsigned(text: str) -> str:
    """Write a price or a size without exponent; raises ValueError where it is no unsigned number."""
    plain = text if text.replace(".", "", 1).isdigit() else _plain(text)
    if not plain or plain.startswith("-"):
        raise ValueError(text)
    return plain


def _level_text(raw: Raw) -> str:
    """Write a price or a size without exponent; empty where it is no unsigned number."""
    try:
        return _unsigned(str(raw, "utf-8"))
    except ValueError:
        return ""
