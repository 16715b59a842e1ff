"""Handlers of Binance USD-M's trades, tickers, candles, funding and liquidations: a combined frame in, its event out.

A handler binds what never changes for its instrument in a template, so that a frame costs one typed decode and one copy
of the template with the frame's own values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final
from zlib import crc32

from msgspec.structs import replace

from contracts import market
from contracts.codec import fast
from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.normalize.numbers import (
    figures,
    optional_price_text,
    plain,
    positive,
    price_text,
    quotes,
    traded,
    unsigned,
)
from producers.venue import Decoded
from producers.venues.binanceusdm import frames

FastTrade = fast(market.Trade)
FastTicker = fast(market.Ticker)
FastCandle = fast(market.Candle)
FastFunding = fast(market.Funding)
FastLiquidation = fast(market.Liquidation)

Handler = Callable[[bytes, int], tuple[Decoded, ...]]

_PRINTS: Final = ("MARKET", None)
_TRADED: Final = ("p", "q")
_BEST: Final = ("b", "B", "a", "A")
_DAY: Final = ("c", "o", "h", "l", "v", "q")
_ORDER_SIDES: Final = {"SELL": ("sell", "long"), "BUY": ("buy", "short")}


def check_owner(found: str, expected: str) -> None:
    """Raise FrameError where a frame is of another symbol than its stream's last one."""
    if found != expected:
        raise FrameError(f"field `s` is {found[:40]!r} in a stream of {expected}", field="s", symbol=found)


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
    symbol = instrument.venue_symbol

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        trade = read(frame).data
        if trade.X not in _PRINTS:
            return ()
        if trade.s != symbol:
            check_owner(trade.s, symbol)
        price, amount = traded(trade.p, trade.q, _TRADED)
        trade_id = str(trade.t)
        return (
            replace(
                template,
                id=prefix + trade_id,
                ts_event=trade.T * 1_000_000,
                ts_recv=ts_recv,
                trade_id=trade_id,
                price=price,
                amount=amount,
                side="sell" if trade.m else "buy",
            ),
        )

    return handle


def on_agg_trade(instrument: Instrument, *, sim: bool) -> Handler:
    """Decode aggregated trades, whose own numbers are kept apart from those of single trades by an "a" in the id."""
    prefix, template, read = f"{instrument.tail}.trade.a", _empty_trade(instrument, sim=sim), frames.read_agg_trade
    symbol = instrument.venue_symbol

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        trade = read(frame).data
        if trade.s != symbol:
            check_owner(trade.s, symbol)
        price, amount = traded(trade.p, trade.q, _TRADED)
        trade_id = str(trade.a) if trade.a is not None else f"{trade.f}-{trade.l}"
        return (
            replace(
                template,
                id=prefix + trade_id,
                ts_event=trade.T * 1_000_000,
                ts_recv=ts_recv,
                trade_id=trade_id,
                price=price,
                amount=amount,
                side="sell" if trade.m else "buy",
            ),
        )

    return handle


def on_book_ticker(instrument: Instrument, *, sim: bool) -> Handler:
    """Decode best bid and offer."""
    prefix, template, read = f"{instrument.tail}.ticker.", _empty_ticker(instrument, sim=sim), frames.read_book_ticker
    symbol = instrument.venue_symbol

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        ticker = read(frame).data
        if ticker.s != symbol:
            check_owner(ticker.s, symbol)
        bid, bid_amount, ask, ask_amount = quotes((ticker.b, ticker.B, ticker.a, ticker.A), _BEST)
        return (
            replace(
                template,
                id=f"{prefix}{ticker.u}",
                ts_event=None if ticker.T is None else ticker.T * 1_000_000,
                ts_recv=ts_recv,
                bid=bid,
                bid_amount=bid_amount,
                ask=ask,
                ask_amount=ask_amount,
                seq=ticker.u,
            ),
        )

    return handle


def on_day_ticker(mark: str, instrument: Instrument, *, sim: bool) -> Handler:
    """Decode the figures of the last 24 hours; more than one of a millisecond is told apart by a checksum of them."""
    prefix, template = f"{instrument.tail}.ticker.{mark}-", _empty_ticker(instrument, sim=sim)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        day = frames.read_day_ticker(frame).data
        check_owner(day.s, instrument.venue_symbol)
        found = figures((day.c, day.o, day.h, day.l, day.v, day.q), _DAY)
        return (
            replace(
                template,
                id=f"{prefix}{day.E}-{_sum(found)}",
                ts_event=day.E * 1_000_000,
                ts_recv=ts_recv,
                last=positive(found[0]),
                open_24h=positive(found[1]),
                high_24h=positive(found[2]),
                low_24h=positive(found[3]),
                volume_24h=found[4] or None,
                quote_volume_24h=found[5] or None,
                change_24h=plain(day.P, "P") if day.P else None,
            ),
        )

    return handle


def on_kline(instrument: Instrument, *, sim: bool) -> Handler:
    """Decode a candle, open or closed as the venue says."""
    prefix = f"{instrument.tail}.candle."

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        kline = frames.read_kline(frame).data
        bar = kline.k
        check_owner(kline.s, instrument.venue_symbol)
        prices = [price_text(text, "k.o, k.h, k.l or k.c") for text in (bar.o, bar.h, bar.l, bar.c)]
        volumes = figures((bar.v, bar.q), ("k.v", "k.q"))
        return (
            FastCandle(
                id=f"{prefix}{bar.i}-{bar.t}-{kline.E}-{_sum(prices + volumes)}",
                venue=instrument.venue,
                symbol=instrument.symbol,
                venue_symbol=instrument.venue_symbol,
                ts_event=kline.E * 1_000_000,
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
                start_ts=bar.t * 1_000_000,
            ),
        )

    return handle


def on_mark_price(instrument: Instrument, *, sim: bool) -> Handler:
    """Decode mark price and funding; `T` here is the next payment, so the push time `E` is the event's."""
    prefix = f"{instrument.tail}.funding."

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        mark = frames.read_mark_price(frame).data
        check_owner(mark.s, instrument.venue_symbol)
        rate = plain(mark.r, "r") if mark.r else None
        price, index = optional_price_text(mark.p, "p"), optional_price_text(mark.i, "i")
        return (
            FastFunding(
                id=f"{prefix}{mark.E}-{_sum((rate or '', price or '', index or ''))}",
                venue=instrument.venue,
                symbol=instrument.symbol,
                venue_symbol=instrument.venue_symbol,
                ts_event=mark.E * 1_000_000,
                ts_recv=ts_recv,
                sim=sim,
                rate=rate,
                next_ts=mark.T * 1_000_000 if mark.T else None,
                mark_price=price,
                index_price=index,
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
        check_owner(order.s, instrument.venue_symbol)
        order_side, position_side = _ORDER_SIDES[order.S]
        price, amount = price_text(order.p, "o.p"), unsigned(order.q, "o.q")
        average = optional_price_text(order.ap, "o.ap")  # 0: nothing was filled yet
        return (
            FastLiquidation(
                id=f"{prefix}{order.T}-{order_side}-{price}-{amount}" + (f"-{average}" if average else ""),
                venue=instrument.venue,
                symbol=instrument.symbol,
                venue_symbol=instrument.venue_symbol,
                ts_event=order.T * 1_000_000,
                ts_recv=ts_recv,
                sim=sim,
                price=price,
                price_kind="limit",
                amount=amount,
                contracts=None,
                position_side=position_side,
                order_side=order_side,
                sampled=True,
                average_price=average,
            ),
        )

    return handle


def _sum(figures: Sequence[str]) -> str:
    return f"{crc32(','.join(figures).encode()):08x}"


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
