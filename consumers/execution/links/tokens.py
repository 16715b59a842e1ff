"""User tokens: who has one may trade at an exchange for a Telegram user. Read from documents each time."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from consumers.execution.account import Account
from consumers.execution.links import core
from consumers.execution.links.core import Times, Token
from consumers.execution.links.store import TokenStore
from contracts.arithmetic.moments import as_datetime
from contracts.errors import DisabledError, InvalidParameterError, UnauthorizedError
from contracts.services.access import key_mac
from contracts.services.trading.accounts import PAPER, TokenIssued
from contracts.services.trading.sealed import SealedText
from runtime import clock
from runtime.credentials import open_text, seal_text, token_belonging_of
from runtime.vault import Belonging, SealBrokenError, Vault

TELEGRAM: Final = "telegram:"  # owners that prove themselves with a token; others have an API key


@dataclass(frozen=True, slots=True, repr=False)
class Sealing:
    """What tokens are made with: the vault that seals them (None: no secret is set), and the pepper of their HMACs."""

    vault: Vault | None
    pepper: bytes
    times: Times = field(default_factory=Times)


class UserTokens:
    """Issues tokens of accounts at exchanges, refreshes them, ends them, and says whether one holds."""

    def __init__(self, store: TokenStore, sealing: Sealing, now: Callable[[], int] = clock.now_ns) -> None:
        self._store, self._sealing, self._now = store, sealing, now

    async def issue(self, account: Account) -> TokenIssued:
        """Return a new token of an account; InvalidParameterError for one on paper, DisabledError without a secret."""
        return (await self._issue(account))[0]

    async def _issue(self, account: Account) -> tuple[TokenIssued, Token]:
        if account.venue == PAPER:
            raise InvalidParameterError("Accounts on paper need no token", parameter="name")
        vault, now_ns = self._vault(), self._now()
        await self._store.drop_expired(account.id, now_ns)
        for one in core.surplus(await self._store.list_of(account.id)):
            await self._store.end(one.mac)
        text = secrets.token_urlsafe(core.TOKEN_BYTES)
        token = core.issue(self._mac(text), account.owner, account.id, times=self._sealing.times, now_ns=now_ns)
        await self._store.save(token)
        return self._issued(token, seal_text(vault, text, _whose(account))), token

    async def refresh(self, account: Account, given: SealedText) -> TokenIssued:
        """Return the token as it holds from now on, or the one that takes its place; UnauthorizedError for a dead one.

        It comes back sealed under the newest secret.
        """
        text, token = await self._held(account, given)
        times, now_ns = self._sealing.times, self._now()
        if core.is_to_replace(token, times, now_ns):
            issued, made = await self._issue(account)
            if not await self._store.change(core.replaced(token, now_ns), token):
                await self._end_where_all_ended(account, made)
            return issued
        after = core.prolonged(token, times, now_ns)
        if not await self._store.change(after, token):
            raise _dead(account)
        return self._issued(after, seal_text(self._vault(), text, _whose(account)))

    async def _end_where_all_ended(self, account: Account, made: Token) -> None:
        """End a token where all of the account ended while it was made, and raise UnauthorizedError.

        Where another process has replaced the same one, or there were too many, others are still there.
        """
        if not any(one.mac != made.mac for one in await self._store.list_of(account.id)):
            await self._store.end(made.mac)
            raise _dead(account)

    async def check(self, account: Account, given: SealedText | None, strategy: str | None = None) -> None:
        """Return where the account may be traded with; raises UnauthorizedError.

        Accounts on paper, and owners who prove themselves with an API key, need no token. For a strategy, which its
        owner started with one, it is enough that the account is still linked: that one token of it holds.
        """
        if account.venue == PAPER or not account.owner.startswith(TELEGRAM):
            return
        if strategy is None:
            await self._held(account, given)
        elif not any(token.holds(self._now()) for token in await self._store.list_of(account.id)):
            raise _dead(account)

    async def end(self, account: Account) -> int:
        """End the tokens of an account; returns how many held."""
        return await self._store.end_of(account.id, self._now())

    async def end_all(self, owner: str) -> int:
        """End the tokens of an owner; returns how many held."""
        return await self._store.end_all(owner, self._now())

    async def _held(self, account: Account, given: SealedText | None) -> tuple[str, Token]:
        """Return a token's text and what is kept of it; UnauthorizedError where it does not hold for the account."""
        if given is None:
            raise _dead(account)
        try:
            text = open_text(self._vault(), given, _whose(account))
        except SealBrokenError:
            raise _dead(account) from None
        token = await self._store.find(self._mac(text))
        if token is None or token.account != account.id or not token.holds(self._now()):
            raise _dead(account)
        return text, token

    def _issued(self, token: Token, sealed: SealedText) -> TokenIssued:
        rotate_ns = token.rotate_ns(self._sealing.times)
        return TokenIssued(token=sealed, expires_at=as_datetime(token.expires_ns), rotate_at=as_datetime(rotate_ns))

    def _vault(self) -> Vault:
        if self._sealing.vault is None:
            raise DisabledError("Accounts at exchanges are switched off", setting="APP_SECRET_KEY")
        return self._sealing.vault

    def _mac(self, text: str) -> str:
        return key_mac(self._sealing.pepper, text)


def _whose(account: Account) -> Belonging:
    return token_belonging_of(account.owner, account.name, account.venue)


def _dead(account: Account) -> UnauthorizedError:
    return UnauthorizedError("The account is not linked here any more: link it again", account=account.name)
