"""The test server's state with what moves it: the clock, long polls, and the webhook's deliveries."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Final

import httpx

from bot.simulator import core
from bot.simulator.errors import ApiError
from bot.simulator.params import Params
from bot.simulator.world import Moment, Options, World
from runtime import clock, retry

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # a header's name
LONGEST_POLL: Final = 50.0
_DELIVERY_SECONDS: Final = 10.0
_AGAIN: Final = retry.Policy(wait_initial=0.5, wait_max=10.0, jitter=0.1)
_CONFLICT: Final = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
_HOOKED: Final = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)


class BotServer:
    """Calls of one bot, one after another; `speed`: how many seconds of the limits' clock a real one is."""

    def __init__(self, options: Options, *, speed: float = 1.0) -> None:
        self.world = World(options, on_update=self._on_update)
        self.speed = speed
        self._changed = asyncio.Event()
        self._poll: asyncio.Future[None] | None = None

    def moment(self) -> Moment:
        """Return the time of now."""
        return Moment(clock.now_ns() // 1_000_000_000, clock.monotonic() * self.speed)

    async def call(self, token: str, name: str, params: Params) -> Any:
        """Return a method's result; ApiError for what is refused, the token included."""
        wanted = self.world.options.token
        if wanted is not None and token != wanted:
            raise ApiError(401, "Unauthorized")
        if name.lower() == "getupdates":
            return await self._get_updates(params)
        result = core.call(self.world, name, params, self.moment())
        if name.lower() in {"setwebhook", "deletewebhook"}:
            self._on_update()
        return result

    @property
    def polling(self) -> bool:
        """Whether somebody waits for updates."""
        return self._poll is not None and not self._poll.done()

    async def _get_updates(self, params: Params) -> list[dict[str, Any]]:
        """Wait for updates for at most `timeout` seconds; a poll that is under way ends with a conflict."""
        if self.world.webhook["url"]:
            raise ApiError(409, _HOOKED)
        if self._poll is not None and self.polling:
            self._poll.set_exception(ApiError(409, _CONFLICT))
        poll = self._poll = asyncio.get_running_loop().create_future()
        deadline = clock.monotonic() + min(max(params.integer("timeout") or 0, 0), LONGEST_POLL)
        while True:
            found = core.call(self.world, "getUpdates", params, self.moment())
            left = deadline - clock.monotonic()
            if found or left <= 0:
                poll.cancel()
                return found
            waiting = asyncio.ensure_future(self._changed.wait())
            await asyncio.wait({poll, waiting}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if poll.done():
                poll.result()

    def _on_update(self) -> None:
        """Wake who waits for updates."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def deliver(self) -> None:
        """Post updates to the webhook, one at a time and in order, each until it is taken; runs until cancelled."""
        async with httpx.AsyncClient(timeout=_DELIVERY_SECONDS, trust_env=False) as client:
            pauses = retry.delays(_AGAIN)
            while True:
                changed, hook = self._changed, self.world.webhook
                pending = self.world.updates.take(None, 1) if hook["url"] else []
                if not pending:
                    await changed.wait()
                    continue
                fault = await _post(client, hook, pending[0])
                if fault is None:
                    self.world.updates.confirm(pending[0]["update_id"])
                    pauses = retry.delays(_AGAIN)
                    continue
                hook |= {"last_error_date": self.moment().date, "last_error_message": fault}
                with suppress(TimeoutError):
                    async with asyncio.timeout(next(pauses)):
                        await changed.wait()


async def _post(client: httpx.AsyncClient, hook: dict[str, Any], update: dict[str, Any]) -> str | None:
    """Return why a webhook did not take an update; None where it did."""
    headers = {"Content-Type": "application/json"}
    if hook.get("secret_token"):
        headers[SECRET_HEADER] = hook["secret_token"]
    try:
        answer = await client.post(hook["url"], content=json.dumps(update), headers=headers)
    except httpx.HTTPError as error:
        return f"Connection failed: {type(error).__name__}"
    if answer.is_success:
        return None
    return f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"
