"""Deribit's frames to events, one function a channel: trades with liquidations, books, tickers, candles.

Amounts of inverse contracts are US dollars: they are given as `contracts` of one dollar, and as `amount` in the coin.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from zlib import crc32

from msgspec import Raw

from contracts.errors import FrameError
from contracts.instrument import INVERSE, PERP
from producers.normalize import numbers, sizes
from producers.normalize.numbers import Row
from producers.venue import Decoded
from producers.venues.deribit import wire
from producers.venues.deribit.topics import Topic

_OPPOSITE: Final[dict[str, wire.Side]] = {"buy": "sell", "sell": "buy"}
_CLOSED: Final = {"sell": "long", "buy": "short"}  # the side of the forced order: the position that it closes
_NO_STATS: Final = wire.Stats()
TIMEFRAMES: Final = {
    "1": "1m",
    "3": "3m",
    "5": "5m",
    "10": "10m",
    "15": "15m",
    "30": "30m",
    "60": "1h",
    "120": "2h",
    "180": "3h",
    "360": "6h",
    "720": "12h",
    "1D": "1d",
}


def decode_trades(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read the trades of one instrument."""
    return trade_events(topic, wire.decode_trades(frame).params.data, ts_recv)


def trade_events(topic: Topic, rows: Iterable[wire.Trade], ts_recv: int) -> list[Decoded]:
    """Make the events of trades; one that is marked as a liquidation gives both, the trade first."""
    instrument = topic.instrument
    found: list[Decoded] = []
    for row in rows:
        price, size = numbers.price(row.price, "data.price"), numbers.number(row.amount, "data.amount")
        if not row.trade_id:
            raise FrameError("data.trade_id is empty", field="data.trade_id")
        amount, contracts = sizes.sizes(instrument, size, price) if topic.is_inverse else (size, None)
        found.append(
            topic.make.trade(
                id=f"{topic.tail}.trade.{row.trade_id}",
                ts_event=row.timestamp * wire.MS,
                ts_recv=ts_recv,
                trade_id=row.trade_id,
                price=price,
                amount=amount,
                contracts=contracts,
                side=row.direction,
                seq=row.trade_seq,
            )
        )
        if row.liquidation is not None:
            found += _liquidations(topic, row, ts_recv, (price, amount, contracts))
    return found


def _liquidations(
    topic: Topic, row: wire.Trade, ts_recv: int, figures: tuple[str, str | None, str | None]
) -> list[Decoded]:
    """Make the liquidations that a trade was part of: of its maker (M), its taker (T), or both (MT).

    The direction is the taker's, so that the forced order of a maker is on the other side of it. Every one is marked.
    `figures` are the trade's price, amount and contracts.
    """
    price, amount, contracts = figures
    sides: dict[str, wire.Side] = {"T": row.direction, "M": _OPPOSITE[row.direction]}
    return [
        topic.make.liquidation(
            id=f"{topic.tail}.liquidation.{row.trade_id}-{who}",
            ts_event=row.timestamp * wire.MS,
            ts_recv=ts_recv,
            price=price,
            price_kind="fill",
            amount=amount,
            contracts=contracts,
            position_side=_CLOSED[sides[who]],
            order_side=sides[who],
            sampled=False,
        )
        for who in row.liquidation or ""
    ]


def decode_books(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read a book's snapshot or change; a change that continues the id 0 is the first of a book, and so the whole."""
    book = wire.decode_books(frame).params.data
    whole = book.type == "snapshot" or book.prev_change_id == 0
    sides = _changes(book.bids, "data.bids"), _changes(book.asks, "data.asks")
    native = f"snapshot-{book.change_id}" if whole else str(book.change_id)
    prev = None if whole else book.prev_change_id
    return (_delta(topic, sides, (native, book.timestamp, ts_recv), (book.change_id, prev, whole)),)


def decode_ladders(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read a grouped book, which comes as a whole each time."""
    ladder = wire.decode_ladders(frame).params.data
    sides = numbers.levels(ladder.bids, "data.bids"), numbers.levels(ladder.asks, "data.asks")
    native = f"{topic.detail}-{ladder.change_id}"
    return (_delta(topic, sides, (native, ladder.timestamp, ts_recv), (ladder.change_id, None, True)),)


def _changes(rows: list[wire.Change], field: str) -> list[Row]:
    """Read one side: a deleted level has the amount "0", whatever the row says."""
    written = [
        (
            str(row.price, "ascii", "replace"),
            numbers.ZERO if row.action == "delete" else str(row.amount, "ascii", "replace"),
        )
        for row in rows
    ]
    return numbers.text_levels(written, field)


def _delta(
    topic: Topic, sides: tuple[list[Row], list[Row]], stamp: tuple[str, int, int], chain: tuple[int, int | None, bool]
) -> Decoded:
    bids, asks, unit = sizes.book(topic.instrument, *sides)
    native, timestamp, ts_recv = stamp
    seq, prev_seq, whole = chain
    return topic.make.delta(
        id=f"{topic.tail}.delta.{native}",
        ts_event=timestamp * wire.MS,
        ts_recv=ts_recv,
        bids=bids,
        asks=asks,
        seq=seq,
        prev_seq=prev_seq,
        is_snapshot=whole,
        unit=unit,
    )


def decode_tickers(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read a ticker; perpetuals say the current funding rate in it, derivatives their open interest.

    The funding is paid all the time and has no next payment: `current_funding` is the rate of now for eight hours.
    """
    row = wire.decode_tickers(frame).params.data
    native, tail = f"{row.timestamp}-{crc32(frame):08x}", topic.tail
    ts_event = row.timestamp * wire.MS
    found = [_ticker(topic, row, (f"{tail}.ticker.{native}", ts_event, ts_recv))]
    mark = numbers.optional_price(row.mark_price, "data.mark_price")
    rate = numbers.optional(row.current_funding, "data.current_funding")
    if rate is not None and topic.instrument.contract in {PERP, INVERSE}:
        found.append(
            topic.make.funding(
                id=f"{tail}.funding.{native}",
                ts_event=ts_event,
                ts_recv=ts_recv,
                rate=rate,
                mark_price=mark,
                index_price=numbers.optional_price(row.index_price, "data.index_price"),
            )
        )
    size = numbers.optional_amount(row.open_interest, "data.open_interest")
    if size is not None:
        stamp = {"id": f"{tail}.interest.{native}", "ts_event": ts_event, "ts_recv": ts_recv}
        found.append(topic.make.interest(**stamp, **_interest(topic, size, mark)))
    return found


def decode_quotes(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read `quote`: the best bid and ask only."""
    row = wire.decode_tickers(frame).params.data
    bid, bid_amount = _quote(topic, row.best_bid_price, row.best_bid_amount)
    ask, ask_amount = _quote(topic, row.best_ask_price, row.best_ask_amount)
    return (
        topic.make.ticker(
            id=f"{topic.tail}.ticker.quote-{row.timestamp}-{crc32(frame):08x}",
            ts_event=row.timestamp * wire.MS,
            ts_recv=ts_recv,
            bid=bid,
            bid_amount=bid_amount,
            ask=ask,
            ask_amount=ask_amount,
        ),
    )


def decode_candles(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read `chart.trades`: the candle that begins at `tick`, again with each change; when it is closed is not said."""
    row = wire.decode_candles(frame).params.data
    timeframe = TIMEFRAMES.get(topic.detail)
    if timeframe is None:
        raise FrameError(f"unknown resolution {topic.detail!r} of candles", field="params.channel")
    volume, close = numbers.number(row.volume, "data.volume"), numbers.price(row.close, "data.close")
    return (
        topic.make.candle(
            id=f"{topic.tail}.candle.{timeframe}-{row.tick}-{volume}-{close}",
            ts_recv=ts_recv,
            timeframe=timeframe,
            open=numbers.price(row.open, "data.open"),
            high=numbers.price(row.high, "data.high"),
            low=numbers.price(row.low, "data.low"),
            close=close,
            volume=volume,
            quote_volume=numbers.optional_amount(row.cost, "data.cost"),
            trades=None,
            closed=False,
            start_ts=row.tick * wire.MS,
        ),
    )


def _ticker(topic: Topic, row: wire.Ticker, stamp: tuple[str, int, int]) -> Decoded:
    """Make a ticker: `volume` counts coins, `volume_notional` the quote.

    Older frames have `volume_usd` only, which is the quote of inverse contracts.
    """
    stats, price, amount = row.stats or _NO_STATS, numbers.optional_price, numbers.optional_amount
    bid, bid_amount = _quote(topic, row.best_bid_price, row.best_bid_amount)
    ask, ask_amount = _quote(topic, row.best_ask_price, row.best_ask_amount)
    value = amount(stats.volume_notional, "data.stats.volume_notional")
    if value is None and topic.is_inverse:
        value = amount(stats.volume_usd, "data.stats.volume_usd")
    return topic.make.ticker(
        id=stamp[0],
        ts_event=stamp[1],
        ts_recv=stamp[2],
        last=price(row.last_price, "data.last_price"),
        bid=bid,
        bid_amount=bid_amount,
        ask=ask,
        ask_amount=ask_amount,
        high_24h=price(stats.high, "data.stats.high"),
        low_24h=price(stats.low, "data.stats.low"),
        volume_24h=amount(stats.volume, "data.stats.volume"),
        quote_volume_24h=value,
        change_24h=numbers.optional(stats.price_change, "data.stats.price_change"),
    )


def _quote(topic: Topic, raw_price: Raw, raw_size: Raw) -> tuple[str | None, str | None]:
    """Return price and amount of the best bid or ask; where there is no price (zero), there is no amount."""
    price, size = numbers.optional_price(raw_price, "data.best_price"), numbers.optional_amount(raw_size, "best_amount")
    if price is None or size is None or not topic.is_inverse:
        return price, None if price is None else size
    return price, sizes.amount(topic.instrument, size, price)


def _interest(topic: Topic, size: str, mark: str | None) -> dict[str, str | None]:
    """Inverse contracts count US dollars, which are coins at the mark price; all others count coins."""
    if not topic.is_inverse:
        return {"amount": size, "value": None, "contracts": None}
    return {"amount": sizes.amount(topic.instrument, size, mark), "value": size, "contracts": size}
