"""Reads what feeds say of themselves and whether producers live, and keeps the ledger of coverage in its bucket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import msgspec

from consumers.coverage.core import Ledger
from consumers.coverage.leases import ProducerLeases
from consumers.coverage.units import Seen, Units
from contracts import codec, streams, subjects
from contracts.instrument import Instrument, escape_token, unescape_token
from contracts.services.coverage import (
    HOUR_NS,
    KEY_HOUR,
    KEY_PLACE,
    KEY_SEEN,
    KEY_VENUE,
    HourLedger,
    LedgerPlace,
    SeenLedger,
    VenueLedger,
)
from runtime import clock
from runtime.app.fold import fold_each
from runtime.app.intervals import ticks
from runtime.app.resume import Mark, Resumed, find_start
from runtime.app.service import Service
from runtime.coverage.interruptions import ALL as EVERYTHING
from runtime.nats.announce import Announcer
from runtime.nats.bus import Bus
from runtime.nats.deadletter import DeadLetters
from runtime.nats.kv.mirror import Entry, Mirror
from runtime.nats.kv.restore import Restored
from runtime.nats.kv.writer import BucketWriter
from runtime.nats.lanes.reader import Batch, read_event
from runtime.nats.streams.api import call
from runtime.nats.streams.reader import ALL, Row, StreamReader
from runtime.nats.streams.remade import bucket_stream, watch_remade

_MOST_BYTES: Final = 256 * streams.MIB  # where the bucket has no limit
_PLACE: Final = codec.fast(LedgerPlace)
_SEEN: Final = codec.fast(SeenLedger)
_readers: Final = {
    prefix: msgspec.json.Decoder(codec.fast(model))
    for prefix, model in {KEY_VENUE: VenueLedger, KEY_HOUR: HourLedger, KEY_PLACE: LedgerPlace}.items()
}
_listing: Final = msgspec.json.Decoder(list[Instrument])


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveragePlan:
    """Where to read and keep; seconds between two looks for signs of life, and between two writes of the ledger."""

    feeds: str = streams.FEEDS
    instruments: str = streams.INSTRUMENTS
    bucket: str = streams.COVERAGE
    dlq: str = streams.DLQ
    look_seconds: float = 0.5


class _State:
    """The ledger, the units, and up to where the feeds' stream was folded."""

    def __init__(self, letters: DeadLetters) -> None:
        self.ledger, self.units = Ledger(), Units()
        self.seq, self.time_ns = 0, 0
        self.most_bytes = 0  # of the hours' documents
        self._letters = letters
        self._listings: dict[str, list[str]] = {}  # symbols by unit

    def on_rows(self, rows: Sequence[Row]) -> None:
        batch = Batch(rows, read_event, self._letters.keep)
        batch.refuse(fold_each(batch.events, self._fold))
        last = rows[-1].position
        self.seq, self.time_ns = last.stream_seq, last.time_ns
        if not self.ledger.begun and last.pending == 0:
            self.ledger.begin(clock.now_ns())

    def _fold(self, _subject: str, status: Any) -> None:
        if status.venue != subjects.BUS:  # of no venue: what a reader of the bus has lost
            self.ledger.on_status(status)

    def on_listing(self, key: str, entry: Entry | None) -> None:
        """Take what a unit follows; a unit that is taken away still counts."""
        if entry is None:
            return
        try:
            self._listings[key] = [item.symbol for item in _listing.decode(entry.value)]
        except msgspec.MsgspecError as error:
            self._letters.keep(f"$KV.{streams.INSTRUMENTS}.{key}", entry.value, error)
            return
        venue = key.partition(".")[0]
        followed = [
            symbol for unit, symbols in self._listings.items() if unit.partition(".")[0] == venue for symbol in symbols
        ]
        self.ledger.find(unescape_token(venue)).on_listing(followed, clock.now_ns())

    def on_lost(self, venue: str, start: int, end: int) -> None:
        self.ledger.find(unescape_token(venue)).add_lost(EVERYTHING, start, end)

    def on_missed(self, announcer: Announcer, stream: str, messages: int) -> None:
        """Count everything as unknown since the last message that was read."""
        self.ledger.on_lost(self.time_ns, clock.now_ns())
        if not messages:
            self.seq = 0
        announcer.on_missed(stream, messages)


async def run(service: Service, plan: CoveragePlan) -> None:
    """Keep the ledger until the service is stopped."""
    bus = service.bus
    letters = DeadLetters(bus, service.name, stream=plan.dlq)
    state = _State(letters)
    state.most_bytes = await _find_room(bus, plan.bucket)
    await _restore(service, plan, state, letters)
    announcer = Announcer(bus, service.name, stream=plan.feeds)
    async with AsyncExitStack() as stack:
        writer = BucketWriter(bus, plan.bucket)
        for end in (writer.close, letters.flush, announcer.flush):
            stack.push_async_callback(end)
        await _serve(service, plan, state, (writer, announcer))
        await _save(writer, state)


async def _serve(service: Service, plan: CoveragePlan, state: _State, through: tuple[BucketWriter, Announcer]) -> None:
    bus, (writer, announcer) = service.bus, through
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    on_missed = partial(state.on_missed, announcer, plan.feeds)
    resumed = await _find_start(service, plan, state)
    if resumed.missed != 0:
        on_missed(resumed.missed or 0)
    reader = StreamReader(
        bus,
        plan.feeds,
        (subjects.ALL_FEEDS,),
        on_messages=state.on_rows,
        on_gap=on_missed,
        failed=failed,
        start=resumed.start,
    )
    leases = ProducerLeases(bus, state.units, state.on_lost)
    listings = Mirror(bus, plan.instruments)
    listings.listen("", state.on_listing)
    async with AsyncExitStack() as stack:
        stack.callback(failed.cancel)
        stack.callback(_watch_bucket(service, plan.bucket, state).cancel)
        for close in (reader.close, leases.close, listings.close):
            stack.push_async_callback(close)
        await listings.open(timeout=None)
        await reader.open()
        if not state.ledger.begun and reader.backlog == 0:
            state.ledger.begin(clock.now_ns())
        await leases.open()
        service.ready()
        async for _ in ticks(service.stop, plan.look_seconds, failed, leases.failed, listings.failed):
            await leases.look()
            for venue, channels in leases.sampled().items():
                state.ledger.find(unescape_token(venue)).on_sampled(channels)
            await _save(writer, state)
            service.report("venues", len(state.ledger.books))


def _watch_bucket(service: Service, bucket: str, state: _State) -> asyncio.Task[None]:
    """Save everything again when the bucket was made again."""
    watching = watch_remade(service.bus, {bucket_stream(bucket): state.ledger.save_again})
    return asyncio.create_task(watching, name=f"watch of {bucket}")


async def _find_room(bus: Bus, bucket: str) -> int:
    """Return how many bytes of documents the bucket holds before it drops any, with some room to spare."""
    config = cast("dict[str, Any]", (await call(bus, f"STREAM.INFO.{bucket_stream(bucket)}"))["config"])
    limit = int(config.get("max_bytes", -1))
    return _MOST_BYTES if limit < 0 else limit * 3 // 4


async def _find_start(service: Service, plan: CoveragePlan, state: _State) -> Resumed:
    if not state.seq:
        return Resumed(ALL)
    return await find_start(service.bus, plan.feeds, Mark(state.seq, state.time_ns, exact=True))


async def _restore(service: Service, plan: CoveragePlan, state: _State, letters: DeadLetters) -> None:
    """Take back what was saved. Without it the ledger begins when the past of the feeds was read."""
    mirror = await Mirror(service.bus, plan.bucket).open()
    await mirror.close()
    place = Restored(plan.bucket, letters.keep)
    found = mirror.get(KEY_PLACE)
    saved: Any = None if found is None else place.read(KEY_PLACE, found.value, _readers[KEY_PLACE].decode)
    if saved is None:
        state.ledger.begun = False
        return
    state.seq, state.time_ns = saved.seq, saved.time_ns
    state.ledger.newest = saved.time_ns
    state.units.seen = {unit: Seen(token, at) for unit, (token, at) in saved.units.items()}
    for key, entry in mirror.entries():
        if key.startswith(KEY_VENUE):
            venue = unescape_token(key.removeprefix(KEY_VENUE))
            document: Any = place.read(key, entry.value, _readers[KEY_VENUE].decode)
            if document is not None:
                state.ledger.find(venue).restore(document)
        elif key.startswith(KEY_HOUR):
            token, _, hour = key.removeprefix(KEY_HOUR).rpartition(".")
            document = place.read(key, entry.value, _readers[KEY_HOUR].decode)
            if document is not None:
                state.ledger.restore_hour(unescape_token(token), int(hour), document, len(entry.value))


async def _save(writer: BucketWriter, state: _State) -> None:
    """Write what changed, then until when producers were seen, then the place: right whatever ends us between."""
    if not state.ledger.begun:
        return
    seen, seq, time_ns = dict(state.units.seen), state.seq, state.time_ns
    until = state.units.list_venues()
    for venue, hour in state.ledger.trim(state.most_bytes):
        writer.delete(f"{KEY_HOUR}{escape_token(venue)}.{hour}")
    venues, hours = state.ledger.drain(clock.now_ns() // HOUR_NS)
    for venue, document in venues.items():
        writer.put(KEY_VENUE + escape_token(venue), codec.encode(document))
    for (venue, hour), document in hours.items():
        body = codec.encode(document)
        state.ledger.on_saved(venue, hour, len(body))
        writer.put(f"{KEY_HOUR}{escape_token(venue)}.{hour}", body)
    if venues or hours:
        await writer.flush()
    writer.put(KEY_SEEN, codec.encode(_SEEN(venues=until)))
    place = _PLACE(seq=seq, time_ns=time_ns, units={unit: (held.token, held.at) for unit, held in seen.items()})
    writer.put(KEY_PLACE, codec.encode(place))
