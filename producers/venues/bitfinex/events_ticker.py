"""Bitfinex's tickers, funding and open interest to events.

https://docs.bitfinex.com/reference/ws-public-ticker, https://docs.bitfinex.com/reference/ws-public-status
"""

from __future__ import annotations

from zlib import crc32

from msgspec import Raw

from producers.normalize import numbers
from producers.venue import Decoded
from producers.venues.bitfinex import wire
from producers.venues.bitfinex.topics import Channel

_TIME, _SPOT_PRICE, _NEXT_FUNDING, _CURRENT_FUNDING, _MARK_PRICE, _OPEN_INTEREST = 0, 3, 7, 11, 14, 17


def decode_ticker(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read a ticker; the change is a fraction. Its time is the push's, where that is asked for.

    Its sizes are sums of the 25 best levels, not what the best bid and ask offer: these are null.
    """
    message = wire.decode_ticker(frame)
    seq, ts = channel.stamp(message)
    row, price = message.figures, numbers.optional_price
    change = numbers.optional(row.change_part, "change_part")
    return (
        channel.make.ticker(
            id=f"{channel.tail}.ticker.{channel.native(frame, seq, ts)}",
            ts_event=ts,
            ts_recv=ts_recv,
            last=price(row.last, "last"),
            bid=price(row.bid, "bid"),
            ask=price(row.ask, "ask"),
            high_24h=price(row.high, "high"),
            low_24h=price(row.low, "low"),
            volume_24h=numbers.optional_amount(row.volume, "volume"),
            change_24h=None if change is None else numbers.percent(change),
        ),
    )


def decode_derivative(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded, Decoded]:
    """Read a perpetual's status: the funding of the current eight hours, prices, and open interest in coins."""
    message = wire.decode_derivative(frame)
    channel.stamp(message)
    fields = message.fields
    ts = numbers.milliseconds(_at(fields, _TIME), "time")
    native = f"{ts}-{crc32(frame):08x}"
    next_time = _at(fields, _NEXT_FUNDING)
    stamp = {"ts_event": ts, "ts_recv": ts_recv}
    return (
        channel.make.funding(
            id=f"{channel.tail}.funding.{native}",
            **stamp,
            rate=numbers.optional(_at(fields, _CURRENT_FUNDING), "current_funding"),
            next_ts=None if next_time == numbers.NULL else numbers.milliseconds(next_time, "next_funding"),
            mark_price=numbers.optional_price(_at(fields, _MARK_PRICE), "mark_price"),
            index_price=numbers.optional_price(_at(fields, _SPOT_PRICE), "spot_price"),
        ),
        channel.make.interest(
            id=f"{channel.tail}.interest.{native}",
            **stamp,
            amount=numbers.optional_amount(_at(fields, _OPEN_INTEREST), "open_interest"),
            value=None,
        ),
    )


def _at(fields: list[Raw], place: int) -> Raw:
    return fields[place] if place < len(fields) else numbers.NULL
