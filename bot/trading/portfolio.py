"""`/portfolio /paper /kill /resume` and the menu of trading: what there is, and the switch over all of it."""

from __future__ import annotations

from typing import Final, get_args

from pydantic import ValidationError

from bot.commands.visiting import Call, Press
from bot.menus import back_rows
from bot.page import Page, Rows, Visit, button, row, rows
from bot.texts.trading import accounts as texts
from bot.trading.accounts import TradingServices, caller_of, owner
from bot.trading.trade import DRAFT, LIST
from contracts.errors import HydrophoneError
from contracts.services.trading.accounts import Kill, Killed, Resume, Resumed
from contracts.services.trading.portfolio import FindPortfolio, Portfolio, Shown

PORTFOLIO: Final = "pf"
KILL: Final = "k"
RESUME: Final = "kr"
CURRENCIES: Final[tuple[str, ...]] = get_args(Shown)
DEFAULT: Final = "USDT"


class Holdings:
    """Pages of what a user has."""

    def __init__(self, trading: TradingServices) -> None:
        self._trading = trading

    def presses(self) -> dict[str, Press]:
        """Return what the buttons do, by their action."""
        return {PORTFOLIO: self.shown, KILL: self.kill, RESUME: self.resume}

    async def command(self, call: Call) -> Page:
        """Return what a user has, in the currency that was written."""
        words = tuple(word.upper() for word in call.arguments[:1])
        return await self.shown(words, call.visit) or self._trading.services.pages.usage("portfolio", call.visit)

    async def shown(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Return what a user has and what it has earned."""
        currency = "".join(arguments) or DEFAULT
        reader = visit.reader
        again = row(*(button(f"• {one}" if one == currency else one, PORTFOLIO, one) for one in CURRENCIES))
        ways: Rows = rows(again, *self._ways(visit))
        try:
            await self._trading.accounts(visit)
            request = FindPortfolio.model_validate({"owner": owner(visit), "currency": currency})
            found = await self._trading.services.requests.request("portfolio.find", request, Portfolio)
        except ValidationError:
            return None
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit, ways)
        return Page(texts.portfolio(found, reader), ways)

    async def paper(self, call: Call) -> Page:
        """Return the accounts; who has none has a paper account from now on."""
        return await self.menu(call.visit)

    async def menu(self, visit: Visit) -> Page:
        """Return the accounts with what is in them, and the ways on."""
        reader = visit.reader
        try:
            found = await self._trading.accounts(visit)
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit, back_rows(reader))
        turn = button(
            reader.plain("button.resume" if found.halted else "button.kill"), RESUME if found.halted else KILL
        )
        return Page(texts.listed(found, reader), rows(*self._ways(visit), row(turn), *back_rows(reader)))

    async def kill(self, _arguments: tuple[str, ...], visit: Visit) -> Page:
        """Stop all trading of a user, and return what was confirmed."""
        reader = visit.reader
        try:
            done = await self._trading.send("kill", Kill(caller=caller_of(visit), owner=owner(visit)), Killed)
        except HydrophoneError as error:
            again = rows(row(button(reader.plain("button.kill"), KILL)))
            return self._trading.services.pages.refused(error, "", visit, again)
        ways = row(button(reader.plain("button.kill_again"), KILL) if done.waiting else None)
        return Page(texts.killed(done, reader), rows(ways, row(button(reader.plain("button.resume"), RESUME))))

    async def resume(self, _arguments: tuple[str, ...], visit: Visit) -> Page:
        """Let a user's trading go on."""
        try:
            await self._trading.send("resume", Resume(caller=caller_of(visit), owner=owner(visit)), Resumed)
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit)
        return Page(visit.reader.say("kill.resumed"), rows(*self._ways(visit)))

    def _ways(self, visit: Visit) -> Rows:
        reader = visit.reader
        trade = row(button(reader.plain("button.trade"), DRAFT), button(reader.plain("button.orders"), LIST))
        return rows(
            trade,
            row(
                button(reader.plain("button.portfolio_now"), PORTFOLIO),
                button(reader.plain("button.strategies_now"), "st"),
            ),
        )
