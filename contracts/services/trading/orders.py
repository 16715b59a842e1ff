"""Orders and fills as their owner sees them, and the requests about them."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from contracts.market import Side
from contracts.numbers import AmountText, DecimalText, PriceText
from contracts.services.access import Owner, Page, PageSize
from contracts.services.market import Symbol
from contracts.services.trading.refusals import Refusal
from contracts.services.trading.sealed import SealedText

QUEUE: Final = "execution"
OrderType = Literal["market", "limit"]
OrderStatus = Literal["pending", "open", "filled", "cancelled", "rejected"]
AccountName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", description="the owner's name of the account", examples=["paper"]),
]
OrderId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="id of an order", examples=["1f0c9a4be1d27c35"])]
ClientId = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]{1,36}$",
        description="names the order: the same one makes no second order",
        examples=["c-1"],
    ),
]
Amount = Annotated[AmountText, Field(gt=0, description="base coin; a decimal as text", examples=["0.5"])]
Price = Annotated[PriceText, Field(description="in the quote; a decimal as text", examples=["65000"])]
Token = Annotated[
    SealedText | None,
    Field(description="the user token: needed where a Telegram user's account is at an exchange, as it was issued"),
]


class TradingModel(BaseModel):
    """What every request and reply is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class OrderTerms(TradingModel):
    """What is to be bought or sold."""

    owner: Owner
    account: AccountName
    symbol: Symbol
    side: Side = Field(description="buy or sell")
    type: OrderType = Field(description="market: at once, at what the book shows; limit: at this price or a better one")
    amount: Amount
    price: Price | None = Field(default=None, description="of a limit order; none of a market order")
    post_only: bool = Field(default=False, description="rather not at all than as a taker; limit orders only")
    reduce_only: bool = Field(default=False, description="sells what there is at most; never more than is held")
    paper_only: bool = Field(default=False, description="refused where the account is at an exchange")
    token: Token = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Hold each type to what it needs."""
        if (self.price is None) != (self.type == "market"):
            raise ValueError("a limit order needs a price, a market order takes none")
        if self.post_only and self.type == "market":
            raise ValueError("post_only is for limit orders")
        if self.reduce_only and self.side == "buy":
            raise ValueError("reduce_only is for sells: there are no short positions to buy back")
        return self


class PreviewOrder(OrderTerms):
    """What an order would come to, without placing it."""


class CreateOrder(OrderTerms):
    """Place an order."""

    client_id: ClientId | None = Field(default=None, description="null: a new one is made, and the order is a new one")
    strategy: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{16}$", description="id of the strategy that wants it; null where nobody's"
    )


class Preview(TradingModel):
    """What an order would come to, by the book of now; all null but the terms where the book cannot say."""

    amount: AmountText = Field(description="as it would be sent, rounded to the venue's step")
    price: PriceText | None = Field(
        description="as it would be sent; of a market order what it would fill at on average"
    )
    fee: AmountText | None
    fee_currency: str
    total: AmountText | None = Field(description="paid for a buy with the fee, received for a sell less the fee")


class OrderInfo(TradingModel):
    """An order as its owner sees it."""

    id: OrderId
    client_id: str
    account: AccountName
    symbol: str
    side: Side
    type: OrderType
    status: OrderStatus = Field(description="pending: not known to be at the venue yet")
    amount: AmountText
    filled: AmountText
    price: PriceText | None
    average_price: PriceText | None
    fee: DecimalText = Field(description="below zero for a rebate; in `fee_currency`")
    fee_currency: str | None
    reason: str | None = Field(description="why it is not as it was wanted")
    error: Refusal | None = Field(
        default=None,
        description="why it was rejected, with the field and the rule at fault; null in every other status",
    )
    created_at: AwareDatetime


class FindOrder(TradingModel):
    """One order of an owner."""

    owner: Owner
    id: OrderId


class CancelOrder(FindOrder):
    """Cancel an order as far as that can be said now."""

    token: Token = None


class ListOrders(TradingModel):
    """An owner's orders, the newest first, a page at a time."""

    owner: Owner
    account: AccountName | None = Field(default=None, description="only of this account")
    status: OrderStatus | None = Field(default=None, description="only those in this state")
    page: Page = 1
    page_size: PageSize = 20


class OrderPage(TradingModel):
    """One page of orders."""

    items: list[OrderInfo]
    total: int
    page: int
    page_size: int
    pages: int


class ListFills(TradingModel):
    """What an owner's orders executed, the newest orders first, a page of orders at a time."""

    owner: Owner
    account: AccountName | None = Field(default=None, description="only of this account")
    page: Page = 1
    page_size: PageSize = 20


class FillInfo(TradingModel):
    """One execution."""

    id: str
    order_id: OrderId
    account: AccountName
    symbol: str
    side: Side
    amount: AmountText
    price: PriceText
    fee: DecimalText
    fee_currency: str
    time: AwareDatetime


class FillPage(TradingModel):
    """The executions of one page of orders."""

    items: list[FillInfo]
    total: int = Field(description="orders with executions")
    page: int
    page_size: int
    pages: int
