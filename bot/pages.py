"""Pages by what is asked: each is made of what the bus answers, and an error is a page too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final, get_args

from pydantic import ValidationError

from bot import menus
from bot.market import Market
from bot.page import Page, Rows, Visit
from bot.texts import charts as captions
from bot.texts import errors, overview
from bot.texts import menus as menu_texts
from bot.texts.answer import Answer
from bot.texts.market import base_of
from contracts.errors import HydrophoneError, NotReadyError
from contracts.market import Timeframe
from contracts.services.market import (
    HealthQuery,
    LiquidationMapQuery,
    MapWindow,
    OhlcQuery,
    OrderbookQuery,
    PriceQuery,
    StatusQuery,
)
from contracts.services.replies.liqmap import LiquidationMap
from contracts.services.replies.market import HealthReply, Orderbook, PriceReply, StatusReply
from contracts.services.replies.multi import OhlcReply
from contracts.services.sentiment import LONGEST_TEXT, SentimentQuery, SentimentReply
from runtime import clock
from runtime.drawing.thread import Drawing
from runtime.drawing.words import Words

TIMEFRAMES: Final[tuple[str, ...]] = get_args(Timeframe)
MAP_WINDOWS: Final[tuple[str, ...]] = get_args(MapWindow)
CHART_CANDLES: Final = 100
CHART_DEPTH: Final = 100
COMMAND_OF: Final = {"book": "raw_orderbook"}


class Pages:
    """Makes the pages of the market; `connected` says whether the bus is there."""

    def __init__(self, market: Market, drawing: Drawing, connected: Callable[[], bool]) -> None:
        self._market = market
        self._drawing = drawing
        self._connected = connected

    async def guarded(self, made: Awaitable[Page], asked: str, visit: Visit, again: Rows = ()) -> Page:
        """Return a page, or the one that says why there is none; `again` are the buttons below that."""
        try:
            return await made
        except HydrophoneError as error:
            return self.refused(error, asked, visit, again)

    def refused(self, error: HydrophoneError, asked: str, visit: Visit, again: Rows = ()) -> Page:
        """Return the page of an error."""
        if isinstance(error, NotReadyError) and not self._connected():
            return Page(visit.reader.say("error.BUS"), again, answers=False)
        return Page(errors.refusal(error, asked, visit.reader).text, again, answers=False)

    async def question(self, name: str, symbol: str, visit: Visit, exchange: str = "") -> Page:
        """Return the answer to a question about a symbol."""
        more = {"exchange": exchange} if exchange and name == "book" else {}
        again = menus.answer_rows(name, symbol, visit.reader, exchange)
        try:
            text = await self._market.answer(name, symbol, visit.reader, **more)
        except ValidationError:
            return self.usage(COMMAND_OF.get(name, name), visit, menus.coin_rows(menus.QUESTION, name))
        except HydrophoneError as error:
            found = errors.refusal(error, symbol, visit.reader).candidates
            choices = menus.candidate_rows(menus.QUESTION, (name,), found)
            return self.refused(error, symbol, visit, choices or again)
        return Page(text, again)

    async def price(self, symbol: str, visit: Visit) -> PriceReply | Page:
        """Return the price of a symbol, or the page that says why there is none."""
        try:
            return (await self._market.find("price", PriceQuery(symbol=symbol), PriceReply)).reply
        except ValidationError:
            return self.usage("price", visit)
        except HydrophoneError as error:
            return self.refused(error, symbol, visit)

    async def venues(self) -> frozenset[str]:
        """Return the names of the exchanges that have a feed; none where the core does not answer."""
        try:
            return frozenset((await self._market.find("health", HealthQuery(), HealthReply)).reply.root)
        except HydrophoneError:  # then a word is taken for a symbol, and the answer shows that
            return frozenset()

    def usage(self, command: str, visit: Visit, choices: Rows = ()) -> Page:
        """Return how a command is used."""
        known = menu_texts.BY_NAME[command]
        arguments = menu_texts.arguments_of(known, visit.reader)
        return Page(errors.usage(command, arguments, known.example, visit.reader), choices, answers=False)

    async def chart(self, symbol: str, timeframe: str, visit: Visit) -> Page:
        """Return a chart of candles."""
        if timeframe not in TIMEFRAMES:
            return self.usage("chart", visit)
        try:
            query = OhlcQuery(symbol=symbol, timeframe=timeframe, limit=CHART_CANDLES)  # type: ignore[arg-type]
            found = await self._market.find("ohlc", query, OhlcReply)
        except ValidationError:
            return self.usage("chart", visit)
        except HydrophoneError as error:
            return self._no_chart(error, symbol, visit)
        reply, reader = found.reply, visit.reader
        words = Words(
            f"{reply.instrument} · {reply.timeframe} · {reply.exchange}",
            reader.plain("chart.price", quote=reply.quote),
            f"{reader.plain('chart.volume')} ({base_of(reply.instrument)})",
            captions.watermark(reply.quality, sim=reply.sim, stale=found.stale, reader=reader),
        )
        picture = await self._drawing.draw(_draw, "draw_candles", reply, words, reader.zone)
        return Page(captions.candles(found, reader), menus.chart_rows(symbol, timeframe, reader), picture)

    async def depth(self, symbol: str, visit: Visit) -> Page:
        """Return a chart of the depth of a book."""
        try:
            found = await self._market.find("orderbook", OrderbookQuery(symbol=symbol, depth=CHART_DEPTH), Orderbook)
        except HydrophoneError as error:
            return self._no_chart(error, symbol, visit)
        reply, reader = found.reply, visit.reader
        words = Words(
            f"{reply.symbol} · {reply.exchange}",
            f"{reader.plain('chart.cumulative')} ({base_of(reply.symbol)})",
            reader.plain("chart.price", quote=reply.quote),
            captions.watermark(reply.quality, sim=reply.sim, stale=found.stale, reader=reader),
        )
        picture = await self._drawing.draw(_draw, "draw_depth", reply, words)
        return Page(captions.depth(found, reader), menus.depth_rows(symbol, reader), picture)

    async def liquidation_map(self, symbol: str, window: str, visit: Visit) -> Page:
        """Return a liquidation map."""
        if window not in MAP_WINDOWS:
            return self.usage("liqmap", visit)
        try:
            query = LiquidationMapQuery(symbol=symbol, window=window)  # type: ignore[arg-type]
            found = await self._market.find("liqmap", query, LiquidationMap)
        except ValidationError:
            return self.usage("liqmap", visit)
        except HydrophoneError as error:
            return self._no_chart(error, symbol, visit)
        reply, reader = found.reply, visit.reader
        words = Words(
            reader.plain("liqmap.title", base=reply.base, window=reply.window),
            reader.plain("liqmap.longs"),
            reader.plain("liqmap.shorts"),
            captions.watermark(reply.quality, sim=reply.sim, stale=found.stale, reader=reader),
        )
        picture = await self._drawing.draw(_draw, "draw_map", reply, words, reader.plain("liqmap.sideless"))
        return Page(captions.liquidation_map(found, reader), menus.map_rows(symbol, window, reader), picture)

    def _no_chart(self, error: HydrophoneError, symbol: str, visit: Visit) -> Page:
        found = errors.refusal(error, symbol, visit.reader).candidates
        return self.refused(error, symbol, visit, menus.candidate_rows(menus.SYMBOL, (), found))

    async def sentiment(self, text: str, visit: Visit) -> Page:
        """Return how a text sounds."""
        found = await self._market.find("sentiment", SentimentQuery(text=text[:LONGEST_TEXT]), SentimentReply)
        return Page(overview.sentiment(found, visit.reader))

    async def status(self, visit: Visit) -> Page:
        """Return how the core and the feeds are; the bus and the core may be away."""
        again = menus.status_rows(visit.reader)
        if not self._connected():
            return Page(visit.reader.say("status.bus_away"), again)
        core: Answer[StatusReply] | None = None
        feeds: Answer[HealthReply] | None = None
        try:
            core = await self._market.find("status", StatusQuery(), StatusReply)
            feeds = await self._market.find("health", HealthQuery(), HealthReply)
        except HydrophoneError:  # that it does not answer is what the page says
            return Page(overview.status(core, feeds, visit.reader), again)
        return Page(overview.status(core, feeds, visit.reader), again)

    async def menu(self, name: str, visit: Visit, username: str, url: str | None) -> Page:
        """Return a menu by its name."""
        if name == "start":
            return menus.start(visit)
        if name == "status":
            return await self.status(visit)
        if name == "help":
            return Page(menu_texts.help_text(username, url, visit.reader), menus.back_rows(visit.reader))
        return menus.menu(name, visit)


def now_in(visit: Visit) -> datetime:
    """Return the time of day where a reader is."""
    return datetime.fromtimestamp(clock.now_ns() / 1e9, UTC).astimezone(visit.reader.zone)


def _draw(how: str, *what: Any) -> bytes:
    """Return the picture that a function of `bot.charts` draws.

    That is imported with the first picture, in the thread that draws: matplotlib takes 40 MiB, and most never draw.
    """
    picture: bytes = getattr(import_module("bot.charts"), how)(*what)
    return picture
