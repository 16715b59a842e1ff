"""Tickers and books of venues, as the market core has them."""

from __future__ import annotations

from typing import Any

from consumers.market.consolidated import Offered
from consumers.market.documents import Ticker, make_ticker
from consumers.market.price import Quoted
from contracts import codec
from contracts.instrument import make_instrument
from contracts.market import BookSnapshot

_BOOK = codec.trusted(BookSnapshot)


def ticker(venue: str, last: str | None = "100", **fields: Any) -> Ticker:
    values: dict[str, Any] = {"venue": venue, "symbol": "BTC/USDT", "venue_symbol": None, "ts_recv": 5}
    return make_ticker(**{**values, "quality": "live", "sim": False, "last": last, **fields})


def quoted(
    venue: str, last: str | None = "100", own: str = "live", kind: tuple[str, str] = ("spot", "USDT"), **fields: Any
) -> Quoted:
    return Quoted(ticker(venue, last, **fields), own, *kind)


def book(venue: str, bids: str, asks: str, symbol: str = "BTC/USDT", **fields: Any) -> Offered:
    item = make_instrument(venue, symbol, symbol)
    values: dict[str, Any] = dict.fromkeys(BookSnapshot.model_fields)
    sides = {"bids": levels(bids), "asks": levels(asks)}
    own = fields.pop("own", "live")
    return Offered(item, _BOOK(**{**values, "unit": "base", "sim": False, "ts_recv": 5, **sides, **fields}), own)


def levels(text: str) -> list[tuple[str, str]]:
    return [(one.partition("x")[0], one.partition("x")[2]) for one in text.split()]
