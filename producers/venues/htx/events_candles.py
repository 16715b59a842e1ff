"""HTX's candles to events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zlib import crc32

from producers.venue import Decoded
from producers.venues.htx import wire, wire_numbers
from producers.venues.htx.topics import Topic
from producers.venues.htx.wire_numbers import MS, number, optional_amount

TIMEFRAMES: Final[dict[str, str]] = {
    "1min": "1m",
    "5min": "5m",
    "15min": "15m",
    "30min": "30m",
    "60min": "1h",
    "4hour": "4h",
    "1day": "1d",
    "1week": "1w",
    "1mon": "1M",
}
_SECONDS: Final = {"1d": 86_400, "1w": 604_800}
_MONDAY: Final = 4 * 86_400  # 1970-01-05, in s


def decode_candle(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:
    """Read a candle. Days, weeks and months are ours only where they open at midnight UTC, weeks on a Monday.

    The venue never says that a candle is closed: it pushes the next one. `amount` counts coins, also of contracts.
    """
    timeframe = TIMEFRAMES[channel.removeprefix("kline.")]
    tick = wire.decode_kline(frame).tick
    if not _is_utc(timeframe, tick.id):
        return []
    volume = number(tick.amount, "tick.amount")
    count = optional_amount(tick.count, "tick.count")
    quoted = tick.vol if topic.is_spot else tick.turnover
    return [
        topic.make.candle(
            id=f"{topic.tail}.candle.{timeframe}-{tick.id}-{crc32(frame):08x}",
            ts_recv=ts_recv,
            timeframe=timeframe,
            open=wire_numbers.price(tick.open, "tick.open"),
            high=wire_numbers.price(tick.high, "tick.high"),
            low=wire_numbers.price(tick.low, "tick.low"),
            close=wire_numbers.price(tick.close, "tick.close"),
            volume=volume,
            quote_volume=optional_amount(quoted, "tick.vol, tick.trade_turnover"),
            trades=None if count is None else int(count.partition(".")[0]),
            closed=False,
            start_ts=tick.id * 1000 * MS,
        )
    ]


def _is_utc(timeframe: str, start: int) -> bool:
    if timeframe == "1M":
        opened = datetime.fromtimestamp(start, UTC)
        return (opened.day, opened.hour, opened.minute) == (1, 0, 0)
    length = _SECONDS.get(timeframe)
    return length is None or (start - (_MONDAY if timeframe == "1w" else 0)) % length == 0
