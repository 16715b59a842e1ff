"""Settings of a group."""

from __future__ import annotations

from datetime import datetime

from consumers.community.services.context import Context, place
from consumers.community.store.changes import Collections
from consumers.community.store.collections import SETTINGS
from consumers.community.store.definitions import read_settings
from consumers.community.store.groups import Group
from contracts.services.community import commands
from contracts.services.community.events import CommunityEvent
from contracts.services.community.settings import SettingsBase, SettingsResponse
from runtime.store import Document


class SettingsService:
    """The commands about settings."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def find_settings(self, request: commands.FindSettings) -> SettingsResponse:
        """Return the settings of a group, as they were at first where nothing was set."""
        group = await self._context.group(request)
        return _shown(group, *await self._context.settings(group.key))

    async def update_settings(self, request: commands.UpdateSettings) -> SettingsResponse:
        """Change settings; null is as it was at first."""
        context = self._context
        group = await context.group(request)
        given = request.changes.model_dump(exclude_unset=True)
        back = {name: "" for name, value in given.items() if value is None}
        kept = {name: value for name, value in given.items() if value is not None}

        async def write(collections: Collections) -> tuple[Document, CommunityEvent | None]:
            settings, now = collections(SETTINGS), context.now()
            update: Document = {"$set": {**kept, "updated_at": now}, **({"$unset": back} if back else {})}
            await settings.update_one({"_id": group.key}, update, upsert=True)
            event = context.event("settings", "updated", group, group.group_id, caller=request.caller)
            return await settings.find_one({"_id": group.key}) or {}, event

        after = await context.changes.change(place(group), write)
        return _shown(group, read_settings(after), after["updated_at"])


def _shown(group: Group, settings: SettingsBase, updated_at: datetime | None) -> SettingsResponse:
    fields = {name: getattr(settings, name) for name in SettingsBase.model_fields}
    return SettingsResponse(group_id=group.group_id, updated_at=updated_at, **fields)
