"""Keys: whom a bearer token stands for. Kept as hashes, looked up in constant time, logged by four characters."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

OPEN: Final = ""  # the scope of a route that anybody may request
ANY_KEY: Final = "*"  # of what is no route: whoever may request anything is answered that it is not there
MARKET_READ: Final = "market:read"
ALERTS_WRITE: Final = "alerts:write"
TRADE: Final = "trade"
ADMIN: Final = "admin"
READ_SCOPES: Final = frozenset({MARKET_READ})
ADMIN_SCOPES: Final = frozenset({MARKET_READ, ALERTS_WRITE, "webhooks:write", "groups:admin", TRADE, ADMIN})
_SHOWN: Final = 4
_SHORT: Final = 12


@dataclass(frozen=True, slots=True)
class Identity:
    """Who requests: `name` is fit for logs (a partial key), `uid` for counting and the audit trail.

    `owner` is whose everything is that it makes; `known` is false without a key.
    """

    name: str
    uid: str
    scopes: frozenset[str]
    known: bool = True
    owner: str = ""


ANONYMOUS: Final = Identity("anonymous", "anonymous", READ_SCOPES, known=False, owner="anonymous")


def owner_of(identity: Identity) -> str:
    """Return whose own things a caller is shown; nobody's without a key."""
    return identity.owner if identity.known else ""


class Keyring:
    """The keys of the settings; every entry is compared on each look-up, so that the time says nothing."""

    def __init__(self, read_keys: Iterable[str], admin_keys: Iterable[str]) -> None:
        entries = [(key, READ_SCOPES) for key in read_keys] + [(key, ADMIN_SCOPES) for key in admin_keys]
        self._entries = tuple((_digest(key), _identity(key, scopes)) for key, scopes in entries)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, token: str) -> Identity | None:
        """Return whom the token stands for; the last entry wins: a read key that is an admin key too is an admin's."""
        digest, found = _digest(token), None
        for known, identity in self._entries:
            if hmac.compare_digest(known, digest):
                found = identity
        return found


def stored_identity(key_id: str, owner: str, scopes: Iterable[str]) -> Identity:
    """Return whom a key of the store stands for; `admin` has every scope."""
    given = frozenset(scopes)
    return Identity(key_id, key_id, ADMIN_SCOPES if ADMIN in given else given, owner=owner)


def bearer_token(authorization: bytes | None) -> str | None:
    """The token of an `Authorization: Bearer …` header; None without a credential, "" for any other kind of one.

    A key is never empty: whoever sends another kind of credential is unknown, not anonymous.
    """
    if not authorization:
        return None
    scheme, _, token = authorization.partition(b" ")
    token = token.strip()
    return token.decode("latin-1") if scheme.lower() == b"bearer" else ""


def partial(key: str) -> str:
    """What of a key may be shown: its first four characters, none of a short one."""
    return f"{key[:_SHOWN]}…" if len(key) >= _SHORT else "…"


def _identity(key: str, scopes: frozenset[str]) -> Identity:
    uid = f"settings.{_digest(key).hex()[:16]}"
    return Identity(partial(key), uid, scopes, owner=uid)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
