"""Facts of the keys of linked accounts, by the adapters that trade with them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from consumers.execution.account import Account
from consumers.execution.documents.accounts import AccountStore
from consumers.execution.ports import UnclearError
from consumers.execution.venues.making import Exchanges, Means
from contracts.errors import InvalidParameterError
from contracts.services.trading.sealed import SealedText
from deploy.doctor.facts import KeyFact
from runtime.credentials import belonging_of, make_vault, open_credential
from runtime.store import Store
from runtime.vault import SealBrokenError, Vault

_AT_ONCE: Final = 4


async def check_keys(store: Store, secrets: Sequence[str], urls: Mapping[str, str]) -> list[KeyFact]:
    """Return what is wrong with each key; `secrets` open them, `urls` replace the exchanges' addresses by their ids."""
    vault, exchanges, turns = make_vault(secrets), Exchanges(Means(urls=urls)), asyncio.Semaphore(_AT_ONCE)

    async def look(account: Account, sealed: SealedText) -> KeyFact:
        if vault is None:
            return KeyFact(account.name, account.venue, "APP_SECRET_KEY is not set", sealed=True)
        async with turns:
            return await _check(exchanges, vault, account, sealed)

    try:
        linked = await AccountStore(store).list_sealed()
        return list(await asyncio.gather(*(look(account, sealed) for account, sealed in linked)))
    finally:
        await exchanges.close()


async def _check(exchanges: Exchanges, vault: Vault, account: Account, sealed: SealedText) -> KeyFact:
    try:
        credential = open_credential(vault, sealed, belonging_of(account.owner, account.name, account.venue))
    except SealBrokenError:
        return KeyFact(account.name, account.venue, "no secret of the settings opens it", sealed=True)
    problem = None
    try:
        venue = exchanges.make(account.venue, credential)
        try:
            await venue.check()
        finally:
            await venue.close()
    except InvalidParameterError as error:
        problem = error.message
    except UnclearError:  # the exchange does not answer: the check of exchanges says so
        pass
    return KeyFact(account.name, account.venue, problem)
