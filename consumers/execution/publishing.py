"""Publishes orders and their executions on the TRADING stream, each version and each execution once."""

from __future__ import annotations

from typing import Final

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
from runtime.trading.order_events import changed, fills_of

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
