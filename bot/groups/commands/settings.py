"""How a group is run: `/settings`, `/lock`, `/unlock`, `/slowmode`, `/rules`, and their buttons."""

from __future__ import annotations

from typing import Final, cast, get_args

from bot.groups.commands.arguments import OFF, read_lasting
from bot.groups.commands.calling import PREFIX, GroupCall, GroupCommand, GroupPress, GroupServices
from bot.groups.deeds import caller_of
from bot.page import Page, Rows, button, row, rows
from bot.texts import group_settings as setting_texts
from bot.texts import groups as texts
from contracts.services.community import commands
from contracts.services.community.rules import Penalty, RuleCreate, RulePage, RuleResponse, RuleUpdate
from contracts.services.community.settings import MediaKind, Moderation, SettingsResponse, SettingsUpdate

TOGGLE: Final = f"{PREFIX}s"
RULE: Final = f"{PREFIX}r"
SLOW: Final = "slow mode"
SLOWEST: Final = 3600
MEDIA: Final = cast("tuple[MediaKind, ...]", get_args(MediaKind))
_MOST_BUTTONS: Final = 10
_PARTS: Final = ("flood", "captcha", "raid")
_ALL: Final = frozenset({"all", "semua"})


class GroupSettings:
    """Commands and buttons that change how a group is run."""

    def __init__(self, given: GroupServices) -> None:
        self._given = given

    def commands(self) -> list[GroupCommand]:
        """Return the commands."""
        return [
            GroupCommand("settings", "manage_settings", self._settings),
            GroupCommand("lock", "manage_settings", self._lock),
            GroupCommand("unlock", "manage_settings", self._unlock),
            GroupCommand("slowmode", "restrict_members", self._slow),
            GroupCommand("rules", None, self._rules),
        ]

    def presses(self) -> list[GroupPress]:
        """Return the buttons."""
        return [
            GroupPress(TOGGLE, "manage_settings", self._toggle),
            GroupPress(RULE, "manage_rules", self._switch),
        ]

    async def _settings(self, call: GroupCall) -> Page | None:
        """Show them, or change one: `/settings language id`."""
        found = await self._find(call)
        if not call.words:
            return _page(found, call)
        changes = await self._read(call, call.words[0].lower(), call.words[1:])
        if isinstance(changes, Page):
            return changes
        return _page(await self._update(call, changes), call)

    async def _read(self, call: GroupCall, name: str, words: tuple[str, ...]) -> SettingsUpdate | Page:
        usage = Page(call.visit.reader.say("groups.settings_usage"))
        if not words:
            return usage
        off = words[0].lower() in OFF and len(words) == 1
        if name == "language" and words[0].lower() in {"en", "id"}:
            return SettingsUpdate(language=words[0].lower())
        if name in {"welcome", "goodbye"}:
            text = "" if off else (call.message.text or "").split(None, 2)[2]
            try:
                return SettingsUpdate.model_validate({name: text})
            except ValueError as error:
                return Page(call.visit.reader.say("groups.settings_wrong", why=texts.fault(error)))
        if name == "autodelete":
            seconds = None if off else read_lasting(words[0])
            fits = off or (seconds is not None and seconds <= 86_400)  # noqa: PLR2004  # a day
            return SettingsUpdate(delete_commands_seconds=seconds) if fits else usage
        return await self._log_channel(call, words[0], off=off) if name == "log" else usage

    async def _log_channel(self, call: GroupCall, word: str, *, off: bool) -> SettingsUpdate | Page:
        """Return the change of where actions are reported: only to a chat that whoever sets it administers."""
        if off:
            return SettingsUpdate(log_channel_id=None, log_thread_id=None)
        if word.lower() in {"here", "sini"}:
            return SettingsUpdate(log_channel_id=call.visit.chat_id, log_thread_id=call.visit.thread_id)
        if not word.removeprefix("-").isdigit() or len(word) > 17:  # noqa: PLR2004  # digits of an id
            return Page(call.visit.reader.say("groups.settings_usage"))
        if call.standing.anonymous or call.standing.channel:
            return Page(call.visit.reader.say("groups.anonymous"))
        theirs = await self._given.standings.of(int(word), call.standing.user_id)
        if not theirs.is_admin:
            return Page(call.visit.reader.say("groups.log_not_yours"))
        return SettingsUpdate(log_channel_id=int(word), log_thread_id=None)

    async def _toggle(self, call: GroupCall) -> Page | None:
        name = "".join(call.words)
        found = await self._find(call)
        if name in _PARTS:
            part = getattr(found.moderation, name)
            moderation = found.moderation.model_copy(
                update={name: part.model_copy(update={"enabled": not part.enabled})}
            )
            return _page(await self._update(call, SettingsUpdate(moderation=moderation)), call)
        if name == "record":
            return _page(await self._update(call, SettingsUpdate(record=not found.record)), call)
        if name == "language":
            other = "en" if found.language == "id" else "id"
            return _page(await self._update(call, SettingsUpdate(language=other)), call)
        return None

    async def _lock(self, call: GroupCall) -> Page | None:
        found = await self._find(call)
        if not call.words:
            return Page(setting_texts.locks(found.moderation.locks, call.visit.reader))
        return await self._locks(call, found.moderation, locked=True)

    async def _unlock(self, call: GroupCall) -> Page | None:
        return await self._locks(call, (await self._find(call)).moderation, locked=False)

    async def _locks(self, call: GroupCall, moderation: Moderation, *, locked: bool) -> Page:
        words = [word.lower().rstrip(",") for word in call.words]
        named = set(MEDIA) if _ALL & set(words) else {kind for kind in MEDIA if kind in words}
        if not named or (not _ALL & set(words) and len(named) != len(set(words))):
            return Page(call.visit.reader.say("groups.lock_usage", kinds=" ".join(MEDIA)))
        before = set(moderation.locks)
        after = before | named if locked else before - named
        changed = moderation.model_copy(update={"locks": [kind for kind in MEDIA if kind in after]})
        settings = await self._update(call, SettingsUpdate(moderation=changed))
        return Page(setting_texts.locks(settings.moderation.locks, call.visit.reader))

    async def _slow(self, call: GroupCall) -> Page | None:
        """Show, set or end the slow mode: a rule, as Telegram lets no bot set its own."""
        reader, rule = call.visit.reader, await self._slow_rule(call)
        if not call.words:
            chat = await self._given.telegram.chat(call.visit.chat_id)
            own = rule.params["seconds"] if rule is not None and rule.enabled else None
            return Page(setting_texts.slow(own, chat.slow_mode_delay, reader))
        off = call.words[0].lower() in OFF
        seconds = 0 if off else read_lasting(call.words[0])
        if seconds is None or not (off or 1 <= seconds <= SLOWEST):
            return Page(reader.say("groups.slow_usage"))
        await self._set_slow(call, rule, seconds)
        return Page(setting_texts.slow(seconds or None, 0, reader))

    async def _set_slow(self, call: GroupCall, rule: RuleResponse | None, seconds: int) -> None:
        requests, caller, group_id = self._given.services.requests, caller_of(call.moderator_id), call.visit.chat_id
        params = {"messages": 1, "seconds": seconds}
        if rule is not None:
            changes = RuleUpdate(enabled=True, params=params) if seconds else RuleUpdate(enabled=False)
            update = commands.UpdateRule(group_id=group_id, caller=caller, rule_id=rule.rule_id, changes=changes)
            await requests.request("community.update_rule", update, RuleResponse)
        elif seconds:
            made = RuleCreate(name=SLOW, kind="flood", params=params, penalty=Penalty(kind="delete"), priority=1000)
            create = commands.CreateRule(group_id=group_id, caller=caller, rule=made)
            await requests.request("community.create_rule", create, RuleResponse)

    async def _slow_rule(self, call: GroupCall) -> RuleResponse | None:
        return next((one for one in await self._list(call) if one.name == SLOW and one.kind == "flood"), None)

    async def _rules(self, call: GroupCall) -> Page | None:
        """Show the rules: those that hold, to who may manage them all, each with its switch."""
        return rules_page(await self._list(call), call)

    async def _switch(self, call: GroupCall) -> Page | None:
        found = next((one for one in await self._list(call) if one.rule_id == "".join(call.words)), None)
        if found is None:
            return None
        update = commands.UpdateRule(
            group_id=call.visit.chat_id,
            caller=caller_of(call.moderator_id),
            rule_id=found.rule_id,
            changes=RuleUpdate(enabled=not found.enabled),
        )
        await self._given.services.requests.request("community.update_rule", update, RuleResponse)
        return rules_page(await self._list(call), call)

    async def _list(self, call: GroupCall) -> list[RuleResponse]:
        query = commands.ListRules(group_id=call.visit.chat_id, page_size=100)
        return (await self._given.services.requests.request("community.list_rules", query, RulePage)).items

    async def _find(self, call: GroupCall) -> SettingsResponse:
        query = commands.FindSettings(group_id=call.visit.chat_id)
        return await self._given.services.requests.request("community.find_settings", query, SettingsResponse)

    async def _update(self, call: GroupCall, changes: SettingsUpdate) -> SettingsResponse:
        request = commands.UpdateSettings(
            group_id=call.visit.chat_id, caller=caller_of(call.moderator_id), changes=changes
        )
        return await self._given.services.requests.request("community.update_settings", request, SettingsResponse)


def _page(found: SettingsResponse, call: GroupCall) -> Page:
    reader = call.visit.reader
    switches = [button(reader.plain(f"groups.button.{name}"), TOGGLE, name) for name in (*_PARTS, "record", "language")]
    return Page(setting_texts.settings(found, reader), rows(row(*switches[:3]), row(*switches[3:])))


def rules_page(found: list[RuleResponse], call: GroupCall) -> Page:
    """Return the rules as whoever asks may see them."""
    if not call.standing.may("manage_rules"):
        return Page(setting_texts.rules([one for one in found if one.enabled and not one.shadow], call.visit.reader))
    made: Rows = tuple(
        row(button(f"{'🟢' if one.enabled else '⚪'} {one.name}", RULE, one.rule_id)) for one in found[:_MOST_BUTTONS]
    )
    return Page(setting_texts.rules(found, call.visit.reader, numbered=True), made)
