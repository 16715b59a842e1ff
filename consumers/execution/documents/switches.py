"""The switch that stops all trading of an owner, in documents: read before each order, never remembered."""

from __future__ import annotations

from typing import Final

from runtime.store import Collection, Store

SWITCHES: Final = "trading_switches"


class Switches:
    """Whose trading is stopped."""

    def __init__(self, store: Store) -> None:
        self._switches: Collection = store.collection(SWITCHES)

    async def is_halted(self, owner: str) -> bool:
        """Return whether an owner's trading is stopped; StoreError where nobody can tell."""
        document = await self._switches.find_one({"_id": owner})
        return document is not None and bool(document["halted"])

    async def halt(self, owner: str, now_ns: int) -> None:
        """Stop an owner's trading."""
        await self._set(owner, now_ns, halted=True)

    async def resume(self, owner: str, now_ns: int) -> None:
        """Let it go on."""
        await self._set(owner, now_ns, halted=False)

    async def _set(self, owner: str, now_ns: int, *, halted: bool) -> None:
        await self._switches.update_one({"_id": owner}, {"$set": {"halted": halted, "changed_ns": now_ns}}, upsert=True)
