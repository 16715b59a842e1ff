"""Hyperliquid's subscriptions: the texts of trades, books, best prices, figures and candles after a step.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
"""

from __future__ import annotations

from typing import Any

from producers.simulator.hub import Tick, encode, rows_text
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing, Trade
from producers.simulator.topics import Topic
from producers.simulator.windows import Touch

LEVELS = 20
BOOK_MS, BEST_MS, FIGURES_MS = 500, 200, 1000
BACKLOG = 30
MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "8h": 480, "12h": 720}
DAYS = {"1d": 1440, "3d": 4320, "1w": 10_080}
BUYER, SELLER = "0x" + "ab" * 20, "0x" + "cd" * 20


def interval_us(interval: str) -> int | None:
    """The length of a candle; None where the venue has no such."""
    minutes = MINUTES.get(interval) or DAYS.get(interval)
    return None if minutes is None else minutes * 60_000_000


def real(units: int, scale: int) -> str:
    """A number as the venue writes it: no trailing zeros, but always a point."""
    text = number_text(units, scale, -1)
    return text if "." in text else f"{text}.0"


def open_topic(wanted: dict[str, Any], listing: Listing) -> Topic | None:
    """The topic of a subscription; None when the venue has no such."""
    kind = wanted.get("type")
    if kind == "candle":
        length = interval_us(str(wanted.get("interval")))
        return None if length is None else Candles(listing, str(wanted["interval"]), length)
    opened = {"trades": Trades, "l2Book": Book, "bbo": Best, "activeAssetCtx": Figures}.get(str(kind))
    return None if opened is None else opened(listing)


def trade_row(listing: Listing, trade: Trade) -> dict[str, Any]:
    """One trade; `side` is B where the taker bought, A where he sold."""
    t = listing.instrument
    return {
        "coin": t.symbol,
        "side": "B" if trade.taker_buys else "A",
        "px": real(trade.price, t.price_scale),
        "sz": real(trade.amount, t.amount_scale),
        "time": trade.ts_us // 1000,
        "hash": f"0x{trade.order:064x}",
        "tid": trade.id * 2_654_435_761 % 2**50,
        "users": [BUYER, SELLER],
    }


class Trades:
    """`trades`: all fills of a step; a new subscriber receives the most recent ones once more."""

    channel = "trades"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        return [self._text(self._listing.trades)] if self._listing.trades else []

    def snapshot(self, tick: Tick) -> str | None:
        return self._text(list(self._listing.recent)[-BACKLOG:])

    def _text(self, trades: list[Trade]) -> str:
        return encode({"channel": "trades", "data": [trade_row(self._listing, trade) for trade in trades]})


def book_text(listing: Listing, sides: tuple[list[tuple[int, int]], list[tuple[int, int]]], time_ms: int) -> str:
    """A book's object: 20 levels a side at most, best first."""
    t = listing.instrument
    rows = ",".join(
        rows_text(
            f'{{"px":"{real(price, t.price_scale)}","sz":"{real(amount, t.amount_scale)}","n":{1 + amount % 5}}}'
            for price, amount in side[:LEVELS]
        )
        for side in sides
    )
    return f'{{"coin":"{t.symbol}","time":{time_ms},"levels":[{rows}]}}'


class Book:
    """`l2Book`: the whole book twice a second, changed or not."""

    channel = "depth"
    is_delta = True  # each replaces the one before; so marked for the faults of books

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        return [self.snapshot(tick)] if tick.due(BOOK_MS) else []

    def snapshot(self, tick: Tick) -> str:
        book = self._listing.book
        sides = book.list_bids(LEVELS), book.list_asks(LEVELS)
        return f'{{"channel":"l2Book","data":{book_text(self._listing, sides, tick.now_ms)}}}'


class Best:
    """`bbo`: best bid and ask, when they changed."""

    channel = "bbo"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._touch = Touch(listing)
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        return [self.snapshot(tick)] if tick.due(BEST_MS) and self._touch.has_moved() else []

    def snapshot(self, tick: Tick) -> str:
        t, book = self._listing.instrument, self._listing.book
        sides = (*book.list_bids(1), *book.list_asks(1))
        rows = [{"px": real(p, t.price_scale), "sz": real(a, t.amount_scale), "n": 1 + a % 5} for p, a in sides]
        return encode({"channel": "bbo", "data": {"coin": t.symbol, "time": tick.now_ms, "bbo": rows}})


def figures(listing: Listing) -> dict[str, Any]:
    """The context of a perpetual, with funding by the hour; that of a spot pair has its supply instead."""
    t, book = listing.instrument, listing.book
    middle = real((book.best_bid + book.best_ask) * 5, t.price_scale + 1)
    shared: dict[str, Any] = {
        "prevDayPx": real(listing.open_24h, t.price_scale),
        "dayNtlVlm": real(listing.quote_units, t.price_scale + t.amount_scale),
        "markPx": middle,
        "midPx": middle,
    }
    volume = real(listing.volume_units, t.amount_scale)
    if t.market == "spot":
        return {**shared, "circulatingSupply": "1000000.0", "coin": t.symbol, "dayBaseVlm": volume}
    return {
        "funding": f"{listing.funding_rate / 8:.10f}",
        "openInterest": real(listing.open_interest, t.amount_scale),
        **shared,
        "premium": f"{listing.basis:.8f}",
        "oraclePx": real(book.best_bid, t.price_scale),
        "impactPxs": [real(book.best_bid, t.price_scale), real(book.best_ask, t.price_scale)],
        "dayBaseVlm": volume,
    }


def mids(listings: list[Listing]) -> dict[str, str]:
    """The middle of the touch of every coin."""
    return {item.instrument.symbol: figures(item)["midPx"] for item in listings}


def round_levels(levels: list[tuple[int, int]], digits: int, mantissa: int) -> list[tuple[int, int]]:
    """Levels gathered at prices of `digits` digits in steps of `mantissa`: bids downwards, asks (negative) upwards."""
    found: dict[int, int] = {}
    for price, amount in levels:
        step = abs(mantissa) * 10 ** max(0, len(str(price)) - digits)
        at = price // step * step if mantissa > 0 else -(-price // step) * step
        found[at] = found.get(at, 0) + amount
    return list(found.items())


class AllMids:
    """`allMids`: the middle of every coin's touch, each second."""

    channel = "mids"
    is_delta = False
    symbol = ""

    def __init__(self, listings: list[Listing]) -> None:
        self._listings = listings

    def list_texts(self, tick: Tick) -> list[str]:
        return [self.snapshot(tick)] if tick.due(FIGURES_MS) else []

    def snapshot(self, tick: Tick) -> str:
        return encode({"channel": "allMids", "data": {"mids": mids(self._listings)}})


class Figures:
    """`activeAssetCtx`; of spot pairs the pushes are called `activeSpotAssetCtx`."""

    channel = "ticker"
    is_delta = False

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self.symbol = listing.instrument.symbol
        self._channel = "activeSpotAssetCtx" if listing.instrument.market == "spot" else "activeAssetCtx"

    def list_texts(self, tick: Tick) -> list[str]:
        return [self.snapshot(tick)] if tick.due(FIGURES_MS) else []

    def snapshot(self, tick: Tick) -> str:
        return encode({"channel": self._channel, "data": {"coin": self.symbol, "ctx": figures(self._listing)}})


def candle_row(listing: Listing, interval: str, start_us: int, length_us: int) -> dict[str, Any]:
    """One candle, volume in the base coin."""
    t, c = listing.instrument, listing.candles.find(start_us, length_us)
    prices = {"o": c.open, "c": c.close, "h": c.high, "l": c.low}
    return {
        "t": start_us // 1000,
        "T": (start_us + length_us) // 1000 - 1,
        "s": t.symbol,
        "i": interval,
        **{name: real(price, t.price_scale) for name, price in prices.items()},
        "v": real(c.volume, t.amount_scale),
        "n": c.trades,
    }


class Candles:
    """`candle`: the open candle every second."""

    channel = "candles"
    is_delta = False

    def __init__(self, listing: Listing, interval: str, length_us: int) -> None:
        self._listing = listing
        self.symbol = listing.instrument.symbol
        self._interval = interval
        self._length_us = length_us

    def list_texts(self, tick: Tick) -> list[str]:
        return [self.snapshot(tick)] if tick.due(1000) else []

    def snapshot(self, tick: Tick) -> str:
        start = tick.now_us - tick.now_us % self._length_us
        return encode({"channel": "candle", "data": candle_row(self._listing, self._interval, start, self._length_us)})
