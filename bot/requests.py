"""Commands over the bus that do not wait for it: where it is away, a person is answered at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from pydantic import BaseModel

from contracts.errors import NotReadyError
from runtime.clients.command_client import CommandClient

M = TypeVar("M", bound=BaseModel)


class Requests(Protocol):
    """Commands of the contracts by name."""

    async def request(self, name: str, query: BaseModel, reply: type[M]) -> M:
        """Return the reply; raises the error that was replied, NotReadyError where nobody replies."""
        ...


class PromptRequests:
    """Commands of the contracts by name; NotReadyError at once while the bus is away."""

    def __init__(self, client: CommandClient, connected: Callable[[], bool]) -> None:
        self._client = client
        self._connected = connected

    async def request(self, name: str, query: BaseModel, reply: type[M]) -> M:
        """Return the reply; raises the error that was replied, NotReadyError where nobody replies."""
        if not self._connected():
            raise NotReadyError("The bus is away", waiting_for=["bus"])
        return await self._client.request(name, query, reply)
