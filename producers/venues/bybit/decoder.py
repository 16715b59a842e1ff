"""Bybit's decoder: routes the frames of one public v5 socket (https://bybit-exchange.github.io/docs/v5/ws/connect)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from contracts.errors import FrameError
from producers.normalize.events import Makers
from producers.venue import Ack, Decoded, Decoder, FindInstrument, Pong, Refused
from producers.venues.bybit import events, tables, wire
from producers.venues.bybit.topics import Topic

_Decode = Callable[[Topic, bytes, int], Sequence[Decoded]]
_Route = Callable[[bytes, int], Sequence[Decoded]]

_NAME_AT: Final = len(b'{"topic":"')
_BOOK: Final = "orderbook"
_KINDS: Final[dict[str, tuple[str, _Decode]]] = {
    "publicTrade": ("trade", events.decode_trades),
    "trade": ("trade", events.decode_trades),  # `trade.linear.BTCUSDT`, an older name
    "tickers": ("ticker", events.decode_tickers),
    "allLiquidation": ("liquidation", events.decode_liquidations),
    "liquidation": ("liquidation", events.decode_old_liquidation),
    "kline": ("candle", events.decode_candles),
}
# Leveraged tokens, the insurance pool, price limits, auto-deleveraging, the status page: known, and not carried.
_NOT_CARRIED: Final = frozenset(
    {"kline_lt", "tickers_lt", "lt", "insurance", "priceLimit", "adlAlert", "system", "etp", "kline_etp", "tickers_etp"}
)
_PINGS: Final = frozenset({"ping", "pong"})
_NAMED_TOPIC: Final = re.compile(r"[A-Za-z]+\.[\w.-]*\w")


class BybitDecoder:
    """Decodes one connection's frames.

    The market is the socket's address: `BTCUSDT` is a pair on spot and a perpetual on linear, so that `find` must know
    the market that it serves.
    """

    def __init__(self, find: FindInstrument, *, makers: Makers) -> None:
        self._find = find
        self._makers = makers
        self._routes: dict[bytes, _Route] = {}

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame. Keys come in any order; where the topic is first, its route is found without parsing."""
        route = self._routes.get(frame[_NAME_AT : frame.find(b'"', _NAME_AT)])
        if route is not None:
            return route(frame, ts_recv)
        head = wire.decode_head(frame)
        if head.topic is None:
            return _decode_answer(head)
        route = self._route(head.topic)
        return () if route is None else route(frame, ts_recv)

    def _route(self, name: str) -> _Route | None:
        """Find or make the route of a topic; None for one that is not carried."""
        route = self._routes.get(name.encode())
        if route is not None:
            return route
        channel, *details, symbol = name.split(".") if "." in name else ("", name)
        detail = details[-1] if details else ""
        if channel in _NOT_CARRIED or (channel == _BOOK and detail in {"full", "rpi"}):
            return None
        found = _book_kind(detail) if channel == _BOOK else _KINDS.get(channel)
        if found is None:
            raise FrameError(f"unknown topic {name!r}", channel=name)
        kind, decode = found
        topic = Topic(self._find(symbol), kind, detail, self._makers)
        route = self._routes[name.encode()] = tables.with_table(partial(decode, topic), topic)
        return route


def _book_kind(depth: str) -> tuple[str, _Decode] | None:
    """Return what an order book topic becomes: one level is a ticker; `full` has no snapshot and `rpi` other levels."""
    if not depth.isdigit():
        return None
    return ("ticker", events.decode_best) if depth == "1" else ("delta", events.decode_book)


def _decode_answer(head: wire.Head) -> Sequence[Decoded]:
    """Read what answers a request. The answer to a ping has `op` "ping" on public sockets, "pong" on others."""
    if head.op in _PINGS or head.ret_msg == "pong":
        return (Pong(),)
    if head.type == "COMMAND_RESP":
        topics = wire.decode_topics(head.data)
        refused = [Refused(name, "the venue lists the topic as failed") for name in topics.failTopics]
        return [*(Ack(name) for name in topics.successTopics), *refused]
    if head.op == "subscribe" and head.success is not None:
        if head.success:
            return (Ack(head.req_id or ""),)
        return (_refusal(head.req_id, head.ret_msg or "refused without a reason"),)
    if head.success is False:  # of a request that the venue could not read, whose op it does not name
        return (_refusal(head.req_id, head.ret_msg or "refused without a reason"),)
    if head.data == wire.NULL and not (head.op is None and head.success is None and head.type is None):
        return ()  # the answer to our unsubscribing or to a request that is none of ours, or a notice
    raise FrameError(f"a frame without topic, of op {head.op!r} and type {head.type!r}", field="topic")


def _refusal(req_id: str | None, reason: str) -> Refused:
    """Name the request; where the answer does not, the topic that its text names: `Invalid symbol :[tickers.XYZ]`."""
    named = None if req_id else _NAMED_TOPIC.search(reason)
    return Refused(named.group() if named else req_id or None, reason)


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - `find` is the market's
    """Make the decoder of a new connection to `market` (spot, linear or inverse)."""
    return BybitDecoder(find, makers=makers)
