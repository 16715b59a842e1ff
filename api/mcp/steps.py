"""What is done in two steps: a preview gives a token, and the deed takes it.

A token holds what is to be done, sealed for a key's owner: nothing is kept in between, so that any copy of this service
with the same pepper takes it. It holds for five minutes, and stands for one deed, however often it is sent.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Final, Protocol, TypeVar

from mcp.types import Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.http.access.keys import Identity
from api.market.documents import Fields
from contracts.errors import InvalidParameterError
from contracts.schema.literals import iso
from contracts.services.replies.market import Quality
from runtime import clock
from runtime.app.contract_decoder import invalid_parameter

M = TypeVar("M", bound=BaseModel)
TOKEN_NS: Final = 300 * 1_000_000_000  # for which a preview holds
_LONGEST_TOKEN: Final = 4096
FindPrice = Callable[[str], Awaitable[Fields]]
"""Returns the present price of a symbol; raises where there is none."""


class OwnTools(Protocol):
    """Tools for keys with a scope, which call a service for the key's owner."""

    scope: str

    @property
    def tools(self) -> Mapping[str, Tool]:
        """Its tools by name."""
        ...

    async def call(self, name: str, arguments: Fields, identity: Identity, find_price: FindPrice) -> Fields:
        """Return the result of a tool; raises the error of what is refused."""
        ...


class Token(BaseModel):
    """What a preview gave."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: Annotated[str, Field(max_length=_LONGEST_TOKEN, description="of the preview; it holds for five minutes")]


class Dated(BaseModel):
    """What every result says."""

    model_config = ConfigDict(extra="allow")

    timestamp: datetime = Field(description="when the answer was sent")
    age: float = Field(description="seconds since what is answered was so")
    quality: Quality


class Sealed(BaseModel):
    """What a token holds."""

    owner: str
    until: int
    body: str


class Tokens:
    """Seals what a preview was of for one purpose; `secret` is this service's."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._secret, self._purpose = secret, purpose.encode() + b"\0"

    def seal(self, owner: str, given: BaseModel) -> Fields:
        """Return the token of what was given, and until when it holds."""
        until = clock.now_ns() + TOKEN_NS
        sealed = Sealed(owner=owner, until=until, body=given.model_dump_json(exclude_unset=True))
        body = sealed.model_dump_json().encode()
        return {"token": f"{urlsafe_b64encode(body).decode()}.{self._mac(body)}", "expires_at": iso(until)}

    def open(self, token: str, owner: str, kind: type[M], now_ns: int) -> M:
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
        return kind.model_validate_json(sealed.body)

    def _mac(self, body: bytes) -> str:
        return hmac.new(self._secret, self._purpose + body, hashlib.sha256).hexdigest()


def name_of(token: str) -> str:
    """Return what a token's deed is known by, so that it is done once."""
    return hashlib.sha256(token.encode()).hexdigest()


def read(kind: type[M], arguments: Fields) -> M:
    """Return what a tool was given; InvalidParameterError names the first argument at fault."""
    try:
        return kind.model_validate(arguments)
    except ValidationError as error:
        raise invalid_parameter(error) from None


def make_tool(
    name: str, title: str, description: str, models: tuple[type[BaseModel], type[BaseModel]], *, writes: bool = False
) -> Tool:
    """Return a tool by what it takes and gives."""
    given, result = models
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
