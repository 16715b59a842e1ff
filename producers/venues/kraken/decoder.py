"""Kraken's decoder: finds the channel of a frame of WebSocket v2, and reads its answers.

https://docs.kraken.com/exchange/api-reference/spot-websocket
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from contracts.errors import FrameError
from producers.connection.frames import rows_at
from producers.normalize.events import Makers
from producers.normalize.topics import Topics
from producers.venue import Ack, Closing, Decoded, Decoder, FindInstrument, Pong, Refused
from producers.venues.kraken import events, tables, wire
from producers.venues.kraken.decoder_v1 import V1Decoder, decode_answer, split_trades
from producers.venues.kraken.plan import CHANNEL_NAMES, channel_of
from producers.venues.kraken.topics import Pair

_START: Final = b'{"channel":"'
_NOT_CARRIED: Final = frozenset({"status", "instrument", "level3", "executions", "balances"})
_ALREADY: Final = "already subscribed"  # the text is not documented; the channel speaks all the same


class KrakenDecoder:
    """Decodes one connection's frames. `find` gives instruments by the venue's v2 name (`BTC/USD`)."""

    def __init__(self, find: FindInstrument, *, makers: Makers) -> None:
        self._find = find
        self._makers = makers
        self._v1: V1Decoder | None = None
        pairs = Topics(lambda symbol: Pair(find(symbol), makers=makers))
        self._routes: dict[str, Callable[[bytes, int], Sequence[Decoded]]] = {
            "trade": tables.TRADES.reader_of_many(
                partial(events.on_trades, pairs), partial(tables.trade_makers, pairs)
            ),
            "book": partial(events.on_books, pairs),
            "ticker": tables.TICKERS.reader_of_many(
                partial(events.on_tickers, pairs), partial(tables.ticker_makers, pairs)
            ),
            "ohlc": partial(events.on_candles, pairs),
            "heartbeat": lambda frame, ts_recv: (Pong(),),  # noqa: ARG005 - it says only that the connection lives
        }

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame: a push, whose channel its start names, an answer, or a frame of v1."""
        if frame.startswith(_START):
            channel = frame[12 : frame.find(b'"', 12)].decode("ascii", "replace")
        elif frame.startswith(b"["):
            return self._decode_v1(frame, ts_recv)
        else:
            head = wire.decode_head(frame)
            if head.event is not None:
                return decode_answer(frame)
            if head.channel is None:
                return _decode_answer(head)
            channel = head.channel
        route = self._routes.get(channel)
        if route is not None:
            return route(frame, ts_recv)
        if bytes(wire.decode_head(frame).data) == b"null" or channel in _NOT_CARRIED:
            return ()  # without data it is a message about the connection
        raise FrameError(f"unknown channel {channel!r}", channel=channel)

    def _decode_v1(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode a push of v1 by a decoder that is made with the first of them: few connections meet any."""
        if self._v1 is None:
            self._v1 = V1Decoder(self._find, makers=self._makers)
        return self._v1.decode(frame, ts_recv)


def _decode_answer(head: wire.Head) -> Sequence[Decoded]:
    """Read an answer: one comes for each pair of a request."""
    if head.alarm is not None:
        return (Closing(head.alarm, 1.0),)
    if head.method == "pong":
        return (Pong(),)
    if head.method is None and head.error is not None:
        return (Refused(None if head.req_id is None else str(head.req_id), head.error),)
    if head.method is None:
        raise FrameError("a frame has neither channel nor method", field="channel, method")
    if head.success is False:
        return _refusals(head) if head.method == "subscribe" else ()
    if head.method != "subscribe" or head.result is None or head.result.channel is None:
        return ()
    symbol = head.result.symbol
    return (Ack(head.result.channel if symbol is None else f"{head.result.channel}:{symbol}"),)


def _refusals(head: wire.Head) -> Sequence[Decoded]:
    """Name what was refused: the error names the pair, its request's id leads to the channel.

    Without either, a pair is refused on every channel; without both, the error is about whatever still waits.
    """
    reason = head.error or "refused without a reason"
    channel = None if head.req_id is None else channel_of(head.req_id)
    keys = [f"{name}:{head.symbol}" for name in CHANNEL_NAMES if channel in {None, name}] if head.symbol else []
    if keys and reason.lower().startswith(_ALREADY):
        return [Ack(key) for key in keys]
    if keys:
        return [Refused(key, reason) for key in keys]
    return (Refused(None if head.req_id is None else str(head.req_id), reason),)


_split_data: Final = rows_at(("data",))


def split(frame: bytes) -> list[bytes]:
    """Split a push of many rows: of v2 those of `data` (a row of books is one book's update), of v1 the trades."""
    return split_trades(frame) if frame.startswith(b"[") else _split_data(frame)


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Return the decoder of a new connection."""
    return KrakenDecoder(find, makers=makers)
