"""The documents of endpoints: with sealed secrets, and the audit events that are not on the bus yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any, Final, cast

from consumers.webhooks.registry.endpoint import Endpoint, EndpointSecret
from consumers.webhooks.registry.sealing import Sealer
from contracts.services.audit import AuditEvent
from contracts.services.webhooks.endpoints import EndpointState, ListEndpoints
from runtime.store import Collection, Document, IndexSpec, Store

ENDPOINTS: Final = "webhook_endpoints"
INDEXES: Final = (
    IndexSpec(ENDPOINTS, ("owner", "-created_ns", "_id")),
    IndexSpec(ENDPOINTS, ("request_key",)),
    IndexSpec(ENDPOINTS, ("waiting",)),
)
_NEWEST: Final = [("created_ns", -1), ("_id", 1)]
_PLAIN: Final = ("owner", "url", "ordering", "description", "state", "state_reason")
_TIMES: Final = ("created_ns", "updated_ns", "rotated_ns", "version")
_LISTS: Final = ("events", "symbols", "exchanges")
_THERE: Final[Document] = {"deleted_ns": None}


class EndpointStore:
    """Endpoints by their ids. What an owner changes and its audit event are one write."""

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._endpoints: Collection = store.collection(ENDPOINTS)
        self._sealer = sealer

    async def find(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint, whoever's it is; raises UnsealableError."""
        return self._read(await self._endpoints.find_one({"_id": endpoint_id, **_THERE}))

    async def find_of(self, owner: str, endpoint_id: str, *, readable: bool = False) -> Endpoint | None:
        """Return an owner's endpoint; with its secrets' texts only where it is to be `readable` (UnsealableError)."""
        document = await self._endpoints.find_one({"_id": endpoint_id, "owner": owner, **_THERE})
        return self._read(document) if readable or document is None else _read(document, _unread(document))

    async def has(self, owner: str, endpoint_id: str) -> bool:
        """Return whether an owner has an endpoint."""
        return await self._endpoints.find_one({"_id": endpoint_id, "owner": owner, **_THERE}, {"_id": 1}) is not None

    async def ids_of(self, owner: str) -> list[str]:
        """Return the ids of an owner's endpoints."""
        found = self._endpoints.find({"owner": owner, **_THERE}, {"_id": 1})
        return [str(document["_id"]) async for document in found]

    async def find_request(self, owner: str, request_key: str, since_ns: int) -> tuple[Endpoint, str] | None:
        """Return the endpoint that a request of this name has made since, with a hash of what was asked for."""
        wanted = {"request_key": request_key, "owner": owner, "created_ns": {"$gte": since_ns}, **_THERE}
        document = await self._endpoints.find_one(wanted)
        endpoint = self._read(document)
        return None if document is None or endpoint is None else (endpoint, str(document["asked"]))

    async def every(self) -> AsyncIterator[Endpoint]:
        """Give each endpoint, whoever's it is, without its secrets' texts."""
        async for document in self._endpoints.find(_THERE):
            yield _read(document, _unread(document))

    async def list_of(self, query: ListEndpoints) -> tuple[list[Endpoint], int]:
        """Return a page of an owner's endpoints and how many it has; the newest first, without secrets' texts."""
        wanted = {"owner": query.owner, **_THERE}
        cursor = self._endpoints.find(wanted).sort(list(_NEWEST))
        documents = cursor.skip((query.page - 1) * query.page_size).limit(query.page_size)
        found = [_read(document, _unread(document)) async for document in documents]
        return found, await self.count_of(query.owner)

    async def count_of(self, owner: str) -> int:
        """Return how many endpoints an owner has."""
        return await self._endpoints.count_documents({"owner": owner, **_THERE})

    async def insert(self, endpoint: Endpoint, event: AuditEvent, request_key: str | None, asked: str) -> None:
        """Keep a new endpoint, or what a repeated request has made of it, and that this event is to be published."""
        fields = {
            **_document(endpoint),
            **self._sealed(endpoint),
            "request_key": request_key,
            "asked": asked,
            "waiting": True,
        }
        await self._endpoints.update_one({"_id": endpoint.id}, {"$set": fields, **_queued(event)}, upsert=True)

    async def save(self, before: Endpoint, after: Endpoint, event: AuditEvent) -> bool:
        """Keep an endpoint as it is now, and its event; return whether it was as `before` until then."""
        secrets = {} if after.secrets == before.secrets else self._sealed(after)
        fields = {**_document(after), **secrets, "waiting": True}
        wanted = {"_id": before.id, "version": before.version, **_THERE}
        written = await self._endpoints.update_one(wanted, {"$set": fields, **_queued(event)})
        return bool(written.matched_count)

    async def delete(self, endpoint: Endpoint, event: AuditEvent, now_ns: int) -> None:
        """Take an endpoint and its secrets away; what is left goes when its event is published."""
        fields: Document = {"deleted_ns": now_ns, "secrets": [], "url": "", "waiting": True}
        await self._endpoints.update_one({"_id": endpoint.id}, {"$set": fields, **_queued(event)})

    async def set_state(
        self, endpoint_id: str, state: EndpointState, reason: str | None, *, among: Sequence[EndpointState], now_ns: int
    ) -> bool:
        """Put an endpoint that is in one of some states into another; return whether it was. No owner did it."""
        wanted = {"_id": endpoint_id, "state": {"$in": list(among)}, **_THERE}
        fields = {"state": state, "state_reason": reason, "updated_ns": now_ns}
        written = await self._endpoints.update_one(wanted, {"$set": fields, "$inc": {"version": 1}})
        return bool(written.matched_count)

    async def waiting(self, endpoint_id: str) -> list[AuditEvent]:
        """Return the events of an endpoint that are to be published, the oldest first."""
        document = await self._endpoints.find_one({"_id": endpoint_id}, {"audit": 1})
        return [AuditEvent.model_validate(event) for event in cast("list[Any]", (document or {}).get("audit", []))]

    async def published(self, endpoint_id: str, events: Sequence[AuditEvent]) -> None:
        """Forget events that are on the bus, and an endpoint that was waiting for nothing else to be taken away."""
        ids = [event.id for event in events]
        await self._endpoints.update_one({"_id": endpoint_id}, {"$pull": {"audit": {"id": {"$in": ids}}}})
        await self._endpoints.update_one({"_id": endpoint_id, "audit": []}, {"$set": {"waiting": False}})
        await self._endpoints.delete_one({"_id": endpoint_id, "audit": [], "deleted_ns": {"$gt": 0}})

    async def list_waiting(self) -> list[str]:
        """Return the ids of endpoints that have events to be published."""
        return [str(document["_id"]) async for document in self._endpoints.find({"waiting": True}, {"_id": 1})]

    def _sealed(self, endpoint: Endpoint) -> Document:
        sealed = [(self._sealer.seal(one.text, endpoint.owner, endpoint.id), one.ends_ns) for one in endpoint.secrets]
        return {"secrets": [{"sealed": text, "ends_ns": ends_ns} for text, ends_ns in sealed]}

    def _read(self, document: Document | None) -> Endpoint | None:
        if document is None:
            return None
        owner, name = str(document["owner"]), str(document["_id"])
        secrets = [
            EndpointSecret(self._sealer.open(bytes(one["sealed"]), owner, name), one["ends_ns"])
            for one in document["secrets"]
        ]
        return _read(document, secrets)


def _document(endpoint: Endpoint) -> Document:
    fields: Document = {name: getattr(endpoint, name) for name in (*_PLAIN, *_TIMES)}
    fields |= {name: list(getattr(endpoint, name)) for name in _LISTS}
    fields["min_usd"] = None if endpoint.min_usd is None else format(endpoint.min_usd, "f")
    return {**fields, **_THERE}


def _read(document: Document, secrets: Sequence[EndpointSecret]) -> Endpoint:
    fields: dict[str, Any] = {name: document.get(name) for name in (*_PLAIN, *_TIMES)}
    fields |= {name: tuple(document[name]) for name in _LISTS}
    min_usd = document["min_usd"]
    return Endpoint(
        id=str(document["_id"]),
        secrets=tuple(secrets),
        min_usd=None if min_usd is None else Decimal(min_usd),
        **fields,
    )


def _unread(document: Document) -> list[EndpointSecret]:
    return [EndpointSecret("", one["ends_ns"]) for one in document["secrets"]]


def _queued(event: AuditEvent) -> Document:
    return {"$push": {"audit": event.model_dump(mode="json")}}
