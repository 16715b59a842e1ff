"""One handler a topic and instrument of KuCoin spot: a push in, its events out.

A handler holds what never changes for its instrument in a make, so that a push costs one typed decode and one copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from operator import itemgetter
from typing import Final
from zlib import crc32

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.families import kucoin_wire as kucoin
from producers.families.kucoin_decoder import Handler, MakeHandler
from producers.families.kucoin_wire import SECOND, TIMEFRAMES, nanoseconds
from producers.normalize import numbers
from producers.normalize.events import Makers
from producers.venue import Decoded
from producers.venues.kucoin import wire
from producers.venues.kucoin.rest import decode_depth

_by_sequence: Final = itemgetter(2)


def on_match(instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read `/market/match`: every fill, with the taker's side and the time of the match."""
    prefix, read = f"{instrument.tail}.trade.", wire.read_match
    make = makers.maker("trade", instrument)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        match = read(frame).data
        return (
            make(
                id=prefix + match.tradeId,
                ts_event=match.time,
                ts_recv=ts_recv,
                trade_id=match.tradeId,
                price=numbers.price_text(match.price, "data.price"),
                amount=numbers.unsigned(match.size, "data.size"),
                side=match.side,
                seq=match.sequence,
            ),
        )

    return handle


def _side(price: str | None, size: str | None, field: str) -> tuple[str | None, str | None]:
    """Return one side's best price and amount; without a price there is no amount."""
    found = numbers.optional_price_text(price, field)
    return found, numbers.unsigned(size, f"{field}Size") if found is not None and size else None


def on_ticker(instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read `/market/ticker`: the best levels and the last price; a side without orders is null."""
    prefix, make = f"{instrument.tail}.ticker.", makers.maker("ticker", instrument)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        ticker = wire.read_ticker(frame).data
        time = ticker.Time if ticker.time is None else ticker.time
        bid, bid_amount = _side(ticker.bestBid, ticker.bestBidSize, "data.bestBid")
        ask, ask_amount = _side(ticker.bestAsk, ticker.bestAskSize, "data.bestAsk")
        return (
            make(
                id=f"{prefix}{ticker.sequence}-{time}-{crc32(frame):08x}",
                ts_event=nanoseconds(time),
                ts_recv=ts_recv,
                last=numbers.optional_price_text(ticker.price, "data.price"),
                bid=bid,
                bid_amount=bid_amount,
                ask=ask,
                ask_amount=ask_amount,
                seq=ticker.sequence,
            ),
        )

    return handle


def _pair(side: list[str] | None) -> tuple[str | None, str | None]:
    return (side[0], side[1]) if side and len(side) > 1 else (None, None)


def on_level1(instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read `/spotMarket/level1`: one pair a side, or none."""
    prefix, make = f"{instrument.tail}.ticker.level1-", makers.maker("ticker", instrument)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        best = wire.read_level1(frame).data
        bid, bid_amount = _side(*_pair(best.bids), "data.bids")
        ask, ask_amount = _side(*_pair(best.asks), "data.asks")
        return (
            make(
                id=f"{prefix}{best.timestamp}-{crc32(frame):08x}",
                ts_event=nanoseconds(best.timestamp),
                ts_recv=ts_recv,
                bid=bid,
                bid_amount=bid_amount,
                ask=ask,
                ask_amount=ask_amount,
            ),
        )

    return handle


def on_day(instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read `/market/snapshot`, every 2 s: the figures of 24 hours; a price of 0 means that there is none."""
    prefix, make = f"{instrument.tail}.ticker.24h-", makers.maker("ticker", instrument)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        day = wire.read_day(frame).data.day
        price, amount = kucoin.price, kucoin.amount
        bid, ask = price(day.buy, "data.data.buy"), price(day.sell, "data.data.sell")
        return (
            make(
                id=f"{prefix}{day.datetime}-{crc32(frame):08x}",
                ts_event=nanoseconds(day.datetime),
                ts_recv=ts_recv,
                last=price(day.lastTradedPrice, "data.data.lastTradedPrice"),
                bid=bid,
                bid_amount=amount(day.bidSize, "data.data.bidSize") if bid else None,
                ask=ask,
                ask_amount=amount(day.askSize, "data.data.askSize") if ask else None,
                open_24h=price(day.open, "data.data.open"),
                high_24h=price(day.high, "data.data.high"),
                low_24h=price(day.low, "data.data.low"),
                volume_24h=amount(day.vol, "data.data.vol"),
                quote_volume_24h=amount(day.volValue, "data.data.volValue"),
                change_24h=kucoin.percent(day.changeRate, "data.data.changeRate"),
            ),
        )

    return handle


def _changed(rows: list[wire.Row] | None) -> list[numbers.Row]:
    """Return one side's changes in the order of their sequence; rows of price 0 say nothing."""
    if not rows:
        return []
    if len(rows) > 1:
        rows.sort(key=_by_sequence)
    return numbers.text_levels([(price, size) for price, size, _ in rows], "data.changes")


def on_level2(instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read `/market/level2`: a delta continues the book when `sequenceStart` is at most one more than what is held."""
    prefix, read = f"{instrument.tail}.delta.", wire.read_level2
    make = makers.maker("delta", instrument)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        book = read(frame).data
        return (
            make(
                id=f"{prefix}{book.sequenceEnd}",
                ts_event=nanoseconds(book.time),
                ts_recv=ts_recv,
                bids=_changed(book.changes.bids),
                asks=_changed(book.changes.asks),
                seq=book.sequenceEnd,
                prev_seq=book.sequenceStart - 1,
            ),
        )

    return handle


def on_depth(name: str, instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read `/spotMarket/level2Depth5` and `50`: the whole top in each push, without a sequence."""
    prefix = f"{instrument.tail}.delta.{name}-"
    make = makers.maker("delta", instrument, is_snapshot=True)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        depth = wire.read_depth(frame).data
        return (
            make(
                id=f"{prefix}{depth.timestamp}-{crc32(frame):08x}",
                ts_event=nanoseconds(depth.timestamp),
                ts_recv=ts_recv,
                bids=numbers.whole_levels(depth.bids or [], "data.bids"),
                asks=numbers.whole_levels(depth.asks or [], "data.asks"),
            ),
        )

    return handle


def on_recorded_book(instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read a REST answer that recorders write among the pushes as `/market/level2Snapshot`."""
    return lambda frame, ts_recv: (decode_depth(frame, instrument, ts_recv, sim=makers.sim),)


def on_candles(instrument: Instrument, interval: str, makers: Makers) -> Handler:
    """Read `/market/candles`: close comes second; whether a candle is closed is not documented."""
    timeframe = TIMEFRAMES.get(interval)
    if timeframe is None:
        raise FrameError(f"unknown length of candles {interval!r}", channel="/market/candles")
    prefix = f"{instrument.tail}.candle.{timeframe}-"
    make = makers.maker("candle", instrument, timeframe=timeframe)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        push = wire.read_candles(frame).data
        start, opened, closed, high, low, volume, turnover = push.candles
        own = {"id": f"{prefix}{start}-{push.time}-{crc32(frame):08x}", "ts_event": push.time, "ts_recv": ts_recv}
        return (
            make(
                **own,
                open=numbers.price_text(opened, "data.candles[1] (open)"),
                close=numbers.price_text(closed, "data.candles[2] (close)"),
                high=numbers.price_text(high, "data.candles[3] (high)"),
                low=numbers.price_text(low, "data.candles[4] (low)"),
                volume=numbers.unsigned(volume, "data.candles[5] (volume)"),
                quote_volume=numbers.unsigned(turnover, "data.candles[6] (turnover)"),
                start_ts=start * SECOND,
            ),
        )

    return handle


ROUTES: Final[Mapping[str, MakeHandler]] = {
    "/market/match": on_match,
    "/market/ticker": on_ticker,
    "/market/snapshot": on_day,
    "/market/level2": on_level2,
    "/market/level2Snapshot": on_recorded_book,
    "/market/candles": on_candles,
    "/spotMarket/level1": on_level1,
    "/spotMarket/level2Depth5": partial(on_depth, "depth5"),
    "/spotMarket/level2Depth50": partial(on_depth, "depth50"),
}
# Known, and not carried: indexes, margin, auctions, single orders, other depths, and what only accounts get.
SKIPPED: Final = (
    *("/indicator/", "/margin", "/callauction/", "/market/level3", "/spotMarket/level3", "/spotMarket/level2Depth"),
    *("/account/", "/spotMarket/tradeOrders", "/spotMarket/advancedOrders"),
)
