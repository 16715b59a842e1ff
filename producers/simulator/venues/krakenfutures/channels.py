"""Kraken Futures' feeds: the texts of trades, books and tickers after a step. Times are ms, numbers JSON numbers.

https://docs.kraken.com/exchange/api-reference/futures-websocket/trade
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from producers.simulator.hub import Tick, encode, rows_text
from producers.simulator.market.book import LevelChange
from producers.simulator.market.listing import Listing, Trade
from producers.simulator.topics import Topic
from producers.simulator.windows import Steps

BOOK_MS, TICKER_MS = 1000, 1000
BACKLOG = 100
HOUR_US = 3600 * 10**6
FEEDS = ("trade", "book", "ticker", "ticker_lite")


def open_feed(feed: str, listing: Listing) -> Topic:
    """The topic of one feed (one of FEEDS) and product."""
    if feed == "trade":
        return Trades(listing)
    if feed == "book":
        return Book(listing)
    return Ticker(listing, is_lite=feed == "ticker_lite")


def uid(trade: Trade) -> str:
    """The id of a trade."""
    return str(UUID(int=trade.id << 64 | trade.order * 2654435761 % 2**64))


class Trades:
    """`trade`: a frame a fill; `side` is the taker's. What a liquidation filled is of type `liquidation`."""

    channel = "trades"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        forced = forced_orders(self._listing)
        return [self._text(trade, "liquidation" if trade.order in forced else "fill") for trade in self._listing.trades]

    def snapshot(self, tick: Tick) -> str:
        recent = list(self._listing.recent)[-BACKLOG:]
        rows = rows_text(self._text(trade, "fill") for trade in reversed(recent))
        return f'{{"feed":"trade_snapshot","product_id":"{self.symbol}","trades":{rows}}}'

    def _text(self, trade: Trade, kind: str) -> str:
        t = self._listing.instrument
        side = "buy" if trade.taker_buys else "sell"
        return (
            f'{{"feed":"trade","product_id":"{t.symbol}","uid":"{uid(trade)}","side":"{side}","type":"{kind}",'
            f'"seq":{trade.id},"time":{trade.ts_us // 1000},"qty":{t.amount_text(trade.amount)},'
            f'"price":{t.price_text(trade.price)}}}'
        )


def forced_orders(listing: Listing) -> set[int]:
    """The orders of the last step that liquidations were filled by, found by their side and amount."""
    if not listing.liquidations:
        return set()
    amounts: dict[tuple[int, bool], int] = {}
    for trade in listing.trades:
        key = (trade.order, trade.taker_buys)
        amounts[key] = amounts.get(key, 0) + trade.amount
    wanted = [(not forced.is_long, forced.amount) for forced in listing.liquidations]
    return {order for (order, taker_buys), amount in amounts.items() if (taker_buys, amount) in wanted}


class Book:
    """`book`: `book_snapshot` first, then a frame a change; `seq` counts by one. Collected for a second, to be cheap.

    Changes come in the order in which they happened: the book is never crossed between two frames.
    """

    channel = "depth"
    is_delta = True

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._steps = Steps(listing, BOOK_MS)
        self._shown = (listing.book.list_bids(), listing.book.list_asks())
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        changes = self._steps.collect(tick)
        if changes:
            self._shown = (self._listing.book.list_bids(), self._listing.book.list_asks())
        return [self._text(tick, change) for change in changes]

    def snapshot(self, tick: Tick) -> str:
        """The book as it was last sent, which the next change continues."""
        bids, asks = self._shown
        return (
            f'{{"feed":"book_snapshot","product_id":"{self.symbol}","timestamp":{tick.now_ms},'
            f'"seq":{self._steps.last_id},"tickSize":null,"bids":{self._rows(bids)},"asks":{self._rows(asks)}}}'
        )

    def _text(self, tick: Tick, change: LevelChange) -> str:
        t = self._listing.instrument
        side = "buy" if change.is_bid else "sell"
        return (
            f'{{"feed":"book","product_id":"{t.symbol}","side":"{side}","seq":{change.update_id},'
            f'"price":{t.price_text(change.price)},"qty":{t.amount_text(change.amount)},"timestamp":{tick.now_ms}}}'
        )

    def _rows(self, levels: Iterable[tuple[int, int]]) -> str:
        t = self._listing.instrument
        return rows_text(f'{{"price":{t.price_text(p)},"qty":{t.amount_text(a)}}}' for p, a in levels)


class Ticker:
    """`ticker` and `ticker_lite`: once a second."""

    channel = "ticker"
    is_delta = False

    def __init__(self, listing: Listing, *, is_lite: bool) -> None:
        self._listing = listing
        self._is_lite = is_lite
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        return [self._text(tick)] if tick.due(TICKER_MS) else []

    def snapshot(self, tick: Tick) -> str:
        return self._text(tick)

    def _text(self, tick: Tick) -> str:
        row = lite_figures(self._listing) if self._is_lite else figures(self._listing, tick.now_us)
        feed = "ticker_lite" if self._is_lite else "ticker"
        return encode({"feed": feed, "product_id": self.symbol, **row})


def lite_figures(listing: Listing) -> dict[str, Any]:
    """The fields of `ticker_lite`."""
    t, book = listing.instrument, listing.book
    change = (listing.last.price - listing.open_24h) / listing.open_24h * 100
    return {
        "bid": number(t.price_text(book.best_bid)),
        "ask": number(t.price_text(book.best_ask)),
        "change": change,
        "premium": 0.0,
        "volume": number(listing.volume_text()),
        "tag": "perpetual",
        "pair": t.symbol.partition("_")[2].replace("USD", ":USD"),
        "dtm": 0,
        "maturityTime": 0,
    }


def figures(listing: Listing, now_us: int) -> dict[str, Any]:
    """The fields of `ticker`."""
    t, book, mark = listing.instrument, listing.book, listing.mark_price()
    scale = 10**t.price_scale
    rate = listing.funding_rate / 8
    return {
        "time": now_us // 1000,
        **lite_figures(listing),
        "bid_size": number(t.amount_text(book.bids[book.best_bid])),
        "ask_size": number(t.amount_text(book.asks[book.best_ask])),
        "volumeQuote": round(listing.quote_units / 10 ** (t.price_scale + t.amount_scale), 2),
        "leverage": "50x",
        "last": number(t.price_text(listing.last.price)),
        "open": number(t.price_text(listing.open_24h)),
        "high": number(t.price_text(listing.high_24h)),
        "low": number(t.price_text(listing.low_24h)),
        "index": round(mark / scale, t.price_scale + 2),
        "markPrice": round(mark / scale, t.price_scale + 3),
        "openInterest": number(t.amount_text(listing.open_interest)),
        "funding_rate": rate * mark / scale,
        "funding_rate_prediction": rate * mark / scale,
        "relative_funding_rate": rate,
        "relative_funding_rate_prediction": rate,
        "next_funding_rate_time": (now_us - now_us % HOUR_US + HOUR_US) // 1000,
        "suspended": False,
        "post_only": False,
    }


def number(text: str) -> int | float:
    """A JSON number of one of the venue's texts."""
    return float(text) if "." in text else int(text)
