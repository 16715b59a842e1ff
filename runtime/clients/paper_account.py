"""The paper account that everybody has: made when something is first placed on it, so that trading needs no key."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Protocol, TypeVar

from pydantic import BaseModel

from contracts.errors import AlreadyExistsError, NotFoundError
from contracts.services.access import Caller
from contracts.services.trading.accounts import PAPER, AccountInfo, CreateAccount
from contracts.services.trading.orders import OrderTerms

EXCHANGE: Final = "binance"  # whose live book it trades on where none is named
BALANCE: Final[Mapping[str, Decimal]] = {"USDT": Decimal(10_000)}
M = TypeVar("M", bound=BaseModel)


class Commands(Protocol):
    """What sends commands of the contracts."""

    async def request(self, name: str, query: BaseModel, reply: type[M]) -> M:
        """Return the reply; raises the error that was replied."""
        ...


def paper_account(caller: Caller, owner: str) -> CreateAccount:
    """Return the request that makes an owner's paper account."""
    return CreateAccount(caller=caller, owner=owner, name=PAPER, exchange=EXCHANGE, balance=dict(BALANCE))


async def open_paper(commands: Commands, caller: Caller, owner: str) -> None:
    """Make an owner's paper account where there is none yet."""
    try:
        await commands.request("trading.create_account", paper_account(caller, owner), AccountInfo)
    except AlreadyExistsError:  # it was made meanwhile
        return


class PaperCommands:
    """Sends what names an account; the paper account is made where it is the one that is named and missing."""

    def __init__(self, commands: Commands, caller: Caller) -> None:
        self._commands, self._caller = commands, caller

    async def request(self, verb: str, terms: OrderTerms, reply: type[M]) -> M:
        """Return the reply to a command of trading; raises its error."""
        try:
            return await self._commands.request(f"trading.{verb}", terms, reply)
        except NotFoundError as error:
            if terms.account != PAPER or error.details.get("name") != PAPER:
                raise
        await open_paper(self._commands, self._caller, terms.owner)
        return await self._commands.request(f"trading.{verb}", terms, reply)
