"""Signed signals: their secret, and what a good signature over `id.timestamp.body` is. Pure but for making a secret."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from typing import Any, Final, cast

from contracts.errors import InvalidParameterError, UnauthorizedError
from contracts.services.trading.strategies import SIGNAL_SECONDS, TakeSignal

PREFIX: Final = "whsec_"
_BYTES: Final = 32
_SECOND: Final = 1_000_000_000


def make_secret() -> str:
    """Return a new secret, `whsec_<base64>`, as Standard Webhooks writes them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def strategy_of(signal: TakeSignal) -> str:
    """Return which strategy a signal names; InvalidParameterError where it names none."""
    try:
        body = json.loads(signal.body)
    except ValueError:
        raise InvalidParameterError("A signal is a JSON object", parameter="body") from None
    named = cast("dict[str, Any]", body).get("strategy") if isinstance(body, dict) else None
    if not isinstance(named, str):
        raise InvalidParameterError('A signal names its strategy: {"strategy": "<id>"}', parameter="body")
    return named


def check(signal: TakeSignal, secret: str, now_ns: int) -> None:
    """Return where a signal is fresh and its signature good; raises UnauthorizedError."""
    if abs(now_ns - signal.timestamp * _SECOND) > SIGNAL_SECONDS * _SECOND:
        raise UnauthorizedError(f"The signal is more than {SIGNAL_SECONDS} s old, or as much ahead", id=signal.id)
    if not hmac.compare_digest(sign(signal, secret), signal.signature):
        raise UnauthorizedError("The signature is wrong", id=signal.id)


def sign(signal: TakeSignal, secret: str) -> str:
    """Return the signature of a signal, as hexadecimal digits."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return hmac.digest(key, f"{signal.id}.{signal.timestamp}.{signal.body}".encode(), "sha256").hex()
