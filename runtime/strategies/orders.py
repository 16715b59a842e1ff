"""A strategy's own orders as its state has them, folded from what is published of them. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.arithmetic.exact import EXACT
from contracts.market import Side
from contracts.numbers import AmountText, DecimalText, PriceText
from contracts.services.trading.events import OrderChanged, OrderFilled
from contracts.services.trading.orders import OrderType
from contracts.services.trading.strategy_events import StrategyRefused, WantedOrder

OwnOrderEvent = OrderChanged | OrderFilled | StrategyRefused
OwnStatus = Literal["wanted", "open", "filled", "cancelled", "rejected"]
FINAL: Final[frozenset[str]] = frozenset({"filled", "cancelled", "rejected"})
REMEMBERED: Final = 64  # orders that were taken out: what comes again of them is known
_ZERO: Final = Decimal(0)


class StateModel(BaseModel):
    """What every part of a state is: frozen, and the same text for the same content."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Terms(StateModel):
    """What is to be bought or sold; without a price at once, at what the book shows."""

    side: Side
    amount: AmountText
    price: PriceText | None = None
    post_only: bool = False
    reduce_only: bool = False

    @property
    def type(self) -> OrderType:
        """Limit where there is a price."""
        return "market" if self.price is None else "limit"


class OwnOrder(StateModel):
    """One order of a strategy, from the moment that it is wanted."""

    client_id: str
    tag: str = Field(description="what the strategy calls it")
    terms: Terms
    status: OwnStatus = "wanted"
    order_id: str | None = Field(default=None, description="known once something was published of it")
    number: int = Field(default=0, description="of the newest version that was seen")
    counted: AmountText = Field(default=_ZERO, description="executed, by the order")
    named: AmountText = Field(default=_ZERO, description="executed, by its executions")
    value: AmountText = Field(default=_ZERO, description="of these, in the quote")
    fee_in_base: DecimalText = _ZERO
    fills: tuple[str, ...] = Field(default=(), strict=False)
    cancelling: bool = Field(default=False, description="whether the strategy wants it cancelled")
    reason: str | None = None

    @property
    def is_ended(self) -> bool:
        """Whether it has ended, and all of its executions are known."""
        return self.status in FINAL and self.named >= self.counted

    @property
    def is_live(self) -> bool:
        """Whether it may still execute."""
        return self.status not in FINAL

    @property
    def moved(self) -> Decimal:
        """How much of the base coin it brought; of a sell how much it took, as far as is known."""
        return EXACT.subtract(self.named, self.fee_in_base) if self.terms.side == "buy" else self.named


class OwnOrders(StateModel):
    """The orders that are not taken out yet, by client id; `next` numbers the one that is placed next."""

    next: int = 1
    items: dict[str, OwnOrder] = Field(default_factory=dict[str, OwnOrder])
    past: dict[str, tuple[str, ...]] = Field(default_factory=dict[str, tuple[str, ...]], strict=False)

    @property
    def live(self) -> list[OwnOrder]:
        """Those that may still execute."""
        return [order for order in self.items.values() if order.is_live]

    @property
    def ended(self) -> list[OwnOrder]:
        """Those that have ended, with all of their executions."""
        return [order for order in self.items.values() if order.is_ended]

    def tagged(self, tag: str) -> OwnOrder | None:
        """Return the newest order of a tag that was not taken out."""
        found = [order for order in self.items.values() if order.tag == tag]
        return found[-1] if found else None

    def place(self, strategy: str, terms: Terms, tag: str) -> tuple[OwnOrders, WantedOrder]:
        """Return them with one more, and the wish to place it; its client id follows from strategy and number."""
        client_id = f"{strategy}-{self.next}"
        order = OwnOrder(client_id=client_id, tag=tag, terms=terms)
        wanted = WantedOrder(
            what="place",
            client_id=client_id,
            side=terms.side,
            type=terms.type,
            amount=terms.amount,
            price=terms.price,
            post_only=terms.post_only,
            reduce_only=terms.reduce_only,
        )
        return self._with(order, next=self.next + 1), wanted

    def cancel(self, client_id: str) -> tuple[OwnOrders, WantedOrder | None]:
        """Return them with one on its way to its end; no wish where it has ended or was wished before."""
        order = self.items.get(client_id)
        if order is None or not order.is_live or order.cancelling:
            return self, None
        wanted = WantedOrder(what="cancel", client_id=client_id)
        return self._with(order.model_copy(update={"cancelling": True})), wanted

    def without(self, client_id: str) -> OwnOrders:
        """Return them with one taken out."""
        items = {key: order for key, order in self.items.items() if key != client_id}
        past = {**self.past, client_id: self.items[client_id].fills}
        while len(past) > REMEMBERED:
            del past[next(iter(past))]
        return self.model_copy(update={"items": items, "past": past})

    def dropped(self, client_id: str, reason: str) -> OwnOrders:
        """Return them with one ended that was never sent."""
        order = self.items.get(client_id)
        if order is None:
            return self
        return self._with(order.model_copy(update={"status": "cancelled", "reason": reason, "cancelling": True}))

    def fold(self, event: OwnOrderEvent) -> OwnOrders:
        """Return them after an event of one of them; what comes again or late changes nothing."""
        order = self.items.get(event.client_id)
        if order is None:
            return self
        match event:
            case OrderChanged():
                return self if event.number <= order.number else self._with(_changed(order, event))
            case OrderFilled():
                return self if event.id in order.fills else self._with(_filled(order, event))
            case StrategyRefused():
                if order.status != "wanted":
                    return self
                return self._with(order.model_copy(update={"status": "rejected", "reason": event.reason}))

    def knows(self, event: OrderFilled) -> bool:
        """Return whether an execution was folded before."""
        order = self.items.get(event.client_id)
        fills = self.past.get(event.client_id, ()) if order is None else order.fills
        return event.id in fills

    def _with(self, order: OwnOrder, **fields: object) -> OwnOrders:
        return self.model_copy(update={"items": {**self.items, order.client_id: order}, **fields})


def _changed(order: OwnOrder, event: OrderChanged) -> OwnOrder:
    return order.model_copy(
        update={
            "status": "wanted" if event.status == "pending" else event.status,
            "order_id": event.order_id,
            "number": event.number,
            "counted": max(order.counted, event.filled),
            "reason": event.reason,
        }
    )


def _filled(order: OwnOrder, event: OrderFilled) -> OwnOrder:
    base = event.symbol.partition("/")[0]
    fee = event.fee if event.fee_currency == base else _ZERO
    return order.model_copy(
        update={
            "order_id": event.order_id,
            "named": EXACT.add(order.named, event.amount),
            "value": EXACT.add(order.value, EXACT.multiply(event.amount, event.price)),
            "fee_in_base": EXACT.add(order.fee_in_base, fee),
            "fills": (*order.fills, event.id),
        }
    )
