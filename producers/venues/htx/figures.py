"""HTX's numbers, which are JSON numbers of any spelling (`9.2E-7`, `188358.0`): kept as text, never as floats."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec
from msgspec import Raw

from contracts.errors import FrameError

Row = tuple[str, str]

MS: Final = 1_000_000  # nanoseconds
ABSENT: Final = Raw(b"")
_ABSENT: Final = frozenset({"", "null", '""'})
_PLAIN: Final = b"0123456789.,[]"
_NUMBER: Final = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
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
    try:
        value = Decimal(text.strip('"'))
    except InvalidOperation as error:
        raise FrameError(f"{field} is no number: {text!r}", field=field) from error
    if not value.is_finite():
        raise FrameError(f"{field} is no number: {text!r}", field=field)
    return format(value, "f")


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
    return text if text.isalnum() and text.isdigit() else optional_number(raw, "id") or ""


def levels(raw: Raw, *, whole: bool) -> list[Row]:
    """Read one side of a book (`[[9137.67,4.1],[9135.96,0.0]]`) as (price, size); a size of zero becomes "0".

    A malformed level is left out of a snapshot (`whole`), and makes an update worthless: FrameError.
    """
    data = bytes(raw)
    if len(data) <= len(b"[]"):
        return []
    if not data.translate(None, _PLAIN):  # no exponent, sign, space or null: the text can be cut at its brackets
        try:
            pairs = [row.split(",") for row in data.decode()[2:-2].split("],[")]
            return [(price, size if size.strip("0.") else "0") for price, size in pairs]
        except ValueError:
            pass  # a row that is no pair: said below
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


def _level_text(raw: Raw) -> str:
    """Write a price or a size without exponent; empty where it is no unsigned number."""
    try:
        text = format(Decimal(str(raw, "utf-8")), "f")
    except InvalidOperation:
        return ""
    return text if _NUMBER.fullmatch(text) else ""
