"""`/orders`: what is open and what was, a page at a time, and orders that are cancelled by a button."""

from __future__ import annotations

from typing import Final, cast

from pydantic import ValidationError

from bot.commands.visiting import Call, Press
from bot.menus import back_rows
from bot.page import Page, Visit, button, row, rows
from bot.texts.trading import orders as texts
from bot.trading.accounts import TradingServices, owner
from bot.trading.trade import CANCEL, DRAFT, LIST, order_rows
from contracts.errors import HydrophoneError
from contracts.services.trading.accounts import PAPER
from contracts.services.trading.orders import CancelOrder, FindOrder, ListOrders, OrderInfo, OrderPage

SHOWN: Final = 5  # of a page
OPEN: Final = "open"
ALL: Final = "all"
FIRST: Final = "1"


class Orders:
    """Pages of orders."""

    def __init__(self, trading: TradingServices) -> None:
        self._trading = trading

    def presses(self) -> dict[str, Press]:
        """Return what the buttons do, by their action."""
        return {LIST: self.listed, CANCEL: self.cancel}

    async def command(self, call: Call) -> Page:
        """Return the orders that are open, or all of them with `all`."""
        what = ALL if call.arguments and call.arguments[0].lower() in {ALL, "semua"} else OPEN
        return await self._list(what, 1, call.visit)

    async def listed(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Return the page that a button stands for."""
        what, number = (*arguments, OPEN, FIRST)[:2] if len(arguments) < 2 else arguments[:2]  # noqa: PLR2004
        if what not in {OPEN, ALL} or not number.isdigit() or not int(number):
            return None
        return await self._list(what, int(number), visit)

    async def cancel(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Cancel an order, and return what is known of it then."""
        if len(arguments) != 1:
            return None
        try:
            known = await self._trading.send("find_order", FindOrder(owner=owner(visit), id=arguments[0]), OrderInfo)
            account = await self._trading.named(known.account, visit)
            token = None if account.venue == PAPER else await self._trading.token(account, visit)
            request = CancelOrder(owner=owner(visit), id=known.id, token=token)
            order = await self._trading.send("cancel_order", request, OrderInfo)
        except ValidationError:
            return None
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, arguments[0], visit)
        return Page(texts.cancelled(order, visit.reader), order_rows(order, visit))

    async def _list(self, what: str, number: int, visit: Visit) -> Page:
        status = cast("str | None", "open" if what == OPEN else None)
        request = ListOrders.model_validate(
            {"owner": owner(visit), "status": status, "page": number, "page_size": SHOWN}
        )
        try:
            found = await self._trading.send("list_orders", request, OrderPage)
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit, back_rows(visit.reader))
        reader = visit.reader
        cancels = [
            row(button(texts.cancel_label(order), CANCEL, order.id))
            for order in found.items
            if order.status in {"open", "pending"}
        ]
        turns = row(
            button("⬅️", LIST, what, str(number - 1)) if number > 1 else None,
            button("➡️", LIST, what, str(number + 1)) if number < found.pages else None,
        )
        other = button(reader.plain("button.all_orders"), LIST, ALL, FIRST)
        if what == ALL:
            other = button(reader.plain("button.open_orders"), LIST, OPEN, FIRST)
        ways = row(other, button(reader.plain("button.refresh"), LIST, what, str(number)))
        trade = row(button(reader.plain("button.trade"), DRAFT))
        return Page(texts.listed(found, reader, only_open=what == OPEN), rows(*cancels, turns, ways, trade))
