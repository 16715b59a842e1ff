"""Who sent a private request to Indodax, and whether it is fresh: keys, HMAC-SHA512 signatures, nonces, timestamps.

https://github.com/btcid/indodax-official-api-docs/blob/master/Private-RestAPI.md
What TAPI says of a nonce or a timestamp that it does not take is not documented: the texts are those of API 2.0.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from producers.simulator.private import Account, Exchange, Permission

AHEAD_MS: Final = 1000
WINDOW_MS: Final = 5000
Fault = Literal["key_missing", "sign_missing", "key_unknown", "bad_sign", "timestamp", "nonce", "neither", "permission"]
TEXTS: Final[Mapping[Fault, tuple[str, str, int, int]]] = {  # TAPI's text and code; API 2.0's status and code
    "key_missing": ("API key not found in header", "key_not_found", 400, 1102),
    "sign_missing": ("Sign not found in header.", "sign_not_found", 400, 1101),
    "key_unknown": ("Invalid credentials. API not found or session has expired.", "invalid_credentials", 401, 1001),
    "bad_sign": ("Invalid credentials. Bad sign.", "bad_sign", 401, 1001),
    "timestamp": ("Invalid timestamp. Timestamp outside recvWindow.", "bad_request", 400, 1002),
    "nonce": ("Invalid nonce. Nonce must be greater than last_nonce.", "bad_request", 400, 1003),
    "neither": ("Invalid nonce. Nonce must be greater than last_nonce.", "bad_request", 400, 1003),
    "permission": ("No permission", "", 403, 1106),
}


class SignedError(Exception):
    """A request is not taken for its sender's sake."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault

    @property
    def text(self) -> str:
        """The venue's own words."""
        return TEXTS[self.fault][0]


@dataclass(frozen=True, slots=True)
class Signed:
    """A private request: what its headers say, the text that is signed, its fields."""

    key: str | None
    sign: str | None
    text: str
    fields: Mapping[str, str]


def sign(secret: str, text: str) -> str:
    """Return the signature of a text."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


def admit(exchange: Exchange, request: Signed, permission: Permission, now_us: int) -> Account:
    """Return whose request it is; its nonce counts as used. Raises SignedError."""
    if not request.key:
        raise SignedError("key_missing")
    if not request.sign:
        raise SignedError("sign_missing")
    account = exchange.find_account(request.key)
    if account is None:
        raise SignedError("key_unknown")
    if not hmac.compare_digest(sign(account.secret, request.text), request.sign.lower()):
        raise SignedError("bad_sign")
    _check_freshness(account, request.fields, now_us // 1000)
    if permission not in account.permissions:
        raise SignedError("permission")
    return account


def _check_freshness(account: Account, fields: Mapping[str, str], now_ms: int) -> None:
    timestamp, nonce = _number(fields.get("timestamp")), _number(fields.get("nonce"))
    if (timestamp is None) == (nonce is None):
        raise SignedError("neither")
    if nonce is not None:
        if nonce <= account.nonce:
            account.memory["nonce_errors"] = account.memory.get("nonce_errors", 0) + 1
            raise SignedError("nonce")
        account.nonce = nonce
        return
    window = _number(fields.get("recvWindow"))
    stale = now_ms - (timestamp or 0) > (WINDOW_MS if window is None else window)
    if stale or (timestamp or 0) >= now_ms + AHEAD_MS:
        account.memory["timestamp_errors"] = account.memory.get("timestamp_errors", 0) + 1
        raise SignedError("timestamp")


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
