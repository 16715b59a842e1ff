"""Every command and every button by everybody: who is no administrator, and has no role, is never let through."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.simulator.model import ADMIN_RIGHTS
from bot.texts.language import make_reader
from bot.texts.menus import command_list
from runtime.texts.phrase import Language
from tests.bot.groups.stage import SECONDS, Group, Stage
from tests.bot.world import SENT, TOKEN

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]
ALL = dict.fromkeys(ADMIN_RIGHTS, True)
PEOPLE: dict[str, dict[str, Any]] = {
    "member": {"status": "member"},
    "restricted": {"status": "restricted", "rights": {"can_send_messages": True}},
    "admin without the right": {"status": "administrator", "rights": {"can_manage_chat": True}},
    "admin": {"status": "administrator", "rights": ALL},
    "anonymous admin": {"status": "administrator", "rights": ALL, "is_anonymous": True},
    "owner": {"status": "creator"},
}
FREE = {"rules", "warns"}
OF_ANY_ADMIN = {"stats", "doctor", *FREE}
COMMANDS = {
    "warn": "warn {eve} spam",
    "swarn": "swarn {eve} spam",
    "unwarn": "unwarn {eve}",
    "warns": "warns",
    "mute": "mute {eve} 2h spam",
    "smute": "smute {eve} 2h",
    "unmute": "unmute {eve}",
    "promote": "promote {eve}",
    "demote": "demote {eve}",
    "approve": "approve {eve}",
    "unapprove": "unapprove {eve}",
    "kick": "kick {eve}",
    "skick": "skick {eve}",
    "ban": "ban {eve} 1d",
    "sban": "sban {eve}",
    "unban": "unban {eve}",
    "pin": "pin",
    "unpin": "unpin",
    "purge": "purge",
    "rules": "rules",
    "role": "role new mod{at} view_actions",
    "settings": "settings language id",
    "stats": "stats",
    "slowmode": "slowmode 30s",
    "lock": "lock sticker",
    "unlock": "unlock sticker",
    "undo": "undo since 1h",
    "doctor": "doctor",
}
BUTTONS = {"undo": "undo_actions", "settings": "manage_settings", "rules": "manage_rules"}
REFUSED = ("You may not do that", "Anda tidak boleh")


async def is_accepted(group: Group, by: int, name: str, text: str) -> bool:
    """Send a command and return whether it was let through: it was not answered that one may not."""
    said = await group.write(group.base + 99, "a message")
    person = group.person(by)
    await person.look()
    await person.do("message", text=f"/{text}", reply_to=said if name in {"pin", "unpin", "purge"} else None)
    silent = name.startswith("s") and name[1:] in {"ban", "kick", "mute", "warn"}
    async with asyncio.timeout(SECONDS):
        while True:
            for row in await person.sent():
                if row["method"] in SENT:
                    return not str(row["text"]).startswith(tuple(f"🔒 {words}" for words in REFUSED))
                if silent and row["method"] == "deleteMessages":
                    return True
            await asyncio.sleep(0.02)


async def all_commands(stage: Stage, who: str) -> set[str]:
    """Return the commands that somebody is let through with, in a group of their own."""
    group = await stage.group()
    by = group.owner if who == "owner" else await group.new(**PEOPLE[who])
    eve = await group.new()
    await group.member(group.base + 99)
    found = set[str]()
    for at, (name, text) in enumerate(COMMANDS.items()):
        if await is_accepted(group, by, name, text.format(eve=eve, at=at)):
            found.add(name)
    if who in {"member", "restricted"}:
        assert await group.log() == []
        acts = ("banChatMember", "restrictChatMember", "promoteChatMember", "unbanChatMember", "deleteMessages")
        assert await group.did(*acts, "pinChatMessage", "unpinChatMessage", "deleteMessage") == []
        assert (await group.ask("list_roles"))["items"] == []
        assert (await group.ask("find_settings"))["language"] == "en"
    return found


async def test_commands_of_everybody(stage: Stage) -> None:
    found = dict(zip(PEOPLE, await asyncio.gather(*(all_commands(stage, who) for who in PEOPLE)), strict=True))
    assert found == {
        "member": FREE,
        "restricted": FREE,
        "admin without the right": OF_ANY_ADMIN,
        "admin": set(COMMANDS),
        "anonymous admin": set(COMMANDS),
        "owner": set(COMMANDS),
    }


async def all_buttons(stage: Stage, who: str) -> set[str]:
    """Return the buttons that somebody is let through with; the owner asked for each of them."""
    group = await stage.group()
    await group.say("/help@hydrophone_test_bot")
    by = group.owner if who == "owner" else await group.new(**PEOPLE[who])
    eve = await group.new()
    rule = {"name": "no ads", "kind": "words", "params": {"words": ["ads"]}, "penalty": {"kind": "delete"}}
    await group.say("/settings")
    await group.ask("create_rule", rule=rule)
    shown = {
        "undo": (await group.person().say(f"/warn {eve}"), "↩️ Undo"),
        "settings": (await group.person().say("/settings"), "🌊 Flood"),
        "rules": (await group.person().say("/rules"), "🟢 no ads"),
    }
    found = set[str]()
    for name, (message, label) in shown.items():
        note = await group.person(by).pressed(message, text=label)
        if not (note or "").startswith(tuple(f"🔒 {words}" for words in REFUSED)):
            found.add(name)
    settings, rules = await group.ask("find_settings"), await group.ask("list_rules")
    assert settings["moderation"]["flood"]["enabled"] == ("settings" in found)
    assert rules["items"][0]["enabled"] == ("rules" not in found)
    assert [one["state"] for one in await group.log(kind="warn")] == ["undone" if "undo" in found else "done"]
    return found


async def test_buttons_of_everybody(stage: Stage) -> None:
    found = dict(zip(PEOPLE, await asyncio.gather(*(all_buttons(stage, who) for who in PEOPLE)), strict=True))
    every = set(BUTTONS)
    assert found == {
        "member": set(),
        "restricted": set(),
        "admin without the right": set(),
        "admin": every,
        "anonymous admin": every,
        "owner": every,
    }


async def test_every_command_and_button_is_in_the_tables(stage: Stage) -> None:
    assert stage.application is not None
    handlers = [one for one in stage.application.handlers[0] if one.callback.__qualname__.startswith("Door.")]
    assert {name for one in handlers for name in getattr(one, "commands", ())} == set(COMMANDS)
    patterns = [pattern.pattern for one in handlers if (pattern := getattr(one, "pattern", None)) is not None]
    assert patterns == [r"^(?:gs|gr|gu)(?:\||$)"]


@pytest.mark.parametrize("language", ["en", "id"])
async def test_telegram_lists_the_commands_by_who_may_use_them(stage: Stage, language: Language) -> None:
    code = "" if language == "en" else language
    every = set(COMMANDS) | {"raid", "report"}
    private = {name for name, _ in command_list(make_reader(language))}
    wanted = {"default": private, "all_group_chats": {*private, *FREE, "report"}}
    wanted["all_chat_administrators"] = private | every
    for scope, names in wanted.items():
        given = {"scope": {"type": scope}, "language_code": code}
        answer = await stage.client.post(f"/bot{TOKEN}/getMyCommands", json=given)
        listed = answer.json()["result"]
        assert {one["command"] for one in listed} == names, scope
        assert len(listed) == len(names) <= 100
        assert all(3 <= len(one["description"]) <= 256 for one in listed)
