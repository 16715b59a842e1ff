"""Decides what becomes of an endpoint: registered, changed, rotated, and what of it is shown. Pure."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consumers.webhooks.registry.endpoint import Endpoint, EndpointSecret
from consumers.webhooks.signing import PREFIX, SecretError, key_bytes
from contracts.arithmetic.moments import as_datetime
from contracts.errors import ConflictError, InvalidParameterError, LimitReachedError, NotFoundError
from contracts.services.access import DAY_SECONDS, Caller
from contracts.services.audit import AuditEvent
from contracts.services.changes import audit_of, hash_of
from contracts.services.webhooks.endpoints import (
    MOST_SECRETS,
    EndpointInfo,
    EndpointShown,
    EndpointState,
    PublicKey,
    RegisterEndpoint,
    UpdateEndpoint,
)

SERVICE: Final = "webhooks"
SECOND_NS: Final = 1_000_000_000
REPEATABLE_NS: Final = DAY_SECONDS * SECOND_NS
SECRET_BYTES: Final = 32
ID_BYTES: Final = 8


def make_secret(random: bytes) -> str:
    """Return a secret in the form of Standard Webhooks, of random bytes."""
    return PREFIX + base64.b64encode(random).decode()


def check_secret(secret: str) -> str:
    """Return a secret that can be signed with; InvalidParameterError says what is wrong, and holds nothing of it."""
    try:
        key_bytes(secret)
    except SecretError as error:
        raise InvalidParameterError(str(error), parameter="secret") from None
    return secret


def register(request: RegisterEndpoint, endpoint_id: str, secret: str, now_ns: int) -> Endpoint:
    """Return a new endpoint."""
    return Endpoint(
        id=endpoint_id,
        owner=request.owner,
        url=request.url,
        events=request.events,
        symbols=request.symbols,
        exchanges=request.exchanges,
        min_usd=request.min_usd,
        ordering=request.ordering,
        description=request.description,
        secrets=(EndpointSecret(secret),),
        created_ns=now_ns,
        updated_ns=now_ns,
    )


def register_again(known: Endpoint, asked_before: str, request: RegisterEndpoint, secret: str) -> Endpoint:
    """Return the endpoint that a repeated request has made, with a new secret in place of one that nobody was given.

    ConflictError where the request is another one, or the endpoint is not as it was made.
    """
    if asked_before != asked(request):
        raise ConflictError("The Idempotency-Key came with another request before", parameter="Idempotency-Key")
    if known.version != 1:
        raise ConflictError("The endpoint that this request made was changed since", id=known.id)
    return replace(known, secrets=(EndpointSecret(secret),))


def check_room(count: int, most: int) -> None:
    """Raise LimitReachedError where an owner has as many endpoints as may be."""
    if count >= most:
        raise LimitReachedError(f"An owner may have {most} endpoints", maximum=most)


def update(endpoint: Endpoint, request: UpdateEndpoint, now_ns: int) -> Endpoint:
    """Return the endpoint as it is to be; itself where nothing changes."""
    names = type(request.change).model_fields
    wanted: dict[str, Any] = {name: value for name in names if (value := getattr(request.change, name)) is not None}
    wanted |= dict.fromkeys(request.clear)
    changed = {name: value for name, value in wanted.items() if getattr(endpoint, name) != value}
    return replace(endpoint, **changed, **_touched(endpoint, now_ns)) if changed else endpoint


def set_state(endpoint: Endpoint, state: EndpointState, reason: str | None, now_ns: int) -> Endpoint:
    """Return the endpoint in a state; itself where it is in it."""
    if endpoint.state == state:
        return endpoint
    return replace(endpoint, state=state, state_reason=reason, **_touched(endpoint, now_ns))


def rotate(endpoint: Endpoint, secret: str, overlap_seconds: int, now_ns: int) -> Endpoint:
    """Return the endpoint with a new secret; those that it had live on for the overlap, none for longer than before.

    ConflictError where so many are alive that one would have to end early, or where it is the one that it has.
    """
    ends_ns = now_ns + overlap_seconds * SECOND_NS
    kept = [
        EndpointSecret(one.text, ends_ns if one.ends_ns is None else min(one.ends_ns, ends_ns))
        for one in endpoint.secrets
    ]
    alive = [one for one in kept if one.ends_ns is not None and one.ends_ns > now_ns and one.text != secret]
    if endpoint.secrets[0].text == secret:
        raise ConflictError("The endpoint has this secret already", id=endpoint.id)
    if len(alive) >= MOST_SECRETS:
        raise ConflictError(
            f"{len(alive)} secrets are alive; with overlap_seconds=0 they end at once",
            id=endpoint.id,
            maximum=MOST_SECRETS,
        )
    secrets = (EndpointSecret(secret), *alive)
    return replace(endpoint, secrets=secrets, rotated_ns=now_ns, **_touched(endpoint, now_ns))


def found(endpoint: Endpoint | None, endpoint_id: str) -> Endpoint:
    """Return the endpoint; NotFoundError where there is none, or it is another owner's."""
    if endpoint is None:
        raise NotFoundError(f"There is no endpoint {endpoint_id}", id=endpoint_id)
    return endpoint


def describe(endpoint: Endpoint, now_ns: int) -> EndpointInfo:
    """Return what may be shown of an endpoint."""
    return EndpointInfo(**_shown(endpoint, now_ns))


def show(endpoint: Endpoint, now_ns: int) -> EndpointShown:
    """Return an endpoint with its newest secret, this once."""
    return EndpointShown(**_shown(endpoint, now_ns), secret=endpoint.secrets[0].text)


def audit(action: str, endpoint: Endpoint, caller: Caller, now_ns: int, **details: Any) -> AuditEvent:
    """Return the event of a change: nothing of secrets and nothing of the URL, whose path may be one."""
    return audit_of((SERVICE, action, endpoint.id), caller, now_ns, {"owner": endpoint.owner, **details})


def changed_names(before: Endpoint, after: Endpoint) -> list[str]:
    """Return the names of what an owner has changed."""
    names = ("url", "events", "symbols", "exchanges", "min_usd", "ordering", "description")
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def asked(request: RegisterEndpoint) -> str:
    """Return a hash of what a request asks for: not of who asks, of its name, nor of a secret."""
    return hash_of(request, "caller", "request_key", "secret")


def public_key(key: Ed25519PublicKey) -> PublicKey:
    """Return a key as it is published; its id is a function of it."""
    raw = key.public_bytes_raw()
    x = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    whpk = "whpk_" + base64.b64encode(raw).decode()
    return PublicKey(kid=hashlib.sha256(raw).hexdigest()[:16], x=x, whpk=whpk)


def _touched(endpoint: Endpoint, now_ns: int) -> dict[str, Any]:
    return {"updated_ns": now_ns, "version": endpoint.version + 1}


def _shown(endpoint: Endpoint, now_ns: int) -> dict[str, Any]:
    ends = [one.ends_ns for one in endpoint.secrets if one.ends_ns is not None and one.ends_ns > now_ns]
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": endpoint.events,
        "symbols": endpoint.symbols,
        "exchanges": endpoint.exchanges,
        "min_usd": endpoint.min_usd,
        "ordering": endpoint.ordering,
        "description": endpoint.description,
        "state": endpoint.state,
        "state_reason": endpoint.state_reason,
        "created_at": as_datetime(endpoint.created_ns),
        "updated_at": as_datetime(endpoint.updated_ns),
        "rotated_at": None if endpoint.rotated_ns is None else as_datetime(endpoint.rotated_ns),
        "previous_ends_at": as_datetime(max(ends)) if ends else None,
    }
