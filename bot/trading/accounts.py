"""Accounts of a Telegram user: whose they are, which one is meant, and the token that goes with an order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel

from bot.commands.price_alerts import owner_of
from bot.commands.visiting import Services
from bot.page import Visit
from bot.trading.drafts import mark_of
from bot.trading.state import TraderState
from contracts.errors import NotFoundError, UnauthorizedError
from contracts.services.access import Caller
from contracts.services.trading.accounts import PAPER, AccountInfo, AccountList, ListAccounts
from contracts.services.trading.sealed import SealedText
from runtime.clients.paper_account import open_paper
from runtime.vault import Vault

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class TradingServices:
    """What trading in Telegram works with; without a vault no account at an exchange can be linked."""

    services: Services
    state: TraderState
    vault: Vault | None

    async def send(self, verb: str, request: BaseModel, reply: type[M]) -> M:
        """Return the reply to a command of trading; raises its error."""
        return await self.services.requests.request(f"trading.{verb}", request, reply)

    async def accounts(self, visit: Visit) -> AccountList:
        """Return a user's accounts; who has none has a paper account from now on."""
        found = await self.listed(visit)
        if found.items:
            return found
        await open_paper(self.services.requests, caller_of(visit), owner(visit))
        return await self.listed(visit)

    async def listed(self, visit: Visit) -> AccountList:
        """Return a user's accounts as they are."""
        return await self.send("list_accounts", ListAccounts(owner=owner(visit)), AccountList)

    async def marked(self, mark: str, visit: Visit) -> AccountInfo | None:
        """Return the account that a button stands for; None where it is gone."""
        return next((one for one in (await self.accounts(visit)).items if mark_of(one.name) == mark), None)

    async def named(self, name: str, visit: Visit) -> AccountInfo:
        """Return an account by its name; NotFoundError where there is none."""
        found = next((one for one in (await self.accounts(visit)).items if one.name == name), None)
        if found is None:
            raise NotFoundError(f"There is no account {name}", name=name)
        return found

    async def token(self, account: AccountInfo, visit: Visit) -> SealedText | None:
        """Return the token that an order of an account goes with; UnauthorizedError where there is none any more."""
        if account.venue == PAPER:
            return None
        held, _ = await self.state.token(visit.user_id, account.name)
        if held is None:
            raise UnauthorizedError(f"The link of {account.name} has ended", name=account.name)
        return held.token


def owner(visit: Visit) -> str:
    """Return whose a user's accounts are."""
    return owner_of(visit.user_id)


def caller_of(visit: Visit) -> Caller:
    """Return who asks, for the audit trail."""
    return Caller(actor=owner(visit), address=None)


def free_of(account: AccountInfo, currency: str) -> Decimal:
    """Return what an account has free of a currency."""
    return next((one.free for one in account.balances if one.currency == currency), Decimal(0))
