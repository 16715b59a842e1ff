"""Changes keys: in the store with its audit event, then in the ACCESS bucket, then on the audit stream, until it is so.

What could not be carried through is carried through later: `keep` looks after it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from nats.errors import Error as NatsError

from consumers.access import core
from consumers.access.core import Key
from consumers.access.store import AccessStore
from contracts import streams
from contracts.errors import ConflictError, NotReadyError
from contracts.services import access
from contracts.services.access import CreateKey, KeyInfo, KeyShown, RevokeKey, RotateKey
from contracts.services.audit import AuditEvent
from runtime import clock, retry
from runtime.nats.audit import publish_audit
from runtime.nats.bus import Bus
from runtime.nats.kv.mirror import Mirror
from runtime.nats.streams.config import BUCKET_PREFIX
from runtime.store import StoreError

_log = structlog.get_logger("access")
_DELETE: Final = {"KV-Operation": "DEL"}
_WRITE: Final = retry.Policy(timeout=2.0)


@asynccontextmanager
async def reachable_store() -> AsyncGenerator[None]:
    """Raise NotReadyError where the document store fails."""
    try:
        yield
    except StoreError as error:
        _log.warning("access.store_failed", error=str(error))
        raise NotReadyError("The key store is not available", waiting_for=["document store"]) from None


class KeyChanges:
    """The one who changes keys: one change at a time; `mirror` is what the ACCESS bucket holds."""

    def __init__(self, bus: Bus, store: AccessStore, mirror: Mirror, pepper: bytes) -> None:
        self._bus, self._store, self._mirror, self._pepper = bus, store, mirror, pepper
        self._mark = access.pepper_mark(pepper)
        self._js = bus.jetstream(timeout=2.0)
        self._keys: dict[str, Key] = {}  # those that were not revoked
        self._entries: dict[str, tuple[Key, bytes | None, int | None]] = {}  # and what the bucket is to hold of them
        self._lock = asyncio.Lock()
        self.unsettled = True  # whether a change may not have been carried through

    def __len__(self) -> int:
        return len(self._keys)

    async def open(self) -> None:
        """Read every key, and make the bucket hold what it is to hold."""
        async for key in self._store.every():
            self._keys[key.id] = key
        await self.keep()

    async def create(self, request: CreateKey) -> KeyShown:
        """Make a key, or give the key of a repeated request a new secret."""
        async with self._changing():
            now_ns, secret = clock.now_ns(), secrets.token_urlsafe(access.SECRET_BYTES)
            mac = access.key_mac(self._pepper, secret)
            since_ns = now_ns - core.REPEATABLE_NS
            name = request.request_key
            known = None if name is None else await self._store.find_request(name, since_ns)
            if known is None:
                key = core.create(request, secrets.token_hex(access.ID_BYTES), mac, now_ns)
            else:
                key = core.create_again(known, request, mac, now_ns)
            event = core.audit("create", key, request.caller, now_ns, repeated=known is not None)
            await self._save(key, known, event)
            return core.show(key, secret, now_ns)

    async def rotate(self, request: RotateKey) -> KeyShown:
        """Give a key a new secret."""
        async with self._changing():
            now_ns, secret = clock.now_ns(), secrets.token_urlsafe(access.SECRET_BYTES)
            before = core.found(await self._store.find(request.id), request.id)
            key = core.rotate(before, access.key_mac(self._pepper, secret), request.overlap_seconds, now_ns)
            details = {"overlap_seconds": request.overlap_seconds}
            await self._save(key, before, core.audit("rotate", key, request.caller, now_ns, **details))
            return core.show(key, secret, now_ns)

    async def revoke(self, request: RevokeKey) -> KeyInfo:
        """Refuse a key from now on; one that is refused already stays as it is."""
        async with self._changing():
            now_ns = clock.now_ns()
            before = core.found(await self._store.find(request.id), request.id)
            key = core.revoke(before, now_ns)
            if key is before:
                await self._settle(key)
            else:
                await self._save(key, before, core.audit("revoke", key, request.caller, now_ns))
            return core.describe(key, now_ns)

    async def keep(self) -> None:
        """Carry through what could not be, take what has ended out of the bucket, put back what it has lost."""
        async with self._lock:
            now_ns = clock.now_ns()
            wanted = {key.id: entry for key in self._keys.values() if (entry := self._entry(key, now_ns)) is not None}
            present = {key_id: held.value for key_id, held in self._mirror.entries()}
            for key_id in {*wanted, *present}:
                if wanted.get(key_id) != present.get(key_id):
                    await self._write(key_id, wanted.get(key_id))
            if self.unsettled:
                for key_id in await self._store.list_waiting():
                    await self._publish(key_id)
                self.unsettled = False

    @asynccontextmanager
    async def _changing(self) -> AsyncGenerator[None]:
        async with self._lock, reachable_store():
            try:
                yield
            except NatsError as error:
                _log.warning("access.unsettled", error=str(error) or type(error).__name__)
                raise NotReadyError("The change is kept, and takes effect with the bus", waiting_for=["bus"]) from None

    async def _save(self, key: Key, before: Key | None, event: AuditEvent) -> None:
        waited, self.unsettled = self.unsettled, True
        if not await self._store.save(key, before, event):
            raise ConflictError("The key was changed meanwhile: try again", id=key.id)
        if key.revoked_ns is None:
            self._keys[key.id] = key
        else:
            self._keys.pop(key.id, None)
            self._entries.pop(key.id, None)
        await self._settle(key)
        self.unsettled = waited

    def _entry(self, key: Key, now_ns: int) -> bytes | None:
        """Return what the bucket is to hold of a key; it is made again only where something of it has ended."""
        made = self._entries.get(key.id)
        if made is None or made[0] is not key or (made[2] is not None and now_ns >= made[2]):
            entry = core.entry_of(key, self._mark, now_ns)
            made = self._entries[key.id] = (key, entry, core.next_change(key, now_ns))
        return made[1]

    async def _settle(self, key: Key) -> None:
        await self._write(key.id, core.entry_of(key, self._mark, clock.now_ns()))
        await self._publish(key.id)

    async def _publish(self, key_id: str) -> None:
        events = await self._store.waiting(key_id)
        for event in events:
            await publish_audit(self._bus, event)
        await self._store.published(key_id, events)

    async def _write(self, key_id: str, value: bytes | None) -> None:
        async def write() -> None:
            await self._js.publish(
                f"$KV.{streams.ACCESS}.{key_id}",
                value or b"",
                stream=BUCKET_PREFIX + streams.ACCESS,
                headers=dict(_DELETE) if value is None else None,
            )

        await retry.retried(write, on=NatsError, policy=_WRITE)
