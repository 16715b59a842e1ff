"""Events of Kraken Futures: trades, liquidations, books, and tickers with funding and open interest in the same frame.

https://docs.kraken.com/exchange/api-reference/futures-websocket/trade and
https://docs.kraken.com/exchange/api-reference/futures-websocket/ticker
"""

from __future__ import annotations

from typing import Final

from contracts.errors import FrameError
from producers.normalize import numbers, sizes
from producers.venue import Decoded
from producers.venues.krakenfutures import wire
from producers.venues.krakenfutures.topics import Product

_ONE_DOLLAR: Final = "1"
_LIQUIDATION: Final = "liquidation"
# A position that is taken over by another trader, and one that is ended: nobody traded.
_TRANSFERS: Final = frozenset({"assignment", "termination"})
_TRADES: Final = frozenset({"fill", "block", _LIQUIDATION})


def decode_trade(product: Product, row: wire.Trade, ts_recv: int) -> list[Decoded]:
    """Read one trade. A trade of type `liquidation` is both: it was a print, and somebody was forced to it.

    `side` is that of the liquidating order: who sells had a long position. All are published as far as is known.
    """
    if row.type in _TRANSFERS:
        product.pass_over(row.seq)
        return []
    if row.type not in _TRADES:
        raise FrameError(f"unknown type of trade {row.type!r}", field="type")
    price, size = numbers.price(row.price, "price"), numbers.number(row.qty, "qty")
    amount, contracts = sizes.sizes(product.instrument, size, price)
    ts_event, native = wire.time(row.time, "time"), row.uid or _by_number(row)
    found: list[Decoded] = [
        *product.span(row.seq),
        product.trade(
            id=f"{product.tail}.trade.{native}",
            ts_event=ts_event,
            ts_recv=ts_recv,
            trade_id=native,
            price=price,
            amount=amount,
            contracts=contracts,
            side=row.side,
            seq=row.seq,
        ),
    ]
    if row.type == _LIQUIDATION:
        found.append(
            product.liquidation(
                id=f"{product.tail}.liquidation.{native}",
                ts_event=ts_event,
                ts_recv=ts_recv,
                price=price,
                amount=amount,
                contracts=contracts,
                position_side="long" if row.side == "sell" else "short",
                order_side=row.side,
            )
        )
    return found


def _by_number(row: wire.Trade) -> str:
    """Name a trade without `uid` by its number, which counts a product's trades."""
    if row.seq is None:
        raise FrameError("a trade has neither uid nor seq", field="uid")
    return str(row.seq)


def decode_book_snapshot(product: Product, row: wire.BookSnapshot, ts_recv: int) -> Decoded:
    """Read a whole book."""
    bids = wire.read_levels(((level.price, level.qty) for level in row.bids), "bids")
    asks = wire.read_levels(((level.price, level.qty) for level in row.asks), "asks")
    bids, asks, unit = sizes.book(product.instrument, bids, asks)
    return product.delta(
        id=f"{product.delta_id}snapshot-{row.seq}-{row.timestamp}",
        ts_event=wire.time(row.timestamp, "timestamp"),
        ts_recv=ts_recv,
        bids=bids,
        asks=asks,
        seq=row.seq,
        is_snapshot=True,
        unit=unit,
    )


def decode_book_change(product: Product, row: wire.BookChange, ts_recv: int) -> Decoded:
    """Read one changed level; `seq` counts a product's snapshots and changes by one."""
    level, unit = wire.read_levels([(row.price, row.qty)], "book"), "base"
    if product.instrument.sized_in_contracts:
        level, _, unit = sizes.book(product.instrument, level, [])
    is_bid = row.side == "buy"
    return product.delta(
        id=f"{product.delta_id}{row.seq}",
        ts_event=wire.time(row.timestamp, "timestamp"),
        ts_recv=ts_recv,
        bids=level if is_bid else [],
        asks=[] if is_bid else level,
        seq=row.seq,
        prev_seq=row.seq - 1,
        is_snapshot=False,
        unit=unit,
    )


def decode_ticker(product: Product, row: wire.Ticker, ts_recv: int, stamp: str) -> list[Decoded]:
    """Read one ticker; `stamp` keeps frames of the same time apart (`ticker_lite` has no time at all)."""
    ts_event = None if row.time is None else wire.time(row.time, "time")
    native = f"{row.time or 0}-{stamp}"
    found: list[Decoded] = [_ticker(product, row, (ts_event, ts_recv), native)]
    mark = numbers.optional_price(row.markPrice, "markPrice")
    if product.is_perpetual:
        found += _funding(product, row, (ts_event, ts_recv, native), mark)
    interest = numbers.optional_amount(row.openInterest, "openInterest")
    if interest is not None:
        found.append(_interest(product, (interest, mark), (ts_event, ts_recv), native))
    return found


def _ticker(product: Product, row: wire.Ticker, times: tuple[int | None, int], native: str) -> Decoded:
    """Make a ticker. An inverse product's volume counts contracts, which are USD and thus its quote volume."""
    instrument, price, amount = product.instrument, numbers.optional_price, numbers.optional_amount
    bid, bid_size = numbers.quote(price(row.bid, "bid"), amount(row.bid_size, "bid_size"))
    ask, ask_size = numbers.quote(price(row.ask, "ask"), amount(row.ask_size, "ask_size"))
    volume, quote_volume = amount(row.volume, "volume"), amount(row.volumeQuote, "volumeQuote")
    if instrument.is_inverse:
        quote_volume = quote_volume or (volume if instrument.contract_size == _ONE_DOLLAR else None)
        volume = None
    elif volume is not None:
        volume = sizes.amount(instrument, volume, None)
    return product.ticker(
        id=f"{product.tail}.ticker.{native}",
        ts_event=times[0],
        ts_recv=times[1],
        last=price(row.last, "last"),
        bid=bid,
        bid_amount=None if bid_size is None else sizes.amount(instrument, bid_size, bid),
        ask=ask,
        ask_amount=None if ask_size is None else sizes.amount(instrument, ask_size, ask),
        open_24h=price(row.open, "open"),
        high_24h=price(row.high, "high"),
        low_24h=price(row.low, "low"),
        volume_24h=volume,
        quote_volume_24h=quote_volume,
        change_24h=numbers.optional(row.change, "change"),
    )


def _funding(product: Product, row: wire.Ticker, stamp: tuple[int | None, int, str], mark: str | None) -> list[Decoded]:
    """Make a funding event of the relative rate: `funding_rate` is no fraction and is not carried."""
    rate = numbers.optional(row.relative_funding_rate, "relative_funding_rate")
    if rate is None and mark is None:
        return []
    ts_event, ts_recv, native = stamp
    next_ms = row.next_funding_rate_time
    return [
        product.funding(
            id=f"{product.tail}.funding.{native}",
            ts_event=ts_event,
            ts_recv=ts_recv,
            rate=rate,
            next_ts=wire.time(next_ms, "next_funding_rate_time") if next_ms else None,
            mark_price=mark,
            index_price=numbers.optional_price(row.index, "index"),
        )
    ]


def _interest(product: Product, figures: tuple[str, str | None], times: tuple[int | None, int], native: str) -> Decoded:
    """Make an open interest event; inverse contracts are USD, and coins at the mark price."""
    interest, mark = figures
    instrument = product.instrument
    amount, contracts = sizes.sizes(instrument, interest, mark)
    is_dollars = instrument.is_inverse and instrument.contract_size == _ONE_DOLLAR
    return product.interest(
        id=f"{product.tail}.interest.{native}",
        ts_event=times[0],
        ts_recv=times[1],
        amount=amount,
        value=interest if is_dollars else None,
        contracts=contracts,
    )
