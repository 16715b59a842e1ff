"""The switch that stops all trading of an owner, in documents: read before each order, never remembered."""

from __future__ import annotations

import asyncio
from typing import Final

from runtime.store import Collection, Store

SWITCHES: Final = "trading_switches"


class Switches:
    """Whose trading is stopped."""

    def __init__(self, store: Store) -> None:
        self._switches: Collection = store.collection(SWITCHES)
        self._unsaved: dict[str, int] = {}
        self._writing = asyncio.Lock()

    async def is_halted(self, owner: str) -> bool:
        """Return whether an owner's trading is stopped; StoreError where that cannot be read."""
        if owner in self._unsaved:
            return True
        document = await self._switches.find_one({"_id": owner})
        return document is not None and bool(document["halted"])

    async def halt(self, owner: str, now_ns: int) -> None:
        """Stop an owner's trading."""
        await self._set(owner, now_ns, halted=True)

    def halt_here(self, owner: str, now_ns: int) -> None:
        """Stop an owner's trading in this process, where documents are away; `flush` writes it."""
        self._unsaved[owner] = now_ns

    async def flush(self) -> None:
        """Write what was stopped while documents were away; StoreError where they still are."""
        for owner, now_ns in list(self._unsaved.items()):
            async with self._writing:
                if self._unsaved.get(owner) != now_ns:  # resumed meanwhile, or stopped once more
                    continue
                await self._set(owner, now_ns, halted=True)
                if self._unsaved.get(owner) == now_ns:
                    del self._unsaved[owner]

    async def resume(self, owner: str, now_ns: int) -> None:
        """Let it go on; StoreError where that cannot be written: then it stays stopped."""
        stopped = self._unsaved.pop(owner, None)
        try:
            async with self._writing:
                await self._set(owner, now_ns, halted=False)
        except BaseException:
            if stopped is not None:
                self._unsaved.setdefault(owner, stopped)
            raise

    async def _set(self, owner: str, now_ns: int, *, halted: bool) -> None:
        await self._switches.update_one({"_id": owner}, {"$set": {"halted": halted, "changed_ns": now_ns}}, upsert=True)
