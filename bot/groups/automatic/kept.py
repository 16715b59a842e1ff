"""What bots wait for in groups, on the bus: several bots share it, and one that begins goes on with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeVar

from nats.errors import Error as NatsError

from bot.groups.automatic.core import StateModel
from contracts.errors import NotReadyError
from contracts.streams import GROUP_STATE
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.kv.compared import ComparedBucket
from runtime.nats.kv.mirror import Mirror
from runtime.nats.streams.api import ApiRefusalError

M = TypeVar("M", bound=StateModel)
_AWAY = (NatsError, NoAnswerError, ApiRefusalError)


class Kept:
    """States by key; NotReadyError where the bus is away."""

    def __init__(self, bus: Bus) -> None:
        self._bus, self._bucket = bus, ComparedBucket(bus, GROUP_STATE)
        self._mirror: Mirror | None = None

    @asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        """Know the keys for as long as the block lasts, from when the bus is there."""
        mirror = self._mirror = Mirror(self._bus, GROUP_STATE)
        opening = asyncio.create_task(mirror.open(None), name="group state")
        try:
            yield
        finally:
            opening.cancel()
            await mirror.close()

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin so, as they were a moment ago."""
        return [] if self._mirror is None else [key for key, _ in self._mirror.entries(prefix)]

    def last(self, key: str, kind: type[M]) -> M | None:
        """Return a state as it was a moment ago."""
        entry = None if self._mirror is None else self._mirror.get(key)
        return None if entry is None else kind.model_validate_json(entry.value)

    async def find(self, key: str, kind: type[M]) -> tuple[M | None, int]:
        """Return a state, None where there is none, and its revision."""
        try:
            word = await self._bucket.find(key)
        except _AWAY as error:
            raise NotReadyError(f"{GROUP_STATE} cannot be read: {error}", waiting_for=["bus"]) from None
        return None if word.value is None else kind.model_validate_json(word.value), word.revision

    async def put(self, key: str, state: StateModel | None, revision: int) -> int | None:
        """Put a state, or None for nothing, in the place of a revision; None where another was faster."""
        body = None if state is None else state.model_dump_json().encode()
        try:
            return await self._bucket.write(key, body, revision)
        except _AWAY as error:
            raise NotReadyError(f"{GROUP_STATE} cannot be written: {error}", waiting_for=["bus"]) from None

    async def take(self, key: str, kind: type[M]) -> tuple[M | None, int]:
        """Return a state that is taken away, as it was last; None for all but one of those who do this at once."""
        while True:
            state, revision = await self.find(key, kind)
            if state is None or await self.put(key, None, revision) is not None:
                return state, revision


def captcha_key(chat_id: int, user_id: int) -> str:
    """Return the key of a newcomer who has to answer."""
    return f"captcha.{chat_id}.{user_id}"


def passed_key(chat_id: int, user_id: int) -> str:
    """Return the key of who has answered before joining."""
    return f"passed.{chat_id}.{user_id}"


def raid_key(chat_id: int) -> str:
    """Return the key of a group's raid."""
    return f"raid.{chat_id}"


def board_key(chat_id: int) -> str:
    """Return the key of a group's question."""
    return f"board.{chat_id}"


def fading_key(chat_id: int, message_id: int) -> str:
    """Return the key of a command that is to be deleted."""
    return f"fading.{chat_id}.{message_id}"


def report_key(chat_id: int, message_id: int) -> str:
    """Return the key of a reported message."""
    return f"report.{chat_id}.{message_id}"
