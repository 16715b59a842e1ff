"""Bitfinex's candles to events (https://docs.bitfinex.com/reference/ws-public-candles)."""

from __future__ import annotations

from typing import Final
from zlib import crc32

from msgspec import Raw

from producers.connection.frames import read_each
from producers.normalize import numbers
from producers.venue import Decoded
from producers.venues.bitfinex import wire
from producers.venues.bitfinex.topics import Channel

TIMEFRAMES: Final = {
    **{name: name for name in ("1m", "5m", "15m", "30m", "1h", "3h", "6h", "12h")},
    "1D": "1d",
    "1W": "1w",
    "14D": "14d",
    "1M": "1M",
}


def decode_candle(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read the newest candle, again with each change; when it is closed is not said."""
    message = wire.decode_one_candle(frame)
    channel.stamp(message)
    return (_candle(channel, message.row, ts_recv),)


def decode_candles(channel: Channel, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read the candles with which the channel begins, newest first; returns them oldest first."""
    message = wire.decode_candles(frame)
    channel.stamp(message)
    return read_each(message.rows, lambda raw: _candle(channel, raw, ts_recv))[::-1]


def _candle(channel: Channel, raw: Raw, ts_recv: int) -> Decoded:
    row = wire.decode_candle(raw)
    return channel.make.candle(
        id=f"{channel.tail}.candle.{channel.detail}-{row.time}-{crc32(raw):08x}",
        ts_recv=ts_recv,
        timeframe=channel.detail,
        open=numbers.price(row.open, "open"),
        high=numbers.price(row.high, "high"),
        low=numbers.price(row.low, "low"),
        close=numbers.price(row.close, "close"),
        volume=numbers.number(row.volume, "volume"),
        quote_volume=None,
        trades=None,
        closed=False,
        start_ts=row.time * wire.MS,
    )
