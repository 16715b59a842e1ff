"""Our side of frames: decode to event bytes, publish to the bus, and the whole way from a WebSocket to the bus."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

from contracts.codec import EVENTS
from contracts.instrument import Instrument
from producers.connection.auditing import AuditTurns
from producers.connection.feed import Feed, FeedParts
from producers.connection.interfaces import DepthAnswer
from producers.connection.publisher import Publisher
from producers.connection.session import SessionParts
from producers.connection.socket import OPENERS
from producers.normalize.events import Makers
from producers.registry import VENUES
from producers.venue import BOOK, ConnectionPlan, Subscription, Venue
from runtime.book.books import BookPace
from runtime.book.keeper import BookKeeper
from runtime.clock import monotonic, now_ns
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.lanes.publisher import LanePublisher
from tests.bench.sides.worker import ended, measure, played_from, read_job, spent, until

NEVER = 1e9  # seconds
NO_SNAPSHOTS = BookPace(interval=NEVER)  # but the first: they are paced by the clock, and have a section of their own
FOLDED = {"delta", "book"}
TURN = 50  # frames that one turn of the loop takes where no socket decides it


def _as_bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


class Bench:
    """One job with its venue, instruments and books."""

    def __init__(self, job: dict[str, Any], part: int | None = None) -> None:
        self.venue: Venue = VENUES[job["venue"]]
        self.market: str = job["market"]
        self.find: Callable[[str], Instrument] = cache(partial(self.venue.guess, self.market))
        self.frames = [_as_bytes(frame) for frame in job["frames"]][:part]
        self.seed = [_as_bytes(frame) for frame in job["seed"]]
        self.rest = {name: body.encode() for name, body in job["rest"].items()}
        self.books = job["channel"] == "book"
        self.symbols: list[list[str]] = job["symbols"]

    def decoder(self) -> Any:
        return self.venue.decoder(self.market, self.find, makers=Makers(sim=False, written=True))

    def snapshot(self, venue_symbol: str) -> Any:
        return self.venue.rest.decode_depth(self.rest[venue_symbol], self.find(venue_symbol), now_ns(), sim=False)

    def keepers(self, decode: Any) -> dict[str, BookKeeper]:
        """Seed every book, from REST or from the frames before the measured ones."""
        keepers: dict[str, BookKeeper] = {}
        for name in self.rest:
            keeper = keepers[self.find(name).symbol] = BookKeeper(self.venue.book)
            keeper.on_snapshot(self.snapshot(name))
        for frame in self.seed:
            for event in decode(frame, now_ns()):
                if event.kind in FOLDED:
                    fold(keepers.setdefault(event.symbol, BookKeeper(self.venue.book)), event)
        return keepers


def fold(keeper: BookKeeper, event: Any) -> None:
    """Fold a message's change, or a whole book."""
    keeper.on_delta(event.detail if event.kind == "delta" else event)


def _one_pass(bench: Bench, decoder: Any) -> tuple[int, float]:
    decode = decoder.decode
    keepers = bench.keepers(decode) if bench.books else {}
    started = spent()
    for frame in bench.frames:
        for event in decode(frame, time.time_ns()):
            if event.kind not in EVENTS:
                continue  # a checksum or an answer: nothing that is published
            if keepers:
                fold(keepers[event.symbol], event)
    cost = spent() - started
    lost = [symbol for symbol, keeper in keepers.items() if not keeper.live]
    if lost or (bench.books and not keepers):
        raise ValueError(f"books that lost their continuity: {lost}")
    return len(bench.frames), cost


async def decode(request: dict[str, Any]) -> float:
    """Frame bytes to event bytes, books kept and verified: microseconds of CPU a frame."""
    bench = Bench(read_job(request["job"]), request.get("part"))
    decoder = bench.decoder()  # one for all passes, as the peers have: a connection lasts
    for frame in bench.seed:
        decoder.decode(frame, now_ns())

    async def one_pass() -> tuple[int, float]:
        return _one_pass(bench, bench.decoder() if bench.books else decoder)

    return await measure(one_pass, request["seconds"])


@contextlib.asynccontextmanager
async def bus(url: str) -> AsyncGenerator[Bus]:
    """A connection to the bus."""
    made = await Bus(BusOptions(servers=(url,), name="bench")).connect()
    try:
        yield made
    finally:
        await made.close()


async def subscribed(client: Any) -> None:
    """Return when the server has a nats-py client's subscriptions: its first ping overtakes them."""
    await client.flush()
    await client.flush()


def on_gap(lost: int) -> None:
    raise RuntimeError(f"the lane lost {lost} messages")


async def publish(request: dict[str, Any]) -> float:
    """Frames to published events, without a socket: microseconds of CPU a frame."""
    bench = Bench(read_job(request["job"]), request.get("part"))
    async with bus(request["nats"]) as connected:
        lane = LanePublisher(connected, on_gap=on_gap)
        publisher = Publisher(bench.venue.id, lane, now_ns)

        async def one_pass() -> tuple[int, float]:
            decode_frame = bench.decoder().decode
            keepers = bench.keepers(decode_frame) if bench.books else {}
            started = spent()
            for at in range(0, len(bench.frames), TURN):
                for frame in bench.frames[at : at + TURN]:
                    for event in decode_frame(frame, time.time_ns()):
                        publisher.publish(event)
                        if keepers:
                            fold(keepers[event.symbol], event)
                await asyncio.sleep(0)
            await connected.client.flush()
            return len(bench.frames), spent() - started

        return await measure(one_pass, request["seconds"])


class _Depths:
    """Stands for the venue's REST side: gives the recorded book. Nothing else is asked of it: no book is audited."""

    simulated = False

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def find_depth(self, instrument: Instrument) -> DepthAnswer:
        return DepthAnswer(instrument, self._bench.rest[instrument.venue_symbol], now_ns(), simulated=False)


def _refuse(_frame: bytes, error: Exception) -> None:
    raise error


async def chain(request: dict[str, Any]) -> float:
    """WebSocket to bus through our feed: microseconds of CPU a frame.

    What the clock paces is off, as it is no part of a frame: snapshots and audits of books, the limit of silence.
    """
    bench = Bench(read_job(request["job"]))
    books = tuple(
        Subscription(key=name, channel=BOOK, instrument=bench.find(name), silence=None) for name in bench.rest
    )
    others = tuple(Subscription(key=name, channel=name, instrument=None) for name in ("trade", "ticker"))
    url = f"ws://127.0.0.1:{request['at']}/stream"
    plan = ConnectionPlan(name="bench", market=bench.market, url=url, subscriptions=(*books, *others), requests=())
    lost: list[int] = []
    async with bus(request["nats"]) as connected:
        lane = LanePublisher(connected, on_gap=lost.append)
        publisher = Publisher(bench.venue.id, lane, now_ns)
        rest: Any = _Depths(bench)
        session = SessionParts(
            venue=replace(bench.venue, policy=replace(bench.venue.policy, quiet=NEVER)),
            find=bench.find,
            publisher=publisher,
            on_undecodable=_refuse,
            pace=NO_SNAPSHOTS,
            books_elsewhere=request.get("books_elsewhere", False),
        )
        opener = OPENERS[request["client"]]
        audits = AuditTurns(NEVER, last_at=monotonic())
        parts = FeedParts(session=session, rest=rest, open_socket=opener, on_change=lambda _reason: None, audits=audits)
        feed = Feed(plan, parts)
        task = asyncio.create_task(feed.run())

        def failed() -> str | None:
            if lost:
                return f"the lane lost {sum(lost)} messages"
            return ended(task) or (f"{feed.reconnects} reconnects" if feed.reconnects else None)

        try:
            await until(lambda: feed.connected and feed.session.books.all_live, "connection and books", failed=failed)
            kinds, total = ("trade", "ticker", "delta"), request.get("frames") or len(bench.frames)
            seeds = publisher.published["delta"]  # snapshots of books that are kept elsewhere
            cost = await played_from(
                int(request["at"]),
                total,
                lambda: sum(publisher.published[kind] for kind in kinds) - seeds,
                connected.client.flush,
                failed,
            )
            session = feed.session
            if session.undecodable or failed() or not session.books.all_live:
                raise ValueError(f"{session.undecodable} frames undecodable, {failed()}, books not live")
        finally:
            task.cancel()
            await asyncio.wait({task}, timeout=5)
    return cost
