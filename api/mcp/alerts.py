"""Tools for a key that may write alerts: why one came, and price alerts in two steps, a preview and the deed.

The preview gives a token that holds the alert, sealed for the key's owner: nothing is kept in between, so that any copy
of this service with the same pepper takes it. A token makes one alert, however often it is sent.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from mcp.types import Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.alerts import formats
from api.alerts.schemas import AlertOut, NewAlert, Taken, WhyOut, rule_of
from api.http.access.keys import ALERTS_WRITE, Identity
from api.market.documents import Fields
from contracts.errors import InvalidParameterError
from contracts.schema.literals import iso
from contracts.services import alerts
from contracts.services.explaining import Explanation
from contracts.services.replies.market import Quality
from runtime import clock
from runtime.app.contract_decoder import invalid_parameter
from runtime.clients.command_client import CommandClient

M = TypeVar("M", bound=BaseModel)
TOKEN_NS: Final = 300 * 1_000_000_000  # for which a preview holds
_PURPOSE: Final = b"mcp.price_alert\0"
_LONGEST_TOKEN: Final = 4096
FindPrice = Callable[[str], Awaitable[Fields]]
"""Returns the present price of a symbol; raises where there is none."""


class AlertId(Taken):
    """Which alert."""

    id: Annotated[str, Field(max_length=256, description="id of a price alert, of an alert that fired, or a signal")]


class Token(Taken):
    """What a preview gave."""

    token: Annotated[str, Field(max_length=_LONGEST_TOKEN, description="of the preview; it holds for five minutes")]


class Dated(BaseModel):
    """What every result says."""

    model_config = ConfigDict(extra="allow")

    timestamp: datetime = Field(description="when the answer was sent")
    age: float = Field(description="seconds since what is answered was so")
    quality: Quality


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


class Sealed(BaseModel):
    """What a token holds."""

    owner: str
    until: int
    alert: NewAlert


def _tool(name: str, title: str, description: str, models: tuple[type[BaseModel], type[BaseModel]]) -> Tool:
    given, result = models
    writes = name == "create_price_alert"
    hints = ToolAnnotations(
        title=title, read_only_hint=not writes, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    return Tool(
        name=name,
        title=title,
        description=description,
        input_schema=given.model_json_schema(),
        output_schema=result.model_json_schema(),
        annotations=hints,
    )


TOOLS: Final = {
    tool.name: tool
    for tool in (
        _tool(
            "explain_alert",
            "Why an alert came",
            "Why an alert or a signal came: the comparisons of its rule, run again over the recorded events, the "
            "cooldown, and the deliveries.",
            (AlertId, Why),
        ),
        _tool(
            "preview_price_alert",
            "Price alert, preview",
            "First step: checks a price alert and gives the present price and a token. Nothing is made. Show it to the "
            "person, and call create_price_alert with the token when they agree.",
            (NewAlert, Preview),
        ),
        _tool(
            "create_price_alert",
            "Price alert",
            "Second step: makes the price alert of a preview, by its token. The same token makes one alert.",
            (Token, Made),
        ),
    )
}


class AlertTools:
    """Calls the alerts service for a key's owner; `secret` seals tokens."""

    def __init__(self, commands: CommandClient, secret: bytes) -> None:
        self._commands, self._secret = commands, secret

    def offered(self, identity: Identity | None) -> dict[str, Tool]:
        """Return the tools that a key may use, by name."""
        return TOOLS if identity is not None and identity.known and ALERTS_WRITE in identity.scopes else {}

    async def call(self, name: str, arguments: Fields, owner: str, find_price: FindPrice) -> Fields:
        """Return the result of a tool; raises the error of what is refused."""
        now_ns = clock.now_ns()
        dated: Fields = {"timestamp": iso(now_ns), "age": 0.0, "quality": "live"}
        if name == "explain_alert":
            query = alerts.AlertWhyQuery(id=_read(AlertId, arguments).id, owner=owner)
            found = await self._commands.request("alerts.why", query, Explanation)
            return {**dated, **formats.explained(found)}
        if name == "preview_price_alert":
            return await self._preview(_read(NewAlert, arguments), owner, find_price)
        sealed, token = self._open(_read(Token, arguments).token, owner, now_ns), arguments["token"]
        request = alerts.CreateAlert(
            owner=owner,
            rule=rule_of(sealed.alert),
            expires_at=sealed.alert.expires_at,
            note=sealed.alert.note,
            deliver=alerts.Deliver(**sealed.alert.deliver.model_dump()),
            request_key=hashlib.sha256(str(token).encode()).hexdigest(),
        )
        made = await self._commands.request("alerts.create", request, alerts.PriceAlert)
        return {**dated, **formats.resource(made)}

    async def _preview(self, alert: NewAlert, owner: str, find_price: FindPrice) -> Fields:
        rule_of(alert)
        price = await find_price(alert.symbol)
        until = clock.now_ns() + TOKEN_NS
        body = Sealed(owner=owner, until=until, alert=alert).model_dump_json(exclude_unset=True).encode()
        shown = {name: price[name] for name in ("timestamp", "age", "quality", "symbol", "price")}
        return {
            **shown,
            "token": f"{urlsafe_b64encode(body).decode()}.{self._mac(body)}",
            "expires_at": iso(until),
            "alert": alert.model_dump(mode="json", exclude_unset=True),
        }

    def _open(self, token: str, owner: str, now_ns: int) -> Sealed:
        """Return what a token holds; InvalidParameterError for one that is not ours, not the owner's, or too old."""
        encoded, _, mac = token.partition(".")
        try:
            body = urlsafe_b64decode(encoded.encode())
        except ValueError:
            body = b""
        if not hmac.compare_digest(self._mac(body).encode(), mac.encode()):
            raise InvalidParameterError("This is no token of a preview", parameter="token")
        sealed = Sealed.model_validate_json(body)
        if sealed.owner != owner:
            raise InvalidParameterError("This is no token of a preview", parameter="token")
        if sealed.until < now_ns:
            raise InvalidParameterError("The token is too old: preview it again", parameter="token")
        return sealed

    def _mac(self, body: bytes) -> str:
        return hmac.new(self._secret, _PURPOSE + body, hashlib.sha256).hexdigest()


def _read(kind: type[M], arguments: Fields) -> M:
    try:
        return kind.model_validate(arguments)
    except ValidationError as error:
        raise invalid_parameter(error) from None
