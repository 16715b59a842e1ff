"""Accounts at venues as their owner sees them, their limits, and the switch that stops all of an owner's trading."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from contracts.numbers import AmountText
from contracts.services.access import Caller, Owner
from contracts.services.trading.orders import AccountName, OrderId, TradingModel

MOST_ACCOUNTS: Final = 20  # of one owner
PAPER: Final = "paper"
Currency = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,16}$", description="a coin, or the currency of a quote")]
Amounts = Annotated[dict[Currency, AmountText], Field(max_length=32)]


class Limits(TradingModel):
    """What an account may do; what is left out is not limited. Money is by the quote's currency."""

    order_value: Amounts = Field(default_factory=dict, description="what one order may be worth")
    daily_loss: Amounts = Field(
        default_factory=dict, description="after so much lost since 00:00 UTC no orders but sells are taken"
    )
    open_orders: int | None = Field(default=None, ge=1, le=1000, description="orders that may be open at a time")
    symbols: list[str] | None = Field(default=None, max_length=200, description="the only symbols that are allowed")


class CreateAccount(TradingModel):
    """Make a paper account: its orders fill against the live book of an exchange, and no money is in it."""

    caller: Caller = Field(description="who wants it")
    owner: Owner
    name: AccountName
    venue: Literal["paper"] = Field(default=PAPER, description="the kind of account")
    exchange: str = Field(min_length=1, max_length=64, description="whose book a paper account trades on: CCXT's id")
    balance: Amounts = Field(min_length=1, description="what a paper account begins with")
    limits: Limits = Field(default=Limits(), description="what it may do")


class ListAccounts(TradingModel):
    """An owner's accounts, by name."""

    owner: Owner


class DeleteAccount(TradingModel):
    """Take an account away; one with orders that are not finished stays."""

    caller: Caller = Field(description="who wants it")
    owner: Owner
    name: AccountName


class Balance(TradingModel):
    """What an account has of one currency."""

    currency: str
    free: AmountText
    held: AmountText = Field(description="by orders that are open")


class AccountInfo(TradingModel):
    """An account as it may be shown: nothing secret is in it."""

    name: AccountName
    venue: str
    exchange: str
    balances: list[Balance]
    limits: Limits
    created_at: AwareDatetime


class AccountList(TradingModel):
    """All of an owner's accounts."""

    items: list[AccountInfo]
    halted: bool = Field(description="whether the owner's trading is stopped")


class Kill(TradingModel):
    """Stop an owner's trading: no new orders, and every open one is cancelled."""

    caller: Caller = Field(description="who wants it")
    owner: Owner


class Killed(TradingModel):
    """What came of it; asked again it says what is still not confirmed."""

    cancelled: list[OrderId] = Field(description="orders that the venue confirmed as ended")
    waiting: list[OrderId] = Field(description="orders whose end is not confirmed yet: they are asked about further")


class Resume(TradingModel):
    """Let an owner's trading go on."""

    caller: Caller = Field(description="who wants it")
    owner: Owner


class Resumed(TradingModel):
    """Whether the owner's trading is stopped."""

    halted: bool
