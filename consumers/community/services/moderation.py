"""What the bot asks and says: what the rules decide, what was seen, and what became of members."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from consumers.community import core
from consumers.community.moderation import builtin, evaluate
from consumers.community.services.context import Context, place
from consumers.community.store import members, recorded
from consumers.community.store.changes import Collections
from consumers.community.store.groups import Group
from contracts.services.community import bot
from contracts.services.community.actions import KEPT_DAYS
from contracts.services.community.bot import Judgement, Recorded, UpdatedMembers
from contracts.services.community.events import CommunityEvent, What
from contracts.services.community.groups import Permission
from contracts.services.community.rules import Seen, Verdict


class ModerationService:
    """The commands of the bot. What came shortly before a message is in the documents, for every process the same."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def judge(self, request: bot.JudgeSeen) -> Judgement:
        """Return what the rules of a group decide about a message or a join."""
        context, seen = self._context, request.seen
        group = await context.group(request)
        settings, _ = await context.settings(group.key)
        rules = [*await context.rules(group.key), *builtin.rules_of(settings.moderation, group.key)]
        profile = await context.profile(group.owner, seen.user_id)
        if not rules or (profile or {}).get("trusted"):
            return Judgement(act=None, shadow=[])
        permissions = await self._permissions(group, seen.user_id)
        counted = await context.windows.count(evaluate.list_counts(rules, seen, permissions), seen)
        broken = evaluate.evaluate(rules, seen, permissions, counted)
        verdicts: list[Verdict] = []
        for rule, reason in broken:
            offence = 1 + await self._offences(group, rule.id, seen)
            verdicts.append(evaluate.verdict_of(rule, reason, offence, counted.users(rule.id)))
        act = next((one for one in verdicts if not one.shadow), None)
        return Judgement(act=act, shadow=[one for one in verdicts if one.shadow])

    async def record(self, request: bot.RecordSeen) -> Recorded:
        """Note who wrote, and record what was seen where the settings allow it."""
        context = self._context
        group = await context.group(request)
        settings, _ = await context.settings(group.key)

        async def write(collections: Collections) -> tuple[int, CommunityEvent | None]:
            count = await recorded.record(collections, group.key, request.batch, request.seen) if settings.record else 0
            await members.saw(collections, group, _active(request.seen))
            return count, None

        return Recorded(recorded=await context.changes.change(place(group), write))

    async def update_members(self, request: bot.UpdateMembers) -> UpdatedMembers:
        """Write what members are now and what they are called; what is older than what is known changes nothing."""
        context = self._context
        group = await context.group(request)

        async def write(collections: Collections) -> tuple[UpdatedMembers, list[CommunityEvent]]:
            changed = await members.set_statuses(collections, group, request.members)
            named = await members.set_names(collections, group.owner, request.members, now=context.now())
            whats: tuple[tuple[What, list[int]], ...] = (("member", changed), ("user", named))
            events = [
                context.event(what, "updated", group, ids[0], caller=request.caller, keys=[str(one) for one in ids])
                for what, ids in whats
                if ids
            ]
            return UpdatedMembers(members=len(changed), profiles=len(named)), events

        return await context.changes.change_many(place(group), write)

    async def _permissions(self, group: Group, user_id: int) -> frozenset[Permission]:
        context = self._context
        roles, (settings, _) = await context.roles(group.key), await context.settings(group.key)
        member = await context.members.find(group.key, user_id)
        return core.effective(roles, (member or {}).get("roles", []), settings.member_permissions)

    async def _offences(self, group: Group, rule_id: str, seen: Seen) -> int:
        """Return how often a member broke a rule before and was not forgiven."""
        since: datetime = seen.at - timedelta(days=KEPT_DAYS)
        rows = await self._context.log.sums_of_user(group.key, seen.user_id)
        return sum(
            row["count"]
            for row in rows
            if row["_id"].get("rule") == rule_id and row["_id"].get("state") != "undone" and row["last"] >= since
        )


def _active(seen: Sequence[Seen]) -> dict[int, tuple[int, datetime]]:
    """Return how many messages each member wrote, and when the last one."""
    found: dict[int, tuple[int, datetime]] = {}
    for one in seen:
        if one.kind == "message":
            count, last = found.get(one.user_id, (0, one.at))
            found[one.user_id] = (count + 1, max(last, one.at))
    return found
