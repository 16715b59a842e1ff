"""The documents of trips: what is stopped until its owner resumes, and which events are to be published still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consumers.execution.safety.core import Scope, Trip
from runtime.store import Collection, Document, IndexSpec, Store

TRIPS: Final = "trading_trips"
INDEXES: Final = (IndexSpec(TRIPS, ("owner", "cleared")), IndexSpec(TRIPS, ("published",)))


class TripStore:
    """Trips by their ids."""

    def __init__(self, store: Store) -> None:
        self._trips: Collection = store.collection(TRIPS)

    async def save(self, trip: Trip) -> None:
        """Keep a trip whose event is to be published; one that is there stays as it is."""
        await self._trips.update_one({"_id": trip.id}, {"$setOnInsert": _document(trip)}, upsert=True)

    async def find(self, scopes: Sequence[Scope]) -> Trip | None:
        """Return a trip of one of an owner's scopes that was not cleared; StoreError where that cannot be read."""
        keys = [f"{scope.what}.{scope.name}" for scope in scopes]
        wanted = {"owner": scopes[0].owner, "cleared": False, "scope": {"$in": keys}}
        document = await self._trips.find_one(wanted)
        return None if document is None else _read(document)

    async def clear(self, owner: str) -> None:
        """Let an owner's orders go on."""
        await self._trips.update_many({"owner": owner, "cleared": False}, {"$set": {"cleared": True}})

    async def list_unpublished(self) -> list[Trip]:
        """Return the trips whose event is to be published."""
        return [_read(document) async for document in self._trips.find({"published": False})]

    async def published(self, trip: Trip) -> None:
        """Note that the event of a trip is on the bus."""
        await self._trips.update_one({"_id": trip.id}, {"$set": {"published": True}})


def _document(trip: Trip) -> Document:
    scope = trip.scope
    return {
        "owner": scope.owner,
        "what": scope.what,
        "name": scope.name,
        "scope": f"{scope.what}.{scope.name}",
        "account": trip.account,
        "venue": trip.venue,
        "errors": trip.errors,
        "reason": trip.reason,
        "ts": trip.ts,
        "cleared": trip.cleared,
        "published": False,
    }


def _read(document: Document) -> Trip:
    return Trip(
        scope=Scope(document["owner"], document["what"], document["name"]),
        account=document["account"],
        venue=document["venue"],
        errors=document["errors"],
        reason=document["reason"],
        ts=document["ts"],
        cleared=document["cleared"],
    )
