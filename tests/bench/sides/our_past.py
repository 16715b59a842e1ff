"""Answers as they were beside live ones, and what the bus needs to record what they are made of."""

from __future__ import annotations

import asyncio
import random
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from consumers.cache.core import StateCache
from contracts import codec, subjects
from contracts.market import BookSnapshot, Ticker, Trade
from contracts.streams import STATE
from runtime import provision
from runtime.clock import now_ns
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import nats_server
from tests.api.world import Api, Store, origin
from tests.bench.sides.driver import fill_state
from tests.bench.sides.our_bus import bus, trades
from tests.bench.sides.our_http import our_api
from tests.bench.sides.worker import cpu_of

VERSIONS = 24
PAUSE = 0.05
TRADES = 60
AT_ONCE = 200
TAIL = "binance.BTC.USDT.spot"
_MILLISECOND = 1_000_000


async def find_past(request: dict[str, Any]) -> dict[str, float]:
    """Milliseconds of an answer of a route over HTTP, as of moments (`past`) or live."""
    pick = random.Random(1)
    async with our_api(request["nats"], cache=False) as api, bus(request["nats"]) as connected:
        store = Store(connected)
        await store.put_listing()
        first, last = await _write_versions(store)
        times: list[float] = []
        for number in range(request["count"] + 10):
            await store.put_ticker("binance", "BTC/USDT", f"{91_000 + number}.20")
            moment = pick.randint(first // _MILLISECOND, last // _MILLISECOND)
            route = f"{request['route']}&as_of={moment}" if request["past"] else request["route"]
            times.append(await _time(api, route))
    times = sorted(times[10:])
    return {"p50": times[len(times) // 2], "p95": times[int(len(times) * 0.95)]}


async def _write_versions(store: Store) -> tuple[int, int]:
    """Write every document again and again; return the first moment with all of them, and the last (ns UTC)."""
    await fill_state(store)
    await _write_trades(store)
    await asyncio.sleep(PAUSE)
    first = now_ns()
    for _ in range(VERSIONS):
        await fill_state(store)
        await _write_trades(store)
        await asyncio.sleep(PAUSE)
    last = now_ns()
    await asyncio.sleep(1.2)  # what is younger than a second is not kept by the core
    return first, last


async def _write_trades(store: Store) -> None:
    for key, body in _documents("trade", TRADES):
        await store.put(key, body)


async def _time(api: Api, route: str) -> float:
    began = time.perf_counter()
    answer = await api.get(route)
    if answer.status_code != 200:
        raise RuntimeError(answer.text)
    return (time.perf_counter() - began) * 1000


async def record(request: dict[str, Any]) -> float:
    """Microseconds of the bus's CPU for a write to the bucket, `recorded` or not."""
    documents = list(_documents(request["kind"], request["count"] + AT_ONCE))
    with tempfile.TemporaryDirectory() as folder:
        async with nats_server(Path(folder)) as server:
            connected = await Bus(BusOptions(servers=(server.url,), name="bench")).connect()
            plan = provision.declared(synced=True)
            buckets = tuple(replace(spec, recorded=spec.recorded and request["recorded"]) for spec in plan.buckets)
            await provision.apply(connected, replace(plan, buckets=buckets))
            await _write(connected, documents[:AT_ONCE])
            before = cpu_of(server.pid)
            await _write(connected, documents[AT_ONCE:])
            spent = cpu_of(server.pid) - before
            await connected.close()
    return spent * 1000 / (len(documents) - AT_ONCE)


async def _write(connected: Bus, documents: list[tuple[str, bytes]]) -> None:
    stream = connected.jetstream()
    for begin in range(0, len(documents), AT_ONCE):
        batch = documents[begin : begin + AT_ONCE]
        await asyncio.gather(*(stream.publish(f"$KV.{STATE}.{key}", body) for key, body in batch))
    await asyncio.sleep(0.5)  # what is written behind is a part of it


def _documents(kind: str, count: int) -> Iterator[tuple[str, bytes]]:
    """What the cache writes of so many events of a kind."""
    cache, now, decoder = StateCache(), now_ns(), codec.decoder(Trade)
    bodies = [re.sub(rb"C\d", b"BTC", body) for _, body, _ in trades(count)] if kind == "trade" else []
    for number in range(count):
        if kind == "trade":
            cache.fold_trades([(subjects.TRADE + TAIL, decoder.decode(bodies[number]))], now)
        else:
            _fold(cache, kind, number, now)
        for key, body in cache.drain(now).items():
            if body is not None and key.startswith(kind):
                yield key, body


def _fold(cache: StateCache, kind: str, number: int, now: int) -> None:
    of, price = origin("binance", "BTC/USDT"), f"{90_000 + number % 1000}.10"
    if kind == "ticker":
        figures = {**dict.fromkeys(Ticker.model_fields), **of, "last": price, "bid": price, "ask": price}
        cache.fold_tickers([(subjects.TICKER + TAIL, codec.fast(Ticker)(**figures))], now)
    else:
        levels = [(f"{90_000 - step}.10", f"1.{number % 100}{step}") for step in range(25)]
        parts = {"seq": number, "quality": "live", "checksum": None, "venue_checksum": None}
        book = BookSnapshot.model_validate({**of, **parts, "bids": levels, "asks": levels})
        cache.fold_bodies(subjects.BOOK, [(subjects.BOOK + TAIL, book.model_dump_json().encode())], now)
