"""Gate's books to events: updates numbered by `U` and `u`, whole books, signed levels of the oldest channel."""

from __future__ import annotations

from contracts.errors import FrameError
from producers.normalize import numbers, sizes
from producers.normalize.topics import Topics
from producers.venue import Decoded
from producers.venues.gate import wire, wire_book
from producers.venues.gate.topics import Topic

Sides = tuple[list[wire.Row], list[wire.Row]]


def decode_spot_depth(topics: Topics[Topic], frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
    """Read `spot.order_book_update`."""
    row = wire_book.read_spot_depths(frame).result
    sides = _read_levels(row.b or [], whole=row.full), _read_levels(row.a or [], whole=row.full)
    return (_delta(topics[row.s], row, sides, ("update", ts_recv)),)


def decode_futures_depth(topics: Topics[Topic], frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
    """Read `futures.order_book_update`."""
    row = wire_book.read_futures_depths(frame).result
    sides = _read_objects(row.b or [], whole=row.full), _read_objects(row.a or [], whole=row.full)
    return (_delta(topics[row.s], row, sides, ("update", ts_recv)),)


def decode_second_version(topics: Topics[Topic], frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
    """Read `spot.obu` and `futures.obu`: a whole book first, then updates; `s` is the stream (`ob.BTC_USDT.50`)."""
    row = wire_book.read_number_depths(frame).result
    venue_symbol, _, depth = row.s.removeprefix("ob.").rpartition(".")
    if not venue_symbol:
        raise FrameError(f"result.s names no stream: {row.s!r}", field="result.s")
    sides = _read_pairs(row.b or [], whole=row.full), _read_pairs(row.a or [], whole=row.full)
    return (_delta(topics[venue_symbol], row, sides, (f"obu{depth}", ts_recv)),)


def _delta(topic: Topic, row: wire_book.Depth, sides: Sides, terms: tuple[str, int]) -> Decoded:
    """Make a delta; `terms` are the channel's mark and the receive time. The first id of an update follows the last."""
    mark, ts_recv = terms
    if row.U is None and not row.full:
        raise FrameError("result.U is missing in an update of a book", field="result.U")
    bids, asks, unit = sizes.book(topic.instrument, *sides)
    native = f"{mark}-snapshot-{row.u}" if row.full else f"{mark}-{row.U}-{row.u}"
    return topic.make.delta(
        id=f"{topic.tail}.delta.{native}",
        ts_event=None if row.t is None else row.t * wire.MS,
        ts_recv=ts_recv,
        bids=bids,
        asks=asks,
        seq=row.u,
        prev_seq=None if row.full or row.U is None else row.U - 1,
        is_snapshot=row.full,
        unit=unit,
    )


def _read_objects(rows: list[wire_book.Level], *, whole: bool) -> list[wire.Row]:
    return _read_levels([row.pair for row in rows], whole=whole)


def _read_pairs(rows: list[tuple[wire.Number, wire.Number]], *, whole: bool) -> list[wire.Row]:
    return _read_levels([(str(price), str(size)) for price, size in rows], whole=whole)


def _read_levels(rows: list[wire.Row], *, whole: bool) -> list[wire.Row]:
    return (numbers.whole_levels if whole else numbers.text_levels)(rows, "result.b/result.a")


def decode_whole_book(topics: Topics[Topic], frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
    """Read `futures.order_book`, event `all`. Its ids are not said to be without holes: there is no sequence."""
    push = wire_book.read_whole_books(frame)
    row = push.result
    topic = topics[row.contract]
    sides = _read_objects(row.bids or [], whole=True), _read_objects(row.asks or [], whole=True)
    bids, asks, unit = sizes.book(topic.instrument, *sides)
    return (
        topic.make.delta(
            id=f"{topic.tail}.delta.all-{row.id or ''}-{row.t or push.time_ms}-{wire.fingerprint(row)}",
            ts_event=row.t * wire.MS if row.t else push.sent_ns,
            ts_recv=ts_recv,
            bids=bids,
            asks=asks,
            is_snapshot=True,
            unit=unit,
        ),
    )


def decode_signed_levels(topics: Topics[Topic], frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read `futures.order_book`, event `update`: a level's side is the sign of its size; 0 removes it on either."""
    push = wire_book.read_signed_levels(frame)
    by_symbol: dict[str, list[wire_book.SignedLevel]] = {}
    rows: list[wire_book.SignedLevel] = push.result or []
    for row in rows:
        by_symbol.setdefault(row.c, []).append(row)
    return [_signed(topics[name], rows, (push.sent_ns, ts_recv)) for name, rows in by_symbol.items()]


def _signed(topic: Topic, rows: list[wire_book.SignedLevel], times: tuple[int | None, int]) -> Decoded:
    sides: Sides = ([], [])
    for row in rows:
        size, is_ask = wire.signed(row.s, "result.s")
        for level in numbers.text_levels([(str(row.p), size)], "result.p"):
            for side in sides if level[1] == numbers.ZERO else (sides[is_ask],):
                side.append(level)
    bids, asks, unit = sizes.book(topic.instrument, *sides)
    return topic.make.delta(
        id=f"{topic.tail}.delta.levels-{rows[0].id}-{rows[-1].id}",
        ts_event=times[0],
        ts_recv=times[1],
        bids=bids,
        asks=asks,
        unit=unit,
    )
