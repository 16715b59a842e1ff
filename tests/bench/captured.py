"""Frames where there are no recordings: what our simulated exchanges send within a few seconds."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from functools import cache, partial

import httpx

from producers.connection.socket import OPENERS, SocketLimits
from producers.registry import VENUES
from producers.simulator import Simulator, SimulatorConfig
from producers.venue import BOOK, TICKER, TRADE, Venue
from tests.bench.recordings import Job, as_text

SECONDS = 4.0
CHANNELS = {"trade": "trade", "ticker": "ticker", "delta": "book"}


async def jobs() -> tuple[list[Job], list[Job]]:
    """Jobs to decode for every venue, and those of Binance spot for the whole way."""
    found: list[Job] = []
    for venue in VENUES.values():
        found += await _capture(venue)
    wanted = [job for job in found if job.venue == "binance" and job.channel in {"trade", "book"}]
    return found, [replace(job, id=f"chain-{job.channel}s", label=f"{job.channel}s") for job in wanted]


async def _capture(venue: Venue) -> list[Job]:
    config = SimulatorConfig(venues=(venue.id,), seed=7, rate=20.0, enforce_limits=False)
    async with Simulator(config) as simulator, httpx.AsyncClient(base_url=simulator.rest_url(venue.id)) as http:
        market, call = venue.rest.instrument_calls()[0]
        answer = await http.get(call.path, params=dict(call.params))
        listed, _ = venue.rest.decode_instruments(market, answer.content)
        chosen = next(item for item in listed if item.base == "BTC" and item.contract in {"spot", "perp"})
        plan = venue.plan(simulator.ws_url(venue.id), [chosen], (TRADE, TICKER, BOOK))[0]
        frames: list[bytes] = []
        socket = await OPENERS["websockets"](plan.url, frames.append, SocketLimits())
        for request in plan.requests:
            await socket.send(request.frame)
        rest: dict[str, str] = {}
        if venue.book.seed == "rest":
            await asyncio.sleep(0.5)
            depth = venue.rest.depth_call(chosen)
            rest[chosen.venue_symbol] = (await http.get(depth.path, params=dict(depth.params))).text
        await asyncio.sleep(SECONDS)
        await socket.close()
    return _cut(venue, plan.market, frames, (chosen.venue_symbol, rest))


def _cut(venue: Venue, market: str, frames: list[bytes], book: tuple[str, dict[str, str]]) -> list[Job]:
    find = cache(partial(venue.guess, market))
    decoder = venue.decoder(market, find, sim=True)
    by_kind: dict[str, list[str]] = defaultdict(list)
    for frame in frames:
        for event in decoder.decode(frame, 1):
            if event.kind in CHANNELS and event.symbol:
                by_kind[event.kind].append(as_text(frame))
                break
    instrument = find(book[0])
    return [
        Job(
            id=f"{venue.id}-{channel}",
            venue=venue.id,
            market=market,
            channel=channel,
            label=venue.id,
            seed=by_kind[kind][:1] if kind == "delta" and not book[1] else [],
            frames=by_kind[kind][1:] if kind == "delta" and not book[1] else by_kind[kind],
            rest=book[1] if kind == "delta" else {},
            symbols=[[book[0], instrument.base, instrument.quote]],
            ccxt=venue.id,
            compared=False,
        )
        for kind, channel in CHANNELS.items()
        if len(by_kind[kind]) > 1
    ]
