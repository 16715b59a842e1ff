"""Access control: who requests, from where, may they, and how often did they. It waits for nothing but the counters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from api.http.access.addresses import Address, Networks, client_address, counting_name
from api.http.access.counters import Counters
from api.http.access.keys import ANONYMOUS, ANY_KEY, OPEN, Identity, Keyring, bearer_token
from api.http.access.limits import Limits, Standing, limit_headers
from api.http.access.shares import Share
from api.http.errors import ForbiddenError, RateLimitedError
from contracts.errors import HydrophoneError, NotReadyError, UnauthorizedError
from contracts.services.access import KEY_FORM

PROBES: Final = frozenset({"/health", "/health/ready"})  # requested from wherever the supervisor is
UNCOUNTED: Final = ("/health", "/metrics")
WAITING_FOR: Final = "key store"


class Admission(NamedTuple):
    """What was decided: who it is, the headers to answer with, and why not, if not."""

    identity: Identity
    address: Address | None
    headers: tuple[tuple[bytes, bytes], ...]
    refused: HydrophoneError | None = None


def _never(_path: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Who is admitted; `scope_of` returns the scope that a path needs, `keyed` whether it needs a key in any case."""

    limits: Limits
    scope_of: Callable[[str], str]
    allowed: Networks
    proxies: Networks
    require_auth: bool = True
    keyed: Callable[[str], bool] = _never


class KeySource(Protocol):
    """Keys that come and go while the process runs."""

    @property
    def is_ready(self) -> bool:
        """Whether they are all known."""
        ...

    def find(self, token: str, now: float) -> Identity | None:
        """Return whom a token stands for at a time, seconds UTC."""
        ...


class _Asked(NamedTuple):
    """A request whose sender is known, and the shares that it counts on."""

    identity: Identity
    address: Address | None
    path: str
    shares: tuple[Share, ...]
    refused: HydrophoneError | None


class AccessControl:
    """Decides on every request before anything else looks at it; `stored`: the keys of the store, if there is one."""

    def __init__(self, rules: AccessRules, keys: Keyring, counters: Counters, stored: KeySource | None = None) -> None:
        self.rules = rules
        self._keys, self._counters, self._stored = keys, counters, stored

    def request(
        self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes], now: float
    ) -> Admission | Awaitable[Admission]:
        """Decide on one request of ASGI, at once as a rule; `now` is seconds UTC.

        What is awaited is the counter that all replicas share, where this process has nothing of it.
        """
        token = bearer_token(headers.get(b"authorization"))
        asked = self._identify(token, scope["path"], self._address(scope, headers), now)
        if isinstance(asked, Admission):
            return asked
        if asked.path.startswith(UNCOUNTED):
            return self._decide(asked, now)
        if self._counters.spend_reserved(asked.shares, now):
            return self._answer(asked, now)
        self._counters.roll(asked.shares, now)
        if self._counters.is_empty(asked.shares, now):
            return self._decide_filled(asked, now)
        return self._decide(asked, now)

    def admit(self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes], now: float) -> Admission:
        """Decide on one request of ASGI without waiting: what this process has nothing of is settled afterwards."""
        token = bearer_token(headers.get(b"authorization"))
        return self.admit_token(token, scope["path"], self._address(scope, headers), now)

    def admit_token(self, token: str | None, path: str, address: Address | None, now: float) -> Admission:
        """Decide on one request, or one message of a stream, that shows this token; without waiting."""
        asked = self._identify(token, path, address, now)
        return asked if isinstance(asked, Admission) else self._decide(asked, now)

    def _address(self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> Address | None:
        peer = scope["client"][0] if scope.get("client") else None
        return client_address(peer, headers.get(b"x-forwarded-for"), self.rules.proxies)

    def _identify(self, token: str | None, path: str, address: Address | None, now: float) -> Admission | _Asked:
        if self.rules.allowed and address not in self.rules.allowed and path not in PROBES:
            error = ForbiddenError(f"The address {address} is not on the list of allowed ones", address=str(address))
            return Admission(ANONYMOUS, address, (), error)
        identity = ANONYMOUS if token is None else self._find(token, now)
        refused = None
        if identity is None:
            identity, refused = ANONYMOUS, NotReadyError("Keys are not known yet", waiting_for=[WAITING_FOR])
        refused = self._refuse(identity, token, path, refused)
        return _Asked(identity, address, path, self._shares(identity, address), refused)

    def _find(self, token: str, now: float) -> Identity | None:
        """Return whom a token stands for, ANONYMOUS for nobody, None where that is not known yet."""
        found = self._keys.find(token)
        stored = self._stored
        if found is not None or stored is None or KEY_FORM.fullmatch(token) is None:
            return found or ANONYMOUS
        return (stored.find(token, now) or ANONYMOUS) if stored.is_ready else None

    async def _decide_filled(self, asked: _Asked, now: float) -> Admission:
        await self._counters.fill(asked.shares)
        return self._decide(asked, now)

    def _decide(self, asked: _Asked, now: float) -> Admission:
        shares, alone = asked.shares, self._counters.alone
        self._counters.roll(shares, now)
        if asked.path.startswith(UNCOUNTED):
            return self._answer(asked, now)
        denied = [share for share in shares if share.is_denied(now, alone=alone)]
        if denied:
            limited = max((share.standing(now, alone=alone) for share in denied), key=lambda one: one.retry_after)
            return Admission(asked.identity, asked.address, limit_headers(limited), _rate_limited(limited))
        self._counters.spend(shares, now)
        return self._answer(asked, now)

    def _answer(self, asked: _Asked, now: float) -> Admission:
        alone = self._counters.alone
        standing = _nearest(asked.shares, now, alone=alone).standing(now, alone=alone)
        return Admission(asked.identity, asked.address, limit_headers(standing), asked.refused)

    def _refuse(
        self, identity: Identity, token: str | None, path: str, not_ready: HydrophoneError | None
    ) -> HydrophoneError | None:
        scope = self.rules.scope_of(path)
        if scope == OPEN:
            return None
        if not_ready is not None:
            return not_ready
        granted = scope in {ANY_KEY, *identity.scopes}
        if not identity.known and (
            token is not None or self.rules.require_auth or not granted or self.rules.keyed(path)
        ):
            known = "The key is not known" if token is not None else "A key is needed"
            return UnauthorizedError(f"{known}: send it as Authorization: Bearer <key>", required_scope=scope)
        if granted:
            return None
        return ForbiddenError(f"The key lacks the scope {scope}", required_scope=scope, scopes=sorted(identity.scopes))

    def _shares(self, identity: Identity, address: Address | None) -> tuple[Share, ...]:
        limits, name, share = self.rules.limits, counting_name(address), self._counters.share
        if identity.known:
            return share(limits.key, identity.uid), share(limits.address_known, name), share(limits.everybody, "")
        return share(limits.address_anonymous, name), share(limits.everybody, "")


def _nearest(shares: Sequence[Share], now: float, *, alone: bool) -> Share:
    """Return the one that is nearest to its end."""
    nearest, least = shares[0], shares[0].remaining(now, alone=alone)
    for share in shares[1:]:
        left = share.remaining(now, alone=alone)
        if left < least:
            nearest, least = share, left
    return nearest


def _rate_limited(standing: Standing) -> HydrophoneError:
    limit = standing.limit
    return RateLimitedError(
        f"More than {limit.requests} requests in {limit.window} seconds: wait {standing.retry_after} seconds",
        limit=limit.rule,
        requests=limit.requests,
        window=limit.window,
        retry_after=standing.retry_after,
    )
