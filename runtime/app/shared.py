"""What the services of one process share, such as a pool of connections: opened by the first, closed by the last."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar


class Closable(Protocol):
    """What can be shared."""

    async def close(self) -> None:
        """Let go of what it holds."""
        ...


T = TypeVar("T", bound=Closable)


class Shared:
    """One object for each key, whoever of the process asks."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Any, int]] = {}

    @asynccontextmanager
    async def open(self, key: str, make: Callable[[], T]) -> AsyncGenerator[T]:
        """Yield the object of a key, made where nobody holds it; the last who leaves closes it."""
        made, users = self._held.get(key) or (make(), 0)
        self._held[key] = (made, users + 1)
        try:
            yield made
        finally:
            users = self._held[key][1] - 1
            self._held[key] = (made, users)
            if users == 0:
                del self._held[key]
                await made.close()
