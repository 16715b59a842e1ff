"""What the server refuses a user: read from the client's error, logged, and given to whoever waits for an answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from nats.errors import Error as NatsError

from runtime import clock

_REFUSED: Final = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"', re.IGNORECASE)
_SAY_SECONDS: Final = 60.0  # between two lines about one subject class
_CLASS_TOKENS: Final = 3


class NoAnswerError(RuntimeError):
    """Nobody answered a request in time; the message names the subject and why."""


class NotAllowedError(NoAnswerError, NatsError):
    """The server does not let our user publish to the subject that the message names."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What was refused; nats-py gives the subject in lower case."""

    action: Literal["publish", "subscription"]
    subject: str


def read_refusal(error: Exception) -> Refused | None:
    """Return what an error of the client says was refused, None where it says something else."""
    found = _REFUSED.search(str(error))
    if found is None:
        return None
    return Refused("publish" if found[1].lower() == "publish" else "subscription", found[2])


@dataclass(slots=True)
class _Waiting:
    subject: str
    limit: asyncio.Timeout
    refused: bool = False


@dataclass(slots=True)
class Refusals:
    """The refusals of one connection: `user` is named in the log, which has a line a minute of each subject class."""

    log: Any  # of structlog
    user: str | None
    count: int = 0
    _said: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    _waiting: dict[str, list[_Waiting]] = field(default_factory=dict[str, list[_Waiting]])

    def note(self, error: Exception) -> bool:
        """Take an error of the client; False where it is no refusal."""
        refused = read_refusal(error)
        if refused is None:
            return False
        self.count += 1
        waiting = self._waiting.get(refused.subject.lower(), []) if refused.action == "publish" else []
        self._say(refused, waiting[0].subject if waiting else refused.subject)
        for one in waiting:
            one.refused = True
            if not one.limit.expired():
                one.limit.reschedule(asyncio.get_running_loop().time())
        return True

    @asynccontextmanager
    async def limited(self, subject: str, timeout: float | None) -> AsyncGenerator[None]:
        """Bound what is sent to a subject: TimeoutError after `timeout` seconds, NotAllowedError once it is refused."""
        key = subject.lower()
        one = _Waiting(subject, asyncio.timeout(timeout))
        self._waiting.setdefault(key, []).append(one)
        try:
            async with one.limit:
                yield
        except TimeoutError:
            if not one.refused:
                raise
            raise NotAllowedError(f"{subject}: the bus does not let {self.user or 'this user'} publish to it") from None
        finally:
            held = self._waiting[key]
            held.remove(one)
            if not held:
                del self._waiting[key]

    def _say(self, refused: Refused, subject: str) -> None:
        key = (refused.action, ".".join(subject.split(".", _CLASS_TOKENS)[:_CLASS_TOKENS]))
        now = clock.monotonic()
        if now - self._said.get(key, float("-inf")) < _SAY_SECONDS:
            return
        self._said[key] = now
        self.log.error("bus.not_allowed", action=refused.action, subject=subject, user=self.user)
