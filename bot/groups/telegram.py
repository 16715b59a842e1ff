"""What groups want of Telegram: its gateway reads for them and carries their jobs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bot.requests import Requests
from contracts.errors import NotReadyError
from contracts.services.telegram.jobs import (
    ChatQuery,
    ChatReply,
    GatewayQuery,
    GatewayStatus,
    MemberQuery,
    MemberReply,
    MembersReply,
    SendJob,
    SendReply,
    TelegramJob,
    TelegramResult,
)
from runtime import clock

WAIT_SECONDS: Final = 5.0  # of one request for a result: less than the command may take
LATE_SECONDS: Final = 10.0  # for which a result is waited for after a job has expired


class Telegram:
    """Reads of Telegram and jobs for it; everything raises NotReadyError where its gateway does not reply."""

    def __init__(self, requests: Requests, now_ns: Callable[[], int] = clock.now_ns) -> None:
        self._requests, self._now_ns = requests, now_ns

    async def chat(self, chat_id: int) -> ChatReply:
        """Return a chat; NotFoundError where the bot does not know it, ConflictError where it is not wanted there."""
        return await self._requests.request("telegram.chat", ChatQuery(chat_id=chat_id), ChatReply)

    async def administrators(self, chat_id: int) -> list[MemberReply]:
        """Return the owner and the administrators of a group, of other bots only this one."""
        found = await self._requests.request("telegram.administrators", ChatQuery(chat_id=chat_id), MembersReply)
        return found.items

    async def member(self, chat_id: int, user_id: int) -> MemberReply:
        """Return a member; NotFoundError for who is unknown to Telegram."""
        query = MemberQuery(chat_id=chat_id, user_id=user_id)
        return await self._requests.request("telegram.member", query, MemberReply)

    async def status(self) -> GatewayStatus:
        """Return the bot's account, and what waits."""
        return await self._requests.request("telegram.status", GatewayQuery(), GatewayStatus)

    async def queue(self, job: TelegramJob) -> None:
        """Queue a job."""
        await self._requests.request("telegram.send", SendJob(job=job), SendReply)

    async def carry_out(self, job: TelegramJob, seconds: float) -> TelegramResult | None:
        """Queue a job that expires after so many seconds, and return what became of it.

        The same id is carried out once, and has the same result. None: nobody says what became of it.
        """
        end = self._now_ns() + int(seconds * 1e9)
        request = SendJob(job=job.model_copy(update={"expires": end}), wait_seconds=WAIT_SECONDS)
        last = end + int(LATE_SECONDS * 1e9)
        queued = False
        while self._now_ns() < last:
            try:
                reply = await self._requests.request("telegram.send", request, SendReply)
            except NotReadyError:
                if not queued:
                    raise
                await clock.sleep(1.0)
                continue
            queued = True
            if reply.result is not None:
                return reply.result
        return None
