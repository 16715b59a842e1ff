"""Keeps what the bot sends within Telegram's limits: each chat's own, a group's, and the one over all chats.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from runtime import clock

CHAT_SECONDS: Final = 1.05
GROUP: Final = (20, 61.0)  # messages, seconds
OVERALL: Final = (25, 1.05)
TRIES: Final = 5
CHATS: Final = 10_000
_UNPACED: Final = ("get", "set", "answer", "delete_webhook", "sendChatAction", "deleteWebhook", "logOut", "close")


class Slots:
    """When each chat may get its next message; seconds of a clock that is passed in.

    What counts is when Telegram has answered: it has counted the message by then, however long the way was.
    """

    def __init__(self) -> None:
        self._next: OrderedDict[int, float] = OrderedDict()
        self._groups: OrderedDict[int, deque[float]] = OrderedDict()
        self._all: deque[float] = deque(maxlen=OVERALL[0])

    def find_chat(self, chat_id: int, now: float) -> float:
        """Return when a chat may get a message."""
        sent = self._groups.get(chat_id)
        full = sent is not None and len(sent) == GROUP[0]
        return max(now, self._next.get(chat_id, now), sent[0] + GROUP[1] if sent is not None and full else now)

    def record(self, chat_id: int, now: float) -> None:
        """Take note of a message to a chat."""
        self._keep(chat_id, max(now + CHAT_SECONDS, self._next.get(chat_id, now)))
        if chat_id < 0:
            self._groups.setdefault(chat_id, deque(maxlen=GROUP[0])).append(now)
            self._groups.move_to_end(chat_id)
            while len(self._groups) > CHATS:
                self._groups.popitem(last=False)

    def take_any(self, now: float) -> float:
        """Reserve the next free moment over all chats and return it."""
        at = max(now, self._all[0] + OVERALL[1]) if len(self._all) == OVERALL[0] else now
        self._all.append(at)
        return at

    def pause(self, chat_id: int, until: float) -> None:
        """Send nothing to a chat before a moment."""
        self._keep(chat_id, max(until, self._next.get(chat_id, until)))

    def _keep(self, chat_id: int, until: float) -> None:
        self._next[chat_id] = until
        self._next.move_to_end(chat_id)
        while len(self._next) > CHATS:
            self._next.popitem(last=False)


class Pacing(BaseRateLimiter[int]):
    """python-telegram-bot's seam for limits: waits before each message, and as long as Telegram says after a 429.

    `speed`: so much faster runs the clock of the limits; 1 but for a simulated Telegram.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._slots, self._speed = Slots(), speed
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def initialize(self) -> None:
        """Begin."""

    async def shutdown(self) -> None:
        """End."""

    async def process_request(  # noqa: PLR0917  # the library calls it so
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Return what Telegram replied; RetryAfter where it says so still after the last try."""
        call = partial(callback, *args, **kwargs)
        if endpoint.startswith(_UNPACED):
            return await call()
        chat_id = data.get("chat_id")
        if not isinstance(chat_id, int):
            return await self._any(call)
        turn = self._turns.setdefault(chat_id, asyncio.Lock())
        async with turn:  # one message of a chat at a time, in the order in which they came
            return await self._retried(call, chat_id)

    async def _retried(self, call: Callable[[], Coroutine[Any, Any, Any]], chat_id: int) -> Any:
        for left in range(TRIES - 1, -1, -1):
            now = self._now()
            await self._sleep(self._slots.find_chat(chat_id, now) - now)
            try:
                return await self._any(call)
            except RetryAfter as error:
                self._slots.pause(chat_id, self._now() + _seconds(error))
                if not left:
                    raise
            finally:
                self._slots.record(chat_id, self._now())
        raise AssertionError

    async def _any(self, call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        now = self._now()
        await self._sleep(self._slots.take_any(now) - now)
        return await call()

    def _now(self) -> float:
        return clock.monotonic() * self._speed

    async def _sleep(self, seconds: float) -> None:
        await clock.sleep(seconds / self._speed)


def _seconds(error: RetryAfter) -> float:
    found = error.retry_after
    return found.total_seconds() if isinstance(found, timedelta) else float(found)
