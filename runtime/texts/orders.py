"""Texts of what becomes of an owner's orders, as they are sent to the owner's chat. Pure."""

from __future__ import annotations

from contracts.services.trading.events import ForeignOrder, OrderChanged, OrderFilled, TradingTripped
from runtime.texts.figures import number
from runtime.texts.markup import Html, code, fit, join
from runtime.texts.reader import Reader
from runtime.texts.refusals import why


def filled(event: OrderFilled, reader: Reader) -> Html:
    """Return the message of one execution."""
    said = reader.say(
        "order_event.filled",
        symbol=event.symbol,
        side=reader.plain(f"order_event.side.{event.side}"),
        amount=number(event.amount),
        price=number(event.price),
    )
    fee = reader.say("order_event.fee", fee=number(event.fee), currency=event.fee_currency)
    return fit([said, join([fee, _order(event, reader), _strategy(event.strategy, reader)])])


def rejected(event: OrderChanged, reader: Reader) -> Html:
    """Return the message of an order that was not placed."""
    about = join([_order(event, reader), _strategy(event.strategy, reader)])
    return fit([reader.say("order_event.rejected", symbol=event.symbol), *why(event, reader), about])


def foreign(event: ForeignOrder, reader: Reader) -> Html:
    """Return the message of an order at a venue that is nobody's here."""
    order = code(event.venue_order_id)
    return reader.say("order_event.foreign", symbol=event.symbol, venue=event.venue, order=order)


def tripped(event: TradingTripped, reader: Reader) -> Html:
    """Return the message of orders that were stopped."""
    said = reader.say(
        f"order_event.tripped.{event.what}",
        venue=event.venue,
        strategy=code(event.strategy or ""),
        errors=event.errors,
    )
    reason = reader.say("order_event.reason", reason=event.reason)
    return fit([said, reason] if event.what == "heartbeat" else [said, reason, reader.say("order_event.resume")])


def _order(event: OrderFilled | OrderChanged, reader: Reader) -> Html:
    return reader.say("order_event.order", order=code(event.order_id), venue=event.venue)


def _strategy(strategy: str | None, reader: Reader) -> Html:
    return Html("") if strategy is None else reader.say("order_event.strategy", strategy=code(strategy))
