"""Serves the commands of links: tokens issued, refreshed and ended, keys destroyed."""

from __future__ import annotations

from dataclasses import dataclass

from faststream.nats import NatsRouter

from consumers.execution.commands import reachable, trading_command
from consumers.execution.links.tokens import UserTokens
from consumers.execution.trading import Trading
from contracts.services.trading.accounts import Revoke, Revoked, TokenIssue, TokenIssued, TokenRefresh, Unlink


@dataclass(frozen=True, slots=True)
class Links:
    """The links of owners to their accounts at exchanges."""

    trading: Trading
    tokens: UserTokens

    async def issue(self, request: TokenIssue) -> TokenIssued:
        """Return a new token of an owner's account."""
        account = await self.trading.account(request.owner, request.name)
        await self.trading.audit("issue_token", account.id, request.caller, owner=account.owner)
        return await self.tokens.issue(account)

    async def refresh(self, request: TokenRefresh) -> TokenIssued:
        """Return the token as it holds from now on, or another one."""
        account = await self.trading.account(request.owner, request.name)
        return await self.tokens.refresh(account, request.token)

    async def unlink(self, request: Unlink) -> Revoked:
        """End an account's tokens; with `destroy` its key too, which ConflictError refuses while orders are open."""
        account = await self.trading.account(request.owner, request.name)
        if request.destroy:
            return Revoked(tokens=await self.trading.close_account(account, request.caller, "unlink"))
        await self.trading.audit("unlink", account.id, request.caller, owner=account.owner, destroy="no")
        return Revoked(tokens=await self.tokens.end(account))

    async def revoke(self, request: Revoke) -> Revoked:
        """End an owner's tokens by force: all of them, or those of one account."""
        if request.name is None:
            await self.trading.audit("revoke", request.owner, request.caller)
            return Revoked(tokens=await self.tokens.end_all(request.owner))
        account = await self.trading.account(request.owner, request.name)
        await self.trading.audit("revoke", account.id, request.caller, owner=account.owner)
        return Revoked(tokens=await self.tokens.end(account))


def add_links(router: NatsRouter, links: Links) -> None:
    """Add the handlers of links."""

    @router.subscriber(**trading_command("issue_token"))
    async def on_issue(request: TokenIssue) -> TokenIssued:
        async with reachable():
            return await links.issue(request)

    @router.subscriber(**trading_command("refresh_token"))
    async def on_refresh(request: TokenRefresh) -> TokenIssued:
        async with reachable():
            return await links.refresh(request)

    @router.subscriber(**trading_command("unlink"))
    async def on_unlink(request: Unlink) -> Revoked:
        async with reachable():
            return await links.unlink(request)

    @router.subscriber(**trading_command("revoke"))
    async def on_revoke(request: Revoke) -> Revoked:
        async with reachable():
            return await links.revoke(request)
