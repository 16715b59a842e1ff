"""What producers that keep no books publish for who does: snapshots that were asked for, and checksums. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from contracts import codec, subjects
from contracts.instrument import Instrument, make_instrument
from contracts.market import BookDelta, BookEvidence
from producers.normalize.messages import Message, Route
from producers.normalize.writer import write_event
from runtime.nats.lanes.message import make_parts

_Evidence: Final = codec.fast(BookEvidence)
_Delta: Final = codec.fast(BookDelta)


def write_seed(snapshot: Any, waiting: Iterable[Any]) -> list[Message]:
    """Return the messages of a snapshot that was asked for, and of the deltas from before it that it lacks, again.

    With these the deltas of the bus are a book from the snapshot on, for whoever folds them.
    """
    instrument = make_instrument(snapshot.venue, snapshot.symbol, snapshot.venue_symbol)
    number = snapshot.seq if snapshot.seq is not None else snapshot.ts_recv
    seed = _Evidence(
        **_head(instrument, f"{number}.requested", sim=snapshot.sim),
        ts_event=snapshot.ts_event,
        ts_recv=snapshot.ts_recv,
        bids=snapshot.bids,
        asks=snapshot.asks,
        seq=snapshot.seq,
        is_snapshot=True,
        unit=snapshot.unit,
        requested=True,
    )
    return [_write(seed, instrument), *(_write_again(delta, instrument, sim=snapshot.sim) for delta in waiting)]


def write_proof(instrument: Instrument, checksum: int, seq: int | None, *, ts_recv: int, sim: bool) -> Message:
    """Return the message of a venue's checksum of the book as it is after the last delta, whose number is `seq`."""
    proof = _Evidence(
        **_head(instrument, f"{ts_recv if seq is None else seq}.checksum.{checksum}", sim=sim),
        ts_event=None,
        ts_recv=ts_recv,
        bids=[],
        asks=[],
        seq=seq,
        prev_seq=seq,
        is_snapshot=False,
        venue_checksum=checksum,
    )
    return _write(proof, instrument)


def _write_again(delta: Any, instrument: Instrument, *, sim: bool) -> Message:
    again = _Delta(
        **_head(instrument, f"{delta.ts_recv if delta.seq is None else delta.seq}.again", sim=sim),
        ts_event=delta.ts_event,
        ts_recv=delta.ts_recv,
        bids=delta.bids,
        asks=delta.asks,
        seq=delta.seq,
        prev_seq=delta.prev_seq,
        is_snapshot=False,
        unit=delta.unit,
    )
    return write_event(again, instrument.tail)


def _head(instrument: Instrument, number: str, *, sim: bool) -> dict[str, Any]:
    return {
        "id": f"{instrument.tail}.delta.{number}",
        "venue": instrument.venue,
        "symbol": instrument.symbol,
        "venue_symbol": instrument.venue_symbol,
        "sim": sim,
    }


def _write(event: Any, instrument: Instrument) -> Message:
    parts = make_parts(subjects.DELTA + instrument.tail, codec.encode(event))
    return Message(Route("delta", event.symbol), parts, None)
