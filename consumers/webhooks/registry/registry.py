"""Changes endpoints: in the store with its audit event, then on the audit stream and to the workers, until it is so.

What could not be carried through is carried through later: `keep` looks after it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.errors import Error as NatsError

from consumers.webhooks.payloads.body import event_id, make_body, message_fact
from consumers.webhooks.posting import Poster
from consumers.webhooks.registry import core
from consumers.webhooks.registry.endpoint import Endpoint
from consumers.webhooks.registry.sealing import UnsealableError
from consumers.webhooks.store.endpoints import EndpointStore
from consumers.webhooks.transport import DeliveryError, RefusedAddressError, Transport
from contracts.errors import ConflictError, InvalidParameterError, NotReadyError
from contracts.services.audit import AuditEvent
from contracts.services.webhooks.endpoints import (
    ChangedEndpoint,
    EndpointInfo,
    EndpointPage,
    EndpointShown,
    EndpointState,
    FindEndpoint,
    KeysReply,
    ListEndpoints,
    RegisterEndpoint,
    RotateSecret,
    TestReply,
    UpdateEndpoint,
    page_of,
)
from contracts.subjects import WEBHOOK_CHANGED
from runtime import clock
from runtime.nats.audit import publish_audit
from runtime.nats.bus import Bus
from runtime.store import StoreError

_log = structlog.get_logger("webhooks")
TEST_MESSAGE: Final = "This is a test of your webhook."
_SUCCESS: Final = range(200, 300)
_TRIES: Final = 5  # workers change the state of an endpoint beside its owner
Change = Callable[[Endpoint, int], tuple[Endpoint, AuditEvent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryParts:
    """What a registry works with; `most` endpoints an owner may have.

    `on_registered` takes a new endpoint before its owner has the answer: what happens after that is for it, too.
    """

    bus: Bus
    store: EndpointStore
    transport: Transport
    key: Ed25519PrivateKey
    on_registered: Callable[[Endpoint], None]
    most: int = 100
    now_ns: Callable[[], int] = clock.now_ns


@asynccontextmanager
async def reachable_store() -> AsyncGenerator[None]:
    """Raise NotReadyError where the document store fails."""
    try:
        yield
    except StoreError as error:
        _log.warning("webhooks.store_failed", error=str(error))
        raise NotReadyError("The endpoints are not available", waiting_for=["document store"]) from None
    except UnsealableError as error:
        _log.error("webhooks.unsealable", error=str(error))  # where it came from says nothing more
        raise NotReadyError("The endpoint's secret cannot be read", waiting_for=["HYDROPHONE_KEY_PEPPER"]) from None


class Registry:
    """The one who changes what owners may change: one change at a time."""

    def __init__(self, parts: RegistryParts) -> None:
        self._parts = parts
        self._store, self._now_ns = parts.store, parts.now_ns
        self._poster = Poster(parts.transport, parts.key)
        self._keys = KeysReply(keys=[core.public_key(parts.key.public_key())])
        self._lock = asyncio.Lock()
        self.unsettled = True  # whether a change may not have been carried through

    async def register(self, request: RegisterEndpoint) -> EndpointShown:
        """Register an endpoint, or give that of a repeated request a new secret."""
        given = None if request.secret is None else request.secret.get_secret_value()
        secret = core.make_secret(secrets.token_bytes(core.SECRET_BYTES)) if given is None else core.check_secret(given)
        await self._check_url(request.url)
        async with self._changing():
            now_ns, name, asked = self._now_ns(), request.request_key, core.asked(request)
            known = (
                None
                if name is None
                else await self._store.find_request(request.owner, name, now_ns - core.REPEATABLE_NS)
            )
            if known is None:
                core.check_room(await self._store.count_of(request.owner), self._parts.most)
                endpoint = core.register(request, f"wh_{secrets.token_hex(core.ID_BYTES)}", secret, now_ns)
            else:
                endpoint = core.register_again(*known, request, secret)
            event = core.audit("register", endpoint, request.caller, now_ns, repeated=known is not None)
            self.unsettled = True
            await self._store.insert(endpoint, event, name, asked)
            if known is None:
                self._parts.on_registered(endpoint)
            await self._settle(endpoint.id)
            return core.show(endpoint, now_ns)

    async def update(self, request: UpdateEndpoint) -> EndpointInfo:
        """Change an endpoint."""
        if request.change.url is not None:
            await self._check_url(request.change.url)

        def change(before: Endpoint, now_ns: int) -> tuple[Endpoint, AuditEvent]:
            after = core.update(before, request, now_ns)
            return after, core.audit("update", after, request.caller, now_ns, changed=core.changed_names(before, after))

        return core.describe(await self._change(request, change), self._now_ns())

    async def set_state(self, request: ChangedEndpoint, state: EndpointState) -> EndpointInfo:
        """Pause an endpoint, or make it active again."""
        action, reason = ("pause", "paused by its owner") if state == "paused" else ("resume", None)

        def change(before: Endpoint, now_ns: int) -> tuple[Endpoint, AuditEvent]:
            after = core.set_state(before, state, reason, now_ns)
            return after, core.audit(action, after, request.caller, now_ns, was=before.state)

        return core.describe(await self._change(request, change), self._now_ns())

    async def rotate(self, request: RotateSecret) -> EndpointShown:
        """Give an endpoint a new secret."""
        given = None if request.secret is None else request.secret.get_secret_value()
        secret = core.make_secret(secrets.token_bytes(core.SECRET_BYTES)) if given is None else core.check_secret(given)
        overlap = request.overlap_seconds

        def change(before: Endpoint, now_ns: int) -> tuple[Endpoint, AuditEvent]:
            after = core.rotate(before, secret, overlap, now_ns)
            return after, core.audit("rotate_secret", after, request.caller, now_ns, overlap_seconds=overlap)

        return core.show(await self._change(request, change, readable=True), self._now_ns())

    async def delete(self, request: ChangedEndpoint) -> EndpointInfo:
        """Take an endpoint away."""
        async with self._changing():
            now_ns = self._now_ns()
            endpoint = core.found(await self._store.find_of(request.owner, request.id), request.id)
            self.unsettled = True
            await self._store.delete(endpoint, core.audit("delete", endpoint, request.caller, now_ns), now_ns)
            await self._settle(endpoint.id)
            return core.describe(endpoint, now_ns)

    async def find(self, query: FindEndpoint) -> EndpointInfo:
        """Return one endpoint."""
        async with reachable_store():
            endpoint = core.found(await self._store.find_of(query.owner, query.id), query.id)
        return core.describe(endpoint, self._now_ns())

    async def list_of(self, query: ListEndpoints) -> EndpointPage:
        """Return a page of an owner's endpoints."""
        async with reachable_store():
            found, total = await self._store.list_of(query)
        return page_of([core.describe(one, self._now_ns()) for one in found], total, query)

    async def test(self, request: ChangedEndpoint) -> TestReply:
        """Post a test event, as any other is posted, and return what came of it; it is in no sequence."""
        async with reachable_store():
            endpoint = core.found(await self._store.find_of(request.owner, request.id, readable=True), request.id)
        now_ns = self._now_ns()
        fact = message_fact("test", f"test.{secrets.token_hex(8)}", now_ns, TEST_MESSAGE)
        name = event_id(endpoint.id, fact.source_id)
        body = make_body(name, fact, 0)
        try:
            answer = await self._poster.post(endpoint, name, body, now_ns)
        except RefusedAddressError as error:
            return _failed(name, f"refused: {error}", 0.0)
        except DeliveryError as error:
            return _failed(name, f"{error.kind}: {error}", error.seconds)
        return TestReply(
            event_id=name,
            delivered=answer.status in _SUCCESS,
            status=answer.status,
            seconds=answer.seconds,
            answer=answer.body.decode("utf-8", "replace"),
            error=None,
        )

    async def keys(self) -> KeysReply:
        """Return the public keys of `v1a`."""
        return self._keys

    async def keep(self) -> None:
        """Carry through what could not be."""
        async with self._lock:
            if self.unsettled:
                for endpoint_id in await self._store.list_waiting():
                    await self._settle(endpoint_id)
                self.unsettled = False

    async def _change(self, request: ChangedEndpoint, change: Change, *, readable: bool = False) -> Endpoint:
        async with self._changing():
            for _ in range(_TRIES):
                now_ns = self._now_ns()
                known = await self._store.find_of(request.owner, request.id, readable=readable)
                before = core.found(known, request.id)
                after, event = change(before, now_ns)
                if after is before:
                    return after
                self.unsettled = True
                if await self._store.save(before, after, event):
                    await self._settle(after.id)
                    return after
            raise ConflictError("The endpoint was changed meanwhile: try again", id=request.id)

    async def _check_url(self, url: str) -> None:
        try:
            await self._parts.transport.check(url)
        except RefusedAddressError as error:
            raise InvalidParameterError(f"The URL is refused: {error}", parameter="url") from None

    @asynccontextmanager
    async def _changing(self) -> AsyncGenerator[None]:
        async with self._lock, reachable_store():
            try:
                yield
            except NatsError as error:
                _log.warning("webhooks.unsettled", error=str(error) or type(error).__name__)
                raise NotReadyError("The change is kept, and takes effect with the bus", waiting_for=["bus"]) from None

    async def _settle(self, endpoint_id: str) -> None:
        await self._parts.bus.client.publish(WEBHOOK_CHANGED + endpoint_id, b"")
        events = await self._store.waiting(endpoint_id)
        for event in events:
            await publish_audit(self._parts.bus, event)
        await self._store.published(endpoint_id, events)


def _failed(name: str, error: str, seconds: float) -> TestReply:
    return TestReply(event_id=name, delivered=False, status=None, seconds=seconds, answer=None, error=error)
