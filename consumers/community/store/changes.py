"""Changes of documents with the events that say so: written in one transaction, published after it, until it is so.

Where the server has no transactions the document is written first and its event after it: a change that is repeated
writes the same again. What could not be published waits in the document and is published by `keep`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

import structlog
from nats.errors import Error as NatsError

from consumers.community.caching import Caches
from consumers.community.store.collections import GROUPS, USERS
from contracts import streams
from contracts.services.audit import AuditEvent
from contracts.services.community.events import SCHEMA, CommunityEvent
from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA
from runtime import retry
from runtime.nats.audit import publish_audit
from runtime.nats.bus import Bus
from runtime.store import Collection, Document, Store, StoreError
from runtime.tracing.tracing import current_headers

_log = structlog.get_logger("community")
T = TypeVar("T")
Collections = Callable[[str], Collection]
Work = Callable[[Collections], Awaitable[T]]
_SOON: Final = retry.Policy(timeout=2.0)
SERVICE: Final = "community"
_AUDITED: Final = frozenset({"group", "role", "rule", "settings", "user"})  # actions are a log themselves


class Changes:
    """The one way by which documents change; `transactions` says whether the server has them."""

    def __init__(self, bus: Bus, store: Store, caches: Caches, *, transactions: bool) -> None:
        self._bus, self._store, self._caches = bus, store, caches
        self._transactions = transactions
        self._finishing: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def change(self, place: tuple[str, str], work: Work[tuple[T, CommunityEvent | None]]) -> T:
        """Return what `work` returns beside its event, once both are written.

        `place` is the document that the event waits in: a group's or a profile's. Without an event nothing changed.
        """

        async def with_list(collections: Collections) -> tuple[T, list[CommunityEvent]]:
            result, event = await work(collections)
            return result, [] if event is None else [event]

        return await self.change_many(place, with_list)

    async def change_many(self, place: tuple[str, str], work: Work[tuple[T, list[CommunityEvent]]]) -> T:
        """Return what `work` returns beside its events, once all are written."""
        collection, name = place

        async def all_of_it(collections: Collections) -> tuple[T, list[CommunityEvent]]:
            result, events = await work(collections)
            if events:
                bodies = [event.model_dump(mode="json") for event in events]
                waits = {"$push": {"outbox": {"$each": bodies}}, "$set": {"waiting": True}}
                await collections(collection).update_one({"_id": name}, waits)
            return result, events

        async with self._turn(place):
            result, events = await self._store.together(all_of_it, transaction=self._transactions)
        for event in events:
            self._caches.drop(event)
        if events:
            await self._announce(place, events)
        return result

    def _turn(self, place: tuple[str, str]) -> asyncio.Lock:
        """Return the lock of a document: transactions of this process that write the same one would only conflict."""
        return self._turns.setdefault(place, asyncio.Lock())

    async def _announce(self, place: tuple[str, str], events: Sequence[CommunityEvent]) -> None:
        """Publish before the reply, so that who reads it next reads what is new; the rest is done beside it."""
        try:
            for event in events:
                await self._send(event)
        except NatsError as error:
            _log.warning("community.unsettled", error=str(error) or type(error).__name__)
            return
        task = asyncio.create_task(self._try_to_finish(place, events), name=f"finish {events[0].id}")
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _try_to_finish(self, place: tuple[str, str], events: Sequence[CommunityEvent]) -> None:
        try:
            await self._finish(place, events)
        except (NatsError, StoreError) as error:
            _log.warning("community.unsettled", error=str(error) or type(error).__name__)

    async def _publish(self, place: tuple[str, str], document: Document) -> None:
        """Publish what waits in a document, the oldest first, and take it out."""
        events = [CommunityEvent.model_validate_json(json.dumps(event)) for event in document.get("outbox", [])]
        for event in events:
            await self._send(event)
        await self._finish(place, events)

    async def _finish(self, place: tuple[str, str], events: Sequence[CommunityEvent]) -> None:
        """Publish the audit of published events, and take them out of their document."""
        for event in events:
            if event.what in _AUDITED:
                await publish_audit(self._bus, _audited(event), _SOON)
        collection, name = place
        ids = [event.id for event in events]

        async def take_out(collections: Collections) -> None:
            kept = collections(collection)
            await kept.update_one({"_id": name}, {"$pull": {"outbox": {"id": {"$in": ids}}}})
            left = await kept.find_one({"_id": name}, {"outbox": 1, "deleted": 1})
            if left is not None and not left.get("outbox") and not left.get("deleted"):
                await kept.update_one({"_id": name}, {"$set": {"waiting": False}})

        async with self._turn(place):
            await self._store.together(take_out, transaction=self._transactions)

    async def keep(self) -> list[Document]:
        """Publish everything that waits; return the groups whose deletion is under way."""
        deleted: list[Document] = []
        for collection in (GROUPS, USERS):
            async for document in self._store.collection(collection).find({"waiting": True}):
                await self._publish((collection, document["_id"]), document)
                if document.get("deleted"):
                    deleted.append(document)
        return deleted

    async def close(self) -> None:
        """Wait for what is being finished."""
        await asyncio.gather(*self._finishing, return_exceptions=True)

    async def _send(self, event: CommunityEvent) -> None:
        trace = current_headers() if self._bus.tracing.on else {}  # of who asks, none where it had to wait
        headers = {HEADER_MESSAGE_ID: event.id, HEADER_SCHEMA: SCHEMA, **trace}
        body = event.model_dump_json().encode()
        await self._bus.publish_acked(event.subject, body, headers=headers, stream=streams.COMMUNITY, policy=_SOON)


def _audited(event: CommunityEvent) -> AuditEvent:
    details: dict[str, Any] = {"owner": event.owner, "what": event.what}
    details |= {"keys": event.keys} if event.keys else {}
    return AuditEvent(
        id=f"{SERVICE}.{event.id}",
        ts=int(event.at.timestamp() * 1000) * 1_000_000,
        actor=event.actor,
        service=SERVICE,
        action=f"{event.what}_{event.deed}",
        target="/".join([*(str(one) for one in event.group_ids[:1]), event.key]),
        details=details,
    )
