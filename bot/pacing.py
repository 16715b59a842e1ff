"""Keeps what the bot sends within Telegram's limits: each chat's own, a group's, and the one over all chats.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final

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
    """When each chat may get its next message; seconds of a clock that is passed in."""

    def __init__(self) -> None:
        self._next: OrderedDict[int, float] = OrderedDict()
        self._groups: OrderedDict[int, deque[float]] = OrderedDict()
        self._all: deque[float] = deque(maxlen=OVERALL[0])

    def take_chat(self, chat_id: int, now: float) -> float:
        """Reserve a chat's next free moment and return it."""
        at = max(now, self._next.get(chat_id, now))
        if chat_id < 0:
            sent = _recent(self._groups, chat_id) or self._groups.setdefault(chat_id, deque(maxlen=GROUP[0]))
            if len(sent) == GROUP[0]:
                at = max(at, sent[0] + GROUP[1])
            sent.append(at)
            _bound(self._groups)
        self._next[chat_id] = at + CHAT_SECONDS
        self._next.move_to_end(chat_id)
        _bound(self._next)
        return at

    def take_any(self, now: float) -> float:
        """Reserve the next free moment over all chats and return it."""
        at = max(now, self._all[0] + OVERALL[1]) if len(self._all) == OVERALL[0] else now
        self._all.append(at)
        return at

    def pause(self, chat_id: int, until: float) -> None:
        """Send nothing to a chat before a moment."""
        self._next[chat_id] = max(until, self._next.get(chat_id, until))


def _recent(kept: OrderedDict[int, deque[float]], chat_id: int) -> deque[float] | None:
    found = kept.get(chat_id)
    if found is not None:
        kept.move_to_end(chat_id)
    return found


def _bound(kept: OrderedDict[int, Any]) -> None:
    while len(kept) > CHATS:
        kept.popitem(last=False)


class Pacing(BaseRateLimiter[int]):
    """python-telegram-bot's seam for limits: waits before each message, and as long as Telegram says after a 429."""

    def __init__(self, slots: Slots | None = None) -> None:
        self._slots = slots or Slots()

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
        if endpoint.startswith(_UNPACED):
            return await callback(*args, **kwargs)
        chat_id = data.get("chat_id")
        chat = chat_id if isinstance(chat_id, int) else None
        for left in range(TRIES - 1, -1, -1):
            await self._wait(chat)
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:
                if not left:
                    raise
                seconds = _seconds(error)
                if chat is not None:
                    self._slots.pause(chat, clock.monotonic() + seconds)
                else:
                    await clock.sleep(seconds)
        raise AssertionError

    async def _wait(self, chat: int | None) -> None:
        if chat is not None:
            now = clock.monotonic()
            await clock.sleep(self._slots.take_chat(chat, now) - now)
        now = clock.monotonic()
        await clock.sleep(self._slots.take_any(now) - now)


def _seconds(error: RetryAfter) -> float:
    found = error.retry_after
    return found.total_seconds() if isinstance(found, timedelta) else float(found)
