"""Deribit's decoder: routes the frames of one JSON-RPC socket (https://docs.deribit.com/articles/json-rpc-overview)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from contracts.errors import FrameError
from producers.normalize.events import Makers
from producers.normalize.numbers import NULL
from producers.normalize.topics import Topics
from producers.venue import Ack, Answered, Closing, Decoded, Decoder, FindInstrument, Pong, Refused, Reply
from producers.venues.deribit import events, tables, wire
from producers.venues.deribit.naming import is_combo
from producers.venues.deribit.plan import AGAIN_ID, HEARTBEAT_ID, SUBSCRIBE_ID, TEST, TEST_ID
from producers.venues.deribit.topics import Topic

_Decode = Callable[[Topic, bytes, int], Sequence[Decoded]]
_Route = Callable[[bytes, int], Sequence[Decoded]] | None

_CHANNEL: Final = b'"channel":"'
_NEAR: Final = 120  # bytes within which a push names its channel
# The venue says that it will cut connections that ask too much, or that its system is being maintained.
_LEAVING: Final = {10028: 2.0, 10040: 2.0, 11051: 10.0}
_BOOK_PARTS: Final = 3  # book.BTC-PERPETUAL.100ms; grouped ones have a group and a depth as well
_KINDS: Final = frozenset({"future", "option", "spot", "future_combo", "option_combo", "combo", "any"})
_NOT_CARRIED: Final = frozenset(
    {
        *("perpetual", "instrument", "platform_state", "announcements", "rfq", "block_rfq", "incremental_ticker"),
        *("deribit_price_index", "deribit_price_ranking", "deribit_price_statistics", "deribit_volatility_index"),
        *("block_trade_confirmations", "estimated_expiration_price", "markprice"),
    }
)


class DeribitDecoder:
    """Decodes one connection's frames. `find` gives instruments by the venue's `instrument_name`."""

    def __init__(self, find: FindInstrument, *, makers: Makers) -> None:
        self._find = find
        self._makers = makers
        self._routes: dict[bytes, _Route] = {}
        self._mixed = Topics(lambda name: Topic(find(name), "", makers))  # of channels that are about many instruments

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame: a push, routed by its channel without parsing, or an answer, or a heartbeat."""
        at = frame.find(_CHANNEL, 0, _NEAR)
        if at >= 0:
            name = frame[at + 11 : frame.find(b'"', at + 11)]
            if name in self._routes:
                route = self._routes[name]
                return () if route is None else route(frame, ts_recv)
        head = wire.decode_head(frame)
        if head.method == "subscription":
            return self._decode_push(head.params, frame, ts_recv)
        if head.method == "heartbeat":
            return _beat(head.params)
        if head.method is not None:
            return _decode_notice(head)
        if head.id is None and head.error is None:
            raise FrameError("neither a notification nor an answer to a request", field="method")
        return _decode_answer(head)

    def _decode_push(self, params: wire.Params | None, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode a push of a channel that was not met before."""
        if params is None or params.channel is None:
            raise FrameError("a push names no channel", field="params.channel")
        kind, name, *_ = *params.channel.split("."), ""
        if kind == "trades" and name in _KINDS:
            return self._decode_mixed(frame, ts_recv)
        route = self._routes[params.channel.encode()] = self._route(params.channel)
        return () if route is None else route(frame, ts_recv)

    def _decode_mixed(self, frame: bytes, ts_recv: int) -> list[Decoded]:
        """Read the trades of a kind and currency (`trades.future.BTC.100ms`), whose rows name their instruments."""
        found: list[Decoded] = []
        for row in wire.decode_trades(frame).params.data:
            name = row.instrument_name
            if name is None:
                raise FrameError("a trade of many instruments names none", field="params.data.instrument_name")
            if is_combo(name):
                continue
            found += events.trade_events(self._mixed[name], (row,), ts_recv)
        return found

    def _route(self, channel: str) -> _Route:
        """Find what decodes a channel; None for those that are not carried, combos among them."""
        kind, *rest = channel.split(".")
        if kind in _NOT_CARRIED:
            return None
        if kind == "chart" and rest[:1] == ["trades"]:
            kind, rest = "chart.trades", rest[1:]
        decode = _CHANNELS.get(kind)
        if decode is None or not rest:
            raise FrameError(f"unknown channel {channel!r}", field="params.channel")
        if is_combo(rest[0]):
            return None
        if kind == "book" and len(rest) + 1 > _BOOK_PARTS:
            decode = events.decode_ladders
        topic = Topic(self._find(rest[0]), ".".join(rest[1:]), self._makers)
        return tables.with_table(partial(decode, topic), topic=topic, channel=kind)


_CHANNELS: Final[dict[str, _Decode]] = {
    "trades": events.decode_trades,
    "book": events.decode_books,
    "ticker": events.decode_tickers,
    "quote": events.decode_quotes,
    "chart.trades": events.decode_candles,
}


def _decode_notice(head: wire.Head) -> Sequence[Decoded]:
    """Read a notification that is no subscription's: nothing, where it carries no data either."""
    params = head.params
    if params is None or (params.channel is None and params.data == NULL):
        return ()
    raise FrameError(f"data of the unknown method {head.method!r}", field="method")


def _beat(params: wire.Params | None) -> Sequence[Decoded]:
    """Answer a `test_request`, which the venue wants answered or else ends the connection."""
    if params is not None and params.type == "test_request":
        return (Pong(), Reply(TEST))
    return (Pong(),)


def _decode_answer(head: wire.Head) -> Sequence[Decoded]:
    """Read an answer by the id of its request. A subscription's result lists what was really subscribed."""
    ref = head.id
    if head.error is not None:
        reason = f"{head.error.code}: {head.error.message}"
        if head.error.code in _LEAVING:
            return (Closing(reason, _LEAVING[head.error.code]),)
        return (Refused(None if ref is None else str(ref), reason),)
    if ref == TEST_ID:
        return (Pong(),)
    if ref == HEARTBEAT_ID:
        return (Ack(str(ref)),)
    if ref == AGAIN_ID:
        return [Ack(key) for key in wire.decode_keys(head.result)]
    if ref is not None and ref >= SUBSCRIBE_ID:
        return (Answered(str(ref), frozenset(wire.decode_keys(head.result))),)
    return ()


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Make the decoder of a new connection."""
    return DeribitDecoder(find, makers=makers)
