"""Takes what a strategy wants to trading, by client ids: what is sent again makes no second order."""

from __future__ import annotations

from typing import Final, Literal

from nats.errors import Error as NatsError

from consumers.strategies.kept import Kept
from contracts.errors import (
    ConflictError,
    HydrophoneError,
    InvalidParameterError,
    LimitReachedError,
    NotFoundError,
)
from contracts.services.trading.orders import CancelOrder, CreateOrder, ListOrders, OrderInfo, OrderPage
from contracts.services.trading.strategy_events import WantedOrder
from runtime.clients.command_client import CommandClient
from runtime.strategies.running import Running

REFUSALS: Final = (InvalidParameterError, ConflictError, LimitReachedError, NotFoundError)
FAILURES: Final = (HydrophoneError, NatsError)
"""What may be over the next time that it is tried: trading or its documents are away, no book is live."""
_MOST: Final = 100  # of the newest orders among which one is looked for by its client id
Sent = Literal["sent", "unknown"]


class Sender:
    """Sends for one strategy."""

    def __init__(self, client: CommandClient, kept: Kept) -> None:
        self._client, self._kept = client, kept

    async def send(self, wanted: WantedOrder, running: Running) -> Sent:
        """Return once trading has it; `unknown` where the order that is to be cancelled is not known.

        Raises one of REFUSALS where it never will be, one of FAILURES where it is not known.
        """
        if wanted.what == "place":
            await self.place(wanted)
            return "sent"
        order_id = await self._find_id(wanted.client_id, running)
        if order_id is None:
            return "unknown"
        cancel = CancelOrder(owner=self._kept.owner, id=order_id)
        await self._client.request("trading.cancel_order", cancel, OrderInfo)
        return "sent"

    async def place(self, wanted: WantedOrder) -> OrderInfo:
        """Place an order; one that was placed before is that one."""
        if wanted.side is None or wanted.type is None or wanted.amount is None:
            raise InvalidParameterError("an order needs side, type and amount", parameter="wanted")
        request = CreateOrder(
            owner=self._kept.owner,
            account=self._kept.account,
            symbol=self._kept.symbol,
            side=wanted.side,
            type=wanted.type,
            amount=wanted.amount,
            price=wanted.price,
            post_only=wanted.post_only,
            reduce_only=wanted.reduce_only,
            client_id=wanted.client_id,
            strategy=self._kept.id,
        )
        return await self._client.request("trading.create_order", request, OrderInfo)

    async def list_orders(self) -> list[OrderInfo]:
        """Return the account's newest orders."""
        query = ListOrders(owner=self._kept.owner, account=self._kept.account, page_size=_MOST)
        return (await self._client.request("trading.list_orders", query, OrderPage)).items

    async def _find_id(self, client_id: str, running: Running) -> str | None:
        order = running.state.orders.items.get(client_id)
        if order is not None and order.order_id is not None:
            return order.order_id
        return next((one.id for one in await self.list_orders() if one.client_id == client_id), None)
