"""Gate's tickers and best prices as typed structs (pages: wire)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from producers.venues.gate.wire import Envelope, Maybe, reader


class SpotTicker(Struct, gc=False):
    """`{"currency_pair":"BTC_USDT","last":"1","lowest_ask":"1","highest_bid":"1","change_percentage":"-1.8",…}`."""

    currency_pair: str
    last: Maybe = None
    lowest_ask: Maybe = None
    highest_bid: Maybe = None
    change_percentage: Maybe = None
    base_volume: Maybe = None
    quote_volume: Maybe = None
    high_24h: Maybe = None
    low_24h: Maybe = None


class SpotTickers(Envelope, kw_only=True, gc=False):
    """Channel `spot.tickers`."""

    result: SpotTicker


class FuturesTicker(Struct, gc=False):
    """Figures of a contract: `total_size` is the open interest in contracts, `funding_next_apply` a time in seconds.

    The page has no best prices here; they are read where a frame has them. Frames of the first years have no volumes
    in the base and the quote coin (`volume_24h_btc` and `_usd` were other coins').
    """

    contract: str
    last: Maybe = None
    change_percentage: Maybe = None
    total_size: Maybe = None
    volume_24h_base: Maybe = None
    volume_24h_quote: Maybe = None
    mark_price: Maybe = None
    index_price: Maybe = None
    funding_rate: Maybe = None
    funding_next_apply: Maybe = None
    high_24h: Maybe = None
    low_24h: Maybe = None
    highest_bid: Maybe = None
    highest_size: Maybe = None
    lowest_ask: Maybe = None
    lowest_size: Maybe = None


class FuturesTickers(Envelope, kw_only=True, gc=False):
    """Channel `futures.tickers`: rows, or (2022) one row alone."""

    result: list[FuturesTicker] | FuturesTicker | None


class BookTicker(Struct, gc=False):
    """`{"t":1606293275123,"u":48733182,"s":"BTC_USDT","b":"19177.79","B":"0.0003","a":"19179.38","A":"0.09"}`."""

    s: str
    u: int | None = None
    t: int | None = None
    b: Maybe = None
    B: Maybe = None
    a: Maybe = None
    A: Maybe = None


class BookTickers(Struct, gc=False):
    """Channels `spot.book_ticker` and `futures.book_ticker`: an empty price means an empty side."""

    result: BookTicker


read_spot_tickers: Final = reader(SpotTickers)
read_futures_tickers: Final = reader(FuturesTickers)
read_book_tickers: Final = reader(BookTickers)
