"""The decoder of Binance's spot and USD-M sockets: finds the handler of a frame and reads the answers to requests.

What differs between them is a `Dialect`. Pages: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
and https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct

from contracts.errors import FrameError
from producers.families.binance_events import Handler, MakeHandler
from producers.normalize.events import Makers
from producers.venue import Ack, Closing, Decoded, FindInstrument, Refused

_NAME_AT: Final = len('{"stream":"')
# The page says to reconnect "as soon as possible" after `serverShutdown` and names no time: a minute.
_SHUTDOWN_SECONDS: Final = 60.0
_read_list: Final = msgspec.json.Decoder(list[Raw]).decode


def combined(payload: type[Struct]) -> Callable[[bytes], Any]:
    """Return the reader of a combined frame whose `data` is this payload."""
    return msgspec.json.Decoder(msgspec.defstruct("Combined", [("data", payload)], gc=False)).decode


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload: the stream's name where it came in a combined frame, its bytes, and the dialect's head of it."""

    stream: str | None
    body: bytes
    head: Any
    ts_recv: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between the sockets.

    `kind_of` returns a payload's event type, "" where it has none; `owner_of` its symbol, None where it is to be left
    out, and raises FrameError for a frame of the other sockets; `decode_untyped` returns the event of a payload without
    a type, None where it is the answer to a request.
    """

    read_head: Callable[[bytes], Any]
    handlers: Mapping[str, MakeHandler]
    not_carried: frozenset[str]
    kind_of: Callable[[Any, str | None], str]
    owner_of: Callable[[str, Any], str | None]
    decode_untyped: Callable[[Payload, FindInstrument, Makers], Decoded | None]


class StreamDecoder:
    """Decodes the frames of one connection, combined (`{"stream":…,"data":…}`) or bare."""

    def __init__(self, dialect: Dialect, find: FindInstrument, *, makers: Makers) -> None:
        self._dialect = dialect
        self._find = find
        self._makers = makers
        self._by_stream: dict[bytes, Handler] = {}
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._handler_of = self._by_stream.get

    def decode(self, frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        """Decode one frame; raises FrameError or msgspec.DecodeError that names the channel or field at fault."""
        handle = self._handler_of(frame[_NAME_AT : frame.find(b'"', _NAME_AT)])
        if handle is not None:
            return handle(frame, ts_recv)
        if frame.lstrip()[:1] == b"[":
            return self._decode_list(frame, ts_recv)
        head = self._dialect.read_head(frame)
        if head.data is UNSET:
            return self._decode_payload(Payload(None, frame, head, ts_recv))
        return self._decode_combined(head.stream or "", bytes(head.data), ts_recv)

    def _decode_combined(self, stream: str, body: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        if body[:1] == b"[":
            return self._decode_list(body, ts_recv)
        payload = Payload(stream, body, self._dialect.read_head(body), ts_recv)
        events = self._decode_payload(payload)
        kind = self._dialect.kind_of(payload.head, stream)
        if kind in self._dialect.handlers and not stream.startswith("!"):
            handle = self._handlers.get((kind, self._dialect.owner_of(kind, payload.head) or ""))
            if handle is not None:
                self._by_stream[stream.encode()] = handle
        return events

    def _decode_list(self, body: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        """Decode the array of an all-market stream (`!miniTicker@arr`)."""
        items = [bytes(item) for item in _read_list(body)]
        payloads = (Payload(None, item, self._dialect.read_head(item), ts_recv) for item in items)
        return tuple(event for payload in payloads for event in self._decode_payload(payload))

    def _decode_payload(self, payload: Payload) -> tuple[Decoded, ...]:
        head = payload.head
        kind = self._dialect.kind_of(head, payload.stream)
        if kind in self._dialect.not_carried:
            return ()
        if kind == "serverShutdown":
            return (Closing(reason=kind, seconds=_SHUTDOWN_SECONDS),)
        if not kind:
            found = self._dialect.decode_untyped(payload, self._find, self._makers)
            return (_decode_answer(head) if found is None else found,)
        if kind not in self._dialect.handlers:
            if head.s is None:
                return ()  # an announcement that is of no instrument
            raise FrameError(f"unknown event type {kind!r}", channel=kind)
        owner = self._dialect.owner_of(kind, head)
        if owner is None:
            return ()
        return self._handler(kind, owner)(b'{"data":' + payload.body + b"}", payload.ts_recv)

    def _handler(self, kind: str, venue_symbol: str) -> Handler:
        handle = self._handlers.get((kind, venue_symbol))
        if handle is None:
            handle = self._dialect.handlers[kind](self._find(venue_symbol), makers=self._makers)
            self._handlers[kind, venue_symbol] = handle
        return handle


def _decode_answer(head: Any) -> Decoded:
    """Decode the answer to a request: `{"result":null,"id":1}`, or an error in either of the venue's two forms."""
    ref = None if head.id is None else str(head.id)
    if head.code is not None or head.error is not UNSET:
        detail = head.msg if head.error is UNSET else bytes(head.error).decode()
        return Refused(ref=ref, reason=f"{head.code}: {detail}" if head.code is not None else str(detail))
    if head.result is not UNSET:
        return Ack(ref=ref or "")  # an id may be null
    raise FrameError("unknown frame: missing required field `e`", field="e")
