"""Binance spot's decoder: finds the handler of a frame, and reads the control answers and the frames without a type."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from contracts import market
from contracts.codec import fast
from contracts.errors import FrameError
from producers import venue as v
from producers.normalize.numbers import text_levels
from producers.venues.binance import frames
from producers.venues.binance.handlers import HANDLERS, NOT_CARRIED, Handler
from producers.venues.binance.rest import decode_depth

FastDelta = fast(market.BookDelta)

_NAME_AT: Final = len('{"stream":"')
# The page says to reconnect "as soon as possible" after `serverShutdown` and names no time: a minute.
_SHUTDOWN_SECONDS: Final = 60.0


class SpotDecoder:
    """Decodes the frames of one connection, combined (`{"stream":…,"data":…}`) or bare."""

    def __init__(self, market: str, find: v.FindInstrument, *, sim: bool) -> None:
        self._find = find
        self._sim = sim
        self._by_stream: dict[bytes, Handler] = {}
        self._handlers: dict[tuple[str, str], Handler] = {}

    def decode(self, frame: bytes, ts_recv: int) -> tuple[v.Decoded, ...]:
        """Decode one frame; raises FrameError or msgspec.DecodeError that names the channel or field at fault."""
        handle = self._by_stream.get(frame[_NAME_AT : frame.find(b'"', _NAME_AT)])
        if handle is not None:
            return handle(frame, ts_recv)
        if frame.lstrip()[:1] == b"[":
            return self._decode_list(frame, ts_recv)
        head = frames.read_head(frame)
        if head.data is UNSET:
            return self._decode_bare(head, frame, ts_recv)
        return self._decode_combined(head.stream or "", bytes(head.data), ts_recv)

    def _decode_combined(self, stream: str, payload: bytes, ts_recv: int) -> tuple[v.Decoded, ...]:
        if payload[:1] == b"[":
            return self._decode_list(payload, ts_recv)
        head = frames.read_head(payload)
        if head.last_update_id is not UNSET:
            return self._decode_partial(stream, payload, ts_recv)
        events = self._decode_bare(head, payload, ts_recv)
        handle = self._handlers.get((_kind(head), head.s or ""))
        if handle is not None and not stream.startswith("!"):
            self._by_stream[stream.encode()] = handle
        return events

    def _decode_list(self, payload: bytes, ts_recv: int) -> tuple[v.Decoded, ...]:
        """Decode the array of an all-market stream (`!miniTicker@arr`)."""
        items = [bytes(item) for item in frames.read_list(payload)]
        return tuple(event for item in items for event in self._decode_bare(frames.read_head(item), item, ts_recv))

    def _decode_bare(self, head: frames.Head, payload: bytes, ts_recv: int) -> tuple[v.Decoded, ...]:
        kind = _kind(head)
        if kind in NOT_CARRIED:
            return ()
        if kind == "serverShutdown":
            return (v.Closing(reason=kind, seconds=_SHUTDOWN_SECONDS),)
        if not kind:
            return (_decode_answer(head),)
        if kind not in HANDLERS and head.s is None:
            return ()  # an announcement that is of no instrument
        if kind not in HANDLERS:
            msg = f"unknown event type {kind!r}"
            raise FrameError(msg, channel=kind)
        if head.s is None:
            msg = f"{kind}: missing required field `s`"
            raise FrameError(msg, field="s")
        if not head.pu is head.ps is head.X is UNSET or (head.st is not UNSET and head.M is UNSET):
            raise FrameError(f"{kind} of {head.s}: a frame of the futures sockets, which is no spot", channel=kind)
        return self._handler(kind, head.s)(b'{"data":' + payload + b"}", ts_recv)

    def _handler(self, kind: str, venue_symbol: str) -> Handler:
        handle = self._handlers.get((kind, venue_symbol))
        if handle is None:
            handle = HANDLERS[kind](self._find(venue_symbol), sim=self._sim)
            self._handlers[kind, venue_symbol] = handle
        return handle

    def _decode_partial(self, stream: str, payload: bytes, ts_recv: int) -> tuple[v.Decoded, ...]:
        """Decode a book without event type: only the stream (`btcusdt@depth20@100ms`) says whose it is.

        Recorders write a REST answer into the stream as `btcusdt@depthSnapshot`: that one is a `book`.
        """
        name, _, channel = stream.partition("@")
        instrument = self._find(name.upper())
        if channel == "depthSnapshot":
            return (decode_depth(payload, instrument, ts_recv, sim=self._sim),)
        book = frames.read_snapshot(payload)
        return (
            FastDelta(
                id=f"{instrument.tail}.delta.{channel.partition('@')[0]}-{book.last_update_id}",
                venue=instrument.venue,
                symbol=instrument.symbol,
                venue_symbol=instrument.venue_symbol,
                ts_event=None,
                ts_recv=ts_recv,
                sim=self._sim,
                bids=text_levels(book.bids, "bids"),
                asks=text_levels(book.asks, "asks"),
                seq=book.last_update_id,
                prev_seq=None,
                is_snapshot=True,
            ),
        )


def _kind(head: frames.Head) -> str:
    """Tell the event type; `bookTicker` alone has none and is known by its fields."""
    if head.e is not None:
        return head.e
    return "bookTicker" if head.u is not UNSET and head.s is not None else ""


def _decode_answer(head: frames.Head) -> v.Decoded:
    """Decode the answer to a request: `{"result":null,"id":1}`, or an error in either of the venue's two forms."""
    ref = None if head.id is None else str(head.id)
    if head.code is not None or head.error is not UNSET:
        detail = head.msg if head.error is UNSET else bytes(head.error).decode()
        return v.Refused(ref=ref, reason=f"{head.code}: {detail}" if head.code is not None else str(detail))
    if head.result is not UNSET:
        return v.Ack(ref=ref or "")  # an id may be null
    if head.last_update_id is not UNSET:
        msg = "a partial book outside a combined stream does not say its symbol: field `stream` is missing"
        raise FrameError(msg, field="stream")
    msg = "unknown frame: missing required field `e`"
    raise FrameError(msg, field="e")
