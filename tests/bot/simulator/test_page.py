"""The chat page in a real Chromium: one writes, sees formatted answers and pictures, presses buttons."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from tests.bot.simulator.conftest import ANN, GROUP, People
from tests.bot.simulator.test_methods import png
from tests.pages.conftest import browser, chromium

__all__ = ["browser", "chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product"), pytest.mark.timeout(120)]


@asynccontextmanager
async def opened(browser: Browser, people: People, scheme: str) -> AsyncGenerator[tuple[Page, list[str]]]:
    """Open the page; the list gets what goes wrong in it."""
    context = await browser.new_context(color_scheme=scheme, viewport={"width": 1100, "height": 800})  # type: ignore[arg-type]
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith((people.url, "data:")) else faults.append(asked.url))
    await page.goto(people.url)
    yield page, faults
    await context.close()


async def write_to_group(page: Page, text: str) -> None:
    await page.fill("#chat", str(GROUP))
    await page.get_by_role("button", name="Open the chat").click()
    await page.fill("#text", text)
    await page.get_by_role("button", name="Send", exact=True).click()


async def serious_faults(page: Page) -> list[str]:
    found = await Axe().run(page)
    return [one["id"] for one in found.response["violations"] if one["impact"] in {"serious", "critical"}]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_person_chats_with_the_bot(
    browser: Browser, people: People, bot: Bot, tmp_path: Path, scheme: str
) -> None:
    await people.do("chat", chat_id=ANN)
    async with opened(browser, people, scheme) as (page, faults):
        await page.fill("#text", "/price BTC")
        await page.keyboard.press("Enter")
        await expect(page.locator("#messages li.mine .body")).to_have_text("/price BTC")
        (update,) = await bot.get_updates(timeout=10)
        assert update.message is not None
        assert (update.message.text, update.message.from_user.first_name if update.message.from_user else "") == (
            "/price BTC",
            "Ann",
        )
        markup = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again")]])
        text = '<b>BTC</b> costs <code>91000.5</code> <a href="https://example.org/">more</a> &lt;script&gt;'
        sent = await bot.send_message(ANN, text, parse_mode="HTML", reply_markup=markup)
        await expect(page.locator("#messages .body b")).to_have_text("BTC")
        await expect(page.locator("#messages .body code")).to_have_text("91000.5")
        await expect(page.locator("#messages .body a")).to_have_attribute("href", "https://example.org/")
        await page.get_by_role("button", name="Again").click()
        query = (await bot.get_updates(offset=update.update_id + 1, timeout=10))[0].callback_query
        assert query is not None
        assert query.data == "again"
        await bot.answer_callback_query(query.id, "Here it is")
        await bot.edit_message_text("BTC costs 92000", ANN, sent.id)
        await expect(page.locator("#notice")).to_have_text("The bot says: Here it is")
        await expect(page.locator("#messages li:last-child .body")).to_have_text("BTC costs 92000")
        await bot.send_photo(ANN, png(320, 200), caption="Candles of BTC")
        picture = page.get_by_alt_text("Picture: Candles of BTC")
        await expect(picture).to_be_visible()
        assert await picture.evaluate("image => image.complete && image.naturalWidth") == 320
        await write_to_group(page, "hello group")
        await expect(page.locator("#title")).to_have_text(f"Group {GROUP} (supergroup)")
        await expect(page.locator("#messages li.mine .body")).to_have_text("hello group")
        await page.get_by_role("button", name="Ann · private").click()
        await expect(picture).to_be_visible()
        await page.screenshot(path=tmp_path / f"chat-{scheme}.png")
        assert await serious_faults(page) == []
        assert faults == []


async def test_what_a_person_cannot_do_is_said(browser: Browser, people: People, bot: Bot) -> None:
    await people.do("message", chat_id=GROUP, user_id=ANN, text="spam")
    await bot.ban_chat_member(GROUP, ANN)
    async with opened(browser, people, "light") as (page, _):
        await write_to_group(page, "more spam")
        await expect(page.locator("#notice")).to_have_text("Not possible: banned from this chat")
        await expect(page.locator("#messages li.service")).to_have_text("User 42 left")
