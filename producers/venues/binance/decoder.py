"""Binance spot's decoder: what distinguishes its frames, and the books that come without an event type."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from contracts.errors import FrameError
from producers.families.binance_decoder import Dialect, Payload, StreamDecoder
from producers.families.binance_rest import decode_depth, read_snapshot
from producers.normalize.events import Makers
from producers.normalize.numbers import text_levels
from producers.venue import Decoded, Decoder, FindInstrument
from producers.venues.binance import wire
from producers.venues.binance.events import HANDLERS, NOT_CARRIED


def _kind_of(head: wire.Head, stream: str | None) -> str:
    """Return the event type; `bookTicker` alone has none and is known by its fields."""
    if stream is not None and head.last_update_id is not UNSET:
        return ""
    if head.e is not None:
        return head.e
    return "bookTicker" if head.u is not UNSET and head.s is not None else ""


def _owner_of(kind: str, head: wire.Head) -> str:
    if head.s is None:
        raise FrameError(f"{kind}: missing required field `s`", field="s")
    if not head.pu is head.ps is head.X is UNSET or (head.st is not UNSET and head.M is UNSET):
        raise FrameError(f"{kind} of {head.s}: a frame of the futures sockets, which is no spot", channel=kind)
    return head.s


def _decode_untyped(payload: Payload, find: FindInstrument, makers: Makers) -> Decoded | None:
    """Decode a book without event type: only the stream (`btcusdt@depth20@100ms`) says whose it is.

    Recorders write a REST answer into the stream as `btcusdt@depthSnapshot`: that one is a `book`.
    """
    if payload.head.last_update_id is UNSET:
        return None
    if payload.stream is None:
        msg = "a partial book outside a combined stream does not say its symbol: field `stream` is missing"
        raise FrameError(msg, field="stream")
    name, _, channel = payload.stream.partition("@")
    instrument = find(name.upper())
    if channel == "depthSnapshot":
        return decode_depth(payload.body, instrument, payload.ts_recv, sim=makers.sim)
    book = read_snapshot(payload.body)
    return makers.maker("delta", instrument)(
        id=f"{instrument.tail}.delta.{channel.partition('@')[0]}-{book.last_update_id}",
        ts_recv=payload.ts_recv,
        bids=text_levels(book.bids, "bids"),
        asks=text_levels(book.asks, "asks"),
        seq=book.last_update_id,
        is_snapshot=True,
    )


_DIALECT: Final = Dialect(
    read_head=wire.read_head,
    handlers=HANDLERS,
    not_carried=NOT_CARRIED,
    kind_of=_kind_of,
    owner_of=_owner_of,
    decode_untyped=_decode_untyped,
)


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Return the decoder of a new connection."""
    return StreamDecoder(_DIALECT, find, makers=makers)
