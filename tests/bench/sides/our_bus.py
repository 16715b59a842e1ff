"""Our side of the bus: latency of the fast lane, and what a consumer costs, beside nats-py and FastStream alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import nats
from faststream.nats import NatsBroker

from consumers.candles.core import CandleBook
from consumers.whales.core import WhaleDetector
from consumers.whales.rules import WhaleRules
from contracts import codec
from contracts.arithmetic.tiers import Tiers
from contracts.market import Trade
from producers.connection.publisher import Publisher
from runtime.clock import now_ns
from runtime.nats.lanes.publisher import LanePublisher, LaneReader
from runtime.nats.lanes.reader import Watchers, read_event
from tests.bench.sides.our_frames import Bench, bus, subscribed
from tests.bench.sides.worker import played, reach, read_job, until

QUEUE = 200_000
TICK = 0.001


def failed(*about: Any) -> None:
    raise RuntimeError(f"the lane lost or could not read messages: {about}")


WATCHERS = Watchers(on_bad=failed, on_gap=lambda lost: None if lost == 0 else failed(lost))


class Clock:
    """When each message left and came back, by its number."""

    def __init__(self) -> None:
        self.sent: list[float] = []
        self.came: list[float] = []

    def percentiles(self) -> dict[str, float]:
        """Milliseconds."""
        waits = sorted((came - sent) * 1e3 for sent, came in zip(self.sent, self.came, strict=True))
        return {"p50": waits[len(waits) // 2], "p99": waits[int(len(waits) * 0.99)], "messages": len(waits)}


async def paced(clock: Clock, send: Callable[[int], Any], rate: int, seconds: float) -> None:
    """Call `send(number)` at a rate, in equal parts a millisecond or more apart; awaits what it gives."""
    total = int(rate * seconds)
    began, number = time.perf_counter(), 0
    while number < total:
        due = min(total, int((time.perf_counter() - began) * rate) + 1)
        while number < due:
            clock.sent.append(time.perf_counter())
            waiting = send(number)
            if waiting is not None:
                await waiting
            number += 1
        await asyncio.sleep(TICK)
    await until(lambda: len(clock.came) >= total, lambda: f"{len(clock.came)} of {total} messages back", 10)


async def lane(request: dict[str, Any]) -> dict[str, float]:
    """Frame in, decoded, published on the lane, read from the lane as an event: p50 and p99."""
    bench = Bench(read_job(request["job"]))
    frames, decode, clock = bench.frames, bench.decoder().decode, Clock()
    async with bus(request["nats"]) as out, bus(request["nats"]) as back:
        publisher = LanePublisher(out, on_gap=failed)
        events = Publisher(bench.venue.id, publisher, now_ns)
        reader = LaneReader(back, WATCHERS)

        def on_batch(batch: Sequence[tuple[str, Any]]) -> None:
            clock.came += [time.perf_counter()] * len(batch)

        await reader.subscribe("md.v1.>", read_event, on_batch)
        await subscribed(back.client)

        def send(number: int) -> None:
            for event in decode(frames[number % len(frames)], time.time_ns()):
                events.publish(event)

        await paced(clock, send, request["rate"], request["seconds"])
        await reader.close()
    return clock.percentiles()


async def echo(request: dict[str, Any]) -> dict[str, float]:
    """The same number of bytes through nats-py alone: publish, callback."""
    clock, payload = Clock(), b"x" * request["bytes"]
    out, back = await nats.connect(request["nats"]), await nats.connect(request["nats"])

    async def on_message(_message: Any) -> None:
        clock.came.append(time.perf_counter())

    await back.subscribe("bench.echo", cb=on_message)
    await subscribed(back)
    await paced(clock, lambda _number: out.publish("bench.echo", payload), request["rate"], request["seconds"])
    await out.close()
    await back.close()
    return clock.percentiles()


def trades(count: int, venue: str = "binance") -> list[tuple[str, bytes, str]]:
    """Trades of ten instruments, as they travel (subject, body, id): of all sizes, a thousand a second."""
    model, now = codec.fast(Trade), time.time_ns()
    found: list[tuple[str, bytes, str]] = []
    for number in range(count):
        base = f"C{number % 10}"
        event = model(
            id=f"{venue}.{base}.USDT.spot.trade.{number}",
            venue=venue,
            symbol=f"{base}/USDT",
            venue_symbol=f"{base}USDT",
            ts_event=now + number * 1_000_000,
            ts_recv=now + number * 1_000_000 + 3_000_000,
            sim=False,
            trade_id=str(number),
            price=f"{90000 + number % 977}.{number % 10}0",
            amount=f"0.0{number % 89 + 1}",
            contracts=None,
            side="sell" if number % 3 else "buy",
        )
        found.append((f"md.v1.trade.{venue}.{base}.USDT.spot", codec.encode(event), event.id))
    return found


_Fold = Callable[[Sequence[tuple[str, Any]]], object]


def _folds(what: str) -> _Fold:
    if what == "decode":
        return lambda _batch: None
    book = CandleBook()
    if what == "candles":
        return lambda batch: book.fold(batch, 0)
    whales = WhaleDetector(WhaleRules(tiers=Tiers(), limits=dict.fromkeys(("majors", "large", "mid"), Decimal(10**6))))

    def fold(batch: Sequence[tuple[str, Any]]) -> None:
        book.fold(batch, 0)
        whales.fold(batch, 0, time.time_ns())

    return fold


async def consume(request: dict[str, Any]) -> float:
    """What a trade costs our consumer: read from the lane, decoded, folded."""
    came, fold = [0], _folds(request["fold"])
    async with bus(request["nats"]) as connected:
        reader = LaneReader(connected, WATCHERS)

        def on_batch(batch: Sequence[tuple[str, Any]]) -> None:
            fold(batch)
            came[0] += len(batch)

        await reader.subscribe(f"md.v1.trade.{request['venue']}.>", read_event, on_batch)
        await subscribed(connected.client)
        cost = await played(_asking(request), request["count"], lambda last: reach(last, lambda: came[0]))
        await reader.close()
    return cost


async def consume_faststream(request: dict[str, Any]) -> float:
    """What a message costs a FastStream handler that does nothing."""
    came = [0]
    broker = NatsBroker(request["nats"], logger=None)

    @broker.subscriber(f"md.v1.trade.{request['venue']}.>")
    async def on_trade(_body: bytes) -> None:
        came[0] += 1

    await broker.start()
    cost = await played(_asking(request), request["count"], lambda last: reach(last, lambda: came[0]))
    await broker.stop()
    return cost


def _asking(request: dict[str, Any]) -> Callable[[int, int], Any]:
    async def ask(first: int, last: int) -> None:
        client = await nats.connect(request["nats"])
        await client.request(f"bench.send.{request['venue']}", str(last - first).encode(), timeout=30)
        await client.close()

    return ask
