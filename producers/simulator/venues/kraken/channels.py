"""Kraken's WebSocket v2 channels: the texts of trades, tickers, books and candles after a step.

https://docs.kraken.com/exchange/api-reference/spot-websocket-v2/book. Numbers are JSON numbers with all their decimals.
"""

from __future__ import annotations

from zlib import crc32

from producers.simulator.hub import Tick, rows_text, time_text
from producers.simulator.market.candles import Candle
from producers.simulator.market.listing import Listing, Trade
from producers.simulator.topics import Topic
from producers.simulator.windows import Touch, View

DEPTHS = (10, 25, 100, 500, 1000)
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10_080, 21_600)
TRIGGERS = ("trades", "bbo")
BOOK_MS, TICKER_MS = 200, 250
BACKLOG, SUMMED = 50, 10
Levels = list[tuple[int, int]]


def open_channel(channel: str, listing: Listing, detail: str) -> Topic:
    """The topic of one channel and pair; `detail` is the depth, the trigger or the interval."""
    if channel == "trade":
        return Trades(listing)
    if channel == "ticker":
        return Ticker(listing, detail)
    if channel == "ohlc":
        return Candles(listing, int(detail))
    return Book(listing, int(detail))


class Trades:
    """`trade`: the fills of a step in one frame; `side` is the taker's. A snapshot repeats the last fifty."""

    channel = "trades"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        trades = self._listing.trades
        return [push("trade", "update", [self._row(trade) for trade in trades])] if trades else []

    def snapshot(self, tick: Tick) -> str:
        recent = list(self._listing.recent)[-BACKLOG:]
        return push("trade", "snapshot", [self._row(trade) for trade in recent])

    def _row(self, trade: Trade) -> str:
        t = self._listing.instrument
        side = "buy" if trade.taker_buys else "sell"
        return (
            f'{{"symbol":"{t.symbol}","side":"{side}","price":{t.price_text(trade.price)},'
            f'"qty":{t.amount_text(trade.amount)},"ord_type":"market","trade_id":{trade.id},'
            f'"timestamp":"{time_text(trade.ts_us)}"}}'
        )


class Ticker:
    """`ticker`: after trades, or with `bbo` whenever the best bid or ask changed too; at most every 250 ms."""

    channel = "ticker"
    is_delta = False

    def __init__(self, listing: Listing, trigger: str) -> None:
        self._listing = listing
        self._touch = Touch(listing) if trigger == "bbo" else None
        self._stirred = False
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        self._stirred = self._stirred or bool(self._listing.trades)
        if not tick.due(TICKER_MS):
            return []
        moved = self._touch is not None and self._touch.has_moved()
        if not (moved or self._stirred):
            return []
        self._stirred = False
        return [self._text(tick, "update")]

    def snapshot(self, tick: Tick) -> str:
        return self._text(tick, "snapshot")

    def _text(self, tick: Tick, kind: str) -> str:
        listing, t, book = self._listing, self._listing.instrument, self._listing.book
        last, opened = listing.last.price, listing.open_24h
        vwap = t.price_text(listing.quote_units // max(1, listing.volume_units))
        row = (
            f'{{"symbol":"{t.symbol}","bid":{t.price_text(book.best_bid)},"bid_qty":'
            f'{t.amount_text(book.bids[book.best_bid])},"ask":{t.price_text(book.best_ask)},"ask_qty":'
            f'{t.amount_text(book.asks[book.best_ask])},"last":{t.price_text(last)},"volume":{listing.volume_text()},'
            f'"vwap":{vwap},"low":{t.price_text(listing.low_24h)},"high":{t.price_text(listing.high_24h)},'
            f'"change":{t.price_text(last - opened)},"change_pct":{(last - opened) / opened * 100:.2f},'
            f'"timestamp":"{time_text(tick.now_us)}"}}'
        )
        return push("ticker", kind, [row])


class Book:
    """`book`: the best levels, then changes every 200 ms, each with the checksum of the book after it.

    A level that falls out of the depth is not sent as removed: the client is to cut its book. Removals come first, so
    that a client which cuts after each row never drops a level that belongs to the book.
    """

    channel = "depth"
    is_delta = True

    def __init__(self, listing: Listing, depth: int) -> None:
        self._listing = listing
        self._view = View(listing, depth, BOOK_MS, starts_fresh=True)
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        change = self._view.collect(tick)
        if change is None:
            return []
        book = self._listing.book
        bids = [(price, amount) for price, amount in change.bids if amount or price not in book.bids]
        asks = [(price, amount) for price, amount in change.asks if amount or price not in book.asks]
        for rows in (bids, asks):
            rows.sort(key=lambda row: row[1] > 0)
        return [self._text("update", bids, asks)]

    def snapshot(self, tick: Tick) -> str:
        return self._text("snapshot", *self._view.levels())

    def _text(self, kind: str, bids: Levels, asks: Levels) -> str:
        row = (
            f'{{"symbol":"{self.symbol}","bids":{self._rows(bids)},"asks":{self._rows(asks)},'
            f'"checksum":{self._checksum()},"timestamp":"{time_text(self._view.shown_us)}"}}'
        )
        return push("book", kind, [row])

    def _rows(self, levels: Levels) -> str:
        t = self._listing.instrument
        return rows_text(f'{{"price":{t.price_text(p)},"qty":{t.amount_text(a)}}}' for p, a in levels)

    def _checksum(self) -> int:
        t = self._listing.instrument
        bids, asks = self._view.levels()
        texts = [t.price_text(p) + " " + t.amount_text(a) for p, a in (*asks[:SUMMED], *bids[:SUMMED])]
        digits = (part.replace(".", "").lstrip("0") for text in texts for part in text.split())
        return crc32("".join(digits).encode())


class Candles:
    """`ohlc`: the open candle every second, and the last ones for a new subscriber."""

    channel = "candles"
    is_delta = False

    def __init__(self, listing: Listing, minutes: int) -> None:
        self._listing = listing
        self._minutes = minutes
        self._length_us = minutes * 60_000_000
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        if not tick.due(1000):
            return []
        start = tick.now_us - tick.now_us % self._length_us
        return [push("ohlc", "update", [self._row(self._listing.candles.find(start, self._length_us), tick)])]

    def snapshot(self, tick: Tick) -> str:
        candles = self._listing.candles.list_candles(self._length_us, tick.now_us, 3)
        return push("ohlc", "snapshot", [self._row(candle, tick) for candle in candles])

    def _row(self, c: Candle, tick: Tick) -> str:
        t = self._listing.instrument
        prices = {"open": c.open, "high": c.high, "low": c.low, "close": c.close}
        texts = ",".join(f'"{name}":{t.price_text(price)}' for name, price in prices.items())
        vwap = t.price_text(c.quote // c.volume if c.volume else c.close)
        return (
            f'{{"symbol":"{t.symbol}",{texts},"trades":{c.trades},"volume":{t.amount_text(c.volume)},"vwap":{vwap},'
            f'"interval_begin":"{time_text(c.start_us)[:-1]}000Z","interval":{self._minutes},'
            f'"timestamp":"{time_text(tick.now_us)}"}}'
        )


def push(channel: str, kind: str, rows: list[str]) -> str:
    """One data frame."""
    return f'{{"channel":"{channel}","type":"{kind}","data":{rows_text(rows)}}}'
