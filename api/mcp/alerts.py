"""Tools for a key that may write alerts: why one came, and price alerts in two steps, a preview and the deed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from mcp.types import Tool
from pydantic import Field

from api.alerts import formats
from api.alerts.schemas import AlertOut, NewAlert, Taken, WhyOut, rule_of
from api.http.access.keys import ALERTS_WRITE, Identity
from api.market.documents import Fields
from api.mcp.steps import Dated, FindPrice, Token, Tokens, make_tool, name_of, read
from contracts.schema.literals import iso
from contracts.services import alerts
from contracts.services.explaining import Explanation
from runtime import clock
from runtime.clients.command_client import CommandClient


class AlertId(Taken):
    """Which alert."""

    id: Annotated[str, Field(max_length=256, description="id of a price alert, of an alert that fired, or a signal")]


class Why(WhyOut, Dated):
    """Why an alert came."""


class Preview(Dated):
    """What would be made, beside the present price; nothing is made yet."""

    symbol: str
    price: float
    token: str = Field(description="for create_price_alert, to make it")
    expires_at: datetime = Field(description="until when the token holds")
    alert: dict[str, Any] = Field(description="the price alert")


class Made(AlertOut, Dated):
    """The price alert."""


TOOLS: Final[Mapping[str, Tool]] = {
    tool.name: tool
    for tool in (
        make_tool(
            "explain_alert",
            "Why an alert came",
            "Why an alert or a signal came: the comparisons of its rule, run again over the recorded events, the "
            "cooldown, and the deliveries.",
            (AlertId, Why),
        ),
        make_tool(
            "preview_price_alert",
            "Price alert, preview",
            "First step: checks a price alert and gives the present price and a token. Nothing is made. Show it to the "
            "person, and call create_price_alert with the token when they agree.",
            (NewAlert, Preview),
        ),
        make_tool(
            "create_price_alert",
            "Price alert",
            "Second step: makes the price alert of a preview, by its token. The same token makes one alert.",
            (Token, Made),
            writes=True,
        ),
    )
}


class AlertTools:
    """Calls the alerts service for a key's owner; `secret` seals tokens."""

    scope = ALERTS_WRITE
    tools = TOOLS

    def __init__(self, commands: CommandClient, secret: bytes) -> None:
        self._commands, self.tokens = commands, Tokens(secret, "mcp.price_alert")

    async def call(self, name: str, arguments: Fields, identity: Identity, find_price: FindPrice) -> Fields:
        """Return the result of a tool; raises the error of what is refused."""
        now_ns, owner = clock.now_ns(), identity.owner
        dated: Fields = {"timestamp": iso(now_ns), "age": 0.0, "quality": "live"}
        if name == "explain_alert":
            query = alerts.AlertWhyQuery(id=read(AlertId, arguments).id, owner=owner)
            found = await self._commands.request("alerts.why", query, Explanation)
            return {**dated, **formats.explained(found)}
        if name == "preview_price_alert":
            return await self._preview(read(NewAlert, arguments), owner, find_price)
        token = read(Token, arguments).token
        alert = self.tokens.open(token, owner, NewAlert, now_ns)
        request = alerts.CreateAlert(
            owner=owner,
            rule=rule_of(alert),
            expires_at=alert.expires_at,
            note=alert.note,
            deliver=alerts.Deliver(**alert.deliver.model_dump()),
            request_key=name_of(token),
        )
        made = await self._commands.request("alerts.create", request, alerts.PriceAlert)
        return {**dated, **formats.resource(made)}

    async def _preview(self, alert: NewAlert, owner: str, find_price: FindPrice) -> Fields:
        rule_of(alert)
        price = await find_price(alert.symbol)
        shown = {name: price[name] for name in ("timestamp", "age", "quality", "symbol", "price")}
        return {
            **shown,
            **self.tokens.seal(owner, alert),
            "alert": alert.model_dump(mode="json", exclude_unset=True),
        }
