"""What a stream client may send, decoded or refused with a code that names what was wrong. Pure."""

from __future__ import annotations

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
PACED: Final = (PRICE, BOOK, CANDLES)  # channels of state, where one in a while says as much
TIMEFRAMES: Final[tuple[str, ...]] = get_args(Timeframe)
MOST_SYMBOLS: Final = 100
LONGEST_INTERVAL: Final = 3600
LONGEST_ID: Final = 128
Named = Annotated[str, StringConstraints(pattern=r"\S")]


class BadMessageError(HydrophoneError):
    """The message is no JSON object with a `type`."""

    code = "BAD_MESSAGE"


class UnknownTypeError(HydrophoneError):
    """No such message type; details list the supported ones."""

    code = "UNKNOWN_TYPE"


class UnknownChannelError(HydrophoneError):
    """No such channel; details list the supported ones."""

    code = "UNKNOWN_CHANNEL"


class ClientMessage(BaseModel):
    """What every message of a client is; unknown fields are tolerated."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Auth(ClientMessage):
    """The key as first message."""

    key: str = Field(min_length=1)


class SubscriptionRequest(ClientMessage):
    """Subscribe or unsubscribe: a channel for some symbols; `interval` in seconds, None for every change."""

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
    """Answered by a pong with the same `id`."""

    id: Annotated[str, Field(max_length=LONGEST_ID)] | int | bool | None = None


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


def decode(text: str | None) -> ClientMessage:
    """Decode one message; raises the HydrophoneError that says what is wrong with it."""
    if text is None:
        raise BadMessageError("Messages are JSON text, not binary")
    try:
        fields = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadMessageError(f"The message is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadMessageError("The message is no JSON object")
    named = cast("dict[str, Any]", fields)
    kind: Any = named.get("type")
    model = MESSAGES.get(kind) if isinstance(kind, str) else None
    if model is None:
        given = kind if isinstance(kind, str) else "(none)"
        raise UnknownTypeError(f"Message type {given[:64]} is not supported", supported_types=list(MESSAGES))
    if model is SubscriptionRequest:
        _check_channel(named)
    try:
        return model.model_validate(named)
    except ValidationError as error:
        raise _field_error(error) from None


def _check_channel(fields: dict[str, Any]) -> None:
    """Raise what the fields say together: the channel, what it takes, and how many symbols."""
    channel = fields.get("channel", PRICE)
    if channel not in CHANNELS:
        raise UnknownChannelError(f"Channel {str(channel)[:64]} is not supported", supported_channels=list(CHANNELS))
    if fields.get("interval") is not None and channel not in PACED:
        raise InvalidParameterError(
            f"Field interval is not supported for {channel}", parameter="interval", supported_channels=list(PACED)
        )
    symbol, symbols = fields.get("symbol"), cast("list[Any] | None", fields.get("symbols"))
    if symbol is None and (symbols == [] or (symbols is None and channel != ALERTS)):
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


def error_message(error: HydrophoneError, now_ns: int) -> bytes:
    """Return the message that says what was wrong."""
    body = {"code": error.code, "message": error.message, "details": error.details}
    return literals.encode({"type": "error", **body, "timestamp": SentAt()}, now_ns)
