"""What a stream client may send, decoded or refused with a code that names what was wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, cast, get_args

import msgspec
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from contracts.errors import HydrophoneError, InvalidParameterError
from contracts.market import Timeframe
from contracts.schema import literals
from contracts.schema.literals import SentAt

PRICE: Final = "price"
TRADES: Final = "trades"
WHALES: Final = "whales"
LIQUIDATIONS: Final = "liquidations"
BOOK: Final = "book"
CANDLES: Final = "candles"
ALERTS: Final = "alerts"
CHANNELS: Final = (PRICE, TRADES, WHALES, LIQUIDATIONS, BOOK, CANDLES, ALERTS)
STATES: Final = (PRICE, BOOK, CANDLES)  # channels of state: the newest one says it all
OF_ALL: Final = (WHALES, LIQUIDATIONS, ALERTS)  # channels of what is rare: without a symbol they are of every one
TIMEFRAMES: Final[tuple[str, ...]] = get_args(Timeframe)
MOST_SYMBOLS: Final = 200
LONGEST_INTERVAL: Final = 3600
LONGEST_ID: Final = 128
Named = Annotated[str, StringConstraints(pattern=r"\S")]
Id = Annotated[str, Field(max_length=LONGEST_ID)] | int | bool


class BadMessageError(HydrophoneError):
    """The message is no JSON object."""

    code = "INVALID_BODY"


class ClientMessage(BaseModel):
    """What every message of a client is; unknown fields are tolerated. The answers to it have its `id`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")
    id: Id | None = None

    @property
    def answered(self) -> dict[str, Any]:
        """What each answer to it has."""
        return {} if self.id is None else {"id": self.id}


class Auth(ClientMessage):
    """The key as first message."""

    key: str = Field(min_length=1)


class SubscriptionRequest(ClientMessage):
    """Subscribe or unsubscribe: a channel for some symbols.

    `interval`: what is new is sent together once in so many seconds; None for everything at once.
    """

    type: Literal["subscribe", "unsubscribe"]
    channel: str = PRICE
    symbol: Named | None = None
    symbols: list[Named] | None = None
    interval: int | None = Field(default=None, ge=1, le=LONGEST_INTERVAL)
    timeframe: Timeframe = "1m"

    @property
    def named(self) -> tuple[str, ...]:
        """The symbols that are meant, each once; an empty name stands for all of them."""
        named = [self.symbol] if self.symbol is not None else []
        return tuple(dict.fromkeys([*named, *(self.symbols or ())])) or ("",)


class Ping(ClientMessage):
    """Answered by a pong."""


class ListSubscriptions(ClientMessage):
    """Answered by what is subscribed."""


MESSAGES: Final[dict[str, type[ClientMessage]]] = {
    "auth": Auth,
    "subscribe": SubscriptionRequest,
    "unsubscribe": SubscriptionRequest,
    "ping": Ping,
    "get_subscriptions": ListSubscriptions,
}
_BOUNDS: Final = {"minimum": 1, "maximum": LONGEST_INTERVAL}
_FAULTS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "key": ("Field key must be the API key as text", {}),
    "id": ("Field id must be a short text or a whole number", {}),
    "interval": (f"Field interval must be whole seconds from 1 to {LONGEST_INTERVAL}", _BOUNDS),
    "timeframe": ("Field timeframe is not supported", {"supported_values": list(TIMEFRAMES)}),
    "symbols": ("Field symbols must be a list of texts", {}),
    "symbol": ("Field symbol (or symbols) must name what is meant", {}),
}


def read_fields(text: str | None) -> dict[str, Any]:
    """Read one message; raises BadMessageError for what is no JSON object."""
    if text is None:
        raise BadMessageError("Messages are JSON text, not binary")
    try:
        fields = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadMessageError(f"The message is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadMessageError("The message is no JSON object")
    return cast("dict[str, Any]", fields)


def find_id(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the `id` of a message that may be refused, for the answer; empty where it has none that is one."""
    given: Any = fields.get("id")
    fits = isinstance(given, int) or (isinstance(given, str) and len(given) <= LONGEST_ID)
    return {"id": given} if fits else {}


def decode(fields: dict[str, Any]) -> ClientMessage:
    """Decode one message; raises the HydrophoneError that says what is wrong with it."""
    kind: Any = fields.get("type")
    model = MESSAGES.get(kind) if isinstance(kind, str) else None
    if model is None:
        given = kind if isinstance(kind, str) else "(none)"
        raise InvalidParameterError(
            f"Message type {given[:64]} is not supported", parameter="type", supported_types=list(MESSAGES)
        )
    if model is SubscriptionRequest:
        _check_channel(fields)
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise _field_error(error) from None


def unknown_channel(name: str, supported: Iterable[str]) -> InvalidParameterError:
    """Return the error of a channel that is not supported."""
    message = f"Channel {name[:64]} is not supported"
    return InvalidParameterError(message, parameter="channel", supported_channels=list(supported))


def _check_channel(fields: dict[str, Any]) -> None:
    """Raise what the fields say together: the channel, what it takes, and how many symbols."""
    channel = fields.get("channel", PRICE)
    if channel not in CHANNELS:
        raise unknown_channel(str(channel), CHANNELS)
    symbol, symbols = fields.get("symbol"), cast("list[Any] | None", fields.get("symbols"))
    if symbol is None and (symbols == [] or (symbols is None and channel not in OF_ALL)):
        raise InvalidParameterError(_FAULTS["symbol"][0], parameter="symbol")
    if isinstance(symbols, list) and len(symbols) + (symbol is not None) > MOST_SYMBOLS:
        raise InvalidParameterError(
            f"At most {MOST_SYMBOLS} symbols in one message", parameter="symbols", maximum=MOST_SYMBOLS
        )


def _field_error(error: ValidationError) -> InvalidParameterError:
    """Return the error of the first field at fault; a list of symbols with a bad one in it names none."""
    field, *within = error.errors(include_url=False)[0]["loc"]
    name = "symbol" if within and field == "symbols" else str(field)
    message, details = _FAULTS[name]
    return InvalidParameterError(message, parameter=name, **details)


def error_message(error: HydrophoneError, now_ns: int, answered: Mapping[str, Any] = MappingProxyType({})) -> bytes:
    """Return the message that says what was wrong; `answered` is what answers to the refused message have."""
    body = {"code": error.code, "message": error.message, "details": error.details}
    return literals.encode({"type": "error", **body, **answered, "timestamp": SentAt()}, now_ns)
