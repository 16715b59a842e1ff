"""Orders as events and by their ids: the same for live orders and for those of backtests. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from contracts.services.trading.events import OrderChanged, OrderFilled
from contracts.services.trading.orders import OrderStatus
from runtime.trading.order import Order

_ID_CHARACTERS: Final = 16


def order_id_of(account_id: str, client_id: str) -> str:
    """Return the id of an order: the same client id of the same account is the same order."""
    return hashlib.sha256(f"{account_id}.{client_id}".encode()).hexdigest()[:_ID_CHARACTERS]


def shown_status(order: Order) -> OrderStatus:
    """Return its state as owners see it."""
    match order.status:
        case "intended" | "unknown":
            return "pending"
        case status:
            return status


def changed(order: Order) -> OrderChanged:
    """Return the event of an order's present version."""
    return OrderChanged(
        id=f"{order.id}.{order.version}",
        ts=order.updated_ns or order.created_ns,
        account=order.account,
        owner=order.owner,
        venue=order.venue,
        symbol=order.symbol,
        order_id=order.id,
        client_id=order.client_id,
        number=order.version,
        side=order.side,
        type=order.type,
        status=shown_status(order),
        amount=order.amount,
        filled=order.filled,
        price=order.price,
        average_price=order.average_price,
        reason=order.reason,
        error=order.error,
        strategy=order.strategy,
    )


def fills_of(order: Order) -> Iterator[OrderFilled]:
    """Return the events of the executions that an order has; those that were published have the ids that they had."""
    for fill in order.fills:
        yield OrderFilled(
            id=f"{order.id}.fill.{fill.id}",
            ts=order.updated_ns or order.created_ns,
            account=order.account,
            owner=order.owner,
            venue=order.venue,
            symbol=order.symbol,
            order_id=order.id,
            client_id=order.client_id,
            fill_id=fill.id,
            side=order.side,
            amount=fill.amount,
            price=fill.price,
            fee=fill.fee,
            fee_currency=fill.fee_currency,
            ts_event=fill.ts,
            strategy=order.strategy,
        )
