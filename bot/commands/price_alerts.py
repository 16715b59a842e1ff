"""Price alerts of a user: `/alert`, the list, `/snooze` of one, and the buttons below them."""

from __future__ import annotations

from typing import Final

from pydantic import ValidationError

from bot.commands.alert_arguments import read_rule
from bot.commands.visiting import Call, Services
from bot.menus import back_rows
from bot.page import Page, Rows, Visit, button, row, rows
from bot.texts import price_alerts as texts
from contracts.errors import HydrophoneError
from contracts.services.alerts import (
    AlertPage,
    CreateAlert,
    DeleteAlert,
    Deleted,
    Deliver,
    ListAlerts,
    PriceAlert,
    PriceRule,
    SnoozeAlert,
)

LIST: Final = "pl"
CREATE: Final = "pc"
CANCEL: Final = "px"
DELETE: Final = "pd"
SNOOZE: Final = "pz"
HOUR: Final = 3600


def owner_of(user_id: int) -> str:
    """Return whose a Telegram user's price alerts are."""
    return f"telegram:{user_id}"


class PriceAlerts:
    """Pages of a user's price alerts."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def alert(self, call: Call) -> Page:
        """Return the question whether the price alert that was written is meant."""
        services, visit = self._services, call.visit
        try:
            rule = read_rule(call.arguments)
        except ValidationError:
            rule = None
        if rule is None:
            return services.pages.usage("alert", visit)
        price = await services.pages.price(rule.symbol, visit)
        if isinstance(price, Page):
            return price
        return Page(texts.confirm(rule, price, visit.reader), _choices(rule, price.price, visit))

    async def create(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Make the price alert that a button stands for."""
        try:
            symbol, *words = arguments
            rule = read_rule((symbol, *(word for word in words if word)))
        except (ValueError, ValidationError):
            return None
        if rule is None:
            return None
        asked = CreateAlert(owner=owner_of(visit.user_id), rule=rule, deliver=Deliver(telegram=visit.chat_id))
        try:
            made = await self._services.requests.request("alerts.create", asked, PriceAlert)
        except HydrophoneError as error:
            return self._services.pages.refused(error, symbol, visit)
        return Page(texts.created(made, visit.reader), _one_rows(made, visit))

    async def cancel(self, _arguments: tuple[str, ...], visit: Visit) -> Page:
        """Return that nothing was made."""
        return Page(visit.reader.say("price_alerts.cancelled"))

    async def listed(self, _arguments: tuple[str, ...], visit: Visit) -> Page:
        """Return the user's price alerts."""
        asked = ListAlerts(owner=owner_of(visit.user_id), page_size=texts.SHOWN)
        try:
            found = await self._services.requests.request("alerts.list", asked, AlertPage)
        except HydrophoneError as error:
            return self._services.pages.refused(error, "", visit, back_rows(visit.reader))
        deletes = [row(button(f"🗑 {one.symbol} {one.value or ''}", DELETE, one.id)) for one in found.items[:5]]
        return Page(texts.listed(found, visit.reader), rows(*deletes, *back_rows(visit.reader)))

    async def delete(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Delete a price alert."""
        if len(arguments) != 1:
            return None
        try:
            asked = DeleteAlert(owner=owner_of(visit.user_id), id=arguments[0])
            gone = await self._services.requests.request("alerts.delete", asked, Deleted)
        except ValidationError:
            return None
        except HydrophoneError as error:
            return self._services.pages.refused(error, arguments[0], visit)
        return Page(visit.reader.say("price_alerts.deleted", id=gone.id))

    async def snooze(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Keep a price alert silent for so many seconds; None for what is no id."""
        alert_id, seconds = arguments[0], int("".join(arguments[1:2]) or HOUR)
        try:
            asked = SnoozeAlert(owner=owner_of(visit.user_id), id=alert_id, seconds=seconds)
            found = await self._services.requests.request("alerts.snooze", asked, PriceAlert)
        except ValidationError:
            return None
        except HydrophoneError as error:
            return self._services.pages.refused(error, alert_id, visit)
        return Page(texts.snoozed(found, visit.reader), _one_rows(found, visit))


def _choices(rule: PriceRule, price: float, visit: Visit) -> Rows:
    """Return the buttons that confirm a rule; where no direction was written, one for each."""
    reader = visit.reader
    repeat = "repeat" if rule.repeat else ""
    figure = rule.value or ""
    span = f"{rule.window_seconds or rule.interval_seconds}s" if rule.window_seconds or rule.interval_seconds else ""
    cancel = button(reader.plain("button.cancel"), CANCEL)
    if rule.condition != "crosses":
        words = (rule.condition, figure, span, repeat)
        return rows(row(button(reader.plain("button.confirm"), CREATE, rule.symbol, *words), cancel))
    likely = ("above", "below") if float(figure) >= price else ("below", "above")
    sides = [button(reader.plain(f"button.{side}"), CREATE, rule.symbol, side, figure, span, repeat) for side in likely]
    return rows(row(*sides), row(cancel))


def _one_rows(found: PriceAlert, visit: Visit) -> Rows:
    reader = visit.reader
    silence = button(reader.plain("button.snooze"), SNOOZE, found.id, str(HOUR))
    return rows(row(silence, button(reader.plain("button.delete"), DELETE, found.id)))
