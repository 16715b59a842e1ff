"""Hyperliquid's frames to events, one function a channel: trades, books, best prices, figures of 24 hours, candles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from contracts.errors import FrameError
from producers.normalize import numbers
from producers.normalize.topics import Topics
from producers.venue import Decoded
from producers.venues.hyperliquid import wire
from producers.venues.hyperliquid.topics import Topic
from producers.venues.hyperliquid.wire import MS

KEPT_TIDS: Final = 2000  # of one coin: more than a backlog of recent trades holds
_SIDES: Final = {"B": "buy", "A": "sell"}
_NO_LEVEL: Final[tuple[str | None, str | None]] = (None, None)


def decode_trades(topics: Topics[Topic], frame: bytes, ts_recv: int) -> Sequence[Decoded]:
    """Read trades. A `tid` is a hash of the two orders' ids, and unique only together with time and coin.

    Which ones were received is noted once all rows are read: a frame that cannot be read is read again, row by row.
    """
    found: dict[str, Decoded] = {}
    noted: list[tuple[dict[str, None], str]] = []
    for row in wire.decode_trades(frame).data:
        topic, native = topics[row.coin], f"{row.time}-{row.tid}"
        event_id = f"{topic.tail}.trade.{native}"
        if native in topic.tids or event_id in found:
            continue
        noted.append((topic.tids, native))
        found[event_id] = topic.make.trade(
            id=event_id,
            ts_event=row.time * MS,
            ts_recv=ts_recv,
            trade_id=str(row.tid),
            price=numbers.price_text(row.px, "data.px"),
            amount=numbers.unsigned(row.sz, "data.sz"),
            side=_SIDES[row.side],
        )
    for tids, native in noted:
        tids[native] = None
        if len(tids) > KEPT_TIDS:
            del tids[next(iter(tids))]
    return list(found.values())


def decode_book(topics: Topics[Topic], frame: bytes, ts_recv: int) -> Sequence[Decoded]:
    """Read a whole book. Each block has one, so that its time names it."""
    row = wire.decode_book(frame).data
    topic = topics[row.coin]
    return (
        topic.make.delta(
            id=f"{topic.tail}.delta.{row.time}",
            ts_event=row.time * MS,
            ts_recv=ts_recv,
            bids=wire.read_levels(row.levels[0], "data.levels[0]"),
            asks=wire.read_levels(row.levels[1], "data.levels[1]"),
            seq=None,
            is_snapshot=True,
        ),
    )


def decode_best(topics: Topics[Topic], frame: bytes, ts_recv: int) -> Sequence[Decoded]:
    """Read the best bid and ask: a ticker with nothing else."""
    row = wire.decode_best(frame).data
    topic = topics[row.coin]
    bid, ask, *_ = *(_best(level) for level in row.bbo), _NO_LEVEL, _NO_LEVEL
    return (
        topic.make.ticker(
            id=f"{topic.tail}.ticker.bbo-{row.time}-{crc32(frame):08x}",
            ts_event=row.time * MS,
            ts_recv=ts_recv,
            bid=bid[0],
            bid_amount=bid[1],
            ask=ask[0],
            ask_amount=ask[1],
        ),
    )


def decode_context(topics: Topics[Topic], frame: bytes, ts_recv: int) -> Sequence[Decoded]:
    """Read the 24 hour figures, and a perpetual's funding (a rate for one hour) and open interest.

    The frame carries no time. Figures that come again without others between them have the same id; those that come
    back after others have an id of their own: it says when they began to hold.
    """
    row = wire.decode_context(frame).data
    topic, ctx, crc = topics[row.coin], row.ctx, crc32(frame)
    native = topic.figures[1] if topic.figures[0] == crc else f"{ts_recv}-{crc:08x}"
    found: list[Decoded] = [
        topic.make.ticker(
            id=f"{topic.tail}.ticker.{native}",
            ts_recv=ts_recv,
            open_24h=wire.price(ctx.prevDayPx, "ctx.prevDayPx"),
            volume_24h=wire.amount(ctx.dayBaseVlm, "ctx.dayBaseVlm"),
            quote_volume_24h=wire.amount(ctx.dayNtlVlm, "ctx.dayNtlVlm"),
        )
    ]
    rate, interest = wire.signed(ctx.funding, "ctx.funding"), wire.amount(ctx.openInterest, "ctx.openInterest")
    if topic.has_funding and rate is not None:
        found.append(
            topic.make.funding(
                id=f"{topic.tail}.funding.{native}",
                ts_recv=ts_recv,
                rate=rate,
                next_ts=None,
                mark_price=wire.price(ctx.markPx, "ctx.markPx"),
                index_price=wire.price(ctx.oraclePx, "ctx.oraclePx"),
            )
        )
    if topic.has_funding and interest is not None:
        found.append(
            topic.make.interest(
                id=f"{topic.tail}.interest.{native}",
                ts_recv=ts_recv,
                amount=interest,
                value=None,
            )
        )
    topic.figures = crc, native
    return found


def decode_candles(topics: Topics[Topic], frame: bytes, ts_recv: int) -> Sequence[Decoded]:
    """Read candles; the venue does not say that one is closed, and sends no more of it once the next began."""
    data = wire.decode_candles(frame).data
    return [_candle(topics, row, frame, ts_recv) for row in (data if isinstance(data, list) else (data,))]


def _candle(topics: Topics[Topic], row: wire.Candle, frame: bytes, ts_recv: int) -> Decoded:
    topic = topics[row.s]
    if row.i not in wire.TIMEFRAMES:
        raise FrameError(f"unknown interval {row.i[:40]!r} of candles", field="data.i")
    return topic.make.candle(
        id=f"{topic.tail}.candle.{row.i}-{row.t}-{crc32(frame):08x}",
        ts_recv=ts_recv,
        timeframe=row.i,
        **wire.bars(row),
        quote_volume=None,
        trades=row.n,
        closed=False,
        start_ts=row.t * MS,
    )


def _best(level: wire.Level | None) -> tuple[str | None, str | None]:
    """Return price and amount of one side; where there is no price, there is no amount."""
    if level is None:
        return _NO_LEVEL
    price, amount = numbers.optional_price_text(level.px, "data.bbo.px"), numbers.unsigned(level.sz, "data.bbo.sz")
    return _NO_LEVEL if price is None else (price, amount)
