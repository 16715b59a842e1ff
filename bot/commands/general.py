"""`/start /help /status /language /timezone`, and an answer to commands that there are not."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from telegram.ext import CommandHandler, MessageHandler, filters

from bot import menus
from bot.callback_data import read_payload
from bot.commands.visiting import AnyHandler, Call, Make, Services, command
from bot.page import Page, Visit
from bot.pages import now_in
from bot.texts import menus as texts
from contracts.errors import HydrophoneError
from runtime.texts.reader import LANGUAGES, Language


def make_handlers(services: Services) -> list[AnyHandler]:
    """Return the handlers of the general commands."""
    makes: dict[str, Make] = {name: _menu(services, name) for name in ("start", "help", "status")}
    makes |= {"language": _language(services), "timezone": _zone(services)}
    only_new = filters.UpdateType.MESSAGE
    return [CommandHandler(name, command(services, make), filters=only_new) for name, make in makes.items()]


def make_last(services: Services) -> AnyHandler:
    """Return the handler of commands that nobody else handles; in a group they may be another bot's."""
    private = filters.COMMAND & filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE
    return MessageHandler(private, command(services, _unknown))


async def _unknown(call: Call) -> Page:
    return Page(call.visit.reader.say("error.unknown_command"))


def _menu(services: Services, name: str) -> Make:
    async def make(call: Call) -> Page:
        linked = read_payload(call.arguments[0]) if name == "start" and call.arguments else None
        if linked is not None:
            return await services.pages.chart(*linked, call.visit)
        return await services.pages.menu(name, call.visit, services.bot.username, services.docs_url)

    return make


def _language(services: Services) -> Make:
    async def make(call: Call) -> Page:
        code = "".join(call.arguments[:1]).lower()
        if code not in LANGUAGES:
            return Page(call.visit.reader.say("language.ask"), menus.language_rows())
        return await set_language(services, code, call.visit)

    return make


def _zone(services: Services) -> Make:
    async def make(call: Call) -> Page:
        if not call.arguments:
            return Page(call.visit.reader.say("zone.ask", zone=call.visit.zone), menus.zone_rows())
        return await set_zone(services, call.arguments[0], call.visit)

    return make


async def set_language(services: Services, code: str, visit: Visit) -> Page:
    """Save the language that a user chose and return a page in it."""
    language = cast("Language", code)
    try:
        await services.profiles.save(visit.user_id, language=language)
    except HydrophoneError as error:
        return services.pages.refused(error, code, visit)
    return Page(replace(visit.reader, language=language).say("language.set"), menus.language_rows())


async def set_zone(services: Services, name: str, visit: Visit) -> Page:
    """Save the zone that a user chose and return a page with the time there."""
    zone = services.profiles.zone_named(name)
    if zone is None:
        return Page(visit.reader.say("zone.unknown", zone=name[:64]), menus.zone_rows())
    try:
        profile = await services.profiles.save(visit.user_id, zone=zone)
    except HydrophoneError as error:
        return services.pages.refused(error, name, visit)
    there = replace(visit, reader=services.profiles.reader(profile, visit.reader.language), zone=zone)
    return Page(texts.zone_set(zone, now_in(there), there.reader), menus.zone_rows())
