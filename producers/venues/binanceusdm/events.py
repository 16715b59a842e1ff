"""Binance USD-M's handlers by event type: a combined frame in, its event out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from operator import attrgetter
from typing import Final

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.families import binance_events as family
from producers.families.binance_events import Handler, MakeHandler
from producers.families.binance_tables import trades
from producers.normalize.events import Makers
from producers.normalize.numbers import optional_price_text, plain, price_text, unsigned
from producers.normalize.tables import chosen, integer
from producers.venue import Decoded
from producers.venues.binanceusdm import wire

# The partial books of `@depth5`, `@depth10` and `@depth20` have the event type of the changes: the stream says which.
PARTIAL: Final = "partialDepth"
_PRINTS: Final = ("MARKET", None)
_DAY: Final = ("c", "o", "h", "l", "v", "q")
_TRADES: Final = trades("data.t", chosen("data.X", {"MARKET": None}, or_absent=True))
_AGGREGATES: Final = trades("data.a", integer("data.f"), integer("data.l"))
_ORDER_SIDES: Final = {"SELL": ("sell", "long"), "BUY": ("buy", "short")}


def _is_print(trade: wire.Trade) -> bool:
    """Return whether a trade is a print: what the insurance fund or a deleveraging took over is none."""
    return trade.X in _PRINTS


def _on_mark_price(instrument: Instrument, *, makers: Makers) -> Handler:
    """Decode mark price and funding; `T` here is the next payment, so the push time `E` is the event's."""
    prefix, make = f"{instrument.tail}.funding.", makers.maker("funding", instrument)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        mark = wire.read_mark_price(frame).data
        family.check_owner(mark.s, instrument.venue_symbol)
        rate = plain(mark.r, "r") if mark.r else None
        price, index = optional_price_text(mark.p, "p"), optional_price_text(mark.i, "i")
        return (
            make(
                id=f"{prefix}{mark.E}-{family.checksum((rate or '', price or '', index or ''))}",
                ts_event=mark.E * 1_000_000,
                ts_recv=ts_recv,
                rate=rate,
                next_ts=mark.T * 1_000_000 if mark.T else None,
                mark_price=price,
                index_price=index,
            ),
        )

    return handle


def _on_force_order(instrument: Instrument, *, makers: Makers) -> Handler:
    """Decode a liquidation: selling closes a long. At most the latest one per symbol and second is sent: a sample."""
    prefix = f"{instrument.tail}.liquidation."
    make = makers.maker("liquidation", instrument, price_kind="limit", sampled=True)

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        order = wire.read_force_order(frame).data.o
        if order.S not in _ORDER_SIDES:
            msg = f"forceOrder: field `S` is {order.S!r}, expected BUY or SELL"
            raise FrameError(msg, field="S")
        family.check_owner(order.s, instrument.venue_symbol)
        order_side, position_side = _ORDER_SIDES[order.S]
        price, amount = price_text(order.p, "o.p"), unsigned(order.q, "o.q")
        average = optional_price_text(order.ap, "o.ap")  # 0: nothing was filled yet
        return (
            make(
                id=f"{prefix}{order.T}-{order_side}-{price}-{amount}" + (f"-{average}" if average else ""),
                ts_event=order.T * 1_000_000,
                ts_recv=ts_recv,
                price=price,
                amount=amount,
                position_side=position_side,
                order_side=order_side,
                average_price=average,
            ),
        )

    return handle


HANDLERS: Final[Mapping[str, MakeHandler]] = {
    "trade": partial(family.on_trade, wire.read_trade, "", table=_TRADES, carried=_is_print),
    "aggTrade": partial(family.on_trade, wire.read_agg_trade, "a", table=_AGGREGATES),
    "bookTicker": partial(family.on_book_ticker, wire.read_book_ticker),
    "24hrTicker": partial(family.on_day_ticker, wire.read_day_ticker, _DAY, mark="24h"),
    "24hrMiniTicker": partial(family.on_day_ticker, wire.read_day_ticker, _DAY, mark="mini"),
    "kline": partial(family.on_kline, wire.read_kline),
    "markPriceUpdate": _on_mark_price,
    "forceOrder": _on_force_order,
    "depthUpdate": partial(family.on_depth, wire.read_depth, attrgetter("pu"), decimals=3),
    PARTIAL: partial(family.on_depth, wire.read_depth, lambda _depth: None, decimals=3, mark="top-"),
}
