"""User tokens on a document server: issued, refreshed, replaced, ended; each holds for its owner and account only."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal

import pytest
import pytest_asyncio

from consumers.execution.account import Account
from consumers.execution.links import core
from consumers.execution.links.core import SECOND, Times
from consumers.execution.links.store import INDEXES, TOKENS, TokenStore
from consumers.execution.links.tokens import Sealing, UserTokens
from contracts.errors import DisabledError, InvalidParameterError, UnauthorizedError
from contracts.services.trading.accounts import TokenIssued
from contracts.services.trading.sealed import SealedText
from runtime.credentials import open_text, seal_text, token_belonging_of
from runtime.store import Store
from runtime.vault import Vault

START = 1_767_225_600 * SECOND
HOUR = 3600
VAULT = Vault("s" * 32)
LINKED = Account(
    id="a" * 16,
    owner="telegram:7",
    name="main",
    venue="indodax",
    exchange="indodax",
    balance={},
    created_ns=START,
)


class Clock:
    """The time, moved by hand."""

    def __init__(self) -> None:
        self.ns = START

    def __call__(self) -> int:
        return self.ns

    def advance(self, seconds: float) -> None:
        self.ns += int(seconds * SECOND)


@pytest.fixture
def now() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def tokens(documents: Store, now: Clock) -> UserTokens:
    await documents.create_indexes(INDEXES)
    return UserTokens(TokenStore(documents), Sealing(VAULT, b"pepper"), now)


def text_of(issued: TokenIssued, account: Account = LINKED) -> str:
    return open_text(VAULT, issued.token, token_belonging_of(account.owner, account.name, account.venue))


async def holds(tokens: UserTokens, token: SealedText | None, account: Account = LINKED) -> bool:
    try:
        await tokens.check(account, token)
    except UnauthorizedError:
        return False
    return True


async def test_a_token_holds_for_its_life_and_no_longer(tokens: UserTokens, now: Clock) -> None:
    issued = await tokens.issue(LINKED)
    assert issued.expires_at.timestamp() - START / SECOND == 86_400
    assert issued.rotate_at.timestamp() - START / SECOND == 43_200
    now.advance(86_399)
    assert await holds(tokens, issued.token)
    now.advance(1)
    assert not await holds(tokens, issued.token)
    with pytest.raises(UnauthorizedError):
        await tokens.refresh(LINKED, issued.token)


async def test_it_is_256_random_bits_of_which_only_an_hmac_is_kept(tokens: UserTokens, documents: Store) -> None:
    texts = [text_of(await tokens.issue(LINKED)) for _ in range(3)]
    assert len(set(texts)) == 3
    assert {len(text) for text in texts} == {43}  # 32 bytes as base64
    kept = json.dumps([document async for document in documents.collection(TOKENS).find({})])
    assert not [text for text in texts if text in kept]


@pytest.mark.parametrize(
    "account",
    [
        replace(LINKED, id="b" * 16),
        replace(LINKED, owner="telegram:8"),
        replace(LINKED, name="second"),
        replace(LINKED, venue="binance"),
    ],
)
async def test_it_holds_for_its_owner_account_and_venue_only(tokens: UserTokens, account: Account) -> None:
    issued = await tokens.issue(LINKED)
    assert await holds(tokens, issued.token)
    assert not await holds(tokens, issued.token, account)
    await tokens.issue(account)
    assert not await holds(tokens, issued.token, account)


async def test_what_was_not_issued_does_not_hold(tokens: UserTokens) -> None:
    issued = await tokens.issue(LINKED)
    made = seal_text(VAULT, "a" * 43, token_belonging_of(LINKED.owner, LINKED.name, LINKED.venue))
    other = seal_text(Vault("x" * 32), text_of(issued), token_belonging_of(LINKED.owner, LINKED.name, LINKED.venue))
    for wrong in (None, made, other, issued.token.model_copy(update={"body": "AAAA"})):
        assert not await holds(tokens, wrong)


async def test_a_refresh_leaves_a_young_token_as_it_is(tokens: UserTokens, now: Clock) -> None:
    issued = await tokens.issue(LINKED)
    now.advance(11 * HOUR)
    again = await tokens.refresh(LINKED, issued.token)
    assert text_of(again) == text_of(issued)
    assert again.expires_at == issued.expires_at


async def test_an_aged_token_is_replaced_and_holds_for_the_overlap(tokens: UserTokens, now: Clock) -> None:
    old = await tokens.issue(LINKED)
    now.advance(12 * HOUR)
    new = await tokens.refresh(LINKED, old.token)
    assert text_of(new) != text_of(old)
    now.advance(core.OVERLAP_SECONDS - 1)
    assert await holds(tokens, old.token)
    late = await tokens.refresh(LINKED, old.token)  # another process of the bot, which has not heard of the new one
    assert await holds(tokens, late.token)
    now.advance(1)
    assert not await holds(tokens, old.token)
    assert await holds(tokens, new.token)


async def test_a_token_that_is_revoked_while_it_is_replaced_has_no_other_in_its_place(
    tokens: UserTokens, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, save = await tokens.issue(LINKED), TokenStore.save
    now.advance(12 * HOUR)

    async def save_too_late(self: TokenStore, token: core.Token) -> None:
        assert await tokens.end(LINKED) == 1
        await save(self, token)

    with monkeypatch.context() as raced:
        raced.setattr(TokenStore, "save", save_too_late)
        with pytest.raises(UnauthorizedError):
            await tokens.refresh(LINKED, old.token)
    assert not await holds(tokens, old.token)
    assert await tokens.end(LINKED) == 0


async def test_near_its_end_a_token_is_made_to_hold_on(documents: Store, now: Clock) -> None:
    times = Times(ttl=10 * HOUR, rotation=10 * HOUR - 60, refresh=HOUR)
    tokens = UserTokens(TokenStore(documents), Sealing(VAULT, b"pepper", times), now)
    issued = await tokens.issue(LINKED)
    now.advance(9 * HOUR - 1)
    assert (await tokens.refresh(LINKED, issued.token)).expires_at == issued.expires_at
    now.advance(1)
    longer = await tokens.refresh(LINKED, issued.token)
    assert text_of(longer) == text_of(issued)
    now.advance(2 * HOUR)
    assert await holds(tokens, issued.token)
    assert text_of(await tokens.refresh(LINKED, issued.token)) != text_of(issued)  # and none lives for ever


async def test_two_processes_refresh_a_day_and_neither_loses_it(tokens: UserTokens, now: Clock) -> None:
    held = [await tokens.issue(LINKED)] * 2
    for _ in range(48):
        now.advance(HOUR)
        held = list(await asyncio.gather(*(tokens.refresh(LINKED, one.token) for one in held)))
        assert all([await holds(tokens, one.token) for one in held])


async def test_ended_is_ended_at_once(tokens: UserTokens) -> None:
    second = replace(LINKED, id="c" * 16, name="second")
    first, other = await tokens.issue(LINKED), await tokens.issue(second)
    assert await tokens.end(LINKED) == 1
    assert not await holds(tokens, first.token)
    assert await holds(tokens, other.token, second)
    with pytest.raises(UnauthorizedError):
        await tokens.refresh(LINKED, first.token)
    assert await tokens.end_all(LINKED.owner) == 1
    assert await tokens.end_all(LINKED.owner) == 0
    assert not await holds(tokens, other.token, second)


async def test_an_account_has_so_many_and_the_oldest_ends(tokens: UserTokens, now: Clock) -> None:
    issued = []
    for _ in range(core.MOST_TOKENS + 1):
        now.advance(1)
        issued.append(await tokens.issue(LINKED))
    assert [await holds(tokens, one.token) for one in issued] == [False] + [True] * core.MOST_TOKENS


async def test_paper_and_owners_with_keys_need_none(tokens: UserTokens) -> None:
    for account in (
        replace(LINKED, owner="alice"),
        replace(LINKED, venue="paper", balance={"USDT": Decimal(1)}),
    ):
        assert await holds(tokens, None, account)
    with pytest.raises(InvalidParameterError):
        await tokens.issue(replace(LINKED, venue="paper"))


async def test_a_strategy_trades_while_its_owner_is_linked(tokens: UserTokens, now: Clock) -> None:
    with pytest.raises(UnauthorizedError):
        await tokens.check(LINKED, None, "5" * 16)
    issued = await tokens.issue(LINKED)
    await tokens.check(LINKED, None, "5" * 16)
    now.advance(86_400)
    with pytest.raises(UnauthorizedError):
        await tokens.check(LINKED, issued.token, "5" * 16)


async def test_without_a_secret_there_are_no_links(documents: Store) -> None:
    tokens = UserTokens(TokenStore(documents), Sealing(None, b"pepper"))
    with pytest.raises(DisabledError) as caught:
        await tokens.issue(LINKED)
    assert caught.value.details == {"setting": "APP_SECRET_KEY"}


async def test_a_refresh_seals_under_the_newest_secret(documents: Store, now: Clock) -> None:
    vault = Vault("a" * 32)
    tokens = UserTokens(TokenStore(documents), Sealing(vault, b"pepper"), now)
    issued = await tokens.issue(LINKED)
    vault.take("b" * 32)
    again = await tokens.refresh(LINKED, issued.token)
    assert again.token.key_id != issued.token.key_id
    assert await holds(tokens, again.token)
    only_new = UserTokens(TokenStore(documents), Sealing(Vault("b" * 32), b"pepper"), now)
    assert await holds(only_new, again.token)
    assert not await holds(only_new, issued.token)
