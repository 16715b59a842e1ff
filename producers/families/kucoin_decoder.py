"""The decoder of KuCoin's classic spot and futures sockets: finds the handler of a push's topic and reads answers.

Pages: https://www.kucoin.com/docs-new/websocket-api/base-info/introduction (handshake, ping, limits)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.families.kucoin_plan import WELCOME
from producers.normalize.events import Makers
from producers.venue import Ack, Closing, Decoded, FindInstrument, Pong, Refused

Handler = Callable[[bytes, int], tuple[Decoded, ...]]
MakeHandler = Callable[[Instrument, str, Makers], Handler]  # (instrument, what follows its symbol in the topic, makers)

_TOPIC: Final = b'"topic":"'
_TOPIC_AT: Final = len(_TOPIC)
_EXPIRED: Final = "token is expired"
_IGNORED: Final = frozenset({"notice", "command"})  # which the vendor's own Go client knows and lets pass
_DISCONNECT: Final = "disconnect"  # on no page, but met: the server is about to close


class Head(Struct, gc=False):
    """What distinguishes frames: `{"id":"1","type":"ack"}`, or `{"type":"message","topic":…,"subject":…,"data":{…}}`.

    Control messages may be of types that are on no page: `{"type":"notice","topic":null}`, `{"type":"disconnect"}`.
    """

    type: str = ""
    topic: str | None = None
    subject: str | None = None
    id: str | int | None = None
    code: int | str | None = None
    reason: str | None = None
    data: Raw | UnsetType = UNSET


_read_head: Final = msgspec.json.Decoder(Head).decode


class TopicDecoder:
    """Decodes one connection's frames: answers here, pushes by the handler of their topic.

    `routes` makes a handler for a topic; `symbol_of(head, name)` returns whose a push is, where that differs from the
    topic's own name (`/market/ticker:all`); topics that begin with one of `skipped` are known and not carried.
    """

    def __init__(
        self,
        find: FindInstrument,
        routes: Mapping[str, MakeHandler],
        skipped: tuple[str, ...],
        symbol_of: Callable[[Head, str], str],
        *,
        makers: Makers,
    ) -> None:
        self._find = find
        self._routes = routes
        self._skipped = skipped
        self._symbol_of = symbol_of
        self._makers = makers
        self._by_topic: dict[bytes, Handler] = {}
        self._handlers: dict[tuple[str, str], Handler] = {}

    def decode(self, frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        """Decode one frame; raises FrameError or msgspec.DecodeError that names the topic or field at fault."""
        at = frame.find(_TOPIC) + _TOPIC_AT
        handle = self._by_topic.get(frame[at : frame.find(b'"', at)])
        return self._decode_first(frame, ts_recv) if handle is None else handle(frame, ts_recv)

    def _decode_first(self, frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        """Decode an answer, or a push of a topic that was not met before or is about many symbols."""
        head = _read_head(frame)
        if head.topic is None or head.type in _IGNORED:
            return _decode_answer(head)
        channel, _, name = head.topic.partition(":")
        make = self._routes.get(channel)
        if make is None:
            if channel.startswith(self._skipped):
                return ()
            raise FrameError(f"unknown topic {head.topic!r}", channel=channel)
        symbol = self._symbol_of(head, name)
        handle = self._handlers.get((channel, symbol))
        if handle is None:
            venue_symbol, _, interval = symbol.partition("_")
            handle = make(self._find(venue_symbol), interval, self._makers)
            self._handlers[channel, symbol] = handle
        events = handle(frame, ts_recv)
        if symbol == name:
            self._by_topic[head.topic.encode()] = handle
        return events


def _decode_answer(head: Head) -> tuple[Decoded, ...]:
    ref = None if head.id is None else str(head.id)
    if head.type == "ack":
        if ref is None:
            raise FrameError("an ack names no request: field `id` is missing", field="id")
        return (Ack(ref),)
    if head.type == "pong":
        return (Pong(),)
    if head.type == WELCOME:
        return (Ack(WELCOME),)
    if head.type == _DISCONNECT:
        return (Closing(head.reason or "the venue closes the connection", 0.0),)
    if head.type != "error":
        return _pass_over(head)
    text = "" if head.data is UNSET else bytes(head.data).decode().strip('"')
    if _EXPIRED in text:
        return (Closing(text, 0.0),)
    return (Refused(ref, f"{head.code}: {text}"),)


def _pass_over(head: Head) -> tuple[Decoded, ...]:
    """Return nothing for a control message; raises FrameError for what carries data and says not of what."""
    if head.type in _IGNORED or (head.type and head.data is UNSET):
        return ()
    raise FrameError(f"unknown type {head.type!r} without topic", field="type")
