"""Serves `cmd.v1.telegram.*`: queues jobs, and asks Telegram what is only read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final, cast

from faststream.nats import NatsRouter

from consumers.telegram import calls
from consumers.telegram.client import BotApi
from consumers.telegram.sending import Ledger, Sender, Ticking
from contracts import subjects
from contracts.errors import ConflictError, HydrophoneError, NotFoundError, NotReadyError, TimedOutError, VenueError
from contracts.services.telegram.jobs import (
    PRIORITIES,
    QUEUE,
    ChatQuery,
    ChatReply,
    FindResult,
    GatewayQuery,
    GatewayStatus,
    MemberQuery,
    MemberReply,
    MembersReply,
    SendJob,
    SendReply,
    TelegramResult,
)
from runtime import retry
from runtime.app.commands import CommandArguments, command
from runtime.nats.bus import Bus
from runtime.nats.telegram_jobs import publish_job

Json = dict[str, Any]
_QUEUE_POLICY: Final = retry.Policy(timeout=5.0)
_AT_ONCE: Final = 64  # requests of one kind; those that wait for a result are most of them


@dataclass(frozen=True, slots=True)
class Reads:
    """What commands are answered from."""

    api: BotApi
    ledger: Ledger
    sender: Sender
    ticking: Ticking

    async def ask(self, method: str, **params: Any) -> Any:
        """Return Telegram's answer; the error of its refusal otherwise. It is not asked while it wants to be left."""
        wait = self.sender.gateway.pace.paused(self.ticking.now())
        if wait > 1.0:
            raise NotReadyError("Telegram wants no requests now", waiting_for=["telegram"], seconds=round(wait, 1))
        found = await self.api.ask(method, **params)
        if isinstance(found, calls.TooMany):
            self.sender.gateway.pace.pause(found.seconds, self.ticking.now())
        error = _error_of(found)
        if error is not None:
            raise error
        return found


def make_router(reads: Reads, bus: Bus) -> NatsRouter:
    """Return the handlers of every command."""
    router = NatsRouter()

    @router.subscriber(**_command("send"))
    async def on_send(request: SendJob) -> SendReply:
        return await _send(reads, bus, request)

    @router.subscriber(**_command("find"))
    async def on_find(request: FindResult) -> TelegramResult:
        found = await reads.ledger.find(request.chat_id, request.id)
        if found is None:
            raise NotFoundError("There is no result of this job", id=request.id)
        return found

    @router.subscriber(**_command("chat"))
    async def on_chat(query: ChatQuery) -> ChatReply:
        chat: Json = await reads.ask("getChat", chat_id=query.chat_id)
        members = None if chat["type"] == "private" else await reads.ask("getChatMemberCount", chat_id=query.chat_id)
        return _chat(chat, members)

    @router.subscriber(**_command("member"))
    async def on_member(query: MemberQuery) -> MemberReply:
        return _member(await reads.ask("getChatMember", chat_id=query.chat_id, user_id=query.user_id))

    @router.subscriber(**_command("administrators"))
    async def on_administrators(query: ChatQuery) -> MembersReply:
        found: list[Json] = await reads.ask("getChatAdministrators", chat_id=query.chat_id)
        return MembersReply(items=[_member(one) for one in found])

    @router.subscriber(**_command("status"))
    async def on_status(_: GatewayQuery) -> GatewayStatus:
        gateway = reads.sender.gateway
        return GatewayStatus(
            bot=await reads.ask("getMe"),
            waiting={priority: gateway.waiting(priority) for priority in PRIORITIES},
            chats=gateway.chats(),
            under_way=reads.sender.under_way,
            paused_seconds=gateway.pace.paused(reads.ticking.now()),
        )

    return router


async def _send(reads: Reads, bus: Bus, request: SendJob) -> SendReply:
    job = request.job
    known = await reads.ledger.find(job.chat_id, job.id)
    if known is not None:
        return SendReply(queued=True, id=job.id, result=known)
    waiter = reads.ledger.expect(job.id)
    try:
        await publish_job(bus, job)
        if not request.wait_seconds:
            return SendReply(queued=True, id=job.id)
        async with asyncio.timeout(request.wait_seconds):
            return SendReply(queued=True, id=job.id, result=await waiter)
    except TimeoutError:
        return SendReply(queued=True, id=job.id)
    finally:
        waiter.cancel()


def _error_of(found: object) -> HydrophoneError | None:
    match found:
        case calls.Failed(_, reason) if "not found" in reason.lower():
            return NotFoundError(reason)
        case calls.Failed(code, reason):
            return VenueError(reason, telegram_code=code)
        case calls.Blocked(reason):
            return ConflictError(reason)
        case calls.Migrated(chat_id):
            return ConflictError("The group became a supergroup", chat_id=chat_id)
        case calls.TooMany(seconds):
            return NotReadyError("Telegram wants no requests now", waiting_for=["telegram"], seconds=seconds)
        case calls.Unreachable(reason):
            return TimedOutError(f"Telegram does not answer: {reason}")
        case _:
            return None


def _chat(chat: Json, members: int | None) -> ChatReply:
    name = chat.get("title") or chat.get("first_name")
    return ChatReply(
        id=chat["id"],
        type=chat["type"],
        title=name,
        username=chat.get("username"),
        is_forum=chat.get("is_forum", False),
        linked_chat_id=chat.get("linked_chat_id"),
        slow_mode_delay=chat.get("slow_mode_delay", 0),
        permissions=_flags(chat.get("permissions") or {}),
        members=members,
    )


def _member(member: Json) -> MemberReply:
    user: Json = member["user"]
    return MemberReply(
        user_id=user["id"],
        first_name=user["first_name"],
        username=user.get("username"),
        is_bot=user["is_bot"],
        status=member["status"],
        is_anonymous=member.get("is_anonymous", False),
        custom_title=member.get("custom_title"),
        until=member.get("until_date", 0),
        rights=_flags(member),
    )


def _flags(body: Json) -> dict[str, bool]:
    return {name: cast("bool", value) for name, value in body.items() if name.startswith("can_")}


def _command(verb: str) -> CommandArguments:
    return command(subjects.TELEGRAM_COMMAND + verb, QUEUE, at_once=_AT_ONCE)
