"""The composition of what the bot does in groups: its handlers, by the group of handlers that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from bot.commands.visiting import AnyHandler, Services
from bot.groups.commands.calling import Door, GroupServices
from bot.groups.commands.doctor import Doctor
from bot.groups.commands.figures import Figures
from bot.groups.commands.members import Members
from bot.groups.commands.messages import Messages
from bot.groups.commands.ranks import Ranks
from bot.groups.commands.settings import GroupSettings
from bot.groups.commands.targets import Targets
from bot.groups.commands.undo import Undoing
from bot.groups.deeds import Deeds
from bot.groups.managed import Managed
from bot.groups.members import MemberChanges
from bot.groups.people import People
from bot.groups.standing import Standings
from bot.groups.telegram import Telegram
from bot.groups.watching import Watching

WATCHING = 1  # the group of handlers that see every update, beside what answers it


@dataclass(frozen=True, slots=True)
class GroupHandlers:
    """Handlers of commands and buttons, and those that only watch; `given` is what they share."""

    given: GroupServices
    answering: list[AnyHandler]
    watching: list[AnyHandler]


def make_groups(services: Services) -> GroupHandlers:
    """Return the handlers of managed groups."""
    telegram = Telegram(services.requests)
    standings = Standings(services.requests, telegram)
    managed, people = Managed(services.requests, standings), People(services.requests, MemberChanges(services.requests))
    given = GroupServices(
        services=services,
        telegram=telegram,
        standings=standings,
        deeds=Deeds(services.requests, telegram),
        managed=managed,
        people=people,
    )
    targets, door = Targets(given), Door(given)
    settings, undoing = GroupSettings(given), Undoing(given)
    commands = [
        *Members(given, targets).commands(),
        *Messages(given).commands(),
        *Ranks(given, targets).commands(),
        *Figures(given, targets).commands(),
        *settings.commands(),
        *undoing.commands(),
        *Doctor(given).commands(),
    ]
    presses = door.presses([*settings.presses(), *undoing.presses()])
    watching = Watching(standings, managed, people)
    return GroupHandlers(given, [*door.commands(commands), presses], [watching.handler()])
