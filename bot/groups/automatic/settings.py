"""Managed groups with their settings, kept until an event says that they changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from nats.aio.msg import Msg
from pydantic import ValidationError

from bot.requests import Requests
from bot.texts import groups as texts
from contracts.errors import NotFoundError
from contracts.services.community import commands
from contracts.services.community.events import CommunityEvent
from contracts.services.community.groups import GroupResponse
from contracts.services.community.settings import Moderation, SettingsResponse
from contracts.subjects import ALL_COMMUNITY
from runtime import clock
from runtime.clients.ttl_cache import TtlCache
from runtime.nats.bus import Bus
from runtime.texts.reader import Reader

_log = structlog.get_logger("bot")
KEPT_SECONDS: Final = 300.0
_MOST: Final = 4096
_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class ManagedGroup:
    """A group, its settings, and how it reads."""

    group: GroupResponse
    settings: SettingsResponse

    @property
    def id(self) -> int:
        """Telegram's id of it."""
        return self.group.group_id

    @property
    def moderation(self) -> Moderation:
        """What is held back."""
        return self.settings.moderation

    @property
    def reader(self) -> Reader:
        """How the bot speaks there."""
        return texts.reader_of(self.settings.language)


class Groups:
    """Groups by Telegram's id; that a chat is none is kept, too."""

    def __init__(self, bus: Bus, requests: Requests) -> None:
        self._bus, self._requests = bus, requests
        self._kept = TtlCache(most=_MOST, class_of=lambda _: "default")
        self._follows = False

    async def find(self, chat_id: int) -> ManagedGroup | None:
        """Return a group; None for a chat that is not managed, NotReadyError where nobody replies."""

        async def read() -> ManagedGroup | None:
            try:
                group = await self._requests.request(
                    "community.find_group", commands.FindGroup(group_id=chat_id), GroupResponse
                )
                settings = await self._requests.request(
                    "community.find_settings", commands.FindSettings(group_id=chat_id), SettingsResponse
                )
            except NotFoundError:
                return None
            return ManagedGroup(group, settings)

        return await self._kept.get(str(chat_id), read, lambda _: KEPT_SECONDS if self._follows else 0.0)

    @asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        """Drop what changes for as long as the block lasts; nothing is kept before the bus is there."""
        task = asyncio.create_task(self._follow(), name="changes of groups")
        try:
            yield
        finally:
            task.cancel()
            await self._kept.close()

    async def _follow(self) -> None:
        while not self._bus.connected:
            await clock.sleep(_LOOK_SECONDS)
        await self._bus.client.subscribe(ALL_COMMUNITY, cb=self._on_event)
        self._bus.listen_reconnect(self._kept.clear)
        self._kept.clear()
        self._follows = True

    async def _on_event(self, message: Msg) -> None:
        try:
            event = CommunityEvent.model_validate_json(message.data)
        except ValidationError as error:
            _log.warning("groups.event_refused", subject=message.subject, error=str(error).splitlines()[0])
            return
        if event.what in {"group", "settings"}:
            changed = {str(group_id) for group_id in event.group_ids}
            self._kept.drop(lambda keys: any(key in changed for key in keys), lambda key: (key,))
