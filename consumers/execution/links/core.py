"""Decides what becomes of a user token: issued, refreshed, replaced, ended. Pure: the time and what is random come in.

A token is 256 random bits; what is kept is an HMAC of it. Times are ns UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

SECOND: Final = 1_000_000_000
TOKEN_BYTES: Final = 32
OVERLAP_SECONDS: Final = 300  # how long a token that was replaced holds on, for who does not know the next one yet
MOST_TOKENS: Final = 16  # of one account at a time; another one ends the oldest


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: how long a token holds, at which age a refresh replaces it, how near its end one makes it hold on."""

    ttl: int = 86_400
    rotation: int = 43_200
    refresh: int = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One user token as it is kept; `mac` is the HMAC of it, `account` the account's id."""

    mac: str
    owner: str
    account: str
    issued_ns: int
    expires_ns: int
    replaced: bool = False

    def holds(self, now_ns: int) -> bool:
        """Return whether it is accepted."""
        return now_ns < self.expires_ns

    def rotate_ns(self, times: Times) -> int:
        """Return from when on a refresh gives another token."""
        return self.issued_ns + times.rotation * SECOND


def issue(mac: str, owner: str, account: str, *, times: Times, now_ns: int) -> Token:
    """Return a new token."""
    expires_ns = now_ns + times.ttl * SECOND
    return Token(mac=mac, owner=owner, account=account, issued_ns=now_ns, expires_ns=expires_ns)


def is_to_replace(token: Token, times: Times, now_ns: int) -> bool:
    """Return whether a refresh gives another token in place of this one."""
    return token.replaced or now_ns >= token.rotate_ns(times)


def replaced(token: Token, now_ns: int) -> Token:
    """Return the token that another one replaces: it holds for the overlap, counted from the first time only."""
    if token.replaced:
        return token
    return replace(token, replaced=True, expires_ns=now_ns + OVERLAP_SECONDS * SECOND)


def prolonged(token: Token, times: Times, now_ns: int) -> Token:
    """Return the token as a refresh leaves it that does not replace it: near its end it begins another life."""
    if token.expires_ns - now_ns > times.refresh * SECOND:
        return token
    return replace(token, expires_ns=now_ns + times.ttl * SECOND)


def surplus(tokens: list[Token]) -> list[Token]:
    """Return the tokens of an account that another one makes too many, the oldest first."""
    by_age = sorted(tokens, key=lambda token: (token.issued_ns, token.mac))
    return by_age[: max(0, len(by_age) - MOST_TOKENS + 1)]
