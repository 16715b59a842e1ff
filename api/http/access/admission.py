"""Access control: who requests, from where, may they, and how often did they. Pure but for the counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from api.http.access.addresses import Address, Networks, client_address, counting_name
from api.http.access.keys import ANONYMOUS, ANY_KEY, OPEN, Identity, Keyring, bearer_token
from api.http.access.limits import Limit, LocalCounters, Standing, decide_standing, limit_headers
from api.http.errors import ForbiddenError, RateLimitedError, UnauthorizedError
from contracts.errors import HydrophoneError

PROBES: Final = frozenset({"/health", "/health/ready"})  # requested from wherever the supervisor is
UNCOUNTED: Final = ("/health", "/metrics")


@dataclass(frozen=True, slots=True)
class Limits:
    """The four limits, each in requests and seconds."""

    key: Limit
    address_known: Limit
    address_anonymous: Limit
    everybody: Limit


def default_limits(requests: int, window: int) -> Limits:
    """Return the limits of the service: `requests` in `window` seconds a key, the others a minute."""
    return Limits(
        key=Limit("key", requests, window),
        address_known=Limit("ip", 1000, 60),
        address_anonymous=Limit("anonymous-ip", 100, 60),
        everybody=Limit("global", 10_000, 60),
    )


@dataclass(frozen=True, slots=True)
class Admission:
    """What was decided: who it is, the headers to answer with, and why not, if not."""

    identity: Identity
    address: Address | None
    headers: tuple[tuple[bytes, bytes], ...]
    refused: HydrophoneError | None = None


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Who is admitted; `scope_of` returns the scope that a path needs."""

    limits: Limits
    scope_of: Callable[[str], str]
    allowed: Networks
    proxies: Networks
    require_auth: bool = True


class AccessControl:
    """Decides on every request before anything else looks at it."""

    def __init__(self, rules: AccessRules, keys: Keyring, counters: LocalCounters) -> None:
        self.rules = rules
        self._keys = keys
        self._counters = counters

    def admit(self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes], now: float) -> Admission:
        """Decide on one request of ASGI; `now` is seconds UTC. A refused one is not counted, but for unknown keys."""
        peer = scope["client"][0] if scope.get("client") else None
        address = client_address(peer, headers.get(b"x-forwarded-for"), self.rules.proxies)
        return self.admit_token(bearer_token(headers.get(b"authorization")), scope["path"], address, now)

    def admit_token(self, token: str | None, path: str, address: Address | None, now: float) -> Admission:
        """Decide on one request, or one message of a stream, that shows this token."""
        if self.rules.allowed and address not in self.rules.allowed and path not in PROBES:
            error = ForbiddenError(f"The address {address} is not on the list of allowed ones", address=str(address))
            return Admission(ANONYMOUS, address, (), error)
        identity = (self._keys.find(token) if token is not None else None) or ANONYMOUS
        standings = self._standings(identity, address, now)
        nearest = min(standings, key=lambda standing: standing.remaining)
        if path.startswith(UNCOUNTED):
            return Admission(identity, address, limit_headers(nearest), self._refuse(identity, token, path))
        limited = max(standings, key=lambda standing: standing.retry_after)
        if limited.retry_after:
            return Admission(identity, address, limit_headers(limited), _rate_limited(limited))
        self._count(identity, address, now)
        headers = limit_headers(replace(nearest, remaining=max(0, nearest.remaining - 1)))
        return Admission(identity, address, headers, self._refuse(identity, token, path))

    def _refuse(self, identity: Identity, token: str | None, path: str) -> HydrophoneError | None:
        scope = self.rules.scope_of(path)
        if scope == OPEN:
            return None
        granted = scope in {ANY_KEY, *identity.scopes}
        if not identity.known and (token is not None or self.rules.require_auth or not granted):
            known = "The key is not known" if token is not None else "A key is needed"
            return UnauthorizedError(f"{known}: send it as Authorization: Bearer <key>", required_scope=scope)
        if granted:
            return None
        return ForbiddenError(f"The key lacks the scope {scope}", required_scope=scope, scopes=sorted(identity.scopes))

    def _counted(self, identity: Identity, address: Address | None) -> tuple[tuple[Limit, str], ...]:
        limits, name = self.rules.limits, counting_name(address)
        if identity.known:
            return (limits.key, identity.uid), (limits.address_known, name), (limits.everybody, "")
        return (limits.address_anonymous, name), (limits.everybody, "")

    def _standings(self, identity: Identity, address: Address | None, now: float) -> list[Standing]:
        counted = self._counted(identity, address)
        return [decide_standing(limit, self._counters.use(limit, name, now)) for limit, name in counted]

    def _count(self, identity: Identity, address: Address | None, now: float) -> None:
        for limit, name in self._counted(identity, address):
            self._counters.add(limit, name, now)


def _rate_limited(standing: Standing) -> HydrophoneError:
    limit = standing.limit
    return RateLimitedError(
        f"More than {limit.requests} requests in {limit.window} seconds: wait {standing.retry_after} seconds",
        limit=limit.rule,
        requests=limit.requests,
        window=limit.window,
        retry_after=standing.retry_after,
    )
