"""Inline mode: `@bot BTC` in any chat offers the price, the snapshot, the spread, and a chart."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

import structlog
from telegram import (
    InlineQueryResult,
    InlineQueryResultArticle,
    InlineQueryResultCachedPhoto,
    InlineQueryResultsButton,
    InputTextMessageContent,
    Update,
)
from telegram.constants import ParseMode
from telegram.error import TelegramError
from telegram.ext import ContextTypes, InlineQueryHandler

from bot.callback_data import start_payload
from bot.commands.visiting import AnyHandler, Services
from bot.outbox import NO_PREVIEW
from bot.page import Page, Visit
from bot.pages import TIMEFRAMES
from contracts.services.market import LONGEST_SYMBOL
from runtime import clock
from runtime.texts.markup import plain, shorten

_log = structlog.get_logger("bot")
SECONDS: Final = 1  # that Telegram may keep an answer
PHOTO_SECONDS: Final = 30.0  # that a chart is offered again
PHOTOS: Final = 500
OFFERED: Final = ("price", "raw", "spread")
SUGGESTED: Final = ("BTC", "ETH", "SOL")
DEFAULT_TIMEFRAME: Final = "1h"
_LONGEST_LABEL: Final = 64


class Inline:
    """Answers inline queries.

    A chart is uploaded to the asker's own chat, silently, and taken away again at once: Telegram takes new pictures
    only as messages, and offers what it has by its id.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._photos: OrderedDict[tuple[str, str, int], tuple[float, str]] = OrderedDict()
        self._newest: OrderedDict[int, str] = OrderedDict()

    def handler(self) -> AnyHandler:
        """Return the handler of inline queries."""
        return InlineQueryHandler(self._on_query)

    async def _on_query(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.inline_query
        if query is None:
            return
        services, user = self._services, query.from_user
        profile = await services.profiles.find(user.id)
        reader = services.profiles.reader(profile, user.language_code)
        visit = Visit(reader, user.id, user.id, name=user.first_name, zone=services.profiles.zone(profile))
        if not services.allowlist.permits(user.id, user.id):
            await query.answer([], SECONDS, is_personal=True, button=_button(reader.plain("note.not_allowed")))
            return
        self._note(user.id, query.id)
        words = query.query.split()
        symbol = "".join(words[:1])[:LONGEST_SYMBOL]
        results = await self._results(symbol, visit) if symbol else await self._suggestions(visit)
        if symbol and results and self._newest.get(user.id) == query.id:
            results += await self._chart(symbol, words, visit)
        label = "" if results else reader.plain("inline.failed", symbol=symbol)
        button = _button(label) if label else None
        try:
            await query.answer(results, SECONDS, is_personal=True, button=button)
        except TelegramError as error:  # it was too late: the user writes on
            _log.info("bot.inline_late", error=str(error))

    async def _results(self, symbol: str, visit: Visit) -> list[InlineQueryResult]:
        pages = await asyncio.gather(*(self._services.pages.question(name, symbol, visit) for name in OFFERED))
        answered = [(name, page) for name, page in zip(OFFERED, pages, strict=True) if page.answers]
        return [_article(name, page, f"{visit.reader.plain(f'button.{name}')} {symbol}") for name, page in answered]

    async def _suggestions(self, visit: Visit) -> list[InlineQueryResult]:
        pages = await asyncio.gather(*(self._services.pages.question("price", coin, visit) for coin in SUGGESTED))
        found = [(coin, page) for coin, page in zip(SUGGESTED, pages, strict=True) if page.answers]
        return [_article(f"price-{coin}", page, f"{visit.reader.plain('button.price')} {coin}") for coin, page in found]

    async def _chart(self, symbol: str, words: list[str], visit: Visit) -> list[InlineQueryResult]:
        timeframe = words[1] if len(words) > 1 and words[1] in TIMEFRAMES else DEFAULT_TIMEFRAME
        title = visit.reader.plain("inline.chart", symbol=symbol, timeframe=timeframe)
        page = await self._services.pages.chart(symbol, timeframe, visit)
        if page.photo is None:
            return []
        try:
            file_id = await self._upload(page.photo, (symbol, timeframe, visit.user_id))
        except TelegramError as error:  # the asker has no chat with the bot
            _log.info("bot.inline_chart_refused", error=str(error))
            return [self._link(symbol, timeframe, title, visit)]
        caption = str(page.text)
        return [InlineQueryResultCachedPhoto("chart", file_id, title=title, caption=caption, parse_mode=ParseMode.HTML)]

    async def _upload(self, photo: bytes, key: tuple[str, str, int]) -> str:
        until, known = self._photos.get(key, (0.0, ""))
        if clock.monotonic() < until:
            return known
        bot = self._services.bot
        message = await bot.send_photo(key[2], photo, disable_notification=True)
        await message.delete()
        found = message.photo[-1].file_id
        self._photos[key] = (clock.monotonic() + PHOTO_SECONDS, found)
        while len(self._photos) > PHOTOS:
            self._photos.popitem(last=False)
        return found

    def _link(self, symbol: str, timeframe: str, title: str, visit: Visit) -> InlineQueryResult:
        url = f"https://t.me/{self._services.bot.username}?start={start_payload(symbol, timeframe)}"
        said = InputTextMessageContent(f"{title}: {url}", link_preview_options=NO_PREVIEW)
        text = visit.reader.plain("inline.chart_text")
        return InlineQueryResultArticle("chart", title, said, description=text)

    def _note(self, user_id: int, query_id: str) -> None:
        self._newest[user_id] = query_id
        self._newest.move_to_end(user_id)
        while len(self._newest) > PHOTOS:
            self._newest.popitem(last=False)


def _article(result_id: str, page: Page, title: str) -> InlineQueryResult:
    first, _, rest = plain(page.text).partition("\n")
    said = InputTextMessageContent(str(page.text), parse_mode=ParseMode.HTML, link_preview_options=NO_PREVIEW)
    return InlineQueryResultArticle(
        result_id, title, said, description=shorten(f"{first} {rest.partition(chr(10))[0]}", 120)
    )


def _button(label: str) -> InlineQueryResultsButton:
    return InlineQueryResultsButton(shorten(label, _LONGEST_LABEL), start_parameter="inline")
