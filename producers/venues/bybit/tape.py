"""Bybit's trades, books, liquidations and candles: pure functions from one topic's frame to its events."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from contracts import market as events
from contracts.codec import fast
from contracts.errors import FrameError
from producers.normalize import numbers, sizes
from producers.venue import Decoded
from producers.venues.bybit import wire
from producers.venues.bybit.topic import MS, Topic

FastLiquidation = fast(events.Liquidation)
FastCandle = fast(events.Candle)

_SIDES: Final = {"Buy": "buy", "Sell": "sell"}
_FORCED: Final = {"Buy": ("long", "sell"), "Sell": ("short", "buy")}  # the side of a position: it, and its order's side
_TIMEFRAMES: Final = {
    "1": "1m",
    "3": "3m",
    "5": "5m",
    "15": "15m",
    "30": "30m",
    "60": "1h",
    "120": "2h",
    "240": "4h",
    "360": "6h",
    "720": "12h",
    "D": "1d",
    "W": "1w",
    "M": "1M",
}


def decode_trades(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read trades. Block trades (`BT`) and fills of retail price improvement orders (`RPI`) are trades as well."""
    blank, id_start = topic.trade, topic.id_start
    found: list[Decoded] = []
    for row in wire.decode_trades(frame).data:
        price, size = numbers.price_text(row.p, "data.p"), numbers.unsigned(row.v, "data.v")
        amount, contracts = topic.sizes(size, price) if topic.is_inverse else (size, None)
        if not row.i:
            raise FrameError("data.i is empty", field="data.i")
        found.append(
            replace(
                blank,
                id=id_start + row.i,
                ts_event=row.T * MS,
                ts_recv=ts_recv,
                trade_id=row.i,
                price=price,
                amount=amount,
                contracts=contracts,
                side=_SIDES[row.S],
                seq=row.seq,
            )
        )
    return found


def decode_book(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read a book of 50 levels and more. `u` counts the topic's pushes; 1 is a restart, so a whole book."""
    book = wire.decode_book(frame)
    data = book.data
    whole = book.type == "snapshot" or data.u == 1
    read = numbers.whole_levels if whole else numbers.text_levels
    bids, asks = read(data.b, "data.b"), read(data.a, "data.a")
    unit = "base"
    if topic.is_inverse:
        bids, asks, unit = sizes.book(topic.instrument, bids, asks)
    return (
        replace(
            topic.delta,
            id=f"{topic.id_start}{topic.detail}-{data.u}-{book.ts}",
            ts_event=book.ts * MS,
            ts_recv=ts_recv,
            bids=bids,
            asks=asks,
            seq=data.u,
            prev_seq=None if whole else data.u - 1,
            is_snapshot=whole,
            unit=unit,
        ),
    )


def decode_liquidations(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read a batch of liquidations, which are all that there were. Equal rows of one frame are told apart by number."""
    seen: dict[str, int] = {}
    found: list[Decoded] = []
    for row in wire.decode_liquidations(frame).data:
        native = f"{row.T}-{row.S}-{row.p}-{row.v}"
        again = seen[native] = seen.get(native, -1) + 1
        found.append(_liquidation(topic, ts_recv, (row, f"{native}-{again}" if again else native, False)))
    return found


def decode_old_liquidation(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read the former topic: at most one a second and symbol; its side too is the position's."""
    data = wire.decode_old_liquidation(frame).data
    row = wire.Liquidation(T=data.updatedTime, S=data.side, v=data.size, p=data.price)
    return (_liquidation(topic, ts_recv, (row, f"{row.T}-{row.S}-{row.p}-{row.v}", True)),)


def _liquidation(topic: Topic, ts_recv: int, told: tuple[wire.Liquidation, str, bool]) -> Decoded:
    row, native, sampled = told
    price = numbers.price_text(row.p, "data.p")
    amount, contracts = topic.sizes(numbers.unsigned(row.v, "data.v"), price)
    position, order = _FORCED[row.S]
    return FastLiquidation(
        id=topic.id_start + native,
        **topic.common(row.T, ts_recv),
        price=price,
        price_kind="bankruptcy",
        amount=amount,
        contracts=contracts,
        position_side=position,
        order_side=order,
        sampled=sampled,
    )


def decode_candles(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read candles; an inverse contract's volume counts USD, its turnover the coin.

    `timestamp` is that of the last trade: another one may come within the same ms, so that the volume is in the id.
    """
    timeframe = _TIMEFRAMES.get(topic.detail)
    if timeframe is None:
        raise FrameError(f"unknown kline interval {topic.detail!r}", field="topic")
    found: list[Decoded] = []
    for row in wire.decode_candles(frame).data:
        volume = numbers.unsigned(row.volume, "data.volume")
        turnover = numbers.unsigned(row.turnover, "data.turnover")
        end = "-closed" if row.confirm else ""
        found.append(
            FastCandle(
                id=f"{topic.id_start}{timeframe}-{row.start}-{row.timestamp}-{volume}{end}",
                **topic.common(row.timestamp, ts_recv),
                timeframe=timeframe,
                open=numbers.price_text(row.open, "data.open"),
                high=numbers.price_text(row.high, "data.high"),
                low=numbers.price_text(row.low, "data.low"),
                close=numbers.price_text(row.close, "data.close"),
                volume=turnover if topic.is_inverse else volume,
                quote_volume=volume if topic.is_inverse else turnover,
                trades=None,
                closed=row.confirm,
                start_ts=row.start * MS,
            )
        )
    return found
