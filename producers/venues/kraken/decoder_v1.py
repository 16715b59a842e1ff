"""Decodes frames of Kraken's former WebSocket v1: recordings hold some; nothing subscribes to it.

Channels: https://docs.kraken.com/exchange/api-reference/spot-websocket-v1. A push is an array, `[channel number,
payload, "book-100", "XBT/USD"]`, an answer an object with an `event`. Numbers are text, times are seconds as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import msgspec
from msgspec import Raw, Struct

from contracts import market as events
from contracts.codec import fast
from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.normalize import numbers
from producers.venue import Ack, Decoded, FindInstrument, Pong, Proof, Refused
from producers.venues.kraken.plan import TIMEFRAMES, VENUE_ID

FastTrade = fast(events.Trade)
FastTicker = fast(events.Ticker)
FastDelta = fast(events.BookDelta)
FastCandle = fast(events.Candle)

_PARTS: Final = 4  # number, payload, channel, pair; a book's frame may have two payloads
_SIDES: Final = {"b": "buy", "s": "sell"}
_BEST: Final = ("b", "b", "a", "a")
_QUIET: Final = frozenset({"systemStatus", "addOrderStatus", "cancelOrderStatus"})


class _Answer(Struct):
    """`{"channelID":1,"channelName":"trade","event":"subscriptionStatus","pair":"XBT/USD","status":"subscribed"}`."""

    event: str | None = None
    channelName: str | None = None
    pair: str | None = None
    status: str | None = None
    errorMessage: str | None = None
    data: Raw = numbers.NULL


class _Row(Struct, array_like=True):
    """A level: `["5541.30000","2.50700000","1534614248.123678","r"]`; "r" marks one that is told again."""

    price: str
    volume: str
    time: str


class _Trade(Struct, array_like=True):
    """`["5541.20000","0.15850568","1534614057.321597","s","l",""]`: the taker's side and kind of order."""

    price: str
    volume: str
    time: str
    side: str


class _Book(Struct):
    """`as` and `bs` are a snapshot, `a` and `b` changes; `c` is the checksum after them, in the last payload."""

    whole_asks: list[_Row] | None = msgspec.field(name="as", default=None)
    whole_bids: list[_Row] | None = msgspec.field(name="bs", default=None)
    a: list[_Row] = []
    b: list[_Row] = []
    c: str | None = None


class _Ticker(Struct):
    """Best levels `[price, whole lots, lots]`, last `[price, lots]`; figures are `[today, last 24 hours]`."""

    a: tuple[str, Any, str]
    b: tuple[str, Any, str]
    c: tuple[str, str]
    v: tuple[str, str]
    l: tuple[str, str]
    h: tuple[str, str]
    o: tuple[str, str]


class _Candle(Struct, array_like=True):
    """`[time, end, open, high, low, close, vwap, volume, count]`."""

    time: str
    end: str
    open: str
    high: str
    low: str
    close: str
    vwap: str
    volume: str
    count: numbers.Whole


_parts: Final = msgspec.json.Decoder(list[Raw]).decode
_text: Final = msgspec.json.Decoder(str).decode
_answer: Final = msgspec.json.Decoder(_Answer).decode
_trades: Final = msgspec.json.Decoder(list[_Trade]).decode
_book: Final = msgspec.json.Decoder(_Book).decode
_ticker: Final = msgspec.json.Decoder(_Ticker).decode
_spread: Final = msgspec.json.Decoder(tuple[str, str, str, str, str]).decode
_candle: Final = msgspec.json.Decoder(_Candle).decode


class V1Decoder:
    """Decodes arrays and answers of v1. `find` gives instruments by v1's name (`XBT/USD`)."""

    def __init__(self, find: FindInstrument, *, sim: bool) -> None:
        self._find = find
        self._sim = sim
        self._channels: dict[str, Callable[[_Frame], Iterator[Decoded]]] = {
            "trade": _on_trades,
            "book": _on_book,
            "ticker": _on_ticker,
            "spread": _on_spread,
            "ohlc": _on_candle,
        }

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one push; raises FrameError or msgspec.DecodeError that names the channel or field at fault."""
        parts = _parts(frame)
        if len(parts) < _PARTS:
            raise FrameError(f"an array of {len(parts)} parts is no push: number, payload, channel, pair", field="pair")
        channel, pair = _text(parts[-2]), _text(parts[-1])
        name, _, detail = channel.partition("-")
        handle = self._channels.get(name)
        if handle is None:
            raise FrameError(f"unknown channel {channel!r}", channel=channel)
        push = _Frame(
            payloads=parts[1:-2],
            detail=detail,
            instrument=self._find(pair),
            ts_recv=ts_recv,
            stamp=f"{crc32(frame):08x}",
            sim=self._sim,
        )
        return list(handle(push))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """One push: its payloads, what stands behind the channel's name, and what its events have in common."""

    payloads: list[Raw]
    detail: str
    instrument: Instrument
    ts_recv: int
    stamp: str
    sim: bool

    def common(self, native: str, ts_event: int | None) -> dict[str, Any]:
        """Give the fields that every event has."""
        return {
            "id": f"{self.instrument.tail}.{native}",
            "venue": VENUE_ID,
            "symbol": self.instrument.symbol,
            "venue_symbol": self.instrument.venue_symbol,
            "ts_event": ts_event,
            "ts_recv": self.ts_recv,
            "sim": self.sim,
        }


def decode_answer(frame: bytes) -> Sequence[Decoded]:
    """Read what v1 says with an `event`; raises FrameError for an unknown one."""
    head = _answer(frame)
    if head.event in {"heartbeat", "pong"}:
        return (Pong(),)
    if head.event == "error" or head.status == "error":
        return (Refused(None, head.errorMessage or "refused without a reason"),)
    if head.event == "subscriptionStatus":
        return (Ack(f"{head.channelName}:{head.pair}"),) if head.status == "subscribed" else ()
    if head.event in _QUIET or bytes(head.data) == b"null":
        return ()  # without data it is a message about the connection
    raise FrameError(f"unknown event {head.event!r}", field="event")


def split_trades(frame: bytes) -> list[bytes]:
    """Split a push of many trades; equal rows stay together, since only a count tells them apart."""
    number, payload, channel, pair = _parts(frame)
    if bytes(channel) != b'"trade"':
        return []
    equal: dict[bytes, list[Raw]] = {}
    for row in _parts(payload):
        equal.setdefault(bytes(row), []).append(row)
    return [msgspec.json.encode([number, rows, channel, pair]) for rows in equal.values()]


def _on_trades(frame: _Frame) -> Iterator[Decoded]:
    """Read trades, which v1 does not number: an id is the time, what was traded, and a count of equal rows."""
    seen: dict[str, int] = {}
    for row in _trades(frame.payloads[0]):
        side = _SIDES.get(row.side)
        if side is None:
            raise FrameError(f"side is {row.side!r}, expected b or s", field="side")
        native = f"{row.time}-{row.side}-{row.price}-{row.volume}"
        again = seen[native] = seen.get(native, -1) + 1
        trade_id = f"{native}-{again}" if again else native
        yield FastTrade(
            **frame.common(f"trade.{trade_id}", _time(row.time)),
            trade_id=trade_id,
            price=numbers.price_text(row.price, "price"),
            amount=numbers.unsigned(row.volume, "volume"),
            side=side,
        )


def _on_book(frame: _Frame) -> Iterator[Decoded]:
    """Read a snapshot or changes and the checksum after them; the time is that of the newest level."""
    books = [_book(payload) for payload in frame.payloads]
    whole = any(book.whole_asks is not None or book.whole_bids is not None for book in books)
    bids = [row for book in books for row in (*(book.whole_bids or ()), *book.b)]
    asks = [row for book in books for row in (*(book.whole_asks or ()), *book.a)]
    ts_event = max((_time(row.time) for row in (*bids, *asks)), default=None)
    yield FastDelta(
        **frame.common(f"delta.{ts_event or 0}-{frame.stamp}", ts_event),
        bids=numbers.text_levels([(row.price, row.volume) for row in bids], "b"),
        asks=numbers.text_levels([(row.price, row.volume) for row in asks], "a"),
        seq=None,
        is_snapshot=whole,
    )
    checksum = books[-1].c
    if checksum is not None:
        yield Proof(frame.instrument, int(numbers.unsigned(checksum, "c")))


def _on_ticker(frame: _Frame) -> Iterator[Decoded]:
    row = _ticker(frame.payloads[0])
    bid, bid_amount, ask, ask_amount = numbers.quotes((row.b[0], row.b[2], row.a[0], row.a[2]), _BEST)
    yield FastTicker(
        **frame.common(f"ticker.{frame.stamp}", None),
        last=numbers.optional_price_text(row.c[0], "c"),
        bid=bid,
        bid_amount=bid_amount,
        ask=ask,
        ask_amount=ask_amount,
        open_24h=numbers.optional_price_text(row.o[1], "o"),
        high_24h=numbers.optional_price_text(row.h[1], "h"),
        low_24h=numbers.optional_price_text(row.l[1], "l"),
        volume_24h=numbers.unsigned(row.v[1], "v"),
    )


def _on_spread(frame: _Frame) -> Iterator[Decoded]:
    """Read best levels: `[bid, ask, time, bid's lots, ask's lots]`; zeros stand for none."""
    best_bid, best_ask, time, *lots = _spread(frame.payloads[0])
    bid, bid_lots, ask, ask_lots = numbers.quotes((best_bid, lots[0], best_ask, lots[1]), _BEST)
    if bid is not None or ask is not None:
        yield FastTicker(
            **frame.common(f"ticker.{frame.stamp}", _time(time)),
            bid=bid,
            bid_amount=bid_lots,
            ask=ask,
            ask_amount=ask_lots,
        )


def _on_candle(frame: _Frame) -> Iterator[Decoded]:
    """Read a candle, whose time is that of its last change; the venue marks none as closed."""
    minutes = int(numbers.unsigned(frame.detail, "interval"))
    timeframe = TIMEFRAMES.get(minutes)
    if timeframe is None:
        return
    row = _candle(frame.payloads[0])
    ts_event, length = _time(row.time), minutes * 60 * 1_000_000_000
    start = ts_event // length * length
    yield FastCandle(
        **frame.common(f"candle.{timeframe}-{start}-{row.count}-{row.volume}-{row.close}", ts_event),
        timeframe=timeframe,
        open=numbers.price_text(row.open, "open"),
        high=numbers.price_text(row.high, "high"),
        low=numbers.price_text(row.low, "low"),
        close=numbers.price_text(row.close, "close"),
        volume=numbers.unsigned(row.volume, "volume"),
        quote_volume=None,
        trades=row.count,
        closed=False,
        start_ts=start,
    )


def _time(text: str) -> int:
    """Read seconds with up to nine decimals as ns."""
    seconds, _, fraction = numbers.unsigned(text, "time").partition(".")
    return int(seconds) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
