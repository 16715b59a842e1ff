"""Indodax's messages as typed structs, one a channel, and how their numbers become ours.

Pushes nest their payload twice: `{"result":{"channel":"…","data":{"data":<payload>,"offset":67409}}}`; a publication
that comes with the answer to a subscription is the inner part: `{"data":<payload>,"offset":67409}`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct

from producers.normalize import numbers
from producers.normalize.lenient_json import reader

NOTHING: Final = Raw()


class Error(Struct):
    """`{"code":102,"message":"unknown channel"}`."""

    code: int
    message: str = ""


class Head(Struct, gc=False):
    """Any message: answers have an `id`, pushes have none; the answer to a ping has nothing else."""

    id: int | None = None
    result: Raw = NOTHING
    error: Error | None = None


class Push(Struct, gc=False):
    """`{"channel":"market:order-book-btcidr","data":{…}}`; `type` is 0, left out, for publications."""

    channel: str = ""
    type: int = 0
    data: Raw = Raw(b"null")


class Result(Struct):
    """What answers connecting (`client`) and subscribing (position of the stream, what was missed since)."""

    client: str | None = None
    epoch: str | None = None
    offset: int | None = None
    recovered: bool = False
    publications: list[Raw] = []
    part: bool = False  # ours (rows.py)


class TradeRow(Struct, array_like=True, gc=False):
    """`["btcidr",1763700000,21999427,"buy",1632000000,"5045000","0.00309130"]`.

    Pair, seconds, number of the trade, side (of the taker: presumed, no page says so), price, amount in the quote coin,
    amount in the base coin.
    """

    pair: str
    time: int
    number: int
    side: Literal["buy", "sell"]
    price: Raw
    quote: Raw
    base: str


class Trades(Struct, gc=False):
    """A publication of `market:trade-activity-<pair>`."""

    data: list[TradeRow]
    offset: int | None = None
    part: bool = False  # ours (rows.py)


class SummaryRow(Struct, array_like=True, gc=False):
    """`["btcidr",1763700000,1632000000,1610000000,1650000000,1620000000,"138000000000","85.13"]`.

    Pair, seconds, last, low, high, price of 24 hours ago, volume in the quote coin, volume in the base coin.
    """

    pair: str
    time: int
    last: Raw
    low: Raw
    high: Raw
    before: Raw
    quote: Raw
    base: Raw


class Summary(Struct, gc=False):
    """A publication of `market:summary-24h`: the pairs that changed."""

    data: list[SummaryRow]
    offset: int | None = None


class TradesPushResult(Struct, gc=False):
    """What a push of trades holds."""

    data: Trades


class TradesPush(Struct, gc=False):
    """A push of trades."""

    result: TradesPushResult


class Shape(Struct, gc=False):
    """A publication that names no channel: the payload's own shape shows it."""

    data: Raw
    offset: int | None = None


class BookPair(Struct, gc=False):
    """`{"pair":"btcidr",…}`: which book a publication is of."""

    pair: str


decode_head: Final = msgspec.json.Decoder(Head).decode
decode_push: Final = msgspec.json.Decoder(Push).decode
decode_result: Final = msgspec.json.Decoder(Result).decode
decode_trades: Final = reader(Trades)
decode_trades_push: Final = reader(TradesPush)
decode_summary: Final = reader(Summary)
decode_shape: Final = msgspec.json.Decoder(Shape).decode
decode_pair: Final = msgspec.json.Decoder(BookPair).decode
decode_rows: Final = msgspec.json.Decoder(list[list[Raw]]).decode


@dataclass(frozen=True, slots=True)
class BookDecoders:
    """Decoders of one pair's books: of a publication alone, and of a whole push."""

    publication: Callable[[bytes], Any]
    push: Callable[[bytes], Any]


@lru_cache(maxsize=1024)
def book_decoders(base: str) -> BookDecoders:
    """Make the decoders of a book; the key of an amount is the coin's own: `btc_volume`.

    `{"data":{"pair":"btcidr","ask":[{"btc_volume":"0.11","idr_volume":"180000000","price":"1632000000"}],"bid":[…]},
    "offset":67409}`: always the whole visible book.
    """
    level = msgspec.defstruct("Level", [("price", str), ("amount", str)], rename={"amount": f"{base}_volume"}, gc=False)
    sides = msgspec.defstruct("Sides", [("ask", list[level]), ("bid", list[level])], gc=False)
    book = msgspec.defstruct("Book", [("data", sides), ("offset", int | None, None)], gc=False)
    inner = msgspec.defstruct("BookPushResult", [("data", book)], gc=False)
    push = msgspec.defstruct("BookPush", [("result", inner)], gc=False)
    return BookDecoders(reader(book), reader(push))


def text(raw: Raw) -> str:
    """Return a number's own text, whether it came as a number or as text."""
    return str(raw, "ascii", "replace").strip('"')


def price(raw: Raw, field: str) -> str | None:
    """Return a price, as `text` does; null, empty and zero are null."""
    found = text(raw)
    return None if found == "null" else numbers.optional_price_text(found, field)


def amount(raw: Raw, field: str) -> str | None:
    """Return an unsigned number, as `text` does; null stays null."""
    found = text(raw)
    return None if found == "null" else numbers.unsigned(found, field)
