"""Reads deltas and feed states, asks producers for snapshots, publishes the books: one process at a time does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from consumers.books.core import KeptBooks
from contracts import codec, subjects
from contracts.errors import HydrophoneError
from contracts.market import BookEvidence
from contracts.services.feed import BookRuleReply, ResyncQuery, ResyncReply
from runtime import clock
from runtime.app.fold import Fault
from runtime.app.intervals import ticks
from runtime.app.service import Service
from runtime.book.books import BookPace
from runtime.clients.command_client import CommandClient
from runtime.nats.deadletter import DeadLetters
from runtime.nats.lanes.publisher import LanePublisher, LaneReader
from runtime.nats.lanes.reader import Watchers, read_event
from runtime.nats.leases.lease import Lease

_log = structlog.get_logger("books")
_ASKS_AT_ONCE: Final = 32
_REPORT_SECONDS: Final = 1.0
_TAIL: Final = 160  # bytes at a body's end that hold what evidence has beside
_read_evidence: Final = codec.decoder(BookEvidence).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksPlan:
    """How often and how deep books are published, seconds between two ticks, and how long a silent holder publishes."""

    pace: BookPace = field(default_factory=BookPace)
    tick_seconds: float = 0.1
    lease_seconds: float = 5.0


class LeaseLostError(RuntimeError):
    """Another process may publish the books now."""


def read_delta(subject: str, body: bytes) -> Any:
    """Read an event as `read_event` does; a delta for who keeps the book with what it has beside."""
    event = read_event(subject, body)
    if event.kind == "delta" and b'"requested"' in body[-_TAIL:]:
        return _read_evidence(body)
    return event


async def run(service: Service, plan: BooksPlan) -> None:
    """Keep the books until the service is stopped, from the moment on when no other process does."""
    lost = asyncio.get_running_loop().create_future()
    lease = Lease(
        service.bus,
        subjects.LEASE_BOOKS,
        on_lost=lambda: lost.set_exception(LeaseLostError("another process may publish the books now")),
        ttl=plan.lease_seconds,
    )
    service.ready()
    if not await _acquired(lease, service.stop):
        return
    try:
        await _keep(service, plan, lost)
    finally:
        lost.cancel()
        await lease.release()


async def _acquired(lease: Lease, stop: asyncio.Event) -> bool:
    """Wait for the lease; False where the service is stopped before."""
    acquiring, stopping = asyncio.ensure_future(lease.acquire()), asyncio.ensure_future(stop.wait())
    await asyncio.wait({acquiring, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if acquiring.done():
        acquiring.result()
        return True
    acquiring.cancel()
    with suppress(asyncio.CancelledError):
        await acquiring
    return False


async def _keep(service: Service, plan: BooksPlan, lost: asyncio.Future[None]) -> None:
    books = KeptBooks(plan.pace, clock.now_ns)
    letters = DeadLetters(service.bus, service.name)
    lane = LanePublisher(service.bus, on_gap=lambda _: books.tick(ts=clock.now_ns(), now=clock.monotonic(), again=True))

    def on_bad(subject: str, body: bytes, error: Exception) -> None:
        letters.keep(subject, body, error)
        books.on_unreadable(subject, f"a delta could not be read: {error}", now=clock.monotonic())

    def on_missed(messages: int) -> None:
        what = f"{messages} messages" if messages else "an unknown number of messages"
        books.on_missed(f"the books process missed {what}", now=clock.monotonic())

    def on_batch(batch: Sequence[tuple[str, Any]]) -> Sequence[Fault]:
        return books.fold(batch, now=clock.monotonic())

    async with AsyncExitStack() as stack:
        stack.push_async_callback(letters.flush)
        stack.callback(lane.close)
        reader = LaneReader(service.bus, Watchers(on_bad, on_missed))
        stack.push_async_callback(reader.close)
        asker = _Asker(service, books)
        stack.callback(asker.close)
        await reader.subscribe([subjects.ALL_DELTAS, subjects.ALL_FEEDS], read_delta, on_batch)
        reported = clock.monotonic()
        async for _ in ticks(service.stop, plan.tick_seconds, reader.failed, lost):
            now = clock.monotonic()
            for venue, symbol in books.take_asks(now=now):
                asker.start(venue, symbol)
            books.tick(ts=clock.now_ns(), now=now)
            for parts in books.take_outputs():
                lane.write(parts)
            if now - reported >= _REPORT_SECONDS:
                reported = now
                _report(service, books)


class _Asker:
    """Asks producers for snapshots, so many at once."""

    def __init__(self, service: Service, books: KeptBooks) -> None:
        self._client = CommandClient(service.bus)
        self._books = books
        self._room = asyncio.Semaphore(_ASKS_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, venue: str, symbol: str) -> None:
        """Ask for one in the background; the snapshot comes as a delta."""
        task = asyncio.get_running_loop().create_task(self._ask(venue, symbol), name=f"resync {venue} {symbol}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()

    async def _ask(self, venue: str, symbol: str) -> None:
        rule: BookRuleReply | None = None
        try:
            async with self._room:
                query = ResyncQuery(venue=venue, symbol=symbol, wait=False)
                reply = await self._client.request("feed.resync", query, ResyncReply)
            rule = reply.rule
        except HydrophoneError as error:
            _log.warning("books.no_snapshot", venue=venue, symbol=symbol, reason=str(error))
        self._books.on_reply(venue, symbol, rule, now=clock.monotonic())


def _report(service: Service, books: KeptBooks) -> None:
    service.report("live", books.count_live())
    for name in ("deltas", "asked", "published"):
        service.report(name, books.counts[name])
