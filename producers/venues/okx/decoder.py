"""OKX's decoder: routes the frames of one public v5 socket (https://www.okx.com/docs-v5/en/#overview-websocket)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from contracts.errors import FrameError
from producers.normalize import numbers
from producers.normalize.events import Makers
from producers.normalize.numbers import NULL
from producers.normalize.topics import Topics
from producers.venue import Ack, Closing, Decoded, Decoder, FindInstrument, Pong, Refused
from producers.venues.okx import events, tables, wire
from producers.venues.okx.topics import Topic

_Decode = Callable[[Topic, bytes, int, str], list[Decoded]]
_Route = Callable[[bytes, int], Sequence[Decoded]]

_PONG: Final = b"pong"
_START: Final = b'{"arg":{'
_OPTION: Final = "OPTION"
_UPGRADE: Final = "64008"
_UPGRADE_SECONDS: Final = 30.0  # between the notice and the venue's closing
_OPTION_ID: Final = re.compile(r".+-\d{6}-[\d.]+-[CP]")  # options are not followed
_NAMED: Final = re.compile(r"channel:([\w-]+),\s*(?:instId|instType|instFamily):([\w-]+)")

_CHANNELS: Final[dict[str, _Decode]] = {
    "trades": events.decode_trades,
    "trades-all": events.decode_trades,
    "tickers": events.decode_tickers,
    "bbo-tbt": events.decode_best,
    "books": events.decode_books,
    "books5": events.decode_books,
    "books-l2-tbt": events.decode_books,
    "books50-l2-tbt": events.decode_books,
    "liquidations": events.decode_instrument_liquidations,
    "funding-rate": events.decode_funding_rates,
    "mark-price": events.decode_mark_prices,
    "open-interest": events.decode_interests,
    **{f"candle{bar}": events.decode_candles for bar in events.TIMEFRAMES},
}
# Known, and not carried: other books, options, block trades, limits, estimates; candles of no trades, or not of UTC.
_NOT_CARRIED: Final = frozenset(
    {
        *("books-rpi", "books-elp", "books-grouped", "instruments", "status", "price-limit", "estimated-price"),
        *("opt-summary", "option-trades", "adl-warning", "economic-calendar", "open-interest-limit"),
        *("call-auction-details", "block-tickers", "public-block-trades", "public-struc-block-trades"),
        *("sprd-public-trades", "sprd-tickers", "sprd-bbo-tbt", "sprd-books5", "sprd-books-l2-tbt"),
    }
)
_NOT_CARRIED_STARTS: Final = ("candle", "mark-price-candle", "index-candle", "sprd-candle")


class OkxDecoder:
    """Decodes one connection's frames. `find` gives instruments by the venue's `instId`."""

    def __init__(self, find: FindInstrument, *, makers: Makers) -> None:
        self._indexes: dict[str, str] = {}
        self._topics = Topics(lambda name: Topic(find(name), self._indexes, makers))
        self._routes: dict[bytes, _Route] = {}

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame: text, an answer, or a push, which is routed by its first bytes without parsing."""
        if frame == _PONG:
            return (Pong(),)
        start = frame[: frame.find(b"}")] if frame.startswith(_START) else b""
        route = self._routes.get(start)
        if route is not None:
            return route(frame, ts_recv)
        if frame[:1] == b"[":
            raise FrameError("a bare array names no channel", field="arg")
        head = wire.decode_head(frame)
        if head.event is not None:
            return _decode_answer(head)
        if head.arg is None:
            return _decode_notice(head)
        return self._decode_push(head.arg, frame, ts_recv, start)

    def _decode_push(self, arg: wire.Arg, frame: bytes, ts_recv: int, start: bytes) -> Sequence[Decoded]:
        """Decode a push of a channel that was not met before, or that is not of one instrument."""
        channel = arg.channel
        decode = _CHANNELS.get(channel)
        if decode is not None:
            if arg.instId is None:
                raise FrameError(f"arg.instId is missing in a push of {channel}", field="arg.instId")
            if _OPTION_ID.fullmatch(arg.instId):
                return ()
            topic = self._topics[arg.instId]
            route = tables.with_table(
                lambda frame, ts_recv: decode(topic, frame, ts_recv, channel), topic=topic, channel=channel
            )
            if start:
                self._routes[start] = route
            return route(frame, ts_recv)
        if channel == "liquidation-orders":
            return self._decode_liquidations(arg, frame, ts_recv)
        if channel == "index-tickers":
            self._remember_index(arg, frame)
            return ()
        if channel in _NOT_CARRIED or channel.startswith(_NOT_CARRIED_STARTS):
            return ()
        raise FrameError(f"unknown channel {channel!r}", channel=channel)

    def _decode_liquidations(self, arg: wire.Arg, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read liquidations of a whole kind of instruments; those of options are not carried."""
        if arg.instType == _OPTION:
            return ()
        found: list[Decoded] = []
        for row in wire.decode_liquidations(frame).data:
            found += events.decode_forced(self._topics[row.instId], row.details, ts_recv)
        return found

    def _remember_index(self, arg: wire.Arg, frame: bytes) -> None:
        """Keep an index price: it goes with the next funding event of the contracts on that index."""
        for row in wire.decode_index_tickers(frame).data:
            price = numbers.optional_price_text(row.idxPx, "data.idxPx")
            if price is not None:
                self._indexes[arg.instId or ""] = price


def _decode_answer(head: wire.Head) -> Sequence[Decoded]:
    """Read an answer: one ack comes for each arg of a request, and names it."""
    if head.event == "subscribe":
        if head.arg is None:
            raise FrameError("an ack names no channel", field="arg")
        return (Ack(_key(head.arg)),)
    if head.event in {"error", "channel-conn-count-error"}:
        return (_refusal(head),)
    if head.event == "notice" and head.code == _UPGRADE:
        return (Closing(head.msg or "the venue upgrades its service", _UPGRADE_SECONDS),)
    if head.data != NULL:
        raise FrameError(f"data with the unknown event {head.event!r}", field="event")
    return ()  # the answer to our unsubscribing, another notice, or what is for accounts: nothing to do


def _decode_notice(head: wire.Head) -> Sequence[Decoded]:
    """Read what has neither event nor arg: nothing, where it carries no data either."""
    if head.data == NULL and not (head.op is None and head.code is None and head.msg is None):
        return ()
    raise FrameError("a frame has neither event nor arg", field="arg")


def _refusal(head: wire.Head) -> Refused:
    """Name the subscription that the error's text names; else the request, where the answer has its id."""
    reason = f"{head.code}: {head.msg}"
    named = _NAMED.search(head.msg or "")
    if named is not None:
        return Refused(f"{named[1]}:{named[2]}", reason)
    return Refused(_key(head.arg) if head.arg is not None else head.id or None, reason)


def _key(arg: wire.Arg) -> str:
    return f"{arg.channel}:{arg.instId or arg.instType or ''}"


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Make the decoder of a new connection."""
    return OkxDecoder(find, makers=makers)
