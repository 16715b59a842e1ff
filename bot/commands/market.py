"""Market commands: `/price /raw /raw_orderbook /whale /liq /liqmap /spread /chart /sentiment`."""

from __future__ import annotations

from typing import Final

from telegram.ext import CommandHandler, filters

from bot import menus
from bot.commands.visiting import AnyHandler, Call, Make, Services, command
from bot.page import Page

QUESTION_OF: Final = {
    "price": "price",
    "raw": "raw",
    "raw_orderbook": "book",
    "whale": "whale",
    "liq": "liq",
    "spread": "spread",
}
DEFAULT_TIMEFRAME: Final = "1h"
DEPTH_WORD: Final = "depth"


def make_handlers(services: Services) -> list[AnyHandler]:
    """Return the handlers of the market commands."""
    makes: dict[str, Make] = {name: _question(services, name) for name in QUESTION_OF}
    makes |= {"chart": _chart(services), "liqmap": _liquidation_map(services), "sentiment": _sentiment(services)}
    only_new = filters.UpdateType.MESSAGE
    return [CommandHandler(name, command(services, make), filters=only_new) for name, make in makes.items()]


def _question(services: Services, name: str) -> Make:
    asked = QUESTION_OF[name]

    async def make(call: Call) -> Page:
        if not call.arguments:
            return services.pages.usage(name, call.visit, menus.coin_rows(menus.QUESTION, asked))
        symbol, exchange = call.arguments[0], "".join(call.arguments[1:2])
        return await services.pages.question(asked, symbol, call.visit, exchange)

    return make


def _chart(services: Services) -> Make:
    async def make(call: Call) -> Page:
        if not call.arguments:
            return services.pages.usage("chart", call.visit)
        symbol, timeframe = call.arguments[0], (*call.arguments[1:2], DEFAULT_TIMEFRAME)[0]
        if timeframe.lower() == DEPTH_WORD:
            return await services.pages.depth(symbol, call.visit)
        return await services.pages.chart(symbol, timeframe, call.visit)

    return make


def _liquidation_map(services: Services) -> Make:
    async def make(call: Call) -> Page:
        if not call.arguments:
            return services.pages.usage("liqmap", call.visit, menus.coin_rows(menus.MAP))
        symbol, window = call.arguments[0], (*call.arguments[1:2], menus.MAP_WINDOW)[0]
        return await services.pages.liquidation_map(symbol, window.lower(), call.visit)

    return make


def _sentiment(services: Services) -> Make:
    async def make(call: Call) -> Page:
        replied = call.message.reply_to_message
        text = call.text or (replied.text or replied.caption or "" if replied is not None else "")
        if not text:
            return services.pages.usage("sentiment", call.visit)
        return await services.pages.guarded(services.pages.sentiment(text, call.visit), text, call.visit)

    return make
