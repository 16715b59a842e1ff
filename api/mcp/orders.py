"""Tools for a key that may trade: orders on paper in two steps, a preview and the deed. No order here moves money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from mcp.types import Tool
from pydantic import BaseModel, Field

from api.http.access.keys import TRADE, Identity
from api.market.documents import Fields, read_exactly
from api.mcp.steps import Dated, FindPrice, Token, Tokens, make_tool, name_of, read
from api.trading.orders import terms_of
from api.trading.schemas import NewPreview, OrderOut, PreviewOut
from contracts.schema import literals
from contracts.schema.literals import iso
from contracts.services.access import Caller
from contracts.services.trading import orders
from contracts.services.trading.accounts import PAPER
from contracts.services.trading.orders import AccountName
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.clients.paper_account import PaperCommands

_KEY_CHARACTERS: Final = 32


class PaperOrder(NewPreview):
    """An order on paper."""

    account: AccountName = PAPER


class Previewed(PreviewOut, Dated):
    """What the order would come to by the book of now; nothing is placed yet."""

    token: str = Field(description="for create_paper_order, to place it")
    expires_at: datetime = Field(description="until when the token holds")
    order: dict[str, Any] = Field(description="the order")


class Placed(OrderOut, Dated):
    """The order."""


TOOLS: Final[Mapping[str, Tool]] = {
    tool.name: tool
    for tool in (
        make_tool(
            "preview_paper_order",
            "Paper order, preview",
            "First step: what an order on a paper account would come to by the live book, with fee and total, and a "
            "token. Nothing is placed. Show it to the person, and call create_paper_order with the token when they "
            "agree.",
            (PaperOrder, Previewed),
        ),
        make_tool(
            "create_paper_order",
            "Paper order",
            "Second step: places the order of a preview on the paper account, by its token. The same token places one "
            "order. No money is moved: accounts at exchanges are refused.",
            (Token, Placed),
            writes=True,
        ),
    )
}


class OrderTools:
    """Calls execution for a key's owner; `secret` seals tokens."""

    scope = TRADE
    tools = TOOLS

    def __init__(self, commands: CommandClient, secret: bytes) -> None:
        self._commands, self.tokens = commands, Tokens(secret, "mcp.paper_order")

    async def call(self, name: str, arguments: Fields, identity: Identity, find_price: FindPrice) -> Fields:
        """Return the result of a tool; raises the error of what is refused."""
        commands = PaperCommands(self._commands, Caller(actor=identity.uid))
        if name == "preview_paper_order":
            given = read(PaperOrder, arguments)
            request = orders.PreviewOrder(owner=identity.owner, paper_only=True, **terms_of(given))
            found = await commands.request("preview", request, orders.Preview)
            price = await find_price(given.symbol)
            shown = {name: price[name] for name in ("timestamp", "age", "quality")}
            order = given.model_dump(mode="json", exclude_none=True)
            return {**shown, **_exact(found), **self.tokens.seal(identity.owner, given), "order": order}
        now_ns = clock.now_ns()
        token = read(Token, arguments).token
        given = self.tokens.open(token, identity.owner, PaperOrder, now_ns)
        client_id = name_of(token)[:_KEY_CHARACTERS]
        request = orders.CreateOrder(owner=identity.owner, client_id=client_id, paper_only=True, **terms_of(given))
        made = await commands.request("create_order", request, orders.OrderInfo)
        return {"timestamp": iso(now_ns), "age": 0.0, "quality": "live", **_exact(made)}


def _exact(found: BaseModel) -> Fields:
    fields: Fields = read_exactly(literals.encode(literals.exact(found), clock.now_ns()))
    return fields
