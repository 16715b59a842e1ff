"""Gate's decoder: routes the frames of one socket by channel and event, without parsing them twice.

https://www.gate.com/docs/developers/apiv4/ws/en/#server-response
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from contracts.errors import FrameError
from producers.connection.frames import rows_at
from producers.normalize.events import Makers
from producers.normalize.numbers import NULL
from producers.normalize.topics import Topics
from producers.venue import Ack, Closing, Decoded, Decoder, FindInstrument, Pong, Refused
from producers.venues.gate import events_book, events_candles, events_ticker, events_trades, tables, wire
from producers.venues.gate.plan import LINEAR, SPOT, guess
from producers.venues.gate.topics import Topic

_Decode = Callable[[Topics[Topic], bytes, int], Sequence[Decoded]]

_NAME: Final = b'"channel":"'
_NAME_WITHIN: Final = 256  # bytes from a frame's start: two times and, in some, two ids come before
_UPGRADE_SECONDS: Final = 10.0  # ours: the notice asks to reconnect and names no time

_CHANNELS: Final[dict[tuple[str, str], _Decode]] = {
    ("spot.trades", "update"): events_trades.decode_spot_trades,
    ("futures.trades", "update"): events_trades.decode_futures_trades,
    ("spot.tickers", "update"): events_ticker.decode_spot_tickers,
    ("futures.tickers", "update"): events_ticker.decode_futures_tickers,
    ("spot.book_ticker", "update"): events_ticker.decode_book_tickers,
    ("futures.book_ticker", "update"): events_ticker.decode_book_tickers,
    ("spot.order_book_update", "update"): events_book.decode_spot_depth,
    ("futures.order_book_update", "update"): events_book.decode_futures_depth,
    ("spot.obu", "update"): events_book.decode_second_version,
    ("futures.obu", "update"): events_book.decode_second_version,
    ("futures.order_book", "all"): events_book.decode_whole_book,
    ("futures.order_book", "update"): events_book.decode_signed_levels,
    ("futures.public_liquidates", "update"): events_trades.decode_liquidations,
    ("spot.candlesticks", "update"): events_candles.decode_candles,
    ("futures.candlesticks", "update"): events_candles.decode_candles,
}
# As the bytes that follow the channel's name begin, in the venue's own writing; whether the channel is of contracts.
_ROUTES: Final = {
    f'{channel}","event":"{event}"'.encode(): (decode, channel.startswith("futures."))
    for (channel, event), decode in _CHANNELS.items()
}
_SPOT_TRADES: Final = b'spot.trades","event":"update"'
# Known, and not carried: a book cut to few levels, older trades, statistics and terms of contracts.
_NOT_CARRIED: Final = frozenset(
    {
        *("spot.order_book", "spot.trades_v2", "futures.contract_stats", "futures.contract_info"),
        *("futures.order_book_interval", "announcement.summary_listing"),
    }
)
_DATA: Final = frozenset({"update", "all"})
_LEVELS: Final = b'"futures.order_book"'
_rows: Final = rows_at(("result",))
_QUIET_CHANNELS: Final = frozenset({"spot.ping", "futures.ping"})


class GateDecoder:
    """Decodes one connection's frames. `find` gives instruments of its market by the venue's symbol.

    `BTC_USDT` names a pair and a contract: the channel says which. Where it is not of the connection's market (a
    recording whose market was not named), the instrument is named by its symbol alone.
    """

    def __init__(self, market: str, find: FindInstrument, *, makers: Makers) -> None:
        finds = (find if market == of else partial(guess, of) for of in (SPOT, LINEAR))
        self._topics = tuple(Topics(lambda name, find=one: Topic(find(name), makers)) for one in finds)
        self._routes: dict[bytes, Callable[[bytes, int], Sequence[Decoded]]] = {
            start: partial(decode, self._topics[at]) for start, (decode, at) in _ROUTES.items()
        }
        self._routes[_SPOT_TRADES] = tables.SPOT_TRADES.reader_of_many(
            self._routes[_SPOT_TRADES], partial(tables.spot_makers, self._topics[False])
        )

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame: data, whose route is found by its channel and event, or an answer."""
        start = frame.find(_NAME, 0, _NAME_WITHIN) + len(_NAME)
        route = self._routes.get(frame[start : frame.find(b",", frame.find(b",", start) + 1)])
        if route is not None:
            return route(frame, ts_recv)
        return self._decode_other(frame, ts_recv)

    def _decode_other(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        head: wire.Head = wire.read_head(frame)
        if head.error is not None or head.event == "subscribe":
            return (_answer(head, frame),)
        decode = _CHANNELS.get((head.channel, head.event))
        if decode is not None:
            return decode(self._topics[head.channel.startswith("futures.")], frame, ts_recv)
        if head.channel.endswith(".pong"):
            return (Pong(),)
        if head.channel.endswith(".system"):
            return _notice(frame)
        if head.event == "unsubscribe" or head.channel in _NOT_CARRIED | _QUIET_CHANNELS:
            return ()
        if head.event not in _DATA and head.result == NULL:
            return ()  # a control message, whatever it says
        raise FrameError(f"unknown channel {head.channel!r} or event {head.event!r}", channel=head.channel)


def split_rows(frame: bytes) -> list[bytes]:
    """Return a frame's rows as frames of their own; the levels of the oldest book channel are one update."""
    return [] if _LEVELS in frame[:_NAME_WITHIN] else _rows(frame)


def _answer(head: wire.Head, frame: bytes) -> Decoded:
    """Read an answer: it names the request's id; one without is known by the channel and its first argument."""
    ref = str(head.id) if head.id is not None else f"{head.channel}:{head.payload[0]}" if head.payload else None
    if head.error is not None:
        return Refused(ref, f"{head.error.code}: {head.error.message}")
    result = wire.read_answer(frame).result
    if result is not None and result.status != "success":
        return Refused(ref, f"status {result.status}")
    return Ack(ref or head.channel)


def _notice(frame: bytes) -> Sequence[Decoded]:
    """Read a system notice. The page does not have it; clients met `upgrade`, which asks to reconnect."""
    result = wire.read_answer(frame).result
    if result is None or result.type != "upgrade":
        return ()
    return (Closing(result.msg or "the venue upgrades its service", _UPGRADE_SECONDS),)


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:
    """Make the decoder of a new connection."""
    return GateDecoder(market, find, makers=makers)
