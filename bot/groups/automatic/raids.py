"""Raid mode: begun by the rules or a moderator, said once, prolonged while it goes on, ended by itself; `/raid`."""

from __future__ import annotations

from typing import Final

from bot.commands.alert_arguments import read_span
from bot.commands.visiting import Call
from bot.groups.automatic.board import Boards
from bot.groups.automatic.context import Context
from bot.groups.automatic.core import Raid, begin_raid, prolong
from bot.groups.automatic.kept import raid_key
from bot.groups.automatic.settings import ManagedGroup
from bot.groups.deeds import Deed
from bot.page import Page
from bot.texts import automatic as texts
from contracts.errors import HydrophoneError

SHORTEST, LONGEST = 60, 86_400  # seconds of a raid that a moderator begins
_OFF: Final = frozenset({"off", "mati"})
_ON: Final = frozenset({"on", "aktif"})
_BY_HAND: Final = "raid mode, begun by a moderator"


class Raids:
    """Raids of every group."""

    def __init__(self, context: Context, boards: Boards) -> None:
        self._context, self._boards = context, boards

    async def find(self, group_id: int) -> Raid | None:
        """Return the raid of a group; None where there is none."""
        raid, _ = await self._context.kept.find(raid_key(group_id), Raid)
        return None if raid is None or raid.until <= self._context.now() else raid

    async def begin(
        self, group: ManagedGroup, seconds: int, reason: str, *, by: int | None = None
    ) -> tuple[Raid, bool]:
        """Begin a raid, or prolong the one that there is; whether it was begun. Whoever is first announces it."""
        context, now = self._context, self._context.now()
        raid = begin_raid(now, seconds, reason)
        while True:  # what is written meanwhile is what is prolonged, or its end what is followed by another one
            known, revision = await context.kept.find(raid_key(group.id), Raid)
            there = known is not None and known.until > now
            after = prolong(known, now) if known is not None and there else raid
            if after == known or await context.kept.put(raid_key(group.id), after, revision) is not None:
                break
        if there:
            return after, False
        await self._boards.announce_raid(group, raid)
        moderator = by or context.bot_id()
        deed = Deed(
            kind="raid",
            group_id=group.id,
            user_id=moderator,
            moderator_id=moderator,
            key=f"raid.{now}",
            reason=reason,
            duration_seconds=seconds,
        )
        await context.act(deed)
        return raid, True

    async def end(self, group: ManagedGroup) -> bool:
        """End a raid; whether there was one that nobody else has just ended."""
        raid, _ = await self._context.kept.take(raid_key(group.id), Raid)
        if raid is None:
            return False
        await self._boards.end_raid(group)
        return True

    async def sweep(self) -> None:
        """End the raids whose time is over."""
        for key in self._context.kept.keys("raid."):
            raid, _ = await self._context.kept.find(key, Raid)
            if raid is None or raid.until > self._context.now():
                continue
            group = await self._context.groups.find(int(key.split(".")[1]))
            if group is not None:
                await self.end(group)

    async def command(self, call: Call) -> Page:
        """`/raid`, `/raid 15m`, `/raid off`."""
        context, reader, word = self._context, call.visit.reader, "".join(call.arguments[:1]).lower()
        try:
            group = await context.groups.find(call.visit.chat_id)
            standing = await context.standings.of_message(call.message)
        except HydrophoneError:
            return Page(reader.say("groups.refused.silent"), answers=False)
        if group is None or not standing.may("restrict_members"):
            return Page(reader.say("error.not_admin"), answers=False)
        if word in _OFF:
            await self.end(group)
        elif word:
            seconds = group.moderation.raid.lock_seconds if word in _ON else read_span(word)
            if seconds is None or not SHORTEST <= seconds <= LONGEST:
                return Page(reader.say("automatic.raid.usage"), answers=False)
            await self.begin(group, seconds, _BY_HAND, by=call.message.from_user and call.message.from_user.id)
        raid = await self.find(group.id)
        if raid is None:
            return Page(reader.say("automatic.raid.off"))
        return Page(texts.raid_on(raid.until, reader))
