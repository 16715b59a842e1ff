"""Takes the pictures of README.md from a running demo: `python -m tests.pages.pictures` beside `make demo`.

Look at each before it is committed. The demo should have run for some minutes, so that there are whales and candles.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.async_api import Browser, async_playwright

from runtime.config.settings import load
from tests.pages.chromium import find_chromium

FOLDER: Final = Path(__file__).parents[2] / "docs" / "images"
FLAGS: Final = ("--no-sandbox", "--disable-gpu")
PATIENCE_MS: Final = 180_000.0
SETTLED_MS: Final = 3000.0  # for charts to be drawn
LEAST_WHALES: Final = 8


class Picture(NamedTuple):
    """A file's name, and what the page is opened with; `symbol` is the coin that it shows."""

    name: str
    symbol: str
    opened: dict[str, Any]


PICTURES: Final = (
    Picture("live-light.png", "BTC", {"viewport": {"width": 1440, "height": 1080}, "color_scheme": "light"}),
    Picture("live-dark.png", "ETH", {"viewport": {"width": 1440, "height": 1080}, "color_scheme": "dark"}),
    Picture("live-phone.png", "BTC", {"viewport": {"width": 390, "height": 1600}, "is_mobile": True}),
)


async def take(browser: Browser, picture: Picture, url: str, key: str) -> None:
    """Write one picture; `key` is a read key, which the page asks for."""
    context = await browser.new_context(**picture.opened)
    page = await context.new_page()
    await page.goto(f"{url}/?symbol={picture.symbol}")
    await page.locator("input[type=password]").first.fill(key)
    await page.keyboard.press("Enter")
    for there in ("#quality:has-text('live')", "#candles-text:has-text('close')", "#depth-text:has-text('Spread')"):
        await page.locator(there).wait_for(timeout=PATIENCE_MS)
    await page.locator("#whales tr").nth(LEAST_WHALES - 1).wait_for(timeout=PATIENCE_MS)
    await page.wait_for_timeout(SETTLED_MS)
    await page.screenshot(path=FOLDER / picture.name)
    await context.close()


async def main(chromium: str) -> int:
    """Take all of them with the browser of this path; 1 where no demo runs."""
    facts = load().store.data / "run.json"
    if not facts.is_file():
        print(f"no demo runs: {facts} is not there", file=sys.stderr)
        return 1
    api = json.loads(facts.read_text())["api"]
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=FLAGS)
        for picture in PICTURES:
            await take(browser, picture, api["url"], api["key"])
        await browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(find_chromium())))
