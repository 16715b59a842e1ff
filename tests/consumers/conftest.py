"""Events for the consumers' tests, and a provisioned bus of a test's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from contracts.codec import fast
from contracts.market import FeedStatus, Liquidation, Ticker, Trade
from contracts.streams import BUCKETS, DURABLES, STREAMS
from runtime import provision
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer, nats_server

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z, a Thursday

PLAN = provision.Plan(streams=STREAMS, buckets=BUCKETS, durables=DURABLES, synced=True)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncGenerator[NatsServer]:
    """A server of the test's own, provisioned as declared."""
    async with nats_server(tmp_path) as running:
        setup = await Bus(BusOptions(servers=(running.url,), name="setup")).connect()
        await provision.apply(setup, PLAN)
        await setup.close()
        yield running


@pytest_asyncio.fixture
async def own(server: NatsServer) -> AsyncGenerator[Bus]:
    connection = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
    yield connection
    await connection.close()


def make_trade(number: int = 1, ts: int | None = START, **fields: Any) -> Any:
    values: dict[str, Any] = {
        "id": f"binance.BTC.USDT.spot.trade.{number}",
        "venue": "binance",
        "symbol": "BTC/USDT",
        "venue_symbol": "BTCUSDT",
        "ts_event": ts,
        "ts_recv": START if ts is None else ts,
        "sim": False,
        "trade_id": str(number),
        "price": "100",
        "amount": "1",
        "contracts": None,
        "side": "buy",
    }
    return fast(Trade)(**{**values, **fields})


def make_ticker(ts: int = START, **fields: Any) -> Any:
    values: dict[str, Any] = dict.fromkeys(Ticker.model_fields)
    values |= {
        "id": f"binance.BTC.USDT.spot.ticker.{ts}",
        "venue": "binance",
        "symbol": "BTC/USDT",
        "venue_symbol": "BTCUSDT",
        "ts_event": ts,
        "ts_recv": ts,
        "sim": False,
    }
    return fast(Ticker)(**{**values, **fields})


def make_liquidation(number: int = 1, ts: int = START, **fields: Any) -> Any:
    values: dict[str, Any] = {
        "id": f"bybit.BTC.USDT.perp.liquidation.{number}",
        "venue": "bybit",
        "symbol": "BTC/USDT:USDT",
        "venue_symbol": "BTCUSDT",
        "ts_event": ts,
        "ts_recv": ts,
        "sim": False,
        "price": "100000",
        "price_kind": "bankruptcy",
        "amount": "10",
        "contracts": None,
        "position_side": "long",
        "order_side": "sell",
        "sampled": False,
    }
    return fast(Liquidation)(**{**values, **fields})


def make_status(state: str, ts: int = START, **fields: Any) -> Any:
    values: dict[str, Any] = {
        "id": f"binance.feed.{ts}.{state}",
        "venue": "binance",
        "symbol": None,
        "venue_symbol": None,
        "ts_event": None,
        "ts_recv": ts,
        "sim": False,
        "state": state,
        "reason": None,
        "channel": None,
    }
    return fast(FeedStatus)(**{**values, **fields})


@pytest.fixture
def trade() -> Callable[..., Any]:
    """`trade(number, ts, **fields)`: BTC/USDT on Binance spot, 1 for 100, bought."""
    return make_trade


@pytest.fixture
def ticker() -> Callable[..., Any]:
    """`ticker(ts, **fields)`: BTC/USDT on Binance spot, everything null."""
    return make_ticker


@pytest.fixture
def liquidation() -> Callable[..., Any]:
    """`liquidation(number, ts, **fields)`: a long of 10 BTC at 100000 USDT on Bybit: a million dollars."""
    return make_liquidation


@pytest.fixture
def status() -> Callable[..., Any]:
    """`status(state, ts, **fields)`: of Binance's whole feed."""
    return make_status
