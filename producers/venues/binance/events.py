"""One handler a channel and instrument of Binance spot: a combined frame in, its event out.

A handler binds what never changes for its instrument in a template, so that a frame costs one typed decode and one copy
of the template with the frame's own values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final
from zlib import crc32

from msgspec.structs import replace

from contracts import market
from contracts.codec import fast
from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.normalize.numbers import (
    figures,
    plain,
    positive,
    price_text,
    quote,
    quotes,
    text_levels,
    traded,
    unsigned,
)
from producers.venue import Decoded
from producers.venues.binance import frames

FastTrade = fast(market.Trade)
FastTicker = fast(market.Ticker)
FastDelta = fast(market.BookDelta)
FastCandle = fast(market.Candle)

Handler = Callable[[bytes, int], tuple[Decoded, ...]]

_TRADED: Final = ("p", "q")
_BEST: Final = ("b", "B", "a", "A")
_DAY: Final = (*_BEST, "c", "o", "h", "l", "v", "q")
_MICROSECONDS: Final = 10**14  # a time of this size or more is in microseconds: in ms it would lie in the year 5138


def nanoseconds(time: int) -> int:
    """Give ns for one of the venue's times, which are ms or microseconds."""
    return time * 1_000_000 if time < _MICROSECONDS else time * 1000


def _check_owner(found: str, expected: str) -> None:
    """Raise FrameError where a frame is of another symbol than its stream's last one."""
    if found != expected:
        raise FrameError(f"field `s` is {found[:40]!r} in a stream of {expected}", field="s", symbol=found)


def _on_trade(read: Callable[[bytes], Any], mark: str, instrument: Instrument, *, sim: bool) -> Handler:
    prefix, symbol = f"{instrument.tail}.trade.{mark}", instrument.venue_symbol
    template = FastTrade(
        id=prefix,
        venue=instrument.venue,
        symbol=instrument.symbol,
        venue_symbol=instrument.venue_symbol,
        ts_event=None,
        ts_recv=0,
        sim=sim,
        trade_id="",
        price="0",
        amount=None,
        contracts=None,
        side=None,
    )

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        trade = read(frame).data
        if trade.s != symbol:
            _check_owner(trade.s, symbol)
        price, amount = traded(trade.p, trade.q, _TRADED)
        trade_id, time = str(trade.t), trade.T
        return (
            replace(
                template,
                id=prefix + trade_id,
                ts_event=time * 1_000_000 if time < _MICROSECONDS else time * 1000,
                ts_recv=ts_recv,
                trade_id=trade_id,
                price=price,
                amount=amount,
                side="sell" if trade.m else "buy",
            ),
        )

    return handle


def _empty_ticker(instrument: Instrument, *, sim: bool) -> Decoded:
    return FastTicker(
        id="",
        venue=instrument.venue,
        symbol=instrument.symbol,
        venue_symbol=instrument.venue_symbol,
        ts_event=None,
        ts_recv=0,
        sim=sim,
        last=None,
        bid=None,
        bid_amount=None,
        ask=None,
        ask_amount=None,
        open_24h=None,
        high_24h=None,
        low_24h=None,
        volume_24h=None,
        quote_volume_24h=None,
        change_24h=None,
    )


def _on_book_ticker(instrument: Instrument, *, sim: bool) -> Handler:
    prefix, template, read = f"{instrument.tail}.ticker.", _empty_ticker(instrument, sim=sim), frames.read_book_ticker
    symbol = instrument.venue_symbol

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        ticker = read(frame).data
        if ticker.s != symbol:
            _check_owner(ticker.s, symbol)
        time = ticker.T or ticker.E
        bid, bid_amount, ask, ask_amount = quotes((ticker.b, ticker.B, ticker.a, ticker.A), _BEST)
        return (
            replace(
                template,
                id=f"{prefix}{ticker.u}",
                ts_event=nanoseconds(time) if time else None,
                ts_recv=ts_recv,
                bid=bid,
                bid_amount=bid_amount,
                ask=ask,
                ask_amount=ask_amount,
                seq=ticker.u,
            ),
        )

    return handle


def _on_day_ticker(mark: str, instrument: Instrument, *, sim: bool) -> Handler:
    """Read the figures of a day; more than one frame of a millisecond is told apart by a checksum of them."""
    prefix, template = f"{instrument.tail}.ticker.{mark}-", _empty_ticker(instrument, sim=sim)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        day = frames.read_day_ticker(frame).data
        _check_owner(day.s, instrument.venue_symbol)
        found = figures((day.b, day.B, day.a, day.A, day.c, day.o, day.h, day.l, day.v, day.q), _DAY)
        bid, bid_amount = quote(found[0], found[1])
        ask, ask_amount = quote(found[2], found[3])
        return (
            replace(
                template,
                id=f"{prefix}{day.E}-{crc32(','.join(found).encode()):08x}",
                ts_event=nanoseconds(day.E),
                ts_recv=ts_recv,
                last=positive(found[4]),
                bid=bid,
                bid_amount=bid_amount,
                ask=ask,
                ask_amount=ask_amount,
                open_24h=positive(found[5]),
                high_24h=positive(found[6]),
                low_24h=positive(found[7]),
                volume_24h=found[8] or None,
                quote_volume_24h=found[9] or None,
                change_24h=plain(day.P, "P") if day.P else None,
            ),
        )

    return handle


def _on_depth(instrument: Instrument, *, sim: bool) -> Handler:
    prefix = f"{instrument.tail}.delta."
    read = frames.read_depth
    template = FastDelta(
        id="",
        venue=instrument.venue,
        symbol=instrument.symbol,
        venue_symbol=instrument.venue_symbol,
        ts_event=None,
        ts_recv=0,
        sim=sim,
        bids=[],
        asks=[],
        seq=None,
        prev_seq=None,
        is_snapshot=False,
    )
    decimals, zero, symbol = 8, b'"0.00000000"]', instrument.venue_symbol

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        nonlocal decimals, zero
        depth = read(frame.replace(zero, b'"0"]')).data
        if depth.s != symbol:
            _check_owner(depth.s, symbol)
        bids, asks = text_levels(depth.b, "b"), text_levels(depth.a, "a")
        amount = next((level[1] for side in (bids, asks) for level in side[:1] if level[1] != "0"), None)
        if amount is not None and len(amount.partition(".")[2]) != decimals:
            # A symbol's amounts all have the same number of decimals: zeros that are spelled so are replaced early.
            decimals = len(amount.partition(".")[2])
            zero = b'"0.' + b"0" * decimals + b'"]' if decimals else b'"0"]'
        return (
            replace(
                template,
                id=f"{prefix}{depth.u}",
                ts_event=nanoseconds(depth.E),
                ts_recv=ts_recv,
                bids=bids,
                asks=asks,
                seq=depth.u,
                prev_seq=depth.U - 1,
            ),
        )

    return handle


def _on_kline(instrument: Instrument, *, sim: bool) -> Handler:
    prefix = f"{instrument.tail}.candle."

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        kline = frames.read_kline(frame).data
        bar = kline.k
        _check_owner(kline.s, instrument.venue_symbol)
        prices = [price_text(text, "k.o, k.h, k.l or k.c") for text in (bar.o, bar.h, bar.l, bar.c)]
        volumes = figures((bar.v, bar.q), ("k.v", "k.q"))
        return (
            FastCandle(
                id=f"{prefix}{bar.i}-{bar.t}-{kline.E}-{crc32(','.join(prices + volumes).encode()):08x}",
                venue=instrument.venue,
                symbol=instrument.symbol,
                venue_symbol=instrument.venue_symbol,
                ts_event=nanoseconds(kline.E),
                ts_recv=ts_recv,
                sim=sim,
                timeframe=bar.i,
                open=prices[0],
                high=prices[1],
                low=prices[2],
                close=prices[3],
                volume=unsigned(volumes[0], "k.v"),
                quote_volume=volumes[1] or None,
                trades=bar.n,
                closed=bar.x,
                start_ts=nanoseconds(bar.t),
            ),
        )

    return handle


# Aggregates are numbered on their own: the "a" keeps their event ids apart from those of single trades.
HANDLERS: Final[dict[str, Callable[..., Handler]]] = {
    "trade": partial(_on_trade, frames.read_trade, ""),
    "aggTrade": partial(_on_trade, frames.read_agg_trade, "a"),
    "bookTicker": _on_book_ticker,
    "24hrTicker": partial(_on_day_ticker, "24h"),
    "24hrMiniTicker": partial(_on_day_ticker, "mini"),
    "depthUpdate": _on_depth,
    "kline": _on_kline,
}
NOT_CARRIED: Final = frozenset({"1hTicker", "4hTicker", "1dTicker", "avgPrice", "referencePrice", "blockTrade"})
