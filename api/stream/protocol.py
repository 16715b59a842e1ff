"""What a stream client may say, decoded or refused with a code that names what was wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

import msgspec

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
TYPES: Final = ("auth", "subscribe", "unsubscribe", "ping", "get_subscriptions")
TIMEFRAMES: Final[tuple[str, ...]] = get_args(Timeframe)
MOST_SYMBOLS: Final = 100
LONGEST_INTERVAL: Final = 3600
LONGEST_ID: Final = 128


class BadMessageError(HydrophoneError):
    """The message is no JSON object with a `type`."""

    code = "BAD_MESSAGE"


class UnknownTypeError(HydrophoneError):
    """No such message type; details list the supported ones."""

    code = "UNKNOWN_TYPE"


class UnknownChannelError(HydrophoneError):
    """No such channel; details list the supported ones."""

    code = "UNKNOWN_CHANNEL"


@dataclass(frozen=True, slots=True)
class Auth:
    """The key as first message."""

    key: str


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """Subscribe or unsubscribe: a channel for some symbols; `interval` in seconds, None for every change."""

    channel: str
    symbols: tuple[str, ...]
    interval: int | None = None
    timeframe: str = "1m"
    remove: bool = False


@dataclass(frozen=True, slots=True)
class Ping:
    """Answered by a pong with the same `id`."""

    id: Any = None


@dataclass(frozen=True, slots=True)
class ListSubscriptions:
    """Answered by what is subscribed."""


ClientMessage = Auth | SubscriptionRequest | Ping | ListSubscriptions


def decode(text: str | None) -> ClientMessage:
    """Decode one message; a HydrophoneError says what is wrong with it."""
    fields = _fields(text)
    kind = fields.get("type")
    match kind:
        case "auth":
            return Auth(_key(fields))
        case "subscribe" | "unsubscribe":
            return _request(fields, remove=kind == "unsubscribe")
        case "ping":
            return Ping(_id(fields.get("id")))
        case "get_subscriptions":
            return ListSubscriptions()
        case _:
            said = kind if isinstance(kind, str) else "(none)"
            raise UnknownTypeError(f"Message type {said[:64]} is not supported", supported_types=list(TYPES))


def _fields(text: str | None) -> Mapping[str, Any]:
    if text is None:
        raise BadMessageError("Messages are JSON text, not binary")
    try:
        fields = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadMessageError(f"The message is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadMessageError("The message is no JSON object")
    return cast("dict[str, Any]", fields)


def _key(fields: Mapping[str, Any]) -> str:
    key = fields.get("key")
    if not isinstance(key, str) or not key:
        raise InvalidParameterError("Field key must be the API key as text", parameter="key")
    return key


def _id(value: Any) -> Any:
    if value is None or isinstance(value, bool | int) or (isinstance(value, str) and len(value) <= LONGEST_ID):
        return value
    raise InvalidParameterError("Field id must be a short text or a whole number", parameter="id")


def _request(fields: Mapping[str, Any], *, remove: bool) -> SubscriptionRequest:
    channel = fields.get("channel", PRICE)
    if channel not in CHANNELS:
        raise UnknownChannelError(f"Channel {str(channel)[:64]} is not supported", supported_channels=list(CHANNELS))
    return SubscriptionRequest(
        channel=channel,
        symbols=_symbols(fields, channel),
        interval=_interval(fields.get("interval"), channel),
        timeframe=_timeframe(fields.get("timeframe", "1m")),
        remove=remove,
    )


def _symbols(fields: Mapping[str, Any], channel: str) -> tuple[str, ...]:
    one, many = fields.get("symbol"), fields.get("symbols")
    if one is None and many is None and channel == ALERTS:
        return ("",)
    given: list[Any] = [] if one is None else [one]
    if isinstance(many, list):
        given.extend(cast("list[Any]", many))
    elif many is not None:
        raise InvalidParameterError("Field symbols must be a list of texts", parameter="symbols")
    symbols = [symbol for symbol in given if isinstance(symbol, str) and symbol.strip()]
    if not given or len(symbols) != len(given):
        raise InvalidParameterError("Field symbol (or symbols) must name what is meant", parameter="symbol")
    if len(symbols) > MOST_SYMBOLS:
        raise InvalidParameterError(
            f"At most {MOST_SYMBOLS} symbols in one message", parameter="symbols", maximum=MOST_SYMBOLS
        )
    return tuple(dict.fromkeys(symbols))


def _interval(value: Any, channel: str) -> int | None:
    if value is None:
        return None
    if channel not in PACED:
        raise InvalidParameterError(
            f"Field interval is not supported for {channel}", parameter="interval", supported_channels=list(PACED)
        )
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LONGEST_INTERVAL:
        raise InvalidParameterError(
            f"Field interval must be whole seconds from 1 to {LONGEST_INTERVAL}",
            parameter="interval",
            minimum=1,
            maximum=LONGEST_INTERVAL,
        )
    return value


def _timeframe(value: Any) -> str:
    if value not in TIMEFRAMES:
        raise InvalidParameterError(
            "Field timeframe is not supported", parameter="timeframe", supported_values=list(TIMEFRAMES)
        )
    return cast("str", value)


def error_message(error: HydrophoneError, now_ns: int) -> bytes:
    """The message that tells a client what was wrong."""
    body = {"code": error.code, "message": error.message, "details": error.details}
    return literals.encode({"type": "error", **body, "timestamp": SentAt()}, now_ns)
