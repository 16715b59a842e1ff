"""A state over documents that a test writes."""

from __future__ import annotations

import json
from typing import Any

from consumers.market.state import MarketState, Reader
from contracts import subjects
from contracts.instrument import Instrument, make_instrument
from contracts.symbols import SymbolBook
from tests.consumers.market.recorded import read_golden

FEED = read_golden("state.json.gz")["state"]["feed.binance"]
SECOND = 10**9
NOW = 1_767_225_600 * SECOND
STALE_NS = 30 * SECOND
LISTED = (
    make_instrument("binance", "BTC/USDT", "BTCUSDT"),
    make_instrument("binance", "BTC/USDT:USDT", "BTCUSDT"),
    make_instrument("indodax", "BTC/IDR", "btcidr"),
    make_instrument("indodax", "USDT/IDR", "usdtidr"),
    make_instrument("okx", "ETH/USDT", "ETH-USDT"),
)
SPOT, PERP, IDR, RATE, ETH = LISTED


def key(item: Instrument, prefix: str = subjects.STATE_TICKER) -> str:
    return prefix + item.tail


def ticker(item: Instrument, last: str | None = "100", age: int = 0, **fields: Any) -> bytes:
    values = {"venue": item.venue, "symbol": item.symbol, "venue_symbol": None, "ts_recv": NOW - age}
    return json.dumps({**values, "quality": "live", "sim": False, "last": last, **fields}).encode()


def feed_away(venue: str, channel: str, symbol: str, state: str = "down") -> bytes:
    """A feed of which one connection is away, that of a channel of a symbol."""
    serves = [{"channels": [channel], "symbols": [symbol]}]
    away = [{"connection": "public.0", "state": state, "serves": serves}]
    return json.dumps({**FEED, "venue": venue, "connected": True, "state": "live", "as_of": NOW, "away": away}).encode()


class World:
    def __init__(self, *listed: Instrument, **held: bytes) -> None:
        self.held: dict[str, bytes] = dict(held)
        self.connected = True
        self.unreadable: list[str] = []
        self.state = MarketState(
            self.held, STALE_NS, lambda: self.connected, lambda name, _error: self.unreadable.append(name)
        )
        if listed:
            self.state.save_symbols(SymbolBook(listed))

    def reader(self, now: int = NOW, **fields: Any) -> Reader:
        return Reader(self.state, now, **fields)


def world(*with_tickers: Instrument) -> World:
    made = World(*LISTED)
    made.held |= {key(item): ticker(item) for item in with_tickers}
    return made
