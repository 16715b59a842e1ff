"""Rules: made, changed, explained by their history, and tried on what is recorded."""

from __future__ import annotations

import asyncio
import hashlib
from functools import partial

from consumers.community import core
from consumers.community.moderation import past
from consumers.community.services.context import Context, cut, new_id, page_of, place
from consumers.community.services.figures import counts_of
from consumers.community.store.changes import Collections
from consumers.community.store.collections import RULES
from consumers.community.store.days import last_days
from consumers.community.store.definitions import history_entry, new_rule, read_rule, with_history
from consumers.community.store.groups import Group
from contracts.errors import InvalidParameterError, LimitReachedError, NotFoundError
from contracts.services.community import commands
from contracts.services.community.actions import KEPT_DAYS
from contracts.services.community.events import CommunityEvent
from contracts.services.community.groups import Permission
from contracts.services.community.rules import (
    MOST_RULES,
    DryRunResponse,
    RuleChange,
    RuleHistory,
    RulePage,
    RuleResponse,
    check_params,
)
from contracts.services.responses import SuccessResponse
from runtime.store import Document


class RuleService:
    """The commands about rules."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create_rule(self, request: commands.CreateRule) -> RuleResponse:
        """Make a rule; a request of the same name finds what it made."""
        context = self._context
        group = await context.group(request)
        rule_id = new_id() if request.request_key is None else _id_of(group.key, request.request_key)
        document = new_rule(group.key, rule_id, request.rule, context.now())
        changed = request.rule.model_dump(mode="json")
        entry = history_entry(1, document["created_at"], request.caller.actor, changed)

        async def write(collections: Collections) -> tuple[Document, CommunityEvent | None]:
            known = await collections(RULES).find_one({"_id": rule_id})
            if known is not None:
                return known, None
            if await collections(RULES).count_documents({"group": group.key}) >= MOST_RULES:
                raise LimitReachedError(f"At most {MOST_RULES} rules", maximum=MOST_RULES)
            await collections(RULES).insert_one({**document, "history": [entry]})
            return document, context.event("rule", "created", group, rule_id, caller=request.caller)

        return self._shown(await context.changes.change(place(group), write), {})

    async def list_rules(self, request: commands.ListRules) -> RulePage:
        """Return a page of rules, the highest priority first."""
        group = await self._context.group(request)
        found = await self._context.definitions.rules(group.key)
        hits = await self._hits(group.key)
        return page_of(RulePage, [self._shown(one, hits) for one in cut(found, request)], len(found), request)

    async def find_rule(self, request: commands.FindRule) -> RuleResponse:
        """Return a rule."""
        group, found = await self._find(request, request.rule_id)
        return self._shown(found, await self._hits(group.key))

    async def update_rule(self, request: commands.UpdateRule) -> RuleResponse:
        """Change a rule; what changed is in its history."""
        context = self._context
        group, _ = await self._find(request, request.rule_id)
        changes = request.changes.model_dump(exclude_none=True)

        async def write(collections: Collections) -> tuple[Document, CommunityEvent | None]:
            before = _of(group, await collections(RULES).find_one({"_id": request.rule_id}), request.rule_id)
            fields = {**changes, **_complete(before["kind"], changes)}
            changed = {name: value for name, value in fields.items() if before[name] != value}
            if not changed:
                return before, None
            version, now = before["version"] + 1, context.now()
            after = {**before, **changed, "version": version, "updated_at": now}
            entry = history_entry(version, now, request.caller.actor, changed)
            update = with_history({**changed, "version": version, "updated_at": now}, entry)
            await collections(RULES).update_one({"_id": request.rule_id}, update)
            return after, context.event("rule", "updated", group, request.rule_id, caller=request.caller)

        after = await context.changes.change(place(group), write)
        return self._shown(after, await self._hits(group.key))

    async def delete_rule(self, request: commands.DeleteRule) -> SuccessResponse:
        """Delete a rule; its actions stay in the log."""
        context = self._context
        group, _ = await self._find(request, request.rule_id)

        async def write(collections: Collections) -> tuple[None, CommunityEvent | None]:
            _of(group, await collections(RULES).find_one({"_id": request.rule_id}), request.rule_id)
            await collections(RULES).delete_one({"_id": request.rule_id})
            return None, context.event("rule", "deleted", group, request.rule_id, caller=request.caller)

        await context.changes.change(place(group), write)
        return SuccessResponse(message=f"The rule {request.rule_id} was deleted")

    async def rule_history(self, request: commands.RuleChanges) -> RuleHistory:
        """Return a page of the changes of a rule, the newest first."""
        _, found = await self._find(request, request.rule_id)
        entries = [RuleChange.model_validate(one) for one in reversed(found["history"])]
        return page_of(RuleHistory, cut(entries, request), len(entries), request)

    async def dry_run_rule(self, request: commands.DryRunRule) -> DryRunResponse:
        """Return what a rule would have done with what is recorded of some days."""
        context = self._context
        group, found = await self._find(request, request.rule_id)
        seen = await context.recorded.of_days(group.key, last_days(context.now(), request.days))
        roles, (settings, _) = await context.roles(group.key), await context.settings(group.key)
        held = await context.members.roles_of_all(group.key)
        everybody = frozenset(settings.member_permissions)
        by_member = {user_id: core.effective(roles, names, everybody) for user_id, names in held.items()}

        def permissions(user_id: int) -> frozenset[Permission]:
            return by_member.get(user_id, everybody)

        run = partial(past.dry_run, read_rule(found), seen, request.days, permissions)
        return await asyncio.to_thread(run)

    async def _find(self, request: commands.InGroup, rule_id: str) -> tuple[Group, Document]:
        group = await self._context.group(request)
        return group, _of(group, await self._context.definitions.history(rule_id), rule_id)

    async def _hits(self, key: str) -> dict[str, int]:
        sums = await self._context.log.days.sums(key, last_days(self._context.now(), KEPT_DAYS))
        return counts_of(sums.get("rules", []))

    def _shown(self, document: Document, hits: dict[str, int]) -> RuleResponse:
        names = ("name", "kind", "params", "penalty", "priority", "enabled", "shadow", "version")
        fields = {name: document[name] for name in (*names, "created_at", "updated_at")}
        return RuleResponse(rule_id=document["_id"], hits=hits.get(document["_id"], 0), **fields)


def _of(group: Group, document: Document | None, rule_id: str) -> Document:
    if document is None or document["group"] != group.key:
        raise NotFoundError(f"There is no rule {rule_id}", rule_id=rule_id)
    return document


def _complete(kind: str, changes: Document) -> Document:
    """Return the parameters of a change, complete; InvalidParameterError where they are none of the kind."""
    if "params" not in changes:
        return {}
    try:
        return {"params": check_params(kind, changes["params"]).model_dump()}
    except ValueError as error:
        raise InvalidParameterError(str(error), parameter="params") from None


def _id_of(key: str, request_key: str) -> str:
    return hashlib.sha256(f"{key}.{request_key}".encode()).hexdigest()[:16]
