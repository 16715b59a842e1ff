"""Publishes orders and their executions on the TRADING stream, each version and each execution once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from consumers.execution.account import shown_status
from contracts import streams
from contracts.services.trading.events import (
    FILL_SCHEMA,
    FOREIGN_SCHEMA,
    ORDER_SCHEMA,
    TRIPPED_SCHEMA,
    ForeignOrder,
    OrderChanged,
    OrderFilled,
    TradingTripped,
)
from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA
from runtime import retry
from runtime.nats.bus import Bus
from runtime.trading.order import Order

_WITHIN: Final = retry.Policy(timeout=3.0)


class BusPublisher:
    """The bus as an executor needs it."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def publish(self, order: Order) -> None:
        """Publish an order's executions, then the order; nats.errors.Error where the stream does not take it in 3 s."""
        for fill in fills_of(order):
            await self._send(fill, FILL_SCHEMA)
        await self._send(changed(order), ORDER_SCHEMA)

    async def publish_foreign(self, event: ForeignOrder) -> None:
        """Publish that an order at a venue is nobody's; raises as `publish` does."""
        await self._send(event, FOREIGN_SCHEMA)

    async def publish_trip(self, event: TradingTripped) -> None:
        """Publish that orders are stopped; raises as `publish` does."""
        await self._send(event, TRIPPED_SCHEMA)

    async def _send(self, event: OrderChanged | OrderFilled | ForeignOrder | TradingTripped, schema: str) -> None:
        headers = {HEADER_MESSAGE_ID: event.id, HEADER_SCHEMA: schema}
        body = event.model_dump_json().encode()
        await self._bus.publish_acked(event.subject, body, headers=headers, stream=streams.TRADING, policy=_WITHIN)


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
