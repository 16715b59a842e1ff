"""Deribit's channels: the texts of trades, books, tickers, quotes and candles after a step.

https://docs.deribit.com/subscriptions/market-data
"""

from __future__ import annotations

from typing import Any

from producers.simulator.hub import Tick, encode
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Topic
from producers.simulator.venues.deribit.rows import (
    RESOLUTIONS,
    Levels,
    candle_row,
    levels_text,
    quote_row,
    ticker_row,
    trade_row,
)
from producers.simulator.windows import Touch, View

PERIODS_MS = {"100ms": 100, "agg2": 1000}
RAW = "raw"
WHOLE = 1000
IDLE_MS = 1000


def open_channel(name: str, listings: dict[str, Listing]) -> Topic | None:
    """The channel of this name; None when there is no such channel or instrument (or it is for logged in users)."""
    kind, *rest = name.split(".")
    if kind == "chart" and rest[:1] == ["trades"]:
        kind, rest = "chart.trades", rest[1:]
    listing = listings.get(rest[0]) if rest else None
    interval = rest[-1] if rest else ""
    if listing is None:
        return None
    if kind == "chart.trades":
        return Candles(name, listing, interval) if interval in RESOLUTIONS else None
    if kind == "quote" and len(rest) == 1:
        return Figures(name, listing, "bbo")
    if interval not in PERIODS_MS:
        return None
    if kind == "trades":
        return Trades(name, listing, PERIODS_MS[interval])
    if kind == "ticker":
        return Figures(name, listing, "ticker")
    if kind == "book":
        return _book(name, listing, rest)
    return None


def _book(name: str, listing: Listing, rest: list[str]) -> Topic | None:
    """The book by changes (`book.X.100ms`), or whole (`book.X.none.20.100ms`)."""
    if len(rest) == 2:  # noqa: PLR2004 - instrument, interval
        return Books(name, listing, PERIODS_MS[rest[-1]])
    if len(rest) == 4 and rest[1] == "none" and rest[2] in {"1", "10", "20"}:  # noqa: PLR2004 - a group and a depth more
        return Ladders(name, listing, int(rest[2]))
    return None


def push(name: str, data: str) -> str:
    """One notification."""
    return f'{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{name}","data":{data}}}}}'


class Trades:
    """`trades.X.100ms`: the fills of an interval in one message."""

    channel = "trades"
    is_delta = False

    def __init__(self, name: str, listing: Listing, period_ms: int) -> None:
        self.symbol = listing.instrument.symbol
        self._name = name
        self._listing = listing
        self._period_ms = period_ms
        self._before = listing.last.price
        self._rows: list[dict[str, Any]] = []

    def list_texts(self, tick: Tick) -> list[str]:
        for trade in self._listing.trades:
            self._rows.append(trade_row(self._listing, trade, self._before))
            self._before = trade.price
        if not self._rows or not tick.due(self._period_ms):
            return []
        rows, self._rows = self._rows, []
        return [push(self._name, encode(rows))]

    def snapshot(self, tick: Tick) -> str | None:
        return None


class Books:
    """`book.X.100ms`: a snapshot first, then changes chained by `prev_change_id`."""

    channel = "depth"
    is_delta = True

    def __init__(self, name: str, listing: Listing, period_ms: int) -> None:
        self.symbol = listing.instrument.symbol
        self._name = name
        self._listing = listing
        self._view = View(listing, WHOLE, period_ms, starts_fresh=True)

    def list_texts(self, tick: Tick) -> list[str]:
        bids, asks = self._view.bids, self._view.asks
        change = self._view.collect(tick)
        if change is None:
            return []
        sides = self._rows(change.bids, bids), self._rows(change.asks, asks)
        return [self._text("change", sides, f'{change.last_id},"prev_change_id":{change.prev_id}')]

    def snapshot(self, tick: Tick) -> str:
        bids, asks = self._view.levels()
        return self._text("snapshot", (self._rows(bids, {}), self._rows(asks, {})), str(self._view.last_id))

    def _rows(self, levels: Levels, before: dict[int, int]) -> str:
        terms = self._listing.instrument
        rows = (
            f'["{"delete" if not amount else "change" if price in before else "new"}",'
            f"{terms.price_text(price)},{terms.amount_text(amount)}]"
            for price, amount in levels
        )
        return "[" + ",".join(rows) + "]"

    def _text(self, kind: str, sides: tuple[str, str], ids: str) -> str:
        data = (
            f'{{"type":"{kind}","timestamp":{self._view.shown_us // 1000},"instrument_name":"{self.symbol}",'
            f'"change_id":{ids},"bids":{sides[0]},"asks":{sides[1]}}}'
        )
        return push(self._name, data)


class Ladders:
    """`book.X.none.20.100ms`: the best levels as a whole, whenever they changed."""

    channel = "depth"
    is_delta = False

    def __init__(self, name: str, listing: Listing, depth: int) -> None:
        self.symbol = listing.instrument.symbol
        self._name = name
        self._listing = listing
        self._view = View(listing, depth, 100)

    def list_texts(self, tick: Tick) -> list[str]:
        return [self.snapshot(tick)] if self._view.collect(tick) else []

    def snapshot(self, tick: Tick) -> str:
        bids, asks = (levels_text(self._listing, levels) for levels in self._view.levels())
        head = f'"timestamp":{tick.now_ms},"instrument_name":"{self.symbol}","change_id":{self._view.last_id}'
        return push(self._name, f'{{{head},"bids":{bids},"asks":{asks}}}')


class Figures:
    """`ticker.X.100ms` and `quote.X`: as soon as the touch moved; the ticker each second in any case."""

    is_delta = False

    def __init__(self, name: str, listing: Listing, channel: str) -> None:
        self.channel = channel
        self.symbol = listing.instrument.symbol
        self._name = name
        self._listing = listing
        self._touch = Touch(listing)

    def list_texts(self, tick: Tick) -> list[str]:
        moved = tick.due(200) and self._touch.has_moved()
        return [self.snapshot(tick)] if moved or (self.channel == "ticker" and tick.due(IDLE_MS)) else []

    def snapshot(self, tick: Tick) -> str:
        row = ticker_row if self.channel == "ticker" else quote_row
        return push(self._name, encode(row(self._listing, tick.now_us)))


class Candles:
    """`chart.trades.X.1`: the open candle every second."""

    channel = "candles"
    is_delta = False

    def __init__(self, name: str, listing: Listing, resolution: str) -> None:
        self.symbol = listing.instrument.symbol
        self._name = name
        self._listing = listing
        self._length_us = RESOLUTIONS[resolution]

    def list_texts(self, tick: Tick) -> list[str]:
        if not tick.due(1000):
            return []
        candle = self._listing.candles.find(tick.now_us - tick.now_us % self._length_us, self._length_us)
        return [push(self._name, encode(candle_row(self._listing, candle)))]

    def snapshot(self, tick: Tick) -> str | None:
        return None
