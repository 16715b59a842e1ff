"""Bybit's public topics: the texts of trades, books, tickers, liquidations and klines after a step.

https://bybit-exchange.github.io/docs/v5/websocket/public/trade
"""

from __future__ import annotations

from typing import Any

from producers.simulator.hub import Tick, encode
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Topic
from producers.simulator.venues.bybit.books import BOOK_PERIODS_MS, OrderBook, TopOfBook
from producers.simulator.venues.bybit.rows import (
    INTERVALS,
    index_price,
    interval_us,
    linear_figures,
    spot_figures,
    trade_id,
)

MAX_TRADES = 1024


def open_topic(kind: str, listing: Listing, counters: dict[str, int]) -> Topic | None:
    """The topic `kind` (such as `orderbook.50`) of an instrument; None when the venue has no such topic."""
    head, _, tail = kind.partition(".")
    is_linear = listing.instrument.market == "linear"
    if kind == "publicTrade":
        return Trades(listing)
    if kind == "tickers":
        return LinearTicker(listing) if is_linear else SpotTicker(listing)
    if kind == "allLiquidation" and is_linear:
        return Liquidations(listing)
    if kind == "orderbook.1":
        return TopOfBook(listing, counters)
    if head == "orderbook" and tail.isdigit() and int(tail) in BOOK_PERIODS_MS:
        return OrderBook(listing, int(tail), counters)
    if head == "kline" and tail in INTERVALS:
        return Klines(listing, tail)
    return None


class Trades:
    """`publicTrade`: all fills of a step in one message; `S` is the taker's side."""

    channel = "trades"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.symbol = listing.instrument.symbol
        self._price = listing.last.price

    def list_texts(self, tick: Tick) -> list[str]:
        rows = [self._row(index) for index in range(len(self.listing.trades))]
        topic = f'"topic":"publicTrade.{self.listing.instrument.symbol}"'
        kind = f'"ts":{tick.now_ms},"type":"snapshot"'
        batches = [rows[at : at + MAX_TRADES] for at in range(0, len(rows), MAX_TRADES)]
        return [f'{{{topic},{kind},"data":{encode(batch)}}}' for batch in batches]

    def snapshot(self, tick: Tick) -> str | None:
        return None

    def _row(self, index: int) -> dict[str, Any]:
        trade, t = self.listing.trades[index], self.listing.instrument
        row: dict[str, Any] = {
            "i": trade_id(self.listing, trade.id),
            "T": trade.ts_us // 1000,
            "p": t.price_text(trade.price),
            "v": t.amount_text(trade.amount),
            "S": "Buy" if trade.taker_buys else "Sell",
            "seq": trade.order,
            "s": t.symbol,
        }
        if t.market == "linear":
            moved = trade.price - self._price
            row["L"] = "PlusTick" if moved > 0 else "MinusTick" if moved < 0 else "ZeroPlusTick"
        self._price = trade.price
        return {**row, "BT": False, "RPI": False}


class SpotTicker:
    """`tickers` on spot: snapshots only, without bid and ask."""

    channel = "ticker"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.symbol = listing.instrument.symbol
        self._trades = 0

    def list_texts(self, tick: Tick) -> list[str]:
        if self.listing.trade_count == self._trades or not tick.due(50):
            return []
        self._trades = self.listing.trade_count
        return [self.snapshot(tick)]

    def snapshot(self, tick: Tick) -> str:
        return encode(
            {
                "topic": f"tickers.{self.listing.instrument.symbol}",
                "ts": tick.now_ms,
                "type": "snapshot",
                "cs": self.listing.book.update_id,
                "data": {**spot_figures(self.listing), "usdIndexPrice": index_price(self.listing)},
            }
        )


class LinearTicker:
    """`tickers` on linear: a snapshot first, then only the fields that changed."""

    channel = "ticker"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.symbol = listing.instrument.symbol
        self._fields: dict[str, str] = {}

    def list_texts(self, tick: Tick) -> list[str]:
        if not tick.due(100):
            return []
        fields = linear_figures(self.listing, tick.now_us)
        changed = {name: text for name, text in fields.items() if self._fields.get(name) != text}
        self._fields = fields
        return [self._text(tick, "delta", changed)] if changed else []

    def snapshot(self, tick: Tick) -> str:
        self._fields = self._fields or linear_figures(self.listing, tick.now_us)
        return self._text(tick, "snapshot", self._fields)

    def _text(self, tick: Tick, kind: str, fields: dict[str, str]) -> str:
        symbol = self.listing.instrument.symbol
        row = {"topic": f"tickers.{symbol}", "type": kind, "data": {"symbol": symbol, **fields}}
        return encode({**row, "cs": self.listing.book.update_id, "ts": tick.now_ms})


class Liquidations:
    """`allLiquidation`: everything, in batches of 500 ms; `S` is the side of the POSITION (Buy: a long)."""

    channel = "liquidations"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.symbol = listing.instrument.symbol
        self._rows: list[dict[str, Any]] = []

    def list_texts(self, tick: Tick) -> list[str]:
        t = self.listing.instrument
        for x in self.listing.liquidations:
            side = "Buy" if x.is_long else "Sell"
            row = {"T": x.ts_us // 1000, "s": t.symbol, "S": side, "v": t.amount_text(x.amount)}
            self._rows.append({**row, "p": t.price_text(x.bankruptcy_price)})
        if not self._rows or not tick.due(500):
            return []
        rows, self._rows = self._rows, []
        return [encode({"topic": f"allLiquidation.{t.symbol}", "type": "snapshot", "ts": tick.now_ms, "data": rows})]

    def snapshot(self, tick: Tick) -> str | None:
        return None


class Klines:
    """`kline.<interval>`: the open candle every second, and the closed one with `confirm`."""

    channel = "candles"
    is_delta = False

    def __init__(self, listing: Listing, interval: str) -> None:
        self.listing = listing
        self.symbol = listing.instrument.symbol
        self._interval = interval
        self._length_us = interval_us(interval)
        self._open_us = 0

    def list_texts(self, tick: Tick) -> list[str]:
        start = tick.now_us - tick.now_us % self._length_us
        texts = [self._text(tick, self._open_us, confirm=True)] if 0 < self._open_us < start else []
        self._open_us = start
        if tick.due(1000):
            texts.append(self._text(tick, start, confirm=False))
        return texts

    def snapshot(self, tick: Tick) -> str | None:
        return None

    def _text(self, tick: Tick, start_us: int, *, confirm: bool) -> str:
        t, c = self.listing.instrument, self.listing.candles.find(start_us, self._length_us)
        prices = {"open": c.open, "close": c.close, "high": c.high, "low": c.low}
        row = {
            "start": start_us // 1000,
            "end": (start_us + self._length_us) // 1000 - 1,
            "interval": self._interval,
            **{name: t.price_text(price) for name, price in prices.items()},
            "volume": t.amount_text(c.volume),
            "turnover": number_text(c.quote, t.price_scale + t.amount_scale, -1),
            "confirm": confirm,
            "timestamp": tick.now_ms,
        }
        topic = f"kline.{self._interval}.{t.symbol}"
        return encode({"topic": topic, "data": [row], "ts": tick.now_ms, "type": "snapshot"})
