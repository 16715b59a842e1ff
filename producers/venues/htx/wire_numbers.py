"""HTX's numbers, which are JSON numbers of any spelling (`9.2E-7`, `188358.0`): kept as text, never as floats."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Raw

from contracts.arithmetic.decimals import read_amount, read_price
from contracts.errors import FrameError
from contracts.numbers import MOST_FRACTION_DIGITS
from producers.normalize import numbers

Row = numbers.Row

MS: Final = 1_000_000  # nanoseconds
ABSENT: Final = Raw(b"")
_ABSENT: Final = frozenset({"", "null"})
_PLAIN: Final = b"0123456789.,[]"
_EXPONENT: Final = b"eE+-"
_PAIR: Final = 2
_LEVELS: Final = "tick.bids/tick.asks"
_rows: Final = msgspec.json.Decoder(list[list[Raw]] | None).decode


def _text(raw: Raw) -> str | None:
    """Return a number as it stands, or the text of one (`"0.000100000000000000"`); absent, null and empty are None."""
    text = str(raw, "utf-8", "replace").strip('"')
    return None if text in _ABSENT else text


def optional_number(raw: Raw, field: str) -> str | None:
    """Return a number of either sign; absent is None. Raises FrameError naming the field, as all of these do."""
    text = _text(raw)
    return None if text is None else numbers.plain(text, field)


def optional_amount(raw: Raw, field: str) -> str | None:
    """Return an unsigned number; absent is None."""
    if (found := read_amount(raw)) is not None:
        return found
    text = _text(raw)
    return None if text is None else numbers.unsigned(text, field)


def optional_quotient(raw: Raw, field: str) -> str | None:
    """Return an unsigned number that the venue divided, cut to the digits that the contract allows; absent is None.

    Recorded frames of 2022 have coins of 37 digits behind the point: `0.9920634920634920634920634920634920635`.
    """
    text = _text(raw)
    if text is not None and len(text.partition(".")[2]) > MOST_FRACTION_DIGITS and "e" not in text.lower():
        text = text[: MOST_FRACTION_DIGITS - len(text.partition(".")[2])]
    return None if text is None else numbers.unsigned(text, field)


def optional_price(raw: Raw, field: str) -> str | None:
    """Return a price; absent and zero are None."""
    return read_price(raw) or numbers.optional_price_text(_text(raw), field)


def number(raw: Raw, field: str) -> str:
    """Return an unsigned number that must be there."""
    return read_amount(raw) or numbers.unsigned(_needed(raw, field), field)


def price(raw: Raw, field: str) -> str:
    """Return a price that must be there."""
    return read_price(raw) or numbers.price_text(_needed(raw, field), field)


def _needed(raw: Raw, field: str) -> str:
    text = _text(raw)
    if text is None:
        raise FrameError(f"{field} is missing", field=field)
    return text


def identity(raw: Raw) -> str:
    """Return an id as text, number or not: those of 27 digits fit into no integer of 64 bits; empty where absent."""
    text = _text(raw) or ""
    return text if text.isascii() and text.isdigit() else optional_number(raw, "id") or ""


def levels(raw: Raw, *, whole: bool) -> list[Row]:
    """Return one side of a book (`[[9137.67,4.1],[9135.96,0.0]]`) as (price, size), checked as all books are.

    A malformed level is left out of a snapshot (`whole`), and makes an update worthless: FrameError.
    """
    data = bytes(raw)
    if len(data) <= len(b"[]"):
        return []
    marks = data.translate(None, _PLAIN)
    if not marks.translate(None, _EXPONENT):  # no space, text or null: it can be cut at its brackets
        pairs = [row.split(",") for row in data.decode()[2:-2].split("],[")]
        try:
            rows = [(_written(price), _written(size)) if marks else (price, size) for price, size in pairs]
            return numbers.text_levels(rows, _LEVELS)
        except (FrameError, ValueError):
            pass  # a row that is no pair of unsigned numbers: said below
    return _any_levels(data, whole=whole)


@lru_cache(maxsize=65536)
def _written(text: str) -> str:
    """Write a price or a size without exponent. Cached, for books of cheap coins repeat their prices."""
    return numbers.unsigned(text, _LEVELS)


def _any_levels(data: bytes, *, whole: bool) -> list[Row]:
    found: list[Row] = []
    for row in _rows(data) or ():
        level = _level(row)
        if level is not None:
            found.append(level)
        elif not whole:
            shown = ", ".join(str(raw, "utf-8", "replace")[:40] for raw in row[:3])
            raise FrameError(f"a level of an update is malformed: {shown}", field=_LEVELS)
    return numbers.text_levels(found, _LEVELS)


def _level(row: list[Raw]) -> Row | None:
    """Return a level; None where it is no pair of unsigned numbers."""
    if len(row) != _PAIR:
        return None
    try:
        return number(row[0], _LEVELS), number(row[1], _LEVELS)
    except FrameError:
        return None
