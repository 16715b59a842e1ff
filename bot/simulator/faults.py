"""Failures that a test asks for: so many of the next calls of a method, a chat, or any."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

FaultKind = Literal["429", "403", "400", "500", "migrate", "timeout"]
MOST_FAULTS: Final = 1000


@dataclass(slots=True)
class Fault:
    """What fails, how, and how often still; `seconds`: to wait after a 429, or without an answer."""

    error: FaultKind
    times: int = 1
    method: str | None = None
    chat_id: int | None = None
    seconds: float | None = None
    description: str | None = None

    def fits(self, method: str, chat_id: int | None, *, acts: bool) -> bool:
        """Return whether it is meant for this call; without a method it is for those that change something."""
        named = acts if self.method is None else self.method.lower() == method.lower()
        return named and self.chat_id in {None, chat_id}


class Faults:
    """The failures that are still to come, the oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque(maxlen=MOST_FAULTS)

    def add(self, fault: Fault) -> None:
        """Plan a failure."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Let everything succeed again."""
        self._waiting.clear()

    def take(self, method: str, chat_id: int | None, *, acts: bool) -> Fault | None:
        """Return the failure of this call, and count it down."""
        for fault in self._waiting:
            if fault.fits(method, chat_id, acts=acts):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None
