"""Events of orders, on `order.v1.<what>.<account>`: whoever keeps an owner's positions or messages reads them there.

They are on a stream that no subscriber reads: each is an owner's. What comes again has the same id.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts import subjects
from contracts.market import Name, Nanoseconds, Side, Text
from contracts.numbers import AmountText, DecimalText, PriceText
from contracts.services.trading.orders import OrderStatus, OrderType
from contracts.services.trading.refusals import Refusal

ORDER_SCHEMA: Final = "order/1"
FILL_SCHEMA: Final = "fill/1"
FOREIGN_SCHEMA: Final = "foreign_order/1"
TRIPPED_SCHEMA: Final = "trading_tripped/1"
AccountId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="our id of the account")]


class AccountEvent(BaseModel):
    """What every event of an account carries."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    id: Name = Field(description="stable: an event that comes again has the same")
    ts: Nanoseconds = Field(description="when it came to be known, ns UTC")
    account: AccountId
    owner: Name
    venue: Name = Field(description="CCXT's id of the exchange, or `paper`")


class TradingEvent(AccountEvent):
    """What every event of an account's orders carries."""

    symbol: Name = Field(description="unified (CCXT) symbol, or as the venue writes it where nothing of it is known")


class OrderChanged(TradingEvent):
    """An order is not as it was; the newest version counts."""

    order_id: Name
    client_id: Name
    number: int = Field(ge=1, description="of the order's versions: grows with each change")
    side: Side
    type: OrderType
    status: OrderStatus
    amount: AmountText
    filled: AmountText
    price: PriceText | None
    average_price: PriceText | None
    reason: Text | None
    error: Refusal | None = Field(default=None, description="why it was rejected; null in every other status")
    strategy: Name | None

    @property
    def subject(self) -> str:
        """Where it is published."""
        return f"{subjects.ORDER}changed.{self.account}"


class OrderFilled(TradingEvent):
    """One execution of an order."""

    order_id: Name
    client_id: Name
    fill_id: Name = Field(description="the venue's own")
    side: Side
    amount: AmountText
    price: PriceText
    fee: DecimalText
    fee_currency: Name
    ts_event: Nanoseconds = Field(description="the venue's clock, ns UTC")
    strategy: Name | None

    @property
    def subject(self) -> str:
        """Where it is published."""
        return f"{subjects.ORDER}filled.{self.account}"


class ForeignOrder(TradingEvent):
    """An order is open at the venue that is nobody's here: neither adopted nor cancelled."""

    venue_order_id: Name
    client_id: Name | None
    what: Literal["open"] = "open"

    @property
    def subject(self) -> str:
        """Where it is published."""
        return f"{subjects.ORDER}foreign.{self.account}"


class TradingTripped(AccountEvent):
    """Orders are refused from now on until the owner resumes: errors came one after another, or nobody could act.

    A trip by errors holds for all of the owner's orders at the venue, or for those of one strategy; a lost heartbeat
    refuses nothing by itself: who acts again goes on, and what was open is cancelled.
    """

    what: Literal["venue", "strategy", "heartbeat"]
    strategy: Name | None = Field(description="whose orders are refused; null: all of the venue")
    errors: int = Field(ge=0, description="in a row, without one that went well between them")
    reason: Text = Field(description="the last error in words, or what was not reached")

    @property
    def subject(self) -> str:
        """Where it is published."""
        return f"{subjects.ORDER}tripped.{self.account}"
