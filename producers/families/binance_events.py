"""Makers of what Binance's spot and USD-M sockets both push: trades, tickers, books, candles.

A handler binds what never changes for its instrument in a blank, so that a frame costs one typed decode and one copy of
the blank with the frame's own values. `read` decodes a combined frame: its `data` has the vendor's names of fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Final
from zlib import crc32

from msgspec import Raw

from contracts.arithmetic.decimals import are_quoted
from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.families.binance_tables import BOOK_TICKERS
from producers.normalize.events import Makers
from producers.normalize.numbers import (
    Row,
    figures,
    plain,
    positive,
    price_text,
    quote,
    quotes,
    raw_levels,
    traded,
    unsigned,
)
from producers.normalize.tables import Table
from producers.venue import Decoded

Handler = Callable[[bytes, int], tuple[Decoded, ...]]
MakeHandler = Callable[..., Handler]  # (instrument, *, makers)
Read = Callable[[bytes], Any]

_TRADED: Final = ("p", "q")
_BEST: Final = ("b", "B", "a", "A")
_MICROSECONDS: Final = 10**14  # a time of this size or more is in microseconds: in ms it would lie in the year 5138


def nanoseconds(time: int) -> int:
    """Return one of the venue's times, which are ms or microseconds, in ns."""
    return time * 1_000_000 if time < _MICROSECONDS else time * 1000


def checksum(figures: Sequence[str]) -> str:
    """Return what distinguishes frames of one millisecond."""
    return f"{crc32(','.join(figures).encode()):08x}"


def check_owner(found: str, expected: str) -> None:
    """Raise FrameError where a frame is of another symbol than its stream's last one."""
    if found != expected:
        raise FrameError(f"field `s` is {found[:40]!r} in a stream of {expected}", field="s", symbol=found)


def on_trade(
    read: Read,
    mark: str,
    instrument: Instrument,
    *,
    makers: Makers,
    table: Table,
    carried: Callable[[Any], bool] | None = None,
) -> Handler:
    """Decode trades. `mark` keeps the ids of aggregates, which are numbered on their own, apart from single trades.

    `table` is of plain frames. Trades that are not `carried` are left out. An aggregate without a number is named by
    its first and last trade.
    """
    prefix, symbol = f"{instrument.tail}.trade.{mark}", instrument.venue_symbol
    make, make_named = makers.maker("trade", instrument, numbered=prefix), makers.maker("trade", instrument)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        trade = read(frame).data
        if carried is not None and not carried(trade):
            return ()
        if trade.s != symbol:
            check_owner(trade.s, symbol)
        price, amount, time = trade.p, trade.q, trade.T
        if not are_quoted(price, amount):
            price, amount = traded(price, amount, _TRADED)
        ts_event = time * 1_000_000 if time < _MICROSECONDS else time * 1000
        side = "sell" if trade.m else "buy"
        if trade.t is not None:
            return (make(number=trade.t, ts_event=ts_event, ts_recv=ts_recv, price=price, amount=amount, side=side),)
        first = f"{trade.f}-{trade.l}"
        return (
            make_named(id=prefix + first, trade_id=first, ts_event=ts_event, ts_recv=ts_recv,
                       price=price, amount=amount, side=side),
        )  # fmt: skip

    return table.reader_of_many(handle, lambda name: ((make, ""),) if name == symbol else None)


def on_book_ticker(read: Read, instrument: Instrument, *, makers: Makers) -> Handler:
    """Decode best bid and offer; the event has no time where the frame has none."""
    symbol = instrument.venue_symbol
    make = makers.maker("ticker", instrument, numbered=f"{instrument.tail}.ticker.")

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        ticker = read(frame).data
        if ticker.s != symbol:
            check_owner(ticker.s, symbol)
        time = ticker.T
        bid, bid_amount, ask, ask_amount = quotes((ticker.b, ticker.B, ticker.a, ticker.A), _BEST)
        return (
            make(
                number=ticker.u,
                ts_event=None if time is None else time * 1_000_000 if time < _MICROSECONDS else time * 1000,
                ts_recv=ts_recv,
                bid=bid,
                bid_amount=bid_amount,
                ask=ask,
                ask_amount=ask_amount,
                seq=ticker.u,
            ),
        )

    return BOOK_TICKERS.reader_of_many(handle, lambda name: ((make, ""),) if name == symbol else None)


def on_day_ticker(read: Read, fields: tuple[str, ...], instrument: Instrument, *, makers: Makers, mark: str) -> Handler:
    """Decode the figures of the last 24 hours; `fields` are those that the frame has and that its checksum is of."""
    prefix, make = f"{instrument.tail}.ticker.{mark}-", makers.maker("ticker", instrument)
    values = attrgetter(*fields)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        day = read(frame).data
        check_owner(day.s, instrument.venue_symbol)
        texts = figures(values(day), fields)
        found = dict(zip(fields, texts, strict=True))
        bid, bid_amount = quote(found.get("b"), found.get("B"))
        ask, ask_amount = quote(found.get("a"), found.get("A"))
        return (
            make(
                id=f"{prefix}{day.E}-{checksum(texts)}",
                ts_event=nanoseconds(day.E),
                ts_recv=ts_recv,
                last=positive(found["c"]),
                bid=bid,
                bid_amount=bid_amount,
                ask=ask,
                ask_amount=ask_amount,
                open_24h=positive(found["o"]),
                high_24h=positive(found["h"]),
                low_24h=positive(found["l"]),
                volume_24h=found["v"] or None,
                quote_volume_24h=found["q"] or None,
                change_24h=plain(day.P, "P") if day.P else None,
            ),
        )

    return handle


def on_depth(
    read: Read,
    previous: Callable[[Any], int | None],
    instrument: Instrument,
    *,
    makers: Makers,
    decimals: int,
    mark: str = "",
) -> Handler:
    """Decode changed levels, or with a `mark` the whole top; `previous` returns the sequence that a change continues.

    `decimals`: how many an amount has at first. A symbol's amounts all have the same number: zeros spelled so are
    replaced before the frame is decoded.
    """
    prefix, symbol = f"{instrument.tail}.delta.{mark}", instrument.venue_symbol
    make = makers.maker("delta", instrument, numbered=prefix, is_snapshot=bool(mark))
    zero = _zero(decimals)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        nonlocal zero
        depth = read(frame.replace(zero, b'"0"]')).data
        if depth.s != symbol:
            check_owner(depth.s, symbol)
        bids, asks = raw_levels(depth.b, "b"), raw_levels(depth.a, "a")
        if type(bids) is list or type(asks) is list:  # not as they are to be published: zeros are spelled otherwise
            zero = _zero_of((bids, asks)) or zero
        time = depth.time
        return (
            make(
                number=depth.u,
                ts_event=time * 1_000_000 if time < _MICROSECONDS else time * 1000,
                ts_recv=ts_recv,
                bids=bids,
                asks=asks,
                seq=depth.u,
                prev_seq=previous(depth),
            ),
        )

    return handle


def _zero_of(sides: Iterable[Raw | list[Row]]) -> bytes | None:
    """Return how zero is spelled among these amounts; None where they do not tell."""
    amount = next((row[1] for side in sides if not isinstance(side, Raw) for row in side if row[1] != "0"), None)
    return None if amount is None else _zero(len(amount.partition(".")[2]))


def _zero(decimals: int) -> bytes:
    """Return the end of a level whose amount is zero with so many decimals."""
    return b'"0.' + b"0" * decimals + b'"]' if decimals else b'"0"]'


def on_kline(read: Read, instrument: Instrument, *, makers: Makers) -> Handler:
    """Decode a candle, open or closed as the venue says."""
    prefix, make = f"{instrument.tail}.candle.", makers.maker("candle", instrument)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        kline = read(frame).data
        bar = kline.k
        check_owner(kline.s, instrument.venue_symbol)
        prices = [price_text(text, "k.o, k.h, k.l or k.c") for text in (bar.o, bar.h, bar.l, bar.c)]
        volume, quote_volume = figures((bar.v, bar.q), ("k.v", "k.q"))
        return (
            make(
                id=f"{prefix}{bar.i}-{bar.t}-{kline.E}-{checksum([*prices, volume, quote_volume])}",
                ts_event=nanoseconds(kline.E),
                ts_recv=ts_recv,
                timeframe=bar.i,
                open=prices[0],
                high=prices[1],
                low=prices[2],
                close=prices[3],
                volume=unsigned(volume, "k.v"),
                quote_volume=quote_volume or None,
                trades=bar.n,
                closed=bar.x,
                start_ts=nanoseconds(bar.t),
            ),
        )

    return handle
