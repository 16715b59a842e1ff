"""Parameters of the market routes, which are text, as requests of the market core; what is no number is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

import msgspec

from contracts.errors import InvalidParameterError
from contracts.services.market import (
    LONGEST_SYMBOL,
    MOST_CANDLES,
    MOST_OF_A_LIST,
    Indicator,
)
from contracts.timeframes import TIMEFRAMES

INDICATORS: Final[tuple[str, ...]] = get_args(Indicator)
MOST_AMOUNT_CHARACTERS: Final = 32
MOST_DIGITS: Final = 10
Params = Mapping[str, str]
Read = Callable[[Params, str], Any]


def symbol(params: Params, name: str) -> str:
    """A symbol that must be there; InvalidParameterError names it."""
    value = params.get(name, "")
    if not value.strip():
        raise InvalidParameterError(f"Parameter {name} is missing", parameter=name)
    if len(value.strip()) > LONGEST_SYMBOL:
        raise InvalidParameterError(f"Parameter {name} must have 1 to {LONGEST_SYMBOL} characters", parameter=name)
    return value.strip()


def text(params: Params, name: str) -> str | None:
    """A text as it is."""
    return params.get(name)


def whole(params: Params, name: str) -> int | None:
    """A whole number from 1 to 100."""
    return _whole(params, name, MOST_OF_A_LIST)


def candles(params: Params, name: str) -> int | None:
    """A whole number from 1 to 1000."""
    return _whole(params, name, MOST_CANDLES)


def _whole(params: Params, name: str, most: int) -> int | None:
    value = params.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < MOST_DIGITS and 1 <= int(value) <= most):
        raise InvalidParameterError(
            f"Parameter {name} must be a whole number from 1 to {most}", parameter=name, minimum=1, maximum=most
        )
    return int(value)


def flag(params: Params, name: str) -> bool | None:
    """Whether something is asked for: `true` or `1`, `false` or `0`."""
    value = params.get(name, "false").lower()
    if value not in {"true", "false", "1", "0"}:
        raise InvalidParameterError(
            f"Parameter {name} must be true or false", parameter=name, supported=["true", "false"]
        )
    return value in {"true", "1"}


def amount(params: Params, name: str) -> str | None:
    """A decimal of zero or more, as text."""
    value = params.get(name)
    if value is None:
        return None
    digits = value.replace(".", "", 1)
    if len(value) > MOST_AMOUNT_CHARACTERS or not (digits.isascii() and digits.isdigit()):
        raise InvalidParameterError(f"Parameter {name} must be a number of 0 or more", parameter=name, minimum=0)
    return value


def timeframe(params: Params, name: str) -> str | None:
    """A time frame."""
    value = params.get(name)
    if value is not None and value not in TIMEFRAMES:
        raise InvalidParameterError(f"Timeframe {value} is not supported", parameter=name, supported=list(TIMEFRAMES))
    return value


def indicators(params: Params, name: str) -> list[str] | None:
    """Names with commas between them, each once."""
    names = list(dict.fromkeys(part.strip() for part in params.get(name, "").lower().split(",") if part))
    for part in names:
        if part not in INDICATORS:
            raise InvalidParameterError(
                f"Indicator {part} is not supported", parameter=name, supported=list(INDICATORS)
            )
    return names or None


RAW: Final[Mapping[str, Read]] = {"symbol": symbol}
WHALE: Final[Mapping[str, Read]] = {"symbol": symbol, "limit": whole, "min_usd": amount}
LIQUIDATIONS: Final[Mapping[str, Read]] = {"symbol": symbol, "limit": whole}
ORDERBOOK: Final[Mapping[str, Read]] = {"symbol": symbol, "depth": whole, "exchange": text}
TICKER: Final[Mapping[str, Read]] = {"symbol": symbol, "convert": flag}
MULTI_ORDERBOOK: Final[Mapping[str, Read]] = {"symbol": symbol, "depth": whole}
TRADES: Final[Mapping[str, Read]] = {"symbol": symbol, "limit": whole, "exchange": text}
SYMBOLS: Final[Mapping[str, Read]] = {"exchange": text, "listed": flag}
HEALTH: Final[Mapping[str, Read]] = {}
OHLC: Final[Mapping[str, Read]] = {
    "symbol": symbol,
    "timeframe": timeframe,
    "limit": candles,
    "exchange": text,
    "indicators": indicators,
}
_CHECK_LAST: Final = ("symbol",)


def read_request(params: Params, supported: Mapping[str, Read]) -> bytes:
    """Make the request of some parameters; InvalidParameterError names one that is wrong or that there is not."""
    for name in params:
        if name not in supported:
            raise InvalidParameterError(
                f"Parameter {name} is not supported", parameter=name, supported_parameters=list(supported)
            )
    values = {name: read(params, name) for name, read in supported.items() if name not in _CHECK_LAST}
    values |= {name: supported[name](params, name) for name in _CHECK_LAST if name in supported}
    return msgspec.json.encode(
        {name: value for name, value in sorted(values.items()) if not (value is None or value is False)}
    )


def default_of(model: type[Any], name: str) -> Any:
    """Give the default of a request's field."""
    return model.model_fields[name].default
