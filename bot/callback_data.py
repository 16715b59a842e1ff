"""What a button carries, and a link to the bot: an action and its arguments in at most 64 bytes each. Pure."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

MOST_BYTES: Final = 64
_BETWEEN: Final = "|"


def pack(action: str, *arguments: str) -> str | None:
    """Return the data of a button; None where it would not fit, or could not be read back."""
    text = _BETWEEN.join((action, *arguments))
    fits = len(text.encode()) <= MOST_BYTES and not any(_BETWEEN in argument for argument in arguments)
    return text if fits else None


def unpack(data: str) -> tuple[str, tuple[str, ...]]:
    """Return the action and the arguments of a pressed button."""
    action, *arguments = data.split(_BETWEEN)
    return action, tuple(arguments)


def start_payload(symbol: str, timeframe: str) -> str:
    """Return what `/start` is given by a link to a chart."""
    return urlsafe_b64encode(f"{symbol}{_BETWEEN}{timeframe}".encode()).decode().rstrip("=")


def read_payload(payload: str) -> tuple[str, str] | None:
    """Return the symbol and time frame of a link to a chart; None where it is none."""
    try:
        text = urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
    except ValueError:
        return None
    symbol, _, timeframe = text.partition(_BETWEEN)
    return (symbol, timeframe) if symbol and timeframe else None
