"""Names to addresses that may be dialled: all of a name's addresses are checked, and one bad one refuses the name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from typing import Final

from consumers.webhooks.transport.addresses import Address, why_refused
from consumers.webhooks.transport.answer import RefusedAddressError
from consumers.webhooks.transport.target import Target

Resolve = Callable[[str], Awaitable[list[Address]]]
THREADS: Final = 64  # names that are resolved at once: a server that does not answer holds one of them for its name


class SystemResolver:
    """What the system resolves (`getaddrinfo`), in threads of its own; a name that is under way is asked for once."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook-dns")
        self._under_way: dict[str, asyncio.Future[list[Address]]] = {}

    async def __call__(self, name: str) -> list[Address]:
        """Return the addresses of a name in the system's order; OSError where there are none."""
        future = self._under_way.get(name)
        if future is None:
            future = asyncio.get_running_loop().run_in_executor(self._threads, partial(_resolve, name))
            self._under_way[name] = future
            future.add_done_callback(partial(self._on_done, name))
        return await asyncio.shield(future)

    def _on_done(self, name: str, future: asyncio.Future[list[Address]]) -> None:
        self._under_way.pop(name, None)
        if not future.cancelled():
            future.exception()  # those who asked may have gone

    def close(self) -> None:
        """Wait for no thread."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _resolve(name: str) -> list[Address]:
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(entry[4][0])) for entry in found))


@dataclass(frozen=True, slots=True)
class Network:
    """How names are resolved, and what is wrong with an address (None for nothing)."""

    resolve: Resolve = field(default_factory=SystemResolver)
    why_refused: Callable[[Address], str | None] = why_refused

    async def find(self, target: Target) -> list[Address]:
        """Return the addresses to dial, each checked; RefusedAddressError, or OSError where the name has none."""
        literal = target.address
        addresses = [literal] if literal is not None else await self.resolve(target.host)
        if not addresses:
            raise OSError(f"{target.host} has no address")
        if not target.exempt:
            for address in addresses:
                if (why := self.why_refused(address)) is not None:
                    raise RefusedAddressError(f"{target.host} leads to an address that is not public ({why})")
        return addresses
