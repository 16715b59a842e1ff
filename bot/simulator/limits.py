"""Telegram's limits on messages, as seconds of the server's clock: who breaks one is refused, and recorded.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

OVERALL: Final = (30, 1.0)  # messages and other acts, seconds
CHAT: Final = (1, 1.0)
GROUP: Final = (20, 60.0)
_EVERYBODY: Final = 0
_MOST_BREACHES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Breach:
    """A call that came too early: after which rule, when (the server's seconds), and what it had to wait for."""

    method: str
    chat_id: int | None
    time: float
    rule: str
    retry_after: int

    def json(self) -> dict[str, Any]:
        """Return it as `/test/breaches` shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


class Limits:
    """The ledger: what was done within each rule's window, and until when a chat must wait."""

    def __init__(self, *, enforced: bool = True) -> None:
        self.enforced = enforced
        self.breaches: deque[Breach] = deque(maxlen=_MOST_BREACHES)
        self.counted = 0  # breaches, those that are not kept any more included
        self._done: dict[tuple[str, int], deque[float]] = {}
        self._paused: dict[int, float] = {}

    def check(self, method: str, chat_id: int | None, *, message: bool, now: float) -> int | None:
        """Return the seconds to wait, and record the breach, where a call is too early; None where it may be done."""
        if not self.enforced:
            return None
        waits = [(self._pause(chat_id, now), "retry_after")]
        for rule, key, (most, seconds) in self._rules(chat_id, message=message):
            waits.append((self._wait(rule, key, most, now - seconds) + seconds - now, rule))
        wait, rule = max(waits)
        if wait <= 0:
            return None
        seconds = max(1, math.ceil(wait))
        self.counted += 1
        self.breaches.append(Breach(method, chat_id, round(now, 3), rule, seconds))
        return seconds

    def record(self, chat_id: int | None, *, message: bool, now: float) -> None:
        """Count what was done."""
        for rule, key, (most, _) in self._rules(chat_id, message=message):
            self._done.setdefault((rule, key), deque(maxlen=most)).append(now)

    def pause(self, chat_id: int, until: float) -> None:
        """Make a chat wait: what comes before `until` is a breach."""
        self._paused[chat_id] = max(until, self._paused.get(chat_id, 0.0))

    def _pause(self, chat_id: int | None, now: float) -> float:
        return 0.0 if chat_id is None else self._paused.get(chat_id, 0.0) - now

    def _wait(self, rule: str, key: int, most: int, since: float) -> float:
        """Return the time of the oldest of the last `most`; -inf where fewer were done since."""
        done = self._done.get((rule, key))
        return -math.inf if done is None or len(done) < most or done[0] <= since else done[0]

    def _rules(self, chat_id: int | None, *, message: bool) -> list[tuple[str, int, tuple[int, float]]]:
        rules: list[tuple[str, int, tuple[int, float]]] = [("overall", _EVERYBODY, OVERALL)]
        if message and chat_id is not None:
            rules.append(("chat", chat_id, CHAT))
            if chat_id < 0:
                rules.append(("group", chat_id, GROUP))
        return rules
