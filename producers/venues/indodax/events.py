"""Indodax's rows as events: pure functions of a pair and what a message says of it."""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

from contracts import market
from contracts.codec import fast
from contracts.instrument import Instrument
from producers.normalize import numbers
from producers.venue import Decoded
from producers.venues.indodax import wire

FastTrade = fast(market.Trade)
FastTicker = fast(market.Ticker)
FastDelta = fast(market.BookDelta)
NS: Final = 1_000_000_000


class Product:
    """What is constant about one pair on a connection."""

    __slots__ = ("books", "instrument", "pair", "tail", "trade_id")

    def __init__(self, instrument: Instrument, pair: str) -> None:
        self.instrument = instrument
        self.pair = pair
        self.tail = instrument.tail
        self.trade_id = f"{self.tail}.trade."
        self.books = wire.book_decoders(pair.removesuffix(instrument.quote.lower()))


def make_trade(product: Product, row: wire.TradeRow, ts_recv: int, *, sim: bool) -> Decoded:
    """Make a trade; the side is taken for the taker's."""
    native = str(row.number)
    return FastTrade(
        id=product.trade_id + native,
        venue="indodax",
        symbol=product.instrument.symbol,
        venue_symbol=product.pair,
        ts_event=row.time * NS,
        ts_recv=ts_recv,
        sim=sim,
        trade_id=native,
        price=numbers.price_text(wire.text(row.price), "price"),
        amount=numbers.unsigned(row.base, "amount"),
        side=row.side,
        seq=row.number,
    )


def make_book(product: Product, row: Any, stamp: tuple[str, int], *, sim: bool) -> Decoded:
    """Make a whole book of what `Product.books` decoded; `stamp`: what its id ends in, and when it came."""
    native, ts_recv = stamp
    return FastDelta(
        id=f"{product.tail}.delta.{native}",
        venue="indodax",
        symbol=product.instrument.symbol,
        venue_symbol=product.pair,
        ts_event=None,
        ts_recv=ts_recv,
        sim=sim,
        bids=numbers.whole_levels([(level.price, level.amount) for level in row.data.bid], "bid"),
        asks=numbers.whole_levels([(level.price, level.amount) for level in row.data.ask], "ask"),
        seq=row.offset,
        is_snapshot=True,
    )


def make_ticker(product: Product, row: wire.SummaryRow, stamp: tuple[int | None, int], *, sim: bool) -> Decoded:
    """Make a ticker of the last 24 hours; `stamp`: the place in the stream, and when it came.

    Times are in seconds, and the stream may begin again: the figures are in the id.
    """
    offset, ts_recv = stamp
    figures = ",".join(map(wire.text, (row.last, row.low, row.high, row.before, row.quote, row.base)))
    return FastTicker(
        id=f"{product.tail}.ticker.{row.time}-{offset}-{crc32(figures.encode()):08x}",
        venue="indodax",
        symbol=product.instrument.symbol,
        venue_symbol=product.pair,
        ts_event=row.time * NS,
        ts_recv=ts_recv,
        sim=sim,
        last=wire.price(row.last, "last"),
        open_24h=wire.price(row.before, "price of 24 hours ago"),
        high_24h=wire.price(row.high, "high"),
        low_24h=wire.price(row.low, "low"),
        volume_24h=wire.amount(row.base, "base volume"),
        quote_volume_24h=wire.amount(row.quote, "quote volume"),
        seq=offset,
    )
