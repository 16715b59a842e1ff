"""Handlers of Binance USD-M's trades, tickers, candles, funding and liquidations: a combined frame in, its event out.

A handler binds what never changes for its instrument in a template, so that a frame costs one typed decode and one copy
of the template with the frame's own values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec.structs import replace

from contracts import market
from contracts.codec import fast
from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.venue import Decoded
from producers.venues.binanceusdm import frames

FastTrade = fast(market.Trade)
FastTicker = fast(market.Ticker)
FastCandle = fast(market.Candle)
FastFunding = fast(market.Funding)
FastLiquidation = fast(market.Liquidation)

Handler = Callable[[bytes, int], tuple[Decoded, ...]]

_ORDER_SIDES: Final = {"SELL": ("sell", "long"), "BUY": ("buy", "short")}


def _empty_trade(instrument: Instrument, *, sim: bool) -> Decoded:
    return FastTrade(
        id="",
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


def on_trade(instrument: Instrument, *, sim: bool) -> Handler:
    """Decode single trades; what the insurance fund or a deleveraging took over is no print."""
    prefix, template, read = f"{instrument.tail}.trade.", _empty_trade(instrument, sim=sim), frames.read_trade

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        trade = read(frame).data
        if trade.X != "MARKET":
            return ()
        if not (trade.p.replace(".", "", 1).isdigit() and trade.q.replace(".", "", 1).isdigit()):
            msg = f"p or q is no number: {trade.p!r}, {trade.q!r}"
            raise FrameError(msg, field="p or q")
        trade_id = str(trade.t)
        return (
            replace(
                template,
                id=prefix + trade_id,
                ts_event=trade.T * 1_000_000,
                ts_recv=ts_recv,
                trade_id=trade_id,
                price=trade.p,
                amount=trade.q,
                side="sell" if trade.m else "buy",
            ),
        )

    return handle


def on_agg_trade(instrument: Instrument, *, sim: bool) -> Handler:
    """Decode aggregated trades, whose own numbers are kept apart from those of single trades by an "a" in the id."""
    prefix, template, read = f"{instrument.tail}.trade.a", _empty_trade(instrument, sim=sim), frames.read_agg_trade

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        trade = read(frame).data
        if not (trade.p.replace(".", "", 1).isdigit() and trade.q.replace(".", "", 1).isdigit()):
            msg = f"p or q is no number: {trade.p!r}, {trade.q!r}"
            raise FrameError(msg, field="p or q")
        trade_id = str(trade.a) if trade.a is not None else f"{trade.f}-{trade.l}"
        return (
            replace(
                template,
                id=prefix + trade_id,
                ts_event=trade.T * 1_000_000,
                ts_recv=ts_recv,
                trade_id=trade_id,
                price=trade.p,
                amount=trade.q,
                side="sell" if trade.m else "buy",
            ),
        )

    return handle


def on_book_ticker(instrument: Instrument, *, sim: bool) -> Handler:
    """Decode best bid and offer."""
    prefix, template, read = f"{instrument.tail}.ticker.", _empty_ticker(instrument, sim=sim), frames.read_book_ticker

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        ticker = read(frame).data
        return (
            replace(
                template,
                id=f"{prefix}{ticker.u}",
                ts_event=None if ticker.T is None else ticker.T * 1_000_000,
                ts_recv=ts_recv,
                bid=ticker.b,
                bid_amount=ticker.B,
                ask=ticker.a,
                ask_amount=ticker.A,
                seq=ticker.u,
            ),
        )

    return handle


def on_day_ticker(mark: str, instrument: Instrument, *, sim: bool) -> Handler:
    """Decode the figures of the last 24 hours."""
    prefix, template = f"{instrument.tail}.ticker.{mark}-", _empty_ticker(instrument, sim=sim)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        day = frames.read_day_ticker(frame).data
        return (
            replace(
                template,
                id=f"{prefix}{day.E}",
                ts_event=day.E * 1_000_000,
                ts_recv=ts_recv,
                last=day.c,
                open_24h=day.o,
                high_24h=day.h,
                low_24h=day.l,
                volume_24h=day.v,
                quote_volume_24h=day.q,
                change_24h=day.P,
            ),
        )

    return handle


def on_kline(instrument: Instrument, *, sim: bool) -> Handler:
    """Decode a candle, open or closed as the venue says."""
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
                ts_event=kline.E * 1_000_000,
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
                start_ts=bar.t * 1_000_000,
            ),
        )

    return handle


def on_mark_price(instrument: Instrument, *, sim: bool) -> Handler:
    """Decode mark price and funding; `T` here is the next payment, so the push time `E` is the event's."""
    prefix = f"{instrument.tail}.funding."

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        mark = frames.read_mark_price(frame).data
        return (
            FastFunding(
                id=f"{prefix}{mark.E}",
                venue=instrument.venue,
                symbol=instrument.symbol,
                venue_symbol=instrument.venue_symbol,
                ts_event=mark.E * 1_000_000,
                ts_recv=ts_recv,
                sim=sim,
                rate=mark.r or None,
                next_ts=mark.T * 1_000_000 if mark.T else None,
                mark_price=mark.p,
                index_price=mark.i or None,
            ),
        )

    return handle


def on_force_order(instrument: Instrument, *, sim: bool) -> Handler:
    """Decode a liquidation: selling closes a long. At most the latest one per symbol and second is sent: a sample."""
    prefix = f"{instrument.tail}.liquidation."

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        order = frames.read_force_order(frame).data.o
        if order.S not in _ORDER_SIDES:
            msg = f"forceOrder: field `S` is {order.S!r}, expected BUY or SELL"
            raise FrameError(msg, field="S")
        order_side, position_side = _ORDER_SIDES[order.S]
        return (
            FastLiquidation(
                id=f"{prefix}{order.T}-{order_side}-{order.p}-{order.q}",
                venue=instrument.venue,
                symbol=instrument.symbol,
                venue_symbol=instrument.venue_symbol,
                ts_event=order.T * 1_000_000,
                ts_recv=ts_recv,
                sim=sim,
                price=order.p,
                price_kind="limit",
                amount=order.q,
                contracts=None,
                position_side=position_side,
                order_side=order_side,
                sampled=True,
                average_price=order.ap if order.ap and order.ap.strip("0.") else None,  # 0: nothing was filled yet
            ),
        )

    return handle


HANDLERS: Final[dict[str, Callable[..., Handler]]] = {
    "trade": on_trade,
    "aggTrade": on_agg_trade,
    "bookTicker": on_book_ticker,
    "24hrTicker": partial(on_day_ticker, "24h"),
    "24hrMiniTicker": partial(on_day_ticker, "mini"),
    "kline": on_kline,
    "markPriceUpdate": on_mark_price,
    "forceOrder": on_force_order,
}
