"""One handler a channel and instrument of Binance spot: a combined frame in, its event out.

A handler binds what never changes for its instrument in a template, so that a frame costs one typed decode and one copy
of the template with the frame's own values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from contracts import market
from contracts.codec import fast
from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.venue import Decoded
from producers.venues.binance import frames

FastTrade = fast(market.Trade)
FastTicker = fast(market.Ticker)
FastDelta = fast(market.BookDelta)
FastCandle = fast(market.Candle)

Handler = Callable[[bytes, int], tuple[Decoded, ...]]

_MICROSECONDS: Final = 10**14  # a time of this size or more is in microseconds: in ms it would lie in the year 5138


def nanoseconds(time: int) -> int:
    """Give ns for one of the venue's times, which are ms or microseconds."""
    return time * 1_000_000 if time < _MICROSECONDS else time * 1000


def plain_zeros(levels: frames.Levels) -> frames.Levels:
    """Write every amount of zero as "0"."""
    return [level if level[1].strip("0.") else (level[0], "0") for level in levels]


def _on_trade(read: Callable[[bytes], Any], mark: str, instrument: Instrument, *, sim: bool) -> Handler:
    prefix = f"{instrument.tail}.trade.{mark}"
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
        if not (trade.p.replace(".", "", 1).isdigit() and trade.q.replace(".", "", 1).isdigit()):
            msg = f"p or q is no number: {trade.p!r}, {trade.q!r}"
            raise FrameError(msg, field="p or q")
        trade_id, time = str(trade.t), trade.T
        return (
            replace(
                template,
                id=prefix + trade_id,
                ts_event=time * 1_000_000 if time < _MICROSECONDS else time * 1000,
                ts_recv=ts_recv,
                trade_id=trade_id,
                price=trade.p,
                amount=trade.q,
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

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        ticker = read(frame).data
        time = ticker.T or ticker.E
        return (
            replace(
                template,
                id=f"{prefix}{ticker.u}",
                ts_event=nanoseconds(time) if time else None,
                ts_recv=ts_recv,
                bid=ticker.b,
                bid_amount=ticker.B,
                ask=ticker.a,
                ask_amount=ticker.A,
                seq=ticker.u,
            ),
        )

    return handle


def _on_day_ticker(mark: str, instrument: Instrument, *, sim: bool) -> Handler:
    prefix, template = f"{instrument.tail}.ticker.{mark}-", _empty_ticker(instrument, sim=sim)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        day = frames.read_day_ticker(frame).data
        return (
            replace(
                template,
                id=f"{prefix}{day.E}",
                ts_event=nanoseconds(day.E),
                ts_recv=ts_recv,
                last=day.c,
                bid=day.b,
                bid_amount=day.B,
                ask=day.a,
                ask_amount=day.A,
                open_24h=day.o,
                high_24h=day.h,
                low_24h=day.l,
                volume_24h=day.v,
                quote_volume_24h=day.q,
                change_24h=day.P,
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
    decimals, zero = 8, b'"0.00000000"]'

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        nonlocal decimals, zero
        depth = read(frame.replace(zero, b'"0"]')).data
        bids, asks = depth.b, depth.a
        bid, ask = bids[0][1] if bids else "0", asks[0][1] if asks else "0"
        if b" " in frame:  # written by another hand than the venue's: nothing is known of how zeros stand in it
            bids, asks = plain_zeros(bids), plain_zeros(asks)
        elif (bid != "0" and len(bid.partition(".")[2]) != decimals) or (
            ask != "0" and len(ask.partition(".")[2]) != decimals
        ):
            # A symbol's amounts all have the same number of decimals: learn how this one spells zero.
            decimals = len((bid if bid != "0" else ask).partition(".")[2])
            zero = b'"0.' + b"0" * decimals + b'"]' if decimals else b'"0"]'
            bids, asks = plain_zeros(bids), plain_zeros(asks)
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
        return (
            FastCandle(
                id=f"{prefix}{bar.i}-{bar.t}-{kline.E}",
                venue=instrument.venue,
                symbol=instrument.symbol,
                venue_symbol=instrument.venue_symbol,
                ts_event=nanoseconds(kline.E),
                ts_recv=ts_recv,
                sim=sim,
                timeframe=bar.i,
                open=bar.o,
                high=bar.h,
                low=bar.l,
                close=bar.c,
                volume=bar.v,
                quote_volume=bar.q,
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
