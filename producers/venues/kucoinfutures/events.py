"""One handler a topic and contract of KuCoin futures: a push in, its events out, contracts as amounts of the base coin.

A handler holds what never changes for its contract in a make, so that a push costs one typed decode and one copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final
from zlib import crc32

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.families import kucoin_wire as kucoin
from producers.families.kucoin_decoder import Handler, MakeHandler
from producers.families.kucoin_wire import MS, SECOND, TIMEFRAMES, nanoseconds
from producers.normalize import numbers, sizes
from producers.normalize.events import Makers
from producers.venue import Decoded
from producers.venues.kucoinfutures import wire

_PARTS: Final = 3  # of a change


def read_rows(rows: Iterable[wire.Row] | None) -> list[numbers.Row]:
    """Return one side of a whole book; prices come as text on the socket and as JSON numbers over REST."""
    text = kucoin.text
    return numbers.whole_levels([(text(price) or "", text(size) or "") for price, size in rows or ()], "data.bids/asks")


def on_match(instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read `/contractMarket/execution`: every fill, with the taker's side and the time of the match."""
    prefix, read = f"{instrument.tail}.trade.", wire.read_match
    make = makers.maker("trade", instrument)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        match = read(frame).data
        price = numbers.price_text(match.price, "data.price")
        size = numbers.unsigned(str(match.size), "data.size")
        return (
            make(
                id=prefix + match.tradeId,
                ts_event=match.ts,
                ts_recv=ts_recv,
                trade_id=match.tradeId,
                price=price,
                amount=sizes.amount(instrument, size, price),
                contracts=size,
                side=match.side,
                seq=match.sequence,
            ),
        )

    return handle


def on_ticker(name: str, instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read both tickers: the best levels, sizes in the base coin; a side without orders is null."""
    prefix, make = f"{instrument.tail}.ticker.{name}-", makers.maker("ticker", instrument)

    def best(price: str | None, size: int | None, field: str) -> tuple[str | None, str | None]:
        found = numbers.optional_price_text(price, f"{field}Price")
        if found is None or size is None:
            return found, None
        return found, sizes.amount(instrument, numbers.unsigned(str(size), f"{field}Size"), found)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        ticker = wire.read_ticker(frame).data
        bid, bid_amount = best(ticker.bestBidPrice, ticker.bestBidSize, "data.bestBid")
        ask, ask_amount = best(ticker.bestAskPrice, ticker.bestAskSize, "data.bestAsk")
        return (
            make(
                id=f"{prefix}{ticker.sequence}-{ticker.ts}-{crc32(frame):08x}",
                ts_event=ticker.ts,
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


def on_day(instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read `/contractMarket/snapshot`, every 5 s: the figures of 24 hours.

    `volume` was seen to be in the base coin on linear contracts; of inverse ones the page says nothing: null.
    """
    prefix, make = f"{instrument.tail}.ticker.24h-", makers.maker("ticker", instrument)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        day = wire.read_day(frame).data
        price, is_linear = kucoin.price, not instrument.is_inverse
        return (
            make(
                id=f"{prefix}{day.ts}-{crc32(frame):08x}",
                ts_event=day.ts,
                ts_recv=ts_recv,
                last=price(day.lastPrice, "data.lastPrice"),
                open_24h=price(day.price24HoursBefore, "data.price24HoursBefore"),
                high_24h=price(day.highPrice, "data.highPrice"),
                low_24h=price(day.lowPrice, "data.lowPrice"),
                volume_24h=kucoin.amount(day.volume, "data.volume") if is_linear else None,
                quote_volume_24h=kucoin.amount(day.turnover, "data.turnover") if is_linear else None,
                change_24h=kucoin.percent(day.priceChgPct, "data.priceChgPct"),
            ),
        )

    return handle


def on_level2(instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read `/contractMarket/level2`: one changed level, "price,side,size"; each sequence is one more than the last.

    A level at price 0 changes nothing but the sequence.
    """
    prefix, read = f"{instrument.tail}.delta.", wire.read_level2
    unit = "base" if instrument.contract_size is not None else "contracts"
    make = makers.maker("delta", instrument, unit=unit)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        book = read(frame).data
        parts = book.change.split(",")
        if len(parts) != _PARTS or parts[1] not in {"buy", "sell"}:
            raise FrameError(f"data.change is no 'price,side,size': {book.change!r}", field="data.change")
        level = _level(instrument, (parts[0], parts[2]))
        return (
            make(
                id=f"{prefix}{book.sequence}",
                ts_event=book.timestamp * MS,
                ts_recv=ts_recv,
                bids=level if parts[1] == "buy" else [],
                asks=level if parts[1] == "sell" else [],
                seq=book.sequence,
                prev_seq=book.sequence - 1,
            ),
        )

    return handle


def _level(instrument: Instrument, changed: tuple[str, str]) -> list[numbers.Row]:
    rows = numbers.text_levels([changed], "data.change")
    if instrument.contract_size is None:
        return rows
    return [(price, sizes.amount(instrument, size, price) or numbers.ZERO) for price, size in rows]


def on_depth(name: str, instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read `/contractMarket/level2Depth5` and `50`: the whole top in each push."""
    prefix = f"{instrument.tail}.delta.{name}-"
    make = makers.maker("delta", instrument, is_snapshot=True)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        depth = wire.read_depth(frame).data
        bids, asks, unit = sizes.book(instrument, read_rows(depth.bids), read_rows(depth.asks))
        own = {
            "id": f"{prefix}{depth.sequence}-{depth.timestamp}-{crc32(frame):08x}",
            "ts_event": nanoseconds(depth.timestamp),
        }
        return (make(**own, ts_recv=ts_recv, bids=bids, asks=asks, seq=depth.sequence, unit=unit),)

    return handle


def on_instrument(instrument: Instrument, interval: str, makers: Makers) -> Handler:  # noqa: ARG001
    """Read `/contract/instrument`: mark and index price, and the funding rate, merged into `funding` events.

    The page calls the rate that comes every minute (`granularity` 60000) predicted and the one of 28800000 the rate
    itself; what comes every minute is what the venue shows as the contract's rate, so both are taken. When a rate is
    paid is not documented.
    """
    prefix, make = f"{instrument.tail}.funding.", makers.maker("funding", instrument)
    known: dict[str, str | None] = {}

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        push = wire.read_instrument(frame)
        data = push.data
        if push.subject == "mark.index.price":
            mark = kucoin.price(data.markPrice, "data.markPrice")
            index = kucoin.price(data.indexPrice, "data.indexPrice")
            native, own = f"mark-{data.timestamp}-{mark}-{index}", {"mark_price": mark, "index_price": index}
        elif push.subject == "funding.rate":
            rate = kucoin.signed(data.fundingRate, "data.fundingRate")
            native, own = f"rate-{data.timestamp}-{data.granularity}-{rate}", {"rate": rate}
        else:
            raise FrameError(f"unknown subject {push.subject!r} of /contract/instrument", channel=push.subject)
        known.update(own)
        return (make(**known, id=prefix + native, ts_event=data.timestamp * MS, ts_recv=ts_recv),)

    return handle


def on_candles(instrument: Instrument, interval: str, makers: Makers) -> Handler:
    """Read `/contractMarket/limitCandle`: close comes second; whether a candle is closed is not documented.

    The page calls the last two numbers volume and turnover. What was seen is the turnover (or, in older pushes, once
    more the contracts) and then the contracts: the volume is made of the last, and an equal pair has no turnover.
    """
    timeframe = TIMEFRAMES.get(interval)
    if timeframe is None:
        raise FrameError(f"unknown length of candles {interval!r}", channel="/contractMarket/limitCandle")
    prefix = f"{instrument.tail}.candle.{timeframe}-"
    make = makers.maker("candle", instrument, timeframe=timeframe)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        push = wire.read_candles(frame).data
        start, opened, closed, high, low, turnover, contracts = push.candles
        closed = numbers.price_text(closed, "data.candles[2] (close)")
        turnover = numbers.unsigned(turnover, "data.candles[5] (turnover)")
        contracts = numbers.unsigned(contracts, "data.candles[6] (contracts)")
        volume = sizes.amount(instrument, contracts, closed)
        if volume is None:
            return ()  # a candle's volume is in coins, and what a contract is worth is not known
        own = {"id": f"{prefix}{start}-{push.time}-{crc32(frame):08x}", "ts_event": push.time * MS, "ts_recv": ts_recv}
        return (
            make(
                **own,
                open=numbers.price_text(opened, "data.candles[1] (open)"),
                close=closed,
                high=numbers.price_text(high, "data.candles[3] (high)"),
                low=numbers.price_text(low, "data.candles[4] (low)"),
                volume=volume,
                quote_volume=None if Decimal(turnover) == Decimal(contracts) else turnover,
                start_ts=start * SECOND,
            ),
        )

    return handle


ROUTES: Final[Mapping[str, MakeHandler]] = {
    "/contractMarket/execution": on_match,
    "/contractMarket/tickerV2": partial(on_ticker, "v2"),
    "/contractMarket/ticker": partial(on_ticker, "v1"),
    "/contractMarket/snapshot": on_day,
    "/contractMarket/level2": on_level2,
    "/contractMarket/level2Depth5": partial(on_depth, "depth5"),
    "/contractMarket/level2Depth50": partial(on_depth, "depth50"),
    "/contract/instrument": on_instrument,
    "/contractMarket/limitCandle": on_candles,
}
# Known, and not carried: settlements, single orders, listings among recordings, and what only accounts get.
SKIPPED: Final = (
    *("/contract/announcement", "/contract/details", "/contract/position", "/contract/marginMode"),
    *("/contract/crossLeverage", "/contractMarket/level3", "/contractMarket/tradeOrders"),
    *("/contractMarket/advancedOrders", "/contractMarket/candle", "/contractAccount/"),
)
