"""Accounts at venues as their owner sees them, their limits, and the switch that stops all of an owner's trading."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import AwareDatetime, Field, model_validator

from contracts.numbers import AmountText
from contracts.services.access import Caller, Owner
from contracts.services.trading.events import AccountId
from contracts.services.trading.orders import AccountName, OrderId, TradingModel
from contracts.services.trading.sealed import SealedText

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
    """Make an account: on paper, where no money is in it, or at an exchange, with a key that may trade there."""

    caller: Caller = Field(description="who wants it")
    owner: Owner
    name: AccountName
    venue: str = Field(default=PAPER, min_length=1, max_length=64, description="`paper`, or CCXT's id of the exchange")
    exchange: str | None = Field(
        default=None, min_length=1, max_length=64, description="whose live book a paper account trades on: CCXT's id"
    )
    balance: Amounts | None = Field(default=None, min_length=1, description="what a paper account begins with")
    credential: SealedText | None = Field(
        default=None, description="key and secret of an exchange, sealed for this owner, name and venue"
    )
    limits: Limits = Field(default=Limits(), description="what it may do")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Hold each kind to what it needs."""
        if (self.venue == PAPER) != (self.credential is None):
            raise ValueError("a paper account takes no key; an account at an exchange needs one")
        if (self.venue == PAPER) != (self.exchange is not None) or (self.venue == PAPER) != (self.balance is not None):
            raise ValueError("a paper account needs an exchange and a balance; one at an exchange takes neither")
        return self


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

    id: AccountId
    name: AccountName
    venue: str
    exchange: str
    balances: list[Balance]
    problem: str | None = Field(default=None, description="why its balances are not known now; null where they are")
    limits: Limits
    created_at: AwareDatetime


class AccountList(TradingModel):
    """All of an owner's accounts."""

    items: list[AccountInfo]
    halted: bool = Field(description="whether the owner's trading is stopped")


class TokenIssue(TradingModel):
    """Issue a user token of an account at an exchange: who has it may trade there for its owner."""

    caller: Caller = Field(description="who wants it")
    owner: Owner
    name: AccountName


class TokenRefresh(TokenIssue):
    """Make a token hold longer near its end; from a certain age on it is replaced, and the old one ends soon."""

    token: SealedText = Field(description="the one that there is, sealed as it came")


class TokenIssued(TradingModel):
    """A token, sealed: it is proved by sending it back as it is."""

    token: SealedText
    expires_at: AwareDatetime
    rotate_at: AwareDatetime = Field(description="from when on a refresh gives another token")


class Unlink(TradingModel):
    """End an owner's tokens of an account, and by their wish destroy the key that it trades with."""

    caller: Caller = Field(description="who wants it")
    owner: Owner
    name: AccountName
    destroy: bool = Field(default=True, description="whether the sealed key is destroyed and the account taken away")


class Revoke(TradingModel):
    """End an owner's tokens by force."""

    caller: Caller = Field(description="who wants it")
    owner: Owner
    name: AccountName | None = Field(default=None, description="only those of this account")


class Revoked(TradingModel):
    """How many tokens were ended."""

    tokens: int


class Kill(TradingModel):
    """Stop an owner's trading: no new orders, and every open one is cancelled."""

    caller: Caller = Field(description="who wants it")
    owner: Owner


class Killed(TradingModel):
    """What came of it; asked again it says what is still not confirmed."""

    cancelled: list[OrderId] = Field(description="orders that the venue confirmed as ended")
    waiting: list[OrderId] = Field(description="orders whose end is not confirmed yet: they are asked about further")


class Resume(TradingModel):
    """Let an owner's trading go on, also what was stopped after errors."""

    caller: Caller = Field(description="who wants it")
    owner: Owner


class Resumed(TradingModel):
    """Whether the owner's trading is stopped."""

    halted: bool
