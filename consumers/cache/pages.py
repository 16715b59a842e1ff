"""One instrument's latest state: its merged ticker, its recent trades, the last body of other kinds. Pure."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import msgspec

from consumers.cache.feeds import Feed
from contracts import codec, subjects
from contracts.instrument import SPOT, tail_symbol
from contracts.market import BookSnapshot
from contracts.numbers import time_of
from contracts.usd import tells_usd

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
KEPT_TRADES: Final = 50
STATS: Final = ("open_24h", "high_24h", "low_24h", "volume_24h", "quote_volume_24h", "change_24h")
TICKER: Final = (
    *("last", "bid", "bid_amount", "ask", "ask_amount", *STATS),
    *("last_ts", "bbo_ts", "stats_ts"),
)


class Page:
    """One instrument: its merged ticker, its recent trades, and the latest bodies of the other kinds by their key."""

    __slots__ = (
        "bodies",
        "counts",
        "dirty",
        "feed",
        "gone",
        "has_ticker",
        "latest",
        "priced",
        "quote",
        "sim",
        "symbol",
        "tail",
        "tells_usd",
        "ticker",
        "trades",
        "venue",
        "venue_symbol",
    )

    def __init__(self, tail: str, feed: Feed) -> None:
        self.tail, self.feed = tail, feed
        self.venue, self.symbol = tail_symbol(tail)
        self.venue_symbol: str | None = None
        self.quote = self.symbol.partition("/")[2].partition(":")[0]
        self.tells_usd = tail.endswith(f".{SPOT}") and tells_usd(self.symbol.partition("/")[0], self.quote)
        self.priced = 0
        self.ticker: dict[str, Any] = dict.fromkeys(TICKER)
        self.has_ticker = False
        self.gone = False  # forgotten: another page stands for the instrument
        self.latest = 0
        self.sim = False
        self.trades: deque[FastEvent] = deque(maxlen=KEPT_TRADES)
        self.bodies: dict[str, bytes] = {}
        self.dirty: set[str] = set()
        self.counts: dict[str, tuple[int, int]] = {}


def shown_keys(page: Page) -> set[str]:
    """List the keys of a page that tell a quality."""
    keys = {subjects.STATE_BOOK} & page.bodies.keys()
    if page.has_ticker:
        keys.add(subjects.STATE_TICKER)
    if page.trades:
        keys.add(subjects.STATE_TRADE)
    return keys


def merge_last(page: Page, event: FastEvent, price: str) -> None:
    """Take a last price, from a ticker or a trade, unless a newer one is held."""
    _never_mix(page, sim=event.sim)
    ts = time_of(event.ts_event, event.ts_recv)
    held = page.ticker
    if held["last_ts"] is None or ts >= held["last_ts"]:
        held["last"], held["last_ts"] = price, ts
    _take_ticker(page, event)


def merge_ticker(page: Page, event: FastEvent) -> None:
    """Take the parts that a ticker carries; null leaves what is held."""
    _never_mix(page, sim=event.sim)
    ts = time_of(event.ts_event, event.ts_recv)
    held = page.ticker
    if event.last is not None:
        merge_last(page, event, event.last)
    if (event.bid is not None or event.ask is not None) and (held["bbo_ts"] is None or ts >= held["bbo_ts"]):
        held["bbo_ts"] = ts
        if event.bid is not None:
            held["bid"], held["bid_amount"] = event.bid, event.bid_amount
        if event.ask is not None:
            held["ask"], held["ask_amount"] = event.ask, event.ask_amount
    stats = {name: value for name in STATS if (value := getattr(event, name)) is not None}
    if stats and (held["stats_ts"] is None or ts >= held["stats_ts"]):
        held.update(stats)
        held["stats_ts"] = ts
    _take_ticker(page, event)


def _never_mix(page: Page, *, sim: bool) -> None:
    """Forget a simulated ticker when real data arrives, and the other way round."""
    if sim != page.sim:
        page.sim = sim
        page.ticker = dict.fromkeys(TICKER)
        page.trades.clear()


def _take_ticker(page: Page, event: FastEvent) -> None:
    page.venue_symbol = event.venue_symbol
    page.latest = max(page.latest, event.ts_recv)
    page.has_ticker = True
    page.dirty.add(subjects.STATE_TICKER)


def ticker_document(page: Page) -> dict[str, object]:
    """Give the body of `contracts.state.TickerState`."""
    return {
        "sim": page.sim,
        "venue": page.venue,
        "symbol": page.symbol,
        "venue_symbol": page.venue_symbol,
        **page.ticker,
        "ts_recv": page.latest,
        "quality": "sim" if page.sim else page.feed.find_quality("ticker", page.symbol),
    }


def trades_document(page: Page) -> dict[str, object]:
    """Give the body of `contracts.state.TradesState`."""
    sim = any(trade.sim for trade in page.trades)
    return {
        "sim": sim,
        "venue": page.venue,
        "symbol": page.symbol,
        "trades": list(page.trades),
        "quality": "sim" if sim else page.feed.find_quality("trade", page.symbol),
    }


def marked_book(page: Page, body: bytes) -> bytes:
    """Give the book's body as it is, or with the feed's quality where it still calls itself live and is not."""
    quality = page.feed.find_quality("book", page.symbol)
    if quality == "live":
        return body
    book = codec.decoder(BookSnapshot).decode(body)
    return body if book.quality != "live" else codec.encode(msgspec.structs.replace(book, quality=quality))
