"""Welcomes and goodbyes: a group's own templates, in the topic that its settings name."""

from __future__ import annotations

from typing import Final

from bot.groups.automatic.context import Context
from bot.groups.automatic.penalties import Notices
from bot.groups.automatic.settings import ManagedGroup
from bot.texts import automatic as texts
from bot.texts.automatic import Filling
from contracts.services.community.commands import ListRules
from contracts.services.community.rules import RulePage

_MOST_RULES: Final = 20


class Greetings:
    """Greets who came and who left, a few a minute: nobody reads more."""

    def __init__(self, context: Context) -> None:
        self._context, self._notices = context, Notices()

    async def welcome(self, group: ManagedGroup, user_id: int, name: str, at: float) -> None:
        """Say the group's welcome, where it has one."""
        await self._greet(group, group.settings.welcome, user_id, name, f"welcome.{group.id}.{user_id}.{at:.0f}")

    async def goodbye(self, group: ManagedGroup, user_id: int, name: str, at: float) -> None:
        """Say the group's goodbye, where it has one."""
        await self._greet(group, group.settings.goodbye, user_id, name, f"goodbye.{group.id}.{user_id}.{at:.0f}")

    async def _greet(self, group: ManagedGroup, template: str, user_id: int, name: str, job_id: str) -> None:  # noqa: PLR0917
        context = self._context
        if not template or not self._notices.may(group.id, context.now()):
            return
        count, rules = None, tuple[str, ...]()
        if texts.needs(template, "count"):
            count = (await context.telegram.chat(group.id)).members
        if texts.needs(template, "rules"):
            query = ListRules(group_id=group.id, page_size=_MOST_RULES)
            page = await context.requests.request("community.list_rules", query, RulePage)
            rules = tuple(one.name for one in page.items if one.enabled and not one.shadow)
        filling = Filling(user_id, name, group.group.name, count, rules)
        thread = group.settings.welcome_thread_id
        await context.post(job_id, group.id, texts.fill(template, filling), thread_id=thread)
