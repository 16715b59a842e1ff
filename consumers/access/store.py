"""The documents of access: keys with the audit events that are not on the bus yet, and the audit trail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any, Final, cast

from consumers.access.core import Key, Secret, nanoseconds
from contracts.services.access import AuditQuery, ListKeys
from contracts.services.audit import AuditEvent
from runtime.store import Collection, Document, IndexSpec, Store

KEYS: Final = "access_keys"
AUDIT: Final = "audit"
INDEXES: Final = (
    IndexSpec(KEYS, ("-created_ns", "_id")),
    IndexSpec(KEYS, ("owner", "-created_ns")),
    IndexSpec(KEYS, ("request_key",)),
    IndexSpec(KEYS, ("waiting",)),
    IndexSpec(AUDIT, ("-ts", "_id")),
    IndexSpec(AUDIT, ("actor", "-ts")),
    IndexSpec(AUDIT, ("action", "-ts")),
)
_NEWEST_KEYS: Final = [("created_ns", -1), ("_id", 1)]
_NEWEST_EVENTS: Final = [("ts", -1), ("_id", 1)]


class AccessStore:
    """Keys and audit events by their ids. A change of a key and its audit event are one write."""

    def __init__(self, store: Store) -> None:
        self._keys: Collection = store.collection(KEYS)
        self._audit: Collection = store.collection(AUDIT)

    async def find(self, key_id: str) -> Key | None:
        """Return the key of an id."""
        return _read(await self._keys.find_one({"_id": key_id}))

    async def find_request(self, request_key: str, since_ns: int) -> Key | None:
        """Return the key that a request of this name has made since."""
        return _read(await self._keys.find_one({"request_key": request_key, "created_ns": {"$gte": since_ns}}))

    async def save(self, key: Key, before: Key | None, event: AuditEvent) -> bool:
        """Keep a key as it is now, and that this event is to be published; False where it is not `before` any more.

        None as `before`: a new key. Who had the lease before may still be carrying a change out.
        """
        update = {
            "$set": {**_document(key), "waiting": True},
            "$push": {"events": event.model_dump(mode="json")},
        }
        wanted = {"_id": key.id} if before is None else {"_id": key.id, **_document(before)}
        done = await self._keys.update_one(wanted, update, upsert=before is None)
        return before is None or bool(done.matched_count)

    async def waiting(self, key_id: str) -> list[AuditEvent]:
        """Return the events of a key that are to be published, the oldest first."""
        document = await self._keys.find_one({"_id": key_id}, {"events": 1})
        found = cast("list[Any]", (document or {}).get("events", []))
        return [AuditEvent.model_validate(event) for event in found]

    async def published(self, key_id: str, events: Sequence[AuditEvent]) -> None:
        """Forget events that are on the bus."""
        ids = [event.id for event in events]
        await self._keys.update_one({"_id": key_id}, {"$pull": {"events": {"id": {"$in": ids}}}})
        await self._keys.update_one({"_id": key_id, "events": []}, {"$set": {"waiting": False}})

    async def list_waiting(self) -> list[str]:
        """Return the ids of keys that have events to be published."""
        return [str(document["_id"]) async for document in self._keys.find({"waiting": True}, {"_id": 1})]

    async def every(self) -> AsyncIterator[Key]:
        """Give each key that was not revoked."""
        async for document in self._keys.find({"revoked_ns": None}):
            if (key := _read(document)) is not None:
                yield key

    async def list_keys(self, query: ListKeys) -> tuple[list[Key], int]:
        """Return a page of keys, the newest first, and how many there are."""
        wanted = {} if query.owner is None else {"owner": query.owner}
        documents = await self._page(self._keys, wanted, _NEWEST_KEYS, query)
        return [key for key in map(_read, documents) if key is not None], await self._keys.count_documents(wanted)

    async def save_audit(self, event: AuditEvent) -> None:
        """Keep an event; one that comes again changes nothing."""
        document = event.model_dump(mode="json", exclude={"id"})
        await self._audit.update_one({"_id": event.id}, {"$setOnInsert": document}, upsert=True)

    async def list_audit(self, query: AuditQuery) -> tuple[list[AuditEvent], int]:
        """Return a page of events, the newest first, and how many there are."""
        wanted = _audit_filter(query)
        documents = await self._page(self._audit, wanted, _NEWEST_EVENTS, query)
        events = [AuditEvent.model_validate({**document, "id": document["_id"]}) for document in documents]
        return events, await self._audit.count_documents(wanted)

    async def _page(
        self, collection: Collection, wanted: Document, order: Sequence[tuple[str, int]], query: ListKeys | AuditQuery
    ) -> list[Document]:
        found = collection.find(wanted).sort(list(order))
        cursor = found.skip((query.page - 1) * query.page_size).limit(query.page_size)
        return [document async for document in cursor]


def _audit_filter(query: AuditQuery) -> Document:
    wanted: Document = {}
    if query.actor is not None:
        wanted["actor"] = query.actor
    if query.action is not None:
        service, _, action = query.action.rpartition(".")
        wanted["action"] = action
        if service:
            wanted["service"] = service
    if query.since is not None:
        wanted["ts"] = {"$gte": nanoseconds(query.since)}
    return wanted


def _document(key: Key) -> Document:
    fields = asdict(key)
    del fields["id"]
    return {**fields, "scopes": list(key.scopes), "secrets": [asdict(secret) for secret in key.secrets]}


def _read(document: Document | None) -> Key | None:
    if document is None:
        return None
    fields = {name: document.get(name) for name in Key.__slots__ if name not in {"id", "scopes", "secrets"}}
    secrets = tuple(Secret(one["mac"], one["ends_ns"]) for one in document["secrets"])
    return Key(id=document["_id"], scopes=tuple(document["scopes"]), secrets=secrets, **cast("Any", fields))
