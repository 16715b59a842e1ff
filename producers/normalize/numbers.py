"""Numbers as exact plain text, checked once where they are read: what these functions return, the contract accepts.

No float ever stands between a venue's digits and ours. Venues write numbers as JSON numbers (their structs keep them as
`msgspec.Raw`) or as text: each check is there for both, and raises FrameError naming the field for anything else. A
price of zero is no price: it is None where a price may be absent, and an error where it may not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, ValidationError

from contracts.arithmetic.decimals import are_optional as are_optional  # noqa: PLC0414  # checks of numbers from one place
from contracts.arithmetic.decimals import are_prices, are_quoted, read_amount, read_price
from contracts.errors import FrameError
from contracts.numbers import DECIMAL_PATTERN, INT64_MAX, MOST_FRACTION_DIGITS, MOST_WHOLE_DIGITS
from runtime.book.sides import are_levels

NULL: Final = Raw(b"null")
ZERO: Final = "0"
Row = tuple[str, str]
Quotes = tuple[str | None, str | None, str | None, str | None]  # best bid, its amount, best ask, its amount
Whole = Annotated[int, Meta(ge=0, le=INT64_MAX)]  # a field of a struct: an id, a sequence, a count
Milliseconds = Annotated[int, Meta(ge=0, le=INT64_MAX // 1_000_000)]  # a time that is an int64 in ns, too
Seconds = Annotated[int, Meta(ge=0, le=INT64_MAX // 1_000_000_000)]

_EXACT: Final = Context(prec=100)
_HUNDRED: Final = Decimal(100)
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][+-]?[0-9]{1,3})?").fullmatch
_is_signed: Final = re.compile(DECIMAL_PATTERN.strip("^$")).fullmatch
_DIGITS: Final = rf"(?:0|[1-9][0-9]{{0,{MOST_WHOLE_DIGITS - 1}}}+)(?:\.[0-9]{{1,{MOST_FRACTION_DIGITS}}}+)?+"
_are_unsigned: Final = re.compile(rf"(?:,{_DIGITS})*+").fullmatch
_are_levels: Final = re.compile(rf"(?:;{_DIGITS},{_DIGITS})*+").fullmatch
_read_rows: Final = msgspec.json.Decoder(list[Row]).decode
_zero_price_among: Final = re.compile(r";0[0.]*+,").search
_long_zero_among: Final = re.compile(r",0\.0*+(?:;|$)").search  # an amount of zero that is not written "0"


# ---- one number
def number(raw: Raw, field: str) -> str:
    """Return an unsigned number's text."""
    return read_amount(raw) or unsigned(str(raw, "ascii", "replace"), field)


def unsigned(text: str, field: str) -> str:
    """Check a number that came as text, as `number` does."""
    if read_amount(text) is not None:
        return text
    written = plain(text, field)
    if written.startswith("-"):
        raise FrameError(f"{field} is negative: {text[:40]}", field=field)
    return written


def signed(raw: Raw, field: str) -> str:
    """Return a number's text with its sign."""
    return plain(str(raw, "ascii", "replace"), field)


def optional(raw: Raw, field: str) -> str | None:
    """Return a number's text with its sign, None for null (as for a field that is absent)."""
    if (found := read_amount(raw)) is not None:
        return found
    text = str(raw, "ascii", "replace")
    return None if text == "null" else plain(text, field)


def optional_amount(raw: Raw, field: str) -> str | None:
    """Return an unsigned number's text, None for null."""
    if (found := read_amount(raw)) is not None:
        return found
    text = str(raw, "ascii", "replace")
    return None if text == "null" else unsigned(text, field)


def price(raw: Raw, field: str) -> str:
    """Return the text of a price that must be there: above zero."""
    return read_price(raw) or price_text(str(raw, "ascii", "replace"), field)


def price_text(text: str, field: str) -> str:
    """Check a price that came as text, as `price` does."""
    if read_price(text) is not None:
        return text
    found = unsigned(text, field)
    if found[0] == ZERO and not found.strip("0."):
        raise FrameError(f"{field} is zero, which is no price", field=field)
    return found


def optional_price(raw: Raw, field: str) -> str | None:
    """Return the text of a price; None for null and for zero."""
    if (found := read_price(raw)) is not None:
        return found
    text = str(raw, "ascii", "replace")
    return None if text == "null" else optional_price_text(text, field)


def optional_price_text(text: str | None, field: str) -> str | None:
    """Check a price that came as text, as `optional_price` does; None and an empty text are null."""
    if not text:
        return None
    if read_price(text) is not None:
        return text
    found = unsigned(text, field)
    return found if found[0] != ZERO or found.strip("0.") else None


def positive(text: str | None) -> str | None:
    """Return a price whose text was checked already; None where it is zero."""
    return text if text and (text[0] != ZERO or text.strip("0.")) else None


def plain(text: str, field: str) -> str:
    """Write a number without exponent, keeping its digits."""
    if _is_signed(text):
        return text
    if _NUMBER(text) is not None:
        written = format(Decimal(text), "f")
        if _is_signed(written):
            return written
        raise FrameError(
            f"{field} has more than {MOST_WHOLE_DIGITS} digits before the point or {MOST_FRACTION_DIGITS} behind it: "
            f"{text[:40]}",
            field=field,
        )
    raise FrameError(f"{field} is no number: {text[:40]!r}", field=field)


# ---- many at one go
def are_unsigned(texts: Sequence[str]) -> bool:
    """Return whether every text is a plain unsigned number."""
    joined = f",{','.join(texts)}"
    return joined.count(",") == len(texts) and _are_unsigned(joined) is not None


def figures(texts: Sequence[str | None], fields: Sequence[str]) -> list[str]:
    """Return unsigned numbers, checked at one go; those that are absent, null or empty are ""."""
    found = [text or "" for text in texts]
    if are_optional(found):
        return found
    return [text and unsigned(text, field) for text, field in zip(found, fields, strict=True)]


def said(figures: Sequence[str], prices: Sequence[bool]) -> Sequence[str | None]:
    """Return figures, checked before, as events have them: None where one is empty, or a price (`prices`) of zero."""
    if are_prices(tuple(figures)):
        return figures
    known = [text or None for text in figures]
    if are_prices(tuple(known)):
        return known
    return [positive(text) if is_price else text or None for text, is_price in zip(figures, prices, strict=True)]


def traded(price: str, amount: str, fields: tuple[str, str]) -> tuple[str, str]:
    """Return a trade's price, above zero, and its amount, checked at one go."""
    if are_quoted(price, amount):
        return price, amount
    return price_text(price, fields[0]), unsigned(amount, fields[1])


def quotes(texts: Quotes, fields: Sequence[str]) -> Quotes:
    """Return best bid, its amount, best ask and its amount, checked at one go; price and amount None for no price."""
    bid, bid_amount, ask, ask_amount = texts
    if are_quoted(bid, bid_amount, ask, ask_amount):
        return texts
    bid, bid_amount, ask, ask_amount = figures(texts, fields)
    return *quote(bid, bid_amount), *quote(ask, ask_amount)


def quote(price: str | None, amount: str | None) -> tuple[str | None, str | None]:
    """Return a side's best price and its amount, both checked before: both None where there is no price."""
    found = positive(price)
    return (None, None) if found is None else (found, amount or None)


def level(price: Raw, amount: Raw, field: str) -> Row:
    """Return one level of a book, unsigned; a zero amount in any spelling is "0"."""
    size = number(amount, field)
    return price_text(str(price, "ascii", "replace"), field), size if size.strip("0.") else ZERO


def levels(rows: Iterable[tuple[Raw, Raw]], field: str) -> list[Row]:
    """Return one side of a book, as `text_levels` does."""
    return text_levels([(str(price, "ascii", "replace"), str(amount, "ascii", "replace")) for price, amount in rows],
                       field)  # fmt: skip


def text_levels(rows: list[Row], field: str) -> list[Row]:
    """Return one side of a book: zero amounts in any spelling are "0", levels at a price of zero are left out.

    The list itself is returned where nothing is to be written otherwise.
    """
    if not rows:
        return rows
    joined = _joined(rows)
    if joined.count(";") != len(rows) or _are_levels(joined) is None:
        rows = [(unsigned(price, field), unsigned(amount, field)) for price, amount in rows]
        joined = _joined(rows)
    if _zero_price_among(joined) is None and _long_zero_among(joined) is None:
        return rows
    return [(price, amount if amount.strip("0.") else ZERO) for price, amount in rows if price.strip("0.")]


def raw_levels(raw: Raw, field: str, *, whole: bool = False) -> Raw | list[Row]:
    """Return one side of a book that came as `[["price","amount"],…]`: as it is where it needs no change.

    Otherwise its levels, as `text_levels` gives them, or `whole_levels` of a whole book.
    """
    if are_levels(raw):
        return raw
    try:
        rows = _read_rows(raw)
    except ValidationError as error:
        raise FrameError(f"{field}: {error}", field=field) from error
    return whole_levels(rows, field) if whole else text_levels(rows, field)


def rows_of(levels: Raw | list[Row]) -> list[Row]:
    """Return what `raw_levels` returned as a list."""
    return levels if isinstance(levels, list) else _read_rows(levels)


def whole_levels(rows: list[Row], field: str) -> list[Row]:
    """Return one side of a whole book, as `text_levels` does; levels that are no unsigned numbers are left out.

    Coinbase has sent amounts like `0.-10000` within snapshots. Of an update nothing may be left out. Raises FrameError
    where nothing remains.
    """
    try:
        return text_levels(rows, field)
    except FrameError:
        kept = [row for row in rows if _is_level(row)]
        if not kept:
            raise
        return text_levels(kept, field)


def _is_level(row: Row) -> bool:
    try:
        return bool(unsigned(row[0], "price") and unsigned(row[1], "amount"))
    except FrameError:
        return False


def _joined(rows: list[Row]) -> str:
    if len(rows) == 1:  # as half of all changes are
        price, amount = rows[0]
        return f";{price},{amount}"
    return f";{';'.join(map(','.join, rows))}"


# ---- figures made of others
@lru_cache(maxsize=1024)
def percent(fraction: str) -> str:
    """Turn a fraction into percent, exactly, without trailing zeros."""
    try:
        text = format(_EXACT.multiply(Decimal(fraction), _HUNDRED), "f")
    except InvalidOperation as error:
        raise FrameError(f"{fraction[:40]!r} is no number", field="percent") from error
    return plain(text.rstrip("0").rstrip(".") if "." in text else text, "percent")


# ---- times
def seconds(raw: Raw, field: str) -> int:
    """Return a time in seconds with their fractions as ns."""
    return int(_EXACT.multiply(Decimal(number(raw, field)), Decimal(1_000_000_000)))


def milliseconds(raw: Raw, field: str) -> int:
    """Return a time in ms, of which some venues send fractions, as ns."""
    return int(_EXACT.multiply(Decimal(number(raw, field)), Decimal(1_000_000)))
