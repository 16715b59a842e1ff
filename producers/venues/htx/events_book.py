"""HTX's books to events: changes chained by numbers, whole books, and the book that was requested on the socket."""

from __future__ import annotations

from zlib import crc32

from contracts.errors import FrameError
from producers.normalize import sizes
from producers.rest.answers import make_book
from producers.venue import Decoded
from producers.venues.htx import wire
from producers.venues.htx.topics import Topic
from producers.venues.htx.wire_numbers import MS, levels


def decode_mbp(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read changes of a spot book, chained by `prevSeqNum`."""
    push = wire.decode_book(frame)
    seq, prev = push.tick.seqNum, push.tick.prevSeqNum
    if seq is None or prev is None:
        raise FrameError(f"{channel} without tick.seqNum or tick.prevSeqNum", field="tick.seqNum, tick.prevSeqNum")
    return [_delta(topic, push, ts_recv, (f"{channel}-{seq}", seq, prev))]


def decode_refresh(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read `mbp.refresh.N`: the best levels of a spot book, whole."""
    push = wire.decode_book(frame)
    native = f"{channel}-{push.tick.seqNum}-{push.ts}-{crc32(frame):08x}"
    return [_delta(topic, push, ts_recv, (native, push.tick.seqNum, None))]


def decode_step0(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read `depth.step0`: 150 levels, whole. The `version` of contracts is a time in seconds here: no sequence."""
    push = wire.decode_book(frame)
    seq = push.tick.version if topic.is_spot else None
    native = f"{channel}-{push.tick.version}-{push.ts}-{crc32(frame):08x}"
    return [_delta(topic, push, ts_recv, (native, seq, None), whole=not push.update)]


def decode_high_freq(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read the book of a contract: a snapshot, then updates whose `version` grows by one, empty ones too."""
    push = wire.decode_book(frame)
    event, version = push.tick.event, push.tick.version
    if version is None or event not in {"snapshot", "update"}:
        raise FrameError(f"{channel} with event {event!r} and version {version!r}", field="tick.event, tick.version")
    if event == "snapshot":
        return [_delta(topic, push, ts_recv, (f"{channel}-snapshot-{version}-{push.ts}", version, None))]
    return [_delta(topic, push, ts_recv, (f"{channel}-{version}", version, version - 1))]


def _delta(
    topic: Topic, push: wire.Book, ts_recv: int, chain: tuple[str, int | None, int | None], *, whole: bool | None = None
) -> Decoded:
    """Build a delta; one that continues nothing is a whole book. The time is the push's, not the `tick`'s."""
    native, seq, prev = chain
    if whole is None:
        whole = prev is None
    bids, asks = levels(push.tick.bids, whole=whole), levels(push.tick.asks, whole=whole)
    bids, asks, unit = sizes.book(topic.instrument, bids, asks)
    return topic.make.delta(
        id=f"{topic.tail}.delta.{native}",
        ts_event=push.ts * MS,
        ts_recv=ts_recv,
        bids=bids,
        asks=asks,
        seq=seq,
        prev_seq=prev,
        is_snapshot=whole,
        unit=unit,
    )


def decode_book_answer(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read the book that was asked for on the socket; its `seqNum` is of the changes' chain."""
    answer = wire.decode_book_answer(frame)
    return [whole_book(topic, (answer.data, f"{channel}-{answer.data.seqNum}"), answer.ts, ts_recv)]


def whole_book(topic: Topic, book: tuple[wire.Depth, str], ts: int | None, ts_recv: int) -> Decoded:
    """Build the event of a book that was asked for, given with the native part of its id; `ts` in ms."""
    depth, native = book
    bids, asks = levels(depth.bids, whole=True), levels(depth.asks, whole=True)
    bids, asks, unit = sizes.book(topic.instrument, bids, asks)
    stamp = {"ts_event": None if ts is None else ts * MS, "ts_recv": ts_recv, "seq": depth.seqNum}
    return make_book(topic.instrument, native, sim=topic.makers.sim, **stamp, bids=bids, asks=asks, unit=unit)
