"""No two trades that a simulated venue sends share an id, without sockets: minutes of each, ten in the long form."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from producers.simulator.config import SimulatorConfig
from producers.simulator.hub import Session, Tick
from producers.simulator.market.market import Market, MarketConfig
from producers.simulator.registry import VENUES
from producers.simulator.venue import Snapshots

BEGIN_US = 1_795_650_000_000_000
STEP_MS = 500
MINUTES = (3, pytest.param(10, marks=pytest.mark.long))
BASES = ("BTC", "ETH")


@dataclass(frozen=True)
class Feed:
    """A venue's trades: the socket's path, what is sent to subscribe to a symbol, and a frame's symbols and ids.

    `market` is the one whose symbols are subscribed to (all where empty), `before` what is sent first.
    """

    path: str
    ask: Callable[[str], object]
    ids: Callable[[Any], list[tuple[str, Any]]]
    market: str = ""
    before: str = ""


def _rows(frame: Any, key: str, symbol: str, number: str) -> list[tuple[str, Any]]:
    rows = frame.get(key) if isinstance(frame, dict) else None
    rows = rows if isinstance(rows, list) else [rows] if isinstance(rows, dict) else []
    return [(row[symbol], row[number]) for row in rows if isinstance(row, dict) and number in row]


def _binance(symbol: str) -> object:
    return {"method": "SUBSCRIBE", "params": [f"{symbol.lower()}@trade"], "id": 1}


def _kucoin(topic: str) -> Callable[[str], object]:
    return lambda symbol: {"id": 1, "type": "subscribe", "topic": f"{topic}:{symbol}"}


def _gate(prefix: str) -> Callable[[str], object]:
    at = BEGIN_US // 1_000_000
    return lambda symbol: {"time": at, "channel": f"{prefix}.trades", "event": "subscribe", "payload": [symbol]}


def _bitfinex(frame: Any) -> list[tuple[str, Any]]:
    """The numbers of `te`: each print comes twice, the second time as `tu`."""
    return [(str(frame[0]), frame[2][0])] if isinstance(frame, list) and frame[1:2] == ["te"] else []


def _advanced(frame: Any) -> list[tuple[str, Any]]:
    events = [event for event in frame.get("events", []) if event.get("type") == "update"]
    return [(row["product_id"], row["trade_id"]) for event in events for row in event.get("trades", [])]


def _htx(frame: Any) -> list[tuple[str, Any]]:
    rows = frame["tick"]["data"] if "tick" in frame else []
    return [(frame["ch"], row.get("tradeId", row["id"])) for row in rows]


FEEDS: dict[str, Feed] = {
    "binance": Feed("/ws", _binance, lambda f: [(f["s"], f["t"])] if f.get("e") == "trade" else []),
    "binanceusdm": Feed("/public/ws", _binance, lambda f: [(f["s"], f["t"])] if f.get("e") == "trade" else []),
    "bybit": Feed(
        "/v5/public/spot",
        lambda s: {"op": "subscribe", "args": [f"publicTrade.{s}"]},
        lambda f: _rows(f, "data", "s", "i"),
        "spot",
    ),
    "bybit-linear": Feed(
        "/v5/public/linear",
        lambda s: {"op": "subscribe", "args": [f"publicTrade.{s}"]},
        lambda f: _rows(f, "data", "s", "i"),
        "linear",
    ),
    "okx": Feed(
        "/ws/v5/public",
        lambda s: {"op": "subscribe", "args": [{"channel": "trades", "instId": s}]},
        lambda f: _rows(f, "data", "instId", "tradeId"),
    ),
    "coinbase": Feed(
        "/",
        lambda s: {"type": "subscribe", "product_ids": [s], "channels": ["matches"]},
        lambda f: [(f["product_id"], f["trade_id"])] if f["type"] == "match" else [],
    ),
    "coinbase-advanced": Feed(
        "/advanced-trade-ws",
        lambda s: {"type": "subscribe", "product_ids": [s], "channel": "market_trades"},
        _advanced,
    ),
    "htx": Feed("/ws", lambda s: {"sub": f"market.{s}.trade.detail", "id": "1"}, _htx, "spot"),
    "htx-linear": Feed("/linear-swap-ws", lambda s: {"sub": f"market.{s}.trade.detail", "id": "1"}, _htx, "linear"),
    "gate": Feed("/ws/v4/", _gate("spot"), lambda f: _rows(f, "result", "currency_pair", "id"), "spot"),
    "gate-linear": Feed("/v4/ws/usdt", _gate("futures"), lambda f: _rows(f, "result", "contract", "id"), "linear"),
    "kraken": Feed(
        "/v2",
        lambda s: {"method": "subscribe", "params": {"channel": "trade", "symbol": [s], "snapshot": False}},
        lambda f: _rows(f, "data", "symbol", "trade_id"),
    ),
    "krakenfutures": Feed(
        "/ws/v1",
        lambda s: {"event": "subscribe", "feed": "trade", "product_ids": [s]},
        lambda f: [(f["product_id"], f["uid"])] if "uid" in f else [],
    ),
    "kucoin": Feed("/", _kucoin("/market/match"), lambda f: _rows(f, "data", "symbol", "tradeId")),
    "kucoinfutures": Feed("/", _kucoin("/contractMarket/execution"), lambda f: _rows(f, "data", "symbol", "tradeId")),
    "indodax": Feed(
        "/ws/",
        lambda s: {"method": 1, "params": {"channel": f"market:trade-activity-{s}"}, "id": 1},
        lambda f: [(row[0], row[2]) for row in _indodax_rows(f)],
        before='{"params":{"token":"e30.eyJleHAiOjQwMDAwMDAwMDB9.c2ln"},"id":1}',
    ),
    "hyperliquid": Feed(
        "/ws",
        lambda s: {"method": "subscribe", "subscription": {"type": "trades", "coin": s}},
        lambda f: _rows(f, "data", "coin", "tid"),
    ),
    "deribit": Feed(
        "/ws/api/v2",
        lambda s: {"id": 1, "method": "public/subscribe", "params": {"channels": [f"trades.{s}.100ms"]}},
        lambda f: _rows(f.get("params", {}), "data", "instrument_name", "trade_id"),
    ),
    "bitfinex": Feed("/ws/2", lambda s: {"event": "subscribe", "channel": "trades", "symbol": s}, _bitfinex),
}


def _indodax_rows(frame: Any) -> list[Any]:
    rows = frame.get("result", {}).get("data", {}).get("data", [])
    return rows if isinstance(rows, list) else []


def _play(name: str, feed: Feed, minutes: int) -> Counter[tuple[str, Any]]:
    """Return how often each id was sent to a socket that listens to every symbol."""
    venue_name = name.partition("-")[0]
    config = SimulatorConfig(seed=7, venues=(venue_name,), bases=BASES, enforce_limits=False)
    market = Market(MarketConfig(7, (venue_name,), BASES, 1.0, (5.0, 10.0), (30.0, 60.0)), BEGIN_US)
    listings = market.list_of(venue_name)
    venue: Any = config.open_venue(venue_name, listings, Snapshots())
    session = Session(1, feed.path, _query(venue), BEGIN_US)
    venue.on_open(session, BEGIN_US)
    if feed.before:
        venue.on_text(session, feed.before, BEGIN_US)
    for item in listings:
        if feed.market in ("", item.instrument.market):
            venue.on_text(session, json.dumps(feed.ask(item.instrument.symbol)), BEGIN_US)
    sent: Counter[tuple[str, Any]] = Counter()
    for step in range(1, minutes * 60_000 // STEP_MS + 1):
        now_us = BEGIN_US + step * STEP_MS * 1000
        market.step(now_us, STEP_MS * 1000)
        for frame in venue.list_frames(Tick(now_us, step * STEP_MS, STEP_MS)):
            if step > 1 and frame.channel == "trades":  # the first ones greet: what was traded before
                sent.update(found for text in frame.text.splitlines() for found in feed.ids(json.loads(text)))
    return sent


def _query(venue: Any) -> dict[str, str]:
    """A token, for the venues whose sockets are opened by one."""
    tokens = getattr(venue, "tokens", None)
    return {} if tokens is None else {"token": tokens.issue(BEGIN_US)}


@pytest.mark.parametrize("minutes", MINUTES)
@pytest.mark.parametrize("name", FEEDS)
def test_no_two_trades_of_a_simulated_venue_share_an_id(name: str, minutes: int) -> None:
    sent = _play(name, FEEDS[name], minutes)
    assert len(sent) > 15 * minutes
    assert [found for found, count in sent.items() if count > 1] == []


def test_every_simulated_venue_is_played() -> None:
    assert {name.partition("-")[0] for name in FEEDS} == set(VENUES)
