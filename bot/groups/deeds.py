"""Does things in groups: asks Telegram through its gateway, and logs what it did; what it refused is not logged."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal

import structlog

from bot.groups.operations import Deed, operations_of
from bot.groups.refusals import NOT_YOURS, Refusal, refusal_of
from bot.groups.telegram import Telegram
from bot.requests import Requests
from bot.texts import groups as texts
from contracts.errors import AlreadyExistsError, HydrophoneError, NotFoundError
from contracts.services.access import Caller
from contracts.services.community import commands
from contracts.services.community.actions import (
    ActionCreate,
    ActionKind,
    ActionResponse,
    Undo,
    UndoResponse,
    UndoResult,
)
from contracts.services.community.groups import Permission, RoleCreate, RoleResponse
from contracts.services.community.settings import SettingsResponse
from contracts.services.responses import SuccessResponse
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import SendMessage
from runtime import clock

__all__ = ["Deed", "Deeds", "Outcome", "Refusal", "Undone"]

_log = structlog.get_logger("bot")
DEED_SECONDS: Final = 60.0  # after which what was not carried out is dropped, and said to be
UNDO_SECONDS: Final = 600.0  # of each of many
APPROVED: Final = "approved"
APPROVES: Final[list[Permission]] = ["post_links", "post_media", "bypass_flood", "bypass_captcha"]
_AT_ONCE: Final = 24  # requests that wait for Telegram
_MARKED_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a deed: `action` as it was logged; `refusal` where Telegram did not do it.

    Both are None where it was done and could not be logged: the same deed again logs it.
    """

    state: Literal["done", "refused"]
    action: ActionResponse | None = None
    refusal: Refusal | None = None

    @property
    def done(self) -> bool:
        """Whether it was done."""
        return self.state == "done"


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of actions that were to be taken back: `refused` by id, where Telegram did not lift them."""

    undone: int
    more: bool
    results: list[UndoResult]
    refused: dict[str, Refusal] = field(default_factory=dict[str, Refusal])


class Deeds:
    """Deeds in every group. An error of the contracts is raised before anything is done, where nobody replies."""

    def __init__(self, client: Requests, telegram: Telegram, now_ns: Callable[[], int] = clock.now_ns) -> None:
        self._client, self._telegram, self._now_ns = client, telegram, now_ns
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def do(self, deed: Deed) -> Outcome:
        """Do it, log it, and report it to the group's log channel; the same deed of the same cause only once."""
        refusal = await self._carry_out(deed, DEED_SECONDS)
        if refusal is not None:
            return Outcome("refused", refusal=refusal)
        action = await self._log(deed)
        await self.report(deed)
        return Outcome("done", action)

    async def carry_out(self, deed: Deed) -> Refusal | None:
        """Do it, and leave the log to who has it done; why Telegram did not do it."""
        return await self._carry_out(deed, DEED_SECONDS)

    async def report(self, deed: Deed) -> None:
        """Say a deed in the group's log channel, unless it is a quiet one."""
        if not deed.quiet:
            await self._report(deed.group_id, deed.key, deed)

    async def undo(
        self,
        group_id: int,
        wanted: Undo,
        key: str,
        *,
        without: Collection[ActionKind] = frozenset(),
        quiet: bool = False,
        begun: Callable[[int], Awaitable[None]] | None = None,
    ) -> Undone:
        """Take actions back: what each holds is lifted in the group first, and marked undone where that was done.

        `without` are kinds that whoever asks may not do, as `demote`: they are refused. `quiet`: it is not said in the
        log channel. `begun` is called with how many are lifted, before the first is.
        """
        caller = caller_of(wanted.moderator_id)
        asked = commands.UndoActions(group_id=group_id, caller=caller, undo=wanted, dry_run=True)
        plan = await self._client.request("community.undo_actions", asked, UndoResponse)
        lifts = [one for one in plan.results if one.action is not None]
        barred = {one.id: Refusal(one.action or "", NOT_YOURS) for one in lifts if one.action in without}
        lifts = [one for one in lifts if one.id not in barred]
        if begun is not None:
            await begun(len(lifts))
        refusals = await asyncio.gather(*(self._lift(group_id, one, wanted, key) for one in lifts))
        refused = {one.id: refusal for one, refusal in zip(lifts, refusals, strict=True) if refusal is not None}
        refused |= barred
        marked = _marked(plan.results, refused)
        if not marked:
            return Undone(0, plan.more, plan.results, refused)
        undone, results = await self._mark(group_id, marked, wanted)
        if not quiet:
            await self._report(group_id, key, undone, moderator_id=wanted.moderator_id)
        rest = [one for one in plan.results if one.id not in set(marked)]
        return Undone(undone, plan.more, [*results, *rest], refused)

    async def _mark(self, group_id: int, ids: list[str], wanted: Undo) -> tuple[int, list[UndoResult]]:
        """Mark actions as undone, some at a time: each request has its answer in time however many there are."""
        undone, results = 0, list[UndoResult]()
        for begin in range(0, len(ids), _MARKED_AT_ONCE):
            some = Undo(
                ids=ids[begin : begin + _MARKED_AT_ONCE], moderator_id=wanted.moderator_id, reason=wanted.reason
            )
            asked = commands.UndoActions(group_id=group_id, caller=caller_of(wanted.moderator_id), undo=some)
            done = await self._client.request("community.undo_actions", asked, UndoResponse)
            undone, results = undone + done.undone, [*results, *done.results]
        return undone, results

    async def _lift(self, group_id: int, one: UndoResult, wanted: Undo, key: str) -> Refusal | None:
        if one.action is None or one.user_id is None:
            return None
        deed = Deed(
            kind=one.action,
            group_id=group_id,
            user_id=one.user_id,
            moderator_id=wanted.moderator_id,
            key=f"{key}.{one.id}",
            reason=wanted.reason,
            silent=True,
        )
        async with self._room:
            return await self._carry_out(deed, UNDO_SECONDS)

    async def _carry_out(self, deed: Deed, seconds: float) -> Refusal | None:
        """Ask Telegram for each operation; the first decides, and what Telegram refuses of the others is left."""
        if deed.kind in {"approve", "unapprove"}:
            await self._approve(deed)
        for at, operation in enumerate(operations_of(deed, self._now_ns() // 1_000_000_000)):
            job = TelegramJob(
                id=f"deed.{_digest(deed)}.{at}", chat_id=deed.group_id, priority="urgent", operation=operation
            )
            refusal = refusal_of(operation.op, await self._telegram.carry_out(job, seconds))
            if refusal is not None:
                _log.info("groups.refused", group=deed.group_id, kind=deed.kind, op=operation.op, reason=refusal.reason)
                if at == 0:
                    return refusal
        return None

    async def _approve(self, deed: Deed) -> None:
        """Give the role of who is approved, which is made with the first, or take it away."""
        caller = caller_of(deed.moderator_id)
        assign = commands.AssignRole(group_id=deed.group_id, caller=caller, name=APPROVED, user_id=deed.user_id)
        if deed.kind == "unapprove":
            with suppress(NotFoundError):  # not approved: so it stays
                await self._client.request("community.unassign_role", assign, SuccessResponse)
            return
        role = RoleCreate(name=APPROVED, permissions=APPROVES)
        create = commands.CreateRole(group_id=deed.group_id, caller=caller, role=role)
        with suppress(AlreadyExistsError):
            await self._client.request("community.create_role", create, RoleResponse)
        await self._client.request("community.assign_role", assign, SuccessResponse)

    async def _log(self, deed: Deed) -> ActionResponse | None:
        action = ActionCreate(
            kind=deed.kind,
            user_id=deed.user_id,
            moderator_id=deed.moderator_id,
            reason=deed.reason,
            duration_seconds=deed.duration_seconds,
            rule_id=deed.rule_id,
        )
        request = commands.CreateAction(
            group_id=deed.group_id, caller=caller_of(deed.moderator_id), action=action, request_key=_digest(deed)
        )
        try:
            return await self._client.request("community.create_action", request, ActionResponse)
        except HydrophoneError as error:
            _log.error("groups.not_logged", group=deed.group_id, kind=deed.kind, user=deed.user_id, error=str(error))
            return None

    async def _report(self, group_id: int, key: str, what: Deed | int, *, moderator_id: int = 0) -> None:
        """Say it in the group's log channel, where there is one; that it cannot be said changes nothing."""
        try:
            query = commands.FindSettings(group_id=group_id)
            settings = await self._client.request("community.find_settings", query, SettingsResponse)
            if settings.log_channel_id is None:
                return
            reader = texts.reader_of(settings.language)
            if isinstance(what, Deed):
                text, name = texts.logged(what, reader), _digest(what)
            else:
                text, name = texts.logged_undo(what, moderator_id, reader), key
            operation = SendMessage(text=str(text), parse_mode="HTML", silent=True)
            job = TelegramJob(
                id=f"log.{name}",
                chat_id=settings.log_channel_id,
                thread_id=settings.log_thread_id,
                priority="low",
                operation=operation,
            )
            await self._telegram.queue(job)
        except NotFoundError:
            return
        except HydrophoneError as error:
            _log.warning("groups.not_reported", group=group_id, error=str(error))


def _marked(results: list[UndoResult], refused: dict[str, Refusal]) -> list[str]:
    """Return ids of the actions that hold no more: not those that Telegram holds still, nor what one lift was for."""
    held = {one.user_id for one in results if one.id in refused}
    return [
        one.id
        for one in results
        if one.result in _MARKED and one.id not in refused and (one.action is not None or one.user_id not in held)
    ]


_MARKED: Final = frozenset({"undone", "another_holds", "expired"})


def caller_of(user_id: int) -> Caller:
    """Return who changes something, for the audit trail."""
    return Caller(actor=f"telegram:{user_id}")


def _digest(deed: Deed) -> str:
    """Return a name of the deed that its cause and its kind make."""
    return hashlib.sha256(f"{deed.group_id}.{deed.key}.{deed.kind}.{deed.user_id}".encode()).hexdigest()[:48]
