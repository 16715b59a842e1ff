"""Indodax's decoder: routes the messages of one socket and makes their events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from msgspec import Raw

from contracts import market
from contracts.codec import fast
from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers import numbers
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
from producers.venues.indodax.streams import Stream
from producers.venues.indodax.wire import NS

FastTrade = fast(market.Trade)
FastTicker = fast(market.Ticker)
FastDelta = fast(market.BookDelta)

_NAME_AT: Final = len(b'{"result":{"channel":"')
_ALREADY_SUBSCRIBED: Final = 105
_PUBLICATION, _JOIN, _LEAVE, _UNSUBSCRIBED = 0, 1, 2, 3
_CHART: Final = "chart:tick-"
_TRADE_FIELDS, _SUMMARY_FIELDS, _TICK_FIELDS = 7, 8, 4


_Handler = Callable[[bytes, Stream, int], Sequence[Decoded]]


@dataclass(frozen=True, slots=True)
class _Product:
    """What is constant about one pair on a connection."""

    instrument: Instrument
    trade_id: str
    books: wire.BookDecoders


class IndodaxDecoder:
    """Decodes one connection's frames, each of which may hold several messages, a line each.

    It keeps the position in every stream, so that a repetition is left out and a loss of trades is told.
    """

    def __init__(self, find: FindInstrument, *, sim: bool) -> None:
        self._find = find
        self._sim = sim
        self._products: dict[str, _Product] = {}
        self._routes: dict[bytes, tuple[_Handler, Stream]] = {}
        self._confirmed: set[int] = set()
        self.streams: dict[int, Stream] = {}

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame; a push of a known pair whose channel comes first is routed without parsing."""
        if frame.find(b"\n", 0, -1) < 0:
            return self._message(frame, ts_recv)
        return [item for line in frame.split(b"\n") if line for item in self._message(line, ts_recv)]

    def _message(self, line: bytes, ts_recv: int) -> Sequence[Decoded]:
        route = self._routes.get(line[_NAME_AT : line.find(b'"', _NAME_AT)])
        if route is not None:
            return route[0](line, route[1], ts_recv)
        head = wire.decode_head(line)
        if head.id is not None:
            return self._on_answer(head, ts_recv)
        if head.result is wire.NOTHING:
            raise FrameError("a message without id and result", field="result")
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
        return [Ack(str(number)), *self._on_subscribed(number, result, ts_recv)]

    def _on_subscribed(self, number: int, result: wire.Result, ts_recv: int) -> Iterator[Decoded]:
        """Read what a stream kept for us since the last connection; it may begin with what we had already."""
        stream = self.streams.setdefault(number, Stream())
        before, epoch = stream.offset, stream.epoch
        lost = stream.on_answer(result)
        if lost is not None and is_trade_request(number):
            yield Gap(TRADE, None if stream.pair is None else self._product(stream.pair).instrument, lost)
        had = before if before is not None and result.epoch == epoch else -1
        whole: tuple[str, Raw] | None = None
        for raw in result.publications:
            publication = wire.decode_shape(raw)
            if bytes(publication.data).lstrip().startswith(b"{"):  # a book: each replaces the one before
                whole = wire.decode_pair(publication.data).pair, raw
            elif publication.offset is None or publication.offset > had or not is_trade_request(number):
                yield from self._on_rows(raw, publication, ts_recv)
        if whole is not None:
            pair, raw = whole
            yield self._book(pair, self._product(pair).books.publication(raw), ts_recv)

    def _on_rows(self, raw: Raw, publication: wire.Shape, ts_recv: int) -> Sequence[Decoded]:
        """Read a publication of rows; how many fields a row has tells which channel it is of."""
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
        if push.type in {_JOIN, _LEAVE}:
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
        row = self._product(pair).books.push(line).result.data
        stream.on_push(row.offset)
        return (self._book(pair, row, ts_recv),)

    def _on_trades(self, line: bytes, stream: Stream, ts_recv: int) -> Sequence[Decoded]:
        trades = wire.decode_trades_push(line).result.data
        is_new, lost = stream.on_push(trades.offset)
        if not is_new:
            return ()
        if lost is None:
            return self._trades(trades, ts_recv)
        pair = cast("str", stream.pair)
        return [Gap(TRADE, self._product(pair).instrument, lost), *self._trades(trades, ts_recv)]

    def _trades(self, trades: wire.Trades, ts_recv: int) -> list[Decoded]:
        found: list[Decoded] = []
        for row in trades.data:
            product, native, amount = self._product(row.pair), str(row.number), row.base
            if not amount.replace(".", "", 1).isdigit():
                amount = numbers.plain(amount, "amount")
                if amount.startswith("-"):
                    raise FrameError(f"amount is negative: {amount}", field="amount")
            found.append(
                FastTrade(
                    id=product.trade_id + native,
                    venue="indodax",
                    symbol=product.instrument.symbol,
                    venue_symbol=row.pair,
                    ts_event=row.time * NS,
                    ts_recv=ts_recv,
                    sim=self._sim,
                    trade_id=native,
                    price=wire.number(row.price, "price"),
                    amount=amount,
                    side=row.side,
                    seq=row.number,
                )
            )
        return found

    def _book(self, pair: str, row: Any, ts_recv: int) -> Decoded:
        """Make a whole book; the venue gives it no time, only its place in the stream."""
        instrument = self._product(pair).instrument
        return FastDelta(
            id=f"{instrument.tail}.delta.{row.offset}",
            venue="indodax",
            symbol=instrument.symbol,
            venue_symbol=pair,
            ts_event=None,
            ts_recv=ts_recv,
            sim=self._sim,
            bids=wire.read_levels([(level.price, level.amount) for level in row.data.bid], "bid"),
            asks=wire.read_levels([(level.price, level.amount) for level in row.data.ask], "ask"),
            seq=row.offset,
            is_snapshot=True,
        )

    def _summary(self, summary: wire.Summary, ts_recv: int) -> list[Decoded]:
        """Make a ticker a pair. The channel is about all pairs: those that other connections follow are left out."""
        found: list[Decoded] = []
        for row in summary.data:
            if self._confirmed and not self._has(row.pair):
                continue
            instrument = self._product(row.pair).instrument
            found.append(
                FastTicker(
                    id=f"{instrument.tail}.ticker.{row.time}-{summary.offset}",
                    venue="indodax",
                    symbol=instrument.symbol,
                    venue_symbol=row.pair,
                    ts_event=row.time * NS,
                    ts_recv=ts_recv,
                    sim=self._sim,
                    last=wire.number(row.last, "last"),
                    open_24h=wire.number(row.before, "price of 24 hours ago"),
                    high_24h=wire.number(row.high, "high"),
                    low_24h=wire.number(row.low, "low"),
                    volume_24h=wire.number(row.base, "base volume"),
                    quote_volume_24h=wire.number(row.quote, "quote volume"),
                    seq=summary.offset,
                )
            )
        return found

    def _has(self, pair: str) -> bool:
        """Whether this connection follows the pair's trades or book."""
        return any(request_id(channel + pair) in self._confirmed for channel in (TRADES, BOOKS))

    def _product(self, pair: str) -> _Product:
        product = self._products.get(pair)
        if product is None:
            item = self._find(pair)
            base = pair.removesuffix(item.quote.lower())
            product = self._products[pair] = _Product(item, f"{item.tail}.trade.", wire.book_decoders(base))
        return product


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


def make_decoder(market: str, find: FindInstrument, *, sim: bool) -> Decoder:  # noqa: ARG001 - there is one market
    """Make the decoder of a new connection."""
    return IndodaxDecoder(find, sim=sim)
