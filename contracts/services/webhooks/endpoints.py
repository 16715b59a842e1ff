"""Requests and replies of `cmd.v1.webhooks.<verb>`: an owner's endpoints. A secret is shown once and kept sealed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    WithJsonSchema,
)

from contracts.arithmetic.exact import MOST_VALUE
from contracts.instrument import VENUE_ALIASES
from contracts.services.access import DAY_SECONDS, Caller, Owner, Page, PageSize
from contracts.services.responses import pages_of
from contracts.services.webhooks.events import EventType

QUEUE: Final = "webhooks"
MOST_CHOSEN: Final = 100  # symbols, or exchanges, of one endpoint
MOST_SECRETS: Final = 8  # of one endpoint that are alive at a time
LONGEST_URL: Final = 2048
LONGEST_OVERLAP: Final = 7 * DAY_SECONDS
Ordering = Literal["none", "symbol"]
EndpointState = Literal["active", "paused", "open", "disabled"]
Clearable = Literal["min_usd", "description"]


def _symbol(text: str) -> str:
    name = text.strip().upper()
    return name if "/" in name else name.replace("-", "/", 1).replace("_", "/", 1)


def _exchange(text: str) -> str:
    name = text.strip().lower()
    return VENUE_ALIASES.get(name, name)


def _usd(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


Symbol = Annotated[str, Field(max_length=64, pattern=r"^[^\s,]{1,64}$"), AfterValidator(_symbol)]
Exchange = Annotated[str, Field(max_length=32, pattern=r"^[A-Za-z0-9]{1,32}$"), AfterValidator(_exchange)]
ENDPOINT_ID: Final = re.compile(r"wh_[0-9a-f]{16}")
EndpointId = Annotated[
    str, Field(pattern=r"^wh_[0-9a-f]{16}$", description="id of an endpoint", examples=["wh_9f86d081884c7d65"])
]
Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_URL,
        description="https, at a public address; without credentials",
        examples=["https://receiver.example/hooks"],
    ),
]
Events = Annotated[
    tuple[EventType, ...],
    Field(min_length=1, max_length=16, strict=False, description="which events", examples=[["whale", "liquidation"]]),
    AfterValidator(_once),
]
Symbols = Annotated[
    tuple[Symbol, ...],
    Field(
        max_length=MOST_CHOSEN,
        strict=False,
        description="only these coins (`BTC`) or instruments (`BTC/USDT`); none for all",
        examples=[["BTC", "ETH"]],
    ),
    AfterValidator(_once),
]
Exchanges = Annotated[
    tuple[Exchange, ...],
    Field(max_length=MOST_CHOSEN, strict=False, description="only these exchanges; none for all"),
    AfterValidator(_once),
]
MinUsd = Annotated[
    Decimal,
    BeforeValidator(_usd),
    Field(ge=0, lt=MOST_VALUE, max_digits=30, strict=False),
    PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "exclusiveMaximum": 1e15}, {"type": "string"}]}),
]
OrderingOf = Annotated[
    Ordering, Field(description="`symbol`: events of one symbol arrive in order, one at a time; `none`: as they can")
]
Description = Annotated[
    str,
    Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="what people call it", examples=["trading bot"]),
]
Secret = Annotated[  # in no repr and no log; the bus carries it
    SecretStr,
    PlainSerializer(lambda value: value.get_secret_value(), return_type=str, when_used="json"),
    Field(
        min_length=1,
        max_length=256,
        description="`whsec_<base64>`, or at least 16 characters of any kind; made where it is left out",
    ),
]
Overlap = Annotated[
    int, Field(ge=0, le=LONGEST_OVERLAP, description="seconds for which events are signed with the old secret, too")
]
RequestKey = Annotated[
    str,
    Field(
        max_length=64,
        pattern=r"^[0-9a-f]+$",
        description="names this request: within a day the same one makes no second endpoint",
    ),
]


class WebhooksModel(BaseModel):
    """What every request and reply is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class OwnerModel(WebhooksModel):
    """Who asks, and whose endpoints are meant: no other owner's are found."""

    owner: Owner
    caller: Caller = Field(description="who wants it, for the audit trail")


class RegisterEndpoint(OwnerModel):
    """Register an endpoint."""

    url: Url
    events: Events
    symbols: Symbols = ()
    exchanges: Exchanges = ()
    min_usd: MinUsd | None = Field(default=None, description="only of so many US dollars, where there is a value")
    ordering: OrderingOf = "none"
    description: Description | None = Field(default=None, description="what people call it")
    secret: Secret | None = Field(default=None, description="what to sign with; made where there is none")
    request_key: RequestKey | None = Field(default=None, description="names this request")


class ListEndpoints(WebhooksModel):
    """An owner's endpoints, the newest first, a page at a time."""

    owner: Owner
    page: Page = 1
    page_size: PageSize = 20


class FindEndpoint(WebhooksModel):
    """One endpoint of an owner."""

    owner: Owner
    id: EndpointId


class ChangedEndpoint(OwnerModel):
    """One endpoint of an owner that is to be changed."""

    id: EndpointId


class EndpointChange(WebhooksModel):
    """What is to be otherwise; what is left out stays."""

    url: Url | None = Field(default=None, description="where to post to from now on")
    events: Events | None = Field(default=None, description="which events from now on")
    symbols: Symbols | None = Field(default=None, description="only these; an empty list for all")
    exchanges: Exchanges | None = Field(default=None, description="only these; an empty list for all")
    min_usd: MinUsd | None = Field(default=None, description="only events of so many US dollars")
    ordering: OrderingOf | None = Field(default=None, description="`symbol` or `none`")
    description: Description | None = Field(default=None, description="what people call it")


class UpdateEndpoint(ChangedEndpoint):
    """Change an endpoint."""

    change: EndpointChange = Field(description="what is to be otherwise")
    clear: tuple[Clearable, ...] = Field(default=(), strict=False, description="what is to be taken away")


class DeleteEndpoint(ChangedEndpoint):
    """Take an endpoint away: what waits for it is not sent any more."""


class PauseEndpoint(ChangedEndpoint):
    """Send nothing until it is resumed: its events wait."""


class ResumeEndpoint(ChangedEndpoint):
    """Send again, what waits first."""


class RotateSecret(ChangedEndpoint):
    """Give an endpoint a new secret; the old one is signed with as well until the overlap ends."""

    secret: Secret | None = Field(default=None, description="the new one; made where there is none")
    overlap_seconds: Overlap = DAY_SECONDS


class TestEndpoint(ChangedEndpoint):
    """Post an event of the type `test` at once."""


class KeysQuery(WebhooksModel):
    """The public keys of `v1a` signatures."""


class EndpointInfo(WebhooksModel):
    """An endpoint as it may be shown: nothing of its secrets."""

    id: EndpointId
    url: str
    events: Events
    symbols: Symbols
    exchanges: Exchanges
    min_usd: MinUsd | None
    ordering: Ordering
    description: str | None
    state: EndpointState = Field(
        description="open: its failures have opened the circuit, it is tried now and then; disabled: it is not"
    )
    state_reason: str | None = Field(description="why it is not active")
    created_at: AwareDatetime
    updated_at: AwareDatetime
    rotated_at: AwareDatetime | None = Field(description="when it got the secret that it has; null for the first")
    previous_ends_at: AwareDatetime | None = Field(
        description="until when events are signed with a secret that it had before, too; null where they are not"
    )


class EndpointShown(EndpointInfo):
    """An endpoint with its secret, this once."""

    secret: str = Field(description="it cannot be had again", examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class EndpointPage(WebhooksModel):
    """One page of endpoints."""

    items: list[EndpointInfo]
    total: int
    page: int
    page_size: int
    pages: int


class TestReply(WebhooksModel):
    """What the receiver answered to a test event, or why it did not."""

    event_id: str = Field(description="`webhook-id` of what was posted")
    delivered: bool = Field(description="whether the receiver answered 2xx")
    status: int | None = Field(description="of the answer; null without one")
    seconds: float
    answer: str | None = Field(description="the first KB of the answer")
    error: str | None = Field(description="why no answer came, or why nothing was sent")


class PublicKey(WebhooksModel):
    """One key as a JWK (RFC 8037), and in the form of Standard Webhooks."""

    kid: str
    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    alg: Literal["EdDSA"] = "EdDSA"
    use: Literal["sig"] = "sig"
    x: str = Field(description="the key's 32 bytes, base64url without padding")
    whpk: str = Field(description="the same as `whpk_<base64>`")


class KeysReply(WebhooksModel):
    """The public keys, that which signs first."""

    keys: list[PublicKey]


def page_of(items: list[Any], total: int, query: ListEndpoints) -> EndpointPage:
    """Return a page of endpoints."""
    pages = pages_of(total, query.page_size)
    return EndpointPage(items=items, total=total, page=query.page, page_size=query.page_size, pages=pages)
