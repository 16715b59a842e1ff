"""What the routes of accounts and orders take and give; decimals are taken as numbers or text, and given as numbers."""

from __future__ import annotations

from typing import Annotated, Any, Final, cast

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, WithJsonSchema

from contracts.market import Side
from contracts.numbers import AmountText, as_text
from contracts.services.access import Page, PageSize
from contracts.services.market import Symbol
from contracts.services.trading.accounts import PAPER, Balance, Currency, Limits
from contracts.services.trading.orders import (
    AccountName,
    Amount,
    ClientId,
    FillInfo,
    OrderId,
    OrderInfo,
    OrderStatus,
    OrderType,
    Preview,
    Price,
)
from contracts.services.webhooks.events import Number

MOST_SECRET: Final = 4096  # characters: some exchanges give out private keys as PEM


def _amounts_as_text(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: as_text(amount) for name, amount in cast("dict[str, object]", value).items()}


_GIVEN: Final = WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}]})
_GIVEN_AMOUNTS: Final = WithJsonSchema(
    {"type": "object", "additionalProperties": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}}
)
GivenAmount = Annotated[Amount, BeforeValidator(as_text), _GIVEN]
GivenPrice = Annotated[Price, BeforeValidator(as_text), _GIVEN]
GivenAmounts = Annotated[
    dict[Currency, AmountText], Field(max_length=32), BeforeValidator(_amounts_as_text), _GIVEN_AMOUNTS
]
Numbers = dict[str, Number]
AccountInPath = Annotated[str, Path(max_length=64, description="name of an account", examples=["paper"])]
OrderInPath = Annotated[str, Path(max_length=64, description="id of an order", examples=["1f0c9a4be1d27c35"])]


class Taken(BaseModel):
    """What a request may hold: nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GivenLimits(Taken):
    """What an account may do; what is left out is not limited. Money is by the quote's currency."""

    order_value: GivenAmounts = Field(default_factory=dict, description="what one order may be worth")
    daily_loss: GivenAmounts = Field(
        default_factory=dict, description="after so much lost since 00:00 UTC no orders but sells are taken"
    )
    open_orders: int | None = Field(default=None, ge=1, le=1000, description="orders that may be open at a time")
    symbols: list[str] | None = Field(default=None, max_length=200, description="the only symbols that are allowed")

    def as_limits(self) -> Limits:
        """Return the same for a command."""
        return Limits(**{name: getattr(self, name) for name in type(self).model_fields})


class NewAccount(Taken):
    """An account to be made: on paper, or at an exchange with a key that may trade there and not withdraw."""

    name: AccountName = PAPER
    venue: str = Field(default=PAPER, min_length=1, max_length=64, description="`paper`, or CCXT's id of the exchange")
    key: SecretStr | None = Field(default=None, max_length=MOST_SECRET, description="of an exchange; sealed at once")
    secret: SecretStr | None = Field(default=None, max_length=MOST_SECRET, description="of an exchange; sealed at once")
    exchange: str | None = Field(
        default=None, min_length=1, max_length=64, description="the live book of a paper account; null: binance"
    )
    balance: GivenAmounts | None = Field(
        default=None, min_length=1, description="what a paper account begins with; null: 10,000 USDT"
    )
    limits: GivenLimits = Field(default=GivenLimits(), description="what it may do")


class NewPreview(Taken):
    """What an order would come to."""

    account: AccountName
    symbol: Symbol = Field(examples=["BTC/USDT"])
    side: Side
    type: OrderType = Field(description="market: at once, at what the book shows; limit: at this price or a better one")
    amount: GivenAmount
    price: GivenPrice | None = Field(default=None, description="of a limit order; none of a market order")
    post_only: bool = Field(default=False, description="rather not at all than as a taker; limit orders only")
    reduce_only: bool = Field(default=False, description="sells what there is at most")


class NewOrder(NewPreview):
    """An order to be placed."""

    client_id: ClientId | None = Field(default=None, description="null: a new one is made, and the order is a new one")


class OrdersParameters(Taken):
    """Which orders."""

    account: AccountName | None = None
    status: Annotated[OrderStatus | None, Field(description="only those in this state")] = None
    page: Page = 1
    page_size: PageSize = 20


class FillsParameters(Taken):
    """Which executions: those of one page of orders."""

    account: AccountName | None = None
    page: Page = 1
    page_size: PageSize = 20


class BalanceOut(Balance):
    """What an account has of one currency."""

    free: Number
    held: Number


class LimitsOut(BaseModel):
    """What an account may do."""

    order_value: Numbers
    daily_loss: Numbers
    open_orders: int | None
    symbols: list[str] | None


class AccountOut(BaseModel):
    """An account: nothing secret is in it."""

    id: str
    name: str
    venue: str
    exchange: str
    balances: list[BalanceOut]
    limits: LimitsOut
    problem: str | None = Field(description="why the account cannot be read or used now")
    created_at: AwareDatetime


class AccountsOut(BaseModel):
    """All of your accounts, on one page."""

    items: list[AccountOut]
    total: int
    page: int
    page_size: int
    pages: int
    halted: bool = Field(description="whether your trading is stopped")


class PreviewOut(Preview):
    """What an order would come to, by the book of now; null where the book cannot say."""

    amount: Number
    price: Number | None
    fee: Number | None
    total: Number | None


class OrderOut(OrderInfo):
    """An order."""

    amount: Number
    filled: Number
    price: Number | None
    average_price: Number | None
    fee: Number


class FillOut(FillInfo):
    """One execution."""

    amount: Number
    price: Number
    fee: Number


class KilledOut(BaseModel):
    """What came of stopping; asked again it says what is still not confirmed."""

    halted: bool
    cancelled: list[OrderId] = Field(description="orders that the venue confirmed as ended")
    waiting: list[OrderId] = Field(description="orders whose end is not confirmed yet: they are asked about further")
