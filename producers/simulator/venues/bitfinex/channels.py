"""Bitfinex's channels: the bodies of trades, books, tickers, statuses and candles after a step.

A body is what stands between a channel's number and the flags' fields. https://docs.bitfinex.com/docs/ws-public
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from producers.simulator.hub import Tick
from producers.simulator.market.listing import Listing, Trade
from producers.simulator.topics import Topic
from producers.simulator.venues.bitfinex.rows import (
    TIMEFRAMES,
    Levels,
    candle_row,
    derivative_row,
    level_row,
    liquidation_rows,
    ticker_row,
    trade_row,
)
from producers.simulator.windows import Touch, View

LENGTHS = ("1", "25", "100", "250")
BOOK_PERIOD_MS, SLOW_PERIOD_MS = 1000, 2000
SUMMED = 25
BACKLOG = 30
CHECKSUM = '"cs",'


def open_topic(order: dict[str, Any], listings: dict[str, Listing]) -> tuple[str, Topic] | None:
    """The key and topic of a subscription; None when there is no such channel or symbol."""
    channel, name = str(order.get("channel")), str(order.get("key") or order.get("symbol"))
    if channel == "status":
        return _status(name, listings)
    if channel == "candles":
        _, _, rest = name.partition(":")
        timeframe, _, symbol = rest.partition(":")
        fits = name.startswith("trade:") and timeframe in TIMEFRAMES and symbol in listings
        return (f"candles|{name}", Candles(listings[symbol], timeframe)) if fits else None
    listing = listings.get(name)
    if listing is None:
        return None
    if channel == "trades":
        return f"trades|{name}", Trades(listing)
    if channel == "ticker":
        return f"ticker|{name}", Ticker(listing)
    length, freq = str(order.get("len", "25")), str(order.get("freq", "F0"))
    if channel != "book" or order.get("prec", "P0") != "P0" or length not in LENGTHS or freq not in ("F0", "F1"):
        return None
    period = BOOK_PERIOD_MS if freq == "F0" else SLOW_PERIOD_MS
    return f"book|{name}|{freq}|{length}", Books(listing, int(length), period)


def _status(name: str, listings: dict[str, Listing]) -> tuple[str, Topic] | None:
    if name == "liq:global":
        return f"status|{name}", Liquidations([x for x in listings.values() if x.instrument.market == "linear"])
    listing = listings.get(name.removeprefix("deriv:"))
    if not name.startswith("deriv:") or listing is None or listing.instrument.market != "linear":
        return None
    return f"status|{name}", Derivative(listing)


class Trades:
    """`trades`: the last ones first, then each print twice, as `te` and `tu`."""

    channel = "trades"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self.symbol = listing.instrument.symbol
        self._listing = listing

    def list_texts(self, tick: Tick) -> list[str]:
        rows = [trade_row(self._listing, trade) for trade in self._listing.trades]
        return [f'"{kind}",{row}' for row in rows for kind in ("te", "tu")]

    def snapshot(self, tick: Tick) -> str:
        """What was traded before this step and with it, newest first."""
        last: list[Trade] = list(self._listing.recent)[-BACKLOG:]
        return "[" + ",".join(trade_row(self._listing, trade) for trade in reversed(last)) + "]"


class Books:
    """`book` P0: the best levels as a whole, then each changed level in a frame of its own, and their checksum.

    What is gone comes first, as a trade takes orders before its rest is one: no frame leaves the book crossed.
    """

    channel = "depth"
    is_delta = True

    def __init__(self, listing: Listing, length: int, period_ms: int) -> None:
        self.symbol = listing.instrument.symbol
        self._listing = listing
        self._view = View(listing, length, period_ms, starts_fresh=True)

    def list_texts(self, tick: Tick) -> list[str]:
        change = self._view.collect(tick)
        if change is None:
            return []
        rows = [(*row, True) for row in change.bids] + [(*row, False) for row in change.asks]
        rows.sort(key=lambda row: row[1] != 0)
        texts = [level_row(self._listing, price, amount, is_bid=is_bid) for price, amount, is_bid in rows]
        return [*texts, f"{CHECKSUM}{self._sum()}"]

    def snapshot(self, tick: Tick) -> str:
        bids, asks = self._view.levels()
        rows = [level_row(self._listing, price, amount, is_bid=True) for price, amount in bids]
        rows += [level_row(self._listing, price, amount, is_bid=False) for price, amount in asks]
        return "[" + ",".join(rows) + "]"

    def _sum(self) -> int:
        bids, asks = self._view.levels()
        crc = zlib.crc32(":".join(self._parts(bids[:SUMMED], asks[:SUMMED])).encode())
        return crc - (1 << 32) if crc >= 1 << 31 else crc

    def _parts(self, bids: Levels, asks: Levels) -> Iterator[str]:
        terms = self._listing.instrument
        for bid, ask in zip_longest(bids, asks):
            if bid is not None:
                yield f"{terms.price_text(bid[0])}:{terms.amount_text(bid[1])}"
            if ask is not None:
                yield f"{terms.price_text(ask[0])}:-{terms.amount_text(ask[1])}"


class Ticker:
    """`ticker`: when the touch moved, at most each second."""

    channel = "ticker"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self.symbol = listing.instrument.symbol
        self._listing = listing
        self._touch = Touch(listing)

    def list_texts(self, tick: Tick) -> list[str]:
        return [ticker_row(self._listing)] if tick.due(1000) and self._touch.has_moved() else []

    def snapshot(self, tick: Tick) -> str:
        return ticker_row(self._listing)


class Derivative:
    """`status`, key `deriv:`: funding, prices and open interest each three seconds."""

    channel = "funding"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self.symbol = listing.instrument.symbol
        self._listing = listing

    def list_texts(self, tick: Tick) -> list[str]:
        return [derivative_row(self._listing, tick.now_us)] if tick.due(3000) else []

    def snapshot(self, tick: Tick) -> str:
        return derivative_row(self._listing, tick.now_us)


class Liquidations:
    """`status`, key `liq:global`: of each forced closing its trigger, and then what it matched."""

    symbol = ""
    channel = "liquidations"
    is_delta = False

    def __init__(self, listings: list[Listing]) -> None:
        self._listings = listings

    def list_texts(self, tick: Tick) -> list[str]:
        rows = [row for item in self._listings for x in item.liquidations for row in liquidation_rows(item, x)]
        return [f"[{row}]" for row in rows]

    def snapshot(self, tick: Tick) -> str | None:
        return None


class Candles:
    """`candles`: the last ones first, then the open one each second."""

    channel = "candles"
    is_delta = False

    def __init__(self, listing: Listing, timeframe: str) -> None:
        self.symbol = listing.instrument.symbol
        self._listing = listing
        self._length_us = TIMEFRAMES[timeframe]

    def list_texts(self, tick: Tick) -> list[str]:
        if not tick.due(1000):
            return []
        start = tick.now_us - tick.now_us % self._length_us
        return [candle_row(self._listing, self._listing.candles.find(start, self._length_us))]

    def snapshot(self, tick: Tick) -> str:
        found = self._listing.candles.list_candles(self._length_us, tick.now_us, BACKLOG)
        return "[" + ",".join(candle_row(self._listing, candle) for candle in reversed(found)) + "]"
