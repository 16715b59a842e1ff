"""Indodax's decoder: routes the messages of one socket and continues the streams of its channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, cast
from zlib import crc32

from msgspec import Raw

from contracts.errors import FrameError
from producers.normalize.events import Makers
from producers.normalize.topics import Topics
from producers.venue import (
    TRADE,
    Ack,
    Closing,
    ConnectionPlan,
    Decoded,
    Decoder,
    FindInstrument,
    Gap,
    Pong,
    Refused,
    SubscribeRequest,
)
from producers.venues.indodax import wire
from producers.venues.indodax.events import make_book, make_ticker, make_trade
from producers.venues.indodax.plan import (
    BOOKS,
    CONNECT_ID,
    SUMMARY,
    TRADES,
    is_pair_request,
    is_trade_request,
    request_id,
    subscribe,
)
from producers.venues.indodax.topics import Stream, Topic

_NAME_AT: Final = len(b'{"result":{"channel":"')
_ALREADY_SUBSCRIBED: Final = 105
_PUBLICATION, _UNSUBSCRIBED = 0, 3
# Others joined or left, a message to a client, a subscription made there.
_QUIET_PUSHES: Final = frozenset({1, 2, 4, 5})
_CHART: Final = "chart:tick-"
_TRADE_FIELDS, _SUMMARY_FIELDS, _TICK_FIELDS = 7, 8, 4


_Handler = Callable[[bytes, Stream, int], Sequence[Decoded]]


class IndodaxDecoder:
    """Decodes one connection's frames, each of which may hold several messages, a line each.

    It keeps the position in every stream, so that a repetition is left out and a loss of trades is noticed.
    """

    def __init__(self, find: FindInstrument, *, makers: Makers) -> None:
        self._topics = Topics(lambda pair: Topic(find(pair), pair, makers=makers))
        self._routes: dict[bytes, tuple[_Handler, Stream]] = {}
        self._confirmed: set[int] = set()
        self.streams: dict[int, Stream] = {}

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame; a push of a known pair whose channel comes first is routed without parsing."""
        if frame.find(b"\n", 0, -1) < 0:
            return self._message(frame, ts_recv)
        kept = {number: replace(stream) for number, stream in self.streams.items()}
        try:
            return [item for line in frame.split(b"\n") if line for item in self._message(line, ts_recv)]
        except Exception:
            self._restore(kept)
            raise

    def _restore(self, kept: dict[int, Stream]) -> None:
        """Put the streams where they stood before a frame of which one message cannot be read: it is read again."""
        for number, stream in self.streams.items():
            before = kept.get(number, Stream())
            stream.epoch, stream.offset = before.epoch, before.offset
            stream.fresh, stream.had = before.fresh, before.had

    def _message(self, line: bytes, ts_recv: int) -> Sequence[Decoded]:
        route = self._routes.get(line[_NAME_AT : line.find(b'"', _NAME_AT)])
        if route is not None:
            return route[0](line, route[1], ts_recv)
        head = wire.decode_head(line)
        if head.id is not None:
            return self._on_answer(head, ts_recv)
        if head.result is wire.NOTHING:
            return _on_notice(line, head)
        return self._on_push(line, wire.decode_push(head.result), ts_recv)

    # ---- answers to our requests
    def _on_answer(self, head: wire.Head, ts_recv: int) -> Sequence[Decoded]:
        """Read what answers a request. A refused connect command leaves nothing to do but to try again later."""
        number = cast("int", head.id)
        if head.error is not None:
            reason = f"{head.error.code} {head.error.message}".rstrip()
            if number == CONNECT_ID:
                return (Closing(f"the venue refuses to connect: {reason}", 0.0),)
            return (Ack(str(number)),) if head.error.code == _ALREADY_SUBSCRIBED else (Refused(str(number), reason),)
        if head.result is wire.NOTHING:
            return (Pong(),)
        result = wire.decode_result(head.result)
        if is_pair_request(number):
            self._confirmed.add(number)
        if result.client is not None or (result.offset is None and not result.publications):
            return (Ack(str(number)),)
        missed = self._on_subscribed(number, result, ts_recv)
        return missed if result.part else [Ack(str(number)), *missed]

    def _on_subscribed(self, number: int, result: wire.Result, ts_recv: int) -> list[Decoded]:
        """Read what a stream kept for us since the last connection; it may begin with what we had already."""
        stream = self.streams.setdefault(number, Stream())
        had, of_trades = stream.known_up_to(result), is_trade_request(number)
        found: list[Decoded] = []
        whole: tuple[str, Raw] | None = None
        for raw in result.publications:
            publication = wire.decode_shape(raw)
            if bytes(publication.data).lstrip().startswith(b"{"):  # a book: each replaces the one before
                whole = wire.decode_pair(publication.data).pair, raw
            elif publication.offset is None or publication.offset > had or not of_trades:
                found += self._on_rows(raw, publication, ts_recv)
        if whole is not None:
            pair, raw = whole
            found.append(self._book(pair, self._topics[pair].books.publication(raw), raw, ts_recv))
        lost = None if result.part else stream.on_answer(result)
        if lost is not None and of_trades:
            found.insert(0, Gap(TRADE, None if stream.pair is None else self._topics[stream.pair].instrument, lost))
        return found

    def _on_rows(self, raw: Raw, publication: wire.Shape, ts_recv: int) -> Sequence[Decoded]:
        """Read a publication of rows; the number of a row's fields says which channel it is of."""
        rows = wire.decode_rows(publication.data)
        fields = len(rows[0]) if rows else _TICK_FIELDS
        if fields == _TRADE_FIELDS:
            return self._trades(wire.decode_trades(raw), ts_recv)
        if fields == _SUMMARY_FIELDS:
            return self._summary(wire.decode_summary(raw), ts_recv)
        if fields == _TICK_FIELDS:
            return ()
        raise FrameError(f"a publication's rows have {fields} fields", field="result.publications.data")

    # ---- pushes
    def _on_push(self, line: bytes, push: wire.Push, ts_recv: int) -> Sequence[Decoded]:
        """Read a push; the route of a pair's channel is kept, for the next one."""
        channel = push.channel
        if push.type == _UNSUBSCRIBED:
            return (Closing(f"the venue ended the subscription to {channel}", 0.0),)
        if push.type in _QUIET_PUSHES:
            return ()
        if push.type != _PUBLICATION or not channel:
            raise FrameError(f"unknown push of type {push.type}", field="result.type")
        for prefix, handler in ((TRADES, self._on_trades), (BOOKS, self._on_book)):
            if channel.startswith(prefix):
                stream = self.streams.setdefault(request_id(channel), Stream())
                stream.pair = channel.removeprefix(prefix)
                self._routes[channel.encode()] = handler, stream
                return handler(line, stream, ts_recv)
        if channel == SUMMARY:
            return self._summary(wire.decode_summary(push.data), ts_recv)
        if channel.startswith(_CHART):
            return ()
        raise FrameError(f"unknown channel {channel!r}", channel=channel)

    def _on_book(self, line: bytes, stream: Stream, ts_recv: int) -> Sequence[Decoded]:
        """Read a book, a repeated one too: each is whole."""
        pair = cast("str", stream.pair)
        row = self._topics[pair].books.push(line).result.data
        book = self._book(pair, row, line.rstrip(), ts_recv)
        stream.on_push(row.offset)
        return (book,)

    def _on_trades(self, line: bytes, stream: Stream, ts_recv: int) -> Sequence[Decoded]:
        """Read trades; the stream is stepped on once they are all read."""
        publication = wire.decode_trades_push(line).result.data
        trades = self._trades(publication, ts_recv)
        if publication.part:
            return trades if stream.fresh else ()
        is_new, lost = stream.on_push(publication.offset)
        if not is_new:
            return ()
        if lost is None:
            return trades
        return [Gap(TRADE, self._topics[cast("str", stream.pair)].instrument, lost), *trades]

    def _trades(self, trades: wire.Trades, ts_recv: int) -> list[Decoded]:
        return [make_trade(self._topics[row.pair], row, ts_recv) for row in trades.data]

    def _book(self, pair: str, row: Any, raw: bytes | Raw, ts_recv: int) -> Decoded:
        """Make a whole book; the venue gives it no time, only its place in the stream, which may begin again."""
        native = f"{row.offset}-{crc32(raw):08x}"
        return make_book(self._topics[pair], row, (native, ts_recv))

    def _summary(self, summary: wire.Summary, ts_recv: int) -> list[Decoded]:
        """Make a ticker a pair. The channel is about all pairs: those that other connections follow are left out."""
        return [
            make_ticker(self._topics[row.pair], row, (summary.offset, ts_recv))
            for row in summary.data
            if not self._confirmed or self._has(row.pair)
        ]

    def _has(self, pair: str) -> bool:
        """Whether this connection follows the pair's trades or book."""
        return any(request_id(channel + pair) in self._confirmed for channel in (TRADES, BOOKS))


def _on_notice(line: bytes, head: wire.Head) -> Sequence[Decoded]:
    """Read what is neither an answer nor a push: a ping of newer servers (`{}`), or an error of no request."""
    if head.error is not None:
        return (Refused(None, f"{head.error.code} {head.error.message}".rstrip()),)
    if line.strip() == b"{}":
        return (Pong(),)
    raise FrameError("a message without id and result", field="result")


def resume(plan: ConnectionPlan, decoder: Decoder) -> ConnectionPlan:
    """Ask for what was published since the last connection, of trades; and for the last book, by one offset less."""
    streams = cast("IndodaxDecoder", decoder).streams
    return replace(plan, requests=tuple(_recovering(request, streams) for request in plan.requests))


def _recovering(request: SubscribeRequest, streams: dict[int, Stream]) -> SubscribeRequest:
    stream = streams.get(int(request.ref))
    if request.gate or stream is None or stream.offset is None or stream.epoch is None:
        return request
    (channel,) = request.keys
    if not channel.startswith((TRADES, BOOKS)):
        return request
    offset = stream.offset if channel.startswith(TRADES) else max(0, stream.offset - 1)
    return replace(request, frame=subscribe(channel, recover=True, offset=offset, epoch=stream.epoch))


def inherit(decoder: Decoder, last: Decoder | None) -> None:
    """Hand the positions in the streams to the decoder of a new connection."""
    if last is None:
        return
    fresh, old = cast("IndodaxDecoder", decoder), cast("IndodaxDecoder", last)
    fresh.streams = {number: replace(stream) for number, stream in old.streams.items()}


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Make the decoder of a new connection."""
    return IndodaxDecoder(find, makers=makers)
