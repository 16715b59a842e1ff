"""The symbols of an answer of the past are those that were listed then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

import pytest
import pytest_asyncio

from consumers.market.core import VERBS
from consumers.market.handlers import Core, MarketPlan
from consumers.market.past.listing import decide_bodies
from contracts import codec, subjects
from contracts.errors import UnknownSymbolError
from contracts.instrument import make_instrument
from contracts.state import TickerState
from contracts.streams import INSTRUMENTS, STATE
from runtime.clock import now_ns
from runtime.nats.bus import Bus
from runtime.nats.kv.mirror import Entry
from runtime.nats.streams.lasts import Kept

Eventually = Callable[..., Awaitable[None]]


def test_a_key_has_the_version_of_then_and_none_where_it_came_later() -> None:
    now = {"binance": Entry(b"[2]", 5, 50), "okx": Entry(b"[3]", 6, 60), "bybit": Entry(b"[4]", 1, 10)}
    then = {"binance": Kept(2, 20, b"[1]"), "bybit": Kept(1, 10, b"[4]"), "gone": Kept(3, 30, None)}
    assert decide_bodies(now, then, whole=True) == {"binance": b"[1]", "bybit": b"[4]"}


def test_a_key_whose_versions_may_have_been_dropped_has_the_value_of_now() -> None:
    now = {"binance": Entry(b"[2]", 5, 50), "okx": Entry(b"[3]", 6, 60)}
    then = {"binance": Kept(2, 20, b"[1]")}
    assert decide_bodies(now, then, whole=False) == {"binance": b"[1]", "okx": b"[3]"}


@pytest_asyncio.fixture
async def core(own: Bus) -> AsyncGenerator[Core]:
    """A core that mirrors what the tests write."""
    made = Core(own, MarketPlan())
    async with AsyncExitStack() as stack:
        for one in (made.bucket, made.instruments, made.coverage, made.listing):
            stack.callback(asyncio.ensure_future(one.run()).cancel)
        yield made
        await made.fetched.close()


async def list_on(bus: Bus, venue: str, *symbols: str) -> None:
    """Write what an exchange lists."""
    items = [asdict(make_instrument(venue, symbol, symbol.replace("/", ""))) for symbol in symbols]
    await bus.jetstream().publish(f"$KV.{INSTRUMENTS}.{venue}", json.dumps(items).encode())


async def quote(bus: Bus, venue: str, symbol: str) -> None:
    """Write a ticker."""
    fields = {name: info.default for name, info in TickerState.model_fields.items() if not info.is_required()}
    of = {"venue": venue, "symbol": symbol, "venue_symbol": None, "ts_recv": now_ns(), "quality": "live", "sim": False}
    body = codec.encode(codec.fast(TickerState)(**{**fields, **of, "last": "100"}))
    tail = make_instrument(venue, symbol, symbol).tail
    await bus.jetstream().publish(f"$KV.{STATE}.{subjects.STATE_TICKER}{tail}", body)


async def ask(core: Core, at_ns: int, verb: str, **fields: Any) -> Any:
    """The answer as of a moment."""
    entry = VERBS[verb]
    query: Any = entry.query.model_validate(fields)
    return (await core.past.compose(entry.compose, query, at_ns)).document


async def list_symbols(core: Core, at_ns: int) -> dict[str, list[str]]:
    """Everything that was listed, with the exchanges."""
    found = await ask(core, at_ns, "symbols", listed=True)
    return {entry["symbol"]: entry["exchanges"] for entry in found["symbols"]}


async def moment_between() -> int:
    """A moment between what was written and what will be."""
    await asyncio.sleep(0.02)
    at_ns = now_ns()
    await asyncio.sleep(0.02)
    return at_ns


@pytest.mark.nats
async def test_what_was_listed_then_is_answered(core: Core, own: Bus, eventually: Eventually) -> None:
    await list_on(own, "binance", "BTC/USDT", "DOGE/USDT")
    await quote(own, "binance", "BTC/USDT")
    await quote(own, "binance", "ETH/USDT")  # of an instrument that is listed later
    before = await moment_between()
    await list_on(own, "binance", "BTC/USDT", "ETH/USDT")
    await list_on(own, "okx", "BTC/USDT")
    await eventually(lambda: core.is_ready and "okx" in core.state.symbols.venues, 20)
    after = await moment_between()

    assert await list_symbols(core, before) == {"BTC/USDT": ["binance"], "DOGE/USDT": ["binance"]}
    assert await list_symbols(core, after) == {"BTC/USDT": ["binance", "okx"], "ETH/USDT": ["binance"]}
    assert (await ask(core, after, "price", symbol="ETH"))["symbol"] == "ETH"
    with pytest.raises(UnknownSymbolError):
        await ask(core, before, "price", symbol="ETH")


@pytest.mark.nats
async def test_a_listing_that_was_written_again_and_is_the_same_is_that_of_now(
    core: Core, own: Bus, eventually: Eventually
) -> None:
    await list_on(own, "binance", "BTC/USDT")
    await quote(own, "binance", "BTC/USDT")
    before = await moment_between()
    await list_on(own, "binance", "BTC/USDT")
    await eventually(lambda: core.is_ready and bool(core.state.symbols.instruments), 20)
    assert (await core.past._listing.find(before)) is core.state.listed
    for _ in range(9):  # no version of then is left
        await list_on(own, "binance", "BTC/USDT", "ETH/USDT")
    await eventually(lambda: core.state.symbols.venues and len(core.state.symbols.instruments) == 2, 20)
    assert await list_symbols(core, before) == {"BTC/USDT": ["binance"], "ETH/USDT": ["binance"]}
