"""Brings what is sealed under the newest secret while execution serves, and reads a new secret from the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from consumers.execution.documents.accounts import AccountStore
from runtime.app.intervals import ticks
from runtime.credentials import belonging_of, of_text, to_text
from runtime.store import StoreError
from runtime.vault import SealBrokenError, Vault

_log = structlog.get_logger("execution")


class Rotation:
    """Rewraps the sealed keys of accounts; `secrets()` reads the settings again, the secret that seals first."""

    def __init__(self, vault: Vault, accounts: AccountStore, secrets: Callable[[], Sequence[str]]) -> None:
        self._vault, self._accounts, self._secrets = vault, accounts, secrets
        self._known: tuple[str, ...] = ()

    async def run(self, stop: asyncio.Event, seconds: float) -> None:
        """Keep everything under the newest secret until it is stopped, looking every so many seconds."""
        async for _ in ticks(stop, seconds):
            try:
                await self.keep()
            except StoreError as error:
                _log.warning("execution.rewrap_behind", error=str(error) or type(error).__name__)

    async def keep(self) -> int:
        """Rewrap everything where the settings name other secrets than before; returns how many keys were.

        StoreError where documents fail: it is done again the next time.
        """
        given = tuple(await asyncio.to_thread(self._secrets))
        if not given or given == self._known:
            return 0
        self._vault.learn(given)
        self._vault.take(given[0])
        done = await self.rewrap()
        self._known = given
        return done

    async def rewrap(self) -> int:
        """Bring each sealed key under the newest secret; returns how many were. What does not open is left and logged.

        One that was destroyed or changed meanwhile stays as it is.
        """
        done = 0
        for account, sealed in await self._accounts.list_sealed():
            try:
                newer = self._vault.rewrap(of_text(sealed), belonging_of(account.owner, account.name, account.venue))
            except SealBrokenError as error:
                _log.error("execution.seal_broken", account=account.id, error=str(error))
                continue
            if newer is not None and await self._accounts.replace_credential(account.id, sealed, to_text(newer)):
                done += 1
        if done:
            _log.info("execution.rewrapped", keys=done)
        return done
