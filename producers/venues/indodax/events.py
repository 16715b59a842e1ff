"""Indodax's rows as events: pure functions of a pair and what a message says of it."""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

from producers.normalize import numbers
from producers.venue import Decoded
from producers.venues.indodax import wire
from producers.venues.indodax.topics import Topic

NS: Final = 1_000_000_000


def make_trade(topic: Topic, row: wire.TradeRow, ts_recv: int) -> Decoded:
    """Make a trade; the side is taken for the taker's."""
    native = str(row.number)
    return topic.make.trade(
        id=f"{topic.tail}.trade.{native}",
        ts_event=row.time * NS,
        ts_recv=ts_recv,
        trade_id=native,
        price=numbers.price_text(wire.text(row.price), "price"),
        amount=numbers.unsigned(row.base, "amount"),
        side=row.side,
        seq=row.number,
    )


def make_book(topic: Topic, row: Any, stamp: tuple[str, int]) -> Decoded:
    """Make a whole book of what `Topic.books` decoded; `stamp`: what its id ends in, and when it came."""
    native, ts_recv = stamp
    return topic.make.delta(
        id=f"{topic.tail}.delta.{native}",
        ts_recv=ts_recv,
        bids=numbers.whole_levels([(level.price, level.amount) for level in row.data.bid], "bid"),
        asks=numbers.whole_levels([(level.price, level.amount) for level in row.data.ask], "ask"),
        seq=row.offset,
        is_snapshot=True,
    )


def make_ticker(topic: Topic, row: wire.SummaryRow, stamp: tuple[int | None, int]) -> Decoded:
    """Make a ticker of the last 24 hours; `stamp`: the place in the stream, and when it came.

    Times are in seconds, and the stream may begin again: the figures are in the id.
    """
    offset, ts_recv = stamp
    figures = ",".join(map(wire.text, (row.last, row.low, row.high, row.before, row.quote, row.base)))
    return topic.make.ticker(
        id=f"{topic.tail}.ticker.{row.time}-{offset}-{crc32(figures.encode()):08x}",
        ts_event=row.time * NS,
        ts_recv=ts_recv,
        last=wire.price(row.last, "last"),
        open_24h=wire.price(row.before, "price of 24 hours ago"),
        high_24h=wire.price(row.high, "high"),
        low_24h=wire.price(row.low, "low"),
        volume_24h=wire.amount(row.base, "base volume"),
        quote_volume_24h=wire.amount(row.quote, "quote volume"),
        seq=offset,
    )
