"""When the next call may start so that no limit of Telegram is broken. Pure: times are seconds that come in.

A call counts from its start until a window after its answer: whenever Telegram took it, it is counted for that long.
https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

OVERALL, OVERALL_SECONDS = 30, 1.0
CHAT_SECONDS: Final = 1.0
GROUP, GROUP_SECONDS = 20, 60.0
URGENT_OVERALL: Final = 3  # of the 30 a second: for what is urgent only
URGENT_GROUP: Final = 3  # of the 20 a minute
_SLACK: Final = 0.01  # of a window: two clocks never run alike
_BOTH_SECONDS: Final = 1.0  # two chats that are refused within it are a limit of the whole bot
_MOST_IDLE: Final = 10_000  # chats that are remembered without anything under way


@dataclass(slots=True)
class _Chat:
    under_way: int = 0
    ended: deque[float] = field(default_factory=lambda: deque[float](maxlen=GROUP))
    paused_until: float = 0.0


class Pace:
    """What was called within each window; `began`: before it a process of ours may have called what we do not know."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._under_way = 0
        self._ended: deque[float] = deque(maxlen=OVERALL)
        self._chats: dict[int, _Chat] = {}
        self._paused_until = began + OVERALL_SECONDS * (1 + _SLACK)
        self._refused: tuple[int, float] | None = None

    def wait_overall(self, now: float, *, urgent: bool) -> float:
        """Return the seconds until anything may start."""
        most = OVERALL - (0 if urgent else URGENT_OVERALL)
        return max(self._paused_until - now, _wait(self._under_way, self._ended, (most, OVERALL_SECONDS), now))

    def wait_chat(self, chat_id: int, now: float, *, message: bool, urgent: bool) -> float:
        """Return the seconds until something in a chat may start, whatever the bot does elsewhere."""
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = _Chat()
        wait = chat.paused_until - now
        if message:
            wait = max(wait, _wait(chat.under_way, chat.ended, (1, CHAT_SECONDS), now))
            if chat_id < 0:
                most = GROUP - (0 if urgent else URGENT_GROUP) - (1 if now < self._began + GROUP_SECONDS else 0)
                wait = max(wait, _wait(chat.under_way, chat.ended, (most, GROUP_SECONDS), now))
        return wait

    def start(self, chat_id: int, *, message: bool) -> None:
        """Count a call from now on."""
        self._under_way += 1
        if message:
            self._chats.setdefault(chat_id, _Chat()).under_way += 1

    def end(self, chat_id: int, now: float, *, message: bool) -> None:
        """Count a call that was answered for another window."""
        self._under_way -= 1
        self._ended.append(now)
        if message:
            chat = self._chats[chat_id]
            chat.under_way -= 1
            chat.ended.append(now)
        self._forget(now)

    def recall(self, chat_id: int, ended: float) -> None:
        """Take note of a message that was sent before this process began; the oldest first."""
        self._chats.setdefault(chat_id, _Chat()).ended.append(ended)

    def refuse(self, chat_id: int, seconds: float, now: float) -> None:
        """Wait as Telegram says: in this chat, and everywhere where another chat was refused just before."""
        chat = self._chats.setdefault(chat_id, _Chat())
        chat.paused_until = max(chat.paused_until, now + seconds * (1 + _SLACK))
        before, self._refused = self._refused, (chat_id, now)
        if before is not None and before[0] != chat_id and now - before[1] <= _BOTH_SECONDS:
            self.pause(seconds, now)

    def pause(self, seconds: float, now: float) -> None:
        """Start nothing for so long."""
        self._paused_until = max(self._paused_until, now + seconds * (1 + _SLACK))

    def paused(self, now: float) -> float:
        """Return for how many seconds nothing starts."""
        return max(0.0, self._paused_until - now)

    def _forget(self, now: float) -> None:
        if len(self._chats) <= _MOST_IDLE:
            return
        since = now - GROUP_SECONDS * (1 + _SLACK)
        self._chats = {
            chat_id: chat
            for chat_id, chat in self._chats.items()
            if chat.under_way or chat.paused_until > now or (chat.ended and chat.ended[-1] > since)
        }


def _wait(under_way: int, ended: deque[float], limit: tuple[int, float], now: float) -> float:
    """Return the seconds until fewer count than the limit has; infinite while those under way alone are as many."""
    most, seconds = limit
    needed = most - under_way
    if needed <= 0:
        return float("inf")
    if len(ended) < needed:
        return 0.0
    return ended[-needed] + seconds * (1 + _SLACK) - now
