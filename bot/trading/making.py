"""The composition of trading in Telegram: its handlers, its buttons, and what goes on beside them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from telegram.ext import CommandHandler, filters

from bot.commands.visiting import AnyHandler, Call, Make, Press, Services, command
from bot.market import Market
from bot.page import Page, Visit
from bot.trading.accounts import TradingServices
from bot.trading.asking import Answers
from bot.trading.backtests import Backtests
from bot.trading.linking import Linking
from bot.trading.orders import Orders
from bot.trading.portfolio import Holdings
from bot.trading.state import TraderState
from bot.trading.strategies import Strategies
from bot.trading.tokens import Tokens
from bot.trading.trade import Trade
from runtime.vault import Vault

FIRST: Final = -2  # the handlers of what nobody else is to see, before the one that sees every update
MENUS: Final = ("portfolio", "trading", "strategies")
Menu = Callable[[Visit], Awaitable[Page | None]]


@dataclass(frozen=True, slots=True)
class TradingParts:
    """What trading is made from: `refresh_seconds` is how long before its end a user token is refreshed."""

    market: Market
    state: TraderState
    vault: Vault | None
    refresh_seconds: int


class BotTrading:
    """Trading in Telegram; each command and each button is for its owner's private chat."""

    def __init__(self, services: Services, parts: TradingParts) -> None:
        trading = TradingServices(services, parts.state, parts.vault)
        self._services, self._linking = services, Linking(trading)
        self._trade, self._orders = Trade(trading, parts.market), Orders(trading)
        self._holdings, self._strategies = Holdings(trading), Strategies(trading, parts.market)
        self._backtests = Backtests(trading, parts.market)
        self._tokens = Tokens(services.requests, parts.state, parts.refresh_seconds)
        takes = {
            **dict.fromkeys(("key", "secret"), self._linking.typed),
            **dict.fromkeys(("price", "amount"), self._trade.typed),
            "param": self._strategies.typed,
        }
        self._answers = Answers(trading, takes)

    def presses(self) -> Mapping[str, Press]:
        """Return what the buttons do, by their action."""
        parts = (self._linking, self._trade, self._orders, self._holdings, self._strategies, self._backtests)
        return {action: press for part in parts for action, press in part.presses().items()}

    def menus(self) -> Mapping[str, Menu]:
        """Return the menus that trading has."""
        return {
            "portfolio": lambda visit: self._holdings.shown((), visit),
            "trading": self._holdings.menu,
            "strategies": lambda visit: self._strategies.listed((), visit),
        }

    def first(self) -> AnyHandler:
        """Return the handler that goes before all others: of what holds secrets."""
        return self._linking.handler()

    def handlers(self) -> list[AnyHandler]:
        """Return the handlers of the commands, and of what is written where it was asked for."""
        makes: dict[str, Make] = {
            "unlink": self._linking.unlink,
            "trade": self._trade.command,
            "orders": self._orders.command,
            "portfolio": self._holdings.command,
            "paper": self._holdings.paper,
            "strategy": self._strategies.command,
            "backtest": self._backtests.command,
            "kill": lambda call: self._holdings.kill((), call.visit),
            "resume": lambda call: self._holdings.resume((), call.visit),
        }
        only_new = filters.UpdateType.MESSAGE
        found = [
            CommandHandler(name, command(self._services, private(make)), filters=only_new)
            for name, make in makes.items()
        ]
        return [*found, self._answers.handler()]

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Keep tokens alive, and wait for results, for as long as the block lasts."""
        async with self._tokens.running():
            try:
                yield
            finally:
                await self._backtests.close()


def private(make: Make) -> Make:
    """Return what makes the page of a command in a private chat, and elsewhere says where it belongs."""

    async def made(call: Call) -> Page:
        if not is_own(call.visit):
            return Page(call.visit.reader.say("trade.private"))
        return await make(call)

    return made


def is_own(visit: Visit) -> bool:
    """Return whether a chat is the user's own: whose buttons they are as well."""
    return not visit.is_group and visit.chat_id == visit.user_id
