"""Who joins, or asks to: held back in a raid, asked a question, or welcomed; who does not answer in time goes.

A few lines over the usual length of a file: one newcomer's way from the join until they are in or gone.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import randbelow
from typing import Final, Literal

import structlog
from telegram import ChatJoinRequest, User

from bot.groups.automatic.board import Boards
from bot.groups.automatic.context import Context, buttons_of, rule_of
from bot.groups.automatic.core import ANSWERS, LARGEST, Fails, Passed, Pending, Raid, due, is_due
from bot.groups.automatic.greetings import Greetings
from bot.groups.automatic.kept import captcha_key, passed_key
from bot.groups.automatic.raids import Raids
from bot.groups.automatic.seen import seen_join
from bot.groups.automatic.settings import ManagedGroup
from bot.groups.deeds import Deed
from bot.texts import automatic as texts
from contracts.errors import HydrophoneError
from contracts.services.community.actions import ActionKind, Undo
from contracts.services.community.bot import MemberPermissions
from contracts.services.community.groups import EffectivePermissions
from contracts.services.community.rules import Verdict
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import ApproveJoin, DeclineJoin, SendMessage

_log = structlog.get_logger("bot")
_AT_ONCE_SECONDS: Final = 5.0  # clocks of Telegram and of bots are no further apart, nor is what one waits for
TWICE_SECONDS: Final = 2.0  # in which Telegram says a join in two updates
_MOST_RECENT: Final = 20_000
_WRONG: Final = "captcha: three wrong answers"
_LATE: Final = "captcha: not answered in time"
_REMOVES: Final[dict[str, Fails]] = {"kick": "kick", "ban": "ban"}


@dataclass(frozen=True, slots=True)
class Join:
    """Somebody came in: `by` is who let them in, `source` the update that says so."""

    chat_id: int
    user: User
    at: datetime
    by: int
    source: Literal["member", "message"]


class Joins:
    """Newcomers of every group, until they are in or gone."""

    def __init__(self, context: Context, boards: Boards, raids: Raids, greetings: Greetings) -> None:
        self._context, self._boards, self._raids, self._greetings = context, boards, raids, greetings
        self._recent: OrderedDict[tuple[int, int], Join] = OrderedDict()

    async def on_join(self, join: Join) -> None:
        """Receive who has joined."""
        context, user, at = self._context, join.user, join.at
        group = None if user.is_bot or self._is_second(join) else await context.groups.find(join.chat_id)
        if group is None:
            return
        seen = seen_join(user.id, at)
        context.recorder.add(group.id, seen)
        passed, _ = await context.kept.take(passed_key(group.id, user.id), Passed)
        if passed is not None or await context.is_admin(group.id, join.by):
            await self._greetings.welcome(group, user.id, user.full_name, at.timestamp())
            return
        raid = await self._raids.find(group.id)
        before = await self._revision(group.id, user.id)
        verdict = await context.judge(group.id, seen)
        if verdict is not None and verdict.kind == "raid":
            await self._hold_raid(group, join, verdict, before)
        elif raid is not None:
            if not (await self._permissions(group.id, user.id)).trusted:
                await self._hold(group, user.id, user.full_name, before, raid=raid, verdict=verdict)
        elif verdict is not None:
            await self._hold(group, user.id, user.full_name, before, verdict=verdict)
            await self._boards.show(group, (user.id, user.full_name))
        else:
            await self._greetings.welcome(group, user.id, user.full_name, at.timestamp())

    async def on_request(self, request: ChatJoinRequest) -> None:
        """Ask who wants to join in private; without a rule for it, and in a raid, moderators decide."""
        context, user = self._context, request.from_user
        group = await context.groups.find(request.chat.id)
        if group is None:
            return
        seen = seen_join(user.id, request.date, "join_request")
        context.recorder.add(group.id, seen)
        verdict = await context.judge(group.id, seen)
        if verdict is None or verdict.kind != "captcha" or await self._raids.find(group.id) is not None:
            return
        captcha = group.moderation.captcha
        pending = self._pending(group, user.id, user.full_name, fails="decline")
        _, before = await context.kept.find(captcha_key(group.id, user.id), Pending)
        revision = await context.kept.put(captcha_key(group.id, user.id), pending, before)
        if revision is None:
            return
        reader = group.reader
        text = texts.request_question(group.group.name, captcha.kind, captcha.seconds, reader)
        rows = texts.answers(captcha.kind, group.id, reader, ANSWERS)
        message = SendMessage(text=str(text), parse_mode="HTML", buttons=buttons_of(rows))
        job_id = f"request.{group.id}.{user.id}.{revision}"
        job = TelegramJob(id=job_id, chat_id=request.user_chat_id, priority="urgent", operation=message)
        await context.telegram.queue(job)

    async def settle(self, group: ManagedGroup, pending: Pending, revision: int) -> None:
        """Let in who has answered, send away who has not; what is kept of them is over where that is done."""
        if pending.answered == "right":
            await self._let_in(group, pending)
        else:
            await self._send_away(group, pending)
        await self._context.kept.put(captcha_key(group.id, pending.user_id), None, revision)

    async def _let_in(self, group: ManagedGroup, pending: Pending) -> None:
        """Take back what holds them, or approve a request."""
        context, user_id = self._context, pending.user_id
        if pending.fails == "decline":
            _, before = await context.kept.find(passed_key(group.id, user_id), Passed)
            await context.kept.put(passed_key(group.id, user_id), Passed(at=context.now()), before)
            job_id = f"approve.{group.id}.{user_id}.{pending.cause}"
            await context.operate(job_id, group.id, ApproveJoin(user_id=user_id))
            return
        key, me = f"captcha.{user_id}.{pending.cause}", context.bot_id()
        if pending.action_id is None:
            lift = Deed(kind="unmute", group_id=group.id, user_id=user_id, moderator_id=me, key=key, quiet=True)
            await context.act(lift)
        else:
            undo = Undo(ids=[pending.action_id], moderator_id=me, reason="captcha: answered")
            await context.deeds.undo(group.id, undo, key, quiet=True)
        if await self._raids.find(group.id) is None:
            await self._greetings.welcome(group, user_id, pending.name, context.now())

    async def _send_away(self, group: ManagedGroup, pending: Pending) -> None:
        context, user_id = self._context, pending.user_id
        kind: ActionKind = "captcha"
        if pending.fails == "decline":
            await context.operate(
                f"decline.{group.id}.{user_id}.{pending.cause}", group.id, DeclineJoin(user_id=user_id)
            )
        elif pending.fails in {"kick", "ban"}:
            kind = "ban" if pending.fails == "ban" else "kick"
        if pending.fails != "nothing":
            deed = Deed(
                kind=kind,
                group_id=group.id,
                user_id=user_id,
                moderator_id=context.bot_id(),
                key=f"captcha.{user_id}.{pending.cause}",
                reason=_WRONG if pending.answered == "wrong" else _LATE,
                duration_seconds=pending.fails_seconds if kind == "ban" else None,
                rule_id=pending.rule_id,
                silent=True,
                quiet=pending.in_raid,
            )
            await context.act(deed)

    async def on_leave(self, chat_id: int, user: User, at: datetime) -> None:
        """Receive who has left by themselves: nothing is waited for, and they are said goodbye to."""
        context = self._context
        group = None if user.is_bot else await context.groups.find(chat_id)
        if group is None:
            return
        pending, _ = await context.kept.take(captcha_key(group.id, user.id), Pending)
        if pending is None:
            await self._greetings.goodbye(group, user.id, user.full_name, at.timestamp())

    def is_due(self, key: str) -> bool:
        """Return whether something follows for a newcomer by now, as far as this process knows."""
        pending = self._context.kept.last(key, Pending)
        return pending is not None and is_due(pending, self._context.now())

    async def do_due(self, key: str) -> None:
        """Send away who has not answered in time, do again what was not done; of several processes one does."""
        context = self._context
        pending, revision = await context.kept.find(key, Pending)
        if pending is None or not is_due(pending, context.now()):
            return
        group = await context.groups.find(int(key.split(".")[1]))
        after = None if group is None else due(pending, revision, context.now())
        written = await context.kept.put(key, after, revision)
        if written is None:
            return
        if group is not None and after is not None:
            await self.settle(group, after, written)
        elif group is not None:
            _log.error("groups.not_settled", group=group.id, user=pending.user_id, answered=pending.answered)

    async def _hold_raid(self, group: ManagedGroup, join: Join, verdict: Verdict, before: int | None) -> None:
        """Begin or prolong a raid, and hold back everybody whose joins made it one.

        Several who join at once are each the one that makes it a raid, and each knows only some of who came before.
        """
        user, seconds = join.user, verdict.duration_seconds or group.moderation.raid.lock_seconds
        known = await self._raids.find(group.id)
        made_it = known is None or join.at.timestamp() <= known.began + _AT_ONCE_SECONDS
        others = [one for one in verdict.users if made_it and one != user.id]
        found = await asyncio.gather(*(self._revision(group.id, one) for one in others))
        raid, _ = await self._raids.begin(group, seconds, verdict.reason)
        await self._hold(group, user.id, user.full_name, before, raid=raid, verdict=verdict)
        for user_id, revision in zip(others, found, strict=True):
            if known is None or not revision:  # of a raid that there was: who has answered since is let in
                await self._hold(group, user_id, str(user_id), revision, raid=raid, verdict=verdict)

    async def _revision(self, group_id: int, user_id: int) -> int | None:
        """Return the revision of what is kept of who is not held; None for who is, or is being let in."""
        pending, revision = await self._context.kept.find(captcha_key(group_id, user_id), Pending)
        return revision if pending is None or pending.answered in {"wrong", "late"} else None

    async def _hold(
        self,
        group: ManagedGroup,
        user_id: int,
        name: str,
        before: int | None,
        *,
        raid: Raid | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        """Mute a newcomer until an answer; whoever is held already stays so.

        `before` is what was kept of them when it was decided: who was held meanwhile, and perhaps let in by now, is
        not held for the same join again.
        """
        if before is None:
            return
        context, key = self._context, captcha_key(group.id, user_id)
        pending = self._pending(group, user_id, name, raid=raid, verdict=verdict)
        revision = await context.kept.put(key, pending, before)
        if revision is None:
            return
        reason = raid.reason if raid is not None else verdict.reason if verdict is not None else ""
        deed = Deed(
            kind="mute",
            group_id=group.id,
            user_id=user_id,
            moderator_id=context.bot_id(),
            key=f"join.{user_id}.{revision}",
            reason=reason,
            duration_seconds=None if pending.fails != "nothing" or raid is None else raid.seconds,
            rule_id=pending.rule_id,
            silent=True,
            quiet=True,
        )
        try:
            outcome = await context.act(deed)
        except HydrophoneError:  # nobody is sent away for an answer to what did not hold them
            await self._amend(key, pending, revision, None)
            raise
        if not outcome.done:
            await self._amend(key, pending, revision, None)
        elif outcome.action_id is not None:
            await self._amend(key, pending, revision, {"action_id": outcome.action_id})

    async def _amend(self, key: str, pending: Pending, revision: int, update: Mapping[str, str] | None) -> None:
        """Keep more of who is held, or None for nothing any more: also of who has answered wrongly meanwhile."""
        kept = self._context.kept
        now: Pending | None = pending
        while now is not None and now.answered is None and now.until == pending.until:
            after = None if update is None else now.model_copy(update=update)
            if await kept.put(key, after, revision) is not None:
                return
            now, revision = await kept.find(key, Pending)

    def _pending(  # what a newcomer is held by
        self,
        group: ManagedGroup,
        user_id: int,
        name: str,
        *,
        raid: Raid | None = None,
        verdict: Verdict | None = None,
        fails: Fails = "kick",
    ) -> Pending:
        captcha, now = group.moderation.captcha, self._context.now()
        if verdict is not None and verdict.penalty in _REMOVES:
            fails = _REMOVES[verdict.penalty]
        elif raid is not None and not captcha.enabled:
            fails = "nothing"  # the mute ends with the raid
        end = now + captcha.seconds if raid is None else raid.until + (captcha.seconds if captcha.enabled else 0)
        first, second = new_sum()
        return Pending(
            user_id=user_id,
            name=name,
            asked=captcha.kind,
            until=end,
            first=first,
            second=second,
            fails=fails,
            fails_seconds=None if verdict is None else verdict.duration_seconds,
            rule_id=None if verdict is None else rule_of(verdict),
            in_raid=raid is not None,
        )

    async def _permissions(self, group_id: int, user_id: int) -> EffectivePermissions:
        query = MemberPermissions(group_id=group_id, user_id=user_id)
        return await self._context.requests.request("community.permissions", query, EffectivePermissions)

    def _is_second(self, join: Join) -> bool:
        """Return whether the other update of a join was received before; who comes again has two of their own."""
        key = (join.chat_id, join.user.id)
        before = self._recent.pop(key, None)
        near = before is not None and abs((join.at - before.at).total_seconds()) <= TWICE_SECONDS
        if before is not None and near and before.source != join.source:
            return True
        self._recent[key] = join
        while len(self._recent) > _MOST_RECENT:
            self._recent.popitem(last=False)
        return False


def new_sum() -> tuple[int, int]:
    """Return two numbers that nobody can guess."""
    return 1 + randbelow(LARGEST), 1 + randbelow(LARGEST)
