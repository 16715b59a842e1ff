"""The documents of chats: profiles by user, subscriptions by chat and topic."""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import ValidationError

from contracts.services.chats import (
    AlertFilter,
    DeleteSubscription,
    FindSubscription,
    Profile,
    SaveProfile,
    SaveSubscription,
    Subscription,
)
from runtime.store import Collection, Document, IndexSpec, Store

PROFILES: Final = "telegram_profiles"
SUBSCRIPTIONS: Final = "telegram_subscriptions"
INDEXES: Final = (
    IndexSpec(SUBSCRIPTIONS, ("active",)),
    IndexSpec(SUBSCRIPTIONS, ("chat_id",)),
)


class ChatStore:
    """Profiles and subscriptions; each is one document."""

    def __init__(self, store: Store) -> None:
        self._profiles: Collection = store.collection(PROFILES)
        self._subscriptions: Collection = store.collection(SUBSCRIPTIONS)

    async def find_profile(self, user_id: int) -> Profile:
        """Return how a user reads; an empty profile where nothing was chosen."""
        document = await self._profiles.find_one({"_id": user_id}) or {}
        return Profile(user_id=user_id, language=document.get("language"), zone=document.get("zone"))

    async def save_profile(self, change: SaveProfile) -> Profile:
        """Keep what was chosen, beside what was before."""
        given = change.model_dump(exclude={"user_id"}, exclude_none=True)
        if given:
            await self._profiles.update_one({"_id": change.user_id}, {"$set": given}, upsert=True)
        return await self.find_profile(change.user_id)

    async def find(self, query: FindSubscription) -> Subscription:
        """Return which alerts a chat gets."""
        document = await self._subscriptions.find_one({"_id": _key(query.chat_id, query.thread_id)})
        return _read(document) or Subscription(chat_id=query.chat_id, thread_id=query.thread_id, active=False)

    async def save(self, change: SaveSubscription) -> Subscription:
        """Send alerts to a chat from now on."""
        fields = {**change.model_dump(mode="json"), "active": True, "snoozed_until": None}
        await self._subscriptions.update_one(
            {"_id": _key(change.chat_id, change.thread_id)}, {"$set": fields}, upsert=True
        )
        return await self.find(change)

    async def delete(self, change: DeleteSubscription) -> Subscription:
        """Send no more alerts to a chat."""
        await self._subscriptions.delete_one({"_id": _key(change.chat_id, change.thread_id)})
        return await self.find(change)

    async def snooze(self, query: FindSubscription, until: str | None) -> Subscription:
        """Send no alerts to a chat until a time (ISO 8601); None ends that."""
        key = {"_id": _key(query.chat_id, query.thread_id)}
        await self._subscriptions.update_one(key, {"$set": {"snoozed_until": until}})
        return await self.find(query)

    async def active(self) -> list[Subscription]:
        """Return every subscription that is on."""
        found = [_read(document) async for document in self._subscriptions.find({"active": True})]
        return [one for one in found if one is not None]

    async def drop_chat(self, chat_id: int) -> None:
        """Forget what a chat gets: it takes no messages any more."""
        await self._subscriptions.delete_many({"chat_id": chat_id})

    async def move_chat(self, chat_id: int, new_chat_id: int) -> None:
        """Give what a chat gets to the chat that it became; a repeated call changes nothing.

        What was chosen in the chat that it became stays: it is newer.
        """
        async for document in self._subscriptions.find({"chat_id": chat_id}):
            moved: Document = {**document, "chat_id": new_chat_id}
            del moved["_id"]
            key = {"_id": _key(new_chat_id, document.get("thread_id"))}
            await self._subscriptions.update_one(key, {"$setOnInsert": moved}, upsert=True)
            await self._subscriptions.delete_one({"_id": document["_id"]})


def _key(chat_id: int, thread_id: Any) -> str:
    return f"{chat_id}:{thread_id or 0}"


def _read(document: Document | None) -> Subscription | None:
    if document is None:
        return None
    try:
        return Subscription.model_validate_json(_as_json(document))
    except ValidationError:  # a kind of alert that is no longer there: the rest of the filter stays
        kept = {**document, "filter": AlertFilter().model_dump(mode="json")}
        return Subscription.model_validate_json(_as_json(kept))


def _as_json(document: Document) -> str:
    return json.dumps({name: value for name, value in document.items() if name != "_id"})
