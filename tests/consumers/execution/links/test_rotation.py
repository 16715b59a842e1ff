"""Sealed keys come under a new secret while they are opened all the time, and never open where they do not belong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import permutations

import pytest
import pytest_asyncio

from consumers.execution.account import Account
from consumers.execution.documents.accounts import ACCOUNTS, INDEXES, AccountStore
from consumers.execution.links.rotation import Rotation
from contracts.services.trading.sealed import SealedText
from runtime.credentials import Credential, belonging_of, open_credential, seal_credential
from runtime.store import Store
from runtime.vault import Belonging, SealBrokenError, Vault
from tests.consumers.execution.links.test_tokens import LINKED

OLD, NEW = "o" * 32, "n" * 32
GIVEN = Credential("PLANTED-KEY", "PLANTED-SECRET")


def linked(number: int) -> Account:
    return replace(LINKED, id=f"{number:016x}", owner=f"telegram:{number % 4}", name=f"a{number}")


def whose(account: Account) -> Belonging:
    return belonging_of(account.owner, account.name, account.venue)


@pytest_asyncio.fixture
async def accounts(documents: Store) -> AccountStore:
    await documents.create_indexes(INDEXES)
    return AccountStore(documents)


async def fill(accounts: AccountStore, vault: Vault, count: int) -> list[Account]:
    made = [linked(number) for number in range(count)]
    for account in made:
        await accounts.create(account, seal_credential(vault, GIVEN, whose(account)))
    return made


async def test_a_rotation_while_keys_are_opened_fails_none(accounts: AccountStore) -> None:
    vault, settings = Vault(OLD), [OLD]
    made = await fill(accounts, vault, 40)
    rotation = Rotation(vault, accounts, lambda: tuple(settings))
    assert await rotation.keep() == 0
    stop, opened = asyncio.Event(), 0

    async def use() -> None:
        nonlocal opened
        while not stop.is_set():
            for account in made:
                sealed = await accounts.find_credential(account.id)
                assert sealed is not None
                assert open_credential(vault, sealed, whose(account)) == GIVEN
                opened += 1

    users = [asyncio.create_task(use()) for _ in range(3)]
    try:
        for secret in (NEW, "m" * 32, OLD):
            settings.insert(0, secret)
            before = opened
            assert await rotation.keep() == len(made)
            async with asyncio.timeout(30):
                while opened < before + len(made):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
    finally:
        stop.set()
    await asyncio.gather(*users)
    assert await rotation.keep() == 0
    only_newest = Vault(OLD)
    for account in made:
        sealed = await accounts.find_credential(account.id)
        assert sealed is not None
        assert open_credential(only_newest, sealed, whose(account)) == GIVEN


async def test_a_key_that_is_moved_never_opens_nor_is_rewrapped(accounts: AccountStore, documents: Store) -> None:
    vault = Vault(OLD)
    made = [
        LINKED,
        replace(LINKED, id="1" * 16, owner="telegram:8"),
        replace(LINKED, id="2" * 16, name="second"),
        replace(LINKED, id="3" * 16, name="third", venue="binance"),
    ]
    sealed: dict[str, SealedText] = {}
    for account in made:
        sealed[account.id] = seal_credential(vault, GIVEN, whose(account))
        await accounts.create(account, sealed[account.id])
    for at, source in permutations(made, 2):
        moved = {"$set": {"credential": sealed[source.id].model_dump()}}
        await documents.collection(ACCOUNTS).update_one({"_id": at.id}, moved)
        kept = await accounts.find_credential(at.id)
        assert kept is not None
        with pytest.raises(SealBrokenError):
            open_credential(vault, kept, whose(at))
    rotated = Rotation(Vault(NEW, [OLD]), accounts, lambda: (NEW, OLD))
    assert await rotated.rewrap() == 0


async def test_a_key_that_was_destroyed_meanwhile_stays_so(accounts: AccountStore) -> None:
    (account,) = await fill(accounts, Vault(OLD), 1)
    before = await accounts.find_credential(account.id)
    assert before is not None
    await accounts.delete(account.id)
    assert not await accounts.replace_credential(account.id, before, seal_credential(Vault(NEW), GIVEN, whose(account)))
    assert await accounts.find_credential(account.id) is None


async def test_settings_that_name_no_secret_change_nothing(accounts: AccountStore) -> None:
    vault = Vault(OLD)
    (account,) = await fill(accounts, vault, 1)
    assert await Rotation(vault, accounts, tuple[str, ...]).keep() == 0
    sealed = await accounts.find_credential(account.id)
    assert sealed is not None
    assert open_credential(vault, sealed, whose(account)) == GIVEN
