"""Keeps user tokens alive: each is refreshed before it ends, and replaced when it is old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from bot.commands.price_alerts import owner_of
from bot.requests import Requests
from bot.trading.asking import now as unix_now
from bot.trading.state import HeldToken, TraderState
from contracts.errors import HydrophoneError, NotFoundError, UnauthorizedError
from contracts.services.access import Caller
from contracts.services.trading.accounts import TokenIssued, TokenRefresh
from runtime import clock

_log = structlog.get_logger("bot")
LOOK_SECONDS: Final = 30.0


class Tokens:
    """Refreshes the tokens of every user; several bots may: a token that another has refreshed meanwhile stays."""

    def __init__(
        self, requests: Requests, state: TraderState, refresh_seconds: int, now: Callable[[], float] = unix_now
    ) -> None:
        self._requests, self._state, self._now = requests, state, now
        self._ahead = timedelta(seconds=refresh_seconds)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Look at them now and then for as long as the block lasts."""
        async with self._state.following():
            task = asyncio.create_task(self._keep(), name="user tokens")
            try:
                yield
            finally:
                task.cancel()

    async def look(self) -> None:
        """Refresh what is due now."""
        for user_id, account in self._state.tokens():
            held, revision = await self._state.token(user_id, account)
            if held is not None and self._is_due(held):
                await self._refresh(user_id, account, held, revision)

    def _is_due(self, held: HeldToken) -> bool:
        at = datetime.fromtimestamp(self._now(), UTC)
        return at >= held.rotate_at or held.expires_at - at <= self._ahead

    async def _refresh(self, user_id: int, account: str, held: HeldToken, revision: int) -> None:
        owner = owner_of(user_id)
        request = TokenRefresh(caller=Caller(actor=owner), owner=owner, name=account, token=held.token)
        try:
            issued = await self._requests.request("trading.refresh_token", request, TokenIssued)
        except (UnauthorizedError, NotFoundError) as error:
            _log.info("bot.token_ended", error=str(error))
            await self._state.put_token(user_id, account, None, revision)
            return
        found = HeldToken(token=issued.token, expires_at=issued.expires_at, rotate_at=issued.rotate_at)
        await self._state.put_token(user_id, account, found, revision)

    async def _keep(self) -> None:
        while True:
            await clock.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except HydrophoneError as error:
                _log.debug("bot.tokens_wait", error=str(error))
