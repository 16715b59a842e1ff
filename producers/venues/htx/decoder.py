"""HTX's decoder: unpacks and routes the frames of any of its sockets, whose symbols name the market."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Raw

from contracts.errors import FrameError
from producers.connection.frames import rows_at
from producers.normalize.events import Makers
from producers.normalize.topics import Topics
from producers.venue import Ack, Closing, Decoded, Decoder, FindInstrument, Refused, Reply
from producers.venues.htx import events_book, events_candles, events_funding, events_ticker, events_trades, tables, wire
from producers.venues.htx.topics import Topic
from producers.venues.htx.wire_numbers import ABSENT

_Decode = Callable[[Topic, bytes, int, str], list[Decoded]]
_Route = Callable[[bytes, int], Sequence[Decoded]]

MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31
_START: Final = b'{"ch":"'
_MARKET: Final = re.compile(r"market\.(?P<symbol>[^.]+)\.(?P<channel>.+)")
_TOPIC: Final = re.compile(r"public\.(?P<name>[^.]+)\.(?P<channel>\w+)")
_REPEATED: Final = 2014

_CHANNELS: Final[dict[str, _Decode]] = {
    "trade.detail": events_trades.decode_trades,
    "bbo": events_ticker.decode_best,
    "detail": events_ticker.decode_day,
    "ticker": events_ticker.decode_day,
    "depth.step0": events_book.decode_step0,
    "open_interest": events_funding.decode_interest,
    **{f"mbp.{depth}": events_book.decode_mbp for depth in (5, 10, 20, 150, 400)},
    **{f"mbp.refresh.{depth}": events_book.decode_refresh for depth in (5, 10, 20)},
    **{f"depth.size_{depth}.high_freq": events_book.decode_high_freq for depth in (20, 150)},
    **{f"kline.{period}": events_candles.decode_candle for period in events_candles.TIMEFRAMES},
}
# Known, and not carried: books whose levels are merged, years, index, estimated and premium candles, overviews.
_NOT_CARRIED: Final = re.compile(
    r"depth\.step\d+|kline\.1year|(index|estimated_rate|premium_index|mark_price|basis)(\..+)?|iopv|etp|liquidation.*"
)
_OVERVIEWS: Final = re.compile(r"market\.(tickers|overview(v2)?)")
_BASIS_OPEN: Final = re.compile(r"basis\.\w+\.\w+")
_NOTICES: Final = {"liquidation_orders": events_trades.decode_liquidations, "funding_rate": events_funding.decode_rates}
_QUIET_NOTICES: Final = frozenset({"contract_info", "contract_elements", "heartbeat", "adl"})


class HtxDecoder:
    """Decodes one connection's frames. `find` gives instruments by the venue's symbol."""

    def __init__(self, find: FindInstrument, *, makers: Makers) -> None:
        self._topics = Topics(lambda symbol: Topic(find(symbol), makers))
        self._routes: dict[bytes, _Route] = {}

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame, packed or plain; a push's route is found by its `ch` at the start without parsing."""
        text = _unpacked(frame) if frame[:2] == _GZIP else frame
        start = text[: text.find(b'"', len(_START))] if text.startswith(_START) else b""
        route = self._routes.get(start)
        if route is not None:
            return route(text, ts_recv)
        head = wire.decode_head(text)
        if head.ch is not None:
            return self._decode_push(head.ch, text, ts_recv, start)
        if head.op is not None:
            return self._decode_note(head, text, ts_recv)
        return self._decode_answer(head, text, ts_recv)

    def _decode_push(self, ch: str, text: bytes, ts_recv: int, start: bytes) -> Sequence[Decoded]:
        """Decode a push of a channel that was not met before."""
        found = _MARKET.fullmatch(ch)
        symbol, channel = (found["symbol"], found["channel"]) if found else ("", ch)
        decode = _CHANNELS.get(channel) or (events_funding.decode_basis if _BASIS_OPEN.fullmatch(channel) else None)
        if _OVERVIEWS.fullmatch(ch):
            return ()
        if found is None or (decode is None and not _NOT_CARRIED.fullmatch(channel)):
            raise FrameError(f"unknown channel {ch!r}", channel=ch)
        if decode is None:
            return ()
        topic = self._topics[symbol]
        route = tables.with_table(
            lambda text, ts_recv: decode(topic, text, ts_recv, channel), topic=topic, channel=channel
        )
        if start:
            self._routes[start] = route
        return route(text, ts_recv)

    def _decode_answer(self, head: wire.Head, text: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read a ping or an answer of a market socket."""
        if head.ping != ABSENT:
            return (Reply(f'{{"pong":{_text(head.ping)}}}'),)
        if head.error is not None or head.status == "error":
            return (Refused(None if head.id is None else str(head.id), f"{head.error}: {head.message}"),)
        if head.subbed is not None:
            return (Ack(head.subbed),)
        if head.rep is not None:
            return self._decode_asked(head.rep, text, ts_recv)
        if head.unsubbed is not None:
            return ()
        if head.action == "ping":
            return (Reply(text.decode().replace('"ping"', '"pong"', 1)),)
        if head.data == ABSENT and (head.status is not None or head.action is not None):
            return ()  # a control message, whatever it says
        raise FrameError("a frame has neither ch, op nor a known answer", field="ch")

    def _decode_asked(self, rep: str, text: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read the answer to a request: books are carried, a history of candles or trades is not."""
        found = _MARKET.fullmatch(rep)
        if found is None:
            raise FrameError(f"unknown answer {rep!r}", channel=rep)
        if _CHANNELS.get(found["channel"]) is not events_book.decode_mbp:
            return ()
        return events_book.decode_book_answer(self._topics[found["symbol"]], text, ts_recv, found["channel"])

    def _decode_note(self, head: wire.Head, text: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read a frame of a notification socket."""
        if head.op == "notify":
            found = _TOPIC.fullmatch(head.topic or "")
            decode = _NOTICES.get(found["channel"]) if found else None
            if decode is not None:
                return decode(self._topics, text, ts_recv)
            if found is not None and found["channel"] in _QUIET_NOTICES:
                return ()
            raise FrameError(f"unknown topic {head.topic!r}", channel=head.topic)
        if head.op == "ping":
            return (Reply(f'{{"op":"pong","ts":{_text(head.ts)}}}'),)
        if head.op == "sub":
            return (_acknowledged(head),)
        if head.op in {"close", "error"}:
            return (Closing(f"the venue closes: {head.message or head.op}", 0.0),)
        if head.data == ABSENT or head.op in {"unsub", "auth"}:
            return ()
        raise FrameError(f"unknown op {head.op!r}", field="op")


def _acknowledged(head: wire.Head) -> Decoded:
    """Read the answer to a subscription; one that is there already is as good as a new one."""
    if head.topic is None:
        raise FrameError("an answer names no topic", field="topic")
    if head.error in {None, 0, "0", _REPEATED}:
        return Ack(head.topic)
    return Refused(head.topic, f"{head.error}: {head.message}")


def _text(raw: Raw) -> str:
    return str(raw, "utf-8") or "null"


def _unpacked(frame: bytes) -> bytes:
    """Unpack a frame of gzip; raises FrameError where it is none, is cut off, or unpacks to more than 64 MB."""
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        text = unpacker.decompress(frame, MAX_FRAME_BYTES)
    except zlib.error as error:
        raise FrameError(f"a frame is no gzip: {error}", field="frame") from error
    if not unpacker.eof:
        raise FrameError("a frame's gzip is cut off, or unpacks to more than 64 MB", field="frame")
    return text


_rows: Final = rows_at(("tick", "data"), ("data",))


def split_rows(frame: bytes) -> list[bytes]:
    """Return the rows of a frame, packed or plain, as plain frames of their own."""
    return _rows(_unpacked(frame) if frame[:2] == _GZIP else frame)


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - symbols name the market
    """Make the decoder of a new connection."""
    return HtxDecoder(find, makers=makers)
