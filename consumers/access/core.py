"""Decides what becomes of a key: made, rotated, revoked, and what of it is shown. Pure: times and secrets come in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from contracts.arithmetic.moments import as_datetime
from contracts.errors import ConflictError, GoneError, InvalidParameterError, NotFoundError
from contracts.services import access
from contracts.services.access import Caller, CreateKey, KeyEntry, KeyInfo, KeyShown, SecretEntry, State
from contracts.services.audit import AuditEvent
from contracts.services.changes import audit_of, hash_of

SERVICE: Final = "access"
SECOND_NS: Final = 1_000_000_000
REPEATABLE_NS: Final = access.DAY_SECONDS * SECOND_NS


@dataclass(frozen=True, slots=True)
class Secret:
    """The HMAC of a secret, and when it ends (ns UTC); the present one has no end."""

    mac: str
    ends_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key as it is kept; the newest secret stands first. Times are ns UTC."""

    id: str
    name: str
    owner: str
    scopes: tuple[access.Scope, ...]
    secrets: tuple[Secret, ...]
    created_ns: int
    expires_ns: int | None = None
    rotated_ns: int | None = None
    revoked_ns: int | None = None
    request_key: str | None = None
    asked: str  # a hash of what was asked for

    def state(self, now_ns: int) -> State:
        """Return whether it is accepted, and why not."""
        if self.revoked_ns is not None:
            return "revoked"
        return "expired" if self.expires_ns is not None and self.expires_ns <= now_ns else "active"


def create(request: CreateKey, key_id: str, mac: str, now_ns: int) -> Key:
    """Return a new key; InvalidParameterError where it would be expired from the start."""
    expires_ns = None if request.expires_at is None else nanoseconds(request.expires_at)
    if expires_ns is not None and expires_ns <= now_ns:
        raise InvalidParameterError("A key must end in the future", parameter="expires_at")
    return Key(
        id=key_id,
        name=request.name,
        owner=request.owner,
        scopes=request.scopes,
        secrets=(Secret(mac),),
        created_ns=now_ns,
        expires_ns=expires_ns,
        request_key=request.request_key,
        asked=asked(request),
    )


def create_again(known: Key, request: CreateKey, mac: str, now_ns: int) -> Key:
    """Return the key that a repeated request has made, with a new secret in place of one that nobody was given.

    ConflictError where the request is another one, or the key is not as it was made.
    """
    if known.asked != asked(request):
        raise ConflictError("The Idempotency-Key came with another request before", parameter="Idempotency-Key")
    if known.state(now_ns) != "active" or known.rotated_ns is not None:
        raise ConflictError("The key that this request made was changed since", id=known.id)
    return replace(known, secrets=(Secret(mac),))


def rotate(key: Key, mac: str, overlap_seconds: int, now_ns: int) -> Key:
    """Return the key with a new secret; the one that it had lives on for the overlap. GoneError for a dead key."""
    if key.state(now_ns) != "active":
        raise GoneError(f"The key is {key.state(now_ns)}", id=key.id, state=key.state(now_ns))
    ends_ns = now_ns + overlap_seconds * SECOND_NS
    kept = [(old.mac, ends_ns if old.ends_ns is None else min(old.ends_ns, ends_ns)) for old in key.secrets]
    alive = [Secret(old, ends) for old, ends in kept if ends > now_ns]
    return replace(key, secrets=(Secret(mac), *alive[: access.MOST_SECRETS - 1]), rotated_ns=now_ns)


def revoke(key: Key, now_ns: int) -> Key:
    """Return the key without any secret; one that is revoked already stays as it is."""
    return key if key.revoked_ns is not None else replace(key, secrets=(), revoked_ns=now_ns)


def found(key: Key | None, key_id: str) -> Key:
    """Return the key; NotFoundError where there is none."""
    if key is None:
        raise NotFoundError(f"There is no key {key_id}", id=key_id)
    return key


def entry_of(key: Key, pepper: str, now_ns: int) -> bytes | None:
    """Return what the ACCESS bucket is to hold of a key; None where it is refused."""
    if key.state(now_ns) != "active":
        return None
    secrets = [
        SecretEntry(mac=one.mac, ends=one.ends_ns) for one in key.secrets if one.ends_ns is None or one.ends_ns > now_ns
    ]
    entry = KeyEntry(
        name=key.name, owner=key.owner, scopes=key.scopes, secrets=secrets, expires=key.expires_ns, pepper=pepper
    )
    return entry.model_dump_json().encode()


def next_change(key: Key, now_ns: int) -> int | None:
    """Return when what the bucket is to hold of a key changes by itself (ns UTC); None for never."""
    times = [key.expires_ns, *(one.ends_ns for one in key.secrets)]
    return min((time for time in times if time is not None and time > now_ns), default=None)


def describe(key: Key, now_ns: int) -> KeyInfo:
    """Return what may be shown of a key."""
    return KeyInfo(**_shown(key, now_ns))


def show(key: Key, secret: str, now_ns: int) -> KeyShown:
    """Return a key with its secret, this once."""
    return KeyShown(**_shown(key, now_ns), key=f"{key.id}.{secret}")


def _shown(key: Key, now_ns: int) -> dict[str, Any]:
    ends = [one.ends_ns for one in key.secrets if one.ends_ns is not None and one.ends_ns > now_ns]
    return {
        "id": key.id,
        "name": key.name,
        "owner": key.owner,
        "scopes": key.scopes,
        "state": key.state(now_ns),
        "created_at": as_datetime(key.created_ns),
        "expires_at": None if key.expires_ns is None else as_datetime(key.expires_ns),
        "rotated_at": None if key.rotated_ns is None else as_datetime(key.rotated_ns),
        "previous_ends_at": as_datetime(max(ends)) if ends else None,
        "revoked_at": None if key.revoked_ns is None else as_datetime(key.revoked_ns),
    }


def audit(action: str, key: Key, caller: Caller, now_ns: int, **details: Any) -> AuditEvent:
    """Return the event of a change of a key; the same change has the same id."""
    about = (SERVICE, action, key.id)
    return audit_of(about, caller, now_ns, {"owner": key.owner, "scopes": list(key.scopes), **details})


def asked(request: CreateKey) -> str:
    """Return a hash of what a request asks for: not of who asks, nor of its name."""
    return hash_of(request, "caller", "request_key")


def nanoseconds(time: datetime) -> int:
    """Return a time as ns UTC."""
    whole = int(time.timestamp())
    return whole * SECOND_NS + time.microsecond * 1000
