"""The decoder of Kraken's former WebSocket v1: recordings hold some of its frames; nothing subscribes to it.

Channels: https://docs.kraken.com/exchange/api-reference/spot-websocket-v1. A push is an array, `[channel number,
payload, "book-100", "XBT/USD"]`, an answer an object with an `event`. Numbers are text, times are seconds as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import msgspec
from msgspec import Raw

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.normalize import numbers
from producers.normalize.events import Makers
from producers.venue import Ack, Decoded, FindInstrument, Pong, Proof, Refused
from producers.venues.kraken import wire_v1 as wire
from producers.venues.kraken.plan import TIMEFRAMES

_PARTS: Final = 4  # number, payload, channel, pair; a book's frame may have two payloads
_SIDES: Final = {"b": "buy", "s": "sell"}
_BEST: Final = ("b", "b", "a", "a")
_QUIET: Final = frozenset({"systemStatus", "addOrderStatus", "cancelOrderStatus"})


class V1Decoder:
    """Decodes arrays and answers of v1. `find` gives instruments by v1's name (`XBT/USD`)."""

    def __init__(self, find: FindInstrument, *, makers: Makers) -> None:
        self._find = find
        self._makers = makers
        self._channels: dict[str, Callable[[_Frame], Iterator[Decoded]]] = {
            "trade": _on_trades,
            "book": _on_book,
            "ticker": _on_ticker,
            "spread": _on_spread,
            "ohlc": _on_candle,
        }

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one push; raises FrameError or msgspec.DecodeError that names the channel or field at fault."""
        parts = wire.decode_parts(frame)
        if len(parts) < _PARTS:
            raise FrameError(f"an array of {len(parts)} parts is no push: number, payload, channel, pair", field="pair")
        channel, pair = wire.decode_text(parts[-2]), wire.decode_text(parts[-1])
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
            makers=self._makers,
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
    makers: Makers

    def event(self, kind: str, native: str, ts_event: int | None, **own: Any) -> Decoded:
        """Return an event of this push; `own` are the fields of its kind."""
        known = {"id": f"{self.instrument.tail}.{native}", "ts_event": ts_event, "ts_recv": self.ts_recv, **own}
        return self.makers.maker(kind, self.instrument)(**known)


def decode_answer(frame: bytes) -> Sequence[Decoded]:
    """Read what v1 says with an `event`; raises FrameError for an unknown one."""
    head = wire.decode_answer(frame)
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
    """Split a push of many trades; equal rows stay together, since only a count distinguishes them."""
    number, payload, channel, pair = wire.decode_parts(frame)
    if bytes(channel) != b'"trade"':
        return []
    equal: dict[bytes, list[Raw]] = {}
    for row in wire.decode_parts(payload):
        equal.setdefault(bytes(row), []).append(row)
    return [msgspec.json.encode([number, rows, channel, pair]) for rows in equal.values()]


def _on_trades(frame: _Frame) -> Iterator[Decoded]:
    """Read trades, which v1 does not number: an id is the time, what was traded, and a count of equal rows."""
    seen: dict[str, int] = {}
    for row in wire.decode_trades(frame.payloads[0]):
        side = _SIDES.get(row.side)
        if side is None:
            raise FrameError(f"side is {row.side!r}, expected b or s", field="side")
        native = f"{row.time}-{row.side}-{row.price}-{row.volume}"
        again = seen[native] = seen.get(native, -1) + 1
        trade_id = f"{native}-{again}" if again else native
        yield frame.event(
            "trade",
            f"trade.{trade_id}",
            _time(row.time),
            trade_id=trade_id,
            price=numbers.price_text(row.price, "price"),
            amount=numbers.unsigned(row.volume, "volume"),
            side=side,
        )


def _on_book(frame: _Frame) -> Iterator[Decoded]:
    """Read a snapshot or changes and the checksum after them; the time is that of the newest level."""
    books = [wire.decode_book(payload) for payload in frame.payloads]
    whole = any(book.whole_asks is not None or book.whole_bids is not None for book in books)
    bids = [row for book in books for row in (*(book.whole_bids or ()), *book.b)]
    asks = [row for book in books for row in (*(book.whole_asks or ()), *book.a)]
    ts_event = max((_time(row.time) for row in (*bids, *asks)), default=None)
    yield frame.event(
        "delta",
        f"delta.{ts_event or 0}-{frame.stamp}",
        ts_event,
        bids=numbers.text_levels([(row.price, row.volume) for row in bids], "b"),
        asks=numbers.text_levels([(row.price, row.volume) for row in asks], "a"),
        is_snapshot=whole,
    )
    checksum = books[-1].c
    if checksum is not None:
        yield Proof(frame.instrument, int(numbers.unsigned(checksum, "c")))


def _on_ticker(frame: _Frame) -> Iterator[Decoded]:
    row = wire.decode_ticker(frame.payloads[0])
    bid, bid_amount, ask, ask_amount = numbers.quotes((row.b[0], row.b[2], row.a[0], row.a[2]), _BEST)
    yield frame.event(
        "ticker",
        f"ticker.{frame.stamp}",
        None,
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
    best_bid, best_ask, time, *lots = wire.decode_spread(frame.payloads[0])
    bid, bid_lots, ask, ask_lots = numbers.quotes((best_bid, lots[0], best_ask, lots[1]), _BEST)
    if bid is not None or ask is not None:
        yield frame.event(
            "ticker",
            f"ticker.{frame.stamp}",
            _time(time),
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
    row = wire.decode_candle(frame.payloads[0])
    ts_event, length = _time(row.time), minutes * 60 * 1_000_000_000
    start = ts_event // length * length
    yield frame.event(
        "candle",
        f"candle.{timeframe}-{start}-{row.count}-{row.volume}-{row.close}",
        ts_event,
        timeframe=timeframe,
        open=numbers.price_text(row.open, "open"),
        high=numbers.price_text(row.high, "high"),
        low=numbers.price_text(row.low, "low"),
        close=numbers.price_text(row.close, "close"),
        volume=numbers.unsigned(row.volume, "volume"),
        trades=row.count,
        start_ts=start,
    )


def _time(text: str) -> int:
    """Read seconds with up to nine decimals as ns."""
    seconds, _, fraction = numbers.unsigned(text, "time").partition(".")
    return int(seconds) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
