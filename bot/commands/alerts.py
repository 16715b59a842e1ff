"""Alerts of a chat: `/subscribe /unsubscribe /alerts /alerts_status /alerts_on_w /alerts_off_w /why /snooze`."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError
from telegram.ext import CommandHandler, filters

from bot.commands.alert_arguments import WHALES, read_filter, read_moment, read_span, with_whales, without_whales
from bot.commands.price_alerts import CANCEL, CREATE, DELETE, LIST, SNOOZE, PriceAlerts, owner_of
from bot.commands.visiting import AnyHandler, Call, Make, Press, Services, command
from bot.menus import back_rows
from bot.page import Page, Rows, Visit, button, row, rows
from bot.pages import now_in
from bot.texts import subscriptions as texts
from bot.texts import why as why_texts
from contracts.alerts import ALERT_KINDS
from contracts.errors import HydrophoneError
from contracts.services.alerts import AlertWhyNotQuery, AlertWhyQuery
from contracts.services.chats import (
    AlertFilter,
    DeleteSubscription,
    FindSubscription,
    SaveSubscription,
    SnoozeSubscription,
    Subscription,
)
from contracts.services.explaining import Explanation

SUBSCRIBE: Final = "su"
UNSUBSCRIBE: Final = "so"
STATUS: Final = "ss"
WHALES_ON: Final = "w+"
WHALES_OFF: Final = "w-"
WHY: Final = "y"
DECIDING: Final = frozenset({SUBSCRIBE, UNSUBSCRIBE, WHALES_ON, WHALES_OFF})
MOST_SNOOZE: Final = 30 * 86_400


class ChatAlerts:
    """Pages of what a chat gets; each press and each command is one method."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def menu(self, visit: Visit) -> Page:
        """Return what this chat gets, with the buttons that change it."""
        return await self._guarded(self._find(visit), visit)

    async def subscribe(self, words: tuple[str, ...], visit: Visit) -> Page:
        """Send alerts to the chat from now on: all, or those that the words name."""
        venues = await self._services.pages.venues() if words else frozenset[str]()
        try:
            meant = read_filter(words, venues)
        except ValidationError:
            return self._services.pages.usage("subscribe", visit)
        return await self._guarded(self._save(meant, visit), visit)

    async def unsubscribe(self, _words: tuple[str, ...], visit: Visit) -> Page:
        """Send no more alerts to the chat."""
        asked = DeleteSubscription(chat_id=visit.chat_id, thread_id=visit.thread_id)
        try:
            await self._services.requests.request("chats.subscription_delete", asked, Subscription)
        except HydrophoneError as error:
            return self._services.pages.refused(error, "", visit)
        return Page(visit.reader.say("subscription.off"), menu_rows(visit, active=False))

    async def whales_on(self, _words: tuple[str, ...], visit: Visit) -> Page:
        """Send whale alerts to the chat, beside what it gets."""
        try:
            found = await self._find(visit)
            meant = with_whales(found.filter) if found.active else AlertFilter(kinds=WHALES)
            await self._save(meant, visit)
        except HydrophoneError as error:
            return self._services.pages.refused(error, "", visit)
        return Page(visit.reader.say("subscription.whales_on"), menu_rows(visit, active=True))

    async def whales_off(self, words: tuple[str, ...], visit: Visit) -> Page:
        """Send no whale alerts to the chat; it keeps the others."""
        try:
            found = await self._find(visit)
            meant = without_whales(found.filter) if found.active else None
            if meant is not None:
                await self._save(meant, visit)
        except HydrophoneError as error:
            return self._services.pages.refused(error, "", visit)
        if found.active and meant is None:
            return await self.unsubscribe(words, visit)
        return Page(visit.reader.say("subscription.whales_off"), menu_rows(visit, active=found.active))

    async def snooze(self, seconds: int, visit: Visit) -> Page:
        """Leave the chat alone for a while."""
        asked = SnoozeSubscription(chat_id=visit.chat_id, thread_id=visit.thread_id, seconds=seconds)
        try:
            found = await self._services.requests.request("chats.subscription_snooze", asked, Subscription)
        except HydrophoneError as error:
            return self._services.pages.refused(error, "", visit)
        until = found.snoozed_until
        if until is None:
            return Page(visit.reader.say("subscription.awake" if found.active else "subscription.none"))
        return Page(texts.snoozed(until, visit.reader))

    async def why(self, words: tuple[str, ...], visit: Visit) -> Page:
        """Return why an alert came, by its id; or, by kind, symbol and moment, why none did."""
        now = now_in(visit)
        owner = owner_of(visit.user_id)
        at = next((moment for word in words[1:] if (moment := read_moment(word, now)) is not None), None)
        symbol = next((word for word in words[1:] if read_moment(word, now) is None), None)
        try:
            if words[0].lower() in ALERT_KINDS or at is not None:
                ts = int((at or now).timestamp()) * 1_000_000_000
                asked = AlertWhyNotQuery(rule=words[0].lower(), at=ts, symbol=symbol, owner=owner)
                found = await self._services.requests.request("alerts.why_not", asked, Explanation)
            else:
                found = await self._services.requests.request(
                    "alerts.why", AlertWhyQuery(id=words[0], owner=owner), Explanation
                )
        except ValidationError:
            return self._services.pages.usage("why", visit)
        except HydrophoneError as error:
            return self._services.pages.refused(error, words[0], visit)
        return Page(why_texts.explanation(found, visit.reader))

    async def _find(self, visit: Visit) -> Subscription:
        asked = FindSubscription(chat_id=visit.chat_id, thread_id=visit.thread_id)
        return await self._services.requests.request("chats.subscription_find", asked, Subscription)

    async def _save(self, meant: AlertFilter, visit: Visit) -> Subscription:
        asked = SaveSubscription(
            chat_id=visit.chat_id,
            thread_id=visit.thread_id,
            filter=meant,
            language=visit.reader.language,
            zone=visit.zone,
            user_id=visit.user_id,
        )
        return await self._services.requests.request("chats.subscription_save", asked, Subscription)

    async def _guarded(self, found: Awaitable[Subscription], visit: Visit) -> Page:
        try:
            one = await found
        except HydrophoneError as error:
            return self._services.pages.refused(error, "", visit, back_rows(visit.reader))
        text = texts.subscription(one, visit.reader, datetime.fromtimestamp(now_in(visit).timestamp(), UTC))
        return Page(text, menu_rows(visit, active=one.active))


def menu_rows(visit: Visit, *, active: bool) -> Rows:
    """Return the buttons below what a chat gets."""
    reader = visit.reader
    turn = ("unsubscribe", UNSUBSCRIBE) if active else ("subscribe", SUBSCRIBE)
    return rows(
        row(button(reader.plain(f"button.{turn[0]}"), turn[1]), button(reader.plain("button.alerts_status"), STATUS)),
        row(button(reader.plain("button.whales_on"), WHALES_ON), button(reader.plain("button.whales_off"), WHALES_OFF)),
        row(button(reader.plain("button.price_alerts"), LIST)),
        *back_rows(reader),
    )


def presses(services: Services, chat: ChatAlerts) -> dict[str, Press]:
    """Return what the buttons of alerts do, by their action."""
    own = PriceAlerts(services)

    async def status(_arguments: tuple[str, ...], visit: Visit) -> Page:
        return await chat.menu(visit)

    async def why(arguments: tuple[str, ...], visit: Visit) -> Page | None:
        return await chat.why(arguments, visit) if arguments else None

    return {
        SUBSCRIBE: chat.subscribe,
        UNSUBSCRIBE: chat.unsubscribe,
        WHALES_ON: chat.whales_on,
        WHALES_OFF: chat.whales_off,
        STATUS: status,
        WHY: why,
        LIST: own.listed,
        CREATE: own.create,
        CANCEL: own.cancel,
        DELETE: own.delete,
        SNOOZE: own.snooze,
    }


def make_handlers(services: Services, chat: ChatAlerts) -> list[AnyHandler]:
    """Return the handlers of the alert commands."""
    own = PriceAlerts(services)

    async def snooze(call: Call) -> Page:
        return await _snooze(services, chat, own, call)

    async def why(call: Call) -> Page:
        return await chat.why(call.arguments, call.visit) if call.arguments else services.pages.usage("why", call.visit)

    deciding: dict[str, Make] = {
        "subscribe": lambda call: chat.subscribe(call.arguments, call.visit),
        "unsubscribe": lambda call: chat.unsubscribe(call.arguments, call.visit),
        "alerts_on_w": lambda call: chat.whales_on(call.arguments, call.visit),
        "alerts_off_w": lambda call: chat.whales_off(call.arguments, call.visit),
        "snooze": snooze,
    }
    free: dict[str, Make] = {
        "alerts": lambda call: own.listed(call.arguments, call.visit),
        "alerts_status": lambda call: chat.menu(call.visit),
        "why": why,
        "alert": own.alert,
    }
    made = [(name, command(services, make, decides=True)) for name, make in deciding.items()]
    made += [(name, command(services, make)) for name, make in free.items()]
    return [CommandHandler(name, handle, filters=filters.UpdateType.MESSAGE) for name, handle in made]


async def _snooze(services: Services, chat: ChatAlerts, own: PriceAlerts, call: Call) -> Page:
    """`/snooze 2h` is this chat, `/snooze ID 2h` one price alert; 0 ends it."""
    spans = [0 if word == "0" else read_span(word) for word in call.arguments]
    named = [word for word, span in zip(call.arguments, spans, strict=True) if span is None]
    seconds = next((span for span in spans if span is not None), 3600)
    if seconds > MOST_SNOOZE or len(named) > 1:
        return services.pages.usage("snooze", call.visit)
    if not named:
        return await chat.snooze(seconds, call.visit)
    return await own.snooze((named[0], str(seconds)), call.visit) or services.pages.usage("snooze", call.visit)
