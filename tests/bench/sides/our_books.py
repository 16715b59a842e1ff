"""Our side of books: what a fold, a snapshot and a usual second of one cost, and the memory of many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from producers.connection.publisher import Publisher
from producers.normalize.events import book_maker
from runtime.book.books import BookPace, Books
from runtime.clock import now_ns
from runtime.nats.lanes.publisher import LanePublisher
from tests.bench.sides.our_frames import FOLDED, Bench, bus, on_gap
from tests.bench.sides.worker import measure, read_job, resident_mb, spent

SNAPSHOTS_AFTER = {2, 4, 7, 9}  # of ten deltas: four a second, as often as they are published


@dataclass(frozen=True, slots=True)
class Kept:
    """A job's books, seeded, with the way to publish."""

    bench: Bench
    books: Books
    publisher: Publisher
    decode: Callable[[bytes, int], Any]

    def fold(self, event: Any) -> None:
        """Fold a delta or a whole book; a venue's answers and checksums come in the same row."""
        if event.kind in FOLDED:
            if event.kind == "delta":
                self.books.on_delta(event.symbol, event.detail, now=0.0)
            else:
                self.books.on_whole(event.symbol, event, now=0.0)

    def publish_snapshots(self) -> None:
        """One of each book."""
        self.books.tick(ts=now_ns(), now=0.0, force=True)


def seeded(bench: Bench, publisher: Publisher) -> Kept:
    """Books as a session has them, live."""
    books = Books(bench.venue.book, BookPace(), publisher.publish, lambda *_about: None, make=book_maker)
    kept = Kept(bench, books, publisher, bench.decoder().decode)
    books.open([bench.find(row[0]) for row in bench.symbols], now=0.0)
    for name in bench.rest:
        books.on_snapshot(bench.find(name), bench.snapshot(name), now=0.0)
    for frame in bench.seed:
        for event in kept.decode(frame, now_ns()):
            kept.fold(event)
    return kept


async def _measure(request: dict[str, Any], act: Callable[[Kept], int]) -> float:
    """What each of the things costs that `act` counts."""
    bench = Bench(read_job(request["job"]), request.get("part"))
    async with bus(request["nats"]) as connected:
        lane = LanePublisher(connected, on_gap=on_gap)
        publisher = Publisher(bench.venue.id, lane, now_ns)

        async def one_pass() -> tuple[int, float]:
            kept = seeded(bench, publisher)
            started = spent()
            count = act(kept)
            cost = spent() - started
            await connected.client.flush()
            if not kept.books.all_live:
                raise ValueError("books that are not live")
            return count, cost

        return await measure(one_pass, request["seconds"])


async def fold(request: dict[str, Any]) -> float:
    """A decoded delta folded into its book."""
    bench = Bench(read_job(request["job"]), request.get("part"))
    decode = bench.decoder().decode
    for frame in bench.seed:
        decode(frame, now_ns())
    deltas = [event for frame in bench.frames for event in decode(frame, now_ns()) if event.kind in FOLDED]

    def act(kept: Kept) -> int:
        for delta in deltas:
            kept.fold(delta)
        return len(deltas)

    return await _measure(request, act)


async def snapshot(request: dict[str, Any]) -> float:
    """A snapshot of a book taken, encoded and published."""

    def act(kept: Kept) -> int:
        for _ in range(20):
            kept.publish_snapshots()
        return 20 * len(kept.bench.symbols)

    return await _measure(request, act)


async def second(request: dict[str, Any]) -> float:
    """Ten deltas of a book decoded, published and folded; with `snapshots` four of these published between them."""
    after = SNAPSHOTS_AFTER if request["snapshots"] else ()

    def act(kept: Kept) -> int:
        for number, frame in enumerate(kept.bench.frames):
            for event in kept.decode(frame, now_ns()):
                kept.publisher.publish(event)
                kept.fold(event)
            if number % 10 in after:
                kept.publish_snapshots()
        return len(kept.bench.frames) // 10

    return await _measure(request, act)


async def memory(request: dict[str, Any]) -> float:
    """Megabytes that a job's books add to this process."""
    bench = Bench(read_job(request["job"]))
    async with bus(request["nats"]) as connected:
        publisher = Publisher(bench.venue.id, LanePublisher(connected, on_gap=on_gap), now_ns)
        before = resident_mb()
        kept = seeded(bench, publisher)
        if not kept.books.all_live:
            raise ValueError("books that are not live")
        return resident_mb() - before
